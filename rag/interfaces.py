"""What the archive asks of its parts: one small Protocol each, so that any part can be exchanged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from rag.schema import Article, Evidence, Hit, Kinship, Passage

Vector = npt.NDArray[np.float32]
"""Unit length, shape (dim,)."""
Vectors = npt.NDArray[np.float32]
"""Unit-length rows, shape (n, dim)."""


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The vectors of one passage: its own, shape (dim,), and one row per sentence, shape (sentences, dim)."""

    passage: Vector
    sentences: Vectors


class TokenCounter(Protocol):
    """Counts tokens of texts."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, without the special ones around it."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors of one space; several threads may use it at once."""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Most tokens of a text, prefix and special tokens included, that reach the model."""
        ...

    @property
    def fingerprint(self) -> dict[str, str]:
        """What made the vectors: model, weights hash, precision, engine, prefixes."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, without prefix and special tokens."""
        ...

    def embed_question(self, text: str) -> Vector:
        """Return the vector of a question, shape (dim,)."""
        ...

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions, shape (n, dim)."""
        ...

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log: `article` says that its text or existence changed, `vectors` its vectors."""

    seq: int
    event: Literal["article", "vectors"]
    article_id: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What limits a search; dates are inclusive, empty sets mean all. An article without a date fails a date filter."""

    since: date | None = None
    until: date | None = None
    outlets: frozenset[str] = frozenset()


class Truth(Protocol):
    """What an index needs of the archive's truth to catch up with it."""

    def last_seq(self) -> int:
        """Return the newest entry's number, 0 when nothing was ever logged."""
        ...

    def changes(self, after: int, *, event: Literal["article", "vectors"]) -> list[Change]:
        """Return the entries of one kind with a `seq` above `after`, oldest first, the last of each article only."""
        ...

    def articles_by_id(self, ids: Sequence[str]) -> dict[str, Article]:
        """Return those of the articles that exist."""
        ...

    def passages_of(self, article_ids: Sequence[str]) -> list[Passage]:
        """Return all passages of the articles, in order of article id and ordinal; none for a deleted article."""
        ...

    def vectors_of(self, passage_ids: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of those passages that have one."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """An index's find: a passage id and the index's own score, higher is better."""

    passage_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is needed of a passage to rank it; `vector` and the `sentences`' are there as soon as it is embedded."""

    language: str
    vector: Vector | None
    sentences: Vectors
    article_id: str

    def cosine(self, vector: Vector) -> float | None:
        """Return the cosine of the passage and a question's vector; None without one, or one of another model's."""
        if self.vector is None or self.vector.shape != vector.shape:
            return None
        return float(self.vector @ vector)


@dataclass(frozen=True, slots=True)
class Listed:
    """Passages by id with their vectors, one row each."""

    ids: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Two articles of one story, the one with the smaller id first; `score`, 0 to 1, is how sure that is."""

    one: str
    other: str
    kind: Kinship
    score: float


class Stories(Protocol):
    """Which articles tell one story."""

    def of(self, article_ids: Collection[str], *, kind: Kinship | None = None) -> list[Link]:
        """Return the links of articles, in order; of one kind only if it is named."""
        ...


@dataclass(frozen=True, slots=True)
class Audit:
    """Where an index differs from the truth: ids of passages, sorted; the first four are empty for a sound index.

    `relinked` are those that an approximate index had lost by chance, and that the examination made findable again.
    """

    missing: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    unfindable: tuple[str, ...] = ()
    relinked: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether the index equals the truth and every passage is found by what it holds."""
        return not (self.missing or self.orphaned or self.different or self.unfindable)


class VectorSearch(Protocol):
    """Nearest passages by cosine."""

    def search(self, vector: Vector, *, k: int, filters: Filters) -> list[Found]:
        """Return the `k` nearest passages, best first; scores are cosines."""
        ...


class VectorIndex(Protocol):
    """A search for the nearest passages, derived from the truth."""

    @property
    def applied_seq(self) -> int:
        """The change log entry up to which the index follows the truth."""
        ...

    def catch_up(self, truth: Truth) -> int:
        """Apply what the truth logged since, durably, and return the `seq` reached; safe to repeat."""
        ...

    def rebuild(self, truth: Truth) -> None:
        """Make the index anew from the truth and put it in the old one's place at once; searches go on meanwhile."""
        ...

    def audit(self, truth: Truth, article_ids: Sequence[str]) -> Audit:
        """Return where the index differs from the truth of these articles, and what it holds of none of them."""
        ...

    def search(self, vector: Vector, *, k: int, filters: Filters) -> list[Found]:
        """Return the `k` nearest passages, best first; scores are cosines."""
        ...

    def count(self) -> int:
        """Return how many passages the index holds."""
        ...

    def close(self) -> None:
        """Release files and memory; the index is not used afterwards."""
        ...


class WordIndex(Protocol):
    """Passages that share words with a question, by BM25."""

    @property
    def applied_seq(self) -> int:
        """The change log entry up to which the index follows the truth."""
        ...

    def catch_up(self, truth: Truth) -> int:
        """Apply what the truth logged since, durably, and return the `seq` reached; safe to repeat."""
        ...

    def rebuild(self, truth: Truth) -> None:
        """Make the index anew from the truth and put it in the old one's place at once; searches go on meanwhile."""
        ...

    def audit(self, truth: Truth, article_ids: Sequence[str]) -> Audit:
        """Return where the index differs from the truth of these articles, and what it holds of none of them."""
        ...

    def search(self, text: str, *, language: str, k: int, filters: Filters) -> list[Found]:
        """Return the `k` best passages written in `language`, best first; scores are BM25."""
        ...

    def count(self) -> int:
        """Return how many passages the index holds."""
        ...

    def close(self) -> None:
        """Release files and memory; the index is not used afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class PassageLogits:
    """What a trained model reads off a passage, token by token; all logits are its own, higher is likelier.

    `starts` and `ends` are where each token stands, in code points into the article, without white space; both grow.
    `span_starts` and `span_ends` are for an answer to begin and to end there, `answering` for the sentence around a
    token, its mean over a sentence's tokens being the sentence's. `none` is that no span is the answer, comparable with
    a sum of a start and an end; `relevance` that the passage answers. What stands behind the last token was not read.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    span_starts: npt.NDArray[np.float32]
    span_ends: npt.NDArray[np.float32]
    answering: npt.NDArray[np.float32]
    none: float
    relevance: float


class PassageReader(Protocol):
    """A trained model that reads a question together with a passage."""

    def read(self, question: str, hits: Sequence[Hit], *, context: str = "") -> list[PassageLogits]:
        """Return what it reads off the passage of each hit, in order; of none it depends on the others.

        Args:
            question: What is asked now.
            hits: With their articles, whose titles are read too.
            context: An earlier question whose subject it may go on with.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: sentences that speak to the question, best first, and whether they answer it (0 to 1)."""

    evidence: tuple[Evidence, ...]
    probability: float

    def with_only(self, wanted: Callable[[Evidence], bool]) -> Reading:
        """Return it with score 0 for the sentences that are not wanted, which so come last."""
        kept = [item if wanted(item) else replace(item, score=0.0) for item in self.evidence]
        return Reading(tuple(sorted(kept, key=lambda item: -item.score)), self.probability)

    def or_better(self, other: Reading) -> Reading:
        """Return what is likelier of both: each sentence as the one has it that expects more of it."""
        best: dict[tuple[str, int], Evidence] = {}
        for item in (*self.evidence, *other.evidence):
            key = item.hit.passage.id, item.sentence.start
            if key not in best or item.score > best[key].score:
                best[key] = item
        found = sorted(best.values(), key=lambda item: (-item.score, item.hit.passage.id, item.sentence.start))
        return Reading(tuple(found), max(self.probability, other.probability))


class Reader(Protocol):
    """Tells which sentences of the hits answer a question, and how likely the archive answers it at all."""

    @property
    def name(self) -> str:
        """What an answer says read for it."""
        ...

    def read(
        self, question: str, hits: Sequence[Hit], *, language: str, question_vector: Vector, context: str = ""
    ) -> Reading:
        """Return the evidence, best first; empty hits give no evidence and probability 0.

        Args:
            question: What is asked now.
            hits: What was found for it.
            language: The question's.
            question_vector: Its vector, unit length.
            context: An earlier question whose subject it may go on with.
        """
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a chat model."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatModel(Protocol):
    """A language model that writes."""

    @property
    def name(self) -> str:
        """What the answer says wrote it."""
        ...

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the reply as it is written.

        Raises:
            ModelError: The model cannot be reached or stops in the middle.
        """
        ...
