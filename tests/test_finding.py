"""Measuring retrieval: ranks, measures and suites over archives that are worked out by hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from eval.finding_archives import OpenArchive, RememberingEmbedder, archive_of
from eval.finding_balance import Twin, balance_report, measure_balance
from eval.finding_command import SUITES
from eval.finding_distractors import distractor_report, measure_distractors
from eval.finding_fusion import Case, fusion_report, measure_fusion
from eval.finding_ranking import DENSE, PRODUCT, RRF, WORDS, Ranks, baselines, gain, ranks
from eval.finding_robust import measure_robust, robust_report
from eval.finding_sets import Document, Topic, drawn, half, read_train
from rag.config import Settings
from rag.interfaces import Vectors
from rag.schema import Article, Hit, Passage
from tests.hashed_embedder import HashedEmbedder
from ui.cli import main

HARBOUR = Document("harbour", "Los estibadores del puerto firmaron el convenio con la naviera.", "work")
BAKERY = Document("bakery", "La panadería de la plaza vende quesadas los domingos.", "food")
RIVER = Document("river", "El río creció dos metros y cortó la carretera vieja.", "weather")
TOPICS = (
    Topic("1", "¿Qué firmaron los estibadores del puerto?", "harbour", "work"),
    Topic("2", "¿Qué vende la panadería de la plaza?", "bakery", "food"),
    Topic("3", "¿Cuántos metros creció el río?", "river", "weather"),
)


@pytest.fixture
def open_archive(tmp_path: Path) -> OpenArchive:
    embedder = RememberingEmbedder(HashedEmbedder(), folder=tmp_path / "remembered")
    return partial(archive_of, embedder=embedder, settings=Settings())


@pytest.mark.parametrize(
    ("rank", "measure", "value"),
    [
        (1, "recall@1", 1.0),
        (2, "recall@1", 0.0),
        (5, "recall@5", 1.0),
        (6, "recall@5", 0.0),
        (None, "recall@5", 0.0),
        (1, "ndcg@10", 1.0),
        (3, "ndcg@10", 0.5),
        (11, "ndcg@10", 0.0),
    ],
)
def test_a_rank_is_worth_what_the_measure_says(rank: int | None, measure: str, value: float) -> None:
    assert gain(rank, measure) == pytest.approx(value)


def hit(article: str, number: int, *, cosine: float, words: float) -> Hit:
    passage = Passage(f"{article}-{number}", article, number, 0, 1, "x", "es", "x")
    return Hit(passage, Article(article, "x", given_id=article), score=0.0, cosine=cosine, word_score=words)


def test_baselines_order_the_same_passages_by_either_score_and_by_both_ranks() -> None:
    hits = [
        hit("a", 1, cosine=0.9, words=0.0),
        hit("b", 1, cosine=0.8, words=3.0),
        hit("c", 1, cosine=0.7, words=4.0),
        hit("a", 2, cosine=0.6, words=0.0),
    ]
    # b: 1/62 + 1/62; c: 1/63 + 1/61; a: 1/61.
    assert 1 / 63 + 1 / 61 > 1 / 62 + 1 / 62
    assert baselines(hits) == {DENSE: ["a", "b", "c"], WORDS: ["c", "b"], RRF: ["c", "b", "a"]}


def test_every_question_has_the_rank_of_its_article_by_each_system(open_archive: OpenArchive) -> None:
    with open_archive([HARBOUR, BAKERY, RIVER]) as archive:
        found = ranks(archive, [*TOPICS, Topic("4", "¿Qué vende la panadería?", "nowhere", "food")])
    assert found.by_system[WORDS] == (1, 1, 1, None)
    assert found.by_system[PRODUCT] == (1, 1, 1, None)
    assert found.values(PRODUCT, "recall@5") == [1.0, 1.0, 1.0, 0.0]
    assert found.estimate(PRODUCT, "recall@5").mean == 0.75
    assert found.difference(PRODUCT, WORDS, "recall@1").mean == 0.0


def test_a_pair_below_dense_alone_misses_the_target_and_is_named(open_archive: OpenArchive) -> None:
    case = Case("xquad es", "es", (HARBOUR, BAKERY, RIVER), {"xquad es": ("es", TOPICS)})
    result = measure_fusion([case], open_archive=open_archive)
    report = fusion_report(result)
    assert [(target.is_met, target.measured) for target in report.targets] == [
        (True, "1.000 (1-1)"),
        (True, "below in 0 of 1 pairs, with the whole interval in 0"),
    ]
    (pair,) = result.pairs
    worse = Ranks(TOPICS, dict.fromkeys((DENSE, WORDS, RRF), (1, 1, 1)) | {PRODUCT: (1, 1, 2)})
    report = fusion_report(type(result)((type(pair)("xquad es", "xquad es", "es", "es", worse),)))
    assert [target.is_met for target in report.targets] == [False, False]
    assert "below in 1 of 1 pairs, with the whole interval in 0: xquad es on es -33.3" in report.text()


def test_recall_falls_where_distractors_stand_nearer_than_the_answer(open_archive: OpenArchive) -> None:
    nearer = [Document(f"d{number}", f"¿Qué vende la panadería de la plaza? {number}") for number in range(6)]
    result = measure_distractors(
        [HARBOUR, BAKERY], {"es": TOPICS[:2]}, distractors=nearer, open_archive=open_archive, sizes=(0, 3), seeds=(1, 2)
    )
    curve = result.curves["es"]
    assert [(point.distractors, point.passages, len(point.runs)) for point in curve] == [
        (0, 2, 1),
        (3, 5, 2),
        (6, 8, 1),
    ]
    assert [point.estimate(PRODUCT, "recall@5").mean for point in curve] == [1.0, 1.0, 0.5]
    assert [point.estimate(PRODUCT, "recall@1").mean for point in curve] == [1.0, 0.5, 0.5]
    assert curve[-1].loss(curve[0], PRODUCT, "recall@5").mean == 0.5
    (target,) = distractor_report(result).targets
    assert not target.is_met


def test_twins_are_counted_in_other_languages_than_the_question_before_and_after_more_comes_in(
    open_archive: OpenArchive,
) -> None:
    twins = [Twin("¿Qué vende la panadería de la plaza?", "es", "food", {"es": "bakery", "pt": "river"})]
    crowd = [Document(f"d{number}", f"La panadería de la plaza vende pan {number}.") for number in range(12)]
    result = measure_balance([HARBOUR, BAKERY, RIVER], twins, added=crowd, open_archive=open_archive)
    # Three articles are all among the first ten; of fifteen the ten nearest talk of the bakery.
    assert result.shares(PRODUCT) == [1.0]
    assert result.shares(PRODUCT, after=True) == [0.0]
    assert [target.is_met for target in balance_report(result).targets] == [False, False]


def test_each_way_to_put_a_question_is_compared_with_the_question_as_it_was(open_archive: OpenArchive) -> None:
    result = measure_robust(
        [HARBOUR, BAKERY, RIVER],
        TOPICS,
        translations={"1": "What did the dockers sign?", "2": "What does the bakery sell?"},
        open_archive=open_archive,
        typed=([HARBOUR, BAKERY], [Topic("t", "quesadas plaza", "bakery")]),
    )
    assert {len(found.topics) for found in result.ways.values()} == {2}
    assert result.ways["no accents"].topics[1].question == "¿Que vende la panaderia de la plaza?"
    assert result.ways["mixed languages"].topics[0].question == "¿Qué firmaron los the dockers sign?"
    assert result.ways["quotation"].topics[1].question == f"«{BAKERY.text}»"
    assert result.typed is not None
    assert result.typed.by_system[PRODUCT] == (1,)
    assert [target.is_met for target in robust_report(result).targets] == [True, True, True]


class CountingEmbedder(HashedEmbedder):
    """Counts the texts that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions."""
        self.asked += len(texts)
        return super().embed_questions(texts)


def test_a_vector_is_made_once_and_is_the_same_in_a_later_run(tmp_path: Path) -> None:
    inner = CountingEmbedder()
    first = RememberingEmbedder(inner, folder=tmp_path)
    made = first.embed_questions(["uno", "dos"])
    first.close()
    later = RememberingEmbedder(inner, folder=tmp_path)
    again = later.embed_questions(["dos", "tres", "uno"])
    later.close()
    assert inner.asked == 3
    assert np.array_equal(again[[2, 0]], made)


def test_the_same_questions_are_drawn_in_every_language_and_a_subject_is_in_one_half() -> None:
    spanish = [Topic(str(number), f"es {number}", "d", f"subject {number % 4}") for number in range(40)]
    italian = [Topic(topic.key, "it", "e", topic.subject) for topic in reversed(spanish)]
    keys = [
        [topic.key for topic in drawn(topics, split="all", per_subject=3, most=10, seed=1)]
        for topics in (spanish, italian)
    ]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 10
    dev = drawn(spanish, split="dev", per_subject=9, most=99, seed=1)
    assert {half(topic.subject, seed=1) for topic in dev} == {"dev"}
    assert {topic.subject for topic in dev}.isdisjoint(
        topic.subject for topic in drawn(spanish, split="test", per_subject=9, most=99, seed=1)
    )


def write_rows(file: Path, rows: Sequence[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def test_a_translated_set_takes_the_subject_of_its_questions_and_leaves_out_those_without_an_answer(
    tmp_path: Path,
) -> None:
    train = tmp_path / "train"
    answered = {"answerable": True, "answers": [{"text": "x", "start": 4}]}
    write_rows(train / "squad_dev_mt_da" / "passages.jsonl.gz", [{"pid": "da-0", "title": "Normans", "text": "da"}])
    write_rows(
        train / "squad_dev_mt_da" / "questions.jsonl.gz",
        [{"qid": "q1", "pid": "da-0", "question": "Hvor?", **answered}],
    )
    write_rows(train / "squad2_dev_mt_id" / "passages.jsonl.gz", [{"pid": "id-0", "title": "", "text": "id"}])
    write_rows(
        train / "squad2_dev_mt_id" / "questions.jsonl.gz",
        [
            {"qid": "squad-trans-q1", "pid": "id-0", "question": "Di mana?", **answered},
            {"qid": "squad-trans-q2", "pid": "id-0", "question": "Apa?", "answerable": False, "answers": []},
        ],
    )
    indonesian, danish = (read_train(tmp_path, name) for name in ("squad2_dev_mt_id", "squad_dev_mt_da"))
    assert indonesian.topics == (Topic("q1", "Di mana?", "id-0", "Normans", answer=4),)
    assert indonesian.asked_in(danish) == (Topic("q1", "Hvor?", "id-0", "Normans", answer=4),)


def test_suites_are_skipped_with_a_sentence_where_the_sets_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEMEROTECA_DATA", str(tmp_path))
    needing = [
        name for name in SUITES if name not in ("time", "conversations", "dated", "near-misses", "overviews", "reasons")
    ]
    assert main(["eval", "run", "--suite", ",".join(needing)]) == 0
    assert capsys.readouterr().out == (
        f"Skipped {', '.join(needing)}: HEMEROTECA_DATA names no folder of the public data sets.\n"
    )


def test_what_comes_with_the_program_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HEMEROTECA_DATA", raising=False)
    main(
        [
            "eval",
            "run",
            "--suite",
            "fusion,time",
            "--split",
            "dev",
            "--sets",
            "train",
            "--json",
            str(tmp_path / "all.json"),
        ]
    )
    out = capsys.readouterr().out
    assert "target: expressions of dev: 95% right\n  met" in out
    assert "Skipped fusion" in out
    assert [suite["name"] for suite in json.loads((tmp_path / "all.json").read_text())["suites"]] == ["time"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--suite", "fusion", "--html", "x.html"], "leave out --html"),
        (["--suite", "fusion", "--split", "dev"], "add --sets train"),
        (["--suite", "fusion,nothing"], "'nothing' is no suite"),
    ],
)
def test_what_does_not_go_with_a_suite_is_said(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["eval", "run", *arguments])
    except SystemExit as end:  # the parser's own
        status = int(str(end.code))
    assert status == 2
    assert told in capsys.readouterr().err
