"""An archive of 182,478 passages: every paragraph of the Spanish set of paragraphs, and XQuAD's, under real vectors."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

from eval.bench_texts import labelled, long_rows
from eval.made_up import SETTINGS, shape_hash
from eval.measuring import timed
from eval.real_vectors import KnownEmbedder
from ingest.chunking import MARGIN_TOKENS
from rag.archive import Archive
from rag.articles import Prepared
from rag.interfaces import Embedder, Vectors
from rag.schema import Article, Passage, Sentence
from rag.sentences import split_sentences
from rag.tables import text_hash

_PARAGRAPHS = 8
_OUTLETS = 20
_ARTICLES_AT_ONCE = 400


def large_corpus(data: Path, *, paragraphs: int, embedder: Embedder) -> list[Prepared]:
    """Return articles of at most eight paragraphs, each a passage; those of XQuAD first, of one each.

    Paragraphs that the model would cut are left out.

    The set of paragraphs is of one outlet: made-up ones take its place, "Diario 0" a third of the articles, each of the
    others a third of what is left.

    Raises:
        SourceError: A set is not there.
    """
    rows = labelled(data)[0]
    lengths = embedder.count([row["text"] for row in rows])
    most = embedder.max_tokens - MARGIN_TOKENS
    articles = [
        _prepared(row["id"], [row["text"]]) for row, tokens in zip(rows, lengths, strict=True) if tokens <= most
    ]
    left = paragraphs
    for row in long_rows(data, paragraphs=_PARAGRAPHS):
        texts = row["text"].split("\n\n")[:left]
        left -= len(texts)
        if not texts:
            break
        published = date.fromisoformat(row["published"]) if row["published"] else None
        articles.append(_prepared(row["id"], texts, title=row["title"], outlet=_outlet(row["id"]), published=published))
    return articles


def large_archive(
    root: Path, corpus: Sequence[Prepared], vectors: Vectors, *, embedder: Embedder, say: Callable[[str], None]
) -> Path:
    """Return the folder of the archive, made once, and again when the code that shapes it has changed.

    A file beside it, see `how_made`, has what that took.

    Args:
        root: Where such archives are kept.
        corpus: Its articles.
        vectors: Of their passages, in order.
        embedder: What made the vectors.
        say: Is told what takes long.
    """
    texts = [passage.text for item in corpus for passage in item.passages]
    folder = root / f"large-{len(texts)}-{shape_hash(Path(__file__))}"
    if folder.is_dir():
        return folder
    for older in root.glob(f"large-{len(texts)}-*"):
        shutil.rmtree(older) if older.is_dir() else older.unlink()
    say(f"making an archive of {len(texts):,} passages (once)")
    being_made = root / f"unfinished-large-{len(texts)}"
    shutil.rmtree(being_made, ignore_errors=True)
    known = KnownEmbedder(texts, vectors, real=embedder)
    took: list[dict[str, float]] = []
    with Archive.open(being_made, settings=SETTINGS, create=True, embedder=known) as archive:
        remaining, held = iter(corpus), 0
        while some := list(islice(remaining, _ARTICLES_AT_ONCE)):
            held += sum(len(item.passages) for item in some)
            keeping, _ = timed(partial(archive.put, some))
            indexing, _ = timed(archive.embed_pending)
            took.append({"passages": held, "put_s": keeping, "index_s": indexing})
    folder.with_suffix(".json").write_text(json.dumps(took), encoding="utf-8")
    being_made.rename(folder)
    return folder


def how_made(folder: Path) -> list[dict[str, float]]:
    """Return for each batch of articles the passages held after it, and the seconds of keeping and of indexing it."""
    batches: list[dict[str, float]] = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
    return batches


def _prepared(
    given_id: str,
    paragraphs: Sequence[str],
    *,
    title: str | None = None,
    outlet: str | None = None,
    published: date | None = None,
) -> Prepared:
    text = "\n\n".join(paragraphs)
    id_ = _digest(given_id)[:16]
    article = Article(
        id_,
        text,
        title=title,
        outlet=outlet,
        published=published,
        language="es",
        given_id=given_id,
        content_hash=text_hash(text),
    )
    return Prepared(article, tuple(_passages(id_, paragraphs)), place=given_id, source_hash=article.content_hash)


def _passages(article_id: str, paragraphs: Sequence[str]) -> Iterator[Passage]:
    at = 0
    for ordinal, text in enumerate(paragraphs):
        found = split_sentences(text, language="es")
        sentences = tuple(Sentence(at + each.start, at + each.end, each.text) for each in found)
        id_ = f"{article_id}-{_digest(text)[:12]}"
        yield Passage(id_, article_id, ordinal, at, at + len(text), text, "es", embedded_text=text, sentences=sentences)
        at += len(text) + 2


def _outlet(article_id: str) -> str:
    drawn = int(_digest(article_id)[:12], 16)
    for number in range(_OUTLETS - 1):
        if drawn % 3 == 0:
            return f"Diario {number}"
        drawn //= 3
    return f"Diario {_OUTLETS - 1}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
