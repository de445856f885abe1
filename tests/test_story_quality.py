"""How stories are measured: copies made of articles, halves by article, and curves over a small collection."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.copied import WAYS, made_copies
from eval.story_quality import COPY_LIMITS, EVENT_LIMITS, Point, measure
from eval.story_sets import TRANSLATIONS, read_articles, read_groups, read_pairs, split_of
from rag.interfaces import PassageVectors, Vector, Vectors
from rag.schema import Passage, Sentence
from rag.shingles import containment, shingles
from rag.stories import RULES
from tests.hashed_embedder import HashedEmbedder

SYLLABLES = [first + vowel for first in "bcdfglmnprst" for vowel in "aeiou"]


def article(topic: str) -> str:
    """Forty sentences of eight words that no other topic has."""
    words = [f"{one}{topic}{other}" for one in SYLLABLES for other in ("ma", "re", "so", "ti", "lu", "che")]
    return " ".join(" ".join(words[at : at + 8]).capitalize() + "." for at in range(0, 320, 8))


ARTICLES = [(f"id{number}", article(topic)) for number, topic in enumerate(("mar", "sol", "luz", "pan", "rey", "col"))]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_same_seed_makes_the_same_copies() -> None:
    assert made_copies(ARTICLES, seed=3, count=6) == made_copies(ARTICLES, seed=3, count=6)
    assert made_copies(ARTICLES, seed=3, count=6) != made_copies(ARTICLES, seed=4, count=6)


def test_each_way_comes_alone_and_every_other_copy_has_three() -> None:
    many = [(f"{name}-{number}", text) for number in range(4) for name, text in ARTICLES]
    ways = [copy.ways for copy in made_copies(many, seed=1, count=24)]
    assert {way for each in ways if len(each) == 1 for way in each} == {*WAYS}
    assert [len(each) for each in ways] == [1, 3] * 12


def test_copy_keeps_much_of_its_original_and_is_not_the_same() -> None:
    originals = dict(ARTICLES)
    for copy in made_copies(ARTICLES, seed=1, count=6):
        assert copy.text != originals[copy.original]
        assert containment(shingles(copy.text), shingles(originals[copy.original])) > 0.5


def test_short_articles_are_not_copied() -> None:
    assert made_copies([("short", "Uno dos tres.")], seed=1, count=5) == []


def test_judged_articles_are_in_the_half_of_their_labels_and_in_no_other() -> None:
    pairs = {split: read_pairs(split) for split in ("dev", "test")}
    ends = {split: {end for pair in found for end in (pair.one, pair.other)} for split, found in pairs.items()}
    assert not ends["dev"] & ends["test"]
    assert {split_of(end) for end in ends["dev"]} == {"dev"}
    assert {split_of(member) for group in read_groups("test") for member in group.members} == {"test"}
    assert {split_of(f"unknown {number}") for number in range(20)} == {"dev", "test"}


@pytest.mark.parametrize(
    ("point", "recall", "precision"),
    [(Point(0.5, 3, 4, 1, 9), 0.75, 0.75), (Point(0.5, 0, 4, 0, 2), 0.0, None), (Point(0.5, 0, 0, 1, 0), 0.0, 0.0)],
    ids=["some", "no link", "nothing to find"],
)
def test_recall_and_precision_of_a_limit(point: Point, recall: float, precision: float | None) -> None:
    assert (point.recall, point.precision) == (recall, precision)


class BareEmbedder:
    """Vectors of hashed words, also of passages of which no sentence is known."""

    def __init__(self) -> None:
        self._hashed = HashedEmbedder()
        self.dim, self.max_tokens, self.fingerprint = self._hashed.dim, 512, self._hashed.fingerprint

    def count(self, texts: Sequence[str]) -> list[int]:
        return self._hashed.count(texts)

    def embed_question(self, text: str) -> Vector:
        return self._hashed.embed_question(text)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        return self._hashed.embed_questions(texts)

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        return self._hashed.embed_passages(
            [replace(each, sentences=(Sentence(each.start, each.end, each.text),)) for each in passages]
        )


def write(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """A judged copy of each half that is one, a judged pair that is none, and nothing else."""
    dev = read_pairs("dev")
    copy = next(pair for pair in dev if pair.label == "COPY")
    apart = next(pair for pair in dev if pair.label == "DIFFERENT" and {pair.one, pair.other}.isdisjoint({copy.one}))
    texts = {copy.one: article("mar"), copy.other: article("mar")[:1500], apart.one: article("sol")}
    texts[apart.other] = article("luz")
    news = [
        {"doc_id": name, "paragraphs": [text], "title": None, "source": "Faro", "date_from_url": None}
        for name, text in texts.items()
    ]
    write(tmp_path / "data" / "fakenews_es" / "articles.jsonl", news)
    write(tmp_path / "data" / "ancora_news_es" / "docs.jsonl", [])
    for language in ("es", *TRANSLATIONS):
        write(tmp_path / "data" / "ntrex" / f"docs.{language}.jsonl", [])
    return tmp_path


def test_pairs_made_and_judged_are_counted_at_every_limit(collections: Path) -> None:
    assert len(read_articles(collections, split="dev")) == 4
    result = measure(collections, embedder=BareEmbedder(), split="dev", made=4)
    assert result.articles == 4
    assert tuple(point.limit for point in result.copies) == COPY_LIMITS
    assert tuple(point.limit for point in result.events) == EVENT_LIMITS
    in_use = {point.limit: point for point in result.copies}[RULES.copy]
    assert (in_use.right, in_use.wrong, in_use.unjudged) == (1, 0, 0)
    made = {point.limit: point for point in result.made}[RULES.copy]
    assert (made.right, made.of, made.wrong) == (4, 4, 0)
    assert sum(found for found, _ in result.made_by_way.values()) == 4
