import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import split_sentences

PIECES = [*'\r\n\t .!?…"»”)(—-¿¡aÁé1;,。', "\r\n", "e\u0301", "😀", "👩\u200d👧", "\u2028", "\x85", "\ud800"]
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=150).map("".join)


def texts(text: str, language: str = "es") -> list[str]:
    return [sentence.text for sentence in split_sentences(text, language=language)]


@given(HOSTILE, st.sampled_from(["es", "en", "zh", "ar", "und", "xx", ""]))
def test_offsets_are_exact_and_every_visible_character_is_in_one_sentence(text: str, language: str) -> None:
    covered: list[int] = []
    for sentence in split_sentences(text, language=language):
        assert sentence.text == text[sentence.start : sentence.end]
        assert sentence.text == sentence.text.strip() != ""
        covered.extend(range(sentence.start, sentence.end))
    assert covered == sorted(set(covered))
    assert {index for index, char in enumerate(text) if not char.isspace()} <= set(covered)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ", []),
        ("Una. Dos.", ["Una.", "Dos."]),
        ("Título sin punto\r\nPrimera frase.\n\nSegunda.", ["Título sin punto", "Primera frase.", "Segunda."]),
        ("Moscú y Pyongyang. .\nUshakov dijo.", ["Moscú y Pyongyang. .", "Ushakov dijo."]),
        ("En 2022. E Estados Unidos acusó.", ["En 2022.", "E Estados Unidos acusó."]),
        ("«No iremos.» El ministro lo dijo.", ["«No iremos.»", "El ministro lo dijo."]),
        ('"Otra cosa." Luego se fue.', ['"Otra cosa."', "Luego se fue."]),
        ("(Así fue.) Después llovió.", ["(Así fue.)", "Después llovió."]),
        ("EE. UU. envió 11.000 tropas. El Sr. Díaz no.", ["EE. UU. envió 11.000 tropas.", "El Sr. Díaz no."]),
        ("D. Juan y Dña. Ana vinieron. Bien.", ["D. Juan y Dña. Ana vinieron.", "Bien."]),
        ("—¿Vienes? —preguntó ella.", ["—¿Vienes? —preguntó ella."]),
        (
            "Washington, 3 jun (EFE).- El presidente habló. Fin.",
            ["Washington, 3 jun (EFE).- El presidente habló.", "Fin."],
        ),
        ("1. Uno. 2. Dos.", ["1. Uno.", "2. Dos."]),
        ('Dijo que "es una "gran posibilidad". Añadió más.', ['Dijo que "es una "gran posibilidad".', "Añadió más."]),
        ("Los JJ. OO. de 1992 fueron aquí.", ["Los JJ. OO. de 1992 fueron aquí."]),
        ("Fin 😀. Otro.", ["Fin 😀.", "Otro."]),
        ("Fin. 😀", ["Fin. 😀"]),
    ],
    ids=repr,
)
def test_news_is_split_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_other_languages_follow_their_own_marks() -> None:
    assert texts("他说：“你好。”然后走了。第二句！", "zh") == ["他说：“你好。”", "然后走了。", "第二句！"]
    assert texts("यह है। वह है।", "hi") == ["यह है।", "वह है।"]
    assert texts("M. Macron est venu. Puis il part.", "fr") == ["M. Macron est venu.", "Puis il part."]


def test_thai_is_cut_at_spaces_but_not_into_scraps() -> None:
    clause = "รัฐบาลประกาศเมื่อวันจันทร์ว่าจะสร้างทางรถไฟสายใหม่ระหว่างสองเมืองใหญ่ของประเทศภายในห้าปีข้างหน้า"
    assert len(clause) > 80
    text = f"{clause} {clause} ใน 2024 {clause} จบ"
    found = split_sentences(text, language="th")
    assert [sentence.text for sentence in found] == [clause, clause, f"ใน 2024 {clause} จบ"]
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in found)
    # In another language nothing of this counts.
    assert len(split_sentences(text, language="es")) == 1
