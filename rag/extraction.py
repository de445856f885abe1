"""Evidence to an answer in the sources' own words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.schema import Answer, Citation, Consultation, Evidence, Statement
from rag.terms import numbers, term_set

# A sentence is said when it is nearly as good as the best one. Chosen on the development half of the gold set.
KEEP = 0.2
# Sentences that share this much of their words say the same.
SAME = 0.6


@dataclass(frozen=True, slots=True)
class _Group:
    """Sentences that say the same, the best first."""

    members: tuple[Evidence, ...]
    terms: frozenset[str]
    numbers: frozenset[str]


def extract(consultation: Consultation, *, max_statements: int) -> Answer:
    """Return an answer made of the articles' own sentences, the best first.

    Sentences that say the same become one statement that cites all of them, unless they give different numbers: then
    they stand side by side. `status` is "answered"; without evidence there is no statement.
    """
    statements: list[Statement] = []
    number = 0
    for group in _groups(consultation.evidence, max_statements=max_statements):
        citations = []
        for member in group.members:
            number += 1
            citations.append(_citation(member, number=number))
        best = group.members[0]
        statements.append(Statement(text=best.sentence.text, citations=tuple(citations), score=best.score))
    return Answer(
        question=consultation.ask.question,
        text=written(statements),
        status="answered",
        confidence=consultation.probability,
        language=consultation.language,
        statements=tuple(statements),
        citations=tuple(citation for statement in statements for citation in statement.citations),
        hits=consultation.hits,
        timings=consultation.timings,
        notices=consultation.notices,
    )


def written(statements: Sequence[Statement]) -> str:
    """Return statements as one text, a line each, with their `[n]` markers."""
    return "\n".join(
        statement.text + " " + "".join(f"[{citation.number}]" for citation in statement.citations)
        for statement in statements
    )


def _groups(evidence: Sequence[Evidence], *, max_statements: int) -> list[_Group]:
    if not evidence:
        return []
    floor = evidence[0].score * KEEP
    groups: list[_Group] = []
    for item in evidence:
        terms, figures = term_set(item.sentence.text), numbers(item.sentence.text)
        twin = next((index for index, group in enumerate(groups) if _same(group, terms, figures)), None)
        if twin is not None:
            groups[twin] = _joined(groups[twin], item)
        elif item.score >= floor and len(groups) < max_statements:
            groups.append(_Group(members=(item,), terms=terms, numbers=figures))
    return groups


def _same(group: _Group, terms: frozenset[str], figures: frozenset[str]) -> bool:
    # The shorter may leave a number out; a number of its own would be lost by merging.
    if not (figures <= group.numbers):
        return False
    union = group.terms | terms
    return bool(union) and len(group.terms & terms) / len(union) >= SAME


def _joined(group: _Group, item: Evidence) -> _Group:
    # The same article does not confirm itself.
    if any(member.hit.article.id == item.hit.article.id for member in group.members):
        return group
    return replace(group, members=(*group.members, item))


def _citation(evidence: Evidence, *, number: int) -> Citation:
    return Citation(
        number=number,
        article=evidence.hit.article,
        start=evidence.sentence.start,
        end=evidence.sentence.end,
        passage=evidence.hit.passage,
        score=evidence.score,
    )
