"""Archives that something happened to: each is refused in one sentence, and nothing is made worse."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest import ingest
from rag import Archive, ArchiveError
from rag.config import Settings
from rag.database import FILE_NAME
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
