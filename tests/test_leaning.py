from __future__ import annotations

import pytest

from rag.leaning import context_start, leans
from rag.sentences import split_sentences


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Según él, nadie avisó."),
        ("es", "Según explicó, nadie avisó."),
        ("es", "Además, subirá el billete."),
        ("es", "Sin embargo, esta medida no gusta."),
        ("es", "«Ella lo sabía», dijo el juez."),
        ("es", "Este acuerdo entra en vigor hoy."),
        ("es", "Lo sustituye la conservadora."),
        ("es", "Añadió que volverá."),
        ("es", "Es el precio que paga el fondo."),
        ("es", "Temen que la sal acabe con todo."),
        ("fr", "C'est la sixième pièce."),
        ("pt", "É o preço do acordo."),
        ("en", "He said no."),
        ("en", "It's the third strike."),
        ("en", "This deal is the first."),
        ("fr", "Selon elle, rien n'a changé."),
        ("pt", "Ele não quis falar."),
        ("de", "Ihm zufolge war niemand da."),
        ("it", "Questo accordo non basta."),
    ],
)
def test_beginning_that_points_back_leans(language: str, text: str) -> None:
    assert leans(text, language=language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Según el ministro, nadie avisó."),
        ("es", "Este miércoles subió el billete."),
        ("es", "Esta misma semana se firma."),
        ("es", "Lo que dijo el juez se sabrá."),
        ("es", "El alcalde volvió. Además, cantó."),
        ("es", "Lester volvió."),
        ("es", "Esteban volvió."),
        ("es", "Hay que verlo."),
        ("es", "Es Castell aprobó su presupuesto."),
        ("es", "Ya que el puerto cerró, nadie vino."),
        ("es", "Parece que nadie avisó."),
        ("en", "This week the strike ends."),
        ("en", "Henry said no."),
        ("en", "Según él, nadie avisó."),
        ("zh", "他说不。"),
        ("es", ""),
    ],
)
def test_beginning_that_stands_alone_does_not_lean(language: str, text: str) -> None:
    assert not leans(text, language=language)


@pytest.mark.parametrize(
    ("index", "begins"),
    [(0, "El juez"), (1, "El juez"), (2, "El juez"), (3, "Además"), (4, "Hoy")],
    ids=["first", "one back", "two back", "no more than two back", "stands alone"],
)
def test_context_begins_where_the_sentence_is_understood(index: int, begins: str) -> None:
    text = "El juez calló. Además, se fue. Según él, bastaba. Ella rio. Hoy llueve."
    sentences = split_sentences(text, language="es")
    start = context_start(sentences, index, language="es")
    assert text[start:].startswith(begins)
