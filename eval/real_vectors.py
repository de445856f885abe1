"""The bundled model's vectors of many texts, made once: what was embedded stays when the run is stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.interfaces import Embedder, PassageVectors, Vector, Vectors
from rag.schema import Passage, Sentence


def real_vectors(
    root: Path, texts: Sequence[str], *, embedder: Embedder, say: Callable[[str], None], at_once: int = 5_000
) -> Vectors:
    """Return the vectors of texts as passages without a header, shape (texts, dim).

    Args:
        root: Where they are kept, in a folder for each model.
        texts: None longer than the model takes; those that come first are found again when others follow them.
        embedder: What makes them.
        say: Is told what takes long.
        at_once: Texts embedded between two that are kept: what an interruption costs at most.
    """
    folder = root / f"real-vectors-{_digest(repr(sorted(embedder.fingerprint.items())))}"
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for at in range(0, len(texts), at_once):
        some = texts[at : at + at_once]
        file = folder / f"{_digest(*some)}.npy"
        if not file.exists():
            say(f"embedding {at:,} to {at + len(some):,} of {len(texts):,} texts (once)")
            made = embedder.embed_passages([_passage(text) for text in some])
            part = file.with_suffix(".part.npy")
            np.save(part, np.stack([each.passage for each in made]))
            part.replace(file)
        shards.append(np.load(file))
    return np.concatenate(shards)


class KnownEmbedder:
    """An embedder that has the vectors of all passages, and takes those of their sentences to be the same."""

    def __init__(self, texts: Sequence[str], vectors: Vectors, *, real: Embedder) -> None:
        self.dim = real.dim
        self.max_tokens = real.max_tokens
        self.fingerprint = real.fingerprint
        self.count = real.count
        self.embed_question = real.embed_question
        self.embed_questions = real.embed_questions
        self._vectors = vectors
        self._row = {text: row for row, text in enumerate(texts)}

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages, by their embedded text."""
        return [_alike(self._vectors[self._row[each.embedded_text]], len(each.sentences)) for each in passages]


def _alike(vector: Vector, sentences: int) -> PassageVectors:
    return PassageVectors(passage=vector, sentences=np.repeat(vector[np.newaxis], sentences, axis=0))


def _passage(text: str) -> Passage:
    # One sentence, the whole: a text that is known already is embedded once.
    whole = Sentence(0, len(text), text)
    return Passage("", "", 0, 0, len(text), text, "es", embedded_text=text, sentences=(whole,))


def _digest(*texts: str) -> str:
    seen = hashlib.sha256()
    for text in texts:
        seen.update(text.encode() + b"\0")
    return seen.hexdigest()[:16]
