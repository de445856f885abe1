"""One measured run of this program in a process of its own: `python -m eval.bench_trial < job.json`.

So its memory is its own, and its imports are cold. `eval.recipe` takes the same jobs; both print their figures as the
last line. A job is {"do": "ingest" | "ask", "archive": folder} and:

- ingest: "articles" (rows), "labelled" (more rows, taken in after the measurement), "compact" (compact at the end);
- ask: "questions" (rows), "k" (passages that a search gives), "vectors" ("real", "made up", or "made up beside real":
  the archive's are made up, and questions are embedded by the bundled model all the same), "answers" (also ask).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.measuring import archive_bytes, peak_memory, timed

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.interfaces import Embedder

# Questions asked before the clock runs.
WARM_UP = 10


def main() -> None:
    """Do the job that standard input names and print the figures as one line of JSON."""
    job = json.load(sys.stdin)
    figures = {"ingest": ingest_job, "ask": ask_job}[job["do"]](job)
    print(json.dumps(figures))


def ingest_job(job: dict[str, Any]) -> dict[str, Any]:
    """Return what ingest costs: seconds, peak bytes of memory, bytes on disk by part."""
    from ingest import ingest
    from rag.archive import Archive
    from rag.config import EmbeddingSettings, Settings
    from rag.embedding import load_embedder

    embedder = load_embedder(EmbeddingSettings())
    loaded = peak_memory()
    folder = Path(job["archive"])
    with Archive.open(folder, settings=Settings(), create=True, embedder=embedder) as archive:
        summary = ingest(archive, [job["articles"]])
        passages = archive.counts().passages
    figures: dict[str, Any] = {
        "seconds": summary.seconds,
        "articles": summary.added,
        "failed": summary.failed,
        "passages": passages,
        "loaded": loaded,
        "peak": peak_memory(),
        "bytes": archive_bytes(folder),
    }
    if job.get("compact") or job.get("labelled"):
        with Archive.open(folder, settings=Settings(), embedder=embedder) as archive:
            if job.get("compact"):
                archive.compact()
            if job.get("labelled"):
                ingest(archive, [job["labelled"]])
        figures["compacted"] = archive_bytes(folder)
    return figures


def ask_job(job: dict[str, Any]) -> dict[str, Any]:
    """Return what questions cost: seconds of each stage of a cold start, then of each question, with what was found."""
    began = time.perf_counter()
    from rag.archive import Archive
    from rag.config import Settings

    imported = time.perf_counter() - began
    model_s, (embedder, settings) = timed(lambda: _embedder(job["vectors"]))
    truth_s, archive = timed(lambda: Archive.open(job["archive"], settings=settings or Settings(), embedder=embedder))
    with archive:
        # The indexes open at the first question: only so can the time of each be told.
        words_s, _ = timed(lambda: archive._holdings.words)
        vectors_s, _ = timed(lambda: archive._holdings.vectors)
        rows = [json.loads(line) for line in Path(job["questions"]).read_text(encoding="utf-8").splitlines()]
        questions = [row["question"] for row in rows]
        first = archive.ask if job.get("answers") else archive.search
        first_s, _ = timed(lambda: first(questions[0]))
        cold_s = time.perf_counter() - began
        for question in questions[1 : 1 + WARM_UP]:
            first(question)
        figures = {
            "import_s": imported,
            "model_s": model_s,
            "truth_s": truth_s,
            "words_s": words_s,
            "vectors_s": vectors_s,
            "first_s": first_s,
            "cold_s": cold_s,
            "passages": archive.counts().passages,
            **_searched(archive, questions, k=job["k"]),
        }
        if job.get("answers"):
            figures["asked"] = _asked(archive, questions, embedder)
    return {**figures, "peak": peak_memory(), "bytes": archive_bytes(Path(job["archive"]))}


def _embedder(kind: str) -> tuple[Embedder, Any]:
    if kind == "made up":
        from eval.made_up import SETTINGS, MadeUpEmbedder

        return MadeUpEmbedder(), SETTINGS
    from rag.config import EmbeddingSettings
    from rag.embedding import load_embedder

    real = load_embedder(EmbeddingSettings())
    if kind == "real":
        return real, None
    from eval.made_up import SETTINGS, MadeUpEmbedder

    return MadeUpEmbedder(real), SETTINGS


def _searched(archive: Archive, questions: Sequence[str], *, k: int) -> dict[str, Any]:
    seconds, found = [], []
    for question in questions:
        took, hits = timed(partial(archive.search, question, k=k))
        seconds.append(took)
        found.append([hit.article.given_id for hit in hits])
    return {"search_s": seconds, "found": found}


def _asked(archive: Archive, questions: Sequence[str], embedder: Embedder) -> list[dict[str, float]]:
    """Return for each question the seconds of the whole, of embedding it where that is known, and of each step."""
    asked = []
    for question in questions:
        before = getattr(embedder, "question_s", 0.0)
        whole, answer = timed(partial(archive.ask, question))
        asked.append({**answer.timings, "whole": whole, "embed": getattr(embedder, "question_s", 0.0) - before})
    return asked


if __name__ == "__main__":
    main()
