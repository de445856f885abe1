"""ONNX models as bytes: the few message kinds of onnx.proto that a graph of ours needs. Pure.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Attribute = int | float | str | Sequence[int]

_TYPES = {np.dtype("<f4"): 1, np.dtype("u1"): 2, np.dtype("i1"): 3, np.dtype("<i4"): 6, np.dtype("<i8"): 7}
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7
_EXTERNAL = 1
_IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class External:
    """A tensor whose numbers are in another file of the model's folder."""

    file: str
    offset: int
    dtype: npt.DTypeLike
    shape: tuple[int, ...]


def model(graph: bytes, *, opsets: Mapping[str, int]) -> bytes:
    """Return a model; `opsets` gives a version for each domain, "" being ONNX's own."""
    imports = [_message(8, _text(1, domain) + _number(2, version)) for domain, version in opsets.items()]
    return _number(1, _IR_VERSION) + _text(2, "hemeroteca") + _message(7, graph) + b"".join(imports)


def graph(
    nodes: Iterable[bytes],
    *,
    tensors: Mapping[str, npt.NDArray[np.generic] | External],
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
) -> bytes:
    """Return a graph of `node`s, in an order in which each comes after what it reads."""
    parts = [_message(1, node) for node in nodes]
    parts.append(_text(2, "encoder"))
    parts += [_message(5, _tensor(name, tensor)) for name, tensor in tensors.items()]
    parts += [_message(11, value) for value in inputs]
    parts += [_message(12, value) for value in outputs]
    return b"".join(parts)


def node(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], *, domain: str = "", **attributes: Attribute
) -> bytes:
    """Return one operation; an input named "" is left out."""
    parts = [_text(1, name) for name in inputs]
    parts += [_text(2, name) for name in outputs]
    parts += [_text(3, outputs[0]), _text(4, kind)]
    parts += [_message(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join([*parts, _text(7, domain)])


def value(name: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> bytes:
    """Return the declaration of an input or output; a length that varies is given by a name."""
    dims = b"".join(_message(1, _number(1, d) if isinstance(d, int) else _text(2, d)) for d in shape)
    tensor_type = _number(1, _TYPES[np.dtype(dtype)]) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor_type))


def _tensor(name: str, tensor: npt.NDArray[np.generic] | External) -> bytes:
    head = b"".join(_number(1, length) for length in tensor.shape)
    head += _number(2, _TYPES[np.dtype(tensor.dtype)]) + _text(8, name)
    if isinstance(tensor, External):
        size = int(np.prod(tensor.shape)) * np.dtype(tensor.dtype).itemsize
        places = {"location": tensor.file, "offset": str(tensor.offset), "length": str(size)}
        entries = [_message(13, _text(1, key) + _text(2, place)) for key, place in places.items()]
        return head + b"".join(entries) + _number(14, _EXTERNAL)
    return head + _message(9, np.ascontiguousarray(tensor).tobytes())


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        # Field 2, four bytes.
        return _text(1, name) + b"\x15" + struct.pack("<f", value) + _number(20, _FLOAT)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _STRING)
    return _text(1, name) + b"".join(_number(8, item) for item in value) + _number(20, _INTS)


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, number: int) -> bytes:
    # Negative numbers are written as 64-bit two's complement.
    return _varint(field << 3) + _varint(number & 0xFFFFFFFFFFFFFFFF)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
