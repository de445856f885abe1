"""The word index: Tantivy with an analysis for each language. The only module that imports tantivy.

Words are analysed here, in Python, and Tantivy is handed the finished terms: so question and passage go through one
function, and nothing that a reader types can act as query syntax. All languages share one field and are kept apart by a
filter, because Tantivy divides a field's length by the number of all documents: a field of its own would skew BM25 for
a language with few passages.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import tantivy

from rag import derived
from rag.analysis import ANALYSED, corrected, question_terms, terms
from rag.errors import ArchiveError
from rag.interfaces import Audit, Filters, Found, Truth
from rag.order import best_first
from rag.readable import encodable
from rag.schema import Article, Passage

# Raise it whenever terms or schema change: the index is then made again from the truth at the next opening.
VERSION = 3
TITLE_WEIGHT = 0.5
ARTICLES_PER_COMMIT = 500
WRITER_BYTES = 32_000_000


class TantivyIndex:
    """Passages by their words, as a `WordIndex`; one instance serves many threads."""

    def __init__(self, index: tantivy.Index, *, folder: Path) -> None:
        self._index: tantivy.Index | None = index
        self._folder = folder
        self._schema = index.schema
        self._writing = threading.Lock()
        self._door = derived.Door()
        self._applied_seq, self._begun_seq = _stored_seqs(folder)

    @property
    def applied_seq(self) -> int:
        """The change log entry up to which the index follows the truth."""
        return self._applied_seq

    def catch_up(self, truth: Truth) -> int:
        """Apply what the truth logged since, durably, and return the `seq` reached; safe to repeat.

        A truth that is older than the index (a copy was put back) makes the index start over.

        Raises:
            ArchiveError: The index cannot be written.
        """
        with self._writing:
            newest = truth.last_seq()
            if newest == self._applied_seq == self._begun_seq:
                if not derived.is_sealed(self._folder):
                    self._seal()
                return newest
            # Without a mark nothing tells what it holds.
            start_over = newest < self._begun_seq or not (self._applied_seq or self.count() == 0)
            changes = truth.changes(0 if start_over else self._applied_seq, event="article")
            writer = self._open_writer()
            try:
                if start_over:
                    writer.delete_all_documents()
                for at in range(0, len(changes), ARTICLES_PER_COMMIT):
                    batch = changes[at : at + ARTICLES_PER_COMMIT]
                    ids = [change.article_id for change in batch]
                    self._write(writer, batch[-1].seq, replaced=ids, documents=_documents(truth, ids))
                if not self._applied_seq == self._begun_seq == newest:
                    self._write(writer, max([newest, *(change.seq for change in changes[-1:])]))
            finally:
                # Gives the write lock back; what was not committed is gone, and the next time repeats it.
                writer.wait_merging_threads()
            self._seal()
            return self._applied_seq

    def search(self, text: str, *, language: str, k: int, filters: Filters) -> list[Found]:
        """Return the `k` best passages written in `language`, best first; scores are BM25.

        `language` "und" searches the passages whose language is unknown or has no analysis of its own. A question
        without a word that counts finds nothing, and so does a `k` below 1.

        Raises:
            ArchiveError: The index cannot be read.
        """
        if k < 1:
            return []
        words = question_terms(text, language)
        if not words:
            return []
        with self._door.shared(), _translated("word index {} cannot be searched", self._folder):
            searcher = self._opened().searcher()
            if not searcher.doc_freq("language", _known(language)):
                # To look for what each word may have been misspelt from takes longer than all the rest.
                return []
            words = corrected(words, text, language=language, is_known=partial(_is_known, searcher))
            query = self._query(words, language, filters)
            limit = k + 10
            hits = searcher.search(query, limit, count=False).hits
            # Equal scores come in the order of writing: all that tie with the last are needed to order them by content.
            while len(hits) == limit and round(hits[-1][0], 4) == round(hits[k - 1][0], 4):
                limit *= 2
                hits = searcher.search(query, limit, count=False).hits
            scores = {str(searcher.doc(at).get_first("passage_id")): round(score, 4) for score, at in hits}
        return [Found(passage_id, scores[passage_id]) for passage_id in best_first(scores)[:k]]

    def count(self) -> int:
        """Return how many passages the index holds."""
        with self._door.shared(), _translated("word index {} cannot be read", self._folder):
            return int(self._opened().searcher().num_docs)

    def rebuild(self, truth: Truth) -> None:
        """Make the index anew from the truth beside the old one, then put it in its place; searches go on meanwhile.

        Raises:
            ArchiveError: It cannot be written; the old one stays.
        """
        failure = _translated("word index {} cannot be made anew", self._folder)
        with self._writing, failure, derived.beside(self._folder) as fresh:
            index = _open(fresh)
            index.catch_up(truth)
            index.close()
            with self._door.alone():
                self._opened()
                self._index = None
                try:
                    derived.swap(self._folder, fresh)
                finally:
                    # The new one, or the old one if they could not be exchanged.
                    reopened = _open(self._folder)
                    self._index = reopened._index
                    self._applied_seq, self._begun_seq = reopened._applied_seq, reopened._begun_seq

    def audit(self, truth: Truth, article_ids: Sequence[str]) -> Audit:
        """Return where the index differs from the truth of these articles, and what it holds of none of them.

        A passage has to be there once, and to be found by every term of its text.

        Raises:
            ArchiveError: The index cannot be read.
        """
        missing, unfindable = list[str](), list[str]()
        with self._door.shared(), _translated("word index {} cannot be read", self._folder):
            searcher = self._opened().searcher()
            hits = searcher.search(tantivy.Query.all_query(), max(searcher.num_docs, 1), count=False).hits
            held = Counter(str(searcher.doc(at).get_first("passage_id")) for _, at in hits)
            orphaned = set(held)
            for at in range(0, len(article_ids), ARTICLES_PER_COMMIT):
                for passage in truth.passages_of(article_ids[at : at + ARTICLES_PER_COMMIT]):
                    orphaned.discard(passage.id)
                    if passage.id not in held:
                        missing.append(passage.id)
                    elif len(searcher.search(self._itself(passage), 2).hits) != 1:
                        unfindable.append(passage.id)
        doubled = (id_ for id_, times in held.items() if times > 1)
        return Audit(*(tuple(sorted(ids)) for ids in (missing, orphaned, doubled, unfindable)))

    def close(self) -> None:
        """Release files and memory; the index is not used afterwards."""
        with self._door.alone():
            self._index = None

    def _itself(self, passage: Passage) -> tantivy.Query:
        words = dict.fromkeys(terms(passage.text, passage.language))
        parts = [tantivy.Query.term_query(self._schema, "passage_id", passage.id)]
        parts += [tantivy.Query.term_query(self._schema, "words", term, "freq") for term in words]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])

    def _opened(self) -> tantivy.Index:
        if self._index is None:
            raise ArchiveError(f"word index {self._folder} is closed: open the archive again")
        return self._index

    def _open_writer(self) -> tantivy.IndexWriter:
        with _translated("word index {} cannot be written", self._folder):
            derived.unseal(self._folder)
            writer = self._opened().writer(WRITER_BYTES, 1)
            # What a killed process wrote and never committed: a file of the same name would be in the way.
            writer.garbage_collect_files()
            return writer

    def _seal(self) -> None:
        with _translated("word index {} cannot be written", self._folder):
            # Lock files and the list of files to delete (.managed.json) change without a commit.
            files = [file for file in self._folder.glob("v*/*") if not file.name.startswith(".")]
            derived.seal(self._folder, files)

    def _write(
        self,
        writer: tantivy.IndexWriter,
        seq: int,
        *,
        replaced: Sequence[str] = (),
        documents: Sequence[tantivy.Document] = (),
    ) -> None:
        with _translated("word index {} cannot be written", self._folder):
            self._mark(applied=self._applied_seq, begun=seq)
            for article_id in replaced:
                writer.delete_documents_by_term("article_id", article_id)
            for document in documents:
                writer.add_document(document)
            writer.commit()
            self._opened().reload()
            self._mark(applied=seq, begun=seq)

    def _mark(self, *, applied: int, begun: int) -> None:
        # In a file, not in a document that each commit replaces: Tantivy counts deleted documents in BM25 until it
        # merges them away, and the same articles would score differently from one day to the next.
        derived.write_durably(_marks(self._folder), json.dumps({"applied": applied, "begun": begun}))
        self._applied_seq, self._begun_seq = applied, begun

    def _query(self, words: Sequence[Sequence[str]], language: str, filters: Filters) -> tantivy.Query:
        query = tantivy.Query
        schema = self._schema

        def any_spelling(field: str, spellings: Sequence[str]) -> tantivy.Query:
            return query.disjunction_max_query([query.term_query(schema, field, term, "freq") for term in spellings])

        scoring = [any_spelling("words", spellings) for spellings in words]
        scoring += [query.boost_query(any_spelling("title", spellings), TITLE_WEIGHT) for spellings in words]
        limits = [query.term_query(schema, "language", _known(language))]
        if filters.since or filters.until:
            since = filters.since.toordinal() if filters.since else None
            until = filters.until.toordinal() if filters.until else None
            limits.append(query.range_query(schema, "published_day", tantivy.FieldType.Integer, since, until))
        if filters.outlets:
            limits.append(query.term_set_query(schema, "outlet", sorted(map(encodable, filters.outlets))))
        must = tantivy.Occur.Must
        return query.boolean_query(
            [(must, query.boolean_query([(tantivy.Occur.Should, part) for part in scoring]))]
            + [(must, query.const_score_query(limit, 0.0)) for limit in limits]
        )


def open_word_index(folder: Path) -> TantivyIndex:
    """Return the word index kept in `folder`; nobody else may have it open.

    It is new and empty if there is none of this version, or if the one there is damaged: that is put aside, and the
    next `catch_up` fills the new one.

    Raises:
        ArchiveError: The folder cannot be written.
    """
    return derived.sound_or_anew(folder, name="word index", make=lambda: _open(folder))


def _open(folder: Path) -> TantivyIndex:
    current = folder / f"v{VERSION}"
    current.mkdir(exist_ok=True)
    for other in folder.glob("v*"):
        if other != current:
            shutil.rmtree(other)
            derived.unseal(folder)
    index = tantivy.Index(_schema(), path=str(current))
    index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    index.config_reader("manual")  # the other policy starts a thread that polls the folder
    return TantivyIndex(index, folder=folder)


def _is_known(searcher: tantivy.Searcher, term: str) -> bool:
    # Asked of some hundred spellings of a misspelt word.
    return searcher.doc_freq("words", term) > 0 or searcher.doc_freq("title", term) > 0


def _known(language: str) -> str:
    return language or "und"


def _marks(folder: Path) -> Path:
    return folder / f"v{VERSION}" / "applied.json"


def _stored_seqs(folder: Path) -> tuple[int, int]:
    """Return the entry of the change log that the index follows, and the one that it may have come to."""
    try:
        marks = json.loads(_marks(folder).read_text(encoding="utf-8"))
        return int(marks["applied"]), int(marks["begun"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0, 0


def _documents(truth: Truth, ids: Sequence[str]) -> list[tantivy.Document]:
    articles = truth.articles_by_id(ids)
    return [
        _document(passage, articles[passage.article_id])
        for passage in truth.passages_of(ids)
        if passage.article_id in articles
    ]


def _document(passage: Passage, article: Article) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("passage_id", passage.id)
    document.add_text("article_id", passage.article_id)
    document.add_text("language", _known(passage.language))
    if _known(passage.language) not in {*ANALYSED, "und"}:
        document.add_text("language", "und")
    if article.outlet:
        document.add_text("outlet", article.outlet)
    if article.published:
        document.add_integer("published_day", article.published.toordinal())
    document.add_text("words", " ".join(terms(passage.text, passage.language)))
    heading = f"{article.title or ''}\n{article.outlet or ''}"
    document.add_text("title", " ".join(terms(heading, passage.language)))
    return document


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("passage_id", "article_id", "language", "outlet"):
        builder.add_text_field(name, stored=name == "passage_id", tokenizer_name="raw", index_option="basic")
    for name in ("words", "title"):
        builder.add_text_field(name, tokenizer_name="terms", index_option="freq")
    builder.add_integer_field("published_day", indexed=True, fast=True)
    return builder.build()


def _translated(failure: str, folder: Path) -> AbstractContextManager[None]:
    # Tantivy reports everything as ValueError or OSError.
    return derived.translated(failure.format(folder), folder=folder, errors=(ValueError, OSError, RuntimeError))
