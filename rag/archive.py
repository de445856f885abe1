"""The one object that a user holds: opens an archive, answers, searches, keeps and deletes articles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rag import consultation
from rag.articles import Counts, Outcome, Prepared, open_articles
from rag.config import Settings, load_settings
from rag.folder import check_folder
from rag.holdings import Holdings, Progress, TrainedReader
from rag.interfaces import ChatModel, Embedder, Reader
from rag.keeping import Kept, Source
from rag.lock import hold
from rag.parts import Parts
from rag.question import to_ask, understand
from rag.response import least_confidence, respond
from rag.schema import Answer, Article, Ask, Consultation, Hit, Limit, Story, TimeExpression, Turn
from rag.stories import all_told, related_to, told

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable

    from rag.doctor import Checkup

History = Sequence[Turn | tuple[str, str]]


class Archive:
    """A folder of articles that answers questions. Use it from as many threads as you like, from one process.

    Example:
        >>> with Archive.open("archive") as archive:
        ...     answer = archive.ask("¿Qué tratados reemplaza el acuerdo?")
        ...     print(answer.text)
    """

    def __init__(
        self,
        holdings: Holdings,
        *,
        settings: Settings,
        chat_model: ChatModel | None,
        notify: Callable[[str], None] | None,
        is_whole: bool = True,
    ) -> None:
        self.path = holdings.path
        self.settings = settings
        self._holdings = holdings
        self._truth = holdings.truth
        self._given_chat_model = chat_model
        self._notify = notify
        # Not so for what `with_settings` gives: closing it releases nothing.
        self._is_whole = is_whole
        self._made_parts: Parts | None = None
        self._made_chain: Runnable[Any, Answer] | None = None

    @classmethod
    def open(
        cls,
        path: str | Path = "archive",
        *,
        settings: Settings | None = None,
        create: bool = False,
        embedder: Embedder | None = None,
        chat_model: ChatModel | None = None,
        notify: Callable[[str], None] | None = None,
    ) -> Self:
        """Return the archive in a folder, held until `close`.

        Args:
            path: The archive's folder.
            settings: None reads `hemeroteca.toml` of the working directory and the HEMEROTECA_ variables.
            create: Make a new archive if there is none.
            embedder: Used instead of the one that the settings name.
            chat_model: Used instead of the one that the settings name.
            notify: Called with a sentence when something takes long (the model's first conversion).

        Raises:
            ArchiveMissingError: There is no archive, and `create` is false.
            ArchiveLockedError: Another process holds it.
            FingerprintError: Its vectors were made by something else than the settings ask for.
            ArchiveError: The folder cannot be used.
        """
        path = Path(path)
        settings = settings or load_settings(environ=os.environ)
        check_folder(path, create=create)
        held = hold(path)
        try:
            truth = open_articles(path)
        except BaseException:
            held.release()
            raise
        holdings = Holdings(path, settings=settings, truth=truth, held=held, embedder=embedder, notify=notify)
        try:
            # Before any model is loaded, as far as the settings alone can tell.
            holdings.check_settings(settings)
        except BaseException:
            holdings.close()
            raise
        return cls(holdings, settings=settings, chat_model=chat_model, notify=notify)

    def with_settings(self, settings: Settings, *, notify: Callable[[str], None] | None = None) -> Archive:
        """Return this archive with other settings: the same articles, indexes and models, answered from otherwise.

        It can be used as long as this one is open, and closing it does nothing.

        Args:
            settings: What shapes vectors must be the same.
            notify: As in `open`.

        Raises:
            FingerprintError: The settings ask for other vectors.
        """
        self._holdings.check_settings(settings)
        return Archive(
            self._holdings, settings=settings, chat_model=self._given_chat_model, notify=notify, is_whole=False
        )

    def close(self) -> None:
        """Release the archive; closing twice does nothing."""
        if self._is_whole:
            self._holdings.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- asking

    def ask(
        self,
        question: str,
        *,
        history: History = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
        limits: Sequence[Limit] | None = None,
        today: date | None = None,
    ) -> Answer:
        """Return what the archive says to a question; that it does not know is an answer, not an error.

        Args:
            question: In any language.
            history: Earlier turns, oldest first, for follow-up questions.
            since: Only articles published on this day or later.
            until: Only articles published on this day or earlier.
            outlets: Only articles of these outlets; empty means all.
            limits: What the question's own words limit it to: None reads them, an empty list takes the question as it
                is. Dates and outlets that are given win over them.
            today: The day that "yesterday" is seen from; None means this one.

        Raises:
            ValueError: The question is empty, or `since` is after `until`.
        """
        ask = _asked(question, history, since, until, outlets, limits, today)
        answer: Answer = self._chain.invoke(ask)
        return answer

    def stream(
        self,
        question: str,
        *,
        history: History = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
        limits: Sequence[Limit] | None = None,
        today: date | None = None,
    ) -> Iterator[Answer]:
        """Yield snapshots of the answer as it forms; the first carries the hits, the last is the whole answer.

        Takes and raises what `ask` does.
        """
        ask = _asked(question, history, since, until, outlets, limits, today)
        yield from self._chain.stream(ask)

    def consult(
        self,
        question: str,
        *,
        history: History = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
        limits: Sequence[Limit] | None = None,
        today: date | None = None,
    ) -> Consultation:
        """Return what the archive holds on a question, every sentence judged, before anything is decided or said.

        Takes and raises what `ask` does.
        """
        ask = _asked(question, history, since, until, outlets, limits, today)
        understood = understand(ask, parts=self._parts)
        return consultation.read(consultation.retrieve_all(understood, parts=self._parts), parts=self._parts)

    def search(
        self,
        question: str,
        *,
        k: int = 10,
        per_article: int | None = None,
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
        limits: Sequence[Limit] | None = (),
        today: date | None = None,
    ) -> list[Hit]:
        """Return the `k` passages nearest to a question or keywords, best first, each with its copies in other outlets.

        Of an article and its copies there are at most `per_article` passages, by default as many as the settings say.
        Unlike `ask`, it takes the question as it is unless `limits` is None: hits do not tell what limited them.
        """
        if k < 1:
            raise ValueError(f"k is {k}: ask for 1 passage or more")
        most = self.settings.retrieval.per_article if per_article is None else per_article
        if most < 1:
            raise ValueError(f"per_article is {most}: allow 1 passage of an article or more")
        ask = _asked(question, (), since, until, outlets, limits, today)
        understood = understand(ask, parts=self._parts)
        return consultation.search(understood, parts=self._parts, k=k, per_article=most)

    def as_runnable(self) -> Runnable[Any, Answer]:
        """Return the retrieval chain as a LangChain Runnable: a question, dict or `Ask` in, an `Answer` out.

        It is the very chain that `ask` and `stream` run; streaming yields snapshots, each replacing the one before.
        """
        return self._chain

    @property
    def reader(self) -> dict[str, str]:
        """Who reads what is found: `name`, for a trained reader `version` and `weights_sha256`, and `why` not one."""
        trained = self._trained_reader()
        if trained is None:
            return {"name": "sentences"}
        if trained.model is None:
            return {"name": "sentences", "why": trained.why}
        return {"name": "trained", **trained.model.fingerprint}

    def as_retriever(self, *, k: int = 10) -> BaseRetriever:
        """Return the archive as a LangChain retriever that gives `k` passages as documents."""
        from rag.chain import as_retriever

        return as_retriever(self.search, k=k)

    def as_embeddings(self) -> Embeddings:
        """Return the archive's embedder as LangChain embeddings."""
        from rag.chain import as_embeddings

        return as_embeddings(self.embedder)

    # ---- articles

    def articles(self) -> list[Article]:
        """Return all articles, the newest first, those without a date last."""
        return self._truth.articles()

    def article(self, article_id: str) -> Article:
        """Return an article by its id, or by the id that its source gave it.

        Raises:
            NotFoundError: No article has that id.
        """
        return self._truth.article(article_id)

    def times(self, article_id: str) -> tuple[TimeExpression, ...]:
        """Return the time expressions of an article in order, with the days that they mean.

        Raises:
            NotFoundError: No article has that id.
        """
        return self._holdings.times(self.article(article_id))

    def story(self, article_id: str) -> Story:
        """Return an article with the others that tell its story: copies of its text, and the same event by other hands.

        Raises:
            NotFoundError: No article has that id.
        """
        article = self.article(article_id)
        related = related_to(article.id, self._holdings.stories.around(article.id))
        return told(article, related, self._truth.articles_by_id(sorted(related)))

    def stories(self) -> list[Story]:
        """Return every story that two articles or more tell, each under the earliest of them; the newest first."""
        links = self._holdings.stories.all()
        articles = self._truth.articles_by_id(sorted({id_ for link in links for id_ in (link.one, link.other)}))
        return all_told(links, articles)

    def outlets(self) -> list[str]:
        """Return the outlets that articles name, in alphabetical order."""
        return self._truth.outlets()

    def counts(self) -> Counts:
        """Return how many articles and passages there are, and how many passages still lack a vector."""
        return self._truth.counts()

    def delete(self, article_id: str) -> Article:
        """Delete an article from the truth and from both indexes, and return what it was.

        Raises:
            NotFoundError: No article has that id.
        """
        return self._holdings.delete(article_id)

    # ---- upkeep

    def check(self) -> Checkup:
        """Return what is wrong with the archive, having read all of it; its indexes are brought up to date first.

        Questions go on meanwhile, writing waits.
        """
        return self._holdings.check()

    def rebuild(self) -> None:
        """Make both indexes anew from the articles, without embedding again; questions go on meanwhile."""
        self._holdings.rebuild()

    def compact(self) -> tuple[int, int]:
        """Leave no byte of deleted or replaced text in the archive's folder, and return its bytes before and after.

        Database and indexes are written anew, and indexes that damage had put aside are removed; it takes as much free
        space again. Questions go on meanwhile, writing waits.

        Raises:
            ArchiveError: There is no space, or another program is reading the database.
        """
        return self._holdings.compact()

    # ---- taking in (used by `ingest`)

    def known_sources(self, places: Sequence[str]) -> dict[str, Source]:
        """Return what is known of those of the places that were read before."""
        return self._truth.known_sources(places)

    def languages(self) -> list[str]:
        """Return the languages of the articles, the most frequent first."""
        return self._truth.languages()

    def put(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Keep articles durably, findable by their words, and return what became of each.

        `embed_pending` makes them findable by meaning.
        """
        return self._holdings.put(prepared)

    def merge(self, kept: Iterable[Kept]) -> list[Outcome]:
        """Take in what another archive keeps, all of it or nothing, and return what became of each article, in order.

        Vectors among it have to be of this archive's kind; `embed_pending` makes those that are missing.
        """
        return self._holdings.merge(kept)

    def embed_pending(self, *, progress: Progress | None = None) -> int:
        """Embed every passage that has no vector yet, bring both indexes up to date, and return how many there were."""
        return self._holdings.embed_pending(progress=progress)

    # ---- how it answers, made when first needed

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors of this archive."""
        return self._holdings.embedder

    @property
    def _parts(self) -> Parts:
        # Two threads may make one each: they are alike, and made of the same holdings.
        if self._made_parts is None:
            self._made_parts = self._make_parts()
        return self._made_parts

    @property
    def _chain(self) -> Runnable[Any, Answer]:
        if self._made_chain is None:
            self._made_chain = self._make_chain()
        return self._made_chain

    def _make_chat_model(self) -> ChatModel | None:
        if self._given_chat_model is not None:
            return self._given_chat_model
        if self.settings.answer.model == "extractive":
            return None
        from rag.chain import load_chat_model

        return load_chat_model(self.settings.answer)

    def _make_parts(self) -> Parts:
        from rag.companions import Shelf
        from rag.dense import DenseSearch
        from rag.fusion import TYPICAL_SPREAD

        is_bundled = self._is_of_bundled_model()
        reader = self._make_reader(calibrated=is_bundled)
        return Parts(
            embedder=self.embedder,
            vectors=DenseSearch(self._holdings.vectors, self._truth),
            words=self._holdings.words,
            reader=reader,
            floor=least_confidence(self.settings.answer, reader=reader.name),
            is_fallback="why" in self.reader,
            load_candidates=self._truth.candidates,
            load_passages=self._truth.passages_by_id,
            languages=self._truth.languages,
            outlets=self._truth.outlets,
            newest=partial(self._truth.newest, most=self.settings.retrieval.passages),
            settings=self.settings.retrieval,
            spread=TYPICAL_SPREAD if is_bundled else None,
            shelf=Shelf(
                stories=self._holdings.stories,
                passages_of=self._truth.passages_of,
                passages_before=self._truth.passages_before,
                articles_by_id=self._truth.articles_by_id,
                load_passages=self._truth.passages_by_id,
                load_candidates=self._truth.candidates,
            ),
        )

    def _make_reader(self, *, calibrated: bool) -> Reader:
        from rag.reading import SentenceReader

        sentences = SentenceReader(load_sentence_vectors=self._truth.sentence_vectors_of, calibrated=calibrated)
        trained = self._trained_reader()
        if trained is None:
            return sentences
        if trained.model is None:
            if self._notify:
                self._notify(f"{trained.why}; until then answers are found by the reader that was not trained")
            return sentences
        from rag.cross_reading import CrossReader

        return CrossReader(trained.model, sentences=sentences)

    def _trained_reader(self) -> TrainedReader | None:
        """Return the trained reader, or why it cannot be used; None where the settings do not ask for it."""
        from rag.reader_weights import WEIGHTS_FILE

        wanted = self.settings.reading.reader
        if wanted == "trained" or (wanted == "auto" and WEIGHTS_FILE.is_file() and self._is_of_bundled_model()):
            return self._holdings.trained_reader
        return None

    def _is_of_bundled_model(self) -> bool:
        from rag.reading import CALIBRATED_MODEL

        return self.embedder.fingerprint.get("model") == CALIBRATED_MODEL

    def _make_chain(self) -> Runnable[Any, Answer]:
        from rag.chain import compose
        from rag.tokens import load_counter

        parts, chat_model = self._parts, self._make_chat_model()
        return compose(
            consult=[
                # LangChain looks at a step's signature many times a question, which takes long for a `partial`.
                ("understand", lambda ask: understand(ask, parts=parts)),
                ("retrieve", lambda understood: consultation.retrieve_all(understood, parts=parts)),
                ("read", lambda retrieved: consultation.read(retrieved, parts=parts)),
            ],
            respond=partial(
                respond,
                settings=self.settings.answer,
                model=chat_model,
                counter=load_counter(notify=self._notify) if chat_model else None,
            ),
        )


def _asked(
    question: str,
    history: History,
    since: date | None,
    until: date | None,
    outlets: Sequence[str],
    limits: Sequence[Limit] | None,
    today: date | None,
) -> Ask:
    return to_ask(
        {
            "question": question,
            "history": history,
            "since": since,
            "until": until,
            "outlets": outlets,
            "limits": limits,
            "today": today,
        }
    )
