"""The sample articles and the gold questions keep what they promise."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from typing import Any

from eval.dataset import GOLD, SAMPLE, Question
from eval.formats import read_questions
from eval.metrics import contains

SPLIT_OF_SUBJECT = {
    "tratado": "dev",
    "desaladora": "dev",
    "museo": "dev",
    "club": "dev",
    "tren": "test",
    "puerto": "test",
    "volcan": "test",
    "vacuna": "test",
}
TYPES = {"single", "several", "time", "cross", "contradiction", "follow-up", "unanswerable-near", "unanswerable-far"}


@cache
def articles() -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


@cache
def questions() -> tuple[Question, ...]:
    return read_questions(GOLD).questions


def test_there_are_as_many_articles_as_promised_in_seven_languages() -> None:
    languages = Counter(article["language"] for article in articles().values())
    assert len(articles()) >= 30
    assert set(languages) == {"es", "en", "pt", "fr", "de", "ru", "zh"}
    assert languages["es"] >= 30


def test_articles_are_invented_composed_text_with_addresses_of_their_own() -> None:
    urls = [article["url"] for article in articles().values()]
    assert len(set(urls)) == len(urls)
    for article in articles().values():
        assert ".example/" in article["url"]
        assert unicodedata.is_normalized("NFC", article["text"])


def test_there_are_as_many_questions_as_promised_of_every_type_in_both_splits() -> None:
    types = Counter((question.split, question.type) for question in questions())
    assert len({question.qid for question in questions()}) == len(questions()) >= 120
    assert {question.type for question in questions()} == TYPES
    assert all(types[split, kind] >= 3 for split in ("dev", "test") for kind in TYPES)


def test_both_splits_have_the_same_number_of_questions() -> None:
    splits = Counter(question.split for question in questions())
    assert splits["dev"] == splits["test"]


def test_a_subject_belongs_to_one_split_and_there_are_eight() -> None:
    splits = defaultdict(set)
    for question in questions():
        if question.type != "unanswerable-far":
            splits[question.subject].add(question.split)
    assert splits == {subject: {split} for subject, split in SPLIT_OF_SUBJECT.items()}


def test_every_subject_has_near_unanswerables_and_a_follow_up() -> None:
    types = Counter((question.subject, question.type) for question in questions())
    for subject in SPLIT_OF_SUBJECT:
        assert types[subject, "unanswerable-near"] >= 3, subject
        assert types[subject, "follow-up"] >= 1, subject


def test_no_article_supports_questions_of_both_splits() -> None:
    splits = defaultdict(set)
    for question in questions():
        for support in question.support:
            splits[support.article].add(question.split)
    assert all(len(found) == 1 for found in splits.values())


def test_every_quote_stands_verbatim_and_once_in_its_article() -> None:
    for question in questions():
        for support in question.support:
            assert articles()[support.article]["text"].count(support.quote) == 1, (question.qid, support)


def test_every_fact_stands_in_one_of_the_questions_quotes() -> None:
    for question in questions():
        for accepted in question.answers:
            assert any(
                contains(support.quote, answer, language=articles()[support.article]["language"])
                for support in question.support
                for answer in accepted
            ), (question.qid, accepted)


def test_answerable_questions_have_support_and_the_others_none() -> None:
    for question in questions():
        assert bool(question.support) is question.answerable, question.qid
        assert question.answerable is not question.type.startswith("unanswerable"), question.qid


def test_the_two_sides_of_a_contradiction_come_from_different_outlets() -> None:
    for question in questions():
        if question.type == "contradiction":
            outlets = {articles()[support.article]["outlet"] for support in question.support}
            assert len(question.answers) == len(outlets) == 2, question.qid


def test_follow_ups_have_a_history_and_each_split_has_one_of_two_turns() -> None:
    turns = defaultdict(set)
    for question in questions():
        if question.type == "follow-up":
            turns[question.split].add(len(question.history))
    assert turns == {"dev": {1, 2}, "test": {1, 2}}


def test_questions_across_languages_go_both_ways_in_both_splits() -> None:
    ways = set()
    for question in questions():
        if question.type == "cross":
            languages = {articles()[support.article]["language"] for support in question.support}
            assert question.language not in languages, question.qid
            ways.add((question.split, question.language == "es"))
    assert len(ways) == 4


def test_filters_leave_the_support_in() -> None:
    for question in questions():
        for support in question.support:
            article = articles()[support.article]
            day = article["published"][:10]
            assert question.since is None or question.since.isoformat() <= day, question.qid
            assert question.until is None or day <= question.until.isoformat(), question.qid
            assert not question.outlets or article["outlet"] in question.outlets, question.qid
