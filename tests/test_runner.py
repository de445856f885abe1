"""Runs over a small double of an archive whose answers are worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from eval.dataset import Question, Support
from eval.report import failures, run_to_dict, table, write_json
from eval.runner import groups, run, summarise
from eval.scoring import MEASURES
from rag.schema import Answer, Article, Turn
from tests.oracle import (
    BOTH,
    CONFLICT,
    DECLINED,
    FARO,
    RADIO,
    SINGLE,
    UNKNOWABLE,
    Oracle,
    answered,
    cite,
    passage,
    record,
)


def value(question: Question, answer: Answer, measure: str) -> float | None:
    return record(question, answer).scores[measure].value


def test_history_and_filters_reach_the_archive() -> None:
    oracle = Oracle(BOTH)
    day = date(2024, 1, 24)
    turn = Turn("¿Hubo huelga?", "Sí.")
    run(oracle, [replace(SINGLE, history=(turn,), since=day, until=day, outlets=("Radio",))])
    assert oracle.asked == [("¿Cuántos heridos hubo?", (turn,), day, day, ("Radio",))]


def test_a_whole_answer_has_every_measure() -> None:
    scores = {name: score.value for name, score in record(CONFLICT, BOTH).scores.items()}
    assert scores == {
        "passed": 1.0,
        "recall@5": 1.0,
        "mrr@10": 1.0,
        "ndcg@10": 1.0,
        "exact_match": 0.0,
        # hubo 12 heridos hubo 21 heridos against 12 heridos 21 heridos: precision 4/6, recall 1.
        "f1": pytest.approx(0.8),
        "sentence_hit": 1.0,
        "nugget_hit": 1.0,
        "citation_validity": 1.0,
        "citation_precision": 1.0,
        "contradiction": 1.0,
        "wrong_refusal": 0.0,
        "right_refusal": None,
    }
    assert list(scores) == [measure.name for measure in MEASURES]


def test_one_side_of_a_contradiction_is_a_hit_but_not_a_pass() -> None:
    one_side = answered(cite(FARO, "Hubo 12 heridos.", number=1), hits=[FARO])
    assert value(CONFLICT, one_side, "sentence_hit") == 1.0
    assert value(CONFLICT, one_side, "nugget_hit") == 0.5
    assert value(CONFLICT, one_side, "recall@5") == 0.5
    assert value(CONFLICT, one_side, "contradiction") == 0.0
    assert value(CONFLICT, one_side, "passed") == 0.0


def test_both_sides_out_of_one_outlet_are_no_contradiction_shown() -> None:
    both = Article(id="f", text="Hubo 12 heridos, y no 21 heridos.", outlet="El Faro", language="es")
    assert value(CONFLICT, answered(cite(both, both.text, number=1)), "contradiction") == 0.0


def test_a_sentence_beside_the_point_costs_citation_precision_only() -> None:
    answer = answered(cite(FARO, "Hubo 12 heridos.", number=1), cite(FARO, "Llovió toda la noche.", number=2))
    assert value(SINGLE, answer, "citation_precision") == 0.5
    assert value(SINGLE, answer, "citation_validity") == 1.0
    assert value(SINGLE, answer, "passed") == 1.0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (replace(BOTH, text=BOTH.text + " Y más [7]."), 2 / 3),
        (replace(BOTH, text="Hubo 12 heridos. [1]"), 1 / 2),
        (answered(cite(replace(FARO, text="¡Otro! Hubo 12 heridos."), "Hubo 12 heridos.", number=1)), 0.0),
        (answered(replace(cite(FARO, "Hubo 12 heridos.", number=1), passage=passage(RADIO))), 0.0),
        (answered(replace(cite(FARO, "Hubo 12 heridos.", number=1), end=0)), 0.0),
        (DECLINED, None),
    ],
    ids=["marker without citation", "citation without marker", "other words", "other passage", "empty", "none"],
)
def test_a_citation_holds_only_if_number_place_and_words_are_right(answer: Answer, expected: float | None) -> None:
    assert value(CONFLICT, answer, "citation_validity") == (None if expected is None else pytest.approx(expected))


def test_declining_is_wrong_when_the_archive_knows() -> None:
    assert value(SINGLE, DECLINED, "wrong_refusal") == 1.0
    assert value(SINGLE, DECLINED, "f1") == 0.0
    assert value(SINGLE, DECLINED, "sentence_hit") == 0.0
    assert value(SINGLE, DECLINED, "passed") == 0.0


def test_declining_is_right_when_it_does_not_and_nothing_else_is_measured() -> None:
    scores = record(UNKNOWABLE, DECLINED).scores
    assert {name for name, score in scores.items() if score.value is not None} == {"right_refusal", "passed"}
    assert scores["right_refusal"].value == scores["passed"].value == 1.0
    assert value(UNKNOWABLE, BOTH, "right_refusal") == value(UNKNOWABLE, BOTH, "passed") == 0.0


def test_without_support_the_passage_measures_are_skipped_and_counted() -> None:
    mine = replace(SINGLE, support=())
    summary = summarise(run(Oracle(BOTH), [mine, SINGLE]).records)["recall@5"]
    assert (summary.mean, summary.n, summary.skipped) == (1.0, 1, {"no support given": 1})


def test_support_that_the_archive_does_not_hold_is_a_problem_and_skipped() -> None:
    result = run(Oracle(BOTH), [replace(SINGLE, support=(Support("p-99", "Hubo 12 heridos."),))])
    assert result.problems == ('s1: no article of the archive is called "p-99"',)
    assert result.records[0].scores["mrr@10"].reason == "support not in the archive"


def test_progress_is_told_after_each_question() -> None:
    told: list[tuple[int, int]] = []
    run(Oracle(BOTH), [SINGLE, CONFLICT], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_records_are_grouped_by_split_and_type_with_a_total() -> None:
    mine = Question(qid="m1", question="q", answers=(("12",),))
    found = groups(run(Oracle(BOTH), [SINGLE, mine, UNKNOWABLE]).records)
    assert {split: {name: len(records) for name, records in types.items()} for split, types in found.items()} == {
        "test": {"single": 1, "unanswerable-near": 1, "total": 2},
        "all": {"total": 3},
    }


def test_questions_without_any_split_have_their_types_under_all() -> None:
    found = groups(run(Oracle(BOTH), [replace(SINGLE, split=""), replace(UNKNOWABLE, split="")]).records)
    assert {split: list(types) for split, types in found.items()} == {"all": ["single", "unanswerable-near", "total"]}


def test_the_table_gives_means_over_intervals_and_the_number_of_questions() -> None:
    lines = table(run(Oracle(BOTH), [SINGLE, replace(UNKNOWABLE, split="dev")])).splitlines()
    single = next(line for line in lines if line.startswith("single"))
    assert single.split()[:5] == ["single", "1", "1.00", "1.00", "1.00"]
    # Wilson for 1 of 1: from 1 / (1 + 1.96^2) = 0.21 to 1.
    assert lines[lines.index(single) + 1].split()[:2] == [".21-1", ".21-1"]
    assert lines[0] == "test"
    assert "dev" in lines


def test_failures_say_what_was_wanted_and_what_came() -> None:
    text = failures(run(Oracle(DECLINED), [SINGLE, UNKNOWABLE]))
    assert "s1 [single] ¿Cuántos heridos hubo?" in text
    assert "wanted  12" in text
    assert "got     declined: El archivo no lo sabe." in text
    assert "n1" not in text


def test_a_run_is_written_as_json_that_can_be_read_back(tmp_path: Path) -> None:
    result = run(Oracle(BOTH), [SINGLE, UNKNOWABLE])
    write_json(run_to_dict(result, about={"dataset": "mine"}), tmp_path / "new" / "latest.json")
    content = json.loads((tmp_path / "new" / "latest.json").read_text(encoding="utf-8"))
    assert content["about"] == {"dataset": "mine"}
    assert [question["passed"] for question in content["questions"]] == [True, False]
    assert content["questions"][0]["answer"]["statements"][0]["citations"][0]["quote"] == "Hubo 12 heridos."
    assert content["questions"][0]["skipped"] == {
        "contradiction": "no contradiction",
        "right_refusal": "answerable",
    }
    assert content["summary"]["test"]["total"]["measures"]["passed"]["mean"] == 0.5
