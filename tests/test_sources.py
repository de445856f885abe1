import os
from pathlib import Path
from typing import Any

import pytest

from ingest.sources import find_files
from rag.schema import IngestFailure


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_folders_are_walked_in_order_without_hidden_and_other_files(tmp_path: Path) -> None:
    wanted = [write(tmp_path / name) for name in ("b.txt", "c.JSONL", "a/z.md")]
    for name in (".hidden.txt", ".git/x.txt", "photo.png", "notes", "a/.z.md"):
        write(tmp_path / name)
    assert list(find_files([tmp_path])) == wanted


def test_each_file_comes_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt")
    assert list(find_files([file, tmp_path, tmp_path / "." / "a.txt"])) == [file]


def test_missing_path_is_a_failure_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt")
    missing = tmp_path / "nowhere"
    assert list(find_files([missing, file])) == [IngestFailure(str(missing), "does not exist: check the path"), file]


def test_named_file_of_another_kind_is_a_failure(tmp_path: Path) -> None:
    picture = write(tmp_path / "photo.png")
    (failure,) = find_files([picture])
    assert isinstance(failure, IngestFailure)
    assert failure.reason == "is of a kind that cannot be read (.png): give .txt, .md or .jsonl"


def test_folder_without_anything_to_read_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path / "photo.png")
    (failure,) = find_files([tmp_path])
    assert failure == IngestFailure(str(tmp_path), "holds no .txt, .md or .jsonl file: give another folder")


def test_named_file_that_cannot_be_looked_at_is_a_failure_and_the_rest_goes_on(tmp_path: Path) -> None:
    # A name longer than the system takes: like a folder without permission, but for the superuser as well.
    file = write(tmp_path / "a.txt")
    failure, found = find_files([tmp_path / ("x" * 300 + ".txt"), file])
    assert isinstance(failure, IngestFailure)
    assert failure.reason.startswith("cannot be opened (")
    assert failure.reason.endswith("): check that it exists and may be read")
    assert found == file


# The superuser may open everything, so permission is refused here by what asks the system for it.
def test_folder_that_may_not_be_listed_is_a_failure_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "closed" / "b.txt")
    file = write(tmp_path / "open" / "a.txt")
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    reason = "cannot be opened (Permission denied): check that it exists and may be read"
    assert list(find_files([tmp_path])) == [file, IngestFailure(str(tmp_path / "closed"), reason)]


def test_folder_that_may_be_listed_but_not_entered_is_a_failure_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = write(tmp_path / "closed" / "b.txt")
    file = write(tmp_path / "open" / "a.txt")
    status = os.stat

    def refusing(path: Any, **options: Any) -> Any:
        if path == closed:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return status(path, **options)

    monkeypatch.setattr(os, "stat", refusing)
    reason = "cannot be opened (Permission denied): check that it exists and may be read"
    assert list(find_files([tmp_path])) == [file, IngestFailure(str(closed), reason)]


def test_file_whose_name_is_not_utf_8_is_found_and_a_failure_about_it_can_be_written(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/espa\xf1a")
    (failure,) = find_files([Path(name)])
    assert failure == IngestFailure(str(tmp_path / r"espa\xf1a"), "does not exist: check the path")


def test_loop_of_links_ends(tmp_path: Path) -> None:
    file = write(tmp_path / "a" / "a.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self.txt").symlink_to(tmp_path / "a" / "self.txt")
    assert list(find_files([tmp_path])) == [file]
