"""Which settings to train the reader with: `python -m eval.reader_comparison WORK`, an hour or two.

Each of the plans learns from equally many tokens, from the bundled model on, and is judged on the validation articles
as it would be shipped, in whole numbers. That is a tenth of a whole training: what is compared is the way there. A
comparison that was cut goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.finding_ranking import estimated
from eval.reader_data import NEGATIVES
from eval.reader_features import Row
from eval.reader_model import copies, read_base
from eval.reader_passages import MOST_TOKENS
from eval.reader_training import Plan, Training, material
from eval.reader_validation import Validation
from rag.bundled import bundled_model_folder

if TYPE_CHECKING:
    from torch import Tensor

RESULT = "result.json"
_FIGURES = ("score", "es f1", "es em", "across f1", "others f1", "auroc", "first passage", "first sentence")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train: the plan, and what the examples are made with (see `eval.reader_data.examples`)."""

    plan: Plan = field(default_factory=Plan)
    negatives: float = NEGATIVES
    longest: int = MOST_TOKENS


FIRST = "as shipped"
VARIANTS: Mapping[str, Variant] = {
    FIRST: Variant(),
    "another seed": Variant(Plan(seed=2)),
    "learning rate 0.75e-4": Variant(Plan(learning_rate=0.75e-4)),
    "learning rate 3e-4": Variant(Plan(learning_rate=3e-4)),
    "six layers frozen": Variant(Plan(frozen=6)),
    "two layers frozen": Variant(Plan(frozen=2)),
    "0.6 negatives a positive": Variant(negatives=0.6),
    "2 negatives a positive": Variant(negatives=2.0),
    "passages of 100 tokens at most": Variant(longest=100),
    "labels smoothed by 0.1": Variant(Plan(smoothing=0.1)),
    "rounded after training": Variant(Plan(whole_numbers_from=1.0)),
    "rounded from the first step": Variant(Plan(whole_numbers_from=0.0)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train with each plan that has not been tried yet, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m eval.reader_comparison", description=__doc__)
    parser.add_argument("folder", type=Path, help="where each training is kept")
    parser.add_argument("--tokens", type=float, default=1.2e6, help="that each plan learns from (%(default)g)")
    chosen = parser.parse_args(arguments)
    data = Path(os.environ.get("HEMEROTECA_DATA", ""))
    if not (data / "train").is_dir():
        parser.exit(2, "HEMEROTECA_DATA names no folder with train/: set it to the folder of the public data sets\n")
    missing = [name for name in VARIANTS if not _file(chosen.folder, name).exists()]
    if missing:
        made_of = material(data)
        judged, base = made_of.judged(), read_base(bundled_model_folder())
        learned = cache(made_of.learned)
        for name in missing:
            one = VARIANTS[name]
            rows = learned(seed=one.plan.seed, negatives=one.negatives, longest=one.longest)
            trained(one, base, rows, judged, tokens=chosen.tokens, file=_file(chosen.folder, name))
    found = {name: json.loads(_file(chosen.folder, name).read_text(encoding="utf-8")) for name in VARIANTS}
    print(table(found))
    return 0


def _file(folder: Path, name: str) -> Path:
    return folder / name.replace(" ", "-") / RESULT


def trained(
    variant: Variant,
    base: Mapping[str, Tensor],
    rows: Sequence[Row],
    judged: Validation,
    *,
    tokens: float,
    file: Path,
) -> None:
    """Train by a plan and write down what came of it.

    Args:
        variant: The plan; `passes` of it is not used.
        base: Tensors of the model that it starts from.
        rows: What is learned, made as the variant says.
        judged: What is judged by.
        tokens: How many are learned from.
        file: Where the figures go; the state of the training lies beside it.
    """
    plan = replace(variant.plan, passes=tokens / sum(len(row.ids) for row in rows))
    training = Training(base, rows, folder=file.parent, plan=plan, judge=judged.figures)
    begun = time.monotonic()
    training.run(judge_every_s=float("inf"))
    weights = copies(training.weights, whole_numbers=True)
    shared, subjects = judged.shared_words(training.encoder, weights)
    found = {
        "plan": asdict(plan),
        "negatives": variant.negatives,
        "longest": variant.longest,
        "steps": training.steps,
        "seconds": time.monotonic() - begun,
        "figures": judged.figures(training.encoder, weights),
        "shared": shared,
        "subjects": subjects,
    }
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(found), encoding="utf-8")
    unfinished.replace(file)


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a row for each plan: its figures, and F1 of all answers less that of the first plan, in points."""
    lines = [
        f"| | {' | '.join(_FIGURES)} | F1 of all over the first, points | seconds |",
        "| --- |" + " --- |" * (len(_FIGURES) + 2),
    ]
    for name, one in found.items():
        cells = [f"{one['figures'][figure]:.3f}" for figure in _FIGURES]
        cells.append("" if name == FIRST else _over(one, found[FIRST]))
        lines.append(f"| {name} | {' | '.join(cells)} | {one['seconds']:.0f} |")
    return "\n".join(lines)


def _over(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return how much more of the answers' words one found than the other, the same questions for both."""
    apart = [value - than for value, than in zip(one["shared"], other["shared"], strict=True)]
    found = estimated(apart, subjects=one["subjects"])
    return f"{100 * found.mean:+.1f} ({100 * found.interval.low:+.1f} to {100 * found.interval.high:+.1f})"


if __name__ == "__main__":
    raise SystemExit(main())
