from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunking import HEADER_TOKENS, MARGIN_TOKENS, Count, passages_of
from rag.schema import Article, Passage


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def code_points(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def dear_capitals(texts: Sequence[str]) -> list[int]:
    """Not additive: every text costs two tokens more, capitals cost three."""
    return [2 + len(text.split()) + 3 * sum(char.isupper() for char in text) for text in texts]


def cut(text: str, *, passage_tokens: int = 20, max_tokens: int = 200, **known: str) -> tuple[Passage, ...]:
    article = replace(Article(id="a", text=text, language="es"), **known)  # type: ignore[arg-type]
    return passages_of(article, count=words, passage_tokens=passage_tokens, max_tokens=max_tokens)


def sentence(number: int, length: int) -> str:
    return " ".join([f"Frase{number}", *["palabra"] * (length - 1)]) + "."


PIECES = ["palabra ", "Título\n", "e\u0301", "😀", "。", "，", "A", ". ", "; ", ", ", "\n", " ", "\ud800"]
ANY_TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=300).map("".join)


@settings(max_examples=150)
@given(
    ANY_TEXT,
    st.one_of(st.none(), ANY_TEXT),
    st.sampled_from([words, code_points, dear_capitals]),
    st.integers(min_value=6, max_value=60),
    st.integers(min_value=40, max_value=200),
)
def test_offsets_coverage_and_limits_hold_for_any_text_and_count(
    text: str, title: str | None, count: Count, passage_tokens: int, max_tokens: int
) -> None:
    article = Article(id="a", text=text, title=title, outlet="El Faro", published=date(2024, 6, 19), language="es")
    passages = passages_of(article, count=count, passage_tokens=passage_tokens, max_tokens=max_tokens)
    covered: list[int] = []
    for ordinal, passage in enumerate(passages):
        assert passage.ordinal == ordinal
        assert passage.text == text[passage.start : passage.end] != ""
        assert passage.embedded_text.endswith(passage.text)
        assert count([passage.text])[0] <= passage_tokens
        assert count([passage.embedded_text])[0] <= max_tokens - MARGIN_TOKENS
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)
        for part in passage.sentences:
            assert part.text == text[part.start : part.end] == part.text.strip() != ""
            covered.extend(range(part.start, part.end))
    assert covered == sorted(set(covered))
    assert {index for index, char in enumerate(text) if not char.isspace()} <= set(covered)
    assert len({passage.id for passage in passages}) == len(passages)


def test_empty_text_has_no_passages() -> None:
    assert cut(" \n") == ()


def test_short_article_is_one_passage() -> None:
    (passage,) = cut("Uno dos. Tres.\nCuatro.")
    assert [part.text for part in passage.sentences] == ["Uno dos.", "Tres.", "Cuatro."]
    assert passage.embedded_text == passage.text == "Uno dos. Tres.\nCuatro."


def test_passages_break_at_paragraph_ends_when_they_can() -> None:
    text = f"{sentence(1, 7)} {sentence(2, 7)}\n{sentence(3, 5)} {sentence(4, 5)}\n{sentence(5, 12)}"
    assert [passage.text for passage in cut(text)] == text.split("\n")


def test_last_passage_is_not_one_short_sentence() -> None:
    text = " ".join(sentence(number, 5) for number in range(1, 6))
    assert [len(passage.sentences) for passage in cut(text)] in ([3, 2], [2, 3])


def test_heading_goes_with_what_follows() -> None:
    text = f"{sentence(1, 16)}\nLa respuesta\n{sentence(2, 16)}"
    assert [passage.text.split("\n")[0] for passage in cut(text)] == [sentence(1, 16), "La respuesta"]


def test_long_sentence_is_split_at_a_clause() -> None:
    text = "Uno dos tres cuatro; cinco seis siete ocho, nueve diez once doce."
    assert [passage.text for passage in cut(text, passage_tokens=9)] == [
        "Uno dos tres cuatro; cinco seis siete ocho,",
        "nueve diez once doce.",
    ]


def test_header_carries_title_outlet_and_date_on_one_line() -> None:
    article = Article(id="a", text="Hola mundo.", title="Un\ntítulo", outlet="El Faro", published=date(2024, 6, 19))
    (passage,) = passages_of(article, count=words, passage_tokens=20, max_tokens=200)
    assert passage.embedded_text == "Un título | El Faro | 2024-06-19\nHola mundo."


def test_passage_that_begins_with_the_title_does_not_carry_it_twice() -> None:
    text = f"Un título de prueba\n{sentence(1, 15)}\n{sentence(2, 15)}"
    first, second = cut(text, title="Un título de prueba", outlet="El Faro")
    assert first.embedded_text == f"El Faro\n{first.text}"
    assert second.embedded_text == f"Un título de prueba | El Faro\n{second.text}"


def test_endless_title_is_shortened() -> None:
    (passage,) = cut("Hola mundo.", title="palabra " * 500, outlet="El Faro")
    header = passage.embedded_text.split("\n")[0]
    assert len(header.split()) <= HEADER_TOKENS
    assert header.endswith("| El Faro")


def test_unchanged_passage_keeps_its_id_when_the_article_changes_elsewhere() -> None:
    paragraphs = [sentence(number, 18) for number in range(4)]
    before = cut("\n".join(paragraphs))
    after = cut(
        "\n".join(
            [
                "Un párrafo nuevo de nueve palabras, aquí al principio, hoy mismo.",
                *paragraphs[:3],
                "Otro final distinto que tiene también bastantes palabras propias.",
            ]
        )
    )
    assert {passage.id for passage in before[:3]} <= {passage.id for passage in after}


def test_repeated_passages_have_their_own_ids() -> None:
    first, second = cut(f"{sentence(1, 18)}\n{sentence(1, 18)}")
    assert first.text == second.text
    assert first.id != second.id


def test_counting_takes_few_calls() -> None:
    calls = 0

    def counting(texts: Sequence[str]) -> list[int]:
        nonlocal calls
        calls += 1
        return words(texts)

    text = "\n".join(sentence(number, 15) for number in range(2000))
    passages = passages_of(Article(id="a", text=text), count=counting, passage_tokens=20, max_tokens=200)
    assert len(passages) == 2000
    assert calls <= 5


def test_row_of_nothing_but_accents_is_cut_in_few_steps() -> None:
    calls = 0

    def counting(texts: Sequence[str]) -> list[int]:
        nonlocal calls
        calls += 1
        return code_points(texts)

    text = "a" + "\u0301" * 5000
    passages = passages_of(Article(id="a", text=text), count=counting, passage_tokens=20, max_tokens=200)
    assert "".join(passage.text for passage in passages) == text
    assert calls < 30


def test_no_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="max_tokens 20 leaves no room"):
        cut("Hola.", max_tokens=20)
