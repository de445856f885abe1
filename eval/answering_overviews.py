"""Questions that ask what happened or what is known, not one fact: are they answered, and from the right articles?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eval.dataset import GOLD, Question
from eval.finding_report import Report, table
from eval.formats import read_questions
from eval.metrics import wilson
from eval.probabilities import Guess, auroc
from eval.runner import Asked, run
from rag.schema import Answer

OVERVIEWS = GOLD.with_name("overviews.jsonl")
ABOUT = (
    "Questions that ask what happened or what is known on a subject, written by someone who saw only the articles.\n"
    "Right: an answerable one is answered, with at least one article that reports on it and none that does not;\n"
    "another is declined. Of the answered ones, precision: cited articles that report on it; recall: articles that\n"
    "report on it which are cited. 95 % intervals: Wilson's."
)
ALL_ELSE = "what is not reported"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question with the probability that was given, and the articles cited, by the ids that their source gave."""

    question: Question
    probability: float
    cited: frozenset[str]

    @property
    def reporting(self) -> frozenset[str]:
        """The articles that report on what is asked."""
        return frozenset(support.article for support in self.question.support)

    @property
    def is_right(self) -> bool:
        """Whether it was answered from what reports on it and from nothing else, or declined where nothing does."""
        if not self.question.answerable:
            return not self.cited
        return bool(self.cited) and self.cited <= self.reporting

    @property
    def precision(self) -> float:
        """The share of the cited articles that report on it; there is at least one."""
        return len(self.cited & self.reporting) / len(self.cited)

    @property
    def recall(self) -> float:
        """The share of the articles that report on it which are cited; there is at least one."""
        return len(self.cited & self.reporting) / len(self.reporting)


def measure(archive: Asked, *, splits: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Report:
    """Return the report of the shipped questions; the archive holds the sample articles.

    Raises:
        DatasetError: The file cannot be read.
    """
    chosen = [question for question in read_questions(OVERVIEWS).questions if question.split in splits]
    return overview_report(outcomes(archive, chosen, progress=progress), splits=splits)


def outcomes(
    archive: Asked, questions: Sequence[Question], *, progress: Callable[[int, int], None] | None = None
) -> list[Outcome]:
    """Return what became of each question."""
    records = run(archive, questions, progress=progress).records
    return [Outcome(one.question, one.answer.confidence, _cited(one.answer)) for one in records]


def _cited(answer: Answer) -> frozenset[str]:
    if answer.status != "answered":
        return frozenset()
    return frozenset(citation.article.given_id or citation.article.id for citation in answer.citations)


def overview_report(found: Sequence[Outcome], *, splits: Sequence[str]) -> Report:
    """Return a table of each split by kind."""
    tables: list[str] = []
    content: dict[str, Any] = {
        "questions": {
            one.question.qid: {"probability": round(one.probability, 4), "right": one.is_right} for one in found
        }
    }
    for split in splits:
        held = [one for one in found if one.question.split == split]
        kinds = sorted({one.question.type for one in held})
        groups = {kind: [one for one in held if one.question.type == kind] for kind in kinds}
        groups[ALL_ELSE] = [one for one in held if not one.question.answerable]
        told = _ordered(held, split=split)
        heads = [split, "n", "right", "answered", "precision", "recall"]
        tables.append(f"{table(heads, [_line(name, group) for name, group in groups.items()])}\n{told}".rstrip())
        content[split] = {name: _plain(group) for name, group in groups.items()}
    return Report("overviews", ABOUT, tuple(tables), (), content)


def _ordered(held: Sequence[Outcome], *, split: str) -> str:
    if len({one.question.answerable for one in held}) < 2:
        return ""
    found = auroc([Guess(one.probability, one.question.answerable) for one in held])
    return f"AUROC {split}: {found.mean:.3f} ({found.interval.low:.3f}-{found.interval.high:.3f}), n = {found.n}"


def _plain(group: Sequence[Outcome]) -> dict[str, Any]:
    answered = [one for one in group if one.cited]
    reported = [one for one in answered if one.question.answerable]
    return {
        "n": len(group),
        "right": sum(one.is_right for one in group),
        "answered": len(answered),
        "precision": sum(one.precision for one in reported) / len(reported) if reported else None,
        "recall": sum(one.recall for one in reported) / len(reported) if reported else None,
        "wrong": [one.question.qid for one in group if not one.is_right],
    }


def _line(name: str, group: Sequence[Outcome]) -> list[str]:
    if not group:
        return [name, "0", "-", "-", "-", "-"]
    told = _plain(group)
    right = told["right"] / len(group)
    interval = wilson(right, len(group))
    shares = [f"{told[part]:.3f}" if told[part] is not None else "-" for part in ("precision", "recall")]
    counts = [str(len(group)), f"{right:.3f} ({interval.low:.3f}-{interval.high:.3f})", str(told["answered"])]
    return [name, *counts, *shares]
