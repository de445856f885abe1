"""The reader while it learns: the bundled encoder with heads for spans, sentences and relevance, in torch.

The weights are kept in float32. Each step multiplies with bfloat16 copies of them, which processors with AMX do ten
times as fast; the copies can be rounded to the whole numbers that are shipped, and the gradient of a copy is taken for
that of what it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from eval.reader_export import is_matrix
from eval.reader_features import Row
from rag.encoder_graph import MOST_WEIGHT

if TYPE_CHECKING:
    from torch import Tensor

_HEAD_WIDTH: Final = 32
_LAYERS: Final = 12
_EPSILON: Final = 1e-12
HEADS: Final = {"span": 2, "sentence": 1, "relevance": 1}
_FAR_BELOW: Final = -1e4
_NEGATIVE_SPAN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of the same length: no padding and so no mask.

    `allowed` are the tokens where an answer may begin or end, `starts` and `ends` those where one does (rows x tokens);
    `owner` is the row of each sentence, and `place` the sentence of each token, one past the last for none.
    """

    ids: Tensor
    allowed: Tensor
    starts: Tensor
    ends: Tensor
    place: Tensor
    owner: Tensor
    holds: Tensor
    answers: Tensor


@dataclass(frozen=True, slots=True)
class Logits:
    """What the heads say: `start` and `end` rows x tokens, `sentence` one for each, `relevance` one for each row."""

    start: Tensor
    end: Tensor
    sentence: Tensor
    relevance: Tensor


def batch_of(rows: Sequence[Row]) -> Batch:
    """Return rows of one length as tensors."""
    import torch

    length = len(rows[0].ids)
    allowed, starts, ends = (torch.zeros(len(rows), length, dtype=torch.bool) for _ in range(3))
    place = np.empty((len(rows), length), np.int64)
    owner: list[int] = []
    total = sum(len(row.holds) for row in rows)
    for at, row in enumerate(rows):
        allowed[at, 0] = True
        allowed[at, row.first : row.first + len(row.spans)] = True
        starts[at, list(row.starts)] = True
        ends[at, list(row.ends)] = True
        place[at] = np.where(row.sentence < 0, total, row.sentence + len(owner))
        owner.extend([at] * len(row.holds))
    return Batch(
        ids=torch.from_numpy(np.stack([row.ids for row in rows]).astype(np.int64)),
        allowed=allowed,
        starts=starts,
        ends=ends,
        place=torch.from_numpy(place),
        owner=torch.tensor(owner, dtype=torch.int64),
        holds=torch.tensor([held for row in rows for held in row.holds], dtype=torch.float32),
        answers=torch.tensor([row.answers for row in rows], dtype=torch.float32),
    )


class Encoder:
    """The part that does not learn: the table of words, and the lowest layers."""

    def __init__(self, tensors: Mapping[str, Tensor], *, frozen: int) -> None:
        import torch

        self.frozen = frozen
        self.layers = _LAYERS
        while f"encoder.layer.{self.layers - 1}.attention.self.query.weight" not in tensors:
            self.layers -= 1
        names = [name for name in tensors if name.startswith("embeddings") or _layer_of(name) in range(frozen)]
        self._weights = {name: tensors[name].to(torch.bfloat16) for name in names}

    def __call__(self, ids: Tensor) -> Tensor:
        """Return the vectors of tokens after the layers that do not learn, bfloat16."""
        import torch
        from torch.nn import functional

        with torch.no_grad():
            weights = self._weights
            known = weights["embeddings.word_embeddings.weight"][ids]
            places = weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
            known = known + (places + weights["embeddings.token_type_embeddings.weight"][0])
            norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
            given = functional.layer_norm(known, known.shape[-1:], *norm, _EPSILON)
            for layer in range(self.frozen):
                given = _layer(given, weights, layer)
        return given


def _layer_of(name: str) -> int:
    return int(name.split(".")[2]) if name.startswith("encoder.layer.") else -1


def _layer(given: Tensor, weights: Mapping[str, Tensor], layer: int) -> Tensor:
    from torch.nn import functional

    def linear(value: Tensor, name: str) -> Tensor:
        return functional.linear(value, weights[f"{at}.{name}.weight"], weights[f"{at}.{name}.bias"])

    def normalised(value: Tensor, name: str) -> Tensor:
        norm = (weights[f"{at}.{name}.weight"], weights[f"{at}.{name}.bias"])
        return functional.layer_norm(value, value.shape[-1:], *norm, _EPSILON)

    at = f"encoder.layer.{layer}"
    rows, tokens, width = given.shape
    heads = width // _HEAD_WIDTH

    def part(name: str) -> Tensor:
        found = linear(given, f"attention.self.{name}").view(rows, tokens, heads, width // heads).transpose(1, 2)
        # The way back through attention takes three times as long in bfloat16.
        return found.float().contiguous() if found.requires_grad else found

    mixed = functional.scaled_dot_product_attention(part("query"), part("key"), part("value"))
    mixed = mixed.to(given.dtype).transpose(1, 2).reshape(rows, tokens, width)
    given = normalised(linear(mixed, "attention.output.dense") + given, "attention.output.LayerNorm")
    inner = functional.gelu(linear(given, "intermediate.dense"))
    return normalised(linear(inner, "output.dense") + given, "output.LayerNorm")


def read_base(folder: Path) -> dict[str, Tensor]:
    """Return the tensors of a BERT model's folder."""
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def learning_weights(tensors: Mapping[str, Tensor], *, frozen: int, seed: int) -> dict[str, Tensor]:
    """Return the weights that learn, float32: the layers from `frozen` on as they come, the heads drawn."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    width = tensors["embeddings.LayerNorm.weight"].shape[0]
    learning = {name: value.float().clone() for name, value in tensors.items() if _layer_of(name) >= frozen}
    for head, outputs in HEADS.items():
        learning[f"{head}.weight"] = torch.randn(outputs, width, generator=generator) * 0.02
        learning[f"{head}.bias"] = torch.zeros(outputs)
    return learning


def weights_of(file: Path) -> dict[str, Tensor]:
    """Return the weights that a file holds, float32, be they shipped in whole numbers or a training's best."""
    from safetensors.torch import load_file

    kept = load_file(file)
    named = {name: value.float() for name, value in kept.items() if not name.endswith(".scale")}
    for name in named:
        if f"{name}.scale" in kept:
            named[name] = named[name] * kept[f"{name}.scale"].float()[:, None]
    return named


def rounded(weight: Tensor) -> Tensor:
    """Return a matrix as it is after being shipped: each row in whole numbers of at most `MOST_WEIGHT` steps."""
    steps = weight.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / MOST_WEIGHT
    return (weight / steps).round() * steps


def copies(weights: Mapping[str, Tensor], *, whole_numbers: bool) -> dict[str, Tensor]:
    """Return what a step multiplies with: bfloat16 but for the heads, matrices rounded if so wished."""
    import torch

    made = {}
    for name, weight in weights.items():
        value = rounded(weight.detach()) if whole_numbers and is_matrix(name) else weight.detach()
        made[name] = value.to(torch.bfloat16 if name.startswith("encoder.") else torch.float32, copy=True)
    return made


def logits_of(batch: Batch, encoder: Encoder, weights: Mapping[str, Tensor]) -> Logits:
    """Return what the heads say of each row; where no answer may begin or end is far below the rest."""
    import torch
    from torch.nn import functional

    given = encoder(batch.ids)
    for layer in range(encoder.frozen, encoder.layers):
        given = _layer(given, weights, layer)
    vectors = given.float()
    spans = functional.linear(vectors, weights["span.weight"], weights["span.bias"])
    spans = spans.masked_fill(~batch.allowed[:, :, None], _FAR_BELOW)
    count = len(batch.owner)
    sums = torch.zeros(count + 1, vectors.shape[-1]).index_add(0, batch.place.flatten(), vectors.flatten(0, 1))
    tokens = torch.bincount(batch.place.flatten(), minlength=count + 1).clamp_min(1)
    means = (sums / tokens[:, None])[:count]
    return Logits(
        start=spans[:, :, 0],
        end=spans[:, :, 1],
        sentence=functional.linear(means, weights["sentence.weight"], weights["sentence.bias"])[:, 0],
        relevance=functional.linear(vectors[:, 0], weights["relevance.weight"], weights["relevance.bias"])[:, 0],
    )


def loss_of(logits: Logits, batch: Batch, *, smoothing: float) -> Tensor:
    """Return the sum of the three heads' losses, a mean over rows.

    Of several right starts (ends) any will do: their probabilities are added up. A passage without an answer has its
    start and end at the first token, and weighs half in the spans' loss.
    """
    import torch
    from torch.nn import functional

    def chosen(scores: Tensor, right: Tensor) -> Tensor:
        logs = scores.log_softmax(dim=1)
        best = logs.masked_fill(~right, -torch.inf).logsumexp(dim=1)
        spread = (logs * batch.allowed).sum(dim=1) / batch.allowed.sum(dim=1)
        return -(1 - smoothing) * best - smoothing * spread

    spans = chosen(logits.start, batch.starts) + chosen(logits.end, batch.ends)
    weight = batch.answers + _NEGATIVE_SPAN * (1 - batch.answers)
    target = batch.answers * (1 - smoothing) + smoothing / 2
    relevance = functional.binary_cross_entropy_with_logits(logits.relevance, target)
    sentence = functional.binary_cross_entropy_with_logits(logits.sentence, batch.holds)
    return (spans * weight).mean() + sentence + relevance
