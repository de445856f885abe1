"""Fusion: does the mix of both searches find more than either, whatever languages question and passages are in?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.finding_archives import OpenArchive
from eval.finding_ranking import DENSE, MEASURES, PRODUCT, SYSTEMS, Ranks, ranks
from eval.finding_report import Report, Target, plain, points, share, table
from eval.finding_sets import XQUAD_LANGUAGES, Document, Topic, TopicSet, drawn, read_train, read_xquad

ABOUT = (
    "Each question is to find its passage among those of its set, by the product and, from the same two rankings, by\n"
    "cosine alone, by words alone, and by reciprocal rank fusion (k = 60). 95 % intervals over whole articles."
)
WANTED_SPANISH = 0.975
_SPANISH = ("xquad es", "xquad es")
_PARALLEL_TRAIN = ("squad_dev_mt_es", "squad_it_dev")
_ASKED_TRAIN = ("squad_dev_mt_es", "squad_it_dev", "squad_dev_mt_da", "squad2_dev_mt_id")
_SINGLE_TRAIN = ("squad_es_dist", "piaf_fr", "faquad_pt")
_PER_SUBJECT, _MOST = 20, 600


@dataclass(frozen=True, slots=True)
class Case:
    """Documents in one language, and the questions that are asked about them, by the set that they are worded in."""

    held: str
    language: str
    documents: tuple[Document, ...]
    asked: Mapping[str, tuple[str, tuple[Topic, ...]]]


@dataclass(frozen=True, slots=True)
class Pair:
    """The questions of one set over the documents of another; languages are ISO 639-1."""

    asked: str
    held: str
    asked_language: str
    held_language: str
    ranks: Ranks

    @property
    def is_mixed(self) -> bool:
        """Whether question and documents are in two languages."""
        return self.asked_language != self.held_language


@dataclass(frozen=True, slots=True)
class FusionResult:
    """All pairs of one run, in the order measured."""

    pairs: tuple[Pair, ...]


def measure_fusion(
    cases: Sequence[Case], *, open_archive: OpenArchive, progress: Callable[[int, int], None] | None = None
) -> FusionResult:
    """Return where each question's document stands, by system.

    Args:
        cases: Documents with their questions; one archive each.
        open_archive: Makes it.
        progress: Called with how many pairs are done and how many there are.
    """
    total = sum(len(case.asked) for case in cases)
    pairs: list[Pair] = []
    for case in cases:
        with open_archive(case.documents) as archive:
            for asked, (language, topics) in case.asked.items():
                pairs.append(Pair(asked, case.held, language, case.language, ranks(archive, topics)))
                if progress:
                    progress(len(pairs), total)
    return FusionResult(tuple(pairs))


def fusion_cases(data: Path, *, sets: str, split: str = "all", seed: int = 1) -> list[Case]:
    """Return what is measured: XQuAD in all pairs of its languages ("public"), or the sets to choose on ("train")."""
    if sets == "public":
        held = [read_xquad(data, language) for language in XQUAD_LANGUAGES]
        return [_case(each, held, split="all", seed=seed, per_subject=len(each.topics)) for each in held]
    read = {name: read_train(data, name) for name in (*_ASKED_TRAIN, *_SINGLE_TRAIN)}
    return [
        *(
            _case(read[name], [read[asked] for asked in _ASKED_TRAIN], split=split, seed=seed)
            for name in _PARALLEL_TRAIN
        ),
        *(_case(read[name], [read[name]], split=split, seed=seed) for name in _SINGLE_TRAIN),
    ]


def _case(
    held: TopicSet, asking: Sequence[TopicSet], *, split: str, seed: int, per_subject: int = _PER_SUBJECT
) -> Case:
    asked = {
        other.name: (
            other.language,
            drawn(held.asked_in(other), split=split, per_subject=per_subject, most=_MOST, seed=seed),
        )
        for other in asking
    }
    return Case(held.name, held.language, held.documents, asked)


def fusion_report(result: FusionResult) -> Report:
    """Return tables: recall@1 of every pair, and all measures over groups of pairs."""
    return Report(
        name="fusion",
        about=ABOUT,
        tables=(_pairs_table(result), _groups_table(result)),
        targets=tuple(_targets(result)),
        content={"pairs": [_pair_to_dict(pair) for pair in result.pairs]},
    )


def _pairs_table(result: FusionResult) -> str:
    lines = []
    for pair in result.pairs:
        found = pair.ranks
        baselines = [f"{found.estimate(system, 'recall@1').mean:.3f}" for system in SYSTEMS if system != PRODUCT]
        lines.append(
            [
                _name(pair),
                str(len(found.topics)),
                share(found.estimate(PRODUCT, "recall@1")),
                *baselines,
                points(found.difference(PRODUCT, DENSE, "recall@1")),
            ]
        )
    return table(["recall@1 of questions on passages", "n", "product", *SYSTEMS[1:], "over dense, points"], lines)


def _groups_table(result: FusionResult) -> str:
    groups = {
        "one language": [pair for pair in result.pairs if not pair.is_mixed],
        "two languages": [pair for pair in result.pairs if pair.is_mixed],
    }
    lines = []
    for name, pairs in groups.items():
        for measure in MEASURES if pairs else ():
            together = _together([pair.ranks for pair in pairs])
            baselines = [f"{together.estimate(system, measure).mean:.3f}" for system in SYSTEMS if system != PRODUCT]
            lines.append(
                [
                    f"{name}, {len(pairs)} pairs: {measure}",
                    str(len(together.topics)),
                    share(together.estimate(PRODUCT, measure)),
                    *baselines,
                    points(together.difference(PRODUCT, DENSE, measure)),
                ]
            )
    return table(["", "n", "product", *SYSTEMS[1:], "over dense, points"], lines)


def _together(found: Sequence[Ranks]) -> Ranks:
    return Ranks(
        topics=tuple(topic for each in found for topic in each.topics),
        by_system={system: tuple(rank for each in found for rank in each.by_system[system]) for system in SYSTEMS},
    )


def _targets(result: FusionResult) -> list[Target]:
    targets = []
    for pair in result.pairs:
        if (pair.asked, pair.held) == _SPANISH:
            first = pair.ranks.estimate(PRODUCT, "recall@1")
            targets.append(
                Target(
                    f"recall@1 of Spanish questions on XQuAD in Spanish: {WANTED_SPANISH} or more",
                    share(first),
                    first.mean >= WANTED_SPANISH,
                )
            )
    gained = {_name(pair): pair.ranks.difference(PRODUCT, DENSE, "recall@1") for pair in result.pairs}
    below = {name: change for name, change in gained.items() if change.mean < 0}
    sure = sum(change.interval.high < 0 for change in below.values())
    told = "; ".join(
        f"{name} {points(change)}" for name, change in sorted(below.items(), key=lambda item: item[1].mean)
    )
    measured = f"below in {len(below)} of {len(gained)} pairs, with the whole interval in {sure}"
    targets.append(
        Target("recall@1 in no pair below dense alone", f"{measured}: {told}" if told else measured, not below)
    )
    return targets


def _pair_to_dict(pair: Pair) -> dict[str, object]:
    return {
        "asked": pair.asked,
        "held": pair.held,
        "systems": {
            system: {measure: plain(pair.ranks.estimate(system, measure)) for measure in MEASURES} for system in SYSTEMS
        },
        "over_dense": {measure: plain(pair.ranks.difference(PRODUCT, DENSE, measure)) for measure in MEASURES},
    }


def _name(pair: Pair) -> str:
    return f"{pair.asked} on {pair.held.removeprefix('xquad ')}"
