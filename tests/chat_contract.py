"""What every answer keeps, whichever chat model wrote it: scripted pieces, a scripted server or a real model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rag.citations import find_markers
from rag.schema import Answer


def assert_sound(answer: Answer) -> None:
    """A final answer has a legal status, and its citations are slices of their articles, numbered as they appear."""
    assert answer.status in ("answered", "unknown")
    assert [citation.number for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    for citation in answer.citations:
        assert citation.quote == citation.article.text[citation.start : citation.end]
        assert citation.quote in [sentence.text for sentence in citation.passage.sentences]
    for statement in answer.statements:
        assert set(statement.citations) <= set(answer.citations)
        assert statement.citations or statement.support == "unsupported"
    if answer.status == "unknown":
        assert answer.reason
        assert not answer.statements
    if answer.model != "extractive":
        # An article's own words may hold brackets; a model's hold none but our markers.
        assert all(find_markers(statement.text) == [] for statement in answer.statements)
        cited = {number for marker in find_markers(answer.text) for number in marker.numbers}
        assert cited == {citation.number for citation in answer.citations}


def assert_grows(snapshots: Sequence[Answer]) -> None:
    """A stream is of partial answers and a final one; what was finished in one of the former stays in the next."""
    *partial, final = snapshots
    assert {answer.status for answer in partial} <= {"partial"}
    assert final.status != "partial"
    for earlier, later in pairwise(partial):
        said = [statement.text for statement in earlier.statements]
        assert [statement.text for statement in later.statements][: len(said)] == said
    for answer in partial:
        assert all(statement.citations or statement.support == "unsupported" for statement in answer.statements)


def assert_keeps_the_contract(snapshots: Sequence[Answer], *, model: str) -> None:
    """An answer of the archive is sound, and the model's or, with a notice that says why, in the articles' words."""
    assert_grows(snapshots)
    final = snapshots[-1]
    assert_sound(final)
    assert final.model in (model, "extractive")
    assert final.hits == snapshots[0].hits
    if final.model == "extractive":
        [notice] = final.notices
        assert notice.endswith(".")
        assert "\n" not in notice
        assert "Traceback" not in notice
        assert all(statement.support == "supported" for statement in final.statements)
