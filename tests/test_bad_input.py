"""Files as they come: taken in rightly or refused in one sentence, and the rest goes on; a whole ingest, real parts."""

from __future__ import annotations

import codecs
import json
import re
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingest import ingest
from rag.archive import Archive
from rag.config import IngestSettings, Settings
from rag.schema import Article, IngestSummary
from tests.hashed_embedder import HashedEmbedder

if TYPE_CHECKING:
    from rag.interfaces import Embedder

PLAIN = "El alcalde de Almoral abrió el «puente» nuevo. Costó tres millones, según el señor Muñoz…"
LATIN = PLAIN.replace("…", ".")
BINARY = "is not text but a binary file: convert it to text first"
EMPTY = "is empty: there is no text to take in"


def row(**fields: Any) -> str:
    return json.dumps({"text": f"Artículo {fields.get('id', '')} del puente de Almoral.", **fields}, ensure_ascii=False)


TEXTS: Mapping[str, bytes] = {
    "utf-8.txt": PLAIN.encode(),
    "utf-8-bom.txt": codecs.BOM_UTF8 + PLAIN.encode(),
    "latin-1.txt": LATIN.encode("latin-1"),
    "windows-1252.txt": PLAIN.encode("cp1252"),
    "utf-16-le-bom.txt": codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"),
    "utf-16-be-bom.md": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
    "utf-16-le.txt": PLAIN.encode("utf-16-le"),
    "utf-16-be.txt": PLAIN.encode("utf-16-be"),
    "utf-32.txt": PLAIN.encode("utf-32"),
}
"""Files that all hold PLAIN, or LATIN."""

REFUSED: Mapping[str, tuple[bytes, str]] = {
    "empty.txt": (b"", EMPTY),
    "empty.md": (b"", EMPTY),
    "empty.jsonl": (b"", EMPTY),
    "blank.txt": (b" \n\t\n", EMPTY),
    "mark only.txt": (codecs.BOM_UTF16_LE, EMPTY),
    "unseen.txt": ("\u200b\u202e\ufeff".encode(), "holds no text of an article once boilerplate is cut"),
    "binary.txt": (bytes(range(256)) * 8, BINARY),
    "binary.jsonl": (bytes(range(256)) * 8, BINARY),
    "picture.md": (b"\x89PNG\r\n\x1a\n" + bytes(100), BINARY),
    "archive.txt": (b"PK\x03\x04 zip", BINARY),
    "broken mark.txt": (codecs.BOM_UTF16_LE + b"\x00\xdca\x00", "is not the utf-16 that its first bytes announce"),
    "large.txt": (b"x" * 20_001, "is larger than 0.02 MB: split it, or raise ingest.max_article_mb"),
    "boilerplate.txt": (b"Publicidad\n", "holds no text of an article once boilerplate is cut: check the source"),
}
ROWS: tuple[tuple[str | bytes, str], ...] = (
    (row(id="first"), ""),
    ("{not JSON", "is not JSON (Expecting property name"),
    ('{"text": "half', "is not JSON ("),
    ("[" * 15_000, "is not JSON ("),
    ("null", "is not a JSON object but NoneType"),
    ('{"title": "no text"}', 'has no text: give the article in the field "text"'),
    ('{"text": ""}', 'has an empty text: give the article in the field "text"'),
    ('{"text": 5}', "has a text that is int, not a string"),
    (row(id="b", published="the day before"), "has the date 'the day before', which is none: write it as YYYY-MM-DD"),
    (row(id="c", published="2024-02-30"), "has the date '2024-02-30', which is none"),
    (row(id="d", published="9" * 5000), "has the date '999"),
    (row(id="first", text="Otro texto."), "has the id 'first' of line 1 but another text: give each its own id"),
    (row(id="e", title=["a"]), "has ['a'] in the field \"title\": give a string"),
    (row(id=1.5), 'has 1.5 in the field "id": give a string'),
    (row(id="f", text="x" * 20_001), "is larger than 0.02 MB"),
    (row(id="last").encode("cp1252"), ""),
)
"""Lines of one file, each with the beginning of its failure or none."""


@pytest.fixture
def archive(tmp_path: Path, embedder: Embedder) -> Iterator[Archive]:
    settings = Settings(ingest=IngestSettings(max_article_mb=0.02))
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=settings) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "news").mkdir()
    return tmp_path / "news"


def assert_whole(archive: Archive) -> list[Article]:
    """Every article has its passages, all with vectors, and each of them is a slice of its text."""
    articles = archive.articles()
    counts = archive.counts()
    assert (counts.articles, counts.without_vectors) == (len(articles), 0)
    for hit in archive.search("Almoral", k=50):
        assert hit.passage.text == hit.article.text[hit.passage.start : hit.passage.end]
    return articles


def one_sentence(summary: IngestSummary) -> dict[str, str]:
    for failure in summary.failures:
        assert "\n" not in failure.reason
        assert len(failure.reason) < 300
    return {failure.place: failure.reason for failure in summary.failures}


def test_bad_files_are_refused_in_a_sentence_each_and_the_rest_goes_on(archive: Archive, folder: Path) -> None:
    for name, content in [*TEXTS.items(), *((name, content) for name, (content, _) in REFUSED.items())]:
        (folder / name).write_bytes(content)
    (folder / "word.txt").write_text("Almoral", encoding="utf-8")
    reasons = one_sentence(ingest(archive, folder))
    assert reasons.keys() == {str(folder / name) for name in REFUSED}
    for name, (_, expected) in REFUSED.items():
        assert reasons[str(folder / name)].startswith(expected)
    texts = {article.text: len(article.places) for article in assert_whole(archive)}
    assert texts == {PLAIN: len(TEXTS) - 1, LATIN: 1, "Almoral": 1}


def test_bad_rows_are_refused_with_their_line_and_the_rest_goes_on(archive: Archive, folder: Path) -> None:
    file = folder / "rows.jsonl"
    file.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line, _ in ROWS))
    reasons = one_sentence(ingest(archive, file))
    expected = {f"{file} line {number}": reason for number, (_, reason) in enumerate(ROWS, start=1) if reason}
    assert reasons.keys() == expected.keys()
    for place, reason in expected.items():
        assert reasons[place].startswith(reason)
    assert {article.given_id for article in assert_whole(archive)} == {"first", "last"}
    assert archive.article("last").text == "Artículo last del puente de Almoral."


# What no reader sees or what turns the line around; C0 controls go when a file is read, the rest stays as published.
UNSEEN = "\x85\x9b\u00ad\u061c\u200b\u200d\u200e\u2028\u202e\u202c\u2066\u2069\ufeff\ufffe"


def test_unseen_characters_are_stored_shown_and_cited_with_exact_offsets(
    archive: Archive, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ui.cli import main

    text = f"El puente{UNSEEN} de Almoral \x1b[31mcostó\x00 tres{UNSEEN} millones. Lo pagó\ud800 el Estado."
    fields = {name: f"{name}\x1b]0;x\x07{UNSEEN}\ud800." for name in ("title", "outlet", "author", "id")}
    (folder / f"a\x1b[2J\u202e{'b' * 9}.jsonl").write_text(json.dumps({**fields, "text": text}), encoding="utf-8")
    (folder / "\x1b[2J\u202ebad.txt").write_bytes(b"")
    summary = ingest(archive, folder)
    assert (summary.added, summary.failed) == (1, 1)
    [article] = assert_whole(archive)
    assert article.text == text.replace("\x1b", "").replace("\x00", "").replace("\ud800", "\ufffd")
    answer = archive.ask("¿Cuánto costó el puente de Almoral?")
    assert answer.status == "answered"
    assert all(citation.quote == article.text[citation.start : citation.end] for citation in answer.citations)
    archive.close()
    place = ["--archive", str(archive.path)]
    for command in (["list"], ["show", article.id], ["ask", "¿Cuánto costó el puente?"], ["ingest", str(folder)]):
        for options in ([], ["--json"]):
            main([*command, *options, *place])
            printed = capsys.readouterr()
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed.out + printed.err)


def test_endless_title_outlet_and_id_are_taken_in(archive: Archive, folder: Path) -> None:
    endless = "Almoral " * 300
    (folder / "a.jsonl").write_text(row(title=endless, outlet=endless, id=endless, author=endless), encoding="utf-8")
    assert ingest(archive, folder).added == 1
    assert archive.search("Almoral", outlets=[endless.strip()], k=1)
    assert_whole(archive)


@pytest.mark.slow
def test_ten_thousand_articles_of_one_sentence_take_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(row(id=str(number)) for number in range(10_000)), encoding="utf-8")
    embedder = HashedEmbedder()
    with Archive.open(tmp_path / "archive", create=True, embedder=embedder, settings=Settings()) as archive:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert ingest(archive, file).added == 10_000
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert grown_mb < 500
        assert (archive.counts().articles, archive.counts().passages) == (10_000, 10_000)
        [hit] = archive.search("Artículo 7321", k=1)
        assert hit.article.given_id == "7321"
        assert ingest(archive, file).unchanged == 10_000
