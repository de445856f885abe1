"""The days that a question names, and what of that which was found speaks of them."""

from datetime import date

import pytest

from rag.asked_days import days_asked, of_these_days, printed_then, without_days
from rag.interfaces import Reading
from rag.schema import Article, Evidence, Hit, Passage, Sentence

TODAY = date(2026, 11, 30)


def item(text: str, score: float, published: date | None, title: str = "", language: str = "es") -> Evidence:
    article = Article(text, text, title=title, published=published, language=language)
    sentence = Sentence(0, len(text), text)
    embedded = f"{title}\n{text}"
    return Evidence(
        Hit(Passage(text, text, 0, 0, len(text), text, language, embedded, (sentence,)), article, 1.0, 0.9, 0.0),
        sentence,
        score,
    )


@pytest.mark.parametrize(
    ("question", "language", "days"),
    [
        ("¿Cuántos estudiantes fueron en 2023?", "es", [(date(2023, 1, 1), date(2023, 12, 31))]),
        ("¿Qué pasó el 3 de marzo de 2025?", "es", [(date(2025, 3, 3), date(2025, 3, 3))]),
        ("How many went in May 2024?", "en", [(date(2024, 5, 1), date(2024, 5, 31))]),
        ("¿Cuántos fueron en el verano de 2022?", "es", [(date(2022, 1, 1), date(2022, 12, 31))]),
        ("Quanto gastou no verão de 2021?", "pt", [(date(2021, 1, 1), date(2021, 12, 31))]),
        ("¿Cuántos fueron el 3 de marzo de 2025?", "es", [(date(2025, 3, 3), date(2025, 3, 3))]),
        ("¿Cuántos hubo en el invierno de 2023-2024?", "es", [(date(2023, 1, 1), date(2024, 12, 31))]),
        ("¿Cuántos hubo en el invierno de 1999-2000?", "es", [(date(1999, 1, 1), date(2000, 12, 31))]),
        ("¿Cuántos hubo en el invierno de 2023?", "es", [(date(2023, 1, 1), date(2024, 3, 31))]),
        ("¿Cuánto costó desde el otoño de 2022?", "es", [(date(2022, 1, 1), date.max)]),
        ("Wie viele kamen im Sommer 2021?", "de", [(date(2021, 1, 1), date(2021, 12, 31))]),
        ("¿Cuántos han ido desde 2023?", "es", [(date(2023, 1, 1), date.max)]),
        ("¿Cuántos fueron antes de 2011?", "es", [(date.min, date(2010, 12, 31))]),
        ("¿Qué prevé el Plan 2030?", "es", []),
        ("¿Qué pasó el lunes?", "es", []),
        ("¿Cuántos estudiantes fueron?", "es", []),
        ("¿Cuándo se construyó?", "xx", []),
    ],
)
def test_days_are_those_named_by_themselves(question: str, language: str, days: list[tuple[date, date]]) -> None:
    assert [(one.since, one.until) for one in days_asked(question, language=language, today=TODAY)] == days


def test_what_is_of_other_days_comes_last_and_takes_its_share_of_the_probability() -> None:
    other = item("Fueron 40 estudiantes.", 0.8, date(2025, 6, 1))
    said = item("En 2023 fueron 12 estudiantes.", 0.4, date(2025, 6, 1))
    days = days_asked("¿Cuántos estudiantes fueron en 2023?", language="es", today=TODAY)
    found = of_these_days(Reading((other, said), 0.9), days)
    assert [(each.sentence.text, each.score) for each in found.evidence] == [
        ("En 2023 fueron 12 estudiantes.", 0.4),
        ("Fueron 40 estudiantes.", 0.0),
    ]
    assert found.probability == pytest.approx(0.45)
    assert of_these_days(Reading((other,), 0.9), days).probability == 0.0


@pytest.mark.parametrize(
    ("text", "published", "title"),
    [
        ("Fueron 12 estudiantes.", date(2023, 9, 1), ""),
        ("Fueron 12 estudiantes.", date(2024, 1, 3), ""),
        ("El año pasado fueron 12 estudiantes.", date(2024, 6, 3), ""),
        ("Fueron 12 estudiantes.", date(2025, 6, 3), "Balance de 2023"),
        ("Fueron 12 estudiantes.", None, ""),
    ],
    ids=["printed then", "printed shortly after", "told from its day", "by its title", "no day known"],
)
def test_what_speaks_of_the_days_stays(text: str, published: date | None, title: str) -> None:
    days = days_asked("¿Cuántos estudiantes fueron en 2023?", language="es", today=TODAY)
    reading = Reading((item(text, 0.8, published, title),), 0.9)
    assert of_these_days(reading, days) == reading


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        ("As contas de 2021 dão 380.", "pt", 0.9),
        ("Las cuentas de 2021 dan 380.", "es", 0.9),
        # A year that is no time says nothing about when.
        ("Deja sin efecto los acuerdos de 1961 y 2021.", "es", 0.0),
        ("No último verão deram 380.", "pt", 0.0),
    ],
)
def test_a_season_is_answered_by_what_speaks_of_its_year(text: str, language: str, left: float) -> None:
    told = item(text, 0.8, date(2025, 6, 3), language=language)
    days = days_asked("¿Cuánto dieron las cuentas en el verano de 2021?", language="es", today=TODAY)
    assert of_these_days(Reading((told,), 0.9), days).probability == left


def test_without_days_or_evidence_nothing_changes() -> None:
    reading = Reading((item("Fueron 12.", 0.8, date(2025, 1, 1)),), 0.9)
    assert of_these_days(reading, ()) is reading
    empty = Reading((), 0.0)
    assert of_these_days(empty, days_asked("¿Qué pasó en 2023?", language="es", today=TODAY)) is empty


@pytest.mark.parametrize(
    ("question", "language", "rest"),
    [
        ("¿Qué nivel tenía en julio de 2023 el pantano?", "es", "¿Qué nivel tenía el pantano?"),
        ("¿Cuánto subió el recibo el 3 de marzo de 2025?", "es", "¿Cuánto subió el recibo?"),
        ("How many went in May 2024?", "en", "How many went?"),
        ("¿Cómo ha cambiado desde 2023?", "es", "¿Cómo ha cambiado?"),
        ("¿Qué pasó este lunes?", "es", "¿Qué pasó este lunes?"),
        ("¿En 2023?", "es", "¿En 2023?"),
    ],
)
def test_a_question_without_its_days_asks_the_same(question: str, language: str, rest: str) -> None:
    assert without_days(question, language=language, today=TODAY) == rest


def test_what_was_printed_then_is_told_by_its_day_alone() -> None:
    days = days_asked("¿Qué pasó en 2023?", language="es", today=TODAY)
    hits = [item("Uno.", 0.5, day).hit for day in (date(2023, 5, 1), date(2024, 1, 3), date(2024, 2, 1), None)]
    assert printed_then(hits, days) == hits[:2]


def test_of_two_readings_each_sentence_counts_as_the_better_has_it() -> None:
    one, other = item("Uno.", 0.9, None), item("Dos.", 0.2, None)
    both = Reading((one, other), 0.5).or_better(Reading((item("Dos.", 0.95, None), item("Uno.", 0.1, None)), 0.7))
    assert [(each.sentence.text, each.score) for each in both.evidence] == [("Dos.", 0.95), ("Uno.", 0.9)]
    assert both.probability == 0.7
