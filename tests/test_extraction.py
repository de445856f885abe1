from __future__ import annotations

from dataclasses import replace

import pytest

from rag.extraction import extract
from rag.schema import Answer, Article, Ask, Consultation, Evidence, Hit, Passage, Sentence


def evidence(article_id: str, text: str, score: float) -> Evidence:
    """A sentence that is its article's only one, after three other characters."""
    body = "¡😀\n" + text
    article = Article(id=article_id, text=body, language="es")
    sentence = Sentence(start=3, end=len(body), text=text)
    passage = Passage(f"{article_id}-0", article_id, 0, 3, len(body), text, "es", text, (sentence,))
    return Evidence(hit=Hit(passage=passage, article=article, score=1.0, cosine=0.9), sentence=sentence, score=score)


def answer_to(*items: Evidence, max_statements: int = 5) -> Answer:
    consultation = Consultation(ask=Ask("¿?"), question="¿?", language="es", evidence=tuple(items), probability=0.9)
    return extract(consultation, max_statements=max_statements)


def test_a_quote_is_the_slice_of_the_article() -> None:
    answer = answer_to(evidence("a", "El puerto abrió el lunes.", 0.9))
    [citation] = answer.statements[0].citations
    assert citation.quote == "El puerto abrió el lunes." == citation.article.text[citation.start : citation.end]
    assert answer.text == "El puerto abrió el lunes. [1]"


def test_the_words_that_the_reader_points_at_go_with_the_quote() -> None:
    answer = answer_to(replace(evidence("a", "El puerto abrió el lunes.", 0.9), spans=((22, 27),)))
    assert answer.to_dict()["statements"][0]["citations"][0]["answers"] == [{"words": "lunes", "start": 22, "end": 27}]


def test_copies_become_one_statement_with_all_sources() -> None:
    answer = answer_to(
        evidence("a", "El museo perdió tres cuadros en marzo.", 0.9),
        evidence("b", "En marzo el museo perdió tres cuadros.", 0.5),
        evidence("c", "El museo perdió tres cuadros en marzo.", 0.4),
    )
    [statement] = answer.statements
    assert [citation.article.id for citation in statement.citations] == ["a", "b", "c"]
    assert answer.text.endswith(" [1][2][3]")


def test_sentences_with_other_numbers_stand_side_by_side() -> None:
    answer = answer_to(
        evidence("a", "El choque en el puerto dejó 12 heridos.", 0.9),
        evidence("b", "El choque en el puerto dejó 21 heridos.", 0.85),
    )
    assert [statement.text for statement in answer.statements] == [
        "El choque en el puerto dejó 12 heridos.",
        "El choque en el puerto dejó 21 heridos.",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Tres bomberos murieron en el incendio del almacén.",
            "Cinco bomberos murieron en el incendio del almacén.",
        ),
        (
            "El ministro firmó el acuerdo de pesca.",
            "El ministro no firmó el acuerdo de pesca.",
        ),
        ("La planta costó 3 millones de euros al Gobierno.", "La planta costó 3 mil millones de euros al Gobierno."),
        ("Marta Gómez ganó las elecciones de Peñaluna.", "Luis Pérez ganó las elecciones de Peñaluna."),
        (
            "El precio medio de la vivienda en la capital subió en el primer trimestre del año.",
            "El precio medio de la vivienda en la capital bajó en el primer trimestre del año.",
        ),
    ],
    ids=["number word", "negation", "scale", "name", "opposite"],
)
def test_sentences_that_contradict_are_not_one_statement(one: str, other: str) -> None:
    answer = answer_to(evidence("a", one, 0.9), evidence("b", other, 0.89))
    assert [statement.text for statement in answer.statements] == [one, other]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Tres encapuchados asaltaron en la madrugada del lunes el museo y huyeron con nueve piezas.",
            "Tres encapuchados asaltaron la pasada madrugada el museo y huyeron con nueve piezas.",
        ),
        ("El puerto perdió 11.000 contenedores en enero.", "El puerto perdió 11 mil contenedores en enero."),
        ("El museo perdió tres cuadros en marzo.", "El museo perdió tres cuadros."),
    ],
    ids=["day", "spelling of a number", "shortened"],
)
def test_copies_with_small_changes_are_one_statement(one: str, other: str) -> None:
    answer = answer_to(evidence("a", one, 0.9), evidence("b", other, 0.8))
    assert [len(statement.citations) for statement in answer.statements] == [2]


def test_weak_evidence_confirms_nothing() -> None:
    answer = answer_to(evidence("a", "El puerto abrió ayer.", 0.9), evidence("b", "El puerto abrió ayer.", 0.01))
    assert [citation.article.id for citation in answer.citations] == ["a"]


def test_an_article_does_not_confirm_itself() -> None:
    answer = answer_to(evidence("a", "Llovió mucho ayer.", 0.9), evidence("a", "Ayer llovió mucho.", 0.9))
    assert len(answer.citations) == 1


def test_weak_evidence_is_not_said() -> None:
    answer = answer_to(evidence("a", "El puerto abrió.", 0.9), evidence("b", "Hubo viento en la sierra.", 0.1))
    assert [statement.text for statement in answer.statements] == ["El puerto abrió."]


def test_beside_words_that_answer_a_sentence_without_any_has_to_be_nearly_as_good() -> None:
    best = replace(evidence("a", "El puerto abrió el lunes.", 0.9), spans=((22, 27),))
    other = evidence("b", "La grúa vino de Carmania.", 0.3)
    assert len(answer_to(best, other).statements) == 1
    assert len(answer_to(best, replace(other, spans=((5, 9),))).statements) == 2
    assert len(answer_to(best, replace(other, score=0.4)).statements) == 2
    assert len(answer_to(replace(best, spans=()), other).statements) == 2


def test_a_number_is_put_against_another_one() -> None:
    best = replace(evidence("a", "El puente costó 62 millones.", 0.9), spans=((19, 30),))
    assert len(answer_to(best, evidence("b", "Su precio fue de 74 millones.", 0.3)).statements) == 2
    assert len(answer_to(best, evidence("b", "Su precio fue alto.", 0.3)).statements) == 1


def test_statements_are_limited() -> None:
    answer = answer_to(evidence("a", "El puerto abrió.", 0.9), evidence("b", "Cerró la aduana.", 0.9), max_statements=1)
    assert len(answer.statements) == 1


def test_no_evidence_gives_no_statement() -> None:
    assert answer_to().statements == ()
