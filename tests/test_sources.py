from pathlib import Path

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


def test_loop_of_links_ends(tmp_path: Path) -> None:
    file = write(tmp_path / "a" / "a.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self.txt").symlink_to(tmp_path / "a" / "self.txt")
    assert list(find_files([tmp_path])) == [file]
