"""`hemeroteca eval run` and `eval compare`: their arguments and what they do; importing this is light, for `--help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eval.finding_command import DEFAULT_JSON as SUITES_JSON
from eval.finding_command import HELP, add_suite_arguments, suite_command

if TYPE_CHECKING:
    from eval.dataset import Dataset, QuestionSet
    from eval.gate import Gate
    from rag.archive import Archive
    from rag.config import Settings

DEFAULT_JSON = Path("eval-results") / "latest.json"
DEFAULT_ARCHIVE = Path("archive")
MOST_PROBLEMS = 20
FORMATS = """sets of questions:
  (none)       the gold set, over the sample archive that is shipped
  FILE.jsonl   your own, one JSON object a line: "question" and "answers" (a text,
               a list of wordings of one fact, or a list of such lists), or
               "answerable": false; and if you have them "qid", "split" ("dev" or
               "test"), "subject", "type", "language", "history" (a list of
               {"question", "answer"}), "since", "until", "outlets", and "support"
               (a list of {"article", "quote"}: the article's id, URL or file name
               and the exact sentence), without which passages are not judged.
               Asked of --archive, or of an archive made of --articles
  FILE.json    SQuAD 1.1 or 2.0, so also XQuAD, MLQA and SQAC: an archive is made
               of the contexts. --articles OTHER.json takes contexts and answers
               from another translation, and only the questions from FILE
  FILE.jsonl   rows of {"qid", "question", "pid", "answers": [{"text", "start"}]}
               with --articles PASSAGES.jsonl, rows of {"pid", "title", "text"}
All of them may be gzipped (.gz). Pages of a SQuAD file and titles of passages are the
subjects by which such a set is halved and sampled. Archives that are made are kept in
the cache by a hash of their articles: a second run does not embed again.
"""
STATUS = "Exit status: 0 done, 1 below the baseline or a target, 2 a user error, 3 a fault of ours."


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
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"{FORMATS}\n{HELP}\n{STATUS}"
    parser.add_argument(
        "questions",
        nargs="?",
        type=Path,
        metavar="QUESTIONS",
        help="a set of questions (see below); without it the gold set is asked over the sample archive",
    )
    parser.add_argument(
        "--articles",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        metavar="PATH",
        help="what the questions are about: an archive is made of it (see below)",
    )
    parser.add_argument(
        "--archive",
        type=Path,
        metavar="DIR",
        help="the archive to ask; where one is made, the place to keep it in "
        f"(default for questions of your own without --articles: {DEFAULT_ARCHIVE})",
    )
    parser.add_argument(
        "--split", choices=("dev", "test", "all"), default="all", help="part of the questions to ask (default all)"
    )
    parser.add_argument(
        "--sample", type=_positive, metavar="N", help="ask only the questions of N pages (subjects), drawn at random"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of --sample and of the halves (default 1)")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help=f"where the results are written (default {DEFAULT_JSON}, of suites {SUITES_JSON})",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page that shows every question")
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
    add_suite_arguments(parser)
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
    if namespace.suite:
        return suite_command(namespace, terminal, settings=settings)
    from eval.dataset import DatasetError
    from eval.page import page, write_page
    from eval.report import failures, run_to_dict, table, write_json
    from eval.runner import run
    from eval.sets import read_set

    is_gold = namespace.questions is None
    json_file = namespace.json or terminal.folder / DEFAULT_JSON
    if namespace.update_baseline and (not is_gold or namespace.split != "all" or namespace.sample):
        raise DatasetError("--update-baseline writes the whole gold set: leave out QUESTIONS, --split and --sample")
    made_of = read_set(namespace.questions, articles=namespace.articles, seed=namespace.seed)
    dataset, drawn = _chosen(made_of.dataset, namespace)
    with _opened(namespace, terminal, made_of, settings=settings) as (archive, troubles):
        result = run(
            archive,
            dataset.questions,
            consult=archive.consult if namespace.html else None,
            progress=partial(terminal.progress, unit="questions"),
        )
        about = _about(archive, dataset, settings) | {"notes": [*made_of.notes, *drawn, *troubles]}
    content = run_to_dict(result, about=about)
    gate, compared = _compared(content, namespace) if is_gold else (None, "")
    write_json(content | {"gate": gate.to_dict() if gate else None}, json_file)
    if namespace.html:
        write_page(page(result, about=about, gate=gate), namespace.html)
    failed = failures(result)
    parts = [
        table(result),
        "\n".join(about["notes"]),
        f"Not passed:\n{failed}" if failed else "",
        _problems(result.problems),
        compared,
    ]
    terminal.print("\n\n".join([*filter(None, parts), *_written(terminal, Results=json_file, Page=namespace.html)]))
    return 0 if gate is None or gate.is_open else 1


def _written(terminal: Terminal, **files: Path | None) -> list[str]:
    return ["\n".join(f"{name}: {terminal.shown(str(file))}" for name, file in files.items() if file)]


def _chosen(dataset: Dataset, namespace: argparse.Namespace) -> tuple[Dataset, list[str]]:
    """Return the questions to ask, and a sentence on them where they are a sample."""
    from eval.sets import sampled, subject_count

    part = dataset.split(namespace.split)
    if not namespace.sample:
        return part, []
    drawn = sampled(part, subjects=namespace.sample, seed=namespace.seed)
    return drawn, [
        f"A sample: {len(drawn.questions)} of {len(part.questions)} questions, those of {subject_count(drawn)} of "
        f"{subject_count(part)} pages, drawn with seed {namespace.seed}."
    ]


def _problems(problems: Sequence[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    return "\n".join([*problems[:MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])


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
def _opened(
    namespace: argparse.Namespace, terminal: Terminal, made_of: QuestionSet, *, settings: Settings
) -> Iterator[tuple[Archive, list[str]]]:
    """Open the archive to ask, made of the set's articles where it has some; with sentences on what went wrong."""
    from eval.archives import archive_folder, take_in
    from rag.wheels import cache_folder

    is_gold = namespace.questions is None
    if (is_gold and namespace.archive) or not (made_of.rows or made_of.paths):
        with terminal.opened(namespace.archive or terminal.folder / DEFAULT_ARCHIVE, settings=settings) as archive:
            yield archive, []
        return
    root = cache_folder() / "eval"
    folder = namespace.archive or archive_folder(made_of, root=root, settings=settings)
    is_new = not folder.exists()
    with terminal.opened(folder, settings=settings, create=True) as archive:
        if is_new:
            terminal.say(f"making the archive that {made_of.dataset.name} is about in {folder}")
        yield archive, take_in(archive, made_of, root=root, progress=partial(terminal.progress, unit="passages"))


def _about(archive: Archive, dataset: Dataset, settings: Settings) -> dict[str, Any]:
    from datetime import UTC, datetime

    from eval.archives import code_hash

    counts = archive.counts()
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {"name": dataset.name, "sha256": dataset.sha256, "questions": len(dataset.questions)},
        "archive": {
            "path": str(archive.path),
            "articles": counts.articles,
            "passages": counts.passages,
            "fingerprint": archive.embedder.fingerprint,
            "reader": archive.reader,
        },
        "code": code_hash(),
        "settings": {key: value for key, value, _ in settings.items() if not key.startswith("web.")},
    }


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)
