"""What the trained reader's logits become: sentences in order, words that answer, a probability; and the fallback."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest import ingest
from rag import reader_weights
from rag.archive import Archive
from rag.config import Settings, load_settings
from rag.cross_reading import FIRST, MIN_CONFIDENCE, READ, CrossReader, Weights, both, trained_answer_features
from rag.interfaces import Embedder, PassageLogits, Reader, Reading, Vectors
from rag.reading import Asked, SentenceReader, logistic, word_weights_of
from rag.schema import Answer, Article, Evidence, Hit, Passage, Sentence
from tests.hashed_embedder import HashedEmbedder

VECTOR = np.array([1.0, 0.0], np.float32)
BEFORE = "¡Eh! "


class WordReader:
    """A trained model by the rule: some words answer, each as likely as it is told. A token is a word or a mark."""

    def __init__(self, answers: Mapping[str, float]) -> None:
        self.answers = answers
        self.read_ids: list[str] = []

    def read(self, question: str, hits: Sequence[Hit], *, context: str = "") -> list[PassageLogits]:
        self.read_ids += [hit.passage.id for hit in hits]
        return [self._read(hit) for hit in hits]

    def _read(self, hit: Hit) -> PassageLogits:
        found = list(re.finditer(r"\w+|[^\w\s]", hit.passage.text))
        logits = np.array([self.answers.get(each.group(), -4.0) for each in found], np.float32)
        answering = np.empty_like(logits)
        for sentence in hit.passage.sentences:
            inside = [sentence.start <= hit.passage.start + each.start() < sentence.end for each in found]
            answering[inside] = logits[inside].max()
        return PassageLogits(
            starts=np.array([hit.passage.start + each.start() for each in found]),
            ends=np.array([hit.passage.start + each.end() for each in found]),
            span_starts=logits,
            span_ends=logits,
            answering=answering,
            none=0.0,
            relevance=float(logits.max()),
        )


def hit(id_: str, *sentences: str, copies: tuple[Hit, ...] = ()) -> Hit:
    """A passage of the sentences behind some other text of its article."""
    found, start = [], len(BEFORE)
    for text in sentences:
        found.append(Sentence(start, start + len(text), text))
        start += len(text) + 1
    text = " ".join(sentences)
    passage = Passage(id_, f"of {id_}", 0, len(BEFORE), len(BEFORE + text), text, "es", text, tuple(found))
    return Hit(passage, Article(id=f"of {id_}", text=BEFORE + text, language="es"), 1.0, 0.9, copies=copies)


def sentence_reader(hits: Sequence[Hit], near: Mapping[str, float] = {}) -> SentenceReader:
    """A zero-training reader for which all sentences are as near, but those of passages in `near`."""

    def load(ids: Sequence[str]) -> dict[str, Vectors]:
        of = {each.passage.id: each.passage for each in hits}
        return {
            id_: np.array([[near.get(id_, 0.8), 0.0]] * len(of[id_].sentences), np.float32) for id_ in ids if id_ in of
        }

    return SentenceReader(load_sentence_vectors=load)


def read(
    question: str, hits: Sequence[Hit], answers: Mapping[str, float], near: Mapping[str, float] = {}
) -> tuple[tuple[Evidence, ...], float, WordReader]:
    model = WordReader(answers)
    reader = CrossReader(model, sentences=sentence_reader(hits, near))
    reading = reader.read(question, hits, language="es", question_vector=VECTOR)
    return reading.evidence, reading.probability, model


def words(item: Evidence) -> list[str]:
    return [item.hit.article.text[start:end] for start, end in item.spans]


# ---- what every reader has to do


@pytest.fixture(params=["sentences", "trained"])
def any_reader(request: pytest.FixtureRequest) -> Reader:
    sentences = sentence_reader([hit("p", "Firmó Olmo.", "Llovía."), hit("q", "El puerto cerró.")])
    if request.param == "sentences":
        return sentences
    return CrossReader(WordReader({"Olmo": 5.0}), sentences=sentences)


def test_a_reader_has_a_name(any_reader: Reader, request: pytest.FixtureRequest) -> None:
    assert any_reader.name == request.node.callspec.params["any_reader"]


def test_a_reader_of_nothing_finds_nothing(any_reader: Reader) -> None:
    reading = any_reader.read("¿Quién firmó?", [], language="es", question_vector=VECTOR)
    assert (reading.evidence, reading.probability) == ((), 0.0)


def test_a_reader_passes_over_passages_without_vectors(any_reader: Reader) -> None:
    reading = any_reader.read("¿Quién firmó?", [hit("unknown", "Olmo.")], language="es", question_vector=VECTOR)
    assert (reading.evidence, reading.probability) == ((), 0.0)


def test_a_reader_judges_every_sentence_once_best_first_and_its_words_are_inside(any_reader: Reader) -> None:
    hits = [hit("q", "El puerto cerró."), hit("p", "Firmó Olmo.", "Llovía.")]
    reading = any_reader.read("¿Quién firmó?", hits, language="es", question_vector=VECTOR)
    assert sorted(item.sentence.text for item in reading.evidence) == ["El puerto cerró.", "Firmó Olmo.", "Llovía."]
    scores = [item.score for item in reading.evidence]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in (*scores, reading.probability))
    for item in reading.evidence:
        assert item.hit.article.text[item.sentence.start : item.sentence.end] == item.sentence.text
        assert all(item.sentence.start <= start < end <= item.sentence.end for start, end in item.spans)


def test_a_reader_gives_the_same_whatever_else_is_asked_meanwhile(any_reader: Reader) -> None:
    hits = [hit("p", "Firmó Olmo.", "Llovía.")]
    first = any_reader.read("¿Quién firmó?", hits, language="es", question_vector=VECTOR)
    any_reader.read("¿Y el puerto?", [hit("q", "El puerto cerró.")], language="es", question_vector=VECTOR, context="a")
    assert any_reader.read("¿Quién firmó?", hits, language="es", question_vector=VECTOR) == first


# ---- the trained one


def test_the_sentence_with_the_answer_comes_first_and_its_words_are_told() -> None:
    evidence, _, _ = read("¿Quién firmó?", [hit("p", "Llovía.", "Firmó Olmo ayer."), hit("q", "Nada.")], {"Olmo": 5.0})
    assert evidence[0].sentence.text == "Firmó Olmo ayer."
    assert words(evidence[0]) == ["Olmo"]
    assert [item.spans for item in evidence[1:]] == [(), ()]


def test_all_words_of_a_list_are_told_over_sentences_and_passages() -> None:
    hits = [hit("p", "Reemplaza el de Olmo y el de Pino.", "Antes regía el de Tejo."), hit("q", "El de Roble acaba.")]
    answers = {"Olmo": 5.0, "Pino": 4.5, "Tejo": 4.0, "Roble": 5.0}
    evidence, _, _ = read("¿Qué tratados reemplaza?", hits, answers)
    assert sorted(word for item in evidence for word in words(item)) == ["Olmo", "Pino", "Roble", "Tejo"]
    single, _, _ = read("¿Qué tratado reemplaza?", hits, answers)
    assert sorted(word for item in single for word in words(item)) == ["Olmo", "Roble", "Tejo"]


def test_words_less_likely_than_no_answer_are_not_told() -> None:
    evidence, _, _ = read("¿Quién firmó?", [hit("p", "Firmó Olmo.")], {"Olmo": -0.5})
    assert words(evidence[0]) == []


def test_what_the_archive_answers_is_more_probable() -> None:
    hits = [hit("p", "Firmó Olmo."), hit("q", "Llovía.")]
    _, answered, _ = read("¿Quién firmó?", hits, {"Olmo": 8.0})
    _, unknown, _ = read("¿Quién firmó?", hits, {"Olmo": -8.0})
    assert answered > MIN_CONFIDENCE > unknown


def test_the_model_reads_so_many_passages_best_first_and_equal_texts_once() -> None:
    hits = [hit(f"p{at}", f"Texto {at}.") for at in range(READ + 3)]
    hits.insert(1, hit("same", "Texto 0."))
    _, _, model = read("¿Quién firmó?", hits, {})
    assert model.read_ids == [f"p{at}" for at in range(READ)]


def test_when_it_is_certain_passages_of_which_nothing_is_expected_are_left() -> None:
    hits = [hit(f"p{at}", f"Olmo {at}." if at == 0 else f"Texto {at}.") for at in range(READ)]
    promising = {f"p{at}": 0.9 for at in (0, READ - 1)}
    rest = {f"p{at}": 0.5 for at in range(1, READ - 1)}
    _, _, certain = read("¿Quién?", hits, {"Olmo": 10.0}, promising | rest)
    assert certain.read_ids == [*(f"p{at}" for at in range(FIRST)), f"p{READ - 1}"]
    _, _, doubting = read("¿Quién?", hits, {"Olmo": -1.0}, promising | rest)
    assert len(doubting.read_ids) == READ


def test_a_copy_that_was_not_read_is_judged_like_the_sentence_it_repeats() -> None:
    hits = [hit(f"p{at}", f"Texto número {at}.") for at in range(READ - 1)]
    hits.append(hit("origin", "Los tres firmantes cenaron con Olmo en la vieja lonja."))
    hits.append(hit("copy", "Dicen que llueve.", "Los cinco firmantes cenaron con Olmo en la vieja lonja."))
    evidence, _, model = read("¿Quién firmó?", hits, {"Olmo": 5.0})
    assert "copy" not in model.read_ids
    best = evidence[:2]
    assert {item.hit.passage.id for item in best} == {"origin", "copy"}
    assert best[0].score == best[1].score
    assert [words(item) for item in best] == [["Olmo"], ["Olmo"]]
    assert [item.score for item in evidence if item.sentence.text == "Dicen que llueve."] == [0.0]


def test_features_of_the_answer_are_those_of_the_sentence_that_answers_best() -> None:
    from rag.cross_reading import signals

    hits = [hit("p", "Llovía.", "Firmó Olmo ayer."), hit("q", "Nada.")]
    seen = sentence_reader(hits).read("¿Quién firmó?", hits, language="es", question_vector=VECTOR).evidence
    known = signals("¿Quién firmó?", hits, seen, model=WordReader({"Olmo": 3.0}))
    asked = Asked.of("¿Quién firmó?")
    word_weights = word_weights_of(asked, seen)
    features = trained_answer_features(asked, known[1], known, seen=seen, word_weights=word_weights)
    # Its logit, that of "Olmo" begun and ended, its passage's; one passage of two; its cosine, and that of the hits;
    # the question's words; no names; a name is there.
    assert features == pytest.approx((3.0, 6.0, 3.0, np.log(2), 0.8, 0.9, 1.0, 0.5, 1.0))


def test_a_follow_up_is_answered_by_what_answers_it_alone_and_after_the_question_before() -> None:
    found = hit("p", "Firmó Olmo.", "Fue en Kelmar.", "Llovía.")

    def reading(*scores: float, probability: float) -> Reading:
        sentences = zip(found.passage.sentences, scores, strict=True)
        items = [Evidence(hit=found, sentence=sentence, score=score) for sentence, score in sentences]
        return Reading(tuple(sorted(items, key=lambda item: -item.score)), probability)

    # Together, the sentence that answered the question before is the best; alone, the one on the weather is.
    read = both(reading(0.01, 0.64, 0.81, probability=0.9), reading(0.81, 0.49, 0.0, probability=0.4))
    assert [item.sentence.text for item in read.evidence] == ["Fue en Kelmar.", "Firmó Olmo.", "Llovía."]
    assert [item.score for item in read.evidence] == pytest.approx([0.56, 0.09, 0.0])
    assert read.probability**3 == pytest.approx(0.9 * 0.4**2)


def test_what_is_in_another_language_is_judged_by_weights_of_its_own() -> None:
    weights = Weights((0.0,), (1.0,), (2.0,), (3.0,))
    seen = sentence_reader([hit("p", "Firmó Olmo.")]).read(
        "¿Quién firmó?", [hit("p", "Firmó Olmo.")], language="es", question_vector=VECTOR
    )
    item = seen.evidence[0]
    assert weights.probability((), item, language="es") == logistic((2.0,), ())
    assert weights.probability((), item, language="pt") == logistic((3.0,), ())


# ---- which one reads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "row.jsonl").write_text('{"title": "Un título", "text": "Olmo firmó la paz en Vigo."}', "utf-8")
    with Archive.open(tmp_path / "archive", create=True, embedder=HashedEmbedder()) as archive:
        ingest(archive, [tmp_path / "row.jsonl"])
    return tmp_path / "archive"


def _asked(folder: Path, wanted: str) -> tuple[Answer, dict[str, str], list[str]]:
    told: list[str] = []
    settings = load_settings(arguments={"reading.reader": wanted, "answer.min_confidence": 0})
    with Archive.open(folder, settings=settings, embedder=HashedEmbedder(), notify=told.append) as archive:
        answers = [archive.ask("¿Quién firmó la paz?") for _ in range(2)]
        assert [answer.status for answer in answers] == ["answered"] * 2
        assert answers[0].to_dict()["reader"] == answers[0].reader
        return answers[0], archive.reader, told


@pytest.mark.parametrize(
    ("content", "wanted", "why"),
    [
        (None, "trained", "there are no trained weights in"),
        (b"broken", "trained", "are damaged"),
    ],
    ids=str,
)
def test_weights_that_cannot_be_used_are_told_once_and_the_other_reader_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, wanted: str, why: str
) -> None:
    monkeypatch.setattr(reader_weights, "WEIGHTS_FILE", tmp_path / "weights")
    if content is not None:
        (tmp_path / "weights").write_bytes(content)
    answer, reader, told = _asked(folder, wanted)
    assert (answer.reader, reader["name"]) == ("sentences", "sentences")
    assert [notice for notice in answer.notices if "hemeroteca doctor" in notice] == list(answer.notices) != []
    assert why in reader["why"]
    assert len([sentence for sentence in told if why in sentence]) == 1


@pytest.mark.parametrize("wanted", ["auto", "sentences"])
def test_without_trained_weights_nobody_is_bothered(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setattr(reader_weights, "WEIGHTS_FILE", tmp_path / "weights")
    answer, reader, told = _asked(folder, wanted)
    assert (answer.reader, answer.notices, reader, told) == ("sentences", (), {"name": "sentences"}, [])


def test_damaged_weights_are_told_where_the_trained_reader_reads_by_default(
    sample_copy: Path, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_weights, "WEIGHTS_FILE", tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"broken")
    with Archive.open(sample_copy, settings=Settings(), embedder=embedder) as archive:
        answer = archive.ask("¿Cuántos heridos hubo en los choques del puerto?")
        assert answer.reader == "sentences"
        assert any("hemeroteca doctor" in notice for notice in answer.notices)
        assert "are damaged" in archive.reader["why"]


def test_with_another_model_the_trained_reader_has_to_be_asked_for(folder: Path) -> None:
    answer, reader, _ = _asked(folder, "auto")
    assert (answer.reader, answer.notices, reader) == ("sentences", (), {"name": "sentences"})


def test_the_shipped_reader_reads_by_default(sample_copy: Path, embedder: Embedder) -> None:
    with Archive.open(sample_copy, settings=Settings(), embedder=embedder) as archive:
        assert archive.reader["name"] == "trained"
        assert archive.ask("¿Cuántos heridos hubo en los choques del puerto?").reader == "trained"


@pytest.mark.slow
def test_the_shipped_reader_points_at_words_inside_its_quotations(seeds_archive: Archive) -> None:
    if not reader_weights.WEIGHTS_FILE.is_file():
        pytest.skip("rag/reader holds no trained weights")
    settings = load_settings(arguments={"reading.reader": "trained", "answer.min_confidence": 0})
    told: list[str] = []
    answer = seeds_archive.with_settings(settings, notify=told.append).ask("¿Qué tratados reemplaza el acuerdo?")
    assert (answer.reader, told) == ("trained", [])
    assert answer.citations
    for citation in answer.citations:
        assert all(citation.start <= start < end <= citation.end for start, end in citation.spans)
