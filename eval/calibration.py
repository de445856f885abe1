"""Chooses the weights and the threshold of a reader on training questions: `python -m eval.calibration`.

Questions over the passages of public extractive sets (`HEMEROTECA_DATA`/train), in one language and across two, split
by title: one half fits, the other tells how well. A question is made unanswerable by leaving its title out of
what was found. Nothing here looks at XQuAD or at the gold set. `--reader trained` fits `rag.cross_reading` instead of
`rag.reading`, as `eval.calibration_trained` says.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval.finding_sets import key_of, rows
from ingest import ingest
from rag import Archive
from rag.config import load_settings
from rag.reading import Asked, answer_features, logistic, sentence_features, word_weights_of
from rag.schema import Consultation, Evidence, Hit

# (set of questions, set of passages). The first two were written by people who had the passage before them and share
# many words with it; the next three were not. Italian and Danish questions are over the Spanish translation.
PAIRS = (
    ("squad_es_dist", "squad_es_dist"),
    ("squad_dev_mt_es", "squad_dev_mt_es"),
    ("tydiqa_goldp", "tydiqa_goldp"),
    ("qed_nq_en", "qed_nq_en"),
    ("piaf_fr", "piaf_fr"),
    ("squad_it_dev", "squad_dev_mt_es"),
    ("squad_dev_mt_da", "squad_dev_mt_es"),
)
# The reader sees this many hits; more are fetched so that as many are left when a title is left out.
_READ, _FETCHED = 10, 40


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what was found for it."""

    question: str
    subject: str
    answers: tuple[str, ...]
    consultation: Consultation
    across: bool
    answerable: bool = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Print weights, threshold and what they reach on subjects that they were not fitted on."""
    parser = argparse.ArgumentParser(prog="python -m eval.calibration", description=__doc__)
    parser.add_argument("--passages", type=int, default=500, help="passages of each set (default 500)")
    parser.add_argument("--questions", type=int, default=500, help="questions of each set (default 500)")
    parser.add_argument("--reader", choices=("sentences", "trained"), default="sentences", help="whose weights to fit")
    parser.add_argument("--archive", type=Path, help="folder to keep the archive in between two runs")
    chosen = parser.parse_args(arguments)
    train = Path(os.environ.get("HEMEROTECA_DATA", "")) / "train"
    if not train.is_dir():
        parser.exit(2, "HEMEROTECA_DATA names no folder with train/: set it to the folder of the public data sets\n")
    with tempfile.TemporaryDirectory() as made:
        find = partial(
            cases,
            train,
            folder=chosen.archive or Path(made) / "archive",
            passages=chosen.passages,
            questions=chosen.questions,
        )
        if chosen.reader == "sentences":
            report(find())
        else:
            from eval.calibration_trained import NEAR_MISSES, held_out, report_trained

            report_trained(find(pairs=(*PAIRS, *NEAR_MISSES), only=held_out(train.parent)))
    return 0


def cases(
    train: Path,
    *,
    folder: Path,
    passages: int,
    questions: int,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    only: frozenset[str] | None = None,
) -> list[Case]:
    """Return questions with what an archive of the passages holds on them.

    Args:
        train: The folder of the sets.
        folder: Of the archive, which is made unless it is there.
        passages: Of each set.
        questions: Of each pair of sets.
        pairs: Sets of questions with sets of passages.
        only: Ids of the passages that may be asked about, also by questions that they do not answer; None means all,
            by answerable questions.
    """
    sets = {name: _passages(train / name, limit=passages, first=only) for name in sorted({pair[1] for pair in pairs})}
    # What is seen without training is what both readers begin with.
    settings = load_settings(arguments={"retrieval.passages": _FETCHED, "reading.reader": "sentences"})
    found = []
    with Archive.open(folder, create=True, settings=settings) as archive, tempfile.TemporaryDirectory() as made:
        for name, kept in sets.items():
            file = Path(made) / f"{name}.jsonl"
            lines = [
                json.dumps({"id": pid, "title": item["title"], "text": item["text"], "language": item["lang"]})
                for pid, item in kept.items()
            ]
            file.write_text("\n".join(lines), encoding="utf-8")
            ingest(archive, [file])
        for asked, held in pairs:
            for item in _questions(train, asked, held=held, kept=sets[held], limit=questions, only=only):
                passage = sets[held][item["pid"]]
                consultation = archive.consult(item["question"])
                found.append(
                    Case(
                        question=item["question"],
                        # As the archive keeps a title.
                        subject=" ".join((passage["title"] or "").split()) or passage["pid"],
                        answers=tuple(answer["text"] for answer in item["answers"]),
                        consultation=consultation,
                        across=asked != held,
                        answerable=item["answerable"],
                    )
                )
    return found


def report(found: Sequence[Case]) -> None:
    """Fit on half of the subjects, print the weights and what they reach on the other half."""
    from sklearn.metrics import roc_auc_score

    fit, held_out = split_by_subject(found)
    print(f"{len(fit)} questions to fit, {len(held_out)} held out")
    for across, suffix in ((False, ""), (True, "_ACROSS")):
        fitting = [case for case in fit if case.across == across]
        testing = [case for case in held_out if case.across == across]
        sentence_weights = fitted(*_sentence_data(fitting))
        print(f"SENTENCE_WEIGHTS{suffix} = {sentence_weights}")
        print(
            f"  best sentence holds the answer: {_first_right(testing, sentence_weights):.3f}; by cosine alone "
            f"{_first_right(testing, (0.0, 1.0, *[0.0] * 6)):.3f} (n={len(testing)})"
        )
        features, labels = _answer_data(fitting, sentence_weights)
        answer_weights = fitted(features, labels)
        print(f"ANSWER_WEIGHTS{suffix} = {answer_weights}")
        threshold = best_threshold([logistic(answer_weights, row) for row in features], labels)
        if not across:
            # One plain number for the setting: that of the commonest case.
            print(f"MIN_CONFIDENCE = {threshold:.2f}")
        features, labels = _answer_data(testing, sentence_weights)
        probabilities = np.array([logistic(answer_weights, row) for row in features])
        answered = probabilities >= threshold
        truth = np.array(labels, dtype=bool)
        print(
            f"  best threshold {threshold:.2f}: AUROC {roc_auc_score(truth, probabilities):.3f}, answered "
            f"{answered[truth].mean():.3f} of the answerable, {answered[~truth].mean():.3f} of the unanswerable, "
            f"calibration error {calibration_error(probabilities, truth):.3f} (n={truth.size})"
        )


def fitted(features: Sequence[Sequence[float]], labels: Sequence[int]) -> tuple[float, ...]:
    """Return the weights of a logistic regression, the bias first."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=10, max_iter=5000).fit(features, labels)
    return tuple(round(float(value), 3) for value in (regression.intercept_[0], *regression.coef_[0]))


def _passages(folder: Path, *, limit: int, first: frozenset[str] | None = None) -> dict[str, dict[str, Any]]:
    found = list(rows(folder / "passages.jsonl.gz"))
    random.Random(1).shuffle(found)
    if first:
        found.sort(key=lambda row: row["pid"] not in first)
    return {row["pid"]: row for row in found[:limit]}


def _questions(
    train: Path,
    name: str,
    *,
    held: str,
    kept: dict[str, dict[str, Any]],
    limit: int,
    only: frozenset[str] | None = None,
) -> list[dict[str, Any]]:
    asked = [
        row
        for row in rows(train / held / "questions.jsonl.gz")
        if row["pid"] in kept and (row["answerable"] if only is None else row["pid"] in only)
    ]
    if name != held:
        translations = {key_of(row["qid"]): row["question"] for row in rows(train / name / "questions.jsonl.gz")}
        asked = [
            {**row, "question": translations[key_of(row["qid"])]} for row in asked if key_of(row["qid"]) in translations
        ]
    random.Random(2).shuffle(asked)
    return asked[:limit]


def split_by_subject(found: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Return the cases to fit on and those to report on; no subject has cases in both."""
    subjects = sorted({case.subject for case in found})
    random.Random(3).shuffle(subjects)
    chosen = set(subjects[: len(subjects) // 2])
    return [case for case in found if case.subject in chosen], [case for case in found if case.subject not in chosen]


def _subject(hit: Hit) -> str:
    # Where a set gives no titles, each passage is a subject of its own.
    return hit.article.title or hit.article.given_id or hit.article.id


def hits_read(case: Case, *, without_subject: bool = False) -> tuple[list[Hit], list[Evidence]]:
    """Return the hits that the reader would see and their sentences."""
    hits = [hit for hit in case.consultation.hits if not (without_subject and _subject(hit) == case.subject)][:_READ]
    ids = {hit.passage.id for hit in hits}
    return hits, [item for item in case.consultation.evidence if item.hit.passage.id in ids]


def is_right(case: Case, item: Evidence) -> bool:
    """Whether a sentence is of the question's subject and holds one of its answers."""
    return _subject(item.hit) == case.subject and any(answer in item.sentence.text for answer in case.answers)


def _sentence_data(found: Sequence[Case]) -> tuple[list[tuple[float, ...]], list[int]]:
    features, labels = [], []
    for case in found:
        asked, evidence = Asked.of(case.question), hits_read(case)[1]
        word_weights = word_weights_of(asked, evidence)
        for item in evidence:
            features.append(sentence_features(asked, item, word_weights=word_weights))
            labels.append(int(is_right(case, item)))
    return features, labels


def _best(asked: Asked, evidence: Sequence[Evidence], weights: Sequence[float]) -> Evidence:
    word_weights = word_weights_of(asked, evidence)
    return max(evidence, key=lambda item: logistic(weights, sentence_features(asked, item, word_weights=word_weights)))


def _first_right(found: Sequence[Case], weights: Sequence[float]) -> float:
    right = [is_right(case, _best(Asked.of(case.question), hits_read(case)[1], weights)) for case in found]
    return sum(right) / max(len(right), 1)


def _answer_data(found: Sequence[Case], weights: Sequence[float]) -> tuple[list[tuple[float, ...]], list[int]]:
    features, labels = [], []
    for case in found:
        asked = Asked.of(case.question)
        for without_subject in (False, True):
            hits, evidence = hits_read(case, without_subject=without_subject)
            if not evidence:
                continue
            best = _best(asked, evidence, weights)
            features.append(answer_features(asked, best, hits=hits, word_weights=word_weights_of(asked, evidence)))
            labels.append(int(not without_subject))
    return features, labels


def best_threshold(probabilities: Sequence[float], labels: Sequence[int]) -> float:
    """Return the probability from which to answer when a wrong answer weighs twice a needless refusal."""
    return threshold_weighing_twice([(probabilities, labels)])


def threshold_weighing_twice(groups: Sequence[tuple[Sequence[float], Sequence[int]]]) -> float:
    """Return the same for groups of questions, each of probabilities and labels, that count alike."""
    found = [(np.array(probabilities), np.array(labels, dtype=bool)) for probabilities, labels in groups]

    def worth(threshold: float) -> float:
        return sum(
            float((values[truth] >= threshold).mean() - 2 * (values[~truth] >= threshold).mean())
            for values, truth in found
        )

    return float(max(np.arange(0.05, 0.96, 0.01), key=worth))


def calibration_error(probabilities: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    """Expected calibration error over ten bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((probabilities * 10).astype(int), 9)
    error = 0.0
    for index in range(10):
        inside = bins == index
        if inside.any():
            error += inside.mean() * abs(probabilities[inside].mean() - truth[inside].mean())
    return float(error)


if __name__ == "__main__":
    raise SystemExit(main())
