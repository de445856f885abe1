"""Sets of questions by their path: SQuAD files, rows of questions and passages, own articles; halves and samples."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.archives import archive_folder, take_in
from eval.dataset import ArticleNames, Dataset, DatasetError, Question, QuestionSet, Support, locate
from eval.sets import halved, read_set, sampled
from rag.archive import Archive
from rag.config import Settings
from rag.interfaces import Embedder

STRIKE = "La huelga dejó 12 heridos. Empezó el lunes 3 de junio en el muelle norte, según el sindicato."
WATER = "Hidromar ganó el contrato de la desaladora. La obra costará 62 millones de euros y durará tres años."
SQUAD: dict[str, Any] = {
    "version": "v2.0",
    "data": [
        {
            "title": "Puerto_Almena",
            "paragraphs": [
                {
                    "context": STRIKE,
                    "qas": [
                        {
                            "id": "a",
                            "question": "¿Cuántos heridos dejó la huelga?",
                            "is_impossible": False,
                            "answers": [
                                {"text": "12", "answer_start": 16},
                                {"text": "12 heridos", "answer_start": 16},
                            ],
                        },
                        {"id": "c", "question": "¿Quién es la alcaldesa?", "is_impossible": True, "answers": []},
                    ],
                }
            ],
        },
        {
            "title": "Desaladora",
            "paragraphs": [
                {
                    "context": WATER,
                    "qas": [
                        {
                            "id": "b",
                            "question": "¿Qué empresa ganó el contrato?",
                            "is_impossible": False,
                            "answers": [{"text": "Hidromar", "answer_start": 0}],
                        }
                    ],
                }
            ],
        },
    ],
}


def squad(tmp_path: Path, content: Any = SQUAD, *, name: str = "set.json") -> Path:
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def changed(**fields: Any) -> dict[str, Any]:
    """The set with its first question changed."""
    content: dict[str, Any] = json.loads(json.dumps(SQUAD))
    content["data"][0]["paragraphs"][0]["qas"][0].update(fields)
    return content


def rows(path: Path, *items: Any) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


def by_qid(found: QuestionSet) -> dict[str, Question]:
    return {question.qid: question for question in found.dataset.questions}


# ---- SQuAD


def test_a_squad_question_rests_on_the_sentence_of_its_answer(tmp_path: Path) -> None:
    found = read_set(squad(tmp_path))
    question = by_qid(found)["a"]
    assert question.answers == (("12", "12 heridos"),)
    assert question.support == (Support("context-1", "La huelga dejó 12 heridos."),)
    assert (question.subject, question.type, question.answerable) == ("Puerto Almena", "answerable", True)
    assert found.rows == (
        {"id": "context-1", "title": "Puerto Almena", "text": STRIKE},
        {"id": "context-2", "title": "Desaladora", "text": WATER},
    )


def test_an_impossible_question_is_unanswerable_and_the_reader_is_warned(tmp_path: Path) -> None:
    found = read_set(squad(tmp_path))
    question = by_qid(found)["c"]
    assert (question.answerable, question.answers, question.support, question.type) == (False, (), (), "impossible")
    assert any("another article of the archive may answer it" in note for note in found.notes)


def test_version_1_has_no_types_and_gzip_is_read(tmp_path: Path) -> None:
    content = json.dumps(SQUAD).replace('"is_impossible": false, ', "")
    file = tmp_path / "set.json.gz"
    file.write_bytes(gzip.compress(content.encode()))
    assert by_qid(read_set(file))["a"].type == ""


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"answers": []}, "1 questions left out: no answer is given"),
        ({"answers": [{"text": " ", "answer_start": 0}]}, "1 questions left out: no answer is given"),
        ({"question": " "}, "1 questions left out: they are empty"),
        ({"id": "c"}, "1 questions left out: their id is used before"),
        ({"answers": [{"text": "12", "answer_start": 40}]}, "1 answers do not stand at their offset"),
    ],
)
def test_what_cannot_be_used_of_a_file_is_counted(tmp_path: Path, fields: dict[str, Any], note: str) -> None:
    assert any(told.startswith(note) for told in read_set(squad(tmp_path, changed(**fields))).notes)


def test_a_context_on_two_pages_is_one_article(tmp_path: Path) -> None:
    content = json.loads(json.dumps(SQUAD))
    content["data"][1]["paragraphs"][0]["context"] = STRIKE
    content["data"][1]["paragraphs"][0]["qas"][0]["answers"] = [{"text": "sindicato", "answer_start": 83}]
    found = read_set(squad(tmp_path, content))
    assert len(found.rows) == 1
    assert by_qid(found)["b"].support[0].article == "context-1"


def test_questions_of_one_language_are_asked_over_contexts_of_another(tmp_path: Path) -> None:
    english = squad(tmp_path, changed(question="How many were hurt?"), name="en.json")
    found = read_set(english, articles=[squad(tmp_path, name="es.json")])
    assert found.dataset.name == "en.json over es.json"
    assert by_qid(found)["a"].question == "How many were hurt?"
    assert by_qid(found)["a"].support[0].quote == "La huelga dejó 12 heridos."


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{\n", r"set.json: not JSON \(Expecting property name enclosed in double quotes, line 2, column 1\)"),
        ("[" * 100_000, "set.json: JSON nested too deeply"),
        ({"data": [{"title": "x"}]}, 'set.json, page 1: "paragraphs" is missing: write a list'),
        (changed(question=3), 'page 1, paragraph 1, question 1: "question" is 3: write a text'),
        (changed(answers=[{"text": "12"}]), '"answers": "answer_start" is missing: write a number'),
        ([], r"is not a SQuAD file \(a list where an object belongs"),
        ({}, r'is not a SQuAD file \("data" is missing'),
        ({"data": []}, "holds no question with an answer"),
    ],
)
def test_a_file_that_is_no_squad_file_is_told(tmp_path: Path, content: Any, complaint: str) -> None:
    with pytest.raises(DatasetError, match=complaint):
        read_set(squad(tmp_path, content))


# ---- rows of questions and passages, own questions


PASSAGES = ({"pid": "p1", "title": "Puerto_Almena", "lang": "es", "text": STRIKE}, {"pid": "p2", "text": WATER})
ASKED = (
    {"qid": "a", "question": "¿Cuántos?", "pid": "p1", "answers": [{"text": "12", "start": 16}], "lang": "es"},
    {"qid": "b", "question": "¿Quién?", "judged_pids": ["p2", "p9"], "answerable": False},
    {"qid": "c", "question": "¿Quién?", "judged_pids": ["p2"], "answerable": True},
)


def test_rows_of_questions_are_read_with_their_passages(tmp_path: Path) -> None:
    questions, passages = rows(tmp_path / "q.jsonl", *ASKED), rows(tmp_path / "p.jsonl", *PASSAGES)
    found = read_set(questions, articles=[passages])
    assert by_qid(found)["a"].support == (Support("p1", "La huelga dejó 12 heridos."),)
    assert by_qid(found)["a"].subject == "Puerto_Almena"
    assert not by_qid(found)["b"].answerable
    assert found.rows == (
        {"id": "p1", "text": STRIKE, "title": "Puerto Almena", "language": "es"},
        {"id": "p2", "text": WATER},
    )
    assert found.notes == ("1 questions left out: no answer is given, or their passage is not there",)


def test_questions_about_passages_need_their_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"name their file with --articles PASSAGES.jsonl"):
        read_set(rows(tmp_path / "q.jsonl", *ASKED))
    with pytest.raises(DatasetError, match=r"no question of .* is about a passage of"):
        read_set(rows(tmp_path / "q.jsonl", *ASKED), articles=[rows(tmp_path / "p.jsonl", {"pid": "x", "text": "y"})])


@pytest.mark.parametrize(
    ("asked", "passage", "complaint"),
    [
        ({"question": None}, {}, r'q.jsonl, line 2: "question" is null: write a text'),
        ({"pid": []}, {}, r'q.jsonl, line 2: "pid" is \[\]: write a text'),
        ({"answers": [{"text": "12", "start": "16"}]}, {}, r'"answers": "start" is "16": write a number'),
        ({}, {"title": 3}, r'p.jsonl, line 1: "title" is 3: write a text'),
        ({}, {"text": " "}, r'p.jsonl, line 1: "text" is " ": write a text'),
    ],
)
def test_a_wrong_row_of_questions_or_passages_is_named(
    tmp_path: Path, asked: dict[str, Any], passage: dict[str, Any], complaint: str
) -> None:
    questions = rows(tmp_path / "q.jsonl", ASKED[0], {**ASKED[0], **asked})
    with pytest.raises(DatasetError, match=complaint):
        read_set(questions, articles=[rows(tmp_path / "p.jsonl", {**PASSAGES[0], **passage})])


def test_own_questions_name_their_articles_or_none(tmp_path: Path) -> None:
    mine = rows(tmp_path / "mine.jsonl", {"question": "¿Quién?", "answers": "Hidromar"})
    assert read_set(mine).paths == ()
    assert read_set(mine, articles=[tmp_path]).paths == (tmp_path,)


@pytest.mark.parametrize(
    ("name", "articles", "complaint"),
    [("q.csv", [], "are of no kind that is read"), ("q.json", ["a", "b"], "takes one other SQuAD file")],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, name: str, articles: list[str], complaint: str) -> None:
    with pytest.raises(DatasetError, match=complaint):
        read_set(tmp_path / name, articles=[Path(article) for article in articles])


# ---- every field of every kind of file, with values of every other type


WRONG: tuple[Any, ...] = (None, True, 3, -1.5, "", "\ud800", [], [3], [[]], {}, {"a": 1})
OWN = {
    "qid": "a",
    "question": "¿Quién?",
    "answers": [["Hidromar"]],
    "answerable": True,
    "split": "dev",
    "subject": "agua",
    "type": "who",
    "language": "es",
    "history": [{"question": "¿Y eso?", "answer": "Sí."}],
    "since": "2024-01-01",
    "until": "2024-02-01",
    "outlets": ["El Faro"],
    "support": [{"article": "p2", "quote": "Hidromar."}],
    "conversation": "c",
    "full": "¿Quién ganó?",
    "contradicted_by": [],
}
KINDS: dict[str, tuple[Any, Any]] = {
    "own": (OWN, None),
    "SQuAD": (SQUAD, None),
    "questions": (ASKED[0], PASSAGES[0]),
    "passages": (PASSAGES[0], ASKED[0]),
}


def with_one_wrong(value: Any) -> Iterator[Any]:
    """The same with each of its parts, and itself, replaced by each wrong value in turn."""
    yield from WRONG
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in with_one_wrong(part))
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in with_one_wrong(part))


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_value_anywhere_is_told_or_harmless(tmp_path: Path, kind: str) -> None:
    right, beside = KINDS[kind]
    name = "set.json" if kind == "SQuAD" else "set.jsonl"
    complaints = []
    for content in with_one_wrong(right):
        file = rows(tmp_path / name, content)
        other = [rows(tmp_path / "other.jsonl", beside)] if beside else []
        try:
            found = read_set(other[0], articles=[file]) if kind == "passages" else read_set(file, articles=other)
        except DatasetError as exc:
            complaints.append(str(exc))
            continue
        for question in found.dataset.questions:
            assert question.question.strip(), content
            assert all(answer.strip() for accepted in question.answers for answer in accepted), content
            assert question.digest
        assert all(isinstance(value, str) for row in found.rows for value in row.values()), content
    assert len(complaints) > 50
    strange = [told for told in complaints if not told.startswith((str(tmp_path), "no question of")) or "Error" in told]
    assert not strange


# ---- halves and samples


PAGES = Dataset(
    name="pages",
    questions=tuple(
        Question(qid=f"{page}-{n}", question="q", subject=f"page {page}") for page in range(20) for n in range(3)
    ),
)


def test_halves_are_split_by_subject() -> None:
    halves = halved(PAGES, seed=1).questions
    dev = {question.subject for question in halves if question.split == "dev"}
    test = {question.subject for question in halves if question.split == "test"}
    assert len(dev) == len(test) == 10
    assert not dev & test
    assert halves == halved(PAGES, seed=1).questions
    assert halves != halved(PAGES, seed=2).questions


def test_a_sample_holds_whole_subjects_of_both_halves() -> None:
    chosen = sampled(halved(PAGES, seed=1), subjects=8, seed=1).questions
    assert len({question.subject for question in chosen}) == 8
    assert len(chosen) == 24
    assert {question.split for question in chosen} == {"dev", "test"}
    assert len(sampled(PAGES, subjects=99, seed=1).questions) == 60


def test_questions_without_a_subject_are_drawn_one_by_one() -> None:
    alone = replace(PAGES, questions=tuple(replace(question, subject="") for question in PAGES.questions))
    assert len(sampled(alone, subjects=7, seed=1).questions) == 7


# ---- the archives that are made


def test_an_archive_is_named_after_its_articles_and_settings(tmp_path: Path) -> None:
    found, settings = read_set(squad(tmp_path)), Settings()
    folder = archive_folder(found, root=tmp_path, settings=settings)
    reworded = read_set(squad(tmp_path, changed(question="¿Cuántos hubo?")))
    assert archive_folder(reworded, root=tmp_path, settings=settings) == folder
    other = replace(found, rows=found.rows[:1])
    assert archive_folder(other, root=tmp_path, settings=settings) != folder
    larger = replace(settings, ingest=replace(settings.ingest, passage_tokens=200))
    assert archive_folder(found, root=tmp_path, settings=larger) != folder


def test_archives_that_nobody_used_for_long_are_removed(tmp_path: Path) -> None:
    old, recent, foreign = (tmp_path / name for name in ("set-0", "sample-1", "models"))
    for folder in (old, recent, foreign):
        folder.mkdir()
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    archive_folder(read_set(None), root=tmp_path, settings=Settings())
    assert (old.exists(), recent.exists(), foreign.exists()) == (False, True, True)


def test_articles_that_are_not_there_are_told(tmp_path: Path) -> None:
    mine = rows(tmp_path / "mine.jsonl", {"question": "¿Quién?", "answers": "Hidromar"})
    with pytest.raises(DatasetError, match="does not exist: check the path"):
        archive_folder(read_set(mine, articles=[tmp_path / "none"]), root=tmp_path, settings=Settings())


def test_a_set_is_taken_in_once_beside_what_was_added_but_never_into_other_articles(
    tmp_path: Path, embedder: Embedder
) -> None:
    found = read_set(squad(tmp_path))
    with Archive.open(tmp_path / "kept", settings=Settings(), create=True, embedder=embedder) as archive:
        assert take_in(archive, found, root=tmp_path / "cache") == []
        assert archive.counts().articles == 2
        names = ArticleNames(archive.articles())
        assert [problem for item in found.dataset.questions for problem in locate(item, names).problems] == []
        assert take_in(archive, found, root=tmp_path / "cache") == []
        assert archive.counts().articles == 2
        mine = rows(tmp_path / "mine.jsonl", {"question": "¿Quién?", "answers": "Hidromar"})
        other = rows(tmp_path / "other.jsonl", {"text": "Otra noticia."}, {"text": ""})
        with pytest.raises(DatasetError, match=r"holds 2 articles, and none of mine.jsonl: name a new folder"):
            take_in(archive, read_set(mine, articles=[other]), root=tmp_path / "cache")


def test_articles_that_cannot_be_taken_in_are_named(tmp_path: Path, embedder: Embedder) -> None:
    mine = rows(tmp_path / "mine.jsonl", {"question": "¿Quién?", "answers": "Hidromar"})
    other = rows(tmp_path / "other.jsonl", {"text": WATER}, {"text": ""})
    with Archive.open(tmp_path / "kept", settings=Settings(), create=True, embedder=embedder) as archive:
        (trouble,) = take_in(archive, read_set(mine, articles=[other]), root=tmp_path / "cache")
    assert "other.jsonl line 2: has an empty text" in trouble
