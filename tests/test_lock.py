"""Who holds an archive: one process at a time, and a sentence for the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.errors import ArchiveError, ArchiveLockedError
from rag.lock import hold

HOLD_AND_WAIT = """
import sys
from pathlib import Path
from rag.lock import hold
held = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def holding_process(folder: Path) -> subprocess.Popen[bytes]:
    """Return a process that holds the folder until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_WAIT, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    held = hold(tmp_path)
    with pytest.raises(ArchiveLockedError, match=f"held by process {os.getpid()} "):
        hold(tmp_path)
    held.release()
    hold(tmp_path).release()


def test_a_hold_is_released_from_another_thread(tmp_path: Path) -> None:
    held = hold(tmp_path)
    thread = threading.Thread(target=held.release)
    thread.start()
    thread.join()
    hold(tmp_path).release()


def test_a_hold_taken_in_a_thread_that_ended_is_released_here(tmp_path: Path) -> None:
    holds = []
    thread = threading.Thread(target=lambda: holds.append(hold(tmp_path)))
    thread.start()
    thread.join()
    with pytest.raises(ArchiveLockedError):
        hold(tmp_path)
    holds[0].release()
    hold(tmp_path).release()


def test_another_process_is_named_by_pid_and_command(tmp_path: Path) -> None:
    with holding_process(tmp_path) as process, pytest.raises(ArchiveLockedError) as caught:
        hold(tmp_path)
    said = str(caught.value)
    assert f"held by process {process.pid} (-c, since 20" in said
    assert said.endswith("close that one first, or use another archive")


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with holding_process(tmp_path) as process:
        process.kill()
    assert json.loads((tmp_path / "holder.json").read_text())["pid"] == process.pid
    hold(tmp_path).release()


def test_the_note_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "holder.json").write_text('{"pid": 1, "command": "gone", "since": "1999"}')
    held = hold(tmp_path)
    assert json.loads((tmp_path / "holder.json").read_text())["pid"] == os.getpid()
    held.release()
    assert not (tmp_path / "holder.json").exists()


@pytest.mark.parametrize("note", ["", "{", "[]", "null", "{}", "\x00"])
def test_a_damaged_note_still_gives_a_sentence(tmp_path: Path, note: str) -> None:
    held = hold(tmp_path)
    (tmp_path / "holder.json").write_text(note)
    with pytest.raises(ArchiveLockedError, match="is held by another process: close that one first"):
        hold(tmp_path)
    held.release()


def test_the_note_tells_nothing_of_the_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/hemeroteca", "ask", "¿quién soy?"])
    held = hold(tmp_path)
    assert json.loads((tmp_path / "holder.json").read_text())["command"] == "hemeroteca ask"
    held.release()


def test_releasing_twice_is_harmless(tmp_path: Path) -> None:
    held = hold(tmp_path)
    held.release()
    other = hold(tmp_path)
    held.release()
    with pytest.raises(ArchiveLockedError):
        hold(tmp_path)
    other.release()


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("not a folder")
    with pytest.raises(ArchiveError, match=r"archive .*archive cannot be written \(.+\): check its permissions"):
        hold(tmp_path / "archive")


def test_a_note_that_cannot_be_written_leaves_the_folder_free(tmp_path: Path) -> None:
    (tmp_path / "holder.json").mkdir()
    with pytest.raises(ArchiveError, match="cannot be written"):
        hold(tmp_path)
    (tmp_path / "holder.json").rmdir()
    hold(tmp_path).release()
