from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ui.cli import main
from ui.commands import COMMANDS
from ui.terminal import Terminal

WHERE = "¿En qué ciudad se firmó la alianza entre Valdoria y Carmania?"
OFF_TOPIC = "¿Qué temperatura necesita la porcelana para cocerse en un horno de leña japonés?"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; gives its exit status, its output and its complaints."""

    def run_command(*arguments: str | Path) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_command


Run = Callable[..., tuple[int, str, str]]


# ---- asking


def test_an_answer_is_printed_with_its_citations(run: Run, sample_folder: Path) -> None:
    status, out, _ = run("ask", WHERE, "--archive", sample_folder)
    assert status == 0
    assert "Kelmar" in out.split("\n\n")[0]
    assert re.search(r"^\[1\] .+, \d+ de [a-z]+ de \d{4} — .+\n    «.+", out, flags=re.MULTILINE)


def test_json_is_the_whole_answer_and_its_quotes_are_slices(run: Run, sample_folder: Path) -> None:
    status, out, _ = run("ask", "--json", WHERE, "--archive", sample_folder)
    answer = json.loads(out)
    assert (status, answer["status"], answer["language"]) == (0, "answered", "es")
    citations = [citation for statement in answer["statements"] for citation in statement["citations"]]
    assert citations
    for citation in citations:
        _, shown, _ = run("show", "--json", citation["article"]["id"], "--archive", sample_folder)
        assert json.loads(shown)["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_what_the_archive_does_not_know_is_status_1(run: Run, sample_folder: Path) -> None:
    certain = ["--set", "answer.min_confidence=1"]
    status, out, err = run("ask", OFF_TOPIC, "--archive", sample_folder, *certain)
    assert (status, err) == (1, "")
    assert "Lo más cercano:" in out


def test_a_dash_reads_the_question_from_standard_input(
    run: Run, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(WHERE + "\n"))
    status, out, _ = run("ask", "-", "--json", "--archive", sample_folder)
    assert (status, json.loads(out)["question"]) == (0, WHERE)


def test_filters_limit_what_is_asked(run: Run, sample_folder: Path) -> None:
    status, out, _ = run("ask", WHERE, "--json", "--since", "2030-01-01", "--archive", sample_folder)
    assert (status, json.loads(out)["hits"]) == (1, [])


def test_an_outlet_is_found_in_any_case(run: Run, sample_folder: Path) -> None:
    status, out, _ = run("search", WHERE, "--json", "--outlet", "el faro de LEVANTE", "--archive", sample_folder)
    assert (status, {hit["article"]["outlet"] for hit in json.loads(out)}) == (0, {"El Faro de Levante"})


def test_search_prints_so_many_passages_best_first(run: Run, sample_folder: Path) -> None:
    status, out, _ = run("search", WHERE, "-k", "3", "--archive", sample_folder)
    assert (status, re.findall(r"^(\d+)\. ", out, flags=re.MULTILINE)) == (0, ["1", "2", "3"])
    assert len(re.findall(r"^   puntuación \d+,\d{3}, artículo \w+$", out, flags=re.MULTILINE)) == 3


# ---- articles


def test_every_article_is_listed_on_a_line(run: Run, sample_folder: Path) -> None:
    status, out, err = run("list", "--archive", sample_folder)
    _, as_json, _ = run("list", "--json", "--archive", sample_folder)
    articles = json.loads(as_json)
    assert (status, len(out.splitlines())) == (0, len(articles))
    assert err.startswith(f"{len(articles)} articles, ")
    assert "text" not in articles[0]


def test_an_article_is_shown_by_the_id_its_source_gave_it(run: Run, sample_folder: Path) -> None:
    status, out, _ = run("show", "tratado-01", "--archive", sample_folder)
    assert status == 0
    assert "outlet: El Faro de Levante\npublished: 2024-05-15\nlanguage: es\n" in out
    assert "Era la primera vez en 19 años" in out


def test_a_deleted_article_is_gone(run: Run, sample_copy: Path) -> None:
    assert run("delete", "tratado-01", "--archive", sample_copy)[0] == 0
    status, _, err = run("show", "tratado-01", "--archive", sample_copy)
    assert (status, err.count("\n")) == (2, 1)
    _, out, _ = run("search", WHERE, "--json", "--archive", sample_copy)
    assert "tratado-01" not in {hit["article"]["given_id"] for hit in json.loads(out)}


# ---- taking in


def test_ingest_sums_up_and_changes_nothing_the_second_time(run: Run, tmp_path: Path) -> None:
    (tmp_path / "uno.txt").write_text("El puente abrió el martes en Almoral. Costó tres millones.", encoding="utf-8")
    status, out, err = run("ingest", "uno.txt", "--json")
    first = json.loads(out)
    assert (status, first["added"], first["passages"], first["failed"]) == (0, 1, 1, [])
    assert "1 of 1 passages" in err
    status, out, _ = run("ingest", "uno.txt", "--json")
    assert (status, json.loads(out)["unchanged"], json.loads(out)["added"]) == (0, 1, 0)
    assert (tmp_path / "archive" / "archive.db").is_file()


def test_what_cannot_be_taken_in_is_named_and_the_rest_goes_on(run: Run, tmp_path: Path) -> None:
    (tmp_path / "uno.txt").write_text("El puente abrió el martes en Almoral.", encoding="utf-8")
    (tmp_path / "malo.jsonl").write_text("{no es JSON\n", encoding="utf-8")
    status, out, err = run("ingest", tmp_path / "uno.txt", tmp_path / "malo.jsonl")
    assert status == 1
    assert err.endswith("hemeroteca: 1 could not be taken in, and all the rest was\n")
    assert re.search(r"^failed: .*malo\.jsonl.*: .+", out)
    assert "1 added" in out
    assert "1 failed" in out


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("absent.txt", None),
        ("vacio.txt", ""),
        ("mudo.jsonl", '{"text": ""}\n{"text": 3}\n'),
        ("signos.txt", "\u200b ¿?"),
    ],
)
def test_an_ingest_of_nothing_is_a_user_error_and_begins_no_archive(
    run: Run, tmp_path: Path, file: str, content: str | None
) -> None:
    if content is not None:
        (tmp_path / file).write_text(content, encoding="utf-8")
    status, out, err = run("ingest", file)
    assert (status, err) == (2, "hemeroteca: nothing could be taken in\n")
    assert re.search(rf"^failed: {file}.*: .+", out)
    assert not (tmp_path / "archive").exists()


def test_a_damaged_export_begins_no_archive(run: Run, tmp_path: Path, sample_folder: Path) -> None:
    run("export", "whole.gz", "--archive", sample_folder)
    lines = gzip.decompress((tmp_path / "whole.gz").read_bytes()).splitlines(keepends=True)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"".join(lines[:-1])))
    status, _, err = run("import", "cut.gz", "--archive", "new")
    assert (status, err) == (
        2,
        f"hemeroteca: cut.gz line {len(lines)} is missing or cut off: copy or export the file again\n",
    )
    assert not (tmp_path / "new").exists()


def test_the_exit_statuses_of_an_ingest_are_in_its_help(run: Run) -> None:
    told = " ".join(run("ingest", "--help")[1].split())
    assert "0 all was taken in, 1 some files or rows could not be and the rest was, 2 nothing could be" in told


def test_what_cleaning_removed_can_be_shown(run: Run, tmp_path: Path) -> None:
    text = "El puente abrió el martes en Almoral.\n\nYou must be logged in to post a comment Login\n"
    (tmp_path / "uno.txt").write_text(text, encoding="utf-8")
    run("ingest", "uno.txt")
    article = run("list")[1].split("\t")[0]
    assert "Login" not in run("show", article)[1]
    assert "You must be logged in to post a comment Login" in run("show", article, "--removed")[1]


# ---- settings


def test_config_says_where_each_value_came_from(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text("[answer]\nmax_statements = 3\n", encoding="utf-8")
    monkeypatch.setenv("HEMEROTECA_WEB_LANGUAGE", "en")
    status, out, _ = run("config", "--json", "--config", "mine.toml", "--set", "web.port=8001")
    effective = json.loads(out)
    assert status == 0
    assert effective["answer.max_statements"] == {"value": 3, "origin": "file mine.toml"}
    assert effective["web.language"] == {"value": "en", "origin": "environment HEMEROTECA_WEB_LANGUAGE"}
    assert effective["web.port"] == {"value": 8001, "origin": "argument"}
    assert effective["answer.model"] == {"value": "extractive", "origin": "default"}


# ---- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["ask", ""], "the question is empty"),
        (["ask", " ", " "], "the question is empty"),
        (["ask", "\udcff"], "the question is not UTF-8"),
        (["ask", "x"], "there is no archive at archive"),
        (["list", "--archive", "absent"], "there is no archive at absent"),
        (["config", "--set", "web.prot=1"], "did you mean web.port?"),
        (["config", "--config", "absent.toml"], "settings file absent.toml cannot be read"),
        (["ask", "x", "--set", "answer.max_statements=0"], "out of range: it must be 1 to 20"),
    ],
    ids=str,
)
def test_a_user_error_is_one_line_and_status_2(run: Run, arguments: list[str], complaint: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("hemeroteca: ")
    assert complaint in err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--since", "2024-02-01", "--until", "2024-01-01"], "--since 2024-02-01 is after --until 2024-01-01"),
        (["--outlet", "El Faro de Poniente"], "no article is of outlet 'El Faro de Poniente': the archive has "),
    ],
    ids=str,
)
def test_filters_that_let_nothing_through_are_user_errors(
    run: Run, sample_folder: Path, options: list[str], complaint: str
) -> None:
    status, _, err = run("ask", WHERE, "--archive", sample_folder, *options)
    assert (status, err.count("\n")) == (2, 1)
    assert complaint in err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required: COMMAND"),
        (["aks", "x"], "invalid choice: 'aks'"),
        (["ask"], "required: QUESTION"),
        (["ask", "x", "--since", "mayo"], "'mayo' is no date: write it as 2024-05-31"),
        (["search", "x", "-k", "0"], "'0' is not a number of 1 or more"),
        (["config", "--set", "port"], "'port' is not KEY=VALUE"),
    ],
    ids=str,
)
def test_a_wrong_command_line_is_status_2(run: Run, arguments: list[str], complaint: str) -> None:
    status, _, err = run(*arguments)
    assert status == 2
    assert complaint in err


TYPED = [
    "ingest",
    "ask",
    "search",
    "list",
    "show",
    "delete",
    "config",
    "chat",
    "doctor",
    "rebuild",
    "compact",
    "export",
    "import",
    "eval",
    "eval run",
]


@pytest.mark.parametrize("command", ["", *TYPED])
def test_every_command_has_help(run: Run, command: str) -> None:
    status, out, _ = run(*command.split(), "--help")
    assert status == 0
    assert out.startswith(f"usage: hemeroteca {command}".rstrip())


def test_version_is_printed(run: Run) -> None:
    status, out, _ = run("--version")
    assert status == 0
    assert re.fullmatch(r"hemeroteca \d+\.\d+\.\d+\n", out)


def _broken(_: argparse.Namespace, __: Terminal) -> int:
    raise ZeroDivisionError("never\x1b mind")


def _interrupted(_: argparse.Namespace, __: Terminal) -> int:
    raise KeyboardInterrupt


def test_our_fault_says_where_it_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "config", _broken)
    status, out, err = run("config")
    assert (status, out, err.count("\n")) == (3, "", 1)
    found = re.search(r"this is a fault of ours \(ZeroDivisionError: never␛ mind\): what happened is in (\S+);", err)
    assert found
    written = Path(found[1])
    assert "Traceback" in written.read_text(encoding="utf-8")
    written.unlink()


def test_debug_shows_where_our_fault_happened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "config", _broken)
    status, _, err = run("config", "--debug")
    assert status == 3
    assert "Traceback" in err


# A process that is interrupted while the interpreter takes itself apart.
END_INTERRUPTED = """
import os, signal, sys
from ui.cli import main
class Late:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGINT):
        kill(process, number)
sys.late = Late()
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_after_all_is_said_changes_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", END_INTERRUPTED, "config"], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "embedding.model" in ended.stdout


def test_ctrl_c_is_one_line_and_status_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "config", _interrupted)
    status, _, err = run("config")
    assert (status, err) == (130, "hemeroteca: interrupted; what was finished is kept\n")


def _subprocess(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import sys; from ui.cli import main; sys.exit(main())", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_reader_who_leaves_is_no_error() -> None:
    with _subprocess("config") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_terminal_without_accents_gets_escapes_and_no_traceback() -> None:
    with _subprocess("config", "--set", "answer.base_url=ñ", env={"PYTHONIOENCODING": "ascii"}) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert rb"\xf1" in out


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c_is_not_ignored")
def test_ctrl_c_ends_the_chat_while_its_models_are_still_loading(sample_folder: Path) -> None:
    with _subprocess("chat", "--archive", str(sample_folder), "--no-browser", "--port", "7880") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")
