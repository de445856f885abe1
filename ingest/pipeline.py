"""The whole road of an article: found, read, cleaned, described, cut into passages, kept, embedded, indexed."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from ingest.chunking import passages_of
from ingest.metadata import to_article
from ingest.readers import Draft, read_file
from ingest.sources import find_files
from rag.archive import Archive
from rag.articles import Prepared
from rag.errors import SourceError
from rag.schema import IngestFailure, IngestSummary

# Articles kept in one transaction.
_BATCH = 64
# Raised when reading or cutting changes, so that what is known is read again.
_VERSION = 1


def ingest(
    archive: Archive, paths: Sequence[str | Path], *, progress: Callable[[int, int], None] | None = None
) -> IngestSummary:
    """Take files and folders into an archive and return what became of them.

    First every article is kept, then its passages are embedded: what is interrupted is resumed by the next ingest.
    Taking the same things in again changes nothing. One bad file or row is reported and the rest go on.

    Args:
        archive: Where to; may be in use by other threads.
        paths: Files and folders of .txt, .md and .jsonl.
        progress: Called with (passages embedded, passages to embed).
    """
    began = time.perf_counter()
    outcomes: Counter[str] = Counter()
    failures: list[IngestFailure] = []
    passages = 0
    drafts = _drafts([Path(path) for path in paths], max_mb=archive.settings.ingest.max_article_mb)
    while batch := list(islice(drafts, _BATCH)):
        failures += [item for item in batch if isinstance(item, IngestFailure)]
        prepared, unchanged, failed = _prepare([item for item in batch if isinstance(item, Draft)], archive=archive)
        failures += failed
        outcomes["unchanged"] += unchanged
        if prepared:
            kept = archive.put(prepared)
            outcomes.update(kept)
            passages += sum(
                len(item.passages) for item, outcome in zip(prepared, kept, strict=True) if outcome in _WRITTEN
            )
    archive.embed_pending(progress=progress)
    return IngestSummary(
        added=outcomes["added"],
        changed=outcomes["changed"],
        unchanged=outcomes["unchanged"],
        duplicates=outcomes["duplicate"],
        failures=tuple(failures),
        passages=passages,
        seconds=time.perf_counter() - began,
    )


_WRITTEN = ("added", "changed")


def _drafts(paths: Sequence[Path], *, max_mb: float) -> Iterator[Draft | IngestFailure]:
    for found in find_files(paths):
        if isinstance(found, IngestFailure):
            yield found
        else:
            yield from read_file(found, max_mb=max_mb)


def _prepare(drafts: Sequence[Draft], *, archive: Archive) -> tuple[list[Prepared], int, list[IngestFailure]]:
    """Return the articles that are new or changed, how many were seen before as they are, and what failed."""
    known = archive.known_sources([draft.place for draft in drafts])
    languages = archive.languages()
    prepared: list[Prepared] = []
    failures: list[IngestFailure] = []
    unchanged = 0
    for draft in drafts:
        source_hash = _source_hash(draft)
        if known.get(draft.place) == source_hash:
            unchanged += 1
            continue
        try:
            article = to_article(draft, known_languages=languages)
        except SourceError as exc:
            failures.append(IngestFailure(place=draft.place, reason=str(exc)))
            continue
        embedder = archive.embedder
        passages = passages_of(
            article,
            count=embedder.count,
            passage_tokens=archive.settings.ingest.passage_tokens,
            max_tokens=embedder.max_tokens,
        )
        prepared.append(Prepared(article=article, passages=passages, place=draft.place, source_hash=source_hash))
    return prepared, unchanged, failures


def _source_hash(draft: Draft) -> str:
    record = json.dumps([_VERSION, asdict(draft)], default=str, sort_keys=True)
    return hashlib.sha256(record.encode("utf-8")).hexdigest()
