from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that this checkout builds."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The Python of an empty environment with the wheel in it.

    Its dependencies are those of the environment that runs the tests, through a path file: such a file of *that*
    environment is not followed, so the checkout itself, installed there as editable, is not seen from here.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    found = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _pip("--python", str(found), "install", "--no-index", "--no-deps", str(wheel))
    (site,) = folder.rglob("site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return found


def test_the_wheel_holds_the_packages_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"rag", "ingest", "ui", "eval"}
    kept = {
        str(path.relative_to(ROOT).as_posix())
        for package in ("rag", "ingest", "ui", "eval")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept <= set(names)
    assert {"eval/data/sample.jsonl", "eval/data/gold.jsonl", "rag/py.typed"} <= kept


def test_the_wheel_is_what_is_imported(python: Path, tmp_path: Path) -> None:
    code = "import rag, ingest, ui, eval; print(*(package.__file__ for package in (rag, ingest, ui, eval)), sep='\\n')"
    files = _run(python, "-c", code, cwd=tmp_path).splitlines()
    assert len(files) == 4
    assert [file for file in files if not Path(file).is_relative_to(python.parent.parent)] == []


def test_the_sample_is_taken_in_and_asked_elsewhere(python: Path, tmp_path: Path) -> None:
    sample = _run(
        python, "-c", "import eval, os; print(os.path.join(*eval.__path__, 'data', 'sample.jsonl'))", cwd=tmp_path
    )
    command = python.parent / "hemeroteca"
    taken = _run(command, "ingest", sample.strip(), "--archive", "here", cwd=tmp_path)
    assert " 0 failed" in taken
    question = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"
    assert "Kelmar" in _run(command, "ask", question, "--archive", "here", cwd=tmp_path)


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def _run(program: Path, *arguments: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run = subprocess.run(
        [str(program), *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
