"""Dense search within filters, over an index that only approximates.

A filter that leaves few passages is answered from the truth: all their cosines are computed, and nothing can be missed.
One that leaves many is laid over what the index finds without it: an index that filters first has to gather all that
passes.

Texts in the question's own language are nearer to it whatever they say, so in an archive of several languages a search
also gives the nearest few of each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from rag.interfaces import Filters, Found, Vector, VectorIndex
from rag.order import DIGITS, best_first

# Passages whose cosines are computed one by one; from here on that takes longer than a search.
FEW = 4_000
# Finds of the index that are sifted at first, and at most, before it has to filter by itself.
FIRST_SIFTED, MOST_SIFTED = 800, 4_000
# Passages of each language that are found at least, of an archive in several, and among how many they are looked for.
OF_EACH, AMONG = 10, 800
_ALL = Filters()


class FilteredTruth(Protocol):
    """What is asked of the truth."""

    def vectors_within(self, filters: Filters, *, most: int) -> Mapping[str, Vector] | None:
        """Return the vectors of all passages that pass, None if there are more passages than `most`."""
        ...

    def passing(self, passage_ids: Sequence[str], *, filters: Filters) -> set[str]:
        """Return those of the passages that pass."""
        ...

    def languages(self) -> Sequence[str]:
        """Return the languages of the articles."""
        ...

    def languages_of(self, passage_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the languages of the articles of those of the passages that exist."""
        ...


class DenseSearch:
    """Searches passages by vector; any number of threads may use it.

    Args:
        index: Finds the nearest of all passages.
        truth: What the index follows.
        few: Up to so many passages are compared one by one.
    """

    def __init__(self, index: VectorIndex, truth: FilteredTruth, *, few: int = FEW) -> None:
        self._index = index
        self._truth = truth
        self._few = few

    def search(self, vector: Vector, *, k: int, filters: Filters) -> list[Found]:
        """Return the `k` nearest passages that pass the filters, best first; scores are cosines.

        In an archive of several languages up to ten of each follow that are not among them, as far as they are among
        the 800 nearest.

        Raises:
            ArchiveError: Index or truth cannot be read.
        """
        if k < 1 or len(self._truth.languages()) < 2:
            return self._nearest(vector, k=k, filters=filters)
        found = self._nearest(vector, k=max(k, AMONG), filters=filters)
        if len(found) <= k:
            return found
        return found[:k] + self._of_each_language(found, k=k)

    def _of_each_language(self, found: Sequence[Found], *, k: int) -> list[Found]:
        """Return those behind the first `k` that are among the first few of their language."""
        language_of = self._truth.languages_of([each.passage_id for each in found])
        seen = Counter[str]()
        chosen = []
        for position, each in enumerate(found):
            language = language_of.get(each.passage_id)
            if language is None:
                continue
            seen[language] += 1
            if position >= k and seen[language] <= OF_EACH:
                chosen.append(each)
        return chosen

    def _nearest(self, vector: Vector, *, k: int, filters: Filters) -> list[Found]:
        if k < 1 or filters == _ALL:
            return self._index.search(vector, k=k, filters=filters)
        few = self._truth.vectors_within(filters, most=self._few)
        if few is not None:
            return _compared(few, vector)[:k]
        asked = max(2 * k, FIRST_SIFTED)
        while asked <= MOST_SIFTED:
            found = self._index.search(vector, k=asked, filters=_ALL)
            passing = self._truth.passing([each.passage_id for each in found], filters=filters)
            kept = [each for each in found if each.passage_id in passing]
            if len(kept) >= k:
                return kept[:k]
            # Half as many again as it takes if the rest passes as these did.
            asked = math.ceil(1.5 * k * asked / max(len(kept), 1))
        return self._index.search(vector, k=k, filters=filters)


def _compared(vectors: Mapping[str, Vector], vector: Vector) -> list[Found]:
    if not vectors:
        return []
    cosines = np.clip(np.stack(list(vectors.values())) @ vector, -1.0, 1.0)
    scores = {passage_id: round(float(cosine), DIGITS) for passage_id, cosine in zip(vectors, cosines, strict=True)}
    return [Found(passage_id, scores[passage_id]) for passage_id in best_first(scores)]
