"""The committed baseline: which gold questions passed, and whether a run fell below it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import DatasetError
from eval.runner import Run

BASELINE = Path(__file__).with_name("data") / "baseline.json"
ALLOWED = 2
NOTE = (
    "Which questions of gold.jsonl pass, written by `hemeroteca eval run --update-baseline`. "
    f"A run fails when more than {ALLOWED} questions that are true here do not pass."
)


@dataclass(frozen=True, slots=True)
class Gate:
    """How a run compares with the baseline, as qids; `lost` passed then and not now, `won` the other way round."""

    lost: tuple[str, ...]
    won: tuple[str, ...]
    compared: int
    allowed: int = ALLOWED

    @property
    def is_open(self) -> bool:
        """Whether no more questions were lost than allowed."""
        return len(self.lost) <= self.allowed


def compare_with_baseline(run: Run, baseline: Mapping[str, bool]) -> Gate:
    """Return what was lost and won; questions that only one of the two knows are left out."""
    now = {record.question.qid: record.passed for record in run.records if record.question.qid in baseline}
    return Gate(
        lost=tuple(qid for qid, passed in now.items() if baseline[qid] and not passed),
        won=tuple(qid for qid, passed in now.items() if passed and not baseline[qid]),
        compared=len(now),
    )


def read_baseline(path: Path = BASELINE) -> dict[str, bool] | None:
    """Return whether each question passed, by qid; None when there is no baseline yet.

    Raises:
        DatasetError: The file is not a baseline.
    """
    if not path.exists():
        return None
    try:
        passed = json.loads(path.read_text(encoding="utf-8"))["passed"]
        return {str(qid): bool(value) for qid, value in passed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise DatasetError(f"baseline {path} cannot be read ({exc!r}): write it anew with --update-baseline") from exc


def write_baseline(run: Run, path: Path = BASELINE) -> None:
    """Write which questions of the run passed, one a line so that a change shows in a diff."""
    splits = sorted({record.question.split for record in run.records})
    totals = {
        split or "all": {
            "passed": sum(record.passed for record in run.records if record.question.split == split),
            "questions": sum(record.question.split == split for record in run.records),
        }
        for split in splits
    }
    passed = {record.question.qid: record.passed for record in run.records}
    content = {"note": NOTE, "totals": totals, "passed": passed}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
