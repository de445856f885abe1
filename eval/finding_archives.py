"""Archives for measuring retrieval: taken in by the real ingest, their vectors remembered from one run to the next."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from eval.dataset import SAMPLE, DatasetError
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
        self.fingerprint = embedder.fingerprint
        made_by = hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()
        self._one_at_a_time = threading.Lock()
        self._file = folder / f"vectors-{made_by[:16]}.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Its age tells whether it is still used.
            self._file.touch()
            # An ingest embeds in a thread of its own.
            self._kept = sqlite3.connect(self._file, timeout=60, check_same_thread=False)
            self._kept.execute("PRAGMA synchronous=OFF")
            self._kept.execute("CREATE TABLE IF NOT EXISTS made (key BLOB PRIMARY KEY, vectors BLOB) WITHOUT ROWID")
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
        made = self._remembered(
            [("question", text) for text in texts],
            lambda new: [vector[None] for vector in self._embedder.embed_questions([texts[at] for at in new])],
        )
        return np.concatenate(made) if made else np.empty((0, self.dim), np.float32)

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences, in order."""

        def make(new: Sequence[int]) -> list[Vectors]:
            made = self._embedder.embed_passages([passages[at] for at in new])
            return [np.concatenate([vectors.passage[None], vectors.sentences]) for vectors in made]

        named = [("passage", item.embedded_text, *(sentence.text for sentence in item.sentences)) for item in passages]
        return [PassageVectors(passage=rows[0], sentences=rows[1:]) for rows in self._remembered(named, make)]

    def _remembered(
        self, named: Sequence[Sequence[str]], make: Callable[[Sequence[int]], Sequence[Vectors]]
    ) -> list[Vectors]:
        """Return the vectors that go by each name; those that are not kept are made, by their positions."""
        keys = [hashlib.sha256(json.dumps(name).encode()).digest() for name in named]
        try:
            with self._one_at_a_time:
                one = "SELECT vectors FROM made WHERE key = ?"
                found = [self._kept.execute(one, (key,)).fetchone() for key in keys]
            new = [at for at, row in enumerate(found) if row is None]
            made = dict(zip(new, make(new), strict=True)) if new else {}
            with self._one_at_a_time, self._kept:
                self._kept.executemany(
                    "INSERT OR IGNORE INTO made VALUES (?, ?)",
                    [(keys[at], vectors.astype(np.float32).tobytes()) for at, vectors in made.items()],
                )
        except sqlite3.Error as exc:
            raise self._unusable(exc) from exc
        return [
            made[at] if row is None else np.frombuffer(row[0], np.float32).reshape(-1, self.dim)
            for at, row in enumerate(found)
        ]

    def _unusable(self, exc: Exception) -> DatasetError:
        return DatasetError(f"remembered vectors {self._file} cannot be used ({exc}): remove the file")


@contextmanager
def archive_of(documents: Sequence[Document], *, embedder: Embedder, settings: Settings) -> Iterator[Archive]:
    """Give an archive of the documents, which is gone after the `with`; each is an article under its id.

    Raises:
        DatasetError: A document could not be taken in.
    """
    with _new_archive(embedder=embedder, settings=settings) as archive:
        add_documents(archive, documents)
        yield archive


@contextmanager
def sample_archive(*, embedder: Embedder, settings: Settings) -> Iterator[Archive]:
    """Give an archive of the sample articles, which is gone after the `with`.

    Raises:
        DatasetError: An article could not be taken in.
    """
    with _new_archive(embedder=embedder, settings=settings) as archive:
        _take_in(archive, SAMPLE)
        yield archive


@contextmanager
def _new_archive(*, embedder: Embedder, settings: Settings) -> Iterator[Archive]:
    with (
        tempfile.TemporaryDirectory(prefix="hemeroteca-eval-") as folder,
        Archive.open(Path(folder) / "archive", settings=settings, create=True, embedder=embedder) as archive,
    ):
        yield archive


def add_documents(archive: Archive, documents: Sequence[Document]) -> None:
    """Take documents into an archive that `archive_of` gave; what has the very text of another is kept once.

    Raises:
        DatasetError: One could not be taken in.
    """
    if not documents:
        return
    lines = [json.dumps(_row(item), ensure_ascii=False) + "\n" for item in documents]
    content = "".join(lines).encode("utf-8", "surrogatepass")
    file = archive.path.with_name(f"{hashlib.sha256(content).hexdigest()[:16]}.jsonl")
    file.write_bytes(content)
    _take_in(archive, file)


def _row(document: Document) -> dict[str, str]:
    title = {"title": document.title} if document.title else {}
    return {"id": document.id, "text": document.text, **title}


def _take_in(archive: Archive, file: Path) -> None:
    summary = ingest(archive, [file])
    if summary.failures:
        raise DatasetError(f"{summary.failures[0].place}: {summary.failures[0].reason}")
