"""Ctrl-C in a bare interpreter: when it is raised, and when the process is ended where it stands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
    pytest.mark.usefixtures("ctrl_c_is_not_ignored"),
]

ROOT = Path(__file__).parent.parent
WAITING = """
import time
try:
    print("waiting", flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    print("raised", flush=True)
"""


def interrupted(code: str, *, folder: Path, grace_s: float) -> tuple[int, str, str]:
    """Press Ctrl-C where some code waits; gives the exit status, the output and the complaints."""
    begin = f"from ui import interruption\ninterruption.GRACE_S = {grace_s}\n"
    program = f"{begin}interruption.Interruption(last_words='Enough.')\n{code}"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_ctrl_c_is_raised_where_code_can_bear_it(tmp_path: Path) -> None:
    assert interrupted(WAITING, folder=tmp_path, grace_s=30) == (0, "raised\n", "")


def test_ctrl_c_is_never_raised_into_an_import(tmp_path: Path) -> None:
    # Libraries that begin in other languages lose it, take it for an error of theirs or abort the process.
    (tmp_path / "library.py").write_text(WAITING, encoding="utf-8")
    assert interrupted("import library", folder=tmp_path, grace_s=0.2) == (130, "", "Enough.")


def test_after_an_import_it_is_raised_again(tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text("", encoding="utf-8")
    assert interrupted(f"import library\n{WAITING}", folder=tmp_path, grace_s=30) == (0, "raised\n", "")
