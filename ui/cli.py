"""`hemeroteca`: one command of one process, from its arguments to its exit status.

Exit status: 0 done or answered, 1 the archive does not know (or an evaluation fell below its baseline), 2 a user
error, 3 our fault, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from ui.commands import complain, run
from ui.options import command_line
from ui.terminal import LocalTerminal

INTERRUPTED, PIPE_CLOSED = 130, 141
_SHORT = ("ask", "search", "list", "show", "delete", "config")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _never_fail_to_print()
    try:
        options = command_line(given).parse_args(given)
    except SystemExit as exc:
        return int(exc.code or 0)
    terminal = LocalTerminal()
    try:
        with _short_lived() if arguments is None and options.command in _SHORT else nullcontext():
            status = run(options, terminal)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return complain(terminal, "interrupted; what was finished is kept", status=INTERRUPTED)
    except BrokenPipeError:
        # Nobody reads on: the interpreter's own flush at exit must find an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return status


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


def _never_fail_to_print() -> None:
    # A terminal that cannot show ¿ gets an escape, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
