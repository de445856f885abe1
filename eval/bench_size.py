"""What articles cost beside time: memory while they come in, bytes on disk afterwards."""

from __future__ import annotations

from eval.bench_page import Goal, Section, kilobytes, megabytes, table
from eval.bench_plan import Plan, run_trial
from eval.bench_texts import news_rows, sentence_rows, write_rows
from eval.measuring import archive_bytes

# Few articles and many: memory must not grow with them.
NEWS = (300, 1_000)
SENTENCES = 3_000
MEMORY = 2e9


def memory_part(plan: Plan) -> Section:
    """Return the most memory that an ingest holds, for few and many articles, each in a process of its own."""
    corpora = [
        (f"{plan.part_of(count):,} news articles", news_rows(plan.data, count=plan.part_of(count))) for count in NEWS
    ]
    corpora.append(
        (
            f"{plan.part_of(SENTENCES):,} articles of one sentence",
            sentence_rows(plan.data, count=plan.part_of(SENTENCES)),
        )
    )
    rows, peaks = [], []
    for at, (name, articles) in enumerate(corpora):
        plan.say(f"memory of an ingest of {name}")
        file = write_rows(plan.work / f"memory-{at}.jsonl", articles)
        told = run_trial({"do": "ingest", "archive": str(plan.work / f"memory-{at}"), "articles": str(file)})
        peaks.append(told["peak"])
        rows.append(
            [
                name,
                f"{told['passages']:,}",
                *(megabytes(told[key]) if told[key] else "unknown" for key in ("loaded", "peak")),
                f"{told['seconds']:.0f}",
            ]
        )
    body = f"""\
Peak resident memory (on Linux VmHWM) of a process that does nothing but ingest with the bundled model, one run each.

{table(["what", "passages", "with the model loaded", "peak", "seconds of ingest"], rows)}"""
    if not all(peaks):
        return Section("Memory of ingest", body)
    growth = peaks[1] / peaks[0] - 1
    goals = (
        Goal("Peak memory, the highest", "< 2,000 MB", megabytes(max(peaks)), max(peaks) < MEMORY),
        Goal("Growth of the peak from 300 to 1,000 articles", "flat (< 10 %)", f"{growth:+.1%}", growth < 0.10),
    )
    return Section("Memory of ingest", body, goals)


def disk_part(plan: Plan) -> Section:
    """Return how many bytes an article takes in each part of the archive, before and after compacting."""
    from eval.made_up import MadeUpEmbedder
    from ingest import ingest
    from rag.archive import Archive
    from rag.config import EmbeddingSettings, Settings
    from rag.embedding import load_embedder

    count = plan.part_of(NEWS[0])
    plan.say(f"bytes on disk of {count} articles")
    articles = news_rows(plan.data, count=count)
    file, folder = write_rows(plan.work / "disk.jsonl", articles), plan.work / "disk"
    embedder = MadeUpEmbedder(load_embedder(EmbeddingSettings()))
    sizes = []
    for step in ("ingest", "compact"):
        with Archive.open(folder, settings=Settings(), create=True, embedder=embedder) as archive:
            if step == "ingest":
                ingest(archive, [file])
            else:
                archive.compact()
            counts = archive.counts()
        sizes.append(archive_bytes(folder))
    text = sum(len(article["text"].encode()) for article in articles)
    parts = {
        "truth": "archive.db: texts, passages, all vectors",
        "vectors": "vectors/: Chroma",
        "words": "words/: Tantivy",
    }
    rows = [[parts[part], *(kilobytes(size[part] / count) for size in sizes)] for part in parts]
    rows.append(["together", *(kilobytes(sum(size.values()) / count) for size in sizes)])
    rows.append(["together, times the text", *(f"{sum(size.values()) / text:.1f}" for size in sizes)])
    body = f"""\
Of {count} articles of fakenews_es with {counts.passages / count:.1f} passages and {kilobytes(text / count)} of UTF-8
text each on average, with the archive closed. The vectors are made up (384 numbers, as large as the bundled
model's), the passages are cut by its tokens.

{table(["bytes an article", "after ingest", "after `hemeroteca compact`"], rows)}"""
    return Section("Bytes on disk", body)
