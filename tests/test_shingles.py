from __future__ import annotations

import pytest

from rag.shingles import containment, sample, shared, shingles

WIRE = "Al menos tres encapuchados asaltaron la pasada madrugada el museo y huyeron con nueve piezas."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("¿…?", 0),
        ("Hola", 1),
        ("uno dos tres cuatro", 1),
        ("uno dos tres cuatro cinco", 2),
        ("中文字符五六", 3),
    ],
    ids=ascii,
)
def test_a_run_begins_at_every_word_that_has_three_after_it(text: str, count: int) -> None:
    assert shingles(text).size == count


@pytest.mark.parametrize(
    "text",
    [WIRE.upper(), WIRE.replace("menos", "ménos"), WIRE.replace(" ", "\n\n«"), WIRE + "!"],
    ids=["case", "accents", "signs and lines", "end"],
)
def test_same_words_are_the_same_runs_however_they_are_set(text: str) -> None:
    assert shingles(text).tolist() == shingles(WIRE).tolist()


def test_an_exchanged_word_changes_the_four_runs_that_hold_it() -> None:
    edited = WIRE.replace("encapuchados", "ladrones")
    # Fifteen words make twelve runs; the fourth word stands in the first four of them.
    assert (shingles(WIRE).size, shared(shingles(WIRE), shingles(edited))) == (12, 8)


def test_of_a_shortened_text_all_runs_stand_in_the_whole() -> None:
    assert containment(shingles(WIRE), shingles(WIRE[:60])) == 1.0


def test_nothing_is_contained_in_an_empty_text() -> None:
    assert containment(shingles(WIRE), shingles("")) == 0.0


def test_sample_of_a_part_is_part_of_the_sample_of_the_whole() -> None:
    words = [f"palabra{number}" for number in range(1000)]
    whole, part = shingles(" ".join(words)), shingles(" ".join(words[300:700]))
    of_whole, of_part = sample(whole), sample(part)
    assert 80 < of_whole.size < 170
    assert shared(of_whole, of_part) == of_part.size


def test_short_text_has_a_sample_of_sixteen_runs() -> None:
    runs = shingles(" ".join(f"palabra{number}" for number in range(40)))
    assert sample(runs).size == 16
