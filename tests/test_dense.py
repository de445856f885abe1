"""Dense search within filters: which road is taken changes what it costs, never what is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from rag.articles import Articles, Prepared, open_articles
from rag.dense import DenseSearch
from rag.interfaces import Filters, Found, Listed, PassageVectors, Vector, VectorIndex
from rag.schema import Article, Passage, Sentence
from rag.vectors import open_vector_index
from tests.memory_truth import DIM, unit_vector

EAST = unit_vector(1, 0)
FIRST_DAY = date(2024, 1, 1)
ARTICLES = 300


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Articles, VectorIndex, dict[str, Vector]]]:
    """300 articles of one passage, one a day, of three outlets in turn; the tenth passage has no vector."""
    folder = tmp_path_factory.mktemp("archive")
    truth = open_articles(folder)
    draw = np.random.default_rng(5)
    vectors: dict[str, Vector] = {}
    for number in range(ARTICLES):
        item = prepared(number)
        truth.put([item])
        if number != 9:
            vectors[item.passages[0].id] = unit_vector(*draw.normal(size=DIM))
            made = PassageVectors(vectors[item.passages[0].id], vectors[item.passages[0].id][np.newaxis])
            truth.set_vectors([(item.passages[0], made)])
    index = open_vector_index(folder / "vectors", dim=DIM)
    index.catch_up(truth)
    yield truth, index, vectors
    index.close()
    truth.close()


def prepared(number: int) -> Prepared:
    text, id_ = f"Noticia {number}.", f"a{number:03}"
    article = Article(
        id_, text, outlet=f"Diario {number % 3}", published=FIRST_DAY + timedelta(days=number), content_hash=text
    )
    passage = Passage(f"{id_}-0", id_, 0, 0, len(text), text, "es", text, (Sentence(0, len(text), text),))
    return Prepared(article, (passage,), place=f"{number}.txt", source_hash=text)


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (Filters(), range(ARTICLES)),
        (Filters(since=day(290)), range(290, ARTICLES)),
        (Filters(until=day(20)), range(21)),
        (Filters(since=day(8), until=day(10)), range(8, 11)),
        (Filters(outlets=frozenset({"Diario 1"})), range(1, ARTICLES, 3)),
        (
            Filters(since=day(100), outlets=frozenset({"Diario 0", "Diario 2"})),
            {*range(100, 300)} - {*range(1, 300, 3)},
        ),
        (Filters(outlets=frozenset({"Diario 4"})), ()),
        (Filters(since=day(5), until=day(4)), ()),
    ],
    ids=["all", "since", "until", "between", "outlet", "both", "unknown outlet", "no day"],
)
@pytest.mark.parametrize("few", [0, ARTICLES], ids=["by the index", "one by one"])
def test_the_nearest_within_filters_are_the_nearest_of_all_that_pass(
    held: tuple[Articles, VectorIndex, dict[str, Vector]], filters: Filters, numbers: range, few: int
) -> None:
    truth, index, vectors = held
    cosines = {id_: float(vector @ EAST) for id_, vector in vectors.items() if int(id_[1:4]) in numbers}
    expected = sorted(cosines, key=cosines.__getitem__, reverse=True)[:20]
    found = DenseSearch(index, truth, few=few).search(EAST, k=20, filters=filters)
    assert [each.passage_id for each in found] == expected
    assert [each.score for each in found] == pytest.approx([cosines[id_] for id_ in expected], abs=2e-6)


def test_equal_passages_of_one_filter_stand_by_content(held: tuple[Articles, VectorIndex, dict[str, Vector]]) -> None:
    _, index, _ = held

    class Twins:
        def vectors_within(self, filters: Filters, *, most: int) -> dict[str, Vector]:
            return {"b-1": EAST, "a-2": EAST, "c-0": unit_vector(3, 4)}

        def passing(self, passage_ids: object, *, filters: Filters) -> set[str]:
            raise AssertionError("few passages are compared one by one")

        def scarce(self, *, dim: int, most: int) -> dict[str, Listed]:
            raise AssertionError("all are of one language")

        def languages(self) -> list[str]:
            return ["es"]

        def languages_of(self, passage_ids: object) -> dict[str, str]:
            raise AssertionError("all are of one language")

    found = DenseSearch(index, Twins()).search(EAST, k=3, filters=Filters(since=FIRST_DAY))
    assert found == [Found("b-1", 1.0), Found("a-2", 1.0), Found("c-0", 0.6)]


def add(truth: Articles, languages: list[str]) -> None:
    """Take in articles of one passage, each one more step away from the first, in these languages."""
    items = []
    for number, language in enumerate(languages):
        text, id_ = f"Noticia {number}.", f"{language}{number:02}"
        article = Article(id_, text, language=language, outlet=f"Diario {number % 2}", content_hash=text)
        passage = Passage(f"{id_}-0", id_, 0, 0, len(text), text, language, text, (Sentence(0, len(text), text),))
        items.append(Prepared(article, (passage,), place=f"{number}.txt", source_hash=text))
    truth.put(items)
    vectors = [unit_vector(len(languages), number) for number in range(len(languages))]
    made = [PassageVectors(vector, vector[np.newaxis]) for vector in vectors]
    truth.set_vectors([(item.passages[0], one) for item, one in zip(items, made, strict=True)])


@pytest.mark.parametrize("few", [0, 1000], ids=["by the index", "one by one"])
@pytest.mark.parametrize("filters", [Filters(), Filters(outlets=frozenset({"Diario 0", "Diario 1"}))])
def test_the_nearest_ten_of_each_language_are_found_beside_many_of_another(
    tmp_path: Path, few: int, filters: Filters
) -> None:
    truth = open_articles(tmp_path)
    add(truth, ["es"] * 30 + ["de"] * 12 + ["en"])
    index = open_vector_index(tmp_path / "vectors", dim=DIM)
    index.catch_up(truth)
    found = DenseSearch(index, truth, few=few).search(EAST, k=5, filters=filters)
    index.close()
    truth.close()
    expected = [f"es{number:02}" for number in range(10)] + [f"de{number}" for number in range(30, 40)] + ["en42"]
    assert [each.passage_id for each in found] == [f"{id_}-0" for id_ in expected]


@pytest.mark.parametrize("scarce", [12, 13], ids=["searched deeper", "one by one"])
def test_the_nearest_of_each_language_are_found_behind_any_number_of_another(tmp_path: Path, scarce: int) -> None:
    truth = open_articles(tmp_path)
    add(truth, ["es"] * 900 + ["de"] * 12 + ["en"])
    index = open_vector_index(tmp_path / "vectors", dim=DIM)
    index.catch_up(truth)
    search = DenseSearch(index, truth, few=0, scarce=scarce)
    of_both = [f"de{number}" for number in range(900, 910)] + ["en912"]
    found = [each.passage_id for each in search.search(EAST, k=5, filters=Filters())]
    assert found[10:] == [f"{id_}-0" for id_ in of_both]
    of_one = search.search(EAST, k=5, filters=Filters(outlets=frozenset({"Diario 0"})))
    german = [each.passage_id for each in of_one if each.passage_id.startswith("de")]
    assert german == [f"de{number}-0" for number in range(900, 912, 2)]
    truth.delete("de901")
    index.catch_up(truth)
    found = [each.passage_id for each in search.search(EAST, k=5, filters=Filters())]
    assert "de901-0" not in found
    assert "de910-0" in found
    index.close()
    truth.close()
