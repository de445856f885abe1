from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rag.articles import Articles, Prepared, open_articles, text_hash
from rag.errors import ArchiveError, NotFoundError
from rag.interfaces import PassageVectors
from rag.schema import Article, Passage, Removal, Sentence


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
    truth.put([prepared("a1", ["Uno.", "Dos."])])
    truth.set_vectors([("a1-Uno.", vectors(0.25)), ("a1-Dos.", vectors(0.5))])
    assert truth.put([prepared("a1", ["Cero.", "Uno."])]) == ["changed"]
    assert set(truth.vectors_of(["a1-Cero.", "a1-Uno.", "a1-Dos."])) == {"a1-Uno."}
    assert [passage.id for passage in truth.without_vectors(limit=9)] == ["a1-Cero."]
    assert [passage.start for passage in truth.passages_of(["a1"])] == [0, 6]


def test_a_changed_article_forgets_its_other_places(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."]), prepared("a2", ["Uno."], place="b.txt")])
    truth.put([prepared("a1", ["Dos."])])
    assert truth.known_sources(["a.txt", "b.txt"]) == {"a.txt": prepared("a1", ["Dos."]).source_hash}


def test_vectors_come_back(truth: Articles) -> None:
    truth.put([prepared("a1", ["Uno."])])
    truth.set_vectors([("a1-Uno.", vectors(0.25))])
    np.testing.assert_array_equal(truth.vectors_of(["a1-Uno."])["a1-Uno."], [0.25, 1.0])
    np.testing.assert_array_equal(truth.sentence_vectors_of(["a1-Uno."])["a1-Uno."], [[0.25, 0.5]])


def test_vectors_of_a_passage_deleted_meanwhile_are_passed_over(truth: Articles) -> None:
    truth.set_vectors([("gone", vectors(1.0))])
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
