"""A command is run by the process that holds the archive, and what it prints there is printed here."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from rag.errors import ArchiveLockedError
from rag.lock import holder
from ui.endpoint import ADDRESS, MAX_BODY, Request, version
from ui.terminal import HeldElsewhereError, LocalTerminal

CONNECT_S = 2.0
# The holder gives a sign of life every second.
SILENCE_S = 10.0
_VERSIONS_DIFFER = 409
_FINE = 200


class NotReachedError(Exception):
    """Nobody took the command: the holder has just ended, or the note is not its own."""


def forward(arguments: list[str], held: HeldElsewhereError, terminal: LocalTerminal) -> int:
    """Have a command run by the process that holds the archive, and return its exit status.

    Args:
        arguments: The command line.
        held: Where to, and the settings in effect here.
        terminal: Where to print.

    Raises:
        NotReachedError: It was not run; the archive may be free by now.
        ArchiveLockedError: The holder does not answer, is of another version, or ended before the command did.
    """
    who = holder(held.folder)
    request = Request(
        version=version(),
        arguments=arguments,
        folder=str(terminal.folder),
        archive=str(held.folder),
        settings={key: value for key, value, _ in held.settings.items()},
        input=terminal.input,
    )
    if held.endpoint.version != request.version:
        raise ArchiveLockedError(
            f"archive {held.folder} is held by {who} of Hemeroteca {held.endpoint.version}, and this is "
            f"{request.version}: close that one first"
        )
    body = request.to_json()
    if len(body) > MAX_BODY:
        raise ArchiveLockedError(
            f"archive {held.folder} is held by {who}, and this command is too long to be "
            f"handed to it ({len(body)} bytes): close that one first"
        )
    connection = HTTPConnection(ADDRESS, held.endpoint.port, timeout=CONNECT_S)
    try:
        status = _printed(_response(connection, body, token=held.endpoint.token), terminal)
    except TimeoutError as exc:
        raise ArchiveLockedError(
            f"archive {held.folder} is held by {who}, which does not answer: let it go on if it was stopped, or end it"
        ) from exc
    finally:
        connection.close()
    if status is None:
        raise ArchiveLockedError(
            f"{who}, which held archive {held.folder}, ended before this command did: run the command again"
        )
    return status


def _response(connection: HTTPConnection, body: bytes, *, token: str) -> HTTPResponse:
    try:
        connection.connect()
        connection.sock.settimeout(SILENCE_S)
        connection.request("POST", "/", body=body, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
    except TimeoutError:
        raise
    except (OSError, HTTPException) as exc:
        raise NotReachedError(str(exc)) from exc
    if response.status != _FINE:
        raise NotReachedError(f"HTTP status {response.status}")
    return response


def _printed(response: HTTPResponse, terminal: LocalTerminal) -> int | None:
    """Print the events of a command as they come; return its exit status, or None if they end without one."""
    while True:
        try:
            line = response.readline()
            event: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        except (ConnectionError, HTTPException):
            return None
        if not line.endswith(b"\n"):
            return None
        if "out" in event:
            terminal.print(event["out"])
        elif "err" in event:
            terminal.say(event["err"])
        elif "progress" in event:
            terminal.progress(*event["progress"])
        elif "status" in event:
            return int(event["status"])
