"""The SQLite file of an archive: opened with what durability needs, its failures said in one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rag.errors import ArchiveError
from rag.tables import META, METADATA

FILE_NAME = "archive.db"
SCHEMA_VERSION = "1"


class Database:
    """An open database; several threads may use it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
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
            raise ArchiveError(f"archive {self._engine.url.database} is closed: open it again")
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as exc:
            raise ArchiveError(
                f"the archive's database {self._engine.url.database} failed ({exc.orig}): check free space and "
                "permissions, then try again"
            ) from exc
        except sa.exc.DatabaseError as exc:
            raise ArchiveError(
                f"the archive's database {self._engine.url.database} is damaged ({exc.orig}): restore it from a copy, "
                "or ingest into another folder"
            ) from exc


def open_database(folder: Path) -> Database:
    """Return the database of an archive's folder, made if it is not there.

    Raises:
        ArchiveError: The file is no archive, is damaged, or was written by a newer version.
    """
    engine = sa.create_engine(f"sqlite:///{folder / FILE_NAME}", connect_args={"timeout": 30.0})
    sa.event.listen(engine, "connect", _on_connect)
    # pysqlite would begin only before a write; reads have to see one state as well.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    try:
        with engine.begin() as connection:
            METADATA.create_all(connection)
            connection.execute(
                sa.text("INSERT OR IGNORE INTO meta (key, value) VALUES ('schema', :version)"),
                {"version": SCHEMA_VERSION},
            )
            version = connection.scalar(sa.select(META.c.value).where(META.c.key == "schema"))
    except sa.exc.DatabaseError as exc:
        engine.dispose()
        raise ArchiveError(
            f"{folder / FILE_NAME} cannot be used as an archive ({exc.orig}): restore it from a copy, or ingest into "
            "another folder"
        ) from exc
    if version != SCHEMA_VERSION:
        engine.dispose()
        raise ArchiveError(
            f"{folder / FILE_NAME} has format {version}, this version of Hemeroteca reads format {SCHEMA_VERSION}: "
            "update Hemeroteca"
        )
    return Database(engine)


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
