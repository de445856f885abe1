"""The obvious LangChain recipe, to compare with: split by characters, embed, keep in Chroma, search by similarity.

It runs in an environment of its own (`eval.bench_recipe` makes it), takes the jobs of `eval.bench_trial`, and imports
nothing of this program but `eval.measuring`. The same model folder is used, with the prefixes that the model was
trained with, which the bare recipe would forget.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from eval.measuring import bytes_in, peak_memory, timed


def main() -> None:
    """Do the job that standard input names and print the figures as one line of JSON."""
    job = json.load(sys.stdin)
    figures = {"ingest": ingest_job, "ask": ask_job}[job["do"]](job)
    print(json.dumps(figures))


def ingest_job(job: dict[str, Any]) -> dict[str, Any]:
    """Return what taking articles in costs: seconds, peak bytes of memory, bytes on disk."""
    embeddings = _embeddings(job["model"])
    store = _store(job["archive"], embeddings)
    loaded = peak_memory()
    articles = _rows(job["articles"])
    seconds, passages = timed(lambda: _take_in(store, articles))
    figures = {
        "seconds": seconds,
        "articles": len(articles),
        "passages": passages,
        "loaded": loaded,
        "peak": peak_memory(),
        "bytes": {"vectors": bytes_in(Path(job["archive"]))},
    }
    if job.get("labelled"):
        _take_in(store, _rows(job["labelled"]))
    return figures


def ask_job(job: dict[str, Any]) -> dict[str, Any]:
    """Return what questions cost: seconds of a cold start, then of each search, with what was found."""
    began = time.perf_counter()
    import langchain_chroma  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    import langchain_huggingface  # type: ignore[import-not-found, unused-ignore]  # noqa: F401

    imported = time.perf_counter() - began
    model_s, embeddings = timed(lambda: _embeddings(job["model"]))
    store_s, store = timed(lambda: _store(job["archive"], embeddings))
    questions = [row["question"] for row in _rows(job["questions"])]
    first_s, _ = timed(lambda: store.similarity_search(questions[0], k=job["k"]))
    cold_s = time.perf_counter() - began
    for question in questions[1:11]:
        store.similarity_search(question, k=job["k"])
    seconds, found = [], []
    for question in questions:
        took, documents = timed(partial(store.similarity_search, question, k=job["k"]))
        seconds.append(took)
        found.append([document.metadata["id"] for document in documents])
    return {
        "import_s": imported,
        "model_s": model_s,
        "vectors_s": store_s,
        "first_s": first_s,
        "cold_s": cold_s,
        "search_s": seconds,
        "found": found,
        "peak": peak_memory(),
    }


def _embeddings(model: str) -> Any:
    from langchain_huggingface import HuggingFaceEmbeddings

    return HuggingFaceEmbeddings(
        model_name=model, encode_kwargs={"prompt": "passage: "}, query_encode_kwargs={"prompt": "query: "}
    )


def _store(folder: str, embeddings: Any) -> Any:
    from langchain_chroma import Chroma

    return Chroma(collection_name="articles", embedding_function=embeddings, persist_directory=folder)


def _take_in(store: Any, articles: list[dict[str, Any]]) -> int:
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # type: ignore[import-not-found, unused-ignore]

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    passages = splitter.create_documents(
        [article["text"] for article in articles],
        [
            {name: value for name, value in article.items() if name != "text" and value is not None}
            for article in articles
        ],
    )
    store.add_documents(passages)
    return len(passages)


def _rows(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
