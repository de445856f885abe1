"""Answers, passages and articles as plain text for a terminal, and as JSON (pure).

What comes from articles, models and file names is hostile: a terminal must never be handed its control characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from rag.config import Settings
from rag.schema import Answer, Article, Citation, Hit, IngestSummary, Story, TimeExpression
from ui.company import citations_company, hit_company, story_lines
from ui.texts import EN, TEXTS, Texts, date_text, number_text
from ui.times import limit_text, quoted_times

_NEAREST = 3
_EXCERPT = 240
# C0 but line feed and tab, DEL, C1, line separators, lone surrogates, and what overrides the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NOTICE = {"es": "Aviso", "en": "Note"}
_TIMES = {"es": "Fechas en el texto", "en": "Times in the text"}
_AS_IS = "--as-is"
_REMOVED = {"es": "Retirado al limpiar", "en": "Removed by cleaning"}


def visible(text: str) -> str:
    """Return the text with every control character shown as a sign of its own; line feeds and tabs stay."""
    return _CONTROL.sub(_sign, text)


def one_line(text: str) -> str:
    """Return the text made visible and on one line, for titles and names."""
    return visible(" ".join(text.split()))


def answer_text(answer: Answer) -> str:
    """Return an answer with its numbered citations, or the reason that there is none and what comes nearest."""
    texts = TEXTS.get(answer.language, EN)
    blocks = [visible(answer.text)] if answer.text else []
    if answer.status == "unknown":
        if answer.reason and answer.reason not in answer.text:
            blocks.append(visible(answer.reason))
        if answer.hits:
            blocks += [f"{texts.nearest}:", *(_nearest(hit, texts) for hit in answer.hits[:_NEAREST])]
    blocks += [
        _citation(citation, answer, texts) for citation in sorted(answer.citations, key=lambda each: each.number)
    ]
    limits = [
        f"{texts.limited_by}: {one_line(limit.words)} = {one_line(limit_text(limit, texts))} ({_AS_IS})"
        for limit in answer.limits
    ]
    doubts = [
        f"{texts.partly if statement.support == 'partly' else texts.unsupported}: {one_line(statement.text)}"
        for statement in answer.statements
        if statement.support != "supported"
    ]
    notices = [f"{_NOTICE[texts.code]}: {one_line(notice)}" for notice in answer.notices]
    if limits or doubts or notices:
        blocks.append("\n".join(limits + doubts + notices))
    return "\n\n".join(blocks)


def hits_text(hits: Sequence[Hit], *, language: str) -> str:
    """Return passages in their order, each with its source, score, the id of its article, and who printed the same.

    Said in the question's language, if the interface speaks it; without any passage, that there is none.
    """
    texts = TEXTS.get(language, EN)
    return "\n\n".join(_hit(rank, hit, texts) for rank, hit in enumerate(hits, start=1)) or texts.no_nearest


def list_text(articles: Sequence[Article]) -> str:
    """Return one line an article: id, date, language, outlet or file, title; columns apart by tabs."""
    return "\n".join(
        "\t".join(
            (
                one_line(article.id),
                article.published.isoformat() if article.published else "-",
                one_line(article.language),
                one_line(article.source),
                one_line(article.title or "-"),
            )
        )
        for article in articles
    )


def article_text(
    article: Article, *, removed: bool, times: Sequence[TimeExpression] = (), story: Story | None = None
) -> str:
    """Return an article's record and text, who else tells its story, and the days that its words mean.

    With `removed`, also what cleaning cut out of it and why, else how much.
    """
    removed_label = _REMOVED[TEXTS.get(article.language, EN).code]
    known = {
        "id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "published": article.published.isoformat() if article.published else None,
        "language": article.language,
        "author": article.author,
        "agency": article.agency,
        "url": article.url,
        "given id": article.given_id,
        "read from": ", ".join(article.places),
    }
    blocks = ["\n".join(f"{name}: {one_line(value)}" for name, value in known.items() if value), visible(article.text)]
    if story and story.others:
        blocks.append("\n".join(map(one_line, story_lines(story, TEXTS.get(article.language, EN)))))
    if times:
        label = _TIMES[TEXTS.get(article.language, EN).code]
        blocks.append("\n".join([f"{label}:", *(_time(time, article) for time in times)]))
    if removed:
        blocks += [
            f"{removed_label} ({one_line(removal.reason)}, {removal.start}):\n{_indented(visible(removal.text))}"
            for removal in article.removed
        ]
    elif article.removed:
        blocks.append(f"{removed_label}: {len(article.removed)} (--removed)")
    return "\n\n".join(blocks)


def summary_text(summary: IngestSummary) -> str:
    """Return what an ingest did in one line, and a line for each failure."""
    counts = (
        f"{summary.added} added, {summary.changed} changed, {summary.unchanged} unchanged, "
        f"{summary.duplicates} duplicates, {summary.failed} failed; "
        f"{summary.passages} passages in {summary.seconds:.1f} s"
    )
    return "\n".join(
        [*(f"failed: {one_line(failure.place)}: {one_line(failure.reason)}" for failure in summary.failures), counts]
    )


def summary_to_dict(summary: IngestSummary) -> dict[str, Any]:
    """Return what an ingest did as plain JSON types."""
    return {
        "added": summary.added,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "duplicates": summary.duplicates,
        "failed": [{"place": failure.place, "reason": failure.reason} for failure in summary.failures],
        "passages": summary.passages,
        "seconds": round(summary.seconds, 3),
    }


def settings_text(settings: Settings) -> str:
    """Return every setting with its value and where that came from, one a line."""
    items = settings.items()
    keys = max(len(key) for key, _, _ in items)
    shown = [json.dumps(value, ensure_ascii=False) for _, value, _ in items]
    values = max(len(value) for value in shown)
    return "\n".join(
        f"{key:<{keys}} = {visible(value):<{values}}  ({one_line(origin)})"
        for (key, _, origin), value in zip(items, shown, strict=True)
    )


def json_text(value: Any) -> str:
    """Return JSON a person can read; what a terminal could obey is escaped, which changes no value."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def _source(article: Article, texts: Texts) -> str:
    source = one_line(article.source)
    if article.published:
        source += f", {date_text(article.published, texts)}"
    return f"{source} — {one_line(article.title)}" if article.title else source


def _citation(citation: Citation, answer: Answer, texts: Texts) -> str:
    lines = [f"({one_line(citation.context)})"] if citation.context else []
    lines += [f"«{visible(citation.quote)}»", *map(one_line, quoted_times(citation, texts))]
    lines += map(one_line, citations_company([citation], answer, texts))
    return f"[{citation.number}] {_source(citation.article, texts)}\n" + _indented("\n".join(lines))


def _time(time: TimeExpression, article: Article) -> str:
    words = one_line(article.text[time.start : time.end])
    if not time.is_resolved:
        return f'  "{words}" = ?'
    if time.since == time.until:
        return f'  "{words}" = {time.since}'
    return f'  "{words}" = {time.since or ""}..{time.until or ""}'


def _nearest(hit: Hit, texts: Texts) -> str:
    text = hit.passage.text
    excerpt = text if len(text) <= _EXCERPT else text[:_EXCERPT].rsplit(" ", 1)[0] + " …"
    return f"  {_source(hit.article, texts)}\n" + _indented("\n".join([visible(excerpt), *_company(hit, texts)]))


def _hit(rank: int, hit: Hit, texts: Texts) -> str:
    score = texts.score.format(score=number_text(hit.score, texts, digits=3))
    lines = [*_leading(hit), visible(hit.passage.text), *_company(hit, texts)]
    return (
        f"{rank}. {_source(hit.article, texts)}\n   {score}, {texts.article.format(id=one_line(hit.article.id))}\n"
        + _indented("\n".join(lines), by=3)
    )


def _leading(hit: Hit) -> list[str]:
    return [f"({one_line(hit.before.text)})"] if hit.before else []


def _company(hit: Hit, texts: Texts) -> list[str]:
    return [one_line(line) for line in hit_company(hit, texts)]


def _indented(text: str, *, by: int = 4) -> str:
    return "\n".join(" " * by + line if line else "" for line in text.split("\n"))
