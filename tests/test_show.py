from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from rag.config import load_settings
from rag.schema import Answer, Article, Citation, Hit, IngestFailure, IngestSummary, Passage, Removal, Statement
from ui.show import (
    answer_text,
    article_text,
    hits_text,
    json_text,
    list_text,
    one_line,
    settings_text,
    summary_text,
    visible,
)

TEXT = "Firmaron el pacto en Kelmar. Nadie más fue."
ARTICLE = Article(
    id="a1", text=TEXT, title="El pacto", outlet="El Faro", published=date(2024, 5, 15), language="es", given_id="p-1"
)
PASSAGE = Passage(
    id="a1.0", article_id="a1", ordinal=0, start=0, end=len(TEXT), text=TEXT, language="es", embedded_text=TEXT
)
HIT = Hit(passage=PASSAGE, article=ARTICLE, score=0.5, cosine=0.9)
CITATION = Citation(number=1, article=ARTICLE, start=0, end=28, passage=PASSAGE, score=0.8)
ANSWERED = Answer(
    question="¿Dónde?",
    text="Firmaron el pacto en Kelmar. [1]",
    status="answered",
    language="es",
    statements=(Statement(text="Firmaron el pacto en Kelmar.", citations=(CITATION,)),),
    citations=(CITATION,),
    hits=(HIT,),
)


def test_an_answer_is_followed_by_its_numbered_citations() -> None:
    assert answer_text(ANSWERED) == (
        "Firmaron el pacto en Kelmar. [1]\n\n"
        "[1] El Faro, 15 de mayo de 2024 — El pacto\n    «Firmaron el pacto en Kelmar.»"
    )


def test_dates_are_said_in_the_language_of_the_answer() -> None:
    assert "[1] El Faro, 15 May 2024 — El pacto" in answer_text(replace(ANSWERED, language="en"))


def test_a_source_without_outlet_date_and_title_is_its_file() -> None:
    bare = replace(ARTICLE, title=None, outlet=None, published=None, places=("news/one.txt",))
    answer = replace(ANSWERED, citations=(replace(CITATION, article=bare),))
    assert "\n[1] one.txt\n" in answer_text(answer)


def test_lines_of_a_quotation_are_indented_and_kept() -> None:
    article = replace(ARTICLE, text="Uno.\n\nDos.")
    answer = replace(ANSWERED, citations=(replace(CITATION, article=article, end=10),))
    assert answer_text(answer).endswith("    «Uno.\n\n    Dos.»")


def test_what_is_unknown_says_why_and_what_comes_nearest() -> None:
    answer = Answer(
        question="¿?", text="", status="unknown", reason="El archivo no lo sabe.", language="es", hits=(HIT,) * 5
    )
    assert answer_text(answer) == "\n\n".join(
        ["El archivo no lo sabe.", "Lo más cercano:"] + 3 * [f"  El Faro, 15 de mayo de 2024 — El pacto\n    {TEXT}"]
    )


def test_a_reason_that_the_text_says_is_not_repeated() -> None:
    answer = Answer(question="¿?", text="No lo sé.", status="unknown", reason="No lo sé.", language="es")
    assert answer_text(answer) == "No lo sé."


def test_doubtful_statements_and_notices_are_said() -> None:
    doubtful = replace(
        ANSWERED,
        language="en",
        statements=(
            Statement(text="One.", citations=(), support="unsupported"),
            Statement(text="Two.", citations=(), support="partly"),
        ),
        notices=("The model failed.",),
    )
    assert answer_text(doubtful).endswith(
        "\n\nnot supported by the archive: One.\npartly supported: Two.\nNote: The model failed."
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mrojo", "␛[31mrojo"),
        ("a\rb\x00\x7f", "a␍b␀␡"),
        ("\x9b31m", "<U+009B>31m"),
        ("\u202eabc\u2066", "<U+202E>abc<U+2066>"),
        ("\ud800", "<U+D800>"),
        ("línea\n\ttabla ¿? ñ 中 é", "línea\n\ttabla ¿? ñ 中 é"),
        ("", ""),
    ],
    ids=ascii,
)
def test_control_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_title_stays_on_one_line() -> None:
    assert one_line(" uno\n dos\x1b ") == "uno dos␛"


@pytest.mark.parametrize("text", ["\x1b]0;x\x07", "\x9b", "\u202e", "\x7f", "\ud800"], ids=ascii)
def test_json_has_no_control_characters_and_the_same_value(text: str) -> None:
    shown = json_text({"text": text})
    assert text not in shown
    assert json.loads(shown) == {"text": text}


def test_a_hostile_article_cannot_reach_the_terminal() -> None:
    evil = "\x1b]0;owned\x07"
    article = replace(
        ARTICLE,
        id="a\x1b",
        text=evil,
        title=evil,
        outlet=evil,
        url=evil,
        author=evil,
        places=(evil,),
        removed=(Removal(text=evil, reason=evil, start=0),),
    )
    hit = replace(HIT, article=article, passage=replace(PASSAGE, text=evil))
    answer = replace(
        ANSWERED,
        text=evil,
        citations=(replace(CITATION, article=article),),
        notices=(evil,),
        statements=(Statement(text=evil, citations=(), support="partly"),),
    )
    unknown = replace(answer, status="unknown", text="", reason=evil, hits=(hit,))
    summary = IngestSummary(failures=(IngestFailure(place=evil, reason=evil),))
    shown = [
        answer_text(answer),
        answer_text(unknown),
        hits_text([hit], language="es"),
        list_text([article]),
        article_text(article, removed=True),
        summary_text(summary),
    ]
    assert [text for text in shown if "\x1b" in text or "\x07" in text] == []


@pytest.mark.parametrize(
    ("language", "source", "score"),
    [
        ("es", "El Faro, 15 de mayo de 2024", "puntuación 0,500, artículo a1"),
        ("en", "El Faro, 15 May 2024", "score 0.500, article a1"),
        ("de", "El Faro, 15 May 2024", "score 0.500, article a1"),
    ],
)
def test_passages_are_ranked_with_score_and_article_in_the_questions_language(
    language: str, source: str, score: str
) -> None:
    assert hits_text([HIT], language=language) == f"1. {source} — El pacto\n   {score}\n   {TEXT}"


def test_no_passage_is_said_in_the_questions_language() -> None:
    assert hits_text([], language="es") == "Ningún pasaje del archivo se parece a la pregunta."
    assert hits_text([], language="fr") == "No passage of the archive comes close to the question."


def test_an_article_is_a_line_with_tabs() -> None:
    bare = Article(id="b", text="x", places=("/x/b.txt",))
    assert list_text([ARTICLE, bare]) == "a1\t2024-05-15\tes\tEl Faro\tEl pacto\nb\t-\tund\tb.txt\t-"


def test_what_cleaning_removed_is_counted_or_shown() -> None:
    article = replace(ARTICLE, removed=(Removal(text="Login", reason="site furniture", start=44),))
    assert article_text(article, removed=False).endswith(f"{TEXT}\n\nRetirado al limpiar: 1 (--removed)")
    assert article_text(article, removed=True).endswith("\n\nRetirado al limpiar (site furniture, 44):\n    Login")
    assert article_text(ARTICLE, removed=True).endswith(TEXT)


def test_a_summary_names_each_failure_with_its_reason() -> None:
    summary = IngestSummary(
        added=2, changed=1, failures=(IngestFailure(place="x.txt", reason="it is empty"),), passages=7, seconds=1.25
    )
    assert summary_text(summary) == (
        "failed: x.txt: it is empty\n2 added, 1 changed, 0 unchanged, 0 duplicates, 1 failed; 7 passages in 1.2 s"
    )


def test_settings_are_shown_with_their_origin() -> None:
    lines = settings_text(load_settings(arguments={"web.port": 8000})).splitlines()
    assert [" ".join(line.split()) for line in lines if line.startswith("web.")] == [
        'web.host = "127.0.0.1" (default)',
        "web.port = 8000 (argument)",
        'web.language = "es" (default)',
    ]
