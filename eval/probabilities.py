"""How good a probability is: does it order, does it mean what it says, what does answering from it on risk? Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.bootstrap import RESAMPLES, SEED
from eval.finding_ranking import Estimate
from eval.metrics import Interval

BINS = 10
# Resamples held in memory at a time.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Guess:
    """One question: the probability that was given, and whether what it is of is so; `group` is drawn whole."""

    probability: float
    is_so: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """Guesses with probabilities from `low` on: how many, their mean probability, and the share that is so."""

    low: float
    n: int
    mean: float
    share: float


@dataclass(frozen=True, slots=True)
class Risk:
    """What answering from a probability on means: the share of all that is answered, and the share of those wrong."""

    threshold: float
    coverage: float
    risk: float


def auroc(guesses: Sequence[Guess], *, resamples: int = RESAMPLES, seed: int = SEED) -> Estimate:
    """Return the probability that one that is so is given more than one that is not, ties half (Hanley & McNeil 1982).

    The interval is the 95 % percentile bootstrap over groups; a guess without one is drawn by itself.

    Raises:
        ValueError: All are so, or none is.
    """
    yes = [guess for guess in guesses if guess.is_so]
    no = [guess for guess in guesses if not guess.is_so]
    if not yes or not no:
        raise ValueError(f"{len(yes)} guesses that are so and {len(no)} that are not: give at least one of each")
    names = [guess.group or f"guess {at}" for at, guess in enumerate(guesses)]
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    wins, yeses, noes = _by_group(guesses, [number[name] for name in names], count=len(number))
    has_yes, has_no = yeses > 0, noes > 0
    between = wins[np.ix_(has_yes, has_no)]
    random = np.random.default_rng(seed)
    means = []
    for begun in range(0, resamples, _BATCH):
        drawn = np.full(len(number), 1 / len(number))
        times = random.multinomial(len(number), drawn, size=min(_BATCH, resamples - begun)).astype(float)
        pairs = (times @ yeses) * (times @ noes)
        won = ((times[:, has_yes] @ between) * times[:, has_no]).sum(axis=1)
        # A resample without either kind has no pair to order.
        means.append(won[pairs > 0] / pairs[pairs > 0])
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Estimate(float(wins.sum() / (len(yes) * len(no))), Interval(float(low), float(high)), n=len(guesses))


def bins_of(guesses: Sequence[Guess]) -> list[Bin]:
    """Return the guesses in ten bins of equal width, the empty ones left out; 1.0 belongs to the last."""
    held: dict[int, list[Guess]] = {}
    for guess in guesses:
        held.setdefault(min(int(guess.probability * BINS), BINS - 1), []).append(guess)
    return [
        Bin(
            low=at / BINS,
            n=len(inside),
            mean=sum(guess.probability for guess in inside) / len(inside),
            share=sum(guess.is_so for guess in inside) / len(inside),
        )
        for at, inside in sorted(held.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error, 0 to 1, of bins that hold at least one guess (Guo et al. 2017)."""
    total = sum(each.n for each in bins)
    return sum(each.n / total * abs(each.mean - each.share) for each in bins)


def threshold_answering(probabilities: Sequence[float], share: float) -> float:
    """Return the highest threshold from which at least a share of the probabilities is answered.

    Raises:
        ValueError: There are none, or the share is not above 0 and at most 1.
    """
    if not probabilities or not 0 < share <= 1:
        raise ValueError(f"a share of {share} of {len(probabilities)} probabilities: give some, and 0 < share <= 1")
    # A product like 0.9 * 10 may come out a little above the whole number that it is.
    needed = math.ceil(round(share * len(probabilities), 9))
    return sorted(probabilities, reverse=True)[needed - 1]


def share_from(probabilities: Sequence[float], threshold: float) -> float:
    """Return the share of probabilities that reach a threshold; 0 of none."""
    return sum(probability >= threshold for probability in probabilities) / max(len(probabilities), 1)


def risk_coverage(guesses: Sequence[Guess], *, coverages: Sequence[float]) -> list[Risk]:
    """Return the risk at each coverage (El-Yaniv & Wiener 2010): the surest are answered first; `is_so` is right.

    Where several have the probability that is reached all of them are answered, so the coverage may be more.
    """
    probabilities = [guess.probability for guess in guesses]
    found = []
    for coverage in coverages:
        threshold = threshold_answering(probabilities, coverage)
        answered = [guess for guess in guesses if guess.probability >= threshold]
        wrong = sum(not guess.is_so for guess in answered)
        found.append(Risk(threshold, len(answered) / len(guesses), wrong / len(answered)))
    return found


def _by_group(
    guesses: Sequence[Guess], numbers: Sequence[int], *, count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return how often one of group i that is so beats one of group j that is not, and how many each group has."""
    probabilities = np.array([guess.probability for guess in guesses])
    is_so = np.array([guess.is_so for guess in guesses])
    groups = np.array(numbers)
    yes, no = probabilities[is_so], probabilities[~is_so]
    beats = (yes[:, None] > no[None, :]) + 0.5 * (yes[:, None] == no[None, :])
    wins = np.zeros((count, count))
    np.add.at(wins, (groups[is_so][:, None], groups[~is_so][None, :]), beats)
    return (
        wins,
        np.bincount(groups[is_so], minlength=count).astype(float),
        np.bincount(groups[~is_so], minlength=count).astype(float),
    )
