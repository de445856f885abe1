"""Rows of questions and rows of the passages that they are about, as public extractive sets are often kept.

{"qid", "question", "pid", "answers": [{"text", "start"}], "lang", "answerable"} and {"pid", "title", "text", "lang"};
"start" counts code points. "judged_pids" may stand for "pid" where several passages were judged.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from eval.dataset import IMPOSSIBLE, Dataset, DatasetError, Question, QuestionSet, Support
from eval.formats import content_of
from rag.sentences import split_sentences

PAIRED = ("pid", "judged_pids")
"""Keys of which such a question has one."""


def read_pairs(questions: Path, passages: Path) -> QuestionSet:
    """Return the questions with the passages as articles; a passage's title is the question's subject.

    Raises:
        DatasetError: A file cannot be read, a row lacks something, or no question is about any of the passages.
    """
    held = {str(row.get("pid")): row for row in _rows(passages)}
    found: dict[str, Question] = {}
    left_out = 0
    for number, row in enumerate(_rows(questions), start=1):
        try:
            question = _paired(row, held)
        except (KeyError, TypeError, AttributeError) as exc:
            raise DatasetError(
                f"{questions}, row {number}: {exc!r} is missing or wrong: see `eval run --help`"
            ) from exc
        if question is None:
            left_out += 1
        else:
            found[question.qid] = question
    if not found:
        raise DatasetError(f"no question of {questions} is about a passage of {passages}: give the file that belongs")
    return QuestionSet(
        dataset=Dataset(
            name=questions.name,
            questions=tuple(found.values()),
            sha256=hashlib.sha256(content_of(questions)).hexdigest(),
        ),
        rows=tuple(
            {
                "id": pid,
                "text": row["text"],
                **({"title": row["title"].replace("_", " ")} if row.get("title") else {}),
                **({"language": row["lang"]} if row.get("lang") else {}),
            }
            for pid, row in held.items()
        ),
        notes=(f"{left_out} questions left out: no answer is given, or their passage is not there",)
        if left_out
        else (),
    )


def _paired(row: dict[str, Any], held: dict[str, dict[str, Any]]) -> Question | None:
    pids = [str(row["pid"])] if "pid" in row else [str(pid) for pid in row["judged_pids"]]
    passages = [held[pid] for pid in pids if pid in held]
    answers, answerable = row.get("answers") or [], bool(row.get("answerable", True))
    if not passages or (answerable and not answers):
        return None
    passage, pid = passages[0], pids[0]
    quotes = [
        sentence.text
        for sentence in split_sentences(passage["text"], language=passage.get("lang", "und"))
        for answer in answers
        if sentence.start < answer["start"] + len(answer["text"]) and answer["start"] < sentence.end
    ]
    return Question(
        qid=str(row["qid"]),
        question=row["question"],
        answers=(tuple(dict.fromkeys(answer["text"] for answer in answers)),) if answerable else (),
        answerable=answerable,
        subject=str(passage.get("title") or passage.get("doc_id") or pid),
        type="" if answerable else IMPOSSIBLE,
        language=row.get("lang", "und"),
        support=tuple(Support(pid, quote) for quote in dict.fromkeys(quotes)) if answerable else (),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in content_of(path).decode("utf-8-sig").split("\n") if line.strip()]
    except ValueError as exc:
        raise DatasetError(f"{path} is not rows of JSON in UTF-8 ({exc}): correct it") from exc
