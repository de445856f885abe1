"""Questions to a large archive, in a process of their own: `python -m eval.bench_large_trial < job.json`.

The job names "archive", "questions" (rows), "deep" (how many passages the dense search gives), and "filters" (rows with
"name", "since", "until", "outlets"). The figures are printed as the last line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from eval.measuring import archive_bytes, memory, peak_memory, timed
from rag.archive import Archive
from rag.interfaces import Embedder, Filters, Vector, Vectors

_WARM_UP = 10


class _TimedEmbedder:
    """The embedder, and in `seconds` what questions cost it."""

    def __init__(self, real: Embedder) -> None:
        self.seconds = 0.0
        self.dim, self.max_tokens, self.fingerprint = real.dim, real.max_tokens, real.fingerprint
        self.count, self.embed_passages = real.count, real.embed_passages
        self._real = real

    def embed_question(self, text: str) -> Vector:
        vector: Vector = self.embed_questions([text])[0]
        return vector

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        took, vectors = timed(lambda: self._real.embed_questions(texts))
        self.seconds += took
        return vectors


def main() -> None:
    """Do the job that standard input names and print the figures as one line of JSON."""
    print(json.dumps(large_job(json.load(sys.stdin))))


def large_job(job: dict[str, Any]) -> dict[str, Any]:
    """Return seconds and bytes of memory of opening each part, then of the questions, and what dense search found."""
    from eval.made_up import SETTINGS
    from rag.config import EmbeddingSettings
    from rag.embedding import load_embedder

    stages: dict[str, dict[str, float | None]] = {}

    def stage(name: str, work: Callable[[], Any]) -> Any:
        before = memory()
        took, result = timed(work)
        stages[name] = {"seconds": took, "bytes": None if before is None else (memory() or before) - before}
        return result

    embedder = stage("model", lambda: _TimedEmbedder(load_embedder(EmbeddingSettings())))
    archive = stage("truth", lambda: Archive.open(job["archive"], settings=SETTINGS, embedder=embedder))
    with archive:
        questions = [row["question"] for row in map(json.loads, Path(job["questions"]).read_text("utf-8").splitlines())]
        stage("words", lambda: archive._holdings.words)
        stage("vectors", lambda: archive._holdings.vectors)
        stage("first question", lambda: archive.ask(questions[0]))
        for question in questions[1 : 1 + _WARM_UP]:
            archive.ask(question)
        return {
            "stages": stages,
            "passages": archive.counts().passages,
            "search_s": [_beside(embedder, partial(archive.search, question, k=10)) for question in questions],
            "asked": [_asked(archive, embedder, question) for question in questions],
            **_steps(archive, embedder, questions, deep=job["deep"]),
            "filtered": {row["name"]: _filtered(archive, embedder, questions, row) for row in job["filters"]},
            "peak": peak_memory(),
            "bytes": archive_bytes(Path(job["archive"])),
        }


def _beside(embedder: _TimedEmbedder, work: Callable[[], Any]) -> float:
    before = embedder.seconds
    took, _ = timed(work)
    return took - (embedder.seconds - before)


def _asked(archive: Archive, embedder: _TimedEmbedder, question: str) -> dict[str, float]:
    before, began = embedder.seconds, time.perf_counter()
    answer = archive.ask(question)
    whole = time.perf_counter() - began
    return {**answer.timings, "whole": whole, "embed": embedder.seconds - before}


def _steps(archive: Archive, embedder: _TimedEmbedder, questions: Sequence[str], *, deep: int) -> dict[str, Any]:
    """Return the seconds of both searches and of loading what they found, and the passages of the dense one."""
    parts, everything = archive._parts, Filters()
    seconds: dict[str, list[float]] = {"dense_s": [], "words_s": [], "candidates_s": []}
    found = []
    for question in questions:
        vector = embedder.embed_question(question)
        dense_s, dense = timed(partial(parts.vectors.search, vector, k=deep, filters=everything))
        words_s, words = timed(partial(parts.words.search, question, language="es", k=deep, filters=everything))
        ids = sorted({each.passage_id for each in (*dense, *words)})
        candidates_s, _ = timed(partial(parts.load_candidates, ids))
        for name, took in (("dense_s", dense_s), ("words_s", words_s), ("candidates_s", candidates_s)):
            seconds[name].append(took)
        found.append([each.passage_id for each in dense])
    return {**seconds, "found": found}


def _filtered(archive: Archive, embedder: _TimedEmbedder, questions: Sequence[str], row: dict[str, Any]) -> list[float]:
    since, until = (date.fromisoformat(row[name]) if row.get(name) else None for name in ("since", "until"))
    search = partial(archive.search, k=10, since=since, until=until, outlets=row.get("outlets", ()))
    return [_beside(embedder, partial(search, question)) for question in questions[:: max(1, len(questions) // 40)]]


if __name__ == "__main__":
    main()
