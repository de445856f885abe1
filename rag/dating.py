"""The days that a quotation means by its own words, for a reader who does not see when it was printed. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from rag.dates import find_times
from rag.schema import Answer, Citation, TimeExpression

# Farther than that no verb tells a tense.
_REACH = 300


def dated(answer: Answer) -> Answer:
    """Return the answer with the days of what its citations say relative to their publication ("este miércoles")."""
    citations = {(citation.number, citation.start): _dated(citation) for citation in answer.citations}
    statements = tuple(
        replace(
            statement,
            citations=tuple(citations.get((each.number, each.start)) or _dated(each) for each in statement.citations),
        )
        for statement in answer.statements
    )
    return replace(answer, citations=tuple(citations.values()), statements=statements)


def _dated(citation: Citation) -> Citation:
    return replace(citation, times=relative_times(citation))


def relative_times(citation: Citation) -> tuple[TimeExpression, ...]:
    """Return the expressions within a quotation that the day of publication gives a date, with their days."""
    article = citation.article
    if article.published is None:
        return ()
    find = partial(find_times, language=article.language, published=article.published)
    # Most quotations name no time, and what is around them takes longer to read.
    if not any(time.relative for time in find(citation.quote)):
        return ()
    # Of the article only what a sentence can reach: it may be a long one.
    start = max(0, citation.start - _REACH, article.text.rfind("\n", 0, citation.start) + 1)
    line_end = article.text.find("\n", citation.end)
    end = min(citation.end + _REACH, len(article.text) if line_end < 0 else line_end)
    times = find(article.text[start:end])
    moved = (replace(time, start=time.start + start, end=time.end + start) for time in times)
    return tuple(
        time
        for time in moved
        if time.relative and time.is_resolved and citation.start <= time.start and time.end <= citation.end
    )
