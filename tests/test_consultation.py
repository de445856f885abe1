"""What a question may look like: too long, unseen characters, no words; through every way to ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag import consultation
from rag.config import load_settings
from rag.question import MAX_QUESTION_CHARACTERS, understand
from rag.readable import readable
from rag.schema import Answer, Ask, Limit, Turn

if TYPE_CHECKING:
    from rag.archive import Archive

WHERE = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"
LONG = (WHERE + " ") * (100_000 // len(WHERE) + 1)
TOO_LONG = f"La pregunta tiene {len(LONG.strip())} caracteres: solo se han leído los primeros 2000."


def places(answer: Answer) -> Sequence[tuple[str, int, int]]:
    return [(citation.article.id, citation.start, citation.end) for citation in answer.citations]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x1b[31mc\x9bd\x7f", "a b c d "),
        ("\ud83d\ude00 y \ud800", "😀 y \ufffd"),
        ("Val\u200bdo\u00adria\ufeff", "Valdoria"),
        ("\u202eabc\u202c \u2066d\u2069\u200f", "abc d"),
        ("a\r\nb\tc\u2028d", "a\nb\tc d"),
        ("👩\u200d👧 می\u200cخواهم ñ ¿?", "👩\u200d👧 می\u200cخواهم ñ ¿?"),
        ("", ""),
    ],
    ids=["controls", "surrogates", "zero-width", "directions", "lines", "joiners", "empty"],
)
def test_what_cannot_be_seen_goes(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    "question",
    [
        f"\ufeff{WHERE}\x00",
        WHERE.replace("Valdoria", "Val\u200bdo\u200bria"),
        f"\u202e{WHERE}\u202c",
    ],
    ids=["BOM and NUL", "zero-width", "right to left"],
)
def test_unseen_characters_change_no_answer(sample_archive: Archive, question: str) -> None:
    assert places(sample_archive.ask(question)) == places(sample_archive.ask(WHERE))


def test_a_question_in_capitals_is_read_in_small_letters_and_shown_as_it_was_typed(sample_archive: Archive) -> None:
    whatever = sample_archive.with_settings(load_settings(arguments={"answer.min_confidence": 0}))
    shouted = whatever.ask(WHERE.upper())
    assert places(shouted) == places(whatever.ask(WHERE.lower()))
    assert (shouted.status, shouted.question) == ("answered", WHERE.upper())


@pytest.mark.parametrize(
    "question",
    ["???", "\u200b\u200b", "\x00", "\ufeff", "😀" * 50, "[[[[", "\ud800", "\u202e\u202e", "\u0301"],
    ids=ascii,
)
def test_question_without_a_word_is_unknown_and_says_why(sample_archive: Archive, question: str) -> None:
    answer = sample_archive.ask(question)
    assert (answer.status, answer.confidence, answer.statements) == ("unknown", 0.0, ())
    assert answer.notices == ("The question has neither a word nor a number.",)


@pytest.mark.parametrize("question", ["", " \n\t "], ids=repr)
def test_empty_question_is_an_error(sample_archive: Archive, question: str) -> None:
    with pytest.raises(ValueError, match="the question is empty: ask something"):
        sample_archive.ask(question)


def test_of_a_question_of_100_000_characters_the_first_2_000_are_read(sample_archive: Archive) -> None:
    answer = sample_archive.ask(LONG)
    assert answer.notices == (TOO_LONG,)
    assert answer.question == LONG[:MAX_QUESTION_CHARACTERS].strip()
    assert places(answer) == places(sample_archive.ask(LONG[:MAX_QUESTION_CHARACTERS]))


@pytest.mark.parametrize("unit", ["a", "\u0301", "中", "(\\AND words:x^9~ "], ids=ascii)
def test_no_question_of_100_000_characters_fails(sample_archive: Archive, unit: str) -> None:
    assert len(sample_archive.search("¿Qué? " + unit * (100_000 // len(unit)), k=3)) == 3


def test_earlier_turns_may_hold_anything(sample_archive: Archive) -> None:
    whatever = sample_archive.with_settings(load_settings(arguments={"answer.min_confidence": 0}))
    answer = whatever.ask("¿Y dónde se firmó?", history=[Turn(f"\ud800\x00{WHERE}", LONG)])
    assert answer.status == "answered"


@pytest.mark.parametrize("outlet", ["\ud800", "\x00", "'; --", "x" * 100_000], ids=lambda outlet: ascii(outlet)[:20])
def test_outlet_that_no_article_has_finds_nothing(sample_archive: Archive, outlet: str) -> None:
    answer = sample_archive.ask(WHERE, outlets=[outlet])
    assert (answer.status, answer.hits) == ("unknown", ())


def test_long_question_is_answered_on_the_command_line_with_a_notice(
    sample_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.cli import main

    monkeypatch.setenv("HEMEROTECA_ANSWER_MIN_CONFIDENCE", "0")
    assert main(["ask", "--json", "--archive", str(sample_folder), LONG]) == 0
    assert json.loads(capsys.readouterr().out)["notices"] == [TOO_LONG]


def test_long_question_is_answered_in_the_chat_with_a_notice_and_shown_in_part(sample_archive: Archive) -> None:
    from ui.conversation import converse, log_html
    from ui.texts import ES

    *_, (exchanges, _, done) = converse(sample_archive, LONG, (), "es", "", "", [])
    assert done
    assert exchanges[-1].question == LONG[:MAX_QUESTION_CHARACTERS] + "…"
    assert TOO_LONG in log_html(exchanges, ES)


@pytest.mark.parametrize("question", ["\ud800", "\x00???", "<b>", "\u200b"], ids=ascii)
def test_any_question_ends_in_the_chat_without_a_failure(sample_archive: Archive, question: str) -> None:
    from ui.conversation import converse

    *_, (exchanges, _, done) = converse(sample_archive, question, (), "es", "", "", [])
    assert done
    assert not any(exchange.failure for exchange in exchanges)


def test_another_subject_that_is_not_answered_is_judged_by_itself(sample_archive: Archive) -> None:
    declining = sample_archive.with_settings(load_settings(arguments={"answer.min_confidence": 1}))
    history = [Turn(WHERE, "En Kelmar.")]
    other = "¿Quién ganó la liga de balonmano en Noruega?"
    alone, after = declining.ask(other), declining.ask(other, history=history)
    assert after.status == "unknown"
    assert (after.reason, after.confidence, after.hits) == (alone.reason, alone.confidence, alone.hits)


def test_what_says_nothing_by_itself_is_asked_of_what_came_before(sample_archive: Archive) -> None:
    whatever = sample_archive.with_settings(load_settings(arguments={"answer.min_confidence": 0}))
    first = whatever.ask(WHERE)
    then = whatever.ask("¿Y después?", history=[Turn(WHERE, first.text)])
    assert {hit.article.id for hit in then.hits} & {hit.article.id for hit in first.hits}
    said = {citation.quote for citation in first.citations}
    assert then.citations
    assert not said & {citation.quote for citation in then.citations}


def test_another_outlet_may_say_what_was_said(sample_archive: Archive) -> None:
    # The outlet that is asked for now takes the place of the one before, and is asked whatever was said.
    before = Turn("¿En cuánto se vendió el Ribanova según el Diario de Sotomar?", "Por 62 millones de euros.")
    answer = sample_archive.ask("¿Y según La Hoja de Brezal?", history=[before])
    assert {citation.article.outlet for citation in answer.citations} == {"La Hoja de Brezal"}
    assert "74 millones" in answer.text
    understood = understand(Ask("¿Y según La Hoja de Brezal?", history=(before,)), parts=sample_archive._parts)
    assert [version.context for version in understood.versions[1:]] == ["¿En cuánto se vendió el Ribanova ?"]


def test_what_only_goes_on_is_not_answered_by_itself(sample_archive: Archive) -> None:
    history = [Turn("¿Cuántos hermanos fueron detenidos por el robo del museo de Brezal?", "Dos.")]
    parts = sample_archive._parts
    for question, counts in (("¿Y cuánto costó?", False), ("¿Y cuánto costó la desaladora?", True)):
        understood = understand(Ask(question, history=tuple(history)), parts=parts)
        found = consultation.retrieve_all(understood, parts=parts)
        read = consultation.read(found, parts=parts)
        assert (read.question == understood.versions[0].text) is counts


@pytest.mark.parametrize("limits", [None, ()], ids=["within its words", "taken away"])
def test_days_that_say_where_to_look_are_not_what_is_asked(
    sample_archive: Archive, limits: tuple[Limit, ...] | None
) -> None:
    parts = sample_archive._parts
    ask = Ask("¿Qué pasó en el puerto en enero de 2024?", limits=limits)
    understood = understand(ask, parts=parts)
    assert [limit.words for limit in understood.limits] == ([] if limits == () else ["en enero de 2024"])
    assert understood.days == ()
    fact = understand(Ask("¿Cuántos estudiantes fueron en 2023?", limits=limits), parts=parts)
    assert [(one.since, one.until) for one in fact.days] == [(date(2023, 1, 1), date(2023, 12, 31))]


@pytest.mark.parametrize(
    ("question", "when"),
    [
        ("¿Qué nivel tenía el pantano de Peñahonda{}?", "en julio de 2023"),
        (WHERE.replace("?", "{}?"), "en mayo de 2024"),
    ],
)
def test_what_was_printed_then_need_not_name_the_days(sample_archive: Archive, question: str, when: str) -> None:
    # "Este miércoles" and "está al 18 %" do not say which month it was: the day of printing does.
    undated, dated = (sample_archive.ask(question.format(end)) for end in ("", f" {when}"))
    assert dated.status == "answered"
    assert dated.confidence >= 0.9 * undated.confidence
    assert dated.citations[0].quote == undated.citations[0].quote


@pytest.mark.parametrize(
    "question", ["¿Quién halló la Diadema de Oria en 2025?", "¿En qué año se fundó el Ribanova, en 2024?"]
)
def test_a_sentence_that_names_another_year_is_no_answer_though_it_was_printed_then(
    sample_archive: Archive, question: str
) -> None:
    assert sample_archive.ask(question).status == "unknown"


def test_a_fact_of_another_year_is_no_answer(sample_archive: Archive) -> None:
    asked = "¿Cuánto subió el recibo doméstico del agua en la Costa de Almoral{}?"
    known, other = (sample_archive.consult(asked.format(when)) for when in ("", " en 1987"))
    rise = "El recibo doméstico subirá una media de 2,90 euros al mes desde el 1 de mayo."
    scores = [
        next(item.score for item in found.evidence if item.sentence.text == rise and item.hit.article.published)
        for found in (known, other)
    ]
    assert scores[0] > 0
    assert scores[1] == 0
    assert other.probability < known.probability / 2
