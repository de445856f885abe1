"""How a terminal reaches the process that holds an archive: a note in the archive's folder, and what is asked there."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from rag.lock import ENDPOINT

ADDRESS = "127.0.0.1"
MAX_BODY = 16 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A port on loopback, the word that opens it, and the version of Hemeroteca that listens there."""

    port: int
    token: str
    version: str


@dataclass(frozen=True, slots=True)
class Request:
    """A command, with all that it may know of the terminal where it was typed.

    `folder` is the terminal's, `archive` the archive's; `input` is what was read from standard input.
    """

    version: str
    arguments: list[str]
    folder: str
    archive: str
    settings: dict[str, Any]
    input: str = ""

    def to_json(self) -> bytes:
        """Return the request as ASCII: file names need not be UTF-8."""
        return json.dumps(asdict(self)).encode("ascii")

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Return the request that `to_json` wrote.

        Raises:
            ValueError: It is none.
        """
        found = json.loads(content)
        if not isinstance(found, dict) or set(found) != {each.name for each in fields(cls)}:
            raise ValueError("not a request")
        return cls(**found)


def version() -> str:
    """Return the version of Hemeroteca that is installed."""
    from importlib import metadata

    return metadata.version("hemeroteca")


def new_token() -> str:
    """Return a word that nobody guesses."""
    return secrets.token_urlsafe(32)


def write_endpoint(folder: Path, endpoint: Endpoint) -> None:
    """Note an endpoint in the folder of the archive that this process holds; only its owner can read it."""
    # Made with mode 0600, and seen whole or not at all.
    handle, name = tempfile.mkstemp(prefix=f".{ENDPOINT}-", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(asdict(endpoint), file)
        Path(name).replace(folder / ENDPOINT)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove_endpoint(folder: Path) -> None:
    """Take the note away."""
    with suppress(OSError):
        (folder / ENDPOINT).unlink(missing_ok=True)


def read_endpoint(folder: Path) -> Endpoint | None:
    """Return what is noted in an archive's folder; None if there is nothing that can be understood.

    It means something only while another process holds the archive: one that was killed leaves its note behind.
    """
    try:
        found = json.loads((folder / ENDPOINT).read_text(encoding="ascii"))
        return Endpoint(port=int(found["port"]), token=str(found["token"]), version=str(found["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
