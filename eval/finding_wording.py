"""Spanish questions made worse in the ways that people type them, and the same again for the same seed. Pure."""

from __future__ import annotations

import random
import re
import unicodedata

from rag.sentences import split_sentences
from rag.terms import content_terms

# Letters beside each other on a Spanish keyboard.
_ROWS = ("qwertyuiop", "asdfghjklñ", "zxcvbnm")
_NEIGHBOURS = {
    letter: "".join(row[at] for at in (place - 1, place + 1) if 0 <= at < len(row))
    for row in _ROWS
    for place, letter in enumerate(row)
}
_WORD = re.compile(r"[^\W\d_]+")
# Shorter words are seldom what a question is about, and one letter makes another word of them.
_SHORTEST = 5
_MARKS = re.compile(r"(?<![nN])\u0303|[\u0300-\u0302\u0304-\u036f]")
_SIGNS = re.compile(r"[¿?¡!]")
_BEFORE = (
    "Buenos días. Les escribo porque ayer por la tarde, mientras tomaba un café con mi hermana en el bar de la plaza, "
    "se puso a llover de tal manera que tuvimos que quedarnos allí casi dos horas. Hablamos de todo un poco: de la "
    "boda de mi primo, que al final será en primavera, de lo caro que está el aceite y de un programa que habíamos "
    "visto las dos la noche anterior, cada una en su casa. Ella decía una cosa y yo decía otra, y como ninguna de las "
    "dos quería dar su brazo a torcer, apostamos una cena a que yo tenía razón. Así que se lo pregunto a ustedes:"
)
_AFTER = (
    "He buscado en los libros que tengo en casa y no he encontrado nada, y mi vecino, que suele saber de estas cosas, "
    "está de viaje hasta la semana que viene. No hace falta que me contesten enseguida, porque la cena no será antes "
    "del sábado, pero les agradecería mucho una respuesta corta y clara que pueda enseñarle a mi hermana en el "
    "teléfono. Perdonen las molestias y gracias de antemano por la paciencia. Un saludo muy cordial de una lectora de "
    "toda la vida que los lee cada mañana en el tren."
)


def without_accents(question: str) -> str:
    """Return a question without accents; ñ stays, since it has a key of its own."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", question)))


def in_lower_case(question: str) -> str:
    """Return a question as it is typed into a search box: small letters, no question or exclamation marks."""
    return " ".join(_SIGNS.sub(" ", question).lower().split())


def with_typo(question: str, *, seed: int) -> str:
    """Return a question with one slip in one of its content words; unchanged if it has none that is long enough.

    Two letters exchanged, one left out, one doubled, or one replaced by its neighbour on the keyboard; never the first.
    """
    words = [found for found in _WORD.finditer(question) if len(found[0]) >= _SHORTEST and content_terms(found[0])]
    if not words:
        return question
    chance = random.Random(f"{seed} {question}")
    found = chance.choice(words)
    slips = [slip for slip in _slips(found[0], chance) if slip != found[0]]
    return question[: found.start()] + chance.choice(slips) + question[found.end() :]


def _slips(word: str, chance: random.Random) -> list[str]:
    at = chance.randrange(1, len(word) - 1)
    letter, rest = word[at], word[at + 1 :]
    slips = [word[:at] + rest, word[:at] + 2 * letter + rest, word[:at] + rest[0] + letter + rest[1:]]
    near = _NEIGHBOURS.get(without_accents(letter).lower(), "")
    return [*slips, word[:at] + chance.choice(near) + rest] if near else slips


def as_keywords(question: str) -> str:
    """Return the words and numbers of a question that carry content, as typed, in order; all if none does."""
    kept = [word for word in _SIGNS.sub(" ", question).split() if content_terms(word)]
    return " ".join(word.strip(".,;:\"'«»()") for word in kept) or question


def in_a_story(question: str) -> str:
    """Return a question in the middle of about two hundred words that have nothing to do with it."""
    return f"{_BEFORE} {question} {_AFTER}"


def as_quotation(text: str, *, at: int, language: str) -> str:
    """Return the sentence of a text that stands at an offset (code points), in quotation marks."""
    sentences = split_sentences(text, language=language)
    standing = [sentence.text for sentence in sentences if sentence.start <= at < sentence.end]
    return f"«{' '.join((standing or [text])[0].split())}»"


def mixed(question: str, other: str) -> str:
    """Return the first half of a question's words and the second half of those of its translation."""
    first, second = question.split(), other.split()
    return " ".join([*first[: (len(first) + 1) // 2], *second[len(second) // 2 :]])
