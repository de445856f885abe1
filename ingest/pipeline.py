"""The whole road of an article: found, read, cleaned, described, cut into passages, kept, embedded, indexed."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path

from ingest.chunking import passages_of
from ingest.embedding_beside import EmbeddingBeside
from ingest.metadata import article_id, is_known_by_text, to_article
from ingest.readers import Draft, read_file
from ingest.sources import find_files, written
from rag.archive import Archive
from rag.articles import Prepared
from rag.errors import NotFoundError, SourceError
from rag.schema import Article, IngestFailure, IngestSummary

# Articles kept in one transaction.
_BATCH = 64
# Raised when reading or cutting changes, so that what is known is read again.
_VERSION = 1
_FIELDS = tuple(field.name for field in fields(Draft))

_WRITTEN = ("added", "changed")


@dataclass(frozen=True, slots=True)
class _Read:
    """A draft, and its place as the paths were given."""

    draft: Draft
    place: str


@dataclass(frozen=True, slots=True)
class _First:
    """Where an ingest met an article first; `content_hash` is None where the archive knew the place already."""

    place: str
    draft_hash: bytes
    content_hash: str | None


def ingest(
    archive: Archive,
    paths: str | Path | Sequence[str | Path],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> IngestSummary:
    """Take files and folders into an archive and return what became of them.

    Every article is kept before its passages are embedded: what is interrupted is resumed by the next ingest.
    Taking the same things in again changes nothing. One bad file or row is reported and the rest go on; so is a second
    version of an article, of which the first that is met counts.

    Args:
        archive: Where to; may be in use by other threads.
        paths: Files and folders of .txt, .md and .jsonl, or a single one.
        progress: Called with (passages embedded, passages to embed as far as read), by one thread at a time.

    Raises:
        ValueError: `paths` is empty.
    """
    began = time.perf_counter()
    paths = [paths] if isinstance(paths, str | Path) else paths
    if not paths:
        raise ValueError("there is no path to take in: give at least one file or folder")
    outcomes: Counter[str] = Counter()
    failures: list[IngestFailure] = []
    firsts: dict[str, _First] = {}
    passages = written_now = 0
    drafts = _drafts([Path(path) for path in paths], max_mb=archive.settings.ingest.max_article_mb)
    with EmbeddingBeside(archive, progress=progress) as beside:
        while batch := list(islice(drafts, _BATCH)):
            if passages:
                beside.go_on(written_now)
            failures += [item for item in batch if isinstance(item, IngestFailure)]
            reads = [item for item in batch if isinstance(item, _Read)]
            prepared, unchanged, failed = _prepare(reads, archive=archive, firsts=firsts)
            failures += failed
            outcomes["unchanged"] += unchanged
            kept = archive.put(prepared) if prepared else []
            outcomes.update(kept)
            written_now = sum(
                len(item.passages) for item, outcome in zip(prepared, kept, strict=True) if outcome in _WRITTEN
            )
            passages += written_now
        beside.finish()
    return IngestSummary(
        added=outcomes["added"],
        changed=outcomes["changed"],
        unchanged=outcomes["unchanged"],
        duplicates=outcomes["duplicate"],
        failures=tuple(failures),
        passages=passages,
        seconds=time.perf_counter() - began,
    )


def only_failures(paths: Sequence[Path], *, max_article_mb: float) -> IngestSummary | None:
    """Return what an ingest would come to if nothing of the paths can be taken in, else None; nothing is kept.

    Reads no further than the first article.
    """
    failures: list[IngestFailure] = []
    for item in _drafts(paths, max_mb=max_article_mb):
        if isinstance(item, IngestFailure):
            failures.append(item)
            continue
        try:
            to_article(item.draft, known_languages=[])
        except SourceError as exc:
            failures.append(IngestFailure(place=item.place, reason=str(exc)))
            continue
        return None
    return IngestSummary(failures=tuple(failures))


def _drafts(paths: Sequence[Path], *, max_mb: float) -> Iterator[_Read | IngestFailure]:
    for found in find_files(paths):
        if isinstance(found, IngestFailure):
            yield found
            continue
        name = written(found)
        for item in read_file(found, max_mb=max_mb):
            if isinstance(item, Draft):
                yield _Read(item, f"{name} line {item.line}" if item.line else name)
            else:
                yield item


def _prepare(
    reads: Sequence[_Read], *, archive: Archive, firsts: dict[str, _First]
) -> tuple[list[Prepared], int, list[IngestFailure]]:
    """Return the articles that are new or changed, how many were seen before as they are, and what failed.

    Args:
        reads: What was read, in order.
        archive: Asked for what it knows; not written to.
        firsts: By article id, what the ingest met so far; this adds to it.
    """
    known = archive.known_sources([read.draft.place for read in reads])
    languages: list[str] | None = None
    prepared: list[Prepared] = []
    failures: list[IngestFailure] = []
    unchanged = 0
    for read in reads:
        draft, source_hash, draft_hash = read.draft, _source_hash(read.draft), _draft_hash(read.draft)
        before = known.get(draft.place)
        is_known = before is not None and before.source_hash == source_hash
        key = before.article_id if before and is_known and is_known_by_text(draft) else article_id(draft)
        first = firsts.get(key)
        # What the archive knew when the batch began may be replaced by what the batch brings.
        if is_known and (first is None or first.draft_hash == draft_hash):
            firsts.setdefault(key, _First(read.place, draft_hash, None))
            unchanged += 1
            continue
        if languages is None:
            languages = archive.languages()
        try:
            article = to_article(draft, known_languages=languages)
            if first is not None:
                if article.id != key:
                    # Kept under the id of an equal text until now, whose content is no longer this one's.
                    first = firsts.get(article.id, replace(first, content_hash=None))
                article = _as_first(article, first=first, same=first.draft_hash == draft_hash, archive=archive)
        except SourceError as exc:
            failures.append(IngestFailure(place=read.place, reason=str(exc)))
            continue
        firsts.setdefault(article.id, _First(read.place, draft_hash, article.content_hash))
        prepared.append(_cut(article, draft.place, source_hash, archive=archive))
    return prepared, unchanged, failures


def _as_first(article: Article, *, first: _First, same: bool, archive: Archive) -> Article:
    """Return a second copy of an article such that the archive takes it for the first at a further place.

    Args:
        article: The copy.
        first: What was met before.
        same: The two were read alike. Their content may still differ: a language is guessed by what else is there.
            Rows that are known by their text alone are kept once as well, like files of equal text.
        archive: Asked for the content of what it knew already.

    Raises:
        SourceError: It is another version.
    """
    content_hash = first.content_hash or _kept_hash(article.id, archive=archive)
    if same or not (article.url or article.given_id):
        return replace(article, content_hash=content_hash or article.content_hash)
    if article.content_hash == content_hash:
        return article
    identity = f"URL {article.url}" if article.url else f"id {article.given_id!r}"
    raise SourceError(f"has the {identity} of {first.place}, with another text or other details: keep one of the two")


def _kept_hash(article_id: str, *, archive: Archive) -> str | None:
    try:
        kept = archive.article(article_id)
    except NotFoundError:
        return None
    # An id that a source gave may look like one of ours.
    return kept.content_hash if kept.id == article_id else None


def _cut(article: Article, place: str, source_hash: str, *, archive: Archive) -> Prepared:
    embedder = archive.embedder
    passages = passages_of(
        article,
        count=embedder.count,
        passage_tokens=archive.settings.ingest.passage_tokens,
        max_tokens=embedder.max_tokens,
    )
    return Prepared(article=article, passages=passages, place=place, source_hash=source_hash)


def _source_hash(draft: Draft) -> str:
    record = json.dumps([_VERSION, {name: getattr(draft, name) for name in _FIELDS}], default=str, sort_keys=True)
    return hashlib.sha256(record.encode("utf-8")).hexdigest()


def _draft_hash(draft: Draft) -> bytes:
    """Return what is equal for the same article read at two places."""
    record = repr([getattr(draft, name) for name in _FIELDS if name not in ("text", "place", "line")])
    return hashlib.sha256(f"{record}{draft.text}".encode()).digest()
