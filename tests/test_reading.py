from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rag.interfaces import Vectors
from rag.reading import Asked, SentenceReader, holds_kind, logistic, rarity_of, weighted_coverage, word_weights_of
from rag.schema import Article, Evidence, Hit, Passage, Sentence


def hit(passage_id: str, sentences: Sequence[str], *, language: str = "es") -> Hit:
    """A passage of the sentences, parted by spaces; its vectors are looked up by its id."""
    found, start = [], 0
    for text in sentences:
        found.append(Sentence(start, start + len(text), text))
        start += len(text) + 1
    text = " ".join(sentences)
    passage = Passage(passage_id, "a", 0, 0, len(text), text, language, text, tuple(found))
    return Hit(passage=passage, article=Article(id="a", text=text, language=language), score=1.0, cosine=0.9)


def reader(vectors: Mapping[str, Sequence[Sequence[float]]]) -> SentenceReader:
    def load(ids: Sequence[str]) -> dict[str, Vectors]:
        return {key: np.array(vectors[key], dtype=np.float32) for key in ids if key in vectors}

    return SentenceReader(load_sentence_vectors=load)


QUESTION_VECTOR = np.array([1.0, 0.0], dtype=np.float32)


def test_the_sentence_nearest_in_meaning_comes_first() -> None:
    reading = reader({"p": [[0.8, 0.6], [0.95, 0.3122]]}).read(
        "¿?", [hit("p", ["Llueve.", "Nieva."])], language="es", question_vector=QUESTION_VECTOR
    )
    assert [item.sentence.text for item in reading.evidence] == ["Nieva.", "Llueve."]
    assert [round(item.cosine, 2) for item in reading.evidence] == [0.95, 0.8]


def test_of_sentences_equally_near_the_one_with_the_asked_words_comes_first() -> None:
    reading = reader({"p": [[0.9, 0.4359], [0.9, 0.4359]]}).read(
        "¿Qué firmaron los estibadores?",
        [hit("p", ["La lonja cerró ayer.", "Los estibadores firmaron la paz."])],
        language="es",
        question_vector=QUESTION_VECTOR,
    )
    assert reading.evidence[0].sentence.text == "Los estibadores firmaron la paz."


def test_of_sentences_equally_near_the_one_with_a_number_answers_how_many() -> None:
    reading = reader({"p": [[0.9, 0.4359], [0.9, 0.4359]]}).read(
        "¿Cuántos son?",
        [hit("p", ["Son bastantes.", "Son 14."])],
        language="es",
        question_vector=QUESTION_VECTOR,
    )
    assert reading.evidence[0].sentence.text == "Son 14."


def test_cosines_of_another_model_are_judged_by_their_place_among_the_others() -> None:
    def judged(vectors: Sequence[Sequence[float]]) -> list[float]:
        other = SentenceReader(
            load_sentence_vectors=lambda ids: {"p": np.array(vectors, dtype=np.float32)}, calibrated=False
        )
        found = other.read("¿Qué?", [hit("p", ["Uno.", "Dos."])], language="es", question_vector=QUESTION_VECTOR)
        assert [item.sentence.text for item in found.evidence] == ["Dos.", "Uno."]
        # The mean and one spread to each side of it.
        return [round(item.cosine, 3) for item in found.evidence]

    assert judged([[0.2, 0.98], [0.6, 0.8]]) == [0.814, 0.758]
    assert judged([[0.5, 0.87], [0.7, 0.71]]) == [0.814, 0.758]


def test_nothing_found_is_probability_zero() -> None:
    reading = reader({}).read("¿Qué?", [], language="es", question_vector=QUESTION_VECTOR)
    assert (reading.evidence, reading.probability) == ((), 0.0)


def test_a_passage_without_vectors_is_not_read() -> None:
    reading = reader({}).read("¿Qué?", [hit("p", ["Uno."])], language="es", question_vector=QUESTION_VECTOR)
    assert reading.evidence == ()


@pytest.mark.parametrize(
    ("question", "kind", "text", "held"),
    [
        ("¿Cuántos heridos hubo?", "number", "Hubo 12.", True),
        ("cuantas personas", "number", "Hubo doce personas.", True),
        ("¿Cuántos heridos hubo?", "number", "Hubo bastantes.", False),
        ("¿Cuándo abrió?", "time", "Abrió el 3 de mayo.", True),
        ("When did it open?", "time", "It opened on Monday.", True),
        ("¿Cuándo abrió?", "time", "Abrió tarde.", False),
        ("¿Quién firmó?", "who", "Ayer firmó Ana Ruiz.", True),
        ("¿Quién firmó?", "who", "Ayer no firmó nadie.", False),
    ],
    ids=str,
)
def test_the_kind_of_thing_asked_is_seen(question: str, kind: str, text: str, held: bool) -> None:
    assert Asked.of(question).kind == kind
    assert holds_kind(kind, text) == held


def test_a_question_of_no_kind_wants_nothing_in_particular() -> None:
    assert Asked.of("¿Qué tratados reemplaza el acuerdo?").kind == ""


def test_words_of_an_earlier_question_weigh_half() -> None:
    asked = Asked.of("¿Y el puerto?", context="¿Quién cerró el puerto de Vigo?")
    assert asked.terms == {"puerto": 1.0, "cerro": 0.5, "vigo": 0.5}
    assert asked.names == ()


def test_names_and_numbers_are_told_from_the_first_word() -> None:
    assert Asked.of("¿Dónde vive Ana Ruiz desde 1961?").names == ("ana", "ruiz", "1961")


def test_rarity_is_high_for_what_few_sentences_say() -> None:
    read = hit("p", ["El tratado vale.", "El tratado sustituye otro.", "El tratado dura."])
    rarity = rarity_of([Evidence(hit=read, sentence=sentence, score=0.0) for sentence in read.passage.sentences])
    assert rarity["tratad"] == pytest.approx(0.1)
    assert rarity["sustit"] == pytest.approx(math.log(4 / 2) + 0.1)


def test_an_asked_word_that_no_sentence_has_weighs_most() -> None:
    read = hit("p", ["El tratado es común.", "Es común.", "Es común y raro."])
    asked = Asked(terms={"comun": 1.0, "raro": 0.5, "ausent": 1.0}, names=(), kind="")
    weights = word_weights_of(
        asked, [Evidence(hit=read, sentence=sentence, score=0.0) for sentence in read.passage.sentences]
    )
    rare = math.log(4 / 2) + 0.1
    assert weights == {"comun": pytest.approx(0.1), "raro": pytest.approx(rare / 2), "ausent": pytest.approx(rare)}


def test_coverage_counts_each_word_by_its_weight() -> None:
    assert weighted_coverage({"comun": 1.0, "ausent": 3.0}, "común") == pytest.approx(1 / (1 + 3))


def test_nothing_asked_is_nothing_covered() -> None:
    assert weighted_coverage({}, "común") == 0.0


def test_the_logistic_function_is_one_half_at_zero() -> None:
    assert logistic((1.0, 2.0), (-0.5,)) == pytest.approx(0.5)
    assert logistic((0.0, 1.0), (math.log(3),)) == pytest.approx(0.75)
