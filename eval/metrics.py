"""The measures themselves: pure functions of rankings, spans and texts, each with its source.

A measure that has no gold to compare with is a `Score` whose value is None, with the reason: it is skipped and
counted, never averaged as a failure.
"""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# MLQA's lists for en, es, de, vi and ar; fr, pt and it are ours after the same pattern. Other languages lose no words.
ARTICLES: dict[str, re.Pattern[str]] = {
    "ar": re.compile("ال"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "fr": re.compile(r"\b(un|une|des|du|le|la|les)\b"),
    "it": re.compile(r"\b(un|uno|una|il|lo|la|i|gli|le)\b"),
    "pt": re.compile(r"\b(um|uma|uns|umas|o|a|os|as)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
}
# An elided article is glued to its word once the apostrophe is gone, so it has to go before the punctuation.
ELISIONS: dict[str, re.Pattern[str]] = {
    "fr": re.compile(r"\bl['’]"),
    "it": re.compile(r"\b(l|un)['’]"),
}
# Scripts written without spaces: kana and Han. MLQA's own range is U+4E00 to U+9FA5.
UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of one question; `value` is None where it does not apply, and then `reason` says why."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an article, in code points; `end` is exclusive."""

    article_id: str
    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two share at least one code point."""
        return self.article_id == other.article_id and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Interval:
    """The bounds of a 95 % interval."""

    low: float
    high: float


def recall_at(ranked: Sequence[Span], nuggets: Sequence[Sequence[Span]], *, k: int) -> float:
    """Recall@k over facts: the share of nuggets of which one of the first `k` passages holds a support quote, 0 to 1.

    A fact that several passages tell counts once, and the first of them is enough. A nugget without any quote counts
    as not found; leave it out before calling.

    Args:
        ranked: The passages found, best first.
        nuggets: For each fact that the answer needs, the places of the quotes that state it.
        k: How many passages count.
    """
    first = ranked[:k]
    found = sum(any(passage.overlaps(quote) for passage in first for quote in quotes) for quotes in nuggets)
    return found / len(nuggets) if nuggets else 0.0


def reciprocal_rank_at(ranked: Sequence[Span], quotes: Sequence[Span], *, k: int) -> float:
    """1 / rank of the first of `k` passages that holds a quote, 0 if none does; its mean is MRR@k (Voorhees 1999)."""
    for rank, passage in enumerate(ranked[:k], start=1):
        if any(passage.overlaps(quote) for quote in quotes):
            return 1.0 / rank
    return 0.0


def ndcg_at(ranked: Sequence[Span], quotes: Sequence[Span], *, k: int) -> float:
    """nDCG@k with binary gain: sum of rel_i / log2(i + 1) over its ideal (Järvelin & Kekäläinen 2002), 0 to 1.

    A passage is relevant (rel 1) when it overlaps a quote; with gain 0 or 1 Burges' 2^rel - 1 is the same number. The
    ideal ranking has every relevant passage first: those in `ranked`, and one more for each quote that no passage of
    `ranked` holds, since the passages that were not found cannot be seen from outside.
    """
    relevant = [any(passage.overlaps(quote) for quote in quotes) for passage in ranked]
    missed = sum(not any(passage.overlaps(quote) for passage in ranked) for quote in quotes)
    ideal = min(sum(relevant) + missed, k)
    if not ideal:
        return 0.0
    gained = sum(1.0 / math.log2(rank + 1) for rank, gain in enumerate(relevant[:k], start=1) if gain)
    return gained / sum(1.0 / math.log2(rank + 1) for rank in range(1, ideal + 1))


def tokens(text: str, *, language: str) -> list[str]:
    """Return the words of `text` as MLQA compares them (Lewis et al. 2020, official script).

    Lower case, no punctuation (all of Unicode's, and ASCII's symbols), none of the language's articles, split at white
    space; Han characters and kana one by one. Composed (NFC) first, so that two spellings of "á" are one.
    """
    text = unicodedata.normalize("NFC", text).lower()
    if language in ELISIONS:
        text = ELISIONS[language].sub(" ", text)
    text = "".join(char for char in text if not _is_punctuation(char))
    if language in ARTICLES:
        text = ARTICLES[language].sub(" ", text)
    return UNSPACED.sub(r" \1 ", text).split()


def contains(text: str, wanted: str, *, language: str) -> bool:
    """Tell whether the normalised words of `wanted` stand in `text` in one run: "18" is in "18 %", not in "1800"."""
    words, run = tokens(text, language=language), tokens(wanted, language=language)
    return bool(run) and any(words[start : start + len(run)] == run for start in range(len(words) - len(run) + 1))


def exact_match(prediction: str, gold: str, *, language: str) -> float:
    """1 if the two are the same words after normalisation, else 0 (Rajpurkar et al. 2016; MLQA's normalisation)."""
    return float(tokens(prediction, language=language) == tokens(gold, language=language))


def token_f1(prediction: str, gold: str, *, language: str) -> float:
    """Harmonic mean of precision and recall over the two bags of words, 0 to 1 (Rajpurkar et al. 2016)."""
    predicted, wanted = tokens(prediction, language=language), tokens(gold, language=language)
    common = (Counter(predicted) & Counter(wanted)).total()
    if not common:
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def best_reference(prediction: str, nuggets: Sequence[Sequence[str]], *, language: str) -> str:
    """Return the accepted wording nearest to `prediction`, of each nugget in turn, joined by spaces.

    With one nugget, exact match and F1 against it are the maximum over the accepted answers, as SQuAD and MLQA have it.
    """
    return " ".join(
        max(
            accepted,
            key=lambda gold: (
                exact_match(prediction, gold, language=language),
                token_f1(prediction, gold, language=language),
            ),
        )
        for accepted in nuggets
    )


def wilson(mean: float, n: int) -> Interval:
    """Wilson's 95 % score interval of a proportion (Wilson 1927); `n` at least 1.

    It also serves the mean of a measure that lies between 0 and 1: its variance is at most that of a proportion with
    the same mean, so the interval is then wider than needed, never narrower. Questions count as independent.

    Raises:
        ValueError: `n` is below 1 or `mean` outside 0 to 1.
    """
    if n < 1 or not 0 <= mean <= 1:
        raise ValueError(f"no interval for a mean of {mean} over {n}: give a mean from 0 to 1 over at least 1")
    z = 1.959964
    middle = mean + z * z / (2 * n)
    reach = z * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Interval(low=max(0.0, (middle - reach) / scale), high=min(1.0, (middle + reach) / scale))


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")
