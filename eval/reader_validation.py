"""What the reader is chosen by: questions on articles that it does not learn from, in several languages."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eval.reader_data import examples, over
from eval.reader_features import Row, rows_of
from eval.reader_mining import Mined
from eval.reader_passages import CountTokens, Example
from eval.reader_scores import Said, answers_of, auroc, best_span, f1, is_exact, read
from eval.reader_sets import Sets

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

    from eval.reader_model import Encoder

_SEED = 7
# Answered examples of each group, and as many that are not answered.
_MOST = {"es": 250, "across": 200, "en": 80, "other": 25}
# Questions that are put to their passage among the highest ranked others.
_RANKED, _DISTRACTORS = 110, 7


@dataclass(frozen=True, slots=True)
class Validation:
    """Examples with their rows; `ranked` are groups of positions, the passage that answers first."""

    examples: tuple[Example, ...]
    rows: tuple[Row, ...]
    ranked: tuple[tuple[int, ...], ...]

    def figures(self, encoder: Encoder, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Return how good weights are; "score" is what they are chosen by, a mean of five."""
        said = read(self.rows, encoder, weights)
        by_group: dict[str, list[int]] = defaultdict(list)
        alone = range(self.ranked[0][1] if self.ranked else len(self.rows))
        for at in alone:
            by_group[group_of(self.examples[at])].append(at)
        spans = {name: [at for at in group if self.rows[at].answers] for name, group in by_group.items()}
        others = [at for name, group in spans.items() if name not in ("es", "across") for at in group]
        found: dict[str, float] = {}
        for name, group in (("es", spans["es"]), ("across", spans["across"]), ("others", others)):
            found[f"{name} f1"], found[f"{name} em"] = self._spans(group, said)
        found["auroc"] = self._auroc(list(alone), said)
        found["es auroc"] = self._auroc(by_group["es"], said)
        found["span auroc"] = self._auroc(list(alone), said, by_span=True)
        best = [max(group, key=lambda at: said[at].relevance) for group in self.ranked]
        found["first passage"] = float(np.mean([at == group[0] for at, group in zip(best, self.ranked, strict=True)]))
        held = [self.rows[at].holds[int(said[at].sentence.argmax())] for at in best]
        found["first sentence"] = float(np.mean(held))
        parts = ("es f1", "across f1", "others f1", "auroc", "first sentence")
        return {"score": float(np.mean([found[name] for name in parts])), **found}

    def shared_words(self, encoder: Encoder, weights: Mapping[str, Tensor]) -> tuple[list[float], list[str]]:
        """Return F1 of the words found for each answered example that is not ranked, and the example's subject."""
        alone = range(self.ranked[0][1] if self.ranked else len(self.rows))
        answered = [at for at in alone if self.rows[at].answers]
        said = read([self.rows[at] for at in answered], encoder, weights)
        shared = [self._compared(at, one)[0] for at, one in zip(answered, said, strict=True)]
        return shared, [self.examples[at].subject for at in answered]

    def _spans(self, group: Sequence[int], said: Sequence[Said]) -> tuple[float, float]:
        shared, exact = zip(*(self._compared(at, said[at]) for at in group), strict=True)
        return float(np.mean(shared)), float(np.mean(exact))

    def _compared(self, at: int, said: Said) -> tuple[float, bool]:
        example = self.examples[at]
        start, end, _ = best_span(said, self.rows[at])
        words, answers = example.passage[start:end], answers_of(example)
        return f1(words, answers, language=example.language), is_exact(words, answers, language=example.language)

    def _auroc(self, group: Sequence[int], said: Sequence[Said], *, by_span: bool = False) -> float:
        scores = {at: best_span(said[at], self.rows[at])[2] if by_span else said[at].relevance for at in group}
        positive = [scores[at] for at in group if self.rows[at].answers]
        return auroc(positive, [scores[at] for at in group if not self.rows[at].answers])


def group_of(example: Example) -> str:
    """Return "es" for Spanish on Spanish, "across" for two languages, else the language."""
    if example.question_language != example.language:
        return "across"
    return example.language


def validation(sets: Sets, mined: Mined, *, tokenizer: Tokenizer, count: CountTokens) -> Validation:
    """Return the validation examples, always the same ones."""
    rng = random.Random(_SEED)
    made = list(examples(sets, mined, side="validation", seed=_SEED, count=count))
    rng.shuffle(made)
    taken: dict[tuple[str, bool], int] = defaultdict(int)
    kept: list[Example] = []
    for example in made:
        group = group_of(example), bool(example.answers)
        if taken[group] < _MOST.get(group[0], _MOST["other"]):
            taken[group] += 1
            kept.append(example)
    asked = [one for one in kept if one.answers and one.language == "es"][:_RANKED]
    ranked: list[tuple[int, ...]] = []
    more: list[Example] = []
    for example in asked:
        others = mined.get((example.source, example.key), ())[:_DISTRACTORS]
        first = len(kept) + len(more)
        more += [over(example, sets.texts[pid], count=count, rng=rng) for pid in others]
        ranked.append((kept.index(example), *range(first, first + len(others))))
    rows = list(rows_of([*kept, *more], tokenizer))
    if None in rows:
        raise ValueError("an answer of a validation example lies beyond the length of a row: cut passages shorter")
    return Validation((*kept, *more), tuple(row for row in rows if row is not None), tuple(ranked))
