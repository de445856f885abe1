"""Which copies and which articles of one event find each other, and which are linked that should not be.

Real pairs are few (eval/data/README.md), so copies are made as well, and translations stand for the same event told by
another hand; the three are reported apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from eval.copied import WAYS, MadeCopy, made_copies
from eval.story_sets import (
    TRANSLATIONS,
    JudgedPair,
    read_articles,
    read_groups,
    read_pairs,
    read_translations,
    split_of,
    with_day,
)
from ingest.chunking import passages_of
from rag.articles import Articles, Prepared, open_articles
from rag.config import IngestSettings
from rag.interfaces import Embedder, Link, PassageVectors
from rag.schema import Article
from rag.stories import RULES, Rules, groups
from rag.story_links import StoryLinks

COPY_LIMITS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
EVENT_LIMITS = (0.88, 0.89, 0.9, 0.91, 0.92, 0.93, 0.94, 0.945, 0.95, 0.96, 0.97)
_NEVER = 2.0
_PASSAGE_TOKENS = IngestSettings().passage_tokens
_ONE_DAY = date(2018, 10, 1)
_PUT_AT_ONCE = 200

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Point:
    """What a limit gives: pairs linked rightly, and of how many; linked wrongly; and linked that nobody judged."""

    limit: float
    right: int
    of: int
    wrong: int
    unjudged: int

    @property
    def recall(self) -> float:
        """Share of the pairs that belong together which are linked, 0 to 1."""
        return self.right / self.of if self.of else 0.0

    @property
    def precision(self) -> float | None:
        """Share of the judged links that are right, 0 to 1; None without links."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Of the judged groups, those that are found as they are: of several articles, and of one that stands alone."""

    several: int
    several_found: int
    alone: int
    alone_found: int


@dataclass(frozen=True, slots=True)
class StoryQuality:
    """How stories are found in one half of the collections.

    `made_by_way` counts for each way of copying (found, made) at the limits in use; `translated` has a curve for each
    language and for articles with and without dates; `unjudged` are pairs that are linked at the limits in use and that
    nobody judged.
    """

    split: str
    articles: int
    copies: tuple[Point, ...]
    made: tuple[Point, ...]
    made_by_way: Mapping[str, tuple[int, int]]
    events: tuple[Point, ...]
    events_certain: tuple[Point, ...]
    translated: Mapping[tuple[str, bool], tuple[Point, ...]]
    groups: GroupCount
    unjudged: tuple[Link, ...]


def measure(
    data: Path,
    *,
    embedder: Embedder,
    split: str,
    made: int = 120,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> StoryQuality:
    """Return what comes out for one half of the articles.

    Args:
        data: The folder of the public data sets.
        embedder: What makes vectors; the limits are chosen for the bundled model.
        split: "dev", to choose on, or "test".
        made: How many copies are made, of articles of that half.
        seed: Of what is drawn for them.
        progress: Called with (steps done, steps to do).

    Raises:
        DatasetError: A collection cannot be read.
    """
    articles, judged = read_articles(data, split=split), read_pairs(split)
    copies = made_copies([(article.id, article.text) for article in articles], seed=seed, count=made)
    steps = 2 + len(TRANSLATIONS)
    told = progress or (lambda done, of: None)
    told(0, steps)
    by_copy, by_event, in_use = _links(
        articles,
        embedder=embedder,
        rules=[Rules(copy=COPY_LIMITS[0], event=_NEVER, event_undated=_NEVER), _loose_events(), RULES],
    )
    told(1, steps)
    with_made = [*articles, *(_as_article(copy, number) for number, copy in enumerate(copies))]
    [made_links] = _links(with_made, embedder=embedder, rules=[Rules(COPY_LIMITS[0], _NEVER, _NEVER)], by_vectors=False)
    told(2, steps)
    translated: dict[tuple[str, bool], tuple[Point, ...]] = {}
    for number, language in enumerate(TRANSLATIONS, start=3):
        translated |= _translated(data, language, judged, embedder=embedder, split=split)
        told(number, steps)
    labels = {frozenset((pair.one, pair.other)): pair.label for pair in judged}
    certain = {frozenset((pair.one, pair.other)) for pair in judged if not pair.doubt}
    return StoryQuality(
        split=split,
        articles=len(articles),
        copies=_curve(by_copy, COPY_LIMITS, labels=labels, right="COPY"),
        made=_made_curve(made_links, copies, labels),
        made_by_way=_by_way(made_links, copies),
        events=_curve(by_event, EVENT_LIMITS, labels=labels, right="SAME_EVENT"),
        events_certain=_curve(
            by_event,
            EVENT_LIMITS,
            labels={pair: label for pair, label in labels.items() if pair in certain},
            right="SAME_EVENT",
        ),
        translated=translated,
        groups=_group_count(in_use, split=split),
        unjudged=tuple(link for link in in_use if frozenset((link.one, link.other)) not in labels),
    )


def _loose_events() -> Rules:
    return Rules(copy=_NEVER, event=EVENT_LIMITS[0], event_undated=EVENT_LIMITS[0])


# ---- links, as the archive finds them


def _links(
    articles: Sequence[Article], *, embedder: Embedder, rules: Sequence[Rules], by_vectors: bool = True
) -> list[list[Link]]:
    """Return the links that each of the rules makes among the articles, kept with their first passages only."""
    with tempfile.TemporaryDirectory(prefix="hemeroteca-eval-") as folder:
        truth = open_articles(Path(folder))
        try:
            for start in range(0, len(articles), _PUT_AT_ONCE):
                _put(truth, articles[start : start + _PUT_AT_ONCE], embedder=embedder, embed=by_vectors)
            found = []
            for each in rules:
                stories = StoryLinks(truth.database, rules=each)
                stories.forget()
                stories.catch_up(by_vectors=by_vectors)
                found.append(stories.all())
            return found
        finally:
            truth.close()


def _put(truth: Articles, articles: Sequence[Article], *, embedder: Embedder, embed: bool) -> None:
    # Links look at an article's first passage, and not at its sentences.
    firsts = [
        replace(
            passages_of(each, count=embedder.count, passage_tokens=_PASSAGE_TOKENS, max_tokens=embedder.max_tokens)[0],
            sentences=(),
        )
        for each in articles
    ]
    truth.put(
        [
            Prepared(article=article, passages=(passage,), place=article.id, source_hash=article.content_hash)
            for article, passage in zip(articles, firsts, strict=True)
        ]
    )
    if embed:
        vectors = embedder.embed_passages(firsts)
        empty = np.empty((0, embedder.dim), np.float32)
        truth.set_vectors(
            [(passage, PassageVectors(made.passage, empty)) for passage, made in zip(firsts, vectors, strict=True)]
        )


def _as_article(copy: MadeCopy, number: int) -> Article:
    name = _made_name(copy, number)
    return Article(
        id=name, text=copy.text, title=copy.title, language="es", url=f"https://{number}.example/", content_hash=name
    )


def _made_name(copy: MadeCopy, number: int) -> str:
    return f"made-{number}-of-{copy.original}"


# ---- curves


def _scores(links: Collection[Link]) -> dict[Pair, float]:
    return {frozenset((link.one, link.other)): link.score for link in links}


def _curve(
    links: Collection[Link], limits: Sequence[float], *, labels: Mapping[Pair, str], right: str
) -> tuple[Point, ...]:
    """Return the curve of one label; that copies are alike is no fault where the same event is looked for."""
    positives = {pair for pair, label in labels.items() if label == right}
    aside = {pair for pair, label in labels.items() if label == "COPY"} - positives
    scores = {pair: score for pair, score in _scores(links).items() if pair not in aside}
    return _points(scores, limits, positives=positives, negatives=set(labels) - positives)


def _points(
    scores: Mapping[Pair, float], limits: Sequence[float], *, positives: set[Pair], negatives: set[Pair]
) -> tuple[Point, ...]:
    points = []
    for limit in limits:
        linked = {pair for pair, score in scores.items() if score >= limit}
        right, wrong = len(linked & positives), len(linked & negatives)
        points.append(Point(limit, right, len(positives), wrong, len(linked) - right - wrong))
    return tuple(points)


def _made_curve(links: Collection[Link], copies: Sequence[MadeCopy], labels: Mapping[Pair, str]) -> tuple[Point, ...]:
    """Only links of made copies count: each belongs to its original, to real copies of that, and to no other."""
    positives = {frozenset((_made_name(copy, number), copy.original)) for number, copy in enumerate(copies)}
    original = {_made_name(copy, number): copy.original for number, copy in enumerate(copies)}
    scores = {}
    for pair, score in _scores(links).items():
        ends = frozenset(original.get(end, end) for end in pair)
        if pair & original.keys() and labels.get(ends) != "COPY":
            scores[pair] = score
    return _points(scores, COPY_LIMITS, positives=positives, negatives=set(scores) - positives)


def _by_way(links: Collection[Link], copies: Sequence[MadeCopy]) -> dict[str, tuple[int, int]]:
    linked = {pair for pair, score in _scores(links).items() if score >= RULES.copy}
    counts = dict.fromkeys((*WAYS, "three of them"), (0, 0))
    for number, copy in enumerate(copies):
        way = copy.ways[0] if len(copy.ways) == 1 else "three of them"
        found, made = counts[way]
        is_found = frozenset((_made_name(copy, number), copy.original)) in linked
        counts[way] = (found + is_found, made + 1)
    return counts


def _translated(
    data: Path, language: str, judged: Sequence[JudgedPair], *, embedder: Embedder, split: str
) -> dict[tuple[str, bool], tuple[Point, ...]]:
    """Return the curves of NTREX's Spanish articles and their translations, all of one day and all without a date."""
    own = [article for article in read_translations(data, "es") if split_of(article.id) == split]
    other = [
        replace(
            article,
            id=f"{article.id} {language}",
            url=f"{article.url}{language}",
            content_hash=f"{article.content_hash} {language}",
        )
        for article in read_translations(data, language)
        if split_of(article.id) == split
    ]
    positives = {frozenset((article.id, f"{article.id} {language}")) for article in own}
    same = {frozenset((pair.one, pair.other)) for pair in judged if pair.label in ("COPY", "SAME_EVENT")}
    curves = {}
    for day in (_ONE_DAY, None):
        [links] = _links(with_day([*own, *other], day), embedder=embedder, rules=[_loose_events()])
        scores = {
            pair: score
            for pair, score in _scores(links).items()
            if frozenset(end.removesuffix(f" {language}") for end in pair) not in same
        }
        negatives = set(scores) - positives
        curves[language, day is not None] = _points(scores, EVENT_LIMITS, positives=positives, negatives=negatives)
    return curves


def _group_count(links: Sequence[Link], *, split: str) -> GroupCount:
    judged, found = read_groups(split), set(groups(links))
    linked = {id_ for group in found for id_ in group}
    several = [group for group in judged if len(group.members) > 1]
    alone = [group for group in judged if len(group.members) == 1]
    return GroupCount(
        several=len(several),
        several_found=sum(group.members in found for group in several),
        alone=len(alone),
        alone_found=sum(not group.members & linked for group in alone),
    )
