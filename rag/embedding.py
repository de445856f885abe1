"""Vectors of questions, passages and sentences through sentence-transformers, which only this module imports."""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from rag import fingerprint
from rag.bundled import WEIGHTS, bundled_model_folder
from rag.config import EmbeddingSettings
from rag.errors import ModelError
from rag.interfaces import PassageVectors, Vector, Vectors
from rag.schema import Passage
from rag.wheels import Notify, file_sha256

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

# Padded tokens of one forward pass: a question that comes in between waits for at most one.
BATCH_TOKENS = 512
_SHA256 = re.compile(r"[0-9a-f]{64}")


def load_embedder(settings: EmbeddingSettings, *, notify: Notify | None = None) -> SentenceEmbedder:
    """Return the embedder that the settings name, ready to use; seconds of work.

    "bundled" and folders are loaded without any request; another name may be fetched from the Hugging Face Hub.

    Args:
        settings: Model and prefixes.
        notify: Is told in a sentence what takes long.

    Raises:
        ModelError: There is no such model, or it cannot be loaded.
    """
    if settings.model == "bundled":
        return _load_bundled(bundled_model_folder(notify=notify), settings)
    path = Path(settings.model).expanduser()
    local = path.is_dir()
    if not local and (path.is_absolute() or settings.model.startswith((".", "~")) or settings.model.count("/") > 1):
        raise ModelError(f"there is no embedding model in {path}: embedding.model must name a folder that exists")
    if not local and notify:
        notify(f"Loading the embedding model {settings.model}; it is fetched from the Hugging Face Hub if need be.")
    model = _load(str(path) if local else settings.model, name=settings.model, local=local)
    return SentenceEmbedder(
        model,
        settings,
        weights_sha256=_weights_sha256(path if local else _hub_folder(settings.model)),
        precision=str(next(model.parameters()).dtype).removeprefix("torch."),
    )


def _load_bundled(folder: Path, settings: EmbeddingSettings) -> SentenceEmbedder:
    if settings.engine == "torch":
        # The folder holds no pooler: without this one would be made up, with a warning.
        model = _load(str(folder), name="bundled", local=True, model_kwargs={"add_pooling_layer": False})
        return SentenceEmbedder(
            model, settings, weights_sha256=WEIGHTS.sha256, precision="q4_0 weights, float32 arithmetic"
        )
    _be_quiet(local=True)
    try:
        from rag.encoder import Encoder

        with ThreadPoolExecutor(max_workers=1) as opening:
            # Needs no Python, while the imports need nothing else.
            encoder = opening.submit(Encoder, folder)
            sentence_transformer = _sentence_transformer_class()
            from rag.encoder_module import encoder_modules

            modules = encoder_modules(encoder.result(), tokenizer=folder / "tokenizer.json")
        model = sentence_transformer(modules=modules, device="cpu")
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as exc:
        raise ModelError(
            f"the bundled model in {folder} cannot be loaded ({_first_line(exc)}): remove that folder, which is then "
            'made anew, or set embedding.engine to "torch"'
        ) from exc
    return SentenceEmbedder(
        model,
        settings,
        weights_sha256=WEIGHTS.sha256,
        precision=encoder.result().precision,
        engine=fingerprint.ENGINES["int8"],
    )


def _load(place: str, *, name: str, local: bool, model_kwargs: dict[str, Any] | None = None) -> SentenceTransformer:
    _be_quiet(local=local)
    try:
        sentence_transformer = _sentence_transformer_class()
        logging.getLogger("transformers").setLevel(logging.ERROR)
        model = sentence_transformer(place, local_files_only=local, model_kwargs=model_kwargs)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as exc:
        raise ModelError(
            f"the embedding model {name!r} cannot be loaded ({_first_line(exc)}): set embedding.model to 'bundled', "
            "to a sentence-transformers name, or to a folder that holds such a model"
        ) from exc
    model.eval()
    return model


def _be_quiet(*, local: bool) -> None:
    if local:
        # Read once, when the hub's library is imported: from then on this process asks the hub for nothing.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def _first_line(exc: Exception) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0].rstrip(".")


def _sentence_transformer_class() -> type[SentenceTransformer]:
    with _sklearn_on_call():
        from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer


@contextmanager
def _sklearn_on_call() -> Iterator[None]:
    """Let sentence-transformers import without scikit-learn, scipy.stats and pandas: a quarter of a cold start.

    It takes one function from there, for Manhattan distances. Inside this block it gets one of the same name that
    imports the real one when it is called.
    """
    name = "sklearn.metrics"
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    vars(stand_in)["__getattr__"] = _deferred
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


def _deferred(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module("sklearn.metrics"), name)(*args, **kwargs)

    return call


class SentenceEmbedder:
    """An embedder over one sentence-transformers model; any number of threads may use it.

    One forward pass runs at a time. Passages go in small batches, and a question goes before the next batch.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        settings: EmbeddingSettings,
        *,
        weights_sha256: str,
        precision: str,
        engine: str = fingerprint.ENGINES["torch"],
    ) -> None:
        self._model = model
        self._settings = settings
        self._tokenizer = _fast_tokenizer(model, settings.model)
        # One without a padding token hides what stands there just as well.
        self._pad_id = int(getattr(model.tokenizer, "pad_token_id", None) or 0)
        self._max_tokens = int(model.max_seq_length or model.tokenizer.model_max_length)
        # Our own module gives each thread its share of the texts.
        self._batch_tokens = BATCH_TOKENS * getattr(model[0], "threads", 1)
        self._turns = _Turns()
        self._fingerprint = {
            "model": settings.model,
            "weights_sha256": weights_sha256,
            "engine": engine,
            "precision": precision,
            "sentences": "each on its own",
            "question_prefix": settings.question_prefix,
            "passage_prefix": settings.passage_prefix,
        }
        self._dim: int = self._forward([self._tokenizer.encode(".").ids]).shape[1]

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts texts for this model: not to be changed."""
        return self._tokenizer

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def max_tokens(self) -> int:
        """Most tokens of a text, prefix and special tokens included, that reach the model."""
        return self._max_tokens

    @property
    def fingerprint(self) -> dict[str, str]:
        """What made the vectors: model, weights hash, precision, engine, prefixes."""
        return dict(self._fingerprint)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, without prefix and special tokens."""
        return [len(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def embed_question(self, text: str) -> Vector:
        """Return the vector of a question, shape (dim,); one longer than the model's limit is cut."""
        vector: Vector = self.embed_questions([text])[0]
        return vector

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions, shape (n, dim); one longer than the model's limit is cut."""
        encodings = self._tokenizer.encode_batch_fast([self._settings.question_prefix + text for text in texts])
        return self._embedded([self._cut(encoding.ids) for encoding in encodings], turn=self._turns.question)

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences, in order.

        A passage's vector is the model's own for its `embedded_text`, a sentence's that for the sentence alone; a
        sentence without tokens gets the passage's. Sentences double the work: pooling them from the passage's own
        pass is free, but finds the answering sentence across languages in 50 of 100 questions instead of 70.

        Raises:
            ValueError: A passage is longer than the model's limit.
        """
        texts = [passage.embedded_text for passage in passages]
        sentences = [sentence.text for passage in passages for sentence in passage.sentences]
        own = dict.fromkeys([*texts, *sentences])
        prefix = self._settings.passage_prefix
        encodings = dict(zip(own, self._tokenizer.encode_batch_fast([prefix + text for text in own]), strict=True))
        for passage in passages:
            if len(encodings[passage.embedded_text]) > self._max_tokens:
                raise ValueError(
                    f"passage {passage.id} has {len(encodings[passage.embedded_text])} tokens, the model takes "
                    f"{self._max_tokens}: make passages shorter"
                )
        token_ids = {text: self._cut(encoding.ids) for text, encoding in encodings.items()}
        vectors = dict(zip(token_ids, self._embedded(list(token_ids.values()), turn=self._turns.passages), strict=True))
        return [_with_sentences(passage, vectors) for passage in passages]

    def _embedded(self, token_ids: list[list[int]], *, turn: Callable[[], AbstractContextManager[None]]) -> Vectors:
        rows = np.empty((len(token_ids), self._dim), np.float32)
        for batch in batches([len(ids) for ids in token_ids], most=self._batch_tokens):
            with turn():
                rows[batch] = self._forward([token_ids[index] for index in batch])
        return rows

    def _cut(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self._max_tokens else [*ids[: self._max_tokens - 1], ids[-1]]

    def _forward(self, token_ids: list[list[int]]) -> Vectors:
        import torch

        width = max(len(ids) for ids in token_ids)
        input_ids = torch.tensor([ids + [self._pad_id] * (width - len(ids)) for ids in token_ids])
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in token_ids])
        device = self._model.device
        with torch.inference_mode():
            out = self._model({"input_ids": input_ids.to(device), "attention_mask": mask.to(device)})
        pooled = out["sentence_embedding"].float().cpu().numpy()
        unit: Vectors = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        return unit


class _Turns:
    """A lock that a question gets before passages that wait for it too, but no more than a few questions in a row."""

    _MOST_AHEAD = 8

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._questions = 0
        self._passages = 0
        self._ahead = 0

    @contextmanager
    def question(self) -> Iterator[None]:
        with self._changed:
            self._questions += 1
            try:
                self._changed.wait_for(lambda: not self._taken and not self._passages_are_due())
            finally:
                # Also after an interrupt, and told to the others: they would wait for this one for ever.
                self._questions -= 1
                self._changed.notify_all()
            self._ahead += 1 if self._passages else 0
            self._taken = True
        with self._returned():
            yield

    @contextmanager
    def passages(self) -> Iterator[None]:
        with self._changed:
            self._passages += 1
            try:
                self._changed.wait_for(lambda: not self._taken and (not self._questions or self._passages_are_due()))
            finally:
                self._passages -= 1
                self._changed.notify_all()
            self._ahead = 0
            self._taken = True
        with self._returned():
            yield

    def _passages_are_due(self) -> bool:
        # Readers who never stop asking would keep an ingest waiting for ever.
        return self._passages > 0 and self._ahead >= self._MOST_AHEAD

    @contextmanager
    def _returned(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


def _fast_tokenizer(model: SentenceTransformer, name: str) -> Tokenizer:
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", model.tokenizer)
    if not hasattr(tokenizer, "encode_batch_fast"):
        raise ModelError(f"the embedding model {name!r} has no fast tokenizer: choose one that has tokenizer.json")
    return _plain(tokenizer)


def bundled_tokenizer(folder: Path) -> Tokenizer:
    """Return what cuts texts for the bundled model; a second of work and 280 MB."""
    from tokenizers import Tokenizer

    return _plain(Tokenizer.from_file(str(folder / "tokenizer.json")))


def _plain(tokenizer: Tokenizer) -> Tokenizer:
    # Set once and never again: changing it while another thread encodes is an error in the library.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def batches(lengths: Sequence[int], *, most: int) -> Iterator[list[int]]:
    """Yield positions in groups of like length whose padded size stays within `most`, longest first."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > most:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _with_sentences(passage: Passage, vectors: Mapping[str, Vector]) -> PassageVectors:
    own = vectors[passage.embedded_text]
    rows = [vectors[sentence.text] if sentence.text.strip() else own for sentence in passage.sentences]
    return PassageVectors(passage=own, sentences=np.stack(rows) if rows else np.empty((0, own.size), np.float32))


def _hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for repository in (name, f"sentence-transformers/{name}"):
        try:
            cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
            return Path(snapshot_download(repository, local_files_only=True, cache_dir=cache))
        except (LocalEntryNotFoundError, ValueError):
            continue
    raise ModelError(f"the files of the embedding model {name!r} are not in the hub's cache: load it again")


def _weights_sha256(folder: Path) -> str:
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))
    hashes = []
    for file in files:
        # The hub's cache names a large file's content by its SHA-256: no need to read half a gigabyte.
        stored = file.resolve().name
        hashes.append(stored if _SHA256.fullmatch(stored) else file_sha256(file))
    if not hashes:
        raise ModelError(f"there are no weights (.safetensors or pytorch_model.bin) in {folder}: check the folder")
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
