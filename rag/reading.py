"""Which sentences of the hits answer a question, and how likely the archive answers it: without a trained reader.

A sentence is judged by the cosine of its vector with the question's and by the words they share. The weights are
logistic regressions fitted by `python -m eval.calibration` on training questions, split by article.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rag.interfaces import Reading, Vector, Vectors
from rag.schema import Evidence, Hit
from rag.terms import content_terms, coverage

LoadSentenceVectors = Callable[[Sequence[str]], Mapping[str, Vectors]]

# Probability from which an answer is given.
MIN_CONFIDENCE = 0.5
SENTENCE_WEIGHTS = {"bias": 0.0, "cosine": 0.0, "coverage": 0.0, "passage": 0.0}
ANSWER_WEIGHTS = {"bias": 0.0}
ANSWER_WEIGHTS_ACROSS = {"bias": 0.0}


class SentenceReader:
    """Reads by sentence vectors that were made at ingest, so a question costs no further embedding."""

    def __init__(self, *, load_sentence_vectors: LoadSentenceVectors) -> None:
        self._load = load_sentence_vectors

    def read(self, question: str, hits: Sequence[Hit], *, question_vector: Vector) -> Reading:
        """Return the sentences of the hits as evidence, best first; empty hits give none and probability 0."""
        raise NotImplementedError
