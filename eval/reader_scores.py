"""What the reader says, in plain arrays, and how well spans and relevance are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.metrics import exact_match, token_f1
from eval.reader_features import Row
from eval.reader_passages import Example

if TYPE_CHECKING:
    from torch import Tensor

    from eval.reader_model import Encoder

_LONGEST_SPAN = 30
_READ_TOKENS = 16384
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Said:
    """What the reader said of a passage: logits of starts and ends by token, of its sentences, and of the passage."""

    start: Floats
    end: Floats
    sentence: Floats
    relevance: float


def read(rows: Sequence[Row], encoder: Encoder, weights: Mapping[str, Tensor]) -> list[Said]:
    """Return what the reader says of each row, in order."""
    import torch

    from eval.reader_model import batch_of, logits_of

    by_length: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        by_length.setdefault(len(row.ids), []).append(at)
    said: dict[int, Said] = {}
    with torch.no_grad():
        for length, positions in by_length.items():
            size = max(1, _READ_TOKENS // length)
            for first in range(0, len(positions), size):
                chosen = positions[first : first + size]
                batch = batch_of([rows[at] for at in chosen])
                logits = logits_of(batch, encoder, weights)
                sentences = torch.split(logits.sentence, [len(rows[at].holds) for at in chosen])
                for at, start, end, sentence, relevance in zip(
                    chosen, logits.start, logits.end, sentences, logits.relevance.tolist(), strict=True
                ):
                    said[at] = Said(start.numpy(), end.numpy(), sentence.numpy(), relevance)
    return [said[at] for at in range(len(rows))]


def best_span(said: Said, row: Row) -> tuple[int, int, float]:
    """Return start and end of the likeliest answer in code points, and how far its logits lie above those of none."""
    first, count = row.first, len(row.spans)
    if not count:
        return 0, 0, float("-inf")
    scores = said.start[first : first + count, None] + said.end[None, first : first + count]
    ahead = np.arange(count)[None, :] - np.arange(count)[:, None]
    scores = np.where((ahead >= 0) & (ahead < _LONGEST_SPAN), scores, -np.inf)
    start, end = divmod(int(scores.argmax()), count)
    return (
        int(row.spans[start, 0]),
        int(row.spans[end, 1]),
        float(scores[start, end] - said.start[0] - said.end[0]),
    )


def f1(found: str, answers: Sequence[str], *, language: str) -> float:
    """Return F1 of the words shared with the answer that is most like what was found, 0 to 1."""
    return max(token_f1(found, answer, language=language) for answer in answers)


def is_exact(found: str, answers: Sequence[str], *, language: str) -> bool:
    """Return whether what was found is one of the answers, but for articles and marks."""
    return any(exact_match(found, answer, language=language) for answer in answers)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return how often a positive lies above a negative, ties half (Hanley and McNeil 1982); 0 to 1."""
    if not positive or not negative:
        return float("nan")
    merged = np.concatenate([np.asarray(positive, float), np.asarray(negative, float)])
    _, inverse, counts = np.unique(merged, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    above = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def answers_of(example: Example) -> list[str]:
    """Return the words of an example's answers."""
    return [example.passage[start:end] for start, end in example.answers]
