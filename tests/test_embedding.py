from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest

from rag.bundled import WEIGHTS, read_packed, write_model
from rag.config import EmbeddingSettings
from rag.embedding import SentenceEmbedder, _Turns, load_embedder
from rag.errors import ModelError
from rag.interfaces import Embedder
from rag.schema import Passage, Sentence
from tests.packed_model import HIDDEN, packed_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

T = TypeVar("T")
NEWS = "El Gobierno aprobó el martes la reforma. Entrará en vigor en enero, según fuentes del ministerio. "


def passage(text: str, *, before: str = "", start: int = 0, sentences: tuple[tuple[int, int], ...] = ()) -> Passage:
    """Return a passage that begins at `start` of its article; sentences are given in offsets of the passage."""
    cut = tuple(Sentence(start + a, start + b, text[a:b]) for a, b in sentences)
    return Passage(f"p{start}", "a", 0, start, start + len(text), text, "es", before + text, cut)


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real but tiny model: 24 positions, vectors of 32 numbers, the letters a, b and c."""
    folder = tmp_path_factory.mktemp("small-model")
    write_model(folder, read_packed(packed_model()))
    return folder


@pytest.fixture(scope="module")
def small(small_folder: Path) -> SentenceEmbedder:
    return load_embedder(EmbeddingSettings(model=str(small_folder)))


@pytest.fixture(scope="module")
def reference(small_folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(small_folder), local_files_only=True)


def test_a_passages_vector_is_what_sentence_transformers_gives(
    small: SentenceEmbedder, reference: SentenceTransformer
) -> None:
    passages = [passage("ab ca", before="b\n"), passage("a"), passage("c b a c b a"), passage("")]
    expected = reference.encode([f"passage: {item.embedded_text}" for item in passages])
    found = np.stack([vectors.passage for vectors in small.embed_passages(passages)])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_questions_vector_is_what_sentence_transformers_gives(
    small: SentenceEmbedder, reference: SentenceTransformer
) -> None:
    expected = reference.encode(["query: ab", "query: c c c"])
    np.testing.assert_allclose(small.embed_questions(["ab", "c c c"]), expected, atol=1e-5)
    np.testing.assert_allclose(small.embed_question("ab"), expected[0], atol=1e-5)


def test_a_sentences_vector_is_that_of_the_sentence_alone(
    small: SentenceEmbedder, reference: SentenceTransformer
) -> None:
    expected = reference.encode(["passage: ab", "passage: ca"])
    item = passage("ab ca", before="b ", start=100, sentences=((0, 2), (3, 5)))
    np.testing.assert_allclose(small.embed_passages([item])[0].sentences, expected, atol=1e-5)


def test_a_sentence_without_tokens_gets_the_passages_vector(small: SentenceEmbedder) -> None:
    vectors = small.embed_passages([passage("ab ca", sentences=((2, 2),))])[0]
    np.testing.assert_allclose(vectors.sentences, vectors.passage[None], atol=1e-6)


def test_a_model_with_another_pooling_keeps_it(small_folder: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = tmp_path / "cls-model"
    shutil.copytree(small_folder, folder)
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": True})
    )
    settings = EmbeddingSettings(model=str(folder), question_prefix="", passage_prefix="")
    expected = SentenceTransformer(str(folder), local_files_only=True).encode(["ab ca"])[0]
    found = load_embedder(settings).embed_passages([passage("ab ca", sentences=((0, 2),))])[0]
    np.testing.assert_allclose(found.passage, expected, atol=1e-5)
    assert found.sentences.shape == (1, HIDDEN)


def test_passages_of_many_lengths_come_back_in_their_order(small: SentenceEmbedder) -> None:
    texts = ["a", "b c b c b c", "c", "a b", "c b a b c b a"] * 20
    together = small.embed_passages([passage(text) for text in texts])
    for text, vectors in zip(texts, together, strict=True):
        np.testing.assert_allclose(vectors.passage, small.embed_passages([passage(text)])[0].passage, atol=1e-5)


def test_nothing_in_gives_nothing_out(small: SentenceEmbedder) -> None:
    assert small.embed_questions([]).shape == (0, HIDDEN)
    assert small.embed_passages([]) == []
    assert small.count([]) == []
    assert small.embed_passages([passage("a")])[0].sentences.shape == (0, HIDDEN)


def test_a_passage_over_the_models_limit_is_refused(small: SentenceEmbedder) -> None:
    with pytest.raises(ValueError, match=r"passage p7 has \d+ tokens, the model takes 24"):
        small.embed_passages([passage("a"), passage("abc" * 10, start=7)])


def test_a_question_over_the_models_limit_is_cut(small: SentenceEmbedder) -> None:
    vector = small.embed_question("abc" * 100)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_tokens_are_counted_without_prefix_and_special_ones(small: SentenceEmbedder) -> None:
    assert small.count(["", "a", "ab ca"]) == [0, 1, 5]
    assert small.max_tokens == 24


def test_the_fingerprint_tells_weights_and_prefixes(small: SentenceEmbedder, small_folder: Path) -> None:
    weights = hashlib.sha256((small_folder / "model.safetensors").read_bytes()).hexdigest()
    assert small.fingerprint == {
        "model": str(small_folder),
        "weights_sha256": weights,
        "precision": "float32",
        "engine": "sentence-transformers",
        "sentences": "each on its own",
        "question_prefix": "query: ",
        "passage_prefix": "passage: ",
    }


def test_the_bundled_models_fingerprint_has_the_hash_of_the_wheels_file(embedder: Embedder) -> None:
    assert embedder.fingerprint["weights_sha256"] == WEIGHTS.sha256
    assert embedder.fingerprint["engine"] == "onnxruntime"
    assert "int8" in embedder.fingerprint["precision"]
    assert (embedder.dim, embedder.max_tokens) == (384, 512)


@pytest.mark.parametrize("name", ["/no/such/folder", "./no-such-folder", "no/such/folder"])
def test_a_folder_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no embedding model in .*no.such.folder"):
        load_embedder(EmbeddingSettings(model=name))


@pytest.mark.parametrize("name", ["hemeroteca-tests/no-such-model", "no-such-model"])
def test_a_model_that_cannot_be_had_is_one_sentence(name: str) -> None:
    with pytest.raises(ModelError, match=f"the embedding model '{name}' cannot be loaded") as caught:
        load_embedder(EmbeddingSettings(model=name))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_embedder(EmbeddingSettings(model=str(tmp_path)))


def test_questions_and_passages_from_many_threads_get_their_own_vectors(small: SentenceEmbedder) -> None:
    letters = ["a", "b", "c", "ab", "bc", "ca", "abc", "cab"]
    expected = small.embed_questions(letters)
    failures: list[str] = []

    def ask(index: int) -> None:
        for _ in range(20):
            if not np.allclose(small.embed_question(letters[index]), expected[index], atol=1e-5):
                failures.append(letters[index])

    def ingest() -> None:
        small.embed_passages([passage("a b c" if index % 2 else "c") for index in range(200)])

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)] + [threading.Thread(target=ingest)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


class InterruptedOnce(threading.Condition):
    """A condition whose first wait ends as Ctrl-C ends one."""

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        if not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        return super().wait_for(predicate, timeout)


@pytest.mark.parametrize("interrupted", ["question", "passages"])
@pytest.mark.parametrize("after", ["question", "passages"])
def test_an_interrupted_wait_keeps_nobody_waiting(interrupted: str, after: str) -> None:
    turns = _Turns()
    turns._changed = InterruptedOnce()
    with pytest.raises(KeyboardInterrupt), getattr(turns, interrupted)():
        pass
    # More questions than may go ahead of passages that wait, were any still counted as waiting.
    had: list[int] = []

    def take_turns() -> None:
        for turn in range(20):
            with getattr(turns, after)():
                had.append(turn)

    taking = threading.Thread(target=take_turns, daemon=True)
    taking.start()
    taking.join(timeout=10)
    assert had == list(range(20))


@pytest.mark.slow
def test_a_question_does_not_wait_until_all_passages_are_embedded(embedder: Embedder) -> None:
    many = [passage(f"{index} {NEWS * 6}", start=index) for index in range(40)]
    ingesting = threading.Thread(target=embedder.embed_passages, args=(many,))
    ingesting.start()
    embedder.embed_question("¿Cuándo entra en vigor la reforma?")
    assert ingesting.is_alive()
    ingesting.join()


@pytest.mark.slow
def test_the_bundled_models_vectors_are_what_sentence_transformers_gives(embedder: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    from rag.bundled import bundled_model_folder

    model = SentenceTransformer(str(bundled_model_folder()), local_files_only=True)
    passages = [passage(NEWS * times, before="Título · 2024-05-02\n") for times in (1, 9, 3)]
    expected = model.encode([f"passage: {item.embedded_text}" for item in passages])
    exact = load_embedder(EmbeddingSettings(engine="torch")).embed_passages(passages)
    np.testing.assert_allclose(np.stack([vectors.passage for vectors in exact]), expected, atol=1e-5)
    fast = np.stack([vectors.passage for vectors in embedder.embed_passages(passages)])
    assert (fast * expected).sum(axis=1).min() >= 0.999


@pytest.mark.slow
def test_loading_leaves_scikit_learn_out_and_usable() -> None:
    code = """
import sys
from rag.config import EmbeddingSettings
from rag.embedding import load_embedder
load_embedder(EmbeddingSettings())
assert not {"sklearn", "sklearn.metrics", "pandas"} & set(sys.modules)
from sentence_transformers.util.similarity import pairwise_distances
assert pairwise_distances([[0.0], [3.0]], metric="manhattan")[0, 1] == 3.0
from sklearn.metrics import accuracy_score
assert accuracy_score([1], [1]) == 1.0
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_a_model_by_name_is_taken_from_the_hubs_cache(small_folder: Path, tmp_path: Path) -> None:
    weights = (small_folder / "model.safetensors").read_bytes()
    blob = hashlib.sha256(weights).hexdigest()
    repository = tmp_path / "hub" / "models--tests--small"
    snapshot = repository / "snapshots" / ("0" * 40)
    shutil.copytree(small_folder, snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    (repository / "blobs").mkdir()
    (snapshot / "model.safetensors").rename(repository / "blobs" / blob)
    (snapshot / "model.safetensors").symlink_to(Path("..", "..", "blobs", blob))
    code = """
from rag.config import EmbeddingSettings
from rag.embedding import load_embedder
embedder = load_embedder(EmbeddingSettings(model="tests/small"))
print(embedder.fingerprint["weights_sha256"], embedder.dim)
"""
    environ = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environ)
    assert done.stdout.split() == [blob, str(HIDDEN)]
