"""Which days an expression means that says its year: one small function for each rule. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial

from rag.dates_grammar import Values
from rag.periods import Days, around, days_after, months, one_day, part_of_month, part_of_year


def date_of(said: Values) -> Days | None:
    """Return the day; None if one of day, month and year is not said, or the weekday is another."""
    if said.year is None or said.month is None or said.day is None:
        return None
    day = date(said.year, said.month, said.day)
    return one_day(day) if said.weekday in (None, day.weekday()) else None


def _iso(said: Values) -> Days | None:
    return date_of(replace(said, month=said.first_number, day=said.second_number))


def _numeric(said: Values, *, day_first: bool) -> Days | None:
    first, second = said.first_number or 0, said.second_number or 0
    if day_first or first > 12 or first == second:
        day, month = first, second
    elif second > 12:
        day, month = second, first
    else:
        return None
    year = said.year if said.year is not None else 2000 + (said.short_year or 0)
    return one_day(date(year, month, day))


def days_of(said: Values) -> Days | None:
    """Return the days from the first to the last of one month."""
    if said.year is None:
        return None
    return span(date_of(said), date_of(replace(said, day=said.last_day)))


def _two_days(said: Values) -> Days | None:
    # "The 3rd and 7th" are no period.
    return days_of(said) if said.last_day == (said.day or 0) + 1 else None


def month_of(said: Values) -> Days | None:
    """Return a month of a year, or the early, mid or late part of it."""
    if said.year is None or said.month is None:
        return None
    return part_of_month(said.year, said.month, said.part) if said.part else months(said.year, said.month)


def months_of(said: Values) -> Days | None:
    """Return the months from the first to the last of one year."""
    if said.year is None or said.month is None or said.last_month is None:
        return None
    return span(months(said.year, said.month), months(said.year, said.last_month))


def _fortnight(said: Values) -> Days | None:
    whole = month_of(replace(said, part=None))
    return half_of_month(whole, said.ordinal) if whole else None


def _week_of(said: Values) -> Days | None:
    day = date_of(said)
    return around(day.since, "week") if day else None


def _year(said: Values) -> Days | None:
    if said.year is None:
        return None
    return part_of_year(said.year, said.part) if said.part else months(said.year, 1, count=12)


def _years(said: Values) -> Days | None:
    if said.year is None or said.last_year is None:
        return None
    return span(months(said.year, 1, count=12), months(said.last_year, 1, count=12))


def _decade(said: Values) -> Days | None:
    return around(date(said.decade, 1, 1), "decade") if said.decade else None


def _century(said: Values) -> Days | None:
    return around(date(said.century * 100, 1, 1), "century") if said.century else None


def _quarter(said: Values) -> Days | None:
    return None if said.year is None else part_of_year_by_number(said, said.year)


def _first_months(said: Values) -> Days | None:
    return None if said.year is None else first_months_of_year(said, said.year)


def half_of_month(whole: Days, ordinal: int | None) -> Days | None:
    """Return the first fifteen days of a month, or the others."""
    if ordinal == 1:
        return Days(whole.since, whole.since.replace(day=15))
    return Days(whole.since.replace(day=16), whole.until) if ordinal in (2, -1) else None


def part_of_year_by_number(said: Values, year: int) -> Days | None:
    """Return a quarter or half of a year by its number; -1 is the last."""
    size = {"sixth": 2, "quarter": 3, "third": 4, "half": 6}.get(said.unit or "")
    if size is None or said.ordinal is None:
        return None
    count = 12 // size
    number = count if said.ordinal == -1 else said.ordinal
    return months(year, (number - 1) * size + 1, count=size) if number <= count else None


def weekday_of_month(whole: Days, said: Values) -> Days | None:
    """Return the first, second or last such weekday of a month; None if it has none."""
    if said.weekday is None or said.ordinal is None:
        return None
    if said.ordinal == -1:
        return one_day(days_after(whole.until, -((whole.until.weekday() - said.weekday) % 7)))
    day = days_after(whole.since, (said.weekday - whole.since.weekday()) % 7 + 7 * (said.ordinal - 1))
    return one_day(day) if day <= whole.until else None


def day_of_month(whole: Days, said: Values) -> Days | None:
    """Return the first, second or last day of a month."""
    if said.ordinal is None:
        return None
    return one_day(whole.until if said.ordinal == -1 else whole.since.replace(day=said.ordinal))


def _nth_day(said: Values) -> Days | None:
    whole = month_of(replace(said, part=None))
    return day_of_month(whole, said) if whole else None


def _nth_weekday(said: Values) -> Days | None:
    whole = month_of(replace(said, part=None))
    return weekday_of_month(whole, said) if whole else None


def first_months_of_year(said: Values, year: int) -> Days | None:
    """Return as many months from January on as are said."""
    return months(year, 1, count=said.number) if said.number and said.number <= 12 else None


def span(first: Days | None, last: Days | None) -> Days | None:
    """Return the period from the beginning of one to the end of another; None if that is no period."""
    if first is None or last is None or first.since > last.until:
        return None
    return Days(first.since, last.until)


ABSOLUTE: Mapping[str, Callable[[Values], Days | None]] = {
    "date": date_of,
    "iso": _iso,
    "numeric": partial(_numeric, day_first=False),
    "numeric_day_first": partial(_numeric, day_first=True),
    "days": days_of,
    "two_days": _two_days,
    "month": month_of,
    "months": months_of,
    "fortnight": _fortnight,
    "week_of": _week_of,
    "nth_day": _nth_day,
    "nth_weekday": _nth_weekday,
    "year": _year,
    "attributive_year": _year,
    "years": _years,
    "decade": _decade,
    "century": _century,
    "quarter": _quarter,
    "quarter_code": lambda said: _quarter(replace(said, unit="quarter")),
    "first_months": _first_months,
}
"""By the name of the rule; each gives None, or raises ValueError, where the words do not tell."""
