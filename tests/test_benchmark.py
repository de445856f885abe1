"""What the benchmark computes and writes; what it measures, nobody can expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.bench_page import Goal, Section, machine_block, table, with_section
from eval.measuring import archive_bytes, median, percentile

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
