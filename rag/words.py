"""The word index: Tantivy with an analysis for each language. The only module that imports tantivy.

Words are analysed here, in Python, and Tantivy is handed the finished terms: so question and passage go through one
function, and nothing that a reader types can act as query syntax. All languages share one field and are kept apart by a
filter, because Tantivy divides a field's length by the number of all documents: a field of its own would skew BM25 for
a language with few passages.
"""

from __future__ import annotations

import re
import shutil
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import tantivy

from rag.errors import ArchiveError
from rag.interfaces import Filters, Found, Truth
from rag.schema import Article, Passage

# Raise it whenever terms or schema change: the index is then made again from the truth at the next opening.
VERSION = 1
TITLE_WEIGHT = 0.5
ARTICLES_PER_COMMIT = 500
WRITER_BYTES = 32_000_000
LONGEST_TERM = 80

_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip
_WITHOUT_STOP_LIST = frozenset({"ar", "el", "ro", "ta", "tr"})
# Written without spaces between words; Korean has them, but glues particles to its nouns.
_BY_BIGRAMS = frozenset({"zh", "ja", "ko", "th", "lo", "km", "my"})
# Tantivy's lists lack most of the words that only questions have.
_STOP_WORDS = {
    "de": "was wer wie wo wann warum welche welchen welcher welches wieviel wem wen wurde wurden",
    "en": "what which who whom whose when where why how many much did does do has have had can could would should "
    "about from its his her he she we you me my our your were been being am than so s t",
    "es": "qué cuál cual cuáles cuales cuánto cuanto cuánta cuanta cuántos cuantos cuántas cuantas quién quien quiénes "
    "quienes dónde donde adónde adonde cuándo cuando cómo como por porqué porque según segun tambien",
    "fr": "quel quelle quels quelles qui que quoi où quand comment pourquoi combien est ce",
    "it": "quale quali quando quanto quanta quanti quante cosa dove come chi perché perche",
    "pt": "qual quais que quem onde quando como quanto quanta quantos quantas porque",
    "ru": "кто что где когда почему как какой какая какие сколько",
}
_PLAIN_SPELLING = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "þ": "th"}
)
# The tilde of ñ stays: año is no ano. The marks are those of Latin, Greek and Cyrillic letters.
_MARKS = re.compile(r"(?<!n)\u0303|[\u0300-\u0302\u0304-\u036f]")
_GROUPED_NUMBER = re.compile(r"(?<![\d.,])(\d{1,3})([.,'’ ])(\d{3})((?:\2\d{3})*)(?!\d)")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}) (?:mil|thousand)\b(?! (?:\d|mill|milh))")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}\b)")
_ONE_TERM = r"\d+(?:\.\d+)+|[\p{L}\p{M}\p{N}]+"
# Snowball leaves Spanish plurals alone that are too short for it: años, ojos, usos.
_SHORT_PLURAL = re.compile(r"[aeiouáéíóú][^\W\daeiouáéíóú][aeo]s").fullmatch
_LATIN_RUN = re.compile(r"[a-z0-9.]+|[^a-z0-9.]+")


class TantivyIndex:
    """Passages by their words, as a `WordIndex`; one instance serves many threads."""

    def __init__(self, index: tantivy.Index, *, folder: Path) -> None:
        self._index: tantivy.Index | None = index
        self._folder = folder
        self._schema = index.schema
        self._writing = threading.Lock()
        self._applied_seq = self._stored_seq()

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
            if newest == self._applied_seq:
                return newest
            start_over = newest < self._applied_seq
            changes = truth.changes(0 if start_over else self._applied_seq, event="article")
            writer = self._open_writer()
            try:
                if start_over:
                    writer.delete_all_documents()
                for at in range(0, len(changes), ARTICLES_PER_COMMIT):
                    batch = changes[at : at + ARTICLES_PER_COMMIT]
                    ids = [change.article_id for change in batch]
                    self._write(writer, batch[-1].seq, replaced=ids, documents=_documents(truth, ids))
                if self._applied_seq != newest:
                    self._write(writer, max([newest, *(change.seq for change in changes[-1:])]))
            finally:
                # Gives the write lock back; what was not committed is gone, and the next time repeats it.
                writer.wait_merging_threads()
            return self._applied_seq

    def search(self, text: str, *, language: str, k: int, filters: Filters) -> list[Found]:
        """Return the `k` best passages written in `language`, best first; scores are BM25.

        `language` "und" searches the passages whose language is unknown or has no analysis of its own. A question
        without a word that counts finds nothing.

        Raises:
            ArchiveError: The index cannot be read.
        """
        if k < 1:
            raise ValueError(f"k is {k}: ask for at least one passage")
        words = question_terms(text, language)
        if not words:
            return []
        with _translated(f"word index {self._folder} cannot be searched"):
            searcher = self._opened().searcher()
            query = self._query(words, language, filters)
            limit = k + 10
            hits = searcher.search(query, limit, count=False).hits
            # Equal scores come in the order of writing: all that tie with the last are needed to order them by id.
            while len(hits) == limit and round(hits[-1][0], 4) == round(hits[k - 1][0], 4):
                limit *= 2
                hits = searcher.search(query, limit, count=False).hits
            found = [Found(str(searcher.doc(at).get_first("passage_id")), round(score, 4)) for score, at in hits]
        return sorted(found, key=lambda each: (-each.score, each.passage_id))[:k]

    def count(self) -> int:
        """Return how many passages the index holds."""
        with _translated(f"word index {self._folder} cannot be read"):
            stored = self._opened().searcher().num_docs
        return max(stored - 1, 0)  # one document holds the state

    def close(self) -> None:
        """Release files and memory; the index is not used afterwards."""
        self._index = None

    def _opened(self) -> tantivy.Index:
        if self._index is None:
            raise ArchiveError(f"word index {self._folder} is closed: open the archive again")
        return self._index

    def _stored_seq(self) -> int:
        searcher = self._opened().searcher()
        state = searcher.search(tantivy.Query.term_query(self._schema, "kind", "state"), 1).hits
        return int(searcher.doc(state[0][1]).get_first("applied_seq") or 0) if state else 0

    def _open_writer(self) -> tantivy.IndexWriter:
        with _translated(f"word index {self._folder} cannot be written"):
            return self._opened().writer(WRITER_BYTES, 1)

    def _write(
        self,
        writer: tantivy.IndexWriter,
        seq: int,
        *,
        replaced: Sequence[str] = (),
        documents: Sequence[tantivy.Document] = (),
    ) -> None:
        state = tantivy.Document()
        state.add_text("kind", "state")
        state.add_integer("applied_seq", seq)
        with _translated(f"word index {self._folder} cannot be written"):
            writer.delete_documents_by_term("kind", "state")
            for article_id in replaced:
                writer.delete_documents_by_term("article_id", article_id)
            for document in (*documents, state):
                writer.add_document(document)
            writer.commit()
            self._opened().reload()
        self._applied_seq = seq

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
            limits.append(query.term_set_query(schema, "outlet", sorted(map(_encodable, filters.outlets))))
        must = tantivy.Occur.Must
        return query.boolean_query(
            [(must, query.boolean_query([(tantivy.Occur.Should, part) for part in scoring]))]
            + [(must, query.const_score_query(limit, 0.0)) for limit in limits]
        )


def open_word_index(folder: Path) -> TantivyIndex:
    """Return the word index kept in `folder`, new and empty if there is none of this version.

    Raises:
        ArchiveError: The folder cannot be written or the index in it is damaged.
    """
    current = folder / f"v{VERSION}"
    with _translated(f"word index {folder} cannot be opened"):
        current.mkdir(parents=True, exist_ok=True)
        for other in folder.glob("v*"):
            if other != current:
                shutil.rmtree(other)
        index = tantivy.Index(_schema(), path=str(current))
        index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
        index.config_reader("manual")  # the other policy starts a thread that polls the folder
        return TantivyIndex(index, folder=folder)


def terms(text: str, language: str) -> list[str]:
    """Return the index terms of a text, in order: lower case, stop words gone, stemmed, without accents but ñ.

    Numbers lose their grouping ("11.000", "11 000" and "11 mil" give 11000) and take a decimal point. A language
    without a stemmer keeps its words whole; one that is written without spaces gives pairs of characters.
    """
    found = _analyzer(language).analyze(_spelled_alike(text))
    if language == "es":
        found = [term[:-1] if len(term) == 4 and _SHORT_PLURAL(term) else term for term in found]
    elif language in _BY_BIGRAMS:
        found = [pair for term in found for pair in _bigrams(term)]
    folded = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", " ".join(found))))
    return [term for term in folded.translate(_PLAIN_SPELLING).split() if len(term) <= LONGEST_TERM]


def question_terms(text: str, language: str) -> list[list[str]]:
    """Return the terms of a question's words, each once, with those that other accents would have given.

    Stemming needs accents (firmaría, firmó), so the words of a Spanish or Portuguese question that has none are tried
    with them: a reader may type without.
    """
    if language not in ("es", "pt") or _MARKS.search(unicodedata.normalize("NFD", text)):
        return [[term] for term in dict.fromkeys(terms(text, language))]
    words: dict[tuple[str, ...], None] = {}
    for word in dict.fromkeys(_analyzer("").analyze(_spelled_alike(text))):
        as_typed = terms(word, language)
        if as_typed:
            spellings = [term for spelling in _accented(word) for term in terms(spelling, language)]
            words[tuple(dict.fromkeys(as_typed + spellings))] = None
    return [list(spellings) for spellings in words]


def _accented(word: str) -> list[str]:
    acute = [f"{word[: at + 1]}\u0301{word[at + 1 :]}" for at, letter in enumerate(word) if letter in "aeiou"]
    return [*acute, re.sub(r"cao$", "ção", re.sub(r"coes$", "ções", word))]


def _spelled_alike(text: str) -> str:
    text = unicodedata.normalize("NFKC", _encodable(text)).lower().replace("ё", "е")
    text = _GROUPED_NUMBER.sub(lambda found: re.sub(r"\D", "", found[0]), text)
    return _DECIMAL_COMMA.sub(".", _THOUSANDS.sub(r"\g<1>000", text))


def _encodable(text: str) -> str:
    # A lone surrogate cannot be stored, but a reader's clipboard can hold one.
    return text.encode("utf-8", "replace").decode("utf-8")


def _bigrams(term: str) -> Iterator[str]:
    for run in _LATIN_RUN.findall(term):
        if len(run) == 1 or run[0].isascii():
            yield run
        else:
            yield from (run[at : at + 2] for at in range(len(run) - 1))


@cache
def _analyzer(language: str) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_ONE_TERM))
    if language in _STOP_WORDS:
        builder = builder.filter(tantivy.Filter.custom_stopword(_STOP_WORDS[language].split()))
    if language in _STEMMERS and language not in _WITHOUT_STOP_LIST:
        builder = builder.filter(tantivy.Filter.stopword(_STEMMERS[language]))
    if language in _STEMMERS:
        builder = builder.filter(tantivy.Filter.stemmer(_STEMMERS[language]))
    return builder.build()


def _known(language: str) -> str:
    return language or "und"


def _documents(truth: Truth, ids: Sequence[str]) -> list[tantivy.Document]:
    articles = truth.articles_by_id(ids)
    return [
        _document(passage, articles[passage.article_id])
        for passage in truth.passages_of(ids)
        if passage.article_id in articles
    ]


def _document(passage: Passage, article: Article) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("kind", "passage")
    document.add_text("passage_id", passage.id)
    document.add_text("article_id", passage.article_id)
    document.add_text("language", _known(passage.language))
    if passage.language not in _STEMMERS and passage.language not in _BY_BIGRAMS and _known(passage.language) != "und":
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
    for name in ("kind", "passage_id", "article_id", "language", "outlet"):
        builder.add_text_field(name, stored=name == "passage_id", tokenizer_name="raw", index_option="basic")
    for name in ("words", "title"):
        builder.add_text_field(name, tokenizer_name="terms", index_option="freq")
    builder.add_integer_field("published_day", indexed=True, fast=True)
    builder.add_integer_field("applied_seq", stored=True)
    return builder.build()


@contextmanager
def _translated(failure: str) -> Iterator[None]:
    # Tantivy reports everything as ValueError or OSError.
    try:
        yield
    except (ValueError, OSError, RuntimeError) as exc:
        raise ArchiveError(
            f"{failure} ({exc}): check the disk, or delete that folder and open the archive again to have it made anew"
        ) from exc
