"""What a question in a conversation may lean on: the questions before it, and the answer it was given. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag.interfaces import Reading
from rag.schema import Turn
from rag.spelling import in_small_letters
from rag.terms import content_terms, coverage, term_set

# How many questions back a follow-up may reach, and how much of an answer is searched with it.
_REACH: Final = 2
_ANSWER_WORDS: Final = 30
_MARKS: Final = re.compile(r"\s*\[\d+\]")
# Stems of words that move a question in time, and name no subject: "¿Y después?", "¿Y al año siguiente?", "What next?".
MOVES: Final = frozenset(
    content_terms(
        "después luego antes ahora entonces hoy ayer mañana año años mes semana día días siguiente siguientes próximo"
        " anterior pasado pasó ocurrió sucedió hubo más tarde posteriormente finalmente final acabó terminó"
        " next then after afterwards before later now today year month week day following previous happened else more"
        " depois antes agora ano seguinte ensuite après avant maintenant année suivante passé danach dann jetzt jahr"
    )
)
# A question that goes on begins with these, or has one of those in it.
_GO_ON: Final = re.compile(r"\W*(y|e|pero|o|and|but|or|so|et|mais|ou|und|aber|oder|mas)\b")
_POINT_BACK: Final = re.compile(
    r"\b(él|ella|ellos|ellas|ello|eso|esto|ese|esa|este|esta|aquel|aquella|lo|le|les|sus?|allí|ahí|suyo|suya"
    r"|it|he|she|they|him|them|his|her|its|their|this|that|there"
    r"|ele|ela|eles|elas|isso|seu|sua|il|elle|ils|elles|lui|leur|cela|er|sie|ihn|ihr|sein|seine)\b"
)
_FEWEST_OF_ITS_OWN: Final = 2
# A sentence has been said if it has this share of an answer's words and numbers, or the answer of the sentence's.
_SAID: Final = 0.65


@dataclass(frozen=True, slots=True)
class Lean:
    """What a follow-up may go on from: an earlier question, and the text that is searched together with the new one."""

    asked: str
    found_by: str


def contexts(history: Sequence[Turn], *, question: str) -> list[Lean]:
    """Return what a follow-up may go on from: the two questions before it, the last one first; none without a history.

    One that says nothing by itself goes on from the last question that does, and is also searched with the last answer.
    """
    asked = [in_small_letters(turn.question) for turn in reversed(history)]
    if not asked or not is_bare(question):
        return [Lean(each, each) for each in dict.fromkeys(asked[:_REACH])]
    subject = next((each for each in asked if not is_bare(each)), asked[0])
    answer = " ".join(_MARKS.sub("", history[-1].answer).split()[:_ANSWER_WORDS])
    return [Lean(subject, subject), Lean(subject, f"{subject} {answer}")]


def is_bare(question: str) -> bool:
    """Whether a question names no subject of its own, at most another time: only what came before says what it asks."""
    return not _own(question)


def only_goes_on(question: str) -> bool:
    """Whether what a question asks about is in what came before: it is bare, or goes on with one word of its own."""
    own = len(_own(question))
    return not own or (own < _FEWEST_OF_ITS_OWN and goes_on(question))


def stands_alone(question: str) -> bool:
    """Whether a question in a conversation gives no sign of going on with what came before."""
    return len(_own(question)) >= _FEWEST_OF_ITS_OWN and not goes_on(question)


def goes_on(question: str) -> bool:
    """Whether a question begins with "and" or points back: "¿Y en marzo?", "sobre eso"."""
    small = question.lower()
    return bool(_GO_ON.match(small) or _POINT_BACK.search(small))


def _own(question: str) -> frozenset[str]:
    """Return the stems of the words that say what a question is about."""
    return term_set(question) - MOVES


def unsaid(reading: Reading, history: Sequence[Turn]) -> Reading:
    """Return a reading without the sentences that earlier answers have given: what comes after them is asked for."""
    told = [content_terms(turn.answer) for turn in history]
    return reading.with_only(lambda item: not _is_among(item.sentence.text, told))


def _is_among(sentence: str, told: Sequence[list[str]]) -> bool:
    """Whether an answer says what a sentence says, in other words or among other sentences."""
    words = content_terms(sentence)
    return any(max(coverage(answer, frozenset(words)), coverage(words, frozenset(answer))) >= _SAID for answer in told)
