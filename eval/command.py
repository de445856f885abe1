"""`hemeroteca eval run`: its arguments and what it does; importing this is light, for `--help`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.dataset import Dataset
    from eval.gate import Gate
    from eval.runner import Run
    from rag.archive import Archive
    from rag.config import Settings

DEFAULT_JSON = Path("eval-results") / "latest.json"
DEFAULT_ARCHIVE = Path("archive")


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def main(arguments: Sequence[str]) -> int:
    """Run the evaluation that the arguments ask for and return the exit status."""
    parser = argparse.ArgumentParser(prog="hemeroteca eval run", description="Ask questions with known answers.")
    add_arguments(parser)
    return execute(parser.parse_args(arguments))


def execute(namespace: argparse.Namespace) -> int:
    """Ask, print the table and the failures, write JSON, and return 0, or 1 when the gate is closed.

    Args:
        namespace: What `add_arguments` declares; a `settings` in it is used instead of the ones in effect.

    Raises:
        DatasetError: The questions cannot be read, the results not written, or `--update-baseline` is given with
            anything but the whole gold set.
        ArchiveError: The archive cannot be opened.
    """
    from eval.dataset import GOLD, DatasetError
    from eval.formats import read_questions
    from eval.gate import BASELINE, compare_with_baseline, read_baseline, write_baseline
    from eval.report import failures, run_to_dict, table, verdict, write_json
    from rag.config import load_settings

    is_gold = namespace.questions is None
    if namespace.update_baseline and not (is_gold and namespace.split == "all"):
        raise DatasetError("--update-baseline writes the whole gold set: leave out QUESTIONS.jsonl and --split")
    dataset = read_questions(namespace.questions or GOLD).split(namespace.split)
    settings = getattr(namespace, "settings", None) or load_settings(environ=os.environ)
    archive = _open_archive(namespace, settings=settings)
    with archive:
        run = _run(archive, dataset)
        about = _about(archive, dataset, settings)
    gate: Gate | None = None
    compared = ""
    if namespace.update_baseline:
        write_baseline(run)
        compared = f"Baseline written: {BASELINE}"
    elif is_gold and namespace.gate:
        baseline = read_baseline()
        gate = compare_with_baseline(run, baseline) if baseline is not None else None
        compared = verdict(gate) if gate else "No baseline to compare with: --update-baseline writes one"
    write_json(run_to_dict(run, about=about, gate=gate), namespace.json)
    failed = failures(run)
    parts = [table(run), f"Not passed:\n{failed}" if failed else "", "\n".join(run.problems), compared]
    sys.stdout.write("\n\n".join([*filter(None, parts), f"Results: {namespace.json}"]) + "\n")
    return 0 if gate is None or gate.is_open else 1


def _open_archive(namespace: argparse.Namespace, *, settings: Settings) -> Archive:
    from eval.runner import sample_archive
    from rag.archive import Archive
    from rag.wheels import cache_folder

    if namespace.archive is None and namespace.questions is None:
        return sample_archive(cache_folder() / "eval", settings=settings, notify=_notify)
    return Archive.open(namespace.archive or DEFAULT_ARCHIVE, settings=settings, notify=_notify)


def _notify(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _run(archive: Archive, dataset: Dataset) -> Run:
    from tqdm import tqdm

    from eval.runner import run

    with tqdm(total=len(dataset.questions), desc="questions", disable=not sys.stderr.isatty()) as bar:

        def show(done: int, _: int) -> None:
            bar.update(done - bar.n)

        return run(archive, dataset.questions, progress=show)


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
