"""What was reported, where a question asks for that and not for one fact: "¿Qué pasó en junio de 2024?"."""

from __future__ import annotations

from dataclasses import replace

from rag import followups, reported
from rag.asked_days import of_these_days, without_days
from rag.interfaces import Filters, Reading
from rag.parts import Parts
from rag.question import Understood
from rag.schema import Consultation

# How sure it is that passages with all the words of a subject tell of it: as what is just answered by default.
_TOLD = 0.6

_NEWEST = {
    "es": "El archivo tiene {count} artículos así: los más nuevos van primero.",
    "en": "The archive has {count} such articles: the newest come first.",
}


def asks_for_nothing_else(understood: Understood) -> bool:
    """Whether a question asks for all that was reported, within its limits and days: it names no subject."""
    subject = _subject(understood)
    return subject is not None and not subject


def with_what_was_reported(consultation: Consultation, *, understood: Understood, parts: Parts) -> Consultation:
    """Return what tells of a subject by all its words, if nothing else answers; without one, what is newest.

    Without a subject something has to limit the question, or it asks for news by that name: else it stays as it is.
    """
    subject = _subject(understood)
    if subject is None:
        return consultation
    is_answered = consultation.probability >= parts.floor
    if subject:
        if is_answered:
            return consultation
        within = of_these_days(Reading(consultation.evidence, 1.0), understood.days).evidence
        told = reported.told_of([item for item in within if item.score > 0], subject)
        return replace(consultation, evidence=told, probability=_TOLD) if told else consultation
    question = understood.versions[0].text
    asks_for_news = reported.asks_for_news(question)
    if understood.ask.history and is_answered and (not asks_for_news or reported.asks_for_more(question)):
        # In a conversation "what happened in 2023" goes on with its subject, if anything was found on that; so does
        # "is there more news?".
        return consultation
    if understood.filters == Filters() and not asks_for_news:
        return consultation
    ids, count = parts.newest(understood.filters)
    held = parts.load_passages(ids)
    told = reported.openings([held[id_] for id_ in ids if id_ in held])
    if not told:
        return consultation
    newest = _NEWEST.get(understood.language, _NEWEST["en"])
    return replace(
        consultation,
        hits=tuple(item.hit for item in told),
        evidence=told,
        probability=1.0,
        notices=(*consultation.notices, *([newest.format(count=count)] if count > 1 else [])),
    )


def _subject(understood: Understood) -> frozenset[str] | None:
    """Return what a question is about that asks what was reported; empty if that is all, None of another question.

    Days that are no limit, and a question that goes on ("¿Y qué dice El Faro?"), leave open what is meant.
    """
    question = understood.asked
    rest = without_days(question, language=understood.language, today=understood.today, relative=True)
    subject = reported.subject(rest) - followups.MOVES
    if subject:
        return subject if reported.asks_what_was_reported(rest, language=understood.language) else None
    names_outlet = any(limit.outlets for limit in understood.limits)
    is_asked = reported.asks_for_all(rest, names_outlet=names_outlet)
    goes_on = reported.subject(rest) or (understood.ask.history and followups.goes_on(question))
    return subject if is_asked and rest == question and not goes_on else None
