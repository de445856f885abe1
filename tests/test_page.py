"""The page of a run: what it shows of each question, and that hostile text stays text, also in a real browser."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from eval.dataset import DatasetError
from eval.gate import compare_with_baseline
from eval.page import page, write_page
from eval.report import run_to_dict
from eval.results import results_from_dict
from eval.runner import Run, run
from rag.schema import Ask, Consultation, Evidence, Sentence, Turn
from tests.oracle import BOTH, CONFLICT, DECLINED, FARO, SINGLE, UNKNOWABLE, Oracle, answered, cite

FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
HOSTILE = (
    "<script>document.title='taken'</script><img src=http://192.0.2.1/x onerror=\"document.title='taken'\">"
    "</mark></details><style>*{display:none}</style><a href=javascript:alert(1)>x</a>"
)
ABOUT = {
    "dataset": {"name": f"set {HOSTILE}"},
    "archive": {"articles": 2, "passages": 2, "fingerprint": {"model": "bundled"}, "reader": {"name": "trained"}},
    "settings": {"retrieval.dense_weight": 0.7},
    "notes": ["A sample: 3 of 9 questions."],
}


def mixed() -> Run:
    """Two right and one wrong, of three types and two splits."""
    both = run(Oracle(BOTH), [CONFLICT, replace(SINGLE, qid="s2", split="dev")]).records
    return Run(records=(*both, *run(Oracle(DECLINED), [replace(SINGLE, qid="s3", question=HOSTILE)]).records))


def shown(content: str) -> str:
    """The page's text, without tags, style and script."""
    bare = re.sub(r"<(style|script)>.*?</\1>", "", content, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", bare).split())


def test_a_question_shows_why_what_was_wanted_said_cited_and_retrieved() -> None:
    text = shown(page(mixed(), about=ABOUT))
    assert "2 of 3 questions passed · 2 articles, 2 passages" in text
    assert "✓ right ¿Cuántos heridos hubo? c1 · contradiction · test" in text
    assert "Right: each of the 2 facts stands in a cited sentence, the sides from different outlets" in text
    assert "12 heridos : found at rank 1, cited in [1]" in text
    assert "[1] supporting score 1.000 · El Faro Hubo 12 heridos." in text
    assert "Retrieved: 2 passages, best first" in text
    assert "Wrong: the archive knows the answer, but it was declined" in text
    assert "A sample: 3 of 9 questions." in text


def test_supporting_and_cited_words_are_marked_where_they_stand() -> None:
    beside = run(Oracle(answered(cite(FARO, "12 heridos. Llovió", number=1))), [SINGLE])
    content = page(beside, about=ABOUT)
    assert (
        '<mark class="gold">Hubo </mark><mark class="gold cited">12 heridos.</mark><mark class="cited"> Llovió</mark>'
        " toda la noche."
    ) in content


def test_what_embedded_and_what_read_is_on_the_page() -> None:
    content = page(mixed(), about=ABOUT)
    assert "<th scope=row>model</th><td>bundled</td>" in content
    assert "<th scope=row>reader name</th><td>trained</td>" in content


def test_the_sentences_chosen_from_are_shown_where_they_were_asked_for() -> None:
    hit = BOTH.hits[0]
    start = FARO.text.index("Llovió")
    read = Consultation(
        ask=Ask("q"),
        question="q",
        language="es",
        evidence=(
            Evidence(hit=hit, sentence=Sentence(start, len(FARO.text), FARO.text[start:]), score=0.25, cosine=0.5),
        ),
    )
    content = page(run(Oracle(BOTH), [SINGLE], consult=lambda *_, **__: read), about=ABOUT)
    assert "1 beside the point score 0.250 · cosine 0.500 · El Faro Llovió toda la noche." in shown(content)
    assert "Chosen from" not in page(run(Oracle(BOTH), [SINGLE]), about=ABOUT)


def test_history_filters_and_unanswerable_questions_are_said() -> None:
    asked = replace(UNKNOWABLE, history=(Turn("¿Hubo huelga?", "Sí."),), outlets=("Radio",))
    text = shown(page(run(Oracle(DECLINED), [asked]), about=ABOUT))
    assert "That it declines: nothing in the archive answers it." in text
    assert "earlier: ¿Hubo huelga? — Sí." in text
    assert "filter: outlets: Radio" in text
    assert "declined · probability that the archive answers 0.00" in text


def test_the_comparison_with_the_baseline_is_on_the_page() -> None:
    results = results_from_dict(run_to_dict(mixed(), about=ABOUT), name="before.json")
    content = page(mixed(), about=ABOUT, gate=compare_with_baseline(results, results))
    assert "Against the baseline (before.json): ok, no interval is below zero" in shown(content)


def test_nothing_is_loaded_from_elsewhere_and_hostile_text_is_escaped() -> None:
    content = page(mixed(), about=ABOUT)
    assert HOSTILE not in content
    assert "&lt;script&gt;document.title=" in content
    assert content.count("<script>") == content.count("<style>") == 1
    assert not re.search(r"<(img|link|iframe|object)\b|src=\"|href=\"", content)


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="choose another --html FILE"):
        write_page("x", tmp_path / "file" / "page.html")


@pytest.mark.slow
def test_reader_filters_opens_and_links_to_questions_and_nothing_hostile_runs(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="the browser test needs the playwright package")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("the browser test needs an installed Chromium or Chrome on the PATH")
    file = tmp_path / "page.html"
    write_page(page(mixed(), about=ABOUT), file)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for width in (1280, 360):
            reader = browser.new_context(viewport={"width": width, "height": 800}).new_page()
            requests: list[str] = []
            troubles: list[str] = []
            reader.on("request", lambda request, seen=requests: seen.append(request.url))
            reader.on("pageerror", lambda error, seen=troubles: seen.append(str(error)))
            reader.on("console", lambda message, seen=troubles: seen.append(message.text))
            reader.goto(f"{file.as_uri()}#question-3")
            assert reader.locator("#question-3").get_attribute("open") is not None
            assert reader.inner_text("#count") == "3 of 3 questions"
            reader.select_option("#passed", "right")
            assert reader.inner_text("#count") == "2 of 3 questions"
            reader.select_option("#type", "contradiction")
            assert reader.locator(".question:visible").count() == 1
            reader.fill("#words", "QUIEN")
            assert reader.locator("#none").is_visible()
            reader.fill("#words", "cuantos HERIDOS")
            reader.click(".question:visible > summary")
            assert reader.locator("#question-1 .verdict").is_visible()
            assert reader.title() == f"Evaluation: set {HOSTILE}"
            assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"
            assert [url.split("#")[0] for url in requests] == [file.as_uri()]
            assert troubles == []
        browser.close()
