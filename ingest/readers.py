"""Files to drafts: text, Markdown and JSON lines, one function a format.

Text is normalised here, once: NFC, line feeds as line ends, no NUL and no other C0 control but the tab. Every offset of
the project counts in the text after this.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.decoding import decoded, read_lines
from ingest.sources import unreadable, written
from rag.errors import SourceError
from rag.schema import IngestFailure


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as its source gives it: normalised text, before cleaning.

    `place` is the file's absolute path without links, with the line for a row; `line` is that line's number or None.
    """

    text: str
    place: str
    line: int | None = None
    title: str | None = None
    published: date | None = None
    outlet: str | None = None
    url: str | None = None
    author: str | None = None
    language: str | None = None
    given_id: str | None = None
    agency: str | None = None


_BYTES_PER_MB = 1_000_000
_DROPPED_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f]")
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")

_TEXT_FIELDS = ("title", "outlet", "url", "author", "language", "agency")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<fields>.*?)\n?---[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_MATTER_LINE = re.compile(r"(?P<key>[^\s:#][^:]*):\s(?P<value>.*)")
_FRONT_MATTER_NAMES = {
    "date": "published",
    "fecha": "published",
    "source": "outlet",
    "medio": "outlet",
    "lang": "language",
    "link": "url",
    "título": "title",
    "titulo": "title",
    "autor": "author",
}
_HEADING = re.compile(r"^#[ \t]+(?P<title>.*)$", re.MULTILINE)

_MONTHS = {
    month: number
    for names in (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "january february march april may june july august september october november december",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    )
    for number, month in enumerate(names.split(), start=1)
} | {"setiembre": 9}
_WORDED_DATE = re.compile(r"(?:\w+,\s+)?(\d{1,2})º?\s+(?:de\s+)?([^\W\d_]+)\s+(?:del?\s+)?(\d{4})", re.IGNORECASE)
_ENGLISH_DATE = re.compile(r"(?:\w+,\s+)?([^\W\d_]+)\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", re.IGNORECASE)
_SLASHED_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def read_file(path: Path, *, max_mb: float) -> Iterator[Draft | IngestFailure]:
    """Yield the drafts of one file in order, and a failure for each part of it that cannot be read.

    Args:
        path: A .txt, .md or .jsonl file.
        max_mb: Most megabytes (10^6 bytes) of one article: of the file for text and Markdown, of the line for JSON.
    """
    limit = int(max_mb * _BYTES_PER_MB)
    try:
        if path.suffix.lower() == ".jsonl":
            yield from _read_rows(path, limit)
        else:
            yield _read_article(path, limit)
    except SourceError as exc:
        yield IngestFailure(written(path), str(exc))
    except OSError as exc:
        yield unreadable(path, exc)


def normalised(text: str) -> str:
    """Return `text` in NFC with line feeds as line ends, without C0 controls but tab, and without lone surrogates."""
    if _UNWANTED.search(text):
        # str.translate takes ten times as long for text with accents.
        text = _SURROGATES.sub("\ufffd", _DROPPED_CONTROLS.sub("", _LINE_ENDS.sub("\n", text)))
    return unicodedata.normalize("NFC", text)


def parse_date(value: str) -> date:
    """Return the day that `value` names: ISO date or time, "19 de junio de 2024", "June 19, 2024" or 19/06/2024.

    A time's day is taken as written, in its own zone; a date in figures has the day first.

    Raises:
        ValueError: It is none of these, or there is no such day.
    """
    value = value.strip()
    if match := _WORDED_DATE.fullmatch(value):
        day, month, year = match[1], match[2], match[3]
    elif match := _ENGLISH_DATE.fullmatch(value):
        month, day, year = match[1], match[2], match[3]
    elif match := _SLASHED_DATE.fullmatch(value):
        return date(int(match[3]), int(match[2]), int(match[1]))
    else:
        return datetime.fromisoformat(value).date()
    if month.lower() not in _MONTHS:
        raise ValueError(value)
    return date(int(year), _MONTHS[month.lower()], int(day))


def _read_article(path: Path, limit: int) -> Draft:
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise SourceError(_too_large(limit))
    text = normalised(decoded(content))
    place = written(path.resolve())
    if path.suffix.lower() == ".md":
        return _from_markdown(text, place)
    if not text.strip():
        raise SourceError("is empty: there is no text to take in")
    return Draft(text=text, place=place)


def _from_markdown(text: str, place: str) -> Draft:
    fields: dict[str, Any] = {}
    if match := _FRONT_MATTER.match(text):
        for line in match["fields"].split("\n"):
            if pair := _FRONT_MATTER_LINE.fullmatch(line):
                key = pair["key"].strip().lower()
                fields[_FRONT_MATTER_NAMES.get(key, key)] = pair["value"].strip().strip("\"'")
        text = text[match.end() :]
    if not text.strip():
        raise SourceError("is empty: there is no text to take in")
    if not fields.get("title") and (heading := _HEADING.search(text)):
        fields["title"] = heading["title"].rstrip(" \t").rstrip("#")
    return _draft(fields | {"text": text}, place=place, line=None)


def _read_rows(path: Path, limit: int) -> Iterator[Draft | IngestFailure]:
    lines_of_ids: dict[tuple[str | None, str], tuple[int, bytes]] = {}
    number, absolute = 0, written(path.resolve())
    with path.open("rb") as file:
        for number, line in enumerate(read_lines(file, limit=limit), start=1):
            place = f"{written(path)} line {number}"
            if line is None:
                yield IngestFailure(place, _too_large(limit))
                continue
            if not line.strip():
                continue
            try:
                draft = _draft(_parsed_row(line), place=f"{absolute} line {number}", line=number)
                _check_id(draft, lines_of_ids, number)
            except SourceError as exc:
                yield IngestFailure(place, str(exc))
            else:
                yield draft
    if number == 0:
        raise SourceError("is empty: there is no text to take in")


def _parsed_row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise SourceError(f"is not JSON ({exc}): correct the line") from exc
    if not isinstance(row, dict):
        raise SourceError(f'is not a JSON object but {type(row).__name__}: write {{"text": …}}')
    return row


def _draft(row: Mapping[str, Any], *, place: str, line: int | None) -> Draft:
    text = row.get("text")
    if not isinstance(text, str):
        kind = "has no text" if text is None else f"has a text that is {type(text).__name__}, not a string"
        raise SourceError(f'{kind}: give the article in the field "text"')
    if not (text := normalised(text)).strip():
        raise SourceError('has an empty text: give the article in the field "text"')
    fields = {name: _one_line(name, row.get(name)) for name in _TEXT_FIELDS}
    if fields["url"] and not _is_web_address(fields["url"]):
        fields["url"] = None
    given_id = row.get("id")
    return Draft(
        text=text,
        place=place,
        line=line,
        published=_published(row.get("published")),
        given_id=_one_line("id", str(given_id) if type(given_id) is int else given_id),
        **fields,
    )


def _one_line(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise SourceError(f'has {value!r:.60} in the field "{name}": give a string')
    return " ".join(normalised(value).split()) or None


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _published(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return parse_date(value if isinstance(value, str) else "")
    except ValueError as exc:
        raise SourceError(f"has the date {value!r:.60}, which is none: write it as YYYY-MM-DD") from exc


def _check_id(draft: Draft, lines_of_ids: dict[tuple[str | None, str], tuple[int, bytes]], number: int) -> None:
    # A row with an address is known by that, and an id is unique within its outlet only.
    if draft.given_id is None or draft.url is not None:
        return
    digest = hashlib.sha256(draft.text.encode()).digest()
    line, earlier = lines_of_ids.setdefault((draft.outlet, draft.given_id), (number, digest))
    if earlier != digest:
        raise SourceError(f"has the id {draft.given_id!r} of line {line} but another text: give each its own id")


def _too_large(limit: int) -> str:
    return f"is larger than {limit / _BYTES_PER_MB:g} MB: split it, or raise ingest.max_article_mb"
