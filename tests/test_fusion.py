from __future__ import annotations

import pytest

from rag.fusion import fuse


def test_words_decide_between_equal_cosines() -> None:
    fused = fuse({"a": 0.8, "b": 0.8}, {"b": 5.0}, same_language={"a", "b"}, dense_weight=0.7)
    assert fused["b"] > fused["a"]


def test_without_word_matches_the_dense_order_stands() -> None:
    fused = fuse({"a": 0.9, "b": 0.8, "c": 0.7}, {}, same_language={"a", "b", "c"}, dense_weight=0.7)
    assert sorted(fused, key=fused.__getitem__, reverse=True) == ["a", "b", "c"]


def test_z_scores_are_mixed_by_weight() -> None:
    # Two candidates: z-scores are +1 and -1 in both rankings.
    fused = fuse({"a": 0.9, "b": 0.7}, {"b": 4.0}, same_language={"a", "b"}, dense_weight=0.75)
    assert fused == pytest.approx({"a": 0.5, "b": -0.5})


def test_a_passage_in_another_language_keeps_its_dense_score() -> None:
    fused = fuse({"a": 0.9, "b": 0.7}, {"b": 4.0}, same_language={"b"}, dense_weight=0.5)
    assert fused["a"] == pytest.approx(1.0)


def test_nothing_gives_nothing() -> None:
    assert fuse({}, {}, same_language=set(), dense_weight=0.7) == {}
