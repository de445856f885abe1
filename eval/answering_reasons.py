"""The reason that is said when a question is declined, beside the one that a reader of the articles would give."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from eval.dataset import GOLD, DatasetError
from eval.finding_report import Report, table
from eval.metrics import wilson
from rag.archive import Archive
from rag.response import why_unknown
from rag.schema import Turn

REASONS = GOLD.with_name("reasons.jsonl")
ABOUT = (
    "Questions to be declined: nothing on the subject, the subject but not this fact, or outside the days or outlets\n"
    "asked for. Across: the reason that is found, whether or not the question is declined; right is the share of\n"
    "those that are the right one, and of those right the same among the declined. 95 % intervals: Wilson's."
)
KINDS = ("nothing", "fact", "limits")


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with the right reason, the one that is found, and whether it was said: if not, it was answered."""

    qid: str
    split: str
    right: str
    found: str
    is_said: bool


def measure(archive: Archive, *, splits: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Report:
    """Return the report of the shipped questions; the archive holds the sample articles.

    Raises:
        DatasetError: The file cannot be read.
    """
    try:
        rows = [json.loads(line) for line in REASONS.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as exc:
        raise DatasetError(f"{REASONS} cannot be read ({exc}): take it from the repository again") from exc
    chosen = [row for row in rows if row["split"] in splits]
    found = []
    for done, row in enumerate(chosen, start=1):
        found.append(judged(archive, row))
        if progress:
            progress(done, len(chosen))
    return reason_report(found, splits=splits)


def judged(archive: Archive, row: Mapping[str, Any]) -> Judged:
    """Return the reason that is found for declining a question, and whether it is declined."""
    limits: dict[str, Any] = {
        "history": [Turn(turn["question"], turn["answer"]) for turn in row["history"]],
        "since": date.fromisoformat(row["since"]) if row["since"] else None,
        "until": date.fromisoformat(row["until"]) if row["until"] else None,
        "outlets": row["outlets"],
    }
    return Judged(
        qid=row["qid"],
        split=row["split"],
        right=row["reason"],
        found=why_unknown(archive.consult(row["question"], **limits)),
        is_said=archive.ask(row["question"], **limits).status == "unknown",
    )


def reason_report(found: Sequence[Judged], *, splits: Sequence[str]) -> Report:
    """Return a table of each split: the right reasons down, those that were found across."""
    tables, content = [], {}
    for split in splits:
        held = [item for item in found if item.split == split]
        across = list(dict.fromkeys([*KINDS, *(item.found for item in held)]))
        groups = {kind: [item for item in held if item.right == kind] for kind in KINDS} | {"all": held}
        lines = [_line(name, group, across=across) for name, group in groups.items()]
        heads = [split, "n", *across, "right", "declined", "of those right"]
        tables.append(table(heads, lines))
        content[split] = {
            "n": len(held),
            "right": sum(item.found == item.right for item in held),
            "declined": sum(item.is_said for item in held),
            "said_rightly": sum(item.is_said and item.found == item.right for item in held),
            "wrong": {item.qid: item.found for item in held if item.found != item.right},
        }
    return Report("reasons", ABOUT, tuple(tables), (), content)


def _line(name: str, group: Sequence[Judged], *, across: Sequence[str]) -> list[str]:
    counts = Counter(item.found for item in group)
    declined = [item for item in group if item.is_said]
    return [
        name,
        str(len(group)),
        *(str(counts[kind]) for kind in across),
        _share(sum(item.found == item.right for item in group), len(group)),
        str(len(declined)),
        _share(sum(item.found == item.right for item in declined), len(declined)),
    ]


def _share(right: int, n: int) -> str:
    if not n:
        return "-"
    interval = wilson(right / n, n)
    return f"{right / n:.3f} ({interval.low:.3f}-{interval.high:.3f})"
