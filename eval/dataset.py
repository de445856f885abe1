"""Questions with known answers, and where in an archive the sentences stand that support them."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from eval.metrics import Span, contains
from rag.errors import HemerotecaError
from rag.schema import Article, Turn

GOLD = Path(__file__).with_name("data") / "gold.jsonl"
SAMPLE = Path(__file__).with_name("data") / "sample.jsonl"
# Types of the questions of sets that know no others.
ANSWERABLE, IMPOSSIBLE = "answerable", "impossible"


class DatasetError(HemerotecaError):
    """A file of questions cannot be read, or one of its lines is not a question."""


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that states an answer: `article` is an article's given id, id, URL or file name."""

    article: str
    quote: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what a right answer holds.

    `answers` are nuggets: facts that a full answer needs, each a tuple of accepted wordings. `split` is "dev", "test"
    or empty; `type` is the author's word for the kind of question; `language` is ISO 639-1, "und" when not given.
    Turns of one `conversation` share its name; `full` asks the same as `question` with no need of the history. A
    question that presupposes what the archive denies has no answer; `contradicted_by` are the sentences that deny it,
    and an answer that says only what they say is right as well.
    """

    qid: str
    question: str
    answers: tuple[tuple[str, ...], ...] = ()
    answerable: bool = True
    split: str = ""
    subject: str = ""
    type: str = ""
    language: str = "und"
    history: tuple[Turn, ...] = ()
    since: date | None = None
    until: date | None = None
    outlets: tuple[str, ...] = ()
    support: tuple[Support, ...] = ()
    conversation: str = ""
    full: str = ""
    contradicted_by: tuple[Support, ...] = ()

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change with what is asked or counts as right, not with how it is filed."""
        history = [(turn.question, turn.answer) for turn in self.history]
        filters = [str(self.since), str(self.until), self.outlets]
        support = [(support.article, support.quote) for support in self.support]
        right = [self.question, history, filters, self.answerable, self.answers, support]
        if self.contradicted_by:
            right.append([(denial.article, denial.quote) for denial in self.contradicted_by])
        told = json.dumps(right)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions from one place; `sha256` is of the file as it was read."""

    name: str
    questions: tuple[Question, ...]
    sha256: str = ""

    def split(self, name: str) -> Dataset:
        """Return the questions of one split, "all" for every one.

        Raises:
            DatasetError: No question belongs to it.
        """
        chosen = tuple(question for question in self.questions if name in ("all", question.split))
        if not chosen:
            raise DatasetError(f'{self.name} has no question with "split": "{name}": use --split all')
        return Dataset(name=self.name, questions=chosen, sha256=self.sha256)


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions with what an archive for them is made of: rows as in a JSONL of articles, or files and folders.

    Neither means that the questions are asked of an archive that is there. `notes` are sentences a reader of the
    results should know.
    """

    dataset: Dataset
    rows: tuple[Mapping[str, str], ...] = ()
    paths: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gold:
    """A question's support, found in an archive.

    `quotes` are all the places that support the answer; `nuggets` are the same places by the fact that they state;
    `languages` those of the articles; `problems` are sentences on support that was not found.
    """

    quotes: tuple[Span, ...] = ()
    nuggets: tuple[tuple[Span, ...], ...] = ()
    languages: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


class ArticleNames:
    """Finds an archive's articles by given id, id, URL or file name, in that order of preference."""

    def __init__(self, articles: Iterable[Article]) -> None:
        held = list(articles)
        self._by_name: dict[str, Article] = {}
        for article in held:
            for place in article.places:
                self._by_name.setdefault(place.replace("\\", "/").rsplit("/", 1)[-1], article)
        self._by_name |= {article.url: article for article in held if article.url}
        self._by_name |= {article.id: article for article in held}
        self._by_name |= {article.given_id: article for article in held if article.given_id}

    def find(self, name: str) -> Article | None:
        """Return the article of that name, None if there is none."""
        return self._by_name.get(name)


def locate(question: Question, names: ArticleNames) -> Gold:
    """Return where the question's support stands; what is not found is told in `problems`, not raised.

    A quote that stands more than once in its article counts at every place. A quote belongs to the nuggets of which it
    contains an accepted answer; a nugget that no quote contains takes the quotes that belong to none, or else all.
    """
    quotes: list[Span] = []
    problems: list[str] = []
    languages: set[str] = set()
    states: dict[Span, set[int]] = {}
    for support in question.support:
        article = names.find(support.article)
        if article is None:
            problems.append(f'{question.qid}: no article of the archive is called "{support.article}"')
            continue
        quote = unicodedata.normalize("NFC", support.quote)
        places = [Span(article.id, start, start + len(quote)) for start in _occurrences(article.text, quote)]
        if not places:
            problems.append(f'{question.qid}: "{_short(quote)}" does not stand in article {support.article}')
            continue
        languages.add(article.language)
        quotes += places
        stated = {
            number
            for number, accepted in enumerate(question.answers)
            if any(contains(quote, answer, language=article.language) for answer in accepted)
        }
        for place in places:
            states.setdefault(place, set()).update(stated)
    return Gold(
        quotes=tuple(dict.fromkeys(quotes)),
        nuggets=_by_nugget(states, len(question.answers)),
        languages=frozenset(languages),
        problems=tuple(problems),
    )


def _by_nugget(states: dict[Span, set[int]], count: int) -> tuple[tuple[Span, ...], ...]:
    if not states:
        return ()
    spare = tuple(place for place, stated in states.items() if not stated) or tuple(states)
    return tuple(
        tuple(place for place, stated in states.items() if number in stated) or spare for number in range(count)
    )


def _occurrences(text: str, quote: str) -> list[int]:
    found = []
    start = text.find(quote)
    while start >= 0:
        found.append(start)
        start = text.find(quote, start + 1)
    return found


def _short(text: str, *, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
