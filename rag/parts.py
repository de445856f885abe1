"""The parts that the steps from a question to an answer work with, put together by the archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.companions import Shelf
from rag.config import RetrievalSettings
from rag.interfaces import Embedder, Filters, Reader, VectorSearch, WordIndex
from rag.retrieval import LoadCandidates, LoadPassages


@dataclass(frozen=True, slots=True)
class Parts:
    """What the steps work with.

    `languages` returns the archive's languages, the most frequent first, `outlets` its outlets; `newest` the first
    passages of the newest articles within filters, newest first, and how many articles there are; `spread` is what
    `fuse` takes, `is_fallback` that a trained reader was wanted and `reader` is another one. Below the `floor` of
    probability nothing will be answered.
    """

    embedder: Embedder
    vectors: VectorSearch
    words: WordIndex
    reader: Reader
    load_candidates: LoadCandidates
    load_passages: LoadPassages
    languages: Callable[[], Sequence[str]]
    outlets: Callable[[], Sequence[str]]
    settings: RetrievalSettings
    spread: float | None
    shelf: Shelf
    newest: Callable[[Filters], tuple[Sequence[str], int]]
    is_fallback: bool = False
    floor: float = 0.0
