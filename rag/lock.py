"""One process at a time holds an archive; a second one is told who does."""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import ArchiveError, ArchiveLockedError

_LOCK = "lock"
_HOLDER = "holder.json"
_CLOSED = "check its permissions, or copy it elsewhere"
_FULL = "make space on its disk, and run the command again"
_REMEDIES = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL}
ENDPOINT = "endpoint.json"
"""Where the process that holds an archive may note how to reach it; what another one left there is removed."""
NOTES = frozenset({_LOCK, _HOLDER, ENDPOINT})
"""The files that holding an archive may leave in its folder."""


@dataclass(frozen=True, slots=True)
class Hold:
    """An archive folder held by this process until `release`. The system frees it if the process dies."""

    folder: Path
    lock: FileLock

    def release(self) -> None:
        """Let others have the archive; releasing twice does nothing."""
        if self.lock.is_locked:
            try:
                # The notes only inform: one that cannot be removed must not keep the archive held.
                for note in (ENDPOINT, _HOLDER):
                    with suppress(OSError):
                        (self.folder / note).unlink(missing_ok=True)
            finally:
                self.lock.release()


def hold(folder: Path) -> Hold:
    """Return the hold on an archive's folder.

    Raises:
        ArchiveLockedError: Another process, or another `Archive` of this one, holds it.
        ArchiveError: The folder cannot be written.
    """
    # Not of one thread: an archive opened in one may be closed in another, as a web server does.
    lock = FileLock(folder / _LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
        (folder / ENDPOINT).unlink(missing_ok=True)
        note = {
            "pid": os.getpid(),
            "command": _command(),
            "since": datetime.now().astimezone().isoformat(" ", "minutes"),
        }
        (folder / _HOLDER).write_text(json.dumps(note), encoding="utf-8")
    except Timeout as exc:
        raise ArchiveLockedError(
            f"archive {folder} is held by {holder(folder)}: close that one first, or use another archive"
        ) from exc
    except OSError as exc:
        lock.release()
        raise ArchiveError(
            f"archive {folder} cannot be written ({exc.strerror}): {_REMEDIES.get(exc.errno or 0, _CLOSED)}"
        ) from exc
    return Hold(folder=folder, lock=lock)


def _command() -> str:
    # Without the arguments: a question is nobody else's business.
    command = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return " ".join([command, *sys.argv[1:2]]) if command.startswith("hemeroteca") else command


def holder(folder: Path) -> str:
    """Return who holds an archive, in words, as far as that is noted."""
    try:
        note = json.loads((folder / _HOLDER).read_text(encoding="utf-8"))
        return f"process {note['pid']} ({note['command']}, since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
