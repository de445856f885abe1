from __future__ import annotations

from rag.extraction import extract
from rag.schema import Answer, Article, Ask, Consultation, Evidence, Hit, Passage, Sentence


def evidence(article_id: str, text: str, score: float) -> Evidence:
    """A sentence that is its article's only one, after three other characters."""
    body = "¡😀\n" + text
    article = Article(id=article_id, text=body, language="es")
    sentence = Sentence(start=3, end=len(body), text=text)
    passage = Passage(f"{article_id}-0", article_id, 0, 3, len(body), text, "es", text, (sentence,))
    return Evidence(hit=Hit(passage=passage, article=article, score=1.0, cosine=0.9), sentence=sentence, score=score)


def answer_to(*items: Evidence, max_statements: int = 5) -> Answer:
    consultation = Consultation(ask=Ask("¿?"), question="¿?", language="es", evidence=tuple(items), probability=0.9)
    return extract(consultation, max_statements=max_statements)


def test_a_quote_is_the_slice_of_the_article() -> None:
    answer = answer_to(evidence("a", "El puerto abrió el lunes.", 0.9))
    [citation] = answer.statements[0].citations
    assert citation.quote == "El puerto abrió el lunes." == citation.article.text[citation.start : citation.end]
    assert answer.text == "El puerto abrió el lunes. [1]"


def test_copies_become_one_statement_with_all_sources() -> None:
    answer = answer_to(
        evidence("a", "El museo perdió tres cuadros en marzo.", 0.9),
        evidence("b", "En marzo el museo perdió tres cuadros.", 0.5),
        evidence("c", "El museo perdió tres cuadros en marzo.", 0.4),
    )
    [statement] = answer.statements
    assert [citation.article.id for citation in statement.citations] == ["a", "b", "c"]
    assert answer.text.endswith(" [1][2][3]")


def test_sentences_with_other_numbers_stand_side_by_side() -> None:
    answer = answer_to(
        evidence("a", "El choque en el puerto dejó 12 heridos.", 0.9),
        evidence("b", "El choque en el puerto dejó 21 heridos.", 0.85),
    )
    assert [statement.text for statement in answer.statements] == [
        "El choque en el puerto dejó 12 heridos.",
        "El choque en el puerto dejó 21 heridos.",
    ]


def test_an_article_does_not_confirm_itself() -> None:
    answer = answer_to(evidence("a", "Llovió mucho ayer.", 0.9), evidence("a", "Ayer llovió mucho.", 0.9))
    assert len(answer.citations) == 1


def test_weak_evidence_is_not_said() -> None:
    answer = answer_to(evidence("a", "El puerto abrió.", 0.9), evidence("b", "Hubo viento en la sierra.", 0.1))
    assert [statement.text for statement in answer.statements] == ["El puerto abrió."]


def test_statements_are_limited() -> None:
    answer = answer_to(evidence("a", "El puerto abrió.", 0.9), evidence("b", "Cerró la aduana.", 0.9), max_statements=1)
    assert len(answer.statements) == 1


def test_no_evidence_gives_no_statement() -> None:
    assert answer_to().statements == ()
