"""How the two rankings are combined, by hand-worked numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from rag import fusion


def fuse(
    likeness: Mapping[str, float],
    word_scores: Mapping[str, float],
    *,
    same_language: Collection[str],
    dense_weight: float,
    spread: float | None = None,
) -> dict[str, float]:
    """Return what fusion makes of candidates in Spanish, which is asked in, and in Portuguese."""
    languages = {each: "es" if each in same_language else "pt" for each in likeness}
    return fusion.fuse(
        likeness, word_scores, languages=languages, language="es", dense_weight=dense_weight, spread=spread
    )


def ranked(fused: Mapping[str, float]) -> list[str]:
    return sorted(fused, key=lambda each: -fused[each])


def test_words_decide_between_equal_cosines() -> None:
    fused = fuse({"a": 0.8, "b": 0.8}, {"b": 5.0}, same_language={"a", "b"}, dense_weight=0.6)
    assert ranked(fused) == ["b", "a"]


def test_without_word_matches_the_dense_order_stands() -> None:
    fused = fuse({"a": 0.9, "b": 0.8, "c": 0.7}, {}, same_language={"a", "b", "c"}, dense_weight=0.6)
    assert ranked(fused) == ["a", "b", "c"]


def test_both_count_by_weight() -> None:
    # 0.75 * 0.9 / 0.1, and 0.75 * 0.7 / 0.1 + 0.25 * 10 * 10 / (10 + 10).
    fused = fuse({"a": 0.9, "b": 0.7}, {"b": 10.0}, same_language={"a", "b"}, dense_weight=0.75, spread=0.1)
    assert fused == pytest.approx({"a": 6.75, "b": 6.5})


def test_rare_words_outweigh_a_cosine_that_common_ones_do_not() -> None:
    likeness = {"near": 0.90, "said": 0.86}
    common = fuse(likeness, {"said": 1.0}, same_language={"near", "said"}, dense_weight=0.6, spread=0.0137)
    rare = fuse(likeness, {"said": 20.0}, same_language={"near", "said"}, dense_weight=0.6, spread=0.0137)
    assert (ranked(common)[0], ranked(rare)[0]) == ("near", "said")


def test_a_model_without_a_known_spread_is_taken_by_that_of_the_candidates() -> None:
    # Their standard deviation is 0.1.
    likeness = {"a": 0.9, "b": 0.7}
    of_its_own = fuse(likeness, {"b": 10.0}, same_language={"a", "b"}, dense_weight=0.5)
    assert of_its_own == pytest.approx(
        fuse(likeness, {"b": 10.0}, same_language={"a", "b"}, dense_weight=0.5, spread=0.1)
    )


def test_a_passage_in_another_language_is_not_held_to_the_words() -> None:
    likeness = {"twin": 0.86, "own": 0.86, "off": 0.86}
    fused = fuse(likeness, {"own": 12.0}, same_language={"own", "off"}, dense_weight=0.6, spread=0.0137)
    assert ranked(fused) == ["twin", "own", "off"]
    # 0.6 * 0.4: no more than what the question's own language adds to a cosine.
    assert fused["twin"] - fused["own"] == pytest.approx(0.24)


def test_the_best_match_stays_before_passages_in_another_language_that_are_farther() -> None:
    fused = fuse({"own": 0.88, "twin": 0.87}, {"own": 12.0}, same_language={"own"}, dense_weight=0.6, spread=0.0137)
    assert ranked(fused) == ["own", "twin"]


@pytest.mark.parametrize("same_language", [{"a", "b"}, set[str]()])
def test_in_one_language_without_words_the_order_is_that_of_the_cosines(same_language: set[str]) -> None:
    fused = fuse({"a": 0.86, "b": 0.8601}, {}, same_language=same_language, dense_weight=0.6, spread=0.0137)
    assert ranked(fused) == ["b", "a"]


def test_nothing_gives_nothing() -> None:
    assert fuse({}, {}, same_language=set(), dense_weight=0.6) == {}


def test_a_passage_in_another_language_is_judged_by_how_far_it_stands_out_from_others_of_it() -> None:
    # From the third on, the level is 0.80 in Spanish and 0.74 in Portuguese: of the 0.06 between, 0.045 are given back.
    own = {"own": 0.86, "o2": 0.81, "o3": 0.80, "o4": 0.80, "o5": 0.80}
    other = {"twin": 0.82, "t2": 0.75, "t3": 0.74, "t4": 0.74, "t5": 0.74}
    fused = fuse(own | other, {}, same_language=set(own), dense_weight=1.0, spread=0.01)
    assert fused["own"] == pytest.approx(86)
    # Then one spread less than the question's own language.
    assert fused["twin"] == pytest.approx(82 + 4.5 - 1)
    assert ranked(fused)[:2] == ["own", "twin"]


def test_of_a_language_with_few_passages_the_level_is_not_known() -> None:
    own = {"own": 0.86, "o2": 0.81, "o3": 0.80, "o4": 0.80, "o5": 0.80}
    fused = fuse(
        own | {"twin": 0.82, "t2": 0.75, "t3": 0.74, "t4": 0.7},
        {},
        same_language=set(own),
        dense_weight=1.0,
        spread=0.01,
    )
    assert fused["twin"] == pytest.approx(82 + 0.4)
