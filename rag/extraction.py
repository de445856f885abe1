"""Evidence to an answer in the sources' own words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.figures import find_figures
from rag.leaning import leaned_on
from rag.schema import Answer, Citation, Consultation, Evidence, Hit, Statement
from rag.terms import content_terms, term_set
from rag.verification import is_negated

# A sentence is said when it is nearly as good as the best one: nearer if it has no words that answer where the best one
# has them, and no number to put against its. Chosen on the development halves of the gold set and its conversations.
KEEP = 0.2
KEEP_WORDLESS = 0.4
# Sentences that share this much of their words may say the same.
SAME = 0.6
# When a copy was printed does not change what it says, and numbers are compared as numbers.
_NEUTRAL = frozenset(
    content_terms(
        "lunes martes miércoles jueves viernes sábado domingo ayer anteayer hoy anoche pasado pasada madrugada mañana"
        " tarde monday tuesday wednesday thursday friday saturday sunday yesterday today last night morning"
        " mil millón millones thousand million"
    )
)


@dataclass(frozen=True, slots=True)
class _Group:
    """Sentences that say the same, the best first."""

    members: tuple[Evidence, ...]


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
    return replace(
        Answer.begun(consultation),
        text=written(statements),
        status="answered",
        statements=tuple(statements),
        citations=tuple(citation for statement in statements for citation in statement.citations),
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
    best = evidence[0]
    groups: list[_Group] = []
    for item in evidence:
        is_good = item.score >= best.score * _least(item, best)
        # What a copy's title or place makes of a sentence does not decide whether that outlet printed it.
        near = [index for index, group in enumerate(groups) if is_good or _is_copied(group.members[0].hit, item.hit)]
        twin = next((index for index in near if say_the_same(groups[index].members[0], item)), None)
        if twin is not None:
            groups[twin] = _joined(groups[twin], item)
        elif is_good and len(groups) < max_statements:
            groups.append(_Group(members=(item,)))
    return groups


def _least(item: Evidence, best: Evidence) -> float:
    """Return the share of the best sentence's score from which another one is said."""
    is_beside_it = best.spans and not item.spans
    gives_another_number = all(any(map(str.isdigit, each.sentence.text)) for each in (item, best))
    return KEEP_WORDLESS if is_beside_it and not gives_another_number else KEEP


def _is_copied(one: Hit, other: Hit) -> bool:
    return any(
        copy.passage.id == hit.passage.id for first, hit in ((one, other), (other, one)) for copy in first.copies
    )


def say_the_same(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences say the same: one of them may leave words out, but neither may put others in their place.

    A word, name, number or negation that stands against another one is a difference that a reader must see.
    """
    words, other_words = _words(one.sentence.text), _words(other.sentence.text)
    union = words | other_words
    if not union or len(words & other_words) / len(union) < SAME:
        return False
    if words - other_words and other_words - words:
        return False
    if is_negated(one.sentence.text) != is_negated(other.sentence.text):
        return False
    figures, other_figures = (
        find_figures(item.sentence.text, language=item.hit.passage.language) for item in (one, other)
    )
    fewer, more = sorted((figures, other_figures), key=len)
    return all(any(figure.matches(found) for found in more) for figure in fewer)


# Each sentence is compared with many.
@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    return frozenset(term for term in term_set(text) - _NEUTRAL if not term[0].isdigit())


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
        context_start=leaned_on(evidence.hit, evidence.sentence),
        spans=evidence.spans,
    )
