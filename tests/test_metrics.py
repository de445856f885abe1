"""The measures against examples worked by hand or published."""

from __future__ import annotations

import pytest

from eval.metrics import (
    Span,
    best_reference,
    contains,
    exact_match,
    ndcg_at,
    recall_at,
    reciprocal_rank_at,
    token_f1,
    tokens,
    wilson,
)

# Four passages of two articles, ten code points each, as a search might rank them.
A0, A1, B0, B1 = Span("a", 0, 10), Span("a", 10, 20), Span("b", 0, 10), Span("b", 10, 20)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("¿El Tratado de Amistad, de 1961?", "es", ["tratado", "de", "amistad", "de", "1961"]),
        ("«Un 18 %» — unas horas", "es", ["18", "horas"]),
        ("The  quick\tbrown-ish fox", "en", ["quick", "brownish", "fox"]),
        ("Der Vulkan und die Insel", "de", ["vulkan", "und", "insel"]),
        ("L’accord et la paix", "fr", ["accord", "et", "paix"]),
        ("l'isola e un'alba", "it", ["isola", "e", "alba"]),
        ("O porto e as ilhas", "pt", ["porto", "e", "ilhas"]),
        ("Кармания, 60 дней!", "ru", ["кармания", "60", "дней"]),
        ("罢工，420美元", "zh", ["罢", "工", "420", "美", "元"]),
        ("el 420美元", "und", ["el", "420", "美", "元"]),
        ("cami\u0301n", "es", ["cam\u00edn"]),
        ("", "es", []),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_texts_are_compared_as_mlqa_does(text: str, language: str, expected: list[str]) -> None:
    assert tokens(text, language=language) == expected


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("El embalse cae al 18 %.", "18 %", True),
        ("Llegaron 1800 personas", "18", False),
        ("mil doscientos agentes", "agentes mil", False),
        ("pagó los 62 millones", "62 millones", True),
        ("cuesta 1.200 euros", "1200", True),
        ("algo", "¿?", False),
        ("", "algo", False),
    ],
)
def test_an_answer_is_contained_as_a_run_of_whole_words(text: str, wanted: str, expected: bool) -> None:
    assert contains(text, wanted, language="es") is expected


def test_exact_match_ignores_articles_case_and_punctuation() -> None:
    assert exact_match("The Norman dynasty.", "norman dynasty", language="en") == 1.0
    assert exact_match("the House of Normandy", "norman dynasty", language="en") == 0.0


@pytest.mark.parametrize(
    ("prediction", "gold", "language", "expected"),
    [
        # presidente, marek, olászy against marek, olászy: precision 2/3, recall 1.
        ("El presidente Marek Olászy", "Marek Olászy", "es", 0.8),
        # 420, 美, 元 against 420, 美, 金: 2/3 both ways.
        ("420美元", "420美金", "zh", 2 / 3),
        # A word counts as often as both have it: 1 of 3 and 1 of 1.
        ("paz paz paz", "paz", "es", 0.5),
        ("nada en común", "otra cosa", "es", 0.0),
        ("", "algo", "es", 0.0),
    ],
    ids=["partly", "characters", "repeated", "nothing", "empty"],
)
def test_token_f1_is_the_harmonic_mean_over_bags_of_words(
    prediction: str, gold: str, language: str, expected: float
) -> None:
    assert token_f1(prediction, gold, language=language) == pytest.approx(expected)


def test_best_reference_takes_the_nearest_wording_of_each_fact() -> None:
    nuggets = [["doce heridos", "12 heridos"], ["veintiún heridos", "21"]]
    assert best_reference("Hubo 12 heridos, según otros 21", nuggets, language="es") == "12 heridos 21"


def test_spans_that_only_touch_do_not_overlap() -> None:
    assert not A0.overlaps(A1)
    assert A0.overlaps(Span("a", 9, 12))
    assert not A0.overlaps(B0)


def test_recall_counts_each_fact_once_however_many_passages_tell_it() -> None:
    # Two facts: one told by A0 and B0, one by B1. Two passages tell the first, none the second.
    facts = [[Span("a", 2, 5), Span("b", 2, 5)], [Span("b", 12, 15)]]
    assert recall_at([A0, B0, A1, B1], facts, k=3) == 0.5
    assert recall_at([A0, B0, A1, B1], facts, k=4) == 1.0
    assert recall_at([], facts, k=5) == 0.0


def test_reciprocal_rank_is_that_of_the_first_supporting_passage_within_k() -> None:
    quotes = [Span("b", 0, 3)]
    assert reciprocal_rank_at([A0, A1, B0], quotes, k=10) == pytest.approx(1 / 3)
    assert reciprocal_rank_at([A0, A1, B0], quotes, k=2) == 0.0


def test_ndcg_of_hits_at_ranks_one_and_three_of_three_relevant() -> None:
    # DCG 1/log2(2) + 1/log2(4) = 1.5; ideal 1 + 1/log2(3) + 0.5 = 2.13093; the quotient is 0.70392.
    quotes = [Span("a", 0, 3), Span("b", 0, 3), Span("c", 0, 3)]
    assert ndcg_at([A0, A1, B0, B1], quotes, k=10) == pytest.approx(0.70392, abs=1e-5)


def test_ndcg_is_one_when_the_only_relevant_passage_is_first() -> None:
    assert ndcg_at([B1, A0], [Span("b", 12, 14), Span("b", 15, 18)], k=10) == 1.0


def test_ndcg_at_k_does_not_expect_more_relevant_passages_than_k() -> None:
    quotes = [Span("a", 0, 3), Span("a", 12, 14), Span("b", 0, 3)]
    assert ndcg_at([A0, A1], quotes, k=2) == 1.0


def test_ndcg_is_zero_when_nothing_relevant_is_found() -> None:
    assert ndcg_at([A0], [Span("b", 0, 3)], k=10) == 0.0
    assert ndcg_at([], [Span("b", 0, 3)], k=10) == 0.0


@pytest.mark.parametrize(
    ("good", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_that_newcombe_published(good: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    interval = wilson(good / n, n)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize(("mean", "n"), [(0.5, 0), (1.2, 3), (-0.1, 3)])
def test_no_interval_without_questions_or_outside_the_scale(mean: float, n: int) -> None:
    with pytest.raises(ValueError, match="no interval for a mean"):
        wilson(mean, n)
