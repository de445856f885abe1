"""How well spans, sentences and relevance are told: SQuAD's measures, and what the reader says in plain arrays."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.reader_features import Row
from eval.reader_passages import Example

if TYPE_CHECKING:
    from torch import Tensor

    from eval.reader_model import Encoder

_LONGEST_SPAN = 30
_READ_TOKENS = 16384
_ARTICLES = {
    "en": "a an the",
    "es": "el la los las un una unos unas",
    "de": "der die das dem den des ein eine einen einem einer",
    "vi": "của là cái chiếc những",
}
# MLQA counts the signs of these one by one, and the words of the others.
_BY_SIGN = frozenset({"zh", "ja", "th"})

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Said:
    """What the reader said of a passage: logits of starts and ends by token, of its sentences, and of the passage."""

    start: Floats
    end: Floats
    sentence: Floats
    relevance: float


def read(rows: Sequence[Row], encoder: Encoder, weights: Mapping[str, Tensor]) -> list[Said]:
    """Return what the reader says of each row, in order."""
    import torch

    from eval.reader_model import batch_of, logits_of

    by_length: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        by_length.setdefault(len(row.ids), []).append(at)
    said: dict[int, Said] = {}
    with torch.no_grad():
        for length, positions in by_length.items():
            size = max(1, _READ_TOKENS // length)
            for first in range(0, len(positions), size):
                chosen = positions[first : first + size]
                batch = batch_of([rows[at] for at in chosen])
                logits = logits_of(batch, encoder, weights)
                sentences = torch.split(logits.sentence, [len(rows[at].holds) for at in chosen])
                for at, start, end, sentence, relevance in zip(
                    chosen, logits.start, logits.end, sentences, logits.relevance.tolist(), strict=True
                ):
                    said[at] = Said(start.numpy(), end.numpy(), sentence.numpy(), relevance)
    return [said[at] for at in range(len(rows))]


def best_span(said: Said, row: Row) -> tuple[int, int, float]:
    """Return start and end of the likeliest answer in code points, and how far its logits lie above those of none."""
    first, count = row.first, len(row.spans)
    if not count:
        return 0, 0, float("-inf")
    scores = said.start[first : first + count, None] + said.end[None, first : first + count]
    ahead = np.arange(count)[None, :] - np.arange(count)[:, None]
    scores = np.where((ahead >= 0) & (ahead < _LONGEST_SPAN), scores, -np.inf)
    start, end = divmod(int(scores.argmax()), count)
    return (
        int(row.spans[start, 0]),
        int(row.spans[end, 1]),
        float(scores[start, end] - said.start[0] - said.end[0]),
    )


def normalised(text: str, language: str) -> list[str]:
    """Return the words of an answer as SQuAD compares them (Rajpurkar et al. 2016), in any language as MLQA does."""
    text = "".join(" " if unicodedata.category(sign)[0] in "PS" else sign for sign in text.lower())
    if language in _BY_SIGN:
        return list(re.findall(r"[a-z0-9]+|\S", text))
    articles = set(_ARTICLES.get(language, "").split())
    return [word for word in text.split() if word not in articles]


def f1(found: str, answers: Sequence[str], *, language: str) -> float:
    """Return how many words a found answer shares with the one most like it, 0 to 1."""

    def shared(one: list[str], other: list[str]) -> float:
        if not one or not other:
            return float(one == other)
        same = sum((Counter(one) & Counter(other)).values())
        return 2 * same / (len(one) + len(other))

    words = normalised(found, language)
    return max(shared(words, normalised(answer, language)) for answer in answers)


def is_exact(found: str, answers: Sequence[str], *, language: str) -> bool:
    """Return whether a found answer is one of the answers but for articles and marks."""
    words = normalised(found, language)
    return any(words == normalised(answer, language) for answer in answers)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return how often a positive lies above a negative, ties half (Hanley and McNeil 1982); 0 to 1."""
    if not positive or not negative:
        return float("nan")
    merged = np.concatenate([np.asarray(positive, float), np.asarray(negative, float)])
    _, inverse, counts = np.unique(merged, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    above = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def answers_of(example: Example) -> list[str]:
    """Return the words of an example's answers."""
    return [example.passage[start:end] for start, end in example.answers]
