"""One ingest after another on real parts: what is kept, what is refused, what stays as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import ingest
from rag import Archive
from rag.config import Settings
from rag.interfaces import Embedder
from rag.schema import IngestSummary

TEXT = "El Gobierno firmó ayer el acuerdo con la región vecina. Las obras empezarán en junio, según el ministro."
OTHER = TEXT.replace("Gobierno", "Senado")


@pytest.fixture
def archive(tmp_path: Path, embedder: Embedder) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        yield archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return tmp_path / "src"


def with_url(path: Path, text: str, *, url: str = "https://faro.example/1") -> Path:
    path.write_text(f"---\nurl: {url}\n---\n{text}\n", encoding="utf-8")
    return path


def rows(path: Path, *items: dict[str, str]) -> Path:
    path.write_text("\n".join(json.dumps(item) for item in items), encoding="utf-8")
    return path


def counted(summary: IngestSummary) -> tuple[int, int, int, int, int]:
    return summary.added, summary.changed, summary.unchanged, summary.duplicates, summary.failed


@pytest.mark.parametrize("kind", [str, Path], ids=["text", "path"])
def test_a_single_path_is_taken_as_it_is(archive: Archive, folder: Path, kind: type[str] | type[Path]) -> None:
    (folder / "a.txt").write_text(TEXT, encoding="utf-8")
    assert counted(ingest(archive, kind(folder))) == (1, 0, 0, 0, 0)


def test_no_path_at_all_is_an_error(archive: Archive) -> None:
    with pytest.raises(ValueError, match="no path to take in: give at least one file or folder"):
        ingest(archive, [])


def test_a_name_that_is_not_utf_8_is_taken_in(archive: Archive, folder: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/espa\xf1a.txt")).write_text(TEXT, encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    assert counted(ingest(archive, [folder])) == (1, 0, 0, 0, 0)
    assert archive.articles()[0].places == (str(folder / r"espa\xf1a.txt"),)
    assert counted(ingest(archive, [folder])) == (0, 0, 1, 0, 0)


def test_one_file_by_two_spellings_is_one_article(archive: Archive, folder: Path) -> None:
    file = folder / "a.txt"
    file.write_text(TEXT, encoding="utf-8")
    ingest(archive, file)
    file.write_text(OTHER, encoding="utf-8")
    assert counted(ingest(archive, folder / ".." / "src" / "a.txt")) == (0, 1, 0, 0, 0)
    assert [article.text.strip() for article in archive.articles()] == [OTHER]


def test_of_two_texts_with_one_url_the_first_stays_and_the_other_is_refused_every_time(
    archive: Archive, folder: Path
) -> None:
    first, second = with_url(folder / "a.md", TEXT), with_url(folder / "b.md", OTHER)
    reason = f"has the URL https://faro.example/1 of {first}, with another text or other details: keep one of the two"
    for expected in ((1, 0, 0, 0, 1), (0, 0, 1, 0, 1), (0, 0, 1, 0, 1)):
        summary = ingest(archive, [folder])
        assert counted(summary) == expected
        assert [(failure.place, failure.reason) for failure in summary.failures] == [(str(second), reason)]
        assert [article.text.strip() for article in archive.articles()] == [TEXT]


def test_the_text_that_was_known_gives_way_once_to_the_one_that_is_first(archive: Archive, folder: Path) -> None:
    with_url(folder / "b.md", OTHER)
    ingest(archive, [folder])
    with_url(folder / "a.md", TEXT)
    assert counted(ingest(archive, [folder])) == (0, 1, 0, 0, 1)
    for _ in range(2):
        assert counted(ingest(archive, [folder])) == (0, 0, 1, 0, 1)
        assert TEXT in [article.text.strip() for article in archive.articles()]


def test_equal_texts_with_one_url_are_one_article_with_two_places(archive: Archive, folder: Path) -> None:
    first = with_url(folder / "a.md", TEXT)
    second = with_url(folder / "b.md", TEXT, url="http://Faro.example/1/?utm_source=x")
    third = with_url(folder / "c.md", f"Publicidad\n{TEXT}")
    assert counted(ingest(archive, [folder])) == (1, 0, 2, 0, 0)
    assert archive.articles()[0].places == (str(first), str(second), str(third))
    assert counted(ingest(archive, [folder])) == (0, 0, 3, 0, 0)


def test_one_id_in_two_files_of_an_outlet_with_other_texts_is_refused(archive: Archive, folder: Path) -> None:
    first = rows(folder / "a.jsonl", {"id": "7", "outlet": "El Faro", "text": TEXT})
    rows(folder / "b.jsonl", {"id": "7", "outlet": "El Faro", "text": OTHER})
    for expected in ((1, 0, 0, 0, 1), (0, 0, 1, 0, 1)):
        summary = ingest(archive, [folder])
        assert counted(summary) == expected
        assert summary.failures[0].reason.startswith(f"has the id '7' of {first} line 1, with another text")


def test_rows_of_equal_text_and_other_titles_are_kept_once(archive: Archive, folder: Path) -> None:
    rows(folder / "a.jsonl", {"text": TEXT, "title": "Acuerdo"}, {"text": TEXT, "title": "Firma"})
    for expected in ((1, 0, 1, 0, 0), (0, 0, 2, 0, 0)):
        assert counted(ingest(archive, [folder])) == expected
        assert [article.title for article in archive.articles()] == ["Acuerdo"]


def test_failures_name_the_path_as_it_was_given(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "empty.txt").write_text("", encoding="utf-8")
    (folder / "only.txt").write_text("Publicidad", encoding="utf-8")
    rows(folder / "rows.jsonl", {"title": "nothing"}, {"text": "Publicidad"})
    monkeypatch.chdir(folder.parent)
    places = {failure.place for failure in ingest(archive, ["src"]).failures}
    parts = ("empty.txt", "only.txt", "rows.jsonl line 1", "rows.jsonl line 2")
    assert places == {os.path.join("src", part) for part in parts}  # noqa: PTH118


def test_a_row_without_a_name_is_read_again_when_its_article_changed_in_the_same_ingest(
    archive: Archive, folder: Path
) -> None:
    second = rows(folder / "b.jsonl", {"text": TEXT, "title": "Acuerdo"})
    ingest(archive, second)
    first = rows(folder / "a.jsonl", {"text": TEXT, "title": "Firma"})
    for expected in ((0, 1, 1, 0, 0), (0, 0, 2, 0, 0)):
        assert counted(ingest(archive, [folder])) == expected
        known = {place: article.title for article in archive.articles() for place in article.places}
        assert known[f"{first} line 1"] == known[f"{second} line 1"] == "Firma"


def test_a_row_without_a_name_stays_as_it_is_when_the_equal_text_it_was_kept_under_changes(
    archive: Archive, folder: Path
) -> None:
    ingest(archive, rows(folder / "a.jsonl", {"id": "a", "text": TEXT}, {"text": TEXT}))
    assert len(archive.articles()) == 1
    file = rows(folder / "a.jsonl", {"id": "a", "text": OTHER}, {"text": TEXT}, {"text": TEXT, "title": "Acuerdo"})
    for expected in ((0, 1, 2, 0, 0), (0, 0, 3, 0, 0)):
        assert counted(ingest(archive, file)) == expected
        assert sorted((article.text.strip(), len(article.places)) for article in archive.articles()) == [
            (TEXT, 2),
            (OTHER, 1),
        ]
