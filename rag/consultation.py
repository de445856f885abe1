"""From a question to what the archive holds on it: retrieve and read. Plain functions; the chain runs them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from rag import followups, overview
from rag.asked_days import of_no_other_days, of_these_days, printed_then, without_days
from rag.companions import accompanied, uncrowded, with_copies
from rag.interfaces import Reading
from rag.parts import Parts
from rag.question import Understood, Version, has_words, widened
from rag.retrieval import retrieve
from rag.schema import Consultation, Hit

_UNTRAINED = {
    "es": "El lector entrenado no se puede usar: ha leído el otro (`hemeroteca doctor` dice por qué).",
    "en": "The trained reader cannot be used: the other one read (`hemeroteca doctor` says why).",
}


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of every version of a question, in the order of `understood.versions`."""

    understood: Understood
    hits: tuple[tuple[Hit, ...], ...]
    timings: Mapping[str, float] = field(default_factory=dict)


def search(understood: Understood, *, parts: Parts, k: int, per_article: int) -> list[Hit]:
    """Return the `k` best hits of the bare question, widened as `retrieve_all` does."""
    found = _hits(understood, understood.versions[0], parts=parts, k=k, per_article=per_article)
    while understood.limits and not found:
        understood = widened(understood)
        found = _hits(understood, understood.versions[0], parts=parts, k=k, per_article=per_article)
    return found


def retrieve_all(understood: Understood, *, parts: Parts) -> Retrieved:
    """Return the hits of every version of the question.

    If its own words limit it to nothing that the archive has, its days are given up, then its outlets, and a notice
    says so; not where nothing else is asked.
    """
    began = time.perf_counter()
    hits = _all_hits(understood, parts=parts)
    while understood.limits and not any(hits) and not overview.asks_for_nothing_else(understood):
        understood = widened(understood)
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


def read(retrieved: Retrieved, *, parts: Parts) -> Consultation:
    """Return the version of the question with the better evidence, read; the bare question wins a tie.

    Where none is good enough to be answered, the bare question it is, unless it gives a sign of going on.
    """
    began = time.perf_counter()
    understood = retrieved.understood
    question = understood.asked
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
    if understood.ask.history:
        readings = [
            _going_on(reading, question, version, understood=understood)
            for version, reading in zip(understood.versions, readings, strict=True)
        ]
    if not has_words(understood.ask.question):
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
        overview.with_what_was_reported(consultation, understood=understood, parts=parts),
        timings={**retrieved.timings, "read": time.perf_counter() - began},
    )


def _going_on(reading: Reading, question: str, version: Version, *, understood: Understood) -> Reading:
    """Return a reading as it counts in a conversation.

    Of a question that says hardly anything by itself, "¿Y cuánto costó?", anything is an answer. One that names no
    subject asks for what has not been said, unless it asks whether another outlet says so.
    """
    if not version.context:
        return replace(reading, probability=0.0) if followups.only_goes_on(question) else reading
    if followups.is_bare(question) and not any(limit.outlets for limit in understood.limits):
        return followups.unsaid(reading, understood.ask.history)
    return reading


def _of_days(
    reading: Reading, question: str, version: Version, hits: Sequence[Hit], *, understood: Understood, parts: Parts
) -> Reading:
    """Return a reading of the days asked for; what was printed then need not name them: it is read without them too."""
    kept = of_these_days(reading, understood.days)
    then = printed_then(with_copies(hits), understood.days)
    timeless = without_days(question, language=understood.language, today=understood.today)
    if not then or timeless == question:
        return kept
    again = parts.reader.read(
        timeless, then, language=understood.language, question_vector=version.read_vector, context=version.context
    )
    return kept.or_better(of_no_other_days(again, understood.days))


def _on_reader(understood: Understood, parts: Parts) -> list[str]:
    return [_UNTRAINED.get(understood.language, _UNTRAINED["en"])] if parts.is_fallback else []


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
