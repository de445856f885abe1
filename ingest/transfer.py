"""An export comes in: as it is where the same model made its vectors, else cut and embedded here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from ingest.chunking import passages_of
from rag import fingerprint
from rag.archive import Archive
from rag.imports import open_export
from rag.keeping import Kept
from rag.schema import IngestSummary


def import_archive(
    archive: Archive,
    file: str | Path,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    notify: Callable[[str], None] | None = None,
) -> IngestSummary:
    """Take everything that another archive exported into this one and return what became of it, in articles.

    All of it or nothing: a file that is not whole, or not to be believed, changes nothing. Articles that are here
    already follow the rules of an ingest, as if the places they were read from had been read again now. Taking the same
    file in again changes nothing.

    Args:
        archive: Where to; may be in use by other threads.
        file: What `hemeroteca export` wrote.
        progress: Called with (done, all, "articles") while they are read, and with "passages" while these are embedded.
        notify: Called with a sentence if the passages have to be embedded here.

    Raises:
        SourceError: The file cannot be read, is damaged, or is no export; it names the line.
    """
    began = time.perf_counter()
    here = fingerprint.of(archive.embedder, settings=archive.settings)
    lengths: list[int] = []
    with open_export(file, max_article_mb=archive.settings.ingest.max_article_mb) as export:
        same = export.fingerprint in (None, here)
        if not same and notify:
            notify(f"{file} was made with other vectors than this archive's: its articles are cut and embedded anew")
        kept = export.kept if same else (_cut_anew(item, archive=archive) for item in export.kept)
        outcomes = archive.merge(_counted(kept, lengths, total=export.articles, progress=progress))
    archive.embed_pending(progress=partial(_counting, "passages", progress) if progress else None)
    counts = Counter(outcomes)
    return IngestSummary(
        added=counts["added"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        duplicates=counts["duplicate"],
        passages=sum(
            length for length, outcome in zip(lengths, outcomes, strict=True) if outcome in ("added", "changed")
        ),
        seconds=time.perf_counter() - began,
    )


def _counted(
    kept: Iterable[Kept], lengths: list[int], *, total: int, progress: Callable[[int, int, str], None] | None
) -> Iterator[Kept]:
    for done, item in enumerate(kept, start=1):
        lengths.append(len(item.passages))
        yield item
        if progress:
            progress(done, total, "articles")


def _counting(unit: str, progress: Callable[[int, int, str], None], done: int, total: int) -> None:
    progress(done, total, unit)


def _cut_anew(kept: Kept, *, archive: Archive) -> Kept:
    passages = passages_of(
        kept.article,
        count=archive.embedder.count,
        passage_tokens=archive.settings.ingest.passage_tokens,
        max_tokens=archive.embedder.max_tokens,
    )
    return replace(kept, passages=passages, vectors={})
