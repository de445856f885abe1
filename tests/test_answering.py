"""Measuring answers: follow-ups, near misses, declining, reasons and cited sentences, worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from eval import answering_dated, answering_overviews
from eval.answering_conversations import FIRST, HIT, PASSED, ask_turns, conversation_report, loss_of
from eval.answering_declining import measure_declining
from eval.answering_declining_report import declining_report
from eval.answering_near_misses import near_miss_report, outcomes
from eval.answering_reasons import Judged, judged, reason_report
from eval.answering_sentence import (
    ALONE,
    AMONG,
    ANY_TEXT,
    F1,
    FIRST_CITED,
    OF_TWO,
    RIGHT_PASSAGE,
    measure_sentences,
    sentence_report,
)
from eval.answering_sets import JudgedQuestion
from eval.dataset import SAMPLE, Question, Support
from eval.finding_archives import OpenArchive, RememberingEmbedder, archive_of
from eval.finding_sets import Document, Topic
from eval.formats import read_questions
from eval.probabilities import (
    Guess,
    auroc,
    bins_of,
    calibration_error,
    risk_coverage,
    share_from,
    threshold_answering,
)
from rag.archive import Archive
from rag.config import Settings
from rag.schema import Answer, Article, Citation, Passage, Statement, Turn
from tests.hashed_embedder import HashedEmbedder
from ui.cli import main

TEXT = "El pan cuesta dos euros. La plaza abre los lunes. Nadie cerró el horno."
PRICE, DAY, OVEN = "El pan cuesta dos euros.", "La plaza abre los lunes.", "Nadie cerró el horno."
ARTICLE = Article(id="a", text=TEXT, given_id="news", language="es")
PASSAGE = Passage("p", "a", 0, 0, len(TEXT), TEXT, "es", TEXT)


def guesses(yes: Sequence[float], no: Sequence[float]) -> list[Guess]:
    return [*(Guess(value, True) for value in yes), *(Guess(value, False) for value in no)]


def test_auroc_is_the_share_of_pairs_in_order_and_a_tie_is_half_of_one() -> None:
    # 0.9 beats both; 0.4 loses to 0.5 and ties with 0.4: 2.5 of 4.
    found = auroc(guesses([0.9, 0.4], [0.5, 0.4]), resamples=200)
    assert (found.mean, found.n) == (0.625, 4)
    assert 0 <= found.interval.low <= 0.625 <= found.interval.high <= 1


def test_auroc_of_groups_that_are_all_in_order_has_no_width_and_one_kind_alone_is_refused() -> None:
    grouped = [Guess(0.8, True, "x"), Guess(0.2, False, "x"), Guess(0.7, True, "y"), Guess(0.1, False, "y")]
    found = auroc(grouped, resamples=200)
    assert (found.mean, found.interval.low, found.interval.high) == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="at least one of each"):
        auroc(guesses([0.5], []))


def test_calibration_error_is_the_distance_of_each_bin_weighed_by_its_size() -> None:
    # 0.0-0.1: mean 0.05, none so; 0.9-1.0: mean 0.95, two of three so. 1/4 * 0.05 + 3/4 * (0.95 - 2/3).
    found = bins_of(guesses([0.9, 1.0], [0.95, 0.05]))
    assert [(each.low, each.n, each.share) for each in found] == [(0.0, 1, 0.0), (0.9, 3, pytest.approx(2 / 3))]
    assert calibration_error(found) == pytest.approx(0.25 * 0.05 + 0.75 * (0.95 - 2 / 3))


@pytest.mark.parametrize(("share", "threshold"), [(0.9, 0.2), (0.5, 0.6), (1.0, 0.1), (0.01, 1.0)])
def test_a_threshold_answers_at_least_the_share(share: float, threshold: float) -> None:
    probabilities = [number / 10 for number in range(1, 11)]
    assert threshold_answering(probabilities, share) == threshold
    assert share_from(probabilities, threshold) >= share


def test_risk_is_the_share_of_wrong_ones_among_the_surest() -> None:
    found = risk_coverage(guesses([0.9, 0.7], [0.8, 0.1]), coverages=(0.25, 0.5, 1.0))
    assert [(each.coverage, each.risk) for each in found] == [(0.25, 0.0), (0.5, 0.5), (1.0, 0.5)]


def citing(*quotes: str, spans: tuple[tuple[int, int], ...] = ()) -> Answer:
    """Return an answer with a statement a quote, declined without any."""
    citations = [
        Citation(number, ARTICLE, TEXT.index(quote), TEXT.index(quote) + len(quote), PASSAGE, 0.9, spans=spans)
        for number, quote in enumerate(quotes, start=1)
    ]
    return Answer(
        question="?",
        text="\n".join(f"{citation.quote} [{citation.number}]" for citation in citations),
        status="answered" if quotes else "unknown",
        confidence=0.8 if quotes else 0.1,
        statements=tuple(Statement(citation.quote, (citation,)) for citation in citations),
        citations=tuple(citations),
    )


class Says:
    """An archive of one article that has an answer ready for each question."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self.histories: dict[str, int] = {}

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn | tuple[str, str]] = (),
        since: date | None = None,
        until: date | None = None,
        outlets: Sequence[str] = (),
    ) -> Answer:
        """Return the answer."""
        self.histories[question] = len(history)
        return self._answers[question]

    def articles(self) -> list[Article]:
        """Return the article."""
        return [ARTICLE]


def dated(language: str, text: str) -> Question:
    return Question("q", text, language=language, answerable=True, split="dev", support=(Support("news", DAY),))


@pytest.mark.parametrize(
    ("question", "with_month", "years_before"),
    [
        (dated("es", "¿Cuánto cuesta?"), "¿Cuánto cuesta en mayo de 2024?", "¿Cuánto cuesta en mayo de 2021?"),
        (dated("en", "how much is it"), "how much is it in May 2024", "how much is it in May 2021"),
    ],
)
def test_a_question_names_the_month_of_its_article_and_that_of_another_year(
    question: Question, with_month: str, years_before: str
) -> None:
    made = dict(answering_dated.wordings(question, {"news": date(2024, 5, 15)}))
    assert {name: each.question for name, each in made.items()} == {
        answering_dated.UNDATED: question.question,
        answering_dated.DATED: with_month,
        answering_dated.OTHER_YEAR: years_before,
    }
    assert len({each.qid for each in made.values()}) == 3


def test_what_has_no_month_or_limits_already_is_not_dated() -> None:
    plain, day = dated("es", "¿Cuánto?"), {"news": date(2024, 5, 15)}
    others = [
        dated("fr", "Combien ?"),
        replace(plain, history=(Turn("¿Qué?", "Eso."),)),
        replace(plain, since=date(2024, 1, 1)),
        replace(plain, answerable=False, support=()),
    ]
    assert not any(list(answering_dated.wordings(other, day)) for other in others)
    assert list(answering_dated.wordings(plain, {"news": None})) == []


def test_of_another_year_it_is_right_to_decline() -> None:
    question = dated("es", "¿Cuánto cuesta el pan?")
    right, other, none = citing(DAY), citing(), citing()
    found = [
        answering_dated.Outcome(question, wording, answer.status == "answered", answering_dated._first(answer))
        for wording, answer in (
            (answering_dated.UNDATED, right),
            (answering_dated.DATED, none),
            (answering_dated.OTHER_YEAR, other),
        )
    ]
    assert [each.is_right for each in found] == [True, False, True]
    report = answering_dated.dated_report(found, splits=["dev"])
    assert report.content["dev"][answering_dated.DATED] == {"n": 1, "answered": 0, "right": 0, "wrong": ["q"]}


def turn(qid: str, said: str, full: str, *, conversation: str, answerable: bool = True) -> Question:
    return Question(
        qid,
        said,
        answers=(("dos euros",),) if answerable else (),
        answerable=answerable,
        split="dev",
        type="ellipsis",
        language="es",
        history=(Turn("¿Qué?", "Pan."),),
        support=(Support("news", PRICE),) if answerable else (),
        conversation=conversation,
        full=full,
    )


def test_a_turn_is_asked_with_its_history_and_in_full_without_and_the_loss_is_the_difference() -> None:
    archive = Says(
        {
            "a": citing(DAY, PRICE),
            "A": citing(PRICE),
            "b": citing(),
            "B": citing(PRICE),
            "c": citing(DAY),
            "C": citing(),
        }
    )
    questions = [
        turn("1", "a", "A", conversation="x"),
        turn("2", "b", "B", conversation="x"),
        turn("3", "c", "C", conversation="y", answerable=False),
        replace(turn("4", "no", "no", conversation="z"), split="test"),
    ]
    turns = ask_turns(archive, questions, splits=["dev"])
    assert archive.histories == {"a": 1, "b": 1, "c": 1, "A": 0, "B": 0, "C": 0}
    first, hit, passed = (loss_of(turns, measure) for measure in (FIRST, HIT, PASSED))
    assert first
    assert hit
    assert passed
    # The first statement to "a" is another sentence, the second one is right; "b" is declined.
    assert (first.said, first.full, first.lost.mean, first.lost.n) == (0.0, 1.0, 1.0, 2)
    assert (hit.said, hit.full, hit.lost.mean) == (0.5, 1.0, 0.5)
    # "c" is not to be answered, and is.
    assert (round(3 * passed.said, 9), passed.full, passed.lost.n) == (1.0, 1.0, 3)
    assert [target.is_met for target in conversation_report(turns, splits=["dev"]).targets] == [False, False]


def test_a_near_miss_is_right_when_declined_or_when_only_what_denies_its_premise_is_said() -> None:
    denied = (Support("news", OVEN),)
    kinds = {"fact": (), "denied": denied, "besides": denied, "wrong": denied}
    questions = [
        Question(name, name, answerable=False, split="dev", type="near", contradicted_by=denying)
        for name, denying in kinds.items()
    ]
    questions.append(Question("known", "known", answers=(("dos euros",),), split="dev", type="single"))
    archive = Says(
        {
            "fact": citing(),
            "denied": citing(OVEN),
            "besides": citing(OVEN, DAY),
            "wrong": citing(DAY),
            "known": citing(PRICE),
        }
    )
    found = outcomes(archive, questions)
    assert {outcome.question.qid: outcome.is_right for outcome in found} == {
        "fact": True,
        "denied": True,
        "besides": False,
        "wrong": False,
        "known": True,
    }
    report = near_miss_report(found, splits=["dev"])
    assert report.content["dev"]["near misses"] == {
        "n": 4,
        "right": 2,
        "answered": 3,
        "denied": 1,
        "wrong": ["besides", "wrong"],
    }
    # The answerable one has 0.8: above one of four, level with three.
    assert report.content["dev"]["auroc"]["mean"] == 0.625


def test_reasons_are_counted_by_the_right_one_and_by_whether_they_are_said() -> None:
    found = [
        Judged("1", "dev", right="nothing", found="nothing", is_said=True),
        Judged("2", "dev", right="fact", found="nothing", is_said=True),
        Judged("3", "dev", right="fact", found="fact", is_said=False),
    ]
    content = reason_report(found, splits=["dev"]).content["dev"]
    assert content == {"n": 3, "right": 2, "declined": 2, "said_rightly": 1, "wrong": {"2": "nothing"}}


def test_the_reason_of_a_question_with_limits_is_found_within_them(sample_archive: Archive) -> None:
    row = {"qid": "q", "split": "dev", "reason": "limits", "question": "¿Cuánto vale el botín?", "history": []}
    limits: dict[str, object] = {"since": None, "until": "1999-12-31", "outlets": []}
    assert judged(sample_archive, row | limits) == Judged("q", "dev", "limits", found="limits", is_said=True)


BREAD = Document("bread", "La panadería de la plaza vende quesadas los domingos.", "food")
HARBOUR = Document("harbour", "Los estibadores del puerto firmaron el convenio con la naviera.", "work")
NOISE = Document("noise", "El río creció dos metros y cortó la carretera vieja.")
TOPICS = (
    Topic("1", "¿Qué vende la panadería de la plaza los domingos?", "bread", "food"),
    Topic("2", "¿Qué firmaron los estibadores del puerto con la naviera?", "harbour", "work"),
)
ANSWERS = {"1": ("quesadas",), "2": ("el convenio",)}


@pytest.fixture
def open_archive(tmp_path: Path) -> OpenArchive:
    embedder = RememberingEmbedder(HashedEmbedder(), folder=tmp_path / "remembered")
    return partial(archive_of, embedder=embedder, settings=Settings())


def test_a_question_is_asked_with_its_article_and_without_and_the_article_comes_back(open_archive: OpenArchive) -> None:
    steps: list[tuple[int, int]] = []
    result = measure_declining(
        [BREAD, HARBOUR],
        TOPICS,
        answers=ANSWERS,
        others=[NOISE],
        world={"quiz": ("¿Quién pintó la Capilla Sixtina?",)},
        judged=[
            JudgedQuestion("yes", TOPICS[0].question, (BREAD, NOISE), is_answerable=True),
            JudgedQuestion("no", TOPICS[1].question, (NOISE,), is_answerable=False),
        ],
        open_archive=open_archive,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(done, 9) for done in range(1, 10)]
    assert [(reply.subject, reply.is_right) for reply in result.answerable] == [("food", True), ("work", True)]
    with_article, without = (
        [reply.probability for reply in replies] for replies in (result.answerable, result.removed)
    )
    assert all(one > other for one, other in zip(with_article, without, strict=True))
    # Had the bread not come back, the second question would be asked of the river alone.
    assert [guess.is_so for guess in result.nomiracl["ten"]] == [True, False]
    assert [guess.probability for guess in result.nomiracl["ten"]] == sorted(
        (guess.probability for guess in result.nomiracl["ten"]), reverse=True
    )
    report = declining_report(result)
    assert report.content["auroc"]["removed"] == {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 4}
    assert report.content["answered"]["answerable"]["90% answered"] == 1.0


def test_the_first_cited_sentence_is_right_with_the_answer_and_in_the_right_passage(open_archive: OpenArchive) -> None:
    nearer = Document("echo", "¿Qué vende la panadería de la plaza los domingos? Vende quesadas la panadería.")
    result = measure_sentences(
        [BREAD, NOISE], {"es": TOPICS[:1]}, answers=ANSWERS, distractors=[nearer], open_archive=open_archive
    )
    before, after = (result[where, "es", "sentences"] for where in (ALONE, AMONG))
    assert (before.passages, after.passages) == (2, 3)
    assert {measure: before.values[measure] for measure in (FIRST_CITED, RIGHT_PASSAGE, ANY_TEXT, OF_TWO)} == {
        FIRST_CITED: (1.0,),
        RIGHT_PASSAGE: (1.0,),
        ANY_TEXT: (1.0,),
        OF_TWO: (1.0,),
    }
    assert after.values[FIRST_CITED] == after.values[RIGHT_PASSAGE] == (0.0,)
    assert F1 not in before.values
    assert "alone: es on es (2 passages), sentences" in sentence_report(result).text()


def test_sets_that_are_only_reported_are_not_there_to_choose_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "run", "--suite", "declining,answer-sentence", "--sets", "train"]) == 0
    assert capsys.readouterr().out.startswith("Skipped declining, answer-sentence: they are only reported")


def overview(*articles: str) -> Question:
    return Question(
        "q",
        "¿Qué pasó?",
        answerable=bool(articles),
        split="dev",
        type="overview" if articles else "overview-near",
        support=tuple(Support(article, DAY) for article in articles),
    )


def test_an_overview_is_right_from_what_reports_it_alone_and_right_to_decline_where_nothing_does() -> None:
    found = [
        answering_overviews.Outcome(question, 0.5, frozenset(cited))
        for question, cited in (
            (overview("a", "b"), {"a"}),
            (overview("a"), {"a", "c"}),
            (overview("a"), set()),
            (overview(), set()),
            (overview(), {"c"}),
        )
    ]
    assert [each.is_right for each in found] == [True, False, False, True, False]
    assert (found[0].precision, found[0].recall, found[1].precision) == (1.0, 0.5, 0.5)
    report = answering_overviews.overview_report(found, splits=["dev"])
    assert report.content["dev"]["overview"] | {"wrong": []} == {
        "n": 3,
        "right": 1,
        "answered": 2,
        "precision": 0.75,
        "recall": 0.75,
        "wrong": [],
    }
    assert report.content["dev"][answering_overviews.ALL_ELSE]["answered"] == 1


def test_the_shipped_overviews_quote_their_articles_and_both_halves_have_what_is_not_reported() -> None:
    questions = read_questions(answering_overviews.OVERVIEWS).questions
    texts = {row["id"]: row["text"] for row in map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())}
    assert all(each.quote in texts[each.article] for question in questions for each in question.support)
    assert all(question.answerable is bool(question.support) for question in questions)
    assert Counter((question.split, question.type) for question in questions) == {
        (split, kind): count
        for split in ("dev", "test")
        for kind, count in (("overview", 20), ("overview-near", 6), ("overview-far", 6))
    }
