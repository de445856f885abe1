"""Two terminals and Ctrl-C, with real processes in folders of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.lock import ENDPOINT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
    pytest.mark.usefixtures("ctrl_c_is_not_ignored"),
]

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "eval" / "data" / "sample.jsonl"
PROGRAM = [sys.executable, "-c", "import sys; from ui.cli import main; sys.exit(main())"]
WHERE = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"
# Far above the second that Ctrl-C may take, so that a busy machine fails no test.
SOON_S = 5.0


def start(*arguments: str | Path, folder: Path) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def run(*arguments: str | Path, folder: Path) -> tuple[int, str, str]:
    """Run a command in a folder; gives its exit status, its output and its complaints."""
    process = start(*arguments, folder=folder)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def until(happened: Path) -> None:
    """Wait until a file is there."""
    for _ in range(3000):
        if happened.exists():
            return
        time.sleep(0.02)
    raise TimeoutError(happened)


@contextmanager
def chat(archive: Path, *, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the chat for as long as a `with` lasts."""
    with start("chat", "--archive", archive, "--no-browser", "--port", str(port), folder=archive.parent) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://127.0.0.1:")
            yield process
        finally:
            process.kill()


# ---- two terminals


def test_while_the_chat_runs_every_command_of_another_terminal_does(sample_copy: Path, tmp_path: Path) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    (here / "uno.txt").write_text("El puente de Almoral abrió el martes. Costó tres millones.", encoding="utf-8")
    (here / "q.jsonl").write_text('{"question": "¿Cuánto costó el puente de Almoral?", "answers": "tres millones"}')
    there = ["--archive", os.path.relpath(sample_copy, here)]
    before = run("search", WHERE, "--json", *there, folder=here)
    with chat(sample_copy, port=7900):
        assert run("search", WHERE, "--json", *there, folder=here) == before
        status, out, err = run("ingest", "uno.txt", "absent.txt", "--json", *there, folder=here)
        summary = json.loads(out)
        assert (status, summary["added"]) == (1, 1)
        assert err.startswith("0 of 1 passages\n1 of 1 passages\n")
        assert err.endswith("the rest was\n")
        assert summary["failed"] == [{"place": "absent.txt", "reason": "does not exist: check the path"}]
        status, out, _ = run("ask", "¿Cuánto costó el puente de Almoral?", *there, folder=here)
        assert (status, "Costó tres millones." in out) == (0, True)
        status, out, _ = run("eval", "run", "q.jsonl", "--json", "results.json", *there, folder=here)
        assert (status, out.splitlines()[-1]) == (0, "Results: results.json")
        assert (here / "results.json").is_file()
        assert run("delete", "tratado-01", *there, folder=here)[0] == 0
        assert run("show", "tratado-01", *there, folder=here)[0] == 2
        assert run("doctor", *there, folder=here)[0] == 0


def test_several_terminals_ask_at_once(sample_copy: Path, tmp_path: Path) -> None:
    with chat(sample_copy, port=7901):
        asking = [start("ask", WHERE, "--archive", sample_copy, folder=tmp_path) for _ in range(6)]
        answers = {process.communicate(timeout=300)[0] for process in asking}
        assert [process.returncode for process in asking] == [0] * 6
        assert len(answers) == 1


def test_a_stopped_holder_is_named_and_goes_on_later(sample_copy: Path, tmp_path: Path) -> None:
    with chat(sample_copy, port=7902) as holder:
        holder.send_signal(signal.SIGSTOP)
        status, out, err = run("list", "--archive", sample_copy, folder=tmp_path)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"is held by process {holder.pid} (" in err
        assert "which does not answer: let it go on if it was stopped, or end it" in err
        holder.send_signal(signal.SIGCONT)
        assert run("list", "--archive", sample_copy, folder=tmp_path)[0] == 0


def test_a_killed_holder_misleads_nobody(sample_copy: Path, tmp_path: Path) -> None:
    with chat(sample_copy, port=7903) as holder:
        holder.kill()
        holder.wait()
        assert (sample_copy / ENDPOINT).exists()
        assert run("list", "--archive", sample_copy, folder=tmp_path)[0] == 0
        assert not (sample_copy / ENDPOINT).exists()


def test_a_holder_that_runs_no_commands_is_named(sample_copy: Path, tmp_path: Path) -> None:
    code = "import sys; from rag import Archive; a = Archive.open(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, sample_copy], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        status, _, err = run("list", "--archive", sample_copy, folder=tmp_path)
    waiting, complaint = err.splitlines()
    assert status == 2
    assert waiting.startswith(f"waiting for process {holder.pid} (")
    assert complaint.endswith("close that one first, or use another archive")


def test_while_an_ingest_runs_others_ask_and_a_second_ingest_follows(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    first = start("ingest", SAMPLE, "--json", folder=tmp_path)
    until(archive / ENDPOINT)
    second = start("ingest", SAMPLE, "--json", folder=tmp_path)
    status, _, err = run("list", folder=tmp_path)
    assert (status, err.endswith("passages\n") or "without a vector" in err) == (0, True)
    out, _ = first.communicate(timeout=300)
    assert json.loads(out)["added"] == 39
    out, _ = second.communicate(timeout=300)
    assert json.loads(out)["unchanged"] == 39
    assert run("doctor", folder=tmp_path)[0] == 0


# ---- Ctrl-C


def interrupt(process: subprocess.Popen[str], *, again: bool = False) -> tuple[int, str, str]:
    """Press Ctrl-C, once or twice; gives the exit status, the output and the complaints."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    if again:
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert time.monotonic() - began < SOON_S
    return process.returncode, out, err


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("after_s", [0.5, 1.5, 3.0, 5.0])
def test_an_interrupted_question_ends_soon(sample_folder: Path, tmp_path: Path, after_s: float, again: bool) -> None:
    process = start("ask", WHERE, "--archive", sample_folder, folder=tmp_path)
    try:
        process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        status, out, err = interrupt(process, again=again)
        # Or it came when all was said.
        is_answered = status == 0 and "[1] " in out
        assert is_answered or (status, err) == (130, "hemeroteca: interrupted; what was finished is kept\n")
    else:
        process.communicate()


def test_an_interrupted_ingest_ends_soon_and_is_resumed(tmp_path: Path) -> None:
    for again, after_s in enumerate([1.0, 3.0, 5.0, 8.0]):
        process = start("ingest", SAMPLE, folder=tmp_path)
        try:
            process.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            status, out, err = interrupt(process, again=bool(again % 2))
            is_finished = status == 0 and "unchanged" in out
            assert is_finished or status == 130
            assert is_finished or err.endswith("hemeroteca: interrupted; what was finished is kept\n")
            assert "Traceback" not in err
        else:
            process.communicate()
    status, out, _ = run("ingest", SAMPLE, "--json", folder=tmp_path)
    summary = json.loads(out)
    assert (status, summary["added"] + summary["unchanged"]) == (0, 39)
    assert run("doctor", folder=tmp_path)[0] == 0
    assert not list((tmp_path / "archive").glob("*.damaged-*"))


@pytest.mark.parametrize("after_s", [0.0, 1.0, 3.0, 6.0])
def test_an_interrupted_chat_ends_soon_and_quietly(sample_copy: Path, after_s: float) -> None:
    with chat(sample_copy, port=7904) as process:
        time.sleep(after_s)
        status, _, err = interrupt(process)
        assert (status, err) == (0, "")
    assert run("doctor", "--archive", sample_copy, folder=sample_copy.parent)[0] == 0


def test_a_forwarded_ingest_that_is_interrupted_stops_there_too(sample_copy: Path, tmp_path: Path) -> None:
    rows = [f'{{"id": "{n}", "text": "El puente {n} de Almoral abrió. Costó {n} millones."}}' for n in range(3000)]
    (tmp_path / "many.jsonl").write_text("\n".join(rows), encoding="utf-8")
    with chat(sample_copy, port=7905) as holder:
        process = start("ingest", "many.jsonl", "--archive", sample_copy, folder=tmp_path)
        assert process.stderr is not None
        assert re.fullmatch(r"0 of \d+ passages\n", process.stderr.readline())
        assert interrupt(process)[0] == 130
        held = [_held(sample_copy, tmp_path)]
        while len(held) < 2 or held[-1] != held[-2]:
            time.sleep(3)
            held.append(_held(sample_copy, tmp_path))
        # It had not read, or not embedded, all of it.
        assert held[-1][0] < 3000 or held[-1][1] > 0
        assert holder.poll() is None
        assert run("ask", WHERE, "--archive", sample_copy, folder=tmp_path)[0] == 0


def _held(archive: Path, folder: Path) -> tuple[int, int]:
    """Return how many articles there are, and how many passages without a vector."""
    _, _, err = run("list", "--archive", archive, folder=folder)
    parts = err.split(", ")
    return int(parts[0].split()[0]), int(parts[2].split()[0]) if "without a vector" in err else 0
