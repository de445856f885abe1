"""Chooses the weights and the threshold of `rag.cross_reading`: `python -m eval.calibration --reader trained`.

The questions are of articles that the reader was not trained on. Unanswerable are those whose title is left out of what
was found, and near misses: questions of the sets that the passages found do not answer, though they are on the subject.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from eval.calibration import (
    Case,
    calibration_error,
    fitted,
    hits_read,
    is_right,
    split_by_subject,
    threshold_weighing_twice,
)
from eval.reader_sets import plain, read_sets, side_of
from rag import reading
from rag.cross_encoder import load_cross_encoder
from rag.cross_reading import (
    FIRST,
    Signals,
    Weights,
    promising,
    signals,
    to_read,
    trained_answer_features,
    trained_sentence_features,
)
from rag.interfaces import PassageReader
from rag.reading import Asked, answer_features, logistic, word_weights_of
from rag.schema import Evidence

NEAR_MISSES = (("squad2_dev_half_en", "squad2_dev_half_en"), ("idk_mrc_id", "idk_mrc_id"))
"""Sets, with their passages, that also ask what these do not answer."""
Kind = Literal["answerable", "left out", "near miss"]
_MARGINS = (-6.0, -4.0, -2.0, 0.0, 2.0)
_SELDOM = 4
_CERTAIN = (0.7, 0.8, 0.9, 0.95, 0.98)


@dataclass(frozen=True, slots=True)
class Read:
    """A question with what was seen of the passages found, and what the model says of those that it read."""

    case: Case
    kind: Kind
    seen: tuple[Evidence, ...]
    known: tuple[Signals, ...]

    @property
    def asked(self) -> Asked:
        """What is asked for."""
        return Asked.of(self.case.question)

    @property
    def language(self) -> str:
        """The question's."""
        return self.case.consultation.language

    def features(self, weights: Weights, *, known: Sequence[Signals] | None = None) -> tuple[float, ...]:
        """Return the answer's features with such weights of the sentences, by all or by some of what the model says."""
        known = known or self.known
        words = word_weights_of(self.asked, self.seen)
        return trained_answer_features(self.asked, self.best(weights, known), known, seen=self.seen, word_weights=words)

    def best(self, weights: Weights, known: Sequence[Signals] | None = None) -> Signals:
        """Return what the model says of the sentence that is best with such weights."""
        asked, words = self.asked, word_weights_of(self.asked, self.seen)
        return max(
            known or self.known,
            key=lambda one: weights.score(asked, one, word_weights=words, language=self.language),
        )

    def probability(self, weights: Weights, *, known: Sequence[Signals] | None = None) -> float:
        """Return how likely it is to hold an answer, by all or by some of what the model says."""
        features = self.features(weights, known=known)
        return weights.probability(features, self.best(weights, known).evidence, language=self.language)


def held_out(data: Path) -> frozenset[str]:
    """Return the ids of the passages that the reader was not trained on."""
    texts = read_sets(data).texts
    return frozenset(pid for pid, text in texts.items() if side_of(text.subject) == "validation")


def report_trained(found: Sequence[Case], *, model: PassageReader | None = None) -> None:
    """Fit on all questions and print the weights; and what those of either half of the subjects reach on the other.

    Raises:
        ModelError: There are no trained weights.
    """
    model = model or load_cross_encoder()
    halves = [[one for case in half for one in read_by(model, case)] for half in split_by_subject(_balanced(found))]
    every = [*halves[0], *halves[1]]
    print(f"{len(halves[0])} and {len(halves[1])} readings")
    weights = _fitted(every)
    print(f"WEIGHTS = {weights}")
    threshold = _best_threshold(every, weights)
    print(f"MIN_CONFIDENCE = {threshold:.2f}")
    judged = [Judged(one, by) for half, by in zip(halves, map(_fitted, reversed(halves)), strict=True) for one in half]
    for across in (False, True):
        some = [one for one in judged if one.read.case.across == across]
        _report_first(some, across=across)
        readings = [one.read for one in some]
        _report_answers(
            "trained", readings, [one.read.probability(one.by) for one in some], threshold=threshold, across=across
        )
        untrained = [_untrained(one) for one in readings]
        _report_answers("sentences", readings, untrained, threshold=reading.MIN_CONFIDENCE, across=across)
    _report_words(judged, threshold=threshold)
    _report_stopping(judged)


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading, and weights that were fitted on other subjects."""

    read: Read
    by: Weights


def _fitted(readings: Sequence[Read]) -> Weights:
    sentence, sentence_across = (fitted(*_sentence_data(readings, across=across)) for across in (False, True))
    # Those of the answer come next: which sentence is the best is known by now.
    weights = Weights(sentence, sentence_across, (), ())
    answer, answer_across = (fitted(*_answer_data(readings, weights, across=across)) for across in (False, True))
    return Weights(sentence, sentence_across, answer, answer_across)


def _balanced(found: Sequence[Case]) -> list[Case]:
    """Return the cases with no more near misses than half of the answerable ones, of which each is also left out."""
    near = [case for case in found if not case.answerable]
    random.Random(4).shuffle(near)
    answerable = [case for case in found if case.answerable]
    return [*answerable, *near[: len(answerable) // 2]]


def read_by(model: PassageReader, case: Case) -> list[Read]:
    """Return the readings of a question: as it is, and if it is answerable also with its title left out."""
    kinds: dict[Kind, bool] = {"answerable": False, "left out": True} if case.answerable else {"near miss": False}
    variants = {}
    for kind, without in kinds.items():
        hits, seen = hits_read(case, without_subject=without)
        variants[kind] = seen, to_read(seen, order=[hit.passage.id for hit in hits])
    every = {hit.passage.id: hit for _, chosen in variants.values() for hit in chosen}
    known = signals(case.question, list(every.values()), case.consultation.evidence, model=model)
    readings = []
    for kind, (seen, chosen) in variants.items():
        order = {hit.passage.id: rank for rank, hit in enumerate(chosen)}
        own = sorted(
            (one for one in known if one.evidence.hit.passage.id in order),
            key=lambda one: order[one.evidence.hit.passage.id],
        )
        if own:
            readings.append(Read(case, kind, tuple(seen), tuple(own)))
    return readings


def _labels(readings: Sequence[Read]) -> list[int]:
    return [int(one.kind == "answerable") for one in readings]


def _is_across(one: Read, evidence: Evidence) -> bool:
    return evidence.hit.passage.language != one.language


def _sentence_data(readings: Sequence[Read], *, across: bool) -> tuple[list[tuple[float, ...]], list[int]]:
    """Return features and labels of sentences in the question's language, or in others."""
    features, labels = [], []
    for one in readings:
        if one.kind != "answerable":
            continue
        asked, words = one.asked, word_weights_of(one.asked, one.seen)
        for known in one.known:
            if _is_across(one, known.evidence) == across:
                features.append(trained_sentence_features(asked, known, word_weights=words))
                labels.append(int(is_right(one.case, known.evidence)))
    return features, labels


def _answer_data(
    readings: Sequence[Read], weights: Weights, *, across: bool
) -> tuple[list[tuple[float, ...]], list[int]]:
    """Return features and labels of readings whose best sentence is in the question's language, or in another.

    The sets answer a question in its own language whenever they have a passage in it. In an archive it need not be so:
    of such questions whose best sentence is in another language only one in `_SELDOM` counts.
    """
    some = [one for one in readings if _is_across(one, one.best(weights).evidence) == across]
    if across:
        own = [one for one in some if not one.case.across]
        some = [one for one in some if one.case.across] + own[::_SELDOM]
    return [one.features(weights) for one in some], _labels(some)


def _best_threshold(readings: Sequence[Read], weights: Weights) -> float:
    """Return what is best for questions within a language and across two, which count the same."""
    groups = [[one for one in readings if one.case.across == across] for across in (False, True)]
    return threshold_weighing_twice([([one.probability(weights) for one in some], _labels(some)) for some in groups])


def _untrained(one: Read) -> float:
    best = one.seen[0]
    same = best.hit.passage.language == one.case.consultation.language
    weights = reading.ANSWER_WEIGHTS if same else reading.ANSWER_WEIGHTS_ACROSS
    hits = [item.hit for item in one.seen]
    return logistic(
        weights, answer_features(one.asked, best, hits=hits, word_weights=word_weights_of(one.asked, one.seen))
    )


def _report_first(judged: Sequence[Judged], *, across: bool) -> None:
    answerable = [one for one in judged if one.read.kind == "answerable"]
    some = [one.read for one in answerable]
    ways = {
        "all signals": [one.read.best(one.by).evidence for one in answerable],
        "the model's sentence": [max(one.known, key=lambda known: known.answering).evidence for one in some],
        "the model's span": [max(one.known, key=lambda known: known.margin).evidence for one in some],
        "untrained": [one.seen[0] for one in some],
    }
    right = {
        name: np.mean([is_right(one.case, item) for one, item in zip(some, best, strict=True)])
        for name, best in ways.items()
    }
    words = ", ".join(f"{name} {share:.3f}" for name, share in right.items())
    print(f"  {_where(across)}: best sentence holds the answer: {words} (n={len(some)})")


def _report_answers(
    name: str, readings: Sequence[Read], values: Sequence[float], *, threshold: float, across: bool
) -> None:
    from sklearn.metrics import roc_auc_score

    truth, probabilities = np.array(_labels(readings), dtype=bool), np.array(values)
    answered = probabilities >= threshold
    shares = []
    for kind in ("left out", "near miss"):
        other = np.array([one.kind == kind for one in readings])
        if other.any() and truth.any():
            kept = truth | other
            area = roc_auc_score(truth[kept], probabilities[kept])
            shares.append(f"{kind}: AUROC {area:.3f}, answered {answered[other].mean():.3f} (n={other.sum()})")
    error = calibration_error(probabilities, truth)
    print(
        f"  {_where(across)}, {name} from {threshold:.2f}: answered {answered[truth].mean():.3f} of the answerable "
        f"(n={truth.sum()}); {'; '.join(shares)}; calibration error {error:.3f}"
    )


def _report_words(judged: Sequence[Judged], *, threshold: float) -> None:
    """Print how often the best words of what would be answered are the answer, by how far they are above none."""
    found: list[tuple[float, bool]] = []
    for one in judged:
        best = one.read.best(one.by)
        if best.spans and one.read.probability(one.by) >= threshold:
            span, article = best.spans[0], best.evidence.hit.article
            words = plain(article.text[span.start : span.end])
            answers = [plain(answer) for answer in one.read.case.answers]
            right = one.read.kind == "answerable" and is_right(one.read.case, best.evidence)
            # Longer or shorter by a little, as people differ in it too.
            found.append((span.score, right and any(words in answer or answer in words for answer in answers)))
    for least, most in pairwise((-np.inf, *_MARGINS, np.inf)):
        some = [right for score, right in found if least <= score < most]
        if some:
            print(f"  words {least:+.0f} to {most:+.0f} above none: {np.mean(some):.3f} are the answer (n={len(some)})")


def _report_stopping(judged: Sequence[Judged]) -> None:
    """Print what stopping saves and changes: passages read, and questions whose best sentence is another one."""
    for certain in _CERTAIN:
        stopped, passages, changed = 0, 0, 0
        for one, by in ((each.read, each.by) for each in judged):
            order = list(dict.fromkeys(known.evidence.hit.passage.id for known in one.known))
            first = [known for known in one.known if known.evidence.hit.passage.id in order[:FIRST]]
            kept = set(order)
            if one.probability(by, known=first) >= certain:
                rest = {item.hit.passage.id: item.hit for item in one.seen if item.hit.passage.id in order[FIRST:]}
                kept = {*order[:FIRST], *(hit.passage.id for hit in promising(list(rest.values()), one.seen))}
                stopped += 1
            passages += len(kept)
            changed += one.best(by).evidence.hit.passage.id not in kept
        count = len(judged)
        print(
            f"  certain from {certain}: {stopped / count:.3f} stop, {passages / count:.2f} passages are read, "
            f"the best sentence is lost in {changed / count:.4f} (n={count})"
        )


def _where(across: bool) -> str:
    return "across languages" if across else "within a language"
