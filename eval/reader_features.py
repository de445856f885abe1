"""Examples as numbers: what the reader is fed, and where in it sentences and answers are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.reader_passages import CountTokens, Example

if TYPE_CHECKING:
    from tokenizers import Tokenizer

QUESTION_TOKENS, TITLE_TOKENS, MOST_TOKENS = 48, 24, 192
TEMPLATE = "<s> question </s></s> title passage </s>"
_ENCODED_AT_ONCE = 2048

Ints = npt.NDArray[np.int32]
Tokens = tuple[list[int], list[tuple[int, int]]]
"""Ids, and for each the span of the text that it stands for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example: `ids` as the model takes them, and of the passage's tokens, from `first` on, the spans of text.

    `sentence` is the number of each token's sentence, -1 outside the passage; `starts` and `ends` are the tokens that
    the answers begin and end with, position 0 if there is none; `holds` says of each sentence whether it has an answer.
    """

    ids: Ints
    first: int
    spans: Ints
    sentence: Ints
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    holds: tuple[bool, ...]

    @property
    def answers(self) -> bool:
        """Whether the passage answers the question."""
        return self.starts != (0,)


def rows_of(
    examples: Sequence[Example], tokenizer: Tokenizer, *, most_tokens: int = MOST_TOKENS
) -> Iterator[Row | None]:
    """Yield the examples as numbers, in order; None for one whose answers all lie beyond the length."""
    for at in range(0, len(examples), _ENCODED_AT_ONCE):
        batch = examples[at : at + _ENCODED_AT_ONCE]
        parts = [
            tokenizer.encode_batch([getattr(one, part) for one in batch], add_special_tokens=False)
            for part in ("question", "title", "passage")
        ]
        for example, question, title, passage in zip(batch, *parts, strict=True):
            yield row_of(example, question.ids, title.ids, (passage.ids, passage.offsets), most_tokens=most_tokens)


def row_of(
    example: Example, question: Sequence[int], title: Sequence[int], passage: Tokens, *, most_tokens: int
) -> Row | None:
    """Return an example as numbers, of a question, a title and a passage that are cut into tokens; None as above."""
    # The bundled tokenizer gives these two to <s> and </s>, as XLM-R does.
    head = [0, *question[:QUESTION_TOKENS], 2, 2, *title[:TITLE_TOKENS]]
    room = most_tokens - len(head) - 1
    ids = np.array([*head, *passage[0][:room], 2], np.int32)
    spans = trimmed(example.passage, passage[1][:room])
    starts, ends = _answer_tokens(example.answers, spans)
    if example.answers and not starts:
        return None
    bounds = np.array(example.sentences, np.int32).reshape(-1, 2)
    inside = np.searchsorted(bounds[:, 0], spans[:, 0], side="right") - 1
    seen = int(inside.max()) + 1 if len(inside) else 0
    sentence = np.full(len(ids), -1, np.int32)
    sentence[len(head) : len(head) + len(spans)] = np.maximum(inside, 0)
    holds = tuple(any(a < end and b > start for a, b in example.answers) for start, end in example.sentences[:seen])
    first = len(head)
    return Row(
        ids=ids,
        first=first,
        spans=spans,
        sentence=sentence,
        starts=tuple(first + at for at in starts) or (0,),
        ends=tuple(first + at for at in ends) or (0,),
        holds=holds,
    )


def trimmed(text: str, spans: Sequence[tuple[int, int]]) -> Ints:
    """Return spans of tokens without the white space before and after, shape (tokens, 2)."""
    found = np.array(spans, np.int32).reshape(-1, 2)
    for at, (start, end) in enumerate(spans):
        piece = text[start:end]
        stripped = piece.strip()
        if len(stripped) < len(piece):
            start += len(piece) - len(piece.lstrip())
            found[at] = start, start + len(stripped)
    return found


def _answer_tokens(answers: Sequence[tuple[int, int]], spans: Ints) -> tuple[list[int], list[int]]:
    """Return the first and last tokens of those answers that are there whole."""
    starts, ends = [], []
    for start, end in answers:
        inside = np.flatnonzero((spans[:, 1] > start) & (spans[:, 0] < end) & (spans[:, 1] > spans[:, 0]))
        if len(inside) and end <= spans[-1, 1]:
            starts.append(int(inside[0]))
            ends.append(int(inside[-1]))
    return starts, ends


def counter(tokenizer: Tokenizer) -> CountTokens:
    """Return a function that gives the lengths of texts in tokens."""
    return lambda texts: [len(one.ids) for one in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
