"""What it takes to find stories as an archive grows: `python -m eval.story_scale`, over the paragraphs of `scale`.

Each paragraph is an article of its own, with the day of its transcript. Vectors are made up, as large as the bundled
model's: what is compared with what depends on words and days alone.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np

from eval.finding_report import table
from eval.finding_sets import rows
from eval.made_up import MadeUpEmbedder
from rag.articles import Articles, Prepared, open_articles
from rag.interfaces import PassageVectors
from rag.schema import Article, Passage
from rag.story_links import StoryLinks

_SIZES = (12_500, 25_000, 50_000, 100_000)
_AT_ONCE = 500
_SINGLE = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Print for each size the time that finding all stories took, and what one more article takes."""
    parser = argparse.ArgumentParser(prog="python -m eval.story_scale", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, metavar="N", help="articles, growing")
    chosen = parser.parse_args(arguments)
    data = Path(os.environ.get("HEMEROTECA_DATA", "."))
    paragraphs, embedder = _paragraphs(data), MadeUpEmbedder()
    lines, spent, before, held = [], 0.0, None, 0
    with tempfile.TemporaryDirectory(prefix="hemeroteca-eval-") as folder:
        truth = open_articles(Path(folder))
        stories = StoryLinks(truth.database)
        for size in chosen.sizes:
            held += _take_in(truth, islice(paragraphs, size - held), embedder=embedder)
            began, wall = time.process_time(), time.perf_counter()
            stories.catch_up(by_vectors=True)
            spent += time.process_time() - began
            wall = time.perf_counter() - wall
            one = _one_more(truth, stories, paragraphs, embedder=embedder)
            held += _SINGLE
            links = stories.all()
            copies = sum(link.kind == "copy" for link in links)
            ratio = f"{spent / before[1] / (size / before[0]):.2f}" if before else ""
            times = [f"{spent:.1f}", ratio, f"{1000 * spent / size:.2f}", f"{wall:.1f}", f"{1000 * one:.0f}"]
            lines.append([f"{size:,}", *times, f"{copies:,}", f"{len(links) - copies:,}"])
            before = (size, spent)
            print(f"{size:,} done", flush=True)
        truth.close()
        heads = [
            "articles",
            "CPU s for all",
            "growth over the articles'",
            "ms each",
            "wall s, last part",
            "ms for one more",
        ]
        print(table([*heads, "copies", "same event"], lines))
    return 0


def _take_in(truth: Articles, paragraphs: Iterator[Article], *, embedder: MadeUpEmbedder) -> int:
    count = 0
    while some := list(islice(paragraphs, _AT_ONCE)):
        passages = [Passage(f"{each.id}-0", each.id, 0, 0, len(each.text), each.text, "es", each.text) for each in some]
        truth.put(
            [
                Prepared(article=article, passages=(passage,), place=article.id, source_hash=article.content_hash)
                for article, passage in zip(some, passages, strict=True)
            ]
        )
        empty = np.empty((0, embedder.dim), np.float32)
        vectors = embedder.embed_passages(passages)
        truth.set_vectors(
            [(passage, PassageVectors(made.passage, empty)) for passage, made in zip(passages, vectors, strict=True)]
        )
        count += len(some)
    return count


def _one_more(
    truth: Articles, stories: StoryLinks, paragraphs: Iterator[Article], *, embedder: MadeUpEmbedder
) -> float:
    """Return the median seconds that the links of one further article take."""
    times = []
    for _ in range(_SINGLE):
        _take_in(truth, islice(paragraphs, 1), embedder=embedder)
        began = time.perf_counter()
        stories.catch_up(by_vectors=True)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def _paragraphs(data: Path) -> Iterator[Article]:
    for row in rows(data / "data" / "scale" / "paragraphs_es.jsonl.gz"):
        digest = hashlib.sha256(row["text"].encode()).hexdigest()
        yield Article(
            id=row["pid"],
            text=row["text"],
            title=row["title"],
            outlet=row["source"],
            published=date.fromisoformat(row["date"]) if row["date"] else None,
            language="es",
            url=f"https://{row['pid']}.example/",
            content_hash=digest,
        )


if __name__ == "__main__":
    raise SystemExit(main())
