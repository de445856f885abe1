"""What a long text asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rag.asking import LONG, what_is_asked

if TYPE_CHECKING:
    from rag.archive import Archive

STORY = (
    "Ayer hablaba con mi cuñado, que lee mucho y viaja poco, de lo que habían contado en la radio mientras cenábamos. "
    "Él decía que en su pueblo nadie recordaba nada parecido y que su padre, un cartero, tampoco lo habría creído. "
    "Luego la conversación se fue por otros caminos, como siempre, y acabamos con las fotos de la boda de su hija. "
)
WHERE = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"


@pytest.mark.parametrize(
    ("text", "language", "asked"),
    [
        (WHERE, "es", WHERE),
        (STORY + WHERE, "es", WHERE),
        (f"{WHERE} {STORY}", "es", WHERE),
        (f"{STORY}{WHERE} ¿Y quién la firmó?", "es", f"{WHERE} ¿Y quién la firmó?"),
        (STORY, "es", STORY),
        ("so " * LONG + "what?", "en", "so " * LONG + "what?"),
    ],
    ids=["short", "last", "first", "two", "none", "one long sentence"],
)
def test_of_a_long_text_the_sentences_that_ask_count(text: str, language: str, asked: str) -> None:
    assert what_is_asked(text, language=language) == asked


def test_a_question_at_the_end_of_a_story_is_answered(sample_archive: Archive) -> None:
    plain, told = sample_archive.ask(WHERE), sample_archive.ask(STORY + WHERE)
    assert told.status == "answered"
    assert told.citations[0].quote == plain.citations[0].quote
    assert [hit.passage.id for hit in sample_archive.search(STORY + WHERE, k=5)] == [
        hit.passage.id for hit in sample_archive.search(WHERE, k=5)
    ]
