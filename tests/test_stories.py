"""The rules of stories: what is a copy, what the same event, how links make groups, what a ranking leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from rag.interfaces import Link
from rag.schema import Article
from rag.shingles import shingles
from rag.stories import (
    all_told,
    choose,
    copy_score,
    event_score,
    groups,
    lead_terms,
    lists_of,
    lists_to_search,
    related_to,
)

WORDS = [f"palabra{number}" for number in range(100)]


def text(*ranges: range) -> str:
    return " ".join(WORDS[at] for each in ranges for at in each)


@pytest.mark.parametrize(
    ("other", "score"),
    [
        (text(range(60)), 1.0),
        (text(range(20, 60)), 1.0),
        (text(range(30, 60), range(30)), 54 / 57),
        (text(range(20), range(60, 80)), 17 / 37),
        (text(range(14), range(60, 100)), 0.0),
        (text(range(14)), 0.0),
        ("", 0.0),
    ],
    ids=["same", "shortened", "reordered", "half of it", "a quotation", "too short to tell", "empty"],
)
def test_copies_share_a_large_part_of_the_shorter_text(other: str, score: float) -> None:
    # Sixty words make 57 runs of four; to exchange halves breaks three of them.
    assert copy_score(shingles(text(range(60))), shingles(other)) == pytest.approx(score)


def at_cosine(cosine: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([cosine, (1 - cosine**2) ** 0.5], np.float32)


@pytest.mark.parametrize(
    ("cosine", "apart", "is_event"),
    [(0.93, 0, True), (0.93, 3, True), (0.9, 0, False), (0.99, 4, False), (0.96, None, True), (0.93, None, False)],
    ids=["same day", "three days", "unlike", "four days", "no date", "no date, less alike"],
)
def test_same_event_is_alike_and_near_in_time(cosine: float, apart: int | None, is_event: bool) -> None:
    score = event_score(at_cosine(1.0), at_cosine(cosine), apart=apart)
    assert score == pytest.approx(cosine if is_event else 0.0)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (date(2024, 6, 19), date(2024, 6, 19), True),
        (date(2024, 6, 19), date(2024, 6, 22), True),
        (date(2024, 6, 19), date(2024, 6, 16), True),
        (date(2024, 6, 19), date(2024, 6, 29), False),
        (date(2024, 6, 19), None, True),
        (None, None, True),
    ],
    ids=["same day", "three later", "three earlier", "ten later", "one without a date", "both without"],
)
def test_articles_meet_only_where_their_days_allow_it(one: date | None, other: date | None, meet: bool) -> None:
    # Whoever comes second looks for the first.
    assert [not {*lists_of(a)}.isdisjoint(lists_to_search(b)) for a, b in ((one, other), (other, one))] == [meet, meet]


def test_of_a_beginning_24_content_words_are_drawn_and_the_rest_of_the_text_does_not_count() -> None:
    lead = " ".join(f"calle{number}x número{number}" for number in range(60))
    assert lead_terms(None, lead).size == 24
    assert lead_terms(None, f"{lead} otra cosa").tolist() == lead_terms(None, lead).tolist()


def links(*pairs: str, kind: str = "event", score: float = 0.95) -> list[Link]:
    return [Link(min(pair), max(pair), kind, score) for pair in pairs]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        (links("ab"), ["ab"]),
        (links("ab", "bc", "ac"), ["abc"]),
        (links("ab", "bc"), ["ab"]),
        (links("ab", "cd", "bc"), ["ab", "cd"]),
        (links("ab", "cd", "bc", "ac", "bd"), ["abcd"]),
        ([*links("ab"), *links("bc", kind="copy", score=0.5)], ["bc"]),
        (links("xa", "xb", "xc", kind="copy"), ["ax"]),
    ],
    ids=["none", "pair", "triangle", "chain", "two pairs", "two pairs well linked", "copies first", "a page of briefs"],
)
def test_groups_grow_where_most_pairs_are_linked(given: Sequence[Link], expected: list[str]) -> None:
    assert groups(given) == [frozenset(group) for group in expected]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        (links("ab"), {"b": ("event", 0.95)}),
        (links("ab", "bc"), {"b": ("event", 0.95)}),
        (links("ab", "bc", "cd", "bd"), {"b": ("event", 0.95)}),
        (links("xa", "xb", "xc", kind="copy"), {"x": ("copy", 0.95)}),
        (links("ab", "bc", "ac", "ad", "bd"), dict.fromkeys("bcd", ("event", 0.95))),
        (
            [*links("ab", "ac", "bc", kind="copy", score=0.7), *links("bd", "cd", score=0.96)],
            {"b": ("copy", 0.7), "c": ("copy", 0.7), "d": ("event", 0.96)},
        ),
    ],
    ids=["none", "pair", "chain", "end of a chain", "of a page of briefs", "group", "event of its copies"],
)
def test_story_is_what_is_linked_and_the_rest_of_the_group(given: Sequence[Link], expected: dict[str, object]) -> None:
    assert related_to("a", given) == expected


def test_stories_stand_under_their_earliest_article_the_newest_story_first() -> None:
    days = {"a": date(2024, 5, 2), "b": date(2024, 5, 1), "c": None, "y": date(2025, 1, 1), "z": date(2025, 1, 2)}
    articles = {id_: Article(id=id_, text="", published=day) for id_, day in days.items()}
    found = all_told([*links("ab", "bc", "ac", kind="copy"), *links("yz")], articles)
    assert [[article.id for article in story.articles] for story in found] == [["y", "z"], ["b", "a", "c"]]
    assert [each.kind for story in found for each in story.others] == ["event", "copy", "copy"]


def chosen(ranked: str, *, copies: Sequence[str] = (), repeated: str = "", k: int = 10, per_article: int = 2) -> str:
    """Passages are letters, their articles the letters' capitals: a and A... `ranked` has passages as "a1 b1"."""
    ids = ranked.split()
    copies_of = {pair[at]: {pair[1 - at]} for pair in copies for at in (0, 1)}
    kept = choose(
        ids,
        article_of={id_: id_[0] for id_ in ids},
        copies_of=copies_of,
        is_repeated=lambda id_, others: id_ in repeated.split() and bool(others),
        k=k,
        per_article=per_article,
    )
    return " ".join(kept)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ranked": "a1 a2 a3 b1"}, "a1 a2 b1"),
        ({"ranked": "a1 a2 a3 b1", "per_article": 3}, "a1 a2 a3 b1"),
        ({"ranked": "a1 a2 a3 b1", "k": 2}, "a1 a2"),
        ({"ranked": "a1 b1 c1", "copies": ["ab"], "repeated": "b1"}, "a1 c1"),
        ({"ranked": "a1 b2 c1", "copies": ["ab"], "repeated": ""}, "a1 b2 c1"),
        ({"ranked": "a1 b2 a3 b4 c1", "copies": ["ab"]}, "a1 b2 c1"),
        ({"ranked": "b1 c1 a1", "copies": ["ab"], "repeated": "a1"}, "b1 c1"),
        ({"ranked": ""}, ""),
    ],
    ids=["two of an article", "three", "k", "copy left out", "copy says more", "two of a text", "best stands", "none"],
)
def test_neither_an_article_nor_its_copies_crowd_out_others(given: dict[str, object], expected: str) -> None:
    assert chosen(**given) == expected  # type: ignore[arg-type]
