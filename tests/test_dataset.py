"""Files of questions, and the search for their support in an archive."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import ArticleNames, DatasetError, Question, Support, locate
from eval.formats import read_questions
from eval.metrics import Span
from rag.schema import Article, Turn


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.jsonl"


@pytest.mark.parametrize(
    ("answers", "nuggets"),
    [
        ("Halden Peak", (("Halden Peak",),)),
        (["18 %", "dieciocho"], (("18 %", "dieciocho"),)),
        ([["1961"], ["2000", "el de 2000"]], (("1961",), ("2000", "el de 2000"))),
    ],
    ids=["text", "wordings", "facts"],
)
def test_a_question_needs_only_its_answers(file: Path, answers: Any, nuggets: tuple[tuple[str, ...], ...]) -> None:
    (question,) = read_questions(write(file, {"question": "¿Qué?", "answers": answers})).questions
    assert question == Question(qid="line-1", question="¿Qué?", answers=nuggets)


def test_everything_a_line_can_say_is_read(file: Path) -> None:
    row = {
        "qid": "q7",
        "question": "¿Y allí?",
        "answers": [["sí"]],
        "answerable": True,
        "split": "dev",
        "subject": "puerto",
        "type": "follow-up",
        "language": "es",
        "history": [{"question": "¿Hubo huelga?", "answer": "Sí."}],
        "since": "2024-01-01",
        "until": "2024-02-29",
        "outlets": ["El Faro"],
        "support": [{"article": "a1", "quote": "Sí."}],
    }
    (question,) = read_questions(write(file, row)).questions
    assert question == Question(
        qid="q7",
        question="¿Y allí?",
        answers=(("sí",),),
        split="dev",
        subject="puerto",
        type="follow-up",
        language="es",
        history=(Turn("¿Hubo huelga?", "Sí."),),
        since=date(2024, 1, 1),
        until=date(2024, 2, 29),
        outlets=("El Faro",),
        support=(Support("a1", "Sí."),),
    )


def test_an_unanswerable_question_needs_no_answers(file: Path) -> None:
    (question,) = read_questions(write(file, {"question": "¿Qué?", "answerable": False})).questions
    assert question.answers == ()
    assert not question.answerable


def test_a_question_may_have_a_form_in_full_and_sentences_that_deny_what_it_presupposes(file: Path) -> None:
    row = {"question": "¿Y por qué?", "conversation": "c1", "full": "¿Por qué dimitió?", "answerable": False}
    denial = {"article": "a1", "quote": "No dimitió."}
    plain, denied = read_questions(
        write(file, row | {"qid": "q1"}, row | {"qid": "q2", "contradicted_by": [denial]})
    ).questions
    assert (plain.conversation, plain.full, plain.contradicted_by) == ("c1", "¿Por qué dimitió?", ())
    assert denied.contradicted_by == (Support("a1", "No dimitió."),)
    assert plain.digest != denied.digest


def test_blank_lines_windows_line_ends_and_a_byte_order_mark_are_read(file: Path) -> None:
    file.write_bytes('\ufeff{"question": "¿Qué?", "answers": "a"}\r\n\r\n'.encode())
    assert [question.question for question in read_questions(file).questions] == ["¿Qué?"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{not json", r"line 1: not JSON"),
        ("[1]", r"line 1: a list where an object belongs"),
        ("null", r"line 1: null where an object belongs"),
        ("[" * 100_000, r"line 1: JSON nested too deeply"),
        ("1" * 5000, r"line 1: JSON nested too deeply, or with a number of thousands of digits"),
        ({"question": "\ud800", "answers": "a"}, r"line 1: a text holds half a character"),
        ({"answers": "a"}, r'line 1: "question" is missing'),
        ({"question": "¿Qué?"}, r'line 1: "answers" is missing'),
        ({"question": " ", "answers": "a"}, r'line 1: "question" is " "'),
        ({"question": "q", "answer": "a"}, r'unknown key "answer": did you mean "answers"\?'),
        ({"question": "q", "answers": []}, r'"answers" is \[\]'),
        ({"question": "q", "answers": [["a"], "b"]}, r'"answers" is \[\["a"\], "b"\]'),
        ({"question": "q", "answers": 1961}, r'"answers" is 1961'),
        ({"question": "q", "answers": "a", "answerable": "no"}, r'"answerable" is "no": write true or false'),
        ({"question": "q", "answers": "a", "answerable": False}, r"remove one of the two"),
        ({"question": "q", "answers": "a", "split": "train"}, r'"split" is "train"'),
        ({"question": "q", "answers": "a", "since": "May 2024"}, r'"since" is "May 2024": write a date as'),
        ({"question": "q", "answers": "a", "since": "2024-02-01", "until": "2024-01-01"}, r"exchange them"),
        ({"question": "q", "answers": "a", "outlets": "El Faro"}, r'"outlets" is "El Faro": write a list'),
        ({"question": "q", "answers": "a", "support": [{"article": "x"}]}, r'"support": .*"quote"\} belongs'),
        ({"question": "q", "answers": "a", "history": [["a", "b"]]}, r'"history": .*"answer"\} belongs'),
        (
            {"question": "q", "answers": "a", "contradicted_by": [{"article": "a", "quote": "b"}]},
            r'"contradicted_by" of a question that is answerable',
        ),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(file: Path, row: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_questions(write(file, row))


def test_the_first_ten_wrong_lines_are_told_in_one_sentence(file: Path) -> None:
    wrong = '"question" is missing: write a text'
    with pytest.raises(DatasetError, match=rf"^\S+mine\.jsonl, line 1: {wrong}; line 3: {wrong}$"):
        read_questions(write(file, {}, {"question": "q", "answers": "a"}, {}))
    with pytest.raises(DatasetError, match=rf"; line 10: {wrong}; and 2 more lines$"):
        read_questions(write(file, *[{}] * 12))


def test_two_questions_cannot_share_a_qid(file: Path) -> None:
    row = {"qid": "q1", "question": "q", "answers": "a"}
    with pytest.raises(DatasetError, match=r'line 2: qid "q1" is used before'):
        read_questions(write(file, row, row))


def test_an_empty_or_missing_file_is_an_error(file: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no question"):
        read_questions(write(file, ""))
    with pytest.raises(DatasetError, match="cannot be read"):
        read_questions(tmp_path / "nowhere.jsonl")


def test_a_split_that_no_question_has_is_an_error(file: Path) -> None:
    dataset = read_questions(write(file, {"question": "q", "answers": "a"}))
    assert len(dataset.split("all").questions) == 1
    with pytest.raises(DatasetError, match='no question with "split": "dev"'):
        dataset.split("dev")


ARTICLE = Article(
    id="x1",
    text="Hubo 12 heridos. Nada más. Hubo 12 heridos. El coste fue de 7 €.",
    url="https://faro.example/1",
    given_id="puerto-02",
    places=("/datos/notas.txt",),
    language="es",
)


@pytest.mark.parametrize("name", ["x1", "puerto-02", "https://faro.example/1", "notas.txt"])
def test_an_article_is_found_by_any_of_its_names(name: str) -> None:
    assert ArticleNames([ARTICLE]).find(name) == ARTICLE


def test_support_is_located_at_every_place_and_by_the_fact_that_it_states() -> None:
    question = Question(
        qid="q",
        question="¿Cuántos?",
        answers=(("12",), ("7 euros", "7 €")),
        support=(Support("puerto-02", "Hubo 12 heridos."), Support("puerto-02", "El coste fue de 7 €.")),
    )
    gold = locate(question, ArticleNames([ARTICLE]))
    first, again, cost = Span("x1", 0, 16), Span("x1", 27, 43), Span("x1", 44, 64)
    assert gold.quotes == (first, again, cost)
    assert gold.nuggets == ((first, again), (cost,))
    assert gold.languages == {"es"}


def test_a_fact_in_other_words_than_the_accepted_takes_the_quotes_that_state_no_other() -> None:
    question = Question(
        qid="q",
        question="¿Cuántos?",
        answers=(("12",), ("siete euros",)),
        support=(Support("puerto-02", "Hubo 12 heridos."), Support("puerto-02", "El coste fue de 7 €.")),
    )
    assert locate(question, ArticleNames([ARTICLE])).nuggets[1] == (Span("x1", 44, 64),)


def test_support_that_is_not_found_is_reported_and_left_out() -> None:
    question = Question(
        qid="q9",
        question="¿Qué?",
        answers=(("a",),),
        support=(Support("puerto-02", "No está."), Support("otro", "Hubo 12 heridos.")),
    )
    gold = locate(question, ArticleNames([ARTICLE]))
    assert gold.quotes == ()
    assert gold.nuggets == ()
    assert gold.problems == (
        'q9: "No está." does not stand in article puerto-02',
        'q9: no article of the archive is called "otro"',
    )
