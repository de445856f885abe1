"""The bundled model's graph, and the reader's, in onnxruntime, which only this module imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from rag.encoder_graph import ABOUT, GRAPH
from rag.errors import ModelError

# Added before the softmax: leaves exactly nothing of what is behind it.
_PASSED_OVER = np.float32(-1e9)
_ANEW = "which is then made anew"


class Encoder:
    """Token ids to vectors of tokens; any number of threads may use it."""

    def __init__(self, folder: Path) -> None:
        """Load the graph that `rag.bundled` made; a third of a second in which Python goes on.

        Raises:
            ModelError: onnxruntime cannot load it.
        """
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        self.precision: str = about["precision"]
        self.hidden_size: int = about["hidden_size"]
        self.max_tokens: int = about["max_tokens"]
        self._session = _session(folder / GRAPH, remedy=f'remove {folder}, {_ANEW}, or set embedding.engine to "torch"')

    def token_vectors(self, ids: npt.NDArray[Any], *, mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return a vector for each token, shape (texts, tokens, hidden size); those of padding mean nothing.

        Args:
            ids: Shape (texts, tokens).
            mask: The same shape, 0 for padding.
        """
        return _run(self._session, ids, mask)


class PairEncoder:
    """Token ids of a question with a passage to the reader's logits; any number of threads may use it."""

    def __init__(self, graph: Path) -> None:
        """Load the graph that `rag.reader_graph` made; a third of a second in which Python goes on.

        Raises:
            ModelError: onnxruntime cannot load it.
        """
        self._session = _session(graph, remedy=f"remove that file, {_ANEW}")

    def logits(self, ids: npt.NDArray[Any], *, mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the logits of each token, shape (texts, tokens, logits); those of padding mean nothing.

        Args:
            ids: Shape (texts, tokens).
            mask: The same shape, 0 for padding.
        """
        return _run(self._session, ids, mask)


def _run(
    session: onnxruntime.InferenceSession, ids: npt.NDArray[Any], mask: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    texts, width = ids.shape
    hidden = np.where(mask == 0, _PASSED_OVER, np.float32(0))[:, None, None, :]
    added = np.ascontiguousarray(np.broadcast_to(hidden, (texts, 1, width, width)))
    found: npt.NDArray[np.float32]
    (found,) = session.run(None, {"input_ids": ids.astype(np.int32), "mask": added})
    return found


def _session(graph: Path, *, remedy: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Texts go beside each other instead: handing each small operation round costs as much as it saves.
    options.intra_op_num_threads = 1
    # Higher levels put the slower layer normalisation back in.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as exc:
        # Its errors have no base class of their own.
        raise ModelError(
            f"onnxruntime {onnxruntime.__version__} cannot load {graph} ({str(exc).strip().splitlines()[0]}): {remedy}"
        ) from exc
