"""A draft becomes an article: cleaned text, title, language, identity and hashes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from ingest.cleaning import clean
from ingest.readers import Draft
from rag.errors import SourceError
from rag.language import ISO_639_1, detect_language
from rag.schema import Article

_TITLE_MAX_CHARS = 200
_TITLE_MIN_WORDS = 3
_NO_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]{4}")
_ENDS_UNLIKE_TITLE = (".", ",", ";", ":", "…", "-", "—")
_SENTENCE_END = re.compile(r"[.!?…。！？।؟][\"'»”’)\]]*$")
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_cid|mc_eid|igshid")


def to_article(draft: Draft, *, known_languages: Sequence[str] = ()) -> Article:
    """Return the article that a draft holds.

    Args:
        draft: What a reader gave.
        known_languages: Languages that the archive expects; they win when the text leaves it open.

    Raises:
        SourceError: Cleaning leaves no text, or nothing but the title.
    """
    cleaned = clean(draft.text)
    title = draft.title or title_of(cleaned.text)
    body = " ".join(cleaned.text.split())
    if not any(char.isalnum() for char in body):
        raise SourceError("holds no text of an article once boilerplate is cut: check the source")
    if title and body.lstrip("# ").casefold() == title.casefold():
        raise SourceError(f"holds nothing but its title {title!r:.80}: check that the text is complete")
    language = valid_language(draft.language) or detect_language(cleaned.text, prior=known_languages)
    shown = {
        "text": cleaned.text,
        "title": title,
        "outlet": draft.outlet,
        "published": draft.published.isoformat() if draft.published else None,
        "language": language,
        # Another spelling of the same address changes nothing.
        "url": canonical_url(draft.url) if draft.url else None,
        "author": draft.author,
        "agency": draft.agency or cleaned.agency,
    }
    return Article(
        id=_id_of(draft, text=cleaned.text),
        text=cleaned.text,
        title=title,
        outlet=draft.outlet,
        published=draft.published,
        language=language,
        url=draft.url,
        author=draft.author,
        agency=draft.agency or cleaned.agency,
        given_id=draft.given_id,
        places=(draft.place,),
        removed=cleaned.removed,
        content_hash=_digest(json.dumps(shown, ensure_ascii=False, sort_keys=True)),
    )


def article_id(draft: Draft) -> str:
    """Return the id of the article that a draft holds, without the work of making the article."""
    return _id_of(draft, text=clean(draft.text).text if is_known_by_text(draft) else "")


def is_known_by_text(draft: Draft) -> bool:
    """Return whether only its text tells what article a draft holds, which takes cleaning to know."""
    return not draft.url and not draft.given_id and draft.line is not None


def _id_of(draft: Draft, *, text: str) -> str:
    return _digest(identity_of(draft, text=text))[:16]


def identity_of(draft: Draft, *, text: str) -> str:
    """Return what makes the draft this article and no other: URL, else given id, else a file's path or a row's text.

    An id is taken as unique within its outlet, or without one within its file: two exports that both count from 1 must
    not overwrite each other.
    """
    if draft.url:
        return f"url:{canonical_url(draft.url)}"
    if draft.given_id:
        within = draft.outlet or draft.place.removesuffix(f" line {draft.line}")
        return f"id:{within}:{draft.given_id}"
    if draft.line is None:
        return f"path:{draft.place}"
    # As in the archive: the same text of another outlet or day is another print of it.
    return f"row:{draft.outlet or ''}:{draft.published or ''}:{_digest(' '.join(text.split()))}"


def canonical_url(url: str) -> str:
    """Return one spelling for the addresses of one page: https, host in lower case, no tracking, no place within it."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    # netloc keeps what hostname drops: a port other than the two usual ones names another site.
    port = parts.netloc.rpartition(":")[2]
    if port.isdigit() and port not in ("80", "443"):
        host += f":{port}"
    query = urlencode(
        [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    )
    # A fragment names a place in a page; written as a path it names the page, on sites that are one program.
    page = f"#{parts.fragment}" if parts.fragment.startswith(("!", "/")) else ""
    return f"https://{host}{parts.path.rstrip('/')}" + (f"?{query}" if query else "") + page


def title_of(text: str) -> str | None:
    """Return the first line if it looks like a headline: short, unlike a sentence, before a longer paragraph."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return None
    first, second = lines[0], lines[1]
    looks_like_title = (
        len(first) <= _TITLE_MAX_CHARS
        and (len(first.split()) >= _TITLE_MIN_WORDS or _NO_SPACES.search(first) is not None)
        and not first.endswith(_ENDS_UNLIKE_TITLE)
        and first[:1] not in "-—–•*"
    )
    if looks_like_title and len(second) > len(first) and _SENTENCE_END.search(second):
        return " ".join(first.lstrip("# ").split())
    return None


def valid_language(code: str | None) -> str | None:
    """Return the ISO 639-1 part of a code such as "es", "es-MX" or "pt_BR", None if it has none."""
    primary = re.split(r"[-_]", code.strip().lower())[0] if code else ""
    return primary if primary in ISO_639_1 else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
