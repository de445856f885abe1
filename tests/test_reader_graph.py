"""The trained reader's file of weights, its graph, and what is read off passages by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from eval.reader_features import row_of
from eval.reader_passages import Example
from rag.bundled import MODEL_WEIGHTS, WEIGHTS, bundled_model_folder
from rag.cross_encoder import CrossEncoder, load_cross_encoder
from rag.embedding import SentenceEmbedder, bundled_tokenizer
from rag.errors import ModelError
from rag.interfaces import Embedder
from rag.reader_graph import base_tensors, model_shape, reader_graph_file
from rag.reader_weights import WEIGHTS_FILE, read_reader_weights, write_reader_weights
from rag.schema import Article, Hit, Passage
from tests.small_reader import BASE, METADATA, plain_logits, small_model, small_weights, trained_tensors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from rag.encoder import PairEncoder

ASKED = {
    "es": ("¿Qué firmó Ángel Ñúñez?", "Ángel Ñúñez firmó ayer la paz de Vigo. Después llovió en toda Galicia."),
    "en": ("Who closed the harbour?", "The mayor, Jane Doe, closed the harbour on Monday; 14 boats stayed inside."),
    "zh": ("谁签署了协议?", "中国外交部长王毅周一在北京签署了这项协议。会谈持续了三个小时。"),
}


def hit(text: str, *, title: str | None = None, before: str = "") -> Hit:
    """A passage that stands behind some other text of its article."""
    passage = Passage("p", "a", 0, len(before), len(before + text), text, "es", text)
    return Hit(passage, Article(id="a", text=before + text, title=title), score=1.0, cosine=0.9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("small-model"))


@pytest.fixture(scope="module")
def encoder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PairEncoder:
    from rag.encoder import PairEncoder

    shape = model_shape(folder)
    file = small_weights(tmp_path_factory.mktemp("weights") / "weights.safetensors")
    return PairEncoder(reader_graph_file(folder, read_reader_weights(file, base_sha256=BASE, shape=shape), shape=shape))


@pytest.fixture(scope="module")
def small(folder: Path, encoder: PairEncoder, tmp_path_factory: pytest.TempPathFactory) -> CrossEncoder:
    shape = model_shape(folder)
    file = small_weights(tmp_path_factory.mktemp("weights") / "weights.safetensors")
    weights = read_reader_weights(file, base_sha256=BASE, shape=shape)
    return CrossEncoder(encoder, bundled_tokenizer(folder), weights, shape=shape)


def _words(folder: Path) -> npt.NDArray[np.float32]:
    from safetensors import safe_open

    with safe_open(folder / MODEL_WEIGHTS, framework="numpy") as file:
        table: npt.NDArray[np.float32] = file.get_tensor("embeddings.word_embeddings.weight")
        return table


def test_the_graphs_logits_are_near_those_of_plain_arithmetic(
    folder: Path, encoder: PairEncoder, tmp_path: Path
) -> None:
    shape = model_shape(folder)
    weights = read_reader_weights(small_weights(tmp_path / "w.safetensors"), base_sha256=BASE, shape=shape)
    tensors = {**base_tensors(folder, shape, layers=1), **weights.tensors}
    for ids in ([0, 5, 2, 2, 8, 6, 7, 2], [0, 2, 2, 8, 8, 5, 7, 7, 4, 6, 2]):
        expected = plain_logits(tensors, shape, _words(folder), ids)
        found = encoder.logits(np.array([ids]), mask=np.ones((1, len(ids))))[0]
        # The logits spread by 1: a hundredth of that is what bytes cost.
        np.testing.assert_allclose(found, expected, atol=0.05)
        assert np.abs(found - expected).mean() < 0.02


def test_what_is_read_off_a_passage_does_not_depend_on_its_neighbours(small: CrossEncoder) -> None:
    hits = [hit("a b"), hit("cab a b c", title="b"), hit("a"), hit("c c a b a b a"), hit("")] * 9
    for one, together in zip(hits, small.read("ab c", hits), strict=True):
        small.forget()
        (alone,) = small.read("ab c", [one])
        assert alone.relevance == pytest.approx(together.relevance, abs=1e-5)
        np.testing.assert_allclose(alone.span_starts, together.span_starts, atol=1e-5)
        np.testing.assert_allclose(alone.answering, together.answering, atol=1e-5)


def test_the_graph_is_made_once(folder: Path, encoder: PairEncoder, tmp_path: Path) -> None:
    shape = model_shape(folder)
    weights = read_reader_weights(small_weights(tmp_path / "w.safetensors"), base_sha256=BASE, shape=shape)
    file = reader_graph_file(folder, weights, shape=shape)
    made = file.stat().st_mtime_ns
    assert reader_graph_file(folder, weights, shape=shape).stat().st_mtime_ns == made
    assert not list(folder.glob(".*"))


# ---- the file


def test_the_file_keeps_whole_numbers_as_they_were_trained(folder: Path, tmp_path: Path) -> None:
    read = read_reader_weights(small_weights(tmp_path / "w"), base_sha256=BASE, shape=model_shape(folder))
    trained = trained_tensors()
    name = "encoder.layer.1.intermediate.dense.weight"
    np.testing.assert_array_equal(read.tensors["l1.fi.w"].codes, trained[name])  # type: ignore[union-attr]
    np.testing.assert_allclose(
        read.tensors["l1.fi.w"].weight,  # type: ignore[union-attr]
        trained[name] * trained[f"{name}.scale"][:, None],
    )
    assert (read.version, read.frozen_layers, read.question_tokens, read.title_tokens) == ("small", 1, 6, 3)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-3] ^= 4
    file.write_bytes(content)


def _leave_out(file: Path) -> None:
    tensors = trained_tensors()
    del tensors["encoder.layer.1.output.dense.weight"]
    write_reader_weights(file, tensors, metadata=METADATA)


def _exceed(file: Path) -> None:
    tensors = trained_tensors()
    tensors["encoder.layer.1.attention.self.key.weight"][0, 0] = 65
    write_reader_weights(file, tensors, metadata=METADATA)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda file: file.unlink(), r"there are no trained weights in .*weights: reinstall"),
        (lambda file: file.write_bytes(b""), r"the trained weights in .*weights are damaged"),
        (lambda file: file.write_bytes(b"<html>404</html>" * 9), r"are damaged"),
        (_cut, r"are damaged"),
        (_flip, r"are damaged \(its content has another SHA-256 than it says\)"),
        (_leave_out, r"are damaged \('l1\.fo\.w' is missing\)"),
        (_exceed, r"are damaged \(encoder.layer.1.attention.self.key.weight has whole numbers beyond 64\)"),
        (lambda file: small_weights(file, frozen_layers="0"), r"are damaged \('l0\.q\.w' is missing\)"),
        (lambda file: small_weights(file, base_sha256="0" * 64), r"was trained on weights 000000000000, and the"),
    ],
    ids=["missing", "empty", "another file", "cut off", "a bit", "a tensor", "too large", "a layer", "other base"],
)
def test_a_file_that_cannot_be_used_is_one_sentence(harm: Any, message: str, folder: Path, tmp_path: Path) -> None:
    file = small_weights(tmp_path / "weights")
    harm(file)
    with pytest.raises(ModelError, match=message) as told:
        read_reader_weights(file, base_sha256=BASE, shape=model_shape(folder))
    assert "\n" not in str(told.value)


def test_a_graph_that_is_damaged_is_one_sentence(tmp_path: Path) -> None:
    from rag.encoder import PairEncoder

    (tmp_path / "reader.onnx").write_bytes(b"\x08")
    with pytest.raises(ModelError, match=r"cannot load .*reader.onnx .*remove that file, which is then made anew"):
        PairEncoder(tmp_path / "reader.onnx")


# ---- tokens and their places, with the bundled model's own vocabulary


class Noting:
    """In the place of the graph: notes what it is given, and tells nothing."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []

    def logits(self, ids: npt.NDArray[Any], *, mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        self.given += [row[: int(kept.sum())].tolist() for row, kept in zip(ids, mask, strict=True)]
        return np.zeros((*ids.shape, 4), np.float32)


@pytest.fixture(scope="module")
def tokenizer(embedder: Embedder) -> Tokenizer:
    assert isinstance(embedder, SentenceEmbedder)
    return embedder.tokenizer


@pytest.fixture
def noting(tokenizer: Tokenizer, folder: Path, tmp_path: Path) -> tuple[CrossEncoder, Noting]:
    weights = read_reader_weights(small_weights(tmp_path / "w"), base_sha256=BASE, shape=model_shape(folder))
    noted = Noting()
    shape = {"max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 2}
    return CrossEncoder(noted, tokenizer, weights, shape=shape), noted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ángel Ñúñez firmó.", ["Ángel", "firm", "ó"]),
        ("A\u0301ngel firmo\u0301.", ["A\u0301ngel", "firm"]),
        ("La ﬁrma de la oﬃcina", ["ﬁrma", "de"]),
        ("Un 👍🏽 y 🇪🇸 para él", ["👍", "él"]),
        ("中国外交部长王毅签署。", ["中国"]),
        ("½ km² a 3\u202f000 m", ["km", "²"]),
        ("dos  espacios\t y \n líneas", ["dos", "y"]),
        ("ocultos\u200b\u00ad aquí", ["aquí"]),
        ("", []),
        ("   ", []),
    ],
    ids=str,
)
def test_tokens_have_their_place_in_the_article(
    noting: tuple[CrossEncoder, Noting], text: str, words: list[str]
) -> None:
    found = hit(text, before="Antes 😀. ")
    (read,) = noting[0].read("¿?", [found])
    slices = [found.article.text[start:end] for start, end in zip(read.starts, read.ends, strict=True)]
    assert set(words) <= set(slices)
    assert all(part == part.strip() for part in slices)
    edges = [found.passage.start, *read.starts, *read.ends, found.passage.end]
    assert (min(edges), max(edges)) == (found.passage.start, found.passage.end)
    assert list(read.starts) == sorted(read.starts)
    assert list(read.ends) == sorted(read.ends)


@pytest.mark.parametrize("title", [None, " La paz \n", "Un título muy largo"])
@pytest.mark.parametrize("language", ASKED)
def test_a_row_and_its_places_are_those_of_training(
    noting: tuple[CrossEncoder, Noting], tokenizer: Tokenizer, language: str, title: str | None
) -> None:
    question, text = ASKED[language]
    words = (title or "").strip()
    example = Example("", "", "", language, language, question, words, text, ((0, len(text)),), (), "")
    asked, named, said = (tokenizer.encode(part, add_special_tokens=False) for part in (question, words, text))
    row = row_of(example, asked.ids[:6], named.ids[:3], (said.ids, said.offsets), most_tokens=64)
    assert row is not None
    (read,) = noting[0].read(question, [hit(text, title=title, before="¡Eh! ")])
    assert noting[1].given == [row.ids.tolist()]
    assert np.stack([read.starts, read.ends], axis=1).tolist() == (row.spans + len("¡Eh! ")).tolist()


def test_of_a_long_question_the_beginning_is_read_and_with_a_context_the_end(
    noting: tuple[CrossEncoder, Noting], tokenizer: Tokenizer
) -> None:
    reader, noted = noting
    for question, context in (("a b c d e f g h", ""), ("g h", "a b c d e f")):
        reader.read(question, [hit("x")], context=context)
    whole = tokenizer.encode("a b c d e f g h", add_special_tokens=False).ids
    assert [row[1 : row.index(2)] for row in noted.given] == [whole[:6], whole[2:]]


def test_what_was_read_just_before_is_not_read_again(noting: tuple[CrossEncoder, Noting]) -> None:
    reader, noted = noting
    one, other = hit("uno"), hit("otro", before="Antes. ")
    first = reader.read("¿Qué?", [one, other, one])
    assert len(noted.given) == 2
    again = reader.read("¿Qué?", [other])
    assert len(noted.given) == 2
    assert again[0].starts.tolist() == first[1].starts.tolist()
    # The same words at another place are the same row, and keep their own place.
    (moved,) = reader.read("¿Qué?", [hit("otro")])
    assert len(noted.given) == 2
    assert moved.starts.tolist() == [at - len("Antes. ") for at in again[0].starts]
    reader.read("¿Qué?", [hit(f"otro {number}") for number in range(48)])
    reader.read("¿Qué?", [other])
    assert len(noted.given) == 2 + 48 + 1
    reader.forget()
    reader.read("¿Qué?", [other])
    assert len(noted.given) == 2 + 48 + 2


def test_of_a_passage_that_is_too_long_the_beginning_is_read_and_keeps_its_places(
    noting: tuple[CrossEncoder, Noting],
) -> None:
    found = hit("Ñandú, " * 200, title="Un título muy largo que no acaba", before="¡Eh! ")
    (read,) = noting[0].read("¿Qué es?", [found])
    assert len(noting[1].given[0]) == 64
    assert 0 < read.ends[-1] < found.passage.end
    assert found.article.text[read.starts[0] : read.ends[-1]].startswith("Ñandú, Ñandú")


# ---- what is shipped


@pytest.fixture(scope="module")
def shipped(tokenizer: Tokenizer) -> CrossEncoder:
    if not WEIGHTS_FILE.is_file():
        pytest.skip("rag/reader holds no trained weights")
    return load_cross_encoder(tokenizer=tokenizer)


@pytest.mark.slow
def test_all_archives_of_a_process_share_one_model(shipped: CrossEncoder) -> None:
    assert load_cross_encoder() is shipped


@pytest.mark.slow
@pytest.mark.parametrize("language", ASKED)
def test_the_shipped_readers_logits_are_near_those_of_plain_arithmetic(shipped: CrossEncoder, language: str) -> None:
    question, text = ASKED[language]
    folder = bundled_model_folder()
    shape = model_shape(folder)
    weights = read_reader_weights(WEIGHTS_FILE, base_sha256=WEIGHTS.sha256, shape=shape)
    tensors = {**base_tensors(folder, shape, layers=weights.frozen_layers), **weights.tensors}
    (row,) = shipped._rows(question, [hit(text)], context="")
    expected = plain_logits(tensors, shape, _words(folder), row.ids)
    (found,) = shipped._logits([tuple(row.ids)])
    assert np.abs(found - expected).mean() < 0.2
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
