"""The suites of `hemeroteca eval run --suite`: those of what is found, and, from `answering`, of what is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from eval import (
    answering,
    finding_balance,
    finding_distractors,
    finding_fusion,
    finding_robust,
    finding_stories,
    story_quality,
)
from eval.finding_archives import RememberingEmbedder, archive_of, sample_archive
from eval.finding_report import Report
from eval.suite import Bench, Choice, Progress, Suite
from rag.config import Settings
from rag.interfaces import Embedder

T = TypeVar("T")


def run_suite(
    name: str,
    choice: Choice,
    *,
    embedder: Embedder,
    settings: Settings,
    root: Path,
    progress: Progress | None = None,
) -> Report:
    """Return the report of one suite; its archives are made for it, and gone afterwards.

    Args:
        name: One of `SUITES`.
        choice: The sets.
        embedder: What makes vectors; they are remembered in `root`.
        settings: Of the archives.
        root: Folder for what is kept from one run to the next.
        progress: Called with (steps done, steps to do).

    Raises:
        DatasetError: A set cannot be read, or its documents not be taken in.
    """
    remembering = RememberingEmbedder(embedder, folder=root)
    try:
        bench = Bench(
            remembering,
            partial(archive_of, embedder=remembering, settings=settings),
            partial(sample_archive, embedder=remembering, settings=settings),
        )
        return SUITES[name](choice, bench=bench, progress=progress)
    finally:
        remembering.close()


def _fusion(choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
    cases = finding_fusion.fusion_cases(choice.data, sets=choice.sets, split=choice.split, seed=choice.seed)
    found = finding_fusion.measure_fusion(cases, open_archive=bench.open_archive, progress=progress)
    return finding_fusion.fusion_report(found)


def _of_sets(public: Callable[..., T], train: Callable[..., T], report: Callable[[T], Report]) -> Suite:
    """Return the suite that measures over the public sets with `public`, and over those to choose on with `train`."""

    def suite(choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
        measure = public if choice.sets == "public" else partial(train, split=choice.split, seed=choice.seed)
        return report(measure(choice.data, open_archive=bench.open_archive, progress=progress))

    return suite


def _stories(choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
    split = "test" if choice.sets == "public" else "dev"
    return finding_stories.story_report(
        story_quality.measure(choice.data, embedder=bench.embedder, split=split, seed=choice.seed, progress=progress)
    )


SUITES: Mapping[str, Suite] = {
    "fusion": _fusion,
    "distractors": _of_sets(
        finding_distractors.measure_public, finding_distractors.measure_train, finding_distractors.distractor_report
    ),
    "balance": _of_sets(finding_balance.measure_public, finding_balance.measure_train, finding_balance.balance_report),
    "robust": _of_sets(finding_robust.measure_public, finding_robust.measure_train, finding_robust.robust_report),
    "stories": _stories,
    **answering.SUITES,
}
"""The suites by name."""
