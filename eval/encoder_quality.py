"""What the fast engine of the bundled model costs in quality and saves in time: `python -m eval.encoder_quality`.

Each question is to find its own passage among the passages of its set, by cosine alone. The training sets
(`HEMEROTECA_DATA`/train) are those to choose on; XQuAD (`HEMEROTECA_DATA`/data) is only reported.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.bootstrap import paired_difference, resampled_by
from eval.finding_sets import key_of, rows
from eval.measuring import median
from rag.config import EmbeddingSettings
from rag.embedding import SentenceEmbedder, load_embedder
from rag.interfaces import Vectors
from rag.schema import Passage
from rag.sentences import split_sentences

# (set of questions, set of passages).
TRAIN = (
    ("squad_dev_mt_es", "squad_dev_mt_es"),
    ("squad_es_dist", "squad_es_dist"),
    ("squad_it_dev", "squad_it_dev"),
    ("piaf_fr", "piaf_fr"),
    ("faquad_pt", "faquad_pt"),
    ("squad_it_dev", "squad_dev_mt_es"),
    ("mlqa_dev_de", "mlqa_dev_de"),
    ("cmrc2018_zh", "cmrc2018_zh"),
)
_MOST_CHARACTERS = 1200
XQUAD = (("es", "es"), ("en", "es"), ("de", "de"), ("de", "es"), ("zh", "zh"), ("zh", "es"))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Questions, passages, and for each question the position of its passage and the subject of that."""

    name: str
    language: str
    questions: Sequence[str]
    passages: Sequence[str]
    gold: Sequence[int]
    subjects: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print for each set nDCG@10 and recall@1 of both engines, how near sentences are, and the times."""
    parser = argparse.ArgumentParser(prog="python -m eval.encoder_quality", description=__doc__)
    parser.add_argument("--passages", type=int, default=500, help="passages of each set (default 500)")
    parser.add_argument("--questions", type=int, default=500, help="questions of each set (default 500)")
    parser.add_argument("--only", choices=("quality", "speed"), help="one of the two (default both)")
    chosen = parser.parse_args(arguments)
    data = Path(os.environ.get("HEMEROTECA_DATA", ""))
    if not (data / "train").is_dir():
        parser.exit(2, "HEMEROTECA_DATA names no folder with train/: set it to the folder of the public data sets\n")
    exact, fast = (load_embedder(EmbeddingSettings(engine=engine)) for engine in ("torch", "int8"))
    if chosen.only != "speed":
        for name, held in TRAIN:
            passages = _kept(data / "train" / held, fast, limit=chosen.passages)
            asked = _asked(data / "train", name, held, kept={row["pid"] for row in passages})
            _report(_pairs(f"{name} on {held}", asked[: chosen.questions], passages), exact, fast)
        for name, held in XQUAD:
            _report(_xquad(data, name, held, embedder=fast), exact, fast)
    if chosen.only != "quality":
        report_speed(_xquad(data, "es", "es", embedder=fast), exact, fast)
    return 0


def _report(pairs: Pairs, exact: SentenceEmbedder, fast: SentenceEmbedder) -> None:
    ranks = [_ranks(pairs, embedder) for embedder in (exact, fast)]
    before, after = (np.where(found < 10, 1 / np.log2(found + 2), 0.0) for found in ranks)
    difference = paired_difference((after - before).tolist(), groups=resampled_by(pairs.subjects))
    low, high = difference.interval.low, difference.interval.high
    first = [float((found == 0).mean()) for found in ranks]
    sentences = [item.text for text in pairs.passages[:40] for item in split_sentences(text, language=pairs.language)][
        :200
    ]
    cosines = (fast.embed_questions(sentences) * exact.embed_questions(sentences)).sum(axis=1)
    print(
        f"{pairs.name:32} n={len(before)} among {len(pairs.passages)}: nDCG@10 {before.mean():.4f} -> "
        f"{after.mean():.4f}, {difference.mean:+.4f} [{low:+.4f}, {high:+.4f}]; "
        f"recall@1 {first[0]:.4f} -> {first[1]:.4f}; sentences' cosine {cosines.mean():.5f}, least {cosines.min():.5f}",
        flush=True,
    )


def _ranks(pairs: Pairs, embedder: SentenceEmbedder) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return how many passages stand before each question's own."""
    scores = embedder.embed_questions(pairs.questions) @ _passage_vectors(embedder, pairs.passages).T
    own = scores[np.arange(len(pairs.gold)), list(pairs.gold)]
    ranks: np.ndarray[Any, np.dtype[np.int64]] = (scores > own[:, None]).sum(axis=1)
    return ranks


def _passage_vectors(embedder: SentenceEmbedder, texts: Sequence[str]) -> Vectors:
    passages = [Passage(str(index), "a", 0, 0, len(text), text, "es", text, ()) for index, text in enumerate(texts)]
    return np.stack([vectors.passage for vectors in embedder.embed_passages(passages)])


def report_speed(pairs: Pairs, exact: SentenceEmbedder, fast: SentenceEmbedder, *, rounds: int = 7) -> None:
    """Print medians of rounds in which the engines take turns: what else runs slows both."""
    texts, questions = pairs.passages[:16], pairs.questions[:16]
    tokens = sum(fast.count(texts))
    spent: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, embedder in (("torch", exact), ("int8", fast)):
            start, cpu = time.perf_counter(), time.process_time()
            _passage_vectors(embedder, texts)
            spent.setdefault(f"{name} passages", []).append((time.perf_counter() - start, time.process_time() - cpu))
            start, cpu = time.perf_counter(), time.process_time()
            for question in questions:
                embedder.embed_question(question)
            spent.setdefault(f"{name} question", []).append((time.perf_counter() - start, time.process_time() - cpu))
    print(f"{len(texts)} passages of {tokens / len(texts):.0f} tokens, {len(questions)} questions, {rounds} rounds")
    for name, times in spent.items():
        wall, cpu = (median([item[index] for item in times]) for index in (0, 1))
        if name.endswith("passages"):
            print(f"{name}: {tokens / wall:.0f} tokens/s, {tokens / cpu:.0f} a second of processor time")
        else:
            print(
                f"{name}: {1000 * wall / len(questions):.1f} ms, {1000 * cpu / len(questions):.1f} ms of processor time"
            )
    for kind in ("passages", "question"):
        ratios = [
            (slow[0] / quick[0], slow[1] / quick[1])
            for slow, quick in zip(spent[f"torch {kind}"], spent[f"int8 {kind}"], strict=True)
        ]
        wall, cpu = (median([item[index] for item in ratios]) for index in (0, 1))
        print(f"{kind}: int8 is {wall:.2f} times as fast as torch, {cpu:.2f} times by processor time")


def _kept(folder: Path, embedder: SentenceEmbedder, *, limit: int) -> list[dict[str, Any]]:
    passages = [row for row in rows(folder / "passages.jsonl.gz") if len(row["text"]) < _MOST_CHARACTERS]
    passages = _fitting(passages, embedder)
    random.Random(1).shuffle(passages)
    return passages[:limit]


def _fitting(passages: Sequence[dict[str, Any]], embedder: SentenceEmbedder) -> list[dict[str, Any]]:
    """Return the passages that the model reads whole, its prefix included."""
    counts = embedder.count([row["text"] for row in passages])
    return [row for row, tokens in zip(passages, counts, strict=True) if tokens < embedder.max_tokens - 12]


def _asked(train: Path, name: str, held: str, *, kept: Set[str]) -> list[dict[str, Any]]:
    asked = [row for row in rows(train / held / "questions.jsonl.gz") if row["answerable"] and row["pid"] in kept]
    if name != held:
        wording = {key_of(row["qid"]): row["question"] for row in rows(train / name / "questions.jsonl.gz")}
        asked = [{**row, "question": wording[key_of(row["qid"])]} for row in asked if key_of(row["qid"]) in wording]
    random.Random(2).shuffle(asked)
    return asked


def _xquad(data: Path, name: str, held: str, *, embedder: SentenceEmbedder) -> Pairs:
    folder = data / "data" / "xquad"
    wording = {row["qid"]: row["question"] for row in rows(folder / f"questions.{name}.jsonl")}
    passages = _fitting(list(rows(folder / f"passages.{held}.jsonl")), embedder)
    kept = {row["pid"] for row in passages}
    asked = [row for row in rows(folder / f"questions.{held}.jsonl") if row["pid"] in kept]
    return _pairs(f"XQuAD {name} on {held}", [{**row, "question": wording[row["qid"]]} for row in asked], passages)


def _pairs(name: str, asked: Sequence[dict[str, Any]], held: Sequence[dict[str, Any]]) -> Pairs:
    places = {row["pid"]: index for index, row in enumerate(held)}
    gold = [places[row["pid"]] for row in asked]
    return Pairs(
        name,
        language=held[0]["lang"],
        questions=[row["question"] for row in asked],
        passages=[row["text"] for row in held],
        gold=gold,
        subjects=[held[index]["title"] or held[index]["pid"] for index in gold],
    )


if __name__ == "__main__":
    raise SystemExit(main())
