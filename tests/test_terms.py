from __future__ import annotations

import pytest

from rag.terms import content_terms, coverage, numbers


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("¿Qué tratados reemplaza el acuerdo?", ["tratad", "reempl", "acuerd"]),
        ("RATIFICACIÓN ratificacion", ["ratifi", "ratifi"]),
        ("años anos", ["años", "anos"]),
        ("11.000 contenedores", ["11000", "conten"]),
        ("11\u00a0000 soldados", ["11000", "soldad"]),
        ("3,5 por ciento", ["3.5", "ciento"]),
        ("en 2024 300 personas", ["2024", "300", "person"]),
        ("¿Qué es lo que hay?", []),
        ("北京欢迎", ["北京", "京欢", "欢迎"]),
        ("", []),
    ],
    ids=str,
)
def test_content_words_are_comparable(text: str, terms: list[str]) -> None:
    assert content_terms(text) == terms


def test_numbers_lose_their_grouping() -> None:
    assert numbers("De 1.250.000 a 12 en 1961 (3,5 %)") == {"1250000", "12", "1961", "3.5"}


def test_coverage_counts_each_term_once() -> None:
    assert coverage(["a", "a", "b"], frozenset({"a"})) == 0.5
    assert coverage([], frozenset({"a"})) == 0.0
