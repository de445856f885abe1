"""An archive's folder: told from anybody else's before anything is written there."""

from __future__ import annotations

from pathlib import Path

from rag.database import FILE_NAME, holds_archive
from rag.errors import ArchiveError, ArchiveMissingError
from rag.lock import NOTES

_INDEXES = ("vectors", "words")
# What an opening leaves in a folder before the database is there.
_OURS = NOTES | {FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", f"{FILE_NAME}-journal"}


def is_unused(folder: Path) -> bool:
    """Return whether no archive is in a folder, so that opening it would begin one."""
    return not (folder / FILE_NAME).exists()


def check_folder(folder: Path, *, create: bool) -> None:
    """Make sure that a folder holds an archive, or can take a new one; a new folder is made, nothing else is written.

    Raises:
        ArchiveMissingError: There is no archive, and `create` is false.
        ArchiveError: The archive there cannot be used, or the folder holds something else.
    """
    if holds_archive(folder / FILE_NAME):
        return
    indexes = [name for name in _INDEXES if (folder / name).exists()]
    if indexes:
        # An empty archive would empty them in turn.
        raise ArchiveError(
            f"{folder / FILE_NAME} is missing or empty, though the indexes made from it ({', '.join(indexes)}) are "
            "there: put a copy of it back, or ingest into another folder"
        )
    if not create:
        raise ArchiveMissingError(
            f"there is no archive at {folder}: make one with `hemeroteca ingest PATH --archive {folder}`, or name "
            "another"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(entry.name for entry in folder.iterdir() if entry.name not in _OURS)
    except OSError as exc:
        raise ArchiveError(f"archive folder {folder} cannot be made ({exc.strerror}): choose another folder") from exc
    if others:
        raise ArchiveError(
            f"folder {folder} holds other files ({', '.join(others[:3])}): choose an empty or new folder"
        )
