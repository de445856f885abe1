"""How well time expressions, and the days and outlets that a question asks for, are understood: against gold of ours.

A wrong interval misleads in silence and a missing one is seen, so the two are never added up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from eval.dataset import DatasetError
from eval.finding_report import Report, Target, table
from eval.metrics import wilson
from rag.dates import find_times
from rag.interfaces import Filters
from rag.language import detect_language
from rag.limits import filters_of, read_limits
from rag.schema import TimeExpression

DATES = Path(__file__).with_name("data") / "dates.jsonl"
QUESTIONS = Path(__file__).with_name("data") / "question_filters.jsonl"
ABOUT = (
    "Time expressions of sentences written beforehand, and the filters that questions ask for in their own words.\n"
    '"unresolved": nothing was made of it; "wrong": something else was, "elsewhere" where there is no expression.'
)
LEAST_RIGHT = 0.95
_OWN_GRAMMARS = ("es", "en")
_SPLITS = ("dev", "test")

Outcome = Literal["right", "unresolved", "wrong"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes of `n` items; `elsewhere` are finds where none is, of which there is no share."""

    right: int
    unresolved: int
    wrong: int
    elsewhere: int = 0

    @property
    def n(self) -> int:
        """How many items there are."""
        return self.right + self.unresolved + self.wrong

    @property
    def share_right(self) -> float:
        """The share of the items that is right, 0 to 1; 0 without any."""
        return self.right / self.n if self.n else 0.0

    @property
    def in_silence(self) -> int:
        """How many answers mislead without a sign."""
        return self.wrong + self.elsewhere

    def text(self) -> str:
        """Return the share of right ones with its 95 % interval (Wilson): "0.957 (.931-.979)"."""
        if not self.n:
            return "-"
        interval = wilson(self.share_right, self.n)
        return f"{self.share_right:.3f} ({interval.low:.3f}-{interval.high:.3f})"


@dataclass(frozen=True, slots=True)
class TimeQuality:
    """The tallies of each split: of expressions by language ("es", "en", "other", "all"), and of questions."""

    expressions: Mapping[str, Mapping[str, Tally]]
    questions: Mapping[str, Tally]


def measure(splits: Sequence[str] = _SPLITS) -> TimeQuality:
    """Return how the shipped gold of the splits is understood; takes about a second, and no archive.

    Raises:
        DatasetError: A gold file cannot be read.
    """
    rows, questions = _rows(DATES), _rows(QUESTIONS)
    return TimeQuality(
        expressions={split: _by_language([row for row in rows if row["split"] == split]) for split in splits},
        questions={
            split: _tallied(judge_question(row) for row in questions if row["split"] == split) for split in splits
        },
    )


def time_report(quality: TimeQuality) -> Report:
    """Return tables, targets and numbers of what was measured."""
    lines = []
    for split, groups in quality.expressions.items():
        lines += [_line(f"{split} {group}", tally) for group, tally in groups.items()]
    lines += [_line(f"{split} questions", tally) for split, tally in quality.questions.items()]
    content = {
        split: {name: _plain(tally) for name, tally in (*groups.items(), ("questions", quality.questions[split]))}
        for split, groups in quality.expressions.items()
    }
    targets = [
        target
        for split, groups in quality.expressions.items()
        for what, tally in (("expressions", groups["all"]), ("questions", quality.questions[split]))
        for target in _targets(f"{what} of {split}", tally)
    ]
    heads = ("", "n", "right", "unresolved", "wrong", "elsewhere")
    return Report("time", ABOUT, (table(heads, lines),), tuple(targets), content)


def judge_sentence(row: Row) -> tuple[list[Outcome], int]:
    """Return what became of each expression of a sentence, and how many were found where there is none.

    An expression that is to stay unresolved, or may, is right without days; several finds within one must all be right.
    """
    published = date.fromisoformat(row["published"]) if row["published"] else None
    times = [
        time for time in find_times(row["text"], language=row["language"], published=published) if time.is_resolved
    ]
    outcomes: list[Outcome] = []
    matched: set[int] = set()
    for expression in row["expressions"]:
        start, end = expression["start"], expression["start"] + len(expression["words"])
        within = [index for index, time in enumerate(times) if time.start < end and start < time.end]
        matched.update(within)
        said = [_days(times[index]) for index in within]
        if not said:
            may_stay = not expression["accepted"] or expression.get("optional")
            outcomes.append("right" if may_stay else "unresolved")
        else:
            outcomes.append("right" if all(days in expression["accepted"] for days in said) else "wrong")
    return outcomes, len(times) - len(matched)


def judge_question(row: Row) -> Outcome:
    """Return what became of the filters that a question asks for; "unresolved" leaves out some, but adds none."""
    question = row["question"]
    limits = read_limits(
        question,
        language=detect_language(question, prior=_OWN_GRAMMARS),
        today=date.fromisoformat(row["today"]),
        outlets=row["outlets"],
    )
    read = filters_of(limits, given=Filters())
    accepted = [_filters(each) for each in (row["expected"], *row.get("also", ()))]
    if read in accepted:
        return "right"
    return "unresolved" if any(_is_within(read, each) for each in accepted) else "wrong"


def _is_within(read: Filters, accepted: Filters) -> bool:
    has_dates = read.since is not None or read.until is not None
    dates_fit = not has_dates or (read.since, read.until) == (accepted.since, accepted.until)
    return dates_fit and (not read.outlets or read.outlets == accepted.outlets)


def _by_language(rows: Sequence[Row]) -> dict[str, Tally]:
    groups = {name: [row for row in rows if row["language"] == name] for name in _OWN_GRAMMARS}
    groups["other"] = [row for row in rows if row["language"] not in _OWN_GRAMMARS]
    groups["all"] = list(rows)
    return {name: _sentences(group) for name, group in groups.items()}


def _sentences(rows: Sequence[Row]) -> Tally:
    judged = [judge_sentence(row) for row in rows]
    outcomes = (outcome for each, _ in judged for outcome in each)
    return _tallied(outcomes, elsewhere=sum(elsewhere for _, elsewhere in judged))


def _tallied(outcomes: Iterable[Outcome], *, elsewhere: int = 0) -> Tally:
    counted = list(outcomes)
    return Tally(counted.count("right"), counted.count("unresolved"), counted.count("wrong"), elsewhere)


def _days(time: TimeExpression) -> list[str | None]:
    return [day.isoformat() if day else None for day in (time.since, time.until)]


def _filters(said: Row) -> Filters:
    since, until = (date.fromisoformat(said[key]) if said[key] else None for key in ("since", "until"))
    return Filters(since=since, until=until, outlets=frozenset(said["outlets"]))


def _line(name: str, tally: Tally) -> tuple[str, ...]:
    return name, str(tally.n), tally.text(), str(tally.unresolved), str(tally.wrong), str(tally.elsewhere)


def _targets(what: str, tally: Tally) -> list[Target]:
    return [
        Target(f"{what}: {LEAST_RIGHT:.0%} right", f"{tally.text()}, n = {tally.n}", tally.share_right >= LEAST_RIGHT),
        Target(f"{what}: none wrong in silence", f"{tally.in_silence} of {tally.n}", tally.in_silence == 0),
    ]


def _plain(tally: Tally) -> dict[str, int]:
    return {
        "n": tally.n,
        "right": tally.right,
        "unresolved": tally.unresolved,
        "wrong": tally.wrong,
        "elsewhere": tally.elsewhere,
    }


def _rows(file: Path) -> list[Row]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as exc:
        raise DatasetError(f"{file} cannot be read ({exc}): take it from the repository again") from exc
