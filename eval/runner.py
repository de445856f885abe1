"""Asks an archive the questions of a dataset and keeps what came back, question by question."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from eval.dataset import ArticleNames, Question, locate
from eval.judging import Judgement, judge
from eval.metrics import Interval, Score, wilson
from eval.scoring import MEASURES, score_answer
from rag.schema import Answer, Article, Consultation, Evidence, Turn

ALL, TOTAL = "all", "total"
# Sentences kept of those that an answer was chosen from.
CANDIDATES = 12


class Asked(Protocol):
    """The part of an `Archive` that an evaluation needs; whatever answers like this can be measured."""

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn | tuple[str, str]] = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
    ) -> Answer:
        """Return what the archive says to a question."""
        ...

    def articles(self) -> list[Article]:
        """Return all articles."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One question, what was answered, what it is worth, and how many seconds it took.

    `candidates` are the best sentences that the answer was chosen from, best first; empty when they were not asked for.
    """

    question: Question
    answer: Answer
    scores: Mapping[str, Score]
    seconds: float
    judgement: Judgement
    candidates: tuple[Evidence, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the answer is right as a whole: the measure "passed"."""
        return self.scores["passed"].value == 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """All records, in the order asked; `problems` are sentences on support that the archive does not hold."""

    records: tuple[Record, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """One measure over several questions: `mean` and `interval` are None when it applied to none of them.

    `skipped` counts by reason the questions that it did not apply to.
    """

    mean: float | None
    interval: Interval | None
    n: int
    skipped: Mapping[str, int]


def run(
    archive: Asked,
    questions: Sequence[Question],
    *,
    consult: Callable[..., Consultation] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Return the archive's answers to the questions, scored; each is asked once, on its own.

    Args:
        archive: Asked through its public face only; it is not changed.
        questions: Asked in this order.
        consult: `Archive.consult`, asked as well for the sentences that an answer was chosen from; not timed.
        progress: Called with how many questions are done and how many there are, after each.
    """
    articles = archive.articles()
    names, texts = ArticleNames(articles), {article.id: article.text for article in articles}
    records: list[Record] = []
    problems: list[str] = []
    for done, question in enumerate(questions, start=1):
        gold = locate(question, names)
        problems += gold.problems
        limits: dict[str, Any] = {
            "history": question.history,
            "since": question.since,
            "until": question.until,
            "outlets": question.outlets,
        }
        began = time.perf_counter()
        answer = archive.ask(question.question, **limits)
        seconds = time.perf_counter() - began
        scores = score_answer(question, answer, gold=gold, texts=texts)
        read = consult(question.question, **limits).evidence[:CANDIDATES] if consult else ()
        judged = judge(question, answer, gold=gold, texts=texts, scores=scores, candidates=read)
        records.append(Record(question, answer, scores, seconds, judgement=judged, candidates=read))
        if progress:
            progress(done, len(questions))
    return Run(records=tuple(records), problems=tuple(problems))


def summarise(records: Iterable[Record]) -> dict[str, Summary]:
    """Return each measure's mean over the records that it applies to, with a 95 % interval (see `wilson`)."""
    chosen = list(records)
    summaries = {}
    for measure in MEASURES:
        scores = [record.scores[measure.name] for record in chosen]
        values = [score.value for score in scores if score.value is not None]
        reasons = [score.reason for score in scores if score.value is None]
        mean = sum(values) / len(values) if values else None
        summaries[measure.name] = Summary(
            mean=mean,
            interval=wilson(mean, len(values)) if mean is not None else None,
            n=len(values),
            skipped={reason: reasons.count(reason) for reason in sorted(set(reasons))},
        )
    return summaries


def groups(records: Iterable[Record]) -> dict[str, dict[str, list[Record]]]:
    """Return the records by split, then by type, in order of appearance, each split's "total" last.

    A question without a type stands only in the total. Last comes "all" with the total over every split, or with the
    types too where no question has a split.
    """
    chosen = list(records)
    splits = dict.fromkeys(record.question.split for record in chosen if record.question.split)
    found = {split: _by_type(record for record in chosen if record.question.split == split) for split in splits}
    if len(splits) != 1 or any(not record.question.split for record in chosen):
        found[ALL] = {TOTAL: chosen} if splits else _by_type(chosen)
    return found


def _by_type(records: Iterable[Record]) -> dict[str, list[Record]]:
    by_type: dict[str, list[Record]] = {}
    total = []
    for record in records:
        if record.question.type:
            by_type.setdefault(record.question.type, []).append(record)
        total.append(record)
    return {**by_type, TOTAL: total}


def record_to_dict(record: Record) -> dict[str, Any]:
    """Return a record as plain JSON types."""
    question, judgement = record.question, record.judgement
    return {
        "qid": question.qid,
        "digest": question.digest,
        "split": question.split,
        "subject": question.subject,
        "type": question.type,
        "language": question.language,
        "question": question.question,
        "answers": [list(accepted) for accepted in question.answers],
        "answerable": question.answerable,
        "passed": record.passed,
        "why": list(judgement.why),
        "seconds": round(record.seconds, 4),
        "scores": {
            name: None if score.value is None else round(score.value, 6) for name, score in record.scores.items()
        },
        "skipped": {name: score.reason for name, score in record.scores.items() if score.value is None},
        "facts": [
            {"accepted": list(fact.accepted), "rank": fact.rank, "cited": list(fact.cited)} for fact in judgement.facts
        ],
        "relevance": {"hits": list(judgement.hits), "citations": list(judgement.citations)},
        "answer": record.answer.to_dict(),
    }
