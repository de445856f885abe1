"""A model in the format of the bundled weights, small enough to write by hand: 32 numbers, 11 pieces."""

from __future__ import annotations

import struct

import numpy as np

HIDDEN, INNER, POSITIONS = 32, 64, 24
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "c", "▁a", "passage", ":"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -2.0, -2.0, -2.0, -1.0, -1.0, -1.0]


def quantised_block(scale: float, codes: list[int]) -> bytes:
    """Return a Q4_0 block of 32 codes, 0 to 15."""
    packed = bytes(codes[index] | codes[index + 16] << 4 for index in range(16))
    return struct.pack("<e", scale) + packed


def packed_model(layers: int = 1) -> bytes:
    """Return a weights file; its numbers are random but always the same."""
    random = np.random.default_rng(5)
    tensors: list[tuple[str, bool, int, bytes]] = []

    def add_quantised(name: str, count: int) -> None:
        blocks = [quantised_block(0.05, random.integers(0, 16, 32).tolist()) for _ in range(count // 32)]
        tensors.append((name, True, count, b"".join(blocks)))

    def add_plain(name: str, count: int, *, centre: float = 0.0) -> None:
        values = (centre + 0.1 * random.standard_normal(count)).astype("<f4")
        tensors.append((name, False, count, values.tobytes()))

    add_quantised("emb.word", len(PIECES) * HIDDEN)
    add_plain("emb.pos", POSITIONS * HIDDEN)
    add_plain("emb.type", 2 * HIDDEN)
    for norm in ("emb.ln", *(f"l{layer}.{name}" for layer in range(layers) for name in ("aln", "oln"))):
        add_plain(f"{norm}.w", HIDDEN, centre=1.0)
        add_plain(f"{norm}.b", HIDDEN)
    for dense, rows, width in (
        *((name, HIDDEN, HIDDEN) for name in ("q", "k", "v", "ao")),
        ("fi", INNER, HIDDEN),
        ("fo", HIDDEN, INNER),
    ):
        for layer in range(layers):
            add_quantised(f"l{layer}.{dense}.w", rows * width)
            add_plain(f"l{layer}.{dense}.b", rows)
    return _assembled(tensors, layers=layers)


def _assembled(tensors: list[tuple[str, bool, int, bytes]], *, layers: int) -> bytes:
    blob = "".join(PIECES).encode()
    edges = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, layers, 2, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    head += edges.tobytes() + np.array(SCORES, "<f4").tobytes() + blob
    # One entry of a normalisation map: U+00A0 becomes a space.
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xA0, 1, 0x20)
    head += struct.pack("<i", len(tensors))
    offset = len(head) + sum(2 + len(name) + struct.calcsize("<BIQQ") for name, *_ in tensors)
    directory = b""
    for name, quantised, count, stored in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", quantised, count, offset, len(stored))
        offset += len(stored)
    return head + directory + b"".join(stored for *_, stored in tensors)
