"""Why an answer counts as right or wrong, in words, over a double of an archive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eval.dataset import Question, Support
from rag.schema import Answer
from tests.oracle import BOTH, CONFLICT, DECLINED, FARO, RADIO, SINGLE, UNKNOWABLE, answered, cite, record


def why(question: Question, answer: Answer) -> list[str]:
    return list(record(question, answer).judgement.why)


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (
            SINGLE,
            answered(cite(FARO, "Hubo 12 heridos.", number=1)),
            "Right: the fact stands in a cited sentence: «12» in [1].",
        ),
        (
            CONFLICT,
            BOTH,
            "Right: each of the 2 facts stands in a cited sentence, the sides from different outlets: "
            "«12 heridos» in [1]; «21 heridos» in [2].",
        ),
        (
            CONFLICT,
            answered(cite(FARO, "Hubo 12 heridos.", number=1)),
            "Wrong: no cited sentence contains 1 of 2 facts: «21 heridos». Found: «12 heridos» in [1].",
        ),
        (
            SINGLE,
            replace(DECLINED, confidence=0.25),
            "Wrong: the archive knows the answer, but it was declined (probability that the archive answers: 0.25).",
        ),
        (
            UNKNOWABLE,
            DECLINED,
            "Right: nothing in the archive answers it, and it was declined "
            "(probability that the archive answers: 0.00).",
        ),
        (
            UNKNOWABLE,
            BOTH,
            "Wrong: nothing in the archive answers it, but it was answered "
            "(probability that the archive answers: 0.00).",
        ),
    ],
    ids=["fact", "two sides", "one side", "declined", "rightly declined", "answered all the same"],
)
def test_the_verdict_is_said_first(question: Question, answer: Answer, expected: str) -> None:
    assert why(question, answer)[0] == expected


def test_both_sides_from_one_outlet_are_named_as_the_fault() -> None:
    both = replace(FARO, text="Hubo 12 heridos, y no 21 heridos.")
    assert why(CONFLICT, answered(cite(both, both.text, number=1)))[0] == (
        "Wrong: the outlets disagree, and both sides are cited from the same one (El Faro): "
        "«12 heridos» in [1]; «21 heridos» in [1]."
    )


def test_a_missing_fact_is_traced_to_the_step_that_lost_it() -> None:
    beside = cite(FARO, "Llovió toda la noche.", number=1)
    assert why(SINGLE, answered(beside, hits=[RADIO, FARO]))[1] == (
        "«12» was lost in choosing sentences: the passage at rank 2 supports it."
    )
    assert why(SINGLE, answered(beside, hits=[RADIO]))[1] == (
        "«12» was lost in retrieval: none of the 1 passages found holds a sentence that supports it."
    )
    assert why(SINGLE, replace(DECLINED, hits=BOTH.hits))[1] == (
        "«12» was lost in deciding to decline: the passage at rank 1 supports it."
    )


def test_sentences_beside_the_point_and_broken_citations_are_remarked_on() -> None:
    beside = answered(cite(FARO, "Hubo 12 heridos.", number=1), cite(FARO, "Llovió toda la noche.", number=2))
    assert why(SINGLE, beside)[1].startswith("1 of 2 cited sentences are not among the supporting ones")
    assert why(SINGLE, replace(BOTH, text="Hubo 12 heridos. [1]"))[-1] == (
        "1 of 2 citations do not hold: number, place or words are wrong."
    )


def test_without_support_the_words_of_the_answer_are_looked_for() -> None:
    judged = record(replace(SINGLE, support=()), answered(cite(FARO, "Llovió toda la noche.", number=1))).judgement
    assert judged.hits == ("mentions", "")
    assert judged.why[1] == "«12» was lost in choosing sentences: the passage at rank 1 contains it."


def test_each_part_is_marked_as_supporting_mentioning_or_neither() -> None:
    # El Faro's sentence supports; the radio's has the words "heridos" only, and "21" is not "12".
    mentioning = replace(SINGLE, answers=(("heridos",),))
    judged = record(mentioning, BOTH).judgement
    assert judged.hits == ("supports", "mentions")
    assert judged.citations == ("supports", "mentions")
    assert judged.holds == (True, True)
    assert [(fact.rank, fact.cited) for fact in judged.facts] == [(1, (1, 2))]


def test_support_that_the_archive_lacks_is_said() -> None:
    lost = replace(SINGLE, support=(Support("p-99", "Hubo 12 heridos."),))
    assert why(lost, BOTH)[-1].startswith("The supporting sentences are not in this archive")
