"""What the measurement of stories says, of a result made by hand."""

from __future__ import annotations

from eval.finding_stories import story_report
from eval.story_quality import GroupCount, Point, StoryQuality
from rag.stories import RULES

RESULT = StoryQuality(
    split="dev",
    articles=10,
    copies=(Point(0.1, right=4, of=4, wrong=4, unjudged=2), Point(RULES.copy, right=3, of=4, wrong=0, unjudged=0)),
    made=(Point(RULES.copy, right=0, of=2, wrong=0, unjudged=0),),
    made_by_way={"cut": (0, 2)},
    events=(),
    events_certain=(),
    translated={("en", True): (Point(RULES.event, right=1, of=2, wrong=1, unjudged=0),)},
    groups=GroupCount(several=3, several_found=2, alone=5, alone_found=5),
    unjudged=(),
)


def test_a_limit_has_recall_and_precision_with_intervals_and_the_one_in_use_is_marked() -> None:
    text = story_report(RESULT).text()
    lines = [line.split() for line in text.splitlines()]
    # Wilson: 3 of 4 is 0.30 to 0.95, 3 of 3 is 0.44 to 1, 4 of 4 is 0.51 to 1, 4 of 8 is 0.22 to 0.78.
    assert f"* {RULES.copy:.3f} 3 of 4 0.75 (0.30-0.95) 1.00 (0.44-1.00) 0 0".split() in lines
    assert ["0.100", "4", "of", "4", "1.00", "(0.51-1.00)", "0.50", "(0.22-0.78)", "4", "2"] in lines
    assert "2 of 3 with several articles, 5 of 5 articles that stand alone" in text


def test_without_a_link_there_is_no_precision() -> None:
    lines = [line.split() for line in story_report(RESULT).text().splitlines() if " 0 of 2 " in line]
    assert lines[0] == f"* {RULES.copy:.3f} 0 of 2 0.00 (0.00-0.66) - 0 0".split()
