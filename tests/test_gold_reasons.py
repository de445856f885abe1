"""The reasons for declining keep what their description promises."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

from eval.dataset import GOLD, SAMPLE

EXPECTED = {"nothing": 8, "fact": 12, "limits": 10}
Row = dict[str, Any]


@cache
def rows(name: str) -> tuple[Row, ...]:
    return tuple(map(json.loads, GOLD.with_name(name).read_text(encoding="utf-8").splitlines()))


def is_within(article: Row, asks: Row) -> bool:
    day = article["published"][:10]
    return (
        (not asks["outlets"] or article["outlet"] in asks["outlets"])
        and (asks["since"] is None or day >= asks["since"])
        and (asks["until"] is None or day <= asks["until"])
    )


def test_there_are_thirty_questions_in_each_split_with_the_promised_reasons() -> None:
    found = Counter((row["split"], row["reason"]) for row in rows("reasons.jsonl"))
    assert found == {(split, why): n for split in ("dev", "test") for why, n in EXPECTED.items()}
    assert len({row["qid"] for row in rows("reasons.jsonl")}) == 60


def test_questions_of_the_other_sets_are_as_they_are_there_and_have_no_answer() -> None:
    known = {row["qid"]: row for name in ("gold.jsonl", "near_misses.jsonl") for row in rows(name)}
    shared = [row for row in rows("reasons.jsonl") if row["qid"] in known]
    assert len(shared) == 32
    for row in shared:
        told = {key: value for key, value in row.items() if key != "reason"}
        assert told == known[row["qid"]], row["qid"]
        assert not row["answerable"]


def test_what_is_out_of_limits_stands_in_articles_beyond_them_and_others_lie_within() -> None:
    articles = {row["id"]: row for row in map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())}
    limited = [row for row in rows("reasons.jsonl") if row["reason"] == "limits"]
    assert Counter((row["split"], row["type"]) for row in limited) == {
        (split, kind): 5 for split in ("dev", "test") for kind in ("outside-given", "outside-said")
    }
    for row in limited:
        assert row["outside"], row["qid"]
        assert any(is_within(article, row["asks"]) for article in articles.values()), row["qid"]
        for quoted in row["outside"]:
            article = articles[quoted["article"]]
            assert quoted["quote"] in article["text"], row["qid"]
            assert not is_within(article, row["asks"]), row["qid"]


def test_only_questions_that_say_their_limits_themselves_leave_the_fields_empty() -> None:
    for row in rows("reasons.jsonl"):
        fields = {key: row[key] for key in ("since", "until", "outlets")}
        if row["type"] == "outside-given":
            assert fields == row["asks"], row["qid"]
        if row["type"] == "outside-said":
            assert not any(fields.values()), row["qid"]
