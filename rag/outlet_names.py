"""Where a question names outlets, and whether as sources of what it asks for. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.dates_grammar import folded
from rag.limit_words import Asking

_ARTICLE = re.compile(
    r"^(?:el|la|los|las|the|le|les|l['’]|il|lo|gli|der|die|das|o|a|os|as|els)(?:\s+|(?<=['’]))", re.IGNORECASE
)
# Where a long name may be cut to a short one: "BBC" of "BBC News", "La Gaceta" of "La Gaceta de Almoral".
_TAIL = re.compile(
    r"\s+(?:de|del|of|da|do|di|des|du|von|news|noticias|mundo|online|digital|agency|agencia)\b.*$", re.IGNORECASE
)
# A name without its capitals ends what is said before: "segun la nacion, que robaron".
_ENDS = re.compile(r"\s*(?:[,;:]|(?:que|quien|what|who|how|como|cuanto|cual)\b)")
# Verbs of which only a paper is the subject, whatever its name means in small letters.
_WRITES = re.compile(r"public|publi|pubbl|escri|ecri|scri|schr|veroff|titul|notici|publish|print|wr[io]te|writ")
_COMMON = frozenset(
    {"hoy", "publico", "tiempo", "metro", "today", "time", "ahora", "siglo", "expansion", "marca", "sport"}
)
_LONGER_BEFORE = re.compile(r"\w\s+(?!(?:El|La|Los|Las|The|Le)\s)[A-ZÁÉÍÓÚÑ]\w*\s$")
_LONGER_AFTER = re.compile(r"\s(?:(?:de|del|of|da|do|di|des|du|von)\s(?:(?:la|las|el|los|the)\s)?)?[A-ZÁÉÍÓÚÑ]\w*[a-z]")
_AUXILIARY = "ha|han|habia|has|have|had|a|ont|hat|haben|va|van|no|not|tambien|also|ya|already|did|does|do"


@dataclass(frozen=True, slots=True)
class Mention:
    """An outlet's name in a question. `outlets` are the archive's spellings of it.

    `is_source`: what is asked for has to come from it; `is_author`: it is asked what it wrote or said. `is_sure`: it is
    written as a name is. `words_start` is where the words begin that make a source of it.
    """

    start: int
    end: int
    outlets: tuple[str, ...]
    words_start: int
    is_source: bool
    is_author: bool
    is_sure: bool


def find_outlets(question: str, small: str, *, outlets: Sequence[str], asking: Asking) -> list[Mention]:
    """Return the mentions of outlets in order, none within another.

    Args:
        question: As it was typed.
        small: The same, folded.
        outlets: Those of the archive, as spelled there.
        asking: The words of the question's language.
    """
    places: list[tuple[int, int, str]] = []
    names = _names(tuple(outlets))
    for name in names:
        places += [(start, start + len(name), name) for start in _starts(name, small)]
    found: list[Mention] = []
    for start, end, name in sorted(places, key=lambda place: (place[0], -place[1])):
        if not found or start >= found[-1].end:
            written, spellings, is_short = names[name]
            sure = _is_as(written, question[start:end]) or (not is_short and _is_telling(written, question))
            # "The Sunday Times" is not The Times, "ABC Pictures" not ABC, "El Faro de Ceuta" not El Faro de Levante.
            sure = sure and not _LONGER_BEFORE.search(question[:start]) and not _LONGER_AFTER.match(question[end:])
            found.append(
                _mention(question, small, (start, end), spellings, asking=asking, is_sure=sure, is_short=is_short)
            )
    return found


def _starts(name: str, small: str) -> Iterator[int]:
    """Yield where a name stands as whole words."""
    start = small.find(name)
    while start >= 0:
        around = small[max(0, start - 1) : start] + small[start + len(name) : start + len(name) + 1]
        if not any(sign.isalnum() for sign in around):
            yield start
        start = small.find(name, start + 1)


# Every question asks for those of the archive.
@lru_cache(maxsize=8)
def _names(outlets: tuple[str, ...]) -> dict[str, tuple[str, tuple[str, ...], bool]]:
    """Return each name that stands for one outlet, folded: as written, the outlet's spellings, is it shortened."""
    spellings: dict[str, list[str]] = {}
    for outlet in outlets:
        spellings.setdefault(folded(outlet).strip(), []).append(outlet)
    short: dict[str, list[tuple[str, str]]] = {}
    for full, written in spellings.items():
        for name in _shortened(written[0]):
            short.setdefault(folded(name), []).append((name, full))
    names = {full: (written[0], tuple(written), False) for full, written in spellings.items() if full}
    for name, meant in short.items():
        if name not in names and len({full for _, full in meant}) == 1:
            names[name] = (meant[0][0], tuple(spellings[meant[0][1]]), True)
    return names


def _shortened(outlet: str) -> Iterator[str]:
    for name in (outlet, _TAIL.sub("", outlet)):
        bare = _ARTICLE.sub("", f"{name} ").strip()
        for each in (name, bare):
            if bare and each != outlet and len(each) > 1:
                yield each


def _is_as(name: str, written: str) -> bool:
    """Whether a name is written with its capitals, or in capitals throughout; accents and article aside."""
    bare, as_written = (_ARTICLE.sub("", _unaccented(each)) for each in (name, written))
    return (bare == as_written and bare != bare.lower()) or (as_written.isupper() and len(as_written) > 1)


def _is_telling(name: str, question: str) -> bool:
    """Whether a name means nothing else in small letters: letters that stand for words, or three words and more.

    Where nothing has a capital, also one word that is no common one.
    """
    if name.isupper() or len(name.split()) >= 3:
        return True
    return question == question.lower() and len(name.split()) == 1 and folded(name) not in _COMMON


def _unaccented(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))


def _mention(
    question: str,
    small: str,
    place: tuple[int, int],
    spellings: tuple[str, ...],
    *,
    asking: Asking,
    is_sure: bool,
    is_short: bool,
) -> Mention:
    start, end = place
    has_no_capitals = question == question.lower()
    before, after = small[:start], small[end:]
    lead = rf"(?:(?:{asking.kind}) )?(?:(?:{asking.article})\s*)?$"
    said = re.search(rf"\b({asking.says})\s+(?:(?:y|e) \w+ )?{lead}", before)
    says = re.search(rf"\b(?:hat|haben)\s+{lead}", before) and re.search(rf"\b(?:{asking.says})\b", after)
    says = says or re.match(rf",?\s+(?:(?:{_AUXILIARY})\s+)*(?:{asking.says})\b", after)
    according = re.search(rf"\b(?:{asking.according}),?\s+{lead}", before)
    within = _is_within(small, before, after, lead=lead, asking=asking)
    is_author = is_sure and bool(said or says)
    if said and not is_sure and not is_short:
        is_author = bool(_WRITES.search(said[1]))
    is_source = (
        is_author
        or (is_sure and bool(according or within))
        or bool(according and not is_short and has_no_capitals and _ENDS.match(after))
    )
    if re.search(rf"\b(?:{asking.without})\s+{lead}", before):
        is_source = is_author = False
    words_start = according.start() if according else start
    return Mention(start, end, spellings, words_start, is_source, is_author, is_sure)


def _is_within(small: str, before: str, after: str, *, lead: str, asking: Asking) -> bool:
    """Whether something was published in or by the outlet."""
    made = rf"{asking.news}|{asking.works}"
    if re.search(rf"\b(?:{made})(?: (?:de )?\w+)?\s+(?:{asking.attached}|{asking.within})\s*{lead}", before):
        return True
    if re.match(rf"(?:[’']s?)?\s+(?:{made})\b", after):
        return True
    is_reported = re.search(rf"\b(?:{asking.published}|{made}|{asking.says})\b", small)
    return bool(
        is_reported and re.search(rf"\b(?:{asking.within})\s+{lead}", before) and not _is_of(before, asking, lead)
    )


def _is_of(before: str, asking: Asking, lead: str) -> bool:
    """Whether the outlet is an attribute of the word before it: "the director of Reuters"."""
    return bool(re.search(rf"\b(?:{asking.attached})\s+{lead}", before))
