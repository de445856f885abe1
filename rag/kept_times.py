"""The time expressions of articles, as they are kept beside the truth: found when first asked for.

They count as long as the article is as it was, and the rules are those that found them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from rag.database import Database
from rag.dates import GRAMMAR_VERSION
from rag.schema import Article, TimeExpression
from rag.tables import ARTICLES, TIMES


def read(database: Database, article: Article) -> tuple[TimeExpression, ...] | None:
    """Return what is kept of an article's time expressions; None if they have to be found, again or at all."""
    with database.transaction() as connection:
        row = connection.execute(sa.select(TIMES).where(TIMES.c.article_id == article.id)).one_or_none()
    if row is None or (row.content_hash, row.version) != (article.content_hash, GRAMMAR_VERSION):
        return None
    try:
        return tuple(_to_time(kept) for kept in json.loads(row.spans))
    except (ValueError, TypeError):
        # Damaged, but it can be found again.
        return None


def write(database: Database, article: Article, times: Sequence[TimeExpression]) -> None:
    """Keep the time expressions of an article, unless it was changed or deleted meanwhile."""
    spans = [[time.start, time.end, _written(time.since), _written(time.until), int(time.relative)] for time in times]
    with database.transaction() as connection:
        known = connection.scalar(sa.select(ARTICLES.c.content_hash).where(ARTICLES.c.id == article.id))
        if known != article.content_hash:
            return
        connection.execute(sa.delete(TIMES).where(TIMES.c.article_id == article.id))
        connection.execute(
            sa.insert(TIMES).values(
                article_id=article.id,
                content_hash=article.content_hash,
                version=GRAMMAR_VERSION,
                spans=json.dumps(spans, separators=(",", ":")),
            )
        )


def _written(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _to_time(kept: Sequence[Any]) -> TimeExpression:
    start, end, since, until, relative = kept
    return TimeExpression(
        start=int(start),
        end=int(end),
        since=date.fromisoformat(since) if since else None,
        until=date.fromisoformat(until) if until else None,
        relative=bool(relative),
    )
