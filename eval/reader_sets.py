"""The public question sets that the reader learns from, read from `HEMEROTECA_DATA`/train and split by article.

What is reported elsewhere (XQuAD, NoMIRACL, MKQA, Mintaka) is kept out: no passage and no question of theirs is used.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.finding_sets import rows

# Share of the articles that is kept out of training.
_VALIDATION_PERCENT = 8
SETS = (
    "squad_dev_mt_es", "squad_es_dist", "piaf_fr", "faquad_pt", "squad_it_dev", "squad_dev_mt_da", "squad2_dev_mt_id",
    "squad2_dev_half_en", "squad_train_part_en", "squadshifts_wiki_en", "qed_nq_en", "tydiqa_goldp", "idk_mrc_id",
    "afriqa_pivot_en_fr", "covid_qa_en", "norquad_no", "arcd_ar", "cmrc2018_zh", "mlqa_dev_de", "iapp_wiki_th",
    "jaquad_ja", "qamr_en",
)  # fmt: skip
# Sets of the same questions, by id.
PARALLEL = ("squad_dev_mt_es", "squad_it_dev", "squad_dev_mt_da", "squad2_dev_mt_id")


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of a set; `subject` names the article that it and its translations belong to."""

    pid: str
    source: str
    language: str
    title: str
    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one paragraph; `answers` are spans of it, in code points, none where it does not answer.

    `key` is the same for all translations of a question.
    """

    key: str
    source: str
    language: str
    question: str
    pid: str
    answers: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Sets:
    """Paragraphs by id, and the questions about them."""

    texts: dict[str, Text]
    questions: tuple[Question, ...]

    def side(self, question: Question) -> str:
        """Return "train" or "validation", whichever the question's article is on."""
        return side_of(self.texts[question.pid].subject)


def side_of(subject: str) -> str:
    """Return "train" or "validation", the same for a subject in every set."""
    digest = hashlib.sha256(f"reader {subject}".encode()).digest()
    return "validation" if int.from_bytes(digest[:4], "big") % 100 < _VALIDATION_PERCENT else "train"


def read_sets(data: Path, *, names: Sequence[str] = SETS) -> Sets:
    """Return the sets, without what is also in a set that is only reported.

    Raises:
        DatasetError: A file cannot be read.
    """
    reported = _reported(data)
    texts: dict[str, Text] = {}
    questions: list[Question] = []
    for name in names:
        folder = data / "train" / name
        for row in rows(folder / "passages.jsonl.gz"):
            if plain(row["text"]) not in reported:
                texts[row["pid"]] = Text(row["pid"], name, row["lang"], row.get("title") or "", row["text"])
        for row in rows(folder / "questions.jsonl.gz"):
            if row["pid"] in texts and plain(row["question"]) not in reported:
                spans = {(one["start"], one["start"] + len(one["text"])) for one in row["answers"] if one["text"]}
                answers = tuple(sorted(spans)) if row["answerable"] else ()
                if bool(answers) == row["answerable"]:
                    key = _key(name, row["qid"])
                    questions.append(Question(key, name, row["lang"], row["question"], row["pid"], answers))
    return Sets(_with_subjects(texts, questions), tuple(questions))


def plain(text: str) -> str:
    """Return the letters and digits of a text alone, so that spacing and marks make no difference."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def _reported(data: Path) -> frozenset[str]:
    """Return the passages and questions that are only reported, as `plain` gives them."""
    found: set[str] = set()
    folders = [data / "data" / name for name in ("xquad", "nomiracl", "mkqa_dev", "mintaka_dev")]
    for file in sorted(file for folder in folders for file in folder.glob("*.jsonl")):
        for row in rows(file):
            asked = row.get("question") or row["text"]
            found |= {plain(text) for text in (asked.values() if isinstance(asked, dict) else [asked])}
    return frozenset(found - {""})


def _key(name: str, qid: str) -> str:
    if name in PARALLEL:
        return "squad " + qid.removeprefix("squad-trans-")
    if name in ("tydiqa_goldp", "idk_mrc_id"):
        # The second set asks about paragraphs of the first.
        return "tydi " + re.sub(r"(?<=\d)-(?:unans.*|\d+)$", "", qid)
    return f"{name} {qid}"


def _with_subjects(texts: dict[str, Text], questions: Iterable[Question]) -> dict[str, Text]:
    """Give every paragraph its subject: paragraphs of one title, one wording or one question are of one subject."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(one: str, other: str) -> None:
        first, second = sorted((root(one), root(other)))
        parent[second] = first

    for text in texts.values():
        join(f"pid {text.pid}", f"text {plain(text.text)}")
        # QAMR calls everything "Wikipedia" or "Wikinews".
        if plain(text.title) and text.source != "qamr_en":
            join(f"pid {text.pid}", f"title {plain(text.title)}")
    for question in questions:
        join(f"pid {question.pid}", f"key {question.key}")
    return {pid: replace(text, subject=root(f"pid {pid}")) for pid, text in texts.items()}


def by_paragraph(questions: Iterable[Question]) -> dict[str, list[Question]]:
    """Return the questions of each paragraph."""
    found: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        found[question.pid].append(question)
    return found
