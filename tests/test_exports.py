"""An archive carried in a file: the same on the other side, and nothing believed that a stranger may have written."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import import_archive, ingest
from rag import Archive, ArchiveError
from rag.config import IngestSettings, Settings
from rag.errors import SourceError
from rag.exports import ExportSummary, export_archive
from rag.imports import open_export
from rag.interfaces import PassageVectors
from rag.schema import IngestSummary, Passage
from tests.hashed_embedder import DIM, HashedEmbedder
from ui.cli import main

HARBOUR = "El puerto de Almadía reabrió tras nueve días de huelga. La naviera perdió 14 millones de euros."
MUSEUM = "The maritime museum reopened after two years of repairs. Its new roof is made of cork."
ROWS = [
    {"id": "1", "outlet": "El Faro", "published": "2024-03-01", "title": "El puerto", "text": f"Síguenos\n{HARBOUR}"},
    {"url": "https://post.example/m", "author": "A. «B» 🇪🇸", "language": "en", "text": MUSEUM},
    {"text": HARBOUR.replace("nueve", "diez")},
]


class NeverEmbedding(HashedEmbedder):
    """Makes the vectors of questions only."""

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        raise AssertionError(f"{len(passages)} passages were embedded")


class OtherEmbedder(HashedEmbedder):
    """The same vectors under another name."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = {"model": "another one"}


def opened(folder: Path, *, embedder: HashedEmbedder | None = None, settings: Settings | None = None) -> Archive:
    return Archive.open(folder, settings=settings or Settings(), embedder=embedder or HashedEmbedder(), create=True)


def counted(summary: IngestSummary) -> tuple[int, int, int, int]:
    return summary.added, summary.changed, summary.unchanged, summary.duplicates


def rows(path: Path, items: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(map(json.dumps, items)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive of three articles, of which one stands at two places, with its export; for copying."""
    place = tmp_path_factory.mktemp("built")
    with opened(place / "here") as archive:
        ingest(archive, rows(place / "rows.jsonl", ROWS))
        ingest(archive, rows(place / "again.jsonl", ROWS[:1]))
    export_archive(place / "here", place / "a.gz")
    return place


@pytest.fixture
def here(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built / "here", tmp_path / "here"))


@pytest.fixture
def file(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built / "a.gz", tmp_path))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Archive]:
    """A new archive to import into."""
    with opened(tmp_path / "there", embedder=NeverEmbedding()) as archive:
        yield archive


def records(file: Path) -> list[dict[str, Any]]:
    """The lines without the hashes that they end with."""
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    return [{name: value for name, value in line.items() if name != "sha256"} for line in lines]


def write(file: Path, items: Sequence[object]) -> None:
    lines = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in items]
    file.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines)))


# ---- there and back


def test_an_archive_comes_back_to_the_byte_without_embedding(here: Path, file: Path, there: Archive) -> None:
    assert counted(import_archive(there, file)) == (3, 0, 0, 0)
    with opened(here) as origin:
        assert there.articles() == origin.articles()
        question = "¿Cuánto perdió la naviera?"
        assert there.search(question) == origin.search(question)
        assert there.ask(question).to_dict()["text"] == origin.ask(question).to_dict()["text"]
    export_archive(there.path, file.with_name("b.gz"))
    assert file.with_name("b.gz").read_bytes() == file.read_bytes()


def test_an_export_says_what_it_wrote(here: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    summary = export_archive(here, tmp_path / "a.gz", progress=lambda done, total: seen.append((done, total)))
    assert summary == ExportSummary(articles=3, passages=3, bytes=(tmp_path / "a.gz").stat().st_size)
    assert seen[-1] == (3, 3)


def test_an_empty_archive_is_carried(tmp_path: Path, there: Archive) -> None:
    with opened(tmp_path / "empty"):
        pass
    export_archive(tmp_path / "empty", tmp_path / "a.gz")
    assert counted(import_archive(there, tmp_path / "a.gz")) == (0, 0, 0, 0)


def test_importing_again_changes_nothing(file: Path, there: Archive) -> None:
    import_archive(there, file)
    assert counted(import_archive(there, file)) == (0, 0, 3, 0)
    export_archive(there.path, file.with_name("b.gz"))
    assert file.with_name("b.gz").read_bytes() == file.read_bytes()


def test_what_is_there_stays_and_what_the_file_knows_better_replaces_it(
    file: Path, tmp_path: Path, there: Archive
) -> None:
    own = [
        {"id": "9", "text": "Una noticia que solo está aquí."},
        {"url": "https://post.example/m", "language": "en", "text": "The museum is closed."},
        {"text": HARBOUR.replace("nueve", "diez"), "id": "with a name of its own"},
    ]
    with opened(tmp_path / "mixed") as mixed:
        ingest(mixed, rows(tmp_path / "own.jsonl", own))
        for expected in ((1, 1, 0, 1), (0, 0, 2, 1)):
            assert counted(import_archive(mixed, file)) == expected
        texts = {article.text: article.places for article in mixed.articles()}
        assert set(texts) == {own[0]["text"], MUSEUM, HARBOUR, own[2]["text"]}
        assert len(texts[own[2]["text"]]) == 2


def test_prints_that_the_file_keeps_apart_are_not_merged_by_one_that_is_here(tmp_path: Path) -> None:
    prints = [{"id": "1", "outlet": "El Faro", "text": HARBOUR}, {"id": "2", "outlet": "Radio", "text": HARBOUR}]
    with opened(tmp_path / "two") as two:
        ingest(two, rows(tmp_path / "two.jsonl", prints))
    export_archive(tmp_path / "two", tmp_path / "two.gz")
    # Without an outlet, so that either print could be the same.
    (tmp_path / "own.txt").write_text(HARBOUR, encoding="utf-8")
    with opened(tmp_path / "own") as own:
        ingest(own, tmp_path / "own.txt")
        for expected in ((1, 0, 0, 1), (0, 0, 1, 1)):
            assert counted(import_archive(own, tmp_path / "two.gz")) == expected
            assert [len(article.places) for article in own.articles() if article.outlet is None] == [2]
            assert len(own.articles()) == 2


def test_vectors_of_another_model_are_made_here(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with opened(tmp_path / "other", embedder=OtherEmbedder()) as other:
        assert counted(import_archive(other, file, notify=said.append)) == (3, 0, 0, 0)
        assert other.counts().without_vectors == 0
        assert other.search("¿Cuánto perdió la naviera?")[0].article.text == HARBOUR
    assert said == [f"{file} was made with other vectors than this archive's: its articles are cut and embedded anew"]


def test_passages_of_another_size_are_cut_anew(file: Path, tmp_path: Path) -> None:
    small = Settings(ingest=IngestSettings(passage_tokens=16))
    with opened(tmp_path / "small", settings=small) as archive:
        assert import_archive(archive, file).passages == archive.counts().passages > 3


def test_passages_that_wait_for_vectors_are_carried_and_embedded_there(here: Path, tmp_path: Path) -> None:
    class Interrupted(HashedEmbedder):
        def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
            raise KeyboardInterrupt

    with opened(here, embedder=Interrupted()) as archive, pytest.raises(KeyboardInterrupt):
        ingest(archive, rows(tmp_path / "late.jsonl", [{"text": "Llegó tarde, y sin vectores."}]))
    export_archive(here, tmp_path / "late.gz")
    with opened(tmp_path / "other") as other:
        import_archive(other, tmp_path / "late.gz")
        assert (other.counts().articles, other.counts().without_vectors) == (4, 0)


# ---- exporting


def test_an_export_needs_no_lock_and_shows_one_state(here: Path, tmp_path: Path) -> None:
    more = rows(tmp_path / "more.jsonl", [{"text": f"Noticia número {at} del día."} for at in range(200)])
    with opened(here) as archive:

        def write_meanwhile(done: int, _: int) -> None:
            if done == 1:
                ingest(archive, more)

        summary = export_archive(here, tmp_path / "a.gz", progress=write_meanwhile)
        assert archive.counts().articles == 203
    assert summary.articles == len([item for item in records(tmp_path / "a.gz") if "article" in item]) == 3


def test_the_file_is_there_only_when_it_is_whole(here: Path, tmp_path: Path) -> None:
    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    target = tmp_path / "out" / "a.gz"
    target.parent.mkdir()
    target.write_bytes(older := gzip.compress(b"an older one"))
    with pytest.raises(KeyboardInterrupt):
        export_archive(here, target, progress=stop)
    assert [path.name for path in target.parent.iterdir()] == ["a.gz"]
    assert target.read_bytes() == older


@pytest.mark.parametrize(
    ("folder", "target", "sentence"),
    [
        ("nowhere", "a.gz", "there is no archive at .*nowhere"),
        (
            "here",
            "no/such/folder/a.gz",
            r"a\.gz cannot be written \(No such file or directory\): name a file elsewhere",
        ),
        ("here", "here/archive.db", r"archive\.db lies in the archive's own folder: name a file elsewhere"),
    ],
    ids=["no archive", "no folder", "onto the archive"],
)
def test_an_export_that_cannot_be_is_told(here: Path, tmp_path: Path, folder: str, target: str, sentence: str) -> None:
    before = (here / "archive.db").read_bytes()
    with pytest.raises(ArchiveError, match=sentence):
        export_archive(tmp_path / folder, tmp_path / target)
    assert (here / "archive.db").read_bytes() == before


def test_an_export_replaces_an_export_and_nothing_else(here: Path, file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    export_archive(here, file)
    assert file.read_bytes() == before
    other = tmp_path / "other.db"
    other.write_bytes(b"SQLite format 3\x00 of somebody else")
    with pytest.raises(ArchiveError, match=r"other\.db is there already and is no export: name another file"):
        export_archive(here, other)
    assert other.read_bytes() == b"SQLite format 3\x00 of somebody else"


def test_the_commands_export_and_refuse_what_is_no_export(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(here):
        # Held by somebody else, which is no hindrance.
        assert main(["export", "b.gz", "--archive", "here"]) == 0
    assert re.fullmatch(r"3 articles, 3 passages, 0\.0 MB: b\.gz\n", capsys.readouterr().out)
    (tmp_path / "rows.jsonl").write_text("{}", encoding="utf-8")
    assert main(["import", "rows.jsonl", "--archive", "new"]) == 2
    assert capsys.readouterr().err.startswith("hemeroteca: rows.jsonl is damaged or no export (Not a gzipped file")
    assert not (tmp_path / "new").exists()


# ---- importing what cannot be believed


def no_gzip(file: Path) -> None:
    file.write_text('{"text": "a row"}', encoding="utf-8")


def other_gzip(file: Path) -> None:
    write(file, [{"text": "a row"}])


def newer(file: Path) -> None:
    write(file, [records(file)[0] | {"version": 2}])


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def lines_missing(file: Path) -> None:
    write(file, records(file)[:-2])


def an_article_missing(file: Path) -> None:
    items = records(file)
    write(file, [items[0] | {"articles": 2}, *items[1:-3], items[-1]])


def goes_on(file: Path) -> None:
    write(file, [*records(file), records(file)[-1]])


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def bomb(file: Path) -> None:
    # Level 9 by hand: a gigabyte of zeros in a megabyte.
    packer = zlib.compressobj(9, wbits=31)
    head = gzip.decompress(file.read_bytes()).splitlines(keepends=True)[0]
    file.write_bytes(
        packer.compress(head + b'{"article": "') + b"".join(packer.compress(bytes(10**6)) for _ in range(99))
    )


def of_lines(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        items = records(file)
        change(items)
        write(file, items)

    return damage


def article(**values: object) -> Callable[[Path], None]:
    return of_lines(lambda items: items[1]["article"].update(values))


def passage(**values: object) -> Callable[[Path], None]:
    return of_lines(lambda items: items[2]["passage"].update(values))


def packed(numbers: object, kind: str) -> str:
    return base64.b64encode(np.asarray(numbers, kind).tobytes()).decode()


def second_passage(start: int) -> Callable[[list[dict[str, Any]]], None]:
    """Cut the first article into two passages: 0 to 3, and from `start` to 4."""

    def change(items: list[dict[str, Any]]) -> None:
        first = items[2]["passage"] | {"end": 3, "sentences": [], "vector": None, "sentence_vectors": None}
        items[2]["passage"] = first
        items[1]["article"]["passages"] = 2
        items.insert(3, {"passage": first | {"id": f"{items[1]['article']['id']}-2", "start": start, "end": 4}})

    return change


def zero_sentences(items: list[dict[str, Any]]) -> None:
    row = items[2]["passage"]
    row["sentence_vectors"] = packed(np.zeros((len(row["sentences"]), DIM)), "<f2")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no gzip": (no_gzip, r"a\.gz is damaged or no export \(Not a gzipped file"),
    "other lines": (other_gzip, r"a\.gz line 1 does not begin an export: name a file that `hemeroteca export` wrote"),
    "newer": (newer, r"line 1 has version 2, this version of Hemeroteca reads 1: update Hemeroteca"),
    "cut off": (cut_off, r"a\.gz is cut off: copy or export it again"),
    "lines missing": (lines_missing, r"line 7 is missing or cut off: copy or export the file again"),
    "an article missing": (an_article_missing, r"line 6 does not end the file with what was counted"),
    "goes on": (goes_on, r"a\.gz goes on after its end"),
    "flipped byte": (flipped, r"a\.gz (is damaged|line \d)"),
    "bomb": (bomb, r"line 2 is longer than 41 MB"),
    "not JSON": (lambda file: write(file, [records(file)[0], b"{"]), r"line 2 is not JSON"),
    "deep JSON": (lambda file: write(file, [records(file)[0], b"[" * 10**5]), r"line 2 is not JSON"),
    "no object": (lambda file: write(file, [[]]), r"line 1 is not a JSON object"),
    "no length": (of_lines(lambda items: items[0]["fingerprint"].update(dim="0")), r"line 1 has vectors of length '0'"),
    "negative count": (of_lines(lambda items: items[0].update(articles=-1)), r"line 1 has -1 for 'articles'"),
    "no text": (article(text="  "), r"line 2 has an article without text"),
    "half a character": (article(title="\ud800"), r"line 2 has control characters in 'title'"),
    "NUL": (article(text="a\0b"), r"line 2 has control characters in 'text'"),
    "number for a title": (article(title=7), r"line 2 has 7 for 'title'"),
    "script as URL": (article(url="javascript:alert(1)"), r"line 2 has the URL 'javascript:alert\(1\)'"),
    "no date": (article(published="2024-13-01"), r"line 2 has the date '2024-13-01'"),
    "no language": (article(language="<b>"), r"line 2 has the language '<b>'"),
    "no hash of a place": (article(sources={"a.txt": None}), r"line 2 has None for 'a.txt'"),
    "article twice": (of_lines(lambda items: items.insert(3, items[1])), r"line 4 has the article '.*' out of order"),
    "passage elsewhere": (passage(start=5, end=10**9), r"line 3 has a passage at 5 to 1000000000"),
    "passage of nothing": (passage(start=5, end=5), r"line 3 has a passage at 5 to 5"),
    "truth for a number": (passage(start=True), r"line 3 has True for 'start'"),
    "passage of another": (passage(id="x-1"), r"line 3 has the passage id 'x-1'"),
    "passages overlap": (of_lines(second_passage(2)), r"line 4 has a passage at 2 to 4"),
    "sentence outside": (passage(sentences=[[0, 10**6]]), r"line 3 has a sentence at 0 to 1000000"),
    "sentences overlap": (passage(sentences=[[0, 5], [4, 9]]), r"line 3 has a sentence at 4 to 9"),
    "no base64": (passage(vector="?"), r"line 3 has a vector that is not base64"),
    "short vector": (passage(vector=packed([1.0], "<f4")), r"line 3 has a vector of 4 bytes, not 256"),
    "not a number": (passage(vector=packed([np.nan] * DIM, "<f4")), r"line 3 has a vector that is not of unit length"),
    "long vector": (passage(vector=packed([2.0] * DIM, "<f4")), r"line 3 has a vector that is not of unit length"),
    "zero vector": (passage(vector=packed([0.0] * DIM, "<f4")), r"line 3 has a vector that is not of unit length"),
    "zero sentences": (
        of_lines(zero_sentences),
        r"line 3 has a sentence_vectors that is not of unit length",
    ),
    "half a pair": (passage(sentence_vectors=None), r"line 3 has None for 'sentence_vectors'"),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_not_whole_or_not_to_be_believed_is_refused(
    file: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(file)
    with pytest.raises(SourceError, match=sentence) as refused, open_export(file, max_article_mb=10) as export:
        list(export.kept)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("perdió 14 millones", "perdió 41 millones"),
        ("tras nueve días", "tras nueve largos días"),
        ('"title":"El puerto"', '"title":"El muelle"'),
        ('"start":0', '"start":1'),
        ('"articles":3', '"articles":2'),
    ],
    ids=["a number", "a word more", "a title", "an offset", "a count"],
)
def test_what_was_edited_after_the_export_is_told_and_nothing_of_it_taken(
    file: Path, there: Archive, before: str, after: str
) -> None:
    lines = gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True)
    at = next(at for at, line in enumerate(lines) if before in line)
    lines[at] = lines[at].replace(before, after, 1)
    file.write_bytes(gzip.compress("".join(lines).encode()))
    with pytest.raises(
        SourceError, match=rf"a\.gz line {at + 1} was changed after it was exported: export the archive"
    ):
        import_archive(there, file)
    assert there.articles() == []


def test_the_hash_of_a_line_is_that_of_the_line_without_it(file: Path) -> None:
    for line in gzip.decompress(file.read_bytes()).splitlines():
        record, _, said = line.rpartition(b',"sha256":')
        assert said == b'"%s"}' % hashlib.sha256(record + b"}").hexdigest().encode()


def test_a_file_that_unpacks_without_end_is_refused(file: Path) -> None:
    items = records(file)
    article = items[1]["article"] | {"id": "ID", "passages": 0, "text": "TEXT"}
    before, after = json.dumps({"article": article}).split("TEXT")
    lines = [f"{before}{'a' * 30_000_000}{after}".replace("ID", f"x{at}", 1).encode() for at in range(3)]
    content = b"\n".join([json.dumps(items[0] | {"articles": 3}).encode(), *lines, b""])
    file.write_bytes(gzip.compress(content, compresslevel=1))
    expected = r"line 4 shows that the file unpacks to far more than an archive would"
    with pytest.raises(SourceError, match=expected), open_export(file, max_article_mb=10) as export:
        list(export.kept)


def test_a_file_that_is_damaged_at_its_end_leaves_nothing_of_its_beginning(file: Path, tmp_path: Path) -> None:
    items = records(file)
    items[-2]["passage"]["start"] = -1
    write(file, items)
    with opened(tmp_path / "there") as there:
        with pytest.raises(SourceError, match="line 7 has -1 for 'start'"):
            import_archive(there, file)
        assert (there.articles(), there.search("naviera")) == ([], [])
