"""Bytes to text, whatever program saved them: UTF-8, UTF-16 and UTF-32 with and without marks, Windows-1252."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, AnyStr, BinaryIO

from rag.errors import SourceError

# Most specific first: the UTF-32 mark begins with the UTF-16 one.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Without a mark: most characters of a European text have a zero for one of their two bytes, always the same.
_UNMARKED = (("utf-16-le", 1), ("utf-16-be", 0))
_MIN_ZERO_SHARE, _MAX_OTHER_SHARE = 0.7, 0.05
_SAMPLE_BYTES = 4096
_BINARY_STARTS = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x1f\x8b",
    b"{\\rtf",
    b"SQLite format 3",
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\n\r\t\f\v")
_MAX_CONTROL_SHARE = 0.01
_FEW_CONTROLS = 8
_UTF_8_LETTER = re.compile(rb"[\xc3-\xf4][\x80-\xbf]{1,3}|\xc2[\xa1-\xbf]")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


def decoded(content: bytes) -> str:
    """Return the text of bytes, without a byte-order mark.

    UTF-16 and UTF-32 where a mark announces them or zeros betray them, UTF-8 if valid or nearly so (what is broken
    becomes U+FFFD), else Windows-1252, else Latin-1.

    Raises:
        SourceError: They are no text, or not in the encoding that their mark announces.
    """
    if wide := _wide_encoding(content):
        try:
            text = content.decode(wide).removeprefix("\ufeff")
        except UnicodeDecodeError as exc:
            raise _broken(wide) from exc
        _refuse_binary(text.encode("utf-8", "surrogatepass"))
        return text
    _refuse_binary(content)
    return _narrow(content).removeprefix("\ufeff")


def read_lines(file: BinaryIO, *, limit: int) -> Iterator[str | None]:
    """Yield the lines of a file with their ends, None for one of more than `limit` bytes (in UTF-16: letters).

    Raises:
        SourceError: It is no text, or not in the encoding that its mark announces.
    """
    beginning = file.read(_SAMPLE_BYTES)
    file.seek(0)
    wide = _wide_encoding(beginning)
    if wide is None:
        _refuse_binary(beginning)
        file.seek(len(codecs.BOM_UTF8) if beginning.startswith(codecs.BOM_UTF8) else 0)
        for line in _whole_lines(file, b"\n", limit=limit):
            yield None if line is None else _narrow(line)
        return
    _refuse_binary(beginning.decode(wide, "replace").encode("utf-8", "replace"))
    with io.TextIOWrapper(file, encoding=wide, newline="\n") as text:
        try:
            yield from _whole_lines(text, "\n", limit=limit)
        except UnicodeError as exc:
            raise _broken(wide) from exc


def _whole_lines(file: IO[AnyStr], end: AnyStr, *, limit: int) -> Iterator[AnyStr | None]:
    while line := file.readline(limit + 1):
        is_whole = len(line) <= limit or line.endswith(end)
        yield line if is_whole else None
        while line and not is_whole:
            line = file.readline(limit)
            is_whole = line.endswith(end)


def _wide_encoding(content: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding
    sample = content[:_SAMPLE_BYTES]
    pairs = len(sample) // 2
    for encoding, zero in _UNMARKED:
        zeros, others = (sample[at : 2 * pairs : 2].count(0) for at in (zero, 1 - zero))
        if zeros > _MIN_ZERO_SHARE * pairs and others < _MAX_OTHER_SHARE * pairs:
            return encoding
    return None


def _refuse_binary(content: bytes) -> None:
    controls = len(content) - len(content.translate(None, _CONTROLS))
    if content.startswith(_BINARY_STARTS) or controls > max(_FEW_CONTROLS, len(content) * _MAX_CONTROL_SHARE):
        raise SourceError("is not text but a binary file: convert it to text first")


def _narrow(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # One broken letter must not turn all the others into two: hardly a word of Windows-1252 looks like UTF-8.
    letters = sum(len(found) for found in _UTF_8_LETTER.findall(content))
    if 2 * letters > len(_HIGH_BYTE.findall(content)):
        return content.decode("utf-8", "replace")
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _broken(encoding: str) -> SourceError:
    return SourceError(f"is not the {encoding} that its first bytes announce: save it as UTF-8")
