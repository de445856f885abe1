from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pytest

from rag.config import AnswerSettings
from rag.failures import stopped
from rag.interfaces import Message
from rag.response import respond, why_unknown
from rag.schema import Answer, Article, Ask, Consultation, Evidence, Hit, Limit, Passage, Sentence

TEXT = "El puerto de Almadía reabrió el 4 de marzo."
SETTINGS = AnswerSettings(min_confidence=0.5)


@dataclass(frozen=True)
class Writes:
    """A chat model that writes one reply, and then fails if it is told to."""

    reply: str
    fails: bool = False
    name: str = "test:model"

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        yield self.reply
        if self.fails:
            raise stopped(name=self.name, place="")


class Words:
    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def consultation(
    *,
    probability: float = 0.9,
    ask: Ask | None = None,
    found: bool = True,
    cosine: float = 0.9,
    limits: tuple[Limit, ...] = (),
    language: str = "es",
) -> Consultation:
    sentence = Sentence(0, len(TEXT), TEXT)
    passage = Passage("p", "a", 0, 0, len(TEXT), TEXT, "es", TEXT, (sentence,))
    hit = Hit(passage=passage, article=Article(id="a", text=TEXT, language="es"), score=1.0, cosine=cosine)
    return Consultation(
        ask=ask or Ask("¿Cuándo reabrió el puerto?"),
        question=ask.question if ask else "¿Cuándo reabrió el puerto?",
        language=language,
        limits=limits,
        hits=(hit,) if found else (),
        evidence=(Evidence(hit=hit, sentence=sentence, score=0.9),) if found else (),
        probability=probability,
    )


def last(held: Consultation, model: Writes | None = None) -> Answer:
    *partial, final = respond(held, settings=SETTINGS, model=model, counter=Words())
    assert all(snapshot.status == "partial" for snapshot in partial)
    assert partial[0].hits == held.hits
    return final


def test_evidence_is_said_in_the_sources_words() -> None:
    answer = last(consultation())
    assert (answer.status, answer.text, answer.model) == ("answered", f"{TEXT} [1]", "extractive")
    assert answer.reason == "Se apoya en 1 frase de 1 artículo del archivo."


def test_below_the_threshold_it_declines_and_keeps_the_nearest() -> None:
    answer = last(consultation(probability=0.49))
    assert (answer.status, answer.text, answer.statements) == ("unknown", "", ())
    assert answer.hits
    assert "no responde a la pregunta" in answer.reason


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (Ask("¿?"), "no hay pasajes que buscar"),
        (Ask("¿?", since=date(2030, 1, 1)), "fechas o medios pedidos"),
        (Ask("¿?", outlets=("Nadie",)), "fechas o medios pedidos"),
    ],
    ids=["empty", "dates", "outlets"],
)
def test_the_reason_for_finding_nothing_is_said(ask: Ask, reason: str) -> None:
    assert reason in last(consultation(ask=ask, found=False, probability=0.0)).reason


WITHIN = "dentro de las fechas o medios pedidos"


@pytest.mark.parametrize(
    ("asked", "cosine", "limits", "why", "told"),
    [
        (Ask("¿Cuánto costó el puerto?"), 0.85, (), "fact", "trata el asunto"),
        (Ask("¿Cuánto costó el puerto?"), 0.83, (), "nothing", "no tiene nada sobre ese asunto."),
        # Almadía is in the passage, Osorno is not: 0.015 more and less.
        (Ask("¿Cuánto costó el de Almadía?"), 0.83, (), "fact", "trata el asunto"),
        (Ask("¿Cuánto costó el de Osorno?"), 0.85, (), "nothing", "no tiene nada"),
        (Ask("¿Y en 1987?"), 0.845, (), "fact", "trata el asunto"),
        (Ask("¿Cuánto costó?", outlets=("El Faro",)), 0.83, (), "limits", WITHIN),
        (Ask("¿Cuánto costó?", until=date(2020, 1, 1)), 0.85, (), "fact", WITHIN),
        # An outlet that is asked for is no name of the subject.
        (Ask("Según El Faro, ¿cuánto costó?"), 0.845, (Limit("Según El Faro"),), "fact", WITHIN),
    ],
    ids=["near", "far", "its name", "another name", "a number", "outlet", "dates", "in its words"],
)
def test_a_question_is_declined_for_its_subject_its_fact_or_its_limits(
    asked: Ask, cosine: float, limits: tuple[Limit, ...], why: str, told: str
) -> None:
    held = consultation(ask=asked, cosine=cosine, limits=limits, probability=0.1)
    assert why_unknown(held) == why
    reason = last(held).reason
    assert reason.startswith("El archivo no lo sabe: ")
    assert told in reason


def test_across_languages_the_subject_is_told_from_farther_away() -> None:
    asked = Ask("How much did it cost?")
    assert why_unknown(consultation(ask=asked, cosine=0.825, language="en")) == "fact"
    assert why_unknown(consultation(ask=asked, cosine=0.825)) == "nothing"


@pytest.mark.parametrize("question", ["¿¿¿¿", "\u200b", "…!"])
def test_of_a_question_without_words_nothing_is_said_about_its_subject(question: str) -> None:
    held = consultation(ask=Ask(question), probability=0.0)
    assert why_unknown(held) == "wordless"
    assert last(held).reason == "La pregunta no nombra ningún asunto: escríbala con alguna palabra o un número."


def test_a_chat_model_phrases_the_answer() -> None:
    answer = last(consultation(), Writes("El puerto reabrió el 4 de marzo [1]."))
    assert (answer.status, answer.model) == ("answered", "test:model")
    assert answer.citations[0].quote == TEXT
    assert answer.reason


def test_a_chat_model_that_fails_leaves_the_sources_words_and_a_notice() -> None:
    answer = last(consultation(), Writes("El puerto", fails=True))
    assert (answer.text, answer.model) == (f"{TEXT} [1]", "extractive")
    assert answer.notices == (
        "El modelo test:model se ha parado en mitad de su respuesta: pregunte de nuevo o mire su registro. "
        "Se responde con las frases de los artículos.",
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_failure_is_told_in_english_to_who_asks_in_no_language_of_the_interface(language: str) -> None:
    answer = last(replace(consultation(), language=language), Writes("El puerto", fails=True))
    assert answer.notices == (
        "Model test:model stopped in the middle of its reply: ask again, or look at its log. "
        "The answer is given in the articles' own sentences.",
    )


def test_what_the_citations_do_not_bear_out_is_replaced_by_the_sources_words() -> None:
    answer = last(consultation(), Writes("Murieron 300 ballenas en Groenlandia [1]."))
    assert (answer.status, answer.text) == ("answered", f"{TEXT} [1]")
    [notice] = answer.notices
    assert "no lo sostienen los pasajes" in notice


def test_a_chat_model_may_say_that_the_archive_does_not_know() -> None:
    answer = last(consultation(), Writes("NO_SE_SABE"))
    assert (answer.status, answer.statements) == ("unknown", ())
    assert "no encontró la respuesta" in answer.reason
