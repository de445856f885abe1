"""How the articles that tell one story find each other, a few at a time, in one transaction.

Two articles are compared only if they meet: if they have marks in common, which are numbers made of their runs of words
(for copies), or of the words of their beginnings and of their days (for the same event). No mark is kept for more than
`_MOST` articles, so that what thousands of articles have in common costs no more than what a few have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa

from rag.interfaces import Vector
from rag.schema import Kinship
from rag.shingles import Numbers, sample, shingles
from rag.stories import RULES, Rules, copy_score, event_score, in_list, lead_terms, lists_of, lists_to_search
from rag.tables import ARTICLES, PASSAGES, STORY_ARTICLES, STORY_LINKS, STORY_MARKS, slices, to_vector

# A copy of a text in more outlets than that is found through the first of them.
_MOST = 64
# So many marks in common make two articles worth comparing.
_COMMON = 2

Lists = dict[int, list[int]]
"""For each mark the numbers of the articles that it is kept for."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What is compared of an article."""

    article_id: str
    content_hash: str
    title: str | None
    text: str
    day: date | None

    def copy_marks(self) -> list[int]:
        return _signed(sample(shingles(self.text)))

    def event_marks(self, lists: Sequence[int]) -> list[int]:
        terms = lead_terms(self.title, self.text)
        return _signed(np.concatenate([in_list(terms, number) for number in lists]))


def follow(connection: sa.Connection, article_ids: Sequence[str], *, by_vectors: bool, rules: Rules = RULES) -> None:
    """Bring what is kept of some articles up to date with what they are now, and link them to those they meet.

    Args:
        connection: In a transaction.
        article_ids: Articles that were added, changed or deleted, or got vectors; a few hundred at most.
        by_vectors: Whether the same event is looked for as well, which takes vectors.
        rules: What makes two articles one story.
    """
    told = _told(connection, ARTICLES.c.id.in_(article_ids))
    known = connection.execute(sa.select(STORY_ARTICLES).where(STORY_ARTICLES.c.article_id.in_(article_ids))).all()
    same = {
        row.article_id: row.number
        for row in known
        if row.article_id in told and told[row.article_id].content_hash == row.content_hash
    }
    _forget(connection, [row for row in known if row.article_id not in same])
    first = (connection.scalar(sa.select(sa.func.max(STORY_ARTICLES.c.number))) or 0) + 1
    fresh = dict(enumerate((told[id_] for id_ in sorted(told) if id_ not in same), start=first))
    copied = {number: each.copy_marks() for number, each in fresh.items()}
    happened = {}
    if by_vectors:
        current = {**fresh, **{number: told[id_] for id_, number in same.items()}}
        happened = {number: each.event_marks(lists_to_search(each.day)) for number, each in current.items()}
    posted = {number: copied[number] + each.event_marks(lists_of(each.day)) for number, each in fresh.items()}
    lists = _lists(connection, {mark for marks in (*posted.values(), *happened.values()) for mark in marks})
    _keep(connection, fresh, posted, lists)
    copies = _copies(connection, _meetings(copied, lists), rules=rules)
    _link(connection, "copy", copies)
    events = _events(connection, _meetings(happened, lists), rules=rules)
    known_links = _linked(connection, {number for pair in events for number in pair})
    _link(connection, "event", {pair: score for pair, score in events.items() if pair not in known_links})


def _told(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> dict[str, _Told]:
    columns = (ARTICLES.c.id, ARTICLES.c.content_hash, ARTICLES.c.title, ARTICLES.c.text, ARTICLES.c.published)
    return {
        row.id: _Told(row.id, row.content_hash, row.title, row.text, _day(row.published))
        for row in connection.execute(sa.select(*columns).where(chosen))
    }


def _day(published: str | None) -> date | None:
    try:
        return date.fromisoformat(published) if published else None
    except ValueError:
        # A damaged row is told of where it is read.
        return None


def _forget(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> None:
    """Take out all that is kept of articles that are gone or have changed."""
    for row in rows:
        for marks in slices(np.frombuffer(row.marks, dtype=np.int64).tolist()):
            connection.execute(
                sa.delete(STORY_MARKS).where(STORY_MARKS.c.mark.in_(marks), STORY_MARKS.c.number == row.number)
            )
        others = connection.scalars(sa.select(STORY_LINKS.c.other).where(STORY_LINKS.c.number == row.number)).all()
        connection.execute(
            sa.delete(STORY_LINKS).where(STORY_LINKS.c.number.in_(others), STORY_LINKS.c.other == row.number)
        )
        connection.execute(sa.delete(STORY_LINKS).where(STORY_LINKS.c.number == row.number))
        connection.execute(sa.delete(STORY_ARTICLES).where(STORY_ARTICLES.c.number == row.number))


def _lists(connection: sa.Connection, marks: set[int]) -> Lists:
    lists: Lists = {mark: [] for mark in marks}
    for some in slices(sorted(marks)):
        for mark, number in connection.execute(
            sa.select(STORY_MARKS.c.mark, STORY_MARKS.c.number).where(STORY_MARKS.c.mark.in_(some))
        ):
            lists[mark].append(number)
    return lists


def _keep(
    connection: sa.Connection, fresh: Mapping[int, _Told], posted: Mapping[int, Sequence[int]], lists: Lists
) -> None:
    """Write new articles with their marks, and add them to the lists."""
    articles, rows = [], []
    for number, each in fresh.items():
        kept = [mark for mark in dict.fromkeys(posted[number]) if len(lists[mark]) < _MOST]
        for mark in kept:
            lists[mark].append(number)
            rows.append({"mark": mark, "number": number})
        articles.append(
            {
                "number": number,
                "article_id": each.article_id,
                "content_hash": each.content_hash,
                "marks": np.array(kept, dtype=np.int64).tobytes(),
            }
        )
    if articles:
        connection.execute(sa.insert(STORY_ARTICLES), articles)
    if rows:
        rows.sort(key=lambda row: row["mark"])
        connection.execute(sa.insert(STORY_MARKS), rows)


def _meetings(marks: Mapping[int, Sequence[int]], lists: Lists) -> set[tuple[int, int]]:
    """Return the pairs of articles, the smaller number first, of which one finds the other under enough marks."""
    pairs = set()
    for number, looked_up in marks.items():
        met = Counter(other for mark in looked_up for other in lists[mark])
        pairs |= {
            (min(number, other), max(number, other))
            for other, count in met.items()
            if count >= _COMMON and other != number
        }
    return pairs


def _copies(connection: sa.Connection, pairs: set[tuple[int, int]], *, rules: Rules) -> dict[tuple[int, int], float]:
    texts: dict[int, str] = {}
    for some in slices(sorted({number for pair in pairs for number in pair})):
        texts |= {
            row.number: row.text
            for row in connection.execute(_current(ARTICLES.c.text).where(STORY_ARTICLES.c.number.in_(some)))
        }
    scores = {
        pair: copy_score(shingles(texts[pair[0]]), shingles(texts[pair[1]]), rules=rules)
        for pair in sorted(pairs)
        if pair[0] in texts and pair[1] in texts
    }
    return {pair: score for pair, score in scores.items() if score}


def _events(connection: sa.Connection, pairs: set[tuple[int, int]], *, rules: Rules) -> dict[tuple[int, int], float]:
    begins: dict[int, tuple[Vector, date | None]] = {}
    for some in slices(sorted({number for pair in pairs for number in pair})):
        chosen = (
            _current(ARTICLES.c.published, PASSAGES.c.article_id, PASSAGES.c.vector)
            .join(PASSAGES, PASSAGES.c.article_id == ARTICLES.c.id)
            .where(STORY_ARTICLES.c.number.in_(some), PASSAGES.c.ordinal == 0, PASSAGES.c.vector.is_not(None))
        )
        begins |= {row.number: (to_vector(row), _day(row.published)) for row in connection.execute(chosen)}
    scores = {}
    for one, other in pairs:
        if one in begins and other in begins:
            (vector, day), (other_vector, other_day) = begins[one], begins[other]
            apart = abs((day - other_day).days) if day and other_day else None
            scores[one, other] = event_score(vector, other_vector, apart=apart, rules=rules)
    return {pair: score for pair, score in scores.items() if score}


def _current(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the selection of columns, and the number, of articles that are as they were when they were kept."""
    is_same = sa.and_(
        ARTICLES.c.id == STORY_ARTICLES.c.article_id, ARTICLES.c.content_hash == STORY_ARTICLES.c.content_hash
    )
    return sa.select(STORY_ARTICLES.c.number, *columns).select_from(STORY_ARTICLES).join(ARTICLES, is_same)


def _linked(connection: sa.Connection, numbers: set[int]) -> set[tuple[int, int]]:
    found = set()
    for some in slices(sorted(numbers)):
        chosen = sa.select(STORY_LINKS.c.number, STORY_LINKS.c.other).where(STORY_LINKS.c.number.in_(some))
        found |= {(row.number, row.other) for row in connection.execute(chosen)}
    return found


def _link(connection: sa.Connection, kind: Kinship, scores: Mapping[tuple[int, int], float]) -> None:
    rows = [
        {"number": number, "other": other, "kind": kind, "score": score}
        for pair, score in scores.items()
        for number, other in (pair, pair[::-1])
    ]
    if rows:
        connection.execute(sa.insert(STORY_LINKS), rows)


def _signed(numbers: Numbers) -> list[int]:
    # SQLite's whole numbers have a sign.
    marks: list[int] = numbers.view(np.int64).tolist()
    return marks
