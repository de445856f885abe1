"""The public questions that answers are measured on, read from `HEMEROTECA_DATA`; all of them are only reported."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.finding_sets import Document, key_of, rows

WORLD_SETS = ("mkqa_dev", "mintaka_dev")


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with passages that a search found for it, and whether any of them answers it."""

    qid: str
    question: str
    passages: tuple[Document, ...]
    is_answerable: bool


def read_answers(data: Path, language: str) -> Mapping[str, tuple[str, ...]]:
    """Return the answers to the questions of XQuAD, by key, as they stand in the passages of one language."""
    return {
        key_of(row["qid"]): tuple(answer["text"] for answer in row["answers"])
        for row in rows(data / "data" / "xquad" / f"questions.{language}.jsonl")
        if row["answerable"]
    }


def read_world(data: Path, *, per_set: int, seed: int) -> Mapping[str, tuple[str, ...]]:
    """Return Spanish questions on the world that no archive of news answers, by set; the same ones for a seed."""
    mkqa = [(row["qid"], row["question"]) for row in rows(data / "data" / WORLD_SETS[0] / "questions.es.jsonl")]
    mintaka = [(row["qid"], row["question"]["es"]) for row in rows(data / "data" / WORLD_SETS[1] / "questions.jsonl")]

    def order(pair: tuple[str, str]) -> bytes:
        return hashlib.sha256(f"world {seed} {pair[0]}".encode()).digest()

    return {
        name: tuple(question for _, question in sorted(found, key=order)[:per_set])
        for name, found in zip(WORLD_SETS, (mkqa, mintaka), strict=True)
    }


def read_ancora(data: Path) -> tuple[Document, ...]:
    """Return the Spanish news texts of AnCora."""
    return tuple(
        Document(row["doc_id"], " ".join(row["sentences"]))
        for row in rows(data / "data" / "ancora_news_es" / "docs.jsonl")
    )


def read_nomiracl(data: Path) -> tuple[JudgedQuestion, ...]:
    """Return the Spanish development questions of NoMIRACL, each with its ten passages under their titles."""
    folder = data / "data" / "nomiracl"
    held = {
        row["pid"]: Document(row["pid"], row["text"], title=row["title"]) for row in rows(folder / "passages.es.jsonl")
    }
    return tuple(
        JudgedQuestion(row["qid"], row["question"], tuple(held[pid] for pid in row["judged_pids"]), row["answerable"])
        for kind in ("relevant", "non_relevant")
        for row in rows(folder / f"questions.es.{kind}.jsonl")
    )
