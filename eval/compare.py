"""Two runs over the same questions: what differs, how sure that is, and which questions changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.bootstrap import ENOUGH_SUBJECTS, RESAMPLES, SEED, Difference, paired_difference, resampled_by
from eval.dataset import DatasetError
from eval.results import Result, Results
from eval.scoring import MEASURES

MAIN = "passed"
# Small by design: a part that lost all of so few questions may have lost them by chance.
SMALLEST_PART = 4
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One measure, or one part of the questions: both means and their paired difference.

    `by_subject` tells whether the bootstrap drew whole subjects, not single questions.
    """

    name: str
    before: float
    after: float
    difference: Difference
    by_subject: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A question that passed in one of the two runs only, with the verdict of both, where the results tell it."""

    qid: str
    type: str
    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run `after` against run `before`, over the questions that both asked alike.

    `measures` have one line each; `parts` are the measure "passed" over all questions, each split and each type;
    `fixed` passed only after, `broken` only before. `differing` names settings and the like with both values;
    `left_out` are sentences on questions that were not compared.
    """

    before: str
    after: str
    compared: int
    measures: tuple[Line, ...]
    parts: tuple[Line, ...]
    fixed: tuple[Change, ...]
    broken: tuple[Change, ...]
    differing: tuple[tuple[str, str, str], ...]
    left_out: tuple[str, ...]


def compare(before: Results, after: Results) -> Comparison:
    """Return what changed from one run to another.

    Questions are the same when qid, wording, filters and expected answers are; the others are left out and told.

    Raises:
        DatasetError: The two have no question in common.
    """
    pairs = [
        (before.by_qid[qid], result)
        for qid, result in after.by_qid.items()
        if qid in before.by_qid and before.by_qid[qid].digest == result.digest
    ]
    if not pairs:
        raise DatasetError(
            f"{before.name} ({_set_name(before)}) and {after.name} ({_set_name(after)}) have no question in common: "
            "compare two runs of the same set"
        )
    parts = (_line(name, chosen, MAIN) for name, chosen in _parts(pairs))
    measures = (_line(measure.name, pairs, measure.name) for measure in MEASURES)
    return Comparison(
        before=before.name,
        after=after.name,
        compared=len(pairs),
        measures=tuple(line for line in measures if line),
        parts=tuple(line for line in parts if line),
        fixed=tuple(_change(old, new) for old, new in pairs if new.passed and not old.passed),
        broken=tuple(_change(old, new) for old, new in pairs if old.passed and not new.passed),
        differing=_differing(before.about, after.about),
        left_out=tuple(_left_out(before, after)),
    )


def _parts(pairs: Sequence[tuple[Result, Result]]) -> list[tuple[str, list[tuple[Result, Result]]]]:
    found = {"all": list(pairs)}
    for heading, field in (("split", "split"), ("type", "type")):
        for pair in pairs:
            if value := getattr(pair[1], field):
                found.setdefault(f"{heading} {value}", []).append(pair)
    return [(name, chosen) for name, chosen in found.items() if name == "all" or len(chosen) >= SMALLEST_PART]


def _line(name: str, pairs: Sequence[tuple[Result, Result]], measure: str) -> Line | None:
    values = [
        (was, now, new.subject)
        for old, new in pairs
        if (was := old.scores.get(measure)) is not None and (now := new.scores.get(measure)) is not None
    ]
    if not values:
        return None
    groups = resampled_by([subject for _, _, subject in values])
    return Line(
        name=name,
        before=sum(was for was, _, _ in values) / len(values),
        after=sum(now for _, now, _ in values) / len(values),
        difference=paired_difference([now - was for was, now, _ in values], groups=groups),
        by_subject=groups is not None,
    )


def _change(old: Result, new: Result) -> Change:
    return Change(qid=new.qid, type=new.type, question=new.question or old.question, before=old.why, after=new.why)


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (key, before[key], after[key])
        for key in sorted(before.keys() & after.keys())
        if before[key] != after[key] and key != "dataset.questions"
    )


def _left_out(before: Results, after: Results) -> list[str]:
    both = before.by_qid.keys() & after.by_qid.keys()
    told = [
        (len(before.by_qid) - len(both), f"only {before.name} has"),
        (len(after.by_qid) - len(both), f"only {after.name} has"),
        (sum(before.by_qid[qid].digest != after.by_qid[qid].digest for qid in both), "are worded or judged otherwise"),
    ]
    return [f"{count} questions {reason}" for count, reason in told if count]


def _set_name(results: Results) -> str:
    return results.about.get("dataset.name", "unknown set")


# ---- as text and as JSON


def comparison_text(comparison: Comparison) -> str:
    """Return a comparison for a terminal of 80 columns."""
    blocks = [
        f"before  {comparison.before}\nafter   {comparison.after}",
        "\n".join(f"{name}: {was} before, {now} after" for name, was, now in comparison.differing)
        or "settings, archive and code are the same",
        method_text(comparison),
        lines_text("measure", comparison.measures),
        lines_text("part (passed)", comparison.parts),
        _changes_text("Fixed: passed after, not before", comparison.fixed),
        _changes_text("Broken: passed before, not after", comparison.broken),
    ]
    return "\n\n".join(filter(None, blocks))


def method_text(comparison: Comparison) -> str:
    """Return what was compared and how, in sentences."""
    told = [f"{comparison.compared} questions compared, each with itself", *comparison.left_out]
    drawn = "whole subjects" if comparison.parts[0].by_subject else "single questions"
    return (
        "; ".join(told) + ".\n"
        f"95 % intervals of the change: paired bootstrap, {RESAMPLES:,} resamples, seed {SEED},\n"
        f"of {drawn} (of whole subjects where there are {ENOUGH_SUBJECTS} or more).\n"
        "* marks an interval that leaves zero out."
    )


def lines_text(heading: str, lines: Sequence[Line]) -> str:
    """Return measures or parts as an aligned table."""
    width = max(len(heading), *(len(line.name) for line in lines)) + 1
    rows = [f"{heading:<{width}}{'n':>5}{'before':>8}{'after':>7}{'change':>8}   95 % interval"]
    for line in lines:
        difference = line.difference
        mark = "*" if difference.is_worse or difference.is_better else ""
        rows.append(
            f"{line.name:<{width}}{difference.n:>5}{line.before:>8.3f}{line.after:>7.3f}{_signed(difference.mean):>8}"
            f"   {_signed(difference.interval.low)} to {_signed(difference.interval.high)} {mark}".rstrip()
        )
    return "\n".join(rows)


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON types."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "compared": comparison.compared,
        "left_out": list(comparison.left_out),
        "method": {"resamples": RESAMPLES, "seed": SEED, "interval": 0.95},
        "differing": {name: {"before": was, "after": now} for name, was, now in comparison.differing},
        "measures": {line.name: _line_to_dict(line) for line in comparison.measures},
        "parts": {line.name: _line_to_dict(line) for line in comparison.parts},
        "fixed": [change.qid for change in comparison.fixed],
        "broken": [change.qid for change in comparison.broken],
    }


def _line_to_dict(line: Line) -> dict[str, Any]:
    interval = line.difference.interval
    return {
        "n": line.difference.n,
        "drawn": "subjects" if line.by_subject else "questions",
        "before": round(line.before, 6),
        "after": round(line.after, 6),
        "difference": round(line.difference.mean, 6),
        "low": round(interval.low, 6),
        "high": round(interval.high, 6),
    }


def _changes_text(heading: str, changes: Sequence[Change]) -> str:
    blocks = [f"{heading} ({len(changes)})"]
    for change in changes:
        blocks.append(f"{change.qid} [{change.type or '-'}] {_short(change.question)}".rstrip())
        blocks += [
            f"    {when:<7} {_short(why)}" for when, why in (("before", change.before), ("after", change.after)) if why
        ]
    return "\n".join(blocks)


def _signed(value: float) -> str:
    # Never "-0.000", which would look like a loss.
    return f"{value if round(value, 3) else 0:+.3f}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
