"""The `[n]` markers of a text that a model wrote: find them, take them out, never show half of one. Pure.

Only the model's own text is searched. An article that contains "[1]" is quoted by offsets and never read here.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass

_WORD = r"(?:(?:pasajes?|passages?|fuentes?|sources?|art[íi]culos?|articles?)[ \t]{0,2})?"
# Three digits at most: "[1961]" is a year that somebody added. "†…" is what some models write inside 【】.
_NUMBER = r"\^?\d{1,3}"
_BLANKS = r"[ \t]{0,2}"
_LIST = rf"{_NUMBER}(?:{_BLANKS}(?:,|;|-|–|—|y|e|and|&){_BLANKS}{_NUMBER}){{0,9}}"
_MARKER = re.compile(rf"[\[【［]{_BLANKS}{_WORD}{_LIST}{_BLANKS}(?:†[^\[\]【】［］\n]{{0,30}})?[\]】］]", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)(?:\s*[-–—]\s*\^?(\d+))?")
# No marker is longer than this.
_OPEN = re.compile(r"[\[【［][^\[\]【】［］\n]{0,160}\Z")


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker as written: `text[start:end]` names the passages `numbers`, each once, in the order written."""

    start: int
    end: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its markers, and where each stood: (code point of `text`, numbers)."""

    text: str
    markers: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Numbers that name a passage and numbers that name none, each once, in the order written."""

    valid: tuple[int, ...]
    dangling: tuple[int, ...]


def find_markers(text: str) -> list[Marker]:
    """Return the markers in order: "[1]", "[1, 2]", "[1-3]", "[1][2]" (two), "【1】", "[^1]", "[pasaje 1]"."""
    return [Marker(match.start(), match.end(), _numbers(match.group())) for match in _MARKER.finditer(text)]


def take_markers_out(text: str) -> Marked:
    """Return the text without its markers and without the blanks before them.

    A marker's place is the point of the remaining text where it stood: behind the sentence that it closes, also when it
    was written after the full stop, or, at the head of a line, exactly where the sentence that it opens begins.
    """
    kept = ""
    places: list[tuple[int, tuple[int, ...]]] = []
    last = 0
    for marker in find_markers(text):
        kept += text[last : marker.start]
        last = marker.end
        if kept.rpartition("\n")[2].strip():
            kept = kept.rstrip(" \t")
            places.append((len(kept), marker.numbers))
            # "one.[1]Two" must not become one word.
            kept += " " if text[last : last + 1].isalnum() else ""
        else:
            places.append((len(kept), marker.numbers))
            last += len(text[last:]) - len(text[last:].lstrip(" \t"))
    return Marked(kept + text[last:], tuple(places))


def resolve(numbers: Iterable[int], *, passages: int) -> Resolved:
    """Return which of the numbers name one of the passages 1 to `passages`, and which dangle."""
    distinct = tuple(dict.fromkeys(numbers))
    return Resolved(
        valid=tuple(number for number in distinct if 1 <= number <= passages),
        dangling=tuple(number for number in distinct if not 1 <= number <= passages),
    )


def whole_markers(chunks: Iterable[str]) -> Generator[str, None, None]:
    """Yield a stream's text again, cut so that no marker is ever split between two pieces.

    What may still become a marker is held back until it is one, or cannot be, or the stream ends. Empty pieces are
    left out.
    """
    held = ""
    for chunk in chunks:
        held += chunk
        half = _OPEN.search(held)
        cut = half.start() if half else len(held)
        if cut:
            yield held[:cut]
        held = held[cut:]
    if held:
        yield held


def _numbers(marker: str) -> tuple[int, ...]:
    found: list[int] = []
    for match in _RANGE.finditer(marker.split("†")[0]):
        first = int(match.group(1))
        last = int(match.group(2) or first)
        found += range(min(first, last), max(first, last) + 1)
    return tuple(dict.fromkeys(found))
