"""Paired bootstrap: how sure the difference between two runs over the same questions is. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.metrics import Interval

RESAMPLES = 10_000
SEED = 1
# With fewer, an interval over whole subjects is too narrow to be trusted (Cameron, Gelbach & Miller 2008).
ENOUGH_SUBJECTS = 20
# Resamples held in memory at a time.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of paired differences with its 95 % interval; `n` is the number of pairs."""

    mean: float
    interval: Interval
    n: int

    @property
    def is_worse(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.interval.high < 0

    @property
    def is_better(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.interval.low > 0


def paired_difference(
    differences: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Return the mean difference with its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13).

    The same differences give the same interval, in whatever order they come.

    Args:
        differences: After less before, one for each question.
        groups: What each question belongs to: whole groups are drawn, since their questions are not independent. None
            draws single questions.
        resamples: How many samples of the same size are drawn, with replacement.
        seed: Of the random numbers.

    Raises:
        ValueError: There is no difference, or not one group for each.
    """
    if not differences or (groups is not None and len(groups) != len(differences)):
        raise ValueError(
            f"{len(differences)} differences in groups {groups!r}: give at least one, and a group for each"
        )
    drawn: dict[str, list[float]] = defaultdict(list)
    for number, difference in enumerate(differences):
        drawn[groups[number] if groups is not None else str(number)].append(difference)
    # Equal ones are drawn together: how often each kind comes in a resample is multinomial, which is the same and fast.
    kinds, counts = np.unique(
        np.array([(round(sum(group), 12), len(group)) for group in drawn.values()]), axis=0, return_counts=True
    )
    total = int(counts.sum())
    random = np.random.default_rng(seed)
    means = []
    for begun in range(0, resamples, _BATCH):
        times = random.multinomial(total, counts / total, size=min(_BATCH, resamples - begun))
        means.append(times @ kinds[:, 0] / (times @ kinds[:, 1]))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Difference(
        mean=float(sum(differences) / len(differences)),
        # Sums of thirds that cancel out leave dust, and zero must not look like less than zero.
        interval=Interval(low=round(float(low), 9), high=round(float(high), 9)),
        n=len(differences),
    )


def resampled_by(subjects: Sequence[str]) -> list[str] | None:
    """Return the groups to draw: subjects when there are at least `ENOUGH_SUBJECTS`, else None for single questions.

    A question without a subject is a group of its own.
    """
    groups = [subject or f"question {number}" for number, subject in enumerate(subjects)]
    return groups if any(subjects) and len(set(groups)) >= ENOUGH_SUBJECTS else None
