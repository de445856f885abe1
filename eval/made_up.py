"""Made-up vectors, where the bundled model would cost hours: in a narrow cone like its own, near where words agree."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from eval.bench_texts import long_rows
from ingest.chunking import passages_of
from ingest.metadata import to_article
from ingest.readers import Draft, parse_date
from rag.archive import Archive
from rag.articles import Prepared
from rag.config import AnswerSettings, ReadingSettings, Settings
from rag.interfaces import Embedder, PassageVectors, Vector, Vectors
from rag.schema import Passage

DIM = 384
# The cosine of two texts without a common word; two of the same words have 1.
FLOOR = 0.8
# Made-up vectors answer nothing, and an answer takes longer than a refusal. The trained reader is timed by itself.
SETTINGS = Settings(answer=AnswerSettings(min_confidence=0.0), reading=ReadingSettings(reader="sentences"))
_TOKENS_PER_WORD = 1.35
_PARAGRAPHS = 8
_ARTICLES_AT_ONCE = 500
_BUCKETS = 4096
_WORD = re.compile(r"\w{4,}")
# The modules that decide what an archive of made-up vectors looks like on disk.
_SHAPING = (
    "tables",
    "keeping",
    "articles",
    "database",
    "records",
    "vectors",
    "graph",
    "words",
    "terms",
    "derived",
    "filtering",
)


class MadeUpEmbedder:
    """Unit vectors of hashed words around one direction.

    With a real embedder, that one counts tokens and embeds every question too, and `question_s` adds up what the latter
    took: the answers are made from the made-up vectors all the same.
    """

    def __init__(self, real: Embedder | None = None) -> None:
        self.dim = DIM
        self.max_tokens = 512
        self.fingerprint = {"model": "made-up vectors", "weights_sha256": "none"}
        self.question_s = 0.0
        self._real = real
        random = np.random.default_rng(7)
        self._of_word = random.standard_normal((_BUCKETS, DIM)).astype(np.float32)
        centre = random.standard_normal(DIM).astype(np.float32)
        self._centre = centre / np.linalg.norm(centre)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text; without a real embedder about as many as Spanish words have."""
        if self._real is not None:
            return self._real.count(texts)
        return [round(_TOKENS_PER_WORD * len(text.split())) for text in texts]

    def embed_question(self, text: str) -> Vector:
        """Return the vector of a question, shape (dim,)."""
        vector: Vector = self.embed_questions([text])[0]
        return vector

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions, shape (n, dim)."""
        began = time.perf_counter()
        if self._real is not None:
            self._real.embed_questions(texts)
        vectors = self._vectors(texts)
        self.question_s += time.perf_counter() - began
        return vectors

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences."""
        return [
            PassageVectors(
                passage=self._vectors([passage.embedded_text])[0],
                sentences=self._vectors([sentence.text for sentence in passage.sentences]),
            )
            for passage in passages
        ]

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        rows = np.empty((len(texts), DIM), np.float32)
        for row, text in zip(rows, texts, strict=True):
            words = [zlib.crc32(word.encode()) % _BUCKETS for word in _WORD.findall(text.lower())] or [0]
            own = self._of_word[words].sum(axis=0)
            row[:] = FLOOR**0.5 * self._centre + (1 - FLOOR) ** 0.5 * own / np.linalg.norm(own)
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def made_up_archive(root: Path, data: Path, *, passages: int, say: Callable[[str], None]) -> Path:
    """Return the folder of an archive of real Spanish texts with made-up vectors.

    It is made once, and again when the code that shapes it has changed; those of an older form are removed.

    Args:
        root: Where such archives are kept.
        data: The folder with the public sets.
        passages: How many it holds.
        say: Is told in a sentence what takes long.

    Raises:
        SourceError: The set of paragraphs is not there.
    """
    folder = root / f"made-up-{passages}-{shape_hash(Path(__file__))}"
    if folder.is_dir():
        return folder
    for older in root.glob(f"made-up-{passages}-*"):
        shutil.rmtree(older, ignore_errors=True)
    say(f"making an archive of {passages:,} passages with made-up vectors (once)")
    being_made = root / f"unfinished-{passages}"
    shutil.rmtree(being_made, ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)
    with Archive.open(being_made, settings=SETTINGS, create=True, embedder=MadeUpEmbedder()) as archive:
        prepared = _prepared(data, passages=passages, archive=archive)
        while some := list(islice(prepared, _ARTICLES_AT_ONCE)):
            archive.put(some)
        archive.embed_pending()
    being_made.rename(folder)
    return folder


def _prepared(data: Path, *, passages: int, archive: Archive) -> Iterator[Prepared]:
    left = passages
    for number, row in enumerate(long_rows(data, paragraphs=_PARAGRAPHS), start=1):
        place = f"paragraphs line {number}"
        draft = Draft(
            text=row["text"],
            place=place,
            line=number,
            title=row["title"],
            outlet=row["outlet"],
            published=parse_date(row["published"]) if row["published"] else None,
            language="es",
            given_id=row["id"],
        )
        article = to_article(draft, known_languages=["es"])
        cut = passages_of(
            article,
            count=archive.embedder.count,
            passage_tokens=archive.settings.ingest.passage_tokens,
            max_tokens=archive.embedder.max_tokens,
        )[:left]
        yield Prepared(article=article, passages=cut, place=place, source_hash=str(number))
        left -= len(cut)
        if not left:
            return


def spread_of_cosines(texts: Sequence[str]) -> tuple[float, float, float]:
    """Return the 1st, 50th and 99th percentile of the cosines of all pairs of the texts' made-up vectors."""
    vectors = MadeUpEmbedder().embed_questions(texts)
    cosines = (vectors @ vectors.T)[np.triu_indices(len(texts), k=1)]
    low, middle, high = np.percentile(cosines, [1, 50, 99])
    return float(low), float(middle), float(high)


def shape_hash(own: Path) -> str:
    """Return twelve hexadecimal digits that change with a file, and with the code that lays an archive out on disk."""
    import ingest
    import rag

    seen = hashlib.sha256(own.read_bytes())
    files = [Path(rag.__path__[0]) / f"{name}.py" for name in _SHAPING] + [Path(ingest.__path__[0]) / "chunking.py"]
    for file in files:
        if file.is_file():
            seen.update(file.read_bytes())
    return seen.hexdigest()[:12]
