"""What both indexes promise: following the truth, filters, and many threads."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from rag import derived
from rag.errors import ArchiveError
from rag.interfaces import Audit, Filters, VectorIndex, WordIndex
from rag.schema import Passage
from rag.vectors import open_vector_index
from rag.words import open_word_index
from tests.memory_truth import DIM, MemoryTruth, unit_vector

ALL = Filters()
EAST = unit_vector(1, 0)
NEAR_EAST = unit_vector(9, 1)
NORTH = unit_vector(0, 1)


@dataclass(frozen=True)
class Opened:
    """One index behind the same face: `find` asks for what lies east, or for the word "tratado"."""

    index: VectorIndex | WordIndex
    find: Callable[..., list[str]]


@dataclass(frozen=True)
class Kind:
    open: Callable[[Path], Opened]

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Opened]:
        opened = self.open(folder)
        try:
            yield opened
        finally:
            opened.index.close()


def open_vectors(folder: Path) -> Opened:
    index = open_vector_index(folder, dim=DIM)

    def find(*, k: int = 10, filters: Filters = ALL) -> list[str]:
        return [found.passage_id for found in index.search(EAST, k=k, filters=filters) if found.score > 0.5]

    return Opened(index, find)


def open_words(folder: Path) -> Opened:
    index = open_word_index(folder)

    def find(*, k: int = 10, filters: Filters = ALL) -> list[str]:
        return [found.passage_id for found in index.search("tratado", language="es", k=k, filters=filters)]

    return Opened(index, find)


@pytest.fixture(params=[open_vectors, open_words], ids=["vectors", "words"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return Kind(request.param)


@pytest.fixture
def opened(kind: Kind, tmp_path: Path) -> Iterator[Opened]:
    with kind.opened(tmp_path / "index") as opened:
        yield opened


def three_articles() -> MemoryTruth:
    truth = MemoryTruth()
    truth.put("a", ["El tratado de 1961."], vectors=[EAST], outlet="El Faro", published=date(2024, 5, 1))
    truth.put(
        "b", ["Otro tratado.", "La lluvia."], vectors=[NEAR_EAST, NORTH], outlet="La Voz", published=date(2024, 6, 1)
    )
    truth.put("c", ["Un tratado sin fecha."], vectors=[EAST])
    return truth


def test_an_empty_index_finds_nothing(opened: Opened) -> None:
    assert (opened.find(), opened.index.count(), opened.index.applied_seq) == ([], 0, 0)


def test_an_empty_truth_is_caught_up_with(opened: Opened) -> None:
    assert opened.index.catch_up(MemoryTruth()) == 0


def test_catching_up_finds_every_article(opened: Opened) -> None:
    assert opened.index.catch_up(three_articles()) == 6
    assert opened.index.applied_seq == 6
    assert opened.index.count() == 4
    assert set(opened.find()) == {"a#0", "b#0", "c#0"}


def test_a_replaced_passage_leaves_no_ghost(opened: Opened) -> None:
    truth = three_articles()
    opened.index.catch_up(truth)
    truth.put("b", ["El tratado, corregido."], vectors=[EAST], first_passage=7)
    opened.index.catch_up(truth)
    assert set(opened.find()) == {"a#0", "b#7", "c#0"}
    assert opened.index.count() == 3


def test_a_text_changed_under_the_same_id_is_followed(opened: Opened) -> None:
    truth = three_articles()
    opened.index.catch_up(truth)
    truth.put("a", ["La sequía."], vectors=[NORTH])
    opened.index.catch_up(truth)
    assert set(opened.find()) == {"b#0", "c#0"}


def test_a_deleted_article_leaves_no_ghost(opened: Opened) -> None:
    truth = three_articles()
    opened.index.catch_up(truth)
    truth.delete("b")
    assert opened.index.catch_up(truth) == 7
    assert set(opened.find()) == {"a#0", "c#0"}
    assert opened.index.count() == 2


def test_reopening_keeps_seq_and_passages(kind: Kind, tmp_path: Path) -> None:
    with kind.opened(tmp_path) as first:
        first.index.catch_up(three_articles())
    with kind.opened(tmp_path) as second:
        assert second.index.applied_seq == 6
        assert set(second.find()) == {"a#0", "b#0", "c#0"}


def test_catching_up_continues_after_reopening(kind: Kind, tmp_path: Path) -> None:
    truth = three_articles()
    with kind.opened(tmp_path) as first:
        first.index.catch_up(truth)
    truth.put("d", ["El cuarto tratado."], vectors=[EAST])
    with kind.opened(tmp_path) as second:
        assert second.index.catch_up(truth) == 8
        assert set(second.find()) == {"a#0", "b#0", "c#0", "d#0"}


def test_a_truth_put_back_from_a_copy_makes_the_index_start_over(opened: Opened) -> None:
    opened.index.catch_up(three_articles())
    older = MemoryTruth()
    older.put("a", ["El tratado de 1961."], vectors=[EAST])
    assert opened.index.catch_up(older) == 2
    assert opened.find() == ["a#0"]
    assert opened.index.count() == 1


class StopsAfterTheFirstBatch(MemoryTruth):
    """A truth that fails while the second batch is read, as if the process had been killed there."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = True
        self.reads = 0

    def articles_by_id(self, ids):  # type: ignore[no-untyped-def]
        self.reads += 1
        if self.failing and self.reads == 2:
            raise KeyboardInterrupt
        return super().articles_by_id(ids)


def test_an_interrupted_catch_up_is_resumed(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.words.ARTICLES_PER_COMMIT", 2)
    monkeypatch.setattr("rag.vectors.ARTICLES_PER_BATCH", 4)
    truth = StopsAfterTheFirstBatch()
    for article_id in "abcdef":
        truth.put(article_id, ["Un tratado."], vectors=[EAST])
    with kind.opened(tmp_path) as first, pytest.raises(KeyboardInterrupt):
        first.index.catch_up(truth)
    truth.failing = False
    truth.delete("a")
    with kind.opened(tmp_path) as second:
        assert 0 < second.index.applied_seq < 12
        assert second.index.catch_up(truth) == 13
        assert sorted(second.find()) == ["b#0", "c#0", "d#0", "e#0", "f#0"]
        assert second.index.count() == 5


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(since=date(2024, 5, 1)), {"a#0", "b#0"}),
        (Filters(since=date(2024, 5, 2)), {"b#0"}),
        (Filters(until=date(2024, 6, 1)), {"a#0", "b#0"}),
        (Filters(until=date(2024, 5, 31)), {"a#0"}),
        (Filters(since=date(2024, 5, 1), until=date(2024, 5, 1)), {"a#0"}),
        (Filters(since=date(2024, 7, 1), until=date(2024, 1, 1)), set()),
        (Filters(since=date(1900, 1, 1), until=date(2024, 5, 31)), {"a#0"}),
        (Filters(outlets=frozenset({"La Voz"})), {"b#0"}),
        (Filters(outlets=frozenset({"La Voz", "El Faro"})), {"a#0", "b#0"}),
        (Filters(outlets=frozenset({"la voz"})), set()),
        (Filters(outlets=frozenset({'" OR *', "\ud800"})), set()),
        (Filters(since=date(2024, 5, 2), outlets=frozenset({"El Faro", "La Voz"})), {"b#0"}),
    ],
    ids=[
        "since",
        "since-next-day",
        "until",
        "until-eve",
        "one-day",
        "no-day",
        "century",
        "outlet",
        "outlets",
        "case",
        "hostile",
        "both",
    ],
)
def test_filters_limit_what_is_found(opened: Opened, filters: Filters, expected: set[str]) -> None:
    opened.index.catch_up(three_articles())
    assert set(opened.find(filters=filters)) == expected


def test_k_limits_and_may_exceed_the_count(opened: Opened) -> None:
    opened.index.catch_up(three_articles())
    assert len(opened.find(k=2)) == 2
    assert len(opened.find(k=1000)) == 3


def test_equal_scores_come_in_order_of_content(opened: Opened) -> None:
    # More of them than an index is asked for at first. An id ends with a hash of the content.
    truth = MemoryTruth()
    for number in (3, 1, *range(4, 40), 0, 2):
        truth.put(f"{100 - number}-{number:02}", ["El mismo tratado."], vectors=[EAST])
    opened.index.catch_up(truth)
    assert opened.find(k=4) == ["100-00#0", "99-01#0", "98-02#0", "97-03#0"]


def test_unicode_ids_texts_and_outlets_are_kept(opened: Opened) -> None:
    truth = MemoryTruth()
    truth.put(
        "ñandú/北京 'x' \U0001f5de", ["El tratado \U0001f600 e\u0301 \u202e"], vectors=[EAST], outlet="L'Écho «ñ»"
    )
    opened.index.catch_up(truth)
    assert opened.find(filters=Filters(outlets=frozenset({"L'Écho «ñ»"}))) == ["ñandú/北京 'x' \U0001f5de#0"]


@pytest.mark.parametrize("k", [0, -1, -1000])
def test_a_question_for_no_passages_finds_none(opened: Opened, k: int) -> None:
    opened.index.catch_up(three_articles())
    assert opened.find(k=k) == []


def test_a_closed_index_says_so(opened: Opened) -> None:
    opened.index.close()
    with pytest.raises(ArchiveError, match="is closed"):
        opened.find()


def test_a_file_in_place_of_the_folder_is_named(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("not a folder")
    with pytest.raises(ArchiveError, match="index cannot be opened"):
        kind.open(tmp_path / "index")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": lambda file: file.unlink(),
    "emptied": lambda file: file.write_bytes(b""),
    "halved": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "garbage": lambda file: file.write_bytes(b"garbage " * 700),
    "flipped": lambda file: file.write_bytes(bytes(byte ^ 0xFF for byte in file.read_bytes())),
}


def files_in(folder: Path) -> list[Path]:
    """Return the files of an index; the empty ones are locks."""
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_index_with_any_file_damaged_is_as_before_after_catching_up(
    kind: Kind, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    truth = three_articles()
    with kind.opened(tmp_path / "sound") as sound:
        sound.index.catch_up(truth)
    for at, file in enumerate(files_in(tmp_path / "sound")):
        folder = tmp_path / f"copy{at}"
        shutil.copytree(tmp_path / "sound", folder)
        damage(folder / file.relative_to(tmp_path / "sound"))
        with kind.opened(folder) as opened:
            assert opened.index.catch_up(truth) == 6
            assert set(opened.find()) == {"a#0", "b#0", "c#0"}, file.name
            assert opened.index.count() == 4


def test_one_damaged_index_is_kept_beside_the_new_one(kind: Kind, tmp_path: Path) -> None:
    for round_ in range(3):
        with kind.opened(tmp_path / "index") as opened:
            assert opened.index.applied_seq == 0
            opened.index.catch_up(three_articles())
        for file in files_in(tmp_path / "index"):
            file.write_text(f"damage {round_}")
    with kind.opened(tmp_path / "index"):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["index", "index.damaged-3"]


DIES_WHILE_OPENING = """
import os, sys
from pathlib import Path
from rag import derived
derived.sound_or_anew(Path(sys.argv[1]), name="index", make=lambda: os._exit(7))
"""


def test_an_index_that_two_processes_died_of_opening_is_made_anew(kind: Kind, tmp_path: Path) -> None:
    truth = three_articles()
    with kind.opened(tmp_path / "index") as first:
        first.index.catch_up(truth)
    command = [sys.executable, "-c", DIES_WHILE_OPENING, str(tmp_path / "index")]
    assert subprocess.run(command, cwd=Path(__file__).parent.parent).returncode == 7
    # One may have been killed: nothing tells that the index is to blame.
    with kind.opened(tmp_path / "index") as unharmed:
        assert unharmed.index.applied_seq == 6
    for _ in range(2):
        assert subprocess.run(command, cwd=Path(__file__).parent.parent).returncode == 7
    with kind.opened(tmp_path / "index") as second:
        assert second.index.applied_seq == 0
        second.index.catch_up(truth)
        assert set(second.find()) == {"a#0", "b#0", "c#0"}
    with kind.opened(tmp_path / "index") as third:
        assert third.index.applied_seq == 6


def test_an_interrupted_opening_is_no_damage(tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        derived.sound_or_anew(tmp_path / "index", name="index", make=interrupted)
    assert derived.sound_or_anew(tmp_path / "index", name="index", make=lambda: "opened") == "opened"
    assert [entry.name for entry in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize(
    "exc",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        PermissionError(errno.EACCES, "Permission denied"),
        RuntimeError("(code: 13) database or disk is full"),
        RuntimeError("(code: 8) attempt to write a readonly database"),
        RuntimeError("(code: 5) database is locked"),
        ValueError('IoError { io_error: Os { code: 13, kind: PermissionDenied, message: "Permission denied" } }'),
    ],
    ids=str,
)
def test_what_the_surroundings_do_is_reported_and_the_index_kept(tmp_path: Path, exc: Exception) -> None:
    def failing() -> None:
        raise exc

    with pytest.raises(ArchiveError, match=r"index cannot be opened .*: check the disk"):
        derived.sound_or_anew(tmp_path / "index", name="index", make=failing)
    assert [entry.name for entry in tmp_path.iterdir()] == ["index"]


def test_damage_met_while_writing_is_one_sentence_and_mended_by_the_next_opening(kind: Kind, tmp_path: Path) -> None:
    truth = three_articles()
    with kind.opened(tmp_path / "index") as first:
        first.index.catch_up(truth)
        for file in (*tmp_path.glob("index/chroma.sqlite3"), *tmp_path.glob("index/v*/*.json")):
            file.write_bytes(b"garbage " * (file.stat().st_size // 8 + 1))
        truth.put("d", ["El cuarto tratado."], vectors=[EAST])
        with pytest.raises(ArchiveError, match=r"\): run the command again, and the index is made anew"):
            first.index.catch_up(truth)
    with kind.opened(tmp_path / "index") as second:
        assert second.index.catch_up(truth) == 8
        assert set(second.find()) == {"a#0", "b#0", "c#0", "d#0"}


def test_eight_threads_search_while_one_catches_up(opened: Opened) -> None:
    truth = three_articles()
    opened.index.catch_up(truth)
    done = threading.Event()
    failures: list[BaseException] = []
    incomplete: list[list[str]] = []

    def search_until_done() -> None:
        while not done.is_set():
            try:
                found = opened.find(k=200)
            except BaseException as exc:
                failures.append(exc)
                return
            if not {"a#0", "c#0"} <= set(found):
                incomplete.append(found)

    threads = [threading.Thread(target=search_until_done) for _ in range(8)]
    for thread in threads:
        thread.start()
    for round_ in range(6):
        for number in range(10):
            truth.put(f"n{number}", [f"El tratado número {round_}."], vectors=[NEAR_EAST], first_passage=round_)
        opened.index.catch_up(truth)
    done.set()
    for thread in threads:
        thread.join()
    assert (failures, incomplete) == ([], [])
    assert opened.index.count() == 14


INTERRUPTED = """
import sys
from pathlib import Path
import rag.vectors, rag.words
from tests.test_indexes import long_log, open_vectors, open_words
rag.vectors.ARTICLES_PER_BATCH = rag.words.ARTICLES_PER_COMMIT = 3
opened = {"open_vectors": open_vectors, "open_words": open_words}[sys.argv[1]](Path(sys.argv[2]))
print("opened", flush=True)
opened.index.catch_up(long_log())
"""


def long_log() -> MemoryTruth:
    """Return a truth in which a hundred articles were changed twice and half of them deleted."""
    truth = MemoryTruth()
    for round_ in range(3):
        for number in range(100):
            truth.put(f"n{number}", ["Un tratado."], vectors=[EAST], first_passage=round_)
    for number in range(0, 100, 2):
        truth.delete(f"n{number}")
    return truth


@pytest.mark.slow
def test_a_killed_process_loses_nothing(kind: Kind, tmp_path: Path) -> None:
    for seconds in (0.1, 0.3, 0.6):
        arguments = [sys.executable, "-c", INTERRUPTED, kind.open.__name__, str(tmp_path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"opened\n"
            time.sleep(seconds)
            process.kill()
    truth = long_log()
    with kind.opened(tmp_path) as opened:
        assert opened.index.catch_up(truth) == truth.last_seq()
        assert set(opened.find(k=500)) == {f"n{number}#2" for number in range(1, 100, 2)}
        assert opened.index.count() == 50


def test_an_index_that_is_read_over_and_over_is_never_taken_for_damaged(kind: Kind, tmp_path: Path) -> None:
    truth = three_articles()
    with kind.opened(tmp_path / "index") as first:
        first.index.catch_up(truth)
    for _ in range(3):
        with kind.opened(tmp_path / "index") as again:
            assert again.index.applied_seq == 6
            assert set(again.find()) == {"a#0", "b#0", "c#0"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["index"]


def test_an_index_that_followed_the_truth_is_sound(opened: Opened) -> None:
    truth = three_articles()
    opened.index.catch_up(truth)
    truth.put("a", ["El tratado de 1975."], vectors=[EAST])
    truth.delete("c")
    opened.index.catch_up(truth)
    assert opened.index.audit(truth, ["a", "b"]) == Audit()


def test_an_audit_names_what_is_missing_orphaned_and_different(kind: Kind, tmp_path: Path) -> None:
    truth = three_articles()
    with kind.opened(tmp_path) as opened:
        opened.index.catch_up(truth)
        # What the log does not tell: as if the index had gone astray by itself.
        other = MemoryTruth()
        other.put("b", ["Nada nuevo."], vectors=[NORTH])
        other.put("d", ["Un tratado que no llegó."], vectors=[EAST])
        audit = opened.index.audit(other, ["b", "d"])
    assert (audit.missing, audit.orphaned) == (("d#0",), ("a#0", "b#1", "c#0"))
    # The vector index sees that the text is another one, the word index that its words do not lead there.
    assert (*audit.different, *audit.unfindable) == ("b#0",)
    assert not audit.is_sound


def test_an_audit_of_one_text_many_times_is_sound(opened: Opened) -> None:
    truth = MemoryTruth()
    for number in range(40):
        truth.put(f"n{number:02}", ["Un tratado."], vectors=[EAST])
    opened.index.catch_up(truth)
    assert opened.index.audit(truth, [f"n{number:02}" for number in range(40)]).is_sound


def test_a_rebuilt_index_is_as_a_new_one(kind: Kind, tmp_path: Path) -> None:
    truth = three_articles()
    with kind.opened(tmp_path / "index") as opened:
        opened.index.catch_up(truth)
        truth.delete("a")
        opened.index.rebuild(truth)
        assert opened.index.applied_seq == truth.last_seq()
        assert set(opened.find()) == {"b#0", "c#0"}
        assert opened.index.audit(truth, ["b", "c"]) == Audit()
        truth.put("a", ["Otro tratado más."], vectors=[EAST])
        opened.index.catch_up(truth)
        assert "a#0" in opened.find()
    assert [entry.name for entry in tmp_path.iterdir()] == ["index"]
    with kind.opened(tmp_path / "index") as again:
        assert again.index.applied_seq == truth.last_seq()
        assert again.index.count() == 4


def test_an_index_that_cannot_be_made_anew_stays(kind: Kind, tmp_path: Path) -> None:
    class Broken(MemoryTruth):
        def passages_of(self, article_ids: Sequence[str]) -> list[Passage]:
            raise ArchiveError("the truth is out of reach")

    truth = three_articles()
    with kind.opened(tmp_path / "index") as opened:
        opened.index.catch_up(truth)
        broken = Broken()
        broken.put("x", ["Un tratado."], vectors=[EAST])
        with pytest.raises(ArchiveError, match="out of reach"):
            opened.index.rebuild(broken)
        assert set(opened.find()) >= {"a#0", "b#0", "c#0"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize("leftovers", [["index.new"], ["index.old", "index.new"]], ids=" and ".join)
def test_an_interrupted_rebuilding_leaves_nothing_behind(kind: Kind, tmp_path: Path, leftovers: list[str]) -> None:
    truth = three_articles()
    with kind.opened(tmp_path / "index") as opened:
        opened.index.catch_up(truth)
    # The old one has its new name already, or not yet.
    if "index.old" in leftovers:
        (tmp_path / "index").rename(tmp_path / "index.old")
    (tmp_path / "index.new").mkdir()
    (tmp_path / "index.new" / "half").write_text("half")
    with kind.opened(tmp_path / "index") as again:
        assert [entry.name for entry in tmp_path.iterdir()] == ["index"]
        again.index.catch_up(truth)
        assert again.index.audit(truth, ["a", "b", "c"]).is_sound


def test_eight_threads_search_while_one_rebuilds(opened: Opened) -> None:
    truth = three_articles()
    opened.index.catch_up(truth)
    done = threading.Event()
    failures: list[BaseException | list[str]] = []

    def search_until_done() -> None:
        while not done.is_set():
            try:
                found = opened.find()
            except BaseException as exc:
                failures.append(exc)
                return
            if set(found) != {"a#0", "b#0", "c#0"}:
                failures.append(found)

    threads = [threading.Thread(target=search_until_done) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        opened.index.rebuild(truth)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_index_that_cannot_be_exchanged_goes_on_as_it_was(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, fresh: Path) -> None:
        raise PermissionError(errno.EACCES, "somebody has the folder open", str(folder))

    truth = three_articles()
    with kind.opened(tmp_path / "index") as opened:
        opened.index.catch_up(truth)
        monkeypatch.setattr(derived, "swap", refuse)
        with pytest.raises(ArchiveError, match="cannot be made anew"):
            opened.index.rebuild(truth)
        assert set(opened.find()) == {"a#0", "b#0", "c#0"}
        truth.put("d", ["Otro tratado."], vectors=[EAST])
        opened.index.catch_up(truth)
        assert "d#0" in opened.find()


def test_folders_that_cannot_be_exchanged_stay_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "file").write_text("old")
    with pytest.raises(FileNotFoundError):
        derived.swap(tmp_path / "index", tmp_path / "index.new")
    assert (tmp_path / "index" / "file").read_text() == "old"
