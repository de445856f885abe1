from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import Resolved, find_markers, resolve, take_markers_out, whole_markers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("Sin marcas.", []),
        ("Uno [1].", [(1,)]),
        ("Dos [1,2].", [(1, 2)]),
        ("Dos [1, 2].", [(1, 2)]),
        ("Dos [1; 2].", [(1, 2)]),
        ("Dos [1 y 2].", [(1, 2)]),
        ("Seguidas [1][3].", [(1,), (3,)]),
        ("Anchas 【1】 y ［2］.", [(1,), (2,)]),
        ("Con daga 【1†L3-L8】.", [(1,)]),
        ("Nota [^2].", [(2,)]),
        ("Tramo [1-3].", [(1, 2, 3)]),
        ("Tramo [2–4, 7].", [(2, 3, 4, 7)]),
        ("Al revés [3-1].", [(1, 2, 3)]),
        ("Repetida [1, 1].", [(1,)]),
        ("Dicho [pasaje 2] y [Source 3].", [(2,), (3,)]),
        ("Espacios [ 1 ].", [(1,)]),
        ("Cero [0].", [(0,)]),
        ("Un año [1961] y una palabra [sic].", []),
        ("Vacía [] y media [1", []),
        ("[1] delante.", [(1,)]),
    ],
    ids=str,
)
def test_markers_are_found(text: str, numbers: list[tuple[int, ...]]) -> None:
    assert [marker.numbers for marker in find_markers(text)] == numbers


def test_marker_covers_what_was_written() -> None:
    text = "Sí [1, 2] y 【3】."
    assert [text[marker.start : marker.end] for marker in find_markers(text)] == ["[1, 2]", "【3】"]


@pytest.mark.parametrize(
    ("numbers", "valid", "dangling"),
    [((1, 4), (1, 4), ()), ((9, 2), (2,), (9,)), ((0,), (), (0,)), ((), (), ()), ((3, 3, 5, 5), (3,), (5,))],
    ids=str,
)
def test_dangling_number_is_reported(
    numbers: tuple[int, ...], valid: tuple[int, ...], dangling: tuple[int, ...]
) -> None:
    assert resolve(numbers, passages=4) == Resolved(valid, dangling)


@pytest.mark.parametrize(
    ("text", "plain", "places"),
    [
        ("Uno [1]. Dos [2].", "Uno. Dos.", ((3, (1,)), (8, (2,)))),
        ("Uno. [1] Dos. [2]", "Uno. Dos.", ((4, (1,)), (9, (2,)))),
        ("Uno.[1] Dos.[2]", "Uno. Dos.", ((4, (1,)), (9, (2,)))),
        ("Uno.[1]Dos.", "Uno. Dos.", ((4, (1,)),)),
        ("[1] Uno.\n[2] Dos.", "Uno.\nDos.", ((0, (1,)), (5, (2,)))),
        ("Uno.\n[1]\nDos.", "Uno.\n\nDos.", ((5, (1,)),)),
        ("Uno [1][2].", "Uno.", ((3, (1,)), (3, (2,)))),
        ("Nada.", "Nada.", ()),
        ("", "", ()),
    ],
    ids=str,
)
def test_text_without_markers_keeps_their_places(
    text: str, plain: str, places: tuple[tuple[int, tuple[int, ...]], ...]
) -> None:
    marked = take_markers_out(text)
    assert (marked.text, marked.markers) == (plain, places)


@pytest.mark.parametrize(
    ("chunks", "pieces"),
    [
        (["Uno [", "1", "]."], ["Uno ", "[1]."]),
        (["Uno [1", "2] y"], ["Uno ", "[12] y"]),
        (["Uno 【", "1】"], ["Uno ", "【1】"]),
        (["Sin", " marcas"], ["Sin", " marcas"]),
        (["Fin ["], ["Fin ", "["]),
        (["Un [corchete que ", "no acaba y sigue mucho más allá de una marca"], None),
        ([], []),
    ],
    ids=str,
)
def test_half_marker_is_held_back(chunks: list[str], pieces: list[str] | None) -> None:
    found = list(whole_markers(chunks))
    assert "".join(found) == "".join(chunks)
    if pieces is not None:
        assert found == pieces


def test_bracket_that_cannot_be_a_marker_is_let_go_before_the_end() -> None:
    assert list(whole_markers(["Un [corchete", " largo" * 30, " más", "]"]))[1] == "[corchete" + " largo" * 30


@given(st.lists(st.text(alphabet="ab [1,2]【】.\n"), max_size=12))
def test_cutting_a_stream_loses_nothing_and_splits_no_marker(chunks: list[str]) -> None:
    pieces = list(whole_markers(chunks))
    whole = "".join(chunks)
    assert "".join(pieces) == whole
    assert [marker.numbers for piece in pieces for marker in find_markers(piece)] == [
        marker.numbers for marker in find_markers(whole)
    ]


@given(st.text(alphabet="ab [1,2]【】.\n"))
def test_taking_markers_out_keeps_every_other_word(text: str) -> None:
    marked = take_markers_out(text)
    letters = [char for char in text if char in "ab.\n"]
    assert [char for char in marked.text if char in "ab.\n"] == letters
    assert all(0 <= place <= len(marked.text) for place, _ in marked.markers)
    assert len(marked.markers) == len(find_markers(text))
