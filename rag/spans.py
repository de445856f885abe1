"""The words that answer, out of what a trained reader says of each token: exact slices of the article. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rag.interfaces import PassageLogits
from rag.schema import Sentence

MOST_TOKENS: Final = 30
"""Tokens of a span at most, as in training."""
MOST_SPANS: Final = 12

# Writing without spaces between words: there a run of letters is no word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PARTING = ",;:،、，；："
_ENDING = ".。…"

# A noun in the plural right behind the asking word: with one between them it would often be a name ("¿Qué dijo Ríos?").
_LISTS = re.compile(
    r"\bqu[eé] (?:otr[oa]s |nuev[oa]s |dos |tres )?(?!lunes\b|martes\b|jueves\b|viernes\b|antes\b)\w{2,}[aeo]s\b"
    r"|\b(?:cu[aá]les|qui[eé]nes|enum[eé]r[ae]\w*)\b"
    r"|\b(?:which|what) (?:other |new |two |three )?(?!does\b|news\b|years\b)\w{2,}[^\W\dsui]s\b|\bwho (?:are|were)\b"
    r"|\b(?:quels|quelles|lesquels|lesquelles|quais|quem são|quali)\b"
    r"|哪些",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Words that may answer: `article.text[start:end]`; `score` is how far they are above "no answer", a logit."""

    start: int
    end: int
    score: float


def asks_for_several(question: str) -> bool:
    """Whether a question asks for a list, by its form: "¿Qué tratados…?", "Which towns were…?"."""
    return _LISTS.search(question) is not None


def best_spans(logits: PassageLogits, sentence: Sentence, *, most: int = 1, within: float = 0.0) -> list[Span]:
    """Return the best spans inside one sentence that do not overlap, best first; none if it was not read.

    Args:
        logits: Of the sentence's passage.
        sentence: With its place in the article, like the spans'.
        most: Spans at most.
        within: How far below the best one's score the others may be.
    """
    first, last = (int(at) for at in np.searchsorted(logits.starts, (sentence.start, sentence.end)))
    ends = np.where(logits.ends[first:last] <= sentence.end, logits.span_ends[first:last], -np.inf)
    scores = logits.span_starts[first:last, None] + ends[None, :] - np.float32(logits.none)
    # A span ends where it begins or behind, and is not too long.
    scores = np.where(np.triu(np.tril(np.ones_like(scores), MOST_TOKENS - 1)) > 0, scores, -np.inf)
    found: list[Span] = []
    while scores.size and len(found) < most:
        begin, end = (int(at) for at in np.unravel_index(int(scores.argmax()), scores.shape))
        score = float(scores[begin, end])
        if not np.isfinite(score) or (found and score < found[0].score - within):
            break
        scores[: end + 1, begin:] = -np.inf
        start, stop = whole_words(
            sentence.text,
            int(logits.starts[first + begin]) - sentence.start,
            int(logits.ends[first + end]) - sentence.start,
        )
        start, stop = start + sentence.start, stop + sentence.start
        # Wider by whole words, it may meet another.
        if start < stop and all(stop <= other.start or other.end <= start for other in found):
            found.append(Span(start, stop, score))
    return found


def sentence_logit(logits: PassageLogits, sentence: Sentence) -> float | None:
    """Return the mean over the tokens that begin in a sentence, None if none was read."""
    first, last = np.searchsorted(logits.starts, (sentence.start, sentence.end))
    return float(logits.answering[first:last].mean()) if first < last else None


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a slice without spaces and commas around it, made wider until it cuts no word and no composed character.

    Of a full stop at the text's end nothing belongs to a word.
    """
    while start < end and (text[start].isspace() or text[start] in _PARTING):
        start += 1
    while end > start and (
        text[end - 1].isspace() or text[end - 1] in _PARTING or (text[end - 1] in _ENDING and end == len(text))
    ):
        end -= 1
    if start == end:
        return start, end
    while start > 0 and _belong_together(text[start - 1], text[start]):
        start -= 1
    while end < len(text) and _belong_together(text[end - 1], text[end]):
        end += 1
    return start, end


def _belong_together(one: str, other: str) -> bool:
    if other in "\u200d\ufe0e\ufe0f" or one == "\u200d" or unicodedata.category(other).startswith("M"):
        return True
    # The skin of an emoji, and the two halves of a flag.
    if "\U0001f3fb" <= other <= "\U0001f3ff" or all("\U0001f1e6" <= char <= "\U0001f1ff" for char in (one, other)):
        return True
    if _UNSPACED.match(one) or _UNSPACED.match(other):
        return False
    return all(char.isalnum() or char == "_" or unicodedata.category(char).startswith("M") for char in (one, other))


def shown(spans: Sequence[Span], *, least: float) -> tuple[tuple[int, int], ...]:
    """Return the places of those spans whose score is at least so high, in the order of the text."""
    return tuple(sorted((span.start, span.end) for span in spans if span.score >= least))
