"""What the measurement of stories says: curves of copies and of same events, with 95 % intervals (Wilson)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from eval.finding_report import Report, table
from eval.metrics import wilson
from eval.story_quality import Point, StoryQuality
from rag.stories import RULES

ABOUT = (
    'Which articles are linked as copies of one text, and as tellings of one event, at each limit; "*" marks those in\n'
    "use. Real pairs were judged beforehand and are few; copies were made as well, and translations (NTREX) stand for\n"
    "the same event told by another hand. 95 % intervals are Wilson's; pairs that nobody judged count in no precision."
)


def story_report(result: StoryQuality) -> Report:
    """Return tables of each kind of pair; there are no targets."""
    translated = [
        _curve(f"translations, {language}, {'one day' if dated else 'no dates'}", points, in_use=limit)
        for (language, dated), points in result.translated.items()
        for limit in (RULES.event if dated else RULES.event_undated,)
    ]
    groups = result.groups
    told = (
        f"{result.articles} articles of the half {result.split!r}; groups found as judged: {groups.several_found} of "
        f"{groups.several} with several articles, {groups.alone_found} of {groups.alone} articles that stand alone; "
        f"{len(result.unjudged)} links that nobody judged"
    )
    ways = [[way, f"{found} of {made}", _share(found, made)] for way, (found, made) in result.made_by_way.items()]
    tables = (
        told,
        _curve("copies, real", result.copies, in_use=RULES.copy),
        _curve("copies, made", result.made, in_use=RULES.copy),
        table(["made copies found, by way", "", "recall"], ways),
        _curve("same event, real", result.events, in_use=RULES.event),
        _curve("same event, real, judged without doubt", result.events_certain, in_use=RULES.event),
        *translated,
    )
    content = {
        "split": result.split,
        "articles": result.articles,
        "copies": _plain(result.copies),
        "made": _plain(result.made),
        "made_by_way": {way: list(counts) for way, counts in result.made_by_way.items()},
        "events": _plain(result.events),
        "events_certain": _plain(result.events_certain),
        "translated": {
            f"{language} {'dated' if dated else 'undated'}": _plain(points)
            for (language, dated), points in result.translated.items()
        },
        "groups": asdict(groups),
        "unjudged": len(result.unjudged),
    }
    return Report("stories", ABOUT, tables, (), content)


def _curve(name: str, points: Sequence[Point], *, in_use: float) -> str:
    lines = [
        [
            f"{'*' if point.limit == in_use else ' '} {point.limit:.3f}",
            f"{point.right} of {point.of}",
            _share(point.right, point.of),
            _share(point.right, point.right + point.wrong),
            str(point.wrong),
            str(point.unjudged),
        ]
        for point in points
    ]
    return table([name, "found", "recall", "precision", "wrong", "not judged"], lines)


def _share(right: int, of: int) -> str:
    if not of:
        return "-"
    interval = wilson(right / of, of)
    return f"{right / of:.2f} ({interval.low:.2f}-{interval.high:.2f})"


def _plain(points: Sequence[Point]) -> list[dict[str, float]]:
    return [asdict(point) for point in points]
