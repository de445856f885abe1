"""Which days words mean: worked out on the calendar of June 2024, whose 19th is a Wednesday."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.dates import find_times
from rag.dates_grammar import folded

WEDNESDAY = date(2024, 6, 19)


def found(text: str, *, language: str = "es", published: date | None = WEDNESDAY) -> list[str]:
    """Return each expression with its days, shortened: "words = since..until", "?" where they are not told."""
    return [
        f"{text[time.start : time.end]} = "
        + (f"{time.since or ''}..{time.until or ''}" if time.is_resolved else "?").replace("2024-", "")
        for time in find_times(text, language=language, published=published)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Firmó este miércoles.", "este miércoles = 06-19..06-19"),
        ("Dimitió el pasado jueves.", "el pasado jueves = 06-13..06-13"),
        ("Murió el pasado miércoles.", "el pasado miércoles = 06-12..06-12"),
        ("Se reunió el miércoles.", "el miércoles = 06-19..06-19"),
        ("Se reunirá el miércoles.", "el miércoles = 06-26..06-26"),
        ("La noche del martes ardió.", "martes = 06-18..06-18"),
        ("El jueves de la semana pasada paró.", "El jueves de la semana pasada = 06-13..06-13"),
        ("El lunes 17 paró.", "El lunes 17 = 06-17..06-17"),
        ("Ayer, martes, paró.", "Ayer, martes = 06-18..06-18"),
        ("Paró hace dos días.", "hace dos días = 06-17..06-17"),
        ("Paró hace tres semanas.", "hace tres semanas = 05-27..06-02"),
        ("Abrirá dentro de un mes.", "dentro de un mes = 07-01..07-31"),
        ("Subió en junio pasado.", "junio pasado = 2023-06-01..2023-06-30"),
        ("Subió en septiembre.", "septiembre = 2023-09-01..2023-09-30"),
        ("Subirá en septiembre.", "septiembre = 09-01..09-30"),
        ("A principios de mayo subió.", "principios de mayo = 05-01..05-10"),
        ("A mediados de mayo subió.", "mediados de mayo = 05-11..05-20"),
        ("A finales de febrero subió.", "finales de febrero = 02-21..02-29"),
        ("A finales del año pasado subió.", "finales del año pasado = 2023-09-01..2023-12-31"),
        ("En el último trimestre de 2023 subió.", "el último trimestre de 2023 = 2023-10-01..2023-12-31"),
        ("La semana que viene subirá.", "La semana que viene = 06-24..06-30"),
        ("Este fin de semana subirá.", "Este fin de semana = 06-22..06-23"),
        ("El fin de semana subió.", "El fin de semana = 06-15..06-16"),
        ("El acuerdo del 3 de marzo de 2021.", "3 de marzo de 2021 = 2021-03-03..2021-03-03"),
        ("Del 12 al 14 de mayo paró.", "12 al 14 de mayo = 05-12..05-14"),
        (
            "Del 30 de mayo al 3 de junio de 2023 paró.",
            "Del 30 de mayo al 3 de junio de 2023 = 2023-05-30..2023-06-03",
        ),
        ("Desde el lunes para.", "Desde el lunes = 06-17.."),
        ("Parará hasta el viernes.", "hasta el viernes = ..06-21"),
        ("Antes de 2022 paraba.", "Antes de 2022 = ..2021-12-31"),
        ("Después de 2020 paró.", "Después de 2020 = 2021-01-01.."),
        ("Entre 2019 y 2021 paró.", "2019 y 2021 = 2019-01-01..2021-12-31"),
        ("En los años noventa paró.", "los años noventa = 1990-01-01..1999-12-31"),
        ("El faro del siglo XIX.", "siglo XIX = 1801-01-01..1900-12-31"),
        ("La licitación del 05/06/2024.", "05/06/2024 = 06-05..06-05"),
        ("Anunciaron un paro el 3 de julio.", "3 de julio = 07-03..07-03"),
        ("El detenido el lunes comparecerá.", "el lunes = 06-17..06-17"),
    ],
    ids=lambda value: value[:30],
)
def test_spanish_expressions_mean_these_days(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was signed on Wednesday.", "on Wednesday = 06-19..06-19"),
        ("The vote will be held on Friday.", "on Friday = 06-21..06-21"),
        ("He resigned last Thursday.", "last Thursday = 06-13..06-13"),
        ("It fell two weeks ago.", "two weeks ago = 06-03..06-09"),
        ("It will open in ten days.", "in ten days = 06-29..06-29"),
        ("It fell in March.", "March = 03-01..03-31"),
        ("It fell in mid-May.", "mid-May = 05-11..05-20"),
        ("It fell late last year.", "late last year = 2023-09-01..2023-12-31"),
        ("It fell on the 22nd of November 1963.", "on the 22nd of November 1963 = 1963-11-22..1963-11-22"),
        ("It will be closed from June 28 to July 2.", "from June 28 to July 2 = 06-28..07-02"),
        ("It is closed until 31 July.", "until 31 July = ..07-31"),
        ("It fell in Q1 2023.", "Q1 2023 = 2023-01-01..2023-03-31"),
        ("It fell earlier this week.", "earlier this week = 06-17..06-19"),
        ("It fell in the 1990s.", "the 1990s = 1990-01-01..1999-12-31"),
        ("On 25/06/2024 it fell.", "25/06/2024 = 06-25..06-25"),
    ],
    ids=lambda value: value[:30],
)
def test_english_expressions_mean_these_days(text: str, expected: str) -> None:
    assert found(text, language="en") == [expected]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "Il a plu avant-hier.", "avant-hier = 06-17..06-17"),
        ("fr", "Il a plu début mai.", "début mai = 05-01..05-10"),
        ("de", "Seit 2019 regnet es.", "Seit 2019 = 2019-01-01.."),
        ("de", "Er hat am vergangenen Montag unterschrieben.", "vergangenen Montag = 06-17..06-17"),
        ("pt", "Foi assinado em 15 de março de 2022.", "15 de março de 2022 = 2022-03-15..2022-03-15"),
        ("it", "Ha firmato lunedì scorso.", "lunedì scorso = 06-17..06-17"),
        ("ca", "La setmana passada va ploure.", "La setmana passada = 06-10..06-16"),
        ("gl", "Choveu hai dous días.", "hai dous días = 06-17..06-17"),
        ("ru", "Это было на прошлой неделе.", "на прошлой неделе = 06-10..06-16"),
        ("zh", "上周三下雨。", "上周三 = 06-12..06-12"),
        ("nl", "Het regende op 19 juni 2024.", "19 juni 2024 = 06-19..06-19"),
    ],
)
def test_expressions_of_other_languages_mean_these_days(language: str, text: str, expected: str) -> None:
    assert found(text, language=language) == [expected]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Murió dos días después."),
        ("es", "Aquel lunes murió."),
        ("es", "Murió el lunes siguiente."),
        ("es", "Subió en los últimos años."),
        ("es", "Hace casi diez años subió."),
        ("es", "El presidente firma este viernes."),
        ("es", "Dijo que cerraría el viernes."),
        ("es", "Llovió el verano pasado."),
        ("es", "El Viernes Santo llovió."),
        ("es", "A finales del siglo XIX llovió."),
        ("en", "That Friday it fell."),
        ("en", "It fell two days later."),
        ("en", "On 05/06/2024 it fell."),
        ("en", "The court will rule on Wednesday."),
        ("fr", "Il a plu le lendemain."),
    ],
)
def test_what_is_vague_or_counts_from_elsewhere_stays_unresolved(language: str, text: str) -> None:
    assert [each.rsplit(" = ")[1] for each in found(text, language=language)] == ["?"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Domingo Arrieta y Julio Pérez obtuvieron 1.984 votos y 2000 euros."),
        ("es", "Abre de lunes a viernes por la mañana, cierra los domingos y cada 19 de junio."),
        ("es", "El Hospital 12 de Octubre, la calle 9 de julio y la Agenda 2030."),
        ("es", "«Viernes 13», en cines; ganó 2-1 tras tres meses de espera, según Hoy."),
        ("es", "Hace 48 horas ganó; el tercer trimestre del embarazo; en 1500 a. C. no."),
        ("en", "May said she may march. Call 020 7946 2019. The Sunday school fell by 1,984 votes."),
        ("en", "Sheffield Wednesday won. Every Friday it fell. Since May took office it fell."),
        ("it", "Domenica Ferri ha vinto."),
        ("pt", "A segunda vez foi melhor."),
        ("xx", "Ayer, el 19 de junio de 2024."),
        ("und", "Ayer, el 19 de junio de 2024."),
    ],
)
def test_names_counts_and_habits_are_no_days(language: str, text: str) -> None:
    assert [each for each in found(text, language=language) if not each.endswith("?")] == []


def test_without_a_day_of_publication_only_what_says_its_year_is_resolved() -> None:
    text = "Fichó el mes pasado a quien rechazó en 2018."
    assert found(text, published=None) == ["el mes pasado = ?", "2018 = 2018-01-01..2018-12-31"]


def test_what_needs_the_day_of_publication_is_relative() -> None:
    times = find_times("Ayer venció el pacto del 3 de marzo de 2021.", language="es", published=WEDNESDAY)
    assert [time.relative for time in times] == [True, False]


@pytest.mark.parametrize("published", [date.min, date.max], ids=str)
def test_days_beyond_the_calendar_stay_unresolved(published: date) -> None:
    # The 1st of January of the year 1 was a Monday, the last of December 9999 a Friday.
    text = "Hace cien años, la semana pasada, el mes que viene y el próximo siglo; desde ayer y antes de mañana."
    for time in find_times(text, language="es", published=published):
        assert all(day is None or date.min <= day <= date.max for day in (time.since, time.until))


def test_folding_keeps_every_offset() -> None:
    text = "Ñandú İSTANBUL ﬁn ß e\u0301 «Miércoles»"
    assert len(folded(text)) == len(text)
    assert folded("MIÉRCOLES, Año") == "miercoles, año"


@given(
    st.text(alphabet=" \n.,-/0123456789eldasntomiércpuhñ«½", max_size=200), st.sampled_from(["es", "en", "fr", "zh"])
)
def test_expressions_stand_in_order_within_any_text(text: str, language: str) -> None:
    edges = [
        edge for time in find_times(text, language=language, published=WEDNESDAY) for edge in (time.start, time.end)
    ]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
    assert len(set(edges[::2])) == len(edges[::2])
