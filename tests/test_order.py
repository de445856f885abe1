from __future__ import annotations

import pytest

from rag.order import best_first


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"a-1": 0.2, "b-2": 0.9, "c-3": 0.5}, ["b-2", "c-3", "a-1"]),
        ({"a-9": 0.5, "b-1": 0.5}, ["b-1", "a-9"]),
        ({"b-1": 0.5, "a-1": 0.5}, ["a-1", "b-1"]),
        ({}, []),
    ],
    ids=["by score", "equal scores by content", "equal content by article", "nothing"],
)
def test_the_best_come_first_and_equals_by_content(scores: dict[str, float], expected: list[str]) -> None:
    assert best_first(scores) == expected
    assert best_first(dict(reversed(scores.items()))) == expected
