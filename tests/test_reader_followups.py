"""Follow-ups for training, made of two whole questions."""

import random

import pytest

from eval.reader_data import examples
from eval.reader_followups import followed, leaning, shared
from eval.reader_mining import mined
from eval.reader_sets import Question, Sets, Text

BEFORE = "¿Quién construyó la Torre de Hércules?"
QUESTION = "¿En qué siglo se construyó la Torre de Hércules?"
RIVERS = {"Ebro": "930", "Tajo": "1007", "Duero": "897", "Miño": "315", "Segura": "325", "Júcar": "498", "Turia": "280"}


def _ways(before: str, question: str, *, language: str = "es") -> set[str]:
    return {leaning(before, question, language=language, rng=random.Random(seed)) for seed in range(200)}


def test_what_both_questions_name_is_the_longest_run_of_words_with_content() -> None:
    found = shared(BEFORE, QUESTION)
    assert found is not None
    assert QUESTION[slice(*found)] == "Torre de Hércules"
    assert shared(BEFORE, "¿Cuánto mide el faro de Alejandría?") is None


@pytest.mark.parametrize("follow_up", [
    "¿En qué siglo se construyó?", "¿Y en qué siglo se construyó?", "¿En qué siglo se construyó ella?", QUESTION,
])  # fmt: skip
def test_a_name_is_left_out_or_a_word_put_for_it_or_it_stays(follow_up: str) -> None:
    assert follow_up in _ways(BEFORE, QUESTION)


def test_whose_something_is_becomes_his() -> None:
    ways = _ways("¿Dónde nació Clara Campoamor?", "¿Cuál fue la profesión de Clara Campoamor?")
    assert {"¿Cuál fue su profesión?", "¿Y cuál fue la profesión?"} <= ways
    assert "What was his profession?" in _ways(
        "Where was Clara born?", "What was the profession of Clara?", language="en"
    )


def test_a_name_beside_another_one_stays_and_so_does_a_question_in_a_language_of_which_nothing_is_known() -> None:
    assert _ways("¿Quién fue Ortega?", "¿Cuándo discutieron Ortega y Gasset?") <= {
        "¿Cuándo discutieron Ortega y Gasset?", "¿Y cuándo discutieron Ortega y Gasset?",
    }  # fmt: skip
    assert _ways("Где родился Пушкин?", "Когда родился Пушкин?", language="ru") == {"Когда родился Пушкин?"}


def test_only_what_says_less_than_it_did_leans() -> None:
    for seed in range(50):
        made = followed([BEFORE], QUESTION, language="es", rng=random.Random(seed))
        assert made.text == f"{BEFORE} {made.now}"
        assert made.leans == ("Hércules" not in made.now)


def _rivers() -> Sets:
    """Rivers with their length and the sea they flow into: two questions on each paragraph."""
    texts, questions = {}, []
    for at, (river, length) in enumerate(RIVERS.items()):
        text = f"El {river} nace en la sierra. El {river} mide {length} kilómetros. Luego llega al mar."
        texts[f"p{at}"] = Text(f"p{at}", "squad_es_dist", "es", river, text, subject=f"s{at}")
        for key, asked, words in (("a", "Cuánto mide", length), ("b", "Dónde nace", "en la sierra")):
            start = text.index(words)
            span = ((start, start + len(words)),)
            questions.append(Question(f"{key}{at}", "squad_es_dist", "es", f"¿{asked} el {river}?", f"p{at}", span))
    return Sets(texts, tuple(questions))


def test_examples_in_a_conversation_are_answered_by_the_same_words_and_not_after_another_subject() -> None:
    sets = _rivers()

    def made(following: float) -> list[str]:
        count = lambda texts: [len(text.split()) for text in texts]  # noqa: E731
        kept = mined(sets, most=3)
        seen = []
        for seed in range(12):
            for one in examples(sets, kept, side="train", seed=seed, count=count, following=following):
                given = [one.passage[a:b] for a, b in one.answers]
                if one.kind == "given":
                    wanted = "en la sierra" if one.key.startswith("b") else RIVERS[one.title or _river(one.passage)]
                    assert given == [wanted]
                else:
                    assert given == []
                if one.kind == "swapped" and following:
                    # The river before is not the passage's, and the one of the passage is not named.
                    assert _river(one.passage) not in one.question
                seen.append(one.question)
        return seen

    assert max(question.count("¿") for question in made(0.0)) == 1
    assert max(question.count("¿") for question in made(1.0)) == 2


def _river(passage: str) -> str:
    return next(river for river in RIVERS if river in passage)
