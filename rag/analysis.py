"""The terms that a text is searched by, for each language: Tantivy's analysis, asked from Python.

Question and passage go through one function, and nothing that a reader types can act as query syntax.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import tantivy

from rag import spelling

LONGEST_TERM = 80
# A shorter word has too many others beside it.
_SHORTEST_MISSPELT = 5

_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip
_WITHOUT_STOP_LIST = frozenset({"ar", "el", "ro", "ta", "tr"})
_ONE_TERM = r"\d+(?:\.\d+)+|[\p{L}\p{M}\p{N}]+"
# Languages that have an analysis.
ANALYSED = frozenset({*_STEMMERS, *spelling.UNSPACED})


def terms(text: str, language: str) -> list[str]:
    """Return the index terms of a text, in order: lower case, stop words gone, stemmed, without accents but ñ.

    Numbers lose their grouping ("11.000", "11 000" and "11 mil" give 11000) and take a decimal point. A language
    without a stemmer keeps its words whole; one that is written without spaces gives pairs of characters.
    """
    return _terms(spelling.spelled_alike(text), language)


def _terms(spelled: str, language: str) -> list[str]:
    found = _analyzer(language).analyze(spelled)
    if language == "es":
        found = [spelling.singular(stem) for stem in found]
    elif language in spelling.UNSPACED:
        found = [pair for term in found for pair in spelling.character_pairs(term)]
    return [term for term in spelling.folded(" ".join(found)).split() if len(term) <= LONGEST_TERM]


def question_terms(text: str, language: str) -> list[list[str]]:
    """Return the terms of a question's words, each once, with those that other accents would have given.

    Stemming needs accents (firmaría, firmó), so the words of a Spanish or Portuguese question that has none are tried
    with them: a reader may type without.
    """
    return _question_terms(spelling.spelled_alike(text), language)


def _question_terms(spelled: str, language: str) -> list[list[str]]:
    if language not in ("es", "pt") or spelling.has_accents(spelled):
        return [[term] for term in dict.fromkeys(_terms(spelled, language))]
    words: dict[tuple[str, ...], None] = {}
    for word in dict.fromkeys(_analyzer("").analyze(spelled)):
        as_typed = _terms(word, language)
        if as_typed:
            spellings = _terms(" ".join(spelling.accented(word)), language)
            words[tuple(dict.fromkeys(as_typed + spellings))] = None
    return [list(spellings) for spellings in words]


def _analyzer(language: str) -> tantivy.TextAnalyzer:
    return _analyzer_of(language if language in _STEMMERS else "")


@cache
def _analyzer_of(language: str) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_ONE_TERM))
    if language in spelling.STOP_WORDS:
        builder = builder.filter(tantivy.Filter.custom_stopword(spelling.STOP_WORDS[language].split()))
    if language in _STEMMERS and language not in _WITHOUT_STOP_LIST:
        builder = builder.filter(tantivy.Filter.stopword(_STEMMERS[language]))
    if language in _STEMMERS:
        builder = builder.filter(tantivy.Filter.stemmer(_STEMMERS[language]))
    return builder.build()


def corrected(words: list[list[str]], text: str, *, language: str, is_known: Callable[[str], bool]) -> list[list[str]]:
    """Return the words of a question with the nearest known terms in place of one that nothing is known of.

    Nearest is what one letter more, less, other or exchanged with the next one makes of it.

    Args:
        words: What `question_terms` gives for the question.
        text: The question.
        language: The question's.
        is_known: Whether some passage has a term.
    """
    if language in spelling.UNSPACED or all(any(map(is_known, spellings)) for spellings in words):
        return words
    found: dict[tuple[str, ...], None] = {}
    for word in _analyzer("").analyze(spelling.spelled_alike(text)):
        for spellings in _question_terms(word, language):
            if len(word) >= _SHORTEST_MISSPELT and word.isalpha() and not any(map(is_known, spellings)):
                nearest = dict.fromkeys(_terms(" ".join(spelling.one_letter_off(word)), language))
                spellings = [term for term in nearest if len(term) > 2 and is_known(term)] or spellings
            found[tuple(spellings)] = None
    return [list(spellings) for spellings in found]
