"""How words are written in each language: what is made alike before and after stemming. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from rag.readable import readable

# Written without spaces between words; Korean has them, but glues particles to its nouns.
UNSPACED = frozenset({"zh", "ja", "ko", "th", "lo", "km", "my"})
# Tantivy's lists lack most of the words that only questions have.
STOP_WORDS = {
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
_PLAIN_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "þ": "th"}
)
# The tilde of ñ stays: año is no ano. The marks are those of Latin, Greek and Cyrillic letters.
_MARKS = re.compile(r"(?<!n)\u0303|[\u0300-\u0302\u0304-\u036f]")
_GROUPED_NUMBER = re.compile(r"(?<![\d.,])(\d{1,3})([.,'’ ])(\d{3})((?:\2\d{3})*)(?!\d)")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}) (?:mil|thousand)\b(?! (?:\d|mill|milh))")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}\b)")
_SHORT_PLURAL = re.compile(r"[aeiouáéíóú][^\W\daeiouáéíóú][aeo]s")
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyzñáéíóúü",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ",
)
_ACUTE = dict(zip("aeiou", "áéíóú", strict=True))
_LATIN_RUN = re.compile(r"[a-z0-9.]+|[^a-z0-9.]+")


def spelled_alike(text: str) -> str:
    """Return a text in lower case, in compatibility form, its numbers without grouping and with a decimal point.

    "11.000", "11,000", "11 000" and "11 mil" become "11000". Soft hyphens and zero-width characters go: a word is one
    with and without them.
    """
    text = unicodedata.normalize("NFKC", readable(text)).lower().replace("ё", "е")
    text = _GROUPED_NUMBER.sub(lambda found: re.sub(r"\D", "", found[0]), text)
    return _DECIMAL_COMMA.sub(".", _THOUSANDS.sub(r"\g<1>000", text))


def folded(text: str) -> str:
    """Return a lower-case text without accents and with plain letters for ß, ø and the like; ñ stays."""
    unmarked = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", unmarked).translate(_PLAIN_LETTERS)


def in_small_letters(text: str) -> str:
    """Return a text that is all in capitals in small letters; a single word stays, which may be an acronym."""
    return text.lower() if text.isupper() and len(text.split()) > 1 else text


def has_accents(text: str) -> bool:
    """Whether some letter carries a mark other than the tilde of ñ."""
    return _MARKS.search(unicodedata.normalize("NFD", text.lower())) is not None


def accented(word: str) -> list[str]:
    """Return the spellings that a Spanish or Portuguese word typed without accents may stand for."""
    acute = [f"{word[:at]}{_ACUTE[letter]}{word[at + 1 :]}" for at, letter in enumerate(word) if letter in _ACUTE]
    return [*acute, re.sub(r"cao$", "ção", re.sub(r"coes$", "ções", word))]


def one_letter_off(word: str) -> list[str]:
    """Return what a lower-case word becomes with one letter more, less, other or exchanged with the next, in order.

    Letters are those of the word's script: Latin with the marks of Spanish, Cyrillic or Greek; others give nothing.
    """
    letters = next((known for known in _ALPHABETS if word[:1] in known), "")
    if not letters:
        return []
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {before + after[1:] for before, after in halves if after}
    found |= {before + after[1] + after[0] + after[2:] for before, after in halves if len(after) > 1}
    found |= {before + letter + after[skip:] for before, after in halves for letter in letters for skip in (0, 1)}
    return sorted(found - {word})


def singular(stem: str) -> str:
    """Return a Spanish stem without the plural that Snowball leaves on words too short for it: años, ojos, usos."""
    return stem[:-1] if len(stem) == 4 and _SHORT_PLURAL.fullmatch(stem) else stem


def character_pairs(term: str) -> Iterator[str]:
    """Yield every two neighbouring characters of a term; Latin words and numbers in it stay whole."""
    for run in _LATIN_RUN.findall(term):
        if len(run) == 1 or run[0].isascii():
            yield run
        else:
            yield from (run[at : at + 2] for at in range(len(run) - 1))
