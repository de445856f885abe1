"""Passages that do not answer a question and look as if they did."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from eval.reader_mining import Mined
from eval.reader_passages import Example, Paragraphs, cut
from eval.reader_sets import Question
from rag.terms import term_set

_NUMBER = re.compile(r"\d+")
# A word with a capital that does not begin a sentence.
_NAME = re.compile(r"(?<!^)(?<![.?!¿¡] )(?<![¿¡])\b[^\W\d_a-z][^\W\d_]{3,}\b")
# Ranks are drawn with this rate, so that the first five come up in four of five cases.
_RANK_RATE = 0.35
_OTHERS_TRIED = 40


@dataclass(frozen=True, slots=True)
class Draw:
    """A question with the passage that answers it, and what others are made from.

    `others` are the questions of the same set, `rng` decides all that is left open. `leaning` is a follow-up without
    the question before it, if it says less than it would by itself.
    """

    question: Question
    positive: Example
    paragraphs: Paragraphs
    mined: Mined
    others: Sequence[str]
    rng: random.Random
    leaning: str = ""

    def around(self, pid: str, sentence: int) -> Example:
        """Return the question over a passage around a sentence of a paragraph."""
        window = self.paragraphs.around(pid, sentence, sentence, rng=self.rng)
        return cut(self.question, self.paragraphs, pid, window, rng=self.rng)


def mined_passage(draw: Draw) -> Example | None:
    """Return a passage that ranks high for the question, the higher the likelier."""
    found = draw.mined.get((draw.question.source, draw.question.key), ())
    if not found:
        return None
    pid = found[min(int(draw.rng.expovariate(_RANK_RATE)), len(found) - 1)]
    return replace(draw.around(pid, draw.paragraphs.nearest(pid, draw.question.question)), kind="mined")


def near_miss(draw: Draw) -> Example | None:
    """Return a passage of the same paragraph, or else of the same article, that has no answer in it."""
    text = draw.paragraphs.texts[draw.question.pid]
    answers = {text.text[a:b].casefold() for a, b in draw.question.answers}
    article = draw.paragraphs.by_subject[f"{text.source} {text.subject}"]
    for pid in [text.pid, *draw.rng.sample(article, min(3, len(article)))]:
        count = len(draw.paragraphs.sentences(pid)[0])
        for at in draw.rng.sample(range(count), min(2, count)):
            made = draw.around(pid, at)
            if not any(answer in made.passage.casefold() for answer in answers):
                return replace(made, kind="near", answers=())
    return None


def without_answer(draw: Draw) -> Example | None:
    """Return the passage without the sentences that hold an answer."""
    whole = draw.positive
    kept = [(a, b) for a, b in whole.sentences if not any(a < end and b > start for start, end in whole.answers)]
    passage, spans = "", []
    for a, b in kept:
        passage += " " * bool(passage)
        spans.append((len(passage), len(passage) + b - a))
        passage += whole.passage[a:b]
    answers = {whole.passage[a:b].casefold() for a, b in whole.answers}
    if not kept or any(answer in passage.casefold() for answer in answers):
        return None
    return replace(whole, kind="cut", passage=passage, sentences=tuple(spans), answers=())


def other_question(draw: Draw) -> Example | None:
    """Return the passage for the question with another number or name in it, one that the passage does not have."""
    asked, passage = draw.question.question, draw.positive.passage
    pattern = _NUMBER if _NUMBER.search(asked) else _NAME
    found = list(pattern.finditer(asked))
    if not found:
        return None
    match = draw.rng.choice(found)
    for other in draw.rng.sample(draw.others, min(_OTHERS_TRIED, len(draw.others))):
        instead = pattern.search(other)
        if instead and instead.group() not in passage and instead.group() not in asked:
            if pattern is _NUMBER and len(instead.group()) != len(match.group()):
                continue
            swapped = asked[: match.start()] + instead.group() + asked[match.end() :]
            return replace(draw.positive, kind="swapped", question=swapped, answers=())
    return None


def other_subject(draw: Draw) -> Example | None:
    """Return the passage for the same follow-up after a question about something else; None unless it leans on one."""
    if not draw.leaning:
        return None
    words = term_set(draw.positive.passage)
    for other in draw.rng.sample(draw.others, min(_OTHERS_TRIED, len(draw.others))):
        if not term_set(other) & words:
            return replace(draw.positive, kind="swapped", question=f"{other} {draw.leaning}", answers=())
    return None
