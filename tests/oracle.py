"""A double of an archive: two articles, whatever answer a test gives it; and questions about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from eval.dataset import Question, Support
from eval.runner import Record, run
from rag.schema import Answer, Article, Citation, Hit, Passage, Statement, Turn

FARO = Article(id="f", text="Hubo 12 heridos. Llovió toda la noche.", outlet="El Faro", given_id="p-02", language="es")
RADIO = Article(id="r", text="La alcaldesa calló. Hubo 21 heridos.", outlet="Radio", given_id="p-03", language="es")
CONFLICT = Question(
    qid="c1",
    question="¿Cuántos heridos hubo?",
    answers=(("12 heridos",), ("21 heridos",)),
    type="contradiction",
    split="test",
    language="es",
    support=(Support("p-02", "Hubo 12 heridos."), Support("p-03", "Hubo 21 heridos.")),
)
SINGLE = replace(CONFLICT, qid="s1", answers=(("12",),), type="single", support=CONFLICT.support[:1])
UNKNOWABLE = Question(qid="n1", question="¿Quién ganó?", answerable=False, type="unanswerable-near", split="test")


def passage(article: Article) -> Passage:
    end = len(article.text)
    return Passage(
        id=f"{article.id}:0",
        article_id=article.id,
        ordinal=0,
        start=0,
        end=end,
        text=article.text,
        language="es",
        embedded_text=article.text,
    )


def cite(article: Article, quote: str, *, number: int) -> Citation:
    start = article.text.index(quote)
    return Citation(
        number=number, article=article, start=start, end=start + len(quote), passage=passage(article), score=1.0
    )


def answered(*citations: Citation, hits: Sequence[Article] = (FARO, RADIO)) -> Answer:
    statements = tuple(Statement(text=citation.quote, citations=(citation,)) for citation in citations)
    return Answer(
        question="q",
        text=" ".join(f"{citation.quote} [{citation.number}]" for citation in citations),
        status="answered",
        statements=statements,
        citations=citations,
        hits=tuple(Hit(passage=passage(article), article=article, score=1.0, cosine=0.9) for article in hits),
    )


DECLINED = Answer(question="q", text="", status="unknown", reason="El archivo no lo sabe.")
BOTH = answered(cite(FARO, "Hubo 12 heridos.", number=1), cite(RADIO, "Hubo 21 heridos.", number=2))


class Oracle:
    """An archive of two articles that always gives the same answer, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, tuple[Turn | tuple[str, str], ...], date | None, date | None, tuple[str, ...]]] = []

    def articles(self) -> list[Article]:
        return [FARO, RADIO]

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn | tuple[str, str]] = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
    ) -> Answer:
        self.asked.append((question, tuple(history), since, until, tuple(outlets)))
        return self.answer


def record(question: Question, answer: Answer) -> Record:
    return run(Oracle(answer), [question]).records[0]
