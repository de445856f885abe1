"""The five real articles that the project was conceived from, as they are."""

from __future__ import annotations

import pytest

from rag import Archive


def cited_files(archive: Archive, question: str) -> dict[str, str]:
    """The first quotation from each file that the answer cites, by the file's first three digits."""
    answer = archive.ask(question)
    assert answer.status == "answered"
    found: dict[str, str] = {}
    for citation in answer.citations:
        assert citation.article.text[citation.start : citation.end] == citation.quote
        found.setdefault(citation.article.source[:3], citation.quote)
    return found


def test_the_answer_rests_on_both_articles_that_name_the_replaced_treaties(seeds_archive: Archive) -> None:
    cited = cited_files(seeds_archive, "¿Qué tratados reemplaza el acuerdo?")
    assert "Tratado de Asistencia Mutua de 1961" in cited["000"]
    assert "acuerdos anteriores de 1961 y 2000" in cited["003"]


def test_soldiers_are_not_containers(seeds_archive: Archive) -> None:
    answer = seeds_archive.ask("¿Cuántos soldados envió Corea del Norte?")
    assert "11 mil soldados" in answer.statements[0].text


def test_an_english_question_finds_the_spanish_article(seeds_archive: Archive) -> None:
    hits = seeds_archive.search("How many containers with ammunition has North Korea sent to Russia?")
    assert hits[0].article.source.startswith("000")
    assert "más de 11.000 contenedores" in hits[0].passage.text


@pytest.mark.parametrize(
    ("question", "history"),
    [
        ("¿Quién ganó la liga de fútbol?", ()),
        ("¿A qué precio está el aceite de oliva?", ()),
        ("¿Cuál es la capital de Mongolia Exterior?", [("¿Qué tratados reemplaza el acuerdo?", "El de 1961.")]),
    ],
    ids=["football", "oil", "change of subject"],
)
def test_what_the_articles_do_not_speak_of_is_declined(
    seeds_archive: Archive, question: str, history: list[tuple[str, str]]
) -> None:
    answer = seeds_archive.ask(question, history=history)
    assert (answer.status, answer.statements) == ("unknown", ())
    assert answer.reason


def test_what_is_not_article_is_cut_and_kept_on_record(seeds_archive: Archive) -> None:
    removed = {
        article.source[:3]: [removal.text.strip() for removal in article.removed]
        for article in seeds_archive.articles()
    }
    assert removed["000"] == ["Con datos de Europa Press"]
    assert removed["001"] == []
    assert removed["002"] == ["You must be logged in to post a comment Login"]
    assert removed["003"][0].startswith("📹 🇷🇺🇰🇵 Rusya Savunma Bakanı")
    assert removed["004"] == ["TODOS LOS DERECHOS RESERVADOS © Copyright ANSA"]
    agencies = {article.source[:3]: article.agency for article in seeds_archive.articles()}
    assert (agencies["000"], agencies["004"]) == ("Europa Press", "ANSA")
