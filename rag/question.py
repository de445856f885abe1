"""A question as the archive takes it: its language, what limits it, and the ways to search it and read on it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from rag import followups
from rag.asked_days import days_asked
from rag.asking import what_is_asked
from rag.interfaces import Filters, Vector
from rag.language import detect_language
from rag.limits import filters_of, not_given, read_limits, without_limits
from rag.parts import Parts
from rag.periods import Days
from rag.readable import readable
from rag.schema import Ask, Limit, Turn
from rag.spelling import in_small_letters

MAX_QUESTION_CHARACTERS = 2000
"""Of a longer question the rest is not read: the embedding model would not see it either."""

_NOTICES = {
    "es": {
        "long": "La pregunta tiene {length} caracteres: solo se han leído los primeros {most}.",
        "wordless": "La pregunta no contiene ninguna palabra ni ningún número.",
        "widened": "Ningún artículo cumple «{words}»: se ha buscado sin ese límite.",
    },
    "en": {
        "long": "The question has {length} characters: only the first {most} were read.",
        "wordless": "The question has neither a word nor a number.",
        "widened": "No article fits “{words}”: the search went on without that limit.",
    },
}

Question = str | Mapping[str, Any] | Ask
"""A question as a caller of the chain may put it; a mapping has the fields of `Ask`, dates also as ISO text."""


@dataclass(frozen=True, slots=True)
class Version:
    """One way to take a question: the words that are searched, and the vectors that are searched and read with.

    `context` is the earlier question, or the rest of a long one, that this version goes on with; "" for what is asked.
    """

    text: str
    context: str
    search_vector: Vector
    read_vector: Vector


@dataclass(frozen=True, slots=True)
class Understood:
    """A question with its language, its filters, and the ways to take it, the bare question first.

    `limits` are those of the filters that the question's own words ask for, `days` those that it names otherwise;
    `today` is the asker's day.
    """

    ask: Ask
    language: str
    today: date
    versions: tuple[Version, ...]
    filters: Filters
    limits: tuple[Limit, ...] = ()
    days: tuple[Days, ...] = ()
    notices: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """What is asked now, without the words that limit where to look: what was found lies within the limits."""
        return without_limits(self.versions[0].text, self.limits)


def to_ask(question: Question) -> Ask:
    """Return the question as an `Ask`.

    Raises:
        ValueError: A mapping has no "question", an unknown key, a date that is not ISO 8601, or limits that are none.
    """
    if isinstance(question, Ask):
        return question
    if isinstance(question, str):
        return Ask(question)
    unknown = set(question) - set(Ask.__dataclass_fields__)
    if unknown or not isinstance(question.get("question"), str):
        raise ValueError(
            f"question has the keys {sorted(map(str, question))}: it needs 'question' (text), and may have "
            "'history', 'since', 'until', 'outlets', 'limits' and 'today'"
        )
    history = question.get("history") or ()
    return Ask(
        question=question["question"],
        history=tuple(turn if isinstance(turn, Turn) else Turn(*turn) for turn in history),
        since=_to_date(question.get("since")),
        until=_to_date(question.get("until")),
        outlets=tuple(question.get("outlets") or ()),
        limits=_to_limits(question.get("limits")),
        today=_to_date(question.get("today")),
    )


def _to_limits(limits: Sequence[Limit | Mapping[str, Any]] | None) -> tuple[Limit, ...] | None:
    return None if limits is None else tuple(_to_limit(limit) for limit in limits)


def _to_limit(limit: Limit | Mapping[str, Any]) -> Limit:
    if isinstance(limit, Limit):
        return limit
    try:
        return Limit(
            words=limit["words"],
            since=_to_date(limit.get("since")),
            until=_to_date(limit.get("until")),
            outlets=tuple(limit.get("outlets") or ()),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"{limit!r} is no limit: give those of an answer, or an empty list for none") from exc


def _to_date(value: date | str | None) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as exc:
        raise ValueError(f"{value!r} is not a date: write it as 2024-06-19") from exc


def understand(ask: Ask, *, parts: Parts) -> Understood:
    """Return the question with its language, and versions of it: with the conversation's subject, and a long one whole.

    What cannot be seen is taken out of the question and of the history, and of a question over
    `MAX_QUESTION_CHARACTERS` the rest is left out, which a notice says. What its own words limit it to becomes filters;
    dates and outlets that the caller gives win over them.

    Raises:
        ValueError: The question is empty, or `since` is after `until`.
    """
    began = time.perf_counter()
    if not ask.question.strip():
        raise ValueError("the question is empty: ask something")
    length = len(ask.question.strip())
    ask = replace(
        ask,
        question=_shortened(ask.question),
        history=tuple(Turn(_shortened(turn.question), readable(turn.answer)) for turn in ask.history),
    )
    if ask.since and ask.until and ask.since > ask.until:
        raise ValueError(f"since {ask.since} is after until {ask.until}: exchange them")
    # Models are taught by text in small letters: of a question in capitals they find a tenth less.
    whole = in_small_letters(ask.question)
    language = detect_language(whole, prior=parts.languages())
    asked = what_is_asked(whole, language=language)
    if asked != whole:
        language = detect_language(asked, prior=parts.languages())
    # The asker's own day, as this machine has it.
    today = ask.today or datetime.now().astimezone().date()
    outlets = parts.outlets()
    worded = read_limits(ask.question, language=language, today=today, outlets=outlets)
    history = [
        replace(turn, question=_unlimited(turn.question, worded, language=language, today=today, outlets=outlets))
        for turn in ask.history
    ]
    leans = followups.contexts(history, question=asked)
    contexts = ["", *(each.asked for each in leans), *([whole] if asked != whole else [])]
    texts = [asked, *(f"{each.found_by} {asked}" for each in leans), *([whole] if asked != whole else [])]
    limits = not_given(worded if ask.limits is None else ask.limits, given=_given(ask))
    # What is asked now, without where to look, decides which sentence answers; what was asked before, where to look.
    answered = without_limits(asked, limits)
    every = list(dict.fromkeys([*texts, answered]))
    vectors = dict(zip(every, parts.embedder.embed_questions(every), strict=True))
    versions = [
        Version(text, context, search_vector=vectors[text], read_vector=_unit(vectors[text] + vectors[answered]))
        for text, context in zip(texts, contexts, strict=True)
    ]
    return Understood(
        ask=ask,
        language=language,
        today=today,
        versions=tuple(versions),
        filters=filters_of(limits, given=_given(ask)),
        limits=limits,
        # Also those that the caller took away say where to look, and not what.
        days=days_asked(without_limits(asked, worded), language=language, today=today),
        notices=_notices(ask.question, language, length=length),
        timings={"understand": time.perf_counter() - began},
    )


def widened(understood: Understood) -> Understood:
    """Return the question without the days that its own words limit it to; if there are none, without the outlets."""
    says = _NOTICES.get(understood.language, _NOTICES["en"])
    of_outlets = tuple(limit for limit in understood.limits if limit.outlets)
    kept = of_outlets if len(of_outlets) < len(understood.limits) else ()
    words = ", ".join(limit.words for limit in understood.limits if limit not in kept)
    return replace(
        understood,
        filters=filters_of(kept, given=_given(understood.ask)),
        limits=kept,
        notices=(*understood.notices, says["widened"].format(words=words)),
    )


def _unlimited(earlier: str, limits: Sequence[Limit], *, language: str, today: date, outlets: Sequence[str]) -> str:
    """Return an earlier question without the days, or outlets, that others are asked for instead of now."""
    names_outlets, names_days = (any(bool(limit.outlets) == of for limit in limits) for of in (True, False))
    own = read_limits(earlier, language=language, today=today, outlets=outlets) if limits else ()
    return without_limits(earlier, [limit for limit in own if (names_outlets if limit.outlets else names_days)])


def _given(ask: Ask) -> Filters:
    return Filters(since=ask.since, until=ask.until, outlets=frozenset(ask.outlets))


def _shortened(question: str) -> str:
    return readable(question.strip()[:MAX_QUESTION_CHARACTERS]).strip()


def _notices(question: str, language: str, *, length: int) -> tuple[str, ...]:
    says = _NOTICES.get(language, _NOTICES["en"])
    notices = []
    if length > MAX_QUESTION_CHARACTERS:
        notices.append(says["long"].format(length=length, most=MAX_QUESTION_CHARACTERS))
    if not has_words(question):
        notices.append(says["wordless"])
    return tuple(notices)


def has_words(question: str) -> bool:
    """Whether a question has a word or a number."""
    return any(char.isalnum() for char in question)


def _unit(vector: Vector) -> Vector:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
