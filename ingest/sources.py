"""Which files an ingest reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.schema import IngestFailure

SUFFIXES = (".txt", ".md", ".jsonl")
"""File name endings that have a reader, in lower case."""

_KINDS = ".txt, .md or .jsonl"


def find_files(paths: Sequence[Path]) -> Iterator[Path | IngestFailure]:
    """Yield every readable kind of file below `paths`, each once, and a failure for each path that leads nowhere.

    Folders are walked in sorted order, without following links to other folders, so a loop of links ends. Hidden names
    and files of another kind are passed over inside folders; a file that was named itself and is of another kind is a
    failure, and so is a folder without a single file to read.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found = _walk(path)
        elif path.is_file():
            found = iter([path if path.suffix.lower() in SUFFIXES else _wrong_kind(path)])
        elif path.exists():
            found = iter([IngestFailure(str(path), "is neither a file nor a folder: give files or folders")])
        else:
            found = iter([IngestFailure(str(path), "does not exist: check the path")])
        for item in found:
            if isinstance(item, Path):
                place = item.resolve()
                if place in seen:
                    continue
                seen.add(place)
            yield item


def _walk(folder: Path) -> Iterator[Path | IngestFailure]:
    unreadable: list[IngestFailure] = []

    def note(error: OSError) -> None:
        unreadable.append(IngestFailure(str(error.filename), f"cannot be opened ({error.strerror}): check permissions"))

    empty = True
    for root, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root) / name
            # is_file() also keeps named pipes out, which would block the reader for ever.
            if not name.startswith(".") and path.suffix.lower() in SUFFIXES and path.is_file():
                empty = False
                yield path
    yield from unreadable
    if empty and not unreadable:
        yield IngestFailure(str(folder), f"holds no {_KINDS} file: give another folder")


def _wrong_kind(path: Path) -> IngestFailure:
    suffix = path.suffix or "no suffix"
    return IngestFailure(str(path), f"is of a kind that cannot be read ({suffix}): give {_KINDS}")
