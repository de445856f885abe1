"""`hemeroteca eval run`: its arguments and what it does; importing this is light, for `--help`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from eval.dataset import Dataset
    from eval.gate import Gate
    from rag.archive import Archive
    from rag.config import Settings

DEFAULT_JSON = Path("eval-results") / "latest.json"
DEFAULT_ARCHIVE = Path("archive")


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

    def opened(self, folder: Path, *, settings: Settings, create: bool = False) -> AbstractContextManager[Archive]:
        """Return an archive that is open within a `with`; nothing is printed or written before."""
        ...


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of `eval run`."""
    parser.add_argument(
        "questions",
        nargs="?",
        type=Path,
        metavar="QUESTIONS.jsonl",
        help='your own questions, one JSON object a line with "question" and "answers"; '
        "without it the gold set is asked over the sample archive",
    )
    parser.add_argument(
        "--archive",
        type=Path,
        metavar="DIR",
        help=f"the archive to ask (default for your questions: {DEFAULT_ARCHIVE})",
    )
    parser.add_argument("--split", choices=("dev", "test", "all"), default="all", help="part of the questions to ask")
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_JSON,
        metavar="FILE",
        help="where the results are written (default: %(default)s)",
    )
    parser.add_argument(
        "--gate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compare the gold set with the committed baseline: exit status 1 when more than two questions are lost",
    )
    parser.add_argument(
        "--update-baseline", action="store_true", help="write the gold set's results as the new baseline"
    )
    parser.set_defaults(execute=run_command)


def run_command(namespace: argparse.Namespace, terminal: Terminal, *, settings: Settings) -> int:
    """Ask, print the table and the failures, write JSON, and return 0, or 1 when the gate is closed.

    Args:
        namespace: What `add_run_arguments` declares.
        terminal: Where to print, and who opens the archive.
        settings: The ones in effect.

    Raises:
        DatasetError: The questions cannot be read, the results not written, or `--update-baseline` is given with
            anything but the whole gold set.
        ArchiveError: The archive cannot be opened.
    """
    from eval.dataset import GOLD, DatasetError
    from eval.formats import read_questions
    from eval.gate import BASELINE, compare_with_baseline, read_baseline, write_baseline
    from eval.report import failures, run_to_dict, table, verdict, write_json
    from eval.runner import run

    is_gold = namespace.questions is None
    if namespace.update_baseline and not (is_gold and namespace.split == "all"):
        raise DatasetError("--update-baseline writes the whole gold set: leave out QUESTIONS.jsonl and --split")
    dataset = read_questions(namespace.questions or GOLD).split(namespace.split)
    with _opened(namespace, terminal, settings=settings) as archive:
        result = run(archive, dataset.questions, progress=partial(terminal.progress, unit="questions"))
        about = _about(archive, dataset, settings)
    gate: Gate | None = None
    compared = ""
    if namespace.update_baseline:
        write_baseline(result)
        compared = f"Baseline written: {BASELINE}"
    elif is_gold and namespace.gate:
        baseline = read_baseline()
        gate = compare_with_baseline(result, baseline) if baseline is not None else None
        compared = verdict(gate) if gate else "No baseline to compare with: --update-baseline writes one"
    write_json(run_to_dict(result, about=about, gate=gate), namespace.json)
    failed = failures(result)
    parts = [table(result), f"Not passed:\n{failed}" if failed else "", "\n".join(result.problems), compared]
    terminal.print("\n\n".join([*filter(None, parts), f"Results: {terminal.shown(str(namespace.json))}"]))
    return 0 if gate is None or gate.is_open else 1


@contextmanager
def _opened(namespace: argparse.Namespace, terminal: Terminal, *, settings: Settings) -> Iterator[Archive]:
    from eval.runner import sample_folder, take_sample_in
    from rag.wheels import cache_folder

    if namespace.archive or namespace.questions:
        with terminal.opened(namespace.archive or terminal.folder / DEFAULT_ARCHIVE, settings=settings) as archive:
            yield archive
        return
    folder = sample_folder(cache_folder() / "eval", settings=settings)
    is_new = not folder.exists()
    with terminal.opened(folder, settings=settings, create=True) as archive:
        if is_new:
            terminal.say(f"building the sample archive in {folder}")
        take_sample_in(archive)
        yield archive


def _about(archive: Archive, dataset: Dataset, settings: Settings) -> dict[str, Any]:
    from datetime import UTC, datetime

    counts = archive.counts()
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {"name": dataset.name, "sha256": dataset.sha256, "questions": len(dataset.questions)},
        "archive": {
            "path": str(archive.path),
            "articles": counts.articles,
            "passages": counts.passages,
            "fingerprint": archive.embedder.fingerprint,
        },
        "settings": {key: value for key, value, _ in settings.items()},
    }
