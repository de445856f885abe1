"""Distractors: how recall falls as more and more documents that answer nothing stand around those that do."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.finding_archives import OpenArchive, add_documents
from eval.finding_ranking import DENSE, PRODUCT, Estimate, Ranks, estimated, ranks
from eval.finding_report import Report, Target, plain, points, share, table
from eval.finding_sets import (
    Document,
    Topic,
    documents_of,
    drawn,
    read_hard_distractors,
    read_news,
    read_paragraphs,
    read_train,
    read_xquad,
)

ABOUT = (
    "Questions are to find their passage among those of their set and more and more hard distractors: passages about\n"
    "the same subjects, and news, counted in articles (in brackets the passages that all were cut into). Between\n"
    "none and all they are means over several random orders. 95 % intervals over whole articles."
)
SIZES = (0, 500, 1000, 2000, 4000)
SEEDS = (1, 2, 3)
MOST_LOST = 0.04
MEASURES = ("recall@1", "recall@5")
_LANGUAGES = ("es", "en", "de", "zh")
_TRAIN_ASKED = ("squad_dev_mt_es", "squad_it_dev", "squad_dev_mt_da", "squad2_dev_mt_id")
_PER_SUBJECT, _MOST = 20, 600


@dataclass(frozen=True, slots=True)
class Point:
    """One point of one language's curve: the ranks of its questions, once for each random order.

    `distractors` counts articles; `passages` is how many the whole archive was cut into, a mean over the orders.
    """

    asked: str
    distractors: int
    passages: float
    runs: tuple[Ranks, ...]

    def estimate(self, system: str, measure: str) -> Estimate:
        """Return the mean of a measure over questions and orders."""
        return estimated(self._values(system, measure), subjects=self._subjects)

    def loss(self, first: Point, system: str, measure: str) -> Estimate:
        """Return what is lost since another point, question by question: positive where this one is worse."""
        pairs = zip(first._values(system, measure), self._values(system, measure), strict=True)
        return estimated([before - after for before, after in pairs], subjects=self._subjects)

    def spread(self, system: str, measure: str) -> tuple[float, float]:
        """Return the lowest and the highest mean of an order."""
        means = [run.estimate(system, measure).mean for run in self.runs]
        return min(means), max(means)

    def _values(self, system: str, measure: str) -> list[float]:
        runs = [run.values(system, measure) for run in self.runs]
        return [sum(values) / len(values) for values in zip(*runs, strict=True)]

    @property
    def _subjects(self) -> list[str]:
        return [topic.subject for topic in self.runs[0].topics]


@dataclass(frozen=True, slots=True)
class DistractorResult:
    """The curve of each language, from no distractor to all."""

    curves: Mapping[str, tuple[Point, ...]]


def measure_distractors(
    documents: Sequence[Document],
    asked: Mapping[str, Sequence[Topic]],
    *,
    distractors: Sequence[Document],
    open_archive: OpenArchive,
    sizes: Sequence[int] = SIZES,
    seeds: Sequence[int] = SEEDS,
    progress: Callable[[int, int], None] | None = None,
) -> DistractorResult:
    """Return the curves of recall against the number of distractors.

    Args:
        documents: What is to be found.
        asked: The questions, by language.
        distractors: What is added, in an order of its own for each seed.
        open_archive: Makes an archive of documents.
        sizes: How many distractors there are at each point, and all of them at the last; the first one is 0. Sizes
            that are no fewer than all are left out.
        seeds: Of the orders; where order does not matter, only the first is measured.
        progress: Called with (archives asked, archives to ask).
    """
    steps = [*(size for size in sizes if size < len(distractors)), len(distractors)]
    total, done = 2 + (len(steps) - 2) * len(seeds), 0
    found: dict[int, list[tuple[int, Mapping[str, Ranks]]]] = {step: [] for step in steps}
    for seed in seeds:
        order = list(distractors)
        random.Random(seed).shuffle(order)
        with open_archive(documents) as archive:
            for held, step in zip([0, *steps], steps, strict=False):
                if seed != seeds[0] and step == steps[-1]:
                    break
                add_documents(archive, order[held:step])
                if seed != seeds[0] and step == 0:
                    continue
                by_language = {name: ranks(archive, topics, systems=(PRODUCT, DENSE)) for name, topics in asked.items()}
                found[step].append((archive.counts().passages, by_language))
                done += 1
                if progress:
                    progress(done, total)
    return DistractorResult({name: tuple(_points(name, found)) for name in asked})


def _points(name: str, found: Mapping[int, Sequence[tuple[int, Mapping[str, Ranks]]]]) -> Iterator[Point]:
    for step, runs in found.items():
        passages = sum(count for count, _ in runs) / len(runs)
        yield Point(name, step, passages, tuple(by_language[name] for _, by_language in runs))


def measure_public(
    data: Path, *, open_archive: OpenArchive, progress: Callable[[int, int], None] | None = None
) -> DistractorResult:
    """Return the curves of XQuAD in Spanish, asked in Spanish, English, German and Chinese."""
    held = read_xquad(data, "es")
    return measure_distractors(
        held.documents,
        {language: held.asked_in(read_xquad(data, language)) for language in _LANGUAGES},
        distractors=read_hard_distractors(data),
        open_archive=open_archive,
        progress=progress,
    )


def measure_train(
    data: Path,
    *,
    open_archive: OpenArchive,
    split: str = "all",
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> DistractorResult:
    """Return the curves to choose on: passages of `squad_dev_mt_es` that are asked about, among all the others.

    Further distractors are `squad_es_dist`, news, and paragraphs of the large set.
    """
    held = read_train(data, "squad_dev_mt_es")
    others = [read_train(data, name) for name in _TRAIN_ASKED]
    chosen = drawn(held.topics, split=split, per_subject=_PER_SUBJECT, most=_MOST, seed=seed)
    keys = {topic.key for topic in chosen}
    wanted = documents_of(chosen, held.documents)
    return measure_distractors(
        wanted,
        {other.language: tuple(topic for topic in held.asked_in(other) if topic.key in keys) for other in others},
        distractors=[
            *(document for document in held.documents if document not in set(wanted)),
            *read_train(data, "squad_es_dist").documents,
            *read_news(data),
            *read_paragraphs(data, count=1000, seed=seed),
        ],
        open_archive=open_archive,
        progress=progress,
    )


def distractor_report(result: DistractorResult) -> Report:
    """Return one table of the curves, and whether few enough points are lost at their ends."""
    lines, targets = [], []
    for name, points_ in result.curves.items():
        for point in points_:
            lost = point.loss(points_[0], PRODUCT, "recall@5")
            low, high = point.spread(PRODUCT, "recall@5")
            lines.append(
                [
                    f"{name}: {point.distractors:,} ({point.passages:,.0f})",
                    str(len(point.runs[0].topics)),
                    f"{point.estimate(PRODUCT, 'recall@1').mean:.3f}",
                    f"{point.estimate(DENSE, 'recall@1').mean:.3f}",
                    share(point.estimate(PRODUCT, "recall@5")),
                    f"{point.estimate(DENSE, 'recall@5').mean:.3f}",
                    points(lost),
                    f"{low:.3f}-{high:.3f}" if len(point.runs) > 1 else "",
                ]
            )
        lost = points_[-1].loss(points_[0], PRODUCT, "recall@5")
        targets.append(
            Target(
                f"recall@5 of {name} questions: at most {100 * MOST_LOST:.0f} points lost with all distractors",
                f"{points(lost)} lost",
                lost.mean <= MOST_LOST,
            )
        )
    heads = ["distractors", "n", "recall@1", "dense", "recall@5", "dense", "lost, points", "orders"]
    content = {
        "curves": {name: [_to_dict(point, points_[0]) for point in points_] for name, points_ in result.curves.items()}
    }
    return Report("distractors", ABOUT, (table(heads, lines),), tuple(targets), content)


def _to_dict(point: Point, first: Point) -> dict[str, object]:
    return {
        "distractors": point.distractors,
        "passages": round(point.passages, 1),
        "orders": len(point.runs),
        "systems": {
            system: {measure: plain(point.estimate(system, measure)) for measure in MEASURES}
            for system in (PRODUCT, DENSE)
        },
        "lost": {measure: plain(point.loss(first, PRODUCT, measure)) for measure in MEASURES},
    }
