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
_BLOCK = 1 << 20


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
    written = False
    with file.open("r+b") as stream:
        stream.seek(after)
        # In blocks: a graph of 180,000 vectors has 150 MB of room.
        while block := stream.read(_BLOCK):
            if block.strip(b"\0"):
                stream.seek(-len(block), os.SEEK_CUR)
                stream.write(bytes(len(block)))
                written = True
        if written:
            stream.flush()
            os.fsync(stream.fileno())
