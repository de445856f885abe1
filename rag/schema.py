"""What the archive holds and what it answers: frozen records, standard library only.

Every `start` and `end` counts code points into `Article.text`, so that `article.text[start:end]` is exactly what a
reader is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Status = Literal["partial", "answered", "unknown"]
Support = Literal["supported", "partly", "unsupported"]
Kinship = Literal["copy", "event"]
"""How two articles tell one story: the same text, or the same event by different hands."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that cleaning cut out of an article: the words, why, and where they stood in the text as published."""

    text: str
    reason: str
    start: int


@dataclass(frozen=True, slots=True)
class Article:
    """One news article as it is kept: NFC text with line feeds as line ends, and what is known about it.

    `id` is derived from the identity (URL, else given id, else place or content); `given_id` is what the source called
    it; `places` are the files or rows it was read from; `language` is ISO 639-1, "und" when it could not be told.
    """

    id: str
    text: str
    title: str | None = None
    outlet: str | None = None
    published: date | None = None
    language: str = "und"
    url: str | None = None
    author: str | None = None
    agency: str | None = None
    given_id: str | None = None
    places: tuple[str, ...] = ()
    removed: tuple[Removal, ...] = ()
    content_hash: str = ""

    @property
    def source(self) -> str:
        """What a reader is told the article comes from: outlet, else the file's name, else the URL or id."""
        if self.outlet:
            return self.outlet
        if self.places:
            return self.places[0].replace("\\", "/").rsplit("/", 1)[-1]
        return self.url or self.given_id or self.id


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an article; `text` is `article.text[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """Words of an article that name a time: `text[start:end]`, and the days that they mean, both included.

    One end may be open (None); both are None where the days cannot be told for certain. `relative` says that they are
    seen from the day of publication.
    """

    start: int
    end: int
    since: date | None = None
    until: date | None = None
    relative: bool = False

    @property
    def is_resolved(self) -> bool:
        """Whether the days are known."""
        return self.since is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one article, the unit that is embedded and found.

    `text` is `article.text[start:end]`; `embedded_text` is what the embedder sees, with title, outlet and date before
    it; `sentences` count in code points of the article, like the passage itself.
    """

    id: str
    article_id: str
    ordinal: int
    start: int
    end: int
    text: str
    language: str
    embedded_text: str
    sentences: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that retrieval found: `score` orders hits (higher is better, comparable only within one question).

    `cosine` is the exact similarity of question and passage, -1 to 1; `word_score` is BM25, 0 when no word matched or
    the languages differ. The hit stands for its `copies`: passages of other articles that printed the same words, the
    earliest first. `events` are articles by other hands that tell the same event as its own: evidence apart. `before`
    is the passage before it in its article, if the first sentence leans on that one.
    """

    passage: Passage
    article: Article
    score: float
    cosine: float
    word_score: float = 0.0
    copies: tuple[Hit, ...] = ()
    events: tuple[Article, ...] = ()
    before: Passage | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """An article of another one's story: how it is related to that one, and how surely, 0 to 1."""

    article: Article
    kind: Kinship
    score: float


@dataclass(frozen=True, slots=True)
class Story:
    """An article and the others that tell the same: copies first, then by day, those without a date last."""

    article: Article
    others: tuple[Related, ...] = ()

    @property
    def articles(self) -> tuple[Article, ...]:
        """All of them, the article itself first."""
        return (self.article, *(related.article for related in self.others))


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that speaks to the question: `score` is the reader's, higher is better, 0 to 1.

    `cosine` is the similarity of sentence and question, -1 to 1, and like the hit's on the scale of the reader's model.
    `spans` are the words of the sentence that are the answer, as (start, end) in the article, in order; empty where the
    reader does not tell.
    """

    hit: Hit
    sentence: Sentence
    score: float
    cosine: float = 0.0
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words a statement rests on. `number` is the n of `[n]` in the answer's text, from 1.

    `context_start` is where to begin reading where the words lean on what stands before them ("Según él…"), None where
    they stand alone. `times` are the expressions among them that only the day of publication gives a date ("este
    miércoles"). `spans` are the words that are the answer, as (start, end) in the article, in order, inside the
    quotation; empty where the reader does not tell.
    """

    number: int
    article: Article
    start: int
    end: int
    passage: Passage
    score: float
    context_start: int | None = None
    times: tuple[TimeExpression, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def quote(self) -> str:
        """The cited words: always the slice of the article."""
        return self.article.text[self.start : self.end]

    @property
    def context(self) -> str:
        """What the cited words lean on, which is no part of the quotation: a slice of the article, or empty."""
        if self.context_start is None:
            return ""
        return self.article.text[self.context_start : self.start].rstrip()


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the answer and what it rests on; `text` carries no markers."""

    text: str
    citations: tuple[Citation, ...]
    support: Support = "supported"
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of the conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What words of a question limit it to: articles of certain days, both included, or of certain outlets."""

    words: str
    since: date | None = None
    until: date | None = None
    outlets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with all that limits it; dates are inclusive, empty `outlets` means all.

    `limits` are what its own words limit it to: None reads them, empty takes the question as it is. `today` is the day
    that they are seen from, None the present one.
    """

    question: str
    history: tuple[Turn, ...] = ()
    since: date | None = None
    until: date | None = None
    outlets: tuple[str, ...] = ()
    limits: tuple[Limit, ...] | None = None
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Consultation:
    """What the archive holds on a question, before anything is said: the input of every way to answer.

    `question` is what was searched and read (a follow-up may have been completed from the history); `language` is the
    language to answer in; `evidence` is best first; `probability`, 0 to 1, is that the archive answers the question;
    `limits` are those of the question's words that were kept to; `reader` is the name of who judged the evidence.
    """

    ask: Ask
    question: str
    language: str
    hits: tuple[Hit, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    probability: float = 0.0
    timings: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    reader: str = "sentences"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the archive says to a question.

    `text` carries `[n]` markers that resolve in `citations` (an article's own words may hold brackets too: programs
    read `statements`, which have none of ours); `reason` says in words of the question's language why the status is
    what it is; `confidence` is the probability, 0 to 1, that the archive answers the question; `timings` are
    seconds per step; `notices` are sentences a reader should see (a model that failed, a filter that was widened);
    `limits` are what the question's own words limited it to; `reader` is who judged the evidence.

    While streaming, each `Answer` is a snapshot that replaces the one before it (`status` "partial"), so adding two
    gives the later one: that is how LangChain folds a stream into one result.
    """

    question: str
    text: str
    status: Status
    reason: str = ""
    confidence: float = 0.0
    language: str = "und"
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    model: str = "extractive"
    notices: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    reader: str = "sentences"

    @classmethod
    def begun(cls, consultation: Consultation) -> Answer:
        """Return the first snapshot: what was found, before anything is said."""
        return cls(
            question=consultation.ask.question,
            text="",
            status="partial",
            confidence=consultation.probability,
            language=consultation.language,
            hits=consultation.hits,
            timings=consultation.timings,
            notices=consultation.notices,
            limits=consultation.limits,
            reader=consultation.reader,
        )

    def __add__(self, later: Answer) -> Answer:
        return later

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON types; articles appear without their text, quotes with their offsets."""
        return {
            "question": self.question,
            "text": self.text,
            "status": self.status,
            "reason": self.reason,
            "confidence": round(self.confidence, 4),
            "language": self.language,
            "model": self.model,
            "reader": self.reader,
            "notices": list(self.notices),
            "limits": [limit_to_dict(limit) for limit in self.limits],
            "statements": [
                {
                    "text": statement.text,
                    "support": statement.support,
                    "score": round(statement.score, 4),
                    "citations": [citation_to_dict(citation) for citation in statement.citations],
                }
                for statement in self.statements
            ],
            "hits": [hit_to_dict(hit) for hit in self.hits],
            "timings": {step: round(seconds, 4) for step, seconds in self.timings.items()},
        }


@dataclass(frozen=True, slots=True)
class IngestFailure:
    """A file or row that could not be taken in, and why, in one sentence."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What one ingest did, in articles; `duplicates` are equal texts of which only the new place was recorded."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    failures: tuple[IngestFailure, ...] = ()
    passages: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        """How many files or rows could not be taken in."""
        return len(self.failures)


def article_to_dict(article: Article, *, text: bool = False) -> dict[str, Any]:
    """Return an article's record as plain JSON types, with its text only when `text` is true."""
    record: dict[str, Any] = {
        "id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "published": article.published.isoformat() if article.published else None,
        "language": article.language,
        "url": article.url,
        "author": article.author,
        "agency": article.agency,
        "given_id": article.given_id,
        "places": list(article.places),
    }
    if text:
        record["text"] = article.text
        record["removed"] = [
            {"text": removal.text, "reason": removal.reason, "start": removal.start} for removal in article.removed
        ]
    return record


def limit_to_dict(limit: Limit) -> dict[str, Any]:
    """Return a limit as plain JSON types."""
    return {
        "words": limit.words,
        "since": limit.since.isoformat() if limit.since else None,
        "until": limit.until.isoformat() if limit.until else None,
        "outlets": list(limit.outlets),
    }


def time_to_dict(time: TimeExpression, text: str) -> dict[str, Any]:
    """Return a time expression of a text as plain JSON types."""
    return {
        "words": text[time.start : time.end],
        "start": time.start,
        "end": time.end,
        "since": time.since.isoformat() if time.since else None,
        "until": time.until.isoformat() if time.until else None,
    }


def citation_to_dict(citation: Citation) -> dict[str, Any]:
    """Return a citation as plain JSON types."""
    return {
        "number": citation.number,
        "quote": citation.quote,
        "context": citation.context,
        "answers": [
            {"words": citation.article.text[start:end], "start": start, "end": end} for start, end in citation.spans
        ],
        "start": citation.start,
        "end": citation.end,
        "score": round(citation.score, 4),
        "passage": citation.passage.id,
        "times": [time_to_dict(time, citation.article.text) for time in citation.times],
        "article": article_to_dict(citation.article),
    }


def hit_to_dict(hit: Hit) -> dict[str, Any]:
    """Return a hit as plain JSON types."""
    return {
        "passage": hit.passage.id,
        "text": hit.passage.text,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "score": round(hit.score, 4),
        "cosine": round(hit.cosine, 4),
        "word_score": round(hit.word_score, 4),
        "article": article_to_dict(hit.article),
        "before": hit.before.text if hit.before else None,
        "copies": [
            {
                "passage": copy.passage.id,
                "start": copy.passage.start,
                "end": copy.passage.end,
                "article": article_to_dict(copy.article),
            }
            for copy in hit.copies
        ],
        "events": [article_to_dict(article) for article in hit.events],
    }


def story_to_dict(story: Story) -> list[dict[str, Any]]:
    """Return the other articles of a story as plain JSON types, each with what it is to the story's own article."""
    return [
        {"kind": related.kind, "score": round(related.score, 4), **article_to_dict(related.article)}
        for related in story.others
    ]
