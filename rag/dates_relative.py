"""Which days an expression means that is seen from the day of publication: one small function for each rule. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from rag.dates_absolute import (
    date_of,
    day_of_month,
    first_months_of_year,
    half_of_month,
    month_of,
    months_of,
    part_of_year_by_number,
    span,
    weekday_of_month,
)
from rag.dates_grammar import Values
from rag.periods import (
    Days,
    around,
    days_after,
    distance,
    first_to_end,
    last_begun,
    months_after,
    one_day,
    part_of,
    weekday_after,
    weekday_before,
    yearly,
)

# A day or month without a year, and no verb that tells: it must be so near.
_NEAR_DAYS = 120
# Days into a week in which "this weekend" may still be the one before.
_AFTER_WEEKEND = 3

Relative = Callable[[Values, date, int | None], Days | None]
"""Takes what the words say, the day of publication, and the tense: -1 past, 1 future, None where no verb tells."""


def _date_near(said: Values, day: date, tense: int | None) -> Days | None:
    if said.month is None or said.day is None:
        return None
    year = _year_of(said, day)
    if year is not None:
        return date_of(replace(said, year=year))
    choices = yearly(said.month, said.day, near=day)
    if said.weekday is not None:
        fitting = [each for each in choices if each.since.weekday() == said.weekday]
        nearest = min(fitting, key=lambda each: distance(each, day), default=None)
        return nearest if nearest and distance(nearest, day) < 366 else None
    return _chosen(choices, day, which=said.which, tense=tense)


def _days_near(said: Values, day: date, tense: int | None) -> Days | None:
    first = _date_near(said, day, tense)
    last = _date_near(replace(said, day=said.last_day), day, tense)
    if first and last and first.since.year != last.since.year:
        # Seen from a day between the two.
        last = Days(*(end.replace(year=first.since.year) for end in (last.since, last.until)))
    return span(first, last)


def _month_near(said: Values, day: date, tense: int | None) -> Days | None:
    if said.month is None:
        return None
    year = _year_of(said, day)
    if year is not None:
        return month_of(replace(said, year=year))
    if said.which == 0:
        return month_of(replace(said, year=day.year))
    return _chosen(yearly(said.month, None, near=day, part=said.part), day, which=said.which, tense=tense)


def _months_near(said: Values, day: date, tense: int | None) -> Days | None:
    year = _year_of(said, day)
    if year is None:
        last = _month_near(replace(said, month=said.last_month), day, tense)
        year = last.since.year if last else None
    return months_of(replace(said, year=year))


def _fortnight_near(said: Values, day: date, tense: int | None) -> Days | None:
    whole = _month_near(replace(said, part=None), day, tense)
    return half_of_month(whole, said.ordinal) if whole else None


def _nth_weekday_near(said: Values, day: date, tense: int | None) -> Days | None:
    whole = _month_near(said, day, tense)
    return weekday_of_month(whole, said) if whole else None


def _nth_day_near(said: Values, day: date, tense: int | None) -> Days | None:
    whole = _month_near(said, day, tense)
    return day_of_month(whole, said) if whole else None


def _week_near(said: Values, day: date, tense: int | None) -> Days | None:
    near = _date_near(said, day, tense)
    return around(near.since, "week") if near else None


def _weekday(said: Values, day: date, tense: int | None) -> Days | None:
    if said.weekday is None:
        return None
    if said.which is not None and said.which != 0:
        return one_day((weekday_before if said.which < 0 else weekday_after)(day, said.weekday))
    if day.weekday() == said.weekday and (said.which == 0 or tense == -1):
        return one_day(day)
    if tense is None:
        return None
    return one_day((weekday_before if tense < 0 else weekday_after)(day, said.weekday))


def _english_weekday(said: Values, day: date, tense: int | None) -> Days | None:
    # "The court will rule on Monday", printed on a Monday, is today's agency or next week.
    is_open = said.which is None and tense == 1 and day.weekday() == said.weekday
    return None if is_open else _weekday(said, day, tense)


def _weekday_of_week(said: Values, day: date, _: int | None) -> Days | None:
    if said.weekday is None or said.unit_which is None:
        return None
    monday = around(day, "week", move=said.unit_which).since
    return one_day(days_after(monday, said.weekday))


def _weekday_day(said: Values, day: date, tense: int | None) -> Days | None:
    near = [days_after(day, count) for count in range(-62, 63)]
    choices = [one_day(each) for each in near if (each.day, each.weekday()) == (said.day, said.weekday)]
    nearest = min(choices, key=lambda each: distance(each, day), default=None)
    if nearest is None or distance(nearest, day) > 31:
        return None
    return _chosen(choices, day, which=said.which, tense=tense) if said.which else nearest


def _month_day(said: Values, day: date, tense: int | None) -> Days | None:
    if said.day is None:
        return None
    if said.unit_which is not None:
        return one_day(around(day, "month", move=said.unit_which).since.replace(day=said.day))
    near = [days_after(day, count) for count in range(-62, 63)]
    choices = [one_day(each) for each in near if each.day == said.day]
    if said.which in (None, 0) and tense is None:
        return None
    return _chosen(choices, day, which=said.which, tense=tense)


def _offset(said: Values, day: date, _: int | None) -> Days | None:
    if said.offset is None:
        return None
    meant = days_after(day, said.offset)
    return one_day(meant) if said.weekday in (None, meant.weekday()) else None


def _ago(said: Values, day: date, _: int | None) -> Days | None:
    return _counted(said, day, -1)


def _day_ago(said: Values, day: date, _: int | None) -> Days | None:
    return one_day(_moved(day, said.unit, -said.number)) if said.unit and said.number else None


def _hence(said: Values, day: date, _: int | None) -> Days | None:
    return _counted(said, day, 1)


def _hence_if_future(said: Values, day: date, tense: int | None) -> Days | None:
    return _counted(said, day, 1) if tense == 1 else None


def _counted(said: Values, day: date, direction: int) -> Days | None:
    if said.number is None or said.unit is None or said.unit == "decade":
        # "A decade ago" is no year in particular.
        return None
    return around(day, said.unit, move=direction * said.number)


def _unit(said: Values, day: date, tense: int | None) -> Days | None:
    if said.unit is None or said.which is None:
        return None
    move = said.which
    if said.unit == "weekend":
        this = around(day, "weekend")
        if move == 0 and tense == -1 and day.weekday() < _AFTER_WEEKEND:
            move = -1
        elif move == 1 and day < this.since:
            # The next to come, not that of the next week.
            move = 0
    return around(day, said.unit, move=move)


def _weekend(said: Values, day: date, tense: int | None) -> Days | None:
    this = around(day, "weekend")
    if this.since <= day and tense is not None:
        return this
    if tense is None:
        return None
    return around(day, "weekend", move=-1) if tense < 0 else this


def _window(said: Values, day: date, _: int | None) -> Days | None:
    if said.unit is None:
        return None
    return Days(_moved(day, said.unit, -(said.number or 1)), day)


def _coming_window(said: Values, day: date, _: int | None) -> Days | None:
    if said.unit is None or said.number is None:
        return None
    return Days(day, _moved(day, said.unit, said.number))


def _moved(day: date, unit: str, count: int) -> date:
    if unit in ("day", "week"):
        return days_after(day, count * (7 if unit == "week" else 1))
    return months_after(day, count * {"month": 1, "quarter": 3, "half": 6, "year": 12, "decade": 120}[unit])


def _so_far(said: Values, day: date, _: int | None) -> Days | None:
    return Days(around(day, said.unit).since, day) if said.unit else None


def _rest(said: Values, day: date, _: int | None) -> Days | None:
    return Days(day, around(day, said.unit).until) if said.unit else None


def _unit_end(said: Values, day: date, _: int | None) -> Days | None:
    return Days(day, around(day, said.unit).until) if said.unit else None


def _part_of_unit(said: Values, day: date, tense: int | None) -> Days | None:
    if said.unit not in ("month", "year") or said.part is None:
        return None
    if said.which is not None:
        return part_of(around(day, said.unit, move=said.which), said.unit, said.part)
    parts = [part_of(around(day, said.unit, move=move), said.unit, said.part) for move in (-1, 0, 1)]
    return _chosen([each for each in parts if each], day, which=None, tense=tense)


def _quarter_near(said: Values, day: date, tense: int | None) -> Days | None:
    if said.year_which is not None:
        return part_of_year_by_number(said, day.year + said.year_which)
    choices = [part_of_year_by_number(said, day.year + move) for move in (-1, 0, 1)]
    return _chosen([each for each in choices if each], day, which=None, tense=tense)


def _first_months_near(said: Values, day: date, _: int | None) -> Days | None:
    return first_months_of_year(said, day.year + (said.year_which or 0))


# ---- parts of these


def _chosen(choices: list[Days], day: date, *, which: int | None, tense: int | None) -> Days | None:
    """Return which of several like periods is meant: the last, the next, or the nearest if that is beyond doubt."""
    if which == -1:
        return last_begun([each for each in choices if each.until < day], day)
    if which == 1:
        return first_to_end([each for each in choices if each.since > day], day)
    if tense is not None:
        return last_begun(choices, day) if tense < 0 else first_to_end(choices, day)
    nearest = min(choices, key=lambda each: distance(each, day), default=None)
    return nearest if nearest and distance(nearest, day) <= _NEAR_DAYS else None


def _year_of(said: Values, day: date) -> int | None:
    return None if said.year_which is None else day.year + said.year_which


def _of_unit(resolve: Relative, unit: str) -> Relative:
    """Return a rule whose words name the unit only as a whole."""
    return lambda said, day, tense: resolve(replace(said, unit=unit), day, tense)


RELATIVE: Mapping[str, Relative] = {
    "date": _date_near,
    "days": _days_near,
    "two_days": lambda said, day, tense: _days_near(said, day, tense) if said.last_day == (said.day or 0) + 1 else None,
    "month": _month_near,
    "months": _months_near,
    "fortnight": _fortnight_near,
    "week_of": _week_near,
    "nth_day": _nth_day_near,
    "nth_weekday": _nth_weekday_near,
    "weekday": _weekday,
    "english_weekday": _english_weekday,
    "weekday_of_week": _weekday_of_week,
    "weekday_day": _weekday_day,
    "month_day": _month_day,
    "offset": _offset,
    "ago": _ago,
    "day_ago": _day_ago,
    "hence": _hence,
    "hence_if_future": _hence_if_future,
    "unit": _unit,
    "weekend": _weekend,
    "window": _window,
    "coming_window": _coming_window,
    "so_far": _so_far,
    "rest": _rest,
    "unit_end": _unit_end,
    "part_of_unit": _part_of_unit,
    "quarter": _quarter_near,
    "quarter_code": lambda said, day, tense: _quarter_near(replace(said, unit="quarter"), day, tense),
    "first_months": _first_months_near,
    **{f"this {unit}": _of_unit(_unit, unit) for unit in ("week", "month", "year")},
    **{f"ago {unit}": _of_unit(_ago, unit) for unit in ("day", "week", "month", "year")},
    **{f"hence_if_future {unit}": _of_unit(_hence_if_future, unit) for unit in ("day", "week", "month", "year")},
}
"""By the name of the rule."""
