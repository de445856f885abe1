"""The near misses, the pairs and the conversations keep what their description promises."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import pytest

from eval.dataset import GOLD, SAMPLE, Question
from eval.formats import read_questions
from eval.metrics import contains

NEAR_MISSES, CONVERSATIONS = GOLD.with_name("near_misses.jsonl"), GOLD.with_name("conversations.jsonl")
PAIRS = GOLD.with_name("pairs.jsonl")
FACT, TIME, PREMISE = "unanswerable-fact", "unanswerable-time", "unanswerable-premise"
KINDS_OF_TURN = {"ellipsis", "pronoun", "then", "change", "return", "language", "complete"}


@cache
def articles() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())}


@cache
def near_misses() -> tuple[Question, ...]:
    return read_questions(NEAR_MISSES).questions


@cache
def pairs() -> tuple[Question, ...]:
    return read_questions(PAIRS).questions


@cache
def turns() -> tuple[Question, ...]:
    return read_questions(CONVERSATIONS).questions


@cache
def gold() -> tuple[Question, ...]:
    return read_questions(GOLD).questions


def conversations() -> dict[str, list[Question]]:
    held: dict[str, list[Question]] = defaultdict(list)
    for turn in turns():
        held[turn.conversation].append(turn)
    return held


def test_no_qid_and_no_question_stands_twice_in_the_four_files() -> None:
    every = (*gold(), *near_misses(), *pairs(), *turns())
    assert len({question.qid for question in every}) == len(every)
    asked = [question.full or question.question for question in (*near_misses(), *pairs(), *turns())]
    asked += [question.question for question in gold() if not question.history]
    assert [text for text, count in Counter(text.casefold() for text in asked).items() if count > 1] == []


@pytest.mark.parametrize("questions", [near_misses, turns])
def test_a_subject_is_in_the_split_where_the_gold_questions_have_it(
    questions: Callable[[], tuple[Question, ...]],
) -> None:
    splits = {question.subject: question.split for question in gold() if question.subject != "none"}
    assert {(question.subject, question.split) for question in questions()} == set(splits.items())


def test_every_quote_stands_verbatim_and_once_in_its_article() -> None:
    for question in (*near_misses(), *pairs(), *turns()):
        for support in (*question.support, *question.contradicted_by):
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


def test_each_pair_is_an_answered_question_and_one_like_it_that_is_not() -> None:
    halves = {question.qid: question for question in pairs()}
    answered = [question for question in pairs() if question.answerable]
    assert len(answered) == 40 == len(halves) - len(answered)
    for question in answered:
        other = halves[question.qid.replace("-y-", "-z-")]
        assert (other.answerable, other.subject, other.language) == (False, question.subject, question.language)
        assert (bool(question.support), bool(other.support)) == (True, False), question.qid
        assert all(stated(accepted, question) for accepted in question.answers), question.qid


def test_there_are_twice_as_many_conversations_to_choose_by_as_to_report_of_two_to_four_turns() -> None:
    assert Counter(held[0].split for held in conversations().values()) == {"dev": 79, "test": 40}
    for name, held in conversations().items():
        assert len({turn.split for turn in held}) == 1, name
        assert [len(turn.history) for turn in held] == list(range(1, len(held) + 1)), name
        assert 1 <= len(held) <= 3, name


def test_every_turn_goes_on_from_the_one_before() -> None:
    for held in conversations().values():
        for before, after in pairwise(held):
            assert after.history[:-1] == before.history, after.qid
            assert after.history[-1].question == before.question, after.qid
            assert told(after.history[-1].answer, before), after.qid


def told(answer: str, question: Question) -> bool:
    """Tell whether an answer in a history holds what counts as right; of one without answers nothing is asked."""
    return all(
        any(contains(answer, wording, language=question.language) for wording in accepted)
        for accepted in question.answers
    )


def test_four_conversations_in_five_end_with_an_answer() -> None:
    ends = Counter((held[-1].split, held[-1].answerable) for held in conversations().values())
    assert ends == {("dev", True): 64, ("test", True): 32, ("dev", False): 15, ("test", False): 8}


def test_every_kind_of_turn_is_in_both_splits() -> None:
    kinds = {(turn.split, turn.type) for turn in turns()}
    assert kinds == {(split, kind) for split in ("dev", "test") for kind in KINDS_OF_TURN}


def test_a_turn_is_asked_in_full_too_and_only_a_complete_one_in_the_same_words() -> None:
    for turn in turns():
        assert turn.full, turn.qid
        assert (turn.full == turn.question) is (turn.type == "complete"), turn.qid


def test_every_fact_of_an_answerable_turn_stands_in_one_of_its_quotes() -> None:
    for turn in turns():
        assert turn.answerable is bool(turn.support), turn.qid
        for accepted in turn.answers:
            assert stated(accepted, turn), (turn.qid, accepted)


def stated(accepted: Sequence[str], turn: Question) -> bool:
    return any(
        contains(support.quote, wording, language=articles()[support.article]["language"])
        for support in turn.support
        for wording in accepted
    )


@pytest.mark.parametrize("questions", [near_misses, turns])
def test_about_one_in_seven_is_asked_in_another_language(questions: Callable[[], tuple[Question, ...]]) -> None:
    languages = Counter(question.language for question in questions())
    assert set(languages) == {"es", "en", "pt", "fr", "de"}
    assert 0.8 < languages["es"] / languages.total() < 0.9
