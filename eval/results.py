"""Results of a run, read back from the JSON that `eval run` and the baseline are written in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.dataset import DatasetError

# The form of the JSON file; it grows when a reader of the old form would misunderstand the new one.
FORM = 2


@dataclass(frozen=True, slots=True)
class Result:
    """One question's outcome; `digest` tells whether two runs asked the same thing, `why` is the verdict."""

    qid: str
    digest: str
    split: str
    subject: str
    type: str
    passed: bool
    scores: Mapping[str, float | None]
    question: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """A run's outcomes by qid; `about` holds, by dotted name, what decides whether two runs can be compared."""

    name: str
    about: Mapping[str, str]
    by_qid: Mapping[str, Result]


def read_results(path: Path) -> Results:
    """Return the results in a file.

    Raises:
        DatasetError: The file cannot be read, or is not results of this form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise DatasetError(f"results {path} cannot be read ({exc.strerror}): check the path") from exc
    except (ValueError, RecursionError) as exc:
        raise DatasetError(f"results {path} are not JSON ({exc}): give a file that `eval run` wrote") from exc
    form = content.get("form") if isinstance(content, dict) else None
    if form != FORM:
        raise DatasetError(f"results {path} are of form {form!r}, this version reads {FORM}: run `eval run` again")
    try:
        return results_from_dict(content, name=str(path))
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise DatasetError(f"results {path} are damaged ({exc!r}): run `eval run` again") from exc


def results_from_dict(content: Mapping[str, Any], *, name: str) -> Results:
    """Return the results that `eval.report.run_to_dict` made plain."""
    results = [_result(row) for row in content["questions"]]
    return Results(name=name, about=_about(content["about"]), by_qid={result.qid: result for result in results})


def _result(row: Mapping[str, Any]) -> Result:
    return Result(
        qid=str(row["qid"]),
        digest=str(row["digest"]),
        split=str(row["split"]),
        subject=str(row["subject"]),
        type=str(row["type"]),
        passed=bool(row["passed"]),
        scores={name: None if value is None else float(value) for name, value in row["scores"].items()},
        question=str(row.get("question", "")),
        why=str(next(iter(row.get("why", ())), "")),
    )


def _about(about: Mapping[str, Any]) -> dict[str, str]:
    """Return what two runs may differ in, flat; when and where a run took place is left out."""
    flat: dict[str, str] = {}
    for part in ("dataset", "archive", "settings", "code"):
        value = about.get(part)
        if isinstance(value, Mapping):
            flat |= {f"{part}.{key}": text for key, text in _flat(value) if key != "path"}
        elif value is not None:
            flat[part] = str(value)
    return flat


def _flat(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += [(f"{key}.{name}", text) for name, text in _flat(value)]
        else:
            found.append((str(key), str(value)))
    return found
