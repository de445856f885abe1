"""Which articles tell one story: the rules for copies and for the same event, and groups of what they link. Pure."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from rag.interfaces import Link, Vector
from rag.schema import Article, Kinship, Related, Story
from rag.shingles import Numbers, containment, mixed, shared
from rag.terms import content_terms

DAYS = 3
"""Days within which articles with dates may tell the same event."""


@dataclass(frozen=True, slots=True)
class Rules:
    """From where on two articles tell one story.

    `copy` is the share of the shorter text's runs of words that the other repeats. `event` is the cosine of the two
    beginnings, if they were published within `DAYS`; `event_undated` the same where a date is missing: what happens
    again in another month looks as alike as that.
    """

    copy: float = 0.4
    event: float = 0.91
    event_undated: float = 0.94


RULES = Rules()

_LEAST_RUNS = 12
# Words of an article's beginning, and how many of its terms stand for it: drawn by a hash, so that two beginnings that
# share half of their terms share half of what was drawn.
_LEAD_WORDS = 120
_DRAWN = 24
# The lists that terms are looked up in: of all articles, of those without a date, and from here on one for every three
# days.
_ANY, _UNDATED, _FIRST_DAYS = 1, 2, 3


def copy_score(one: Numbers, other: Numbers, *, rules: Rules = RULES) -> float:
    """Return the share of the shorter text that the other repeats, 0 to 1; 0 where that is no copy.

    Two texts that share a quotation, a formula or a line of the site are no copies: what they share must be a large
    part of the shorter one, and of some length.
    """
    if shared(one, other) < _LEAST_RUNS:
        return 0.0
    share = containment(one, other)
    return share if share >= rules.copy else 0.0


def event_score(one: Vector, other: Vector, *, apart: int | None, rules: Rules = RULES) -> float:
    """Return how near the beginnings of two articles are, 0 to 1; 0 where they do not tell the same event.

    Args:
        one: The vector of an article's first passage.
        other: The other's, of the same length.
        apart: Days between the two, None where a date is missing.
        rules: What is enough.
    """
    if apart is not None and apart > DAYS:
        return 0.0
    cosine = float(one @ other)
    return min(cosine, 1.0) if cosine >= (rules.event_undated if apart is None else rules.event) else 0.0


def lead_terms(title: str | None, text: str) -> Numbers:
    """Return the drawn content words of an article's title and beginning, as numbers; at most 24."""
    lead = f"{title or ''} {' '.join(text[: 20 * _LEAD_WORDS].split()[:_LEAD_WORDS])}"
    terms = {zlib.crc32(term.encode("utf-8", "surrogatepass")) for term in content_terms(lead)}
    return np.sort(mixed(np.array(sorted(terms), dtype=np.uint64)))[:_DRAWN]


def lists_of(day: date | None) -> tuple[int, ...]:
    """Return the lists in which an article of that day stands under each of its terms."""
    return (_ANY, _UNDATED) if day is None else (_ANY, _period(day))


def lists_to_search(day: date | None) -> tuple[int, ...]:
    """Return the lists in which an article of that day looks for others of its event."""
    if day is None:
        return (_ANY,)
    period = _period(day)
    return (_UNDATED, period - 1, period, period + 1)


def in_list(terms: Numbers, number: int) -> Numbers:
    """Return what stands for terms in one of the lists."""
    return mixed(terms + np.uint64(number))


def _period(day: date) -> int:
    return _FIRST_DAYS + 1 + day.toordinal() // DAYS


def groups(links: Collection[Link]) -> list[frozenset[str]]:
    """Return the stories that links make, each with two articles or more, apart from each other.

    The surest links come first, copies before the rest. Two groups become one when more than half of the pairs between
    them are linked: a page that holds several briefs, or a day-by-day affair, would else chain everything together.
    """
    group_of = {article_id: article_id for link in links for article_id in (link.one, link.other)}
    members = {article_id: [article_id] for article_id in group_of}
    between: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for link in links:
        between[link.one][link.other] += 1
        between[link.other][link.one] += 1
    for link in sorted(links, key=lambda link: (link.kind != "copy", -link.score, link.one, link.other)):
        one, other = group_of[link.one], group_of[link.other]
        if one == other or between[one][other] * 2 <= len(members[one]) * len(members[other]):
            continue
        if len(members[one]) < len(members[other]):
            one, other = other, one
        for article_id in members[other]:
            group_of[article_id] = one
        members[one] += members.pop(other)
        for third, count in between.pop(other).items():
            del between[third][other]
            if third != one:
                between[one][third] += count
                between[third][one] += count
    return sorted((frozenset(ids) for ids in members.values() if len(ids) > 1), key=min)


def choose(
    ranked: Sequence[str],
    *,
    article_of: Mapping[str, str],
    copies_of: Mapping[str, Collection[str]],
    is_repeated: Callable[[str, Sequence[str]], bool],
    k: int,
    per_article: int,
) -> list[str]:
    """Return the `k` best passages such that neither one article nor copies of one text crowd out the others.

    A passage whose words stand in better passages of copies of its article is left out: these stand for it. Of an
    article and its copies together there are at most `per_article` passages.

    Args:
        ranked: Passage ids, best first.
        article_of: The article of each of them.
        copies_of: The articles that are copies of an article, where there are any.
        is_repeated: Whether a passage's words stand in the others given, which are of copies of its article.
        k: Most passages that are wanted.
        per_article: Most passages of an article with its copies.
    """
    chosen: list[str] = []
    for passage_id in ranked:
        if len(chosen) == k:
            break
        article_id = article_of[passage_id]
        copies = copies_of.get(article_id, ())
        beside = [other for other in chosen if article_of[other] in copies]
        of_article = sum(article_of[other] == article_id for other in chosen)
        if of_article + len(beside) >= per_article or (beside and is_repeated(passage_id, beside)):
            continue
        chosen.append(passage_id)
    return chosen


def related_to(article_id: str, links: Collection[Link]) -> dict[str, tuple[Kinship, float]]:
    """Return the articles that tell an article's story: those it is linked to, and those of its group.

    Each with what it is to that article and how surely; one that is linked through others only is a copy if copies
    alone lead to it, and as sure as the surest of its links.

    Args:
        article_id: The article.
        links: All that lead from it to others, and on from these.
    """
    direct = {id_ for link in links if article_id in (link.one, link.other) for id_ in (link.one, link.other)}
    group = next((group for group in groups(links) if article_id in group), frozenset())
    return _kin(article_id, group | direct, links)


def told(article: Article, related: Mapping[str, tuple[Kinship, float]], articles: Mapping[str, Article]) -> Story:
    """Return an article's story: copies first, then by day, those without a date last."""
    others = [Related(articles[id_], kind, score) for id_, (kind, score) in related.items() if id_ in articles]
    others.sort(key=lambda each: (each.kind != "copy", *_when(each.article)))
    return Story(article, tuple(others))


def all_told(links: Collection[Link], articles: Mapping[str, Article]) -> list[Story]:
    """Return the stories that links make, each under the earliest of its articles, the newest first."""
    links_of: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        links_of[link.one].append(link)
    stories = []
    for group in groups(links):
        members = sorted((articles[id_] for id_ in group if id_ in articles), key=_when)
        if len(members) > 1:
            within = [link for id_ in group for link in links_of[id_] if link.other in group]
            stories.append(told(members[0], _kin(members[0].id, group, within), articles))
    # Those without a date come last here too.
    return sorted(stories, key=lambda story: (-(story.article.published or date.min).toordinal(), story.article.id))


def _kin(article_id: str, members: Collection[str], links: Collection[Link]) -> dict[str, tuple[Kinship, float]]:
    copied = next(
        (group for group in groups([link for link in links if link.kind == "copy"]) if article_id in group), frozenset()
    )
    best: dict[str, float] = {}
    direct: dict[str, tuple[Kinship, float]] = {}
    for link in links:
        for id_, other in ((link.one, link.other), (link.other, link.one)):
            best[id_] = max(best.get(id_, 0.0), link.score)
            if other == article_id:
                direct[id_] = (link.kind, link.score)
    through: dict[str, tuple[Kinship, float]] = {
        id_: ("copy" if id_ in copied else "event", best.get(id_, 0.0)) for id_ in members
    }
    return {id_: direct.get(id_, kin) for id_, kin in through.items() if id_ != article_id}


def _when(article: Article) -> tuple[date, str]:
    return article.published or date.max, article.id
