"""What the vector index keeps of a passage, and how a search in it is limited (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag.interfaces import Filters, Truth, Vector
from rag.readable import encodable
from rag.schema import Article, Passage

MOST_DAYS_LISTED = 3000


@dataclass(frozen=True, slots=True)
class Record:
    """One passage as any Chroma client sees it: its text, scalar metadata about its article, its vector."""

    document: str
    metadata: Mapping[str, str | int]
    vector: Vector

    def equals(self, other: Record) -> bool:
        """Return whether both say the same; Chroma brings vectors to unit length again, which moves last bits."""
        return self.metadata == other.metadata and self.lies_with(other)

    def lies_with(self, other: Record) -> bool:
        """Return whether both have one text at one place of the space, whatever their metadata."""
        return (
            self.document == other.document
            and self.vector.shape == other.vector.shape
            and np.allclose(self.vector, other.vector, rtol=0, atol=1e-6)
        )


def records_of(truth: Truth, article_ids: Sequence[str]) -> dict[str, Record]:
    """Return what the truth has of the articles: a record for each passage with a vector, by id."""
    articles = truth.articles_by_id(article_ids)
    passages = [passage for passage in truth.passages_of(article_ids) if passage.article_id in articles]
    vectors = truth.vectors_of([passage.id for passage in passages])
    return {
        passage.id: Record(passage.text, _metadata(passage, articles[passage.article_id]), vectors[passage.id])
        for passage in passages
        if passage.id in vectors
    }


def _metadata(passage: Passage, article: Article) -> dict[str, str | int]:
    metadata = {
        "article_id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "language": passage.language,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
        "published_day": article.published.toordinal() if article.published else None,
    }
    return {key: value for key, value in metadata.items() if value is not None}


def where(filters: Filters) -> Any:
    """Return the filters in Chroma's own form, None if there are none."""
    limits: list[dict[str, Any]] = []
    since, until = (day.toordinal() if day else None for day in (filters.since, filters.until))
    if since and until and until - since < MOST_DAYS_LISTED:
        # Chroma collects all records on one side of each bound first; listed days take half the time (20,000 records).
        limits.append({"published_day": {"$in": list(range(since, until + 1))}})
    else:
        limits += [{"published_day": {"$gte": since}}] if since else []
        limits += [{"published_day": {"$lte": until}}] if until else []
    if filters.outlets:
        # Lone surrogates, which a terminal can pass on, are no text to Chroma.
        outlets = set(map(encodable, filters.outlets))
        limits.append({"outlet": {"$in": sorted(outlets)}})
    return {"$and": limits} if len(limits) > 1 else limits[0] if limits else None
