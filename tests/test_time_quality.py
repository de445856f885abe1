"""How outcomes are counted, and floors below which the shipped gold must not fall."""

from __future__ import annotations

from typing import Any

import pytest

from eval.time_quality import Tally, judge_question, judge_sentence, measure, time_report

EXPRESSION = {"words": "este miércoles", "start": 7, "accepted": [["2024-06-19", "2024-06-19"]]}
SENTENCE: dict[str, Any] = {
    "language": "es", "published": "2024-06-19", "text": "Firmó, este miércoles.", "expressions": [EXPRESSION],
}  # fmt: skip
NOTHING: dict[str, Any] = {"since": None, "until": None, "outlets": []}
JUNE_BY_EFE: dict[str, Any] = {"since": "2024-06-01", "until": "2024-06-30", "outlets": ["EFE"]}
QUESTION: dict[str, Any] = {
    "question": "¿Qué publicó EFE en junio de 2024?", "today": "2024-12-01", "outlets": ["EFE"],
    "expected": JUNE_BY_EFE,
}  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (SENTENCE, (["right"], 0)),
        (SENTENCE | {"expressions": [EXPRESSION | {"accepted": [["2024-06-12", "2024-06-12"]]}]}, (["wrong"], 0)),
        (SENTENCE | {"expressions": [EXPRESSION | {"accepted": []}]}, (["wrong"], 0)),
        (SENTENCE | {"expressions": []}, ([], 1)),
        (SENTENCE | {"published": None}, (["unresolved"], 0)),
        (SENTENCE | {"published": None, "expressions": [EXPRESSION | {"optional": True}]}, (["right"], 0)),
        (SENTENCE | {"published": None, "expressions": [EXPRESSION | {"accepted": []}]}, (["right"], 0)),
    ],
    ids=["right", "other days", "days where none are", "elsewhere", "unresolved", "may stay", "must stay"],
)
def test_an_expression_is_right_unresolved_or_wrong(sentence: dict[str, Any], expected: tuple[list[str], int]) -> None:
    assert judge_sentence(sentence) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "right"),
        ({"expected": NOTHING, "also": [JUNE_BY_EFE]}, "right"),
        ({"expected": NOTHING}, "wrong"),
        ({"expected": JUNE_BY_EFE | {"until": "2024-06-15"}}, "wrong"),
        ({"question": "¿Quién dirige EFE?"}, "unresolved"),
        ({"question": "¿Qué pasó en junio de 2024?"}, "unresolved"),
        ({"question": "¿Qué pasó en junio de 2024?", "expected": NOTHING | {"outlets": ["EFE"]}}, "wrong"),
    ],
)
def test_a_question_is_right_unresolved_or_wrong(changed: dict[str, Any], expected: str) -> None:
    assert judge_question(QUESTION | changed) == expected


def test_a_tally_counts_what_misleads() -> None:
    tally = Tally(right=18, unresolved=1, wrong=1, elsewhere=2)
    assert (tally.n, tally.share_right, tally.in_silence) == (20, 0.9, 3)
    # Wilson's interval of 18 in 20.
    assert tally.text() == "0.900 (0.699-0.972)"
    assert Tally(0, 0, 0).text() == "-"


def test_shipped_gold_is_understood_as_well_as_before() -> None:
    quality = measure()
    floors = {"dev": (0.98, 0), "test": (0.96, 1)}
    for split, (least, most) in floors.items():
        tally = quality.expressions[split]["all"]
        assert tally.share_right >= least, f"{split}: {tally.text()}"
        assert tally.in_silence <= most, f"{split}: {tally}"
        questions = quality.questions[split]
        assert questions.share_right >= 0.95, f"{split} questions: {questions.text()}"
        assert questions.in_silence == 0, f"{split} questions: {questions}"


def test_the_report_has_numbers_and_targets() -> None:
    report = time_report(measure(("dev",)))
    assert report.to_dict()["dev"]["all"]["n"] == 95
    assert [target.wanted for target in report.targets] == [
        "expressions of dev: 95% right",
        "expressions of dev: none wrong in silence",
        "questions of dev: 95% right",
        "questions of dev: none wrong in silence",
    ]
    assert "dev questions" in report.text()
