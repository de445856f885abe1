"""SQuAD files (Rajpurkar et al. 2016, 2018) as questions and articles: v1.1, v2.0, and all that is shaped like them.

XQuAD, MLQA and SQAC are. Every context becomes an article of its own under the title of its page; the page is the
question's subject, by which sets are sampled and halved.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eval.dataset import ANSWERABLE, IMPOSSIBLE, Dataset, DatasetError, Question, QuestionSet, Support
from eval.fields import Row, flag_of, json_of, list_of, name_of, number_of, object_of, text_of
from eval.formats import content_of
from rag.language import detect_language
from rag.schema import Sentence
from rag.sentences import split_sentences

IMPOSSIBLE_NOTE = (
    'A question marked "is_impossible" has no answer in its own context; another article of the archive may answer it.'
)


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    start: int


@dataclass(slots=True)
class _Reading:
    """What has been read of a file so far; `left_out` counts by reason the questions and answers passed over.

    `place` is where in the file the reading is, "" at its top.
    """

    questions: dict[str, Question] = field(default_factory=dict)
    contexts: dict[str, dict[str, str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    place: str = ""


def read_squad(path: Path, *, contexts: Path | None = None) -> QuestionSet:
    """Return the questions of a SQuAD file and its contexts as articles.

    Args:
        path: The file, or the same gzipped.
        contexts: Another SQuAD file of the same questions, by id, in another language: its contexts and answers are
            taken, and only the wording of the questions from `path`. None takes all from `path`.

    Raises:
        DatasetError: A file cannot be read, is not a SQuAD file, or the two have no question in common.
    """
    content = content_of(path)
    read = _read(content, path)
    held = read if contexts is None else _read(content_of(contexts), contexts)
    questions = [
        replace(question, question=read.questions[qid].question)
        for qid, question in held.questions.items()
        if qid in read.questions
    ]
    if not questions:
        raise DatasetError(f"{path} and {contexts} have no question id in common: give two translations of one set")
    notes = [f"{count} {reason}" for reason, count in held.left_out.items()]
    if any(not question.answerable for question in questions):
        notes.append(IMPOSSIBLE_NOTE)
    name = path.name if contexts is None else f"{path.name} over {contexts.name}"
    return QuestionSet(
        dataset=Dataset(name=name, questions=tuple(questions), sha256=hashlib.sha256(content).hexdigest()),
        rows=tuple(held.contexts.values()),
        notes=tuple(notes),
    )


def _read(content: bytes, path: Path) -> _Reading:
    read = _Reading()
    try:
        whole = json_of(content)
    except ValueError as exc:
        raise DatasetError(f"{path}: {exc}") from exc
    try:
        for number, page in enumerate(_items(object_of(whole), "data"), start=1):
            read.place = f"page {number}"
            title = (text_of(page, "title", default="") or read.place).replace("_", " ")
            for position, paragraph in enumerate(_items(page, "paragraphs"), start=1):
                read.place = f"page {number}, paragraph {position}"
                _read_paragraph(paragraph, title, read)
    except ValueError as exc:
        if read.place:
            raise DatasetError(f"{path}, {read.place}: {exc}") from exc
        raise DatasetError(
            f"{path} is not a SQuAD file ({exc}): such a file is "
            '{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}, '
            "and rows of your own are a .jsonl"
        ) from exc
    if not read.questions:
        raise DatasetError(f"{path} holds no question with an answer: give another file")
    return read


def _items(row: Row, key: str) -> tuple[dict[str, Any], ...]:
    if row.get(key) is None:
        raise ValueError(f'"{key}" is missing: write a list')
    return list_of(row, key, object_of)


def _read_paragraph(paragraph: Row, title: str, read: _Reading) -> None:
    context, place = text_of(paragraph, "context"), read.place
    # The same context stands on several pages of some sets; an archive keeps a text once.
    row = read.contexts.setdefault(
        context, {"id": f"context-{len(read.contexts) + 1}", "title": title, "text": context}
    )
    sentences = split_sentences(context, language=detect_language(context))
    for number, asked in enumerate(_items(paragraph, "qas"), start=1):
        read.place = f"{place}, question {number}"
        qid, impossible = name_of(asked, "id"), flag_of(asked, "is_impossible", default=False)
        question = text_of(asked, "question", default="").strip()
        given = () if impossible else list_of(asked, "answers", _answer)
        answers = [answer for answer in given if answer.text]
        if qid in read.questions:
            read.left_out["questions left out: their id is used before"] += 1
            continue
        if not question:
            read.left_out["questions left out: they are empty"] += 1
            continue
        if not impossible and not answers:
            read.left_out["questions left out: no answer is given"] += 1
            continue
        accepted = tuple(dict.fromkeys(answer.text for answer in answers))
        read.questions[qid] = Question(
            qid=qid,
            question=question,
            answers=(accepted,) if accepted else (),
            answerable=not impossible,
            subject=title,
            type=IMPOSSIBLE if impossible else ANSWERABLE if "is_impossible" in asked else "",
            support=tuple(Support(row["id"], quote) for quote in dict.fromkeys(_quotes(answers, sentences, read))),
        )


def _answer(value: Any) -> _Answer:
    answer = object_of(value)
    return _Answer(text_of(answer, "text", default=""), number_of(answer, "answer_start"))


def _quotes(answers: list[_Answer], sentences: list[Sentence], read: _Reading) -> Iterator[str]:
    """Yield the sentences in which the answers stand, by their offsets."""
    for answer in answers:
        start, end = answer.start, answer.start + len(answer.text)
        around = [sentence for sentence in sentences if sentence.start < end and start < sentence.end]
        joined = " ".join(sentence.text for sentence in around)
        # Some sets count bytes or UTF-16 units: a wrong place would make a wrong sentence the supporting one.
        if " ".join(answer.text.split()) in " ".join(joined.split()):
            yield from (sentence.text for sentence in around)
        else:
            read.left_out["answers do not stand at their offset: without support, the passages are not judged"] += 1
