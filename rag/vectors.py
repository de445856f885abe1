"""The dense index: Chroma, embedded, in cosine space. The only module that imports chromadb.

Each record is one passage under its own id: the passage's text as document, and scalar metadata about its article, so
that any Chroma client can read and filter it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
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
from rag.graph import blank_unused
from rag.interfaces import Audit, Filters, Found, Truth, Vector
from rag.order import DIGITS, best_first
from rag.records import Record, records_of, where

COLLECTION = "passages"
_DATABASE = "chroma.sqlite3"
ARTICLES_PER_BATCH = 200
_MOST_TRIES = 3
_PROBED_AT_ONCE = 200
# Passages that a search looks through, however few are wanted: a share of all, not fewer and not more than these.
_SHARE, _FEWEST, _MOST = 0.033, 800, 8_000
# Passages looked through, at most, for those that tie with the last one.
_MOST_TIED = 10_000
# Cosine distance up to which two vectors are one to float32 arithmetic.
_SAME = 1e-5
# Chosen for recall: EXPERIMENTS.md has the figures. An index keeps what it was made with.
_HNSW = {"space": "cosine", "ef_construction": 400, "ef_search": _FEWEST, "max_neighbors": 48}


class ChromaIndex:
    """Passages by their vectors, as a `VectorIndex`; one instance serves many threads."""

    def __init__(self, client: Any, collection: Collection, *, folder: Path, dim: int) -> None:
        self._client = client
        self._collection: Collection | None = collection
        self._folder = folder
        self._dim = dim
        self._batch: int = client.get_max_batch_size()
        self._writing = threading.Lock()
        self._door = derived.Door()
        self._applied_seq = int((collection.metadata or {}).get("applied_seq", 0))
        # How many passages there are, and the change log entry at which there were so many.
        self._counted = (-1, 0)
        # How many of them the graph looks through by itself, as long as it stays open.
        self._looked_through = _looked_through(collection)

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
        depth = self._depth()
        # To ask for more than are wanted makes Chroma look deeper as well, but naming them takes longer than finding.
        asked = max(k + 10, depth if depth > self._looked_through else 0)
        while True:
            cosines = self._cosines(vector, asked, filters)
            ranked = best_first(cosines)
            # All that tie with the last one wanted, so that content decides between them and not the index.
            if len(ranked) < asked or asked >= _MOST_TIED or cosines[ranked[-1]] < cosines[ranked[k - 1]]:
                return [Found(id_, cosines[id_]) for id_ in ranked[:k]]
            asked *= 2

    def _depth(self) -> int:
        seq = self._applied_seq
        if self._counted[0] != seq:
            # Chroma counts one by one.
            with self._door.shared(), _translated("vector index {} cannot be searched", self._folder):
                self._counted = (seq, self._opened().count())
        return _depth_of(self._counted[1])

    def _cosines(self, vector: Vector, asked: int, filters: Filters) -> dict[str, float]:
        with self._door.shared(), _translated("vector index {} cannot be searched", self._folder):
            answer = self._opened().query(
                query_embeddings=vector[np.newaxis], n_results=asked, where=where(filters), include=["distances"]
            )
        distances = (answer["distances"] or [[]])[0]
        # Chroma's cosine space returns 1 - similarity.
        return {
            id_: min(max(round(1.0 - distance, DIGITS), -1.0), 1.0)
            for id_, distance in zip(answer["ids"][0], distances, strict=True)
        }

    def count(self) -> int:
        """Return how many passages the index holds."""
        with self._door.shared(), _translated("vector index {} cannot be read", self._folder):
            return self._opened().count()

    def rebuild(self, truth: Truth) -> None:
        """Make the index anew from the truth beside the old one, then put it in its place; searches go on meanwhile.

        Raises:
            ArchiveError: It cannot be written; the old one stays.
        """
        failure = _translated("vector index {} cannot be made anew", self._folder)
        with self._writing, failure, derived.beside(self._folder) as fresh:
            index = _open(fresh, self._dim)
            try:
                index.catch_up(truth)
            finally:
                index.close()
            with self._door.alone():
                self._opened()
                self._collection = None
                self._client.close()
                try:
                    derived.swap(self._folder, fresh)
                finally:
                    # The new one, or the old one if they could not be exchanged.
                    reopened = _open(self._folder, self._dim)
                    self._client, self._collection = reopened._client, reopened._collection
                    self._applied_seq, self._looked_through = reopened._applied_seq, reopened._looked_through
                # Opening a graph can make Chroma write it. It holds it in memory, and reads these bytes no more.
                with suppress(OSError):
                    self._blank()

    def audit(self, truth: Truth, article_ids: Sequence[str]) -> Audit:
        """Return where the index differs from the truth of these articles, and what it holds of none of them.

        A passage with a vector has to be found by its id, as the truth has it, and first by its own vector. One that is
        lost to searches is linked anew: Chroma draws links by chance, and draws those of what it wrote last again
        whenever it is opened.

        Raises:
            ArchiveError: The index cannot be read, or not be mended.
        """
        missing, different = set[str](), set[str]()
        unfindable, relinked = set[str](), set[str]()
        with self._writing, self._door.shared(), _translated("vector index {} cannot be read", self._folder):
            orphaned = set(self._opened().get(include=[])["ids"])
            for at in range(0, len(article_ids), ARTICLES_PER_BATCH):
                some = article_ids[at : at + ARTICLES_PER_BATCH]
                wanted, stored = records_of(truth, some), self._stored(some)
                orphaned -= wanted.keys()
                missing |= wanted.keys() - stored.keys()
                shared = wanted.keys() & stored.keys()
                different |= {id_ for id_ in shared if not stored[id_].equals(wanted[id_])}
                lost = self._unfindable({id_: wanted[id_].vector for id_ in shared - different})
                still_lost = self._relink(lost, wanted=wanted)
                unfindable.update(still_lost)
                relinked.update(set(lost) - still_lost)
        return Audit(*(tuple(sorted(ids)) for ids in (missing, orphaned, different, unfindable, relinked)))

    def close(self) -> None:
        """Release files and memory; the index is not used afterwards."""
        with self._door.alone():
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
        wanted = records_of(truth, article_ids)
        with _translated("vector index {} cannot be written", self._folder):
            stored = self._stored(article_ids)
            gone = [id_ for id_ in stored if id_ not in wanted]
            new = [id_ for id_ in wanted if id_ not in stored]
            changed = [id_ for id_ in wanted if id_ in stored and not wanted[id_].equals(stored[id_])]
            moved = [id_ for id_ in changed if not wanted[id_].lies_with(stored[id_])]
            # Chroma 1.5.9 moves a vector within its graph four times slower than it adds one, and leaves 2 in 100
            # records that no search finds after six rounds of changing a quarter of them; deleted and added, none.
            self._delete(gone)
            self._describe([id_ for id_ in changed if id_ not in moved], wanted=wanted, stored=stored)
            self._delete(moved)
            self._add([*moved, *new], wanted=wanted)
            self._relink(self._unfindable({id_: wanted[id_].vector for id_ in (*moved, *new)}), wanted=wanted)

    def _delete(self, ids: Sequence[str]) -> None:
        for at in range(0, len(ids), self._batch):
            self._opened().delete(ids=list(ids[at : at + self._batch]))

    def _add(self, ids: Sequence[str], *, wanted: Mapping[str, Record]) -> None:
        for at in range(0, len(ids), self._batch):
            some = list(ids[at : at + self._batch])
            self._opened().upsert(
                ids=some,
                embeddings=np.stack([wanted[id_].vector for id_ in some]),
                documents=[wanted[id_].document for id_ in some],
                metadatas=[dict(wanted[id_].metadata) for id_ in some],
            )

    def _relink(self, ids: Sequence[str], *, wanted: Mapping[str, Record]) -> set[str]:
        """Give other links to records that no search finds, and return those that are still lost."""
        lost = list(ids)
        for _ in range(_MOST_TRIES):
            # The graph is an approximation, and a record's links are chance: other links, most often, lead to it.
            if not lost:
                break
            self._delete(lost)
            self._add(lost, wanted=wanted)
            lost = self._unfindable({id_: wanted[id_].vector for id_ in ids})
        return set(lost)

    def _describe(self, ids: Sequence[str], *, wanted: Mapping[str, Record], stored: Mapping[str, Record]) -> None:
        for at in range(0, len(ids), self._batch):
            some = list(ids[at : at + self._batch])
            self._opened().update(
                ids=some,
                # Chroma merges metadata into those it has: a key that is gone has to be set to None.
                metadatas=[{**dict.fromkeys(stored[id_].metadata), **wanted[id_].metadata} for id_ in some],
            )

    def _unfindable(self, vectors: Mapping[str, Vector]) -> list[str]:
        """Return the ids that a search for their own vector does not find, unless as many others have the same."""
        ids, unfindable = list(vectors), []
        for at in range(0, len(ids), _PROBED_AT_ONCE):
            some = ids[at : at + _PROBED_AT_ONCE]
            answer = self._opened().query(
                query_embeddings=np.stack([vectors[id_] for id_ in some]), n_results=10, include=["distances"]
            )
            for id_, found, distances in zip(some, answer["ids"], answer["distances"] or (), strict=True):
                if id_ not in found and (len(found) < 10 or distances[-1] > _SAME):
                    unfindable.append(id_)
        return unfindable

    def _stored(self, article_ids: Sequence[str]) -> dict[str, Record]:
        of_these: Any = {"article_id": {"$in": list(article_ids)}}
        found: Any = self._opened().get(where=of_these, include=["documents", "metadatas", "embeddings"])
        columns = zip(found["ids"], *(found[name] for name in ("documents", "metadatas", "embeddings")), strict=True)
        return {
            id_: Record(document, metadata, np.asarray(vector, np.float32))
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
            self._blank()
            graph = [file for file in self._folder.glob("*/*") if file.is_file()]
            derived.seal(self._folder, graph, present=[self._folder / _DATABASE])

    def _blank(self) -> None:
        for folder in self._folder.glob("*/"):
            blank_unused(folder)

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
    return derived.sound_or_anew(folder, name="vector index", make=lambda: _open(folder, dim))


def _open(folder: Path, dim: int) -> ChromaIndex:
    # Before Chroma has the files: it may write them while it opens, and be killed.
    derived.unseal(folder)
    client = _client(folder)
    try:
        collection = _collection(client, dim)
        _check_length(collection, dim, folder=folder)
        if _deepen(collection):
            # How deep to look is read when Chroma opens; its graph is read later, at the first search.
            client.close()
            client = _client(folder)
            collection = _collection(client, dim)
        index = ChromaIndex(client, collection, folder=folder, dim=dim)
        index.probe()
    except BaseException:
        client.close()
        raise
    return index


def _client(folder: Path) -> Any:
    try:
        return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    except BaseException as exc:
        # Chroma keeps a client of each path, also one that failed to start, and would give it out again.
        SharedSystemClient._release_system(str(folder))
        if isinstance(exc, AttributeError):
            # What it says when its database does not let it start.
            raise RuntimeError(f"{_DATABASE} cannot be read") from exc
        raise


def _depth_of(passages: int) -> int:
    return min(max(100 * round(_SHARE * passages / 100), _FEWEST), _MOST)


def _looked_through(collection: Collection) -> int:
    configured = collection.configuration.get("hnsw") or {}
    return int(configured.get("ef_search", 0))


def _deepen(collection: Collection) -> bool:
    """Have a graph look as deep as its size asks for, and return whether that is new; opened anew, it does."""
    depth = _depth_of(collection.count())
    is_new = depth != _looked_through(collection)
    if is_new:
        collection.modify(configuration={"hnsw": {"ef_search": depth}})
    return is_new


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


def _translated(failure: str, folder: Path) -> AbstractContextManager[None]:
    return derived.translated(failure.format(folder), folder=folder, errors=(ChromaError, OSError, RuntimeError))
