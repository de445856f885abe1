"""The public sets that retrieval is measured on, read from `HEMEROTECA_DATA`: texts to find, and questions to ask.

Sets of `train` are there to choose on, split by article; those of `data` are only reported.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.dataset import DatasetError

XQUAD_LANGUAGES = ("es", "en", "de", "el", "ru", "tr", "ar", "vi", "th", "zh", "hi", "ro")
TRAIN_SETS = {
    "squad_dev_mt_es": "es",
    "squad_es_dist": "es",
    "squad_it_dev": "it",
    "piaf_fr": "fr",
    "faquad_pt": "pt",
    "squad_dev_mt_da": "da",
    "squad2_dev_mt_id": "id",
    "qed_nq_en": "en",
}
# Sets of the same questions, by id; the Danish one has the English titles.
_PARALLEL = frozenset({"squad_dev_mt_es", "squad_it_dev", "squad_dev_mt_da", "squad2_dev_mt_id"})


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be found, an article of its own; `subject` is what belongs together in a resample."""

    id: str
    text: str
    subject: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A question and the one document that answers it, from `answer` on (TREC's word).

    `key` is the same in all languages that a question was put in.
    """

    key: str
    question: str
    document: str
    subject: str = ""
    answer: int = 0


@dataclass(frozen=True, slots=True)
class TopicSet:
    """Documents in one language and questions about them."""

    name: str
    language: str
    documents: tuple[Document, ...]
    topics: tuple[Topic, ...]

    def asked_in(self, other: TopicSet) -> tuple[Topic, ...]:
        """Return the topics that another set has too, in its words."""
        wording = {topic.key: topic.question for topic in other.topics}
        return tuple(replace(topic, question=wording[topic.key]) for topic in self.topics if topic.key in wording)


def read_xquad(data: Path, language: str) -> TopicSet:
    """Return XQuAD in one language: a hundred passages, each a document.

    Titles are left out: they are those of English pages ("Super_Bowl_50") in every language.
    """
    folder = data / "data" / "xquad"
    passages = list(rows(folder / f"passages.{language}.jsonl"))
    subjects = {row["pid"]: row["title"] for row in passages}
    return TopicSet(
        name=f"xquad {language}",
        language=language,
        documents=tuple(Document(row["pid"], row["text"], row["title"]) for row in passages),
        topics=_topics(folder / f"questions.{language}.jsonl", subjects),
    )


def read_train(data: Path, name: str) -> TopicSet:
    """Return a set of `train` with the questions that have an answer; its passages are documents without titles."""
    folder = data / "train" / name
    passages = list(rows(folder / "passages.jsonl.gz"))
    subjects = {row["pid"]: row.get("title") or row["pid"] for row in passages}
    if name in _PARALLEL:
        subjects |= _english_titles(data, folder)
    return TopicSet(
        name=name,
        language=TRAIN_SETS[name],
        documents=tuple(Document(row["pid"], row["text"], subjects[row["pid"]]) for row in passages),
        topics=_topics(folder / "questions.jsonl.gz", subjects),
    )


def read_ntrex(data: Path, language: str) -> tuple[Document, ...]:
    """Return the news articles of NTREX in one language; `subject` is the article in whatever language."""
    return tuple(
        Document(f"{row['doc_id']}.{language}", "\n".join(row["sentences"]), row["source_id"])
        for row in rows(data / "data" / "ntrex" / f"docs.{language}.jsonl")
    )


def read_hard_distractors(data: Path) -> tuple[Document, ...]:
    """Return Spanish documents that answer no question of XQuAD and are near to some: the same 48 pages, and news."""
    folder = data / "data"
    return (
        *read_train(data, "squad_dev_mt_es").documents,
        *(Document(row["pid"], row["text"]) for row in rows(folder / "nomiracl" / "passages.es.jsonl")),
        *read_ntrex(data, "es"),
        *read_news(data),
    )


def read_news(data: Path) -> tuple[Document, ...]:
    """Return Spanish news articles without questions."""
    folder = data / "data"
    return (
        *(
            Document(row["doc_id"], " ".join(row["sentences"]))
            for row in rows(folder / "ancora_news_es" / "docs.jsonl")
        ),
        *(
            Document(row["doc_id"], "\n\n".join(row["paragraphs"]))
            for row in rows(folder / "fakenews_es" / "articles.jsonl")
        ),
    )


def read_paragraphs(data: Path, *, count: int, seed: int) -> tuple[Document, ...]:
    """Return so many Spanish paragraphs of the large set, drawn at random; the same ones for the same seed."""
    file = data / "data" / "scale" / "paragraphs_es.jsonl.gz"
    found = [Document(row["pid"], row["text"]) for row in rows(file)]
    return tuple(random.Random(seed).sample(found, min(count, len(found))))


def half(subject: str, *, seed: int) -> str:
    """Return "dev" or "test", whichever half of the subjects this one belongs to, in every set."""
    return ("dev", "test")[hashlib.sha256(f"halves {seed} {subject}".encode()).digest()[0] % 2]


def drawn(topics: Sequence[Topic], *, split: str, per_subject: int, most: int, seed: int) -> tuple[Topic, ...]:
    """Return topics of one split ("all" for both): so many of each subject at most, and so many in all.

    The same questions are drawn in whichever language they are asked.
    """

    def order(topic: Topic) -> bytes:
        return hashlib.sha256(f"draw {seed} {topic.key}".encode()).digest()

    by_subject: dict[str, list[Topic]] = defaultdict(list)
    for topic in sorted(topics, key=order):
        if split == "all" or half(topic.subject, seed=seed) == split:
            by_subject[topic.subject].append(topic)
    kept = [topic for group in by_subject.values() for topic in group[:per_subject]]
    return tuple(sorted(kept, key=order)[:most])


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSONL file, which may be gzipped.

    Raises:
        DatasetError: It cannot be read.
    """
    opened: Callable[..., Any] = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError) as exc:
        raise DatasetError(
            f"{file} cannot be read ({exc}): HEMEROTECA_DATA must name the folder of the public data sets"
        ) from exc


def _topics(file: Path, subjects: Mapping[str, str]) -> tuple[Topic, ...]:
    return tuple(
        Topic(
            key=key_of(row["qid"]),
            question=row["question"],
            document=row["pid"],
            subject=subjects[row["pid"]],
            answer=row["answers"][0]["start"],
        )
        for row in rows(file)
        if row["answerable"] and row["answers"] and row["pid"] in subjects
    )


def _english_titles(data: Path, folder: Path) -> dict[str, str]:
    """Return the English title of each passage of a translated set, where one of its questions tells it."""
    danish = data / "train" / "squad_dev_mt_da"
    titles = {row["pid"]: row["title"] for row in rows(danish / "passages.jsonl.gz")}
    by_question = {key_of(row["qid"]): titles[row["pid"]] for row in rows(danish / "questions.jsonl.gz")}
    found: dict[str, str] = {}
    for row in rows(folder / "questions.jsonl.gz"):
        if key_of(row["qid"]) in by_question:
            found.setdefault(row["pid"], by_question[key_of(row["qid"])])
    return found


def key_of(qid: str) -> str:
    """Return what the id of a question is in every language that the question was put in."""
    return qid.removeprefix("squad-trans-")


def documents_of(topics: Collection[Topic], among: Sequence[Document]) -> tuple[Document, ...]:
    """Return the documents that answer the topics, in order."""
    wanted = {topic.document for topic in topics}
    return tuple(document for document in among if document.id in wanted)
