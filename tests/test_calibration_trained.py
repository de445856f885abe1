"""How questions are read for fitting the trained reader's probability, with a model that is a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eval.calibration import Case
from eval.calibration_trained import read_by, report_trained
from rag.cross_reading import Weights
from rag.schema import Ask, Consultation, Hit
from tests.test_cross_reading import VECTOR, WordReader, hit, sentence_reader


def case(number: int, *, answerable: bool = True) -> Case:
    """A question that the first of two articles answers, if it is answerable."""
    found = [_titled(hit(f"p{number}", "Firmó Olmo ayer.", "Llovía.")), hit(f"q{number}", "El puerto cerró.")]
    if not answerable:
        found = [_titled(hit(f"p{number}", "Llovía.")), found[1]]
    question = f"¿Quién firmó el {number}?"
    language = "pt" if number % 2 else "es"
    read = sentence_reader(found).read(question, found, language=language, question_vector=VECTOR)
    consultation = Consultation(Ask(question), question, language, tuple(found), read.evidence, read.probability)
    subject = found[0].article.title or ""
    return Case(question, subject, ("Olmo",), consultation, across=bool(number % 2), answerable=answerable)


def _titled(found: Hit) -> Hit:
    return replace(found, article=replace(found.article, title=f"Título {found.passage.id}"))


def test_an_answerable_question_is_read_again_without_its_title_and_each_passage_once() -> None:
    model = WordReader({"Olmo": 5.0})
    whole, without = read_by(model, case(1))
    assert (whole.kind, without.kind) == ("answerable", "left out")
    assert model.read_ids == ["p1", "q1"]
    assert {one.evidence.hit.passage.id for one in whole.known} == {"p1", "q1"}
    assert {one.evidence.hit.passage.id for one in without.known} == {"q1"}
    by_sentence = (0.0, 1.0, *[0.0] * 9)
    assert whole.features(Weights(by_sentence, by_sentence, (), ()))[0] == 5.0


def test_a_question_that_nothing_answers_is_a_near_miss() -> None:
    (read,) = read_by(WordReader({"Olmo": 5.0}), case(1, answerable=False))
    assert read.kind == "near miss"


def test_the_report_prints_both_weights_the_threshold_and_what_they_reach(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [case(number, answerable=number % 5 != 0) for number in range(40)]
    report_trained(cases, model=WordReader({"Olmo": 5.0}))
    said = capsys.readouterr().out
    assert "WEIGHTS = Weights(sentence=(" in said
    assert "MIN_CONFIDENCE = 0." in said
    assert "within a language: best sentence holds the answer: all signals 1.000" in said
    assert "left out: AUROC 1.000" in said
