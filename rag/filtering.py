"""Which passages the filters of a question let through, and those of scarce languages, asked of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from rag.interfaces import Filters, Listed, Vector
from rag.readable import encodable
from rag.tables import ARTICLES, PASSAGES, to_vector


def passing(connection: sa.Connection, passage_ids: Sequence[str], filters: Filters) -> set[str]:
    """Return those of at most 32,000 passages whose articles pass."""
    # Limits among the conditions would make SQLite walk through all that an outlet has printed.
    rows = connection.execute(
        sa.select(PASSAGES.c.id, ARTICLES.c.published, ARTICLES.c.outlet)
        .join(ARTICLES)
        .where(PASSAGES.c.id.in_(passage_ids))
    )
    since, until = (day.isoformat() if day else None for day in (filters.since, filters.until))
    outlets = frozenset(map(encodable, filters.outlets))
    return {
        row.id
        for row in rows
        if (since is None or (row.published is not None and row.published >= since))
        and (until is None or (row.published is not None and row.published <= until))
        and (not outlets or row.outlet in outlets)
    }


def vectors_within(connection: sa.Connection, filters: Filters, *, most: int) -> dict[str, Vector] | None:
    """Return the vectors of all passages whose articles pass, None if there are more passages than `most`."""
    found = sa.select(sa.literal(1)).select_from(ARTICLES).join(PASSAGES).where(*_limits(filters)).limit(most + 1)
    # Counted first, in the two indexes alone: a row of a passage holds all its vectors.
    if (connection.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0) > most:
        return None
    chosen: sa.Select[Any] = (
        sa.select(PASSAGES.c.id, PASSAGES.c.article_id, PASSAGES.c.vector)
        .select_from(ARTICLES)
        .join(PASSAGES)
        .where(PASSAGES.c.vector.is_not(None), *_limits(filters))
    )
    return {row.id: to_vector(row) for row in connection.execute(chosen)}


def newest(connection: sa.Connection, filters: Filters, *, most: int) -> tuple[list[str], int]:
    """Return the first passages of the newest articles that pass, newest first, and how many articles pass in all.

    Those without a date come last.
    """
    passing = sa.select(PASSAGES.c.id).select_from(ARTICLES).join(PASSAGES).where(PASSAGES.c.ordinal == 0)
    passing = passing.where(*_limits(filters))
    # SQLite puts those without a day last by itself, and then walks along the index of days.
    in_order = passing.order_by(ARTICLES.c.published.desc(), ARTICLES.c.id).limit(most)
    count = connection.scalar(sa.select(sa.func.count()).select_from(passing.subquery()))
    return list(connection.scalars(in_order)), count or 0


def scarce(connection: sa.Connection, *, dim: int, most: int) -> dict[str, Listed]:
    """Return by language the passages that have vectors of `dim` numbers: of the scarcest languages, `most` in all."""
    of_articles = sa.select(ARTICLES.c.language, sa.func.count().label("articles")).group_by(ARTICLES.c.language)
    # An article has a passage at least: what is frequent need not be counted in full.
    maybe = [row.language for row in connection.execute(of_articles) if row.articles <= most]
    of_passages = (
        sa.select(ARTICLES.c.language, sa.func.count().label("passages"))
        .join(PASSAGES)
        .where(ARTICLES.c.language.in_(maybe))
        .group_by(ARTICLES.c.language)
        .order_by(sa.func.count(), ARTICLES.c.language)
    )
    chosen: list[str] = []
    total = 0
    for row in connection.execute(of_passages):
        total += row.passages
        if total > most:
            break
        chosen.append(row.language)
    held: sa.Select[Any] = (
        sa.select(ARTICLES.c.language, PASSAGES.c.id, PASSAGES.c.vector)
        .join(PASSAGES)
        .where(ARTICLES.c.language.in_(chosen), sa.func.length(PASSAGES.c.vector) == dim * 4)
        .order_by(PASSAGES.c.id)
    )
    ids: dict[str, list[str]] = {}
    vectors: dict[str, list[bytes]] = {}
    for row in connection.execute(held):
        ids.setdefault(row.language, []).append(row.id)
        vectors.setdefault(row.language, []).append(row.vector)
    return {
        language: Listed(tuple(found), np.frombuffer(b"".join(vectors[language]), np.float32).reshape(-1, dim))
        for language, found in ids.items()
    }


def _limits(filters: Filters) -> list[sa.ColumnElement[Any]]:
    limits: list[sa.ColumnElement[Any]] = []
    # Days are kept as ISO text, which has the order of time.
    if filters.since:
        limits.append(ARTICLES.c.published >= filters.since.isoformat())
    if filters.until:
        limits.append(ARTICLES.c.published <= filters.until.isoformat())
    if filters.outlets:
        limits.append(ARTICLES.c.outlet.in_(sorted(map(encodable, filters.outlets))))
    return limits
