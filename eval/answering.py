"""The suites of what is answered: follow-ups, near misses, declining and why, the sentence that is cited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eval import (
    answering_conversations,
    answering_dated,
    answering_declining,
    answering_declining_report,
    answering_near_misses,
    answering_overviews,
    answering_reasons,
    answering_sentence,
)
from eval.finding_report import Report
from eval.suite import Bench, Choice, Progress, Suite

SPLITS = ("dev", "test")


def _of_sample(measure: Callable[..., Report]) -> Suite:
    """Return the suite that asks the sample archive, each half of the subjects apart."""

    def suite(choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
        with bench.open_sample() as archive:
            return measure(archive, splits=_splits(choice), progress=progress)

    return suite


def _splits(choice: Choice) -> Sequence[str]:
    return SPLITS if choice.split == "all" else (choice.split,)


def _declining(choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
    found = answering_declining.measure(
        choice.data, open_archive=bench.open_archive, seed=choice.seed, progress=progress
    )
    return answering_declining_report.declining_report(found)


def _answer_sentence(choice: Choice, *, bench: Bench, progress: Progress | None) -> Report:
    found = answering_sentence.measure(choice.data, open_archive=bench.open_archive, progress=progress)
    return answering_sentence.sentence_report(found)


SUITES: Mapping[str, Suite] = {
    "conversations": _of_sample(answering_conversations.measure),
    "dated": _of_sample(answering_dated.measure),
    "near-misses": _of_sample(answering_near_misses.measure),
    "overviews": _of_sample(answering_overviews.measure),
    "reasons": _of_sample(answering_reasons.measure),
    "declining": _declining,
    "answer-sentence": _answer_sentence,
}
