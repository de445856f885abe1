"""The bundled model in onnxruntime, as a sentence-transformers module; only this module imports onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from sentence_transformers.sentence_transformer.modules import InputModule, Normalize, Pooling
from tokenizers import Tokenizer

from rag.encoder_graph import ABOUT, GRAPH
from rag.errors import ModelError

# Added before the softmax: leaves exactly nothing of what is behind it.
_PASSED_OVER = -1e9


def encoder_modules(folder: Path) -> list[torch.nn.Module]:
    """Return the modules for `SentenceTransformer(modules=...)` that give a text's vector, of unit length.

    Args:
        folder: A model that `rag.bundled` made.

    Raises:
        ModelError: onnxruntime cannot load the graph.
    """
    encoder = GraphEncoder(folder)
    return [encoder, Pooling(encoder.hidden_size, "mean"), Normalize()]


class GraphEncoder(InputModule):
    """Texts to vectors of their tokens; any number of threads may use it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        self.precision: str = about["precision"]
        self.hidden_size: int = about["hidden_size"]
        self.max_seq_length: int = about["max_tokens"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._session = _session(folder / GRAPH)

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return token ids and mask of texts, cut at `max_seq_length` and padded on the right."""
        encodings = self.tokenizer.encode_batch_fast([(prompt or "") + text for text in inputs])
        most = self.max_seq_length
        rows = [ids if len(ids) <= most else [*ids[: most - 1], ids[-1]] for ids in (item.ids for item in encodings)]
        width = max(map(len, rows), default=0)
        # What stands in padding does not matter: nothing looks at it.
        return {
            "input_ids": torch.tensor([row + [0] * (width - len(row)) for row in rows]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
        }

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Return the features with `token_embeddings`."""
        ids = features["input_ids"].cpu().numpy().astype(np.int32)
        hidden = features["attention_mask"].cpu().numpy() == 0
        texts, width = ids.shape
        mask = np.zeros((texts, 1, width, width), np.float32)
        mask += np.where(hidden, np.float32(_PASSED_OVER), np.float32(0))[:, None, None, :]
        (tokens,) = self._session.run(None, {"input_ids": ids, "mask": mask})
        return {**features, "token_embeddings": torch.from_numpy(tokens)}

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Refuse: what can be saved is the model in torch.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"the graph is not saved to {output_path}: save the bundled model's folder instead")


def _session(graph: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Higher levels put the slower layer normalisation back in.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # Threads that have nothing to do would otherwise keep both cores of a laptop busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as exc:
        # Its errors have no base class of their own.
        raise ModelError(
            f"onnxruntime {onnxruntime.__version__} cannot load {graph} ({str(exc).strip().splitlines()[0]}): remove "
            f'{graph.parent}, which is then made anew, or set embedding.engine to "torch"'
        ) from exc
