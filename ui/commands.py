"""What the commands do, each as a function of its options and of the terminal that it was typed in.

Each imports what it needs when it runs, so that `--help` comes at once. None prints, reads or looks at the process
itself: a command may run in another process than its terminal.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import HemerotecaError
from ui import transfer, upkeep
from ui.terminal import HeldElsewhereError, Terminal

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.schema import IngestSummary

OK, UNKNOWN, USER_ERROR, OUR_FAULT = 0, 1, 2, 3
PARTLY = 1


class UsageError(HemerotecaError):
    """The command line asks for something that cannot be done."""


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run the command that the options name and return its exit status; every failure is told in one line.

    Raises:
        BrokenPipeError: Nobody reads on what is printed.
        HeldElsewhereError: Another process can run the command; nothing was done or printed yet.
    """
    try:
        return COMMANDS[options.command](_with_whole_paths(options, terminal.folder), terminal)
    except (BrokenPipeError, HeldElsewhereError):
        raise
    except Exception as exc:  # the last resort of a program: what the user cannot mend is our fault, and is said to be
        if _is_interruption(exc):
            raise KeyboardInterrupt from exc
        if isinstance(exc, HemerotecaError):
            return complain(terminal, str(exc), status=USER_ERROR)
        return _our_fault(exc, terminal, debug=options.debug)


def complain(terminal: Terminal, message: str, *, status: int) -> int:
    """Say in one line what went wrong, and return the exit status."""
    from ui.show import one_line

    terminal.say(f"hemeroteca: {one_line(terminal.shown(message))}")
    return status


# ---- commands


def _ingest(options: argparse.Namespace, terminal: Terminal) -> int:
    from ui.show import json_text, summary_text, summary_to_dict

    summary = _nothing_to_begin_with(options, terminal)
    if summary is None:
        with _opened(options, terminal, create=True) as archive:
            from ingest import ingest

            summary = ingest(archive, options.paths, progress=partial(terminal.progress, unit="passages"))
    failures = [replace(failure, place=terminal.shown(failure.place)) for failure in summary.failures]
    summary = replace(summary, failures=tuple(failures))
    terminal.print(json_text(summary_to_dict(summary)) if options.json else summary_text(summary))
    taken = summary.added + summary.changed + summary.unchanged + summary.duplicates
    if not failures:
        return OK
    if not taken:
        return complain(terminal, "nothing could be taken in", status=USER_ERROR)
    return complain(terminal, f"{len(failures)} could not be taken in, and all the rest was", status=PARTLY)


def _nothing_to_begin_with(options: argparse.Namespace, terminal: Terminal) -> IngestSummary | None:
    """Return what an ingest comes to for which no archive need be begun, None if one is there or is needed."""
    from rag.folder import is_unused

    if not is_unused(options.archive):
        return None
    from ingest.pipeline import only_failures

    return only_failures(options.paths, max_article_mb=terminal.settings(options, {}).ingest.max_article_mb)


def _ask(options: argparse.Namespace, terminal: Terminal) -> int:
    from ui.show import answer_text, json_text

    question = _question(options.question, terminal)
    with _opened(options, terminal) as archive:
        answer = archive.ask(question, limits=() if options.as_is else None, **_filters(options, archive))
    terminal.print(json_text(answer.to_dict()) if options.json else answer_text(answer))
    return OK if answer.status == "answered" else UNKNOWN


def _search(options: argparse.Namespace, terminal: Terminal) -> int:
    from rag.language import detect_language
    from rag.schema import hit_to_dict
    from ui.show import hits_text, json_text

    question = _question(options.question, terminal)
    with _opened(options, terminal) as archive:
        hits = archive.search(question, k=options.k, per_article=options.per_article, **_filters(options, archive))
        language = detect_language(question, prior=archive.languages())
    if options.json:
        terminal.print(json_text([hit_to_dict(hit) for hit in hits]))
    else:
        terminal.print(hits_text(hits, language=language))
    return OK


def _list(options: argparse.Namespace, terminal: Terminal) -> int:
    from rag.schema import article_to_dict
    from ui.show import json_text, list_text

    with _opened(options, terminal) as archive:
        articles, counts = archive.articles(), archive.counts()
    if options.json:
        terminal.print(json_text([article_to_dict(article) for article in articles]))
        return OK
    if articles:
        terminal.print(list_text(articles))
    waiting = f", {counts.without_vectors} of them without a vector" if counts.without_vectors else ""
    terminal.say(f"{counts.articles} articles, {counts.passages} passages{waiting}")
    return OK


def _show(options: argparse.Namespace, terminal: Terminal) -> int:
    from rag.schema import article_to_dict, story_to_dict, time_to_dict
    from ui.show import article_text, json_text

    with _opened(options, terminal) as archive:
        article = archive.article(options.id)
        times, story = archive.times(article.id), archive.story(article.id)
    if options.json:
        said = [time_to_dict(time, article.text) for time in times]
        terminal.print(json_text(article_to_dict(article, text=True) | {"story": story_to_dict(story), "times": said}))
    else:
        terminal.print(article_text(article, removed=options.removed, times=times, story=story))
    return OK


def _delete(options: argparse.Namespace, terminal: Terminal) -> int:
    from ui.show import one_line

    with _opened(options, terminal) as archive:
        article = archive.delete(options.id)
    terminal.print(f"deleted {one_line(article.id)}: {one_line(article.title or article.source)}")
    return OK


def _config(options: argparse.Namespace, terminal: Terminal) -> int:
    from ui.show import json_text, settings_text

    settings = terminal.settings(options, {})
    if options.json:
        terminal.print(json_text({key: {"value": value, "origin": origin} for key, value, origin in settings.items()}))
    else:
        terminal.print(settings_text(settings))
    return OK


def _chat(options: argparse.Namespace, terminal: Terminal) -> int:
    with _opened(options, terminal, arguments={"web.host": options.host, "web.port": options.port}) as archive:
        from ui.web import serve

        serve(
            archive,
            host=archive.settings.web.host,
            port=archive.settings.web.port,
            sample=options.sample,
            open_browser=options.browser and _has_desktop(),
            on_ready=terminal.announce,
            on_notice=terminal.say,
        )
    return OK


def _eval(options: argparse.Namespace, terminal: Terminal) -> int:
    # Which of its own commands it is, the parser has noted.
    status: int = options.execute(options, terminal, settings=terminal.settings(options, {}))
    return status


COMMANDS: dict[str, Callable[[argparse.Namespace, Terminal], int]] = {
    "ingest": _ingest,
    "ask": _ask,
    "search": _search,
    "list": _list,
    "show": _show,
    "delete": _delete,
    "config": _config,
    "chat": _chat,
    "eval": _eval,
    "doctor": upkeep.doctor,
    "rebuild": upkeep.rebuild,
    "compact": upkeep.compact,
    "export": transfer.export,
    "import": transfer.import_,
}


# ---- what commands share


def _opened(
    options: argparse.Namespace,
    terminal: Terminal,
    *,
    create: bool = False,
    arguments: dict[str, Any] | None = None,
) -> AbstractContextManager[Archive]:
    settings = terminal.settings(options, {"answer.model": getattr(options, "model", None), **(arguments or {})})
    return terminal.opened(options.archive, settings=settings, create=create)


def _with_whole_paths(options: argparse.Namespace, folder: Path) -> argparse.Namespace:
    """Return the options with every `Path` among them made absolute, from the folder where they were typed."""

    def whole(value: Any) -> Any:
        return folder / value if isinstance(value, Path) else value

    return argparse.Namespace(
        **{
            name: [whole(item) for item in value] if isinstance(value, list) else whole(value)
            for name, value in vars(options).items()
        }
    )


def _question(words: Sequence[str], terminal: Terminal) -> str:
    question = (terminal.read() if list(words) == ["-"] else " ".join(words)).strip()
    if not question:
        raise UsageError('the question is empty: write one, as in hemeroteca ask "¿Qué firmaron?"')
    try:
        question.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise UsageError("the question is not UTF-8 text: check the terminal's or file's encoding") from exc
    return question


def _filters(options: argparse.Namespace, archive: Archive) -> dict[str, Any]:
    if options.since and options.until and options.since > options.until:
        raise UsageError(f"--since {options.since} is after --until {options.until}: exchange them")
    known = {outlet.casefold(): outlet for outlet in archive.outlets()} if options.outlet else {}
    outlets = []
    for outlet in options.outlet:
        if outlet.casefold() not in known:
            named = ", ".join(known.values()) or "none at all"
            raise UsageError(f"no article is of outlet {outlet!r}: the archive has {named}")
        outlets.append(known[outlet.casefold()])
    return {"since": options.since, "until": options.until, "outlets": outlets}


def _has_desktop() -> bool:
    # Without one, the standard library would start a text browser in this very terminal.
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _is_interruption(exc: BaseException | None) -> bool:
    # A library that meets Ctrl-C may make something else of it.
    while exc is not None and not isinstance(exc, KeyboardInterrupt):
        exc = exc.__context__
    return exc is not None


def _our_fault(exc: Exception, terminal: Terminal, *, debug: bool) -> int:
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(exc))
    if debug:
        terminal.say(text)
        return complain(terminal, f"this is a fault of ours ({type(exc).__name__})", status=OUR_FAULT)
    with tempfile.NamedTemporaryFile("w", prefix="hemeroteca-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(text)
    message = (
        f"this is a fault of ours ({type(exc).__name__}: {exc}): what happened is in {file.name}; please report it"
    )
    return complain(terminal, message, status=OUR_FAULT)
