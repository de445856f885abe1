"""A run for people and programs: a table for the terminal, the questions that failed, and JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.dataset import DatasetError
from eval.results import FORM
from eval.runner import TOTAL, Record, Run, Summary, groups, record_to_dict, summarise
from eval.scoring import MEASURES, NO_SUPPORT, SUPPORT_NOT_FOUND

CELL = 8
LEGEND = """n counts the questions asked. A measure is the mean over those that it applies
to ("-": to none); below it stands its Wilson 95 % interval. Unanswerable
questions count in pass, rightly and valid only.
"""
# Two tables, so that a terminal of 80 columns shows them.
TABLES = (
    ("passed", "recall@5", "mrr@10", "ndcg@10", "exact_match", "f1"),
    (
        "sentence_hit",
        "nugget_hit",
        "citation_validity",
        "citation_precision",
        "contradiction",
        "wrong_refusal",
        "right_refusal",
    ),
)


def table(run: Run) -> str:
    """Return the measures by split and type as aligned text, each mean over its 95 % interval.

    "-" stands where a measure applied to no question; after each split, measures skipped for want of gold are counted.
    """
    blocks = [_split_table(split, by_type) for split, by_type in groups(run.records).items()]
    legend = "\n".join(f"  {measure.heading:<10}{measure.meaning}" for measure in MEASURES)
    return "\n\n".join([*blocks, LEGEND + legend])


def failures(run: Run, *, most: int = 80, limit: int = 100) -> str:
    """Return one paragraph for each question that did not pass: what was asked, wanted and answered.

    Args:
        run: The run.
        most: How many are shown; the others are counted.
        limit: How many characters of a text are shown.
    """
    failed = [record for record in run.records if not record.passed]
    blocks = []
    for record in failed[:most]:
        question, answer = record.question, record.answer
        wanted = " + ".join(accepted[0] for accepted in question.answers) or "(to decline)"
        told = answer.text if answer.status == "answered" else f"declined: {answer.reason}"
        blocks.append(
            f"{question.qid} [{question.type or '-'}] {_short(question.question, limit)}\n"
            f"    wanted  {_short(wanted, limit)}\n"
            f"    got     {_short(told, limit)}"
        )
    if len(failed) > most:
        blocks.append(f"and {len(failed) - most} more: --html FILE shows every question")
    return "\n".join(blocks)


def run_to_dict(run: Run, *, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as plain JSON types: `about` it, the summary by split and type, and every question's record.

    Args:
        run: The run.
        about: What the reader must know to compare it with another run: dataset, archive, settings, time.
    """
    return {
        "form": FORM,
        "about": dict(about),
        "measures": {measure.name: measure.meaning for measure in MEASURES},
        "summary": {
            split: {name: _group_to_dict(records) for name, records in by_type.items()}
            for split, by_type in groups(run.records).items()
        },
        "problems": list(run.problems),
        "questions": [record_to_dict(record) for record in run.records],
    }


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write a run as JSON, making the folders above it.

    Raises:
        DatasetError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as exc:
        raise DatasetError(f"results {path} cannot be written ({exc.strerror}): choose another --json FILE") from exc


def _split_table(split: str, by_type: Mapping[str, Sequence[Record]]) -> str:
    summaries = {name: summarise(records) for name, records in by_type.items()}
    seconds = {name: statistics.median(record.seconds for record in records) for name, records in by_type.items()}
    width = max(len(name) for name in by_type) + 1
    lines = [split]
    for number, names in enumerate(TABLES):
        measures = [measure for measure in MEASURES if measure.name in names]
        headings = [measure.heading for measure in measures] + (["seconds"] if number == 0 else [])
        lines.append(f"{'':<{width}}{'n':>4}{_cells(headings)}")
        for name, records in by_type.items():
            means = [_mean(summaries[name][measure.name]) for measure in measures]
            means += [f"{seconds[name]:.2f}"] if number == 0 else []
            lines.append(f"{name:<{width}}{len(records):>4}{_cells(means)}")
            bounds = _cells([_bounds(summaries[name][measure.name]) for measure in measures])
            lines.append(f"{'':<{width + 4}}{bounds}".rstrip())
        lines.append("")
    worst = max(record.seconds for records in by_type.values() for record in records)
    lines.append(f"seconds: the median of a question; the slowest took {worst:.2f}")
    return "\n".join(lines + _skipped(summaries[TOTAL]))


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"{text:>{CELL}}" for text in texts)


def _skipped(summaries: Mapping[str, Summary]) -> list[str]:
    return [
        f"skipped {measure.name}: {count} questions ({reason})"
        for measure in MEASURES
        for reason, count in summaries[measure.name].skipped.items()
        if reason in (NO_SUPPORT, SUPPORT_NOT_FOUND)
    ]


def _mean(summary: Summary) -> str:
    return "-" if summary.mean is None else f"{summary.mean:.2f}"


def _bounds(summary: Summary) -> str:
    if summary.interval is None:
        return ""
    return f"{_bound(summary.interval.low)}-{_bound(summary.interval.high)}"


def _bound(value: float) -> str:
    return "1" if value > 0.995 else f"{value:.2f}".removeprefix("0")


def _group_to_dict(records: Sequence[Record]) -> dict[str, Any]:
    return {
        "n": len(records),
        "seconds_median": round(statistics.median(record.seconds for record in records), 4),
        "measures": {name: asdict(summary) for name, summary in summarise(records).items()},
    }


def _short(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
