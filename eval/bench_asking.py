"""How long a question, an opening and a start take. No chat model has a part in it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from eval.bench_page import Goal, Section, megabytes, milliseconds, table
from eval.bench_plan import ROOT, Plan, clean_environment, run_trial
from eval.bench_texts import labelled, write_rows
from eval.made_up import made_up_archive, spread_of_cosines
from eval.measuring import median, percentile, timed

PASSAGES = 10_000
SIZES = (1_000, 10_000, 50_000)
QUESTIONS = 200
BESIDE_S, IMPORT_S = 0.015, 0.3
_STEPS = ("understand", "retrieve", "read", "answer")
_STARTS = 7


def question_part(plan: Plan) -> Section:
    """Return how long a question takes at 10,000 passages, step by step, cold and warm."""
    folder = _archive(plan, PASSAGES)
    told = [_trial(plan, folder, "made up beside real", number) for number in range(plan.rounds)]
    asked = [one for trial in told for one in trial["asked"]]
    beside = [median([one["whole"] - one["embed"] for one in trial["asked"]]) for trial in told]
    rows = [
        _row("the whole of `ask`", [one["whole"] for one in asked]),
        _row("embedding the question, with the bundled model", [one["embed"] for one in asked]),
        _row("**all besides embedding it**", [one["whole"] - one["embed"] for one in asked]),
        _row("— understand, without embedding", [one["understand"] - one["embed"] for one in asked]),
        *(_row(f"— {step}", [one[step] for one in asked]) for step in _STEPS[1:]),
        _row("— the chain around the steps", [one["whole"] - sum(one[step] for step in _STEPS) for one in asked]),
        _row("`search` alone, embedding included", [took for trial in told for took in trial["search_s"]]),
    ]
    stages = {
        "import_s": "importing",
        "model_s": "loading the model",
        "truth_s": "opening the truth",
        "words_s": "opening the word index",
        "vectors_s": "opening the vector index, chromadb's import included",
        "first_s": "the first answer, LangChain's import included",
        "cold_s": "together",
    }
    cold = [[name, f"{median([trial[stage] for trial in told]):.2f}"] for stage, name in stages.items()]
    body = f"""\
{told[0]["passages"]:,} passages of real Spanish texts, {len(told[0]["asked"])} questions of XQuAD-es in each of
{len(told)} processes.

{_how_made_up(plan)}
Every question is embedded by the bundled model all the same, inside `ask`, and every answer is made in the articles'
own words, none is refused. What is found is read without the trained reader, which the part "The trained reader" times.

{table(["warm", "median", "p95"], rows)}

From the start of a process to its first answer, median of {len(told)} processes, files in the system's cache:

{table(["cold", "seconds"], cold)}"""
    goal = Goal(
        f"All work besides embedding the question, at {told[0]['passages']:,} passages",
        f"< {milliseconds(BESIDE_S)}",
        f"{milliseconds(median(beside))} (processes: {', '.join(milliseconds(each) for each in beside)})",
        median(beside) < BESIDE_S,
    )
    return Section("A question without a chat model", body, (goal,))


def scale_part(plan: Plan) -> Section:
    """Return how opening and asking grow with the archive."""
    folders = [_archive(plan, size) for size in SIZES]
    told: list[list[dict[str, Any]]] = [[] for _ in folders]
    for number in range(plan.rounds):
        for trials, folder in zip(told, folders, strict=True):
            trials.append(_trial(plan, folder, "made up", number))
    rows = []
    for trials in told:
        opening = [median([trial[f"{part}_s"] for trial in trials]) for part in ("truth", "words", "vectors")]
        whole = [one["whole"] - one["embed"] for trial in trials for one in trial["asked"]]
        found = [took for trial in trials for took in trial["search_s"]]
        rows.append(
            [
                f"{trials[0]['passages']:,}",
                *(f"{seconds:.3f}" for seconds in opening),
                milliseconds(median([trial["first_s"] for trial in trials])),
                *(milliseconds(percentile(whole, share)) for share in (0.5, 0.95)),
                *(milliseconds(percentile(found, share)) for share in (0.5, 0.95)),
                *(megabytes(trials[0]["bytes"][part]) for part in ("truth", "vectors", "words")),
            ]
        )
    header = [
        *("passages", "open truth, s", "words, s", "vectors, s", "first answer"),
        *("ask p50", "ask p95", "search p50", "search p95", "archive.db", "vectors/", "words/"),
    ]
    body = f"""\
{len(told[0][0]["asked"])} questions of XQuAD-es in each of {len(told[0])} processes a size, the sizes in turn.

{_how_made_up(plan)}
The time of embedding a question is not in these figures: the part above has it. Opening the vector index includes
importing chromadb, the first answer importing LangChain.

{table(header, rows)}"""
    return Section("Opening and asking at 1,000, 10,000 and 50,000 passages", body)


def startup_part(plan: Plan) -> Section:
    """Return how long imports and `hemeroteca --help` take, beside an interpreter that does nothing."""
    script = str(Path(sysconfig.get_path("scripts")) / "hemeroteca")
    commands = {
        "`python -c pass`": [sys.executable, "-c", "pass"],
        "`python -c 'import rag'`": [sys.executable, "-c", "import rag"],
        "`python -c 'from rag import Archive'`": [sys.executable, "-c", "from rag import Archive"],
        "`hemeroteca --help`": [script, "--help"]
        if Path(script).exists()
        else [sys.executable, "-m", "ui.cli", "--help"],
    }
    plan.say(f"starting {len(commands)} programs {_STARTS} times")
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for name, command in [*commands.items()] * (_STARTS + 1):
        seconds[name].append(timed(partial(_run, command))[0])
    # The first start of each finds cold files.
    rows = [
        [name, f"{median(took[1:]):.3f}", f"{min(took[1:]):.3f}–{max(took[1:]):.3f}"] for name, took in seconds.items()
    ]
    middle = {name: median(took[1:]) for name, took in seconds.items()}
    importing, helping = middle["`python -c 'import rag'`"], middle["`hemeroteca --help`"]
    goals = (
        Goal(
            "`import rag`, the interpreter's start included",
            f"< {IMPORT_S} s",
            f"{importing:.3f} s",
            importing < IMPORT_S,
        ),
        Goal("`hemeroteca --help`", f"< {IMPORT_S} s", f"{helping:.3f} s", helping < IMPORT_S),
    )
    body = f"""\
Whole processes, {_STARTS} of each in turn after one that is not counted.

{table(["what", "median s", "all, s"], rows)}"""
    return Section("Start", body, goals)


def _archive(plan: Plan, passages: int) -> Path:
    root = plan.cache if plan.share == 1 else plan.work
    return made_up_archive(root, plan.data, passages=plan.part_of(passages), say=plan.say)


def _trial(plan: Plan, folder: Path, vectors: str, number: int) -> dict[str, Any]:
    _, questions = labelled(plan.data)
    count = plan.part_of(QUESTIONS)
    plan.say(f"{count} questions to {folder.name}, round {number + 1} of {plan.rounds}")
    # Another part of the questions each time, spread over all subjects.
    some = questions[number :: max(1, len(questions) // count)][:count]
    file = write_rows(plan.work / "questions.jsonl", some)
    job = {"do": "ask", "archive": str(folder), "questions": str(file), "k": 10, "vectors": vectors, "answers": True}
    return run_trial(job)


def _how_made_up(plan: Plan) -> str:
    articles, _ = labelled(plan.data)
    low, middle, high = spread_of_cosines([row["text"] for row in articles])
    return (
        "**The vectors are made up**: of hashed words in a narrow cone like the bundled model's (cosines of XQuAD-es "
        f"passages {low:.2f} to {high:.2f}, median {middle:.2f})."
    )


def _row(name: str, seconds: Sequence[float]) -> list[str]:
    return [name, milliseconds(median(seconds)), milliseconds(percentile(seconds, 0.95))]


def _run(command: Sequence[str]) -> None:
    subprocess.run(  # noqa: S603 - our own commands
        command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=clean_environment()
    )
