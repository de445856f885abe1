"""How long the trained reader takes to read what was found for a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.bench_page import Goal, Section, megabytes, milliseconds, table
from eval.bench_plan import ROOT, BenchmarkError, Plan, run_trial
from eval.bench_texts import news_rows, write_rows
from eval.measuring import median, percentile
from rag.reader_weights import WEIGHTS_FILE

READ_S = 0.35
_NEWS, _HEADLINES, _GOLD = 150, 60, 60
_SAMPLE = ROOT / "eval" / "data"


def reader_part(plan: Plan) -> Section:
    """Return how long the eight best passages take, alone and inside a question, on two archives.

    Raises:
        BenchmarkError: There are no trained weights.
    """
    if not WEIGHTS_FILE.is_file():
        raise BenchmarkError(f"there are no trained weights in {WEIGHTS_FILE}: nothing to measure")
    news = news_rows(plan.data, count=plan.part_of(_NEWS))
    asked = {
        "the sample, gold questions": (_SAMPLE / "sample.jsonl", _gold_questions()[: plan.part_of(_GOLD)]),
        "fakenews_es, its headlines as questions": (
            write_rows(plan.work / "news.jsonl", news),
            [row["title"] for row in news if row["title"]][: plan.part_of(_HEADLINES)],
        ),
    }
    rows, told = [], {}
    for number, (name, (articles, questions)) in enumerate(asked.items()):
        plan.say(f"{len(questions)} questions to {name}")
        job = {"do": "read", "archive": str(plan.work / f"archive-{number}"), "articles": str(articles)}
        trials = [
            run_trial({**job, "questions": questions}, module="eval.bench_reader_trial") for _ in range(plan.rounds)
        ]
        told[name] = trials
        rows.append(_row(name, trials))
    every = [one for trials in told.values() for trial in trials for one in trial["whole_s"]]
    first = next(iter(told.values()))
    body = f"""\
The {first[0]["most"]} best passages are read. "Alone" is reading all of them; "stopping" is the whole reading step of a
question, with what the untrained reader costs, and without the passages that promise nothing once it is certain.
{first[0]["threads"]} threads; CPU seconds are those of the process.

{table(["archive", "tokens", "alone p50", "alone p95", "CPU p50", "read", "stopping p50", "stopping p95"], rows)}

Loading it (graph made before, vocabulary shared with the embedder): {median([t["load_s"] for t in first]):.2f} s and
{megabytes(int(median([t["load_bytes"] or 0 for t in first])))}."""
    goal = Goal(
        "The eight best passages, read whole",
        f"< {milliseconds(READ_S)}",
        f"{milliseconds(median(every))} (p95 {milliseconds(percentile(every, 0.95))})",
        median(every) < READ_S,
    )
    return Section("The trained reader", body, (goal,))


def _row(name: str, trials: Sequence[dict[str, Any]]) -> list[str]:
    def every(figure: str) -> list[float]:
        return [one for trial in trials for one in trial[figure]]

    return [
        name,
        f"{median(every('tokens')):.0f}",
        milliseconds(median(every("whole_s"))),
        milliseconds(percentile(every("whole_s"), 0.95)),
        milliseconds(median(every("whole_cpu_s"))),
        f"{sum(every('passages')) / len(every('passages')):.1f}",
        milliseconds(median(every("step_s"))),
        milliseconds(percentile(every("step_s"), 0.95)),
    ]


def _gold_questions() -> list[str]:
    lines = Path(_SAMPLE / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    return [row["question"] for row in map(json.loads, lines) if row.get("question")]
