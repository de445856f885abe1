"""From a question to what the archive holds on it: understand, retrieve, read. Plain functions; the chain runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np

from rag import followups, reported
from rag.asked_days import days_asked, of_no_other_days, of_these_days, printed_then, without_days
from rag.asking import what_is_asked
from rag.companions import Shelf, accompanied, uncrowded, with_copies
from rag.config import RetrievalSettings
from rag.interfaces import Embedder, Filters, Reader, Reading, Vector, VectorSearch, WordIndex
from rag.language import detect_language
from rag.limits import filters_of, not_given, read_limits, without_limits
from rag.periods import Days
from rag.readable import readable
from rag.retrieval import LoadCandidates, LoadPassages, retrieve
from rag.schema import Ask, Consultation, Hit, Limit, Turn
from rag.spelling import in_small_letters

MAX_QUESTION_CHARACTERS = 2000
"""Of a longer question the rest is not read: the embedding model would not see it either."""

# How sure it is that passages with all the words of a subject tell of it: as what is just answered by default.
_TOLD = 0.6

_NOTICES = {
    "es": {
        "long": "La pregunta tiene {length} caracteres: solo se han leído los primeros {most}.",
        "wordless": "La pregunta no contiene ninguna palabra ni ningún número.",
        "widened": "Ningún artículo cumple «{words}»: se ha buscado sin ese límite.",
        "newest": "El archivo tiene {count} artículos así: los más nuevos van primero.",
        "untrained": "El lector entrenado no se puede usar: ha leído el otro (`hemeroteca doctor` dice por qué).",
    },
    "en": {
        "long": "The question has {length} characters: only the first {most} were read.",
        "wordless": "The question has neither a word nor a number.",
        "widened": "No article fits “{words}”: the search went on without that limit.",
        "newest": "The archive has {count} such articles: the newest come first.",
        "untrained": "The trained reader cannot be used: the other one read (`hemeroteca doctor` says why).",
    },
}

Question = str | Mapping[str, Any] | Ask
"""A question as a caller of the chain may put it; a mapping has the fields of `Ask`, dates also as ISO text."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the steps work with.

    `languages` returns the archive's languages, the most frequent first, `outlets` its outlets; `newest` the first
    passages of the newest articles within filters, newest first, and how many articles there are; `spread` is what
    `fuse` takes, `is_fallback` that a trained reader was wanted and `reader` is another one. Below the `floor` of
    probability nothing will be answered.
    """

    embedder: Embedder
    vectors: VectorSearch
    words: WordIndex
    reader: Reader
    load_candidates: LoadCandidates
    load_passages: LoadPassages
    languages: Callable[[], Sequence[str]]
    outlets: Callable[[], Sequence[str]]
    settings: RetrievalSettings
    spread: float | None
    shelf: Shelf
    newest: Callable[[Filters], tuple[Sequence[str], int]]
    is_fallback: bool = False
    floor: float = 0.0


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

    `limits` are those of the filters that the question's own words ask for, `days` those that it names otherwise.
    """

    ask: Ask
    language: str
    versions: tuple[Version, ...]
    filters: Filters
    limits: tuple[Limit, ...] = ()
    days: tuple[Days, ...] = ()
    notices: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of every version of a question, in the order of `understood.versions`."""

    understood: Understood
    hits: tuple[tuple[Hit, ...], ...]
    timings: Mapping[str, float] = field(default_factory=dict)


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
    leans = followups.contexts(ask.history, question=asked)
    contexts = ["", *(each.asked for each in leans), *([whole] if asked != whole else [])]
    texts = [asked, *(f"{each.found_by} {asked}" for each in leans), *([whole] if asked != whole else [])]
    worded = read_limits(ask.question, language=language, today=_today(ask), outlets=parts.outlets())
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
        versions=tuple(versions),
        filters=filters_of(limits, given=_given(ask)),
        limits=limits,
        # Also those that the caller took away say where to look, and not what.
        days=days_asked(without_limits(asked, worded), language=language, today=_today(ask)),
        notices=_notices(ask.question, language, length=length),
        timings={"understand": time.perf_counter() - began},
    )


def _given(ask: Ask) -> Filters:
    return Filters(since=ask.since, until=ask.until, outlets=frozenset(ask.outlets))


def _today(ask: Ask) -> date:
    # The asker's own day, as this machine has it.
    return ask.today or datetime.now().astimezone().date()


def _shortened(question: str) -> str:
    return readable(question.strip()[:MAX_QUESTION_CHARACTERS]).strip()


def _notices(question: str, language: str, *, length: int) -> tuple[str, ...]:
    says = _NOTICES.get(language, _NOTICES["en"])
    notices = []
    if length > MAX_QUESTION_CHARACTERS:
        notices.append(says["long"].format(length=length, most=MAX_QUESTION_CHARACTERS))
    if not _has_words(question):
        notices.append(says["wordless"])
    return tuple(notices)


def _has_words(question: str) -> bool:
    return any(char.isalnum() for char in question)


def search(understood: Understood, *, parts: Parts, k: int, per_article: int) -> list[Hit]:
    """Return the `k` best hits of the bare question, widened as `retrieve_all` does."""
    found = _hits(understood, understood.versions[0], parts=parts, k=k, per_article=per_article)
    while understood.limits and not found:
        understood = _widened(understood)
        found = _hits(understood, understood.versions[0], parts=parts, k=k, per_article=per_article)
    return found


def retrieve_all(understood: Understood, *, parts: Parts) -> Retrieved:
    """Return the hits of every version of the question.

    If its own words limit it to nothing that the archive has, its days are given up, then its outlets, and a notice
    says so; not where nothing else is asked.
    """
    began = time.perf_counter()
    hits = _all_hits(understood, parts=parts)
    while understood.limits and not any(hits) and not _asks_only_what_was_reported(understood):
        understood = _widened(understood)
        hits = _all_hits(understood, parts=parts)
    return Retrieved(
        understood=understood,
        hits=hits,
        timings={**understood.timings, "retrieve": time.perf_counter() - began},
    )


def _all_hits(understood: Understood, *, parts: Parts) -> tuple[tuple[Hit, ...], ...]:
    return tuple(
        tuple(_hits(understood, version, parts=parts, k=parts.settings.passages)) for version in understood.versions
    )


def _widened(understood: Understood) -> Understood:
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


def read(retrieved: Retrieved, *, parts: Parts) -> Consultation:
    """Return the version of the question with the better evidence, read; the bare question wins a tie.

    Where none is good enough to be answered, the bare question it is, unless it gives a sign of going on.
    """
    began = time.perf_counter()
    understood = retrieved.understood
    # What was found lies within the limits: that it also says so in words is not asked.
    question = without_limits(understood.versions[0].text, understood.limits)
    readings: list[Reading] = [
        parts.reader.read(
            question,
            with_copies(hits),
            language=understood.language,
            question_vector=version.read_vector,
            context=version.context,
        )
        for version, hits in zip(understood.versions, retrieved.hits, strict=True)
    ]
    if understood.days:
        readings = [
            _of_days(reading, question, version, hits, understood=understood, parts=parts)
            for reading, version, hits in zip(readings, understood.versions, retrieved.hits, strict=True)
        ]
    if understood.ask.history and followups.is_bare(question):
        readings = [
            followups.unsaid(reading, understood.ask.history) if version.context else replace(reading, probability=0.0)
            for version, reading in zip(understood.versions, readings, strict=True)
        ]
    if not _has_words(understood.ask.question):
        # Signs are near to everything, and answered by nothing.
        readings = [replace(reading, probability=0.0) for reading in readings]
    best = max(range(len(readings)), key=lambda index: (readings[index].probability, -index))
    if readings[best].probability < parts.floor and followups.stands_alone(question):
        # Not answered, and perhaps another subject: what was found on the one before says nothing about this one.
        best = 0
    consultation = Consultation(
        ask=understood.ask,
        question=understood.versions[best].text,
        language=understood.language,
        hits=retrieved.hits[best],
        evidence=readings[best].evidence,
        probability=readings[best].probability,
        notices=(*understood.notices, *_on_reader(understood, parts)),
        limits=understood.limits,
        reader=parts.reader.name,
    )
    return replace(
        _with_what_was_reported(consultation, understood=understood, parts=parts),
        timings={**retrieved.timings, "read": time.perf_counter() - began},
    )


def _reported_subject(understood: Understood) -> frozenset[str] | None:
    """Return what a question is about that asks what was reported; empty if that is all, None of another question.

    Days that are no limit, and a question that goes on ("¿Y qué dice El Faro?"), leave open what is meant.
    """
    question = without_limits(understood.versions[0].text, understood.limits)
    rest = without_days(question, language=understood.language, today=_today(understood.ask), relative=True)
    subject = reported.subject(rest) - followups.MOVES
    if subject:
        return subject if reported.asks_what_was_reported(rest, language=understood.language) else None
    names_outlet = any(limit.outlets for limit in understood.limits)
    is_asked = reported.asks_for_all(rest, names_outlet=names_outlet)
    goes_on = reported.subject(rest) or (understood.ask.history and followups.goes_on(question))
    return subject if is_asked and rest == question and not goes_on else None


def _asks_only_what_was_reported(understood: Understood) -> bool:
    subject = _reported_subject(understood)
    return subject is not None and not subject


def _with_what_was_reported(consultation: Consultation, *, understood: Understood, parts: Parts) -> Consultation:
    """Return what tells of a subject by all its words, if nothing else answers; without one, what is newest.

    Without a subject something has to limit the question, or it asks for news by that name: else it stays as it is.
    """
    subject = _reported_subject(understood)
    if subject is None:
        return consultation
    is_answered = consultation.probability >= parts.floor
    if subject:
        if is_answered:
            return consultation
        within = of_these_days(Reading(consultation.evidence, 1.0), understood.days).evidence
        told = reported.told_of([item for item in within if item.score > 0], subject)
        return replace(consultation, evidence=told, probability=_TOLD) if told else consultation
    if understood.ask.history and is_answered:
        # In a conversation "what happened in 2023" goes on with its subject, if anything was found on that.
        return consultation
    if understood.filters == Filters() and not reported.asks_for_news(understood.versions[0].text):
        return consultation
    ids, count = parts.newest(understood.filters)
    held = parts.load_passages(ids)
    told = reported.openings([held[id_] for id_ in ids if id_ in held])
    if not told:
        return consultation
    says = _NOTICES.get(understood.language, _NOTICES["en"])
    return replace(
        consultation,
        hits=tuple(item.hit for item in told),
        evidence=told,
        probability=1.0,
        notices=(*consultation.notices, *([says["newest"].format(count=count)] if count > 1 else [])),
    )


def _of_days(
    reading: Reading, question: str, version: Version, hits: Sequence[Hit], *, understood: Understood, parts: Parts
) -> Reading:
    """Return a reading of the days asked for; what was printed then need not name them: it is read without them too."""
    kept = of_these_days(reading, understood.days)
    then = printed_then(with_copies(hits), understood.days)
    timeless = without_days(question, language=understood.language, today=_today(understood.ask))
    if not then or timeless == question:
        return kept
    again = parts.reader.read(
        timeless, then, language=understood.language, question_vector=version.read_vector, context=version.context
    )
    return kept.or_better(of_no_other_days(again, understood.days))


def _on_reader(understood: Understood, parts: Parts) -> list[str]:
    return [_NOTICES.get(understood.language, _NOTICES["en"])["untrained"]] if parts.is_fallback else []


def _hits(
    understood: Understood, version: Version, *, parts: Parts, k: int, per_article: int | None = None
) -> list[Hit]:
    """Return the `k` best hits in their company.

    At most `per_article` of an article; if None, as many as the settings say, and more where there is nothing else.
    """
    most = per_article or parts.settings.per_article
    hits = retrieve(
        version.text,
        version.search_vector,
        language=understood.language,
        vectors=parts.vectors,
        words=parts.words,
        load_candidates=parts.load_candidates,
        load_passages=parts.load_passages,
        filters=understood.filters,
        # Some of them will make room for others.
        candidates=max(parts.settings.candidates, 2 * k),
        k=k,
        dense_weight=parts.settings.dense_weight,
        spread=parts.spread,
        choose=partial(uncrowded, shelf=parts.shelf, k=k, per_article=most, fill=per_article is None),
    )
    return accompanied(hits, vector=version.search_vector, filters=understood.filters, shelf=parts.shelf)


def _unit(vector: Vector) -> Vector:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
