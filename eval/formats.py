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
import json
import zlib
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from eval.dataset import Dataset, DatasetError, Question, Support
from rag.schema import Turn

KEYS = tuple(field.name for field in fields(Question))
MOST_PROBLEMS = 10
T = TypeVar("T")


def read_questions(path: Path) -> Dataset:
    """Return the questions of a JSONL file, in order; a question without a qid is called by its line ("line-3").

    Raises:
        DatasetError: The file cannot be read or holds no question, or lines are wrong: the first ten are named.
    """
    content = content_of(path)
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        raise DatasetError(f"questions {path} are not UTF-8 (byte {exc.start}): save the file as UTF-8") from exc
    questions: dict[str, Question] = {}
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = _question(line, number)
        except ValueError as exc:
            problems.append(f"{path}, line {number}: {exc}")
            continue
        if question.qid in questions:
            problems.append(f'{path}, line {number}: qid "{question.qid}" is used before: give every question its own')
        questions[question.qid] = question
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise DatasetError("\n".join(problems[:MOST_PROBLEMS] + ([f"and {more} more lines"] if more > 0 else [])))
    if not questions:
        raise DatasetError(f'{path} holds no question: write one JSON object a line, {{"question", "answers"}}')
    return Dataset(name=path.name, questions=tuple(questions.values()), sha256=hashlib.sha256(content).hexdigest())


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


def _question(line: str, number: int) -> Question:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON ({exc.msg}, column {exc.colno}): correct it") from exc
    if not isinstance(row, dict):
        raise ValueError(f"a {type(row).__name__} where an object belongs: write {{...}}")
    for key in row:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            raise ValueError(f'unknown key "{key}": ' + (f'did you mean "{near[0]}"?' if near else "remove it"))
    if "question" not in row:
        raise ValueError('"question" is missing')
    answerable = row.get("answerable", True)
    if not isinstance(answerable, bool):
        raise ValueError(f'"answerable" is {answerable!r}: write true or false')
    if answerable and "answers" not in row:
        raise ValueError('"answers" is missing: give them, or "answerable": false')
    if answerable and row.get("contradicted_by"):
        raise ValueError('"contradicted_by" of a question that is answerable: remove one of the two')
    since, until = _date(row, "since"), _date(row, "until")
    if since and until and since > until:
        raise ValueError(f'"since" {since} is after "until" {until}: exchange them')
    return Question(
        qid=_text(row, "qid", default=f"line-{number}"),
        question=_text(row, "question"),
        answers=_answers(row.get("answers"), answerable=answerable),
        answerable=answerable,
        split=_split(row),
        subject=_text(row, "subject", default=""),
        type=_text(row, "type", default=""),
        language=_text(row, "language", default="und"),
        history=_list(row, "history", _turn),
        since=since,
        until=until,
        outlets=_list(row, "outlets", _string),
        support=_list(row, "support", _support),
        conversation=_text(row, "conversation", default=""),
        full=_text(row, "full", default=""),
        contradicted_by=_list(row, "contradicted_by", _support),
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
            f'"answers" is {_short(value)}: write a string, a list of wordings of one fact, or a list of such lists'
        )
    return tuple(tuple(nugget) for nugget in nuggets)


def _split(row: dict[str, Any]) -> str:
    split = _text(row, "split", default="")
    if split not in ("", "dev", "test"):
        raise ValueError(f'"split" is "{split}": write "dev" or "test"')
    return split


def _text(row: dict[str, Any], key: str, *, default: str | None = None) -> str:
    value = row.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'"{key}" is {_short(value)}: write a text')
    return value


def _date(row: dict[str, Any], key: str) -> date | None:
    value = row.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as exc:
        raise ValueError(f'"{key}" is {_short(value)}: write a date as "2024-05-31"') from exc


def _list(row: dict[str, Any], key: str, convert: Callable[[Any], T]) -> tuple[T, ...]:
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f'"{key}" is {_short(value)}: write a list')
    try:
        return tuple(convert(item) for item in value)
    except ValueError as exc:
        raise ValueError(f'"{key}": {exc}') from exc


def _string(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{_short(value)} where a text belongs")
    return value


def _turn(value: Any) -> Turn:
    return Turn(*_pair(value, "question", "answer"))


def _support(value: Any) -> Support:
    return Support(*_pair(value, "article", "quote"))


def _pair(value: Any, first: str, second: str) -> tuple[str, str]:
    if not isinstance(value, dict) or set(value) != {first, second}:
        raise ValueError(f'{_short(value)} where {{"{first}", "{second}"}} belongs')
    return _string(value[first]), _string(value[second])


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
