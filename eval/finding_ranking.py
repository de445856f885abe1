"""What retrieval finds, beside three baselines, and how good a ranking is: ranks, measures, means with intervals."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.bootstrap import paired_difference, resampled_by
from eval.finding_sets import Topic
from eval.metrics import Interval
from rag.archive import Archive
from rag.schema import Hit

PRODUCT, DENSE, WORDS, RRF = "product", "dense", "words", "rrf"
SYSTEMS = (PRODUCT, DENSE, WORDS, RRF)
MEASURES = ("recall@1", "recall@5", "ndcg@10")
# Passages asked for: enough for ten articles, and no more candidates are considered for them than for ten passages.
PASSAGES = 25
# For the baselines: a search considers as many candidates as it is asked for, of each ranking the first half count.
_CANDIDATES = 100
_RANKED = 50
_RRF_K = 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` questions with its 95 % bootstrap interval, over whole subjects where there are enough."""

    mean: float
    interval: Interval
    n: int


@dataclass(frozen=True, slots=True)
class Ranks:
    """For each question and system the rank of its document, from 1; None where it was not found."""

    topics: tuple[Topic, ...]
    by_system: Mapping[str, tuple[int | None, ...]]

    def values(self, system: str, measure: str) -> list[float]:
        """Return a measure of each question."""
        return [gain(rank, measure) for rank in self.by_system[system]]

    def estimate(self, system: str, measure: str) -> Estimate:
        """Return the mean of a measure."""
        return estimated(self.values(system, measure), subjects=[topic.subject for topic in self.topics])

    def difference(self, system: str, other: str, measure: str) -> Estimate:
        """Return the mean of what `system` has more than `other`, question by question."""
        pairs = zip(self.values(system, measure), self.values(other, measure), strict=True)
        return estimated([value - than for value, than in pairs], subjects=[topic.subject for topic in self.topics])


def ranks(archive: Archive, topics: Sequence[Topic], *, systems: Sequence[str] = SYSTEMS) -> Ranks:
    """Ask an archive every question through its public face, and return where the right articles stand.

    What is ranked is articles: each stands where its first passage does.
    """
    if not topics:
        return Ranks((), dict.fromkeys(systems, ()))
    # All at once is faster, and an embedder that remembers has them from then on.
    archive.embedder.embed_questions([topic.question for topic in topics])
    found: dict[str, list[int | None]] = defaultdict(list)
    for topic in topics:
        rankings = {PRODUCT: articles(archive.search(topic.question, k=PASSAGES))} if PRODUCT in systems else {}
        if set(systems) - {PRODUCT}:
            rankings |= baselines(widely(archive, topic.question))
        for system in systems:
            found[system].append(rank_of(topic.document, rankings[system]))
    return Ranks(tuple(topics), {system: tuple(found[system]) for system in systems})


def widely(archive: Archive, question: str) -> list[Hit]:
    """Return the passages for `baselines`: far more than count, so that what stands high in either ranking is there."""
    hits = archive.search(question, k=_CANDIDATES, per_article=_CANDIDATES)
    return [each for hit in hits for each in (hit, *hit.copies)]


def baselines(hits: Sequence[Hit]) -> dict[str, list[str]]:
    """Return the articles by cosine alone, by words alone, and by reciprocal ranks of the two (Cormack et al. 2009).

    Args:
        hits: As `widely` gives them, in any order.
    """
    dense = sorted(hits, key=lambda hit: (-hit.cosine, hit.passage.id))[:_RANKED]
    words = sorted((hit for hit in hits if hit.word_score > 0), key=lambda hit: (-hit.word_score, hit.passage.id))
    scores: dict[str, float] = defaultdict(float)
    for ranking in (dense, words[:_RANKED]):
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.passage.id] += 1 / (_RRF_K + rank)
    mixed = sorted(
        (hit for hit in hits if hit.passage.id in scores), key=lambda hit: (-scores[hit.passage.id], hit.passage.id)
    )
    return {DENSE: articles(dense), WORDS: articles(words), RRF: articles(mixed)}


def articles(hits: Sequence[Hit]) -> list[str]:
    """Return the articles of passages by the ids that their source gave them, each once, in order.

    The copies that a hit stands for follow it.
    """
    found = (each.article for hit in hits for each in (hit, *hit.copies))
    return list(dict.fromkeys(article.given_id or article.id for article in found))


def rank_of(document: str, ranking: Sequence[str]) -> int | None:
    """Return the place of a document, from 1; None where it is not there."""
    return ranking.index(document) + 1 if document in ranking else None


def gain(rank: int | None, measure: str) -> float:
    """Return recall@k or nDCG@k ("recall@5") of a question that one document answers, which stands at `rank`.

    With one relevant document nDCG is 1 / log2(rank + 1) (Järvelin & Kekäläinen 2002).
    """
    name, k = measure.split("@")
    if rank is None or rank > int(k):
        return 0.0
    return 1.0 if name == "recall" else 1 / math.log2(rank + 1)


def estimated(values: Sequence[float], *, subjects: Sequence[str]) -> Estimate:
    """Return the mean of values, one for each question, with its interval.

    Raises:
        ValueError: There are none.
    """
    found = paired_difference(values, groups=resampled_by(subjects))
    return Estimate(mean=found.mean, interval=found.interval, n=found.n)
