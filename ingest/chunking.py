"""Articles to passages: whole sentences, sized in the embedder's tokens."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.schema import Article, Passage, Sentence
from rag.sentences import split_sentences

Count = Callable[[Sequence[str]], list[int]]
"""Counts the tokens of each text, without prefix and special tokens."""
_Span = tuple[int, int, int]
"""The number of a sentence, and a start and end in its text."""

MARGIN_TOKENS = 16
"""Room for the embedder's prefix and special tokens."""
HEADER_TOKENS = 60
"""Most tokens of the line before the passage."""
MIN_BUDGET_TOKENS = 16

_CLAUSE_ENDS = re.compile(r"[;:,—–](?=\s)\s*|[，；：、。！？]")
_SPACES = re.compile(r"\s+")
# No letter has more; a row of nothing but accents would be cut into single ones.
_MAX_ACCENTS = 32
_HEADING_MAX_CHARS = 120
_SENTENCE_ENDS = (".", "!", "?", "…", ":", ";", ",", '"', "”", "»", "。", "！", "？", ")", "।", "؟")

# What a way to cut an article costs, in passages: see _cost.
_MID_PARAGRAPH = 1.25
_AFTER_HEADING = 3.0
_LOOSE = 0.5
_UNDER_HALF = 2.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a part of one that is too long: `tokens` includes the white space up to the next unit."""

    sentence: Sentence
    tokens: int
    ends_paragraph: bool
    is_heading: bool


def passages_of(article: Article, *, count: Count, passage_tokens: int, max_tokens: int) -> tuple[Passage, ...]:
    """Return the passages of `article` in order; every character but white space is in exactly one.

    A passage ends at the end of a paragraph where that leaves it neither small nor lopsided, never after a heading
    unless nothing follows; a sentence that is longer than a passage may be is split at a clause.

    Args:
        article: Only text, title, outlet, date, language and id are read.
        count: The embedder's token count; called a few times with many texts, not once a sentence.
        passage_tokens: Most tokens of a passage's text.
        max_tokens: The embedder's limit; `embedded_text` stays `MARGIN_TOKENS` below it.

    Raises:
        ValueError: `passage_tokens` or `max_tokens` leaves no room for text.
    """
    budget = max_tokens - MARGIN_TOKENS
    if passage_tokens < 1 or budget < MIN_BUDGET_TOKENS:
        raise ValueError(f"passage_tokens {passage_tokens} or max_tokens {max_tokens} leaves no room: raise them")
    header = _header(article, count=count, most=min(HEADER_TOKENS, budget // 2))
    room = min(passage_tokens, budget - (count([header + "\n"])[0] if header else 0))
    units = _units(article, count=count, room=room)
    fits = _Fit(article, header, count, passage_tokens, budget)
    groups = _fitting(_grouped(units, room=room), fits=fits)
    return _passages(article, groups, header)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Tells which groups of units are within both limits when counted as the embedder will see them."""

    article: Article
    header: str
    count: Count
    passage_tokens: int
    budget: int

    def __call__(self, groups: Sequence[Sequence[_Unit]]) -> list[bool]:
        texts = [_text_of(self.article, group) for group in groups]
        embedded = [_embedded(text, self.article, self.header) for text in texts]
        # Without a header both are the same, and tokenizing is what takes the time here.
        distinct = list(dict.fromkeys([*texts, *embedded]))
        tokens = dict(zip(distinct, self.count(distinct), strict=True)) if distinct else {}
        return [
            tokens[plain] <= self.passage_tokens and tokens[whole] <= self.budget
            for plain, whole in zip(texts, embedded, strict=True)
        ]


def _header(article: Article, *, count: Count, most: int) -> str:
    """Return title, outlet and date on one line, the title shortened until the line has at most `most` tokens."""
    origin = [part for part in (article.outlet, article.published.isoformat() if article.published else None) if part]
    words = article.title.split() if article.title else []
    while True:
        header = " | ".join(" ".join(part.split()) for part in [" ".join(words), *origin] if part)
        if not header or count([header + "\n"])[0] <= most:
            return header
        if words:
            words = words[: len(words) // 2]
        else:
            origin = origin[1:]


def _embedded(text: str, article: Article, header: str) -> str:
    if article.title and header.startswith(article.title) and text.lstrip("# ").startswith(article.title):
        header = header[len(article.title) :].removeprefix(" | ")
    return f"{header}\n{text}" if header else text


def _text_of(article: Article, group: Sequence[_Unit]) -> str:
    return article.text[group[0].sentence.start : group[-1].sentence.end]


def _units(article: Article, *, count: Count, room: int) -> list[_Unit]:
    text = article.text
    sentences = split_sentences(text, language=article.language)
    lengths = _lengths(text, sentences, count)
    too_long = [sentence for sentence, length in zip(sentences, lengths, strict=True) if length > room]
    if too_long:
        parts = dict(zip(too_long, _split(too_long, count=count, room=room), strict=True))
        sentences = [part for sentence in sentences for part in parts.get(sentence, [sentence])]
        lengths = _lengths(text, sentences, count)
    units = []
    for index, (sentence, tokens) in enumerate(zip(sentences, lengths, strict=True)):
        before = text[sentences[index - 1].end : sentence.start] if index else "\n"
        after = text[sentence.end : sentences[index + 1].start] if index + 1 < len(sentences) else "\n"
        alone = "\n" in before and "\n" in after
        units.append(_Unit(sentence, tokens, "\n" in after, alone and _is_heading(sentence.text)))
    return units


def _lengths(text: str, sentences: Sequence[Sentence], count: Count) -> list[int]:
    ends = [sentence.start for sentence in sentences[1:]] + [sentences[-1].end if sentences else 0]
    return count([text[s.start : end] for s, end in zip(sentences, ends, strict=True)]) if sentences else []


def _is_heading(line: str) -> bool:
    return len(line) <= _HEADING_MAX_CHARS and not line.endswith(_SENTENCE_ENDS)


def _split(sentences: Sequence[Sentence], *, count: Count, room: int) -> list[list[Sentence]]:
    """Return each sentence in parts of at most `room` tokens: clauses if they fit, else words, else code points."""
    spans = [(index, 0, len(sentence.text)) for index, sentence in enumerate(sentences)]
    tokens: dict[_Span, int] = {}
    for cut in (_clauses, _words, _halves):
        while True:
            fresh = [span for span in spans if span not in tokens]
            counted = count([sentences[index].text[start:end] for index, start, end in fresh]) if fresh else []
            tokens |= dict(zip(fresh, counted, strict=True))
            finer: list[_Span] = []
            for index, start, end in spans:
                is_long = tokens[index, start, end] > room and end - start > 1
                parts = cut(sentences[index].text, start, end) if is_long else [(start, end)]
                finer += [(index, *part) for part in parts]
            if finer == spans:
                break
            spans = finer
    packed: list[_Span] = []
    used = 0
    for span in spans:
        if packed and packed[-1][0] == span[0] and used + tokens[span] <= room:
            packed[-1] = (span[0], packed[-1][1], span[2])
            used += tokens[span]
        else:
            packed.append(span)
            used = tokens[span]
    parts_of: list[list[Sentence]] = [[] for _ in sentences]
    for index, start, end in packed:
        if part := _part(sentences[index], start, end):
            parts_of[index].append(part)
    return parts_of


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return _cut_after(_CLAUSE_ENDS, text, start, end)


def _words(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return _cut_after(_SPACES, text, start, end)


def _halves(text: str, start: int, end: int) -> list[tuple[int, int]]:
    half = middle = (start + end) // 2
    # An accent stays with its letter when there is another place to cut.
    while middle > max(start + 1, half - _MAX_ACCENTS) and unicodedata.combining(text[middle]):
        middle -= 1
    if unicodedata.combining(text[middle]):
        middle = half
    return [(start, middle), (middle, end)]


def _cut_after(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[tuple[int, int]]:
    cuts = [start, *(match.end() for match in pattern.finditer(text, start, end) if match.end() < end), end]
    return list(pairwise(cuts))


def _part(sentence: Sentence, start: int, end: int) -> Sentence | None:
    piece = sentence.text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    start += sentence.start + len(piece) - len(piece.lstrip())
    return Sentence(start, start + len(stripped), stripped)


def _grouped(units: Sequence[_Unit], *, room: int) -> list[list[_Unit]]:
    """Return the cheapest way to cut the units into runs of at most `room` tokens (dynamic programming)."""
    best = [0.0] + [float("inf")] * len(units)
    begins = [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        tokens = 0
        for begin in range(end - 1, -1, -1):
            tokens += units[begin].tokens
            if tokens > room and begin < end - 1:
                break
            cost = best[begin] + _cost(units[end - 1], tokens / room, is_last=end == len(units))
            if cost < best[end]:
                best[end], begins[end] = cost, begin
    groups: list[list[_Unit]] = []
    end = len(units)
    while end:
        groups.append(list(units[begins[end] : end]))
        end = begins[end]
    return groups[::-1]


def _cost(last: _Unit, fill: float, *, is_last: bool) -> float:
    """Return what one passage costs: itself, the room it leaves (squared, so that rooms are even), where it ends.

    A paragraph's end is worth another passage, but not one that is less than half full.
    """
    cost = 1 + _LOOSE * (1 - fill) ** 2 + _UNDER_HALF * max(0.0, 1 - 2 * fill)
    if not is_last:
        if last.is_heading:
            cost += _AFTER_HEADING
        elif not last.ends_paragraph:
            cost += _MID_PARAGRAPH
    return cost


def _fitting(groups: list[list[_Unit]], *, fits: _Fit) -> list[list[_Unit]]:
    """Return the groups, those that count more together than alone cut in two until all are within the limits."""
    done: dict[int, bool] = {}
    while True:
        fresh = [group for group in groups if group[0].sentence.start not in done]
        verdicts = dict(zip((group[0].sentence.start for group in fresh), fits(fresh), strict=True))
        done |= verdicts
        if all(verdicts.values()):
            return groups
        smaller: list[list[_Unit]] = []
        for group in groups:
            if verdicts.get(group[0].sentence.start, True):
                smaller.append(group)
            else:
                smaller += _halved(group)
                done.pop(group[0].sentence.start)
        if len(smaller) == len(groups):
            return groups
        groups = smaller


def _halved(group: list[_Unit]) -> list[list[_Unit]]:
    if len(group) > 1:
        middle = len(group) // 2
        return [group[:middle], group[middle:]]
    unit = group[0]
    text = unit.sentence.text
    parts = [_part(unit.sentence, start, end) for start, end in _halves(text, 0, len(text))] if len(text) > 1 else []
    found = [part for part in parts if part]
    return [[_Unit(part, 0, part is found[-1] and unit.ends_paragraph, False)] for part in found] or [group]


def _passages(article: Article, groups: Sequence[Sequence[_Unit]], header: str) -> tuple[Passage, ...]:
    seen: Counter[str] = Counter()
    passages = []
    for ordinal, group in enumerate(groups):
        text = _text_of(article, group)
        embedded = _embedded(text, article, header)
        seen[embedded] += 1
        digest = hashlib.sha256(f"{embedded}\n{seen[embedded]}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
        passages.append(
            Passage(
                id=f"{article.id}-{digest}",
                article_id=article.id,
                ordinal=ordinal,
                start=group[0].sentence.start,
                end=group[-1].sentence.end,
                text=text,
                language=article.language,
                embedded_text=embedded,
                sentences=tuple(unit.sentence for unit in group),
            )
        )
    return tuple(passages)
