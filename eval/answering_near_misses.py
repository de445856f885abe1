"""Near misses: questions on what is reported that ask for what is not, beside questions that are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eval.dataset import GOLD, ArticleNames, Question, locate
from eval.finding_report import Report, plain, share, table
from eval.formats import read_questions
from eval.metrics import Span, wilson
from eval.probabilities import Guess, auroc
from eval.runner import Asked, run
from rag.schema import Answer

NEAR_MISSES = GOLD.with_name("near_misses.jsonl")
ABOUT = (
    "Near misses (another fact, another time, a premise that the archive denies), and the answerable questions of the\n"
    "gold set on the same subjects. Right: declined, or, of a premise, answered only with what denies it. 95 %\n"
    "intervals: Wilson's, of AUROC (answerable against near misses, by probability) over questions."
)
ANSWERABLE, ALL = "answerable", "near misses"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question with the probability that was given, and what became of it; `denies` that it said what denies it."""

    question: Question
    probability: float
    is_answered: bool
    denies: bool = False

    @property
    def is_right(self) -> bool:
        """Whether a near miss is declined or denied, and an answerable question answered."""
        return self.is_answered if self.question.answerable else self.denies or not self.is_answered


def measure(archive: Asked, *, splits: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Report:
    """Return the report of the shipped near misses; the archive holds the sample articles.

    Raises:
        DatasetError: A file cannot be read.
    """
    questions = [
        *read_questions(NEAR_MISSES).questions,
        *(question for question in read_questions(GOLD).questions if question.answerable),
    ]
    chosen = [question for question in questions if question.split in splits]
    return near_miss_report(outcomes(archive, chosen, progress=progress), splits=splits)


def outcomes(
    archive: Asked, questions: Sequence[Question], *, progress: Callable[[int, int], None] | None = None
) -> list[Outcome]:
    """Return what became of each question."""
    names = ArticleNames(archive.articles())
    records = run(archive, questions, progress=progress).records
    return [
        Outcome(
            question=record.question,
            probability=record.answer.confidence,
            is_answered=record.answer.status == "answered",
            denies=says_only(record.answer, denying(record.question, names)),
        )
        for record in records
    ]


def denying(question: Question, names: ArticleNames) -> tuple[Span, ...]:
    """Return where the sentences stand that deny what a question presupposes."""
    return locate(replace(question, support=question.contradicted_by, answers=()), names).quotes


def says_only(answer: Answer, places: Sequence[Span]) -> bool:
    """Whether an answer cites something, and nothing but what stands at the places."""
    cited = [Span(citation.article.id, citation.start, citation.end) for citation in answer.citations]
    return bool(cited) and all(any(span.overlaps(place) for place in places) for span in cited)


def near_miss_report(found: Sequence[Outcome], *, splits: Sequence[str]) -> Report:
    """Return a table of each split by kind, near misses first."""
    tables: list[str] = []
    content: dict[str, Any] = {
        "questions": {
            outcome.question.qid: {"probability": round(outcome.probability, 4), "right": outcome.is_right}
            for outcome in found
        }
    }
    for split in splits:
        held = [outcome for outcome in found if outcome.question.split == split]
        missed = [outcome for outcome in held if not outcome.question.answerable]
        kinds = dict.fromkeys(outcome.question.type for outcome in missed)
        groups = {kind: [outcome for outcome in missed if outcome.question.type == kind] for kind in kinds}
        groups |= {ALL: missed, ANSWERABLE: [outcome for outcome in held if outcome.question.answerable]}
        guesses = [Guess(outcome.probability, outcome.question.answerable) for outcome in held]
        ordered = auroc(guesses) if missed and groups[ANSWERABLE] else None
        told = f"AUROC {split}: {share(ordered)}, n = {ordered.n}" if ordered else ""
        lines = [_line(name, group) for name, group in groups.items()]
        tables.append(f"{table([split, 'n', 'right', 'answered', 'denied', 'probability'], lines)}\n{told}".rstrip())
        content[split] = {name: _plain(group) for name, group in groups.items()}
        content[split] |= {"auroc": plain(ordered) if ordered else None}
    return Report("near-misses", ABOUT, tuple(tables), (), content)


def _line(name: str, group: Sequence[Outcome]) -> list[str]:
    if not group:
        return [name, "0", "-", "-", "-", "-"]
    right = sum(outcome.is_right for outcome in group)
    interval = wilson(right / len(group), len(group))
    return [
        name,
        str(len(group)),
        f"{right / len(group):.3f} ({interval.low:.3f}-{interval.high:.3f})",
        str(sum(outcome.is_answered for outcome in group)),
        str(sum(outcome.denies for outcome in group)),
        f"{sum(outcome.probability for outcome in group) / len(group):.2f}",
    ]


def _plain(group: Sequence[Outcome]) -> Mapping[str, Any]:
    return {
        "n": len(group),
        "right": sum(outcome.is_right for outcome in group),
        "answered": sum(outcome.is_answered for outcome in group),
        "denied": sum(outcome.denies for outcome in group),
        "wrong": [outcome.question.qid for outcome in group if not outcome.is_right],
    }
