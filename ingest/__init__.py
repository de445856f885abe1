"""Articles in: `from ingest import ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.pipeline import ingest as ingest

__all__ = ["ingest"]


def __getattr__(name: str) -> Any:
    # Importing the package stays instant; the road is loaded when it is taken.
    if name == "ingest":
        from ingest.pipeline import ingest

        return ingest
    raise AttributeError(f"module 'ingest' has no attribute {name!r}")
