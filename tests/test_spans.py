"""Which words answer, out of hand-made logits."""

from __future__ import annotations

import numpy as np
import pytest

from rag.interfaces import PassageLogits
from rag.schema import Sentence
from rag.spans import asks_for_several, best_spans, sentence_logit, shown, whole_words

TEXT = "Firmaron Olmo, Pino y Tejo. Llovía."
FIRST, SECOND = Sentence(100, 127, TEXT[:27]), Sentence(128, 135, TEXT[28:])


def logits(starts: dict[str, float], ends: dict[str, float], *, none: float = 0.0) -> PassageLogits:
    """A passage at 100 in its article: a token a word or mark, logits by the words, -9 for the others."""
    tokens = ["Firmaron", "Olmo", ",", "Pino", "y", "Te", "jo", ".", "Llovía", "."]
    places, at = [], 0
    for token in tokens:
        at = TEXT.index(token, at)
        places.append((100 + at, 100 + at + len(token)))
        at += len(token)
    return PassageLogits(
        starts=np.array([start for start, _ in places]),
        ends=np.array([end for _, end in places]),
        span_starts=np.array([starts.get(token, -9) for token in tokens], np.float32),
        span_ends=np.array([ends.get(token, -9) for token in tokens], np.float32),
        answering=np.array([2, 2, 2, 2, 2, 2, 2, 2, -1, -3], np.float32),
        none=none,
        relevance=0.0,
    )


def said(read: PassageLogits, sentence: Sentence = FIRST, *, most: int = 1, within: float = 0.0) -> list[str]:
    found = best_spans(read, sentence, most=most, within=within)
    return [TEXT[span.start - 100 : span.end - 100] for span in found]


def test_the_best_span_has_the_best_sum_and_ends_behind_its_start() -> None:
    read = logits({"Pino": 3, "Olmo": 1}, {"Olmo": 4, "Pino": 2.5})
    # Pino to Olmo would be 7, but runs backwards.
    assert said(read) == ["Pino"]
    assert best_spans(read, FIRST)[0].score == 5.5


def test_a_score_is_how_far_a_span_is_above_no_answer() -> None:
    assert best_spans(logits({"Olmo": 3}, {"Olmo": 3}, none=8), FIRST)[0].score == -2


def test_a_list_is_found_whole_and_best_first() -> None:
    read = logits({"Olmo": 3, "Pino": 4, "Te": 2}, {"Olmo": 3, "Pino": 4, "jo": 2})
    assert said(read, most=9, within=4) == ["Pino", "Olmo", "Tejo"]
    assert said(read, most=9, within=3) == ["Pino", "Olmo"]
    assert said(read, most=2, within=9) == ["Pino", "Olmo"]


def test_spans_do_not_overlap() -> None:
    # "Olmo, Pino" is 8; then nothing inside it counts.
    read = logits({"Olmo": 4, "Pino": 3.5}, {"Pino": 4})
    assert said(read, most=9, within=9) == ["Olmo, Pino"]


def test_a_span_stays_inside_its_sentence() -> None:
    read = logits({"Te": 5, "Llovía": 1}, {"Llovía": 5, "jo": 0})
    assert said(read, FIRST) == ["Tejo"]
    assert said(read, SECOND) == ["Llovía"]


def test_a_span_is_made_of_whole_words() -> None:
    assert said(logits({"jo": 5}, {"jo": 5})) == ["Tejo"]


def test_a_span_is_no_longer_than_in_training() -> None:
    text = "a " * 60
    read = PassageLogits(
        starts=np.arange(60) * 2,
        ends=np.arange(60) * 2 + 1,
        span_starts=np.array([5, *[0] * 59], np.float32),
        span_ends=np.array([*[0] * 29, 4, 9, *[0] * 29], np.float32),
        answering=np.zeros(60, np.float32),
        none=0.0,
        relevance=0.0,
    )
    (span,) = best_spans(read, Sentence(0, 120, text))
    assert (span.start, span.end) in ((0, 59), (60, 61))
    assert span.score == 9


def test_what_was_not_read_has_no_span_and_no_logit() -> None:
    beyond = Sentence(300, 310, "Más allá.")
    assert best_spans(logits({}, {}), beyond, most=3, within=9) == []
    assert sentence_logit(logits({}, {}), beyond) is None


def test_a_sentences_logit_is_the_mean_over_its_tokens() -> None:
    assert sentence_logit(logits({}, {}), FIRST) == 2
    assert sentence_logit(logits({}, {}), SECOND) == -2


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("la oficina de Vigo", "ofi", "oficina"),
        ("en 1961,", "961", "1961"),
        ("un 19,5 %", " 19,5 %", "19,5 %"),
        ("firmo\u0301 Ana", "firmo", "firmo\u0301"),
        ("A\u0301ngel Ruiz", "\u0301ngel", "A\u0301ngel"),
        ("la oﬃcina", "ﬃ", "oﬃcina"),
        ("un 👍🏽 sí", "👍", "👍🏽"),
        ("una 👩\u200d🚒 y", "👩", "👩\u200d🚒"),
        ("la 🇪🇸 ondea", "🇪", "🇪🇸"),
        ("中国外交部长王毅", "王毅", "王毅"),
        ("総理大臣は東京へ", "東京", "東京"),
        ("el «Mar»", "«Mar»", "«Mar»"),
        ("l'Aquila", "Aquila", "Aquila"),
        ("de 1961 y 2000, según", "1961 y 2000,", "1961 y 2000"),
        ("en la CEE.", "CEE.", "CEE"),
        ("la S.A. firmó", "S.A.", "S.A."),
        ("Fin.", ".", ""),
        ("dos  x", "  ", ""),
    ],
    ids=str,
)
def test_a_slice_cuts_no_word_and_no_character(text: str, part: str, expected: str) -> None:
    start, end = whole_words(text, text.index(part), text.index(part) + len(part))
    assert text[start:end] == expected


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("¿Qué tratados reemplaza el acuerdo?", True),
        ("¿Qué otros países lo firmaron?", True),
        ("¿Cuáles son las capitales?", True),
        ("¿Quiénes firmaron?", True),
        ("Which towns were flooded?", True),
        ("Who were the signatories?", True),
        ("Quels traités sont remplacés ?", True),
        ("哪些国家签署了协议？", True),
        ("¿Qué mes fue?", False),
        ("¿Qué dijo Ríos?", False),
        ("¿Qué país firmó?", False),
        ("¿Quién firmó los tratados?", False),
        ("What does the treaty say?", False),
        ("Which process was used?", False),
        ("What is this?", False),
    ],
    ids=str,
)
def test_questions_for_a_list_are_told_by_their_form(question: str, several: bool) -> None:
    assert asks_for_several(question) == several


def test_what_is_shown_is_in_the_order_of_the_text_and_likely_enough() -> None:
    read = logits({"Olmo": 3, "Pino": 4, "Te": 2}, {"Olmo": 3, "Pino": 4, "jo": 2})
    spans = best_spans(read, FIRST, most=9, within=9)
    assert shown(spans, least=5) == ((109, 113), (115, 119))
