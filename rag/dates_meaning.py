"""Which days an expression means, with or without a day to see it from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rag.dates_absolute import ABSOLUTE
from rag.dates_grammar import Found
from rag.dates_relative import RELATIVE
from rag.periods import Period


@dataclass(frozen=True, slots=True)
class Reference:
    """From where an expression is seen: the day of publication, and whether its verb is past (-1) or future (1)."""

    published: date | None = None
    tense: int | None = None


def meaning(found: Found, reference: Reference) -> Period | None:
    """Return the days that an expression means; None if its words and the reference do not tell."""
    absolute, relative = ABSOLUTE.get(found.kind), RELATIVE.get(found.kind)
    try:
        days = absolute(found.values) if absolute else None
        if days is None and relative and reference.published:
            days = relative(found.values, reference.published, reference.tense)
    except (ValueError, OverflowError):
        # No such day, or none that the calendar has.
        return None
    return days.period if days else None
