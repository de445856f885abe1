"""Combining the dense and the word ranking of one question. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

# Below this spread the candidates are alike, and dividing by it would only blow up noise.
_MIN_SPREAD = 1e-3


def fuse(
    cosines: Mapping[str, float],
    word_scores: Mapping[str, float],
    *,
    same_language: Collection[str],
    dense_weight: float,
) -> dict[str, float]:
    """Return one score per candidate of either ranking, higher is better.

    Both rankings are brought to z-scores over the candidates and mixed. A passage in another language than the
    question's cannot share its words, so its words are not held against it: it keeps its dense z-score alone.

    Args:
        cosines: The exact cosine of every candidate.
        word_scores: BM25 of the candidates that matched a word; the others count as 0.
        same_language: The candidates written in the question's language.
        dense_weight: Share of the dense z-score where both count, 0 to 1.
    """
    dense = _z_scores(cosines)
    comparable = {candidate: word_scores.get(candidate, 0.0) for candidate in cosines if candidate in same_language}
    if not any(comparable.values()):
        return dense
    words = _z_scores(comparable)
    return {
        candidate: dense_weight * z + (1 - dense_weight) * words[candidate] if candidate in words else z
        for candidate, z in dense.items()
    }


def _z_scores(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    values = np.fromiter(scores.values(), dtype=np.float64, count=len(scores))
    spread = max(float(values.std()), _MIN_SPREAD)
    mean = float(values.mean())
    return {candidate: (score - mean) / spread for candidate, score in scores.items()}
