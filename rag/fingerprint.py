"""What made an archive's vectors, so that vectors of two kinds are never compared. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rag.config import Settings
from rag.errors import FingerprintError
from rag.interfaces import Embedder


def of(embedder: Embedder, *, settings: Settings) -> dict[str, str]:
    """Return what an archive remembers: weights, precision, engine, prefixes, vector length and passage size."""
    return {
        **embedder.fingerprint,
        "dim": str(embedder.dim),
        "passage_tokens": str(settings.ingest.passage_tokens),
    }


def of_settings(settings: Settings) -> dict[str, str]:
    """Return the part of a fingerprint that the settings alone tell, before any model is loaded."""
    return {
        "model": settings.embedding.model,
        "question_prefix": settings.embedding.question_prefix,
        "passage_prefix": settings.embedding.passage_prefix,
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
                "set it back, or ingest into a new archive"
            )
