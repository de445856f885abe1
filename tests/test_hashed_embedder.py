"""What the archive's embedder promises, of the bundled model and of its stand-in."""

from __future__ import annotations

import numpy as np
import pytest

from rag.interfaces import Embedder
from rag.schema import Passage, Sentence
from tests.hashed_embedder import HashedEmbedder

TEXT = "El puerto reabrió el lunes. La huelga duró nueve días."
PASSAGE = Passage(
    "a#0",
    "a",
    0,
    0,
    len(TEXT),
    TEXT,
    "es",
    f"El Faro\n{TEXT}",
    (Sentence(0, 27, TEXT[:27]), Sentence(28, 54, TEXT[28:])),
)


@pytest.fixture(params=["bundled", "hashed"])
def either(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hashed":
        return HashedEmbedder()
    bundled: Embedder = request.getfixturevalue("embedder")
    return bundled


def test_vectors_have_unit_length_and_one_row_per_sentence(either: Embedder) -> None:
    (made,) = either.embed_passages([PASSAGE])
    assert made.passage.shape == either.embed_question("¿Cuándo?").shape == (either.dim,)
    assert made.sentences.shape == (2, either.dim)
    assert either.embed_questions(["uno", "dos"]).shape == (2, either.dim)
    for vector in (made.passage, *made.sentences):
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_one_text_has_one_vector_and_the_nearest_question_shares_its_words(either: Embedder) -> None:
    (first,), (again,) = either.embed_passages([PASSAGE]), either.embed_passages([PASSAGE])
    assert first.passage == pytest.approx(again.passage, abs=1e-5)
    near, far = either.embed_questions(["¿Cuándo reabrió el puerto?", "Receta de tortilla con cebolla"]) @ first.passage
    assert near > far


def test_nothing_in_gives_nothing_out(either: Embedder) -> None:
    assert either.embed_passages([]) == []
    assert either.embed_questions([]).shape == (0, either.dim)
    assert either.count([]) == []
    assert either.count(["hola", ""])[1] == 0
