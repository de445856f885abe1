"""Combining the dense and the word ranking of one question. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

TYPICAL_SPREAD = 0.0137
"""Standard deviation of likeness among the bundled model's 50 nearest passages: mean of 4,825 training questions."""

# Below this spread the candidates are alike, and dividing by it would only blow up noise.
_MIN_SPREAD = 1e-3
# BM25 of half a match: words that everybody uses stay far below it, three rare ones are well above.
_HALF = 10.0
# What the best match by words counts, in spreads, where dense and words weigh the same.
_WORDS = 10.0
# What a question's own language adds to a cosine beyond what is said, in spreads, where its level is not known.
_OWN_LANGUAGE = 0.4
# Where it is known: so much of a difference of levels is taken off, and the own language keeps so many spreads more.
_OF_LEVEL, _OWN_FIRST = 0.75, 1.0
# The level of a language is the mean likeness of its candidates from and to these places: those that answer are before.
# With fewer than these it is not known.
_LEVEL_FROM, _LEVEL_TO, _LEVEL_OF = 2, 10, 5


def fuse(
    likeness: Mapping[str, float],
    word_scores: Mapping[str, float],
    *,
    languages: Mapping[str, str],
    language: str,
    dense_weight: float,
    spread: float | None = None,
) -> dict[str, float]:
    """Return one score per candidate of either ranking, higher is better, comparable within one question only.

    `w * likeness / spread + (1 - w) * 10 * word_score / (best word score + 10)` with `w` the dense weight: words count
    the more the rarer they are, because BM25 is the sum of their rarities, and one good match is not blown up by being
    the only one. A passage in another language cannot share the question's words: it gets what the best match by words
    gets, so that it is compared by likeness with that one.

    Cosines are higher in some pairs of languages whatever is said. So a passage in another language is judged by how
    far it stands out from those of its language that are near to this question, beside how far one in the question's
    own language does (cross-domain similarity local scaling, Conneau et al. 2018, over the candidates).

    Args:
        likeness: How near each candidate is to the question, as a cosine.
        word_scores: BM25 of the candidates that matched a word; the others count as 0.
        languages: What language each candidate is written in.
        language: The question's.
        dense_weight: 0 to 1; 1 leaves words out, 0 likeness.
        spread: What makes a difference of likeness large for the model; None takes the standard deviation of these
            candidates.
    """
    if not likeness:
        return {}
    if spread is None:
        spread = max(float(np.std(list(likeness.values()))), _MIN_SPREAD)
    best = max((word_scores.get(each, 0.0) for each in likeness if languages[each] == language), default=0.0)
    gains = _gains(likeness, languages, language, spread=spread)
    fused = {}
    for candidate, cosine in likeness.items():
        words = (word_scores.get(candidate, 0.0) if languages[candidate] == language else best) / (best + _HALF)
        dense = cosine / spread + gains.get(languages[candidate], 0.0)
        fused[candidate] = dense_weight * dense + (1 - dense_weight) * _WORDS * words
    return fused


def _gains(
    likeness: Mapping[str, float], languages: Mapping[str, str], language: str, *, spread: float
) -> dict[str, float]:
    """Return what the likeness of each other language gains, in spreads, to be comparable with the question's own."""
    found = defaultdict[str, list[float]](list)
    for candidate, cosine in likeness.items():
        found[languages[candidate]].append(cosine)
    levels = {
        name: float(np.mean(sorted(cosines, reverse=True)[_LEVEL_FROM:_LEVEL_TO]))
        for name, cosines in found.items()
        if len(cosines) >= _LEVEL_OF
    }
    own = levels.get(language)
    return {
        name: _OWN_LANGUAGE
        if own is None or name not in levels
        else _OF_LEVEL * (own - levels[name]) / spread - _OWN_FIRST
        for name in found
        if name != language
    }
