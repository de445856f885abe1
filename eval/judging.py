"""One answer looked at part by part, and in words why it counts as right or wrong: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eval.dataset import Gold, Question
from eval.metrics import Score, Span, contains
from eval.scoring import CONTRADICTION, holding, seen_through_copies
from rag.schema import Answer, Article, Evidence, Hit

Relevance = Literal["supports", "mentions", ""]
"""Holds a supporting sentence; or only the words of an accepted answer; or neither."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What became of one fact that the answer needs.

    `rank` is that of the first passage found that states it, from 1, None if none does; `cited` are the numbers of the
    citations whose sentence contains an accepted wording, `outlets` where those sentences stand.
    """

    accepted: tuple[str, ...]
    rank: int | None
    cited: tuple[int, ...]
    outlets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The parts of an answer against the question's gold: one entry a hit, candidate sentence, citation and fact.

    `support` is where the supporting sentences stand; `holds` tells for each citation whether its number, place and
    words are right; `why` is the verdict in sentences, the deciding one first.
    """

    facts: tuple[Fact, ...] = ()
    hits: tuple[Relevance, ...] = ()
    candidates: tuple[Relevance, ...] = ()
    citations: tuple[Relevance, ...] = ()
    support: tuple[Span, ...] = ()
    holds: tuple[bool, ...] = ()
    why: tuple[str, ...] = ()


def judge(
    question: Question,
    answer: Answer,
    *,
    gold: Gold,
    texts: Mapping[str, str],
    scores: Mapping[str, Score],
    candidates: Sequence[Evidence] = (),
) -> Judgement:
    """Return what each part of an answer is worth.

    Args:
        question: What was asked.
        answer: What came back.
        gold: Where the question's support stands in the archive that answered.
        texts: The text of every article of that archive, by id.
        scores: The answer's measures, by name.
        candidates: The sentences that the answer was chosen from, best first.
    """
    shown = seen_through_copies(gold, answer.hits)

    def relevance(article: Article, start: int, end: int, *, quotes: Sequence[Span] = gold.quotes) -> Relevance:
        place = Span(article.id, start, end)
        if any(place.overlaps(quote) for quote in quotes):
            return "supports"
        words = article.text[start:end]
        mentioned = any(_contains_any(words, accepted, language=article.language) for accepted in question.answers)
        return "mentions" if mentioned else ""

    judged = Judgement(
        facts=tuple(
            _fact(accepted, shown.nuggets[number] if shown.nuggets else (), answer=answer)
            for number, accepted in enumerate(question.answers)
        ),
        hits=tuple(
            relevance(hit.article, hit.passage.start, hit.passage.end, quotes=shown.quotes) for hit in answer.hits
        ),
        candidates=tuple(relevance(item.hit.article, item.sentence.start, item.sentence.end) for item in candidates),
        citations=tuple(relevance(citation.article, citation.start, citation.end) for citation in answer.citations),
        support=gold.quotes,
        holds=tuple(holding(answer, texts=texts)),
    )
    return replace(judged, why=tuple(_why(question, answer, judged, scores=scores, gold=gold)))


def _fact(accepted: tuple[str, ...], quotes: Sequence[Span], *, answer: Answer) -> Fact:
    def states(hit: Hit) -> bool:
        # Without support, all that can be seen from outside is whether the words are there.
        if not quotes:
            return _contains_any(hit.passage.text, accepted, language=hit.article.language)
        return any(Span(hit.article.id, hit.passage.start, hit.passage.end).overlaps(quote) for quote in quotes)

    cited = [
        citation
        for citation in answer.citations
        if _contains_any(citation.quote, accepted, language=citation.article.language)
    ]
    return Fact(
        accepted=accepted,
        rank=next((rank for rank, hit in enumerate(answer.hits, start=1) if states(hit)), None),
        cited=tuple(citation.number for citation in cited),
        outlets=tuple(dict.fromkeys(citation.article.source for citation in cited)),
    )


def _contains_any(text: str, accepted: Sequence[str], *, language: str) -> bool:
    return any(contains(text, answer, language=language) for answer in accepted)


def _why(
    question: Question, answer: Answer, judged: Judgement, *, scores: Mapping[str, Score], gold: Gold
) -> list[str]:
    if not question.answerable:
        return [_why_unanswerable(answer)]
    right = scores["passed"].value == 1.0
    told = [_verdict(question, answer, judged, right=right)]
    for fact in judged.facts:
        if answer.status != "answered" or not fact.cited:
            told.append(_what_was_lost(fact, answer, by_support=bool(gold.nuggets)))
    beside = sum(relevance != "supports" for relevance in judged.citations)
    if beside and gold.quotes:
        told.append(
            f"{beside} of {len(judged.citations)} cited sentences are not among the supporting ones; that lowers "
            "citation precision and is not counted against the answer."
        )
    broken = sum(not holds for holds in judged.holds)
    if broken:
        told.append(f"{broken} of {len(judged.holds)} citations do not hold: number, place or words are wrong.")
    if question.support and not gold.quotes:
        told.append("The supporting sentences are not in this archive, so the passages could not be judged by them.")
    return told


def _why_unanswerable(answer: Answer) -> str:
    sure = f"(probability that the archive answers: {answer.confidence:.2f})"
    if answer.status == "unknown":
        return f"Right: nothing in the archive answers it, and it was declined {sure}."
    return f"Wrong: nothing in the archive answers it, but it was answered {sure}."


def _verdict(question: Question, answer: Answer, judged: Judgement, *, right: bool) -> str:
    if answer.status != "answered":
        return (
            "Wrong: the archive knows the answer, but it was declined "
            f"(probability that the archive answers: {answer.confidence:.2f})."
        )
    found = [fact for fact in judged.facts if fact.cited]
    missing = [fact for fact in judged.facts if not fact.cited]
    shown = "; ".join(f"«{fact.accepted[0]}» in {_markers(fact.cited)}" for fact in found)
    if right:
        every = "the fact stands" if len(judged.facts) == 1 else f"each of the {len(judged.facts)} facts stands"
        sides = ", the sides from different outlets" if question.type == CONTRADICTION else ""
        return f"Right: {every} in a cited sentence{sides}: {shown}."
    if missing:
        count = "the fact" if len(judged.facts) == 1 else f"{len(missing)} of {len(judged.facts)} facts"
        words = ", ".join(f"«{fact.accepted[0]}»" for fact in missing)
        return f"Wrong: no cited sentence contains {count}: {words}." + (f" Found: {shown}." if found else "")
    outlets = ", ".join(dict.fromkeys(outlet for fact in found for outlet in fact.outlets))
    return f"Wrong: the outlets disagree, and both sides are cited from the same one ({outlets}): {shown}."


def _what_was_lost(fact: Fact, answer: Answer, *, by_support: bool) -> str:
    words = f"«{fact.accepted[0]}»"
    if fact.rank is None:
        how = "holds a sentence that supports it" if by_support else "contains it"
        return f"{words} was lost in retrieval: none of the {len(answer.hits)} passages found {how}."
    how = "supports it" if by_support else "contains it"
    lost = "in deciding to decline" if answer.status != "answered" else "in choosing sentences"
    return f"{words} was lost {lost}: the passage at rank {fact.rank} {how}."


def _markers(numbers: Sequence[int]) -> str:
    return "".join(f"[{number}]" for number in numbers)
