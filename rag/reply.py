"""What a chat model wrote, as sentences with the numbers of the passages that each of them cites. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.citations import Marked, take_markers_out
from rag.readable import readable
from rag.schema import Sentence
from rag.sentences import split_sentences

_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_FORMATTING = re.compile(r"\*\*|__|^[ \t]*(?:[-*•]|#+|\d{1,2}[.)])[ \t]+", re.MULTILINE)
# From the character before a marker's place on.
_END_AT_MARK = re.compile(r"(?:[.!?…]|.[.!?…])[»”\"')]*\s+")


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence of the reply with the numbers it bears; `apart` tells that it begins a line."""

    text: str
    numbers: tuple[int, ...]
    apart: bool


def reply_in(written: str) -> str:
    """Return what a model wrote without what it thought aloud (`<think>`) and without what cannot be seen."""
    return _THINKING.sub("", readable(written))


def sentences_in(reply: str, language: str) -> list[Written]:
    """Return the sentences of a reply, each once, in order; a marker belongs to the sentence it closes or opens."""
    marked = take_markers_out(_FORMATTING.sub("", reply))
    spans = _cut_at_marks(split_sentences(marked.text, language=language), marked)
    numbers: list[list[int]] = [[] for _ in spans]
    for place, found in marked.markers:
        opened = next((index for index, span in enumerate(spans) if span.start == place), None)
        closed = next((index for index in reversed(range(len(spans))) if spans[index].start < place), None)
        index = opened if opened is not None else closed
        if index is not None:
            numbers[index] += found
    written: dict[str, Written] = {}
    for previous, span, found_numbers in zip([None, *spans], spans, numbers, strict=False):
        apart = previous is not None and "\n" in marked.text[previous.end : span.start]
        if any(char.isalnum() for char in span.text):
            written.setdefault(span.text, Written(span.text, tuple(dict.fromkeys(found_numbers)), apart))
    return list(written.values())


def _cut_at_marks(spans: Sequence[Sentence], marked: Marked) -> list[Sentence]:
    """Return the sentences, cut also where one bears a marker at its end ("312 km [1]. Estados Unidos")."""
    text = marked.text
    found = (_END_AT_MARK.match(text, max(place - 1, 0)) for place, _ in marked.markers)
    ends = sorted({match.end() for match in found if match and _begins_sentence(text[match.end() :])})
    cut: list[Sentence] = []
    for span in spans:
        start = span.start
        for end in [*(end for end in ends if span.start < end < span.end), span.end]:
            sentence = text[start:end].strip()
            cut.append(Sentence(start, start + len(sentence), sentence))
            start = end
    return cut


def _begins_sentence(text: str) -> bool:
    first = next((char for char in text if char.isalnum()), "")
    return bool(first) and not first.islower()
