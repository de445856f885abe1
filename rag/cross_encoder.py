"""A question and a passage read together by the trained model, in onnxruntime, with each token's place in the article.

One row is `<s> question </s></s> title and passage </s>`, as in training: the three are cut into tokens apart.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rag import reader_weights
from rag.bundled import WEIGHTS, bundled_model_folder
from rag.embedding import batches, bundled_tokenizer
from rag.errors import ModelError
from rag.interfaces import PassageLogits
from rag.reader_graph import model_shape, reader_graph_file
from rag.reader_weights import ReaderWeights, read_reader_weights
from rag.schema import Hit
from rag.wheels import Notify

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from rag.encoder import PairEncoder

# What one run computes stays in a core's own cache.
_RUN_TOKENS: Final = 256
# Rows that are kept: a follow-up is read after each of the questions before it, over much the same passages.
_REMEMBERED: Final = 48
_loading = threading.Lock()
# By the file that it was made of; one at a time.
_loaded: dict[tuple[Path, int, int], CrossEncoder] = {}


@dataclass(frozen=True, slots=True)
class _Row:
    """A question with a passage as token ids, of which those from `first` are the passage's, and their places."""

    ids: list[int]
    first: int
    offsets: list[tuple[int, int]]


def load_cross_encoder(
    *, tokenizer: Tokenizer | None = None, notify: Notify | None = None, file: Path | None = None
) -> CrossEncoder:
    """Return the trained reader's model, on its own copy of the bundled weights; its graph is made on the first call.

    All archives of a process share one.

    Args:
        tokenizer: The bundled model's, if it is at hand: another one costs a second and 280 MB.
        notify: Is told in a sentence what takes long.
        file: The trained weights; None takes those that are shipped.

    Raises:
        ModelError: The trained weights are not there, are damaged, or are not of the bundled model; or that one, or the
            graph, cannot be had.
    """
    file = file or reader_weights.WEIGHTS_FILE
    if not file.is_file():
        # Before the bundled model is looked for, which may have to be fetched.
        raise ModelError(f"there are no trained weights in {file}: reinstall Hemeroteca, which carries them")
    state = file.stat()
    key = (file, state.st_mtime_ns, state.st_size)
    with _loading:
        if key not in _loaded:
            made = _made(file, tokenizer=tokenizer, notify=notify)
            _loaded.clear()
            _loaded[key] = made
        return _loaded[key]


def _made(file: Path, *, tokenizer: Tokenizer | None, notify: Notify | None) -> CrossEncoder:
    folder = bundled_model_folder(notify=notify)
    try:
        from rag.encoder import PairEncoder

        shape = model_shape(folder)
        weights = read_reader_weights(file, base_sha256=WEIGHTS.sha256, shape=shape)
        encoder = PairEncoder(reader_graph_file(folder, weights, shape=shape))
        return CrossEncoder(encoder, tokenizer or bundled_tokenizer(folder), weights, shape=shape)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as exc:
        raise ModelError(
            f"the bundled model in {folder} cannot be read ({exc}): remove that folder, which is then made anew"
        ) from exc


class CrossEncoder:
    """Reads passages for a question; any number of threads may use it."""

    def __init__(
        self, encoder: PairEncoder, tokenizer: Tokenizer, weights: ReaderWeights, *, shape: Mapping[str, Any]
    ) -> None:
        import torch

        self._encoder = encoder
        self._tokenizer = tokenizer
        self._question_tokens, self._title_tokens = weights.question_tokens, weights.title_tokens
        self._max_tokens: int = shape["max_position_embeddings"]
        self._bos, self._eos = shape["bos_token_id"], shape["eos_token_id"]
        self.fingerprint = {"version": weights.version, "weights_sha256": weights.sha256}
        # As the embedder has them: its cores, or OMP_NUM_THREADS.
        self._read_last: dict[tuple[int, ...], npt.NDArray[np.float32]] = {}
        self._one_at_a_time = threading.Lock()
        self._pool = ThreadPoolExecutor(torch.get_num_threads(), thread_name_prefix="reader")

    def read(self, question: str, hits: Sequence[Hit], *, context: str = "") -> list[PassageLogits]:
        """Return what it reads off the passage of each hit, in order; of none it depends on the others.

        Of a question the first tokens are read, of one with a context the last; of a passage what the model has room
        for.
        """
        rows = self._rows(question, hits, context=context)
        logits = self._remembered([tuple(row.ids) for row in rows])
        return [_placed(row, found, hit) for row, found, hit in zip(rows, logits, hits, strict=True)]

    def forget(self) -> None:
        """Read everything anew from here on, as a measurement of its time wants it."""
        with self._one_at_a_time:
            self._read_last.clear()

    def _remembered(self, rows: Sequence[tuple[int, ...]]) -> list[npt.NDArray[np.float32]]:
        """Return the logits of rows, of those that were read just before as they were then."""
        with self._one_at_a_time:
            # Taken out and put back, so that what is used stays.
            known = {row: self._read_last.pop(row) for row in dict.fromkeys(rows) if row in self._read_last}
        new = [row for row in dict.fromkeys(rows) if row not in known]
        groups = list(batches([len(row) for row in new], most=_RUN_TOKENS))
        runs = self._pool.map(lambda group: self._logits([new[index] for index in group]), groups)
        known |= {new[index]: logits for index, logits in zip(chain(*groups), chain(*runs), strict=True)}
        with self._one_at_a_time:
            self._read_last |= known
            for row in list(self._read_last)[:-_REMEMBERED]:
                del self._read_last[row]
        return [known[row] for row in rows]

    def _rows(self, question: str, hits: Sequence[Hit], *, context: str) -> list[_Row]:
        titles = [(hit.article.title or "").strip() for hit in hits]
        texts = [question, context, *titles, *(hit.passage.text for hit in hits)]
        # With offsets, which `encode_batch_fast` leaves out.
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        asked: list[int] = encodings[0].ids
        if context:
            # What is asked now comes last, and is what must not be lost.
            asked = [*encodings[1].ids, *asked[: self._question_tokens]][-self._question_tokens :]
        head = [self._bos, *asked[: self._question_tokens], self._eos, self._eos]
        rows = []
        for title, passage in zip(encodings[2 : 2 + len(hits)], encodings[2 + len(hits) :], strict=True):
            before = head + title.ids[: self._title_tokens]
            room = max(0, self._max_tokens - len(before) - 1)
            rows.append(_Row([*before, *passage.ids[:room], self._eos], len(before), passage.offsets[:room]))
        return rows

    def _logits(self, rows: Sequence[tuple[int, ...]]) -> list[npt.NDArray[np.float32]]:
        width = max(map(len, rows))
        ids = np.array([[*row, *[0] * (width - len(row))] for row in rows])
        mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        found = self._encoder.logits(ids, mask=mask)
        return [logits[: len(row)] for row, logits in zip(rows, found, strict=True)]


def _placed(row: _Row, logits: npt.NDArray[np.float32], hit: Hit) -> PassageLogits:
    text = hit.passage.text
    places = np.array([_trimmed(text, *offset) for offset in row.offsets], np.int64).reshape(-1, 2) + hit.passage.start
    own = logits[row.first : row.first + len(row.offsets)]
    return PassageLogits(
        starts=places[:, 0],
        ends=places[:, 1],
        span_starts=own[:, 0],
        span_ends=own[:, 1],
        answering=own[:, 2],
        none=float(logits[0, 0] + logits[0, 1]),
        relevance=float(logits[0, 3]),
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a token's place without the space that it may begin or end with."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
