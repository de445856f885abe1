"""An embedder that takes no time: a vector of hashed words, where the bundled model would cost minutes.

`test_hashed_embedder.py` holds it and the bundled model to the same expectations.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from rag.interfaces import PassageVectors, Vector, Vectors
from rag.schema import Passage

DIM = 64


class HashedEmbedder:
    """Texts that share words have near vectors; a token is a word."""

    def __init__(self) -> None:
        self.dim = DIM
        self.max_tokens = 512
        self.fingerprint = {"model": "hashed words", "weights_sha256": "none"}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the words of each text."""
        return [len(_words(text)) for text in texts]

    def embed_question(self, text: str) -> Vector:
        """Return the vector of a question, shape (DIM,)."""
        return _vector(text)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions, shape (n, DIM)."""
        return np.stack([_vector(text) for text in texts]) if texts else np.empty((0, DIM), np.float32)

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences."""
        return [
            PassageVectors(
                passage=_vector(passage.embedded_text),
                sentences=self.embed_questions([sentence.text for sentence in passage.sentences]),
            )
            for passage in passages
        ]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _vector(text: str) -> Vector:
    # A little of everything, so that no two vectors are at right angles and none is zero.
    vector = np.full(DIM, 0.1, np.float32)
    for word in _words(text):
        digest = zlib.crc32(word.encode())
        vector[digest % DIM] += 1.0
        vector[digest // DIM % DIM] -= 0.5
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
