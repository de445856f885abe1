"""Whether what happens at an expression lies behind its writer or ahead: told by the verb that is nearest. Pure."""

from __future__ import annotations

import re

from rag.dates_grammar import Reading

_SENTENCE_END = re.compile(r"[.!?…;:](?=\s|$)|\n")
# Where a verb may be: no farther than a long sentence.
_REACH = 250
# After "will", a participle belongs to it: "will be held".
_OF_FUTURE = 24
# What a comma between verb and expression counts, in characters.
_CLAUSE = 25
# And that the verb comes after it.
_AFTER = 8


def tense_of(text: str, *, start: int, end: int, reading: Reading) -> int | None:
    """Return -1 if the nearest verb of the sentence is past, 1 if it is future, None if there is none that tells.

    Args:
        text: With capitals and accents.
        start: Of the expression, which is no verb itself.
        end: Of the expression.
        reading: Of the text's language.
    """
    left, right = _sentence(text, start, end)
    before, after = text[left:start], text[end:right]
    if reading.ahead and reading.ahead.search(before.lower()) and not after.startswith(("'s", "’s")):
        return 1
    future = [(place, 1) for place in _places(reading.future, before, after)]
    past = [(place, -1) for place in _places(reading.past, before, after) if not _is_of(place, future)]
    planned = [(place, 0) for place in _places(reading.planning, before, after)]
    participle = reading.participle.search(before.lower()) if reading.participle else None
    if participle and not planned:
        place = (participle.start() - len(before), participle.end() - len(before))
        past += [] if _is_of(place, future) else [(place, -1)]
    nearest = min(
        future + past + planned,
        key=lambda each: (_distance(each[0], before, after, reading), each[1] != 0),
        default=None,
    )
    if nearest is None:
        return None
    (first, last), tense = nearest
    if tense == 0 and first < 0 and last >= -1 and any(end == last for (_, end), _ in past):
        # "Convocó el lunes": when, not for when. "La huelga convocada el lunes" may be either.
        return -1
    return tense or None


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    left = max(0, start - _REACH)
    for found in _SENTENCE_END.finditer(text, left, start):
        left = found.end()
    found_end = _SENTENCE_END.search(text, end, end + _REACH)
    return left, found_end.start() if found_end else min(len(text), end + _REACH)


def _places(verbs: re.Pattern[str] | None, before: str, after: str) -> list[tuple[int, int]]:
    """Return where verbs begin and end: below 0 before the expression, from 0 on after it."""
    if verbs is None:
        return []
    found = [(m.start() - len(before), m.end() - len(before)) for m in _verbs(verbs, before)]
    return found + [(m.start(), m.end()) for m in _verbs(verbs, after)]


def _verbs(verbs: re.Pattern[str], text: str) -> list[re.Match[str]]:
    # A capital within a sentence makes a name of it: "Teherán" is no future.
    return [
        match
        for match in verbs.finditer(text.lower() if len(text.lower()) == len(text) else text)
        if not text[match.start()].isupper() or not text[: match.start()].strip(" «\"'“¿¡(—-")
    ]


def _is_of(place: tuple[int, int], future: list[tuple[tuple[int, int], int]]) -> bool:
    return any(0 <= place[0] - ahead[0] <= _OF_FUTURE for ahead, _ in future)


def _distance(place: tuple[int, int], before: str, after: str, reading: Reading) -> int:
    """Return how many characters lie between a verb and the expression; another clause is farther."""
    between = before[len(before) + place[1] :] if place[0] < 0 else after[: place[0]]
    clauses = sum(between.count(sign) for sign in ",;()")
    clauses += len(reading.clause.findall(between.lower())) if reading.clause else 0
    # When something was done stands after the verb more often than before it.
    return len(between) + _CLAUSE * clauses + (0 if place[0] < 0 else _AFTER)
