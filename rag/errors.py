"""Failures a user can meet. Each message says what happened, with which value, and what to do.

HemerotecaError
├── ConfigError          a setting is unknown or has a value that it cannot have
├── ArchiveError         the archive cannot be opened, read or written
│   ├── ArchiveMissingError    there is none at that place
│   ├── ArchiveLockedError     another process holds it
│   └── FingerprintError       its vectors were made by something else than the settings ask for
├── NotFoundError        no article has that id
├── ModelError           an embedding or chat model cannot be loaded or does not answer
└── SourceError          a file or row cannot be read as an article
"""

from __future__ import annotations

from collections.abc import Mapping


class HemerotecaError(Exception):
    """Anything wrong with the world that a user can mend; its text is one clear sentence."""


class ConfigError(HemerotecaError):
    """A setting is unknown or has a value that it cannot have."""


class ArchiveError(HemerotecaError):
    """The archive cannot be opened, read or written."""


class ArchiveMissingError(ArchiveError):
    """There is no archive at that place."""


class ArchiveLockedError(ArchiveError):
    """Another process holds the archive."""


class FingerprintError(ArchiveError):
    """The archive's vectors were made by something else than the settings ask for."""


class NotFoundError(HemerotecaError):
    """No article has that id."""


class ModelError(HemerotecaError):
    """An embedding or chat model cannot be loaded or does not answer."""

    def __init__(self, message: str, *, in_languages: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.in_languages = in_languages or {}
        """The message by ISO 639-1 code, for those languages in which a reader can be told."""


class SourceError(HemerotecaError):
    """A file or row cannot be read as an article."""
