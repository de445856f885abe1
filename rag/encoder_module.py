"""The sentence-transformers module around the bundled model's graph."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers.sentence_transformer.modules import InputModule, Normalize, Pooling
from tokenizers import Tokenizer

from rag.encoder import Encoder

# What one run computes stays in a core's own cache: with 1,024 tokens at a time it takes a quarter longer.
_RUN_TOKENS = 256


def encoder_modules(encoder: Encoder, *, tokenizer: Path) -> list[torch.nn.Module]:
    """Return the modules for `SentenceTransformer(modules=...)` that give a text's vector, of unit length.

    Args:
        encoder: The graph.
        tokenizer: A `tokenizer.json`.
    """
    module = EncoderModule(encoder, Tokenizer.from_file(str(tokenizer)))
    return [module, Pooling(encoder.hidden_size, "mean"), Normalize()]


class EncoderModule(InputModule):
    """Texts to vectors of their tokens; any number of threads may use it."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tokenizer = tokenizer
        self.max_seq_length = encoder.max_tokens
        self._encoder = encoder
        # As many as torch would use: its cores, or OMP_NUM_THREADS.
        self.threads = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="encoder")

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
        """Return the features with `token_embeddings`; padding has to be on the right."""
        ids, mask = (features[name].cpu().numpy() for name in ("input_ids", "attention_mask"))
        texts, width = ids.shape
        lengths = mask.sum(axis=1)
        vectors = np.zeros((texts, width, self._encoder.hidden_size), np.float32)
        share = max(1, _RUN_TOKENS // width)

        def fill(first: int) -> None:
            own = slice(first, first + share)
            longest = int(lengths[own].max())
            vectors[own, :longest] = self._encoder.token_vectors(ids[own, :longest], mask=mask[own, :longest])

        firsts = range(0, texts, share)
        list(self._pool.map(fill, firsts) if len(firsts) > 1 else map(fill, firsts))
        return {**features, "token_embeddings": torch.from_numpy(vectors)}

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Refuse: what can be saved is the model in torch.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"the graph is not saved to {output_path}: save the bundled model's folder instead")
