"""Articles whose stories were judged by hand: public collections, and the labels that are kept beside the gold set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from eval.dataset import GOLD
from eval.finding_sets import rows
from rag.schema import Article

PAIRS, GROUPS = GOLD.with_name("stories.jsonl"), GOLD.with_name("story_groups.jsonl")
TRANSLATIONS = ("es-MX", "gl", "pt", "fr", "en")
"""The languages of NTREX in which its Spanish articles are told by another hand."""

Label = Literal["COPY", "SAME_EVENT", "RELATED", "DIFFERENT"]


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two articles and what they are to each other; `doubt`: another editor might judge otherwise."""

    one: str
    other: str
    label: Label
    doubt: bool


@dataclass(frozen=True, slots=True)
class JudgedGroup:
    """All articles of a collection that tell one story; a single one is alone though others look like it."""

    members: frozenset[str]
    doubt: bool


def read_articles(data: Path, *, split: str) -> list[Article]:
    """Return the articles of fakenews_es, ancora_news_es and ntrex (Spanish) that are of one half, by id.

    An article whose stories were judged is of the half that its labels are of; the rest are halved by a hash.

    Raises:
        DatasetError: A collection cannot be read.
    """
    found = [*_news(data), *_texts(data), *read_translations(data, "es")]
    return sorted((article for article in found if split_of(article.id) == split), key=lambda article: article.id)


def read_translations(data: Path, language: str) -> list[Article]:
    """Return the articles of NTREX in one of its languages, without dates; all have the ids of the Spanish ones."""
    return [
        _article(row["doc_id"], "\n".join(row["sentences"]), language=language[:2], outlet=f"NTREX {language}")
        for row in rows(data / "data" / "ntrex" / f"docs.{language}.jsonl")
    ]


def read_pairs(split: str) -> list[JudgedPair]:
    """Return the judged pairs of one half, in order."""
    return [
        JudgedPair(row["a"], row["b"], row["label"], row.get("doubt", False))
        for row in _lines(PAIRS)
        if row["split"] == split
    ]


def read_groups(split: str) -> list[JudgedGroup]:
    """Return the judged groups of one half, in order."""
    return [
        JudgedGroup(frozenset(row["members"]), row.get("doubt", False))
        for row in _lines(GROUPS)
        if row["split"] == split
    ]


def split_of(article_id: str) -> str:
    """Return the half that an article is of, "dev" or "test"."""
    return _judged_splits().get(article_id) or (
        "dev" if hashlib.sha256(article_id.encode()).digest()[0] % 2 else "test"
    )


def with_day(articles: Sequence[Article], day: date | None) -> list[Article]:
    """Return the articles as if all had been published on a day."""
    return [replace(article, published=day) for article in articles]


@cache
def _judged_splits() -> Mapping[str, str]:
    pairs = {row[end]: row["split"] for row in _lines(PAIRS) for end in ("a", "b")}
    return pairs | {member: row["split"] for row in _lines(GROUPS) for member in row["members"]}


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, file.read_text(encoding="utf-8").splitlines())


def _news(data: Path) -> Iterator[Article]:
    for row in rows(data / "data" / "fakenews_es" / "articles.jsonl"):
        day = date.fromisoformat(row["date_from_url"]) if row["date_from_url"] else None
        article = _article(row["doc_id"], "\n\n".join(row["paragraphs"]), language="es", outlet=row["source"])
        yield replace(article, title=row["title"], published=day)


def _texts(data: Path) -> Iterator[Article]:
    for row in rows(data / "data" / "ancora_news_es" / "docs.jsonl"):
        yield _article(row["doc_id"], " ".join(row["sentences"]), language="es", outlet=None)


def _article(name: str, text: str, *, language: str, outlet: str | None) -> Article:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    # With an address of its own, a text that comes twice is two articles.
    url = f"https://{hashlib.sha256(name.encode()).hexdigest()[:16]}.example/"
    return Article(id=name, text=text, language=language, outlet=outlet, url=url, content_hash=digest)
