"""What a question limits itself to, asked on Wednesday, the 19th of June 2024."""

from __future__ import annotations

from datetime import date

import pytest

from rag.interfaces import Filters
from rag.limits import filters_of, not_given, read_limits, without_limits
from rag.schema import Limit

WEDNESDAY = date(2024, 6, 19)
OUTLETS = (
    "EFE", "El País", "Reuters", "La Nación", "BBC News", "El Faro de Levante", "El Faro de Valdoria", "The Guardian",
    "AFP", "Hoy", "El Mundo",
)  # fmt: skip
JUNE = Limit("en junio de 2024", since=date(2024, 6, 1), until=date(2024, 6, 30))
EFE = Limit("según EFE", outlets=("EFE",))


def read(question: str, *, language: str = "es") -> list[str]:
    return [
        f"{limit.words}: " + (", ".join(limit.outlets) or f"{limit.since or ''}..{limit.until or ''}")
        for limit in read_limits(question, language=language, today=WEDNESDAY, outlets=OUTLETS)
    ]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("¿Qué pasó en junio de 2024?", ["en junio de 2024: 2024-06-01..2024-06-30"]),
        ("¿Qué ha ocurrido esta semana en el puerto?", ["esta semana: 2024-06-17..2024-06-23"]),
        ("¿Qué se publicó antes de 2022 sobre la sequía?", ["antes de 2022: ..2021-12-31"]),
        ("Noticias de ayer", ["de ayer: 2024-06-18..2024-06-18"]),
        ("que paso en mayo", ["en mayo: 2024-05-01..2024-05-31"]),
        ("¿Quién firmó el acuerdo según EFE?", ["según EFE: EFE"]),
        ("¿Qué publicó la nacion sobre el robo?", ["la nacion: La Nación"]),
        ("¿Qué dijeron EFE, AFP y La Nación?", ["EFE, AFP y La Nación: EFE, AFP, La Nación"]),
        ("¿Qué se escribió en El País en 2023?", ["en 2023: 2023-01-01..2023-12-31", "El País: El País"]),
        ("¿Qué ha publicado EFE desde el 1 de marzo?", ["desde el 1 de marzo: 2024-03-01..", "EFE: EFE"]),
    ],
)
def test_days_and_sources_that_a_question_asks_for_limit_it(question: str, expected: list[str]) -> None:
    assert read(question) == expected


@pytest.mark.parametrize(
    ("language", "question", "expected"),
    [
        (
            "en",
            "According to Reuters last week, who signed?",
            ["last week: 2024-06-10..2024-06-16", "According to Reuters: Reuters"],
        ),
        ("en", "What did the BBC say about the flood?", ["BBC: BBC News"]),
        ("en", "Stories from May about the strike", ["from May: 2024-05-01..2024-05-31"]),
        ("fr", "Que s'est-il passé hier ?", ["hier: 2024-06-18..2024-06-18"]),
        ("de", "Was hat Reuters im Mai 2023 berichtet?", ["im Mai 2023: 2023-05-01..2023-05-31", "Reuters: Reuters"]),
    ],
)
def test_other_languages_limit_too(language: str, question: str, expected: list[str]) -> None:
    assert read(question, language=language) == expected


@pytest.mark.parametrize(
    "question",
    [
        "¿Qué tratado de 1961 reemplaza el acuerdo?",
        "¿Qué se llevaron, según La Nación de Almoral?",
        "¿Quién ganó las elecciones en 2019?",
        "¿Quién gobierna Carmania desde 2009?",
        "¿Qué pasó en el accidente del 24 de enero?",
        "¿Qué pasó desde la firma del tratado en mayo?",
        "¿Qué pasó desde la ratificación?",
        "¿Qué ocurrió en 1961?",
        "¿Qué pasará la semana que viene?",
        "¿Cuándo se publicó el artículo de junio?",
        "¿Qué pasó en los últimos días?",
        "¿Qué pasó en marzo y en mayo?",
        "Últimas noticias",
        "¿Quién dirige EFE?",
        "¿Qué se dice de Reuters?",
        "¿Qué medios salvo EFE lo contaron?",
        "¿Varía el precio según el país?",
        "¿Cuál es el puente más largo del mundo?",
        "¿Qué publicó El Faro?",
        "¿Qué dijo Le Monde?",
    ],
)
def test_what_is_in_doubt_limits_nothing(question: str) -> None:
    assert read(question) == []


def test_a_language_that_nobody_knows_here_limits_nothing() -> None:
    assert read("Según EFE, ¿qué pasó ayer?", language="zh") == []


def test_all_spellings_of_an_outlet_are_asked_for() -> None:
    (limit,) = read_limits("según El País", language="es", today=WEDNESDAY, outlets=["EL PAÍS", "El País"])
    assert limit.outlets == ("EL PAÍS", "El País")


def test_what_is_given_wins_over_the_words_dates_and_outlets_apart() -> None:
    given = Filters(until=date(2023, 1, 1))
    assert filters_of((JUNE, EFE), given=given) == Filters(until=date(2023, 1, 1), outlets=frozenset({"EFE"}))
    assert not_given((JUNE, EFE), given=given) == (EFE,)
    assert filters_of((JUNE,), given=Filters()) == Filters(since=date(2024, 6, 1), until=date(2024, 6, 30))


@pytest.mark.parametrize(
    ("question", "words", "rest"),
    [
        ("¿Qué pasó en el puerto en enero de 2024?", ["en enero de 2024"], "¿Qué pasó en el puerto ?"),
        ("Según EFE, ¿quién firmó ayer?", ["Según EFE", "ayer"], ", ¿quién firmó ?"),
        ("¿Según EFE?", ["Según EFE"], "¿Según EFE?"),
        ("¿Quién  firmó?", [], "¿Quién  firmó?"),
    ],
    ids=["a month", "an outlet and a day", "nothing else", "no limit"],
)
def test_a_question_without_its_limits_is_what_is_asked_for(question: str, words: list[str], rest: str) -> None:
    assert without_limits(question, [Limit(words=each) for each in words]) == rest
