"""A question to all 182,478 Spanish passages with the bundled model's own vectors: time, exactness, memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.bench_page import Goal, Section, megabytes, milliseconds, table
from eval.bench_plan import Plan, run_trial
from eval.bench_texts import labelled, write_rows
from eval.large_archive import how_made, large_archive, large_corpus
from eval.measuring import median, percentile
from eval.real_vectors import real_vectors
from rag.interfaces import Vectors

PARAGRAPHS = 182_379
BESIDE_S, FILTERED_S, RECALL = 0.050, 0.100, 0.98
_TRIAL = "eval.bench_large_trial"
_DEEP = 50
_STEPS = ("retrieve", "read", "answer")
_FILTERS: tuple[dict[str, Any], ...] = (
    {"name": "a day", "since": "2021-03-03", "until": "2021-03-03"},
    {"name": "a month", "since": "2021-03-01", "until": "2021-03-31"},
    {"name": "a year", "since": "2021-01-01", "until": "2021-12-31"},
    {"name": "from 2022 on", "since": "2022-01-01"},
    {"name": "an outlet of a third", "outlets": ["Diario 0"]},
    {"name": "a small outlet", "outlets": ["Diario 9"]},
    {"name": "an outlet and a year", "outlets": ["Diario 0"], "since": "2021-01-01", "until": "2021-12-31"},
)


def large_part(plan: Plan) -> Section:
    """Return what a question costs, and how exact dense search is, in the largest archive that the sets give."""
    from rag.config import EmbeddingSettings
    from rag.embedding import load_embedder

    embedder = load_embedder(EmbeddingSettings())
    corpus = large_corpus(plan.data, paragraphs=plan.part_of(PARAGRAPHS), embedder=embedder)
    root = plan.cache if plan.share == 1 else plan.work
    texts = [passage.text for item in corpus for passage in item.passages]
    vectors = real_vectors(plan.cache, texts, embedder=embedder, say=plan.say)
    folder = large_archive(root, corpus, vectors, embedder=embedder, say=plan.say)
    questions = labelled(plan.data)[1][:: 1 if plan.share == 1 else 10]
    exact = _nearest(vectors, embedder.embed_questions([row["question"] for row in questions]))
    ids = [passage.id for item in corpus for passage in item.passages]
    del embedder
    plan.say(f"{len(questions)} questions to {len(ids):,} passages")
    file = write_rows(plan.work / "questions.jsonl", questions)
    told = run_trial(
        {"do": "large", "archive": str(folder), "questions": str(file), "deep": _DEEP, "filters": _FILTERS},
        module=_TRIAL,
    )
    recalls = {k: recall(told["found"], [[ids[row] for row in rows] for rows in exact], k=k) for k in (10, _DEEP)}
    beside = median(_beside(told))
    slowest = max(median(took) for took in told["filtered"].values())
    goals = (
        Goal(
            "All besides embedding the question", f"< {milliseconds(BESIDE_S)}", milliseconds(beside), beside < BESIDE_S
        ),
        Goal(
            "Recall@10 of dense search against exact cosines",
            f">= {RECALL}",
            f"{recalls[10]:.4f}",
            recalls[10] >= RECALL,
        ),
        Goal(
            "The slowest filter, median", f"< {milliseconds(FILTERED_S)}", milliseconds(slowest), slowest < FILTERED_S
        ),
    )
    return Section(f"A question to {told['passages']:,} passages", _body(told, recalls, folder), goals)


def _body(told: dict[str, Any], recalls: dict[int, float], folder: Path) -> str:
    asked = told["asked"]
    rows = [
        _row("**all of `ask` besides embedding the question**", _beside(told)),
        _row("— understand, without embedding", [one["understand"] - one["embed"] for one in asked]),
        *(_row(f"— {step}", [one[step] for one in asked]) for step in _STEPS),
        _row("`search`, without embedding the question", told["search_s"]),
        _row(f"the dense search for {_DEEP} passages", told["dense_s"]),
        _row(f"the word search for {_DEEP} passages", told["words_s"]),
        _row("loading the candidates of both", told["candidates_s"]),
        *(_row(f"`search` within {name}", took) for name, took in told["filtered"].items()),
    ]
    opening = [[name, f"{stage['seconds']:.2f}", _size(stage["bytes"])] for name, stage in told["stages"].items()]
    disk = ", ".join(f"{part} {megabytes(size)}" for part, size in told["bytes"].items())
    return f"""\
All paragraphs of the Spanish set, and XQuAD's, each a passage without a header, in articles of eight; all vectors are
the bundled model's, those of sentences are their passage's. {len(asked)} questions of XQuAD-es in one process; the
outlets are made up. Answers are made in the articles' own words, none is refused.

{table(["what", "median", "p95"], rows)}

Of the {_DEEP} nearest passages by exact cosines the dense search finds {recalls[_DEEP]:.4f}.

{table(["opening", "seconds", "memory"], opening)}

Peak memory of the process: {_size(told["peak"])}. On disk: {disk}.

{table(["growing to", "passages/s, kept", "passages/s, indexed"], _growth(how_made(folder)))}"""


def _beside(told: dict[str, Any]) -> list[float]:
    return [one["whole"] - one["embed"] for one in told["asked"]]


def _growth(batches: Sequence[dict[str, float]]) -> list[list[str]]:
    """Return how fast the archive grew in each quarter of its way."""
    rows, before = [], 0.0
    for quarter in np.array_split(np.arange(len(batches)), min(4, len(batches))):
        some = [batches[at] for at in quarter]
        grown, before = some[-1]["passages"] - before, some[-1]["passages"]
        rates = (grown / sum(one[step] for one in some) for step in ("put_s", "index_s"))
        rows.append([f"{before:,.0f}", *(f"{rate:,.0f}" for rate in rates)])
    return rows


def _nearest(vectors: Vectors, questions: Vectors) -> list[list[int]]:
    """Return the rows of the nearest vectors of each question, best first."""
    nearest = []
    for question in questions:
        cosines = vectors @ question
        rows = np.argpartition(-cosines, min(_DEEP, len(cosines) - 1))[:_DEEP]
        nearest.append(rows[np.argsort(-cosines[rows])].tolist())
    return nearest


def recall(found: Sequence[Sequence[str]], exact: Sequence[Sequence[str]], *, k: int) -> float:
    """Return the mean share of the `k` nearest passages of each question that is among the first `k` found for it."""
    shares = [len({*one[:k]} & {*wanted[:k]}) / k for one, wanted in zip(found, exact, strict=True)]
    return sum(shares) / len(shares)


def _size(count: float | None) -> str:
    return "unknown" if count is None else megabytes(count)


def _row(name: str, seconds: Sequence[float]) -> list[str]:
    return [name, milliseconds(median(seconds)), milliseconds(percentile(seconds, 0.95))]
