"""Which files an ingest reads."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.schema import IngestFailure

SUFFIXES = (".txt", ".md", ".jsonl")
"""File name endings that have a reader, in lower case."""

_UNREADABLE = "cannot be opened ({}): check that it exists and may be read"
_KINDS = ".txt, .md or .jsonl"


def written(path: Path) -> str:
    r"""Return a path as text that any encoding of Unicode takes: bytes that are not UTF-8 as `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def unreadable(path: Path, error: OSError) -> IngestFailure:
    """Return the failure of a path that the system does not let us read."""
    return IngestFailure(written(path), _UNREADABLE.format(error.strerror or error))


def find_files(paths: Sequence[Path]) -> Iterator[Path | IngestFailure]:
    """Yield every readable kind of file below `paths`, each once, and a failure for each path that leads nowhere.

    Folders are walked in sorted order, without following links to other folders, so a loop of links ends. Hidden names
    and files of another kind are passed over inside folders; a file that was named itself and is of another kind is a
    failure, and so is a folder without a single file to read.
    """
    seen: set[Path] = set()
    for path in paths:
        for item in _found(path):
            if isinstance(item, Path):
                place = item.resolve()
                if place in seen:
                    continue
                seen.add(place)
            yield item


def _found(path: Path) -> Iterator[Path | IngestFailure]:
    try:
        mode = _mode(path)
    except OSError as exc:
        yield unreadable(path, exc)
        return
    if stat.S_ISDIR(mode):
        yield from _walk(path)
    elif stat.S_ISREG(mode):
        yield path if path.suffix.lower() in SUFFIXES else _wrong_kind(path)
    elif mode:
        yield IngestFailure(written(path), "is neither a file nor a folder: give files or folders")
    else:
        yield IngestFailure(written(path), "does not exist: check the path")


def _mode(path: Path) -> int:
    """Return what kind of thing a path leads to, as `stat` has it; 0 where it leads nowhere.

    Raises:
        OSError: It may not be looked at.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            return 0
        raise


def _walk(folder: Path) -> Iterator[Path | IngestFailure]:
    closed: list[IngestFailure] = []

    def note(error: OSError) -> None:
        closed.append(unreadable(Path(error.filename), error))

    empty = True
    for root, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root) / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            try:
                # Named pipes are kept out, which would block the reader for ever.
                is_file = stat.S_ISREG(_mode(path))
            except OSError as exc:
                note(exc)
                continue
            if is_file:
                empty = False
                yield path
    yield from closed
    if empty and not closed:
        yield IngestFailure(written(folder), f"holds no {_KINDS} file: give another folder")


def _wrong_kind(path: Path) -> IngestFailure:
    suffix = path.suffix or "no suffix"
    return IngestFailure(written(path), f"is of a kind that cannot be read ({suffix}): give {_KINDS}")
