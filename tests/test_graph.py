"""Unused room of a graph's files, as hnswlib lays them out."""

from __future__ import annotations

import struct
from pathlib import Path

from rag.graph import blank_unused

ELEMENT = 700_000


def graph(folder: Path, *, room: int, count: int, version: int = 1) -> bytes:
    """Write a graph whose room is all full of something, and return that."""
    elements = bytes(range(1, 251)) * (room * ELEMENT // 250)
    (folder / "header.bin").write_bytes(struct.pack("<iQQQQ", version, 0, room, count, ELEMENT) + b"more")
    (folder / "data_level0.bin").write_bytes(elements)
    (folder / "length.bin").write_bytes(b"\x07" * 4 * room)
    return elements


def test_room_beyond_the_last_element_is_zeros_and_the_rest_as_it_was(tmp_path: Path) -> None:
    before = graph(tmp_path, room=4, count=1)
    blank_unused(tmp_path)
    assert (tmp_path / "data_level0.bin").read_bytes() == before[:ELEMENT] + bytes(3 * ELEMENT)
    assert (tmp_path / "length.bin").read_bytes() == b"\x07" * 4 + bytes(12)


def test_files_of_another_form_are_left_alone(tmp_path: Path) -> None:
    before = graph(tmp_path, room=2, count=1, version=2)
    blank_unused(tmp_path)
    assert (tmp_path / "data_level0.bin").read_bytes() == before
