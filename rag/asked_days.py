"""Whether what was found speaks of the days that a question names: the same fact of another year is no answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from rag.dates import find_times
from rag.interfaces import Reading
from rag.schema import Evidence, TimeExpression

# What happened is printed some days later, without a word on when it was.
_PRINTED_WITHIN: Final = timedelta(days=4)


def days_asked(question: str, *, language: str, today: date) -> tuple[TimeExpression, ...]:
    """Return the days that a question names by themselves ("en 2023", "el 3 de marzo de 2025"), not "este lunes".

    Args:
        question: What is asked, without what limits where to look.
        language: ISO 639-1.
        today: The day that the question is asked on.
    """
    times = find_times(question, language=language, published=today)
    return tuple(time for time in times if time.since and time.until and not time.relative)


def of_these_days(reading: Reading, days: Sequence[TimeExpression]) -> Reading:
    """Return a reading in which sentences of other days have score 0; all of it where no days are asked for.

    A sentence is of the days if its article was printed then or shortly after, if its passage names a time that
    overlaps them, or if nobody knows when it was printed. The probability falls with the best sentence's score.
    """
    if not days or not reading.evidence:
        return reading
    fits: dict[str, bool] = {}
    for item in reading.evidence:
        if item.hit.passage.id not in fits:
            fits[item.hit.passage.id] = _is_of(item, days)
    best = reading.evidence[0].score
    kept = [item if fits[item.hit.passage.id] else replace(item, score=0.0) for item in reading.evidence]
    kept.sort(key=lambda item: -item.score)
    share = kept[0].score / best if best > 0 else 1.0
    return Reading(evidence=tuple(kept), probability=reading.probability * share)


def _is_of(item: Evidence, days: Sequence[TimeExpression]) -> bool:
    article, passage = item.hit.article, item.hit.passage
    if article.published is None:
        return True
    spans = [(each.since, each.until + _PRINTED_WITHIN) for each in days if each.since and each.until]
    if any(since <= article.published <= until for since, until in spans):
        return True
    told = find_times(passage.embedded_text, language=passage.language, published=article.published)
    return any(_overlap(time, each) for time in told for each in days)


def _overlap(one: TimeExpression, other: TimeExpression) -> bool:
    return (
        one.is_resolved
        and (one.since or date.min) <= (other.until or date.max)
        and (other.since or date.min) <= (one.until or date.max)
    )
