"""Files of questions: our own JSONL, one question a line.

A line needs a question and its answers, all else is optional:

    {"question": "¿Quién compró el Ribanova?", "answers": "Halden Peak"}

`answers` is a string, a list of strings (accepted wordings of one fact) or a list of such lists (several facts).
Without `support` the measures of passages are skipped. `"answerable": false` needs no answers.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from eval.dataset import Dataset, DatasetError, Question, Support
from eval.fields import Row, date_of, flag_of, json_of, list_of, object_of, short, string, text_of
from rag.schema import Turn

KEYS = tuple(field.name for field in fields(Question))
MOST_PROBLEMS = 10
T = TypeVar("T")


def read_questions(path: Path) -> Dataset:
    """Return the questions of a JSONL file, in order; a question without a qid is called by its line ("line-3").

    Raises:
        DatasetError: The file cannot be read or holds no question, or lines are wrong: the first ten are named.
    """
    qids: set[str] = set()

    def question_of(row: Row, number: int) -> Question:
        question = _question(row, number)
        if question.qid in qids:
            raise ValueError(f'qid "{question.qid}" is used before: give every question its own')
        qids.add(question.qid)
        return question

    content = content_of(path)
    questions = read_rows(path, content, question_of)
    if not questions:
        raise DatasetError(f'{path} holds no question: write one JSON object a line, {{"question", "answers"}}')
    return Dataset(name=path.name, questions=tuple(questions), sha256=hashlib.sha256(content).hexdigest())


def read_rows(path: Path, content: bytes, convert: Callable[[Row, int], T]) -> list[T]:
    """Return the JSON objects of a file's lines, each converted with its line's number; blank lines are passed over.

    Raises:
        DatasetError: The file is not UTF-8, or lines are wrong (`convert` raises ValueError): the first ten are named.
    """
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        raise DatasetError(f"{path} is not UTF-8 (byte {exc.start}): save the file as UTF-8") from exc
    found: list[T] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(convert(object_of(json_of(line)), number))
        except ValueError as exc:
            problems.append(f"line {number}: {exc}")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        told = problems[:MOST_PROBLEMS] + ([f"and {more} more lines"] if more > 0 else [])
        raise DatasetError(f"{path}, {'; '.join(told)}")
    return found


def content_of(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as exc:
        raise DatasetError(f"{path} cannot be read ({getattr(exc, 'strerror', None) or exc}): check the file") from exc


def _question(row: Row, number: int) -> Question:
    for key in row:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            raise ValueError(f'unknown key "{key}": ' + (f'did you mean "{near[0]}"?' if near else "remove it"))
    question, answerable = text_of(row, "question"), flag_of(row, "answerable", default=True)
    if answerable and "answers" not in row:
        raise ValueError('"answers" is missing: give them, or "answerable": false')
    if answerable and row.get("contradicted_by"):
        raise ValueError('"contradicted_by" of a question that is answerable: remove one of the two')
    since, until = date_of(row, "since"), date_of(row, "until")
    if since and until and since > until:
        raise ValueError(f'"since" {since} is after "until" {until}: exchange them')
    return Question(
        qid=text_of(row, "qid", default=f"line-{number}"),
        question=question,
        answers=_answers(row.get("answers"), answerable=answerable),
        answerable=answerable,
        split=_split(row),
        subject=text_of(row, "subject", default=""),
        type=text_of(row, "type", default=""),
        language=text_of(row, "language", default="und"),
        history=list_of(row, "history", _turn),
        since=since,
        until=until,
        outlets=list_of(row, "outlets", string),
        support=list_of(row, "support", _support),
        conversation=text_of(row, "conversation", default=""),
        full=text_of(row, "full", default=""),
        contradicted_by=list_of(row, "contradicted_by", _support),
    )


def _answers(value: Any, *, answerable: bool) -> tuple[tuple[str, ...], ...]:
    if not answerable:
        if value:
            raise ValueError('"answers" of a question that is not answerable: remove one of the two')
        return ()
    nuggets = value
    if isinstance(value, str):
        nuggets = [[value]]
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        nuggets = [value]
    if (
        not isinstance(nuggets, list)
        or not all(isinstance(nugget, list) and nugget for nugget in nuggets)
        or not all(isinstance(item, str) and item.strip() for nugget in nuggets for item in nugget)
    ):
        raise ValueError(
            f'"answers" is {short(value)}: write a string, a list of wordings of one fact, or a list of such lists'
        )
    return tuple(tuple(map(string, nugget)) for nugget in nuggets)


def _split(row: Row) -> str:
    split = text_of(row, "split", default="")
    if split not in ("", "dev", "test"):
        raise ValueError(f'"split" is "{split}": write "dev" or "test"')
    return split


def _turn(value: Any) -> Turn:
    return Turn(*_pair(value, "question", "answer"))


def _support(value: Any) -> Support:
    return Support(*_pair(value, "article", "quote"))


def _pair(value: Any, first: str, second: str) -> tuple[str, str]:
    if not isinstance(value, dict) or set(value) != {first, second}:
        raise ValueError(f'{short(value)} where {{"{first}", "{second}"}} belongs')
    return string(value[first]), string(value[second])
