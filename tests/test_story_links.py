"""The links of stories over a real database: found as articles come, gone as they go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rag.articles import Articles, Prepared, open_articles
from rag.interfaces import PassageVectors
from rag.schema import Article, Kinship, Passage, Sentence
from rag.story_links import StoryLinks
from rag.tables import text_hash

SYLLABLES = [first + vowel for first in "bcdfgl" for vowel in "aeiou"]
ROBBERY = " ".join(f"{syllable}museo {syllable}joya" for syllable in SYLLABLES)
STRIKE = " ".join(f"{syllable}puerto {syllable}huelga" for syllable in SYLLABLES)
SHORTENED = " ".join(ROBBERY.split()[:30])
# Most of the robbery's words in other runs, as another hand would write them.
REWRITTEN = " ".join(f"{syllable}joya y {syllable}museo" for syllable in SYLLABLES)
LINKED = [("agency", "copy", "copy")]


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Articles]:
    articles = open_articles(tmp_path)
    yield articles
    articles.close()


@pytest.fixture
def stories(truth: Articles) -> StoryLinks:
    return StoryLinks(truth.database)


def prepared(name: str, text: str, *, day: date | None = date(2024, 6, 19)) -> Prepared:
    article = Article(id=name, text=text, url=f"https://{name}.example", published=day, content_hash=text_hash(text))
    passage = Passage(f"{name}-0", name, 0, 0, len(text), text, "es", text, (Sentence(0, len(text), text),))
    return Prepared(article=article, passages=(passage,), place=name, source_hash=article.content_hash)


def put(truth: Articles, name: str, text: str, *, day: date | None = date(2024, 6, 19), alike: float = 0.0) -> None:
    """Keep an article of one passage, whose vector has the cosine `alike` with others' of 1; 0 gives it none."""
    item = prepared(name, text, day=day)
    truth.put([item])
    if alike:
        vector = np.array([alike, (1 - alike**2) ** 0.5], np.float32)
        truth.set_vectors([(item.passages[0], PassageVectors(vector, vector[None]))])


def found(stories: StoryLinks, *, by_vectors: bool = True) -> Sequence[tuple[str, str, Kinship]]:
    stories.catch_up(by_vectors=by_vectors)
    return [(link.one, link.other, link.kind) for link in stories.all()]


def test_copy_is_linked_and_nothing_else(truth: Articles, stories: StoryLinks) -> None:
    for name, text in (("agency", ROBBERY), ("other", STRIKE), ("copy", SHORTENED)):
        put(truth, name, text)
    assert found(stories) == LINKED
    assert [link.score for link in stories.all()] == [1.0]


def test_what_comes_later_finds_what_was_there(truth: Articles, stories: StoryLinks) -> None:
    put(truth, "agency", ROBBERY)
    assert found(stories) == []
    put(truth, "copy", SHORTENED)
    assert found(stories) == LINKED
    assert found(stories) == LINKED


@pytest.mark.parametrize(
    ("day", "alike", "by_vectors", "is_linked"),
    [
        (date(2024, 6, 20), 0.93, True, True),
        (date(2024, 6, 30), 0.93, True, False),
        (date(2024, 6, 20), 0.93, False, False),
        (date(2024, 6, 20), 0.0, True, False),
        (None, 0.93, True, False),
        (None, 0.96, True, True),
    ],
    ids=["next day", "eleven days later", "other model", "no vector yet", "no date", "no date, very alike"],
)
def test_same_event_by_another_hand_takes_vectors_and_days(
    truth: Articles, stories: StoryLinks, *, day: date | None, alike: float, by_vectors: bool, is_linked: bool
) -> None:
    put(truth, "agency", ROBBERY, alike=1.0)
    put(truth, "rewritten", REWRITTEN, day=day, alike=alike)
    assert found(stories, by_vectors=by_vectors) == ([("agency", "rewritten", "event")] if is_linked else [])


def test_alike_vectors_without_common_words_are_not_compared(truth: Articles, stories: StoryLinks) -> None:
    put(truth, "agency", ROBBERY, alike=1.0)
    put(truth, "other", STRIKE, alike=0.99)
    assert found(stories) == []


def test_event_is_found_when_its_vectors_come_after_the_links(truth: Articles, stories: StoryLinks) -> None:
    put(truth, "agency", ROBBERY, alike=1.0)
    put(truth, "rewritten", REWRITTEN)
    assert found(stories) == []
    [waiting] = truth.without_vectors(limit=9)
    vector = np.array([1.0, 0.0], np.float32)
    truth.set_vectors([(waiting, PassageVectors(vector, vector[None]))])
    assert found(stories) == [("agency", "rewritten", "event")]


def test_copy_that_is_very_alike_stays_a_copy(truth: Articles, stories: StoryLinks) -> None:
    put(truth, "agency", ROBBERY, alike=1.0)
    put(truth, "copy", SHORTENED, alike=0.99)
    assert found(stories) == LINKED


def test_deleted_article_has_no_links_even_before_they_follow(
    truth: Articles, stories: StoryLinks, tmp_path: Path
) -> None:
    put(truth, "agency", ROBBERY)
    put(truth, "copy", SHORTENED)
    assert found(stories) == LINKED
    truth.delete("copy")
    assert stories.all() == stories.of(["agency"]) == []
    truth.delete("agency")
    assert found(stories) == []
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        kept = [connection.execute(f"SELECT count(*) FROM story_{name}").fetchone() for name in KEPT]
    assert kept == [(0,)] * len(KEPT)


KEPT = ("articles", "marks", "links")


def test_changed_article_loses_its_links_and_finds_others(truth: Articles, stories: StoryLinks) -> None:
    for name, text in (("agency", ROBBERY), ("copy", SHORTENED), ("other", STRIKE)):
        put(truth, name, text)
    assert found(stories) == LINKED
    put(truth, "copy", STRIKE + " y algo más")
    assert stories.all() == []
    assert found(stories) == [("copy", "other", "copy")]


@pytest.mark.parametrize(
    "said", ["DROP TABLE story_{name}", "DELETE FROM meta WHERE key = 'stories'"], ids=["no tables", "no note"]
)
def test_archive_that_was_made_without_links_gets_them(truth: Articles, tmp_path: Path, said: str) -> None:
    put(truth, "agency", ROBBERY)
    put(truth, "copy", SHORTENED)
    assert found(StoryLinks(truth.database)) == LINKED
    truth.close()
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        for name in KEPT:
            connection.execute(said.format(name=name))
        connection.execute("DELETE FROM meta WHERE key = 'stories'")
        connection.commit()
    again = open_articles(tmp_path)
    assert found(StoryLinks(again.database)) == LINKED
    again.close()


def test_links_are_the_same_however_many_come_at_once(truth: Articles, stories: StoryLinks, tmp_path: Path) -> None:
    texts = {f"a{number}": f"{ROBBERY if number % 2 else STRIKE} {number}" for number in range(8)}
    for name, text in texts.items():
        put(truth, name, text)
        stories.catch_up(by_vectors=True)
    one_by_one = found(stories)
    stories.forget()
    assert found(stories) == one_by_one
    # Two stories of four articles: six pairs each.
    assert len(one_by_one) == 12


def test_more_outlets_than_a_list_holds_stay_one_story(truth: Articles, stories: StoryLinks) -> None:
    truth.put([prepared(f"outlet{number:02}", f"{ROBBERY} {number}") for number in range(70)])
    stories.catch_up(by_vectors=False)
    assert {id_ for link in stories.around("outlet69") for id_ in (link.one, link.other)} == {
        f"outlet{number:02}" for number in range(70)
    }
