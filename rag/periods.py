"""Stretches of days on the calendar: weeks, months, parts of them, and those around a given day. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

# Months of a unit, counted from a January.
MONTHS_OF = {"month": 1, "quarter": 3, "half": 6, "year": 12, "decade": 120, "century": 1200}
DAYS_OF = {"day": 1, "week": 7, "weekend": 7, "fortnight": 14}
_THIRD_OF_MONTH = {"early": (1, 10), "mid": (11, 20), "late": (21, 31)}
_THIRD_OF_YEAR = {"early": 1, "mid": 5, "late": 9}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both included; None is an open end."""

    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True, order=True)
class Days:
    """A period with two ends, so that periods can be put in order."""

    since: date
    until: date

    @property
    def period(self) -> Period:
        """The same as a `Period`."""
        return Period(self.since, self.until)


def one_day(day: date) -> Days:
    """Return the day as a period."""
    return Days(day, day)


def days_after(day: date, count: int) -> date:
    """Return the day that is `count` days later, earlier if it is negative.

    Raises:
        OverflowError: It leaves the calendar.
    """
    return day + timedelta(days=count)


def months_after(day: date, count: int) -> date:
    """Return the same day of a later month, or that month's last day where it has none such.

    Raises:
        ValueError: It leaves the calendar.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, _length(year, month + 1)))


def months(year: int, month: int, *, count: int = 1) -> Days:
    """Return `count` whole months, the first of which is given.

    Raises:
        ValueError: They leave the calendar.
    """
    first = date(year, month, 1)
    last = months_after(first, count - 1)
    return Days(first, last.replace(day=_length(last.year, last.month)))


def part_of_month(year: int, month: int, part: str) -> Days:
    """Return the first ten days of a month, the next ten, or the rest."""
    first, last = _THIRD_OF_MONTH[part]
    return Days(date(year, month, first), date(year, month, min(last, _length(year, month))))


def part_of_year(year: int, part: str) -> Days:
    """Return the first four months of a year, the next four, or the last four."""
    return months(year, _THIRD_OF_YEAR[part], count=4)


def part_of(period: Days, unit: str, part: str) -> Days | None:
    """Return the early, mid or late part of a month or year; None of another unit."""
    if unit == "month":
        return part_of_month(period.since.year, period.since.month, part)
    return part_of_year(period.since.year, part) if unit == "year" else None


def around(day: date, unit: str, *, move: int = 0) -> Days:
    """Return the week (Monday to Sunday), weekend, month, quarter, half, year, decade or century that has a day in it.

    Args:
        day: For a weekend any day of its week.
        unit: A key of `MONTHS_OF` or `DAYS_OF`.
        move: By how many units it lies later, or earlier if negative.

    Raises:
        ValueError: It leaves the calendar.
        OverflowError: It leaves the calendar.
    """
    if unit in DAYS_OF:
        moved = days_after(day, move * DAYS_OF[unit])
        monday = days_after(moved, -moved.weekday())
        if unit == "weekend":
            return Days(days_after(monday, 5), days_after(monday, 6))
        return one_day(moved) if unit == "day" else Days(monday, days_after(monday, 6))
    size = MONTHS_OF[unit]
    # Centuries begin with the year 1, decades with the year 0.
    shift = 12 if unit == "century" else 0
    index = (day.year * 12 + day.month - 1 - shift) // size + move
    year, month = divmod(index * size + shift, 12)
    return months(year, month + 1, count=size)


def weekday_before(day: date, weekday: int) -> date:
    """Return the last such weekday before a day (0 is Monday), never the day itself."""
    return days_after(day, -((day.weekday() - weekday - 1) % 7 + 1))


def weekday_after(day: date, weekday: int) -> date:
    """Return the first such weekday after a day (0 is Monday), never the day itself."""
    return days_after(day, (weekday - day.weekday() - 1) % 7 + 1)


def yearly(month: int, day: int | None, *, near: date, part: str | None = None) -> list[Days]:
    """Return a day, a month or part of a month in the years around a date, in order."""
    found = []
    for year in range(max(near.year - 9, 1), min(near.year + 10, 9999)):
        if day is None:
            found.append(part_of_month(year, month, part) if part else months(year, month))
        elif day <= _length(year, month):
            found.append(one_day(date(year, month, day)))
    return found


def last_begun(choices: Iterable[Days], day: date) -> Days | None:
    """Return the latest of the periods that begins on a day or before it."""
    return max((each for each in choices if each.since <= day), default=None)


def first_to_end(choices: Iterable[Days], day: date) -> Days | None:
    """Return the earliest of the periods that ends on a day or after it."""
    return min((each for each in choices if each.until >= day), default=None)


def distance(period: Days, day: date) -> int:
    """Return how many days lie between a period and a day, 0 if it is within."""
    return max((period.since - day).days, (day - period.until).days, 0)


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
