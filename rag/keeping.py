"""How an article is kept, in one transaction: which one it is, what stays of an older one, what the log says."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from rag.errors import ArchiveError
from rag.interfaces import PassageVectors
from rag.schema import Article, Passage
from rag.tables import (
    ARTICLES,
    CHANGES,
    PASSAGES,
    PLACES,
    article_values,
    sentence_spans,
    text_hash,
    to_spans,
    vector_values,
)

Outcome = Literal["added", "changed", "unchanged", "duplicate"]
# Stands between a place's hash and the id that its text has by itself, where equal text is kept under another's.
_OWN = ":"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article ready to be kept: its passages, the place it was read from, and the hash of what was read there."""

    article: Article
    passages: tuple[Passage, ...]
    place: str
    source_hash: str


@dataclass(frozen=True, slots=True)
class Kept:
    """All that an archive keeps of an article.

    `sources` has the hash of what was read at each place; `vectors` has those of the passages that have any, by id.
    """

    article: Article
    passages: tuple[Passage, ...]
    sources: Mapping[str, str]
    vectors: Mapping[str, PassageVectors]


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a place: the hash of what was read there last, and the article that it gave."""

    source_hash: str
    article_id: str


def keep(connection: sa.Connection, item: Prepared) -> Outcome:
    """Write one article and return what became of it; see `Articles.put`."""
    sources = {item.place: item.source_hash}
    outcome, _ = _keep(connection, item.article, item.passages, sources=sources, apart=frozenset())
    return outcome


def merge(connection: sa.Connection, kept: Kept, *, apart: Container[str]) -> tuple[Outcome, str]:
    """Write what another archive keeps, as if all its places had been read here now.

    Returns what became of it, and the id of the article that its text is kept under.

    Args:
        connection: In a transaction.
        kept: Its vectors were made by what makes this archive's.
        apart: Ids under which articles are kept that the other archive has beside this one, though their texts may be
            equal.

    Raises:
        ArchiveError: Its passages have ids of another article's.
    """
    try:
        outcome, kept_id = _keep(connection, kept.article, kept.passages, sources=kept.sources, apart=apart)
    except sa.exc.IntegrityError as exc:
        raise ArchiveError(
            f"article {kept.article.id} has passages with the ids of another article's: export it again"
        ) from exc
    if outcome != "duplicate" and _fill_vectors(connection, kept):
        log_change(connection, "vectors", [kept.article.id])
    return outcome, kept_id


def _keep(
    connection: sa.Connection,
    article: Article,
    passages: Sequence[Passage],
    *,
    sources: Mapping[str, str],
    apart: Container[str],
) -> tuple[Outcome, str]:
    digest = text_hash(article.text)
    old_hash = connection.scalar(sa.select(ARTICLES.c.content_hash).where(ARTICLES.c.id == article.id))
    outcome: Outcome = "added" if old_hash is None else "changed"
    if old_hash is None and article.url is None:
        twin = _twin_of(connection, article, digest=digest, apart=apart)
        if twin is not None and _is_only_at(connection, twin, sources):
            # The same text from the same place under another name: its outlet or id was corrected.
            forget(connection, twin)
            outcome = "changed"
        elif twin is not None and _agree(connection, twin, article):
            own = {place: _marked(source_hash, own_id=article.id) for place, source_hash in sources.items()}
            _record_places(connection, own, article_id=twin)
            return "duplicate", twin
    if old_hash == article.content_hash:
        _record_places(connection, sources, article_id=article.id)
        return "unchanged", article.id
    values = article_values(article, digest)
    if old_hash is None:
        connection.execute(sa.insert(ARTICLES).values(**values))
    else:
        _keep_for_other_places(connection, article, places=sources)
        connection.execute(sa.update(ARTICLES).where(ARTICLES.c.id == article.id).values(**values))
    _record_places(connection, sources, article_id=article.id)
    _replace_passages(connection, article, passages, is_new=old_hash is None)
    log_change(connection, "article", [article.id])
    if old_hash is not None:
        log_change(connection, "vectors", [article.id])
    return outcome, article.id


def _record_places(connection: sa.Connection, sources: Mapping[str, str], *, article_id: str) -> None:
    for place, source_hash in sources.items():
        connection.execute(sa.delete(PLACES).where(PLACES.c.place == place))
        connection.execute(sa.insert(PLACES).values(place=place, article_id=article_id, source_hash=source_hash))


def _fill_vectors(connection: sa.Connection, kept: Kept) -> int:
    """Write the vectors of passages that have none and are cut into the same sentences; return how many those are."""
    rows = connection.execute(
        sa.select(PASSAGES).where(PASSAGES.c.article_id == kept.article.id, PASSAGES.c.vector.is_(None))
    )
    brought = {passage.id: passage for passage in kept.passages if passage.id in kept.vectors}
    vectors = [(row.id, kept.vectors[row.id]) for row in rows if row.id in brought and is_cut_as(row, brought[row.id])]
    write_vectors(connection, vectors)
    return len(vectors)


def write_vectors(connection: sa.Connection, vectors: Sequence[tuple[str, PassageVectors]]) -> None:
    """Write the vectors of passages that are there, by their ids, and log nothing."""
    if vectors:
        connection.execute(
            sa.update(PASSAGES).where(PASSAGES.c.id == sa.bindparam("passage_id")),
            [{"passage_id": passage_id, **vector_values(made)} for passage_id, made in vectors],
        )


def is_cut_as(row: sa.Row[Any], passage: Passage) -> bool:
    """Return whether a kept passage has the sentences of this one, wherever in the article it stands by now."""
    return _bounds(to_spans(row), row.start) == _bounds(sentence_spans(passage), passage.start)


def _replace_passages(
    connection: sa.Connection, article: Article, passages: Sequence[Passage], *, is_new: bool
) -> None:
    old = {}
    if not is_new:
        rows = connection.execute(sa.select(PASSAGES).where(PASSAGES.c.article_id == article.id))
        # Vectors stay with a passage that is cut into the same sentences; another language may cut it otherwise.
        old = {(row.id, _bounds(to_spans(row), row.start)): row for row in rows}
        connection.execute(sa.delete(PASSAGES).where(PASSAGES.c.article_id == article.id))
    new = [
        {
            "id": passage.id,
            "article_id": passage.article_id,
            "ordinal": passage.ordinal,
            "start": passage.start,
            "end": passage.end,
            "header": passage.embedded_text[: len(passage.embedded_text) - len(passage.text)],
            "sentences": json.dumps(sentence_spans(passage)),
            "vector": before.vector if before else None,
            "sentence_vectors": before.sentence_vectors if before else None,
        }
        for passage in passages
        for before in [old.get((passage.id, _bounds(sentence_spans(passage), passage.start)))]
    ]
    if new:
        connection.execute(sa.insert(PASSAGES), new)


def _twin_of(connection: sa.Connection, article: Article, *, digest: str, apart: Container[str]) -> str | None:
    """Return the article without a URL that has the same text; one of the same outlet and day if there are several."""
    twins = connection.scalars(
        sa.select(ARTICLES.c.id)
        .where(ARTICLES.c.text_hash == digest, ARTICLES.c.url.is_(None))
        .order_by(ARTICLES.c.outlet.is_not_distinct_from(article.outlet).desc(), ARTICLES.c.id)
    ).all()
    others = [twin for twin in twins if twin not in apart]
    return next((twin for twin in others if _agree(connection, twin, article)), others[0] if others else None)


def _agree(connection: sa.Connection, article_id: str, article: Article) -> bool:
    """Whether outlet and day are equal or one side does not know them: else it is another outlet's print."""
    row = connection.execute(
        sa.select(ARTICLES.c.outlet, ARTICLES.c.published).where(ARTICLES.c.id == article_id)
    ).one()
    published = article.published.isoformat() if article.published else None
    return all(
        known is None or new is None or known == new
        for known, new in ((row.outlet, article.outlet), (row.published, published))
    )


def _is_only_at(connection: sa.Connection, article_id: str, places: Container[str]) -> bool:
    known = connection.scalars(sa.select(PLACES.c.place).where(PLACES.c.article_id == article_id)).all()
    return bool(known) and all(place in places for place in known)


def forget(connection: sa.Connection, article_id: str) -> None:
    """Remove an article with its passages and places, and log that."""
    connection.execute(sa.delete(ARTICLES).where(ARTICLES.c.id == article_id))
    log_change(connection, "article", [article_id])
    log_change(connection, "vectors", [article_id])


def _keep_for_other_places(connection: sa.Connection, article: Article, *, places: Container[str]) -> None:
    """Copy an article that is about to change, for places other than these that still hold it as it was."""
    known = connection.execute(
        sa.select(PLACES.c.place, PLACES.c.source_hash)
        .where(PLACES.c.article_id == article.id)
        .order_by(PLACES.c.place)
    )
    # A URL, or an id that was given, is one article wherever it is read, and now has this text: the rows of a file
    # move when it is written again. Only other articles of the text that it had need that.
    is_one_everywhere = bool(article.url or article.given_id)
    held = {row.place: row.source_hash for row in known if row.place not in places}
    others = [place for place, source_hash in held.items() if _own_id_of(source_hash) or not is_one_everywhere]
    if not others:
        return
    # The identity that the place has, or will have when it is read again on its own.
    copy_id = _own_id_of(held[others[0]]) or text_hash(f"path:{others[0]}")[:16]
    article_id = article.id
    if connection.scalar(sa.select(ARTICLES.c.id).where(ARTICLES.c.id == copy_id)) is None:
        row = connection.execute(sa.select(ARTICLES).where(ARTICLES.c.id == article_id)).one()
        connection.execute(sa.insert(ARTICLES).values(**{**row._mapping, "id": copy_id, "given_id": None}))
        passages = connection.execute(sa.select(PASSAGES).where(PASSAGES.c.article_id == article_id)).all()
        if passages:
            connection.execute(
                sa.insert(PASSAGES),
                [
                    {
                        **passage._mapping,
                        "id": passage.id.replace(article_id, copy_id, 1),
                        "article_id": copy_id,
                    }
                    for passage in passages
                ],
            )
        log_change(connection, "article", [copy_id])
        log_change(connection, "vectors", [copy_id])
    for place in others:
        source_hash = hash_read(held[place]) if _own_id_of(held[place]) == copy_id else held[place]
        values = {"article_id": copy_id, "source_hash": source_hash}
        connection.execute(sa.update(PLACES).where(PLACES.c.place == place).values(**values))


def _marked(source_hash: str, *, own_id: str) -> str:
    """Return the hash of a place whose text is kept once, under another article's id, with the id of its own."""
    return source_hash if _own_id_of(source_hash) else f"{source_hash}{_OWN}{own_id}"


def _own_id_of(source_hash: str) -> str | None:
    """Return the id that what was read at a place has by itself, if it is kept under another's."""
    return source_hash.partition(_OWN)[2] or None


def hash_read(source_hash: str) -> str:
    """Return the hash of what was read at a place, whatever article it is kept under."""
    return source_hash.partition(_OWN)[0]


def log_change(connection: sa.Connection, event: str, article_ids: Sequence[str]) -> None:
    """Append one entry for each article."""
    if article_ids:
        connection.execute(
            sa.insert(CHANGES), [{"event": event, "article_id": article_id} for article_id in article_ids]
        )


def _bounds(spans: Sequence[Sequence[int]], start: int) -> tuple[int, ...]:
    return tuple(edge - start for span in spans for edge in span)
