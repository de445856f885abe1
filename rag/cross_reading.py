"""Which sentences answer, by a trained model that reads them with the question, and how likely the archive answers.

What the model reads off the best passages is put beside what `rag.reading` sees without training. The weights of both
are logistic regressions, fitted by `python -m eval.calibration --reader trained` on articles that the model was not
trained on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag.followups import is_bare
from rag.interfaces import PassageLogits, PassageReader, Reader, Reading, Vector
from rag.reading import Asked, answer_features, logistic, sentence_features, word_weights_of
from rag.schema import Evidence, Hit, Sentence
from rag.spans import MOST_SPANS, Span, asks_for_several, best_spans, sentence_logit, shown
from rag.terms import term_set

TRAINED: Final = "trained"
MIN_CONFIDENCE: Final = 0.6
"""Probability from which an answer is given when the settings name none: a wrong answer weighs twice a refusal."""
READ: Final = 8
"""Passages that the model reads for a question at most."""
FIRST: Final = 4
"""Passages that it reads before it may be certain."""
CERTAIN: Final = 0.8
"""Probability from which passages of which nothing is expected are left unread."""
# A passage of which the zero-training reader expects less than this share of what it expects of the best one.
_NOTHING: Final = 0.1
# Words are shown as the answer if no more than this below "no answer", and below the best words of the passage.
_BELOW_NONE: Final = 0.0
_BELOW_BEST: Final = 4.0
# Logits beyond this say the same.
_MOST_LOGIT: Final = 10.0
# The share of their words that two versions of a sentence have in common.
_SAME: Final = 0.6


@dataclass(frozen=True, slots=True)
class Weights:
    """Of both regressions, for what is in the question's language and for what is in another one.

    The bias first, then in the order of `trained_sentence_features` and of `trained_answer_features`. Across languages
    words say little, and cosines are lower.
    """

    sentence: tuple[float, ...]
    sentence_across: tuple[float, ...]
    answer: tuple[float, ...]
    answer_across: tuple[float, ...]

    def score(self, asked: Asked, known: Signals, *, word_weights: Mapping[str, float], language: str) -> float:
        """Return how likely a sentence answers, 0 to 1."""
        weights = self.sentence if _is_in(language, known.evidence) else self.sentence_across
        return logistic(weights, trained_sentence_features(asked, known, word_weights=word_weights))

    def probability(self, features: Sequence[float], best: Evidence, *, language: str) -> float:
        """Return how likely the archive answers, 0 to 1, by the features of what answers best."""
        return logistic(self.answer if _is_in(language, best) else self.answer_across, features)


def _is_in(language: str, item: Evidence) -> bool:
    return item.hit.passage.language == language


WEIGHTS: Final = Weights(
    sentence=(-15.247, 0.245, 0.233, -0.173, 9.507, 6.791, 0.301, 1.076, -0.484, 0.05, -0.05),
    sentence_across=(-22.288, -0.018, 0.176, 0.383, 16.405, 7.475, 2.004, 0.932, -0.373, -0.953, -0.507),
    answer=(-22.734, 0.324, 0.208, -0.078, 0.31, 6.996, 18.84, 2.001, 0.188, 0.059),
    answer_across=(-18.82, -0.196, 0.197, 0.495, 0.833, 13.567, 6.247, -0.041, 2.417, -0.202),
)


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a sentence: as evidence of the zero-training reader, and what the trained model says of it.

    `answering`, `margin` and `relevance` are logits: of the sentence, of its best span above "no answer", and of its
    passage. `spans` are best first.
    """

    evidence: Evidence
    answering: float
    margin: float
    relevance: float
    spans: tuple[Span, ...] = ()


class CrossReader:
    """Reads the best passages with a trained model; what neither it nor a copy of its text saw has score 0.

    Args:
        model: What reads a passage.
        sentences: The zero-training reader, which sees every sentence first.
    """

    name = TRAINED

    def __init__(self, model: PassageReader, *, sentences: Reader) -> None:
        self._model = model
        self._sentences = sentences

    def read(
        self, question: str, hits: Sequence[Hit], *, language: str, question_vector: Vector, context: str = ""
    ) -> Reading:
        """Return the sentences of the hits as evidence, best first; empty hits give none and probability 0.

        With a context the hits are read twice, without and with it: what answers has to do so both times. A question
        that says nothing without its context is read with it only.
        """

        def read(context: str) -> Reading:
            return self._read(question, hits, language=language, question_vector=question_vector, context=context)

        if not context or is_bare(question):
            return read(context)
        return both(read(""), read(context))

    def _read(
        self, question: str, hits: Sequence[Hit], *, language: str, question_vector: Vector, context: str = ""
    ) -> Reading:
        seen = self._sentences.read(
            question, hits, language=language, question_vector=question_vector, context=context
        ).evidence
        if not seen:
            return Reading(evidence=(), probability=0.0)
        asked = Asked.of(question, context=context)
        word_weights = word_weights_of(asked, seen)
        chosen = to_read(seen, order=[hit.passage.id for hit in hits])
        known: list[Signals] = []
        scores: list[float] = []
        probability = 0.0
        for some in (chosen[:FIRST], chosen[FIRST:]):
            if probability >= CERTAIN:
                some = promising(some, seen)
            read = signals(question, some, seen, model=self._model, context=context)
            known += read
            scores += [WEIGHTS.score(asked, one, word_weights=word_weights, language=language) for one in read]
            if known:
                best = known[scores.index(max(scores))]
                features = trained_answer_features(asked, best, known, seen=seen, word_weights=word_weights)
                probability = WEIGHTS.probability(features, best.evidence, language=language)
        return Reading(evidence=_judged(known, scores, seen), probability=probability)


def both(alone: Reading, together: Reading) -> Reading:
    """Return what holds of a follow-up read alone and of the same read after the question before it: geometric means.

    Alone it does not say what it is about; together the model tends to answer the question before. In the probability
    the reading together counts twice: alone, a question without a subject is never certain.
    """
    others = {_key(item): item for item in together.evidence}
    found = [
        replace(
            item, score=math.sqrt(item.score * others[_key(item)].score), spans=item.spans or others[_key(item)].spans
        )
        for item in alone.evidence
    ]
    return Reading(
        evidence=tuple(sorted(found, key=_best_first)),
        probability=math.cbrt(alone.probability * together.probability**2),
    )


def to_read(seen: Sequence[Evidence], *, order: Sequence[str]) -> list[Hit]:
    """Return the passages that the model is to read, READ at most, best first; of equal texts one.

    Args:
        seen: Sentences of all hits.
        order: The passages' ids, best first.
    """
    hits = {item.hit.passage.id: item.hit for item in seen}
    texts: dict[str, Hit] = {}
    for id_ in order:
        if id_ in hits:
            texts.setdefault(hits[id_].passage.text, hits[id_])
    return list(texts.values())[:READ]


def promising(hits: Sequence[Hit], seen: Sequence[Evidence]) -> list[Hit]:
    """Return those of the hits of which the zero-training reader expects anything, beside what it expects of others."""
    expected: dict[str, float] = {}
    for item in seen:
        expected[item.hit.passage.id] = max(item.score, expected.get(item.hit.passage.id, 0.0))
    floor = _NOTHING * max(expected.values(), default=0.0)
    return [hit for hit in hits if expected.get(hit.passage.id, 0.0) >= floor]


def signals(
    question: str, hits: Sequence[Hit], seen: Sequence[Evidence], *, model: PassageReader, context: str = ""
) -> list[Signals]:
    """Return what the model says of the sentences of some hits, passage after passage; what it has no room for is left.

    Args:
        question: What is asked now.
        hits: To be read.
        seen: Sentences of these hits and of others.
        model: What reads.
        context: An earlier question.
    """
    if not hits:
        return []
    most = MOST_SPANS if asks_for_several(question) else 1
    of_passage: dict[str, list[Evidence]] = {}
    for item in seen:
        of_passage.setdefault(item.hit.passage.id, []).append(item)
    found = []
    for hit, logits in zip(hits, model.read(question, hits, context=context), strict=True):
        own = sorted(of_passage.get(hit.passage.id, ()), key=lambda item: item.sentence.start)
        found += [one for item in own if (one := _signals(item, logits, most=most))]
    return found


def _signals(item: Evidence, logits: PassageLogits, *, most: int) -> Signals | None:
    answering = sentence_logit(logits, item.sentence)
    if answering is None:
        return None
    spans = best_spans(logits, item.sentence, most=most, within=_BELOW_BEST)
    return Signals(
        evidence=item,
        answering=_clipped(answering),
        margin=_clipped(spans[0].score if spans else -_MOST_LOGIT),
        relevance=_clipped(logits.relevance),
        spans=tuple(spans),
    )


def trained_sentence_features(asked: Asked, known: Signals, *, word_weights: Mapping[str, float]) -> tuple[float, ...]:
    """Return what tells whether a sentence answers: the model's three logits, and `sentence_features`."""
    return (
        known.answering,
        known.margin,
        known.relevance,
        *sentence_features(asked, known.evidence, word_weights=word_weights),
    )


def trained_answer_features(
    asked: Asked,
    best: Signals,
    known: Sequence[Signals],
    *,
    seen: Sequence[Evidence],
    word_weights: Mapping[str, float],
) -> tuple[float, ...]:
    """Return what tells whether the archive answers at all.

    Of the sentence that answers best the logit and its best span's; the highest relevance; how many passages are more
    relevant than not (log(1 + n), of the first read); and `answer_features` of that sentence.

    Args:
        asked: What is asked for.
        best: The sentence that answers best.
        known: What the model says of all sentences that it read.
        seen: All sentences.
        word_weights: As `word_weights_of` gives them.
    """
    relevance = list({one.evidence.hit.passage.id: one.relevance for one in known}.values())
    return (
        best.answering,
        best.margin,
        max(relevance),
        math.log1p(sum(one > 0 for one in relevance[:FIRST])),
        *answer_features(asked, best.evidence, hits=[item.hit for item in seen], word_weights=word_weights),
    )


def _judged(known: Sequence[Signals], scores: Sequence[float], seen: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return every sentence with its score and the words in it that answer, best first."""
    best: dict[str, float] = {}
    for one in known:
        best[one.evidence.hit.passage.id] = max(one.margin, best.get(one.evidence.hit.passage.id, one.margin))
    judged = {
        _key(one.evidence): replace(
            one.evidence,
            score=score,
            spans=shown(one.spans, least=max(-_BELOW_NONE, best[one.evidence.hit.passage.id] - _BELOW_BEST)),
        )
        for one, score in zip(known, scores, strict=True)
    }
    versions = [(item, term_set(item.sentence.text)) for item in judged.values()]
    every = [judged.get(_key(item)) or _as_its_version(item, versions) for item in seen]
    return tuple(sorted(every, key=_best_first))


def _best_first(item: Evidence) -> tuple[float, str, int]:
    return -item.score, item.hit.passage.id, item.sentence.start


def _key(item: Evidence) -> tuple[str, int]:
    return item.hit.passage.id, item.sentence.start


def _as_its_version(item: Evidence, read: Sequence[tuple[Evidence, frozenset[str]]]) -> Evidence:
    """Return a sentence that was not read, judged like the one that was which says it in nearly the same words."""
    words = term_set(item.sentence.text)
    likest = max(read, key=lambda one: _shared(words, one[1]), default=None)
    if likest is None or _shared(words, likest[1]) < _SAME:
        return replace(item, score=0.0)
    return replace(item, score=likest[0].score, spans=_moved(likest[0], item.sentence))


def _shared(words: frozenset[str], others: frozenset[str]) -> float:
    union = len(words | others)
    return len(words & others) / union if union else 0.0


def _moved(read: Evidence, sentence: Sentence) -> tuple[tuple[int, int], ...]:
    text = read.hit.article.text
    found = [(sentence.text.find(text[start:end]), end - start) for start, end in read.spans]
    return tuple((sentence.start + at, sentence.start + at + length) for at, length in found if at >= 0)


def _clipped(logit: float) -> float:
    return max(-_MOST_LOGIT, min(_MOST_LOGIT, logit))
