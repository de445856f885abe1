"""Sentence boundaries with exact offsets."""

from __future__ import annotations

import re
from itertools import pairwise

from sentencex import get_sentence_boundaries

from rag.schema import Sentence

FALLBACK_LANGUAGE = "es"
"""Whose rules are used when the language could not be told."""

_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINE_BREAKS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
# What sentencex misses: an end inside brackets, a full stop after quotes that do not pair, an ellipsis before capitals.
_MISSED_END = re.compile(r"(?:[.!?…][)\]]|[»”\"][.!?]|…[»”\"]?)\s+(?=[¿¡«“\"(—]*[^\W\d_a-z])")
_OPENING = "¿¡«“\"'(—–-‘[ "
# Abbreviations before a name that sentencex takes for an end.
_BEFORE_NAME = re.compile(
    r"(?:^|[\s(«“\"])(?:D|Dña|Dª|Sta|Sto|Fr|Mons|M|Mme|Mlle|JJ|FF|CC|RR|Núm|núm|Gral|Cap|Ing|Lic)\.$"
)
# Thai has no full stops: a space between two of its words ends a clause or, from so many letters on, a sentence.
_THAI_SPACE = re.compile(r"(?<=[\u0e00-\u0e7f])\s+(?=[\u0e00-\u0e7f])")
_SHORTEST_THAI = 80
_NUMBERING = re.compile(r"\d{1,3}[.)]")


def split_sentences(text: str, *, language: str) -> list[Sentence]:
    """Return the sentences of `text` in order; empty text gives none.

    Every line break ends a sentence, so headings and titles stand alone. A sentence neither begins nor ends with white
    space, and every other character of the text is in exactly one.

    Args:
        text: Anything, also lone surrogates.
        language: ISO 639-1; "und" is read by the rules of `FALLBACK_LANGUAGE`.
    """
    code = FALLBACK_LANGUAGE if language in ("", "und") else language
    sentences = []
    line_start = 0
    for end in [*(match.start() for match in _LINE_BREAKS.finditer(text)), len(text)]:
        line = text[line_start:end]
        for start, stop in _joined(_spans(line, code), line):
            sentences.append(Sentence(line_start + start, line_start + stop, line[start:stop]))
        line_start = end
    return sentences


def _spans(line: str, language: str) -> list[tuple[int, int]]:
    """Return the non-empty stripped spans that sentencex sees, cut further where it misses an end."""
    if not line.strip():
        return []
    # sentencex encodes to UTF-8, which has no lone surrogates; the replacement has the same length.
    boundaries = get_sentence_boundaries(language, _SURROGATES.sub("\ufffd", line))
    cuts = {0, len(line), *(boundary["start_index"] for boundary in boundaries)}
    cuts |= {match.end() for match in _MISSED_END.finditer(line) if match.end() < len(line)}
    if language == "th":
        cuts |= _thai_cuts(line, cuts)
    spans = []
    for start, end in pairwise(sorted(cuts)):
        piece = line[start:end]
        start += len(piece) - len(piece.lstrip())
        if piece.strip():
            spans.append((start, start + len(piece.strip())))
    return spans


def _thai_cuts(line: str, cuts: set[int]) -> set[int]:
    """Return the spaces that end a sentence of Thai, where neither part is too short to be one."""
    found = set()
    for start, end in pairwise(sorted(cuts)):
        for match in _THAI_SPACE.finditer(line, start, end):
            if match.start() - start >= _SHORTEST_THAI and end - match.end() >= _SHORTEST_THAI // 2:
                found.add(match.end())
                start = match.end()
    return found


def _joined(spans: list[tuple[int, int]], line: str) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and _continues(line[joined[-1][0] : joined[-1][1]], line[joined[-1][1] : start], line[start:end]):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _continues(before: str, gap: str, after: str) -> bool:
    """Whether `after` is not a sentence of its own but goes on with `before`."""
    if not any(char.isalnum() for char in after) or not any(char.isalnum() for char in before):
        return True
    if _NUMBERING.fullmatch(before) or _BEFORE_NAME.search(before):
        return True
    # "Washington, 3 jun (EFE).- El presidente": the dateline belongs to its sentence.
    if not gap and after.startswith(("-", "–", "—")):
        return True
    # "¿Vienes? —preguntó.": what follows is the speaker, not a new sentence.
    return after.lstrip(_OPENING)[:1].islower()
