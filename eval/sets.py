"""Any set of questions by its path: the gold set, SQuAD files, rows of questions and passages, and your own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.dataset import GOLD, SAMPLE, Dataset, DatasetError, Question, QuestionSet
from eval.fields import json_of, object_of
from eval.formats import content_of, read_questions
from eval.pairs import PAIRED, read_pairs
from eval.squad import read_squad


def read_set(questions: Path | None, *, articles: Sequence[Path] = (), seed: int = 1) -> QuestionSet:
    """Return a set of questions with what its archive is made of.

    A set of SQuAD's shape, or of questions and passages, is halved by page (see `halved`).

    Args:
        questions: None for the gold set, else a file of a kind that `eval run --help` tells.
        articles: Files or folders of articles for your own questions; passages; or the other SQuAD file.
        seed: Of the halves.

    Raises:
        DatasetError: A file cannot be read or is of none of the formats, or `articles` do not fit the questions.
    """
    if questions is None:
        if articles:
            raise DatasetError("--articles goes with questions of your own: name their file first")
        return QuestionSet(dataset=read_questions(GOLD), paths=(SAMPLE,))
    names = questions.suffixes[-2:] if questions.suffix == ".gz" else questions.suffixes[-1:]
    if names[:1] == [".json"]:
        if len(articles) > 1:
            raise DatasetError(f"--articles names {len(articles)} files: a SQuAD file takes one other SQuAD file")
        return _halved(read_squad(questions, contexts=articles[0] if articles else None), seed=seed)
    if names[:1] != [".jsonl"]:
        raise DatasetError(f"questions {questions} are of no kind that is read: give .jsonl, or .json for SQuAD")
    first = _first_row(questions)
    if any(key in first for key in PAIRED):
        if len(articles) != 1:
            raise DatasetError(f"{questions} asks about passages: name their file with --articles PASSAGES.jsonl")
        return _halved(read_pairs(questions, articles[0]), seed=seed)
    return QuestionSet(dataset=read_questions(questions), paths=tuple(articles))


def _halved(found: QuestionSet, *, seed: int) -> QuestionSet:
    return replace(found, dataset=halved(found.dataset, seed=seed))


def halved(dataset: Dataset, *, seed: int) -> Dataset:
    """Return the questions with half of the subjects in split "dev", the others in "test": a subject is in one only."""
    subjects = _shuffled(dataset, f"halves {seed}")
    first = set(subjects[: (len(subjects) + 1) // 2])
    return replace(
        dataset,
        questions=tuple(
            replace(question, split="dev" if _subject(question) in first else "test") for question in dataset.questions
        ),
    )


def sampled(dataset: Dataset, *, subjects: int, seed: int) -> Dataset:
    """Return the questions of so many subjects, drawn at random; all of them where there are no more.

    A question without a subject is one of its own. The archive keeps all articles: a sample is as hard as the whole.
    """
    chosen = set(_shuffled(dataset, f"sample {seed}")[:subjects])
    return replace(dataset, questions=tuple(item for item in dataset.questions if _subject(item) in chosen))


def subject_count(dataset: Dataset) -> int:
    """Return how many subjects `sampled` draws from."""
    return len({_subject(question) for question in dataset.questions})


def _shuffled(dataset: Dataset, seed: str) -> list[str]:
    # Halves and samples are shuffled apart, or a small sample would lie in one half.
    subjects = sorted({_subject(question) for question in dataset.questions})
    random.Random(seed).shuffle(subjects)
    return subjects


def _subject(question: Question) -> str:
    return question.subject or f"question {question.qid}"


def _first_row(path: Path) -> dict[str, Any]:
    """Return the first row, empty where it is none: the reader of that format then says what is wrong."""
    try:
        return object_of(json_of(content_of(path).removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]))
    except ValueError:
        return {}
