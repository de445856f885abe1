"""An archive in one file, to be carried to another machine: gzipped JSON lines that any program can read.

The first line says what the file is, with counts and the fingerprint of the vectors; then each article is a line,
followed by one line a passage; the last line says that the file is whole. Each line ends with the SHA-256 of the line
without that. Vectors are base64 of little-endian numbers: float32 for a passage, float16 for its sentences, one after
the other.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rag.claims import FORMAT, VERSION, sealed
from rag.errors import ArchiveError
from rag.interfaces import PassageVectors
from rag.keeping import Kept
from rag.schema import Article, Passage
from rag.snapshot import Snapshot, snapshot

# Vectors hardly shrink: a higher level takes three times as long for 1 % less.
_LEVEL = 4
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export wrote."""

    articles: int
    passages: int
    bytes: int


def export_archive(
    folder: str | Path, file: str | Path, *, progress: Callable[[int, int], None] | None = None
) -> ExportSummary:
    """Write all that an archive keeps into a file, which is there only once it is whole.

    The same archive gives the same bytes. Others may use the archive meanwhile: what it held at the beginning counts.

    Args:
        folder: The archive's.
        file: Where to; an export that is there is replaced, and nothing else.
        progress: Called with (articles written, articles to write).

    Raises:
        ArchiveError: There is no archive, it is damaged, or the file cannot be written.
    """
    folder, file = Path(folder), Path(file)
    if file.resolve().is_relative_to(folder.resolve()):
        raise ArchiveError(f"{file} lies in the archive's own folder: name a file elsewhere")
    if _holds_something_else(file):
        raise ArchiveError(f"{file} is there already and is no export: name another file, or remove it first")
    part = file.with_name(f".{file.name}.part")
    with snapshot(folder) as state:
        try:
            with part.open("wb") as stream:
                _write(state, stream, progress=progress)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(file)
        except OSError as exc:
            raise ArchiveError(f"{file} cannot be written ({exc.strerror}): name a file elsewhere") from exc
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return ExportSummary(articles=state.articles, passages=state.passages, bytes=file.stat().st_size)


def _holds_something_else(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(2) not in (b"", _GZIP)
    except FileNotFoundError:
        return False
    except OSError:
        # A folder, say: writing it fails with the reason.
        return False


def _write(state: Snapshot, stream: BinaryIO, *, progress: Callable[[int, int], None] | None) -> None:
    # Neither name nor time in the gzip header: equal archives give equal files.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=0) as packed:
        for done, lines in enumerate(_records(state)):
            packed.writelines(_line(record) for record in lines)
            if progress:
                progress(min(done, state.articles), state.articles)


def _records(state: Snapshot) -> Iterator[list[dict[str, Any]]]:
    counts = {"articles": state.articles, "passages": state.passages}
    yield [{"format": FORMAT, "version": VERSION, **counts, "fingerprint": state.fingerprint}]
    for kept in state.kept():
        yield [
            {"article": _article_record(kept)},
            *({"passage": _passage_record(passage, kept.vectors.get(passage.id))} for passage in kept.passages),
        ]
    yield [{"end": counts}]


def _line(record: dict[str, Any]) -> bytes:
    return sealed(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _article_record(kept: Kept) -> dict[str, Any]:
    article: Article = kept.article
    return {
        "id": article.id,
        "given_id": article.given_id,
        "url": article.url,
        "title": article.title,
        "outlet": article.outlet,
        "published": article.published.isoformat() if article.published else None,
        "language": article.language,
        "author": article.author,
        "agency": article.agency,
        "text": article.text,
        "removed": [asdict(removal) for removal in article.removed],
        "content_hash": article.content_hash,
        "sources": dict(kept.sources),
        "passages": len(kept.passages),
    }


def _passage_record(passage: Passage, made: PassageVectors | None) -> dict[str, Any]:
    return {
        "id": passage.id,
        "start": passage.start,
        "end": passage.end,
        "header": passage.embedded_text[: len(passage.embedded_text) - len(passage.text)],
        "sentences": [[sentence.start, sentence.end] for sentence in passage.sentences],
        "vector": _base64(made.passage, "<f4") if made else None,
        "sentence_vectors": _base64(made.sentences, "<f2") if made else None,
    }


def _base64(numbers: np.ndarray[Any, Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype=kind).tobytes()).decode("ascii")
