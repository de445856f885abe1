"""Questions made worse: every way by hand."""

from __future__ import annotations

import pytest

from eval.finding_wording import (
    as_keywords,
    as_quotation,
    in_a_story,
    in_lower_case,
    mixed,
    with_typo,
    without_accents,
)


def test_accents_go_and_the_tilde_of_enye_stays() -> None:
    assert without_accents("¿Cuándo dimitió Núñez, el ÑANDÚ de Übeda?") == "¿Cuando dimitio Nuñez, el ÑANDU de Ubeda?"


def test_a_search_query_has_neither_capitals_nor_signs() -> None:
    assert in_lower_case("¿Quién dirige la OTAN en 2024?") == "quién dirige la otan en 2024"


def test_keywords_are_the_words_of_content_as_they_were_typed() -> None:
    assert as_keywords("¿Cuántos puntos dejaron los Panthers, en 2015?") == "puntos dejaron Panthers 2015"
    assert as_keywords("¿Y qué?") == "¿Y qué?"


@pytest.mark.parametrize("seed", range(30))
def test_one_slip_changes_one_long_word_of_content_and_not_its_first_letter(seed: int) -> None:
    question = "¿Cuántos millones gastó la OTAN?"
    slipped = with_typo(question, seed=seed)
    assert slipped != question
    before, after = question.split(), slipped.split()
    assert [place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] in ([1], [2])
    assert slipped == with_typo(question, seed=seed)
    assert any(word in slipped for word in (" m", " g"))


def test_without_a_long_word_nothing_slips() -> None:
    assert with_typo("¿Qué es la UE?", seed=1) == "¿Qué es la UE?"


def test_a_story_has_about_two_hundred_words_around_the_question() -> None:
    story = in_a_story("¿Quién ganó?")
    assert " ¿Quién ganó? " in story
    assert 180 <= len(story.split()) <= 220


def test_a_quotation_is_the_sentence_in_which_the_answer_stands() -> None:
    text = "Llovió en Vigo. El puerto cerró a las tres. Nadie se quejó."
    assert as_quotation(text, at=text.index("tres"), language="es") == "«El puerto cerró a las tres.»"


def test_two_languages_give_half_a_question_each() -> None:
    assert mixed("¿Quién ganó la copa?", "Who won the cup?") == "¿Quién ganó the cup?"
