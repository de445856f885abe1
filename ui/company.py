"""Who else printed the same words, or told the same event: lines below a quotation or a passage (pure, unescaped)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rag.schema import Answer, Article, Citation, Hit, Story
from ui.texts import Texts, date_text


def hit_company(hit: Hit, texts: Texts) -> list[str]:
    """Return a line on the copies that a hit stands for and one on its event, as far as there are any."""
    return _lines([copy.article for copy in hit.copies], hit.events, texts)


def citations_company(citations: Sequence[Citation], answer: Answer, texts: Texts) -> list[str]:
    """Return the same for the passage that citations of one article are of, without what the answer cites itself."""
    cited = {citation.article.id for citation in answer.citations}
    passages = {citation.passage.id for citation in citations}
    printed: dict[str, Article] = {}
    told: dict[str, Article] = {}
    for hit in answer.hits:
        together = (hit, *hit.copies)
        if passages.isdisjoint(each.passage.id for each in together):
            continue
        printed |= {each.article.id: each.article for each in together if each.article.id not in cited}
        told |= {article.id: article for article in hit.events if article.id not in cited}
    return _lines(printed.values(), told.values(), texts)


def story_lines(story: Story, texts: Texts) -> list[str]:
    """Return a line for each of the other articles of a story, with what it is and its id."""
    named = {"copy": texts.same_text, "event": texts.same_event}
    return [
        f"{named[related.kind]}: {_named(related.article, texts)}"
        + (f" — {related.article.title}" if related.article.title else "")
        + f" ({related.article.id})"
        for related in story.others
    ]


def _lines(printed: Iterable[Article], told: Iterable[Article], texts: Texts) -> list[str]:
    parts = ((texts.also_printed, list(printed)), (texts.also_told, list(told)))
    return [words.format(outlets=_listed(articles, texts)) for words, articles in parts if articles]


def _listed(articles: Collection[Article], texts: Texts) -> str:
    return "; ".join(dict.fromkeys(_named(article, texts) for article in articles))


def _named(article: Article, texts: Texts) -> str:
    return f"{article.source}, {date_text(article.published, texts)}"
