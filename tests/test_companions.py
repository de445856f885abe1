"""The company of hits, on the sample archive: one wire story there was printed by three outlets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ingest import ingest
from rag.archive import Archive
from rag.config import IngestSettings, Settings
from rag.errors import NotFoundError
from rag.interfaces import Embedder
from rag.schema import Hit

WIRE = {"museo-01", "museo-02", "museo-03"}
ROOF = "¿Por dónde entraron los ladrones del museo de Brezal?"
GUARD = "¿Sufrió daños el vigilante del museo?"


def names(hits: Sequence[Hit]) -> list[str | None]:
    return [hit.article.given_id for hit in hits]


def test_one_hit_stands_for_the_same_words_in_three_outlets(sample_archive: Archive) -> None:
    [first, *others] = sample_archive.search(ROOF)
    assert {*names([first, *first.copies])} == WIRE
    for copy in first.copies:
        assert "una claraboya del tejado" in copy.passage.text
        assert copy.article.text[copy.passage.start : copy.passage.end] == copy.passage.text
    assert not any("una claraboya del tejado" in hit.passage.text for hit in others)


def test_copies_stand_in_the_order_they_were_published(sample_archive: Archive) -> None:
    copies = sample_archive.search(ROOF)[0].copies
    assert [copy.article.published for copy in copies] == sorted(copy.article.published or date.max for copy in copies)


def test_copy_without_the_words_of_a_hit_is_not_named(sample_archive: Archive) -> None:
    # El Cronista cut the last two paragraphs of the wire text, the guard's and the reward's.
    hits = [hit for hit in sample_archive.search("recompensa de 100.000 euros por pistas") if hit.copies]
    assert hits
    for hit in hits:
        for copy in hit.copies:
            shared = {sentence.text for sentence in hit.passage.sentences} & {
                sentence.text for sentence in copy.passage.sentences
            }
            assert shared


def test_answer_cites_every_outlet_that_printed_the_sentence(sample_archive: Archive) -> None:
    answer = sample_archive.ask(ROOF)
    [statement] = [each for each in answer.statements if "claraboya" in each.text]
    assert {citation.article.given_id for citation in statement.citations} == WIRE
    assert all("una claraboya del tejado" in citation.quote for citation in statement.citations)


def test_sentence_that_one_outlet_cut_is_cited_from_the_others(sample_archive: Archive) -> None:
    answer = sample_archive.ask(GUARD)
    cited = {citation.article.given_id for citation in answer.citations if "El único vigilante" in citation.quote}
    assert cited == {"museo-01", "museo-03"}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"outlets": ["El Faro de Levante"]}, {"museo-03"}),
        ({"until": date(2025, 3, 3)}, {"museo-01", "museo-02"}),
        ({"since": date(2025, 3, 4), "until": date(2025, 3, 4)}, {"museo-03"}),
    ],
    ids=["outlet", "until", "day"],
)
def test_copies_that_a_filter_leaves_out_are_neither_named_nor_cited(
    sample_archive: Archive, limits: dict[str, object], expected: set[str]
) -> None:
    first = sample_archive.search(ROOF, **limits)[0]  # type: ignore[arg-type]
    assert {*names([first, *first.copies])} == expected
    answer = sample_archive.ask(ROOF, **limits)  # type: ignore[arg-type]
    assert {citation.article.given_id for citation in answer.citations} <= expected


def test_an_article_and_its_copies_have_two_passages_unless_more_are_asked_for(sample_archive: Archive) -> None:
    def most(hits: Sequence[Hit]) -> int:
        found = ["wire" if name in WIRE else name for name in names(hits)]
        return max(found.count(name) for name in found)

    assert most(sample_archive.search("museo de Brezal robo joyas", k=20)) == 2
    assert most(sample_archive.search("museo de Brezal robo joyas", k=20, per_article=1)) == 1
    settings = sample_archive.settings
    roomy = sample_archive.with_settings(replace(settings, retrieval=replace(settings.retrieval, per_article=9)))
    assert most(roomy.search("museo de Brezal robo joyas", k=20)) >= 2


def test_fewer_than_one_passage_of_an_article_is_an_error(sample_archive: Archive) -> None:
    with pytest.raises(ValueError, match="per_article is 0: allow 1 passage of an article or more"):
        sample_archive.search("museo", per_article=0)


def test_quotation_that_leans_has_the_sentence_before_it_beside_it(sample_archive: Archive) -> None:
    answer = sample_archive.ask("¿Quién sustituye a Leandro Vizcaíno como director del museo?")
    [citation] = [each for each in answer.citations if each.quote.startswith("Lo sustituye")]
    assert citation.context.startswith("Leandro Vizcaíno dimitió como director en mayo")
    assert "dimitió" not in citation.quote
    assert all(not each.context for each in answer.citations if each.quote.startswith("Leandro"))


def test_wire_story_is_one_story_with_three_outlets(sample_archive: Archive) -> None:
    for name in sorted(WIRE):
        story = sample_archive.story(name)
        assert story.article.given_id == name
        assert {article.given_id for article in story.articles} == WIRE
        assert {related.kind for related in story.others} == {"copy"}
    assert {article.outlet for article in story.articles} == {
        "Voz de Peñaluna",
        "El Cronista del Estuario",
        "El Faro de Levante",
    }


def test_same_purchase_told_by_two_outlets_is_one_story(sample_archive: Archive) -> None:
    # They disagree about the price: each is evidence of its own.
    story = sample_archive.story("club-02")
    assert [(related.article.given_id, related.kind) for related in story.others] == [("club-03", "event")]


def test_stories_of_an_archive_are_those_that_two_articles_tell(sample_archive: Archive) -> None:
    found = [{article.given_id for article in story.articles} for story in sample_archive.stories()]
    assert WIRE in found
    assert {"club-02", "club-03"} in found
    assert all(len({str(name).split("-")[0] for name in names}) == 1 for names in found)


def test_story_of_no_article_is_an_error(sample_archive: Archive) -> None:
    with pytest.raises(NotFoundError, match="no article has the id 'none'"):
        sample_archive.story("none")


def test_passage_whose_first_sentence_leans_brings_the_one_before_it(tmp_path: Path, embedder: Embedder) -> None:
    text = (
        "El ministro de Puertos, Tomás Alderete, presentó ayer en la lonja el plan de los muelles de Almadía, que "
        "costará catorce millones y durará tres años. Según él, las grúas llegarán en otoño desde los astilleros de "
        "Gandía, a bordo de dos barcazas que ya se han fletado para ese viaje. Los estibadores piden que se contrate "
        "antes a cuarenta personas, y anuncian paros de dos horas cada lunes si no se hace así."
    )
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "plan", "text": text}), encoding="utf-8")
    settings = Settings(ingest=IngestSettings(passage_tokens=48))
    with Archive.open(tmp_path / "archive", settings=settings, create=True, embedder=embedder) as archive:
        ingest(archive, [file])
        answer = archive.ask("¿Cuándo llegarán las grúas?")
        hits = {hit.passage.ordinal: hit for hit in archive.search("¿Cuándo llegarán las grúas?", per_article=3)}
    assert {ordinal: hit.before and hit.before.ordinal for ordinal, hit in hits.items()} == {0: None, 1: 0, 2: None}
    citation = next(each for each in answer.citations if each.quote.startswith("Según él"))
    assert citation.context == text[: text.index(" Según él")]
    assert citation.article.text[citation.start :].startswith("Según él")
