"""Archives made for an evaluation: out of a set's own articles, kept by a hash of them, so that they are made once."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eval.dataset import SAMPLE, DatasetError, QuestionSet
from eval.formats import content_of
from rag.schema import IngestFailure

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.config import Settings

# The sample's archives are made anew with every change of the code, in seconds; a large set costs an hour.
STALE_AFTER_DAYS = {"sample": 1, "set": 7, "articles": 7, "vectors": 7}
_SHOWN = 3


def archive_folder(made_of: QuestionSet, *, root: Path, settings: Settings) -> Path:
    """Return where under `root` the archive of a set is kept, and remove those that nobody used for some days.

    The name carries a hash of the articles, of the settings that shape an archive and of the code that reads, cuts and
    keeps them, so that what is measured is always what this code makes of these articles.

    Raises:
        DatasetError: An article file cannot be read.
    """
    seen = hashlib.sha256(_articles_hash(made_of).encode())
    seen.update(repr((settings.embedding, settings.ingest)).encode())
    seen.update(code_hash().encode())
    kind = "sample" if made_of.paths == (SAMPLE,) else "set"
    folder = root / f"{kind}-{seen.hexdigest()[:16]}"
    _remove_stale(root, keep=folder)
    return folder


def take_in(
    archive: Archive,
    made_of: QuestionSet,
    *,
    root: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Take a set's articles into its archive, which costs little when they are there, and return what went wrong.

    Args:
        archive: An empty archive, or one that holds articles of this set, and maybe others.
        made_of: The set.
        root: Where the rows of a set are written for ingest to read.
        progress: Called with (passages embedded, passages to embed).

    Raises:
        DatasetError: The archive holds other articles only, or no article could be taken in.
    """
    from ingest import ingest

    paths = list(made_of.paths) or [_written(made_of, root)]
    held = archive.articles()
    sources = tuple(str(path.resolve()) for path in paths)
    if held and not any(place.startswith(sources) for article in held for place in article.places):
        raise DatasetError(
            f"archive {archive.path} holds {len(held)} articles, and none of {made_of.dataset.name}: "
            "name a new folder with --archive, or leave it out"
        )
    summary = ingest(archive, paths, progress=progress)
    archive.path.touch()
    if summary.failures and not archive.counts().articles:
        raise DatasetError(f"no article could be taken in: {_told(summary.failures[0])}")
    shown = [_told(failure) for failure in summary.failures[:_SHOWN]]
    more = summary.failed - len(shown)
    return shown + ([f"and {more} more articles could not be taken in"] if more > 0 else [])


def code_hash() -> str:
    """Return sixteen hexadecimal digits that change with the code that makes archives and answers."""
    import ingest
    import rag

    seen = hashlib.sha256()
    for package in (ingest, rag):
        for source in sorted(Path(package.__path__[0]).glob("*.py")):
            seen.update(source.read_bytes())
    return seen.hexdigest()[:16]


def _articles_hash(made_of: QuestionSet) -> str:
    from ingest.sources import find_files

    if made_of.rows:
        return hashlib.sha256(_as_lines(made_of)).hexdigest()
    seen = hashlib.sha256()
    for found in find_files(made_of.paths):
        if isinstance(found, IngestFailure):
            raise DatasetError(f"articles {_told(found)}")
        seen.update(str(found.resolve()).encode("utf-8", "surrogateescape"))
        seen.update(hashlib.sha256(content_of(found)).digest())
    return seen.hexdigest()


def _written(made_of: QuestionSet, root: Path) -> Path:
    """Return a file of the rows; an article is known by its id and this name, so equal rows are equal articles."""
    file = root / f"articles-{_articles_hash(made_of)[:16]}.jsonl"
    if not file.exists():
        root.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_as_lines(made_of))
    file.touch()
    return file


def _as_lines(made_of: QuestionSet) -> bytes:
    return "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in made_of.rows).encode(
        "utf-8", "surrogatepass"
    )


def _told(failure: IngestFailure) -> str:
    return f"{failure.place}: {failure.reason}"


def _remove_stale(root: Path, *, keep: Path) -> None:
    now = time.time()
    for kind, days in STALE_AFTER_DAYS.items():
        for other in root.glob(f"{kind}-*"):
            if other == keep or now - other.stat().st_mtime < days * 24 * 3600:
                continue
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
            else:
                other.unlink(missing_ok=True)
