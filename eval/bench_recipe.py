"""Hemeroteca beside the obvious LangChain recipe, which has an environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eval.bench_ingest import NEWS
from eval.bench_page import Section, kilobytes, megabytes, milliseconds, table
from eval.bench_plan import BenchmarkError, Plan, run_trial
from eval.bench_texts import labelled, news_rows, write_rows
from eval.measuring import median, percentile

RECIPE = "eval.recipe"
K = 5
# torch by itself first: so pip takes the build that this machine's settings prefer.
TORCH = "torch==2.13.0"
PACKAGES = (
    "chromadb==1.5.9",
    "langchain-chroma==1.1.0",
    "langchain-core==1.7.2",
    "langchain-huggingface==1.2.3",
    "langchain-text-splitters==1.1.3",
    "sentence-transformers==6.2.0",
    "transformers==5.23.0",
)
_SIDES = ("ours", "theirs")


def recipe_part(plan: Plan) -> Section:
    """Return both side by side: ingest, search, opening, memory, bytes, and the share of questions found."""
    python = recipe_python(plan.cache, say=plan.say)
    articles, questions = labelled(plan.data)
    count = plan.part_of(NEWS)
    files = {
        "articles": str(write_rows(plan.work / "side-by-side.jsonl", news_rows(plan.data, count=count))),
        "labelled": str(write_rows(plan.work / "labelled.jsonl", articles)),
        "questions": str(write_rows(plan.work / "labelled-questions.jsonl", questions[:: round(1 / plan.share)])),
    }
    ingests: dict[str, list[dict[str, Any]]] = {side: [] for side in _SIDES}
    asks: dict[str, list[dict[str, Any]]] = {side: [] for side in _SIDES}
    for number in range(plan.rounds):
        for side in _SIDES:
            plan.say(f"{side}: ingest of {count} articles, then questions; round {number + 1} of {plan.rounds}")
            folder = plan.work / f"{side}-{number}"
            ingests[side].append(_run(side, "ingest", folder, files, python))
            asks[side].append(_run(side, "ask", folder, files, python))
            shutil.rmtree(folder, ignore_errors=True)
    wanted = [row["article"] for row in questions[:: round(1 / plan.share)]]
    return _section(ingests, asks, wanted, count=count)


def recipe_python(cache: Path, *, say: Callable[[str], None]) -> Path:
    """Return the interpreter of the recipe's environment, made on the first call: minutes, and about 2 GB.

    Raises:
        BenchmarkError: pip cannot install the packages.
    """
    pinned = hashlib.sha256("\n".join([sys.version, TORCH, *PACKAGES]).encode()).hexdigest()[:12]
    folder = cache / f"langchain-{pinned}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = folder / "ready"
    if ready.exists():
        return python
    say(f"making the recipe's environment in {folder} (once; some minutes)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _checked([sys.executable, "-m", "venv", str(folder)])
    for packages in ([TORCH], PACKAGES):
        _checked([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    ready.touch()
    return python


def _checked(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - constants of this module
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchmarkError(f"{' '.join(command)} ended with status {done.returncode} ({why}): check the network")


def _run(side: str, do: str, folder: Path, files: dict[str, str], python: Path) -> dict[str, Any]:
    from rag.bundled import bundled_model_folder

    job = {"do": do, "archive": str(folder), "k": K, **files}
    if side == "ours":
        return run_trial({**job, "vectors": "real", "answers": True})
    return run_trial({**job, "model": str(bundled_model_folder())}, python=python, module=RECIPE)


def _section(
    ingests: dict[str, list[dict[str, Any]]],
    asks: dict[str, list[dict[str, Any]]],
    wanted: Sequence[str],
    *,
    count: int,
) -> Section:
    def both(name: str, told: Callable[[str], str]) -> list[str]:
        return [name, *(told(side) for side in _SIDES)]

    def of(trials: dict[str, list[dict[str, Any]]], figure: str) -> Callable[[str], float]:
        return lambda side: median([float(trial[figure] or 0) for trial in trials[side]])

    def searches(side: str) -> list[float]:
        return [took for trial in asks[side] for took in trial["search_s"]]

    def size(side: str) -> float:
        return float(sum(ingests[side][0]["bytes"].values()) / count)

    answers = [one["whole"] for trial in asks["ours"] for one in trial["asked"]]
    rows = [
        both("ingest, articles/s", lambda side: f"{count / of(ingests, 'seconds')(side):.2f}"),
        both("ingest, s, all rounds", lambda side: ", ".join(f"{trial['seconds']:.0f}" for trial in ingests[side])),
        both("passages", lambda side: f"{ingests[side][0]['passages']:,}"),
        both("peak memory of ingest", lambda side: megabytes(of(ingests, "peak")(side))),
        both("bytes on disk an article", lambda side: kilobytes(size(side))),
        both(f"search of {K} passages, p50", lambda side: milliseconds(median(searches(side)))),
        both(f"search of {K} passages, p95", lambda side: milliseconds(percentile(searches(side), 0.95))),
        ["answer with citations, p50", milliseconds(median(answers)), "none without a chat model"],
        both("from a cold start to the first result, s", lambda side: f"{of(asks, 'cold_s')(side):.1f}"),
        both("peak memory of asking", lambda side: megabytes(of(asks, "peak")(side))),
        both("article of the answer found first (R@1)", lambda side: _recall(asks[side][0]["found"], wanted, k=1)),
        both(f"article of the answer in {K} (R@{K})", lambda side: _recall(asks[side][0]["found"], wanted, k=K)),
    ]
    body = f"""\
The recipe: `RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)`, `HuggingFaceEmbeddings` on the same
converted model folder with the prefixes that the model needs, `Chroma`, `similarity_search`; all else as it comes.
Both ran {len(ingests["ours"])} times in turn, each in a process of its own, on the same {count} articles of
fakenews_es; a first result is an answer with citations here, and found passages there. Ours also gives every sentence
a vector, keeps the texts and an index of words, and writes so that nothing acknowledged is lost in a crash: that costs
time and disk.

{table(["", "Hemeroteca", "LangChain recipe"], rows)}

Found: {len(wanted)} questions of XQuAD-es about {len({*wanted})} of its paragraphs; the set was taken in after the
measurement of ingest, as articles without titles, beside the {count}.
Versions: {", ".join((TORCH, *PACKAGES))}."""
    return Section("Beside the obvious LangChain recipe", body)


def _recall(found: Sequence[Sequence[str]], wanted: Sequence[str], *, k: int) -> str:
    hits = sum(article in ids[:k] for ids, article in zip(found, wanted, strict=True))
    return f"{hits / len(wanted):.3f}"
