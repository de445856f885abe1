"""Evaluation end to end: gold questions over the real sample archive, and a user's own over theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eval.dataset import GOLD, ArticleNames, locate
from eval.formats import read_questions
from eval.gate import read_baseline
from eval.runner import run
from rag.wheels import cache_folder
from tests.test_sets import SQUAD
from ui.cli import main

if TYPE_CHECKING:
    from rag.archive import Archive

# One question of each type, of both splits.
SMALL_PART = (
    "tratado-m-01",
    "desaladora-s-02",
    "museo-x-02",
    "club-c-01",
    "tren-t-01",
    "volcan-f-01",
    "puerto-n-01",
    "lejos-u-08",
)


def test_a_small_part_of_the_gold_set_is_asked_and_every_citation_holds(sample_archive: Archive) -> None:
    gold = {question.qid: question for question in read_questions(GOLD).questions}
    result = run(sample_archive, [gold[qid] for qid in SMALL_PART])
    assert result.problems == ()
    validity = [record.scores["citation_validity"].value for record in result.records]
    assert any(validity)
    assert set(validity) <= {1.0, None}
    found = [record.scores["recall@5"].value for record in result.records]
    assert sum(value is not None for value in found) == 6


def test_cleaning_leaves_every_supporting_sentence_in_its_article(sample_archive: Archive) -> None:
    names = ArticleNames(sample_archive.articles())
    assert [
        problem for question in read_questions(GOLD).questions for problem in locate(question, names).problems
    ] == []


def test_the_baseline_knows_every_gold_question_as_it_is_asked_now() -> None:
    baseline = read_baseline()
    assert baseline is not None
    asked = {question.qid: question.digest for question in read_questions(GOLD).questions}
    # Otherwise: hemeroteca eval run --update-baseline
    assert {result.qid: result.digest for result in baseline.by_qid.values()} == asked


def test_own_questions_are_asked_of_an_own_archive(
    sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions, results = tmp_path / "mine.jsonl", tmp_path / "results" / "mine.json"
    questions.write_text(
        '{"question": "¿A qué empresa le dieron el contrato de la desaladora?", "answers": "Hidromar"}'
    )
    status = main(["eval", "run", str(questions), "--archive", str(sample_folder), "--json", str(results)])
    shown = capsys.readouterr().out
    content = json.loads(results.read_text(encoding="utf-8"))
    assert status == 0
    assert "skipped recall@5: 1 questions (no support given)" in shown
    assert "Baseline" not in shown
    assert content["about"]["archive"]["articles"] == 39
    assert content["questions"][0]["qid"] == "line-1"
    assert content["gate"] is None


def test_a_squad_file_is_archive_and_questions_in_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    # The model is converted once for all tests, not for this one.
    if (cache_folder() / "models").is_dir():
        (cache / "models").symlink_to(cache_folder() / "models")
    monkeypatch.setenv("HEMEROTECA_CACHE", str(cache))
    file = tmp_path / "puerto.json"
    file.write_text(json.dumps(SQUAD), encoding="utf-8")
    results, page = tmp_path / "results.json", tmp_path / "page.html"
    command = ["eval", "run", str(file), "--json", str(results), "--html", str(page)]
    assert main(command) == 0
    first = capsys.readouterr()
    assert "making the archive that puerto.json is about" in first.err
    assert 'marked "is_impossible"' in first.out
    content = json.loads(results.read_text(encoding="utf-8"))
    assert content["about"]["archive"]["articles"] == 2
    assert content["problems"] == []
    recall = {row["qid"]: row["scores"]["recall@5"] for row in content["questions"]}
    assert recall == {"a": 1.0, "b": 1.0, "c": None}
    assert "¿Qué empresa ganó el contrato?" in page.read_text(encoding="utf-8")
    assert main([*command, "--sample", "1"]) == 0
    again = capsys.readouterr()
    assert "passages" not in again.err, "nothing is embedded a second time"
    assert "of 1 of 2 pages, drawn with seed 1" in again.out
    assert len(list((cache / "eval").glob("set-*"))) == 1
