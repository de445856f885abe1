"""The runs of words of a text, as numbers: what two texts have in common, and a small sample to find that by. Pure."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rag.spelling import folded

Numbers = npt.NDArray[np.uint64]
"""Distinct and in ascending order."""

WORDS = 4
"""Words of a run: long enough that chance and turns of phrase share few, short enough to survive an edited word."""

# One run in so many is in the sample, whatever the text's length: so the sample of a part is part of the sample of the
# whole (FracMinHash: Irber et al. 2022), where MinHash compares equals only.
_ONE_IN = 8
_BELOW = np.uint64(2**64 // _ONE_IN)
# A short text has a larger sample.
_AT_LEAST = 16
# Written without spaces: every character stands for a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]|[^\W_]+")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


# A passage is compared with several others, an article with all of its copies.
@lru_cache(maxsize=512)
def shingles(text: str) -> Numbers:
    """Return the runs of `WORDS` words of a text; accents, case and signs make no difference.

    A text of fewer words is one run, one without words has none. The array is shared: it cannot be written to.
    """
    words = [zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in _WORD.findall(folded(text.lower()))]
    values = np.array(words, dtype=np.uint64)
    length = min(WORDS, len(values))
    runs = np.zeros(len(values) - length + 1 if length else 0, dtype=np.uint64)
    for at in range(length):
        runs = mixed(runs * _MULTIPLIER + values[at : at + len(runs)])
    found = np.unique(runs)
    found.flags.writeable = False
    return found


def sample(runs: Numbers) -> Numbers:
    """Return those of the runs that fall into the sample: an eighth of them, or sixteen where that is more."""
    below = int(np.searchsorted(runs, _BELOW))
    return runs[: max(below, _AT_LEAST)]


def shared(one: Numbers, other: Numbers) -> int:
    """Return how many runs two texts have in common."""
    return int(np.intersect1d(one, other, assume_unique=True).size)


def containment(one: Numbers, other: Numbers) -> float:
    """Return the share, 0 to 1, of the shorter text's runs that the other has too; 0 if one has none."""
    fewer = min(one.size, other.size)
    return shared(one, other) / fewer if fewer else 0.0


def mixed(values: Numbers) -> Numbers:
    """Return numbers in which every bit depends on every bit: the finalizer of splitmix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)), dtype=np.uint64)
