"""The trained reader as an ONNX graph: the bundled model's lower layers, trained upper ones, and what is read off them.

It is written into the folder of the bundled model, out of whose weights it reads the table of words.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from rag.bundled import MODEL_WEIGHTS
from rag.encoder_graph import LAYER_PARTS, Array, EncoderGraph, Tensors, place_of
from rag.errors import ModelError
from rag.onnx_bytes import External
from rag.reader_weights import HEADS, ReaderWeights

# Raise when what is written changes, so that graphs of an older form are left alone and made anew.
_FORM: Final = 1
OUTPUTS: Final = sum(HEADS.values())
"""Numbers a token: the logits of a span's start and end there, of its sentence's answering, of the text's."""


def model_shape(folder: Path) -> dict[str, Any]:
    """Return the sizes of the model in a folder, as `PackedModel` has them, and the ids of its special tokens."""
    shape: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return shape


def reader_graph_file(folder: Path, weights: ReaderWeights, *, shape: Mapping[str, Any]) -> Path:
    """Return the file of the reader's graph in the folder of the bundled model, made on the first call (a second).

    Raises:
        ModelError: It cannot be written.
    """
    file = folder / f"reader-{weights.sha256[:12]}-v{_FORM}.onnx"
    if file.is_file():
        return file
    tensors = {**base_tensors(folder, shape, layers=weights.frozen_layers), **weights.tensors}
    words = place_of(folder / MODEL_WEIGHTS, "embeddings.word_embeddings.weight")
    try:
        _write_atomically(file, reader_graph(tensors, shape, words=words))
    except OSError as exc:
        raise ModelError(
            f"the reader's graph cannot be written to {file} ({exc.strerror or exc}): "
            "free some space, or set HEMEROTECA_CACHE to another folder"
        ) from exc
    return file


def reader_graph(tensors: Tensors, shape: Mapping[str, Any], *, words: External) -> bytes:
    """Return an ONNX model that turns token ids into OUTPUTS logits a token; its inputs are those of `encoder_graph`.

    A sentence's logit is the mean over its tokens, since a mean of products is the product of a mean; the text's is
    that of its first token.

    Args:
        tensors: Weights of all layers and of the heads.
        shape: Sizes, as `PackedModel` has them.
        words: Where the table of word vectors is.
    """
    heads = {
        "heads.w": np.concatenate([_array(tensors[f"{head}.w"]) for head in HEADS]),
        "heads.b": np.concatenate([_array(tensors[f"{head}.b"]).ravel() for head in HEADS]),
    }
    built = EncoderGraph({**tensors, **heads}, shape)
    last = built.encoded(words, name="token_embeddings")
    return built.model(built.exact_product(last, "heads"), width=OUTPUTS)


def _array(tensor: Any) -> Array:
    weight: Array = getattr(tensor, "weight", tensor)
    return weight


def base_tensors(folder: Path, shape: Mapping[str, Any], *, layers: int) -> dict[str, Array]:
    """Return embeddings and lower layers of the model in a folder, by the names of the bundled file."""
    from safetensors import safe_open

    names = {
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    for layer in range(min(layers, shape["num_hidden_layers"])):
        for short, long in LAYER_PARTS.items():
            for kind in ("weight", "bias"):
                names[f"l{layer}.{short}.{kind[0]}"] = f"encoder.layer.{layer}.{long}.{kind}"
    with safe_open(folder / MODEL_WEIGHTS, framework="numpy") as file:
        return {short: file.get_tensor(name) for short, name in names.items()}


def _write_atomically(file: Path, content: bytes) -> None:
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        Path(unfinished).replace(file)
    finally:
        Path(unfinished).unlink(missing_ok=True)
