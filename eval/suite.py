"""What every suite of `hemeroteca eval run --suite` is given and gives back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eval.finding_archives import OpenArchive
from eval.finding_report import Report
from rag.archive import Archive
from rag.interfaces import Embedder

Progress = Callable[[int, int], None]
OpenSample = Callable[[], AbstractContextManager[Archive]]
"""Gives an archive of the sample articles for as long as a `with` lasts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the public sets is measured: those to choose on ("train") or those that are only reported ("public").

    `split` is "dev", "test" or "all", by article of the sets to choose on, by subject of the questions on the sample
    articles; `seed` is of halves and draws. `data` is the folder of the public sets.
    """

    data: Path
    sets: str
    split: str = "all"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Bench:
    """What measuring works with: vectors, and archives made with them, of documents or of the sample articles."""

    embedder: Embedder
    open_archive: OpenArchive
    open_sample: OpenSample


class Suite(Protocol):
    """Measures one thing."""

    def __call__(self, choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
        """Return what came out."""
        ...
