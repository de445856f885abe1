"""The gold set's questions with a month named: the one in which the answer was printed, and the same of another year.

An article seldom names the month that it is printed in, and a reader that looks for it in the words finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from eval.dataset import GOLD, Question
from eval.finding_report import Report, table
from eval.formats import read_questions
from eval.metrics import wilson
from eval.runner import Asked, run
from rag.schema import Answer

ABOUT = (
    "Answerable questions of the gold set in Spanish and English, as they are, with the month in which the first\n"
    "article that supports the answer was printed, and with that month three years before. Right: answered, the first\n"
    "statement from an article that supports it; of the other year: not answered. 95 % intervals: Wilson's."
)
UNDATED, DATED, OTHER_YEAR = "as it is", "with its month", "three years before"
_YEARS = 3
_MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "en": "January February March April May June July August September October November December",
}
_IN = {"es": "en {month} de {year}", "en": "in {month} {year}"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One wording of a question, and what became of it; `first` are the articles of the first statement."""

    question: Question
    wording: str
    is_answered: bool
    first: frozenset[str]

    @property
    def is_right(self) -> bool:
        """Whether it was answered from an article that supports it, or, of the other year, not answered."""
        if self.wording == OTHER_YEAR:
            return not self.is_answered
        return not self.first.isdisjoint(support.article for support in self.question.support)


def measure(archive: Asked, *, splits: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Report:
    """Return the report over the shipped questions; the archive holds the sample articles.

    Raises:
        DatasetError: The file cannot be read.
    """
    chosen = [question for question in read_questions(GOLD).questions if question.split in splits]
    return dated_report(outcomes(archive, chosen, progress=progress), splits=splits)


def outcomes(
    archive: Asked, questions: Sequence[Question], *, progress: Callable[[int, int], None] | None = None
) -> list[Outcome]:
    """Return what became of each wording of the questions that can be dated."""
    printed = {article.given_id or article.id: article.published for article in archive.articles()}
    worded = [pair for question in questions for pair in wordings(question, printed)]
    records = run(archive, [question for _, question in worded], progress=progress).records
    return [
        Outcome(record.question, wording, record.answer.status == "answered", _first(record.answer))
        for (wording, _), record in zip(worded, records, strict=True)
    ]


def wordings(question: Question, printed: Mapping[str, date | None]) -> Iterator[tuple[str, Question]]:
    """Yield a question in its three wordings, by their names; none of one that has no month or has limits already.

    Args:
        question: Of the gold set.
        printed: The day that each article was printed, by the id that its source gave.
    """
    day = printed.get(question.support[0].article) if question.support else None
    is_plain = not (question.history or question.since or question.until or question.outlets)
    if day is None or question.language not in _MONTHS or not question.answerable or not is_plain:
        return
    yield UNDATED, question
    for wording, years in ((DATED, 0), (OTHER_YEAR, _YEARS)):
        month = _MONTHS[question.language].split()[day.month - 1]
        when = _IN[question.language].format(month=month, year=day.year - years)
        bare = question.question.rstrip(" ?.")
        end = question.question.rstrip()[len(bare) :].strip()
        qid = f"{question.qid}-{'dated' if wording == DATED else 'other-year'}"
        yield wording, replace(question, qid=qid, question=f"{bare} {when}{end}")


def _first(answer: Answer) -> frozenset[str]:
    first = answer.statements[:1] if answer.status == "answered" else ()
    return frozenset(
        citation.article.given_id or citation.article.id for statement in first for citation in statement.citations
    )


def dated_report(found: Sequence[Outcome], *, splits: Sequence[str]) -> Report:
    """Return a table of each split by wording."""
    tables: list[str] = []
    content: dict[str, Any] = {}
    for split in splits:
        lines = []
        content[split] = {}
        for wording in (UNDATED, DATED, OTHER_YEAR):
            group = [one for one in found if one.question.split == split and one.wording == wording]
            answered = sum(one.is_answered for one in group)
            right = sum(one.is_right for one in group)
            content[split][wording] = {
                "n": len(group),
                "answered": answered,
                "right": right,
                "wrong": [one.question.qid for one in group if not one.is_right],
            }
            lines.append([wording, str(len(group)), str(answered), _share(right, len(group))])
        tables.append(table([split, "n", "answered", "right"], lines))
    return Report("dated", ABOUT, tuple(tables), (), content)


def _share(count: int, of: int) -> str:
    if not of:
        return "-"
    interval = wilson(count / of, of)
    return f"{count / of:.3f} ({interval.low:.3f}-{interval.high:.3f})"
