"""What a row that somebody else wrote says under a name, as the type that belongs there; else a ValueError says why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]
_MOST_SHOWN = 60
_HALF = re.compile(r"[\ud800-\udfff]")


def json_of(content: str | bytes) -> Any:
    """Return the JSON value of a line or of a whole file."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as exc:
        line_number = f"line {exc.lineno}, " if exc.lineno > 1 else ""
        raise ValueError(f"not JSON ({exc.msg}, {line_number}column {exc.colno}): correct it") from exc
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 (byte {exc.start}): save the file as UTF-8") from exc
    except (RecursionError, ValueError) as exc:
        # Of Python's limits, lists within lists and digits of a number.
        raise ValueError("JSON nested too deeply, or with a number of thousands of digits: correct it") from exc


def object_of(value: Any) -> dict[str, Any]:
    """Return a value that is a JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{_kind(value)} where an object belongs: write {{...}}")
    return value


def text_of(row: Row, key: str, *, default: str | None = None) -> str:
    """Return a text that is not blank; `default` where there is none or it is blank, if that is allowed."""
    value = row.get(key)
    if default is not None and (value is None or (isinstance(value, str) and not value.strip())):
        return default
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{_said(row, key)}: write a text")
    return _whole(value)


def string(value: Any) -> str:
    """Return an item of a list that is a text, and not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{short(value)} where a text belongs")
    return _whole(value)


def name_of(row: Row, key: str) -> str:
    """Return an id, which may be a whole number."""
    value = row.get(key)
    return str(value) if type(value) is int else text_of(row, key)


def number_of(row: Row, key: str) -> int:
    """Return a whole number of 0 or more."""
    value = row.get(key)
    if type(value) is not int or value < 0:
        raise ValueError(f"{_said(row, key)}: write a number, 0 or more")
    return value


def flag_of(row: Row, key: str, *, default: bool) -> bool:
    """Return true or false."""
    value = row.get(key, default)
    if not isinstance(value, bool):
        raise ValueError(f"{_said(row, key)}: write true or false")
    return value


def date_of(row: Row, key: str) -> date | None:
    """Return a date, None where there is none."""
    value = row.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as exc:
        raise ValueError(f'{_said(row, key)}: write a date as "2024-05-31"') from exc


def list_of(row: Row, key: str, convert: Callable[[Any], T]) -> tuple[T, ...]:
    """Return the items of a list, each converted; empty where there is no list."""
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{_said(row, key)}: write a list")
    try:
        return tuple(convert(item) for item in value)
    except ValueError as exc:
        raise ValueError(f'"{key}": {exc}') from exc


def short(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def _said(row: Row, key: str) -> str:
    return f'"{key}" is {short(row[key])}' if key in row else f'"{key}" is missing'


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else "a number"


def _whole(text: str) -> str:
    if half := _HALF.search(text):
        raise ValueError(f"a text holds half a character ({half.group()!r}): correct it")
    return text
