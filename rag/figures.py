"""Numbers and months of a text, made comparable across formats: "11.000", "11,000" and "11 mil" are one. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b|\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b")
_DIGITS = r"\d{1,3}(?:[.,'’ \u00a0\u2009\u202f]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_TOKEN = re.compile(rf"{_DIGITS}|[^\W\d_]+")

_SCALES = {
    "mil": 1e3, "thousand": 1e3, "mille": 1e3, "tausend": 1e3, "mila": 1e3, "тысяч": 1e3, "тысячи": 1e3,
    "millon": 1e6, "millones": 1e6, "million": 1e6, "millions": 1e6, "milhao": 1e6, "milhoes": 1e6, "millionen": 1e6,
    "milione": 1e6, "milioni": 1e6, "миллион": 1e6, "миллиона": 1e6, "миллионов": 1e6,
    "milliard": 1e9, "milliards": 1e9, "milliarden": 1e9, "miliardi": 1e9, "миллиардов": 1e9,
    "billones": 1e12, "billon": 1e12, "billion": 1e9, "billions": 1e9,
}  # fmt: skip
_WORDS = {
    "es": {
        "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10,
        "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17,
        "dieciocho": 18, "diecinueve": 19, "veinte": 20, "veintiuno": 21, "veintiun": 21, "veintidos": 22,
        "veintitres": 23, "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26, "veintisiete": 27,
        "veintiocho": 28, "veintinueve": 29, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60,
        "setenta": 70, "ochenta": 80, "noventa": 90, "cien": 100, "ciento": 100, "doscientos": 200,
        "doscientas": 200, "trescientos": 300, "trescientas": 300, "cuatrocientos": 400, "cuatrocientas": 400,
        "quinientos": 500, "quinientas": 500, "seiscientos": 600, "setecientos": 700, "ochocientos": 800,
        "novecientos": 900,
    },
    "en": {
        "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
        "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
        "seventy": 70, "eighty": 80, "ninety": 90,
    },
}  # fmt: skip
_ONES = frozenset({"un", "uno", "una", "one"})
_JOINERS = frozenset({"y", "and"})
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "enero january janeiro janvier januar gennaio января",
            "febrero february fevereiro fevrier februar febbraio февраля",
            "marzo march marco mars marz марта",
            "abril april avril aprile апреля",
            "mayo maio mai maggio may мая",
            "junio june junho juin juni giugno июня",
            "julio july julho juillet juli luglio июля",
            "agosto august aout августа",
            "septiembre setiembre september setembro septembre settembre сентября",
            "octubre october outubro octobre oktober ottobre октября",
            "noviembre november novembro novembre ноября",
            "diciembre december dezembro decembre dezember dicembre декабря",
        ),
        start=1,
    )
    for name in names.split()
}
# Also other words or names: a month only beside a number.
_DOUBTFUL_MONTHS = frozenset({"may", "mai", "march", "mars", "marco"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or month as written. `values` are its readings: "3.141" may be 3141 or 3.141.

    `kind` tells how it was written: "digits", "words" ("dos") or "month" (1 to 12).
    """

    text: str
    kind: str
    values: frozenset[float]

    def matches(self, other: Figure) -> bool:
        """Whether both can be the same number, or are the same month."""
        return (self.kind == "month") == (other.kind == "month") and bool(self.values & other.values)


def find_figures(text: str, *, language: str) -> list[Figure]:
    """Return the numbers and months of a text in order; a date gives its day, month and year.

    Number words are known in Spanish and English, and left out in other languages. "un", "una" and "one" are articles
    as often as numbers and stand for nothing alone.
    """
    found: list[Figure] = []
    last = 0
    for match in _DATE.finditer(text):
        found += _plain(text[last : match.start()], language)
        year, month, day = match.group(1, 2, 3) if match.group(1) else match.group(6, 5, 4)
        for part, kind in ((day, "digits"), (month, "month"), (year, "digits")):
            found.append(Figure(part, kind, frozenset({float(part)})))
        last = match.end()
    return found + _plain(text[last:], language)


def is_month(word: str) -> bool:
    """Whether a word is a month's name in one of the languages known here."""
    return _fold(word) in _MONTHS


def _plain(text: str, language: str) -> list[Figure]:
    tokens = [match.group() for match in _TOKEN.finditer(text)]
    words = _WORDS.get(language, {})
    found: list[Figure] = []
    at = 0
    while at < len(tokens):
        token, folded = tokens[at], _fold(tokens[at])
        if token[0].isdecimal():
            values, used = _scaled(_readings(token), tokens[at + 1 :])
            found.append(Figure(" ".join(tokens[at : at + 1 + used]), "digits", values))
            at += 1 + used
        elif folded in words or (words and folded in _SCALES):
            value, used = _spoken(tokens[at:], words)
            found.append(Figure(" ".join(tokens[at : at + used]), "words", frozenset({value})))
            at += used
        else:
            if folded in _MONTHS and (folded not in _DOUBTFUL_MONTHS or _beside_number(tokens, at)):
                found.append(Figure(token, "month", frozenset({float(_MONTHS[folded])})))
            at += 1
    return found


def _beside_number(tokens: list[str], at: int) -> bool:
    around = tokens[max(at - 1, 0) : at] + tokens[at + 1 : at + 2]
    return any(token[0].isdecimal() for token in around)


def _readings(digits: str) -> frozenset[float]:
    marks = re.findall(r"\D", digits)
    if not marks:
        return frozenset({float(digits)})
    grouped = float(re.sub(r"\D", "", digits))
    pieces = re.split(r"\D", digits)
    decimal = float("".join(pieces[:-1]) + "." + pieces[-1])
    if len(pieces[-1]) != 3:
        return frozenset({decimal})
    # "11.000" is thousands in Spanish and eleven in English; "1.234.567" is no decimal anywhere.
    return frozenset({grouped, decimal}) if len(marks) == 1 and marks[0] in ".," else frozenset({grouped})


def _scaled(values: frozenset[float], following: list[str]) -> tuple[frozenset[float], int]:
    used = 0
    for token in following[:2]:
        scale = _SCALES.get(_fold(token))
        if scale is None:
            break
        values = frozenset(round(value * scale, 4) for value in values)
        used += 1
    return values, used


def _spoken(tokens: list[str], words: dict[str, int]) -> tuple[float, int]:
    """Return the value of the number words that a text begins with, and how many tokens they are."""
    total = current = 0.0
    used = 0
    for index, token in enumerate(tokens):
        folded = _fold(token)
        if folded in _SCALES:
            if total and not current:
                total *= _SCALES[folded]
            else:
                total += (current or 1) * _SCALES[folded]
            current = 0
        elif folded in words or (folded in _ONES and current >= 20):
            current += words.get(folded, 1)
        elif folded in _JOINERS and current >= 20 and not current % 10 and index + 1 < len(tokens):
            following = _fold(tokens[index + 1])
            if words.get(following, 100) >= 10 and following not in _ONES:
                break
            continue
        else:
            break
        used = index + 1
    return total + current, used


def _fold(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(char))
