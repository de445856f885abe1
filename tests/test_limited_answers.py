"""Questions that limit themselves, through every way to ask; the sample archive's articles are of 2023 to 2025."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.schema import Answer, Limit
from ui.conversation import Exchange, converse, evidence_panel_html, log_html, without_limit
from ui.texts import EN, ES

if TYPE_CHECKING:
    from rag.archive import Archive

JANUARY = "¿Qué pasó en el puerto en enero de 2024?"
IN_JANUARY = Limit("en enero de 2024", since=date(2024, 1, 1), until=date(2024, 1, 31))
BY_RADIO = "¿Cuántos heridos hubo en los choques del puerto según Radio Tormeña Noticias?"
RADIO = Limit("según Radio Tormeña Noticias", outlets=("Radio Tormeña Noticias",))
NOTHING_THEN = "¿Qué pasó con la desaladora en junio de 2019?"
WIDENED = "Ningún artículo cumple «en junio de 2019»: se ha buscado sin ese límite."


def days(answer: Answer) -> set[date | None]:
    return {hit.article.published for hit in answer.hits}


def test_days_of_a_question_limit_what_is_found(sample_archive: Archive) -> None:
    answer = sample_archive.ask(JANUARY)
    assert answer.limits == (IN_JANUARY,)
    assert days(answer)
    assert all(day and (day.year, day.month) == (2024, 1) for day in days(answer))
    assert answer.to_dict()["limits"] == [
        {"words": "en enero de 2024", "since": "2024-01-01", "until": "2024-01-31", "outlets": []}
    ]


def test_the_source_that_a_question_asks_for_limits_what_is_found(sample_archive: Archive) -> None:
    answer = sample_archive.ask(BY_RADIO)
    assert answer.limits == (RADIO,)
    assert {hit.article.outlet for hit in answer.hits} == {"Radio Tormeña Noticias"}


def test_days_are_seen_from_the_day_of_asking(sample_archive: Archive) -> None:
    answer = sample_archive.ask("¿Qué pasó ayer en el puerto?", today=date(2024, 1, 25))
    assert days(answer) == {date(2024, 1, 24)}


@pytest.mark.parametrize("limits", [(), []])
def test_a_question_may_be_taken_as_it_is(sample_archive: Archive, limits: list[Limit]) -> None:
    answer = sample_archive.ask(JANUARY, limits=limits)
    assert answer.limits == ()
    assert len(days(answer)) > 3


def test_what_is_given_wins_over_the_questions_words(sample_archive: Archive) -> None:
    answer = sample_archive.ask(JANUARY, since=date(2024, 2, 1))
    assert answer.limits == ()
    assert all(day and day >= date(2024, 2, 1) for day in days(answer))


def test_limits_that_leave_nothing_are_given_up_with_a_notice(sample_archive: Archive) -> None:
    answer = sample_archive.ask(NOTHING_THEN)
    assert (answer.limits, answer.notices) == ((), (WIDENED,))
    assert answer.status == "answered"
    in_english = sample_archive.ask("What happened at the port in June 2019?")
    assert in_english.notices == ("No article fits “in June 2019”: the search went on without that limit.",)


def test_of_two_limits_that_leave_nothing_the_source_is_kept_if_that_leaves_something(sample_archive: Archive) -> None:
    answer = sample_archive.ask("¿Qué publicó El Faro de Levante sobre la línea 9 en 2019?")
    assert [limit.words for limit in answer.limits] == ["El Faro de Levante"]
    assert answer.notices == ("Ningún artículo cumple «en 2019»: se ha buscado sin ese límite.",)
    assert {hit.article.outlet for hit in answer.hits} == {"El Faro de Levante"}


def test_a_follow_up_is_limited_by_its_own_words_only(sample_archive: Archive) -> None:
    assert sample_archive.ask("¿Y quién lo dijo?", history=[(JANUARY, "…")]).limits == ()


def test_a_dictionary_carries_limits_and_the_day_of_asking(sample_archive: Archive) -> None:
    chain = sample_archive.as_runnable()
    asked = {"question": "¿Qué pasó ayer en el puerto?", "today": "2024-01-25"}
    answer = chain.invoke(asked)
    assert days(answer) == {date(2024, 1, 24)}
    again = chain.invoke({"question": "¿Qué pasó en el puerto?", "limits": answer.to_dict()["limits"]})
    assert again.limits == answer.limits
    assert chain.invoke(asked | {"limits": []}).limits == ()
    with pytest.raises(ValueError, match="'ayer' is no limit: give those of an answer"):
        chain.invoke(asked | {"limits": ["ayer"]})


def test_search_takes_a_question_as_it_is_unless_told_to_read_it(sample_archive: Archive) -> None:
    assert len({hit.article.published for hit in sample_archive.search(JANUARY, k=10)}) > 3
    read = sample_archive.search(JANUARY, k=10, limits=None)
    assert {(hit.article.published or date.min).month for hit in read} == {1}
    assert sample_archive.search(NOTHING_THEN, k=3, limits=None)


def test_a_quotation_tells_the_days_that_its_words_mean(sample_archive: Archive) -> None:
    answer = sample_archive.ask("¿Cuándo rubricaron Olászy y Kéfer el acuerdo en Kelmar?")
    (citation,) = [each for each in answer.citations if "este miércoles" in each.quote][:1]
    (time,) = citation.times
    # The article is of Wednesday, the 15th of May 2024.
    assert (time.since, time.until) == (date(2024, 5, 15), date(2024, 5, 15))
    assert "este miércoles: 15 may 2024" in evidence_panel_html(
        list(converse(sample_archive, answer.question, (), "es", "", "", []))[-1][0], ES
    )


def test_times_of_an_article_can_be_had(sample_archive: Archive) -> None:
    times = sample_archive.times("tratado-01")
    text = sample_archive.article("tratado-01").text
    assert {text[time.start : time.end]: time.since for time in times if time.is_resolved}["este miércoles"] == date(
        2024, 5, 15
    )
    assert sample_archive.times("tratado-01") == times


# ---- on the command line


def test_the_command_line_says_what_limits_a_question(sample_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ui.cli import main

    main(["ask", "--archive", str(sample_folder), JANUARY])
    said = capsys.readouterr().out
    assert "Limitado por la pregunta: en enero de 2024 = enero 2024 (--as-is)" in said
    # The first article that is cited is of the 16th.
    assert "ayer: 15 ene 2024" in said
    main(["ask", "--as-is", "--json", "--archive", str(sample_folder), JANUARY])
    assert json.loads(capsys.readouterr().out)["limits"] == []


def test_the_command_line_shows_the_times_of_an_article(
    sample_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ui.cli import main

    main(["show", "--archive", str(sample_folder), "tratado-01"])
    shown = '\nFechas en el texto:\n  "desde 2009" = 2009-01-01..\n  "este miércoles" = 2024-05-15\n'
    assert shown in capsys.readouterr().out
    main(["show", "--json", "--archive", str(sample_folder), "tratado-01"])
    first = json.loads(capsys.readouterr().out)["times"][0]
    assert (first["words"], first["since"], first["until"]) == ("desde 2009", "2009-01-01", None)


# ---- in the chat


def test_the_chat_shows_a_limit_and_asks_again_without_it(sample_archive: Archive) -> None:
    *_, (exchanges, _, _) = converse(sample_archive, JANUARY, (), "es", "", "", [])
    shown = log_html(exchanges, ES)
    assert '<span class="hm-limit"><bdi>en enero de 2024</bdi> <button' in shown
    assert 'aria-label="Quitar «en enero de 2024» y preguntar de nuevo"' in shown
    assert "Limited by the question:" in log_html(exchanges, EN)
    *_, (again, _, done) = without_limit(sample_archive, exchanges, "es", "", "", [], turn=1, limit=0)
    assert done
    assert [exchange.question for exchange in again] == [JANUARY, JANUARY]
    assert again[1].answer
    assert again[1].answer.limits == ()


def test_words_that_do_not_say_it_are_shown_with_what_they_mean() -> None:
    limit = Limit("esta semana", since=date(2024, 6, 17), until=date(2024, 6, 23))
    answer = Answer("¿Qué pasó esta semana?", "", "unknown", language="es", limits=(limit,))
    shown = log_html((Exchange(answer.question, answer),), ES)
    assert "<bdi>esta semana</bdi> <small><bdi>17–23 jun 2024</bdi></small>" in shown


@pytest.mark.parametrize(("turn", "limit"), [(0, 0), (2, 0), (1, 1), (1, -1)])
def test_a_limit_that_is_not_there_asks_nothing(sample_archive: Archive, turn: int, limit: int) -> None:
    *_, (exchanges, _, _) = converse(sample_archive, JANUARY, (), "es", "", "", [])
    assert list(without_limit(sample_archive, exchanges, "es", "", "", [], turn=turn, limit=limit)) == [
        (exchanges, False, True)
    ]


def test_one_of_two_limits_can_be_removed(sample_archive: Archive) -> None:
    question = "¿Qué publicó El Faro de Levante sobre la línea 9 en 2024?"
    *_, (exchanges, _, _) = converse(sample_archive, question, (), "es", "", "", [])
    *_, (again, _, _) = without_limit(sample_archive, exchanges, "es", "", "", [], turn=1, limit=0)
    assert again[1].answer
    assert [limit.words for limit in again[1].answer.limits] == ["El Faro de Levante"]
