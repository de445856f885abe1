"""Questions as they are asked in a conversation, made from two questions about one paragraph.

What the first names the second leaves out, or puts a word for. Both stand one after the other, as `rag.cross_encoder`
reads them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag.terms import content_terms

# How often what both questions name is left out, or has a word put for it; else the second question stays whole.
_LEFT_OUT: Final = 0.45
_PUT_FOR: Final = 0.4
# How often a question begins with "and".
_AND: Final = 0.35
_FEWEST_LEFT: Final = 2
_WORD: Final = re.compile(r"\w+(?:[-'’.]\w+)*")
_OPENING: Final = re.compile(r"^[¿\s]+")


@dataclass(frozen=True, slots=True)
class _Tongue:
    """Of one language: "and", the little words before a name, and what stands for a name.

    `small` go away with a name, `of` are those of them that say whose something is, `articles` what stands before the
    thing that is someone's.
    """

    also: str
    small: frozenset[str]
    of: frozenset[str]
    articles: frozenset[str]
    his: tuple[str, ...]
    it: tuple[str, ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ANDS: Final = _words("y e o u and or et ou und oder ed")

_TONGUES: Final = {
    "es": _Tongue(
        "¿Y",
        _words("el la los las un una de del a al en con por para sobre entre desde hasta"),
        _words("de del"),
        _words("el la los las"),
        ("su", "sus"),
        ("él", "ella", "ellos", "ese", "esa", "eso", "esto", "este", "esta", "ahí"),
    ),
    "pt": _Tongue(
        "E",
        _words("o a os as um uma de do da dos das em no na nos nas ao à com por pelo pela para sobre"),
        _words("de do da dos das"),
        _words("o a os as"),
        ("seu", "sua"),
        ("ele", "ela", "eles", "isso", "este", "essa"),
    ),
    "it": _Tongue(
        "E",
        _words("il lo la i gli le un una di del della dei a al alla in nel nella con per su"),
        _words("di del della dei"),
        _words("il lo la i gli le"),
        ("il suo", "la sua"),
        ("lui", "lei", "loro", "questo", "essa", "ciò"),
    ),
    "fr": _Tongue(
        "Et",
        _words("le la les un une de du des à au aux en dans avec par pour sur"),
        _words("de du des"),
        _words("le la les"),
        ("son", "sa", "ses"),
        ("il", "elle", "lui", "cela", "celui-ci", "eux"),
    ),
    "en": _Tongue(
        "And",
        _words("the a an of in on at to with by for from about"),
        _words("of"),
        _words("the"),
        ("its", "his", "her", "their"),
        ("it", "he", "she", "they", "him", "them", "that", "this"),
    ),
    "de": _Tongue(
        "Und",
        _words("der die das den dem des ein eine einer in im am an auf von vom zu zum zur mit für"),
        _words("von vom des der"),
        _words("der die das den dem"),
        ("sein", "seine", "ihre"),
        ("er", "sie", "es", "ihn", "ihm", "dieser", "diese"),
    ),
}
_ARTICLES: Final = frozenset[str]().union(*(tongue.articles for tongue in _TONGUES.values()))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question of a conversation: the one before it, and what is asked now; `leans` if that says less than it did."""

    before: str
    now: str
    leans: bool

    @property
    def text(self) -> str:
        """Both, as the reader is given them."""
        return f"{self.before} {self.now}"


def followed(earlier: Sequence[str], question: str, *, language: str, rng: random.Random) -> FollowUp:
    """Return one of the earlier questions, one that names the same if there is one, and this one as asked after it.

    Args:
        earlier: Questions about the same paragraph, in the same language; at least one.
        question: What is asked now, whole.
        language: Code of both; one of which nothing is known here leaves the question whole.
        rng: Decides which question comes before, and how this one leans on it.
    """
    before = rng.choice([one for one in earlier if shared(one, question)] or earlier)
    now = leaning(before, question, language=language, rng=rng)
    return FollowUp(before, now, leans=len(content_terms(now)) < len(content_terms(question)))


def leaning(before: str, question: str, *, language: str, rng: random.Random) -> str:
    """Return a question as it is asked after another one: without what both name, with a word for it, or as it was."""
    tongue = _TONGUES.get(language)
    if tongue is None:
        return question
    drawn = rng.random()
    found = shared(before, question)
    if found is not None and drawn < _LEFT_OUT + _PUT_FOR:
        start, end = found
        put = _without if drawn < _LEFT_OUT else _with_a_word
        made = re.sub(r"\s+([?,.;:])", r"\1", re.sub(r"\s{2,}", " ", put(question, start, end, tongue, rng)))
        if len(_WORD.findall(made)) >= _FEWEST_LEFT:
            question = made
    return _and(question, tongue) if rng.random() < _AND else question


def shared(before: str, question: str) -> tuple[int, int] | None:
    """Return where in a question its longest run of words is that the one before has too, and that names something.

    None if there is none. It begins with a capital or after an article, so that no verb goes with it, and little words
    at its end do not belong to it.
    """
    words = list(_WORD.finditer(question))
    plain = [word.group().casefold() for word in words]
    other = f" {' '.join(word.casefold() for word in _WORD.findall(before))} "
    names = [bool(content_terms(word)) for word in plain]
    best: tuple[int, int, int] | None = None
    for first, word in enumerate(words):
        # The first word of a question has a capital whatever it is.
        begins = first and (word.group()[0].isupper() or plain[first - 1] in _ARTICLES)
        if not (begins and names[first]):
            continue
        for last in range(first, len(words)):
            if f" {' '.join(plain[first : last + 1])} " not in other:
                break
            if names[last] and not _is_one_of_two(words, first, last):
                size = words[last].end() - words[first].start()
                best = max(best or (0, 0, 0), (size, first, last))
    if best is None:
        return None
    return words[best[1]].start(), words[best[2]].end()


def _is_one_of_two(words: Sequence[re.Match[str]], first: int, last: int) -> bool:
    """Whether "and" stands beside these words: what is left without them would make no sense."""
    beside = [words[at].group().casefold() for at in (first - 1, last + 1) if 0 <= at < len(words)]
    return any(word in _ANDS for word in beside)


def _little_before(question: str, start: int, little: frozenset[str]) -> int:
    """Return where the little words begin that stand right before a place."""
    while (match := re.search(r"(\S+)\s+$", question[:start])) and match.group(1).lower() in little:
        start = match.start(1)
    return start


def _without(question: str, start: int, end: int, tongue: _Tongue, _: random.Random) -> str:
    return question[: _little_before(question, start, tongue.small)] + question[end:]


def _with_a_word(question: str, start: int, end: int, tongue: _Tongue, rng: random.Random) -> str:
    """Return a question with "his" or "it" for a name: "la capital de Francia" is "su capital"."""
    little = _little_before(question, start, tongue.small)
    between = question[little:start].lower().split()
    owned = re.search(r"(\S+)\s+\w+\s+$", question[:little])
    if between and between[0] in tongue.of and owned and owned.group(1).lower() in tongue.articles:
        thing = question[owned.end(1) : little].strip()
        return f"{question[: owned.start(1)]}{rng.choice(tongue.his)} {thing} {question[end:]}"
    # What stands before the article stays: "con él", "de ella".
    kept = question[little:start]
    while (match := re.search(r"(\S+)\s+$", kept)) and match.group(1).lower() in tongue.articles:
        kept = kept[: match.start(1)]
    return f"{question[:little]}{kept}{rng.choice(tongue.it)} {question[end:]}"


def _and(question: str, tongue: _Tongue) -> str:
    bare = _OPENING.sub("", question)
    first = bare.split(" ", 1)[0]
    # A name keeps its capital.
    if not content_terms(first):
        bare = bare[:1].lower() + bare[1:]
    return f"{tongue.also} {bare}"
