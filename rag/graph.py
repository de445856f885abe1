"""The files in which Chroma keeps the graph of its vectors: what it leaves in their unused room is blanked.

Chroma 1.5.9 writes the room for vectors to come as it was in memory, where anything that the process ever held may be:
a deleted article's text, or a key.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

# hnswlib's header: version, offset of the first element, room, elements, bytes of an element.
_HEADER = struct.Struct("<iQQQQ")
_VERSION = 1
# For each element a number of its own in `length.bin`.
_LENGTH_BYTES = 4


def blank_unused(folder: Path) -> None:
    """Overwrite what is beyond the last element in one graph's files; files of another form are left alone.

    Nobody may have the graph open.
    """
    header = folder / "header.bin"
    if not header.is_file() or header.stat().st_size < _HEADER.size:
        return
    version, start, room, count, element_bytes = _HEADER.unpack(header.read_bytes()[: _HEADER.size])
    elements = folder / "data_level0.bin"
    if version != _VERSION or start or count > room or elements.stat().st_size != room * element_bytes:
        return
    _blank(elements, after=count * element_bytes)
    lengths = folder / "length.bin"
    if lengths.is_file() and lengths.stat().st_size == room * _LENGTH_BYTES:
        _blank(lengths, after=count * _LENGTH_BYTES)


def _blank(file: Path, *, after: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(after)
        rest = stream.read()
        if rest.strip(b"\0"):
            stream.seek(after)
            stream.write(bytes(len(rest)))
            stream.flush()
            os.fsync(stream.fileno())
