"""`hemeroteca`: one command of one process, from its arguments to its exit status.

Exit status: 0 done or answered, 1 the archive does not know (or an evaluation fell below its baseline, or an ingest
could not take in all), 2 a user error, 3 our fault, 130 interrupted. What is imported here delays the moment from which
Ctrl-C ends without a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from ui.interruption import Interruption
    from ui.terminal import LocalTerminal

INTERRUPTED, PIPE_CLOSED = 130, 141
_INTERRUPTED = "hemeroteca: interrupted; what was finished is kept\n"
_SHORT = ("ask", "search", "list", "show", "delete", "config")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; without arguments, those of the process, which is then ours."""
    if arguments is not None:
        return _run(list(arguments))
    try:
        from ui.interruption import Interruption

        interruption = Interruption(last_words=_INTERRUPTED, status=INTERRUPTED)
    except KeyboardInterrupt:
        sys.stderr.write(_INTERRUPTED)
        return INTERRUPTED
    return interruption.end(_run(sys.argv[1:], interruption=interruption))


def _run(given: list[str], *, interruption: Interruption | None = None) -> int:
    try:
        return _executed(given, interruption=interruption)
    except KeyboardInterrupt:
        if interruption:
            interruption.last_words = ""
        sys.stderr.write(_INTERRUPTED)
        return INTERRUPTED
    except BrokenPipeError:
        import os

        # Nobody reads on: the interpreter's own flush at exit must find an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _executed(given: list[str], *, interruption: Interruption | None) -> int:
    from ui.options import command_line
    from ui.terminal import LocalTerminal

    _never_fail_to_print()
    try:
        options = command_line(given).parse_args(given)
    except SystemExit as exc:
        return int(exc.code or 0)
    if interruption and options.command == "chat":
        # Ctrl-C is how the chat is meant to end.
        interruption.last_words, interruption.status = "", 0
    is_short = options.command in _SHORT
    terminal = LocalTerminal(command=None if is_short else options.command)
    with _short_lived() if interruption and is_short else nullcontext():
        status = _run_where_it_can(options, terminal, given=given)
    sys.stdout.flush()
    if interruption:
        interruption.ignore()
    return status


def _run_where_it_can(options: argparse.Namespace, terminal: LocalTerminal, *, given: list[str]) -> int:
    """Run a command here or, when another process holds the archive, there; return its exit status."""
    from time import monotonic, sleep

    from ui.commands import USER_ERROR, complain, run
    from ui.terminal import PATIENCE_S, HeldElsewhereError

    began = monotonic()
    while True:
        try:
            return run(options, terminal)
        except HeldElsewhereError as exc:
            held = exc
        from rag.errors import ArchiveLockedError
        from ui.forwarding import NotReachedError, forward

        try:
            return forward(given, held, terminal)
        except NotReachedError as exc:
            # It has ended, or is about to.
            if monotonic() - began > PATIENCE_S:
                return complain(terminal, f"{held}, and does not take the command ({exc})", status=USER_ERROR)
            sleep(0.1)
        except ArchiveLockedError as exc:
            return complain(terminal, str(exc), status=USER_ERROR)


@contextmanager
def _short_lived() -> Iterator[None]:
    """Make this process quick to start and to end: four of ten seconds, measured on an answer from cold."""
    import gc
    import os

    # One question is too small to share, and threads that wait for more of them take time from everybody else.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The libraries' million objects all stay: nobody need look for garbage among them, now or at the end.
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()


def _never_fail_to_print() -> None:
    # A terminal that cannot show ¿ gets an escape, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
