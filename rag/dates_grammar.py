"""A small notation for the time expressions of a language, and what is read out of a text with it. Pure.

A rule is a name and a pattern. In a pattern a space stands for white space of any length, `<name>` for one of the words
of that table, and `<name=table>` for one of another table under that name; the rest is a regular expression on text in
small letters without accents. What was found is a `Values`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from rag.literals import needed

Words = Mapping[str, Mapping[str, int | str]]
"""Tables of words in small letters without accents, each with what it means."""

# Digits, where a table of words is not enough.
_DIGITS = {
    "day": r"(?:0?[1-9]|[12]\d|3[01])(?:\.?º|\.?er|st|nd|rd|th)?",
    "last_day": r"(?:0?[1-9]|[12]\d|3[01])(?:\.?º|st|nd|rd|th)?",
    "year": r"(?:1[1-9]|20)\d\d",
    "last_year": r"(?:1[1-9]|20)\d\d",
    "number": r"\d{1,3}",
    "decade": r"(?:1[5-9]|20)\d0",
    "century": r"(?:1\d|2[01]|[5-9])",
    "first_number": r"\d\d?",
    "second_number": r"\d\d?",
    "short_year": r"\d\d",
}
_TOKEN = re.compile(r"<(\w+)(?:=(\w+))?>")
_SPACES = re.compile(r"\s+")
_NOT_DIGITS = re.compile(r"\D")


@dataclass(frozen=True, slots=True)
class Values:
    """What the words of an expression say; None is what they do not.

    `which`, `year_which`, `unit_which`: -1 last, 0 this, 1 next; `weekday`: 0 is Monday; `offset`: days from the
    reference; `part`: early, mid, late; `unit` and `bigger`: units of time.
    """

    day: int | None = None
    last_day: int | None = None
    month: int | None = None
    last_month: int | None = None
    year: int | None = None
    last_year: int | None = None
    short_year: int | None = None
    which: int | None = None
    year_which: int | None = None
    unit_which: int | None = None
    weekday: int | None = None
    offset: int | None = None
    number: int | None = None
    ordinal: int | None = None
    decade: int | None = None
    century: int | None = None
    first_number: int | None = None
    second_number: int | None = None
    part: str | None = None
    unit: str | None = None
    bigger: str | None = None


_FIELDS = frozenset(field.name for field in fields(Values))


@dataclass(frozen=True, slots=True)
class Found:
    """An expression of a text: where it stands, the name of its rule, what its words say."""

    start: int
    end: int
    kind: str
    values: Values


@dataclass(frozen=True, slots=True)
class Grammar:
    """The time expressions of one language.

    `rules` are tried at every place, and the longest of the first place wins. `openers` stand right before an
    expression and make an open period of it ("since", "until", "before", "after"), `ranges` before and between two.
    Then patterns on small letters with their accents. `past` and `future` are verbs; `planning` are verbs whose day may
    be that of the plan or of what is planned; `participle` is past without a verb; `lasting` are verbs of what went on
    for a while; `clause` begins another clause; `ahead` stands right before what is to come.
    `names` is how names of days and months are told from other names.
    """

    words: Words
    rules: Sequence[tuple[str, str]]
    openers: Sequence[tuple[str, str]] = ()
    ranges: Sequence[tuple[str, str]] = ()
    past: str = ""
    future: str = ""
    planning: str = ""
    ahead: str = ""
    participle: str = ""
    clause: str = ""
    lasting: str = ""
    # "small": those of Spanish are written small, "capital": those of English are not, "any": no rule.
    names: Literal["small", "capital", "any"] = "any"
    # Words that stand before a day without being part of a name.
    particles: frozenset[str] = frozenset()
    is_spaced: bool = True


def counted(words: str, *, start: int = 1, **more: int) -> dict[str, int | str]:
    """Return each of the words with its number, counted from `start`, and further ones with theirs."""
    found: dict[str, int | str] = {word: number for number, word in enumerate(words.split(), start)}
    return found | more


def after_any(words: str) -> str:
    """Return a pattern that holds right after one of the words, which are apart by "|" and no part of the match."""
    return "(?:" + "|".join(rf"(?<=\b{word.replace(' ', chr(92) + 's')}\s)" for word in words.split("|")) + ")"


def folded(text: str) -> str:
    """Return the text in small letters without accents but ñ, apostrophes straight, sign by sign: offsets stay."""
    return text.translate(_FOLDS)


class _Folds(dict[int, int]):
    """Small letters without accents, worked out when first met."""

    def __missing__(self, code: int) -> int:
        small = chr(code).lower()
        base = small if small == "ñ" else unicodedata.normalize("NFD", small)[:1]
        self[code] = ord(base) if base else code
        return self[code]


_FOLDS = _Folds({ord("’"): ord("'")})


class Reading:
    """A grammar made ready to be matched."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        rules = [(kind, self._expanded(pattern)) for kind, pattern in grammar.rules]
        self._rules = [(kind, re.compile(pattern), needed(pattern)) for kind, pattern in rules]
        self._hints = sorted({word for _, _, words in self._rules for word in words})
        self.openers = [(kind, self._at_end(pattern)) for kind, pattern in grammar.openers]
        self.ranges = [(self._at_end(before), re.compile(_spaced(between))) for before, between in grammar.ranges]
        self.ahead = self._at_end(grammar.ahead) if grammar.ahead else None
        self.participle = self._at_end(grammar.participle) if grammar.participle else None
        self.past = _compiled(grammar.past)
        self.future = _compiled(grammar.future)
        self.planning = _compiled(grammar.planning)
        self.lasting = _compiled(grammar.lasting)
        self.clause = _compiled(grammar.clause)

    def found(self, text: str) -> list[Found]:
        """Return the expressions of a folded text in order, none within another; the longest of a place."""
        every = sorted(self._every(text), key=lambda each: (each.start, -each.end))
        kept: list[Found] = []
        for each in every:
            if not kept or each.start >= kept[-1].end:
                kept.append(each)
        return kept

    def _every(self, text: str) -> Iterator[Found]:
        # Nine rules in ten have nothing to do with a sentence, and trying them takes longer than all else.
        there = {word for word in self._hints if word in text}
        for kind, pattern, words in self._rules:
            if words and words.isdisjoint(there):
                continue
            for match in pattern.finditer(text):
                yield Found(match.start(), match.end(), kind, self._values(match))

    def _values(self, match: re.Match[str]) -> Values:
        said: dict[str, Any] = {}
        for group, words in match.groupdict().items():
            name = group.partition("__")[0]
            if words is not None and name in _FIELDS:
                said.setdefault(name, self._value(name, group.split("__")[1], words))
        return Values(**said)

    def _value(self, name: str, table: str, words: str) -> int | str:
        known = self.grammar.words.get(table, {}).get(_SPACES.sub(" ", words))
        return int(_NOT_DIGITS.sub("", words)) if known is None else known

    def _expanded(self, pattern: str) -> str:
        count = 0

        def alternatives(token: re.Match[str]) -> str:
            nonlocal count
            count += 1
            name, table = token[1], token[2] or token[1]
            choices = [re.escape(word).replace(r"\ ", " ") for word in self.grammar.words.get(table, {})]
            choices.sort(key=len, reverse=True)
            if digits := _DIGITS.get(table):
                choices.insert(0, digits)
            return f"(?P<{name}__{table}__{count}>{'|'.join(choices)})"

        expanded = _spaced(_TOKEN.sub(alternatives, pattern))
        # Not within a word, and not within a number such as 11.06 or 2023-24.
        if self.grammar.is_spaced:
            return rf"(?<![\w/])(?<!\d[.,:-])(?:{expanded})(?!\w)(?![.,:/-]\d)"
        return rf"(?<!\d)(?<!\d[.,:-])(?:{expanded})(?!\d)"

    @staticmethod
    def _at_end(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{_spaced(pattern)})\s*$")


def _compiled(pattern: str) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


def _spaced(pattern: str) -> str:
    return pattern.replace(" ?", r"\s*").replace(" ", r"\s+")
