"""One state of an archive's truth, read from beginning to end while others may write; it needs no lock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from rag.database import open_to_read
from rag.interfaces import PassageVectors
from rag.keeping import Kept
from rag.schema import Passage
from rag.tables import (
    ARTICLES,
    META,
    PASSAGES,
    PLACES,
    passages_with_text,
    to_article,
    to_passage,
    to_sentence_vectors,
    to_vector,
)

# Made once: they are run for every article.
_SOURCES = (
    sa.select(PLACES.c.place, PLACES.c.source_hash)
    .where(PLACES.c.article_id == sa.bindparam("article"))
    .order_by(PLACES.c.place)
)
_PASSAGES = (
    passages_with_text()
    .add_columns(PASSAGES.c.vector, PASSAGES.c.sentence_vectors)
    .where(PASSAGES.c.article_id == sa.bindparam("article"))
    .order_by(PASSAGES.c.ordinal)
)


class Snapshot:
    """What an archive held when the snapshot was taken."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        known = connection.scalar(sa.select(META.c.value).where(META.c.key == "fingerprint"))
        self.fingerprint: dict[str, str] | None = json.loads(known) if known else None
        """What made the vectors, None as long as there is no article."""
        self.articles: int = self._count(ARTICLES)
        self.passages: int = self._count(PASSAGES)

    def kept(self) -> Iterator[Kept]:
        """Yield everything that is kept of each article, in order of id; few articles at a time are in memory.

        Raises:
            ArchiveError: An article is damaged.
        """
        chosen = sa.select(ARTICLES).order_by(ARTICLES.c.id)
        for row in self._connection.execute(chosen.execution_options(yield_per=16)):
            sources = self._sources(row.id)
            passages, vectors = self._passages_of(row.id)
            yield Kept(
                article=to_article(row, tuple(sources)), passages=tuple(passages), sources=sources, vectors=vectors
            )

    def _sources(self, article_id: str) -> dict[str, str]:
        rows = self._connection.execute(_SOURCES, {"article": article_id})
        return {row.place: row.source_hash for row in rows}

    def _passages_of(self, article_id: str) -> tuple[list[Passage], dict[str, PassageVectors]]:
        rows = self._connection.execute(_PASSAGES, {"article": article_id}).all()
        vectors = {
            row.id: PassageVectors(passage=to_vector(row), sentences=to_sentence_vectors([row])[0])
            for row in rows
            if row.vector is not None
        }
        return [to_passage(row) for row in rows], vectors

    def _count(self, table: sa.Table) -> int:
        return self._connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@contextmanager
def snapshot(folder: Path) -> Iterator[Snapshot]:
    """Yield the state that the archive in a folder has now, until the block ends.

    Raises:
        ArchiveError: There is no archive, or it cannot be read.
    """
    database = open_to_read(folder)
    try:
        with database.transaction() as connection:
            yield Snapshot(connection)
    finally:
        database.close()
