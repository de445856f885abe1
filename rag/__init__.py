"""The archive and its answers: `from rag import Archive`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.errors import (
    ArchiveError,
    ArchiveLockedError,
    ArchiveMissingError,
    ConfigError,
    FingerprintError,
    HemerotecaError,
    ModelError,
    NotFoundError,
    SourceError,
)
from rag.schema import (
    Answer,
    Article,
    Ask,
    Citation,
    Hit,
    IngestFailure,
    IngestSummary,
    Limit,
    Passage,
    Related,
    Sentence,
    Statement,
    Story,
    TimeExpression,
    Turn,
)

if TYPE_CHECKING:
    from rag.archive import Archive as Archive
    from rag.config import Settings as Settings
    from rag.config import load_settings as load_settings

__all__ = [
    "Answer",
    "Archive",
    "ArchiveError",
    "ArchiveLockedError",
    "ArchiveMissingError",
    "Article",
    "Ask",
    "Citation",
    "ConfigError",
    "FingerprintError",
    "HemerotecaError",
    "Hit",
    "IngestFailure",
    "IngestSummary",
    "Limit",
    "ModelError",
    "NotFoundError",
    "Passage",
    "Related",
    "Sentence",
    "Settings",
    "SourceError",
    "Statement",
    "Story",
    "TimeExpression",
    "Turn",
    "load_settings",
]


def __getattr__(name: str) -> Any:
    # Importing the package stays instant: what needs a database is loaded when it is asked for.
    if name == "Archive":
        from rag.archive import Archive

        return Archive
    if name in ("Settings", "load_settings"):
        from rag import config

        return getattr(config, name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
