"""The dense index: Chroma, embedded, in cosine space. The only module that imports chromadb.

Each record is one passage under its own id: the passage's text as document, and scalar metadata about its article, so
that any Chroma client can read and filter it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings
from chromadb.errors import ChromaError

from rag import derived
from rag.errors import ArchiveError
from rag.interfaces import Filters, Found, Truth, Vector
from rag.schema import Article, Passage

COLLECTION = "passages"
_DATABASE = "chroma.sqlite3"
ARTICLES_PER_BATCH = 200
MOST_DAYS_LISTED = 3000
# Chosen for recall: 0.999 of the exact 50 nearest among 20,000 vectors, at 5 ms a question.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}


@dataclass(frozen=True, slots=True)
class _Record:
    document: str
    metadata: Mapping[str, str | int]
    vector: Vector

    def equals(self, other: _Record) -> bool:
        return (
            self.document == other.document
            and self.metadata == other.metadata
            and np.array_equal(self.vector, other.vector)
        )


class ChromaIndex:
    """Passages by their vectors, as a `VectorIndex`; one instance serves many threads."""

    def __init__(self, client: Any, collection: Collection, *, folder: Path, dim: int) -> None:
        self._client = client
        self._collection: Collection | None = collection
        self._folder = folder
        self._dim = dim
        self._batch: int = client.get_max_batch_size()
        self._writing = threading.Lock()
        self._applied_seq = int((collection.metadata or {}).get("applied_seq", 0))

    @property
    def applied_seq(self) -> int:
        """The change log entry up to which the index follows the truth."""
        return self._applied_seq

    def catch_up(self, truth: Truth) -> int:
        """Apply what the truth logged since, durably, and return the `seq` reached; safe to repeat.

        Records that are as they should be are not written again. A truth that is older than the index (a copy was put
        back) makes the index start over.

        Raises:
            ArchiveError: The index cannot be written.
        """
        with self._writing:
            newest = truth.last_seq()
            if newest == self._applied_seq:
                return newest
            if newest < self._applied_seq:
                self._start_over()
            for seq, article_ids in _batches(truth, after=self._applied_seq):
                self._follow(truth, article_ids)
                self._store_seq(seq)
            if self._applied_seq < newest:
                self._store_seq(newest)
            return self._applied_seq

    def probe(self) -> None:
        """Read and search a little, so that damage shows; raises whatever Chroma does."""
        held = self._opened().get(limit=1, include=["documents", "metadatas", "embeddings"])
        nearest = self._opened().query(query_embeddings=np.eye(1, self._dim, dtype=np.float32), n_results=1)
        if held["ids"] and not nearest["ids"][0]:
            raise RuntimeError("a search finds none of its records")

    def search(self, vector: Vector, *, k: int, filters: Filters) -> list[Found]:
        """Return the `k` nearest passages, best first; scores are cosines. None of a `k` below 1.

        Raises:
            ArchiveError: The index cannot be read.
        """
        if vector.shape != (self._dim,):
            raise ValueError(
                f"question vector has shape {vector.shape}, the index holds vectors of {self._dim} numbers"
            )
        if k < 1:
            return []
        if filters.since and filters.until and filters.since > filters.until:
            return []
        with _translated("vector index {} cannot be searched", self._folder):
            answer = self._opened().query(
                query_embeddings=vector[np.newaxis],
                # A little more than asked for: passages that tie with the last are to be ordered by id, not chance.
                n_results=k + 10,
                where=_where(filters),
                include=["distances"],
            )
        distances = (answer["distances"] or [[]])[0]
        # Chroma's cosine space returns 1 - similarity.
        cosines = {id_: 1.0 - float(distance) for id_, distance in zip(answer["ids"][0], distances, strict=True)}
        found = [Found(id_, min(max(cosine, -1.0), 1.0)) for id_, cosine in cosines.items()]
        return sorted(found, key=lambda each: (-each.score, each.passage_id))[:k]

    def count(self) -> int:
        """Return how many passages the index holds."""
        with _translated("vector index {} cannot be read", self._folder):
            return self._opened().count()

    def close(self) -> None:
        """Release files and memory; the index is not used afterwards."""
        if self._collection is None:
            return
        self._collection = None
        self._client.close()
        self._seal()

    def _opened(self) -> Collection:
        if self._collection is None:
            raise ArchiveError(f"vector index {self._folder} is closed: open the archive again")
        return self._collection

    def _follow(self, truth: Truth, article_ids: Sequence[str]) -> None:
        wanted = _wanted(truth, article_ids)
        with _translated("vector index {} cannot be written", self._folder):
            stored = self._stored(article_ids)
            gone = [id_ for id_ in stored if id_ not in wanted]
            new = [id_ for id_, record in wanted.items() if id_ not in stored or not record.equals(stored[id_])]
            for at in range(0, len(gone), self._batch):
                self._opened().delete(ids=gone[at : at + self._batch])
            for at in range(0, len(new), self._batch):
                ids = new[at : at + self._batch]
                self._opened().upsert(
                    ids=ids,
                    embeddings=np.stack([wanted[id_].vector for id_ in ids]),
                    documents=[wanted[id_].document for id_ in ids],
                    # Chroma merges metadata into those it has: a key that is gone has to be set to None.
                    metadatas=[
                        {**dict.fromkeys(stored[id_].metadata if id_ in stored else ()), **wanted[id_].metadata}
                        for id_ in ids
                    ],
                )

    def _stored(self, article_ids: Sequence[str]) -> dict[str, _Record]:
        where: Any = {"article_id": {"$in": list(article_ids)}}
        found: Any = self._opened().get(where=where, include=["documents", "metadatas", "embeddings"])
        columns = zip(found["ids"], *(found[name] for name in ("documents", "metadatas", "embeddings")), strict=True)
        return {
            id_: _Record(document, metadata, np.asarray(vector, np.float32))
            for id_, document, metadata, vector in columns
        }

    def _store_seq(self, seq: int) -> None:
        with _translated("vector index {} cannot be written", self._folder):
            # Metadata are replaced as a whole; space and other configuration stay (Chroma 1.5.9).
            self._opened().modify(metadata={"applied_seq": seq, "dim": self._dim})
        self._applied_seq = seq

    def _seal(self) -> None:
        # Only now: Chroma writes its graph files when it pleases, also while it only reads.
        with suppress(OSError):
            graph = [file for file in self._folder.glob("*/*") if file.is_file()]
            derived.seal(self._folder, graph, present=[self._folder / _DATABASE])

    def _start_over(self) -> None:
        with _translated("vector index {} cannot be written", self._folder):
            self._client.delete_collection(COLLECTION)
            self._collection = _collection(self._client, self._dim)
        self._applied_seq = 0


def open_vector_index(folder: Path, *, dim: int) -> ChromaIndex:
    """Return the vector index kept in `folder`, for vectors of `dim` numbers; nobody else may have it open.

    It is new and empty if there is none, or if the one there is damaged: that is put aside, and the next `catch_up`
    fills the new one.

    Raises:
        ArchiveError: The folder cannot be written, or its index holds vectors of another length.
    """
    index = derived.sound_or_anew(folder, name="vector index", make=lambda: _open(folder, dim))
    derived.unseal(folder)
    return index


def _open(folder: Path, dim: int) -> ChromaIndex:
    try:
        client: Any = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    except BaseException:
        # Chroma keeps a client of each path, also one that failed to start, and would give it out again.
        SharedSystemClient._release_system(str(folder))
        raise
    try:
        collection = _collection(client, dim)
        _check_length(collection, dim, folder=folder)
        index = ChromaIndex(client, collection, folder=folder, dim=dim)
        index.probe()
    except BaseException:
        client.close()
        raise
    return index


def _check_length(collection: Collection, dim: int, *, folder: Path) -> None:
    held = (collection.metadata or {}).get("dim", dim)
    if held != dim:
        raise ArchiveError(
            f"vector index {folder} holds vectors of {held} numbers, the embedding model makes {dim}: "
            "set embedding.model to the model that made it, or ingest into a new archive"
        )


def _collection(client: Any, dim: int) -> Collection:
    # Without `embedding_function=None` Chroma downloads a model of its own at the first text.
    collection: Collection = client.get_or_create_collection(
        COLLECTION,
        embedding_function=None,
        configuration={"hnsw": _HNSW},
        metadata={"applied_seq": 0, "dim": dim},
    )
    return collection


def _batches(truth: Truth, *, after: int) -> Iterator[tuple[int, list[str]]]:
    # Deletions are logged as `article`. Both kinds in one order make each batch's last entry a mark that can be stored.
    changes = truth.changes(after, event="article") + truth.changes(after, event="vectors")
    changes.sort(key=lambda change: change.seq)
    for at in range(0, len(changes), ARTICLES_PER_BATCH):
        batch = changes[at : at + ARTICLES_PER_BATCH]
        yield batch[-1].seq, list(dict.fromkeys(change.article_id for change in batch))


def _wanted(truth: Truth, article_ids: Sequence[str]) -> dict[str, _Record]:
    articles = truth.articles_by_id(article_ids)
    passages = [passage for passage in truth.passages_of(article_ids) if passage.article_id in articles]
    vectors = truth.vectors_of([passage.id for passage in passages])
    return {
        passage.id: _Record(passage.text, _metadata(passage, articles[passage.article_id]), vectors[passage.id])
        for passage in passages
        if passage.id in vectors
    }


def _metadata(passage: Passage, article: Article) -> dict[str, str | int]:
    metadata = {
        "article_id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "language": passage.language,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
        "published_day": article.published.toordinal() if article.published else None,
    }
    return {key: value for key, value in metadata.items() if value is not None}


def _where(filters: Filters) -> Any:
    limits: list[dict[str, Any]] = []
    since, until = (day.toordinal() if day else None for day in (filters.since, filters.until))
    if since and until and until - since < MOST_DAYS_LISTED:
        # Chroma collects all records on one side of each bound first; listed days take half the time (20,000 records).
        limits.append({"published_day": {"$in": list(range(since, until + 1))}})
    else:
        limits += [{"published_day": {"$gte": since}}] if since else []
        limits += [{"published_day": {"$lte": until}}] if until else []
    if filters.outlets:
        # Lone surrogates, which a terminal can pass on, are no text to Chroma.
        outlets = {outlet.encode("utf-8", "replace").decode("utf-8") for outlet in filters.outlets}
        limits.append({"outlet": {"$in": sorted(outlets)}})
    return {"$and": limits} if len(limits) > 1 else limits[0] if limits else None


def _translated(failure: str, folder: Path) -> AbstractContextManager[None]:
    return derived.translated(failure.format(folder), folder=folder, errors=(ChromaError, OSError, RuntimeError))
