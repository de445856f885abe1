"""Who else printed the same words or told the same event, as it is shown: terminal, browser, Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rag.schema import Answer, Article, Citation, Hit, Passage, Related, Story
from ui.cli import main
from ui.company import citations_company
from ui.markdown import answer_markdown
from ui.render import evidence_html
from ui.show import answer_text, article_text, hits_text
from ui.texts import ES


def article(name: str, text: str = "El juez calló. Según él, bastaba.", day: date | None = None) -> Article:
    return Article(id=name, text=text, title=f"Título {name}", outlet=f"Diario {name}", published=day, language="es")


def hit(name: str, *copies: Hit, day: date | None = None, events: tuple[Article, ...] = ()) -> Hit:
    held = article(name, day=day)
    end = len(held.text)
    passage = Passage(f"{name}-0", name, 0, 0, end, held.text, "es", held.text)
    return Hit(passage=passage, article=held, score=1.0, cosine=0.9, copies=copies, events=events)


COPIES = (hit("B", day=date(2024, 3, 2)), hit("C"))
FOUND = hit("A", *COPIES, day=date(2024, 3, 1), events=(article("D", day=date(2024, 3, 3)),))
PRINTED = "Las mismas palabras en: Diario B, 2 de marzo de 2024; Diario C, sin fecha"
TOLD = "El mismo hecho en: Diario D, 3 de marzo de 2024"


def cite(of: Hit, *, number: int = 1) -> Citation:
    start = of.article.text.index("Según")
    return Citation(number, of.article, start, len(of.article.text), passage=of.passage, score=0.8, context_start=0)


def answer(*citations: Citation) -> Answer:
    return Answer(
        question="¿?", text="Bastaba. [1]", status="answered", language="es", citations=citations, hits=(FOUND,)
    )


def test_passages_of_a_search_name_the_outlets_that_printed_the_same() -> None:
    text = hits_text([FOUND], language="en")
    assert "   The same words in: Diario B, 2 March 2024; Diario C, no date\n" in text
    assert text.endswith("   The same event in: Diario D, 3 March 2024")


def test_passage_that_leans_is_shown_behind_what_it_leans_on() -> None:
    before = replace(FOUND.passage, text="Lo dijo\nel juez.")
    assert "\n   (Lo dijo el juez.)\n   El juez calló." in hits_text([replace(FOUND, before=before)], language="es")


def test_quotation_names_the_outlets_that_the_answer_does_not_cite_itself() -> None:
    assert citations_company([cite(FOUND)], answer(cite(FOUND)), ES) == [PRINTED, TOLD]
    both = (cite(FOUND), cite(COPIES[0], number=2))
    assert citations_company(both[:1], answer(*both), ES) == ["Las mismas palabras en: Diario C, sin fecha", TOLD]
    # The copy's own words stand in the hit as well.
    assert citations_company([cite(COPIES[0])], answer(cite(COPIES[0])), ES)[0] == (
        "Las mismas palabras en: Diario A, 1 de marzo de 2024; Diario C, sin fecha"
    )


def test_terminal_shows_what_a_quotation_leans_on_beside_it() -> None:
    assert f"\n    (El juez calló.)\n    «Según él, bastaba.»\n    {PRINTED}\n    {TOLD}" in answer_text(
        answer(cite(FOUND))
    )


def test_card_shows_outlets_and_context_and_marks_the_quotation_alone() -> None:
    html = evidence_html(answer(cite(FOUND)), language="es")
    assert f'<p class="hm-company"><bdi>{PRINTED}</bdi> · <bdi>{TOLD}</bdi></p>' in html
    excerpt = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", html)
    assert excerpt
    assert excerpt[1] == "El juez calló. <mark>Según él, bastaba.</mark>"


def test_card_of_a_nearest_passage_names_outlets_too() -> None:
    html = evidence_html(replace(answer(), status="unknown", text=""), language="en")
    assert "The same words in: Diario B, 2 March 2024; Diario C, no date" in html


def test_hostile_outlet_changes_no_tag() -> None:
    hostile = replace(COPIES[0], article=replace(COPIES[0].article, outlet="<img src=x>"))
    html = evidence_html(replace(answer(cite(FOUND)), hits=(replace(FOUND, copies=(hostile,)),)), language="es")
    assert "<img" not in html
    assert "&lt;img src=x&gt;, 2 de marzo de 2024" in html


def test_markdown_has_context_and_outlets_outside_the_quotation() -> None:
    lines = answer_markdown(answer(cite(FOUND)), language="es").split("\n")
    assert "  (El juez calló.)" in lines
    assert "  > Según él, bastaba." in lines
    assert f"  {PRINTED}" in lines


def test_article_names_who_else_tells_its_story() -> None:
    story = Story(article("A"), (Related(article("B"), "copy", 0.9), Related(article("C"), "event", 0.95)))
    text = article_text(story.article, removed=False, story=story)
    assert text.endswith(
        "El mismo texto: Diario B, sin fecha — Título B (B)\nEl mismo hecho: Diario C, sin fecha — Título C (C)"
    )


def test_show_lists_the_other_outlets_of_a_wire_story(sample_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "museo-01", "--archive", str(sample_folder)]) == 0
    shown = capsys.readouterr().out
    assert "El mismo texto: El Cronista del Estuario, 3 de marzo de 2025 — Asalto relámpago" in shown
    assert "El mismo texto: El Faro de Levante, 4 de marzo de 2025 — Golpe de seis minutos" in shown
    assert main(["show", "museo-01", "--archive", str(sample_folder), "--json"]) == 0
    story = json.loads(capsys.readouterr().out)["story"]
    assert [(each["kind"], each["given_id"]) for each in story] == [("copy", "museo-02"), ("copy", "museo-03")]


def test_search_on_the_command_line_lists_copies_and_takes_more_of_an_article(
    sample_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["search", "museo de Brezal joyas robo", "--archive", str(sample_folder), "-k", "20", "--json"]
    counts = []
    for more in ([], ["--per-article", "1"]):
        assert main([*asked, *more]) == 0
        hits = json.loads(capsys.readouterr().out)
        found = [each["article"]["given_id"] for each in hits]
        counts.append(max(found.count(name) for name in found))
        assert {copy["article"]["given_id"] for each in hits for copy in each["copies"]} < {
            "museo-01", "museo-02", "museo-03",
        }  # fmt: skip
    assert counts == [2, 1]
