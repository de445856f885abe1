"""The near misses keep what their description promises."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

from eval.dataset import GOLD, SAMPLE, Question
from eval.formats import read_questions

NEAR_MISSES = GOLD.with_name("near_misses.jsonl")
FACT, TIME, PREMISE = "unanswerable-fact", "unanswerable-time", "unanswerable-premise"


@cache
def articles() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())}


@cache
def near_misses() -> tuple[Question, ...]:
    return read_questions(NEAR_MISSES).questions


@cache
def gold() -> tuple[Question, ...]:
    return read_questions(GOLD).questions


def test_no_qid_and_no_question_stands_twice_in_both_files() -> None:
    every = (*gold(), *near_misses())
    assert len({question.qid for question in every}) == len(every)
    asked = [question.question for question in near_misses()]
    asked += [question.question for question in gold() if not question.history]
    assert [text for text, count in Counter(text.casefold() for text in asked).items() if count > 1] == []


def test_a_subject_is_in_the_split_where_the_gold_questions_have_it() -> None:
    splits = {question.subject: question.split for question in gold() if question.subject != "none"}
    assert {(question.subject, question.split) for question in near_misses()} == set(splits.items())


def test_every_quote_stands_verbatim_and_once_in_its_article() -> None:
    for question in near_misses():
        for support in question.contradicted_by:
            assert articles()[support.article]["text"].count(support.quote) == 1, (question.qid, support)


def test_there_are_ten_near_misses_of_each_kind_in_each_split() -> None:
    kinds = Counter((question.split, question.type) for question in near_misses())
    assert kinds == {(split, kind): 10 for split in ("dev", "test") for kind in (FACT, TIME, PREMISE)}


def test_no_near_miss_has_an_answer_and_those_with_a_false_premise_say_what_denies_it() -> None:
    for question in near_misses():
        assert not question.answerable, question.qid
        assert not question.support, question.qid
        assert not question.history, question.qid
        assert bool(question.contradicted_by) is (question.type == PREMISE), question.qid


def test_about_one_in_seven_is_asked_in_another_language() -> None:
    languages = Counter(question.language for question in near_misses())
    assert set(languages) == {"es", "en", "pt", "fr", "de"}
    assert 0.8 < languages["es"] / languages.total() < 0.9
