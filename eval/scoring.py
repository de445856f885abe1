"""What one answer is worth: every measure of one `Answer` against its question's gold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from eval.dataset import Gold, Question
from eval.metrics import (
    Score,
    Span,
    best_reference,
    contains,
    exact_match,
    ndcg_at,
    recall_at,
    reciprocal_rank_at,
    token_f1,
)
from rag.schema import Answer, Citation, Hit

CONTRADICTION = "contradiction"
NO_SUPPORT = "no support given"
SUPPORT_NOT_FOUND = "support not in the archive"
_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure's name in reports, its heading in narrow tables, and what it says in one sentence."""

    name: str
    heading: str
    meaning: str


MEASURES: tuple[Measure, ...] = (
    Measure("passed", "pass", "answered with every fact (each side of a contradiction), or rightly declined"),
    Measure("recall@5", "R@5", "share of the needed facts that one of the first 5 passages states"),
    Measure("mrr@10", "MRR@10", "1 / rank of the first supporting passage among 10"),
    Measure("ndcg@10", "nDCG@10", "how far up the supporting passages stand among 10, 1 being ideal"),
    Measure("exact_match", "EM", "the whole answer is an accepted answer; near 0 for quoted sentences"),
    Measure("f1", "F1", "words shared with the nearest accepted answer; low for quoted sentences"),
    Measure("sentence_hit", "hit", "a cited sentence contains an accepted answer of some fact"),
    Measure("nugget_hit", "facts", "share of the needed facts whose accepted answer stands in a cited sentence"),
    Measure("citation_validity", "valid", "share of citations whose number, place and words are right"),
    Measure("citation_precision", "point", "share of cited sentences that are supporting ones"),
    Measure("contradiction", "both", "each of the disagreeing facts is cited from another outlet"),
    Measure("wrong_refusal", "refused", "answerable, but declined (lower is better)"),
    Measure("right_refusal", "rightly", "unanswerable, and declined"),
)


def score_answer(question: Question, answer: Answer, *, gold: Gold, texts: Mapping[str, str]) -> dict[str, Score]:
    """Return every measure of one answer, by name, in the order of `MEASURES`.

    Args:
        question: What was asked.
        answer: What came back.
        gold: Where the question's support stands in the archive that answered.
        texts: The text of every article of that archive, by id, against which citations are checked.
    """
    hits = _hit_nuggets(question, answer.citations)
    scores = {
        **_score_passages(question, answer, gold),
        **_score_words(question, answer, gold),
        "sentence_hit": _if_answerable(question, float(any(hits))),
        "nugget_hit": _if_answerable(question, sum(map(bool, hits)) / len(hits) if hits else 0.0),
        "citation_validity": citation_validity(answer, texts=texts),
        "citation_precision": (
            citation_precision(answer.citations, gold.quotes) if question.answerable else Score(None, "unanswerable")
        ),
        "contradiction": _score_contradiction(question, hits),
        "wrong_refusal": _if_answerable(question, float(answer.status == "unknown")),
        "right_refusal": (
            Score(None, "answerable") if question.answerable else Score(float(answer.status == "unknown"))
        ),
    }
    scores["passed"] = Score(float(_passed(question, answer, scores)))
    return {measure.name: scores[measure.name] for measure in MEASURES}


def citation_validity(answer: Answer, *, texts: Mapping[str, str]) -> Score:
    """Share of the answer's citations that hold, 0 to 1; None when the answer cites nothing.

    A citation holds when its quote is what stands at its place in the archive's own text, the place is not empty and
    lies inside its passage, and its number is a marker of the answer's text that no other citation has. A marker that
    resolves to nothing counts as a citation that does not hold.
    """
    claims = len(answer.citations) + len(_markers(answer) - {citation.number for citation in answer.citations})
    if not claims:
        return Score(None, "nothing cited")
    return Score(sum(holding(answer, texts=texts)) / claims)


def holding(answer: Answer, *, texts: Mapping[str, str]) -> list[bool]:
    """Tell for each citation whether it holds, as `citation_validity` has it."""
    markers, numbers = _markers(answer), [citation.number for citation in answer.citations]
    return [
        citation.quote == texts.get(citation.article.id, "")[citation.start : citation.end]
        and citation.passage.article_id == citation.article.id
        and citation.passage.start <= citation.start < citation.end <= citation.passage.end
        and citation.number in markers
        and numbers.count(citation.number) == 1
        for citation in answer.citations
    ]


def _markers(answer: Answer) -> set[int]:
    return {int(marker) for marker in _MARKER.findall(answer.text)}


def citation_precision(citations: Sequence[Citation], quotes: Sequence[Span]) -> Score:
    """Share of the citations that overlap a supporting sentence, 0 to 1; None without support or citations."""
    if not quotes:
        return Score(None, NO_SUPPORT)
    if not citations:
        return Score(None, "nothing cited")
    return Score(
        sum(any(_span(citation).overlaps(quote) for quote in quotes) for citation in citations) / len(citations)
    )


def _score_passages(question: Question, answer: Answer, gold: Gold) -> dict[str, Score]:
    if not gold.quotes:
        reason = SUPPORT_NOT_FOUND if question.support else NO_SUPPORT
        reason = reason if question.answerable else "unanswerable"
        return dict.fromkeys(("recall@5", "mrr@10", "ndcg@10"), Score(None, reason))
    gold = seen_through_copies(gold, answer.hits)
    ranked = [_place(hit) for hit in answer.hits]
    return {
        "recall@5": Score(recall_at(ranked, gold.nuggets, k=5)),
        "mrr@10": Score(reciprocal_rank_at(ranked, gold.quotes, k=10)),
        "ndcg@10": Score(ndcg_at(ranked, gold.quotes, k=10)),
    }


def seen_through_copies(gold: Gold, hits: Sequence[Hit]) -> Gold:
    """Return where the support stands, as far as a hit stands for it: what only its copies hold counts as its own."""

    def stand_in(quote: Span) -> Span:
        if any(_place(hit).overlaps(quote) for hit in hits):
            return quote
        return next((_place(hit) for hit in hits if any(_place(copy).overlaps(quote) for copy in hit.copies)), quote)

    return replace(
        gold,
        quotes=tuple(dict.fromkeys(map(stand_in, gold.quotes))),
        nuggets=tuple(tuple(map(stand_in, quotes)) for quotes in gold.nuggets),
    )


def _place(hit: Hit) -> Span:
    return Span(hit.article.id, hit.passage.start, hit.passage.end)


def _score_words(question: Question, answer: Answer, gold: Gold) -> dict[str, Score]:
    if not question.answerable:
        return dict.fromkeys(("exact_match", "f1"), Score(None, "unanswerable"))
    if answer.status == "unknown":
        return dict.fromkeys(("exact_match", "f1"), Score(0.0))
    # MLQA normalises in the language of the answer, which is that of the articles it stands in.
    languages = gold.languages if len(gold.languages) == 1 else {question.language} - {"und"} or {answer.language}
    language = next(iter(languages))
    prediction = " ".join(statement.text for statement in answer.statements)
    reference = best_reference(prediction, question.answers, language=language)
    return {
        "exact_match": Score(exact_match(prediction, reference, language=language)),
        "f1": Score(token_f1(prediction, reference, language=language)),
    }


def _hit_nuggets(question: Question, citations: Iterable[Citation]) -> list[set[str]]:
    """For each nugget, the sources of the cited sentences that contain one of its accepted answers."""
    cited = list(citations)
    return [
        {
            citation.article.source
            for citation in cited
            if any(contains(citation.quote, answer, language=citation.article.language) for answer in accepted)
        }
        for accepted in question.answers
    ]


def _score_contradiction(question: Question, hits: Sequence[set[str]]) -> Score:
    if question.type != CONTRADICTION:
        return Score(None, "no contradiction")
    return Score(float(any(len(set(chosen)) == len(hits) for chosen in product(*hits))))


def _passed(question: Question, answer: Answer, scores: Mapping[str, Score]) -> bool:
    if not question.answerable:
        return answer.status == "unknown"
    return (
        answer.status == "answered"
        and scores["nugget_hit"].value == 1.0
        and scores["contradiction"].value in (None, 1.0)
    )


def _if_answerable(question: Question, value: float) -> Score:
    return Score(value) if question.answerable else Score(None, "unanswerable")


def _span(citation: Citation) -> Span:
    return Span(citation.article.id, citation.start, citation.end)
