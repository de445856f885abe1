"""The texts that benchmarks run on: public Spanish sets in the folder that HEMEROTECA_DATA names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from rag.errors import SourceError
from rag.sentences import split_sentences

# What makes a sentence worth an article: no "Gracias.", and no enumeration.
_SHORTEST, _LONGEST = 60, 300


def news_rows(data: Path, *, count: int) -> list[dict[str, Any]]:
    """Return rows of news articles for `ingest`: of fakenews_es, and where these end of ancora_news_es.

    Of rows that share an address but for its fragment only the first is taken: `ingest` refuses the others.

    Raises:
        SourceError: A set is not there, or both hold fewer articles.
    """
    rows = list(islice(_news(data), count))
    if len(rows) < count:
        raise SourceError(f"{data} holds {len(rows)} news articles, {count} are wanted: take fewer")
    return rows


def _news(data: Path) -> Iterator[dict[str, Any]]:
    addresses: set[str] = set()
    for row in _rows(data / "data" / "fakenews_es" / "articles.jsonl"):
        address = str(row["url"]).partition("#")[0]
        if address in addresses:
            continue
        addresses.add(address)
        yield {
            "id": row["doc_id"],
            "title": row["title"],
            "outlet": row["source"],
            "published": row["date_from_url"],
            "url": row["url"],
            "text": "\n\n".join(row["paragraphs"]),
        }
    for row in _rows(data / "data" / "ancora_news_es" / "docs.jsonl"):
        yield {"id": row["doc_id"], "text": " ".join(row["sentences"])}


def sentence_rows(data: Path, *, count: int) -> list[dict[str, Any]]:
    """Return rows of articles of one sentence each, all different.

    Raises:
        SourceError: The set of paragraphs is not there, or holds fewer sentences.
    """
    seen: dict[str, None] = {}
    for paragraph in _paragraphs(data):
        for sentence in split_sentences(paragraph["text"], language="es"):
            if _SHORTEST <= len(sentence.text) <= _LONGEST and "\n" not in sentence.text:
                seen.setdefault(sentence.text)
        if len(seen) >= count:
            return [{"id": f"sentence-{at}", "text": text} for at, text in enumerate(islice(seen, count))]
    raise SourceError(f"{data} holds {len(seen)} sentences, {count} are wanted: take fewer")


def long_rows(data: Path, *, paragraphs: int) -> Iterator[dict[str, Any]]:
    """Yield rows of articles of so many paragraphs each, in the order of the set of paragraphs.

    Raises:
        SourceError: The set is not there.
    """
    for document, found in groupby(_paragraphs(data), key=lambda row: str(row["doc_id"])):
        at = 0
        while some := list(islice(found, paragraphs)):
            yield {
                "id": f"{document}-{at}",
                "title": some[0]["title"],
                "outlet": some[0]["source"],
                "published": some[0]["date"],
                "text": "\n\n".join(row["text"] for row in some),
            }
            at += 1


def labelled(data: Path) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return the paragraphs of XQuAD-es as rows of articles without title, and questions with their article's id.

    Raises:
        SourceError: The set is not there.
    """
    folder = data / "data" / "xquad"
    articles = [{"id": row["pid"], "text": row["text"]} for row in _rows(folder / "passages.es.jsonl")]
    questions = [
        {"question": row["question"], "article": row["pid"]}
        for row in _rows(folder / "questions.es.jsonl")
        if row["answerable"]
    ]
    return articles, questions


def write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as JSON lines and return the file."""
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def _paragraphs(data: Path) -> Iterator[dict[str, Any]]:
    return _rows(data / "data" / "scale" / "paragraphs_es.jsonl.gz")


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except OSError as exc:
        raise SourceError(
            f"{file} cannot be read ({exc.strerror or exc}): set HEMEROTECA_DATA to the folder that holds data/"
        ) from exc
