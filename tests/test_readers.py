import codecs
import json
import os
from datetime import date
from pathlib import Path

import pytest

from ingest.readers import Draft, normalised, parse_date, read_file
from rag.schema import IngestFailure


def only(path: Path, content: bytes | str, *, max_mb: float = 1) -> Draft | IngestFailure:
    (item,) = read(path, content, max_mb=max_mb)
    return item


def read(path: Path, content: bytes | str, *, max_mb: float = 1) -> list[Draft | IngestFailure]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_file(path, max_mb=max_mb))


def drafted(path: Path, content: bytes | str) -> Draft:
    item = only(path, content)
    assert isinstance(item, Draft)
    return item


def reason(path: Path, content: bytes | str, *, max_mb: float = 1) -> str:
    item = only(path, content, max_mb=max_mb)
    assert isinstance(item, IngestFailure)
    return item.reason


@pytest.mark.parametrize(
    "content",
    [
        "La «cumbre» de Pekín…".encode(),
        codecs.BOM_UTF8 + "La «cumbre» de Pekín…".encode(),
        codecs.BOM_UTF16_LE + "La «cumbre» de Pekín…".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "La «cumbre» de Pekín…".encode("utf-16-be"),
        "La «cumbre» de Pekín…".encode("cp1252"),
        "La «cumbre» de Peki\u0301n…".encode(),
        "La «cumbre» de Pekín…".encode("utf-16-le"),
        "La «cumbre» de Pekín…".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "La «cumbre» de Pekín…".encode("utf-32-le"),
        b"\x00\x1b" + "La «cumbre» de Pekín…".encode(),
    ],
    ids=[
        *("utf-8", "utf-8-bom", "utf-16-le", "utf-16-be", "windows-1252", "combining accent", "utf-16-le unmarked"),
        *("utf-16-be unmarked", "utf-32", "stray controls"),
    ],
)
def test_text_is_read_in_any_usual_encoding(tmp_path: Path, content: bytes) -> None:
    assert drafted(tmp_path / "a.txt", content).text.rstrip() == "La «cumbre» de Pekín…"


def test_letters_that_windows_1252_lacks_are_latin_1(tmp_path: Path) -> None:
    assert drafted(tmp_path / "a.txt", b"Pek\xedn \x81").text == "Pekín \x81"


def test_one_broken_byte_leaves_the_rest_of_utf_8_as_it_is(tmp_path: Path) -> None:
    assert (
        drafted(tmp_path / "a.txt", "Pekín, París y M\xfcnich".encode() + b" a\xff").text
        == "Pekín, París y Münich a\ufffd"
    )


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"], ids=str
)
def test_rows_are_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    rows = '{"text": "La cumbre de Pekín"}\r\n\r\n{"text": "El «pacto» de París"}\n'
    first, second = read(tmp_path / "a.jsonl", rows.encode(encoding))
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert (first.text, second.text, second.line) == ("La cumbre de Pekín", "El «pacto» de París", 3)


def test_file_that_is_not_what_its_mark_announces_is_a_failure(tmp_path: Path) -> None:
    expected = "is not the utf-16 that its first bytes announce: save it as UTF-8"
    broken = codecs.BOM_UTF16_LE + b"\x00\xdca\x00"
    assert reason(tmp_path / "a.txt", broken) == expected
    assert reason(tmp_path / "a.jsonl", broken) == expected


def test_line_ends_become_line_feeds_and_controls_go() -> None:
    assert normalised("a\r\nb\rc\nd\te\x07f\x0cg\ud800") == "a\nb\nc\nd\tef\ng\ufffd"


def test_zero_width_and_emoji_stay() -> None:
    text = "a\u200bb 👩\u200d👧 \u202ec"
    assert normalised(text) == text


def test_place_of_a_file_is_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert drafted(Path("a.txt"), "Hola.").place == str(tmp_path / "a.txt")


def test_place_is_the_same_by_every_spelling(tmp_path: Path) -> None:
    drafted(tmp_path / "a.txt", "Hola.")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    (tmp_path / "folder").mkdir()
    spellings = [tmp_path / "a.txt", tmp_path / "folder" / ".." / "a.txt", tmp_path / "link.txt"]
    places = {item.place for path in spellings for item in read_file(path, max_mb=1)}
    assert places == {str(tmp_path / "a.txt")}


@pytest.mark.parametrize("content", ["Hola.", ""], ids=["text", "failure"])
def test_place_of_a_file_whose_name_is_not_utf_8_can_be_written(tmp_path: Path, content: str) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/espa\xf1a.txt"))
    try:
        item = only(path, content)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    assert item.place == str(tmp_path / r"espa\xf1a.txt")


def test_long_blanks_in_a_heading_or_front_matter_end(tmp_path: Path) -> None:
    # No clock: with a pattern that tries every split of the blanks, these take hours.
    blanks = " " * 50_000
    draft = drafted(tmp_path / "a.md", f"---\nkey{blanks}\nother:{blanks}\n---\n# a{blanks}b\n")
    assert draft.title == "a b"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.jsonl"])
@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 text", b"\x89PNG\r\n", bytes(range(256)) * 4, b"\x07\x00" * 200],
    ids=["pdf", "png", "any", "numbers of two bytes"],
)
def test_binary_file_is_one_failure(tmp_path: Path, content: bytes, name: str) -> None:
    assert reason(tmp_path / name, content) == "is not text but a binary file: convert it to text first"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.jsonl"])
def test_empty_file_is_a_failure(tmp_path: Path, name: str) -> None:
    assert reason(tmp_path / name, "") == "is empty: there is no text to take in"


def test_file_over_the_limit_is_a_failure(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.txt", "x" * 2001, max_mb=0.002).startswith("is larger than 0.002 MB")


def test_missing_file_is_a_failure(tmp_path: Path) -> None:
    (failure,) = read_file(tmp_path / "no.txt", max_mb=1)
    assert isinstance(failure, IngestFailure)
    assert failure.reason.startswith("cannot be opened")


def test_front_matter_of_markdown_is_metadata(tmp_path: Path) -> None:
    fields = 'title: "El puerto: reabre"\nDate: 2024-06-19\noutlet: El Faro\nurl: https://faro.es/a\nmood: calm'
    text = f"---\n{fields}\n---\nTexto.\n"
    draft = drafted(tmp_path / "a.md", text)
    assert (draft.text, draft.title, draft.outlet, draft.url) == (
        "Texto.\n",
        "El puerto: reabre",
        "El Faro",
        "https://faro.es/a",
    )
    assert draft.published == date(2024, 6, 19)


def test_first_heading_of_markdown_is_the_title_and_stays_in_the_text(tmp_path: Path) -> None:
    draft = drafted(tmp_path / "a.md", "# El puerto reabre #\n\nTexto **fuerte**.")
    assert draft.title == "El puerto reabre"
    assert draft.text == "# El puerto reabre #\n\nTexto **fuerte**."


def test_rule_in_markdown_is_no_front_matter(tmp_path: Path) -> None:
    assert drafted(tmp_path / "a.md", "---\nTexto: uno.").text == "---\nTexto: uno."


def test_row_gives_all_its_fields(tmp_path: Path) -> None:
    row = {
        "text": "Hola\r\nmundo.",
        "id": 7,
        "title": " Un\ntítulo ",
        "published": "2024-06-19T23:30:00-05:00",
        "outlet": "El Faro",
        "url": "https://faro.es/a",
        "author": "Ana",
        "language": "es",
    }
    path = tmp_path / "a.jsonl"
    draft = drafted(path, "\n" + json.dumps(row) + "\n")
    assert draft == Draft(
        text="Hola\nmundo.",
        place=f"{path} line 2",
        line=2,
        title="Un título",
        published=date(2024, 6, 19),
        outlet="El Faro",
        url="https://faro.es/a",
        author="Ana",
        language="es",
        given_id="7",
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{no", "is not JSON"),
        ("[1]", 'is not a JSON object but list: write {"text": …}'),
        ("[" * 100_000, "is not JSON"),
        ('{"title": "a"}', 'has no text: give the article in the field "text"'),
        ('{"text": 5}', "has a text that is int, not a string"),
        ('{"text": " \\n"}', "has an empty text"),
        ('{"text": "a", "published": "pronto"}', "has the date 'pronto', which is none: write it as YYYY-MM-DD"),
        ('{"text": "a", "published": 20240619}', "has the date 20240619, which is none"),
        ('{"text": "a", "title": ["b"]}', "has ['b'] in the field \"title\": give a string"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_row_is_a_failure_with_its_line_and_the_rest_goes_on(
    tmp_path: Path, line: str | bytes, expected: str
) -> None:
    path = tmp_path / "a.jsonl"
    content = line.encode() if isinstance(line, str) else line
    bad, good = read(path, content + b'\n{"text": "bien"}')
    assert isinstance(bad, IngestFailure)
    assert isinstance(good, Draft)
    assert bad.place == f"{path} line 1"
    assert bad.reason.startswith(expected)
    assert good.text == "bien"


def test_repeated_id_with_another_text_is_a_failure_that_names_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"id": "x", "text": "uno"}, {"id": "x", "text": "uno"}, {"id": "x", "text": "dos"}]
    first, same, other = read(path, "\n".join(json.dumps(row) for row in rows))
    assert isinstance(first, Draft)
    assert isinstance(same, Draft)
    assert isinstance(other, IngestFailure)
    assert other.place == f"{path} line 3"
    assert other.reason == "has the id 'x' of line 1 but another text: give each its own id"


def test_equal_ids_of_two_outlets_are_two_articles(tmp_path: Path) -> None:
    rows = [{"id": 1, "outlet": outlet, "text": outlet} for outlet in ("Diario", "Semanario")]
    items = read(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert [item.outlet for item in items if isinstance(item, Draft)] == ["Diario", "Semanario"]


def test_repeated_id_is_no_failure_where_the_address_tells_the_articles_apart(tmp_path: Path) -> None:
    rows = [{"id": 1, "url": f"https://faro.es/{text}", "text": text} for text in ("uno", "dos")]
    items = read(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert [item.text for item in items if isinstance(item, Draft)] == ["uno", "dos"]


def test_row_over_the_limit_is_a_failure_and_the_rest_goes_on(tmp_path: Path) -> None:
    long_row = json.dumps({"text": "x" * 5000})
    bad, good = read(tmp_path / "a.jsonl", f'{long_row}\n{{"text": "bien"}}\n', max_mb=0.001)
    assert isinstance(bad, IngestFailure)
    assert bad.reason.startswith("is larger than 0.001 MB")
    assert isinstance(good, Draft)


def test_lone_surrogate_in_a_row_is_replaced(tmp_path: Path) -> None:
    assert drafted(tmp_path / "a.jsonl", '{"text": "a\\ud83d"}').text == "a\ufffd"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://a.es/b", "http://", "file:///etc/passwd", "http://[", "x"]
)
def test_address_that_is_not_of_the_web_is_dropped(tmp_path: Path, url: str) -> None:
    assert drafted(tmp_path / "a.jsonl", json.dumps({"text": "a", "url": url})).url is None


@pytest.mark.parametrize(
    "value",
    [
        *("2024-06-19", "2024-06-19T10:00:00Z", "20240619", "19/06/2024", "19.6.2024", "19 June 2024"),
        *("19 de junio de 2024", "19 de junio del 2024", "miércoles, 19 de junio de 2024"),
        *("June 19, 2024", "Wednesday, June 19, 2024"),
    ],
)
def test_dates_are_read(value: str) -> None:
    assert parse_date(value) == date(2024, 6, 19)


@pytest.mark.parametrize("value", ["", "ayer", "31/02/2024", "19 de brumario de 2024", "2024", "06/19/2024"])
def test_what_is_no_date_is_an_error(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_date(value)
