"""The tables of the truth, and how their rows become articles and passages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from rag.errors import ArchiveError
from rag.interfaces import PassageVectors, Vector, Vectors
from rag.schema import Article, Passage, Removal, Sentence

T = TypeVar("T")
METADATA = sa.MetaData()
META = sa.Table("meta", METADATA, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
ARTICLES = sa.Table(
    "articles",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("given_id", sa.Text, index=True),
    sa.Column("url", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("outlet", sa.Text, index=True),
    sa.Column("published", sa.Text),
    sa.Column("language", sa.Text, nullable=False, index=True),
    sa.Column("author", sa.Text),
    sa.Column("agency", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_hash", sa.Text, nullable=False, index=True),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("removed", sa.Text, nullable=False),
)
PLACES = sa.Table(
    "places",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("article_id", sa.ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("source_hash", sa.Text, nullable=False),
)
PASSAGES = sa.Table(
    "passages",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("article_id", sa.ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("sentences", sa.Text, nullable=False),
    sa.Column("vector", sa.LargeBinary),
    # float16: half the disk, and a cosine of sentences moves by less than 0.001.
    sa.Column("sentence_vectors", sa.LargeBinary),
)
# What is worked out from the articles, and can be again: made where it is missing, so that it changes no format. A row
# keeps the content_hash of its article, and counts only as long as that is the same.
WORKED_OUT = sa.MetaData()
STORY_ARTICLES = sa.Table(
    "story_articles",
    WORKED_OUT,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("article_id", sa.Text, nullable=False, unique=True),
    sa.Column("content_hash", sa.Text, nullable=False),
    # What stands in story_marks, to be taken out of it when the article's text is gone.
    sa.Column("marks", sa.LargeBinary, nullable=False),
)
# Where articles meet: each mark with the numbers of the articles that have it.
STORY_MARKS = sa.Table(
    "story_marks",
    WORKED_OUT,
    sa.Column("mark", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
# Every link stands in both directions.
STORY_LINKS = sa.Table(
    "story_links",
    WORKED_OUT,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("other", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sqlite_with_rowid=False,
)
TIMES = sa.Table(
    "times",
    WORKED_OUT,
    sa.Column("article_id", sa.ForeignKey(ARTICLES.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("content_hash", sa.Text, nullable=False),
    # Of the rules that found them.
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("spans", sa.Text, nullable=False),
)
# Articles are found by day and outlet, and a passage's neighbours, without reading the rows of the others, which hold
# text and vectors. Made where they are missing as well.
LATER_INDEXES = (
    sa.Index("articles_by_day", ARTICLES.c.published, ARTICLES.c.outlet, ARTICLES.c.id),
    sa.Index("passages_in_order", PASSAGES.c.article_id, PASSAGES.c.ordinal),
)
PENDING = sa.Index("passages_pending", PASSAGES.c.id, sqlite_where=PASSAGES.c.vector.is_(None))
CHANGES = sa.Table(
    "changes",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("article_id", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)


# SQLite takes at most 32,766 variables in a statement.
_MAX_VALUES = 10_000


def slices(values: Sequence[T]) -> Iterator[list[T]]:
    """Yield the values in order, as many at a time as a statement takes."""
    for start in range(0, len(values), _MAX_VALUES):
        yield list(values[start : start + _MAX_VALUES])


def is_among(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column is one of the `ids` that `these` gives: a list is one value of a statement.

    So a statement that every question asks is made once, and SQLite's plan for it is kept as well.
    """
    return column.in_(sa.select(sa.func.json_each(sa.bindparam("ids")).table_valued("value").c.value))


def these(ids: Collection[str]) -> dict[str, str]:
    """Return what a statement with `is_among` is executed with."""
    return {"ids": json.dumps(list(ids))}


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sentence_spans(passage: Passage) -> list[list[int]]:
    """Return where the sentences of a passage begin and end, as it is kept."""
    return [[sentence.start, sentence.end] for sentence in passage.sentences]


def article_values(article: Article, digest: str) -> dict[str, Any]:
    """Return the row of an article whose text has the hash `digest`."""
    return {
        "id": article.id,
        "given_id": article.given_id,
        "url": article.url,
        "title": article.title,
        "outlet": article.outlet,
        "published": article.published.isoformat() if article.published else None,
        "language": article.language,
        "author": article.author,
        "agency": article.agency,
        "text": article.text,
        "text_hash": digest,
        "content_hash": article.content_hash,
        "removed": json.dumps([asdict(removal) for removal in article.removed], ensure_ascii=False),
    }


def to_article(row: sa.Row[Any], places: tuple[str, ...]) -> Article:
    """Return the article of a row, with its text exactly as it was kept.

    Raises:
        ArchiveError: The row is damaged.
    """
    # SQLite has no checksums: only this tells a flipped bit from a quotation.
    if text_hash(row.text) != row.text_hash:
        raise _damaged(row.id, "its text is not what was kept")
    try:
        return Article(
            id=row.id,
            text=row.text,
            title=row.title,
            outlet=row.outlet,
            published=date.fromisoformat(row.published) if row.published else None,
            language=row.language,
            url=row.url,
            author=row.author,
            agency=row.agency,
            given_id=row.given_id,
            places=places,
            removed=tuple(Removal(**removal) for removal in json.loads(row.removed)),
            content_hash=row.content_hash,
        )
    except (ValueError, TypeError) as exc:
        raise _damaged(row.id, exc) from exc


def passages_with_text() -> sa.Select[Any]:
    """Return the selection of passages that `to_passage` takes."""
    # substr counts code points from 1, as Python does from 0.
    text = sa.func.substr(ARTICLES.c.text, PASSAGES.c.start + 1, PASSAGES.c.end - PASSAGES.c.start)
    return sa.select(
        PASSAGES.c.id,
        PASSAGES.c.article_id,
        PASSAGES.c.ordinal,
        PASSAGES.c.start,
        PASSAGES.c.end,
        PASSAGES.c.header,
        PASSAGES.c.sentences,
        text.label("text"),
        ARTICLES.c.language,
    ).join(ARTICLES, ARTICLES.c.id == PASSAGES.c.article_id)


def to_passage(row: sa.Row[Any]) -> Passage:
    """Return the passage of a row of `passages_with_text`.

    Raises:
        ArchiveError: The row is damaged.
    """
    return Passage(
        id=row.id,
        article_id=row.article_id,
        ordinal=row.ordinal,
        start=row.start,
        end=row.end,
        text=row.text,
        language=row.language,
        embedded_text=row.header + row.text,
        sentences=tuple(
            Sentence(start=start, end=end, text=row.text[start - row.start : end - row.start])
            for start, end in to_spans(row)
        ),
    )


def to_spans(row: sa.Row[Any]) -> list[list[int]]:
    """Return where the sentences of a passage's row begin and end.

    Raises:
        ArchiveError: The row is damaged.
    """
    try:
        return [[int(start), int(end)] for start, end in json.loads(row.sentences)]
    except (ValueError, TypeError) as exc:
        raise _damaged(row.article_id, exc) from exc


def to_vector(row: sa.Row[Any]) -> Vector:
    """Return the vector of a passage's row that has one.

    Raises:
        ArchiveError: The row is damaged.
    """
    try:
        return np.frombuffer(row.vector, dtype=np.float32)
    except (ValueError, TypeError) as exc:
        raise _damaged(row.article_id, exc) from exc


def to_sentence_vectors(rows: Sequence[sa.Row[Any]]) -> list[Vectors]:
    """Return the vectors of the sentences of passages' rows that have them, each of shape (sentences, dim).

    Raises:
        ArchiveError: A row is damaged.
    """
    kept = [_halves(row) for row in rows]
    if len({halves.shape[1] for halves in kept}) > 1:
        return [halves.astype(np.float32) for halves in kept]
    # Every question asks for some hundred: in one go.
    whole = np.concatenate(kept).astype(np.float32) if kept else np.empty((0, 0), np.float32)
    ends = list(accumulate(len(halves) for halves in kept))
    return [whole[end - len(halves) : end] for halves, end in zip(kept, ends, strict=True)]


def _halves(row: sa.Row[Any]) -> npt.NDArray[np.float16]:
    try:
        return np.frombuffer(row.sentence_vectors, dtype=np.float16).reshape(-1, len(row.vector) // 4)
    except (ValueError, TypeError) as exc:
        raise _damaged(row.article_id, exc) from exc


def vector_values(made: PassageVectors) -> dict[str, bytes]:
    """Return the columns of a passage's row that keep its vectors."""
    return {
        "vector": np.ascontiguousarray(made.passage, dtype=np.float32).tobytes(),
        "sentence_vectors": np.ascontiguousarray(made.sentences, dtype=np.float16).tobytes(),
    }


def _damaged(article_id: str, why: object) -> ArchiveError:
    return ArchiveError(
        f"article {article_id} is damaged in the archive ({why}): delete it with `hemeroteca delete {article_id}` and "
        "ingest it again, or put a copy of archive.db back"
    )


def places_of(connection: sa.Connection, article_ids: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Return the places of articles, sorted, by article id; of all articles if `article_ids` is None."""
    rows = connection.execute(_PLACES if article_ids is None else _PLACES_OF, these(article_ids or ()))
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        found[row.article_id] = (*found.get(row.article_id, ()), row.place)
    return found


_PLACES = sa.select(PLACES.c.article_id, PLACES.c.place).order_by(PLACES.c.article_id, PLACES.c.place)
_PLACES_OF = _PLACES.where(is_among(PLACES.c.article_id))
