"""Days, and what a question limits itself to, in few words (pure)."""

from __future__ import annotations

import calendar
from datetime import date

from rag.schema import Citation, Limit
from ui.texts import Texts

_SHORT = 3


def short_date(day: date, texts: Texts) -> str:
    """Return a date with its month shortened: "19 jun 2024"."""
    return f"{day.day} {texts.months[day.month - 1][:_SHORT]} {day.year}"


def period_text(since: date | None, until: date | None, texts: Texts) -> str:
    """Return days from one to another, both included, as briefly as they can be said; at most one end is open."""
    if since is None or until is None:
        if since is not None:
            return texts.from_day.format(day=short_date(since, texts))
        return texts.until_day.format(day=short_date(until, texts)) if until else ""
    if since == until:
        return short_date(since, texts)
    if _are_whole_months(since, until):
        if (since.month, until.month) == (1, 12):
            return str(since.year) if since.year == until.year else f"{since.year}\u2013{until.year}"
        if (since.year, since.month) == (until.year, until.month):
            return f"{texts.months[since.month - 1]} {since.year}"
    if (since.year, since.month) == (until.year, until.month):
        return f"{since.day}\u2013{short_date(until, texts)}"
    return f"{short_date(since, texts)} \u2013 {short_date(until, texts)}"


def limit_text(limit: Limit, texts: Texts) -> str:
    """Return what a limit keeps to, its days or its outlets, without the words that it comes from."""
    return ", ".join(limit.outlets) or period_text(limit.since, limit.until, texts)


def quoted_times(citation: Citation, texts: Texts) -> list[str]:
    """Return a line for each expression of a quotation that publication gives a date: "este miércoles: 19 jun 2024"."""
    return [
        f"{' '.join(citation.article.text[time.start : time.end].split())}: "
        + period_text(time.since, time.until, texts)
        for time in citation.times
    ]


def _are_whole_months(since: date, until: date) -> bool:
    return since.day == 1 and until.day == calendar.monthrange(until.year, until.month)[1]
