"""Trained weights for the small model of `packed_model`, and the plain arithmetic that its graph has to agree with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.bundled import read_packed, write_model
from rag.encoder_graph import LAYER_PARTS, Quantised, Tensors, quantised_weight
from rag.reader_weights import HEADS, write_reader_weights
from tests.packed_model import HIDDEN, INNER, packed_model

Array = npt.NDArray[np.float32]
BASE = "of the small model"
METADATA = {
    "base_sha256": BASE,
    "version": "small",
    "frozen_layers": "1",
    "question_tokens": "6",
    "title_tokens": "3",
}


def small_model(folder: Path) -> Path:
    """Write a model of two layers into a folder, and return that."""
    write_model(folder, read_packed(packed_model(layers=2)))
    return folder


def trained_tensors(*, hidden: int = HIDDEN, inner: int = INNER, layer: int = 1) -> dict[str, npt.NDArray[Any]]:
    """Return one layer and the heads; the numbers are random but always the same."""
    random = np.random.default_rng(7)
    tensors: dict[str, npt.NDArray[Any]] = {}
    for short, long in LAYER_PARTS.items():
        name = f"encoder.layer.{layer}.{long}"
        rows = inner if short == "fi" else hidden
        tensors[f"{name}.bias"] = (0.1 * random.standard_normal(rows)).astype(np.float32)
        if short in ("aln", "oln"):
            tensors[f"{name}.weight"] = (1 + 0.1 * random.standard_normal(rows)).astype(np.float32)
            continue
        weight = (0.15 * random.standard_normal((rows, inner if short == "fo" else hidden))).astype(np.float32)
        codes, steps = quantised_weight(weight.T)
        tensors[f"{name}.weight"], tensors[f"{name}.weight.scale"] = np.ascontiguousarray(codes.T), steps
    for head, count in HEADS.items():
        tensors[f"{head}.weight"] = (0.2 * random.standard_normal((count, hidden))).astype(np.float32)
        tensors[f"{head}.bias"] = random.standard_normal(count).astype(np.float32)
    return tensors


def small_weights(file: Path, **changed: str) -> Path:
    """Write trained weights for the small model, some of their metadata changed, and return the file."""
    write_reader_weights(file, trained_tensors(), metadata={**METADATA, **changed})
    return file


def plain_logits(tensors: Tensors, shape: Mapping[str, Any], words: Array, ids: list[int]) -> Array:
    """Return the logits of each token of one text by float32 arithmetic, shape (tokens, 4)."""

    def weight(name: str) -> Array:
        tensor = tensors[f"{name}.w"]
        return tensor.weight if isinstance(tensor, Quantised) else tensor

    def product(given: Array, name: str) -> Array:
        bias = tensors[f"{name}.b"]
        assert not isinstance(bias, Quantised)
        return np.asarray(given @ weight(name).reshape(bias.size, -1).T + bias)

    def normalised(given: Array, name: str) -> Array:
        bias = tensors[f"{name}.b"]
        assert not isinstance(bias, Quantised)
        centred = given - given.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + shape["layer_norm_eps"])
        return np.asarray(centred / spread * weight(name) + bias)

    def part(name: str) -> Array:
        tensor = tensors[name]
        assert not isinstance(tensor, Quantised)
        return tensor.reshape(-1, shape["hidden_size"])

    erf = np.vectorize(math.erf, otypes=[np.float32])
    given = normalised(words[ids] + part("emb.pos")[: len(ids)] + part("emb.type")[0], "emb.ln")
    heads = shape["num_attention_heads"]
    for layer in range(shape["num_hidden_layers"]):
        query, key, value = (
            product(given, f"l{layer}.{name}").reshape(len(ids), heads, -1).transpose(1, 0, 2) for name in "qkv"
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[2])
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        mixed = (weights / weights.sum(axis=2, keepdims=True) @ value).transpose(1, 0, 2).reshape(len(ids), -1)
        given = normalised(product(mixed, f"l{layer}.ao") + given, f"l{layer}.aln")
        inner = product(given, f"l{layer}.fi")
        inner = inner * (1 + erf(inner / math.sqrt(2))) / 2
        given = normalised(product(inner, f"l{layer}.fo") + given, f"l{layer}.oln")
    return np.concatenate([product(given, head) for head in HEADS], axis=1)
