"""The words that a regular expression cannot match without, so that most expressions need not be tried. Pure.

Python's own parser of expressions is asked, which is no public part of it: where it is another, nothing is known, and
every expression is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

try:
    _parse: Any = re._parser.parse  # type: ignore[attr-defined]
except AttributeError:  # pragma: no cover - another Python
    _parse = None

_FEW = 12


def needed(pattern: str) -> frozenset[str]:
    """Return words one of which is in every match of a pattern; none if that is not known.

    Of several such sets it is the one with the longest words.
    """
    if _parse is None:
        return frozenset()
    return _best(_parse(pattern))


def _best(items: Sequence[tuple[Any, Any]]) -> frozenset[str]:
    candidates = [each for each in _required(items) if each and "" not in each]
    return max(candidates, key=lambda words: (min(map(len, words)), -len(words)), default=frozenset())


def _required(items: Sequence[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Yield sets of words of which each match of a sequence has one."""
    run = ""
    for kind, what in items:
        name = str(kind)
        if name == "LITERAL":
            run += chr(what)
            continue
        if run:
            yield frozenset({run})
        run = ""
        if name == "SUBPATTERN":
            yield _best(what[-1])
        elif name == "BRANCH":
            found = [_best(way) for way in what[1]]
            yield frozenset().union(*found) if all(found) else frozenset()
        elif name in ("MAX_REPEAT", "MIN_REPEAT") and what[0] > 0:
            yield _best(what[2])
        elif name == "IN":
            yield _characters(what)
    if run:
        yield frozenset({run})


def _characters(choices: Sequence[tuple[Any, Any]]) -> frozenset[str]:
    found: set[str] = set()
    for kind, what in choices:
        if str(kind) == "LITERAL":
            found.add(chr(what))
        elif str(kind) == "RANGE" and what[1] - what[0] < _FEW:
            found |= set(map(chr, range(what[0], what[1] + 1)))
        else:
            return frozenset()
    return frozenset(found)
