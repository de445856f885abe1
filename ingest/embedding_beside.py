"""Embedding in a thread of its own, while an ingest goes on reading."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from rag.archive import Archive


class _LeftError(Exception):
    """Ends an embedding between two of its batches, because nobody waits for it any more."""


class EmbeddingBeside:
    """Embeds what an archive keeps, in a thread that ends with the block.

    Args:
        archive: Where passages may wait for vectors.
        progress: Called with (passages embedded, passages to embed as far as known), by one thread at a time; what it
            raises ends the ingest.

    Example:
        >>> with EmbeddingBeside(archive, progress=None) as beside:
        ...     for batch in batches:
        ...         archive.put(batch)
        ...         beside.go_on(sum(len(prepared.passages) for prepared in batch))
        ...     beside.finish()
    """

    def __init__(self, archive: Archive, *, progress: Callable[[int, int], None] | None) -> None:
        self._archive = archive
        self._progress = progress
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedding beside")
        self._running: Future[int] | None = None
        self._refusal: BaseException | None = None
        self._is_left = False
        # Passages embedded by runs that ended; by the one under way; and those that came in since that began.
        self._before = self._done = self._added = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Have the thread end after its present batch, if it has not ended, and wait for that."""
        self._is_left = True
        self._thread.shutdown()

    def go_on(self, added: int) -> None:
        """Embed what has no vector yet, unless that is under way; a failure is kept for `finish`: reading goes on.

        Args:
            added: Passages that came in since this was called before.

        Raises:
            Exception: What `progress` raised.
        """
        if self._refusal is not None:
            raise self._refusal
        self._added += added
        if self._running is None or (self._running.done() and self._running.exception() is None):
            self._begin_anew()
            self._running = self._thread.submit(self._archive.embed_pending, progress=self._note)

    def finish(self) -> None:
        """Return when nothing lacks a vector.

        Raises:
            Exception: What ended the embedding.
        """
        if self._running is not None:
            self._running.result()
            self._begin_anew()
            self._tell(0, 0)
        self._archive.embed_pending(progress=self._tell)

    def _begin_anew(self) -> None:
        self._before, self._done, self._added = self._before + self._done, 0, 0

    def _note(self, done: int, total: int) -> None:
        if self._is_left:
            raise _LeftError
        self._done = done
        try:
            self._tell(done, total)
        except BaseException as exc:
            self._refusal = exc
            raise

    def _tell(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(self._before + done, self._before + max(total + self._added, done))
