"""The bundled model as an ONNX graph that multiplies whole numbers.

What goes into a product is spread over a byte token by token: each token has a scale of its own, taken from its own
numbers when the graph runs, so a text's vector does not depend on the texts beside it, and nothing has to be measured
on text beforehand. Attention, normalisation and sums are float32, and so is the product that makes the values of
attention: its errors are the same for all tokens of a text, so that the mean over them keeps what others lose.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rag import onnx_bytes
from rag.onnx_bytes import Attribute, External

# Two products of a byte and such a weight fit into 16 bits, which is where processors without VNNI add them.
MOST_WEIGHT: Final = 64
PRECISION: Final = "q4_0 weights, int8 products with a scale for each token"
GRAPH: Final = "encoder.onnx"
ABOUT: Final = "encoder.json"
LAYER_PARTS: Final = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Parts of a layer as the bundled file names them, with the names that they have in a `BertModel`."""
_MS: Final = "com.microsoft"
# The first version that has Attention; onnxruntime knows it since 1.23.
_OPSET: Final = 23
# The byte that stands for 0. GELU gives nothing below -0.17, and half a byte's range would be lost on that.
_ZERO: Final = 128
_ZERO_AFTER_GELU: Final = 32

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Quantised:
    """A weight, outputs x inputs, as whole numbers within MOST_WEIGHT and what one of them is worth in each output."""

    codes: npt.NDArray[np.int8]
    steps: Array

    @property
    def weight(self) -> Array:
        """What it stands for."""
        return self.codes * self.steps[:, None]


Tensors = Mapping[str, Array | Quantised]


def write_encoder(folder: Path, tensors: Tensors, shape: Mapping[str, Any], *, weights: str) -> None:
    """Write the graph, and what `rag.encoder` has to know of it, into the folder of a model.

    Args:
        folder: Has the weights, of which the graph reads the table of words: four fifths of the model.
        tensors: The weights, by the names of the bundled file.
        shape: Sizes, as `PackedModel` has them.
        weights: Name of the safetensors file with the weights.
    """
    words = place_of(folder / weights, "embeddings.word_embeddings.weight")
    (folder / GRAPH).write_bytes(encoder_graph(tensors, shape, words=words))
    about = {
        "precision": PRECISION,
        "hidden_size": shape["hidden_size"],
        "max_tokens": shape["max_position_embeddings"],
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def place_of(file: Path, tensor: str) -> External:
    """Return where a safetensors file holds a tensor: 8 bytes of length, a header in JSON, then the numbers."""
    with file.open("rb") as opened:
        (size,) = struct.unpack("<Q", opened.read(8))
        found = json.loads(opened.read(size))[tensor]
    return External(file.name, 8 + size + found["data_offsets"][0], np.float32, tuple(found["shape"]))


def encoder_graph(tensors: Tensors, shape: Mapping[str, Any], *, words: External) -> bytes:
    """Return an ONNX model that turns token ids into vectors of tokens.

    Its inputs are `input_ids` (int32, texts x tokens) and `mask` (float32, texts x 1 x tokens x tokens), which is added
    before the softmax and so is 0, or a large negative number in the columns of padding. Its output is
    `token_embeddings` (float32, texts x tokens x hidden size), of which padding is to be passed over.

    Args:
        tensors: The weights, by the names of the bundled file.
        shape: Sizes, as `PackedModel` has them.
        words: Where the table of word vectors is.
    """
    built = EncoderGraph(tensors, shape)
    built.encoded(words, name="token_embeddings")
    return built.model("token_embeddings", width=shape["hidden_size"])


@dataclass(frozen=True, slots=True)
class _Bytes:
    """The names of a tensor of bytes, of the byte that stands for 0, and of what one step is worth in each token."""

    codes: str
    zero: str
    step: str


class EncoderGraph:
    """A graph while it is being built: each method adds operations and returns the name of what they give."""

    def __init__(self, tensors: Tensors, shape: Mapping[str, Any]) -> None:
        self.nodes: list[bytes] = []
        self.constants: dict[str, npt.NDArray[Any] | External] = {
            "last_axis": np.array([-1], np.int64),
            "one_by_hidden": np.array(1 / shape["hidden_size"], np.float32),
            "epsilon": np.array(shape["layer_norm_eps"], np.float32),
            "one": np.array(1, np.float32),
            "tiny": np.array(1e-12, np.float32),
        }
        self._tensors = tensors
        self._hidden: int = shape["hidden_size"]
        self._heads: int = shape["num_attention_heads"]
        self._layers: int = shape["num_hidden_layers"]

    def model(self, output: str, *, width: int) -> bytes:
        """Return the whole as an ONNX model with one output, of so many numbers a token."""
        graph = onnx_bytes.graph(
            self.nodes,
            tensors=self.constants,
            inputs=[
                onnx_bytes.value("input_ids", np.int32, ("texts", "tokens")),
                onnx_bytes.value("mask", np.float32, ("texts", 1, "tokens", "tokens")),
            ],
            outputs=[onnx_bytes.value(output, np.float32, ("texts", "tokens", width))],
        )
        return onnx_bytes.model(graph, opsets={"": _OPSET, _MS: 1})

    def encoded(self, words: External, *, name: str) -> str:
        """Add embeddings and all layers; what the last one gives is called `name`."""
        last = self._embedded(words)
        for layer in range(self._layers):
            last = self._layer(layer, last, name=name if layer == self._layers - 1 else f"l{layer}.out")
        return last

    def exact_product(self, given: str, name: str) -> str:
        """Add a product with the weight `name` in float32, and its bias."""
        bias = self._plain(f"{name}.b")
        weight = self._tensors[f"{name}.w"]
        weight = weight.weight if isinstance(weight, Quantised) else weight
        self.constants |= {f"{name}.w": weight.reshape(bias.size, -1).T, f"{name}.b": bias}
        return self._add("Add", [self._add("MatMul", [given, f"{name}.w"], f"{name}.product"), f"{name}.b"], name)

    def _plain(self, name: str) -> Array:
        tensor = self._tensors[name]
        if isinstance(tensor, Quantised):
            raise ValueError(f"tensor {name} is quantised, and must be float32")
        return tensor

    def _embedded(self, words: External) -> str:
        # Every text is of type 0, so its vector can go with the positions'.
        positions = self._plain("emb.pos").reshape(-1, self._hidden)
        types = self._plain("emb.type").reshape(-1, self._hidden)
        self.constants |= {"words": words, "positions": positions + types[0]}
        self.constants |= {f"at_{at}": np.array([at], np.int64) for at in range(3)}
        word = self._add("Gather", ["words", "input_ids"], "emb.word")
        length = self._add("Slice", [self._add("Shape", ["input_ids"], "emb.shape"), "at_1", "at_2"], "emb.length")
        position = self._add("Slice", ["positions", "at_0", length], "emb.position")
        return self._normalised(word, position, norm="emb.ln", name="emb")

    def _layer(self, layer: int, given: str, *, name: str) -> str:
        at = f"l{layer}"
        rows = self._as_bytes(given, zero=_ZERO)
        mixed = self._add(
            "Attention",
            [
                self._product(rows, f"{at}.q"),
                self._product(rows, f"{at}.k"),
                self.exact_product(given, f"{at}.v"),
                "mask",
            ],
            f"{at}.mixed",
            q_num_heads=self._heads,
            kv_num_heads=self._heads,
        )
        out = self._product(self._as_bytes(mixed, zero=_ZERO), f"{at}.ao")
        given = self._normalised(out, given, norm=f"{at}.aln", name=f"{at}.attended")
        inner = self._product(self._as_bytes(given, zero=_ZERO), f"{at}.fi")
        inner = self._add("Gelu", [inner], f"{at}.inner")
        out = self._product(self._as_bytes(inner, zero=_ZERO_AFTER_GELU), f"{at}.fo")
        return self._normalised(out, given, norm=f"{at}.oln", name=name)

    def _as_bytes(self, given: str, *, zero: int) -> _Bytes:
        """Spread each token's numbers over a byte, as finely as its largest and its smallest one allow."""
        self.constants |= {
            f"zero_{zero}": np.array(zero, np.uint8),
            f"above_{zero}": np.array(1 / (255 - zero), np.float32),
            f"below_{zero}": np.array(-1 / zero, np.float32),
        }
        high = self._add("ReduceMax", [given, "last_axis"], f"{given}.high")
        low = self._add("ReduceMin", [given, "last_axis"], f"{given}.low")
        high = self._add("Mul", [high, f"above_{zero}"], f"{given}.step_above")
        low = self._add("Mul", [low, f"below_{zero}"], f"{given}.step_below")
        step = self._add("Max", [high, low, "tiny"], f"{given}.step")
        steps = self._add("Mul", [given, self._add("Reciprocal", [step], f"{given}.by")], f"{given}.steps")
        codes = self._add("QuantizeLinear", [steps, "one", f"zero_{zero}"], f"{given}.bytes", domain=_MS)
        return _Bytes(codes, zero=f"zero_{zero}", step=step)

    def _product(self, given: _Bytes, name: str) -> str:
        bias, given_weight = self._plain(f"{name}.b"), self._tensors[f"{name}.w"]
        if isinstance(given_weight, Quantised):
            weight, steps = given_weight.codes.T, given_weight.steps
        else:
            weight, steps = quantised_weight(given_weight.reshape(bias.size, -1).T)
        self.constants |= {f"{name}.w": weight, f"{name}.steps": steps, f"{name}.b": bias}
        self.constants[f"{name}.zeros"] = np.zeros(bias.size, np.int8)
        inputs = [given.codes, f"{name}.w", "one", f"{name}.steps", given.zero, f"{name}.zeros"]
        product = self._add("MatMulIntegerToFloat", inputs, f"{name}.product", domain=_MS)
        return self._add("Add", [self._add("Mul", [product, given.step], f"{name}.scaled"), f"{name}.b"], name)

    def _normalised(self, one: str, other: str, *, norm: str, name: str) -> str:
        """Layer normalisation of a sum; spelt out, because onnxruntime's own operation takes twice as long."""
        self.constants |= {f"{norm}.w": self._plain(f"{norm}.w"), f"{norm}.b": self._plain(f"{norm}.b")}
        total = self._add("Add", [one, other], f"{name}.sum")
        centred = self._add("Sub", [total, self._add("ReduceMean", [total, "last_axis"], f"{name}.mean")], f"{name}.d")
        squares = self._add("ReduceSumSquare", [centred, "last_axis"], f"{name}.squares")
        variance = self._add("Mul", [squares, "one_by_hidden"], f"{name}.variance")
        root = self._add("Sqrt", [self._add("Add", [variance, "epsilon"], f"{name}.above0")], f"{name}.root")
        unit = self._add("Div", [centred, root], f"{name}.unit")
        return self._add("Add", [self._add("Mul", [unit, f"{norm}.w"], f"{name}.scaled"), f"{norm}.b"], name)

    def _add(self, kind: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Attribute) -> str:
        self.nodes.append(onnx_bytes.node(kind, inputs, [output], domain=domain, **attributes))
        return output


def quantised_weight(weight: Array) -> tuple[npt.NDArray[np.int8], Array]:
    """Return whole numbers of at most MOST_WEIGHT and, for each column, what one of them is worth."""
    steps = np.maximum(np.abs(weight).max(axis=0), 1e-12).astype(np.float32) / MOST_WEIGHT
    return np.rint(weight / steps).astype(np.int8), steps
