"""The SQLite file of an archive: looked at before it is touched, opened durably, each failure said in one sentence."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rag.errors import ArchiveError
from rag.tables import LATER_INDEXES, META, METADATA, WORKED_OUT

FILE_NAME = "archive.db"
SCHEMA_VERSION = "1"
# Nobody but one archive writes, and that one never waits for itself: who waits longer waits for another program.
TIMEOUT_S = 10.0
_MAGIC = b"SQLite format 3\x00"
_RESTORE = "put a copy of it back, or ingest into another folder"
_FULL = frozenset({sqlite3.SQLITE_FULL})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CLOSED_TO_US = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_SURROUNDINGS = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_NOLFS})


class Database:
    """An open database; several threads may use it."""

    def __init__(self, engine: sa.Engine, *, file: Path) -> None:
        self._engine = engine
        self._file = file
        self._closed = False

    def close(self) -> None:
        """Close all connections; nothing can be read or written afterwards."""
        self._closed = True
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection in one transaction: kept when the block ends, undone when it fails.

        Raises:
            ArchiveError: The database is closed, cannot be used, or is damaged.
        """
        if self._closed:
            raise ArchiveError(f"archive {self._file} is closed: open it again")
        try:
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
            # Our fault, not the file's.
            raise
        except sa.exc.DatabaseError as exc:
            raise ArchiveError(_explained(exc.orig, file=self._file)) from exc

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong in the whole file, a sentence each, at most ten."""
        with self.transaction() as connection:
            said = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(10)")]
            strays = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(10)
        faults = [f"{self._file} is damaged ({each}): {_RESTORE}" for each in said if each != "ok"]
        return faults + [f"{self._file} has a row in {row[0]} that is of no article: {_RESTORE}" for row in strays]

    def compact(self) -> None:
        """Write the file anew: no byte of what was deleted stays in it or in its log.

        Raises:
            ArchiveError: There is no space for a second copy, or another program uses the file.
        """
        try:
            with closing(self._engine.raw_connection()) as connection:
                for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
                    connection.cursor().execute(statement).fetchall()
                is_read, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as exc:
            raise ArchiveError(f"{_explained(exc, file=self._file)}{_room_to_compact(exc)}") from exc
        if is_read:
            # No error to SQLite: it leaves the log for later, and with it the deleted text.
            raise ArchiveError(f"another program reads {self._file}: let it finish, then compact again")


def open_database(folder: Path, *, timeout_s: float = TIMEOUT_S) -> Database:
    """Return the database of an archive's folder, made if it is not there.

    Args:
        folder: The archive's, held by this process.
        timeout_s: How long a write waits for another program that holds the file.

    Raises:
        ArchiveError: The file is no archive, is damaged, or was written by a newer version.
    """
    file = folder / FILE_NAME
    is_new = not holds_archive(file)
    url = sa.URL.create("sqlite", database=str(file))
    database = Database(_engine(sa.create_engine(url, connect_args={"timeout": timeout_s}), _on_connect), file=file)
    try:
        with database.transaction() as connection:
            if is_new:
                METADATA.create_all(connection)
                connection.execute(sa.insert(META).values(key="schema", value=SCHEMA_VERSION))
            WORKED_OUT.create_all(connection)
            for index in LATER_INDEXES:
                index.create(connection, checkfirst=True)
    except BaseException:
        database.close()
        raise
    return database


def open_to_read(folder: Path, *, timeout_s: float = TIMEOUT_S) -> Database:
    """Return the database of an archive that others may be writing: it can only be read, also from a closed medium.

    Raises:
        ArchiveError: There is none, it is no archive's, damaged, or of a newer version.
    """
    file = folder / FILE_NAME
    if not file.is_file() or not holds_archive(file):
        raise ArchiveError(f"there is no archive at {folder}: name its folder with --archive")
    engine = sa.create_engine("sqlite://", creator=lambda: _read_only(file, timeout_s=timeout_s), poolclass=sa.NullPool)
    return Database(_engine(engine, _begin_by_hand), file=file)


def holds_archive(file: Path) -> bool:
    """Return whether a file is the database of an archive; False if there is none, or it has no tables yet.

    Nothing is written, whatever the file turns out to be.

    Raises:
        ArchiveError: It is something else, is damaged, or was written by a newer version.
    """
    # The log first: one that is written into the file between the two looks makes the file larger, not too short.
    wal = _size(_beside(file, "-wal"))
    size = _size(file)
    if not size:
        if wal:
            # SQLite would throw the log away, and with it what it holds.
            state = "is missing" if size is None else "is empty"
            raise ArchiveError(f"{file} {state}, though its log {file.name}-wal is not: {_RESTORE}")
        return False
    _check_beginning(file, size=size, complete=not wal)
    try:
        with closing(_read_only(file, timeout_s=TIMEOUT_S, at_rest=True)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return False
            missing = {*METADATA.tables} - tables
            if missing == {*METADATA.tables} or META.name in missing:
                found = ", ".join(sorted(tables)[:3])
                raise ArchiveError(f"{file} is the database of another program (tables {found}): name another folder")
            row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.Error as exc:
        raise ArchiveError(_explained(exc, file=file)) from exc
    _check_version(row[0] if row else None, missing=missing, file=file)
    return True


def _check_version(version: str | None, *, missing: set[str], file: Path) -> None:
    if version == SCHEMA_VERSION and not missing:
        return
    if version is not None and version.isdecimal() and int(version) > int(SCHEMA_VERSION):
        raise ArchiveError(
            f"{file} has format {version}, this version of Hemeroteca reads format {SCHEMA_VERSION}: update Hemeroteca"
        )
    what = f"it has no table {min(missing)}" if missing else f"its format is {version!r}"
    raise ArchiveError(f"{file} cannot be used as an archive ({what}): {_RESTORE}")


def _check_beginning(file: Path, *, size: int, complete: bool) -> None:
    """Refuse a file that is no SQLite database, or is shorter than it says it is.

    SQLite itself reads what is cut off a page as zeros. `complete` is false where a log holds the newest pages.
    """
    try:
        with file.open("rb") as stream:
            header = stream.read(100)
    except OSError as exc:
        raise ArchiveError(f"{file} cannot be read ({exc.strerror}): check its permissions") from exc
    if not header.startswith(_MAGIC):
        raise ArchiveError(
            f"{file} cannot be used as an archive (it does not begin as an SQLite database does): {_RESTORE}"
        )
    page_size = int.from_bytes(header[16:18], "big")
    # 65,536 does not fit into two bytes and is written as 1.
    said = (65_536 if page_size == 1 else page_size) * int.from_bytes(header[28:32], "big")
    said_by_latest = header[24:28] == header[92:96]
    if complete and said_by_latest and size < said:
        raise ArchiveError(f"{file} is cut off ({size} of {said} bytes are left): {_RESTORE}")


def _size(file: Path) -> int | None:
    """Return a file's bytes, None if there is none.

    Raises:
        ArchiveError: It is no file, or may not be looked at.
    """
    try:
        if file.exists() and not file.is_file():
            raise ArchiveError(f"{file} is not a file but a folder or device: move it away, or name another archive")
        return file.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise ArchiveError(f"{file} cannot be read ({exc.strerror}): check its path and permissions") from exc


def _read_only(file: Path, *, timeout_s: float, at_rest: bool = False) -> sqlite3.Connection:
    """Return a connection that only reads.

    Args:
        file: The database.
        timeout_s: How long to wait for another program that holds it.
        at_rest: Read it as it lies there, if it has no log: SQLite then makes no files beside it.
    """
    address = f"{file.absolute().as_uri()}?mode=ro"
    # Where files cannot be made, nobody who would need them has the archive open.
    closed = not os.access(file.parent, os.W_OK) and not _beside(file, "-shm").exists()
    if (at_rest or closed) and not _size(_beside(file, "-wal")):
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=timeout_s, isolation_level=None, check_same_thread=False)


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _engine(engine: sa.Engine, on_connect: Any) -> sa.Engine:
    sa.event.listen(engine, "connect", on_connect)
    # pysqlite would begin only before a write; reads have to see one state as well.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _begin_by_hand(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _on_connect(connection: Any, _record: Any) -> None:
    _begin_by_hand(connection, _record)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _room_to_compact(exc: sqlite3.Error) -> str:
    """Return where SQLite needs space to write a database anew, "" if it was something else that failed.

    Only this process's environment at its start chooses the folder; the pragma that would is deprecated and unsafe
    with threads.
    """
    if _kind_of(exc) not in _FULL:
        return ""
    folder = "TMP" if os.name == "nt" else "SQLITE_TMPDIR or TMPDIR"
    return f" (to compact takes a copy in its folder and another in the one for temporary files, which {folder} names)"


def _explained(exc: BaseException | None, *, file: Path) -> str:
    """Return what an error of SQLite means for a user, and what to do about it."""
    kind = _kind_of(exc)
    # SQLite may quote what it read.
    said = str(exc).partition(" with text ")[0].splitlines()[0][:120]
    if kind in _FULL:
        return f"there is no space left to write {file} ({said}): make space and try again; what was kept stays kept"
    if kind in _BUSY:
        return f"{file} is in use by another program ({said}): close that one, then try again"
    if kind in _CLOSED_TO_US:
        return f"{file} cannot be opened or written ({said}): check its permissions, or copy the archive elsewhere"
    if kind in _SURROUNDINGS:
        return f"{file} could not be read or written ({said}): check the disk and its free space, then try again"
    return f"{file} is damaged ({said}): {_RESTORE}"


def _kind_of(exc: BaseException | None) -> int:
    # The extended codes keep the kind in their lowest byte. Text that is no UTF-8 has no code at all.
    code: int = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF
