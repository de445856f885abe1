"""What made an archive's vectors, so that vectors of two kinds are never compared. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from rag.config import EmbeddingSettings, Settings
from rag.errors import FingerprintError
from rag.interfaces import Embedder

# What a fingerprint calls the engines of the bundled model.
ENGINES: Final = {"int8": "onnxruntime", "torch": "sentence-transformers"}
_REMEDIES: Final = {
    "engine": 'set embedding.engine to "auto", which takes the archive\'s own, or ingest into a new archive',
}
_REMEDY: Final = "set it back, or ingest into a new archive"


def embedding_settings(settings: EmbeddingSettings, known: Mapping[str, str] | None) -> EmbeddingSettings:
    """Return the settings with the engine that made an archive's vectors where they leave the choice."""
    if known and settings.engine == "auto" and known.get("engine") == ENGINES["torch"]:
        return replace(settings, engine="torch")
    return settings


def of(embedder: Embedder, *, settings: Settings) -> dict[str, str]:
    """Return what an archive remembers: weights, precision, engine, prefixes, vector length and passage size."""
    return {
        **embedder.fingerprint,
        "dim": str(embedder.dim),
        "passage_tokens": str(settings.ingest.passage_tokens),
    }


def of_settings(settings: Settings) -> dict[str, str]:
    """Return the part of a fingerprint that the settings alone tell, before any model is loaded."""
    embedding = settings.embedding
    chosen = embedding.model == "bundled" and embedding.engine != "auto"
    return {
        "model": embedding.model,
        **({"engine": ENGINES[embedding.engine]} if chosen else {}),
        "question_prefix": embedding.question_prefix,
        "passage_prefix": embedding.passage_prefix,
        "passage_tokens": str(settings.ingest.passage_tokens),
    }


def check(known: Mapping[str, str], wanted: Mapping[str, str], *, archive: Path) -> None:
    """Compare an archive's fingerprint with what would make its vectors now.

    Raises:
        FingerprintError: They differ in something that both name.
    """
    for key, value in wanted.items():
        if known.get(key, value) != value:
            raise FingerprintError(
                f"archive {archive} was made with {key} {known[key]!r}, the settings give {value!r}: "
                f"{_REMEDIES.get(key, _REMEDY)}"
            )
