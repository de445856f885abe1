"""Dense search within filters, over an index that only approximates.

A filter that leaves few passages is answered from the truth: all their cosines are computed, and nothing can be missed.
One that leaves many is laid over what the index finds without it: an index that filters first has to gather all that
passes.

Texts in the question's own language are nearer to it whatever they say, and those of a language that there is much of
crowd out the others, so in an archive of several languages a search also gives the nearest few of each. Those of scarce
languages are compared one by one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from rag.interfaces import Filters, Found, Listed, Vector, VectorIndex, Vectors
from rag.order import DIGITS, best_first

# Passages whose cosines are computed one by one; from here on that takes longer than a search.
FEW = 8_000
# Finds of the index that are sifted at first, and at most, before it has to filter by itself.
FIRST_SIFTED, MOST_SIFTED = 800, 4_000
# Passages of each language that are found at least, of an archive in several, and among how many they are looked for:
# at first, and where a language that is not scarce has too few.
OF_EACH, AMONG, AMONG_MORE = 10, 800, 4_000
# Passages of all scarce languages together, at most; they are held in memory (18 MB).
MOST_SCARCE = 12_000
_ALL = Filters()


class FilteredTruth(Protocol):
    """What is asked of the truth."""

    def vectors_within(self, filters: Filters, *, most: int) -> Mapping[str, Vector] | None:
        """Return the vectors of all passages that pass, None if there are more passages than `most`."""
        ...

    def passing(self, passage_ids: Sequence[str], *, filters: Filters) -> set[str]:
        """Return those of the passages that pass."""
        ...

    def scarce(self, *, dim: int, most: int) -> Mapping[str, Listed]:
        """Return by language the passages of the scarcest languages, `most` in all."""
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
        scarce: So many passages of the scarcest languages are held in memory.
    """

    def __init__(self, index: VectorIndex, truth: FilteredTruth, *, few: int = FEW, scarce: int = MOST_SCARCE) -> None:
        self._index = index
        self._truth = truth
        self._few = few
        self._most_scarce = scarce
        # The passages of scarce languages, and the change up to which the index had followed when they were read.
        self._scarce: tuple[int, Mapping[str, Listed]] = (-1, {})

    def search(self, vector: Vector, *, k: int, filters: Filters) -> list[Found]:
        """Return the `k` nearest passages that pass the filters, best first; scores are cosines.

        In an archive of several languages up to ten of each follow that are not among them, best first. Those of a
        language that is not scarce follow as far as they are among the 4,000 nearest.

        Raises:
            ArchiveError: Index or truth cannot be read.
        """
        if k < 1 or len(self._truth.languages()) < 2:
            return self._nearest(vector, k=k, filters=filters)
        found = self._nearest(vector, k=max(k, AMONG), filters=filters)
        if len(found) <= k:
            return found
        return self._with_each_language(vector, found, k=k, filters=filters)

    def _with_each_language(self, vector: Vector, found: list[Found], *, k: int, filters: Filters) -> list[Found]:
        """Return the first `k`, and those behind them that are among the first few of their language."""
        chosen, short = self._first_of_each(found, k=k)
        if not short or len(found) < max(k, AMONG):
            return found[:k] + chosen
        listed = self._listed(vector)
        if short - listed.keys():
            found = self._nearest(vector, k=max(k, AMONG_MORE), filters=filters)
            chosen, short = self._first_of_each(found, k=k)
        first = {each.passage_id for each in found[:k]}
        scarce = [
            each
            for language in sorted(short & listed.keys())
            for each in self._among(listed[language], vector, filters=filters)
            if each.passage_id not in first
        ]
        scores = {each.passage_id: each.score for each in (*scarce, *chosen)}
        return found[:k] + [Found(passage_id, scores[passage_id]) for passage_id in best_first(scores)]

    def _first_of_each(self, found: Sequence[Found], *, k: int) -> tuple[list[Found], set[str]]:
        """Return what follows the first `k`, up to ten of each language, and the languages that have fewer."""
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
        return chosen, {language for language in self._truth.languages() if seen[language] < OF_EACH}

    def _listed(self, vector: Vector) -> Mapping[str, Listed]:
        at, listed = self._scarce
        now = self._index.applied_seq
        if at != now:
            listed = self._truth.scarce(dim=vector.size, most=self._most_scarce)
            self._scarce = now, listed
        return listed

    def _among(self, listed: Listed, vector: Vector, *, filters: Filters) -> list[Found]:
        """Return the nearest ten of those passages that are there and pass."""
        cosines = _cosines(listed.vectors, vector)
        # Enough of them that ten pass; filters that leave next to nothing never come here.
        most = OF_EACH if filters == _ALL else AMONG
        nearest = [listed.ids[at] for at in np.argsort(-cosines, kind="stable")[:most]]
        passing = set(nearest) if filters == _ALL else self._truth.passing(nearest, filters=filters)
        scores = dict(zip(listed.ids, cosines.tolist(), strict=True))
        return [Found(id_, round(scores[id_], DIGITS)) for id_ in nearest if id_ in passing][:OF_EACH]

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
    cosines = _cosines(np.stack(list(vectors.values())), vector)
    scores = {passage_id: round(float(cosine), DIGITS) for passage_id, cosine in zip(vectors, cosines, strict=True)}
    return [Found(passage_id, scores[passage_id]) for passage_id in best_first(scores)]


def _cosines(vectors: Vectors, vector: Vector) -> Vector:
    cosines: Vector = np.clip(vectors @ vector, -1.0, 1.0)
    return cosines
