"""The committed baseline: how every gold question fared, and whether a run fell below it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.compare import Comparison, Line, compare, comparison_to_dict, lines_text, method_text
from eval.dataset import DatasetError
from eval.results import FORM, Results, read_results

BASELINE = Path(__file__).with_name("data") / "baseline.json"
NOTE = (
    "How every question of gold.jsonl fared, written by `hemeroteca eval run --update-baseline`. A run fails when the "
    '95 % interval of the paired difference of "passed" lies wholly below zero: over all questions, a split or a type.'
)
_KEPT = ("qid", "digest", "split", "subject", "type", "passed", "scores")


@dataclass(frozen=True, slots=True)
class Gate:
    """A run against the baseline, and the parts of the questions over which it is worse."""

    comparison: Comparison

    @property
    def worse(self) -> tuple[Line, ...]:
        """The parts whose whole interval lies below zero: what is won elsewhere does not make up for them."""
        return tuple(line for line in self.comparison.parts if line.difference.is_worse)

    @property
    def is_open(self) -> bool:
        """Whether no part is worse."""
        return not self.worse

    def to_dict(self) -> dict[str, Any]:
        """Return the gate as plain JSON types."""
        return {
            "is_open": self.is_open,
            "worse": [line.name for line in self.worse],
            "comparison": comparison_to_dict(self.comparison),
        }


def compare_with_baseline(results: Results, baseline: Results) -> Gate:
    """Return how a run compares over the questions that the baseline knows with the same wording and answers.

    Raises:
        DatasetError: It knows none of them.
    """
    try:
        return Gate(compare(baseline, results))
    except DatasetError as exc:
        raise DatasetError(
            f"baseline {baseline.name} knows none of the {len(results.by_qid)} questions asked: write it anew with "
            "--update-baseline, or leave it out with --no-gate"
        ) from exc


def read_baseline(path: Path = BASELINE) -> Results | None:
    """Return the baseline's results; None when there is no baseline yet.

    Raises:
        DatasetError: The file is not a baseline.
    """
    if not path.exists():
        return None
    try:
        return replace(read_results(path), name=path.name)
    except DatasetError as exc:
        raise DatasetError(f"{exc}; a baseline is written anew with --update-baseline") from exc


def write_baseline(content: Mapping[str, Any], path: Path = BASELINE) -> None:
    """Write what is compared of a run, one question a line so that a change shows in a diff.

    Nothing in it depends on the machine or the time: the same answers give the same file.

    Args:
        content: The run as `eval.report.run_to_dict` gives it.
        path: Where to.
    """
    about = {key: value for key, value in content["about"].items() if key in ("dataset", "settings")}
    archive = content["about"].get("archive", {})
    about["archive"] = {key: value for key, value in archive.items() if key != "path"}
    head = json.dumps({"form": FORM, "note": NOTE, "about": about}, ensure_ascii=False, indent=1)
    rows = ",\n".join(
        "  " + json.dumps({key: row[key] for key in _KEPT}, ensure_ascii=False) for row in content["questions"]
    )
    path.write_text(head.removesuffix("\n}") + f',\n "questions": [\n{rows}\n ]\n}}\n', encoding="utf-8")


def verdict(gate: Gate) -> str:
    """Return the gate's outcome: what was compared and how, each part, what changed."""
    comparison = gate.comparison
    changed = [
        f"  {name}: {', '.join(change.qid for change in changes)}"
        for name, changes in (("fixed", comparison.fixed), ("broken", comparison.broken))
        if changes
    ]
    worse = ", ".join(line.name for line in gate.worse)
    outcome = f"FAILED, the whole interval is below zero for: {worse}" if worse else "ok, no interval is below zero"
    return "\n".join(
        [
            f"Against the baseline ({comparison.before}): {outcome}",
            method_text(comparison),
            lines_text("passed", comparison.parts),
            *changed,
        ]
    )
