"""Embedding goes on beside reading: nothing is lost by it, and what is told adds up."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import ingest
from rag import Archive
from rag.config import Settings
from rag.interfaces import PassageVectors
from rag.schema import Passage
from tests.hashed_embedder import HashedEmbedder

# Several times what is kept in one transaction.
MANY = 300


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    texts = [f"El pleno aprobó la moción número {at}. La alcaldesa la presentó el lunes {at}." for at in range(MANY)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"id": f"n{at}", "text": text}) for at, text in enumerate(texts)))
    return path


def opened(folder: Path, embedder: HashedEmbedder) -> Archive:
    return Archive.open(folder, settings=Settings(), embedder=embedder, create=True)


class Failing(HashedEmbedder):
    """Embeds so many passages and then no more."""

    def __init__(self, *, most: int) -> None:
        super().__init__()
        self.left = most

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages, as long as it does."""
        self.left -= len(passages)
        if self.left < 0:
            raise RuntimeError("the model is gone")
        return super().embed_passages(passages)


@pytest.mark.parametrize("most", [0, 150], ids=["at once", "later"])
def test_all_articles_are_kept_though_the_model_fails_while_they_are_read(
    tmp_path: Path, rows: Path, most: int
) -> None:
    with opened(tmp_path / "archive", Failing(most=most)) as archive:
        with pytest.raises(RuntimeError, match="the model is gone"):
            ingest(archive, rows)
        counts = archive.counts()
        assert counts.articles == MANY
        assert counts.without_vectors >= counts.passages - most > 0
    with opened(tmp_path / "archive", HashedEmbedder()) as archive:
        assert ingest(archive, rows).unchanged == MANY
        assert archive.counts().without_vectors == 0
        assert archive.check().findings() == []


def test_progress_never_goes_back_and_ends_with_all(tmp_path: Path, rows: Path) -> None:
    told: list[tuple[int, int]] = []
    with opened(tmp_path / "archive", HashedEmbedder()) as archive:
        summary = ingest(archive, rows, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(done <= total for done, total in told)
    assert told[-1] == (summary.passages, summary.passages)


def test_what_progress_raises_ends_the_ingest(tmp_path: Path, rows: Path) -> None:
    class GoneError(Exception):
        pass

    def gone(done: int, total: int) -> None:
        raise GoneError

    with opened(tmp_path / "archive", HashedEmbedder()) as archive:
        with pytest.raises(GoneError):
            ingest(archive, rows, progress=gone)
        assert archive.check().findings() == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("embedding")]


def test_an_interrupt_while_the_rest_is_embedded_ends_it_and_leaves_a_sound_archive(tmp_path: Path, rows: Path) -> None:
    class Slow(HashedEmbedder):
        def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
            if threading.current_thread() is not threading.main_thread() and not interrupted.is_set():
                interrupted.set()
            return super().embed_passages(passages)

    interrupted = threading.Event()

    def interrupt(done: int, total: int) -> None:
        if interrupted.is_set() and done:
            raise KeyboardInterrupt

    with opened(tmp_path / "archive", Slow()) as archive:
        with pytest.raises(KeyboardInterrupt):
            ingest(archive, rows, progress=interrupt)
        assert archive.counts().without_vectors < archive.counts().passages
        assert archive.check().findings() == []
