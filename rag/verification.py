"""Whether the sentences that a statement cites bear it out, without a model: its numbers, names, words and negation.

This is a lexical check. It catches what language models get wrong most visibly (a number, a date, a name, a "not"), and
what it cannot see (a paraphrase in other words) it calls "partly" or "unsupported" rather than "supported".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.figures import Figure, find_figures, is_month
from rag.schema import Support
from rag.terms import content_terms

# Share of the statement's content words that the cited sentences must have.
SUPPORTED = 0.6
PARTLY = 0.3
# Numbers and names that agree make a paraphrase in other words "partly" supported.
_ANCHORS = 2

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_STARTS = re.compile(r"(?:^|[.:!?…]\s+|[«“\"(¿¡—]\s*)$")
_NEGATION = re.compile(
    r"\b(?:no|nunca|jam[áa]s|tampoco|ning[úu]n[oa]?|nadie|sin"
    r"|not|never|nobody|none|without|cannot|\w+n['’]t"
    r"|n[ãa]o|sem|ningu[ée]m|nenhuma?|ne|pas|aucune?|sans|nicht|kein\w*|nie|ohne|non|senza|не|нет|без)\b",
    re.IGNORECASE,
)
_NO_NEGATION = re.compile(
    r"\b(?:sin embargo|no obstante|sin duda|no s[óo]lo|no [úu]nicamente|not only|no doubt|sem d[úu]vida|sans doute"
    r"|nicht nur|non solo)\b",
    re.IGNORECASE,
)
# Its doubled initials are no initials of its words.
_UNITED_STATES = re.compile(r"\bEE\.?\s?UU\b\.?")
_LOWER_BETWEEN = frozenset({"de", "del", "la", "las", "los", "el", "y", "of", "the", "and", "for"})
# All nouns are written with a capital.
_NO_NAMES = frozenset({"de"})


@dataclass(frozen=True, slots=True)
class _Facts:
    """What can be checked of a text: its content words as terms (for names) and as stems, figures, negation."""

    terms: frozenset[str]
    stems: frozenset[str]
    names: tuple[str, ...]
    figures: tuple[Figure, ...]
    negated: bool


def check(
    statement: str,
    cited: Sequence[str],
    *,
    context: Sequence[str] = (),
    language: str = "und",
    cited_language: str = "und",
) -> Support:
    """Return whether the cited sentences support a statement; with nothing cited, "unsupported".

    Every number and month of the statement must stand in the cited sentences, and most of its names and content words;
    a negation on one side only leaves at most "partly". Between two languages only numbers and names are compared.

    Args:
        statement: One sentence, without markers.
        cited: The sentences it rests on.
        context: What stands around them (title, outlet, date, the passage): it may confirm a name, and turns a number
            that the cited sentences lack into "partly".
        language: Of the statement, ISO 639-1.
        cited_language: Of the cited sentences; "und" counts as the statement's.
    """
    if not any(cited) or not statement.strip():
        return "unsupported"
    foreign = "und" not in (language, cited_language) and language != cited_language
    source_language = cited_language if foreign else language
    said = _facts(statement, language)
    proof = _facts(" \n".join(cited), source_language)
    around = _facts(" \n".join(context), source_language)
    figures = _weakest(_figure_support(figure, proof, around) for figure in said.figures)
    if figures == "unsupported":
        return "unsupported"
    texts = (*cited, *context)
    missing = [name for name in said.names if not _is_named(name, proof.terms | around.terms, texts)]
    anchors = len(said.figures) + len(said.names) - len(missing)
    if foreign:
        words = _foreign_support(said, missing=len(missing), anchors=anchors)
    else:
        words = _word_support(said, proof, around, missing=len(missing), anchors=anchors)
    best = max(cited, key=lambda sentence: overlap(statement, sentence))
    if figures == "partly" and missing:
        return "unsupported"
    turned = said.negated != is_negated(best)
    return _weakest([figures, words, "partly" if turned else "supported"])


def overlap(statement: str, sentence: str) -> float:
    """Return the share, 0 to 1, of a statement's content words and numbers that a sentence has."""
    wanted = word_stems(statement)
    return len(wanted & word_stems(sentence)) / len(wanted) if wanted else 0.0


def word_stems(text: str) -> frozenset[str]:
    """Return the content words and numbers of a text, shorter than for searching: "pacto" and "pactos" are one."""
    return frozenset(_stem(term) for term in content_terms(text))


def _stem(term: str) -> str:
    return term if term[0].isdigit() or len(term) < 4 else term[:3] + term[3:5].rstrip("aeious")


def _facts(text: str, language: str) -> _Facts:
    text = _UNITED_STATES.sub("Estados Unidos", text)
    return _Facts(
        terms=frozenset(content_terms(text)),
        stems=frozenset(stem for stem in word_stems(text) if not stem[0].isdigit()),
        names=tuple(_names(text)) if language not in _NO_NAMES else (),
        figures=tuple(find_figures(text, language="es" if language == "und" else language)),
        negated=is_negated(text),
    )


def _names(text: str) -> Iterable[str]:
    """Yield the words that a capital marks as names; at the start of a sentence only before another name."""
    words = list(_WORD.finditer(text))
    for word, following in itertools.zip_longest(words, words[1:]):
        if not word.group()[0].isupper() or is_month(word.group()) or not content_terms(word.group()):
            continue
        if _STARTS.search(text[: word.start()]):
            beside = following is not None and text[word.end() : following.start()] == " "
            if not (beside and following is not None and following.group()[0].isupper()):
                continue
        yield word.group()


def _is_named(name: str, terms: frozenset[str], texts: Sequence[str]) -> bool:
    stems = content_terms(name)
    if any(stem in terms for stem in stems):
        return True
    if name.isupper():
        return any(name.lower() in initials for text in texts for initials in _initials(text))
    return False


def _initials(text: str) -> Iterable[str]:
    """Yield the first letters of each run of capitalised words: "uE" of "Unión Europea" as "ue"."""
    run = ""
    for match in _WORD.finditer(text):
        word = match.group()
        if word[0].isupper():
            run += word[0].lower()
        elif word not in _LOWER_BETWEEN:
            yield run
            run = ""
    yield run


def _figure_support(figure: Figure, proof: _Facts, around: _Facts) -> Support:
    if any(figure.matches(other) for other in proof.figures):
        return "supported"
    if any(figure.matches(other) for other in around.figures):
        return "partly"
    # "dos tratados" may count what is listed, unless the source gives a count of its own.
    may_count = figure.kind == "words" and max(figure.values) <= 10 and not _has_count(proof.figures)
    return "partly" if may_count else "unsupported"


def _has_count(figures: Sequence[Figure]) -> bool:
    """Whether some number is neither a year nor the day of a month."""
    return any(
        figure.kind != "month" and min(figure.values) < 1000 and not (following and following.kind == "month")
        for figure, following in itertools.zip_longest(figures, figures[1:])
    )


def _word_support(said: _Facts, proof: _Facts, around: _Facts, *, missing: int, anchors: int) -> Support:
    # A name that only the surroundings confirm says nothing about what is claimed of it.
    named = frozenset(stem for name in said.names for stem in word_stems(name))
    wanted = said.stems - ((named & around.stems) - proof.stems)
    if not wanted:
        return "supported" if anchors >= _ANCHORS and not missing else "partly"
    share = len(wanted & proof.stems) / len(wanted)
    words: Support = "supported" if share >= SUPPORTED else "partly" if share >= PARTLY else "unsupported"
    if words == "unsupported" and anchors >= _ANCHORS and not missing:
        words = "partly"
    return _weakest([words, _name_support(said, missing)])


def _foreign_support(said: _Facts, *, missing: int, anchors: int) -> Support:
    if len(said.names) > 1 and missing == len(said.names) and not said.figures:
        return "unsupported"
    return "supported" if anchors >= _ANCHORS and not missing else "partly"


def _name_support(said: _Facts, missing: int) -> Support:
    if not missing:
        return "supported"
    return "unsupported" if 2 * missing >= len(said.names) else "partly"


def is_negated(text: str) -> bool:
    """Whether a text denies something."""
    return bool(_NEGATION.search(_NO_NEGATION.sub("", text)))


def _weakest(found: Iterable[Support]) -> Support:
    order: list[Support] = ["unsupported", "partly", "supported"]
    return min(found, key=order.index, default="supported")
