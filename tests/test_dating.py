"""The days of a quotation's own words, and where they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from rag import kept_times
from rag.articles import Articles, Prepared, open_articles
from rag.dates import find_times
from rag.dating import dated
from rag.schema import Answer, Article, Citation, Passage, Statement, citation_to_dict
from rag.tables import TIMES

TEXT = "Llovió en 2019.\nEl alcalde dimitió este miércoles. Volverá mañana, dijo en junio de 2023."
ARTICLE = Article(
    "a1", TEXT, outlet="El Faro", published=date(2024, 6, 19), language="es", places=("a.txt",), content_hash="h1"
)


def answer(article: Article, *quotes: str) -> Answer:
    passage = Passage("p1", article.id, 0, 0, len(article.text), article.text, "es", article.text)
    citations = tuple(
        Citation(number, article, article.text.index(quote), article.text.index(quote) + len(quote), passage, 0.5)
        for number, quote in enumerate(quotes, start=1)
    )
    statements = tuple(Statement(citation.quote, (citation,)) for citation in citations)
    return Answer("¿Qué?", "…", "answered", statements=statements, citations=citations)


def test_a_citation_tells_the_days_of_its_words_that_publication_gives() -> None:
    told = dated(answer(ARTICLE, "El alcalde dimitió este miércoles.", "Volverá mañana, dijo en junio de 2023."))
    assert [[TEXT[time.start : time.end] for time in citation.times] for citation in told.citations] == [
        ["este miércoles"],
        ["mañana"],
    ]
    assert [statement.citations for statement in told.statements] == [(citation,) for citation in told.citations]
    assert citation_to_dict(told.citations[1])["times"] == [
        {"words": "mañana", "start": 59, "end": 65, "since": "2024-06-20", "until": "2024-06-20"}
    ]


def test_without_a_day_of_publication_a_citation_tells_none() -> None:
    undated = replace(ARTICLE, published=None)
    assert dated(answer(undated, "El alcalde dimitió este miércoles.")).citations[0].times == ()


def test_an_answer_without_citations_stays_as_it_is() -> None:
    unknown = Answer("¿Qué?", "", "unknown")
    assert dated(unknown) == unknown


def test_times_are_kept_until_the_article_or_the_rules_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = open_articles(tmp_path)
    articles.put([Prepared(ARTICLE, (), place="a.txt", source_hash="s1")])
    times = find_times(TEXT, language="es", published=ARTICLE.published)
    assert kept_times.read(articles.database, ARTICLE) is None
    kept_times.write(articles.database, ARTICLE, times)
    assert kept_times.read(articles.database, ARTICLE) == times
    assert kept_times.read(articles.database, replace(ARTICLE, content_hash="h2")) is None
    monkeypatch.setattr(kept_times, "GRAMMAR_VERSION", "another")
    assert kept_times.read(articles.database, ARTICLE) is None
    articles.close()


def test_times_go_with_their_article_and_are_not_kept_for_one_that_changed(tmp_path: Path) -> None:
    articles = open_articles(tmp_path)
    articles.put([Prepared(ARTICLE, (), place="a.txt", source_hash="s1")])
    kept_times.write(articles.database, replace(ARTICLE, content_hash="older"), ())
    assert rows(articles) == 0
    kept_times.write(articles.database, ARTICLE, ())
    assert rows(articles) == 1
    articles.delete("a1")
    assert rows(articles) == 0
    articles.close()


def test_damaged_times_are_found_again(tmp_path: Path) -> None:
    articles = open_articles(tmp_path)
    articles.put([Prepared(ARTICLE, (), place="a.txt", source_hash="s1")])
    kept_times.write(articles.database, ARTICLE, ())
    with articles.database.transaction() as connection:
        connection.execute(sa.update(TIMES).values(spans='[["x"]]'))
    assert kept_times.read(articles.database, ARTICLE) is None
    articles.close()


def rows(articles: Articles) -> int:
    with articles.database.transaction() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(TIMES)) or 0
