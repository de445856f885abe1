"""Archives for measuring retrieval: taken in by the real ingest, their vectors remembered from one run to the next."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from eval.dataset import DatasetError
from eval.finding_sets import Document
from ingest import ingest
from rag.archive import Archive
from rag.config import Settings
from rag.interfaces import Embedder, PassageVectors, Vector, Vectors
from rag.schema import Passage

OpenArchive = Callable[[Sequence[Document]], AbstractContextManager[Archive]]
"""Gives an archive of documents for as long as a `with` lasts."""


class RememberingEmbedder:
    """An embedder that makes no vector twice; what it made is kept in a file, by what made it and of what text.

    Sentences get the vector of their passage: a search does not look at them, and it halves the time. So what it makes
    is of another kind, by its fingerprint, than what the embedder itself makes. For one thread.

    Args:
        embedder: What makes the vectors.
        folder: Where the file is, or is made.

    Raises:
        DatasetError: The file cannot be used.
    """

    def __init__(self, embedder: Embedder, *, folder: Path) -> None:
        self._embedder = embedder
        self.dim = embedder.dim
        self.max_tokens = embedder.max_tokens
        self.fingerprint = {**embedder.fingerprint, "sentences": "as their passage"}
        made_by = hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()
        self._file = folder / f"vectors-{made_by[:16]}.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Its age tells whether it is still used.
            self._file.touch()
            self._kept = sqlite3.connect(self._file)
            self._kept.execute("PRAGMA synchronous=OFF")
            self._kept.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        except (OSError, sqlite3.Error) as exc:
            raise self._unusable(exc) from exc

    def close(self) -> None:
        """Close the file; the embedder is not used afterwards."""
        self._kept.close()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        return self._embedder.count(texts)

    def embed_question(self, text: str) -> Vector:
        """Return the vector of a question, shape (dim,)."""
        vector: Vector = self.embed_questions([text])[0]
        return vector

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions, shape (n, dim)."""
        return self._remembered(
            "question", texts, lambda new: self._embedder.embed_questions([texts[at] for at in new])
        )

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages, and the same for their sentences."""

        def make(new: Sequence[int]) -> Vectors:
            bare = [replace(passages[at], sentences=()) for at in new]
            return np.stack([made.passage for made in self._embedder.embed_passages(bare)])

        vectors = self._remembered("passage", [passage.embedded_text for passage in passages], make)
        return [
            PassageVectors(passage=vector, sentences=np.tile(vector, (len(passage.sentences), 1)))
            for passage, vector in zip(passages, vectors, strict=True)
        ]

    def _remembered(self, kind: str, texts: Sequence[str], make: Callable[[Sequence[int]], Vectors]) -> Vectors:
        """Return a vector for each text; those that are not kept are made, by their positions."""
        keys = [hashlib.sha256(f"{kind} {text}".encode("utf-8", "surrogatepass")).digest() for text in texts]
        try:
            found = [self._kept.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone() for key in keys]
            new = [at for at, row in enumerate(found) if row is None]
            made = dict(zip(new, make(new), strict=True)) if new else {}
            with self._kept:
                self._kept.executemany(
                    "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
                    [(keys[at], vector.astype(np.float32).tobytes()) for at, vector in made.items()],
                )
        except sqlite3.Error as exc:
            raise self._unusable(exc) from exc
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return np.stack(
            [made[at] if row is None else np.frombuffer(row[0], np.float32) for at, row in enumerate(found)]
        )

    def _unusable(self, exc: Exception) -> DatasetError:
        return DatasetError(f"remembered vectors {self._file} cannot be used ({exc}): remove the file")


@contextmanager
def archive_of(documents: Sequence[Document], *, embedder: Embedder, settings: Settings) -> Iterator[Archive]:
    """Give an archive of the documents, which is gone after the `with`; each is an article under its id.

    Raises:
        DatasetError: A document could not be taken in.
    """
    with (
        tempfile.TemporaryDirectory(prefix="hemeroteca-eval-") as folder,
        Archive.open(Path(folder) / "archive", settings=settings, create=True, embedder=embedder) as archive,
    ):
        add_documents(archive, documents)
        yield archive


def add_documents(archive: Archive, documents: Sequence[Document]) -> None:
    """Take documents into an archive that `archive_of` gave; what has the very text of another is kept once.

    Raises:
        DatasetError: One could not be taken in.
    """
    if not documents:
        return
    lines = [json.dumps({"id": item.id, "text": item.text}, ensure_ascii=False) + "\n" for item in documents]
    content = "".join(lines).encode("utf-8", "surrogatepass")
    file = archive.path.with_name(f"{hashlib.sha256(content).hexdigest()[:16]}.jsonl")
    file.write_bytes(content)
    summary = ingest(archive, [file])
    if summary.failures:
        raise DatasetError(f"{summary.failures[0].place}: {summary.failures[0].reason}")
