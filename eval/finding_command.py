"""`hemeroteca eval run --suite`: its arguments and what it does; importing this is light, for `--help`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from eval.finding_report import Report
    from rag.config import Settings

DEFAULT_JSON = Path("eval-results") / "suites.json"
SUITES = (
    "fusion",
    "distractors",
    "balance",
    "robust",
    "stories",
    "time",
    "conversations",
    "dated",
    "near-misses",
    "overviews",
    "reasons",
    "declining",
    "answer-sentence",
)
# Their rows come with the program.
_AT_HAND = frozenset({"time", "conversations", "dated", "near-misses", "overviews", "reasons"})
# There are no sets to choose on: what is right is only known of those that are reported.
_ONLY_REPORTED = frozenset({"declining", "answer-sentence"})
HELP = """suites that measure what is found (--suite), over the public sets in HEMEROTECA_DATA:
  fusion       recall and nDCG in every pair of twelve languages (XQuAD), beside
               dense search alone, words alone and reciprocal rank fusion
  distractors  recall against the number of distractors about the same subjects,
               of questions in four languages
  balance      versions of an article in other languages among the first ten
               (NTREX), alone and beside 5,000 Spanish paragraphs
  robust       what it costs to leave out accents, to use capitals, a slip,
               keywords, 200 words, a quotation, two languages
  stories      copies and tellings of one event that are linked, rightly and
               wrongly, by the limit from which they are; --sets train is one half
  time         days that expressions of articles mean, days and outlets that
               questions ask for; needs no public set; --split halves it
suites that measure what is answered; the first five ask the sample archive, need no
public set and show its halves apart, or the one that --split names:
  conversations
               what a question loses by leaning on the turns before it, beside
               the same question asked in full
  dated        what a question loses by naming the month that its answer was
               printed in, and whether another year's is declined
  near-misses  what is declined of questions on what is reported that ask for
               what is not, and what is answered beside it
  overviews    whether "what happened with…?" is answered, from the articles that
               report it and no others, and declined where none does
  reasons      whether the right reason is said when a question is declined
  declining    how well the probability tells what is answered from what is
               not, and what it means: XQuAD and NoMIRACL in Spanish
  answer-sentence
               whether the first cited sentence has the answer (XQuAD in
               Spanish, asked in three languages), also among look-alikes
"""
_SETS = {"public": "data", "train": "train"}


class Terminal(Protocol):
    """Where the command was typed; the command may run in another process."""

    @property
    def folder(self) -> Path:
        """The absolute folder that relative paths start from."""
        ...

    def print(self, text: str) -> None:
        """Write lines to standard output."""
        ...

    def say(self, text: str) -> None:
        """Write lines to standard error."""
        ...

    def progress(self, done: int, total: int, unit: str) -> None:
        """Show how far a long job is."""
        ...

    def shown(self, text: str) -> str:
        """Return a message with the paths in `folder` written as they are from there."""
        ...


def add_suite_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of suites."""
    parser.add_argument(
        "--suite",
        type=_suites,
        default=[],
        metavar="NAME[,NAME]",
        help="measure these instead of asking questions, or all (see below); --split, --seed and --json apply; "
        "exit status 1 when a target is missed",
    )
    parser.add_argument(
        "--sets",
        choices=tuple(_SETS),
        default="public",
        help="sets of the suites: those that are only reported, or those to choose on (default %(default)s)",
    )


def suite_command(namespace: argparse.Namespace, terminal: Terminal, *, settings: Settings) -> int:
    """Print the tables of the suites, write JSON, and return 0, or 1 when a target is missed.

    A suite whose sets are not there is passed over with a sentence; what comes with the program is first.

    Args:
        namespace: What `add_suite_arguments` and the arguments of `eval run` declare.
        terminal: Where to print.
        settings: The ones in effect.

    Raises:
        DatasetError: An argument does not go with suites, a set cannot be read, or the results not written.
    """
    from eval.report import write_json

    _check(namespace)
    reports: list[Report] = []
    for report in _measured(namespace, terminal, settings=settings):
        terminal.print(report.text() + "\n")
        reports.append(report)
    if not reports:
        return 0
    file = namespace.json or terminal.folder / DEFAULT_JSON
    write_json(_content(reports, choice=_about(namespace, settings)), file)
    terminal.print(f"Results: {terminal.shown(str(file))}")
    return 0 if all(target.is_met for report in reports for target in report.targets) else 1


def _measured(namespace: argparse.Namespace, terminal: Terminal, *, settings: Settings) -> Iterator[Report]:
    from eval.finding import run_suite
    from eval.suite import Choice
    from rag.embedding import load_embedder
    from rag.wheels import cache_folder

    if "time" in namespace.suite:
        from eval.time_quality import measure, time_report

        yield time_report(measure() if namespace.split == "all" else measure([namespace.split]))
    data = Path(os.environ.get("HEMEROTECA_DATA") or ".")
    chosen = _with_sets(namespace, terminal, data=data)
    if not chosen:
        return
    embedder = load_embedder(settings.embedding, notify=terminal.say)
    choice = Choice(data, sets=namespace.sets, split=namespace.split, seed=namespace.seed)
    for name in chosen:
        yield run_suite(
            name,
            choice,
            embedder=embedder,
            settings=settings,
            root=cache_folder() / "eval",
            progress=partial(terminal.progress, unit=f"steps of {name}"),
        )


def _with_sets(namespace: argparse.Namespace, terminal: Terminal, *, data: Path) -> list[str]:
    """Return the suites that need an archive and have their sets, what is at hand first; say which are passed over."""
    at_hand = [name for name in namespace.suite if name in _AT_HAND - {"time"}]
    over_sets = [name for name in namespace.suite if name not in _AT_HAND]
    reported = [name for name in over_sets if name in _ONLY_REPORTED and namespace.sets == "train"]
    if reported:
        terminal.print(f"Skipped {', '.join(reported)}: they are only reported, there are no sets to choose on.")
        over_sets = [name for name in over_sets if name not in reported]
    needed = {_SETS[namespace.sets], "train" if namespace.sets == "public" else "data"}
    if over_sets and (not os.environ.get("HEMEROTECA_DATA") or not all((data / name).is_dir() for name in needed)):
        terminal.print(f"Skipped {', '.join(over_sets)}: HEMEROTECA_DATA names no folder of the public data sets.")
        over_sets = []
    return at_hand + over_sets


def _check(namespace: argparse.Namespace) -> None:
    from eval.dataset import DatasetError

    other = ("questions", "articles", "archive", "sample", "html", "update_baseline")
    given = [name for name in other if getattr(namespace, name)]
    if given:
        raise DatasetError(f"--suite measures sets of its own: leave out {', '.join(map(_written, given))}")
    if namespace.sets == "public" and namespace.split != "all" and {*namespace.suite} - _AT_HAND:
        raise DatasetError(f"--split {namespace.split} is of the sets to choose on: add --sets train, or leave it out")


def _written(name: str) -> str:
    return "QUESTIONS" if name == "questions" else f"--{name.replace('_', '-')}"


def _about(namespace: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    from datetime import UTC, datetime

    from eval.archives import code_hash

    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "sets": namespace.sets,
        "split": namespace.split,
        "seed": namespace.seed,
        "code": code_hash(),
        "settings": {key: value for key, value, _ in settings.items() if not key.startswith("web.")},
    }


def _content(reports: Sequence[Report], *, choice: dict[str, Any]) -> dict[str, Any]:
    return {"about": choice, "suites": [report.to_dict() for report in reports]}


def _suites(text: str) -> list[str]:
    names = list(SUITES) if text == "all" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in SUITES:
            raise argparse.ArgumentTypeError(f"{name!r} is no suite: choose among {', '.join(SUITES)}, or all")
    return list(dict.fromkeys(names))
