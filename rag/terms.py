"""The words of a text that carry content, made comparable: case, accents, endings and number formats aside. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Thousands are grouped by a point, a comma or a no-break or thin space; a plain space may part two numbers.
_GROUPED = r"\d{1,3}(?:[.,\u00a0\u2009\u202f]\d{3})+(?!\d)"
_WORD = re.compile(_GROUPED + r"|\d+(?:[.,]\d+)?|[^\W\d_]+")
_GROUPS = re.compile(_GROUPED)
# Written without spaces: every two neighbouring characters stand for a word.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
# Long enough to tell words apart, short enough to drop the endings of Romance and Germanic languages.
_STEM = 6

_STOPWORDS = frozenset(
    """
    a al ante aquel aquella aquello aquellos aquellas algo alguna algunas alguno algunos aun aunque como con contra cual
    cuales cuando cuanta cuantas cuanto cuantos cuyo de del desde donde el ella ellas ello ellos en entre era eran
    es esa esas ese eso esos esta estas este esto estos fue fueron ha habia han hasta hay la las le les lo los mas me mi
    mientras muy nada ni no nos o otra otras otro otros para pero por porque que quien quienes se segun ser si sido sin
    sobre son su sus tal tambien tan tanto te tiene tienen toda todas todo todos tras tu un una unas uno unos y ya yo
    dice dijo paso ocurrio sabe hizo hacer
    about after also an and any are as at be been before being between but by can could did do does for from had has
    have he her him his how i if in into is it its me more most my of on or our over s she should so some such t than
    that the their them then there these they this those through to too under until up was we were what when where which
    who whom whose why will with would you your
    ao aos com da das do e ela ele em foi mais mas na nas no nos num numa onde os ou pela pelo por qual quais quando
    quanto que quem se sem seu sua sao uma um
    au aux avec ce ces cette comment d dans des du elle est et etait il ils j je l leur leurs lui mais n ne nous on ont
    ou par pas plus pour qu quand quel quelle quelles quels qui sa sans ses son sont sur un une vous
    auf aus bei bis das dass dem den der des die durch ein eine einem einen einer eines er es fur hat ist im mit nach
    nicht oder sich sie sind uber um und von vor war waren warum was welche welcher welches wer werden wie wieviel wird
    wo wurde wurden zu zum zur
    che chi come cosa dal dalla degli dei del della delle di dove gli il ii ma nel nella per piu quale quali sono sul
    sulla tra
    в и на с по что как кто где когда почему какой какая какие сколько не за из к о от у для это был была были
    """.split()  # noqa: SIM905
)


def content_terms(text: str) -> list[str]:
    """Return the content words and numbers of a text in order, as stems; function and question words are left out.

    Accents are folded but ñ is kept, "11.000" and "11000" are one term, Chinese, Japanese and Thai give bigrams.
    """
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFC", text)):
        word = match.group()
        if word[0].isdigit():
            found.append(_number(word))
        elif _UNSPACED.search(word):
            found += [word[index : index + 2] for index in range(max(len(word) - 1, 1))]
        else:
            folded = _fold(word)
            if folded not in _STOPWORDS and len(folded) > 1:
                found.append(folded[:_STEM])
    return found


# The same passages come up for one question after another.
@lru_cache(maxsize=8192)
def term_set(text: str) -> frozenset[str]:
    """Return the distinct content words and numbers of a text, as stems."""
    return frozenset(content_terms(text))


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text written in digits, without grouping marks."""
    return frozenset(_number(match.group()) for match in _WORD.finditer(text) if match.group()[0].isdigit())


def coverage(wanted: list[str], text_terms: frozenset[str]) -> float:
    """Return the share, 0 to 1, of the wanted terms that a text has; 0 when nothing is wanted."""
    distinct = set(wanted)
    return len(distinct & text_terms) / len(distinct) if distinct else 0.0


# Most words of a text are words of others.
@lru_cache(maxsize=32768)
def _fold(word: str) -> str:
    kept = word.lower().replace("ñ", "\0")
    decomposed = unicodedata.normalize("NFD", kept)
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark)).replace("\0", "ñ")


def _number(word: str) -> str:
    return re.sub(r"\D", "", word) if _GROUPS.fullmatch(word) else word.replace(",", ".")
