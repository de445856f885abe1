"""Rows of questions and rows of the passages that they are about, as public extractive sets are often kept.

{"qid", "question", "pid", "answers": [{"text", "start"}], "lang", "answerable"} and {"pid", "title", "text", "lang"};
"start" counts code points. "judged_pids" may stand for "pid" where several passages were judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.dataset import IMPOSSIBLE, Dataset, DatasetError, Question, QuestionSet, Support
from eval.fields import Row, flag_of, list_of, name_of, number_of, object_of, text_of
from eval.formats import content_of, read_rows
from rag.sentences import split_sentences

PAIRED = ("pid", "judged_pids")
"""Keys of which such a question has one."""


@dataclass(frozen=True, slots=True)
class _Passage:
    pid: str
    text: str
    title: str
    page: str
    language: str


@dataclass(frozen=True, slots=True)
class _Accepted:
    """An accepted answer and where it stands in its passage."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Asked:
    qid: str
    question: str
    pids: tuple[str, ...]
    answers: tuple[_Accepted, ...]
    answerable: bool
    language: str


def read_pairs(questions: Path, passages: Path) -> QuestionSet:
    """Return the questions with the passages as articles; a passage's title is the question's subject.

    Raises:
        DatasetError: A file cannot be read, rows are wrong, or no question is about any of the passages.
    """
    content = content_of(questions)
    held = {passage.pid: passage for passage in read_rows(passages, content_of(passages), _passage)}
    asked = read_rows(questions, content, _asked)
    found = {one.qid: question for one in asked if (question := _paired(one, held))}
    if not found:
        raise DatasetError(f"no question of {questions} is about a passage of {passages}: give the file that belongs")
    left_out = sum(_paired(one, held) is None for one in asked)
    return QuestionSet(
        dataset=Dataset(
            name=questions.name, questions=tuple(found.values()), sha256=hashlib.sha256(content).hexdigest()
        ),
        rows=tuple(
            {
                "id": passage.pid,
                "text": passage.text,
                **({"title": passage.title.replace("_", " ")} if passage.title else {}),
                **({"language": passage.language} if passage.language else {}),
            }
            for passage in held.values()
        ),
        notes=(f"{left_out} questions left out: no answer is given, or their passage is not there",)
        if left_out
        else (),
    )


def _passage(row: Row, _: int) -> _Passage:
    pid, title = name_of(row, "pid"), text_of(row, "title", default="")
    page = title or (name_of(row, "doc_id") if row.get("doc_id") is not None else pid)
    return _Passage(pid, text_of(row, "text"), title, page, text_of(row, "lang", default=""))


def _asked(row: Row, _: int) -> _Asked:
    judged = "pid" not in row and "judged_pids" in row
    return _Asked(
        qid=name_of(row, "qid"),
        question=text_of(row, "question"),
        pids=list_of(row, "judged_pids", _pid) if judged else (name_of(row, "pid"),),
        answers=list_of(row, "answers", _accepted),
        answerable=flag_of(row, "answerable", default=True),
        language=text_of(row, "lang", default="und"),
    )


def _pid(value: Any) -> str:
    return name_of({"pid": value}, "pid")


def _accepted(value: Any) -> _Accepted:
    answer = object_of(value)
    return _Accepted(text_of(answer, "text"), number_of(answer, "start"))


def _paired(asked: _Asked, held: Mapping[str, _Passage]) -> Question | None:
    passages = [held[pid] for pid in asked.pids if pid in held]
    if not passages or (asked.answerable and not asked.answers):
        return None
    passage, pid = passages[0], asked.pids[0]
    quotes = [
        sentence.text
        for sentence in split_sentences(passage.text, language=passage.language or "und")
        for answer in asked.answers
        if sentence.start < answer.start + len(answer.text) and answer.start < sentence.end
    ]
    return Question(
        qid=asked.qid,
        question=asked.question,
        answers=(tuple(dict.fromkeys(answer.text for answer in asked.answers)),) if asked.answerable else (),
        answerable=asked.answerable,
        subject=passage.page,
        type="" if asked.answerable else IMPOSSIBLE,
        language=asked.language,
        support=tuple(Support(pid, quote) for quote in dict.fromkeys(quotes)) if asked.answerable else (),
    )
