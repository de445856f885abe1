"""What happened, and what is known: questions that no single fact answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from rag.config import load_settings
from rag.interfaces import Filters
from rag.language import detect_language
from rag.reported import asks_for_news, asks_what_was_reported, openings, subject, told_of
from rag.schema import Article, Evidence, Hit, Passage, Sentence

if TYPE_CHECKING:
    from rag.archive import Archive


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("¿Qué pasó?", set()),
        ("¿Qué ha pasado con el volcán?", {"volcan"}),
        ("Cuéntame lo de la desaladora", {"desala"}),
        ("noticias", set()),
        ("What happened?", set()),
        ("Que s'est-il passé à Brezal ?", {"brezal"}),
        ("O que aconteceu?", set()),
        ("Was ist passiert?", set()),
        ("Что случилось?", set()),
    ],
)
def test_what_was_reported_is_asked_for_with_or_without_a_subject(question: str, about: set[str]) -> None:
    language = detect_language(question, prior=("es", "en"))
    assert asks_what_was_reported(question, language=language)
    assert subject(question) == about


@pytest.mark.parametrize(
    "question",
    [
        "¿Qué dijo el alcalde del puente?",
        "¿Qué periodista da las noticias del sarampión?",
        "¿Cuántos titulares alineó el Ribanova?",
        "¿Cómo va a pagar la deuda?",
        "¿Qué hay que hacer para votar?",
        "Tell me who won",
        "¿Cuántos heridos hubo?",
        "¿Quién dimitió?",
        "¿Cuándo se firmó?",
        "Who won?",
        "¿En qué ciudad se firmó?",
        "",
    ],
)
def test_a_fact_is_another_question(question: str) -> None:
    for language in ("es", "en", "xx"):
        assert not asks_what_was_reported(question, language=language)


@pytest.mark.parametrize(
    ("question", "is_news"),
    [
        ("¿Qué noticias hay?", True),
        ("¿Qué hay de nuevo?", True),
        ("What's new?", True),
        ("Quoi de neuf ?", True),
        ("O que há de novo?", True),
        ("Was gibt es Neues?", True),
        ("¿Qué pasó?", False),
        ("What's new stadium called?", False),
    ],
)
def test_news_by_that_name_need_no_limit(question: str, is_news: bool) -> None:
    assert (asks_for_news(question) and not subject(question)) is is_news


def evidence(article_id: str, ordinal: int, text: str, *, at: int, score: float, title: str = "") -> Evidence:
    """Return a sentence of a passage, which is cut at full stops."""
    cuts = [0, *(place + 2 for place, char in enumerate(text[:-1]) if char == ".")]
    sentences = tuple(
        Sentence(start, end, text[start:end].strip()) for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)
    )
    article = Article(article_id, text, title=title, language="es")
    passage = Passage(
        f"{article_id}#{ordinal}", article_id, ordinal, 0, len(text), text, "es", f"{title}\n{text}", sentences
    )
    return Evidence(Hit(passage, article, 1.0, 0.9, 0.0), sentences[at], score)


def test_of_each_article_that_has_all_the_words_its_beginning_counts_or_its_best_sentence() -> None:
    best = evidence("a", 0, "El volcán despertó. Nadie murió.", at=1, score=0.4)
    later = evidence("b", 3, "Hubo humo. El volcán se apagó.", at=1, score=0.3)
    titled = evidence("c", 0, "Todo acabó. Hay ceniza.", at=0, score=0.2, title="El volcán")
    other = evidence("d", 0, "El río creció.", at=0, score=0.9)
    found = told_of([other, best, later, titled], frozenset({"volcan"}))
    assert [(item.hit.article.id, item.sentence.text, item.score) for item in found] == [
        ("a", "El volcán despertó.", 0.4),
        ("b", "El volcán se apagó.", 0.4),
        ("c", "Todo acabó.", 0.4),
    ]
    assert told_of([other], frozenset({"volcan"})) == ()


def test_openings_are_the_first_sentences() -> None:
    item = evidence("a", 0, "El volcán despertó. Nadie murió.", at=1, score=0.4)
    bare = Passage("b#0", "b", 0, 0, 1, "x", "es", "x", ())
    found = openings([(item.hit.passage, item.hit.article), (bare, item.hit.article)])
    assert [(each.sentence.text, each.score) for each in found] == [("El volcán despertó.", 1.0)]


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("¿Qué pasó en junio de 2024?", ["club-03", "club-02", "club-01"]),
        ("What happened in May 2024?", ["tratado-04", "tratado-01"]),
        ("¿Qué ocurrió el 15 de mayo de 2024?", ["tratado-01"]),
        ("Hola, ¿sabes qué pasó en junio de 2024?", ["club-03", "club-02", "club-01"]),
        ("Dame las noticias de junio de 2024", ["club-03", "club-02", "club-01"]),
    ],
)
def test_what_happened_in_some_days_is_told_by_all_that_was_printed_then(
    sample_archive: Archive, question: str, ids: list[str]
) -> None:
    answer = sample_archive.ask(question)
    assert answer.status == "answered"
    assert [citation.article.given_id for citation in answer.citations] == ids
    assert all(citation.quote == citation.article.text[citation.start : citation.end] for citation in answer.citations)
    assert any(f" {len(ids)} " in notice for notice in answer.notices) is (len(ids) > 1)


@pytest.mark.parametrize("question", ["¿Qué publicó El Faro de Levante?", "¿Qué hay de nuevo en El Faro de Levante?"])
def test_what_an_outlet_reported_is_told_by_its_newest_articles(sample_archive: Archive, question: str) -> None:
    answer = sample_archive.ask(question)
    first = [statement.citations[0].article for statement in answer.statements]
    assert {article.outlet for article in first} == {"El Faro de Levante"}
    days = [article.published or date.min for article in first]
    assert days == sorted(days, reverse=True)
    assert len(first) == sample_archive.settings.answer.max_statements


def test_within_days_that_hold_nothing_the_archive_says_so_instead_of_telling_of_others(
    sample_archive: Archive,
) -> None:
    answer = sample_archive.ask("¿Qué pasó en 2019?")
    assert (answer.status, answer.reason) == (
        "unknown",
        "El archivo no tiene ningún artículo dentro de las fechas o medios pedidos.",
    )


@pytest.mark.parametrize(
    ("question", "stories"),
    [
        ("¿Qué pasó en Brezal en marzo de 2025?", {"museo"}),
        ("¿Qué pasó en mayo de 2024 en Valdoria?", {"tratado"}),
        ("Cuéntame lo de la erupción del volcán", {"volcan"}),
    ],
)
def test_what_happened_with_a_subject_is_told_by_what_has_all_its_words(
    sample_archive: Archive, question: str, stories: set[str]
) -> None:
    answer = sample_archive.ask(question)
    assert answer.status == "answered"
    assert {str(citation.article.given_id).partition("-")[0] for citation in answer.citations} == stories


@pytest.mark.parametrize(
    "question",
    [
        "¿Qué se sabe del accidente de tren?",
        "¿Qué ocurrió en Marte en 2024?",
        "Háblame de la guerra de Ucrania",
        "¿Qué pasó?",
    ],
)
def test_what_no_article_tells_of_stays_unknown(sample_archive: Archive, question: str) -> None:
    assert sample_archive.ask(question).status == "unknown"


@pytest.mark.parametrize(
    ("question", "given"),
    [
        ("¿Qué hay que hacer?", {"outlets": ["La Hoja de Brezal"]}),
        ("Tell me who did it", {"outlets": ["La Hoja de Brezal"]}),
        ("¿Cómo acabó?", {"since": date(2025, 1, 1)}),
        ("¿Qué dijo?", {"since": date(2025, 1, 1)}),
        ("¿Qué pasó en junio de 2024?", {"since": date(2025, 1, 1)}),
        ("Why was war declared between Valdoria and Lusterra?", {}),
        ("¿Y qué dice El Faro de Levante sobre eso?", {"history": [("¿Qué pasó con el volcán?", "Despertó.")]}),
        ("¿Qué pasó después?", {"history": [("¿Qué pasó con el volcán?", "Despertó.")], "since": date(2025, 1, 1)}),
    ],
)
def test_what_leaves_its_subject_out_is_not_told_of_other_things(
    sample_archive: Archive, question: str, given: dict[str, Any]
) -> None:
    assert sample_archive.ask(question, **given).status == "unknown"


def test_an_outlet_in_capitals_is_an_outlet(sample_archive: Archive) -> None:
    shouted = sample_archive.ask("¿QUÉ PUBLICÓ EL FARO DE LEVANTE EN 2024?")
    quiet = sample_archive.ask("¿Qué publicó El Faro de Levante en 2024?")
    assert shouted.status == "answered"
    assert [each.quote for each in shouted.citations] == [each.quote for each in quiet.citations]


def test_whoever_wants_to_be_surer_is_not_told(sample_archive: Archive) -> None:
    surer = sample_archive.with_settings(load_settings(arguments={"answer.min_confidence": 0.9}))
    assert surer.ask("Cuéntame lo de la erupción del volcán").status == "unknown"
    assert surer.ask("¿Qué pasó en junio de 2024?").status == "answered"


def test_in_a_conversation_what_happened_then_goes_on_with_its_subject(sample_archive: Archive) -> None:
    question = "¿Qué pasó en 2025?"
    before = ("¿Qué nivel tiene el embalse de Peñahonda?", "Está al 18 %.")
    told, alone = (
        {str(citation.article.given_id) for citation in sample_archive.ask(question, history=history).citations}
        for history in ([before], [])
    )
    assert told == {"desaladora-04"}
    assert len(alone) > 1


def test_news_in_a_conversation_are_not_those_of_its_subject_unless_more_is_asked_for(sample_archive: Archive) -> None:
    before = ("¿Quién preside el Ribanova?", "Grant Ellery, de 38 años.")
    for question in ("¿Qué hay de nuevo en La Hoja de Brezal?", "¿Qué noticias hay?"):
        alone, told = (sample_archive.ask(question, history=history) for history in ([], [before]))
        assert [each.quote for each in told.citations] == [each.quote for each in alone.citations]
    more = sample_archive.ask("¿Hay más noticias del año 2024?", history=[before])
    assert more.citations != sample_archive.ask("¿Hay más noticias del año 2024?").citations


def test_news_are_the_newest(sample_archive: Archive) -> None:
    answer = sample_archive.ask("¿Qué noticias hay?")
    newest = [article.id for article in sample_archive.articles()][: len(answer.statements)]
    assert [statement.citations[0].article.id for statement in answer.statements] == newest


def test_the_newest_within_filters_are_counted_and_undated_ones_come_last(sample_archive: Archive) -> None:
    ids, count = sample_archive._truth.newest(Filters(outlets=frozenset({"El Faro de Levante"})), most=2)
    assert len(ids) == 2
    assert count == sum(article.outlet == "El Faro de Levante" for article in sample_archive.articles())
