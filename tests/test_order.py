from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import ingest
from rag.archive import Archive
from rag.config import Settings
from rag.order import best_first
from tests.hashed_embedder import HashedEmbedder


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"a-1": 0.2, "b-2": 0.9, "c-3": 0.5}, ["b-2", "c-3", "a-1"]),
        ({"a-9": 0.5, "b-1": 0.5}, ["b-1", "a-9"]),
        ({"b-1": 0.5, "a-1": 0.5}, ["a-1", "b-1"]),
        ({}, []),
    ],
    ids=["by score", "equal scores by content", "equal content by article", "nothing"],
)
def test_the_best_come_first_and_equals_by_content(scores: dict[str, float], expected: list[str]) -> None:
    assert best_first(scores) == expected
    assert best_first(dict(reversed(scores.items()))) == expected


def ten_best(folder: Path, rows: Sequence[dict[str, str]], *, at_once: int) -> list[list[str]]:
    """Return the passages found for three questions after taking the rows in, so many at a time."""
    with Archive.open(folder / "archive", settings=Settings(), create=True, embedder=HashedEmbedder()) as archive:
        for at in range(0, len(rows), at_once):
            file = folder / "rows.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows[at : at + at_once]), encoding="utf-8")
            ingest(archive, [file])
        questions = ("¿Qué firmaron en el puerto?", "tratado 7", "la lluvia de junio")
        return [[hit.passage.id for hit in archive.search(question, k=10)] for question in questions]


def test_the_same_articles_in_another_order_give_the_same_results(tmp_path: Path) -> None:
    # Texts that tie, of outlets of their own: equal texts of one outlet are one article, whichever came first.
    rows = [
        {"id": str(number), "outlet": f"Diario {number}", "text": f"Firmaron el tratado {number % 9} bajo la lluvia."}
        for number in range(36)
    ]
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    in_order = ten_best(tmp_path / "one", rows, at_once=36)
    assert [len(found) for found in in_order] == [10, 10, 10]
    assert ten_best(tmp_path / "other", rows[::-1], at_once=10) == in_order
