"""Archives that something happened to: each is refused in one sentence, and nothing is made worse."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest import ingest
from rag import Archive, ArchiveError, database
from rag.articles import Prepared, open_articles
from rag.config import Settings
from rag.database import FILE_NAME, holds_archive
from rag.exports import export_archive
from rag.schema import Article
from rag.snapshot import snapshot
from tests.hashed_embedder import HashedEmbedder

SENTENCE = "El puerto de Almadía reabrió tras nueve días de huelga."


def opened(folder: Path, *, create: bool = False) -> Archive:
    return Archive.open(folder, settings=Settings(), embedder=HashedEmbedder(), create=create)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive of 60 articles, for copying."""
    place = tmp_path_factory.mktemp("built")
    rows = [{"id": f"n{at}", "outlet": "El Faro", "text": f"{SENTENCE} Van {at}. " * 20} for at in range(60)]
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with opened(place / "archive", create=True) as archive:
        assert ingest(archive, place / "rows.jsonl").added == 60
    return place / "archive"


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "archive"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# ---- what is told before anything is touched


def gone(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def empty_with_log(file: Path) -> None:
    file.write_bytes(b"")
    file.with_name(f"{FILE_NAME}-wal").write_bytes(b"\x37\x7f\x06\x82" + bytes(4092))


def cut_within_a_page(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 + 7])


def first_page_overwritten(file: Path) -> None:
    file.write_bytes(b"\xff" * 4096 + file.read_bytes()[4096:])


def tables_overwritten(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xff" * 3996 + content[4096:])


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


def changed_by(*statements: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    change.__name__ = statements[0]
    return change


def of_another_program(file: Path) -> None:
    file.unlink()
    changed_by("CREATE TABLE songs (title TEXT)", "INSERT INTO songs VALUES ('Suite')")(file)


REFUSALS: list[tuple[Callable[[Path], None], str]] = [
    (
        gone,
        r"archive\.db is missing or empty, though the indexes made from it \(vectors, words\) are there: put a copy",
    ),
    (empty, r"archive\.db is missing or empty, though the indexes .* are there: put a copy of it back, or ingest into"),
    (empty_with_log, r"archive\.db is empty, though its log archive\.db-wal is not: put a copy of it back"),
    (cut_within_a_page, r"archive\.db is cut off \(\d+ of \d+ bytes are left\): put a copy of it back"),
    (
        first_page_overwritten,
        r"archive\.db cannot be used as an archive \(it does not begin as an SQLite",
    ),
    (tables_overwritten, r"archive\.db is damaged \(database disk image is malformed\): put a copy of it back"),
    (folder_instead, r"archive\.db is not a file but a folder or device: move it away, or name another archive"),
    (of_another_program, r"archive\.db is the database of another program \(tables songs\): name another folder"),
    (
        changed_by("DROP TABLE changes"),
        r"archive\.db cannot be used as an archive \(it has no table changes\): put a copy of it back",
    ),
    (
        changed_by("UPDATE meta SET value = '99' WHERE key = 'schema'", "DROP TABLE changes"),
        r"archive\.db has format 99, this version of Hemeroteca reads format 1: update Hemeroteca",
    ),
    (
        changed_by("UPDATE meta SET value = 'x' WHERE key = 'schema'"),
        r"archive\.db cannot be used as an archive \(its format is 'x'\): put a copy of it back",
    ),
]


@pytest.mark.parametrize("create", [False, True], ids=["asked", "ingested into"])
@pytest.mark.parametrize(("damage", "sentence"), REFUSALS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_cannot_be_an_archive_is_refused_and_left_as_it_is(
    folder: Path, damage: Callable[[Path], None], sentence: str, create: bool
) -> None:
    damage(folder / FILE_NAME)
    before = contents(folder)
    with pytest.raises(ArchiveError, match=sentence) as refused:
        opened(folder, create=create)
    assert "\n" not in str(refused.value)
    assert contents(folder) == before


def test_another_programs_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"holds other files \(words\.txt\): choose an empty or new folder"):
        opened(tmp_path, create=True)
    assert contents(tmp_path) == {"words.txt": b"mine"}


def test_a_making_that_was_interrupted_can_be_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with opened(tmp_path, create=True) as archive:
        assert archive.counts().articles == 0


# ---- what is told when it is read


@pytest.mark.parametrize("byte", [b"\xb1", b"7"], ids=["no longer UTF-8", "another figure"])
def test_an_altered_article_is_never_shown_and_can_be_replaced(folder: Path, tmp_path: Path, byte: bytes) -> None:
    text = "El alcalde inauguró ayer 12 viviendas en el barrio de San Telmo."
    (tmp_path / "one.jsonl").write_text(json.dumps({"id": "x", "text": text}), encoding="utf-8")
    with opened(folder) as archive:
        ingest(archive, tmp_path / "one.jsonl")
        article_id = archive.article("x").id
    content = (folder / FILE_NAME).read_bytes()
    assert content.count(b"12 viviendas") == 1
    (folder / FILE_NAME).write_bytes(content.replace(b"12 viviendas", byte + b"2 viviendas"))
    with opened(folder) as archive:
        with pytest.raises(ArchiveError, match="is damaged"):
            archive.article("x")
        with pytest.raises(ArchiveError, match="is damaged"):
            archive.ask("¿Cuántas viviendas inauguró el alcalde?")
        assert archive.delete(article_id).id == article_id
        assert ingest(archive, tmp_path / "one.jsonl").added == 1
        assert archive.article("x").text == text


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "overwritten"])
def test_without_its_log_an_archive_is_as_it_was_before(folder: Path, tmp_path: Path, is_deleted: bool) -> None:
    """A kill leaves the newest articles in the log; who destroys it has an older archive, and indexes that follow."""
    (tmp_path / "one.jsonl").write_text(json.dumps({"text": "Un zorzal cantó en la estación."}), encoding="utf-8")
    with opened(folder) as archive:
        ingest(archive, tmp_path / "one.jsonl")
        killed = Path(shutil.copytree(folder, tmp_path / "killed", ignore=shutil.ignore_patterns("lock")))
    log = killed / f"{FILE_NAME}-wal"
    log.write_bytes(b"\xff" * log.stat().st_size)
    if is_deleted:
        log.unlink()
    with opened(killed) as archive:
        assert archive.counts().articles == 60
        assert all("zorzal" not in hit.passage.text for hit in archive.search("zorzal"))
        assert archive.check().is_sound


# ---- the surroundings


def test_an_archive_that_another_program_closes_meanwhile_is_not_said_to_be_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / FILE_NAME
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("PRAGMA wal_autocheckpoint = 0")
    other.execute("UPDATE articles SET removed = json_quote(text || text || text)")
    look = database._size

    def closing_after_a_look(path: Path) -> int | None:
        size = look(path)
        other.close()
        return size

    monkeypatch.setattr(database, "_size", closing_after_a_look)
    assert holds_archive(file)
    assert not file.with_name(f"{FILE_NAME}-wal").exists()


@contextmanager
def limited_to(pages: int) -> Iterator[None]:
    """Let no database of SQLAlchemy grow beyond a number of pages."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(sa.Engine, "connect", limit)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", limit)


def test_a_full_database_keeps_what_was_acknowledged_and_goes_on_when_there_is_room(
    folder: Path, tmp_path: Path
) -> None:
    rows = [{"id": f"m{at}", "text": f"La ordenanza {at} entra en vigor. " * 40} for at in range(200)]
    (tmp_path / "more.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    pages = (folder / FILE_NAME).stat().st_size // 4096
    with limited_to(pages + 60), opened(folder) as archive:
        with pytest.raises(ArchiveError, match=r"no space left to write .*: make space and try again; what was kept"):
            ingest(archive, tmp_path / "more.jsonl")
        assert 60 < archive.counts().articles < 260
        kept = archive.counts().articles
    with opened(folder) as archive:
        assert archive.counts().articles == kept
        summary = ingest(archive, tmp_path / "more.jsonl")
        assert (summary.added, summary.unchanged) == (260 - kept, kept - 60)
        assert archive.check().is_sound


def test_a_database_that_another_program_holds_is_told_after_a_while(folder: Path) -> None:
    articles = open_articles(folder, timeout_s=0.2)
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            ArchiveError, match=r"archive\.db is in use by another program \(database is locked\): close"
        ):
            articles.set_meta("key", "value")
        assert articles.counts().articles == 60
    articles.set_meta("key", "value")
    articles.close()


def test_a_database_that_is_read_meanwhile_is_not_said_to_be_compact(folder: Path) -> None:
    articles = open_articles(folder, timeout_s=0.2)

    def holding(text: str) -> list[str]:
        return [file.name for file in folder.glob(f"{FILE_NAME}*") if text.encode() in file.read_bytes()]

    with snapshot(folder):
        deleted = articles.delete(articles.ids()[0]).text
        with pytest.raises(ArchiveError, match=r"another program reads .*archive\.db: let it finish, then compact"):
            articles.compact()
        assert holding(deleted)
    articles.compact()
    assert holding(deleted) == []
    articles.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system in memory with the options given, again to change them; gives its folder."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        remount = "remount," if mounted else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{remount}{options}", "tmpfs", str(disk)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a file system is not permitted here")
        mounted = True
        return disk

    if not shutil.which("mount"):
        pytest.skip("there is no mount command here")
    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_no_room_for_temporary_files_to_compact_is_told_as_that(
    small_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    # More than SQLite keeps in memory before it writes.
    text = " ".join(map(str, range(800_000)))
    article = Article(id="a", text=text, content_hash="x")
    (tmp_path / "archive").mkdir()
    articles = open_articles(tmp_path / "archive")
    articles.put([Prepared(article=article, passages=(), place="a.txt", source_hash="x")])
    articles.close()
    # SQLite looks for the folder once in a process.
    program = "import sys; from pathlib import Path; from rag.articles import open_articles as o; "
    command = [sys.executable, "-c", f"{program}o(Path(sys.argv[1])).compact()", str(tmp_path / "archive")]
    surroundings = {**os.environ, "SQLITE_TMPDIR": str(small_disk("size=200k"))}
    ended = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert re.search(r"ArchiveError: there is no space left .* the one for temporary files, which SQLITE", ended.stderr)
    articles = open_articles(tmp_path / "archive")
    articles.compact()
    assert articles.article("a").text == text
    articles.close()


# Where the room ends: in the database, in the word index, in the vector index.
@pytest.mark.parametrize("kilobytes", [100, 600, 1200])
def test_a_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again(
    small_disk: Callable[[str], Path], tmp_path: Path, kilobytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    disk = small_disk(f"size={kilobytes}k")
    rows = [{"id": f"n{at}", "text": f"{SENTENCE} Van {at}. " * 20} for at in range(150)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(ArchiveError, match="make space"), opened(disk / "archive", create=True) as archive:
        ingest(archive, tmp_path / "rows.jsonl")
    with pytest.raises(ArchiveError, match="make space"), opened(disk / "archive", create=True) as archive:
        ingest(archive, tmp_path / "rows.jsonl")
    small_disk("size=80m")
    with opened(disk / "archive", create=True) as archive:
        summary = ingest(archive, tmp_path / "rows.jsonl")
        assert summary.added + summary.unchanged == archive.counts().articles == 150
        assert archive.check().is_sound
    assert "damaged" not in caplog.text


def test_an_archive_on_a_disk_without_a_byte_left_opens_when_there_is_room_again(
    small_disk: Callable[[str], Path], folder: Path
) -> None:
    disk = small_disk("size=20m")
    shutil.copytree(folder, disk / "archive", ignore=shutil.ignore_patterns("lock"))
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(4096)):
            pass
    for _ in range(2):
        with pytest.raises(
            ArchiveError, match=r"cannot be written \(No space left on device\): make space on its disk"
        ):
            opened(disk / "archive")
    (disk / "ballast").unlink()
    with opened(disk / "archive") as archive:
        assert archive.check().findings() == []


def test_an_archive_on_a_disk_that_cannot_be_written_is_refused_but_exported(
    small_disk: Callable[[str], Path], folder: Path, tmp_path: Path
) -> None:
    disk = small_disk("size=80m")
    shutil.copytree(folder, disk / "archive")
    small_disk("ro")
    before = contents(disk)
    with pytest.raises(
        ArchiveError, match=r"cannot be written \(Read-only file system\): check its permissions, or copy"
    ):
        opened(disk / "archive")
    assert export_archive(disk / "archive", tmp_path / "a.gz").articles == 60
    assert contents(disk) == before


# ---- what is kept of what was deleted


def test_the_change_log_holds_ids_and_no_text(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(changes)")]
        entries = connection.execute("SELECT DISTINCT event, length(article_id) FROM changes").fetchall()
    assert columns == ["seq", "event", "article_id"]
    assert sorted(entries) == [("article", 16), ("vectors", 16)]
