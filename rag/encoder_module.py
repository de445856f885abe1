"""The sentence-transformers module around the bundled model's graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers.sentence_transformer.modules import InputModule, Normalize, Pooling
from tokenizers import Tokenizer

from rag.encoder import Encoder


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
        ids, mask = (features[name].cpu().numpy() for name in ("input_ids", "attention_mask"))
        return {**features, "token_embeddings": torch.from_numpy(self._encoder.token_vectors(ids, mask=mask))}

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Refuse: what can be saved is the model in torch.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"the graph is not saved to {output_path}: save the bundled model's folder instead")
