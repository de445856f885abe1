"""Ctrl-C ends the program within a second, whatever it is doing.

The first one raises KeyboardInterrupt, as ever. Code that was not written in Python lets that wait for seconds, and so
does the interpreter, which takes the model libraries apart before it ends. So what has not ended after `GRACE_S`, or
when Ctrl-C comes again, is ended where it stands: to an archive that is no worse than a power cut. While a module is
being imported nothing is raised at all: of libraries that begin outside Python some lose the exception, some take it
for a fault of theirs and some abort the process, and there is nothing yet to put away.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from types import FrameType

GRACE_S = 0.4
_IMPORTLIB = "<frozen importlib._bootstrap>"


class Interruption:
    """What Ctrl-C does to this process, from its making on; to be made by the main thread.

    Args:
        last_words: Written to standard error when the process is ended where it stands; `status` is its exit status.
    """

    def __init__(self, *, last_words: str = "", status: int = 130) -> None:
        self.last_words, self.status = last_words, status
        self.happened = False
        # A process that was started to ignore Ctrl-C goes on ignoring it.
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            return
        ear, mouth = socket.socketpair()
        mouth.setblocking(False)
        # Written to by the system's own handler, also while the main thread is not in Python.
        signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._on_signal)
        self._mouth = mouth
        threading.Thread(target=self._watch, args=(ear,), daemon=True).start()

    def ignore(self) -> None:
        """Let Ctrl-C do nothing from now on: all is done and said, and the interpreter only takes itself apart."""
        if signal.getsignal(signal.SIGINT) == self._on_signal:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end(self, status: int) -> int:
        """Return the exit status of a program that was not interrupted; one that was ends here, with that status."""
        if self.happened:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(status)
        return status

    def _on_signal(self, _: int, frame: FrameType | None) -> None:
        # Once: a second one must not break what is said and put away after the first.
        if not self.happened:
            self.happened = True
            # What other threads and destructors meet from now on is no news.
            threading.excepthook = lambda _: None
            sys.unraisablehook = lambda _: None
            if not _is_importing(frame):
                raise KeyboardInterrupt

    def _watch(self, ear: socket.socket) -> None:
        while ear.recv(1)[0] != signal.SIGINT:
            pass
        ear.settimeout(GRACE_S)
        with suppress(TimeoutError):
            ear.recv(1)
        os.write(2, self.last_words.encode())
        os._exit(self.status)


def _is_importing(frame: FrameType | None) -> bool:
    while frame and frame.f_code.co_filename != _IMPORTLIB:
        frame = frame.f_back
    return frame is not None
