"""Where a command is run: what it prints to, what it reads, and how it comes to an archive.

A command sees a `Terminal` and nothing else of the process that it runs in, so that it can run in another one than it
was typed in.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.config import Settings
    from ui.endpoint import Endpoint

# How long a command waits for an archive that is held by a process that runs no commands for others.
PATIENCE_S = 10.0
# When it says so.
SOON_S = 1.0


class Terminal(Protocol):
    """What a command needs of the place where it was typed."""

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
        """Show how far a long job is; `unit` is what is counted, in the plural."""
        ...

    def announce(self, url: str) -> None:
        """Print where the chat is, and remember it for whoever wants to start another one."""
        ...

    def read(self) -> str:
        """Return all of standard input."""
        ...

    def shown(self, text: str) -> str:
        """Return a message with the paths in `folder` written as they are from there."""
        ...

    def settings(self, options: argparse.Namespace, arguments: Mapping[str, Any]) -> Settings:
        """Return the settings in effect; of `arguments`, None values are passed over and the others win."""
        ...

    def opened(self, folder: Path, *, settings: Settings, create: bool = False) -> AbstractContextManager[Archive]:
        """Return an archive that is open within a `with`; to be entered before a command does anything else."""
        ...


class HeldElsewhereError(Exception):
    """Another process holds the archive, and runs commands on it for other terminals."""

    def __init__(self, folder: Path, *, endpoint: Endpoint, settings: Settings) -> None:
        super().__init__(f"archive {folder} is held by another process, which listens on port {endpoint.port}")
        self.folder, self.endpoint, self.settings = folder, endpoint, settings


class LocalTerminal:
    """The terminal of this very process.

    Args:
        command: What is run; named when it lasts, and then other terminals can have their commands run here.
    """

    _EVERY_S = 10.0

    def __init__(self, *, command: str | None = None) -> None:
        self.folder = Path.cwd()
        self.input = ""
        self._command = command
        self._address = ""
        self._bar: Any = None
        self._total = -1
        self._last = 0.0

    def print(self, text: str) -> None:
        """Write lines to standard output."""
        self._end_bar()
        print(text, flush=True)

    def say(self, text: str) -> None:
        """Write lines to standard error."""
        self._end_bar()
        print(text, file=sys.stderr, flush=True)

    def progress(self, done: int, total: int, unit: str) -> None:
        """Show how far a long job is: a bar on a terminal, else a line every ten seconds; on standard error."""
        if sys.stderr.isatty():
            self._draw(done, total, unit)
        elif monotonic() - self._last >= self._EVERY_S or done == total:
            self._last = monotonic()
            self.say(f"{done} of {total} {unit}")

    def announce(self, url: str) -> None:
        """Print where the chat is, and remember it for whoever wants to start another one."""
        self._address = url
        self.print(f"{url} (Ctrl-C ends it)")

    def read(self) -> str:
        """Return all of standard input, which stays in `input`."""
        self.input += sys.stdin.read()
        return self.input

    def shown(self, text: str) -> str:
        """Return a message with the paths in `folder` written as they are from there."""
        return shown(text, folder=self.folder)

    def settings(self, options: argparse.Namespace, arguments: Mapping[str, Any]) -> Settings:
        """Return the settings in effect in this process."""
        from rag.config import load_settings

        chosen = dict(options.set)
        chosen |= {key: value for key, value in arguments.items() if value is not None}
        return load_settings(Path(options.config) if options.config else None, environ=os.environ, arguments=chosen)

    @contextmanager
    def opened(self, folder: Path, *, settings: Settings, create: bool = False) -> Iterator[Archive]:
        """Open an archive for as long as a `with` lasts; a command that lasts serves other terminals meanwhile.

        Raises:
            HeldElsewhereError: Another process holds the archive and can run the command.
            ArchiveLockedError: Another process has held the archive for `PATIENCE_S` and runs no commands for others.
        """
        with self._opened(folder, settings, create=create) as archive:
            if self._command is None:
                yield archive
                return
            from ui.serving import serving

            with serving(archive, command=self._command, address=lambda: self._address, say=self.say):
                yield archive

    def _opened(self, folder: Path, settings: Settings, *, create: bool) -> Archive:
        from rag.errors import ArchiveLockedError
        from rag.lock import hold, holder
        from ui.endpoint import read_endpoint

        began, told = monotonic(), False
        while True:
            try:
                if read_endpoint(folder):
                    # Tells at once whether its process still lives, before the archive's libraries are loaded.
                    hold(folder).release()
                from rag.archive import Archive

                return Archive.open(folder, settings=settings, create=create, notify=self.say)
            except ArchiveLockedError as exc:
                if endpoint := read_endpoint(folder):
                    raise HeldElsewhereError(folder, endpoint=endpoint, settings=settings) from exc
                if monotonic() - began > PATIENCE_S:
                    raise
                if monotonic() - began > SOON_S and not told:
                    told = True
                    self.say(f"waiting for {holder(folder)} to finish")
            # What holds an archive without listening is a short command, or has only just begun to hold it.
            sleep(0.1)

    def _draw(self, done: int, total: int, unit: str) -> None:
        from tqdm import tqdm

        if self._bar is None or total != self._total:
            self._end_bar()
            self._bar, self._total = tqdm(total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True), total
        self._bar.update(done - self._bar.n)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def shown(text: str, *, folder: Path) -> str:
    """Return a message with the paths in `folder` written as they are from there."""
    prefix = os.path.join(folder, "")  # noqa: PTH118  (a path that ends in a separator)
    # Only whole paths, and never the separator alone.
    return re.sub(rf"(?<![^\s'\"(`]){re.escape(prefix)}(?=[^\s/])", "", text) if folder.name else text
