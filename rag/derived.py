"""What both indexes do about damage: notice it, and put a damaged folder aside so that it is made anew from the truth.

Two files in an index's folder serve that. `seal.json` has the checksums of its files as the last writing left them.
`unproven` is there while an index is being opened, and after a search that met damage: libraries written in C++ end the
whole process when they read a damaged file, so one that is found at opening tells of a process that died there. One may
have been killed; after a second one the index is put aside.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from rag.errors import ArchiveError

T = TypeVar("T")
_SEAL = "seal.json"
_UNPROVEN = "unproven"
_OPENED, _OPENED_AGAIN = "being opened", "being opened again"
_FRESH, _REPLACED = ".new", ".old"
_BLOCK = 1 << 20
# Bytes; no index can be written with less.
_LEAST_SPACE = 1 << 20
# What the surroundings do to an index that is sound: making it anew would not help.
_SURROUNDINGS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
_SURROUNDINGS_SAID = re.compile(
    r"disk is full|no space left|read-?only|permission ?denied|too many open files|is locked|lockbusy|"
    r"unable to open database|out of memory|cannot allocate",
    re.IGNORECASE,
)


class Door:
    """Lets many in at once, or one alone: an index is searched by many threads, and replaced by one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Be inside with others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be inside with nobody else; who comes later waits."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._alone = True
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._inside)
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """Give a new folder beside `folder` to make an index in; it is gone afterwards, unless `swap` put it in place."""
    fresh = folder.with_name(folder.name + _FRESH)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def swap(folder: Path, fresh: Path) -> None:
    """Put `fresh` in the place of `folder`, which is removed.

    A process that dies between the two renames leaves no folder: the next opening makes one from the truth.
    """
    replaced = folder.with_name(folder.name + _REPLACED)
    shutil.rmtree(replaced, ignore_errors=True)
    folder.rename(replaced)
    try:
        fresh.rename(folder)
    except OSError:
        replaced.rename(folder)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what damage and interrupted rebuilding left beside an index's folder."""
    for pattern in (f"{folder.name}{_FRESH}", f"{folder.name}{_REPLACED}", f"{folder.name}.damaged-*"):
        for other in folder.parent.glob(pattern):
            shutil.rmtree(other, ignore_errors=True)


def sound_or_anew(folder: Path, *, name: str, make: Callable[[], T]) -> T:
    """Return what `make` opens in `folder`, which is put aside first if what it holds is damaged.

    Args:
        folder: The index's own; made if there is none. Nobody else may have it open.
        name: What it is, for messages.
        make: Opens the index and reads a little of it; leaves nothing open when it fails.

    Raises:
        ArchiveError: The folder cannot be used, or `make` raised it.
    """
    for other in (_FRESH, _REPLACED):
        shutil.rmtree(folder.with_name(folder.name + other), ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = _damage(folder)
        if not why:
            try:
                return _guarded(folder, make)
            except BaseException as exc:
                # Chroma says of a full disk that it lacks an attribute.
                if not tells_damage(exc) or _is_full(folder):
                    raise
                why = _first_line(exc)
        aside = _put_aside(folder)
        logging.getLogger(__name__).warning(
            "The %s was damaged (%s): it is made anew from the articles, the old one is in %s.", name, why, aside
        )
        folder.mkdir()
        return _guarded(folder, make)
    except ArchiveError:
        raise
    except BaseException as exc:
        if not isinstance(exc, Exception) and not _is_panic(exc):
            raise
        raise ArchiveError(f"{name} {folder} cannot be opened ({_first_line(exc)}): {_remedy(folder)}") from exc


@contextmanager
def translated(failure: str, *, folder: Path, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn a library's errors and panics into ArchiveError, and have a damaged index made anew at the next opening."""
    try:
        yield
    except BaseException as exc:
        if not isinstance(exc, errors) and not _is_panic(exc):
            raise
        if tells_damage(exc) and not _is_full(folder):
            with suppress(OSError):
                write_durably(folder / _UNPROVEN, _first_line(exc))
            what_to_do = "run the command again, and the index is made anew from the articles"
        else:
            what_to_do = _remedy(folder)
        raise ArchiveError(f"{failure} ({_first_line(exc)}): {what_to_do}") from exc


def tells_damage(exc: BaseException) -> bool:
    """Return whether an error says that files are damaged: not full disks, permissions, or anything of our own."""
    if isinstance(exc, ArchiveError | MemoryError) or not (isinstance(exc, Exception) or _is_panic(exc)):
        return False
    if isinstance(exc, OSError) and exc.errno in _SURROUNDINGS:
        return False
    return not _SURROUNDINGS_SAID.search(str(exc))


def seal(folder: Path, files: Iterable[Path], *, present: Iterable[Path] = ()) -> None:
    """Record the checksums of files that stay as they are until `unseal`, and that those in `present` exist."""
    sums: dict[str, int | None] = {str(file.relative_to(folder)): None for file in present}
    sums |= {str(file.relative_to(folder)): _checksum(file) for file in files}
    write_durably(folder / _SEAL, json.dumps(sums, indent=1, sort_keys=True))


def unseal(folder: Path) -> None:
    """Forget the checksums, before files change."""
    (folder / _SEAL).unlink(missing_ok=True)


def is_sealed(folder: Path) -> bool:
    """Return whether the folder has checksums."""
    return (folder / _SEAL).is_file()


def _guarded(folder: Path, make: Callable[[], T]) -> T:
    write_durably(folder / _UNPROVEN, _OPENED_AGAIN if (folder / _UNPROVEN).exists() else _OPENED)
    try:
        return make()
    finally:
        # An error is no crash: whoever sees it decides.
        (folder / _UNPROVEN).unlink(missing_ok=True)


def _damage(folder: Path) -> str:
    try:
        # One that died may have been ended by anybody; two have died of it.
        if (folder / _UNPROVEN).read_text(encoding="utf-8", errors="replace") != _OPENED:
            return "it ended the processes that had it last"
    except FileNotFoundError:
        pass
    try:
        sums = json.loads((folder / _SEAL).read_text(encoding="utf-8"))
        changed = [name for name, known in sums.items() if not _is_as_sealed(folder / name, known)]
    except FileNotFoundError:
        return ""
    except (ValueError, AttributeError):
        return f"{_SEAL} cannot be read"
    return f"{changed[0]} is not what was written" if changed else ""


def _is_as_sealed(file: Path, known: int | None) -> bool:
    return file.is_file() and (known is None or _checksum(file) == known)


def _checksum(file: Path) -> int:
    checksum = 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _put_aside(folder: Path) -> Path:
    older = {}
    for other in folder.parent.glob(f"{folder.name}.damaged-*"):
        number = other.name.rpartition("-")[2]
        if number.isdecimal():
            older[int(number)] = other
    aside = folder.with_name(f"{folder.name}.damaged-{max(older, default=0) + 1}")
    folder.rename(aside)
    for other in older.values():
        shutil.rmtree(other, ignore_errors=True)
    return aside


def write_durably(file: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all, also after a power cut."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError:
        # Half a note would be taken for damage.
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_SPACE
    except OSError:
        return False


def _remedy(folder: Path) -> str:
    if _is_full(folder):
        return "make space on its disk, and run the command again"
    return "check the disk and its permissions, and run the command again"


def _is_panic(exc: BaseException) -> bool:
    # Raised by Rust code, by each library as a class of its own that is no Exception and cannot be imported.
    return type(exc).__name__ == "PanicException"


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]
