"""The word index: the analysis of each language, and questions that are not tame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.analysis import question_terms, terms
from rag.interfaces import Filters
from rag.words import VERSION, TantivyIndex, open_word_index
from tests.memory_truth import MemoryTruth

ALL = Filters()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TantivyIndex]:
    index = open_word_index(tmp_path / "words")
    yield index
    index.close()


@pytest.fixture(scope="module")
def two_articles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TantivyIndex]:
    index = open_word_index(tmp_path_factory.mktemp("words"))
    yield holding(index, "El tratado, tras su ratificación.", "La lluvia.")
    index.close()


def find(index: TantivyIndex, question: str, *, language: str = "es") -> list[str]:
    return [found.passage_id for found in index.search(question, language=language, k=10, filters=ALL)]


def holding(index: TantivyIndex, *texts: str, language: str = "es") -> TantivyIndex:
    """Return the index with one article per text, their passages named a#0, b#0, …"""
    truth = MemoryTruth()
    for name, text in zip("abcdefgh", texts, strict=False):
        truth.put(name, [text], language=language)
    index.catch_up(truth)
    return index


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("¿Cuándo fue la ratifcación?", True),
        ("¿Cuándo fue la ratificaicón?", True),
        ("¿Cuándo fue la rattificación?", True),
        ("¿Cuándo fue la ratigicación?", True),
        # Two letters off.
        ("¿Cuándo fue la rtifcación?", False),
    ],
)
def test_a_misspelt_word_that_nobody_wrote_finds_the_one_beside_it(
    two_articles: TantivyIndex, question: str, found: bool
) -> None:
    assert (find(two_articles, question) == ["a#0"]) is found


def test_a_word_that_somebody_wrote_is_taken_as_it_stands(index: TantivyIndex) -> None:
    holding(index, "El pacto de Carmania.", "El pacto de Carmenia.")
    assert find(index, "carmania") == ["a#0"]
    assert find(index, "carmenia") == ["b#0"]


def test_a_short_word_is_not_corrected(index: TantivyIndex) -> None:
    assert find(holding(index, "El mar en calma."), "mal") == []


def test_misspelt_words_of_other_scripts_are_found(index: TantivyIndex) -> None:
    holding(index, "Президент подписал соглашение.", language="ru")
    assert find(index, "соглашние", language="ru") == ["a#0"]


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("ratificación", "Se aprobó la ratificación.", True),
        ("ratificacion", "Se aprobó la ratificación.", True),
        ("ratificaciones", "Se aprobó la ratificación.", True),
        ("ratificación", "Se aprobó la ratificacion.", True),
        ("firmaria", "Dijo que firmaría el tratado.", True),
        ("firmó", "Las partes firmaron.", True),
        ("ecologia", "Un congreso de ecología.", True),
        ("numeros", "El número de casos.", True),
        ("paises", "Un país pequeño.", True),
        ("país", "Varios países.", True),
        ("año", "Hace diez años.", True),
        ("ojo", "Con los ojos abiertos.", True),
        ("anos", "Hace diez años.", False),
        ("año", "El ano es parte del cuerpo.", False),
        ("nino", "El Niño calienta el océano.", False),
        ("niño", "Los niños de la escuela.", True),
        ("ÑANDÚ", "Un ñandú cruzó la ruta.", True),
        ("an\u0303o", "El año pasado.", True),
        ("11000", "Unos 11.000 contenedores.", True),
        ("11.000", "Unos 11 000 contenedores.", True),
        ("11,000", "Unos 11000 contenedores.", True),
        ("11 mil", "Unos 11\u202f000 contenedores.", True),
        ("11.000", "Unos 11 contenedores de 000.", False),
        ("1.234.567", "Costó 1 234 567 euros.", True),
        ("3,5", "Creció 3.5 por ciento.", True),
        ("3,5", "Entre 3 y 5 heridos.", False),
        ("300", "En 2020 300 personas.", True),
        ("2020", "En 2020 300 personas.", True),
        ("1961", "El tratado de 1961.", True),
        ("1961", "El tratado de 1962.", False),
        ("D'Hondt", "La ley D’Hondt reparte escaños.", True),
        ("F-16", "Un avión F-16.", True),
        ("OTAN", "la otan", True),
        ("internacional", "El comercio inter\u00adnacional y el ra\u200bcional.", True),
        ("racional", "El comercio inter\u00adnacional y el ra\u200bcional.", True),
    ],
    ids=lambda value: str(value)[:24],
)
def test_spanish_words_meet(question: str, text: str, found: bool) -> None:
    asked = {term for spellings in question_terms(question, "es") for term in spellings}
    assert bool(asked & set(terms(text, "es"))) is found


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("es", "¿Qué, cuál, cuáles, cuántos, quién, dónde, cuándo, cómo y por qué?", []),
        ("es", "que cual cuantos quien donde cuando como por que", []),
        ("en", "Who, what, when, where, why and how many?", []),
        ("en", "The treaties of 11,000 islands", ["treati", "11000", "island"]),
        ("de", "Größe der Straßen", ["gross", "strass"]),
        ("ru", "её ёлки", ["елк"]),
        ("fr", "L’élection des maires", ["elect", "mair"]),
        ("zh", "人民大会 GDP 5.2", ["人民", "民大", "大会", "gdp", "5.2"]),
        ("zh", "人", ["人"]),
        ("ja", "ﾄｳｷｮｳ", ["トウ", "ウキ", "キョ", "ョウ"]),
        ("hi", "प्रधान मंत्री", ["प्रधान", "मंत्री"]),
        ("pl", "Łódź i Kraków", ["lodz", "i", "krakow"]),
        ("und", "", []),
        ("", "Ratificación", ["ratificacion"]),
        ("es", "x" * 81, []),
    ],
    ids=lambda value: str(value)[:24] or "empty",
)
def test_each_language_has_its_terms(language: str, text: str, expected: list[str]) -> None:
    assert terms(text, language) == expected


def test_a_spanish_question_without_accents_is_tried_with_them() -> None:
    assert question_terms("¿firmaria que?", "es") == [["firmari", "firm"]]


def test_a_spanish_question_with_an_accent_is_taken_as_written() -> None:
    assert question_terms("¿firmaria qué?", "es") == [["firmari"]]


def test_a_word_said_twice_counts_once() -> None:
    assert question_terms("treaty Treaty treaties", "en") == [["treati"]]


def test_a_question_of_stop_words_finds_nothing(index: TantivyIndex) -> None:
    assert find(holding(index, "¿Qué es lo que hay?"), "¿Qué es lo que hay?") == []


@pytest.mark.parametrize(
    "question",
    [
        "",
        " \n\t",
        "¿¡!?",
        'tratado AND (words:"x" OR',
        "title:* [a TO z] ~2 ^3 \\ +- && ||",
        "-tratado",
        "words:tratado",
        "'; DROP TABLE passages; --",
        "tratado\x00\x1b[31m",
        "\ud800 tratado",
        "\u202e\u200b\ufeff tratado",
        "🇪🇸 👩‍👩‍👧",
        "(" * 5000,
        "tratado " * 5000,
        " ".join(f"palabra{number}" for number in range(3000)),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_hostile_questions_are_only_words(two_articles: TantivyIndex, question: str) -> None:
    assert find(two_articles, question) == (["a#0"] if "tratado" in question else [])


def test_a_question_typed_without_accents_finds_the_accented_word(two_articles: TantivyIndex) -> None:
    assert find(two_articles, "¿cuando fue la ratificacion?") == ["a#0"]


def test_only_passages_of_the_language_are_found(index: TantivyIndex) -> None:
    truth = MemoryTruth()
    truth.put("es", ["Madrid y el tratado"], language="es")
    truth.put("en", ["Madrid and the treaty"], language="en")
    index.catch_up(truth)
    assert find(index, "Madrid", language="es") == ["es#0"]
    assert find(index, "Madrid", language="en") == ["en#0"]
    assert find(index, "Madrid", language="fr") == []


def test_a_language_without_analysis_is_found_by_its_name_and_as_unknown(index: TantivyIndex) -> None:
    truth = MemoryTruth()
    truth.put("pl", ["Kraków"], language="pl")
    truth.put("und", ["Kraków"], language="und")
    truth.put("none", ["Kraków"], language="")
    index.catch_up(truth)
    assert find(index, "krakow", language="pl") == ["pl#0"]
    assert find(index, "krakow", language="und") == ["none#0", "pl#0", "und#0"]


def test_title_and_outlet_are_found_but_weigh_less(index: TantivyIndex) -> None:
    truth = MemoryTruth()
    truth.put("title", ["La cámara votó ayer."], title="El tratado", outlet="El Faro")
    truth.put("text", ["El tratado pasó ayer."], title="La cámara", outlet="La Voz")
    index.catch_up(truth)
    assert find(index, "tratado") == ["text#0", "title#0"]
    assert find(index, "faro") == ["title#0"]


def test_the_passage_with_more_of_the_words_is_first(index: TantivyIndex) -> None:
    holding(index, "Llueve en la sierra.", "El tratado de pesca en la sierra.", "Pesca de altura.")
    assert find(index, "tratado de pesca")[0] == "b#0"


def test_an_index_of_an_older_version_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / "meta.json").write_text("{}")
    index = open_word_index(tmp_path)
    assert index.applied_seq == 0
    assert [child.name for child in tmp_path.iterdir()] == [f"v{VERSION}"]
    index.close()


def test_the_lock_file_of_a_dead_process_is_no_obstacle(index: TantivyIndex, tmp_path: Path) -> None:
    (tmp_path / "words" / f"v{VERSION}" / ".tantivy-writer.lock").write_text("")
    assert find(holding(index, "El tratado."), "tratado") == ["a#0"]


class FailsOnce(MemoryTruth):
    def changes(self, after, *, event):  # type: ignore[no-untyped-def]
        if not self.log[-1].article_id == "mended":
            raise KeyError("broken")
        return super().changes(after, event=event)

    def passages_of(self, article_ids):  # type: ignore[no-untyped-def]
        if "mended" not in article_ids:
            raise KeyError("broken")
        return super().passages_of(article_ids)


def test_a_failure_while_writing_leaves_the_index_writable(index: TantivyIndex) -> None:
    truth = FailsOnce()
    truth.put("a", ["El tratado."])
    with pytest.raises(KeyError) as caught:  # the caught exception keeps the failed call's frame alive
        index.catch_up(truth)
    truth.put("mended", ["El tratado."])
    assert index.catch_up(truth) == 2
    assert caught.value.args == ("broken",)
    assert find(index, "tratado") == ["a#0", "mended#0"]


def test_catching_up_again_writes_nothing(index: TantivyIndex, tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put("a", ["El tratado."])
    index.catch_up(truth)
    meta = tmp_path / "words" / f"v{VERSION}" / "meta.json"
    before = meta.stat().st_mtime_ns
    index.catch_up(truth)
    assert meta.stat().st_mtime_ns == before


def test_scores_do_not_depend_on_how_the_articles_came_in(tmp_path: Path) -> None:
    texts = {f"a{number:02}": f"El tratado {number}, o la lluvia {number % 7} de junio." for number in range(40)}
    found = []
    for name, ids, at_once in (("one", sorted(texts), 40), ("many", sorted(texts, reverse=True), 3)):
        truth = MemoryTruth()
        index = open_word_index(tmp_path / name)
        for number, article_id in enumerate(ids):
            truth.put(article_id, [texts[article_id]])
            if number % at_once == 0:
                index.catch_up(truth)
        index.catch_up(truth)
        found.append(index.search("¿Qué tratado, en qué lluvia 3 de junio?", language="es", k=40, filters=ALL))
        index.close()
    assert found[0] == found[1]


def test_an_index_without_its_mark_is_made_anew(tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put("a", ["El tratado."])
    holding_it = open_word_index(tmp_path)
    holding_it.catch_up(truth)
    holding_it.close()
    (tmp_path / f"v{VERSION}" / "applied.json").unlink()
    (tmp_path / "seal.json").unlink()
    again = open_word_index(tmp_path)
    assert again.catch_up(truth) == 1
    assert (find(again, "tratado"), again.count()) == (["a#0"], 1)
    again.close()
