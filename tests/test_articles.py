from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rag.articles import Articles, Prepared, open_articles
from rag.errors import ArchiveError, NotFoundError
from rag.interfaces import PassageVectors
from rag.schema import Article, Passage, Removal, Sentence
from rag.tables import text_hash


@pytest.fixture
def truth(tmp_path: Path) -> Articles:
    return open_articles(tmp_path)


def prepared(
    article_id: str,
    parts: list[str],
    *,
    place: str = "a.txt",
    url: str | None = None,
    outlet: str | None = "El Faro",
    published: date | None = date(2024, 6, 19),
) -> Prepared:
    """An article whose passages are the parts, parted by a line feed."""
    text = "\n".join(parts)
    article = Article(
        id=article_id,
        text=text,
        outlet=outlet,
        url=url,
        published=published,
        language="es",
        given_id=f"given-{article_id}",
        removed=(Removal(text="Síguenos", reason="promotion", start=3),),
        content_hash=text_hash(f"{outlet}{text}"),
    )
    passages, start = [], 0
    for ordinal, part in enumerate(parts):
        passages.append(
            Passage(
                id=f"{article_id}-{part}",
                article_id=article_id,
                ordinal=ordinal,
                start=start,
                end=start + len(part),
                text=part,
                language="es",
                embedded_text=f"{outlet}\n{part}",
                sentences=(Sentence(start=start, end=start + len(part), text=part),),
            )
        )
        start += len(part) + 1
    return Prepared(article=article, passages=tuple(passages), place=place, source_hash=article.content_hash)


def cut_in_two(item: Prepared) -> Prepared:
    """The same article of one passage, "Uno. Dos.", now as two sentences."""
    [passage] = item.passages
    cut = replace(passage, sentences=(Sentence(0, 4, "Uno."), Sentence(5, 9, "Dos.")))
    return replace(item, article=replace(item.article, content_hash="other"), passages=(cut,))


def vectors(value: float) -> PassageVectors:
    return PassageVectors(
        passage=np.array([value, 1.0], dtype=np.float32), sentences=np.array([[value, 0.5]], dtype=np.float32)
    )


def test_an_article_comes_back_as_it_was_kept(truth: Articles) -> None:
    item = prepared("a1", ["Año 🇪🇸 nuevo.", "Fin."])
    assert truth.put([item]) == ["added"]
    article = truth.article("a1")
    assert (article.text, article.published, article.removed) == (
        "Año 🇪🇸 nuevo.\nFin.",
        date(2024, 6, 19),
        item.article.removed,
    )
    assert article.places == ("a.txt",)


def test_an_article_is_found_by_the_id_its_source_gave(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."])])
    assert truth.article("given-a1").id == "a1"


def test_passages_are_slices_in_code_points(truth: Articles) -> None:
    item = prepared("a1", ["Año 🇪🇸 n\u0303.", "Fin."])
    truth.put([item])
    assert truth.passages_of(["a1"]) == list(item.passages)


def test_an_unknown_id_is_named(truth: Articles) -> None:
    with pytest.raises(NotFoundError, match="'nada'"):
        truth.article("nada")


def test_the_same_again_changes_nothing(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."])])
    seq = truth.last_seq()
    assert truth.put([prepared("a1", ["Uno."])]) == ["unchanged"]
    assert truth.last_seq() == seq


def test_equal_text_without_url_is_kept_once_with_both_places(truth: Articles) -> None:
    outcomes = truth.put([prepared("a1", ["Uno."]), prepared("a2", ["Uno."], place="b.txt")])
    assert outcomes == ["added", "duplicate"]
    assert truth.article("a1").places == ("a.txt", "b.txt")
    assert truth.counts().articles == 1


def test_equal_text_with_another_url_is_another_article(truth: Articles) -> None:
    outcomes = truth.put(
        [prepared("a1", ["Uno."], url="https://x.example/1"), prepared("a2", ["Uno."], url="https://y.example/1")]
    )
    assert outcomes == ["added", "added"]


def test_a_changed_article_keeps_the_vectors_of_unchanged_passages(truth: Articles) -> None:
    item = prepared("a1", ["Uno.", "Dos."])
    truth.put([item])
    truth.set_vectors([(item.passages[0], vectors(0.25)), (item.passages[1], vectors(0.5))])
    assert truth.put([prepared("a1", ["Cero.", "Uno."])]) == ["changed"]
    assert set(truth.vectors_of(["a1-Cero.", "a1-Uno.", "a1-Dos."])) == {"a1-Uno."}
    assert [passage.id for passage in truth.without_vectors(limit=9)] == ["a1-Cero."]
    assert [passage.start for passage in truth.passages_of(["a1"])] == [0, 6]


def test_passages_know_the_one_before_them(truth: Articles) -> None:
    items = [prepared("a1", ["Uno.", "Dos.", "Tres."]), prepared("b1", ["Cuatro.", "Cinco."], place="b.txt")]
    truth.put(items)
    first, second, third = items[0].passages
    fourth, fifth = items[1].passages
    before = truth.passages_before([passage.id for passage in (first, third, fourth, fifth)])
    assert before == {third.id: second, fifth.id: fourth}


def test_when_one_of_two_places_changes_the_text_stays_for_the_other(truth: Articles) -> None:
    item = prepared("a1", ["Uno."])
    truth.put([item, prepared("a2", ["Uno."], place="b.txt")])
    truth.set_vectors([(item.passages[0], vectors(0.25))])
    assert truth.put([prepared("a1", ["Dos."])]) == ["changed"]
    assert {article.text: article.places for article in truth.articles()} == {
        "Dos.": ("a.txt",),
        "Uno.": ("b.txt",),
    }
    kept = next(article for article in truth.articles() if article.text == "Uno.")
    [passage] = truth.passages_of([kept.id])
    assert truth.vectors_of([passage.id])
    assert kept.id in [change.article_id for change in truth.changes(0, event="vectors")]


def test_the_same_text_of_another_outlet_or_day_is_another_article(truth: Articles) -> None:
    outcomes = truth.put(
        [
            prepared("a1", ["Uno."]),
            prepared("a2", ["Uno."], place="b.txt", outlet="La Ría"),
            prepared("a3", ["Uno."], place="c.txt", published=date(2024, 6, 20)),
            prepared("a4", ["Uno."], place="d.txt", outlet=None, published=None),
        ]
    )
    assert outcomes == ["added", "added", "added", "duplicate"]


def test_a_corrected_outlet_replaces_the_article_of_that_place(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."], outlet="El Paiz")])
    assert truth.put([prepared("a2", ["Uno."], outlet="El País")]) == ["changed"]
    assert [article.outlet for article in truth.articles()] == ["El País"]


def test_vectors_do_not_survive_another_cut_into_sentences(truth: Articles) -> None:
    item = prepared("a1", ["Uno. Dos."])
    truth.put([item])
    [passage] = item.passages
    truth.set_vectors([(passage, vectors(0.25))])
    truth.put([cut_in_two(item)])
    assert truth.vectors_of([passage.id]) == {}


def test_vectors_that_come_after_another_cut_into_sentences_are_passed_over(truth: Articles) -> None:
    item = prepared("a1", ["Uno. Dos."])
    truth.put([item, cut_in_two(item)])
    logged = truth.last_seq()
    truth.set_vectors([(item.passages[0], vectors(0.25))])
    assert truth.without_vectors(limit=9) == list(cut_in_two(item).passages)
    assert truth.last_seq() == logged


def test_vectors_of_a_passage_that_moved_meanwhile_are_kept(truth: Articles) -> None:
    item = prepared("a1", ["Uno."])
    truth.put([item, prepared("a1", ["Cero.", "Uno."])])
    truth.set_vectors([(item.passages[0], vectors(0.25))])
    assert set(truth.vectors_of(["a1-Cero.", "a1-Uno."])) == {"a1-Uno."}


def test_an_id_that_two_outlets_gave_is_asked_for_again(truth: Articles) -> None:
    first, second = prepared("a1", ["Uno."]), prepared("a2", ["Dos."], place="b.txt", outlet="La Ría")
    truth.put([replace(item, article=replace(item.article, given_id="7")) for item in (first, second)])
    with pytest.raises(NotFoundError, match=r"2 articles were given the id '7': use one of a1 \(El Faro\), a2"):
        truth.article("7")


def test_a_closed_archive_is_not_written(truth: Articles) -> None:
    truth.close()
    with pytest.raises(ArchiveError, match="is closed: open it again"):
        truth.put([prepared("a1", ["Uno."])])


def test_a_damaged_page_is_one_sentence(tmp_path: Path) -> None:
    truth = open_articles(tmp_path)
    truth.put([prepared(f"a{number}", [f"Texto {number}. " * 400], place=str(number)) for number in range(40)])
    truth.close()
    file = tmp_path / "archive.db"
    content = bytearray(file.read_bytes())
    content[8192 : len(content) - 4096] = b"\xff" * (len(content) - 12288)
    file.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"damaged|cannot be used"):
        open_articles(tmp_path).articles()


def test_vectors_come_back(truth: Articles) -> None:
    item = prepared("a1", ["Uno."])
    truth.put([item])
    truth.set_vectors([(item.passages[0], vectors(0.25))])
    np.testing.assert_array_equal(truth.vectors_of(["a1-Uno."])["a1-Uno."], [0.25, 1.0])
    np.testing.assert_array_equal(truth.sentence_vectors_of(["a1-Uno."])["a1-Uno."], [[0.25, 0.5]])


def test_vectors_of_a_passage_deleted_meanwhile_are_passed_over(truth: Articles) -> None:
    truth.set_vectors([(prepared("a1", ["gone"]).passages[0], vectors(1.0))])
    assert truth.last_seq() == 0


def test_a_deleted_article_leaves_only_its_id_in_the_log(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."])])
    truth.delete("given-a1")
    assert truth.counts().passages == 0
    assert truth.passages_by_id(["a1-Uno."]) == {}
    assert [change.article_id for change in truth.changes(0, event="article")] == ["a1"]
    assert truth.known_sources(["a.txt"]) == {}


def test_the_log_gives_the_last_entry_of_each_article(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."]), prepared("a2", ["Dos."], place="b.txt")])
    first = truth.changes(0, event="article")
    truth.put([prepared("a1", ["Tres."])])
    changes = truth.changes(0, event="article")
    assert [change.article_id for change in changes] == ["a2", "a1"]
    assert changes[-1].seq > first[-1].seq
    assert truth.changes(truth.last_seq(), event="article") == []


def test_the_newest_article_comes_first_and_those_without_a_date_last(truth: Articles) -> None:
    truth.put(
        [
            prepared("a1", ["Uno."], published=None, place="1"),
            prepared("a2", ["Dos."], published=date(2023, 1, 1), place="2"),
            prepared("a3", ["Tres."], published=date(2024, 1, 1), place="3"),
        ]
    )
    assert [article.id for article in truth.articles()] == ["a3", "a2", "a1"]


def test_an_archive_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    truth = open_articles(tmp_path)
    truth.set_meta("schema", "99")
    truth.close()
    with pytest.raises(ArchiveError, match="format 99"):
        open_articles(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_bytes(b"not a database, but long enough to be taken for one" * 20)
    with pytest.raises(ArchiveError, match="cannot be used as an archive"):
        open_articles(tmp_path)
