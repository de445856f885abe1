from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pytest

from rag.config import AnswerSettings
from rag.errors import ModelError
from rag.interfaces import Message
from rag.response import respond
from rag.schema import Answer, Article, Ask, Consultation, Evidence, Hit, Passage, Sentence

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
            raise ModelError("model test:model stopped in the middle of its reply: ask again")


class Words:
    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def consultation(*, probability: float = 0.9, ask: Ask | None = None, found: bool = True) -> Consultation:
    sentence = Sentence(0, len(TEXT), TEXT)
    passage = Passage("p", "a", 0, 0, len(TEXT), TEXT, "es", TEXT, (sentence,))
    hit = Hit(passage=passage, article=Article(id="a", text=TEXT, language="es"), score=1.0, cosine=0.9)
    return Consultation(
        ask=ask or Ask("¿Cuándo reabrió el puerto?"),
        question="¿Cuándo reabrió el puerto?",
        language="es",
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


def test_a_chat_model_phrases_the_answer() -> None:
    answer = last(consultation(), Writes("El puerto reabrió el 4 de marzo [1]."))
    assert (answer.status, answer.model) == ("answered", "test:model")
    assert answer.citations[0].quote == TEXT
    assert answer.reason


def test_a_chat_model_that_fails_leaves_the_sources_words_and_a_notice() -> None:
    answer = last(consultation(), Writes("El puerto", fails=True))
    assert (answer.text, answer.model) == (f"{TEXT} [1]", "extractive")
    assert answer.notices == (
        "model test:model stopped in the middle of its reply: ask again. Se responde con las frases de los artículos.",
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
