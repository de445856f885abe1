"""Robustness: what recall costs when questions are put as people put them, without accents, with slips, at length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.finding_archives import OpenArchive
from eval.finding_ranking import DENSE, MEASURES, PRODUCT, Estimate, Ranks, estimated, ranks
from eval.finding_report import Report, Target, plain, points, share, table
from eval.finding_sets import Document, Topic, TopicSet, documents_of, drawn, read_train, read_xquad
from eval.finding_wording import (
    as_keywords,
    as_quotation,
    in_a_story,
    in_lower_case,
    mixed,
    with_typo,
    without_accents,
)

ABOUT = (
    "Spanish questions, put in other ways, are to find their passage; beside each way what it costs against the same\n"
    "questions as they were. `qed_nq_en` are English search queries as people typed them. 95 % intervals over articles."
)
AS_WRITTEN = "as written"
MOST_LOST = {"no accents": 0.03, "capitals": 0.03, "one typo": 0.03}
_PER_SUBJECT, _MOST = 20, 600
_TYPED = 500


@dataclass(frozen=True, slots=True)
class RobustResult:
    """The ranks of the same questions, by the way that they are put; and of typed queries, which are others."""

    ways: Mapping[str, Ranks]
    typed: Ranks | None = None


def measure_robust(
    documents: Sequence[Document],
    topics: Sequence[Topic],
    *,
    translations: Mapping[str, str],
    open_archive: OpenArchive,
    language: str = "es",
    seed: int = 1,
    typed: tuple[Sequence[Document], Sequence[Topic]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RobustResult:
    """Return where each question's document stands, by the way that the question is put.

    Args:
        documents: What is found, and what is around it.
        topics: Questions in Spanish; those without a translation are left out of all ways.
        translations: The questions in another language, by key, to mix the two.
        open_archive: Makes an archive of documents.
        language: Of the documents.
        seed: Of the slips.
        typed: Other documents and queries, which are asked as they are.
        progress: Called with (ways asked, ways to ask).
    """
    texts = {document.id: document.text for document in documents}
    asked = [topic for topic in topics if topic.key in translations]
    ways: dict[str, Callable[[Topic], str]] = {
        AS_WRITTEN: lambda topic: topic.question,
        "no accents": lambda topic: without_accents(topic.question),
        "capitals": lambda topic: topic.question.upper(),
        "one typo": lambda topic: with_typo(topic.question, seed=seed),
        "lower case": lambda topic: in_lower_case(topic.question),
        "keywords": lambda topic: as_keywords(topic.question),
        "in 200 words": lambda topic: in_a_story(topic.question),
        "quotation": lambda topic: as_quotation(texts[topic.document], at=topic.answer, language=language),
        "mixed languages": lambda topic: mixed(topic.question, translations[topic.key]),
    }
    found: dict[str, Ranks] = {}
    total = len(ways) + (typed is not None)
    with open_archive(documents) as archive:
        for name, put in ways.items():
            put_so = [replace(topic, question=put(topic)) for topic in asked]
            found[name] = ranks(archive, put_so, systems=(PRODUCT, DENSE))
            if progress:
                progress(len(found), total)
    if typed is None:
        return RobustResult(found)
    with open_archive(typed[0]) as archive:
        typed_ranks = ranks(archive, typed[1], systems=(PRODUCT, DENSE))
    if progress:
        progress(total, total)
    return RobustResult(found, typed_ranks)


def measure_public(
    data: Path, *, open_archive: OpenArchive, progress: Callable[[int, int], None] | None = None
) -> RobustResult:
    """Return how robust XQuAD in Spanish is, among the passages of the same pages; mixed with English."""
    held = read_xquad(data, "es")
    return measure_robust(
        [*held.documents, *read_train(data, "squad_dev_mt_es").documents],
        held.topics,
        translations=_wording(read_xquad(data, "en")),
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
) -> RobustResult:
    """Return how robust `squad_dev_mt_es` is, mixed with Italian; and `qed_nq_en` as it is."""
    held = read_train(data, "squad_dev_mt_es")
    translations = _wording(read_train(data, "squad_it_dev"))
    both = [topic for topic in held.topics if topic.key in translations]
    return measure_robust(
        held.documents,
        drawn(both, split=split, per_subject=_PER_SUBJECT, most=_MOST, seed=seed),
        translations=translations,
        open_archive=open_archive,
        seed=seed,
        typed=_typed(data, split=split, seed=seed),
        progress=progress,
    )


def _typed(data: Path, *, split: str, seed: int) -> tuple[Sequence[Document], Sequence[Topic]]:
    """Return queries and four times as many passages as they are about, at most."""
    read = read_train(data, "qed_nq_en")
    around = drawn(read.topics, split=split, per_subject=1, most=4 * _TYPED, seed=seed)
    return documents_of(around, read.documents), around[:_TYPED]


def _wording(topics: TopicSet) -> dict[str, str]:
    return {topic.key: topic.question for topic in topics.topics}


def robust_report(result: RobustResult) -> Report:
    """Return a table by way, and whether the ways that must not cost much do not."""
    plainly = result.ways[AS_WRITTEN]
    lines = [_line(name, found, points(_lost(plainly, found))) for name, found in result.ways.items()]
    if result.typed:
        lines.append(_line("typed queries (qed_nq_en)", result.typed, ""))
    targets = []
    for name, most in MOST_LOST.items():
        lost = _lost(plainly, result.ways[name])
        wanted = f"recall@5 with {name}: at most {100 * most:.0f} points lost"
        targets.append(Target(wanted, f"{points(lost)} lost", lost.mean <= most))
    content = {
        "ways": {
            name: {**_to_dict(found), "lost": plain(_lost(plainly, found))} for name, found in result.ways.items()
        },
        "typed": _to_dict(result.typed) if result.typed else None,
    }
    heads = ["questions", "n", "recall@1", "recall@5", "dense", "lost of recall@5, points"]
    return Report("robust", ABOUT, (table(heads, lines),), tuple(targets), content)


def _line(name: str, found: Ranks, lost: str) -> list[str]:
    return [
        name,
        str(len(found.topics)),
        share(found.estimate(PRODUCT, "recall@1")),
        share(found.estimate(PRODUCT, "recall@5")),
        f"{found.estimate(DENSE, 'recall@5').mean:.3f}",
        lost,
    ]


def _lost(before: Ranks, after: Ranks) -> Estimate:
    pairs = zip(before.values(PRODUCT, "recall@5"), after.values(PRODUCT, "recall@5"), strict=True)
    return estimated([than - value for than, value in pairs], subjects=[topic.subject for topic in before.topics])


def _to_dict(found: Ranks) -> dict[str, object]:
    return {
        system: {measure: plain(found.estimate(system, measure)) for measure in MEASURES} for system in (PRODUCT, DENSE)
    }
