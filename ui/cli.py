"""`hemeroteca` and its subcommands: each imports what it needs when it runs, so that `--help` comes at once.

Exit status: 0 done or answered, 1 the archive does not know (or an evaluation fell below its baseline), 2 a user
error, 3 our fault, 130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import HemerotecaError
from ui.options import command_line

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.config import Settings

OK, UNKNOWN, USER_ERROR, OUR_FAULT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141


class UsageError(HemerotecaError):
    """The command line asks for something that cannot be done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _never_fail_to_print()
    try:
        options = command_line(given).parse_args(given)
    except SystemExit as exc:
        return int(exc.code or 0)
    try:
        with _short_lived() if arguments is None and options.command in _SHORT else nullcontext():
            status = _COMMANDS[options.command](options)
        sys.stdout.flush()
    except HemerotecaError as exc:
        return _complain(str(exc), status=USER_ERROR)
    except KeyboardInterrupt:
        return _complain("interrupted; what was finished is kept", status=INTERRUPTED)
    except BrokenPipeError:
        # Nobody reads on: the interpreter's own flush at exit must find an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as exc:  # the last resort of a program: everything else is our fault, and is said to be
        return _our_fault(exc, debug=options.debug)
    return status


# ---- commands


def _ingest(options: argparse.Namespace) -> int:
    from ingest import ingest
    from ui.show import json_text, summary_text, summary_to_dict

    with _opened(options, create=True) as archive, _Progress() as progress:
        summary = ingest(archive, options.paths, progress=progress)
    print(json_text(summary_to_dict(summary)) if options.json else summary_text(summary))
    taken = summary.added + summary.changed + summary.unchanged + summary.duplicates
    return USER_ERROR if summary.failures and not taken else OK


def _ask(options: argparse.Namespace) -> int:
    from ui.show import answer_text, json_text

    question = _question(options.question)
    with _opened(options) as archive:
        answer = archive.ask(question, **_filters(options, archive))
    print(json_text(answer.to_dict()) if options.json else answer_text(answer))
    return OK if answer.status == "answered" else UNKNOWN


def _search(options: argparse.Namespace) -> int:
    from rag.schema import hit_to_dict
    from ui.show import hits_text, json_text

    question = _question(options.question)
    with _opened(options) as archive:
        hits = archive.search(question, k=options.k, **_filters(options, archive))
    print(json_text([hit_to_dict(hit) for hit in hits]) if options.json else hits_text(hits) or "nothing found")
    return OK


def _list(options: argparse.Namespace) -> int:
    from rag.schema import article_to_dict
    from ui.show import json_text, list_text

    with _opened(options) as archive:
        articles, counts = archive.articles(), archive.counts()
    if options.json:
        print(json_text([article_to_dict(article) for article in articles]))
        return OK
    if articles:
        print(list_text(articles))
    waiting = f", {counts.without_vectors} of them without a vector" if counts.without_vectors else ""
    print(f"{counts.articles} articles, {counts.passages} passages{waiting}", file=sys.stderr)
    return OK


def _show(options: argparse.Namespace) -> int:
    from rag.schema import article_to_dict
    from ui.show import article_text, json_text

    with _opened(options) as archive:
        article = archive.article(options.id)
    if options.json:
        print(json_text(article_to_dict(article, text=True)))
    else:
        print(article_text(article, removed=options.removed))
    return OK


def _delete(options: argparse.Namespace) -> int:
    from ui.show import one_line

    with _opened(options) as archive:
        article = archive.delete(options.id)
    print(f"deleted {one_line(article.id)}: {one_line(article.title or article.source)}")
    return OK


def _config(options: argparse.Namespace) -> int:
    from ui.show import json_text, settings_text

    settings = _settings(options)
    if options.json:
        print(json_text({key: {"value": value, "origin": origin} for key, value, origin in settings.items()}))
    else:
        print(settings_text(settings))
    return OK


def _chat(options: argparse.Namespace) -> int:
    from ui.web import serve

    with _opened(options, arguments={"web.host": options.host, "web.port": options.port}) as archive:
        serve(
            archive,
            host=archive.settings.web.host,
            port=archive.settings.web.port,
            sample=options.sample,
            open_browser=options.browser and _has_desktop(),
            on_ready=lambda url: print(f"{url} (Ctrl-C ends it)", flush=True),
            on_notice=_notify,
        )
    return OK


def _eval(options: argparse.Namespace) -> int:
    from eval.command import execute

    options.settings = _settings(options)
    return execute(options)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "ingest": _ingest,
    "ask": _ask,
    "search": _search,
    "list": _list,
    "show": _show,
    "delete": _delete,
    "config": _config,
    "chat": _chat,
    "eval": _eval,
}
_SHORT = ("ask", "search", "list", "show", "delete", "config")


# ---- what commands share


@contextmanager
def _short_lived() -> Iterator[None]:
    """Make this process quick to start and to end: four of ten seconds, measured on an answer from cold."""
    # One question is too small to share, and threads that wait for more of them take time from everybody else.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The libraries' million objects all stay: nobody need look for garbage among them, now or at the end.
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()


def _settings(options: argparse.Namespace, arguments: dict[str, Any] | None = None) -> Settings:
    from rag.config import load_settings

    chosen = dict(options.set)
    chosen |= {key: value for key, value in (arguments or {}).items() if value is not None}
    return load_settings(Path(options.config) if options.config else None, environ=os.environ, arguments=chosen)


def _opened(options: argparse.Namespace, *, create: bool = False, arguments: dict[str, Any] | None = None) -> Archive:
    settings = _settings(options, {"answer.model": getattr(options, "model", None), **(arguments or {})})
    # After the settings: a wrong one is said before seconds of imports.
    from rag.archive import Archive

    return Archive.open(options.archive, settings=settings, create=create, notify=_notify)


def _question(words: Sequence[str]) -> str:
    question = (sys.stdin.read() if list(words) == ["-"] else " ".join(words)).strip()
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


class _Progress:
    """Shows how far a long job is: a bar on a terminal, else a line every ten seconds; on standard error."""

    _EVERY_S = 10.0

    def __init__(self) -> None:
        self._bar: Any = None
        self._total = -1
        self._last = 0.0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            self._draw(done, total)
        else:
            self._say(done, total)

    def _draw(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self._bar is None or total != self._total:
            if self._bar is not None:
                self._bar.close()
            self._bar, self._total = tqdm(total=total, unit=" passages", file=sys.stderr, dynamic_ncols=True), total
        self._bar.update(done - self._bar.n)

    def _say(self, done: int, total: int) -> None:
        from time import monotonic

        if monotonic() - self._last >= self._EVERY_S or done == total:
            self._last = monotonic()
            print(f"{done} of {total} passages", file=sys.stderr)


def _notify(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _has_desktop() -> bool:
    # Without one, the standard library would start a text browser in this very terminal.
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _complain(message: str, *, status: int) -> int:
    from ui.show import one_line

    print(f"hemeroteca: {one_line(message)}", file=sys.stderr)
    return status


def _our_fault(exc: Exception, *, debug: bool) -> int:
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(exc))
    if debug:
        print(text, file=sys.stderr)
        return _complain(f"this is a fault of ours ({type(exc).__name__})", status=OUR_FAULT)
    with tempfile.NamedTemporaryFile("w", prefix="hemeroteca-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(text)
    return _complain(
        f"this is a fault of ours ({type(exc).__name__}: {exc}): what happened is in {file.name}; please report it",
        status=OUR_FAULT,
    )


def _never_fail_to_print() -> None:
    # A terminal that cannot show ¿ gets an escape, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
