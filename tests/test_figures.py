from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rag.figures import find_figures


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("11.000 personas", "es", [[11, 11000]]),
        ("11,000 people", "en", [[11, 11000]]),
        ("11 000 personnes", "fr", [[11000]]),
        ("11 mil personas", "es", [[11000]]),
        ("1,5 millones", "es", [[1500000]]),
        ("1.5 million", "en", [[1500000]]),
        ("2 mil millones", "es", [[2000000000]]),
        ("dos mil millones", "es", [[2000000000]]),
        ("un millón", "es", [[1000000]]),
        ("1.234,56 euros", "es", [[1234.56]]),
        ("1.234.567 votos", "es", [[1234567]]),
        ("el 5,2 % y el 6.", "es", [[5.2], [6]]),
        ("1961 y 2000", "es", [[1961], [2000]]),
        ("treinta y cinco y dos", "es", [[35], [2]]),
        ("treinta y uno", "es", [[31]]),
        ("twenty-one of them", "en", [[21]]),
        ("dos mil veinticuatro", "es", [[2024]]),
        ("una mujer y un hombre", "es", []),
        ("once again", "en", []),
        ("dos homens", "pt", []),
        ("sin cifras", "es", []),
        # Raised and circled digits are no figures that could be compared.
        ("5 m ² de ①, ₂O y ½", "es", [[5]]),
        ("", "es", []),
    ],
    ids=str,
)
def test_numbers_are_read(text: str, language: str, values: list[list[float]]) -> None:
    assert [sorted(figure.values) for figure in find_figures(text, language=language)] == values


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("el 19 de junio de 2024", "es"),
        ("2024-06-19", "es"),
        ("19/06/2024", "es"),
        ("19.6.2024", "de"),
        ("June 19, 2024", "en"),
        ("19 июня 2024", "ru"),
    ],
    ids=str,
)
def test_date_gives_day_month_and_year_however_written(text: str, language: str) -> None:
    figures = find_figures(text, language=language)
    assert {max(figure.values) for figure in figures if figure.kind == "month"} == {6}
    assert {max(figure.values) for figure in figures if figure.kind == "digits"} == {19, 2024}


def test_may_is_a_month_only_beside_a_number() -> None:
    assert [figure.text for figure in find_figures("They may meet.", language="en")] == []
    assert [figure.text for figure in find_figures("They meet on May 5.", language="en")] == ["May", "5"]


def test_month_and_number_are_not_taken_for_each_other() -> None:
    june, six = find_figures("junio, 6", language="es")
    assert not june.matches(six)
    assert six.matches(find_figures("seis", language="es")[0])


@given(st.text(alphabet=st.sampled_from("0123456789.,'’ \u00a0²₂①½٣๓Ⅷ-/ay mil"), max_size=30))
def test_any_text_is_read(text: str) -> None:
    for language in ("es", "en", "de"):
        assert all(figure.values and figure.matches(figure) for figure in find_figures(text, language=language))
