"""Which days and outlets a question asks for in its own words: "según EFE", "la semana pasada". Pure.

A limit hides articles, so in doubt there is none: a day has to say when something was reported, or to bound an open
"what happened"; an outlet has to be asked for as a source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from rag.dates import find_times, reading_of
from rag.dates_grammar import folded
from rag.interfaces import Filters
from rag.limit_words import ASKING, Asking
from rag.outlet_names import Mention, find_outlets
from rag.schema import Limit, TimeExpression

# What happened so long ago is history, and told by articles of any day.
_HISTORY_YEARS = 20
# Of a question that begins by naming what is published, so many words are its beginning.
_BEGINNING = 6
# "Since the signing in May": the day is the event's.
_EVENT = re.compile(
    r"\b(?:desde|tras|despues del?|antes del?|since|after|before|depuis|apres|avant|seit|nach|dopo|depois)\b"
)
# What belongs to a time and stands before it.
BEFORE_TIME = re.compile(
    r"\b(?:en|entre|between|durante|el|la|in|on|during|de|del|from|le|em|no|na|nel|im|am|al|a)\s+$", re.IGNORECASE
)


def read_limits(question: str, *, language: str, today: date, outlets: Sequence[str]) -> tuple[Limit, ...]:
    """Return what a question limits itself to, days first; none in a language that nobody knows here.

    Args:
        question: As it was typed.
        language: ISO 639-1.
        today: The day that "yesterday" is seen from.
        outlets: Those of the archive, as spelled there.
    """
    asking = ASKING.get(language)
    if asking is None:
        return ()
    small = folded(question)
    sources = _sources(question, small, outlets=outlets, asking=asking)
    return (
        *_days(question, small, sources, language=language, today=today, asking=asking),
        *_outlets(question, sources),
    )


def filters_of(limits: Sequence[Limit], *, given: Filters) -> Filters:
    """Return the filters of limits that do not go against what was given: that wins, dates and outlets apart."""
    since, until, named = given.since, given.until, given.outlets
    if since is None and until is None:
        since = max((limit.since for limit in limits if limit.since), default=None)
        until = min((limit.until for limit in limits if limit.until), default=None)
    return Filters(
        since=since, until=until, outlets=named or frozenset(name for limit in limits for name in limit.outlets)
    )


def not_given(limits: Sequence[Limit], *, given: Filters) -> tuple[Limit, ...]:
    """Return those of the limits that say what was not given otherwise."""
    has_dates = given.since is not None or given.until is not None
    return tuple(limit for limit in limits if not (given.outlets if limit.outlets else has_dates))


# ---- days


def _days(
    question: str, small: str, sources: Sequence[Mention], *, language: str, today: date, asking: Asking
) -> list[Limit]:
    if re.search(rf"\b(?:{asking.when})\b", small):
        return []
    # "Stories from May" are of May; "from May" by itself would go on to this day.
    text = (
        re.sub(r"(?<=\s)from(?=\s)", "  of", question) if re.search(rf"\b(?:{asking.news}) from\b", small) else question
    )
    times = find_times(text, language=language, published=today, usual_tense=-1)
    small = folded(text)
    fitting = [time for time in times if _is_asked_for(small, time, sources, today=today, asking=asking)]
    # Two days or months apart are no window.
    if (
        len(fitting) != 1
        or (fitting[0].since and fitting[0].since > today)
        or _asks_ahead(question, fitting[0], language, today)
    ):
        return []
    time = fitting[0]
    before = BEFORE_TIME.search(question[: time.start])
    return [Limit(question[before.start() if before else time.start : time.end], since=time.since, until=time.until)]


def _is_asked_for(small: str, time: TimeExpression, sources: Sequence[Mention], *, today: date, asking: Asking) -> bool:
    """Whether an expression says when something was reported, or when what is openly asked for happened."""
    if not time.is_resolved:
        return False
    before, after = small[: time.start], small[time.end :]
    of_news = (
        rf"\b(?:{asking.news})(?: (?!(?:{asking.attached})\b)\w+)?\s+(?:(?:{asking.attached})\s*(?:el |la |the )?)?$"
    )
    if re.search(of_news, before) or re.match(rf"(?:[’']s)?\s(?:{asking.news})\b", after):
        return True
    if any(_follows(mention, small, time, asking) for mention in sources):
        return True
    is_attached = re.search(rf"\b(?:{asking.attached})\s*(?:el |la |o |a )?$", before)
    if is_attached or re.search(asking.attributive, before) or _EVENT.search(before) or after.startswith(("'s", "’s")):
        return False
    if any(mention.is_author for mention in sources):
        return True
    if time.until and time.until.year <= today.year - _HISTORY_YEARS:
        return False
    beginning = " ".join(small.split()[:_BEGINNING])
    asks_for_news = re.search(rf"\b(?:{asking.news}|{asking.published})\b", beginning)
    return bool(asks_for_news or re.search(rf"(?:^|\W)(?:{asking.happened})\b", small))


def _follows(mention: Mention, small: str, time: TimeExpression, asking: Asking) -> bool:
    """Whether a day is said of what a source published: "according to Reuters last week", "articles of EFE of 2024"."""
    if mention.end > time.start:
        return False
    tie = "" if mention.is_author else rf"(?:(?:{asking.attached})\s*)?"
    return bool(re.fullmatch(rf"[\s,]*{tie}", small[mention.end : time.start]))


def _asks_ahead(question: str, time: TimeExpression, language: str, today: date) -> bool:
    """Whether a question is about what is to come: that was reported before."""
    reading = reading_of(language)
    is_open = time.until is None or time.until > today
    return bool(is_open and reading and reading.future and reading.future.search(question.lower()))


# ---- outlets


def _sources(question: str, small: str, *, outlets: Sequence[str], asking: Asking) -> list[Mention]:
    """Return the outlets that are asked for as sources, in order."""
    mentions = find_outlets(question, small, outlets=outlets, asking=asking)
    taken: list[Mention] = []
    # Forwards and backwards: "EFE, AFP y Reuters" are three, whichever is known to be a source.
    for row in (mentions, mentions[::-1]):
        for mention in row:
            joins = bool(taken) and mention.is_sure and any(_are_joined(small, mention, each, asking) for each in taken)
            if mention not in taken and (mention.is_source or joins):
                taken.append(mention)
    return sorted(taken, key=lambda each: each.start)


def _are_joined(small: str, one: Mention, other: Mention, asking: Asking) -> bool:
    first, second = sorted((one, other), key=lambda each: each.start)
    between = small[first.end : second.start]
    return bool(re.fullmatch(rf"\s*,?\s*(?:(?:{asking.joined})\s+)?(?:(?:{asking.article})\s*)?", between))


def _outlets(question: str, sources: Sequence[Mention]) -> list[Limit]:
    if not sources:
        return []
    names = tuple(dict.fromkeys(name for mention in sources for name in mention.outlets))
    return [Limit(question[sources[0].words_start : sources[-1].end], outlets=names)]


def without_limits(question: str, limits: Sequence[Limit]) -> str:
    """Return a question without the words that say where to look, not what for; as it is if no others are left."""
    rest = question
    for limit in limits:
        # A question in capitals is read in small letters.
        rest = re.sub(re.escape(limit.words), " ", rest, flags=re.IGNORECASE)
    return " ".join(rest.split()) if limits and any(char.isalnum() for char in rest) else question
