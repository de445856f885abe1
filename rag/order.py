"""The order of what was found: by score, and equal scores by content, however an archive came to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping

DIGITS = 6
"""Decimals of a cosine that count: what lies behind them depends on the order in which its products are added."""


def best_first(scores: Mapping[str, float]) -> list[str]:
    """Return the passage ids of the scores, the highest first.

    Passages of equal score stand in the order of a hash of their text. Where that is equal too, the articles' ids
    decide, which come from where an article was published or read, never from when.
    """
    return sorted(scores, key=lambda passage_id: (-scores[passage_id], *_by_content(passage_id)))


def _by_content(passage_id: str) -> tuple[str, str]:
    # An id is the article's and a hash of what is embedded, with a hyphen between.
    article_id, _, content = passage_id.rpartition("-")
    return content, article_id
