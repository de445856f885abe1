"""Which words of a text name a time, and which days they mean, seen from the day that it was published. Pure.

Spanish and English have a grammar of ours; what dateparser knows of other languages is read by the same rules.
What is not certain stays unresolved: a wrong date is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from rag.dates_grammar import Found, Reading, folded
from rag.dates_meaning import Reference, meaning
from rag.dates_tense import tense_of
from rag.periods import Period, days_after
from rag.schema import TimeExpression

GRAMMAR_VERSION = "1"
"""Raised with every change of the rules: what older ones found is found anew."""

# How far before an expression the words may begin that belong to it.
_OPENER_REACH = 32
# These have their two ends: "from" before them begins no open period.
_TWO_ENDED = frozenset({"days", "two_days", "months", "years"})
_BEGINS = re.compile(r"(?:^|[.!?…:;\n])[\s«\"'“‘¿¡(—–-]*$")
_QUANTITY = re.compile(r"\d|[,;]|\b(?:mil|cien|cientos|millones|hundreds?|thousands?|millions?)\b")
_THAT = re.compile(r"\sque\b")
_POSSESSIVE = re.compile("['’]s\\b")
# Before a date that belongs to what is named before or after it.
_OF_THE = re.compile(r"\b(?:del|the)\s")
_OF_DAY = re.compile(r"[’']s\b|\s(?:morning|afternoon|evening|night)\b")
_WORD = re.compile(r"[^\W\d_]+")
# Where no verb tells: what lasts since then began before, what ends then will end.
_USUALLY = {"since": -1, "until": 1, "before": 1}


@dataclass(frozen=True, slots=True)
class _Resolved:
    """An expression with what it means, None if that is not certain; `relative` needs the day of publication."""

    start: int
    end: int
    period: Period | None
    relative: bool


def find_times(
    text: str, *, language: str, published: date | None, usual_tense: int | None = None
) -> tuple[TimeExpression, ...]:
    """Return the time expressions of a text in order, none within another.

    Args:
        text: As it was published; offsets are code points of it.
        language: ISO 639-1; of a language that nobody knows here nothing is found.
        published: The day that relative expressions are seen from; without it they stay unresolved.
        usual_tense: What is taken where no verb tells, -1 past or 1 future; None leaves it open.
    """
    reading = reading_of(language)
    if reading is None:
        return ()
    small = folded(text)
    found = [each for each in reading.found(small) if _is_no_name(text, each, reading)]
    resolved: list[_Resolved] = []
    index = 0
    while index < len(found):
        one, used = _composed(
            text, small, found[index : index + 2], reading=reading, published=published, usual=usual_tense
        )
        index += used
        if one is not None:
            resolved.append(one)
    return tuple(
        TimeExpression(
            start=each.start,
            end=each.end,
            since=each.period.since if each.period else None,
            until=each.period.until if each.period else None,
            relative=each.relative,
        )
        for each in resolved
    )


@cache
def reading_of(language: str) -> Reading | None:
    """Return the grammar of a language, ready to be matched; None if there is none."""
    if language == "es":
        from rag.dates_es import GRAMMAR
    elif language == "en":
        from rag.dates_en import GRAMMAR
    else:
        from rag.dates_other import grammar_of

        other = grammar_of(language)
        return None if other is None else Reading(other)
    return Reading(GRAMMAR)


def _composed(
    text: str, small: str, found: Sequence[Found], *, reading: Reading, published: date | None, usual: int | None
) -> tuple[_Resolved | None, int]:
    """Return what the first expression means with the words before it, or with the next one; and how many that took."""
    first = found[0]
    if first.kind == "none":
        return None, 1
    if len(found) > 1 and (start := _range_start(small, first, found[1], reading)) is not None:
        ends = first, found[1]
        return _range(text, ends, start=start, reading=reading, published=published, usual=usual), 2
    kind, start = _opener(small, first, reading)
    tense = tense_of(text, start=start, end=first.end, reading=reading)
    if kind in _USUALLY and (tense is None or kind == "since"):
        tense = tense or usual or _USUALLY[kind]
    elif kind in ("until", "before") and tense == -1 and not _lasted(text, start, reading):
        # "Cerró hasta el viernes": it closed, until a day to come.
        tense = None
    period = meaning(first, Reference(published, usual if tense is None else tense))
    if first.kind.startswith("hence_if_future") and (period is None or _is_duration(text, start, reading)):
        return None, 1
    relative = meaning(first, Reference()) is None
    if _is_doubtful(period, small, first, opener=kind, tense=tense, published=published if relative else None):
        period = None
    return _Resolved(start, first.end, _opened(period, kind, is_end=first.values.part == "late"), relative), 1


def _is_doubtful(
    period: Period | None, small: str, found: Found, *, opener: str, tense: int | None, published: date | None
) -> bool:
    """Whether words around an expression make what it would mean doubtful.

    Args:
        period: What it would mean.
        small: The text, folded.
        found: The expression.
        opener: Which open period it would begin or end.
        tense: Of its verb.
        published: The day that it is seen from, None if it is seen from none.
    """
    is_attribute = found.kind == "attributive_year" or bool(_POSSESSIVE.match(small, found.end))
    if found.kind.startswith("ago") and tense != -1 and _THAT.match(small, found.end):
        # "Hace dos años que no llueve": since then.
        return True
    if opener and is_attribute:
        # "Before the 2016 election" is not before 2016.
        return True
    if period is None or published is None:
        return False
    if opener == "before" and tense == 1:
        # "Before June" cannot be the June that is there already.
        return period.since is not None and period.since <= published
    is_attribute = is_attribute or bool(_OF_THE.search(small, max(0, found.start - 4), found.start + 4))
    nearest = meaning(found, Reference(published)) if is_attribute and found.kind == "date" else None
    # "Meddled in the November 6 vote": the verb is not the vote's.
    return nearest is not None and nearest != period


def _is_duration(text: str, start: int, reading: Reading) -> bool:
    """Whether "in ten days" is how long something takes, as in "will build 500 houses in ten days"."""
    before = text[max(0, start - 2 * _OPENER_REACH) : start].lower()
    if _BEGINS.search(before):
        return False
    verbs = list(reading.future.finditer(before)) if reading.future else []
    if not verbs or _QUANTITY.search(before, verbs[-1].end()):
        return True
    numbers = reading.grammar.words["number"]
    words = _WORD.findall(folded(before[verbs[-1].end() :]))
    return any(numbers.get(word, 1) != 1 for word in words)


def _lasted(text: str, start: int, reading: Reading) -> bool:
    """Whether the verb before an expression says that something went on."""
    return bool(reading.lasting and reading.lasting.search(text[max(0, start - 2 * _OPENER_REACH) : start].lower()))


def _opener(small: str, found: Found, reading: Reading) -> tuple[str, int]:
    """Return which open period the words before an expression make of it, "" for none, and where they begin."""
    if found.kind == "unit_end":
        return "until", found.start
    for kind, opener in reading.openers:
        if before := opener.search(small, max(0, found.start - _OPENER_REACH), found.start):
            return "" if kind == "since" and found.kind in _TWO_ENDED else kind, before.start()
    return "", found.start


def _opened(period: Period | None, kind: str, *, is_end: bool) -> Period | None:
    if period is None or not kind or period.since is None or period.until is None:
        return period
    if kind == "since":
        return Period(period.since, None)
    if kind == "after":
        return Period(days_after(period.until, 1), None)
    # "Before the end of June" is in June still.
    return Period(None, period.until if kind == "until" or is_end else days_after(period.since, -1))


def _range_start(small: str, first: Found, second: Found, reading: Reading) -> int | None:
    """Return where a range begins that two expressions are the ends of, None if they are none."""
    if "none" in (first.kind, second.kind) or "unresolved" in (first.kind, second.kind):
        return None
    between = small[first.end : second.start].strip()
    for opener, joint in reading.ranges:
        before = opener.search(small, max(0, first.start - _OPENER_REACH), first.start)
        if before and joint.fullmatch(between):
            return before.start()
    return None


def _range(
    text: str,
    ends: tuple[Found, Found],
    *,
    start: int,
    reading: Reading,
    published: date | None,
    usual: int | None,
) -> _Resolved:
    first, second = ends
    tense = tense_of(text, start=start, end=second.end, reading=reading) or usual
    relative = any(meaning(end, Reference(None, None)) is None for end in ends)
    last = meaning(second, Reference(published, tense))
    begun = meaning(first, Reference(published, tense))
    if begun and last and begun.since and last.until and begun.since > last.until:
        # Today lies between the two: what ends next began before.
        if tense == 1 and first.values.weekday is not None and first.kind == second.kind:
            last = meaning(second, Reference(begun.until, 1))
        else:
            begun = meaning(first, Reference(last.since, -1))
    if not (begun and last and begun.since and last.until and begun.since <= last.until):
        return _Resolved(start, second.end, None, relative)
    return _Resolved(start, second.end, Period(begun.since, last.until), relative)


# ---- names that look like days


def _is_no_name(text: str, found: Found, reading: Reading) -> bool:
    """Whether the words are written as a language writes days and months, and not as it writes names."""
    if found.kind in ("none", "unresolved") or reading.grammar.names == "any":
        return True
    words = reading.grammar.words
    names = [
        match
        for match in _WORD.finditer(text, found.start, found.end)
        if folded(match.group()) in words["month"] or folded(match.group()) in words["weekday"]
    ]
    capitals = [match for match in names if match.group()[0].isupper()]
    begins = bool(_BEGINS.search(text, max(0, found.start - 8), found.start)) or not text[: found.start].strip()
    is_bare = found.end - found.start == sum(len(match.group()) for match in names)
    if reading.grammar.names == "capital":
        if found.kind == "offset" and text[found.start].isupper() and not begins:
            # "USA Today", "the Today programme".
            return False
        return len(capitals) == len(names) and not (is_bare and _is_within_name(text, found, reading, begins=begins))
    if not capitals:
        # "Hoy", "Mañana" within a sentence are newspapers.
        return begins or not text[found.start].isupper()
    if found.values.year is not None:
        return True
    if is_bare and found.kind == "month":
        # "Julio dijo": a month has "en" before it.
        return False
    return (
        begins
        and not (is_bare and _is_within_name(text, found, reading, begins=True))
        and not _all_but_first(capitals, found)
    )


def _all_but_first(capitals: Sequence[re.Match[str]], found: Found) -> bool:
    """Whether a day or month is written with a capital that does not come from standing first."""
    return any(match.start() > found.start for match in capitals)


def _is_within_name(text: str, found: Found, reading: Reading, *, begins: bool) -> bool:
    after = text[found.end : found.end + 12]
    if begins and not _OF_DAY.match(after):
        # "Friday, a stray dog", "Sunday school".
        return True
    before = _WORD.findall(text[max(0, found.start - 20) : found.start])
    stands_by_name = (
        bool(before)
        and before[-1][0].isupper()
        and before[-1].lower() not in reading.grammar.particles
        and text[found.start - 1 : found.start] == " "
    )
    return (after[:1] == " " and after[1:2].isupper()) or (stands_by_name and not begins)
