"""The one object that a user holds: opens an archive, answers, searches, keeps and deletes articles."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from rag import consultation, derived, fingerprint
from rag.articles import Articles, Counts, Outcome, Prepared, open_articles
from rag.config import Settings, load_settings
from rag.consultation import Parts, to_ask
from rag.errors import ArchiveError
from rag.folder import check_folder
from rag.interfaces import ChatModel, Embedder, VectorIndex, WordIndex
from rag.keeping import Kept, Source
from rag.lock import Hold, hold
from rag.response import respond
from rag.schema import Answer, Article, Consultation, Hit, Turn

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable

    from rag.doctor import Checkup

History = Sequence[Turn | tuple[str, str]]
Progress = Callable[[int, int], None]
T = TypeVar("T")

# Passages embedded between two commits: a crash costs at most this much work, a question waits at most this long.
_EMBED_BATCH = 32
# Batches between two updates of the indexes during a long ingest.
_CATCH_UP_EVERY = 64
_FINGERPRINT = "fingerprint"
# The parts that depend on the settings for retrieval and answers.
_BY_SETTINGS = ("parts", "chain")


class Archive:
    """A folder of articles that answers questions. Use it from as many threads as you like, from one process.

    Example:
        >>> with Archive.open("archive") as archive:
        ...     answer = archive.ask("¿Qué tratados reemplaza el acuerdo?")
        ...     print(answer.text)
    """

    def __init__(
        self,
        path: Path,
        *,
        settings: Settings,
        truth: Articles,
        held: Hold,
        embedder: Embedder | None,
        chat_model: ChatModel | None,
        notify: Callable[[str], None] | None,
    ) -> None:
        self.path = path
        self.settings = settings
        self._truth = truth
        self._held = held
        self._given_embedder = embedder
        self._given_chat_model = chat_model
        self._notify = notify
        # Guards the making of parts and all writing; reading needs no lock.
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        self._closed = False
        # What `with_settings` was called on.
        self._whole: Archive | None = None

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
        archive = cls(
            path,
            settings=settings,
            truth=truth,
            held=held,
            embedder=embedder,
            chat_model=chat_model,
            notify=notify,
        )
        try:
            # Before any model is loaded, as far as the settings alone can tell.
            if embedder is None:
                archive._check_fingerprint(fingerprint.of_settings(archive.settings))
        except BaseException:
            archive.close()
            raise
        return archive

    def with_settings(self, settings: Settings, *, notify: Callable[[str], None] | None = None) -> Archive:
        """Return this archive with other settings: the same articles, indexes and models, answered from otherwise.

        It can be used as long as this one is open, and closing it does nothing.

        Args:
            settings: What shapes vectors must be the same.
            notify: As in `open`.

        Raises:
            FingerprintError: The settings ask for other vectors.
        """
        if self._given_embedder is None:
            made_with = self._fingerprint() or fingerprint.of_settings(self.settings)
            fingerprint.check(made_with, fingerprint.of_settings(settings), archive=self.path)
        other = copy(self)
        other.settings, other._notify, other._whole, other._made = settings, notify, self._whole or self, {}
        return other

    def close(self) -> None:
        """Release the archive; closing twice does nothing."""
        if self._whole is not None:
            return
        with self._lock:
            self._closed = True
            for part in ("vectors", "words"):
                if part in self._made:
                    self._made[part].close()
            self._made.clear()
            self._truth.close()
            self._held.release()

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
    ) -> Answer:
        """Return what the archive says to a question; that it does not know is an answer, not an error.

        Args:
            question: In any language.
            history: Earlier turns, oldest first, for follow-up questions.
            since: Only articles published on this day or later.
            until: Only articles published on this day or earlier.
            outlets: Only articles of these outlets; empty means all.

        Raises:
            ValueError: The question is empty, or `since` is after `until`.
        """
        ask = to_ask(_asked(question, history, since, until, outlets))
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
    ) -> Iterator[Answer]:
        """Yield snapshots of the answer as it forms; the first carries the hits, the last is the whole answer.

        Takes and raises what `ask` does.
        """
        ask = to_ask(_asked(question, history, since, until, outlets))
        yield from self._chain.stream(ask)

    def consult(
        self,
        question: str,
        *,
        history: History = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
    ) -> Consultation:
        """Return what the archive holds on a question, every sentence judged, before anything is decided or said.

        Takes and raises what `ask` does.
        """
        ask = to_ask(_asked(question, history, since, until, outlets))
        understood = consultation.understand(ask, parts=self._parts)
        return consultation.read(consultation.retrieve_all(understood, parts=self._parts), parts=self._parts)

    def search(
        self,
        question: str,
        *,
        k: int = 10,
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
    ) -> list[Hit]:
        """Return the `k` passages nearest to a question or keywords, best first."""
        if k < 1:
            raise ValueError(f"k is {k}: ask for 1 passage or more")
        ask = to_ask(_asked(question, (), since, until, outlets))
        return consultation.search(consultation.understand(ask, parts=self._parts), parts=self._parts, k=k)

    def as_runnable(self) -> Runnable[Any, Answer]:
        """Return the retrieval chain as a LangChain Runnable: a question, dict or `Ask` in, an `Answer` out.

        It is the very chain that `ask` and `stream` run; streaming yields snapshots, each replacing the one before.
        """
        return self._chain

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
        with self._lock:
            article = self._truth.delete(article_id)
        self._catch_up()
        return article

    # ---- upkeep

    def check(self) -> Checkup:
        """Return what is wrong with the archive, having read all of it; nothing is changed.

        Questions go on meanwhile, writing waits.
        """
        from rag.doctor import examine

        with self._lock:
            return examine(
                self._truth,
                vectors=self._vectors,
                words=self._words,
                fingerprint=self._fingerprint() or {},
            )

    def rebuild(self) -> None:
        """Make both indexes anew from the articles, without embedding again; questions go on meanwhile."""
        with self._lock:
            for index in (self._words, self._vectors):
                index.rebuild(self._truth)

    def compact(self) -> tuple[int, int]:
        """Leave no byte of deleted or replaced text in the archive's folder, and return its bytes before and after.

        Database and indexes are written anew, and indexes that damage had put aside are removed; it takes as much free
        space again. Questions go on meanwhile, writing waits.
        """
        with self._lock:
            before = _bytes_in(self.path)
            self._truth.compact()
            self.rebuild()
            for index in ("vectors", "words"):
                derived.remove_leftovers(self.path / index)
            return before, _bytes_in(self.path)

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
        with self._lock:
            self._remember_fingerprint()
            # Indexes that are ahead, of a truth that was restored from a copy, must notice before it grows past them.
            words, _ = self._words, self._vectors
            outcomes = self._truth.put(prepared)
            words.catch_up(self._truth)
            return outcomes

    def merge(self, kept: Iterable[Kept]) -> list[Outcome]:
        """Take in what another archive keeps, all of it or nothing, and return what became of each article, in order.

        Vectors among it have to be of this archive's kind; `embed_pending` makes those that are missing.
        """
        with self._lock:
            self._remember_fingerprint()
            # As in `put`.
            words, _ = self._words, self._vectors
            outcomes = self._truth.merge(kept)
            words.catch_up(self._truth)
            return outcomes

    def embed_pending(self, *, progress: Progress | None = None) -> int:
        """Embed every passage that has no vector yet, bring both indexes up to date, and return how many there were."""
        total, done = self._truth.counts().without_vectors, 0
        if progress and total:
            progress(0, total)
        try:
            while pending := self._truth.without_vectors(limit=_EMBED_BATCH):
                made = self.embedder.embed_passages(pending)
                with self._lock:
                    self._truth.set_vectors(
                        [(passage.id, vectors) for passage, vectors in zip(pending, made, strict=True)]
                    )
                done += len(pending)
                if progress:
                    progress(done, max(total, done))
                if done // _EMBED_BATCH % _CATCH_UP_EVERY == 0:
                    self._catch_up()
        except Exception:
            # This process may go on with the archive.
            self._catch_up()
            raise
        self._catch_up()
        return done

    # ---- parts, each made when first needed

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors of this archive."""
        return self._part("embedder", self._make_embedder)

    def _part(self, name: str, make: Callable[[], T]) -> T:
        """Return a part, made once: functools.cached_property has a lock of its own, which ours would deadlock with."""
        if self._whole is not None and name not in _BY_SETTINGS:
            return self._whole._part(name, make)
        if name not in self._made:
            with self._lock:
                if self._closed:
                    raise ArchiveError(f"archive {self.path} is closed: open it again")
                if name not in self._made:
                    self._made[name] = make()
        part: T = self._made[name]
        return part

    @property
    def _vectors(self) -> VectorIndex:
        return self._part("vectors", self._make_vectors)

    @property
    def _words(self) -> WordIndex:
        return self._part("words", self._make_words)

    @property
    def _parts(self) -> Parts:
        return self._part("parts", self._make_parts)

    @property
    def _chain(self) -> Runnable[Any, Answer]:
        return self._part("chain", self._make_chain)

    def _make_embedder(self) -> Embedder:
        if self._given_embedder is not None:
            embedder = self._given_embedder
        else:
            from rag.embedding import load_embedder

            embedder = load_embedder(self.settings.embedding, notify=self._notify)
        self._check_fingerprint(fingerprint.of(embedder, settings=self.settings))
        return embedder

    def _make_vectors(self) -> VectorIndex:
        from rag.vectors import open_vector_index

        index = open_vector_index(self.path / "vectors", dim=self._dim())
        index.catch_up(self._truth)
        return index

    def _make_words(self) -> WordIndex:
        from rag.words import open_word_index

        index = open_word_index(self.path / "words")
        index.catch_up(self._truth)
        return index

    def _make_chat_model(self) -> ChatModel | None:
        if self._given_chat_model is not None:
            return self._given_chat_model
        if self.settings.answer.model == "extractive":
            return None
        from rag.chain import load_chat_model

        return load_chat_model(self.settings.answer)

    def _make_parts(self) -> Parts:
        from rag.reading import CALIBRATED_MODEL, SentenceReader

        return Parts(
            embedder=self.embedder,
            vectors=self._vectors,
            words=self._words,
            reader=SentenceReader(
                load_sentence_vectors=self._truth.sentence_vectors_of,
                calibrated=self.embedder.fingerprint.get("model") == CALIBRATED_MODEL,
            ),
            load_candidates=self._truth.candidates,
            load_passages=self._truth.passages_by_id,
            languages=self._truth.languages,
            settings=self.settings.retrieval,
        )

    def _make_chain(self) -> Runnable[Any, Answer]:
        from rag.chain import compose
        from rag.tokens import load_counter

        parts, chat_model = self._parts, self._make_chat_model()
        return compose(
            consult=[
                # LangChain looks at a step's signature many times a question, which takes long for a `partial`.
                ("understand", lambda ask: consultation.understand(ask, parts=parts)),
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

    # ---- keeping the parts in step

    def _catch_up(self) -> None:
        with self._lock:
            if self._truth.last_seq():
                self._words.catch_up(self._truth)
                self._vectors.catch_up(self._truth)

    def _dim(self) -> int:
        known = self._fingerprint()
        return int(known["dim"]) if known else self.embedder.dim

    def _fingerprint(self) -> dict[str, str] | None:
        known = self._truth.meta(_FINGERPRINT)
        return json.loads(known) if known else None

    def _remember_fingerprint(self) -> None:
        if self._fingerprint() is None:
            made = fingerprint.of(self.embedder, settings=self.settings)
            self._truth.set_meta(_FINGERPRINT, json.dumps(made, sort_keys=True))

    def _check_fingerprint(self, wanted: dict[str, str]) -> None:
        known = self._fingerprint()
        if known:
            fingerprint.check(known, wanted, archive=self.path)


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _asked(
    question: str, history: History, since: date | None, until: date | None, outlets: Sequence[str]
) -> dict[str, Any]:
    return {"question": question, "history": history, "since": since, "until": until, "outlets": outlets}
