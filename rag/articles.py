"""The truth: articles, passages, vectors and an append-only change log, in SQLite through SQLAlchemy Core.

Every write is one transaction that also logs what it did (ids only, never text). Indexes follow the log. A passage
without a vector is legal: it is found by its words, and counted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa

from rag.database import TIMEOUT_S, Database, open_database
from rag.errors import ArchiveError, NotFoundError
from rag.filtering import newest, passing, scarce, vectors_within
from rag.interfaces import Candidate, Change, Filters, Listed, PassageVectors, Vector, Vectors
from rag.keeping import (
    Kept,
    Outcome,
    Prepared,
    Source,
    forget,
    hash_read,
    is_cut_as,
    keep,
    log_change,
    merge,
    write_vectors,
)
from rag.readable import encodable
from rag.schema import Article, Passage
from rag.tables import (
    ARTICLES,
    CHANGES,
    META,
    PASSAGES,
    PLACES,
    is_among,
    passages_with_text,
    places_of,
    slices,
    these,
    to_article,
    to_passage,
    to_sentence_vectors,
    to_vector,
)

__all__ = ["Articles", "Counts", "Outcome", "Prepared", "open_articles"]

_NONE: Vectors = np.empty((0, 0), np.float32)
# What every question asks, made once.
_PASSAGES: sa.Select[Any] = passages_with_text().where(is_among(PASSAGES.c.id))
_FOLLOWER = PASSAGES.alias()
_BEFORE: sa.Select[Any] = (
    passages_with_text()
    .add_columns(_FOLLOWER.c.id.label("follower"))
    .join(
        _FOLLOWER,
        sa.and_(PASSAGES.c.article_id == _FOLLOWER.c.article_id, PASSAGES.c.ordinal == _FOLLOWER.c.ordinal - 1),
    )
    .where(is_among(_FOLLOWER.c.id))
)
_CANDIDATES: sa.Select[Any] = (
    sa.select(PASSAGES.c.id, PASSAGES.c.article_id, PASSAGES.c.vector, PASSAGES.c.sentence_vectors, ARTICLES.c.language)
    .join(ARTICLES, ARTICLES.c.id == PASSAGES.c.article_id)
    .where(is_among(PASSAGES.c.id))
)
_LANGUAGES: sa.Select[Any] = (
    sa.select(PASSAGES.c.id, ARTICLES.c.language)
    .join(ARTICLES, ARTICLES.c.id == PASSAGES.c.article_id)
    .where(is_among(PASSAGES.c.id))
)
_ARTICLES: sa.Select[Any] = sa.select(ARTICLES).where(is_among(ARTICLES.c.id))
_VECTORS: sa.Select[Any] = sa.select(PASSAGES.c.id, PASSAGES.c.article_id, PASSAGES.c.vector).where(
    is_among(PASSAGES.c.id), PASSAGES.c.vector.is_not(None)
)
_SENTENCE_VECTORS: sa.Select[Any] = _VECTORS.add_columns(PASSAGES.c.sentence_vectors)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an archive holds; `without_vectors` passages are found by their words only."""

    articles: int
    passages: int
    without_vectors: int


def open_articles(folder: Path, *, timeout_s: float = TIMEOUT_S) -> Articles:
    """Return the truth kept in a folder, made if it is not there.

    Args:
        folder: The archive's, held by this process.
        timeout_s: How long a write waits for another program that holds the file.

    Raises:
        ArchiveError: The file is no archive, is damaged, or was written by a newer version.
    """
    return Articles(open_database(folder, timeout_s=timeout_s))


class Articles:
    """The truth of one archive. Safe to use from several threads; one process writes at a time (the archive's lock)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # What every question asks for, each with the number of the change after which it was so. Nobody else writes:
        # who holds the archive's lock has one of these.
        self._known: dict[str, tuple[int, list[str]]] = {}
        self._changes = 0

    def close(self) -> None:
        """Close all connections; nothing can be read or written afterwards."""
        self._database.close()

    @property
    def database(self) -> Database:
        """Where the articles are kept, for what is worked out from them and kept beside them."""
        return self._database

    # ---- settings of the archive itself

    def meta(self, key: str) -> str | None:
        """Return a value that the archive remembers about itself, None if it has none."""
        with self._database.transaction() as connection:
            value: str | None = connection.scalar(sa.select(META.c.value).where(META.c.key == key))
            return value

    def set_meta(self, key: str, value: str) -> None:
        """Remember a value about the archive."""
        with self._database.transaction() as connection:
            connection.execute(sa.delete(META).where(META.c.key == key))
            connection.execute(sa.insert(META).values(key=key, value=value))

    # ---- writing

    def known_sources(self, places: Sequence[str]) -> dict[str, Source]:
        """Return what is known of those of the places that were read before."""
        found: dict[str, Source] = {}
        with self._database.transaction() as connection:
            for some in slices(places):
                rows = connection.execute(
                    sa.select(PLACES.c.place, PLACES.c.source_hash, PLACES.c.article_id).where(PLACES.c.place.in_(some))
                )
                found |= {row.place: Source(hash_read(row.source_hash), row.article_id) for row in rows}
        return found

    def put(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Keep articles in one transaction and return what became of each, in order.

        An article whose content is known only gains its place; equal text without a URL, of one outlet and day as far
        as these are known, is kept once, with both places. Passages that a changed article keeps keep their vectors.
        When one of several places changes, the text stays for the others.
        """
        with self._changing() as connection:
            return [keep(connection, item) for item in prepared]

    def merge(self, kept: Iterable[Kept]) -> list[Outcome]:
        """Take in what another archive keeps, all of it or nothing, and return what became of each article, in order.

        As if all its places had been read here now; the vectors have to be of this archive's kind.

        Raises:
            ArchiveError: An article cannot be kept.
        """
        outcomes: list[Outcome] = []
        taken: set[str] = set()
        with self._changing() as connection:
            for item in kept:
                outcome, kept_id = merge(connection, item, apart=taken)
                outcomes.append(outcome)
                taken.add(kept_id)
        return outcomes

    def set_vectors(self, vectors: Sequence[tuple[Passage, PassageVectors]]) -> None:
        """Keep the vectors of passages, in one transaction.

        Passages that were deleted meanwhile, or cut into other sentences, are passed over; these still wait for theirs.
        """
        made_for = {passage.id: passage for passage, _ in vectors}
        with self._database.transaction() as connection:
            article_ids: dict[str, str] = {}
            for some in slices(list(made_for)):
                rows = connection.execute(sa.select(PASSAGES).where(PASSAGES.c.id.in_(some)))
                article_ids |= {row.id: row.article_id for row in rows if is_cut_as(row, made_for[row.id])}
            current = [(passage.id, made) for passage, made in vectors if passage.id in article_ids]
            write_vectors(connection, current)
            log_change(connection, "vectors", list(dict.fromkeys(article_ids[each] for each, _ in current)))

    def delete(self, article_id: str) -> Article:
        """Remove an article with its passages and return what it was, without text if it is damaged.

        Raises:
            NotFoundError: No article has that id.
        """
        with self._database.transaction() as connection:
            kept_id = _id_of(connection, article_id)
        try:
            article = self.article(kept_id)
        except ArchiveError:
            # Damaged beyond reading: to be deleted all the more.
            article = Article(id=kept_id, text="")
        with self._changing() as connection:
            forget(connection, kept_id)
        return article

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        """Yield a connection in one transaction that changes articles."""
        try:
            with self._database.transaction() as connection:
                yield connection
        finally:
            # Afterwards: what was read before the transaction ended is then known to be old.
            self._changes += 1

    # ---- reading

    def article(self, article_id: str) -> Article:
        """Return an article by its id, or by the id that its source gave it.

        Raises:
            NotFoundError: No article has that id.
        """
        with self._database.transaction() as connection:
            kept_id = _id_of(connection, article_id)
            row = connection.execute(sa.select(ARTICLES).where(ARTICLES.c.id == kept_id)).one()
            return to_article(row, places_of(connection, [kept_id]).get(kept_id, ()))

    def articles(self) -> list[Article]:
        """Return all articles, the newest first, those without a date last."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                sa.select(ARTICLES).order_by(ARTICLES.c.published.is_(None), ARTICLES.c.published.desc(), ARTICLES.c.id)
            ).all()
            places = places_of(connection, None)
            return [to_article(row, places.get(row.id, ())) for row in rows]

    def ids(self) -> list[str]:
        """Return the ids of all articles, in order."""
        with self._database.transaction() as connection:
            return list(connection.scalars(sa.select(ARTICLES.c.id).order_by(ARTICLES.c.id)))

    def articles_by_id(self, ids: Sequence[str]) -> dict[str, Article]:
        """Return those of the articles that exist and are whole; of the others a warning is logged."""
        found: dict[str, Article] = {}
        with self._database.transaction() as connection:
            for some in slices(ids):
                rows = connection.execute(sa.select(ARTICLES).where(ARTICLES.c.id.in_(some))).all()
                places = places_of(connection, some)
                for row in rows:
                    # One damaged article must not keep an index from following all the others.
                    try:
                        found[row.id] = to_article(row, places.get(row.id, ()))
                    except ArchiveError as exc:
                        logging.getLogger(__name__).warning("%s", exc)
        return found

    def passages_of(self, article_ids: Sequence[str]) -> list[Passage]:
        """Return all passages of the articles, in order of article id and ordinal; none for a deleted article.

        Those that are damaged are left out, and a warning is logged.
        """
        found: list[Passage] = []
        with self._database.transaction() as connection:
            for some in slices(sorted(article_ids)):
                rows = connection.execute(
                    passages_with_text()
                    .where(PASSAGES.c.article_id.in_(some))
                    .order_by(PASSAGES.c.article_id, PASSAGES.c.ordinal)
                )
                for row in rows:
                    try:
                        found.append(to_passage(row))
                    except ArchiveError as exc:
                        logging.getLogger(__name__).warning("%s", exc)
        return found

    def passages_by_id(self, ids: Sequence[str]) -> dict[str, tuple[Passage, Article]]:
        """Return those of the passages that exist, each with its article, from one state of the archive."""
        with self._database.transaction() as connection:
            rows = connection.execute(_PASSAGES, these(ids)).all()
            article_ids = sorted({row.article_id for row in rows})
            places = places_of(connection, article_ids)
            articles = {
                row.id: to_article(row, places.get(row.id, ()))
                for row in connection.execute(_ARTICLES, these(article_ids))
            }
        return {row.id: (to_passage(row), articles[row.article_id]) for row in rows}

    def passages_before(self, passage_ids: Sequence[str]) -> dict[str, Passage]:
        """Return, for those passages that are not the first of their articles, the ones before them."""
        with self._database.transaction() as connection:
            rows = connection.execute(_BEFORE, these(passage_ids)).all()
        return {row.follower: to_passage(row) for row in rows}

    def candidates(self, passage_ids: Sequence[str]) -> dict[str, Candidate]:
        """Return what ranking needs of those of the passages that exist."""
        with self._database.transaction() as connection:
            rows = connection.execute(_CANDIDATES, these(passage_ids)).all()
        sentences = iter(to_sentence_vectors([row for row in rows if row.vector is not None]))
        return {
            row.id: Candidate(row.language, None, _NONE, row.article_id)
            if row.vector is None
            else Candidate(row.language, to_vector(row), next(sentences), row.article_id)
            for row in rows
        }

    def vectors_of(self, passage_ids: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of those passages that have one."""
        with self._database.transaction() as connection:
            rows = connection.execute(_VECTORS, these(passage_ids)).all()
        return {row.id: to_vector(row) for row in rows}

    def vectors_within(self, filters: Filters, *, most: int) -> dict[str, Vector] | None:
        """Return the vectors of all passages whose articles pass, None if there are more passages than `most`."""
        with self._database.transaction() as connection:
            return vectors_within(connection, filters, most=most)

    def scarce(self, *, dim: int, most: int) -> dict[str, Listed]:
        """Return by language the passages with vectors of the scarcest languages, `most` passages in all."""
        with self._database.transaction() as connection:
            return scarce(connection, dim=dim, most=most)

    def passing(self, passage_ids: Sequence[str], *, filters: Filters) -> set[str]:
        """Return those of the passages whose articles pass."""
        with self._database.transaction() as connection:
            return {passage_id for some in slices(passage_ids) for passage_id in passing(connection, some, filters)}

    def newest(self, filters: Filters, *, most: int) -> tuple[list[str], int]:
        """Return the first passages of the newest articles that pass, and how many articles pass in all."""
        with self._database.transaction() as connection:
            return newest(connection, filters, most=most)

    def languages_of(self, passage_ids: Sequence[str]) -> dict[str, str]:
        """Return the languages of the articles of those of the passages that exist."""
        with self._database.transaction() as connection:
            rows = connection.execute(_LANGUAGES, these(passage_ids)).all()
        return {row.id: row.language for row in rows}

    def sentence_vectors_of(self, passage_ids: Sequence[str]) -> dict[str, Vectors]:
        """Return, for those passages that have vectors, one row per sentence, shape (sentences, dim)."""
        with self._database.transaction() as connection:
            rows = connection.execute(_SENTENCE_VECTORS, these(passage_ids)).all()
        return {row.id: vectors for row, vectors in zip(rows, to_sentence_vectors(rows), strict=True)}

    def without_vectors(self, *, limit: int) -> list[Passage]:
        """Return up to `limit` passages that have no vector yet."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                passages_with_text().where(PASSAGES.c.vector.is_(None)).order_by(PASSAGES.c.id).limit(limit)
            )
            return [to_passage(row) for row in rows]

    def counts(self) -> Counts:
        """Return how much the archive holds."""
        with self._database.transaction() as connection:
            total = connection.execute(
                sa.select(
                    sa.select(sa.func.count()).select_from(ARTICLES).scalar_subquery().label("articles"),
                    sa.select(sa.func.count()).select_from(PASSAGES).scalar_subquery().label("passages"),
                    sa.select(sa.func.count())
                    .select_from(PASSAGES)
                    .where(PASSAGES.c.vector.is_(None))
                    .scalar_subquery()
                    .label("without_vectors"),
                )
            ).one()
            return Counts(total.articles, total.passages, total.without_vectors)

    def outlets(self) -> list[str]:
        """Return the outlets that articles name, in alphabetical order."""
        outlet = ARTICLES.c.outlet
        return self._as_of_now("outlets", sa.select(outlet).where(outlet.is_not(None)).distinct().order_by(outlet))

    def languages(self) -> list[str]:
        """Return the languages of the articles, the most frequent first."""
        language = ARTICLES.c.language
        by_frequency = sa.select(language).group_by(language).order_by(sa.func.count().desc(), language)
        return self._as_of_now("languages", by_frequency)

    def _as_of_now(self, name: str, selected: sa.Select[Any]) -> list[str]:
        """Return a column of the articles, read again only when articles have changed."""
        now = self._changes
        if name not in self._known or self._known[name][0] != now:
            with self._database.transaction() as connection:
                self._known[name] = (now, list(connection.scalars(selected)))
        return list(self._known[name][1])

    # ---- upkeep

    def faults(self) -> list[str]:
        """Return what is wrong with the database itself, a sentence each; reads all of it."""
        return self._database.faults()

    def unusable_vectors(self, passages: Sequence[Passage], *, dim: int) -> list[str]:
        """Return the ids of passages whose vectors, their own or their sentences', are not `dim` finite numbers."""
        unusable: list[str] = []
        with self._database.transaction() as connection:
            for some in slices([passage.id for passage in passages]):
                rows = connection.execute(
                    sa.select(
                        PASSAGES.c.id, PASSAGES.c.sentences, PASSAGES.c.vector, PASSAGES.c.sentence_vectors
                    ).where(PASSAGES.c.id.in_(some), PASSAGES.c.vector.is_not(None))
                )
                for row in rows:
                    halves, count = row.sentence_vectors or b"", len(json.loads(row.sentences))
                    if (
                        (len(row.vector), len(halves)) != (dim * 4, dim * 2 * count)
                        or not np.isfinite(np.frombuffer(row.vector, np.float32)).all()
                        or not np.isfinite(np.frombuffer(halves, np.float16)).all()
                    ):
                        unusable.append(row.id)
        return unusable

    def compact(self) -> None:
        """Write the database anew without the room, and the remains, of what was deleted."""
        self._database.compact()

    # ---- the change log

    def last_seq(self) -> int:
        """Return the newest entry's number, 0 when nothing was ever logged."""
        with self._database.transaction() as connection:
            return connection.scalar(sa.select(sa.func.max(CHANGES.c.seq))) or 0

    def changes(self, after: int, *, event: Literal["article", "vectors"]) -> list[Change]:
        """Return the entries of one kind with a `seq` above `after`, oldest first, the last of each article only."""
        newest = sa.func.max(CHANGES.c.seq).label("seq")
        with self._database.transaction() as connection:
            rows = connection.execute(
                sa.select(newest, CHANGES.c.article_id)
                .where(CHANGES.c.seq > after, CHANGES.c.event == event)
                .group_by(CHANGES.c.article_id)
                .order_by(newest)
            )
            return [Change(seq=row.seq, event=event, article_id=row.article_id) for row in rows]


def _id_of(connection: sa.Connection, article_id: str) -> str:
    """Return the id of the article that has an id, or was given it by its source.

    Raises:
        NotFoundError: No article has that id, or several were given it.
    """
    # A terminal can hand over bytes that are no text, and no id.
    wanted = encodable(article_id)
    rows = connection.execute(
        sa.select(ARTICLES.c.id, ARTICLES.c.outlet, ARTICLES.c.title)
        .where(sa.or_(ARTICLES.c.id == wanted, ARTICLES.c.given_id == wanted))
        .order_by((ARTICLES.c.id == wanted).desc(), ARTICLES.c.id)
    ).all()
    if not rows:
        raise NotFoundError(f"no article has the id {article_id!r}: `hemeroteca list` shows the ids")
    if len(rows) > 1 and rows[0].id != wanted:
        raise NotFoundError(
            f"{len(rows)} articles were given the id {article_id!r}: use one of "
            + ", ".join(f"{row.id} ({row.outlet or row.title or 'no outlet'})" for row in rows[:5])
        )
    kept_id: str = rows[0].id
    return kept_id
