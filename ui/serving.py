"""The process that holds an archive runs the commands of other terminals as well: a small server on loopback.

A request is a `Request`; the response is one JSON object a line: what the command prints, as it prints it, {} every
second as a sign of life, and at the end {"status": n}.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Settings, load_settings
from ui import endpoint
from ui.commands import USER_ERROR, complain, run
from ui.endpoint import ADDRESS, MAX_BODY, Endpoint, Request
from ui.options import command_line
from ui.terminal import shown

if TYPE_CHECKING:
    from rag.archive import Archive

SIGN_OF_LIFE_S = 1.0
# Two of these at once would do the same work twice, or undo each other's.
ONE_AT_A_TIME = ("ingest", "import", "rebuild", "compact")


class _FarTerminal:
    """A terminal at the other end of a connection; the archive is the one that this process holds."""

    def __init__(self, request: Request, archive: Archive, wire: _Wire) -> None:
        self.folder = Path(request.folder)
        self._request, self._archive, self._wire = request, archive, wire

    def print(self, text: str) -> None:
        self._wire.send({"out": text})

    def say(self, text: str) -> None:
        self._wire.send({"err": text})

    def progress(self, done: int, total: int, unit: str) -> None:
        self._wire.send({"progress": [done, total, unit]})

    def announce(self, url: str) -> None:
        self.print(url)

    def read(self) -> str:
        return self._request.input

    def shown(self, text: str) -> str:
        return shown(text, folder=self.folder)

    def settings(self, options: argparse.Namespace, arguments: Mapping[str, Any]) -> Settings:
        # The terminal has put its files, variables and arguments together; this process' own must not come in.
        return load_settings(Path(os.devnull), arguments=self._request.settings)

    @contextmanager
    def opened(self, folder: Path, *, settings: Settings, create: bool = False) -> Iterator[Archive]:
        yield self._archive.with_settings(settings, notify=self.say)


class _Wire:
    """Sends events to a terminal, from any thread, until it hangs up."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._cut = False

    def send(self, event: dict[str, Any]) -> None:
        """Send an event.

        Raises:
            BrokenPipeError: The terminal is gone. So a command whose terminal was closed ends when it says something.
        """
        with self._lock:
            try:
                if not self._cut:
                    self._write(json.dumps(event).encode("ascii") + b"\n")
            except OSError:
                self._cut = True
            if self._cut:
                raise BrokenPipeError("the terminal is gone")

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Send a sign of life every second."""
        done = threading.Event()

        def beat() -> None:
            try:
                while not done.wait(SIGN_OF_LIFE_S):
                    self.send({})
            except BrokenPipeError:
                pass

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            done.set()


class Server(ThreadingHTTPServer):
    """Listens for commands; each runs in a thread of its own."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, archive: Archive, *, address: Callable[[], str]) -> None:
        super().__init__((ADDRESS, 0), _Handler)
        self.archive = archive
        self.address = address
        self.endpoint = Endpoint(port=self.server_port, token=endpoint.new_token(), version=endpoint.version())
        self.turn = threading.Lock()
        self._running = 0
        self._fewer = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count the request before its thread begins."""
        with self._fewer:
            self._running += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle one request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._fewer:
                self._running -= 1
                self._fewer.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a terminal that goes away is no news here."""

    @property
    def is_busy(self) -> bool:
        """Whether a command of another terminal is running."""
        return self._running > 0

    def wait(self) -> None:
        """Wait until no command of another terminal is running."""
        with self._fewer:
            # A wait without a limit cannot be interrupted by Ctrl-C on Windows.
            while not self._fewer.wait_for(lambda: not self.is_busy, timeout=0.5):
                pass


class _Handler(BaseHTTPRequestHandler):
    server: Server
    # Seconds that a terminal may take to send its request, or to take an event.
    timeout = 10

    def do_POST(self) -> None:
        """Run the command that is asked for, if the asker may."""
        request = self._request()
        if isinstance(request, int):
            self.send_response(request)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.end_headers()
        wire = _Wire(self.wfile.write)
        terminal = _FarTerminal(request, self.server.archive, wire)
        with wire.alive():
            wire.send({"status": self._status(request, terminal)})

    def log_message(self, *_: Any) -> None:
        """Keep quiet: what is asked is nobody else's business."""

    def _request(self) -> Request | int:
        """Return what is asked for, or the HTTP status of a refusal."""
        # A page in a browser that was led here by another name is no terminal.
        if self.headers.get("Host", "").rpartition(":")[0] not in (ADDRESS, "localhost"):
            return 403
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {self.server.endpoint.token}".encode()):
            return 403
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413
        try:
            request = Request.from_json(self.rfile.read(int(length)))
        except ValueError:
            return 400
        if request.version != self.server.endpoint.version:
            return 409
        # A copied folder brings the note of the archive that it is a copy of.
        return request if _is_same(Path(request.archive), self.server.archive.path) else 421

    def _status(self, request: Request, terminal: _FarTerminal) -> int:
        options = command_line(request.arguments).parse_args(request.arguments)
        if options.command == "chat":
            return complain(terminal, self._no_second_chat(), status=USER_ERROR)
        with self._turn(terminal) if options.command in ONE_AT_A_TIME else nullcontext():
            return run(options, terminal)

    def _no_second_chat(self) -> str:
        if url := self.server.address():
            return f"the chat of this archive is running at {url} (process {os.getpid()}): open that address"
        return f"process {os.getpid()} is at work on this archive: start the chat when it has finished, or end it first"

    @contextmanager
    def _turn(self, terminal: _FarTerminal) -> Iterator[None]:
        if not self.server.turn.acquire(timeout=SIGN_OF_LIFE_S):
            terminal.say("another command is changing the archive: this one follows it")
            self.server.turn.acquire()
        try:
            yield
        finally:
            self.server.turn.release()


@contextmanager
def serving(
    archive: Archive, *, command: str, address: Callable[[], str], say: Callable[[str], None]
) -> Iterator[Server]:
    """Run the commands of other terminals on an open archive for as long as a `with` lasts.

    At its end the commands that are still running are waited for, but not by the chat, and not after a failure.

    Args:
        archive: Held by this process.
        command: What this process itself does.
        address: Gives where the chat of this process is; "" if there is none.
        say: Called with a sentence when there is something to wait for.
    """
    server = Server(archive, address=address)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        endpoint.write_endpoint(archive.path, server.endpoint)
        with server.turn if command in ONE_AT_A_TIME else nullcontext():
            yield server
        _stop(server)
        if server.is_busy and command != "chat":
            say("done; a command of another terminal is still running here (Ctrl-C ends it)")
            server.wait()
    finally:
        _stop(server)


def _stop(server: Server) -> None:
    endpoint.remove_endpoint(server.archive.path)
    server.shutdown()
    server.server_close()


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
