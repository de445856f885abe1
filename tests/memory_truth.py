"""A truth in memory, for tests of the indexes: hand-made articles with one passage per text given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np

from rag.interfaces import Change, Vector
from rag.schema import Article, Passage

DIM = 8


def unit_vector(*numbers: float) -> Vector:
    """Return a vector of `DIM` numbers that begins with those given, at unit length."""
    vector = np.zeros(DIM, np.float32)
    vector[: len(numbers)] = numbers
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class MemoryTruth:
    """Articles, passages and vectors in dicts, with the change log that the indexes follow."""

    def __init__(self) -> None:
        self.log: list[Change] = []
        self._articles: dict[str, Article] = {}
        self._passages: dict[str, list[Passage]] = {}
        self._vectors: dict[str, Vector] = {}

    def put(
        self,
        article_id: str,
        texts: Sequence[str],
        *,
        vectors: Sequence[Vector] = (),
        title: str | None = None,
        outlet: str | None = None,
        published: date | None = None,
        language: str = "es",
        first_passage: int = 0,
    ) -> list[str]:
        """Store an article in place of an older one, log it, and return its passage ids.

        Ids are `article_id#n` from `first_passage`; passages beyond `vectors` stay without one.
        """
        self._articles[article_id] = Article(
            article_id, "\n".join(texts), title=title, outlet=outlet, published=published, language=language
        )
        self._forget_passages(article_id)
        ids = [f"{article_id}#{first_passage + at}" for at in range(len(texts))]
        starts = [sum(len(text) + 1 for text in texts[:at]) for at in range(len(texts))]
        self._passages[article_id] = [
            Passage(ids[at], article_id, at, starts[at], starts[at] + len(text), text, language, text)
            for at, text in enumerate(texts)
        ]
        self._append("article", article_id)
        if vectors:
            self._vectors |= dict(zip(ids, vectors, strict=False))
            self._append("vectors", article_id)
        return ids

    def delete(self, article_id: str) -> None:
        """Remove an article with its passages and vectors, and log it."""
        self._forget_passages(article_id)
        del self._articles[article_id]
        self._append("article", article_id)

    def last_seq(self) -> int:
        return len(self.log)

    def changes(self, after: int, *, event: Literal["article", "vectors"]) -> list[Change]:
        last = {change.article_id: change for change in self.log if change.seq > after and change.event == event}
        return sorted(last.values(), key=lambda change: change.seq)

    def articles_by_id(self, ids: Sequence[str]) -> dict[str, Article]:
        return {id_: self._articles[id_] for id_ in ids if id_ in self._articles}

    def passages_of(self, article_ids: Sequence[str]) -> list[Passage]:
        return [passage for id_ in sorted(article_ids) for passage in self._passages.get(id_, [])]

    def vectors_of(self, passage_ids: Sequence[str]) -> dict[str, Vector]:
        return {id_: self._vectors[id_] for id_ in passage_ids if id_ in self._vectors}

    def _forget_passages(self, article_id: str) -> None:
        for passage in self._passages.pop(article_id, []):
            self._vectors.pop(passage.id, None)

    def _append(self, event: Literal["article", "vectors"], article_id: str) -> None:
        self.log.append(Change(len(self.log) + 1, event, article_id))
