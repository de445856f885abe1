"""Whether what was found speaks of the days that a question names: the same fact of another year is no answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from rag.dates import find_times
from rag.interfaces import Reading
from rag.limits import BEFORE_TIME
from rag.periods import Days
from rag.schema import Evidence, Hit, TimeExpression

# What happened is printed some days later, without a word on when it was.
_PRINTED_WITHIN: Final = 4
# A grammar leaves seasons open, since they begin on different days; their year is certain.
_SEASON_OF: Final = re.compile(
    r"(?:\b(?:(?P<since>desde|a partir de|since|depuis|seit|dal|dalla)"
    r"|(?P<until>antes|hasta|before|until|avant|jusqu\w+|vor|bis|prima|fino))\b[^.;:?!]{0,8}?)?"
    r"\b(?:en|el|la|del|dell|al|in|of|the|no|na|do|da|em|au|im|dem|nel|nell|l|d)[ '’]"
    r"(?:verano|otoño|(?P<cold>invierno|winters?|hiver|inverno|navidad(?:es)?|christmas|noël)|primavera|summer|autumn"
    r"|fall|spring|été|automne|printemps|verão|outono|estate|autunno|sommers?|herbst|frühlings?|frühjahr)"
    r"(?: (?:del?|do|da|of|des jahres|dell['’]anno|del año))? (?P<year>(?:19|20)\d\d)"
    r"(?:[-/–](?P<to>(?:\d\d)?\d\d))?\b",
    re.IGNORECASE,
)


def days_asked(question: str, *, language: str, today: date) -> tuple[Days, ...]:
    """Return the days that a question names by themselves ("en 2023", "desde marzo de 2025"), not "este lunes".

    Of a season its year counts: "en el verano de 2022".

    Args:
        question: What is asked, without what limits where to look.
        language: ISO 639-1.
        today: The day that the question is asked on.
    """
    times = find_times(question, language=language, published=today)
    named = [Days(time.since or date.min, time.until or date.max) for time in times if _is_named(time)]
    return (*named, *map(_of_season, _SEASON_OF.finditer(question)))


def _of_season(found: re.Match[str]) -> Days:
    """Return the year of a season, with the months after it that a winter has, open where it only bounds a period."""
    year = int(found["year"])
    # "1999-00" and "1999-2000" end in the same year.
    last = year + (int(found["to"]) - year) % 100 if found["to"] else year
    until = date(last + 1, 3, 31) if found["cold"] and not found["to"] else date(last, 12, 31)
    return Days(date.min if found["until"] else date(year, 1, 1), date.max if found["since"] else until)


def without_days(question: str, *, language: str, today: date, relative: bool = False) -> str:
    """Return a question without the days that it names by themselves; as it is if nothing else is left.

    Args:
        question: What is asked.
        language: ISO 639-1.
        today: The day that the question is asked on.
        relative: Whether "este lunes" goes as well.
    """
    rest = question
    for time in reversed(find_times(question, language=language, published=today)):
        if relative or _is_named(time):
            before = BEFORE_TIME.search(rest[: time.start])
            rest = rest[: before.start() if before else time.start].rstrip() + rest[time.end :]
    return " ".join(rest.split()) if any(char.isalnum() for char in rest) else question


def printed_then(hits: Sequence[Hit], days: Sequence[Days]) -> list[Hit]:
    """Return the hits whose articles were printed in these days or shortly after."""
    return [hit for hit in hits if hit.article.published and _was_printed(hit.article.published, days)]


def of_these_days(reading: Reading, days: Sequence[Days]) -> Reading:
    """Return a reading in which sentences of other days have score 0; all of it where no days are asked for.

    A sentence is of the days if its article was printed then or shortly after, if its passage names a time that
    overlaps them, or if nobody knows when it was printed. The probability falls with the best sentence's score.
    """
    if not days or not reading.evidence:
        return reading
    hits = {item.hit.passage.id: item.hit for item in reading.evidence}
    fits = {passage_id: _is_of(hit, days) for passage_id, hit in hits.items()}
    return _kept(reading, lambda item: fits[item.hit.passage.id])


def of_no_other_days(reading: Reading, days: Sequence[Days]) -> Reading:
    """Return a reading in which sentences that name other days by themselves, and none of these, have score 0.

    The probability falls with the best sentence's score.
    """
    return _kept(reading, lambda item: not _names_others(item, days))


def _names_others(item: Evidence, days: Sequence[Days]) -> bool:
    article = item.hit.article
    told = find_times(item.sentence.text, language=item.hit.passage.language, published=article.published)
    named = [time for time in told if _is_named(time)]
    return bool(named) and not any(_overlap(time, each) for time in told for each in days)


def _kept(reading: Reading, wanted: Callable[[Evidence], bool]) -> Reading:
    if not reading.evidence:
        return reading
    kept = reading.with_only(wanted)
    best = reading.evidence[0].score
    share = kept.evidence[0].score / best if best > 0 else 1.0
    return Reading(kept.evidence, probability=reading.probability * share)


def _is_of(hit: Hit, days: Sequence[Days]) -> bool:
    published, passage = hit.article.published, hit.passage
    if published is None or _was_printed(published, days):
        return True
    told = find_times(passage.embedded_text, language=passage.language, published=published)
    return any(_overlap(time, each) for time in told for each in days)


def _is_named(time: TimeExpression) -> bool:
    return time.is_resolved and not time.relative


def _was_printed(published: date, days: Sequence[Days]) -> bool:
    return any(each.since <= published and (published - each.until).days <= _PRINTED_WITHIN for each in days)


def _overlap(time: TimeExpression, days: Days) -> bool:
    return time.is_resolved and (time.since or date.min) <= days.until and days.since <= (time.until or date.max)
