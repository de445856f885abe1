"""`hemeroteca eval run` and `eval compare`: their arguments and what they do; importing this is light, for `--help`."""

from __future__ import annotations

import argparse
import json
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
        help="compare the gold set with the committed baseline: exit status 1 when the 95 %% interval of the change in "
        "passed lies wholly below zero, over all questions, a split or a type",
    )
    parser.add_argument(
        "--update-baseline", action="store_true", help="write the gold set's results as the new baseline"
    )
    parser.set_defaults(execute=run_command)


def add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of `eval compare`."""
    parser.add_argument("before", type=Path, metavar="A.json", help="results that `eval run` wrote")
    parser.add_argument("after", type=Path, metavar="B.json", help="others, over the same questions")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(execute=compare_command)


def compare_command(namespace: argparse.Namespace, terminal: Terminal, *, settings: Settings) -> int:
    """Print what changed between two results, and return 0.

    Questions that only one of the two has, or that are worded otherwise, are left out and counted.

    Args:
        namespace: What `add_compare_arguments` declares.
        terminal: Where to print.
        settings: Not used: the results say which ones they were made with.

    Raises:
        DatasetError: A file is not results, or the two have no question in common.
    """
    from eval.compare import compare, comparison_text, comparison_to_dict
    from eval.results import read_results

    found = compare(read_results(namespace.before), read_results(namespace.after))
    if namespace.json:
        terminal.print(json.dumps(comparison_to_dict(found), ensure_ascii=False, indent=2))
    else:
        terminal.print(terminal.shown(comparison_text(found)))
    return 0


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
    from eval.report import failures, run_to_dict, table, write_json
    from eval.runner import run

    is_gold = namespace.questions is None
    if namespace.update_baseline and not (is_gold and namespace.split == "all"):
        raise DatasetError("--update-baseline writes the whole gold set: leave out QUESTIONS.jsonl and --split")
    dataset = read_questions(namespace.questions or GOLD).split(namespace.split)
    with _opened(namespace, terminal, settings=settings) as archive:
        result = run(archive, dataset.questions, progress=partial(terminal.progress, unit="questions"))
        about = _about(archive, dataset, settings)
    content = run_to_dict(result, about=about)
    gate, compared = _compared(content, namespace) if is_gold else (None, "")
    write_json(content | {"gate": gate.to_dict() if gate else None}, namespace.json)
    failed = failures(result)
    parts = [table(result), f"Not passed:\n{failed}" if failed else "", "\n".join(result.problems), compared]
    terminal.print("\n\n".join([*filter(None, parts), f"Results: {terminal.shown(str(namespace.json))}"]))
    return 0 if gate is None or gate.is_open else 1


def _compared(content: dict[str, Any], namespace: argparse.Namespace) -> tuple[Gate | None, str]:
    from eval.gate import BASELINE, compare_with_baseline, read_baseline, verdict, write_baseline
    from eval.results import results_from_dict

    if namespace.update_baseline:
        write_baseline(content)
        return None, f"Baseline written: {BASELINE}"
    if not namespace.gate:
        return None, ""
    baseline = read_baseline()
    if baseline is None:
        return None, "No baseline to compare with: --update-baseline writes one"
    gate = compare_with_baseline(results_from_dict(content, name="this run"), baseline)
    return gate, verdict(gate)


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
        "settings": {key: value for key, value, _ in settings.items() if not key.startswith("web.")},
    }
