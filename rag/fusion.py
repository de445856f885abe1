"""Combining the dense and the word ranking of one question. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

TYPICAL_SPREAD = 0.0137
"""Standard deviation of likeness among the bundled model's 50 nearest passages: mean of 4,825 training questions."""

# Below this spread the candidates are alike, and dividing by it would only blow up noise.
_MIN_SPREAD = 1e-3
# BM25 of half a match: words that everybody uses stay far below it, three rare ones are well above.
_HALF = 10.0
# What the best match by words counts, in spreads, where dense and words weigh the same.
_WORDS = 10.0
# What a question's own language adds to a cosine beyond what is said, in spreads.
_OWN_LANGUAGE = 0.4


def fuse(
    likeness: Mapping[str, float],
    word_scores: Mapping[str, float],
    *,
    same_language: Collection[str],
    dense_weight: float,
    spread: float | None = None,
) -> dict[str, float]:
    """Return one score per candidate of either ranking, higher is better, comparable within one question only.

    `w * likeness / spread + (1 - w) * 10 * word_score / (best word score + 10)` with `w` the dense weight: words count
    the more the rarer they are, because BM25 is the sum of their rarities, and one good match is not blown up by being
    the only one. A passage in another language cannot share the question's words: it gets what the best match by words
    gets, so that it is compared by likeness with that one, and a little more, because passages in the question's own
    language are nearer to it whatever they say.

    Args:
        likeness: How near each candidate is to the question, as a cosine.
        word_scores: BM25 of the candidates that matched a word; the others count as 0.
        same_language: The candidates written in the question's language.
        dense_weight: 0 to 1; 1 leaves words out, 0 likeness.
        spread: What makes a difference of likeness large for the model; None takes the standard deviation of these
            candidates.
    """
    if not likeness:
        return {}
    if spread is None:
        spread = max(float(np.std(list(likeness.values()))), _MIN_SPREAD)
    best = max((word_scores.get(candidate, 0.0) for candidate in likeness if candidate in same_language), default=0.0)
    fused = {}
    for candidate, cosine in likeness.items():
        own = candidate in same_language
        words = (word_scores.get(candidate, 0.0) if own else best) / (best + _HALF)
        dense = cosine / spread + (0.0 if own else _OWN_LANGUAGE)
        fused[candidate] = dense_weight * dense + (1 - dense_weight) * _WORDS * words
    return fused
