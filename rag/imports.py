"""What `rag.exports` wrote, read back as if a stranger had written it: nothing is believed before it was looked at."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from rag.claims import BadLineError, article_of, check_end, header_of, passage_of, record_of
from rag.errors import SourceError
from rag.interfaces import PassageVectors
from rag.keeping import Kept
from rag.schema import Passage

T = TypeVar("T")
_MB = 1_000_000
# News and its vectors shrink to a third; a file made to fill a disk shrinks to a thousandth.
_MOST_EXPANSION = 200
_ALWAYS_ALLOWED = 64 * _MB
# A text's bytes may double in UTF-8 and again when quoted, and what cleaning cut out of it comes beside it.
_LINE_PER_TEXT = 4


@dataclass(frozen=True, slots=True)
class Export:
    """An export, opened: what its first line says, and what it carries."""

    fingerprint: dict[str, str] | None
    articles: int
    kept: Iterator[Kept]
    """All articles in order of id; SourceError from it means that the file is not whole or not one of ours."""


@contextmanager
def open_export(file: str | Path, *, max_article_mb: float) -> Iterator[Export]:
    """Yield an export whose articles are read one by one.

    Args:
        file: The file.
        max_article_mb: Most megabytes (10^6 bytes) of an article's text.

    Raises:
        SourceError: It cannot be read, is none, or was written by a newer version.
    """
    file = Path(file)
    try:
        stream = file.open("rb")
    except OSError as exc:
        raise SourceError(f"{file} cannot be read ({exc.strerror}): check that it exists and may be read") from exc
    with stream:
        lines = _Lines(file, stream, longest=int((_LINE_PER_TEXT * max_article_mb + 1) * _MB))
        header = lines.read(header_of)
        dim = int(header["fingerprint"]["dim"]) if header["fingerprint"] else 0
        yield Export(
            fingerprint=header["fingerprint"],
            articles=header["articles"],
            kept=_kept(lines, counts={key: header[key] for key in ("articles", "passages")}, dim=dim),
        )


class _Lines:
    """The lines of a gzipped file, none longer than `longest` bytes, all of them not much longer than the file."""

    def __init__(self, file: Path, stream: BinaryIO, *, longest: int) -> None:
        self._file = file
        self._stream = stream
        self._packed = gzip.GzipFile(fileobj=stream)
        self._longest = longest
        self._number = 0
        self._bytes = 0

    def read(self, claim: Callable[..., T], *arguments: object) -> T:
        """Return what the next line claims.

        Raises:
            SourceError: The line is missing, or wrong.
        """
        self._number += 1
        try:
            return claim(record_of(self._next()), *arguments)
        except BadLineError as exc:
            raise SourceError(f"{self._file} line {self._number} {exc}") from exc

    def end(self) -> None:
        """Make sure that nothing follows.

        Raises:
            SourceError: Something does.
        """
        if self._read(1):
            raise SourceError(f"{self._file} goes on after its end: export the archive again")

    def _next(self) -> bytes:
        line = self._read(self._longest + 1)
        self._bytes += len(line)
        if len(line) > self._longest:
            raise BadLineError(
                f"is longer than {self._longest / _MB:g} MB: raise ingest.max_article_mb, if you trust it"
            )
        if self._bytes > max(_ALWAYS_ALLOWED, self._stream.tell() * _MOST_EXPANSION):
            raise BadLineError(
                "shows that the file unpacks to far more than an archive would: export the archive again"
            )
        if not line.endswith(b"\n"):
            raise BadLineError("is missing or cut off: copy or export the file again")
        return line

    def _read(self, most: int) -> bytes:
        try:
            return self._packed.readline(most)
        except EOFError as exc:
            raise SourceError(f"{self._file} is cut off: copy or export it again") from exc
        except gzip.BadGzipFile as exc:
            raise SourceError(f"{self._file} is damaged or no export ({exc}): copy or export it again") from exc
        except zlib.error as exc:
            raise SourceError(f"{self._file} is damaged ({exc}): copy or export it again") from exc
        except OSError as exc:
            raise SourceError(f"{self._file} cannot be read ({exc.strerror or exc}): check the disk") from exc


def _kept(lines: _Lines, *, counts: Mapping[str, int], dim: int) -> Iterator[Kept]:
    before, passages = "", 0
    for _ in range(counts["articles"]):
        article, sources, count = lines.read(article_of, before)
        before, passages = article.id, passages + count
        made: dict[str, PassageVectors] = {}
        cut: dict[str, Passage] = {}
        for _ in range(count):
            passage, vectors = lines.read(passage_of, article, cut, dim)
            cut[passage.id] = passage
            if vectors is not None:
                made[passage.id] = vectors
        yield Kept(article=article, passages=tuple(cut.values()), sources=sources, vectors=made)
    lines.read(check_end, {"articles": counts["articles"], "passages": passages}, counts)
    lines.end()
