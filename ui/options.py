"""What can be typed after `hemeroteca`. Only argparse is imported: `--help` must come at once.

An option that names a file or folder is a `Path` (`type=Path`): the command then gets it absolute.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

_STATUS = "Exit status: 0 answered or done, 1 the archive does not know, 2 a user error, 3 a fault of ours."
_INGEST_STATUS = (
    "Exit status: 0 all was taken in, 1 some files or rows could not be and the rest was, 2 nothing could be, or "
    "another user error, 3 a fault of ours."
)


def command_line(given: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of a command line; what it parses names its command in `command`.

    Args:
        given: The arguments, so that the options of other commands need not be looked up.
    """
    parser = argparse.ArgumentParser(
        prog="hemeroteca",
        description="A newspaper archive that answers questions and proves every sentence.",
        epilog=_STATUS,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    common = _common_options()
    archive, asking, as_json = _archive_options(common), _asking_options(), _json_option()

    ingest = _add(commands, "ingest", "take articles into the archive; again changes nothing", archive, as_json)
    ingest.epilog = _INGEST_STATUS
    ingest.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a .txt, .md or .jsonl file, or a folder of them"
    )
    ask = _add(commands, "ask", "answer a question, with the exact words that prove it", archive, asking, as_json)
    ask.add_argument("--model", metavar="M", help='who phrases the answer: "extractive" or "provider:name"')
    ask.add_argument(
        "--as-is",
        action="store_true",
        help='do not limit it by its own words, as "según EFE" or "in June 2024" would',
    )
    search = _add(commands, "search", "the passages nearest to a question, best first", archive, asking, as_json)
    search.add_argument("-k", type=_positive, default=10, metavar="N", help="how many passages (default 10)")
    search.add_argument(
        "--per-article", type=_positive, metavar="N", help="how many of them of one article and its copies (default 2)"
    )
    _add(commands, "list", "the articles: id, date, language, outlet or file, title", archive, as_json)
    show = _add(
        commands,
        "show",
        "one article: what is known about it, its text, the days that its words mean, and who else tells its story",
        archive,
        as_json,
    )
    show.add_argument("--removed", action="store_true", help="also what cleaning cut out of it, and why")
    delete = _add(commands, "delete", "delete an article, its passages and their vectors", archive)
    for each in (show, delete):
        each.add_argument("id", metavar="ID", help="its id, or the id that its source gave it")
    _add(commands, "config", "the effective settings and where each came from", common, as_json)
    chat = _add(commands, "chat", "the chat in the browser", archive)
    chat.add_argument("--host", metavar="H", help="loopback address to listen at (default 127.0.0.1)")
    chat.add_argument("--port", type=_positive, metavar="P", help="port (default 7860; the next one if it is taken)")
    chat.add_argument("--sample", action="store_true", help="label the archive as invented")
    chat.add_argument("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    _add(commands, "doctor", "read all of the archive and say what is wrong; 1 if anything is", archive, as_json)
    _add(commands, "rebuild", "make both indexes anew from the articles, without embedding again", archive)
    _add(commands, "compact", "write the archive anew, so that no byte of deleted text stays on the disk", archive)
    export = _add(commands, "export", "write the archive, vectors included, into one file", archive, as_json)
    import_ = _add(
        commands, "import", "take in what `hemeroteca export` wrote; again changes nothing", archive, as_json
    )
    for each in (export, import_):
        each.add_argument("file", type=Path, metavar="FILE", help="as archive.jsonl.gz")
    evaluation = _add(commands, "eval", "measure answers against questions whose answers are known")
    runs = evaluation.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = _add(runs, "run", "ask questions with known answers and print a table", common)
    compare = _add(runs, "compare", "what changed between two results of eval run, and how sure that is", common)
    if "eval" in given:
        from eval.command import add_compare_arguments, add_run_arguments

        add_run_arguments(run)
        add_compare_arguments(compare)
    return parser


def _add(commands: Any, name: str, about: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(
        name, parents=parents, help=about, description=about[0].upper() + about[1:] + ".", epilog=_STATUS
    )
    return added


def _common_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--config", metavar="FILE", help="settings file (default ./hemeroteca.toml if it exists)")
    options.add_argument(
        "--set",
        action="append",
        type=_assignment,
        default=[],
        metavar="KEY=VALUE",
        help="a setting, named as `hemeroteca config` shows it",
    )
    options.add_argument("--debug", action="store_true", help="show where a fault of ours happened")
    return options


def _archive_options(common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False, parents=[common])
    options.add_argument(
        "--archive",
        type=Path,
        default=Path("archive"),
        metavar="DIR",
        help="the archive's folder (default ./archive)",
    )
    return options


def _asking_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "question", nargs="+", metavar="QUESTION", help='in any language; "-" reads it from standard input'
    )
    options.add_argument("--since", type=_day, metavar="DAY", help="only articles of this day or later, as 2024-05-31")
    options.add_argument("--until", type=_day, metavar="DAY", help="only articles of this day or earlier")
    options.add_argument(
        "--outlet", action="append", default=[], metavar="O", help="only this outlet; again for several"
    )
    return options


def _json_option() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--json", action="store_true", help="print JSON")
    return options


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"hemeroteca {version('hemeroteca')}\n")
        parser.exit()


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE, as in answer.max_statements=3")
    return key.strip(), value


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: write it as 2024-05-31") from exc


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)
