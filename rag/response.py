"""From what the archive holds to what it says: decline, let a chat model phrase it, or quote the sources."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from rag import cross_reading, reading
from rag.config import AnswerSettings
from rag.dating import dated
from rag.errors import ModelError
from rag.extraction import extract
from rag.generation import DECLINED, generate
from rag.interfaces import ChatModel, TokenCounter
from rag.limits import without_limits
from rag.reading import Asked
from rag.schema import Answer, Consultation, Hit
from rag.terms import coverage, numbers, term_set

# Each reader has a scale of its own.
_FLOORS = {cross_reading.CrossReader.name: cross_reading.MIN_CONFIDENCE}
_REASONS = {
    "es": {
        "answered": "Se apoya en {quotes} de {articles} del archivo.",
        "quotes": ("1 frase", "{n} frases"),
        "articles": ("1 artículo", "{n} artículos"),
        "filtered": "El archivo no tiene ningún artículo dentro de las fechas o medios pedidos.",
        "empty": "El archivo está vacío, o todavía se está preparando: no hay pasajes que buscar.",
        "unread": "Los pasajes que lo mencionan todavía se están preparando: pregunte de nuevo cuando acabe el ingest.",
        "nothing": "El archivo no lo sabe: no tiene nada sobre ese asunto.",
        "wordless": "La pregunta no nombra ningún asunto: escríbala con alguna palabra o un número.",
        "fact": "El archivo no lo sabe: trata el asunto, pero lo más cercano que tiene no responde a la pregunta.",
        "limits": "El archivo no lo sabe: no tiene nada sobre ese asunto dentro de las fechas o medios pedidos.",
        "fact_within": "El archivo no lo sabe: dentro de las fechas o medios pedidos trata el asunto, pero lo más"
        " cercano que tiene no responde a la pregunta.",
        "model_failed": "{error}. Se responde con las frases de los artículos.",
    },
    "en": {
        "answered": "Rests on {quotes} of {articles} in the archive.",
        "quotes": ("1 sentence", "{n} sentences"),
        "articles": ("1 article", "{n} articles"),
        "filtered": "The archive has no article within the dates or outlets asked for.",
        "empty": "The archive is empty, or still being prepared: there are no passages to search.",
        "unread": "The passages that mention it are still being prepared: ask again when the ingest has ended.",
        "nothing": "The archive does not know: it holds nothing on that subject.",
        "wordless": "The question names no subject: ask it with a word or a number.",
        "fact": "The archive does not know: it covers the subject, but its nearest words do not answer the question.",
        "limits": "The archive does not know: it holds nothing on that subject within the dates or outlets asked for.",
        "fact_within": "The archive does not know: within the dates or outlets asked for it covers the subject, but its"
        " nearest words do not answer the question.",
        "model_failed": "{error}. The answer is given in the articles' own sentences.",
    },
}

Why = Literal["nothing", "fact", "limits", "empty", "unread", "wordless"]
"""Nothing on the subject; the subject but not this; nothing within the days or outlets asked for; no passages at all;
none of them ready; the question has no subject."""

# From this likeness a passage is on the subject of the question: in the question's language, and in another one. Chosen
# on development questions and training sets.
_ON_SUBJECT, _ON_SUBJECT_ACROSS = 0.84, 0.82
# All of the question's names in a passage add half of this to its likeness, none of them takes it away.
_NAMES = 0.03


def respond(
    consultation: Consultation,
    *,
    settings: AnswerSettings,
    model: ChatModel | None = None,
    counter: TokenCounter | None = None,
) -> Iterator[Answer]:
    """Yield snapshots of the answer, the first with the hits only, the last whole.

    When the probability is below `settings.min_confidence`, or a chat model finds no answer in the passages, the answer
    is "unknown". A chat model that fails, or writes nothing that its citations bear out, leaves the extractive answer,
    with a notice that says why.
    """
    began = time.perf_counter()
    partial = Answer.begun(consultation)
    yield partial
    floor = least_confidence(settings, reader=consultation.reader)
    final = replace(partial, status="unknown", reason=_reason(consultation))
    if consultation.evidence and consultation.probability >= floor:
        final = extract(consultation, max_statements=settings.max_statements)
        final = replace(final, reason=_why_answered(final))
        if model is not None and counter is not None:
            try:
                for snapshot in generate(consultation, model=model, counter=counter, settings=settings):
                    if snapshot.status == "partial":
                        yield snapshot
                final = _of_model(snapshot, otherwise=final)
            except ModelError as exc:
                error = exc.in_languages.get(consultation.language, str(exc)).rstrip(".")
                notice = _say(consultation, "model_failed").format(error=error[:1].upper() + error[1:])
                final = replace(final, notices=(*final.notices, notice))
    yield replace(dated(final), timings={**consultation.timings, "answer": time.perf_counter() - began})


def least_confidence(settings: AnswerSettings, *, reader: str) -> float:
    """Return the probability, 0 to 1, from which a question is answered whose evidence was judged by `reader`."""
    if settings.min_confidence is not None:
        return settings.min_confidence
    return _FLOORS.get(reader, reading.MIN_CONFIDENCE)


def _of_model(written: Answer, *, otherwise: Answer) -> Answer:
    """Return what the model wrote; when nothing of it can stand, the other answer with a notice that says so."""
    if written.status == "answered":
        return replace(written, reason=written.reason or _why_answered(written))
    if written.reason in DECLINED:
        return written
    return replace(otherwise, notices=(*otherwise.notices, written.reason))


def why_unknown(consultation: Consultation) -> Why:
    """Return why a question is declined, as far as what was found within its limits tells."""
    limited = _is_limited(consultation)
    if not consultation.hits:
        return "limits" if limited else "empty"
    if not consultation.evidence:
        return "unread"
    if not any(char.isalnum() for char in consultation.ask.question):
        return "wordless"
    if is_on_subject(consultation):
        return "fact"
    return "limits" if limited else "nothing"


def is_on_subject(consultation: Consultation) -> bool:
    """Whether any passage that was read is on what the question is about: near to it, the more so with its names."""
    question = without_limits(consultation.question, consultation.limits)
    names = [name for name in Asked.of(question).names if name not in numbers(question)]
    hits = {item.hit.passage.id: item.hit for item in consultation.evidence}
    return any(
        hit.cosine + _of_names(names, hit)
        >= (_ON_SUBJECT if hit.passage.language == consultation.language else _ON_SUBJECT_ACROSS)
        for hit in hits.values()
    )


def _of_names(names: list[str], hit: Hit) -> float:
    return _NAMES * (coverage(names, term_set(hit.passage.embedded_text)) - 0.5) if names else 0.0


def _is_limited(consultation: Consultation) -> bool:
    ask = consultation.ask
    return bool(ask.since or ask.until or ask.outlets or consultation.limits)


def _reason(consultation: Consultation) -> str:
    why = why_unknown(consultation)
    if why == "limits" and not consultation.hits:
        return _say(consultation, "filtered")
    if why == "fact" and _is_limited(consultation):
        return _say(consultation, "fact_within")
    return _say(consultation, why)


def _why_answered(answer: Answer) -> str:
    texts = _REASONS.get(answer.language, _REASONS["en"])
    quotes = len(answer.citations)
    articles = len({citation.article.id for citation in answer.citations})
    return str(texts["answered"]).format(
        quotes=texts["quotes"][quotes != 1].format(n=quotes),
        articles=texts["articles"][articles != 1].format(n=articles),
    )


def _say(consultation: Consultation, key: str) -> str:
    return str(_REASONS.get(consultation.language, _REASONS["en"])[key])
