"""Articles in: `from ingest import ingest, import_archive`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.pipeline import ingest as ingest
    from ingest.transfer import import_archive as import_archive

__all__ = ["import_archive", "ingest"]


def __getattr__(name: str) -> Any:
    # Importing the package stays instant; the roads are loaded when they are taken.
    if name == "ingest":
        from ingest.pipeline import ingest

        return ingest
    if name == "import_archive":
        from ingest.transfer import import_archive

        return import_archive
    raise AttributeError(f"module 'ingest' has no attribute {name!r}")
