"""A scripted OpenAI-compatible server on loopback: the model's name in a request says which reply it gives.

Run `python tests/chat_server.py` to try one by hand: it prints its address and the names it knows.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Script:
    """What a request is answered with.

    `pieces` are sent one by one; `status` other than 200 is sent at once, without them. `cut` is how the reply ends:
    "" as it should, "quiet" without the closing event, "torn" with the connection torn down in the middle of a chunk.
    `silence_s` is waited for before the first piece, `pause_s` before each one; with `beats`, comments that keep the
    connection alive are sent instead of pieces, until the test ends. `raw` is sent as it is, as `kind`.
    """

    pieces: Sequence[str] = ()
    status: int = 200
    message: str = "scripted failure"
    cut: str = ""
    silence_s: float = 0.0
    pause_s: float = 0.0
    beats: bool = False
    raw: bytes | None = None
    kind: str = "text/html"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that hang up: some tests make them."""


@dataclass
class ChatServer:
    """The server as a context manager; `requests` are the bodies that were received."""

    scripts: dict[str, Script]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def script_for(self, path: str, model: str) -> Script:
        """Return what a request is answered with: for a name or path that is not known, that it is not."""
        unknown = Script(status=404, message=f"no model {model!r} at {path}")
        return self.scripts.get(model, unknown) if path == "/v1/chat/completions" else unknown

    def wait(self, seconds: float) -> bool:
        """Wait, but not past the end of the test; return whether it has come."""
        return self._stopping.wait(seconds)

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(owner: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            owner.requests.append(body)
            owner.keys.append(self.headers.get("Authorization", ""))
            script = owner.script_for(self.path, body["model"])
            if script.raw is not None:
                self._send(script.status, script.kind, script.raw)
            elif script.status != 200:
                self._refuse(script.status, script.message)
            else:
                try:
                    self._speak(script, model=body["model"])
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        def _refuse(self, status: int, message: str) -> None:
            error = {"error": {"message": message, "type": "scripted", "code": None}}
            self._send(status, "application/json", json.dumps(error).encode())

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _speak(self, script: Script, *, model: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in _spoken(owner, script, model=model):
                self._write(line)
            if script.cut == "torn":
                self.wfile.write(b"400\r\ndata: {")
                self.wfile.flush()
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

        def _write(self, line: bytes) -> None:
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Stay silent: a test's output is its own."""

    return Handler


def _spoken(owner: ChatServer, script: Script, *, model: str) -> Iterator[bytes]:
    """Yield the lines of a reply when they are due."""
    owner.wait(script.silence_s)
    while script.beats and not owner.wait(0.02):
        yield b": still thinking\n\n"
    for piece in script.pieces:
        owner.wait(script.pause_s)
        yield _event(_delta(model, {"role": "assistant", "content": piece}, None))
    if not script.cut:
        yield _event(_delta(model, {}, "stop"))
        yield _event("[DONE]")


def _event(content: str) -> bytes:
    return f"data: {content}\n\n".encode()


def _delta(model: str, delta: dict[str, str], finish: str | None) -> str:
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
    )


if __name__ == "__main__":
    with ChatServer({"good": Script(["El acuerdo reemplaza ", "el tratado de 1961 [1", "]."])}) as by_hand:
        sys.stdout.write(f"{by_hand.base_url} models: {', '.join(by_hand.scripts)}; stop with Ctrl-C\n")
        time.sleep(3600)
