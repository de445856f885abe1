from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from rag.bundled import bundled_model_folder, read_packed, write_model
from rag.encoder_graph import MOST_WEIGHT, quantised_weight
from rag.errors import ModelError
from rag.onnx_bytes import graph, model, node, value
from tests.packed_model import HIDDEN, packed_model
from tests.test_bundled import texts_of_all_scripts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Array = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("small-model")
    write_model(made, read_packed(packed_model()))
    return made


@pytest.fixture(scope="module")
def encoder(folder: Path) -> SentenceTransformer:
    return _in_onnxruntime(folder)


def _in_onnxruntime(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    from rag.encoder import Encoder
    from rag.encoder_module import encoder_modules

    modules = encoder_modules(Encoder(folder), tokenizer=folder / "tokenizer.json")
    return SentenceTransformer(modules=modules, device="cpu")


def _session(content: bytes) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_a_graph_written_by_hand_is_one_that_onnxruntime_runs() -> None:
    nodes = [node("Gemm", ["x", "w"], ["y"], alpha=0.5, transB=1), node("Transpose", ["y"], ["z"], perm=(1, 0))]
    content = model(
        graph(
            nodes,
            tensors={"w": np.array([[1, 2], [3, 4], [5, 6]], np.float32)},
            inputs=[value("x", np.float32, ("rows", 2))],
            outputs=[value("z", np.float32, (3, "rows"))],
        ),
        opsets={"": 17},
    )
    (found,) = _session(content).run(None, {"x": np.array([[1, 0], [0, -2]], np.float32)})
    assert found.tolist() == [[0.5, -2.0], [1.5, -4.0], [2.5, -6.0]]


def test_a_weight_becomes_whole_numbers_with_a_step_for_each_column() -> None:
    codes, steps = quantised_weight(np.array([[0.5, 0.0, -8.0], [-1.0, 0.0, 1.0]], np.float32))
    assert codes.tolist() == [[32, 0, -64], [-64, 0, 8]]
    np.testing.assert_allclose(steps[[0, 2]], [1 / 64, 8 / 64])


def test_two_products_of_a_byte_and_a_weight_fit_into_16_bits() -> None:
    # What processors without VNNI add in 16 bits, and cut off there.
    assert 2 * 255 * MOST_WEIGHT <= 32767


@pytest.mark.parametrize("rows", [1, 3, 16, 130])
def test_whole_number_products_are_exact_at_their_extremes(rows: int) -> None:
    random = np.random.default_rng(1)
    given = random.choice(np.array([0, 1, 128, 254, 255], np.uint8), (rows, 384))
    weight = random.choice(np.array([-MOST_WEIGHT, -1, 0, MOST_WEIGHT], np.int8), (384, 48))
    given[0], weight[:, 0] = 255, MOST_WEIGHT
    tensors: dict[str, npt.NDArray[Any]] = {"w": weight, "one": np.array(1, np.float32)}
    tensors |= {"steps": np.ones(48, np.float32), "zero": np.array(128, np.uint8), "zeros": np.zeros(48, np.int8)}
    inputs = ["x", "w", "one", "steps", "zero", "zeros"]
    content = model(
        graph(
            [node("MatMulIntegerToFloat", inputs, ["y"], domain="com.microsoft")],
            tensors=tensors,
            inputs=[value("x", np.uint8, ("rows", 384))],
            outputs=[value("y", np.float32, ("rows", 48))],
        ),
        opsets={"": 17, "com.microsoft": 1},
    )
    expected = (given.astype(np.int32) - 128) @ weight.astype(np.int32)
    assert _session(content).run(None, {"x": given})[0].astype(np.int64).tolist() == expected.tolist()


def test_vectors_are_near_those_of_the_same_weights_in_torch(folder: Path, encoder: SentenceTransformer) -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["a", "ab ca", "c b a c b a", "", "abc cab abc"]
    expected = SentenceTransformer(str(folder), local_files_only=True).encode(texts)
    found = encoder.encode(texts)
    assert found.shape == (5, HIDDEN)
    assert (found * expected).sum(axis=1).min() > 0.999


def test_a_texts_vector_does_not_depend_on_its_batch(encoder: SentenceTransformer) -> None:
    texts = ["a", "ab ca", "c b a c b a c b a", "cab", "", "b"] * 3
    together = encoder.encode(texts, batch_size=len(texts))
    alone = np.stack([encoder.encode(text) for text in texts])
    assert (together * alone).sum(axis=1).min() >= 0.99999


def test_what_stands_in_padding_does_not_matter(encoder: SentenceTransformer) -> None:
    import torch

    mask = torch.tensor([[1, 1, 1, 0, 0]])
    one, other = (
        encoder({"input_ids": torch.tensor([[0, 8, 2, *rest]]), "attention_mask": mask})["sentence_embedding"]
        for rest in ([0, 0], [9, 7])
    )
    torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_a_text_that_is_too_long_is_cut_and_keeps_its_end(encoder: SentenceTransformer) -> None:
    features = encoder.preprocess(["a " * 50])
    assert features["input_ids"].shape == (1, encoder.max_seq_length)
    assert features["input_ids"][0, -1] == 2


def test_a_graph_that_is_damaged_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "encoder.onnx").write_bytes(b"\x08")
    with pytest.raises(ModelError, match=r'cannot load .*encoder.onnx.*set embedding.engine to "torch"'):
        _in_onnxruntime(tmp_path)


@pytest.mark.slow
def test_the_bundled_models_vectors_are_near_those_of_torch_in_every_script() -> None:
    from sentence_transformers import SentenceTransformer

    texts = [f"passage: {text}" for text in texts_of_all_scripts()]
    made = bundled_model_folder()
    found = _in_onnxruntime(made).encode(texts)
    cosines = (found * SentenceTransformer(str(made), local_files_only=True).encode(texts)).sum(axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.998


@pytest.mark.slow
def test_the_bundled_models_vectors_do_not_depend_on_their_batch() -> None:
    model_ = _in_onnxruntime(bundled_model_folder())
    texts = [f"passage: {text}" for text in texts_of_all_scripts()[:60]]
    together = model_.encode(texts, batch_size=60)
    alone = np.stack([model_.encode(text) for text in texts])
    assert (together * alone).sum(axis=1).min() >= 0.99999
