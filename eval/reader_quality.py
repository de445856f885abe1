"""How well the shipped reader reads, on what it was not chosen by: `python -m eval.reader_quality [WEIGHTS]`.

XQuAD: the question over its paragraph, which is cut into passages as an archive would, all of them read. NoMIRACL: does
one of ten retrieved passages answer, told by the highest relevance. Questions of validation articles come first: what
this module does with a paragraph was chosen on those alone.
"""

from __future__ import annotations

import argparse
import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eval.finding_ranking import estimated
from eval.finding_sets import XQUAD_LANGUAGES, key_of, rows
from eval.metrics import contains
from eval.reader_features import Row, counter, rows_of
from eval.reader_followups import followed
from eval.reader_passages import CountTokens, Example
from eval.reader_scores import Said, auroc, best_span, f1, is_exact, read
from eval.reader_sets import Question, Sets, read_sets
from rag.bundled import bundled_model_folder
from rag.config import IngestSettings
from rag.reader_weights import WEIGHTS_FILE
from rag.sentences import split_sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

    from eval.reader_model import Encoder

_MOST_TOKENS = 320
_VALIDATED = (
    "squad_dev_mt_es",
    "squad_es_dist",
    "squad_it_dev",
    "piaf_fr",
    "faquad_pt",
    "qed_nq_en",
    "squadshifts_wiki_en",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over a paragraph, in the paragraph's `language`; `subject` is what belongs together in a resample."""

    question: str
    paragraph: str
    language: str
    answers: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question: the words, the sentence that is most likely to answer."""

    words: str
    sentence: str


class Reading:
    """A reader with its tokenizer."""

    def __init__(self, encoder: Encoder, weights: Mapping[str, Tensor], tokenizer: Tokenizer) -> None:
        self._encoder, self._weights, self._tokenizer = encoder, weights, tokenizer
        self._count = counter(tokenizer)

    def answers(self, asked: Sequence[Asked]) -> list[Found]:
        """Return what is found for each question."""
        examples: list[Example] = []
        owners: list[int] = []
        for at, one in enumerate(asked):
            cut = list(passages(one, count=self._count))
            examples += cut
            owners += [at] * len(cut)
        kept = self._rows(examples)
        said = read(kept, self._encoder, self._weights)
        best: dict[int, tuple[float, Found]] = {}
        for owner, example, row, heard in zip(owners, examples, kept, said, strict=True):
            start, end, above = best_span(heard, row)
            if owner not in best or above > best[owner][0]:
                a, b = example.sentences[int(heard.sentence.argmax())]
                best[owner] = above, Found(example.passage[start:end], example.passage[a:b])
        return [best[at][1] for at in range(len(asked))]

    def relevance(self, pairs: Sequence[tuple[str, str, str]]) -> list[float]:
        """Return the logit that a passage answers a question, of (question, title, passage) each."""
        examples = [_example(question, passage, ((0, len(passage)),), title) for question, title, passage in pairs]
        return [said.relevance for said in self.said(examples)]

    def said(self, examples: Sequence[Example]) -> list[Said]:
        """Return what the reader says of each example."""
        return read(self._rows(examples), self._encoder, self._weights)

    def _rows(self, examples: Sequence[Example]) -> list[Row]:
        return [row for row in rows_of(examples, self._tokenizer, most_tokens=_MOST_TOKENS) if row is not None]


def load_reading(file: Path) -> Reading:
    """Return the reader of a file of shipped weights."""
    import torch
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    from eval.reader_model import Encoder, copies, read_base

    folder = bundled_model_folder()
    stored = load_file(file)
    weights = {
        name: torch.from_numpy(value * stored[f"{name}.scale"][:, None] if f"{name}.scale" in stored else value).float()
        for name, value in stored.items()
        if not name.endswith(".scale")
    }
    frozen = min(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return Reading(Encoder(read_base(folder), frozen=frozen), copies(weights, whole_numbers=False), tokenizer)


def passages(asked: Asked, *, count: CountTokens) -> Iterator[Example]:
    """Yield the question over each passage of its paragraph: whole sentences, as many as an archive would take."""
    most = IngestSettings().passage_tokens
    sentences = split_sentences(asked.paragraph, language=asked.language)
    lengths = count([sentence.text for sentence in sentences])
    begun, taken = 0, 0
    for at, length in enumerate([*lengths, most + 1]):
        if taken and taken + length > most:
            start, end = sentences[begun].start, sentences[at - 1].end
            spans = tuple((one.start - start, one.end - start) for one in sentences[begun:at])
            yield _example(asked.question, asked.paragraph[start:end], spans, "")
            begun, taken = at, 0
        taken += length


def _example(question: str, passage: str, sentences: tuple[tuple[int, int], ...], title: str) -> Example:
    return Example("", "", "", "", "", question, title, passage, sentences, (), "")


def held_out(sets: Sets, *, source: str, asked_in: str = "") -> list[Asked]:
    """Return the answered questions of a set on articles that the reader did not learn from, or their translations."""
    wordings: Mapping[str, Question] = {one.key: one for one in sets.questions if one.source == (asked_in or source)}
    return [
        Asked(
            wordings[one.key].question,
            sets.texts[one.pid].text,
            one.language,
            tuple(sets.texts[one.pid].text[a:b] for a, b in one.answers),
            sets.texts[one.pid].subject,
        )
        for one in sets.questions
        if one.source == source and one.answers and sets.side(one) == "validation" and one.key in wordings
    ]


def follow_ups(sets: Sets, *, source: str, seed: int = 1) -> tuple[list[Asked], list[Asked]]:
    """Return those held-out questions that lose words after another one on their paragraph: whole, and after it."""
    beside: dict[str, list[str]] = defaultdict(list)
    for one in sets.questions:
        if one.source == source:
            beside[sets.texts[one.pid].text].append(one.question)
    whole, following = [], []
    rng = random.Random(seed)
    for asked in held_out(sets, source=source):
        earlier = [other for other in beside[asked.paragraph] if other != asked.question]
        if earlier:
            made = followed(earlier, asked.question, language=asked.language, rng=rng)
            if made.leans:
                whole.append(asked)
                following.append(replace(asked, question=made.text))
    return whole, following


def xquad(data: Path, *, asked_in: str, over: str) -> list[Asked]:
    """Return XQuAD's questions in one language over its paragraphs in another."""
    folder = data / "data" / "xquad"
    paragraphs = {row["pid"]: row for row in rows(folder / f"passages.{over}.jsonl")}
    wordings = {key_of(row["qid"]): row["question"] for row in rows(folder / f"questions.{asked_in}.jsonl")}
    return [
        Asked(
            wordings[key_of(row["qid"])],
            paragraphs[row["pid"]]["text"],
            over,
            tuple(answer["text"] for answer in row["answers"]),
            paragraphs[row["pid"]]["title"],
        )
        for row in rows(folder / f"questions.{over}.jsonl")
    ]


def nomiracl(data: Path, reading: Reading) -> tuple[list[float], list[float]]:
    """Return the highest relevance among each question's passages: where one of them answers, and where none does."""
    folder = data / "data" / "nomiracl"
    texts = {row["pid"]: row for row in rows(folder / "passages.es.jsonl")}
    highest: list[list[float]] = []
    for subset in ("relevant", "non_relevant"):
        asked = list(rows(folder / f"questions.es.{subset}.jsonl"))
        pairs = [(one["question"], texts[pid]) for one in asked for pid in one["judged_pids"] if pid in texts]
        heard = iter(reading.relevance([(question, text["title"], text["text"]) for question, text in pairs]))
        highest.append([max(next(heard) for pid in one["judged_pids"] if pid in texts) for one in asked])
    return highest[0], highest[1]


def line(name: str, asked: Sequence[Asked], reading: Reading) -> str:
    """Return a row of the table: F1, exact match and how often the likeliest sentence holds an answer."""
    found = reading.answers(asked)
    subjects = [one.subject for one in asked]
    shared = [f1(one.words, is_.answers, language=is_.language) for one, is_ in zip(found, asked, strict=True)]
    exact = [
        float(is_exact(one.words, is_.answers, language=is_.language)) for one, is_ in zip(found, asked, strict=True)
    ]
    held = [
        float(any(contains(one.sentence, answer, language=is_.language) for answer in is_.answers))
        for one, is_ in zip(found, asked, strict=True)
    ]
    cells = []
    for values in (shared, exact, held):
        estimate = estimated(values, subjects=subjects)
        cells.append(f"{estimate.mean:.3f} ({estimate.interval.low:.3f}-{estimate.interval.high:.3f})")
    return f"| {name} | {len(asked)} | {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m eval.reader_quality", description=__doc__)
    parser.add_argument("weights", type=Path, nargs="?", default=WEIGHTS_FILE, help="shipped weights")
    parser.add_argument("--validation-only", action="store_true", help="leave out what is only reported")
    chosen = parser.parse_args(arguments)
    data = Path(os.environ.get("HEMEROTECA_DATA", ""))
    if not (data / "train").is_dir():
        parser.exit(2, "HEMEROTECA_DATA names no folder with train/: set it to the folder of the public data sets\n")
    reading = load_reading(chosen.weights)
    print("| questions on paragraphs | n | F1 | exact | likeliest sentence holds it |\n| --- | --- | --- | --- | --- |")
    sets = read_sets(data)
    for source in _VALIDATED:
        print(line(f"validation {source}", held_out(sets, source=source), reading), flush=True)
    crossed = held_out(sets, source="squad_dev_mt_es", asked_in="squad_it_dev")
    print(line("validation it on es", crossed, reading), flush=True)
    for source in ("squad_dev_mt_es", "squadshifts_wiki_en"):
        whole, following = follow_ups(sets, source=source)
        print(line(f"validation {source}, asked whole", whole, reading), flush=True)
        print(line("— the same after another question", following, reading), flush=True)
    if chosen.validation_only:
        return 0
    for asked_in, over in (("en", "es"), ("zh", "es"), ("es", "en")):
        print(line(f"XQuAD {asked_in} on {over}", xquad(data, asked_in=asked_in, over=over), reading), flush=True)
    for language in XQUAD_LANGUAGES:
        print(line(f"XQuAD {language}", xquad(data, asked_in=language, over=language), reading), flush=True)
    answered, unanswered = nomiracl(data, reading)
    low, high = auroc_interval(answered, unanswered)
    n = f"n = {len(answered)} + {len(unanswered)}"
    print(f"\nNoMIRACL es: AUROC {auroc(answered, unanswered):.3f} ({low:.3f}-{high:.3f}), {n}")
    return 0


def auroc_interval(
    positive: Sequence[float], negative: Sequence[float], *, resamples: int = 2000
) -> tuple[float, float]:
    """Return the 95 % interval of an AUROC by resampling both sides."""
    draw = np.random.default_rng(1)
    found = [
        auroc(draw.choice(positive, len(positive)).tolist(), draw.choice(negative, len(negative)).tolist())
        for _ in range(resamples)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    raise SystemExit(main())
