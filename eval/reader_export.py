"""The trained weights as they are shipped: whole numbers and what they were made with, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.reader_features import MOST_TOKENS, QUESTION_TOKENS, TEMPLATE, TITLE_TOKENS
from rag.bundled import NAME, WEIGHTS
from rag.encoder_graph import quantised_weight
from rag.reader_weights import write_reader_weights

Array = npt.NDArray[np.float32]


def shipped(weights: Mapping[str, Array]) -> dict[str, npt.NDArray[Any]]:
    """Return weights with the layers' matrices as int8, and what one step of each row is worth as `<name>.scale`."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    for name, weight in weights.items():
        if is_matrix(name):
            codes, steps = quantised_weight(weight.T)
            tensors[name], tensors[f"{name}.scale"] = np.ascontiguousarray(codes.T), steps
        else:
            tensors[name] = weight
    return tensors


def is_matrix(name: str) -> bool:
    """Whether a weight is a matrix of a layer, which is shipped in whole numbers."""
    return name.startswith("encoder.") and name.endswith(".weight") and "LayerNorm" not in name


def write_shipped(file: Path, weights: Mapping[str, Array], *, version: str, figures: Mapping[str, Any]) -> None:
    """Write the file that `rag.reader_weights` reads.

    Args:
        file: Is replaced.
        weights: As the training has them, in float32.
        version: Of the weights.
        figures: What the training reached, for those who look into the file.
    """
    layers = sorted(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    metadata = {
        "base": NAME,
        "base_sha256": WEIGHTS.sha256,
        "frozen_layers": str(layers[0]),
        "template": TEMPLATE,
        "question_tokens": str(QUESTION_TOKENS),
        "title_tokens": str(TITLE_TOKENS),
        "max_tokens": str(MOST_TOKENS),
        "version": version,
        "figures": json.dumps(figures),
    }
    write_reader_weights(file, shipped(weights), metadata=metadata)


def main() -> int:
    """Write a training's best state, or its last: `python -m eval.reader_export STATE.safetensors FILE VERSION`."""
    import sys

    from safetensors.numpy import load_file

    state, file, version = sys.argv[1:]
    log = Path(state).with_name("log.jsonl")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    if Path(state).stem == "last":
        lines = lines[-1:]
    reached: dict[str, Any] = max(lines, key=lambda line: float(line["score"]), default={})
    write_shipped(Path(file), load_file(state), version=version, figures=reached)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
