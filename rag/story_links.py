"""Which articles tell one story, as it is kept beside the truth: links that follow the truth's change log."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from rag.database import Database
from rag.interfaces import Link
from rag.schema import Kinship
from rag.stories import RULES, Rules
from rag.story_finding import follow
from rag.tables import ARTICLES, CHANGES, META, STORY_ARTICLES, STORY_LINKS, STORY_MARKS, is_among, these

# Raised when links would be found otherwise: all are then found anew.
VERSION = 1
_META = "stories"
# Articles worked on in one transaction.
_BATCH = 256


class StoryLinks:
    """The links between articles of one story. Like an index, it follows the truth's change log.

    An article counts as long as it is as it was when its links were found: what was changed or deleted since has none.

    Args:
        database: The truth's.
        rules: What makes two articles one story.
    """

    def __init__(self, database: Database, *, rules: Rules = RULES) -> None:
        self._database = database
        self._rules = rules

    @property
    def applied_seq(self) -> int:
        """The change log entry up to which the links follow the truth."""
        with self._database.transaction() as connection:
            return _applied(connection)

    def catch_up(self, *, by_vectors: bool) -> int:
        """Find the links of what changed since, durably, and return the `seq` reached; safe to repeat.

        One thread at a time.

        Args:
            by_vectors: Whether the vectors' cosines mean what the rules for the same event were chosen for; if not,
                only copies are found.
        """
        newest = sa.func.max(CHANGES.c.seq).label("seq")
        with self._database.transaction() as connection:
            reached = _applied(connection)
            changed = connection.execute(
                sa.select(CHANGES.c.article_id, newest)
                .where(CHANGES.c.seq > reached)
                .group_by(CHANGES.c.article_id)
                .order_by(newest)
            ).all()
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            with self._database.transaction() as connection:
                if not reached:
                    for table in (STORY_LINKS, STORY_MARKS, STORY_ARTICLES):
                        connection.execute(sa.delete(table))
                follow(connection, [row.article_id for row in batch], by_vectors=by_vectors, rules=self._rules)
                reached = batch[-1].seq
                _set_applied(connection, reached)
        return reached

    def forget(self) -> None:
        """Have all links found anew by the next `catch_up`."""
        with self._database.transaction() as connection:
            _set_applied(connection, 0)

    def of(self, article_ids: Collection[str], *, kind: Kinship | None = None) -> list[Link]:
        """Return the links of articles, in order; of one kind only if it is named."""
        with self._database.transaction() as connection:
            found = set(_links(connection, _OF, **these(article_ids)))
        return sorted(link for link in found if kind in (None, link.kind))

    def around(self, article_id: str) -> list[Link]:
        """Return all links that lead from an article to others, and on from these."""
        found: set[Link] = set()
        reached, ends = {article_id}, {article_id}
        while ends:
            links = self.of(ends)
            found |= set(links)
            ends = {end for link in links for end in (link.one, link.other)} - reached
            reached |= ends
        return sorted(found)

    def all(self) -> list[Link]:
        """Return every link, in order."""
        with self._database.transaction() as connection:
            return sorted(set(_links(connection, _ALL)))


# ---- reading: a row counts as long as its article is what it was

_ONE, _OTHER = STORY_ARTICLES.alias("one"), STORY_ARTICLES.alias("other")


def _linked() -> sa.Select[Any]:
    selected = (
        sa.select(
            _ONE.c.article_id.label("one"), _OTHER.c.article_id.label("other"), STORY_LINKS.c.kind, STORY_LINKS.c.score
        )
        .join(STORY_LINKS, STORY_LINKS.c.number == _ONE.c.number)
        .join(_OTHER, STORY_LINKS.c.other == _OTHER.c.number)
    )
    for side in (_ONE, _OTHER):
        article = ARTICLES.alias()
        selected = selected.join(
            article, sa.and_(article.c.id == side.c.article_id, article.c.content_hash == side.c.content_hash)
        )
    return selected


# Every question asks for some: made once.
_ALL = _linked().where(STORY_LINKS.c.number < STORY_LINKS.c.other)
_OF = _linked().where(is_among(_ONE.c.article_id))


def _links(connection: sa.Connection, selected: sa.Select[Any], **values: str) -> Iterator[Link]:
    for row in connection.execute(selected, values):
        one, other = sorted((row.one, row.other))
        yield Link(one, other, row.kind, row.score)


# ---- following the log


def _applied(connection: sa.Connection) -> int:
    known = connection.scalar(sa.select(META.c.value).where(META.c.key == _META)) or ""
    version, _, seq = known.partition(":")
    return int(seq) if version == str(VERSION) and seq.isdecimal() else 0


def _set_applied(connection: sa.Connection, seq: int) -> None:
    connection.execute(sa.delete(META).where(META.c.key == _META))
    connection.execute(sa.insert(META).values(key=_META, value=f"{VERSION}:{seq}"))
