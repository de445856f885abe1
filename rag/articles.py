"""The truth: articles, passages, vectors and an append-only change log, in SQLite through SQLAlchemy Core.

Every write is one transaction that also logs what it did (ids only, never text). Indexes follow the log. A passage
without a vector is legal: it is found by its words, and counted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa

from rag.errors import ArchiveError, NotFoundError
from rag.interfaces import Change, PassageVectors, Vector, Vectors
from rag.schema import Article, Passage, Removal, Sentence

FILE_NAME = "archive.db"
SCHEMA_VERSION = "1"
Outcome = Literal["added", "changed", "unchanged", "duplicate"]
# SQLite takes at most 32,766 variables in a statement.
_MAX_IDS = 10_000

_metadata = sa.MetaData()
_meta = sa.Table("meta", _metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
_articles = sa.Table(
    "articles",
    _metadata,
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
_places = sa.Table(
    "places",
    _metadata,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("article_id", sa.ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("source_hash", sa.Text, nullable=False),
)
_passages = sa.Table(
    "passages",
    _metadata,
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
_pending = sa.Index("passages_pending", _passages.c.id, sqlite_where=_passages.c.vector.is_(None))
_changes = sa.Table(
    "changes",
    _metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("article_id", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article ready to be kept: its passages, the place it was read from, and the hash of what was read there."""

    article: Article
    passages: tuple[Passage, ...]
    place: str
    source_hash: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an archive holds; `without_vectors` passages are found by their words only."""

    articles: int
    passages: int
    without_vectors: int


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def open_articles(folder: Path) -> Articles:
    """Return the truth kept in a folder, made if it is not there.

    Raises:
        ArchiveError: The file is no archive, is damaged, or was written by a newer version.
    """
    engine = sa.create_engine(f"sqlite:///{folder / FILE_NAME}", connect_args={"timeout": 30.0})
    sa.event.listen(engine, "connect", _on_connect)
    # pysqlite would begin only before a write; reads have to see one state as well.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    try:
        with engine.begin() as connection:
            _metadata.create_all(connection)
            connection.execute(
                sa.text("INSERT OR IGNORE INTO meta (key, value) VALUES ('schema', :version)"),
                {"version": SCHEMA_VERSION},
            )
            version = connection.scalar(sa.select(_meta.c.value).where(_meta.c.key == "schema"))
    except sa.exc.DatabaseError as exc:
        engine.dispose()
        raise ArchiveError(
            f"{folder / FILE_NAME} cannot be used as an archive ({exc.orig}): restore it from a copy, or ingest into "
            "another folder"
        ) from exc
    if version != SCHEMA_VERSION:
        engine.dispose()
        raise ArchiveError(
            f"{folder / FILE_NAME} has format {version}, this version of Hemeroteca reads format {SCHEMA_VERSION}: "
            "update Hemeroteca"
        )
    return Articles(engine)


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


class Articles:
    """The truth of one archive. Safe to use from several threads; one process writes at a time (the archive's lock)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._closed = False

    def close(self) -> None:
        """Close all connections; nothing can be read or written afterwards."""
        self._closed = True
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        if self._closed:
            raise ArchiveError(f"archive {self._engine.url.database} is closed: open it again")
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as exc:
            raise ArchiveError(
                f"the archive's database {self._engine.url.database} failed ({exc.orig}): check free space and "
                "permissions, then try again"
            ) from exc
        except sa.exc.DatabaseError as exc:
            raise ArchiveError(
                f"the archive's database {self._engine.url.database} is damaged ({exc.orig}): restore it from a copy, "
                "or ingest into another folder"
            ) from exc

    # ---- settings of the archive itself

    def meta(self, key: str) -> str | None:
        """Return a value that the archive remembers about itself, None if it has none."""
        with self._connection() as connection:
            value: str | None = connection.scalar(sa.select(_meta.c.value).where(_meta.c.key == key))
            return value

    def set_meta(self, key: str, value: str) -> None:
        """Remember a value about the archive."""
        with self._connection() as connection:
            connection.execute(sa.delete(_meta).where(_meta.c.key == key))
            connection.execute(sa.insert(_meta).values(key=key, value=value))

    # ---- writing

    def known_sources(self, places: Sequence[str]) -> dict[str, str]:
        """Return the source hash last read at each of the places that are known."""
        found: dict[str, str] = {}
        with self._connection() as connection:
            for some in _slices(places):
                rows = connection.execute(
                    sa.select(_places.c.place, _places.c.source_hash).where(_places.c.place.in_(some))
                )
                found |= {row.place: row.source_hash for row in rows}
        return found

    def put(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Keep articles in one transaction and return what became of each, in order.

        An article whose content is known only gains its place; equal text without a URL, of one outlet and day as far
        as these are known, is kept once, with both places. Passages that a changed article keeps keep their vectors.
        When one of several places changes, the text stays for the others.
        """
        with self._connection() as connection:
            return [self._put_one(connection, item) for item in prepared]

    def _put_one(self, connection: sa.Connection, item: Prepared) -> Outcome:
        article, digest = item.article, text_hash(item.article.text)
        old_hash = connection.scalar(sa.select(_articles.c.content_hash).where(_articles.c.id == article.id))
        outcome: Outcome = "added" if old_hash is None else "changed"
        if old_hash is None and article.url is None:
            twin = _twin_of(connection, article, digest=digest)
            if twin is not None and _only_place(connection, twin) == item.place:
                # The same text from the same place under another name: its outlet or id was corrected.
                _forget(connection, twin)
                outcome = "changed"
            elif twin is not None and _agree(connection, twin, article):
                self._record_place(connection, item, article_id=twin)
                return "duplicate"
        if old_hash == article.content_hash:
            self._record_place(connection, item, article_id=article.id)
            return "unchanged"
        values = _article_values(article, digest)
        if old_hash is None:
            connection.execute(sa.insert(_articles).values(**values))
        else:
            _keep_for_other_places(connection, article.id, place=item.place)
            connection.execute(sa.update(_articles).where(_articles.c.id == article.id).values(**values))
        self._record_place(connection, item, article_id=article.id)
        kept = self._replace_passages(connection, item)
        _log(connection, "article", [article.id])
        if kept or old_hash is not None:
            _log(connection, "vectors", [article.id])
        return outcome

    def _record_place(self, connection: sa.Connection, item: Prepared, *, article_id: str) -> None:
        connection.execute(sa.delete(_places).where(_places.c.place == item.place))
        connection.execute(
            sa.insert(_places).values(place=item.place, article_id=article_id, source_hash=item.source_hash)
        )

    def _replace_passages(self, connection: sa.Connection, item: Prepared) -> int:
        """Write the passages of an article and return how many were there before."""
        rows = connection.execute(sa.select(_passages).where(_passages.c.article_id == item.article.id))
        # Vectors stay with a passage that is cut into the same sentences; another language may cut it otherwise.
        old = {(row.id, _bounds(json.loads(row.sentences), row.start)): row for row in rows}
        connection.execute(sa.delete(_passages).where(_passages.c.article_id == item.article.id))
        new = [
            {
                "id": passage.id,
                "article_id": passage.article_id,
                "ordinal": passage.ordinal,
                "start": passage.start,
                "end": passage.end,
                "header": passage.embedded_text[: len(passage.embedded_text) - len(passage.text)],
                "sentences": json.dumps(_sentence_spans(passage)),
                "vector": before.vector if before else None,
                "sentence_vectors": before.sentence_vectors if before else None,
            }
            for passage in item.passages
            for before in [old.get((passage.id, _bounds(_sentence_spans(passage), passage.start)))]
        ]
        if new:
            connection.execute(sa.insert(_passages), new)
        return len(old)

    def set_vectors(self, vectors: Sequence[tuple[str, PassageVectors]]) -> None:
        """Keep the vectors of passages, in one transaction; passages deleted meanwhile are passed over."""
        if not vectors:
            return
        with self._connection() as connection:
            touched: dict[str, None] = {}
            for passage_id, made in vectors:
                article_id = connection.scalar(
                    sa.update(_passages)
                    .where(_passages.c.id == passage_id)
                    .values(
                        vector=np.ascontiguousarray(made.passage, dtype=np.float32).tobytes(),
                        sentence_vectors=np.ascontiguousarray(made.sentences, dtype=np.float16).tobytes(),
                    )
                    .returning(_passages.c.article_id)
                )
                if article_id is not None:
                    touched[article_id] = None
            _log(connection, "vectors", list(touched))

    def delete(self, article_id: str) -> Article:
        """Remove an article with its passages and return what it was.

        Raises:
            NotFoundError: No article has that id.
        """
        article = self.article(article_id)
        with self._connection() as connection:
            _forget(connection, article.id)
        return article

    # ---- reading

    def article(self, article_id: str) -> Article:
        """Return an article by its id, or by the id that its source gave it.

        Raises:
            NotFoundError: No article has that id.
        """
        # A terminal can hand over bytes that are no text, and no id.
        wanted = article_id.encode("utf-8", "replace").decode("utf-8")
        with self._connection() as connection:
            rows = connection.execute(
                sa.select(_articles)
                .where(sa.or_(_articles.c.id == wanted, _articles.c.given_id == wanted))
                .order_by((_articles.c.id == wanted).desc(), _articles.c.id)
            ).all()
            if not rows:
                raise NotFoundError(f"no article has the id {article_id!r}: `hemeroteca list` shows the ids")
            if len(rows) > 1 and rows[0].id != wanted:
                raise NotFoundError(
                    f"{len(rows)} articles were given the id {article_id!r}: use one of "
                    + ", ".join(f"{row.id} ({row.outlet or row.title or 'no outlet'})" for row in rows[:5])
                )
            return _to_article(rows[0], _places_of(connection, [rows[0].id]).get(rows[0].id, ()))

    def articles(self) -> list[Article]:
        """Return all articles, the newest first, those without a date last."""
        with self._connection() as connection:
            rows = connection.execute(
                sa.select(_articles).order_by(
                    _articles.c.published.is_(None), _articles.c.published.desc(), _articles.c.id
                )
            ).all()
            places = _places_of(connection, None)
            return [_to_article(row, places.get(row.id, ())) for row in rows]

    def articles_by_id(self, ids: Sequence[str]) -> dict[str, Article]:
        """Return those of the articles that exist."""
        found: dict[str, Article] = {}
        with self._connection() as connection:
            for some in _slices(ids):
                rows = connection.execute(sa.select(_articles).where(_articles.c.id.in_(some))).all()
                places = _places_of(connection, some)
                found |= {row.id: _to_article(row, places.get(row.id, ())) for row in rows}
        return found

    def passages_of(self, article_ids: Sequence[str]) -> list[Passage]:
        """Return all passages of the articles, in order of article id and ordinal; none for a deleted article."""
        found: list[Passage] = []
        with self._connection() as connection:
            for some in _slices(sorted(article_ids)):
                rows = connection.execute(
                    _passages_with_text()
                    .where(_passages.c.article_id.in_(some))
                    .order_by(_passages.c.article_id, _passages.c.ordinal)
                )
                found += [_to_passage(row) for row in rows]
        return found

    def passages_by_id(self, ids: Sequence[str]) -> dict[str, tuple[Passage, Article]]:
        """Return those of the passages that exist, each with its article, from one state of the archive."""
        with self._connection() as connection:
            rows = [
                row
                for some in _slices(ids)
                for row in connection.execute(_passages_with_text().where(_passages.c.id.in_(some)))
            ]
            article_ids = sorted({row.article_id for row in rows})
            articles: dict[str, Article] = {}
            for some in _slices(article_ids):
                places = _places_of(connection, some)
                for row in connection.execute(sa.select(_articles).where(_articles.c.id.in_(some))):
                    articles[row.id] = _to_article(row, places.get(row.id, ()))
        return {row.id: (_to_passage(row), articles[row.article_id]) for row in rows}

    def vectors_of(self, passage_ids: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of those passages that have one."""
        found: dict[str, Vector] = {}
        with self._connection() as connection:
            for some in _slices(passage_ids):
                rows = connection.execute(
                    sa.select(_passages.c.id, _passages.c.vector).where(
                        _passages.c.id.in_(some), _passages.c.vector.is_not(None)
                    )
                )
                found |= {row.id: np.frombuffer(row.vector, dtype=np.float32) for row in rows}
        return found

    def sentence_vectors_of(self, passage_ids: Sequence[str]) -> dict[str, Vectors]:
        """Return, for those passages that have vectors, one row per sentence, shape (sentences, dim)."""
        found: dict[str, Vectors] = {}
        with self._connection() as connection:
            for some in _slices(passage_ids):
                rows = connection.execute(
                    sa.select(_passages.c.id, _passages.c.vector, _passages.c.sentence_vectors).where(
                        _passages.c.id.in_(some), _passages.c.vector.is_not(None)
                    )
                )
                for row in rows:
                    dim = len(row.vector) // 4
                    halves = np.frombuffer(row.sentence_vectors, dtype=np.float16).reshape(-1, dim)
                    found[row.id] = halves.astype(np.float32)
        return found

    def without_vectors(self, *, limit: int) -> list[Passage]:
        """Return up to `limit` passages that have no vector yet."""
        with self._connection() as connection:
            rows = connection.execute(
                _passages_with_text().where(_passages.c.vector.is_(None)).order_by(_passages.c.id).limit(limit)
            )
            return [_to_passage(row) for row in rows]

    def counts(self) -> Counts:
        """Return how much the archive holds."""
        with self._connection() as connection:
            total = connection.execute(
                sa.select(
                    sa.select(sa.func.count()).select_from(_articles).scalar_subquery().label("articles"),
                    sa.select(sa.func.count()).select_from(_passages).scalar_subquery().label("passages"),
                    sa.select(sa.func.count())
                    .select_from(_passages)
                    .where(_passages.c.vector.is_(None))
                    .scalar_subquery()
                    .label("without_vectors"),
                )
            ).one()
            return Counts(total.articles, total.passages, total.without_vectors)

    def outlets(self) -> list[str]:
        """Return the outlets that articles name, in alphabetical order."""
        return self._distinct(_articles.c.outlet)

    def languages(self) -> list[str]:
        """Return the languages of the articles, the most frequent first."""
        with self._connection() as connection:
            rows = connection.execute(
                sa.select(_articles.c.language)
                .group_by(_articles.c.language)
                .order_by(sa.func.count().desc(), _articles.c.language)
            )
            return [row.language for row in rows]

    def _distinct(self, column: sa.Column[Any]) -> list[str]:
        with self._connection() as connection:
            rows = connection.execute(sa.select(column).where(column.is_not(None)).distinct().order_by(column))
            return [row[0] for row in rows]

    # ---- the change log

    def last_seq(self) -> int:
        """Return the newest entry's number, 0 when nothing was ever logged."""
        with self._connection() as connection:
            return connection.scalar(sa.select(sa.func.max(_changes.c.seq))) or 0

    def changes(self, after: int, *, event: Literal["article", "vectors"]) -> list[Change]:
        """Return the entries of one kind with a `seq` above `after`, oldest first, the last of each article only."""
        newest = sa.func.max(_changes.c.seq).label("seq")
        with self._connection() as connection:
            rows = connection.execute(
                sa.select(newest, _changes.c.article_id)
                .where(_changes.c.seq > after, _changes.c.event == event)
                .group_by(_changes.c.article_id)
                .order_by(newest)
            )
            return [Change(seq=row.seq, event=event, article_id=row.article_id) for row in rows]


def _twin_of(connection: sa.Connection, article: Article, *, digest: str) -> str | None:
    """Return the article without a URL that has the same text; one of the same outlet and day if there are several."""
    rows = connection.execute(
        sa.select(_articles.c.id)
        .where(_articles.c.text_hash == digest, _articles.c.url.is_(None))
        .order_by(_articles.c.outlet.is_not_distinct_from(article.outlet).desc(), _articles.c.id)
    ).all()
    return next((row.id for row in rows if _agree(connection, row.id, article)), rows[0].id if rows else None)


def _agree(connection: sa.Connection, article_id: str, article: Article) -> bool:
    """Whether outlet and day are equal or one side does not know them: else it is another outlet's print."""
    row = connection.execute(
        sa.select(_articles.c.outlet, _articles.c.published).where(_articles.c.id == article_id)
    ).one()
    published = article.published.isoformat() if article.published else None
    return all(
        known is None or new is None or known == new
        for known, new in ((row.outlet, article.outlet), (row.published, published))
    )


def _only_place(connection: sa.Connection, article_id: str) -> str | None:
    places = connection.scalars(sa.select(_places.c.place).where(_places.c.article_id == article_id).limit(2)).all()
    return places[0] if len(places) == 1 else None


def _forget(connection: sa.Connection, article_id: str) -> None:
    connection.execute(sa.delete(_articles).where(_articles.c.id == article_id))
    _log(connection, "article", [article_id])
    _log(connection, "vectors", [article_id])


def _keep_for_other_places(connection: sa.Connection, article_id: str, *, place: str) -> None:
    """Copy an article that is about to change, for the other places that still hold it as it was."""
    others = connection.scalars(
        sa.select(_places.c.place)
        .where(_places.c.article_id == article_id, _places.c.place != place)
        .order_by(_places.c.place)
    ).all()
    if not others:
        return
    # The identity that the place will have when it is read again on its own.
    copy_id = text_hash(f"path:{others[0]}")[:16]
    if connection.scalar(sa.select(_articles.c.id).where(_articles.c.id == copy_id)) is None:
        row = connection.execute(sa.select(_articles).where(_articles.c.id == article_id)).one()
        connection.execute(sa.insert(_articles).values(**{**row._mapping, "id": copy_id, "given_id": None}))
        passages = connection.execute(sa.select(_passages).where(_passages.c.article_id == article_id)).all()
        if passages:
            connection.execute(
                sa.insert(_passages),
                [
                    {
                        **passage._mapping,
                        "id": passage.id.replace(article_id, copy_id, 1),
                        "article_id": copy_id,
                    }
                    for passage in passages
                ],
            )
        _log(connection, "article", [copy_id])
        _log(connection, "vectors", [copy_id])
    connection.execute(sa.update(_places).where(_places.c.place.in_(others)).values(article_id=copy_id))


def _sentence_spans(passage: Passage) -> list[list[int]]:
    return [[sentence.start, sentence.end] for sentence in passage.sentences]


def _bounds(spans: Sequence[Sequence[int]], start: int) -> tuple[int, ...]:
    return tuple(edge - start for span in spans for edge in span)


def _log(connection: sa.Connection, event: str, article_ids: Sequence[str]) -> None:
    if article_ids:
        connection.execute(
            sa.insert(_changes), [{"event": event, "article_id": article_id} for article_id in article_ids]
        )


def _slices(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _MAX_IDS):
        yield list(ids[start : start + _MAX_IDS])


def _article_values(article: Article, digest: str) -> dict[str, Any]:
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


def _to_article(row: sa.Row[Any], places: tuple[str, ...]) -> Article:
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


def _passages_with_text() -> sa.Select[Any]:
    # substr counts code points from 1, as Python does from 0.
    text = sa.func.substr(_articles.c.text, _passages.c.start + 1, _passages.c.end - _passages.c.start)
    return sa.select(
        _passages.c.id,
        _passages.c.article_id,
        _passages.c.ordinal,
        _passages.c.start,
        _passages.c.end,
        _passages.c.header,
        _passages.c.sentences,
        text.label("text"),
        _articles.c.language,
    ).join(_articles, _articles.c.id == _passages.c.article_id)


def _to_passage(row: sa.Row[Any]) -> Passage:
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
            for start, end in json.loads(row.sentences)
        ),
    )


def _places_of(connection: sa.Connection, article_ids: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    chosen = sa.select(_places.c.article_id, _places.c.place).order_by(_places.c.article_id, _places.c.place)
    if article_ids is not None:
        chosen = chosen.where(_places.c.article_id.in_(article_ids))
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(chosen):
        found[row.article_id] = (*found.get(row.article_id, ()), row.place)
    return found
