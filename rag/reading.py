"""Which sentences of the hits answer a question, and how likely the archive answers it: without a trained reader.

A sentence is judged by its vector's cosine with the question's, by the words they share, and by whether it holds the
kind of thing that is asked for. The weights are logistic regressions, fitted by `python -m eval.calibration` on
training questions that are split by article; the figures stand in EXPERIMENTS.md.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

from rag.interfaces import Reading, Vector, Vectors
from rag.schema import Evidence, Hit
from rag.terms import content_terms, coverage, numbers, term_set

LoadSentenceVectors = Callable[[Sequence[str]], Mapping[str, Vectors]]

MIN_CONFIDENCE = 0.49
"""Probability from which an answer is given when the settings name none: a wrong answer weighs twice a refusal."""

# The bias first, then in the order of sentence_features and of answer_features. Across languages words say little.
SENTENCE_WEIGHTS = (-26.205, 13.854, 12.537, 2.879, 1.627, 0.277, 0.369, 0.256)
SENTENCE_WEIGHTS_ACROSS = (-27.189, 24.912, 5.089, 2.808, 0.719, 0.196, 0.253, 0.287)
ANSWER_WEIGHTS = (-25.297, 11.246, 15.583, 4.509, 1.026, -0.145)
ANSWER_WEIGHTS_ACROSS = (-15.202, 10.598, 7.423, 0.62, 0.837, -0.098)

_ASKS_NUMBER = re.compile(
    r"\b(cu[aá]nt[oa]s?|how (?:many|much|long|old|far)|quant[oaie]s?|combien|wie ?viele?|сколько"
    r"|precio|price|prix|preço|preis|porcentaje|percentage|qu[eé] edad)\b|多少|几",
    re.IGNORECASE,
)
_ASKS_TIME = re.compile(
    r"\b(cu[aá]ndo|qu[eé] (?:d[ií]a|mes|a[ñn]o|fecha)|when|what (?:day|month|year|date)|quando|quand|wann|когда)\b"
    r"|什么时候|何时",
    re.IGNORECASE,
)
_ASKS_WHO = re.compile(r"\b(qui[eé]n(?:es)?|who|whom|quem|qui|wer|wen|chi|кто|кого)\b|谁", re.IGNORECASE)
_NUMBER_WORD = re.compile(
    r"\d|\b(dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|quince|veinte|treinta|cien|mil|mill[oó]n(?:es)?"
    r"|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million)\b",
    re.IGNORECASE,
)
_TIME_WORD = re.compile(
    r"\d{4}|\b\d{1,2} de \w+|\b(enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|ayer|hoy|ma[ñn]ana|january|february|march|april|june"
    r"|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    r"|yesterday|today)\b",
    re.IGNORECASE,
)
# A capital inside the sentence: a name in most languages with capitals.
_NAME_WORD = re.compile(r"(?<=[^.!?¿¡«“\"\s])\s+[A-ZÁÉÍÓÚÑÜА-Я]")


# Each kind of thing with what asks for it and what shows it.
_KINDS = {
    "number": (_ASKS_NUMBER, _NUMBER_WORD),
    "time": (_ASKS_TIME, _TIME_WORD),
    "who": (_ASKS_WHO, _NAME_WORD),
}


CALIBRATED_MODEL = "bundled"
"""The embedding model whose cosines the weights are fitted to."""
# Mean and spread of its cosines between a question and the sentences that are read for it (1,369 training questions).
_TYPICAL_MEAN, _TYPICAL_SPREAD = 0.786, 0.028


class SentenceReader:
    """Reads by sentence vectors that were made at ingest, so a question costs no further embedding.

    The cosines of a model that is not calibrated are first brought to the mean and spread of the one that is: its
    answers are ordered as well, but that nothing is near at all can then be told by words only.
    """

    name = "sentences"

    def __init__(self, *, load_sentence_vectors: LoadSentenceVectors, calibrated: bool = True) -> None:
        self._load = load_sentence_vectors
        self._calibrated = calibrated

    def read(
        self, question: str, hits: Sequence[Hit], *, language: str, question_vector: Vector, context: str = ""
    ) -> Reading:
        """Return the sentences of the hits as evidence, best first; empty hits give none and probability 0."""
        vectors = self._load([hit.passage.id for hit in hits])
        unjudged = [
            Evidence(hit=hit, sentence=sentence, score=0.0, cosine=float(cosine))
            for hit in hits
            if hit.passage.id in vectors
            for sentence, cosine in zip(hit.passage.sentences, vectors[hit.passage.id] @ question_vector, strict=True)
        ]
        if not unjudged:
            return Reading(evidence=(), probability=0.0)
        if not self._calibrated:
            hits, unjudged = _brought_to_scale(hits, unjudged)
        asked = Asked.of(question, context=context)
        word_weights = word_weights_of(asked, unjudged)
        evidence = [
            Evidence(
                hit=item.hit,
                sentence=item.sentence,
                score=logistic(
                    SENTENCE_WEIGHTS if item.hit.passage.language == language else SENTENCE_WEIGHTS_ACROSS,
                    sentence_features(asked, item, word_weights=word_weights),
                ),
                cosine=item.cosine,
            )
            for item in unjudged
        ]
        evidence.sort(key=lambda item: (-item.score, item.hit.passage.id, item.sentence.start))
        best = evidence[0]
        weights = ANSWER_WEIGHTS if best.hit.passage.language == language else ANSWER_WEIGHTS_ACROSS
        probability = logistic(weights, answer_features(asked, best, hits=hits, word_weights=word_weights))
        return Reading(evidence=tuple(evidence), probability=probability)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks with: its content words with weights, its names and numbers, and the kind it wants.

    `kind` is "number", "time", "who", or "" for none in particular.
    """

    terms: Mapping[str, float]
    names: tuple[str, ...]
    kind: str

    @classmethod
    def of(cls, question: str, *, context: str = "") -> Asked:
        """Return what a question asks with; words of the context, an earlier question, weigh half."""
        inner = " ".join(match.group() for match in re.finditer(r"(?<=\S\s)[^\W\d_a-zà-ÿ]\w+", question))
        return cls(
            terms=dict.fromkeys(content_terms(context), 0.5) | dict.fromkeys(content_terms(question), 1.0),
            names=(*content_terms(inner), *sorted(numbers(question))),
            kind=next((kind for kind, (asks, _) in _KINDS.items() if asks.search(question)), ""),
        )


def _brought_to_scale(hits: Sequence[Hit], evidence: Sequence[Evidence]) -> tuple[list[Hit], list[Evidence]]:
    mean = fmean(item.cosine for item in evidence)
    spread = pstdev(item.cosine for item in evidence) or 1.0

    def scaled(cosine: float) -> float:
        return _TYPICAL_MEAN + _TYPICAL_SPREAD * (cosine - mean) / spread

    moved = {hit.passage.id: replace(hit, cosine=scaled(hit.cosine)) for hit in hits}
    return list(moved.values()), [
        replace(item, hit=moved[item.hit.passage.id], cosine=scaled(item.cosine)) for item in evidence
    ]


def rarity_of(evidence: Sequence[Evidence]) -> dict[str, float]:
    """Return the weight of each term: log((1 + n) / (1 + sentences that have it)) + 0.1 over the sentences read.

    Within one subject the words that all articles share tell nothing; what few sentences say tells much.
    """
    frequency = Counter(term for item in evidence for term in term_set(item.sentence.text))
    return {term: math.log((1 + len(evidence)) / (1 + count)) + 0.1 for term, count in frequency.items()}


def word_weights_of(asked: Asked, evidence: Sequence[Evidence]) -> dict[str, float]:
    """Return what each of the question's words weighs among the sentences read: its own weight times its rarity.

    One that none of the sentences has is as rare as the rarest: what is asked is not there.
    """
    rarity = rarity_of(evidence)
    most = max(rarity.values(), default=1.0)
    return {term: weight * rarity.get(term, most) for term, weight in asked.terms.items()}


def sentence_features(asked: Asked, item: Evidence, *, word_weights: Mapping[str, float]) -> tuple[float, ...]:
    """Return what tells whether a sentence answers.

    Its cosine and its passage's; the share of the question's words in it and in its passage with title, weighted by
    rarity; and for each kind 1 if asked for and there, -1 if asked for and missing, else 0.
    """
    return (
        item.cosine,
        item.hit.cosine,
        weighted_coverage(word_weights, item.sentence.text),
        weighted_coverage(word_weights, item.hit.passage.embedded_text),
        *(_shows(asked, kind, item.sentence.text) for kind in _KINDS),
    )


def answer_features(
    asked: Asked, best: Evidence, *, hits: Sequence[Hit], word_weights: Mapping[str, float]
) -> tuple[float, ...]:
    """Return what tells whether the archive answers at all.

    The best sentence's cosine and the best passage's; the share of the question's words in the best sentence's passage
    with title, weighted by rarity; the share of its names and numbers there (0.5 when it has none); and whether the
    kind asked for is in that sentence or beside it (1, -1, or 0 when none is asked for).
    """
    place = best.hit.passage.embedded_text
    return (
        best.cosine,
        max(hit.cosine for hit in hits),
        weighted_coverage(word_weights, place),
        coverage(list(asked.names), term_set(place)) if asked.names else 0.5,
        _shows(asked, asked.kind, _surroundings(best)) if asked.kind else 0.0,
    )


def weighted_coverage(word_weights: Mapping[str, float], text: str) -> float:
    """Return the share, 0 to 1, of the words that a text has, each counting its weight; 0 of no words."""
    held = term_set(text)
    total = sum(word_weights.values())
    return sum(weight for term, weight in word_weights.items() if term in held) / total if total else 0.0


def _surroundings(item: Evidence) -> str:
    """Return the sentence with the ones before and after it in its passage."""
    sentences = item.hit.passage.sentences
    index = sentences.index(item.sentence)
    return item.hit.article.text[sentences[max(index - 1, 0)].start : sentences[min(index + 1, len(sentences) - 1)].end]


def holds_kind(kind: str, text: str) -> bool:
    """Whether a text holds a "number", a "time" or a name ("who")."""
    return _KINDS[kind][1].search(text) is not None


def _shows(asked: Asked, kind: str, text: str) -> float:
    if asked.kind != kind:
        return 0.0
    return 1.0 if holds_kind(kind, text) else -1.0


def logistic(weights: Sequence[float], features: Sequence[float]) -> float:
    """Return the probability that a logistic regression gives; `weights` begin with the bias."""
    z = weights[0] + sum(weight * value for weight, value in zip(weights[1:], features, strict=True))
    return 1 / (1 + math.exp(-z))
