"""What an open archive holds, for all who use it at once: the truth, its indexes, its embedder, and their upkeep.

Two locks. `_making` guards the making of a part, and lasts as long as opening an index or loading a model. `_writing`
lets one thread at a time change the archive, and may last for minutes; questions never wait for it. Who writes may make
parts, but not the other way round.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag import derived, fingerprint, kept_times
from rag.articles import Articles, Outcome, Prepared
from rag.config import Settings
from rag.dates import find_times
from rag.errors import ArchiveError, ModelError
from rag.interfaces import Embedder, PassageVectors, VectorIndex, WordIndex
from rag.keeping import Kept
from rag.lock import Hold
from rag.reading import CALIBRATED_MODEL
from rag.schema import Article, Passage, TimeExpression
from rag.story_links import StoryLinks

if TYPE_CHECKING:
    from rag.cross_encoder import CrossEncoder
    from rag.doctor import Checkup

Progress = Callable[[int, int], None]
T = TypeVar("T")
Index = TypeVar("Index", VectorIndex, WordIndex)

# Passages embedded between two commits: two or three seconds of work. A crash costs those under way and those begun
# after them. Among more of them each finds others of its length, so that the model reads less padding: of 32 passages
# 11 %, of 64 7 %, of 128 4 %.
_EMBED_BATCH = 128
# Batches between two updates of the indexes during a long ingest, which is done while the model goes on.
_CATCH_UP_EVERY = 4
_FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True)
class TrainedReader:
    """A model that reads passages, or in a sentence why there is none."""

    model: CrossEncoder | None
    why: str = ""


class Holdings:
    """One archive, held by this process until `close`. Any number of threads may use it.

    Args:
        path: The archive's folder.
        settings: Of them, what shapes vectors counts here.
        truth: The articles, open.
        held: The hold on the folder; released at the end.
        embedder: Used instead of the one that the settings name.
        notify: Called with a sentence when something takes long.
    """

    def __init__(
        self,
        path: Path,
        *,
        settings: Settings,
        truth: Articles,
        held: Hold,
        embedder: Embedder | None,
        notify: Callable[[str], None] | None,
    ) -> None:
        self.path = path
        self.truth = truth
        self._settings = settings
        self._held = held
        self._given_embedder = embedder
        self._notify = notify
        self._making = threading.RLock()
        self._writing = threading.RLock()
        self._made: dict[str, Any] = {}
        self._made_anew: list[str] = []
        self._closed = False
        self._stories = StoryLinks(truth.database)

    def close(self) -> None:
        """Release the archive, whatever fails on the way; closing twice does nothing."""
        with self._writing, self._making, ExitStack() as last:
            self._closed = True
            last.callback(self._held.release)
            last.callback(self.truth.close)
            for part in ("vectors", "words"):
                if part in self._made:
                    last.callback(self._made[part].close)
            self._made.clear()

    # ---- parts, each made when first needed

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors of this archive."""
        return self._part("embedder", self._make_embedder)

    @property
    def vectors(self) -> VectorIndex:
        """The dense index, caught up with the truth when it was opened."""
        return self._part("vectors", self._make_vectors)

    @property
    def words(self) -> WordIndex:
        """The word index, caught up with the truth when it was opened."""
        return self._part("words", self._make_words)

    @property
    def trained_reader(self) -> TrainedReader:
        """The trained model that reads passages, or why there is none, which is told once."""
        return self._part("trained_reader", self._make_trained_reader)

    def _make_trained_reader(self) -> TrainedReader:
        from rag.cross_encoder import load_cross_encoder
        from rag.embedding import SentenceEmbedder

        embedder = self.embedder
        is_bundled = embedder.fingerprint.get("model") == CALIBRATED_MODEL
        shared = embedder.tokenizer if is_bundled and isinstance(embedder, SentenceEmbedder) else None
        try:
            return TrainedReader(load_cross_encoder(tokenizer=shared, notify=self._notify))
        except ModelError as exc:
            return TrainedReader(None, why=str(exc))

    @property
    def stories(self) -> StoryLinks:
        """The links between articles of one story, caught up with the truth unless somebody is writing just now.

        Who writes brings them up to date at the end, and questions do not wait for that.
        """
        if self._stories.applied_seq < self.truth.last_seq() and self._writing.acquire(blocking=False):
            try:
                if self._notify and not self._stories.applied_seq:
                    self._notify("looking for the articles that tell one story (once)")
                self._follow_stories()
            finally:
                self._writing.release()
        return self._stories

    def _follow_stories(self) -> None:
        known = self.fingerprint() or {}
        # Cosines of other models mean other things: there, only copies are found.
        self._stories.catch_up(by_vectors=known.get("model") == CALIBRATED_MODEL)

    def _part(self, name: str, make: Callable[[], T]) -> T:
        """Return a part, made once: functools.cached_property has a lock of its own, which ours would deadlock with.

        Raises:
            ArchiveError: The archive is closed.
        """
        made: T | None = self._made.get(name)
        if made is None:
            with self._making:
                if self._closed:
                    raise ArchiveError(f"archive {self.path} is closed: open it again")
                made = self._made.get(name)
                if made is None:
                    made = self._made[name] = make()
        return made

    def _make_embedder(self) -> Embedder:
        if self._given_embedder is not None:
            embedder = self._given_embedder
        else:
            from rag.embedding import load_embedder

            chosen = fingerprint.embedding_settings(self._settings.embedding, self.fingerprint())
            embedder = load_embedder(chosen, notify=self._notify)
        self._check_known(fingerprint.of(embedder, settings=self._settings))
        return embedder

    def _make_vectors(self) -> VectorIndex:
        from rag.vectors import open_vector_index

        return self._caught_up("vectors", "vector index", partial(open_vector_index, dim=self._dim()))

    def _make_words(self) -> WordIndex:
        from rag.words import open_word_index

        return self._caught_up("words", "word index", open_word_index)

    def _caught_up(self, folder: str, name: str, open_index: Callable[[Path], Index]) -> Index:
        """Return an index that follows the truth, and note if it had to be made anew."""
        before = self._traces(folder)
        index = open_index(self.path / folder)
        # One that was missing, beside articles, has a folder now; a damaged one was put aside under another name.
        if self._traces(folder) != before and self.truth.last_seq():
            self._made_anew.append(name)
        index.catch_up(self.truth)
        return index

    def _traces(self, folder: str) -> set[str]:
        return {entry.name for pattern in (folder, f"{folder}.damaged-*") for entry in self.path.glob(pattern)}

    # ---- what made the vectors

    def fingerprint(self) -> dict[str, str] | None:
        """Return what the archive's vectors are made by, None as long as it never had an article."""
        known = self.truth.meta(_FINGERPRINT)
        return json.loads(known) if known else None

    def check_settings(self, settings: Settings) -> None:
        """Compare what settings would make vectors by, as far as they alone tell, with what made those that are held.

        Raises:
            FingerprintError: They differ.
        """
        wanted = fingerprint.of_settings(settings)
        if self._given_embedder is not None:
            # What was handed over is named by no setting; how it is fed is.
            wanted = {"passage_tokens": wanted["passage_tokens"]}
        known = self.fingerprint() or fingerprint.of_settings(self._settings)
        fingerprint.check(known, wanted, archive=self.path)

    def _check_known(self, wanted: dict[str, str]) -> None:
        if known := self.fingerprint():
            fingerprint.check(known, wanted, archive=self.path)

    def _dim(self) -> int:
        known = self.fingerprint()
        return int(known["dim"]) if known else self.embedder.dim

    def _remember_fingerprint(self) -> None:
        if self.fingerprint() is None:
            made = fingerprint.of(self.embedder, settings=self._settings)
            self.truth.set_meta(_FINGERPRINT, json.dumps(made, sort_keys=True))

    # ---- writing

    def put(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Keep articles durably, findable by their words, and return what became of each."""
        with self._writing:
            self._remember_fingerprint()
            self._open_indexes()
            outcomes = self.truth.put(prepared)
            self.words.catch_up(self.truth)
            return outcomes

    def merge(self, kept: Iterable[Kept]) -> list[Outcome]:
        """Take in what another archive keeps, all of it or nothing, and return what became of each article, in order.

        Vectors among it have to be of this archive's kind.
        """
        with self._writing:
            self._remember_fingerprint()
            self._open_indexes()
            outcomes = self.truth.merge(kept)
            self.words.catch_up(self.truth)
            return outcomes

    def delete(self, article_id: str) -> Article:
        """Delete an article from the truth and from both indexes, and return what it was.

        Raises:
            NotFoundError: No article has that id.
        """
        with self._writing:
            self._open_indexes()
            article = self.truth.delete(article_id)
            self.catch_up()
            return article

    def embed_pending(self, *, progress: Progress | None = None) -> int:
        """Embed every passage that has no vector yet, bring both indexes up to date, and return how many there were."""
        total, done = self.truth.counts().without_vectors, 0
        if progress and total:
            progress(0, total)
        if total:
            self._open_indexes()
        try:
            with closing(self._embedded()) as batches:
                for pending, made in batches:
                    with self._writing:
                        self.truth.set_vectors(list(zip(pending, made, strict=True)))
                    done += len(pending)
                    if progress:
                        progress(done, max(total, done))
                    if done // _EMBED_BATCH % _CATCH_UP_EVERY == 0:
                        self.catch_up()
        except Exception:
            # This process may go on with the archive.
            self.catch_up()
            raise
        self.catch_up()
        return done

    def _embedded(self) -> Generator[tuple[list[Passage], list[PassageVectors]], None, None]:
        """Yield the passages that lack a vector with theirs, as long as there are any; the caller keeps them.

        Meanwhile the next ones are being embedded, so that the model does not wait for what is written.
        """
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedding") as beside:

            def begun(others: Sequence[Passage]) -> tuple[list[Passage], Future[list[PassageVectors]]]:
                under_way = {passage.id for passage in others}
                waiting = self.truth.without_vectors(limit=_EMBED_BATCH + len(others))
                some = [passage for passage in waiting if passage.id not in under_way][:_EMBED_BATCH]
                return some, beside.submit(lambda: self.embedder.embed_passages(some) if some else [])

            try:
                pending, making = begun(())
                while pending:
                    following, made_next = begun(pending)
                    yield pending, making.result()
                    # At the end once more: others may have come in meanwhile.
                    pending, making = (following, made_next) if following else begun(())
            finally:
                beside.shutdown(wait=False, cancel_futures=True)

    def catch_up(self) -> None:
        """Bring both indexes, and the links between articles of one story, up to date with the truth."""
        with self._writing:
            if self.truth.last_seq():
                self.words.catch_up(self.truth)
                self.vectors.catch_up(self.truth)
                self._follow_stories()

    def _open_indexes(self) -> None:
        # Before the truth grows: indexes that are ahead of it, because a copy of it was put back, must notice first.
        _, _ = self.words, self.vectors

    def times(self, article: Article) -> tuple[TimeExpression, ...]:
        """Return the time expressions of an article, and keep them unless somebody is writing just now."""
        kept = kept_times.read(self.truth.database, article)
        if kept is not None:
            return kept
        found = find_times(article.text, language=article.language, published=article.published)
        if self._writing.acquire(blocking=False):
            try:
                kept_times.write(self.truth.database, article, found)
            finally:
                self._writing.release()
        return found

    # ---- upkeep

    def check(self) -> Checkup:
        """Return what is wrong with the archive, having brought its indexes up to date and read all of it."""
        from rag.doctor import examine

        with self._writing:
            self.catch_up()
            checkup = examine(self.truth, vectors=self.vectors, words=self.words, fingerprint=self.fingerprint() or {})
            return replace(checkup, made_anew=tuple(self._made_anew))

    def rebuild(self) -> None:
        """Make both indexes and all links of stories anew from the articles, without embedding again."""
        with self._writing:
            self._rebuild_indexes()
            self._stories.forget()
            self._follow_stories()

    def _rebuild_indexes(self) -> None:
        for index in (self.words, self.vectors):
            index.rebuild(self.truth)

    def compact(self) -> tuple[int, int]:
        """Leave no byte of deleted or replaced text in the folder, and return its bytes before and after."""
        with self._writing:
            before = _bytes_in(self.path)
            self.truth.compact()
            self._rebuild_indexes()
            for index in ("vectors", "words"):
                derived.remove_leftovers(self.path / index)
            return before, _bytes_in(self.path)


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
