"""The archive on real parts: the bundled model, Chroma, Tantivy, SQLite."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig

from ingest import ingest
from rag import Archive, ArchiveError, ArchiveLockedError, ArchiveMissingError, FingerprintError, NotFoundError, Turn
from rag.articles import Prepared
from rag.config import Settings, load_settings
from rag.interfaces import Embedder
from rag.schema import Article, Passage, Sentence

ARTICLES = [
    {
        "id": "puerto-1",
        "outlet": "El Faro",
        "published": "2024-03-01",
        "url": "https://faro.example/puerto",
        "title": "El puerto reabre",
        "text": "El puerto de Almadía reabrió tras nueve días de huelga. La naviera perdió 14 millones de euros.",
    },
    {
        "id": "puerto-2",
        "outlet": "La Ría",
        "published": "2024-03-05",
        "url": "https://ria.example/puerto",
        "title": "Acuerdo en los muelles",
        "text": "Los estibadores firmaron un acuerdo que sube su salario un 4 %. El convenio dura tres años.",
    },
    {
        "id": "museum",
        "outlet": "The Harbour Post",
        "published": "2023-11-20",
        "url": "https://post.example/museum",
        "title": "Museum reopens",
        "text": "The maritime museum reopened after two years of repairs. Its new roof is made of cork.",
        "language": "en",
    },
]


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def archive(tmp_path: Path, embedder: Embedder) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        ingest(archive, [write_rows(tmp_path / "rows.jsonl", ARTICLES)])
        yield archive


def test_an_answer_rests_on_the_exact_words(archive: Archive) -> None:
    answer = archive.ask("¿Cuánto dinero perdió la naviera?")
    assert answer.status == "answered"
    citation = answer.statements[0].citations[0]
    assert citation.quote == "La naviera perdió 14 millones de euros."
    assert citation.article.text[citation.start : citation.end] == citation.quote
    assert (citation.article.outlet, citation.article.published) == ("El Faro", date(2024, 3, 1))
    assert set(answer.timings) == {"understand", "retrieve", "read", "answer"}


def test_a_question_finds_an_article_in_another_language(archive: Archive) -> None:
    answer = archive.ask("¿De qué material es el tejado nuevo del museo?")
    assert answer.hits[0].article.given_id == "museum"
    assert answer.language == "es"


def test_the_same_question_gets_the_same_answer(archive: Archive) -> None:
    first, second = (archive.ask("¿Qué firmaron los estibadores?") for _ in range(2))
    assert replace(first, timings={}) == replace(second, timings={})


def test_what_the_archive_does_not_hold_is_declined_with_a_reason(archive: Archive) -> None:
    answer = archive.ask("¿Quién ganó el mundial de ajedrez de 1972?")
    assert (answer.status, answer.text, answer.statements) == ("unknown", "", ())
    assert answer.reason.startswith("El archivo no lo sabe")


def test_filters_limit_by_date_and_outlet(archive: Archive) -> None:
    def found(**limits: object) -> set[str | None]:
        return {hit.article.given_id for hit in archive.search("puerto", **limits)}  # type: ignore[arg-type]

    assert found(since=date(2024, 3, 5)) == {"puerto-2"}
    assert found(until=date(2024, 3, 1)) == {"puerto-1", "museum"}
    assert found(outlets=["La Ría", "El Faro"]) == {"puerto-1", "puerto-2"}


def test_filters_that_leave_nothing_are_the_reason(archive: Archive) -> None:
    answer = archive.ask("¿Cuánto perdió la naviera?", since=date(2030, 1, 1))
    assert answer.status == "unknown"
    assert "fechas o medios" in answer.reason


@pytest.mark.parametrize(("question", "message"), [("  ", "empty"), ("", "empty")], ids=repr)
def test_an_empty_question_is_refused(archive: Archive, question: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        archive.ask(question)


def test_dates_the_wrong_way_round_are_refused(archive: Archive) -> None:
    with pytest.raises(ValueError, match="since 2024-02-02 is after until 2024-01-01"):
        archive.ask("¿Qué?", since=date(2024, 2, 2), until=date(2024, 1, 1))


def test_a_stream_begins_with_the_hits_and_ends_with_the_answer(archive: Archive) -> None:
    snapshots = list(archive.stream("¿Cuánto dura el convenio?"))
    assert snapshots[0].status == "partial"
    assert snapshots[0].hits
    asked = archive.ask("¿Cuánto dura el convenio?")
    assert replace(snapshots[-1], timings={}) == replace(asked, timings={})


def test_a_follow_up_is_understood_from_the_conversation(archive: Archive) -> None:
    answer = archive.ask("¿Y cuánto dura?", history=[Turn("¿Qué firmaron los estibadores?", "Un acuerdo.")])
    assert "El convenio dura tres años." in [statement.text for statement in answer.statements]


class Steps(BaseCallbackHandler):
    """Writes down which steps ended."""

    def __init__(self) -> None:
        self.started: dict[UUID, str] = {}
        self.ended: list[str] = []

    def on_chain_start(self, serialized: object, inputs: object, *, run_id: UUID, **known: Any) -> None:
        self.started[run_id] = str(known.get("name"))

    def on_chain_end(self, outputs: object, *, run_id: UUID, **known: Any) -> None:
        self.ended.append(self.started[run_id])


STEPS = ["ask", "understand", "retrieve", "read", "answer", "hemeroteca"]


@pytest.mark.parametrize("way", ["invoke", "stream", "batch", "ainvoke"])
def test_a_callback_handler_follows_every_step(archive: Archive, way: str) -> None:
    chain, steps, question = archive.as_runnable(), Steps(), "¿Cuánto dinero perdió la naviera?"
    config: RunnableConfig = {"callbacks": [steps]}
    if way == "invoke":
        answer = chain.invoke(question, config)
    elif way == "stream":
        answer = list(chain.stream(question, config))[-1]
    elif way == "batch":
        [answer] = chain.batch([question], config)
    else:
        answer = asyncio.run(chain.ainvoke(question, config))
    assert steps.ended == STEPS
    assert replace(answer, timings={}) == replace(archive.ask(question), timings={})


def test_dates_may_be_iso_text(archive: Archive) -> None:
    assert archive.ask("¿Cuánto perdió la naviera?", since="2030-01-01").status == "unknown"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'mañana' is not a date: write it as 2024-06-19"):
        archive.ask("¿Cuánto perdió la naviera?", since="mañana")  # type: ignore[arg-type]


def test_what_was_put_is_found_by_its_words_before_it_is_embedded(archive: Archive) -> None:
    sentence = Sentence(0, 22, "El faro luce de nuevo.")
    article = Article(id="f", text=sentence.text, language="es", content_hash="h")
    passage = Passage("f-0", "f", 0, 0, 22, sentence.text, "es", sentence.text, (sentence,))
    archive.put([Prepared(article=article, passages=(passage,), place="f", source_hash="h")])
    assert sentence.text in [hit.passage.text for hit in archive.search("faro luce")]
    archive.delete("f")


def test_a_closed_archive_answers_nothing(tmp_path: Path, embedder: Embedder) -> None:
    archive = Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings())
    archive.close()
    archive.close()
    with pytest.raises(ArchiveError, match="is closed"):
        archive.ask("¿Qué?")


def test_asking_and_searching_at_once_from_cold_do_not_wait_for_each_other(tmp_path: Path, embedder: Embedder) -> None:
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        ingest(archive, [write_rows(tmp_path / "rows.jsonl", ARTICLES)])
    with Archive.open(tmp_path / "archive", embedder=embedder, settings=Settings()) as archive:
        with archive._holdings._making:
            threads = [
                threading.Thread(target=ask, args=("¿Cuánto dura el convenio?",), daemon=True)
                for ask in (archive.ask, archive.search, archive.consult)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=0.2)
        for thread in threads:
            thread.join(timeout=30)
        assert not any(thread.is_alive() for thread in threads)


def test_the_chain_is_what_ask_runs(archive: Archive) -> None:
    chained = archive.as_runnable().invoke("¿Qué firmaron los estibadores?")
    assert replace(chained, timings={}) == replace(archive.ask("¿Qué firmaron los estibadores?"), timings={})


def test_the_retriever_gives_documents(archive: Archive) -> None:
    [document] = archive.as_retriever(k=1).invoke("estibadores acuerdo salario")
    assert document.metadata["outlet"] == "La Ría"


def test_embeddings_are_the_archives_own(archive: Archive) -> None:
    vector = archive.as_embeddings().embed_query("puerto")
    assert vector == archive.embedder.embed_question("puerto").tolist()


def test_a_deleted_article_is_nowhere(archive: Archive) -> None:
    archive.delete("puerto-1")
    assert all(hit.article.given_id != "puerto-1" for hit in archive.search("naviera puerto huelga", k=50))
    with pytest.raises(NotFoundError):
        archive.article("puerto-1")
    assert archive.counts().articles == 2


def test_taking_the_same_in_again_changes_nothing(archive: Archive, tmp_path: Path) -> None:
    summary = ingest(archive, [tmp_path / "rows.jsonl"])
    assert (summary.added, summary.changed, summary.unchanged, summary.passages) == (0, 0, 3, 0)


def test_a_changed_article_replaces_what_it_said(archive: Archive, tmp_path: Path) -> None:
    changed = [dict(ARTICLES[0], text="El puerto de Almadía seguirá cerrado."), *ARTICLES[1:]]
    summary = ingest(archive, [write_rows(tmp_path / "rows.jsonl", changed)])
    assert (summary.changed, summary.unchanged) == (1, 2)
    texts = [hit.passage.text for hit in archive.search("puerto naviera millones", k=50)]
    assert "El puerto de Almadía seguirá cerrado." in texts
    assert not any("naviera" in text for text in texts)


def test_one_bad_row_does_not_stop_the_others(archive: Archive, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "El faro viejo vuelve a lucir desde ayer."}\nno json\n', encoding="utf-8")
    summary = ingest(archive, [bad, tmp_path / "missing.txt"])
    assert (summary.added, summary.failed) == (1, 2)
    assert {Path(failure.place.split(" ")[0].split(":")[0]).name for failure in summary.failures} == {
        "bad.jsonl",
        "missing.txt",
    }


def test_the_archive_reopens_as_it_was(tmp_path: Path, embedder: Embedder) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", ARTICLES)
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        ingest(archive, [rows])
        before = archive.search("acuerdo de los estibadores")
    with Archive.open(tmp_path / "archive", embedder=embedder, settings=Settings()) as archive:
        assert archive.search("acuerdo de los estibadores") == before


def test_a_lost_index_is_rebuilt_from_the_truth(tmp_path: Path, embedder: Embedder) -> None:
    import shutil

    rows = write_rows(tmp_path / "rows.jsonl", ARTICLES)
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        ingest(archive, [rows])
        before = archive.search("acuerdo de los estibadores")
    shutil.rmtree(tmp_path / "archive" / "words")
    with Archive.open(tmp_path / "archive", embedder=embedder, settings=Settings()) as archive:
        assert archive.search("acuerdo de los estibadores") == before


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissingError, match="nowhere"):
        Archive.open(tmp_path / "nowhere")


def test_another_programs_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("x")
    with pytest.raises(ArchiveError, match=r"holds other files \(thesis.doc\)"):
        Archive.open(tmp_path, create=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.doc"]


def test_settings_that_contradict_the_archive_are_refused(tmp_path: Path, embedder: Embedder) -> None:
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        ingest(archive, [write_rows(tmp_path / "rows.jsonl", ARTICLES)])
    other = load_settings(arguments={"ingest.passage_tokens": 64})
    with pytest.raises(FingerprintError, match="passage_tokens '160', the settings give '64'"):
        Archive.open(tmp_path / "archive", settings=other)


def test_a_second_process_is_told_who_holds_the_archive(archive: Archive) -> None:
    script = "import sys; from rag import Archive, ArchiveLockedError\ntry: Archive.open(sys.argv[1])\n"
    script += "except ArchiveLockedError as exc: print(exc)"
    told = subprocess.run(
        [sys.executable, "-c", script, str(archive.path)], capture_output=True, text=True, check=True
    ).stdout
    import os

    assert f"held by process {os.getpid()}" in told


def test_a_second_archive_of_this_process_is_refused_too(archive: Archive) -> None:
    with pytest.raises(ArchiveLockedError):
        Archive.open(archive.path)


def test_eight_threads_ask_while_one_ingests(archive: Archive, tmp_path: Path) -> None:
    done = threading.Event()
    failures: list[BaseException] = []
    asked = [0]

    def ask() -> None:
        try:
            while not done.is_set():
                answer = archive.ask("¿Cuánto dura el convenio de los estibadores?")
                for citation in answer.citations:
                    assert citation.article.text[citation.start : citation.end] == citation.quote
                assert answer.statements[0].text == "El convenio dura tres años."
                asked[0] += 1
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(3):
        rows = [{"text": f"La lonja número {number}-{row} vendió pescado azul el martes."} for row in range(20)]
        ingest(archive, [write_rows(tmp_path / f"more{number}.jsonl", rows)])
    done.set()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert asked[0] >= 8
    assert archive.counts().articles == 63
