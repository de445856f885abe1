"""What one line of an export claims, believed only after it was looked at."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rag.interfaces import PassageVectors
from rag.schema import Article, Passage, Removal, Sentence

FORMAT = "hemeroteca archive"
VERSION = 1
_DIMENSIONS = re.compile(r"[1-9][0-9]{0,4}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
# The same that readers drop, and what cannot be stored; the name of a file may hold any other.
_NOT_IN_TEXTS = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_NOT_IN_PLACES = re.compile(r"[\x00\ud800-\udfff]")


# The last field of a line: the hash of the line without it.
_SEAL = b',"sha256":"%s"}\n'
_SEAL_LENGTH = len(_SEAL % b"") + 64


class BadLineError(Exception):
    """What is wrong with a line, to be told with the file and the number of the line."""


def sealed(record: bytes) -> bytes:
    """Return the line of a JSON object, with a hash of its bytes as the last field."""
    return record[:-1] + _seal_of(record)


def _seal_of(record: bytes) -> bytes:
    return _SEAL % hashlib.sha256(record).hexdigest().encode()


def record_of(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line, which is as it was written if it carries a hash."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise BadLineError("is not JSON: export the archive again") from exc
    _check(isinstance(record, dict), "is not a JSON object")
    if "sha256" in record:
        as_written = line[:-_SEAL_LENGTH] + b"}"
        _check(line[-_SEAL_LENGTH:] == _seal_of(as_written), "was changed after it was exported")
    return dict(record)


def header_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return the first line's record, with counts and a fingerprint or none."""
    if record.get("format") != FORMAT:
        raise BadLineError("does not begin an export: name a file that `hemeroteca export` wrote")
    if record.get("version") != VERSION:
        raise BadLineError(
            f"has version {record.get('version')!r:.20}, this version of Hemeroteca reads {VERSION}: update Hemeroteca"
        )
    _natural(record, "articles")
    _natural(record, "passages")
    record["fingerprint"] = _fingerprint_of(record)
    return record


def _fingerprint_of(record: dict[str, Any]) -> dict[str, str] | None:
    if record.get("fingerprint") is None and not record["articles"]:
        return None
    fingerprint = _object(record, "fingerprint")
    made = {name: _text(fingerprint, name) for name in fingerprint}
    _check(_DIMENSIONS.fullmatch(made.get("dim", "")) is not None, f"has vectors of length {made.get('dim')!r:.20}")
    return made


def article_of(record: dict[str, Any], before: str) -> tuple[Article, dict[str, str], int]:
    """Return an article, its sources and the number of its passages; `before` is the id of the one before it."""
    row = _object(record, "article")
    article_id = _text(row, "id")
    _check(article_id > before, f"has the article {article_id!r:.40} out of order")
    text = _text(row, "text")
    _check(bool(text.strip()), "has an article without text")
    url = _maybe(row, "url")
    _check(url is None or _is_web_address(url), f"has the URL {url!r:.60}")
    language = _text(row, "language")
    _check(_LANGUAGE.fullmatch(language) is not None, f"has the language {language!r:.20}")
    sources = _object(row, "sources")
    _check(not any(map(_NOT_IN_PLACES.search, sources)), "has a place that is no text")
    article = Article(
        id=article_id,
        text=text,
        title=_maybe(row, "title"),
        outlet=_maybe(row, "outlet"),
        published=_day(_maybe(row, "published")),
        language=language,
        url=url,
        author=_maybe(row, "author"),
        agency=_maybe(row, "agency"),
        given_id=_maybe(row, "given_id"),
        places=tuple(sources),
        removed=tuple(_removal_of(each) for each in _list(row, "removed")),
        content_hash=_text(row, "content_hash"),
    )
    return article, {place: _text(sources, place) for place in sources}, _natural(row, "passages")


def _removal_of(record: Any) -> Removal:
    _check(isinstance(record, dict), "has a removal that is no object")
    return Removal(text=_text(record, "text"), reason=_text(record, "reason"), start=_natural(record, "start"))


def passage_of(
    record: dict[str, Any], article: Article, before: dict[str, Passage], dim: int
) -> tuple[Passage, PassageVectors | None]:
    """Return the next passage of an article and its vectors, if it has any; `before` are those before it, by id."""
    row = _object(record, "passage")
    passage_id = _text(row, "id")
    _check(
        passage_id.startswith(f"{article.id}-") and passage_id not in before, f"has the passage id {passage_id!r:.60}"
    )
    start, end = _natural(row, "start"), _natural(row, "end")
    # Passages that overlap would make a text as many times as large as a file has lines.
    last = before[next(reversed(before))].end if before else 0
    _check(last <= start < end <= len(article.text), f"has a passage at {start} to {end}")
    passage = Passage(
        id=passage_id,
        article_id=article.id,
        ordinal=len(before),
        start=start,
        end=end,
        text=article.text[start:end],
        language=article.language,
        embedded_text=_text(row, "header") + article.text[start:end],
        sentences=tuple(_sentences_of(row, article, start=start, end=end)),
    )
    if row.get("vector") is None and row.get("sentence_vectors") is None:
        return passage, None
    return passage, PassageVectors(
        passage=_numbers(row, "vector", "<f4", shape=(1, dim))[0],
        sentences=_numbers(row, "sentence_vectors", "<f2", shape=(len(passage.sentences), dim)),
    )


def _sentences_of(row: Mapping[str, Any], article: Article, *, start: int, end: int) -> Iterator[Sentence]:
    for span in _list(row, "sentences"):
        if not (isinstance(span, list) and len(span) == 2 and all(type(each) is int for each in span)):
            raise BadLineError(f"has {span!r:.40} for a sentence: export the archive again")
        _check(start <= span[0] < span[1] <= end, f"has a sentence at {span[0]} to {span[1]}")
        yield Sentence(start=span[0], end=span[1], text=article.text[span[0] : span[1]])
        start = span[1]


def check_end(record: dict[str, Any], counted: Mapping[str, int], said: Mapping[str, int]) -> None:
    """Compare the last line with what was counted and with what the first line said."""
    if not record.get("end") == counted == said:
        raise BadLineError("does not end the file with what was counted: copy or export it again")


# ---- values


def _check(condition: bool, what: str) -> None:
    if not condition:
        raise BadLineError(f"{what}: export the archive again")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise BadLineError(f"has {value!r:.40} for {name!r:.40}: export the archive again")
    _check(_NOT_IN_TEXTS.search(value) is None, f"has control characters in {name!r:.40}")
    return value


def _object(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = row.get(name)
    if not isinstance(value, dict):
        raise BadLineError(f"has no {name}, where one should be: export the archive again")
    return value


def _maybe(row: Mapping[str, Any], name: str) -> str | None:
    return None if row.get(name) is None else _text(row, name)


def _natural(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    if type(value) is not int or value < 0:
        raise BadLineError(f"has {value!r:.40} for {name!r}: export the archive again")
    return value


def _list(row: Mapping[str, Any], name: str) -> list[Any]:
    value = row.get(name)
    if not isinstance(value, list):
        raise BadLineError(f"has {value!r:.40} for {name!r}: export the archive again")
    return value


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    _check(day is not None and day.isoformat() == text, f"has the date {text!r:.20}")
    return day


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _numbers(row: Mapping[str, Any], name: str, kind: str, *, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    try:
        content = base64.b64decode(_text(row, name), validate=True)
    except ValueError as exc:
        raise BadLineError(f"has a {name} that is not base64: export the archive again") from exc
    wanted = shape[0] * shape[1] * np.dtype(kind).itemsize
    _check(len(content) == wanted, f"has a {name} of {len(content)} bytes, not {wanted}")
    numbers = np.frombuffer(content, dtype=kind).reshape(shape).astype(np.float32)
    # Cosines are taken without dividing by lengths. Infinity and not-a-number fail the comparison as well.
    squares = (numbers * numbers).sum(axis=1)
    _check(bool((np.abs(squares - 1) < 0.01).all()), f"has a {name} that is not of unit length")
    return numbers
