"""The file of trained weights that the reader adds to the bundled model: upper layers and heads, as whole numbers.

Layers have the names that they have in a `BertModel`. A weight is int8 within MOST_WEIGHT, with a float32
`<name>.scale` for each of its rows; biases, normalisations and the heads are float. What it was trained on, and how its
input is written, is in the file's metadata.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rag.encoder_graph import LAYER_PARTS, MOST_WEIGHT, Array, Quantised, Tensors
from rag.errors import ModelError

WEIGHTS_FILE: Final = Path(__file__).parent / "reader" / "weights.safetensors"
FORMAT: Final = "hemeroteca-reader-1"
HEADS: Final = {"span": 2, "sentence": 1, "relevance": 1}
"""What is read off the last layer, each with how many numbers it gives."""
_CONTENT: Final = "content_sha256"
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)")
_PARTS = {long: short for short, long in LAYER_PARTS.items()}
_REMEDY = "reinstall Hemeroteca, which carries it"


@dataclass(frozen=True, slots=True)
class ReaderWeights:
    """What the file holds: tensors by the names of the bundled file ("l4.q.w"), heads as "span.w" and "span.b".

    `sha256` is the file's. The layers below `frozen_layers` are the bundled model's own; of a question the first
    `question_tokens` are read, of a title the first `title_tokens`.
    """

    sha256: str
    version: str
    frozen_layers: int
    question_tokens: int
    title_tokens: int
    tensors: Tensors


def read_reader_weights(file: Path, *, base_sha256: str, shape: Mapping[str, Any]) -> ReaderWeights:
    """Return what a file of trained weights holds.

    Args:
        file: In the safetensors format.
        base_sha256: Of the weights that it must have been trained on.
        shape: Sizes of the model, as `PackedModel` has them.

    Raises:
        ModelError: It is not there, is damaged, of another format, or trained on other weights.
    """
    if not file.is_file():
        raise ModelError(f"there are no trained weights in {file}: {_REMEDY}")
    try:
        content = file.read_bytes()
        metadata, tensors = _parsed(content)
        if metadata.get("format") != FORMAT:
            raise ModelError(f"{file} is of format {metadata.get('format')!r}, not {FORMAT!r}: {_REMEDY}")
        if metadata["base_sha256"] != base_sha256:
            raise ModelError(
                f"{file} was trained on weights {metadata['base_sha256'][:12]}, and the bundled model has "
                f"{base_sha256[:12]}: {_REMEDY}"
            )
        read = ReaderWeights(
            sha256=hashlib.sha256(content).hexdigest(),
            version=metadata["version"],
            frozen_layers=int(metadata["frozen_layers"]),
            question_tokens=int(metadata["question_tokens"]),
            title_tokens=int(metadata["title_tokens"]),
            tensors=_renamed(tensors),
        )
        _check_shapes(read, shape)
    except (OSError, ValueError, KeyError, struct.error) as exc:
        what = f"{exc} is missing" if isinstance(exc, KeyError) else str(exc).splitlines()[0]
        raise ModelError(f"the trained weights in {file} are damaged ({what}): {_REMEDY}") from exc
    return read


def write_reader_weights(file: Path, tensors: Mapping[str, npt.NDArray[Any]], *, metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata as `read_reader_weights` reads them, with a hash by which damage is noticed."""
    from safetensors.numpy import save

    kept = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    digest = hashlib.sha256(_body(save(kept))).hexdigest()
    file.write_bytes(save(kept, metadata={**metadata, "format": FORMAT, _CONTENT: digest}))


def _parsed(content: bytes) -> tuple[dict[str, str], dict[str, npt.NDArray[Any]]]:
    import json

    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(content)
    except SafetensorError as exc:
        raise ValueError(str(exc)) from exc
    (size,) = struct.unpack_from("<Q", content)
    metadata: dict[str, str] = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    known = metadata.get(_CONTENT)
    if known and known != hashlib.sha256(_body(content)).hexdigest():
        raise ValueError("its content has another SHA-256 than it says")
    return metadata, tensors


def _body(content: bytes) -> bytes:
    (size,) = struct.unpack_from("<Q", content)
    return content[8 + size :]


def _renamed(tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, Array | Quantised]:
    renamed: dict[str, Array | Quantised] = {}
    for name, tensor in tensors.items():
        if name.endswith(".scale"):
            continue
        layer = _LAYER.fullmatch(name)
        stem, _, kind = name.rpartition(".")
        short = f"l{layer[1]}.{_PARTS[layer[2]]}" if layer else stem
        renamed[f"{short}.{kind[0]}"] = _weight(name, tensor, tensors)
    return renamed


def _weight(name: str, tensor: npt.NDArray[Any], tensors: Mapping[str, npt.NDArray[Any]]) -> Array | Quantised:
    if tensor.dtype != np.int8:
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} has numbers that are none")
        return tensor.astype(np.float32)
    steps = tensors[f"{name}.scale"].astype(np.float32)
    if steps.shape != tensor.shape[:1] or not np.isfinite(steps).all():
        raise ValueError(f"{name} has {tensor.shape[0]} rows and {steps.size} scales")
    if np.abs(tensor.astype(np.int16)).max(initial=0) > MOST_WEIGHT:
        raise ValueError(f"{name} has whole numbers beyond {MOST_WEIGHT}")
    return Quantised(tensor, steps)


def _check_shapes(read: ReaderWeights, shape: Mapping[str, Any]) -> None:
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    widths = {"fi": (inner, hidden), "fo": (hidden, inner), "aln": (hidden, None), "oln": (hidden, None)}
    expected: dict[str, tuple[int, int | None]] = {
        f"l{layer}.{part}": widths.get(part, (hidden, hidden))
        for layer in range(read.frozen_layers, shape["num_hidden_layers"])
        for part in LAYER_PARTS
    }
    expected |= {head: (count, hidden) for head, count in HEADS.items()}
    for name, (rows, width) in expected.items():
        weight, bias = read.tensors[f"{name}.w"], read.tensors[f"{name}.b"]
        found = weight.codes.shape if isinstance(weight, Quantised) else weight.shape
        if found != ((rows,) if width is None else (rows, width)) or isinstance(bias, Quantised) or bias.size != rows:
            raise ValueError(f"{name} has the shape {found}, not {(rows, width)}")
