"""Paragraphs cut into passages of whole sentences, as an archive cuts its articles, in many lengths."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from eval.reader_sets import Question, Text
from rag.sentences import split_sentences

FEWEST_TOKENS, MOST_TOKENS = 60, 168


@dataclass(frozen=True, slots=True)
class Example:
    """A question over a passage: `answers` and `sentences` are spans of it in code points, no answer if it has none.

    `kind` says how it was made: "given" by a set, or which kind of passage that does not answer. `key` is the
    question's; translations share it, and `subject`, with it.
    """

    key: str
    kind: str
    source: str
    question_language: str
    language: str
    question: str
    title: str
    passage: str
    sentences: tuple[tuple[int, int], ...]
    answers: tuple[tuple[int, int], ...]
    subject: str


CountTokens = Callable[[Sequence[str]], Sequence[int]]


class Paragraphs:
    """Paragraphs cut into sentences, each with its length in tokens; made when asked for.

    Args:
        texts: By id.
        count: Lengths of texts in tokens.
        longest: Tokens of a passage at most.
    """

    def __init__(self, texts: Mapping[str, Text], count: CountTokens, *, longest: int = MOST_TOKENS) -> None:
        self.texts = texts
        self.longest = longest
        self._count = count
        self._made: dict[str, tuple[list[tuple[int, int]], list[int]]] = {}

    @cached_property
    def by_subject(self) -> Mapping[str, Sequence[str]]:
        """Ids of the paragraphs of each subject."""
        found: dict[str, list[str]] = defaultdict(list)
        for text in self.texts.values():
            found[f"{text.source} {text.subject}"].append(text.pid)
        return found

    def sentences(self, pid: str) -> tuple[list[tuple[int, int]], list[int]]:
        """Return the spans of the sentences and how many tokens each has."""
        if pid not in self._made:
            text = self.texts[pid]
            spans = [(one.start, one.end) for one in split_sentences(text.text, language=text.language)]
            self._made[pid] = (spans, list(self._count([text.text[a:b] for a, b in spans])))
        return self._made[pid]

    def around(self, pid: str, first: int, last: int, *, rng: random.Random) -> tuple[int, int]:
        """Return the first and last sentence of a passage that has these and as many neighbours as its length allows.

        The length is drawn, and so is the side on which it grows.
        """
        counts = self.sentences(pid)[1]
        room = rng.randint(FEWEST_TOKENS, self.longest) - sum(counts[first : last + 1])
        while True:
            sides = [at for at in (first - 1, last + 1) if 0 <= at < len(counts) and counts[at] <= room]
            if not sides:
                return first, last
            at = rng.choice(sides)
            room -= counts[at]
            first, last = min(first, at), max(last, at)

    def nearest(self, pid: str, question: str) -> int:
        """Return the sentence that shares most words with a question, by their first four letters."""
        text, spans = self.texts[pid].text, self.sentences(pid)[0]
        wanted = _stems(question)
        return max(range(len(spans)), key=lambda at: len(wanted & _stems(text[slice(*spans[at])])))


def _stems(text: str) -> set[str]:
    return {word[:4] for word in re.findall(r"\w{3,}", text.casefold())}


def cut(question: Question, paragraphs: Paragraphs, pid: str, window: tuple[int, int], rng: random.Random) -> Example:
    """Return the question over the passage from one sentence to another of a paragraph, with the answers inside."""
    text = paragraphs.texts[pid]
    inside = paragraphs.sentences(pid)[0][window[0] : window[1] + 1]
    start, end = inside[0][0], inside[-1][1]
    answers = question.answers if pid == question.pid else ()
    title = text.title.replace("_", " ").strip() if rng.random() < 0.5 and text.source != "qamr_en" else ""
    return Example(
        key=question.key,
        kind="",
        source=question.source,
        question_language=question.language,
        language=text.language,
        question=question.question,
        title=title,
        passage=text.text[start:end],
        sentences=tuple((a - start, b - start) for a, b in inside),
        answers=tuple((a - start, b - start) for a, b in answers if start <= a and b <= end),
        subject=paragraphs.texts[question.pid].subject,
    )
