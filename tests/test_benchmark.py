"""What the benchmark computes and writes; what it measures, nobody can expect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.bench_large import recall
from eval.bench_page import Goal, Section, machine_block, table, with_section
from eval.measuring import archive_bytes, median, percentile
from eval.real_vectors import KnownEmbedder, real_vectors
from rag.interfaces import PassageVectors
from rag.schema import Passage, Sentence
from tests.hashed_embedder import HashedEmbedder

MACHINE = machine_block({"Machine": "a loom", "Python": "3.11"})
ORDER = ("first", "second")
SLOW = Section("Speed", "It took 3 s.")
QUICK = Section(
    "Speed", "It took 1 s.", (Goal("Time", "< 2 s", "1 s", met=True), Goal("Room", "< 2 MB", "9 MB", met=False))
)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.95, 7.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([4.0, 1.0, 3.0, 2.0, 5.0], 0.25, 2.0),
        (list(range(101)), 0.95, 95.0),
    ],
    ids=["one", "between two", "unordered", "hundred and one"],
)
def test_percentile_lies_on_the_line_between_neighbours(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_median_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        median([])


def test_table_is_markdown_and_keeps_cells_in_their_columns() -> None:
    assert table(["what", "s"], [["a|b", "1.5"]]) == "| what | s |\n| --- | ---: |\n| a\\|b | 1.5 |"
    with pytest.raises(ValueError, match="has 1 cells, the header 2"):
        table(["what", "s"], [["alone"]])


def page(*measured: tuple[str, Section], machine: str = MACHINE, before: str = "") -> str:
    for name, section in measured:
        before = with_section(before, name, section, machine=machine, footer=f"of {name}", order=ORDER)
    return before


def test_goals_say_whether_they_are_met() -> None:
    written = page(("first", QUICK))
    assert "- **Time: 1 s** (goal < 2 s: met)\n- **Room: 9 MB** (goal < 2 MB: NOT met)\n\nIt took 1 s." in written


def test_a_part_measured_again_replaces_its_own_section_only() -> None:
    other = Section("Size", "It takes 5 MB.")
    written = page(("second", other), ("first", SLOW), ("first", QUICK))
    assert "3 s" not in written
    assert written.count("## Speed") == written.count("## Size") == 1
    assert written == page(("first", QUICK), ("second", other))


def test_sections_of_another_machine_are_left_out() -> None:
    written = page(("second", QUICK), before=page(("first", SLOW)), machine=machine_block({"Machine": "an abacus"}))
    assert "an abacus" in written
    assert "a loom" not in written
    assert "3 s" not in written


def test_bytes_are_told_by_part(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_bytes(b"12345")
    (tmp_path / "archive.db-wal").write_bytes(b"12")
    (tmp_path / "vectors" / "deep").mkdir(parents=True)
    (tmp_path / "vectors" / "deep" / "link_lists.bin").write_bytes(b"123")
    assert archive_bytes(tmp_path) == {"truth": 7, "vectors": 3, "words": 0}


def test_recall_is_the_share_of_the_nearest_that_was_found() -> None:
    exact = [["a", "b", "c"], ["d", "e", "f"]]
    assert recall([["b", "a", "x"], ["d", "x", "e"]], exact, k=2) == pytest.approx((1.0 + 0.5) / 2)


class Interrupted(HashedEmbedder):
    """Embeds so many texts, then is interrupted."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most

    def embed_passages(self, passages: Sequence[Passage]) -> list[PassageVectors]:
        self.left -= len(passages)
        if self.left < 0:
            raise KeyboardInterrupt
        return super().embed_passages(passages)


def test_vectors_made_before_an_interruption_are_kept(tmp_path: Path) -> None:
    texts = ["uno dos", "tres", "cuatro", "cinco seis", "siete"]
    with pytest.raises(KeyboardInterrupt):
        real_vectors(tmp_path, texts, embedder=Interrupted(most=4), say=lambda _: None, at_once=2)
    vectors = real_vectors(tmp_path, texts, embedder=Interrupted(most=1), say=lambda _: None, at_once=2)
    assert np.array_equal(vectors, HashedEmbedder().embed_questions(texts))


def test_an_embedder_that_knows_its_texts_gives_each_passage_its_own_vector() -> None:
    real = HashedEmbedder()
    known = KnownEmbedder(["uno", "dos"], real.embed_questions(["uno", "dos"]), real=real)
    passage = Passage("a-1", "a", 0, 0, 3, "dos", "es", "dos", (Sentence(0, 1, "d"), Sentence(1, 3, "os")))
    (made,) = known.embed_passages([passage])
    assert np.array_equal(made.passage, real.embed_question("dos"))
    assert made.sentences.shape == (2, known.dim)
