"""Wire copies made out of real articles, as newspapers make them: cut, retitled, reordered, lightly edited."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.sentences import split_sentences

# Words of an article that is worth copying, and of the shortest copy.
_LONGEST, _SHORTEST = 120, 45
_AGENCIES = ("EFE", "Europa Press", "Notimex", "Reuters", "AFP", "Agencias")
_OTHER_WORDS = {
    "dijo": "señaló", "señaló": "dijo", "también": "asimismo", "además": "por otra parte", "informó": "comunicó",
    "aseguró": "afirmó", "afirmó": "aseguró", "explicó": "detalló", "ante": "frente a", "tras": "después de",
    "sobre": "acerca de", "pero": "aunque", "debido a": "a causa de", "actualmente": "ahora", "hoy": "este jueves",
    "ayer": "el miércoles", "luego": "después", "personas": "ciudadanos", "mil": "millar", "país": "territorio",
    "gobierno": "Ejecutivo", "presidente": "mandatario",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class MadeCopy:
    """A copy of an article, and in which ways it differs."""

    original: str
    title: str
    text: str
    ways: tuple[str, ...]


def made_copies(
    articles: Sequence[tuple[str, str]], *, seed: int, count: int, strange: Sequence[str] = ()
) -> list[MadeCopy]:
    """Return copies of articles drawn at random, each changed in one of `WAYS` or in three of them at once.

    The same seed and articles give the same copies; one of fewer than 45 words is not made.

    Args:
        articles: Ids and texts; those under 120 words are passed over.
        seed: Of everything that is drawn.
        count: How many copies; fewer if there are fewer articles.
        strange: Texts whose sentences are added to copies; by default the articles' own.
    """
    draw = random.Random(seed)
    worth = [(name, text) for name, text in articles if len(_WORD.findall(text)) >= _LONGEST]
    draw.shuffle(worth)
    added = [sentence for text in strange or [text for _, text in worth] for sentence in _sentences(text)]
    copies: list[MadeCopy] = []
    for name, text in worth:
        if len(copies) == count:
            break
        ways = _drawn_ways(len(copies), draw)
        sentences = _sentences(text)
        for way in ways:
            sentences = WAYS[way](sentences, draw, added)
        title = _title(sentences, draw)
        made = "\n\n".join([title, *sentences]) if "retitled" in ways else "\n\n".join(sentences)
        if len(_WORD.findall(made)) >= _SHORTEST:
            copies.append(MadeCopy(original=name, title=title, text=made, ways=ways))
    return copies


def _drawn_ways(number: int, draw: random.Random) -> tuple[str, ...]:
    names = list(WAYS)
    # Every way comes alone as often as the others, and every other copy has three at once.
    if number % 2:
        return tuple(sorted(draw.sample(names, 3), key=names.index))
    return (names[number // 2 % len(names)],)


def _sentences(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text, language="es")]


def _head(sentences: list[str], draw: random.Random, _: Sequence[str]) -> list[str]:
    """Keep the beginning: 30 to 60 % of the sentences."""
    return sentences[: max(3, round(len(sentences) * draw.uniform(0.3, 0.6)))]


def _thinned(sentences: list[str], draw: random.Random, _: Sequence[str]) -> list[str]:
    """Leave out every third sentence or so, anywhere."""
    kept = [sentence for sentence in sentences if draw.random() > 0.35]
    return kept or sentences


def _retitled(sentences: list[str], draw: random.Random, added: Sequence[str]) -> list[str]:
    """Drop the first line, which is the title in most of these articles; another one comes in its place."""
    return sentences[1:] if len(sentences) > 3 else sentences


def _reordered(sentences: list[str], draw: random.Random, _: Sequence[str]) -> list[str]:
    """Exchange blocks of two sentences; the first two stay."""
    blocks = [sentences[at : at + 2] for at in range(2, len(sentences), 2)]
    draw.shuffle(blocks)
    return [*sentences[:2], *(sentence for block in blocks for sentence in block)]


def _edited(sentences: list[str], draw: random.Random, _: Sequence[str]) -> list[str]:
    """Put other words and numbers in some places, and leave out one word in sixteen."""
    edited = []
    for sentence in sentences:
        for old, new in _OTHER_WORDS.items():
            if draw.random() < 0.7:
                sentence = re.sub(rf"\b{old}\b", new, sentence)
        sentence = _NUMBER.sub(lambda found: str(int(found[0]) + draw.randint(0, 2)), sentence)
        words = sentence.split(" ")
        edited.append(" ".join(word for at, word in enumerate(words) if not at or draw.random() > 1 / 16))
    return edited


def _signed(sentences: list[str], draw: random.Random, added: Sequence[str]) -> list[str]:
    """Put another agency before it and one sentence of another article into it."""
    at = draw.randint(1, len(sentences))
    first = f"({draw.choice(_AGENCIES)}).- {sentences[0]}"
    return [first, *sentences[1:at], draw.choice(added), *sentences[at:]]


def _title(sentences: Sequence[str], draw: random.Random) -> str:
    return " ".join(draw.choice(sentences).split()[:9])


WAYS: dict[str, Callable[[list[str], random.Random, Sequence[str]], list[str]]] = {
    "head": _head,
    "thinned": _thinned,
    "retitled": _retitled,
    "reordered": _reordered,
    "edited": _edited,
    "signed": _signed,
}
"""What newsrooms do to a wire text, by name."""
