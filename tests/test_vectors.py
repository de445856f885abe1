"""The dense index: cosines, what a plain Chroma client sees, and that nothing is written without need."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from chromadb.api import ClientAPI
from chromadb.config import Settings

from rag.derived import is_sealed
from rag.errors import ArchiveError
from rag.interfaces import Filters, Found
from rag.vectors import ChromaIndex, open_vector_index
from tests.memory_truth import DIM, MemoryTruth, unit_vector

ALL = Filters()
EAST = unit_vector(1, 0)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ChromaIndex]:
    index = open_vector_index(tmp_path, dim=DIM)
    yield index
    index.close()


@contextmanager
def plain_client(folder: Path) -> Iterator[ClientAPI]:
    client: Any = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    with client:
        yield client


def writes(folder: Path) -> dict[str, int]:
    """Return for each record the number of its last write, as Chroma keeps it."""
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection:
        found = connection.execute("SELECT embedding_id, seq_id FROM embeddings").fetchall()
    return {id_: int.from_bytes(seq, "big") if isinstance(seq, bytes) else seq for id_, seq in found}


def records(folder: Path) -> dict[str, dict[str, object]]:
    """Return id -> metadata as a plain Chroma client reads them."""
    with plain_client(folder) as client:
        found = client.get_collection("passages", embedding_function=None).get()
        return {id_: dict(metadata) for id_, metadata in zip(found["ids"], found["metadatas"] or [], strict=True)}


def test_scores_are_cosines(index: ChromaIndex) -> None:
    truth = MemoryTruth()
    truth.put("a", ["uno", "dos", "tres"], vectors=[unit_vector(3, 4), EAST, unit_vector(-1, 0)])
    index.catch_up(truth)
    found = index.search(EAST, k=3, filters=ALL)
    assert [each.passage_id for each in found] == ["a#1", "a#0", "a#2"]
    assert [each.score for each in found] == pytest.approx([1.0, 0.6, -1.0], abs=1e-6)


def test_a_plain_chroma_client_reads_and_filters(tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put("a", ["El tratado."], vectors=[EAST], title="Cumbre", outlet="El Faro", published=date(2024, 5, 1))
    truth.put("b", ["La lluvia."], vectors=[EAST], outlet="La Voz")
    index = open_vector_index(tmp_path, dim=DIM)
    index.catch_up(truth)
    index.close()
    with plain_client(tmp_path) as client:
        collection = client.get_collection("passages", embedding_function=None)
        found = collection.get(where={"outlet": "El Faro"})
        nearest = collection.query(query_embeddings=[EAST.tolist()], n_results=2, where={"outlet": "La Voz"})
        space = collection.configuration_json["hnsw"]["space"]
    assert (found["ids"], found["documents"]) == (["a#0"], ["El tratado."])
    assert found["metadatas"] == [
        {
            "article_id": "a",
            "title": "Cumbre",
            "outlet": "El Faro",
            "language": "es",
            "published": "2024-05-01",
            "published_day": date(2024, 5, 1).toordinal(),
        }
    ]
    assert nearest["ids"] == [["b#0"]]
    assert space == "cosine"


def test_only_what_differs_is_written_again(index: ChromaIndex, tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put("a", ["uno", "dos"], vectors=[EAST, unit_vector(0, 1)])
    truth.put("b", ["tres"], vectors=[EAST])
    index.catch_up(truth)
    before = writes(tmp_path)
    truth.put("a", ["uno", "dos, corregido"], vectors=[EAST, unit_vector(0, 1)])
    truth.put("b", ["tres"], vectors=[EAST])
    index.catch_up(truth)
    after = writes(tmp_path)
    assert {id_ for id_ in after if after[id_] != before[id_]} == {"a#1"}


def test_a_log_applied_twice_writes_nothing(index: ChromaIndex, tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put("a", ["uno", "dos"], vectors=[EAST, EAST], outlet="El Faro", published=date(2024, 5, 1))
    index.catch_up(truth)
    before = writes(tmp_path)
    index.close()
    with plain_client(tmp_path) as client:
        client.get_collection("passages", embedding_function=None).modify(metadata={"applied_seq": 0, "dim": DIM})
    again = open_vector_index(tmp_path, dim=DIM)
    assert (again.applied_seq, again.catch_up(truth), again.count()) == (0, 2, 2)
    again.close()
    assert writes(tmp_path) == before


def test_an_outlet_taken_back_is_gone(index: ChromaIndex, tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put("a", ["uno"], vectors=[EAST], outlet="El Faro")
    index.catch_up(truth)
    truth.put("a", ["uno"], vectors=[EAST])
    index.catch_up(truth)
    assert records(tmp_path) == {"a#0": {"article_id": "a", "language": "es"}}


def test_a_passage_comes_in_when_it_gets_its_vector(index: ChromaIndex) -> None:
    truth = MemoryTruth()
    truth.put("a", ["uno", "dos"], vectors=[EAST])
    index.catch_up(truth)
    assert index.count() == 1
    truth.put("a", ["uno", "dos"], vectors=[EAST, EAST])
    index.catch_up(truth)
    assert index.count() == 2


def test_a_new_vector_of_the_same_text_is_followed(index: ChromaIndex) -> None:
    truth = MemoryTruth()
    truth.put("a", ["uno"], vectors=[unit_vector(0, 1)])
    index.catch_up(truth)
    truth.put("a", ["uno"], vectors=[EAST])
    index.catch_up(truth)
    assert index.search(EAST, k=1, filters=ALL) == [Found("a#0", 1.0)]


def test_a_narrow_filter_loses_nothing(index: ChromaIndex) -> None:
    rng = np.random.default_rng(7)
    truth = MemoryTruth()
    for number in range(500):
        vectors = [unit_vector(*rng.normal(size=DIM)) for _ in range(4)]
        outlet = "Escondido" if number in (100, 400) else f"Diario {number % 9}"
        truth.put(f"a{number:03}", ["w", "x", "y", "z"], vectors=vectors, outlet=outlet)
    index.catch_up(truth)
    found = index.search(EAST, k=50, filters=Filters(outlets=frozenset({"Escondido"})))
    assert sorted(each.passage_id for each in found) == [f"a{number}#{at}" for number in (100, 400) for at in range(4)]


def test_another_vector_length_is_refused_at_opening(index: ChromaIndex, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="holds vectors of 8 numbers, the embedding model makes 9"):
        open_vector_index(tmp_path, dim=9)


def test_a_question_of_another_length_is_refused(index: ChromaIndex) -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        index.search(np.ones(3, np.float32), k=1, filters=ALL)


def graph_of(folder: Path) -> Path:
    """Return the file with the vectors of Chroma's graph, which its C++ code reads without any check."""
    (graph,) = folder.glob("*/data_level0.bin")
    return graph


def caught_up(folder: Path) -> MemoryTruth:
    """Return a truth that the index in the folder follows, with a graph on disk: Chroma writes one in the long run."""
    rng = np.random.default_rng(3)
    truth = MemoryTruth()
    index = open_vector_index(folder, dim=DIM)
    for number in range(60):
        vectors = [unit_vector(*rng.normal(size=DIM)) for _ in range(20)]
        truth.put(f"a{number:02}", [f"texto {at}" for at in range(20)], vectors=vectors)
        if number % 20 == 19:
            index.catch_up(truth)
    index.close()
    assert list(folder.glob("*/index_metadata.pickle"))
    return truth


@pytest.mark.parametrize("damage", [lambda data: bytes(len(data)), lambda data: data[: len(data) // 2], lambda _: b""])
def test_vectors_damaged_on_disk_are_made_anew_from_the_truth(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    truth = caught_up(tmp_path / "vectors")
    graph = graph_of(tmp_path / "vectors")
    graph.write_bytes(damage(graph.read_bytes()))
    index = open_vector_index(tmp_path / "vectors", dim=DIM)
    assert index.applied_seq == 0
    index.catch_up(truth)
    for id_, vector in truth.vectors_of(["a00#0", "a30#7", "a59#19"]).items():
        (found,) = index.search(vector, k=1, filters=ALL)
        assert found.passage_id == id_
        assert found.score == pytest.approx(1.0)
    index.close()


def test_no_checksums_are_there_while_chroma_opens_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It may write them while it opens, and a process that is killed then has damaged nothing.
    truth = caught_up(tmp_path / "vectors")
    sealed: list[bool] = []
    opened = chromadb.PersistentClient

    def watched(path: str, **options: Any) -> Any:
        sealed.append(is_sealed(Path(path)))
        return opened(path, **options)

    monkeypatch.setattr(chromadb, "PersistentClient", watched)
    assert is_sealed(tmp_path / "vectors")
    index = open_vector_index(tmp_path / "vectors", dim=DIM)
    index.rebuild(truth)
    index.close()
    assert sealed == [False, False, False]


DIE_OPENING = """
import os, signal, sys
from pathlib import Path
from rag import derived
def read_damaged_graph():
    os.kill(os.getpid(), signal.SIGKILL)
derived.sound_or_anew(Path(sys.argv[1]), name="vector index", make=read_damaged_graph)
"""


def test_an_index_that_ends_two_processes_ends_no_third(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # What flipped bytes do to a library in C++ is chance: some runs die of a signal, some do not. This one always does.
    truth = caught_up(tmp_path / "vectors")
    command = [sys.executable, "-c", DIE_OPENING, str(tmp_path / "vectors")]
    for _ in range(2):
        died = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, timeout=60)
        assert died.returncode == -signal.SIGKILL
    index = open_vector_index(tmp_path / "vectors", dim=DIM)
    assert "it ended the processes that had it last" in caplog.text
    assert index.applied_seq == 0
    assert index.catch_up(truth) == truth.last_seq()
    assert index.count() == 1200
    index.close()


def test_damage_met_by_a_search_is_one_sentence_and_mended_by_the_next_opening(tmp_path: Path) -> None:
    truth = caught_up(tmp_path / "vectors")
    index = open_vector_index(tmp_path / "vectors", dim=DIM)
    database = tmp_path / "vectors" / "chroma.sqlite3"
    database.write_bytes(b"garbage " * (database.stat().st_size // 8))
    with pytest.raises(ArchiveError, match=r"cannot be searched .*: run the command again, and the index is made anew"):
        index.search(EAST, k=3, filters=Filters(outlets=frozenset({"El Faro"})))
    index.close()
    again = open_vector_index(tmp_path / "vectors", dim=DIM)
    assert (again.applied_seq, again.catch_up(truth), again.count()) == (0, truth.last_seq(), 1200)
    again.close()


def test_vectors_that_change_again_and_again_stay_findable(tmp_path: Path) -> None:
    # Chroma's own upsert loses 2 of 100 such records, after six rounds of changing a quarter.
    draw = np.random.default_rng(7)
    truth = MemoryTruth()
    ids = [f"n{number:04}" for number in range(1200)]

    def change(some: Sequence[str]) -> None:
        for id_ in some:
            vector = draw.normal(size=DIM).astype(np.float32)
            truth.put(id_, ["Un tratado."], vectors=[vector / np.linalg.norm(vector)])

    change(ids)
    index = open_vector_index(tmp_path, dim=DIM)
    index.catch_up(truth)
    for _ in range(6):
        change(draw.permutation(ids)[:300].tolist())
        index.catch_up(truth)
    assert index.audit(truth, ids).is_sound
    index.close()


def test_a_graph_looks_as_deep_as_it_should_from_the_first_opening_on(tmp_path: Path) -> None:
    # So few links and so little depth that hardly half of what is near is found.
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(2000, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with plain_client(tmp_path) as client:
        made = client.create_collection(
            "passages",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_construction": 20, "max_neighbors": 8, "ef_search": 10}},
            metadata={"applied_seq": 0, "dim": 64},
        )
        made.add(ids=[str(at) for at in range(len(vectors))], embeddings=vectors)
    with closing(open_vector_index(tmp_path, dim=64)) as index:
        shares = []
        for _ in range(20):
            question = draw.normal(size=64).astype(np.float32)
            nearest = {str(at) for at in np.argsort(-(vectors @ question))[:10]}
            question /= np.linalg.norm(question)
            shares.append(len(nearest & {each.passage_id for each in index.search(question, k=10, filters=ALL)}) / 10)
    assert np.mean(shares) > 0.9


def test_what_the_graph_lost_by_chance_is_linked_anew_by_an_audit(tmp_path: Path) -> None:
    # With three links a record, some are lost whenever Chroma draws the links of what it wrote last again.
    with plain_client(tmp_path) as client:
        client.create_collection(
            "passages",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_construction": 10, "max_neighbors": 3}},
            metadata={"applied_seq": 0, "dim": DIM},
        )
    draw, truth, vectors = np.random.default_rng(0), MemoryTruth(), {}
    for number in range(120):
        vector = unit_vector(*(1 + 0.02 * draw.normal(size=DIM)))
        vectors[truth.put(f"a{number}", ["x"], vectors=[vector])[0]] = vector
    articles = [id_.partition("#")[0] for id_ in vectors]
    for _ in range(30):
        with closing(open_vector_index(tmp_path, dim=DIM)) as index:
            index.catch_up(truth)
            audit = index.audit(truth, articles)
            assert (audit.missing, audit.orphaned, audit.different) == ((), (), ())
            if audit.relinked:
                # What was mended is no fault; what could not be is one.
                assert audit.is_sound == (audit.unfindable == ())
                assert [index.search(vectors[id_], k=1, filters=ALL)[0].passage_id for id_ in audit.relinked] == list(
                    audit.relinked
                )
                return
    pytest.fail("thirty times no record was lost: the test needs a worse graph")
