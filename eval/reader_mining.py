"""Paragraphs that word search ranks high for a question and that do not answer it; translations that share no id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.reader_sets import Question, Sets, Text, side_of
from rag.analysis import terms
from rag.interfaces import Vectors

# BM25's usual constants, as Tantivy has them.
_K1, _B = 1.2, 0.75
_BLOCK = 512
# The Spanish sets are mixed, as an archive mixes what it holds, and so are those of the languages next to it.
_MIXED = ("es", "pt", "fr")

# How far a translation stands out among the questions that are not, by eye on fifty pairs.
_MARGIN = 0.01

Mined = Mapping[tuple[str, str], Sequence[str]]
"""By source and key of a question: ids of paragraphs, the highest ranked first."""


def mined(sets: Sets, *, most: int) -> Mined:
    """Return the paragraphs that rank highest for each question and do not answer it.

    Ranked by BM25 over the paragraphs of the same language and side of the split. The question's own paragraph is
    passed over, and whatever holds the words of an answer.
    """
    pools: dict[tuple[str, ...], list[Text]] = defaultdict(list)
    asked: dict[tuple[str, ...], list[Question]] = defaultdict(list)
    for text in sets.texts.values():
        pools[_pool(text)].append(text)
    for question in sets.questions:
        asked[_pool(sets.texts[question.pid])].append(question)
    found: dict[tuple[str, str], Sequence[str]] = {}
    for pool, questions in asked.items():
        found |= _mined_among(pools[pool], questions, most=most)
    return found


def _pool(text: Text) -> tuple[str, ...]:
    return (text.language, "" if text.language in _MIXED else text.source, side_of(text.subject))


def _mined_among(
    texts: Sequence[Text], questions: Sequence[Question], *, most: int
) -> dict[tuple[str, str], list[str]]:
    language = texts[0].language
    words: dict[str, int] = {}
    documents = _counts([terms(f"{text.title}\n{text.text}", language) for text in texts], words, grow=True)
    wanted = _counts([terms(question.question, language) for question in questions], words, grow=False)
    weights = _bm25(documents).T.tocsr()
    folded = [text.text.casefold() for text in texts]
    own = {text.pid: at for at, text in enumerate(texts)}
    found: dict[tuple[str, str], list[str]] = {}
    for start in range(0, len(questions), _BLOCK):
        block = questions[start : start + _BLOCK]
        for question, row in zip(block, (wanted[start : start + _BLOCK] @ weights).toarray(), strict=True):
            paragraph = texts[own[question.pid]].text
            answers = {paragraph[a:b].casefold() for a, b in question.answers}
            row[own[question.pid]] = 0
            ranked = np.argpartition(-row, min(4 * most, len(row) - 1))[: 4 * most]
            ranked = ranked[np.argsort(-row[ranked])]
            kept = [at for at in ranked if row[at] > 0 and not any(answer in folded[at] for answer in answers)]
            found[question.source, question.key] = [texts[at].pid for at in kept[:most]]
    return found


def _counts(analysed: Sequence[Sequence[str]], words: dict[str, int], *, grow: bool) -> Any:
    """Return how often each text has each word, texts x words; a word not seen before counts only if it may `grow`."""
    from scipy import sparse

    columns: list[int] = []
    ends = [0]
    for text in analysed:
        known = (words.setdefault(word, len(words)) if grow else words.get(word) for word in text)
        columns.extend(column for column in known if column is not None)
        ends.append(len(columns))
    matrix = sparse.csr_matrix(
        (np.ones(len(columns), np.float32), columns, ends), shape=(len(analysed), max(len(words), 1))
    )
    matrix.sum_duplicates()
    return matrix


def _bm25(counts: Any) -> Any:
    """Return the weight of each word in each text (Robertson and Zaragoza 2009)."""
    from scipy import sparse

    rows, columns = counts.nonzero()
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    holding = np.bincount(columns, minlength=counts.shape[1])
    idf = np.log1p((counts.shape[0] - holding + 0.5) / (holding + 0.5))
    saturated = counts.data / (counts.data + _K1 * (1 - _B + _B * lengths[rows] / max(lengths.mean(), 1)))
    return sparse.csr_matrix((idf[columns] * saturated, (rows, columns)), shape=counts.shape, dtype=np.float32)


def with_shared_keys(sets: Sets, *, source: str, other: str, embed: Callable[[Sequence[str]], Vectors]) -> Sets:
    """Give questions of `source` the keys of their translations in `other`, where there is no doubt which those are.

    Two questions are taken for translations if each is the other's nearest, the cosine stands out from the next, both
    are about the same subject and both have an answer or neither has.

    Args:
        sets: Has both.
        source: The set whose questions get new keys.
        other: The set whose keys they get.
        embed: Unit vectors of questions, in whatever language.
    """
    mine = [question for question in sets.questions if question.source == source]
    theirs = [question for question in sets.questions if question.source == other]
    if not mine or not theirs:
        return sets
    cosines = embed([one.question for one in mine]) @ embed([one.question for one in theirs]).T
    keys = {
        mine[at].key: theirs[to].key
        for at, to in _mutual(cosines)
        if sets.texts[mine[at].pid].subject == sets.texts[theirs[to].pid].subject
        and bool(mine[at].answers) == bool(theirs[to].answers)
    }
    return replace(sets, questions=tuple(replace(one, key=keys.get(one.key, one.key)) for one in sets.questions))


def _mutual(cosines: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    nearest, back = cosines.argmax(axis=1), cosines.argmax(axis=0)
    first_two = np.partition(cosines, -2, axis=1)[:, -2:] if cosines.shape[1] > 1 else None
    margin = np.ones(len(cosines)) if first_two is None else first_two[:, 1] - first_two[:, 0]
    return [(at, int(to)) for at, to in enumerate(nearest) if back[to] == at and margin[at] >= _MARGIN]
