"""What keeps a hit company: the same words in other outlets, which it stands for, and the passage it leans on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np

from rag.interfaces import Candidate, Filters, Link, Stories, Vector
from rag.leaning import leans
from rag.schema import Article, Hit, Passage
from rag.shingles import containment, shared, shingles
from rag.stories import choose

SAME_WORDS = 0.5
"""Share of a passage's runs of words that others repeat, from which these stand for it."""
# Passages, for each that is wanted, of which some may make room for others.
_NEAR = 4
# Copies of one passage that are read and listed, and articles of the same event that are listed.
_MOST = 12


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where company is looked for: the links between articles, and the truth.

    `passages_of` gives all passages of articles, in order; `passages_before` by its id the one before each passage
    that has one; `articles_by_id` those articles that are there.
    """

    stories: Stories
    passages_of: Callable[[Sequence[str]], Sequence[Passage]]
    passages_before: Callable[[Sequence[str]], Mapping[str, Passage]]
    articles_by_id: Callable[[Sequence[str]], Mapping[str, Article]]
    load_passages: Callable[[Sequence[str]], Mapping[str, tuple[Passage, Article]]]
    load_candidates: Callable[[Sequence[str]], Mapping[str, Candidate]]

    def copies_of(self, article_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the copies of those of the articles that have any."""
        return _neighbours(self.stories.of(article_ids, kind="copy"))


def uncrowded(
    ranked: Sequence[str],
    known: Mapping[str, Candidate],
    *,
    shelf: Shelf,
    k: int,
    per_article: int,
    fill: bool = False,
) -> list[str]:
    """Return the `k` best passages such that neither one article nor copies of one text crowd out the others.

    Args:
        ranked: Passage ids, best first.
        known: What is known of each.
        shelf: Where copies are looked up.
        k: Most passages that are wanted.
        per_article: Most passages of an article with its copies.
        fill: Where that leaves fewer than `k`, more of the same articles come last.
    """
    # Copies are looked up for as many as are most often enough.
    near = ranked[: _NEAR * k]
    chosen = _uncrowded(near, known, shelf=shelf, k=k, per_article=per_article, fill=False)
    if len(chosen) == k:
        return chosen
    return _uncrowded(ranked, known, shelf=shelf, k=k, per_article=per_article, fill=fill)


def _uncrowded(
    ranked: Sequence[str], known: Mapping[str, Candidate], *, shelf: Shelf, k: int, per_article: int, fill: bool
) -> list[str]:
    article_of = {passage_id: known[passage_id].article_id for passage_id in ranked}
    copies_of = shelf.copies_of(set(article_of.values()))
    family = [id_ for id_ in ranked if not copies_of.get(article_of[id_], set()).isdisjoint(article_of.values())]
    texts = {id_: passage.text for id_, (passage, _) in shelf.load_passages(family).items()} if family else {}
    pick = partial(choose, article_of=article_of, copies_of=copies_of, is_repeated=partial(_is_repeated, texts))
    chosen = pick(ranked, k=k, per_article=per_article)
    if fill and len(chosen) < k:
        chosen += [id_ for id_ in pick(ranked, k=len(ranked), per_article=len(ranked)) if id_ not in chosen]
    return chosen[:k]


def accompanied(hits: Sequence[Hit], *, vector: Vector, filters: Filters, shelf: Shelf) -> list[Hit]:
    """Return the hits with their copies in other articles, with others of the same event, and with what they lean on.

    Copies and articles of the same event stand in the order they were published.

    Args:
        hits: Without company.
        vector: The question's, for the copies' cosines.
        filters: Those of the question: what it leaves out is no copy to be shown.
        shelf: Where they are looked up.
    """
    links = shelf.stories.of({hit.article.id for hit in hits})
    copies_of = _neighbours([link for link in links if link.kind == "copy"])
    events_of = _neighbours([link for link in links if link.kind == "event"])
    others = sorted({copy for hit in hits for copy in copies_of.get(hit.article.id, ())})
    related = sorted({id_ for hit in hits for id_ in events_of.get(hit.article.id, ())}.union(others))
    passages: dict[str, list[Passage]] = {}
    for passage in shelf.passages_of(others) if others else ():
        passages.setdefault(passage.article_id, []).append(passage)
    articles = (
        {id_: article for id_, article in shelf.articles_by_id(related).items() if _passes(article, filters)}
        if related
        else {}
    )
    same = {
        hit.passage.id: _same_words(hit.passage, copies_of.get(hit.article.id, ()), passages, articles) for hit in hits
    }
    leaning = [each.id for hit in hits for each in (hit.passage, *same[hit.passage.id]) if _leans(each)]
    before = shelf.passages_before(leaning) if leaning else {}
    cosines = _cosines([passage.id for found in same.values() for passage in found], vector, shelf=shelf)

    def alone(passage: Passage, hit: Hit) -> Hit:
        return Hit(passage, articles[passage.article_id], score=hit.score, cosine=cosines.get(passage.id, hit.cosine))

    def led(hit: Hit) -> Hit:
        return replace(hit, before=before.get(hit.passage.id))

    return [
        replace(
            led(hit),
            copies=tuple(led(alone(copy, hit)) for copy in same[hit.passage.id]),
            events=_in_time([articles[id_] for id_ in events_of.get(hit.article.id, ()) if id_ in articles]),
        )
        for hit in hits
    ]


def with_copies(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits and all their copies, each passage once, for a reader that is to see every outlet's words."""
    every = {hit.passage.id: hit for hit in hits}
    for hit in hits:
        for copy in hit.copies:
            every.setdefault(copy.passage.id, copy)
    return list(every.values())


def _neighbours(links: Collection[Link]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for link in links:
        found.setdefault(link.one, set()).add(link.other)
        found.setdefault(link.other, set()).add(link.one)
    return found


def _in_time(articles: Collection[Article]) -> tuple[Article, ...]:
    return tuple(sorted(articles, key=lambda each: (each.published or date.max, each.id))[:_MOST])


def _is_repeated(texts: Mapping[str, str], passage_id: str, others: Sequence[str]) -> bool:
    runs = shingles(texts.get(passage_id, ""))
    said = np.unique(np.concatenate([shingles(texts.get(other, "")) for other in others]))
    return bool(runs.size) and shared(runs, said) >= SAME_WORDS * runs.size


def _same_words(
    passage: Passage,
    copies: Collection[str],
    passages: Mapping[str, Sequence[Passage]],
    articles: Mapping[str, Article],
) -> list[Passage]:
    """Return of each copy the passage that repeats this one best, if one does, in the order they were published."""
    if not copies:
        return []
    runs = shingles(passage.text)
    found = []
    for article_id in copies:
        if article_id not in articles:
            continue
        best = max(
            passages.get(article_id, ()),
            key=lambda other: (shared(runs, shingles(other.text)), -other.ordinal),
            default=None,
        )
        if best is not None and containment(runs, shingles(best.text)) >= SAME_WORDS:
            found.append(best)
    found.sort(key=lambda other: (articles[other.article_id].published or date.max, other.article_id))
    return found[:_MOST]


def _cosines(passage_ids: Sequence[str], vector: Vector, *, shelf: Shelf) -> dict[str, float]:
    known = shelf.load_candidates(passage_ids) if passage_ids else {}
    cosines = {id_: candidate.cosine(vector) for id_, candidate in known.items()}
    return {id_: cosine for id_, cosine in cosines.items() if cosine is not None}


def _leans(passage: Passage) -> bool:
    return (
        passage.ordinal > 0 and bool(passage.sentences) and leans(passage.sentences[0].text, language=passage.language)
    )


def _passes(article: Article, filters: Filters) -> bool:
    if filters.outlets and article.outlet not in filters.outlets:
        return False
    if (filters.since or filters.until) and article.published is None:
        return False
    day = article.published or date.min
    return not (filters.since and day < filters.since) and not (filters.until and day > filters.until)
