"""What declining is told as: how well probabilities order, what they mean, and what answering from them on risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.answering_declining import DecliningResult, Reply
from eval.finding_ranking import Estimate, estimated
from eval.finding_report import Report, Target, plain, share, table
from eval.probabilities import (
    Guess,
    Risk,
    auroc,
    bins_of,
    calibration_error,
    risk_coverage,
    share_from,
    threshold_answering,
)

ABOUT = (
    "Spanish questions of XQuAD over its passages among news (NTREX, AnCora), the same with their page taken out of\n"
    "the archive (removed), questions on the world that nothing there answers, and NoMIRACL's, of which some are\n"
    "answered by the ten passages found for each (also searched among those of all). Only reported, never tuned on.\n"
    "95 % intervals by bootstrap over pages of XQuAD, and over questions of the others."
)
ANSWERED = 0.9
LEAST_AUROC, LEAST_NOMIRACL = 0.95, 0.75
MOST_WRONG, MOST_ERROR = 0.05, 0.05
COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
REMOVED, ANY = "removed", "removed and world"


def declining_report(result: DecliningResult) -> Report:
    """Return the tables, targets and numbers of what came back."""
    unanswerable = {REMOVED: result.removed, **result.world}
    unanswerable[ANY] = [reply for replies in unanswerable.values() for reply in replies]
    at_share = threshold_answering([reply.probability for reply in result.answerable], ANSWERED)
    thresholds = {"working": result.threshold, f"{ANSWERED:.0%} answered": at_share}
    ordered = {name: _auroc(result.answerable, replies) for name, replies in unanswerable.items()}
    nomiracl = {name: auroc(guesses) for name, guesses in result.nomiracl.items()}
    bins, risks = bins_of(result.paired), _risks(result)
    tables = (
        f"Judged by the reader {result.reader!r}; answers are given from {result.threshold:.2f} on.",
        _shares_table(result, unanswerable, ordered=ordered, thresholds=thresholds),
        table(
            ["NoMIRACL, passages", "n", "answerable", "AUROC"],
            [
                [name, str(found.n), str(sum(guess.is_so for guess in result.nomiracl[name])), share(found)]
                for name, found in nomiracl.items()
            ],
        ),
        table(
            ["answerable and removed, probability", "n", "mean", "answerable"],
            [
                [f"{each.low:.1f}-{each.low + 0.1:.1f}", str(each.n), f"{each.mean:.3f}", f"{each.share:.3f}"]
                for each in bins
            ],
        )
        + f"\nexpected calibration error {calibration_error(bins):.3f}, n = {len(result.paired)}",
        _risks_table(risks),
    )
    content = {
        "reader": result.reader,
        "thresholds": {name: round(value, 6) for name, value in thresholds.items()},
        "auroc": {name: plain(found) for name, found in ordered.items()},
        "answered": {
            name: {kind: round(_answered(replies, at).mean, 6) for kind, at in thresholds.items()}
            for name, replies in {"answerable": result.answerable, **unanswerable}.items()
        },
        "nomiracl": {name: plain(found) for name, found in nomiracl.items()},
        "bins": [{"low": each.low, "n": each.n, "mean": each.mean, "answerable": each.share} for each in bins],
        "calibration_error": round(calibration_error(bins), 6),
        "risks": [
            {
                "coverage": one.coverage,
                "threshold": one.threshold,
                "not_there": one.risk,
                "not_there_or_other": other.risk,
            }
            for one, other in risks
        ],
        "probabilities": {
            name: [round(reply.probability, 4) for reply in replies]
            for name, replies in {"answerable": result.answerable, REMOVED: result.removed, **result.world}.items()
        },
    }
    targets = _targets(result, unanswerable, ordered=ordered, nomiracl=nomiracl, threshold=at_share)
    return Report("declining", ABOUT, tables, targets, content)


def _auroc(answerable: Sequence[Reply], unanswerable: Sequence[Reply]) -> Estimate:
    return auroc(
        [
            Guess(reply.probability, is_so, reply.subject)
            for is_so, replies in ((True, answerable), (False, unanswerable))
            for reply in replies
        ]
    )


def _answered(replies: Sequence[Reply], threshold: float) -> Estimate:
    return estimated(
        [float(reply.probability >= threshold) for reply in replies], subjects=[reply.subject for reply in replies]
    )


def _shares_table(
    result: DecliningResult,
    unanswerable: Mapping[str, Sequence[Reply]],
    *,
    ordered: Mapping[str, Estimate],
    thresholds: Mapping[str, float],
) -> str:
    heads = ["share answered", "n", *(f"{name}, from {at:.3f}" for name, at in thresholds.items()), "AUROC"]
    lines = [
        [
            name,
            str(len(replies)),
            *(share(_answered(replies, at)) for at in thresholds.values()),
            share(ordered[name]) if name in ordered else "",
        ]
        for name, replies in {"answerable": result.answerable, **unanswerable}.items()
    ]
    return table(heads, lines)


def _risks(result: DecliningResult) -> list[tuple[Risk, Risk]]:
    """Return risk by coverage: answering where nothing answers, and also citing another sentence first."""
    right = [Guess(reply.probability, reply.is_right) for reply in result.answerable]
    right += [Guess(reply.probability, is_so=False) for reply in result.removed]
    there = risk_coverage(result.paired, coverages=COVERAGES)
    return list(zip(there, risk_coverage(right, coverages=COVERAGES), strict=True))


def _risks_table(risks: Sequence[tuple[Risk, Risk]]) -> str:
    lines = [
        [f"{one.coverage:.2f}", f"{one.threshold:.3f}", f"{one.risk:.3f}", f"{other.risk:.3f}"] for one, other in risks
    ]
    heads = ["answered, of answerable and removed", "from", "not there", "not there, or another sentence first"]
    return table(heads, lines)


def _targets(
    result: DecliningResult,
    unanswerable: Mapping[str, Sequence[Reply]],
    *,
    ordered: Mapping[str, Estimate],
    nomiracl: Mapping[str, Estimate],
    threshold: float,
) -> tuple[Target, ...]:
    wrong = share_from([reply.probability for reply in unanswerable[ANY]], threshold)
    error = calibration_error(bins_of(result.paired))
    targets = [
        Target(
            f"AUROC {LEAST_AUROC}, {ANY}",
            f"{share(ordered[ANY])}, n = {ordered[ANY].n}",
            ordered[ANY].mean >= LEAST_AUROC,
        ),
        Target(
            f"at most {MOST_WRONG:.0%} of {ANY} answered while {ANSWERED:.0%} of the answerable are",
            share(_answered(unanswerable[ANY], threshold)),
            wrong <= MOST_WRONG,
        ),
        Target(f"expected calibration error of at most {MOST_ERROR}", f"{error:.3f}", error <= MOST_ERROR),
    ]
    return (
        *targets,
        *(
            Target(f"AUROC {LEAST_NOMIRACL}, NoMIRACL among {name}", share(found), found.mean >= LEAST_NOMIRACL)
            for name, found in nomiracl.items()
        ),
    )
