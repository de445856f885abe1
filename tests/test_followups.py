"""What a follow-up may lean on, whether it does, and what it does not want to hear again."""

import pytest

from rag.followups import Lean, contexts, is_bare, only_goes_on, stands_alone, unsaid
from rag.interfaces import Reading
from rag.schema import Article, Evidence, Hit, Passage, Sentence, Turn

HISTORY = (
    Turn("¿CÓMO ESTABA EL EMBALSE?", "Al 18 % de su capacidad. [1]"),
    Turn("¿Quién lo dijo?", "El alcalde, Juan Peña. [1] [2]"),
)


@pytest.mark.parametrize(
    "question", ["¿Y después?", "¿Y al año siguiente?", "¿Por qué?", "And then?", "What happened next?", "Et après ?"]
)
def test_a_question_that_only_moves_on_is_bare(question: str) -> None:
    assert is_bare(question)
    assert not stands_alone(question)


@pytest.mark.parametrize("question", ["¿Y en Italia?", "¿Quién ganó la liga?", "¿Cuánto cuesta?"])
def test_a_question_with_a_word_of_its_own_is_not_bare(question: str) -> None:
    assert not is_bare(question)


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("¿Quién ganó la liga?", True),
        ("¿Qué dijo el alcalde de Ribanova?", True),
        ("Who won the league?", True),
        ("¿y cuántos palcos?", False),
        ("¿Y quién ganó la liga?", False),
        ("¿Qué dijo él del robo del museo?", False),
        ("How long had he held the post?", False),
        ("¿Cuándo dimitió?", False),
        ("?", False),
    ],
)
def test_a_sign_of_going_on_is_a_conjunction_a_pronoun_or_too_few_words(question: str, alone: bool) -> None:
    assert stands_alone(question) is alone


@pytest.mark.parametrize(
    ("question", "only"),
    [
        ("¿Y después?", True),
        ("y cuánto costó", True),
        ("¿Y al final hasta cuándo duraron?", True),
        ("¿cuánto costó?", False),
        ("¿Y cuánto costó el puente?", False),
    ],
)
def test_a_question_only_goes_on_with_a_sign_of_it_and_one_word_at_most(question: str, only: bool) -> None:
    assert only_goes_on(question) is only


def test_a_follow_up_reaches_two_questions_back() -> None:
    earlier = (Turn("¿Otra cosa?", "No."), *HISTORY)
    assert contexts(earlier, question="¿Cuánto cuesta?") == [
        Lean("¿Quién lo dijo?", "¿Quién lo dijo?"),
        Lean("¿cómo estaba el embalse?", "¿cómo estaba el embalse?"),
    ]
    assert contexts((), question="¿Cuánto cuesta?") == []


def test_a_bare_one_goes_on_from_the_last_that_names_something_and_is_searched_with_the_last_answer() -> None:
    earlier = (Turn("¿Qué dijo el alcalde?", "Nada."), HISTORY[0], Turn("¿Y al año siguiente?", "Al 11 %. [1]"))
    assert contexts(earlier, question="¿Y después?") == [
        Lean("¿cómo estaba el embalse?", "¿cómo estaba el embalse?"),
        Lean("¿cómo estaba el embalse?", "¿cómo estaba el embalse? Al 11 %."),
    ]
    assert contexts([Turn("¿Y ahora?", "No.")], question="¿Y después?")[0] == Lean("¿Y ahora?", "¿Y ahora?")


def test_what_was_said_comes_last() -> None:
    texts = ("El embalse estaba al 18 % de su capacidad.", "Un año después estaba al 11 %.")
    article = Article("a", " ".join(texts))
    first = Sentence(0, len(texts[0]), texts[0])
    second = Sentence(len(texts[0]) + 1, len(article.text), texts[1])
    passage = Passage("p", "a", 0, 0, len(article.text), article.text, "es", article.text, (first, second))
    hit = Hit(passage, article, 1.0, 0.9, 1.0)
    said, new = (Evidence(hit, sentence, score, 0.9) for sentence, score in ((first, 0.9), (second, 0.4)))
    reading = unsaid(Reading((said, new), 0.8), HISTORY)
    assert [(item.sentence.text, item.score) for item in reading.evidence] == [(texts[1], 0.4), (texts[0], 0.0)]
    assert reading.probability == 0.8
