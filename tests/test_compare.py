"""Two runs against each other: intervals worked out by hand, changed questions, the gate and its baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.bootstrap import paired_difference, resampled_by
from eval.compare import compare
from eval.dataset import DatasetError, Question
from eval.gate import Gate, compare_with_baseline, read_baseline, verdict, write_baseline
from eval.report import run_to_dict, write_json
from eval.results import Results, read_results, results_from_dict
from eval.runner import Run, run
from tests.oracle import BOTH, DECLINED, SINGLE, Oracle
from ui.cli import main

ABOUT = {"dataset": {"name": "mine"}, "settings": {"retrieval.dense_weight": 0.7}, "archive": {"path": "/somewhere"}}


# ---- the bootstrap


def test_a_share_has_the_quantiles_of_its_binomial() -> None:
    # 25 of 100 questions lost and none won: what a resample loses is Binomial(100, 1/4), whose 2.5 % and 97.5 %
    # quantiles are 17 and 34 (P(X <= 16) = 0.021, P(X <= 33) = 0.972).
    found = paired_difference([-1.0] * 25 + [0.0] * 75)
    assert found.mean == -0.25
    assert found.n == 100
    assert found.interval.low == pytest.approx(-0.34, abs=0.011)
    assert found.interval.high == pytest.approx(-0.17, abs=0.011)
    assert found.is_worse


def test_a_mean_has_the_interval_of_its_standard_error() -> None:
    # 0, 1, ..., 99 over 100: mean 0.495, deviation 0.28866, standard error 0.028866; 1.96 of them is 0.0566.
    found = paired_difference([number / 100 for number in range(100)])
    assert found.mean == pytest.approx(0.495)
    assert found.interval.low == pytest.approx(0.495 - 0.0566, abs=0.003)
    assert found.interval.high == pytest.approx(0.495 + 0.0566, abs=0.003)


def test_the_same_differences_in_any_order_give_the_same_interval() -> None:
    differences = [0.5, -1.0, 0.0, 1 / 3, 1.0, -1 / 3]
    assert paired_difference(differences).interval == paired_difference(differences[::-1]).interval
    assert paired_difference(differences).interval == paired_difference(differences, groups=list("abcdef")).interval


def test_questions_of_one_group_are_drawn_together_and_widen_the_interval() -> None:
    differences = ([1.0] * 10 + [-1.0] * 10) * 20
    alone = paired_difference(differences).interval
    together = paired_difference(differences, groups=[str(n // 10) for n in range(400)]).interval
    # Standard errors: 1 / sqrt(400) of questions, 1 / sqrt(40) of groups that agree within.
    assert alone.high == pytest.approx(1.96 / 400**0.5, abs=0.01)
    assert together.high == pytest.approx(1.96 / 40**0.5, abs=0.02)


def test_what_did_not_change_has_an_interval_of_nothing() -> None:
    found = paired_difference([0.0] * 7)
    assert (found.mean, found.interval.low, found.interval.high) == (0.0, 0.0, 0.0)
    assert not found.is_worse
    assert not found.is_better


def test_no_difference_at_all_is_a_wrong_argument() -> None:
    with pytest.raises(ValueError, match="give at least one"):
        paired_difference([])
    with pytest.raises(ValueError, match="a group for each"):
        paired_difference([1.0], groups=[])


def test_whole_subjects_are_drawn_once_there_are_twenty() -> None:
    assert resampled_by([f"s{n}" for n in range(19)]) is None
    assert resampled_by([f"s{n % 20}" for n in range(40)]) == [f"s{n % 20}" for n in range(40)]
    assert resampled_by([""] * 50) is None


# ---- two runs


def asked(number: int, *, kind: str = "single", split: str = "test") -> Question:
    return replace(SINGLE, qid=f"q{number}", type=kind, split=split)


def content(right: str, *, questions: list[Question] | None = None, about: dict[str, Any] | None = None) -> Any:
    """A run as plain JSON types in which question n passes where the n-th character of `right` is "+"."""
    chosen = questions or [asked(number) for number in range(len(right))]
    records = [
        record
        for question, mark in zip(chosen, right, strict=True)
        for record in run(Oracle(BOTH if mark == "+" else DECLINED), [question]).records
    ]
    return run_to_dict(Run(records=tuple(records)), about=about or ABOUT)


def results(right: str, **options: Any) -> Results:
    return results_from_dict(content(right, **options), name=right)


def test_changed_questions_are_told_both_ways() -> None:
    found = compare(results("++--"), results("+-+-"))
    assert [change.qid for change in found.fixed] == ["q2"]
    assert [change.qid for change in found.broken] == ["q1"]
    assert found.fixed[0].before.startswith("Wrong: the archive knows the answer, but it was declined")
    assert found.fixed[0].after == "Right: the fact stands in a cited sentence: «12» in [1]."
    assert found.compared == 4


def test_each_measure_is_compared_over_the_questions_that_it_applies_to() -> None:
    lines = {line.name: line for line in compare(results("++--"), results("+++-")).measures}
    assert (lines["passed"].before, lines["passed"].after) == (0.5, 0.75)
    assert lines["passed"].difference.mean == 0.25
    # Nothing is cited in an answer that declines, so only the questions answered both times have a pair.
    assert lines["citation_validity"].difference.n == 2
    assert "contradiction" not in lines


def test_questions_that_are_not_the_same_are_left_out_and_counted() -> None:
    reworded = [asked(0), replace(asked(1), question="¿Cuántas víctimas hubo?"), asked(2), asked(9)]
    found = compare(results("++++-"), results("+---", questions=reworded))
    assert found.compared == 2
    assert found.left_out == (
        "2 questions only ++++- has",
        "1 questions only +--- has",
        "1 questions are worded or judged otherwise",
    )
    assert [change.qid for change in found.broken] == ["q2"]


def test_filing_a_question_elsewhere_does_not_make_it_another() -> None:
    assert asked(1).digest == asked(1, kind="several", split="dev").digest == asked(2).digest


def test_runs_of_different_sets_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"\+ \(mine\) and - \(mine\) have no question in common: compare two runs"):
        compare(results("+"), results("-", questions=[asked(7)]))


def test_settings_that_differ_are_named_and_places_are_not() -> None:
    other = {"dataset": {"name": "mine"}, "settings": {"retrieval.dense_weight": 0.5}, "archive": {"path": "/else"}}
    assert compare(results("+"), results("+", about=other)).differing == (
        ("settings.retrieval.dense_weight", "0.7", "0.5"),
    )


def write(path: Path, right: str) -> str:
    write_json(content(right), path)
    return str(path)


def test_the_command_compares_two_files_for_people_and_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [write(tmp_path / "a.json", "++++"), write(tmp_path / "b.json", "---+")]
    assert main(["eval", "compare", *files]) == 0
    shown = capsys.readouterr().out
    assert "4 questions compared, each with itself." in shown
    # Three of four lost: the resamples lose none of four in (1/4)^4 = 0.4 %, so the interval leaves zero out.
    line = next(line for line in shown.splitlines() if line.startswith("passed"))
    assert line.split() == ["passed", "4", "1.000", "0.250", "-0.750", "-1.000", "to", "-0.250", "*"]
    assert "Fixed: passed after, not before (0)" in shown
    assert (
        "q1 [single] ¿Cuántos heridos hubo?\n    before  Right: the fact stands in a cited sentence: «12» in [1]."
        in shown
    )
    assert main(["eval", "compare", *files, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["broken"] == ["q0", "q1", "q2"]
    assert told["measures"]["passed"] == {
        "n": 4,
        "drawn": "questions",
        "before": 1.0,
        "after": 0.25,
        "difference": -0.75,
        "low": -1.0,
        "high": -0.25,
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read"),
        ("{", "are not JSON"),
        ("[]", "are of form None, this version reads 2: run `eval run` again"),
        ('{"form": 1}', "are of form 1"),
        ('{"form": 2, "about": {}, "questions": [{}]}', r"are damaged \(KeyError\('qid'\)\)"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, text: str | None, complaint: str) -> None:
    file = tmp_path / "a.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=complaint):
        read_results(file)


# ---- the gate


def gate(before: str, after: str, *, questions: list[Question] | None = None) -> Gate:
    return compare_with_baseline(results(after, questions=questions), results(before, questions=questions))


@pytest.mark.parametrize(
    ("lost", "won", "is_open"),
    [(0, 0, True), (3, 0, True), (4, 0, False), (6, 6, True), (12, 3, False), (0, 9, True)],
)
def test_the_gate_closes_when_the_whole_interval_is_below_zero(lost: int, won: int, is_open: bool) -> None:
    # With k of 84 lost and none won, a resample loses nothing with probability (1 - k/84)^84: 4.7 % for 3, 1.7 % for 4.
    rest = 84 - lost - won
    found = gate("+" * lost + "-" * won + "+" * rest, "-" * lost + "+" * won + "+" * rest)
    assert found.is_open is is_open
    assert ("FAILED" in verdict(found)) is not is_open


def test_what_is_won_elsewhere_does_not_make_up_for_a_broken_type() -> None:
    questions = [asked(n, kind="time" if n < 8 else "single", split="dev" if n % 2 else "test") for n in range(84)]
    found = gate("+" * 8 + "-" * 10 + "+" * 66, "-" * 6 + "+" * 78, questions=questions)
    assert [line.name for line in found.worse] == ["type time"]
    assert not found.is_open
    shown = verdict(found)
    assert "FAILED, the whole interval is below zero for: type time" in shown
    assert "84 questions compared" in shown
    assert "  broken: q0, q1, q2, q3, q4, q5" in shown


def test_a_part_of_very_few_questions_is_not_judged_alone() -> None:
    questions = [asked(n, kind="time" if n < 3 else "single") for n in range(84)]
    found = gate("+" * 84, "-" * 3 + "+" * 81, questions=questions)
    assert [line.name for line in found.comparison.parts] == ["all", "split test", "type single"]
    assert found.is_open


def test_a_baseline_that_knows_no_question_is_an_error() -> None:
    with pytest.raises(DatasetError, match="knows none of the 1 questions asked: write it anew"):
        compare_with_baseline(results("+", questions=[asked(7)]), results("+"))


def test_a_baseline_is_read_as_it_was_written_and_names_no_place_or_time(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert read_baseline(path) is None
    timed = content("++-+", about={**ABOUT, "time": "2026-11-21T10:00:00+00:00"})
    write_baseline(timed, path)
    baseline = read_baseline(path)
    assert baseline is not None
    assert [result.passed for result in baseline.by_qid.values()] == [True, True, False, True]
    assert compare(baseline, results("++-+")).differing == ()
    written = path.read_text(encoding="utf-8")
    assert "/somewhere" not in written
    assert "2026" not in written
    assert sum('"qid"' in line for line in written.splitlines()) == 4


def test_a_damaged_baseline_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(DatasetError, match="a baseline is written anew with --update-baseline"):
        read_baseline(path)
