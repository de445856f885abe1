"""Commands of another terminal, run by the process that holds the archive: here both ends are in one process."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from rag.archive import Archive
from rag.config import Settings
from rag.interfaces import Embedder
from rag.lock import ENDPOINT, hold
from ui.cli import main
from ui.endpoint import Endpoint, Request, read_endpoint, version, write_endpoint
from ui.serving import Server, serving

WHERE = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"
CHAT = "http://127.0.0.1:7860"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; gives its exit status, its output and its complaints."""

    def run_command(*arguments: str | Path) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_command


@contextmanager
def held(folder: Path, embedder: Embedder, *, address: str = CHAT) -> Iterator[Server]:
    """Hold an archive and run the commands of others, as the chat does."""
    with (
        Archive.open(folder, settings=Settings(), embedder=embedder) as archive,
        serving(archive, command="chat", address=lambda: address, say=print) as server,
    ):
        yield server


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", WHERE, "--json", "--outlet", "el faro de levante"],
        ["ask", WHERE, "--set", "answer.min_confidence=1"],
        ["list"],
        ["show", "tratado-01", "--json"],
        ["show", "no such id"],
        ["ask", WHERE, "--outlet", "Nadie"],
        ["ask", " "],
        ["ingest", "absent.txt", "--json"],
        ["search", WHERE, "--set", "ingest.passage_tokens=64"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_a_forwarded_command_prints_what_it_prints_here(
    run: Run, sample_folder: Path, embedder: Embedder, arguments: list[str]
) -> None:
    here = run(*arguments, "--archive", sample_folder)
    with held(sample_folder, embedder):
        there = run(*arguments, "--archive", sample_folder)
    assert [_without_seconds(text) for text in there] == [_without_seconds(text) for text in here]


def _without_seconds(text: int | str) -> int | str:
    return text if isinstance(text, int) else re.sub(r'"(seconds|understand|retrieve|read|answer)": [0-9.]+', "", text)


def test_a_question_from_standard_input_is_forwarded(
    run: Run, sample_folder: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(WHERE + "\n"))
    with held(sample_folder, embedder):
        status, out, _ = run("ask", "-", "--json", "--archive", sample_folder)
    assert (status, json.loads(out)["question"]) == (0, WHERE)


def test_what_is_taken_in_from_there_is_found_here_at_once(
    run: Run, sample_copy: Path, embedder: Embedder, tmp_path: Path
) -> None:
    (tmp_path / "uno.txt").write_text("El puente de Almoral abrió el martes. Costó tres millones.", encoding="utf-8")
    with held(sample_copy, embedder) as server:
        status, out, err = run("ingest", "uno.txt", "--archive", sample_copy)
        assert server.archive.search("puente de Almoral", k=1)[0].article.source == "uno.txt"
    assert (status, err) == (0, "0 of 1 passages\n1 of 1 passages\n")
    assert out.startswith("1 added, 0 changed")


def test_a_second_chat_is_told_where_the_first_one_is(run: Run, sample_folder: Path, embedder: Embedder) -> None:
    with held(sample_folder, embedder):
        status, out, err = run("chat", "--archive", sample_folder)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"the chat of this archive is running at {CHAT} (process {os.getpid()}): open that address" in err


def test_a_chat_is_told_to_wait_for_what_is_no_chat(run: Run, sample_folder: Path, embedder: Embedder) -> None:
    with held(sample_folder, embedder, address=""):
        status, _, err = run("chat", "--archive", sample_folder)
    assert (status, err.count("\n")) == (2, 1)
    assert "is at work on this archive: start the chat when it has finished" in err


# ---- the note in the folder


def test_only_the_owner_can_read_the_note_and_it_goes_with_the_holder(sample_folder: Path, embedder: Embedder) -> None:
    with held(sample_folder, embedder) as server:
        assert read_endpoint(sample_folder) == server.endpoint
        if os.name == "posix":
            assert stat.S_IMODE((sample_folder / ENDPOINT).stat().st_mode) == 0o600
    assert not (sample_folder / ENDPOINT).exists()


def test_the_note_of_a_killed_process_misleads_nobody(run: Run, sample_copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    write_endpoint(sample_copy, Endpoint(port=port, token="x", version=version()))
    status, _, err = run("list", "--archive", sample_copy)
    assert (status, err) == (0, "39 articles, 78 passages\n")
    assert not (sample_copy / ENDPOINT).exists()


def test_a_copied_folder_is_not_taken_for_the_one_that_is_held(
    run: Run, sample_folder: Path, sample_copy: Path, embedder: Embedder
) -> None:
    with held(sample_folder, embedder) as server:
        write_endpoint(sample_copy, server.endpoint)
        assert run("delete", "tratado-01", "--archive", sample_copy)[0] == 0
        assert server.archive.article("tratado-01")


@pytest.mark.parametrize("note", ["", "{", "[]", "{}", '{"port": "x", "token": "", "version": ""}', "\x00"])
def test_a_damaged_note_is_none(tmp_path: Path, note: str) -> None:
    (tmp_path / ENDPOINT).write_text(note)
    assert read_endpoint(tmp_path) is None


def test_another_version_is_told_so(run: Run, sample_folder: Path, embedder: Embedder) -> None:
    with held(sample_folder, embedder) as server:
        write_endpoint(sample_folder, Endpoint(port=server.server_port, token="x", version="0.0.1"))
        status, _, err = run("list", "--archive", sample_folder)
    assert (status, err.count("\n")) == (2, 1)
    assert f"of Hemeroteca 0.0.1, and this is {version()}: close that one first" in err


def test_a_holder_that_ends_in_the_middle_is_told(run: Run, sample_copy: Path) -> None:
    def answer_and_end(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"out": "half"}\n{"out": "ha')

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer_and_end, args=(listening,))
        thread.start()
        kept = hold(sample_copy)
        write_endpoint(sample_copy, Endpoint(port=listening.getsockname()[1], token="x", version=version()))
        status, out, err = run("list", "--archive", sample_copy)
        kept.release()
        thread.join()
    assert (status, out, err.count("\n")) == (2, "half\n", 1)
    assert "ended before this command did: run the command again" in err


# ---- who may ask


def _request(folder: Path, **other: str) -> bytes:
    fields = {"version": version(), "arguments": ["list"], "folder": "/", "archive": str(folder), "settings": {}}
    return Request(**{**fields, **other}).to_json()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("as it should be", 200),
        ("no token", 403),
        ("wrong token", 403),
        ("another host", 403),
        ("too long", 413),
        ("no length", 413),
        ("not JSON", 400),
        ("not a request", 400),
        ("another version", 409),
        ("another archive", 421),
    ],
)
def test_who_may_ask(sample_folder: Path, embedder: Embedder, tmp_path: Path, case: str, status: int) -> None:
    with held(sample_folder, embedder) as server:
        body = _request(sample_folder)
        headers = {"Authorization": f"Bearer {server.endpoint.token}", "Host": f"127.0.0.1:{server.server_port}"}
        headers["Content-Length"] = str(len(body))
        match case:
            case "no token":
                del headers["Authorization"]
            case "wrong token":
                headers["Authorization"] = "Bearer ñ"
            case "another host":
                headers["Host"] = f"example.org:{server.server_port}"
            case "too long":
                headers["Content-Length"] = str(1 << 40)
            case "no length":
                headers["Content-Length"] = "-1"
            case "not JSON":
                body = b"x" * len(body)
            case "not a request":
                body = b"{}".ljust(len(body))
            case "another version":
                body = _request(sample_folder, version="0.0.1")
            case "another archive":
                body = _request(tmp_path)
        if case.startswith("another") and case != "another host":
            headers["Content-Length"] = str(len(body))
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.putrequest("POST", "/", skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value.encode("utf-8"))
        connection.endheaders(body)
        assert connection.getresponse().status == status
        connection.close()
