"""The conversation of the chat: questions to the archive and what becomes of them, as records and as safe HTML."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from rag.errors import ArchiveError, ModelError
from rag.question import MAX_QUESTION_CHARACTERS
from rag.schema import Answer, Limit, Turn
from ui.markdown import answer_markdown
from ui.render import answer_html, displayed, escaped, evidence_html
from ui.texts import Texts
from ui.times import limit_text

if TYPE_CHECKING:
    from rag.archive import Archive

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of the conversation and what became of it: an answer, or the name of a text that says why not."""

    question: str
    answer: Answer | None = None
    failure: str = ""
    details: dict[str, str] = field(default_factory=dict)


Exchanges = tuple[Exchange, ...]


def converse(
    archive: Archive,
    question: str,
    before: Exchanges,
    language: str,
    since: str,
    until: str,
    outlets: Sequence[str],
    *,
    limits: Sequence[Limit] | None = None,
    heard: Exchanges | None = None,
) -> Iterator[tuple[Exchanges, bool, bool]]:
    """Yield (the conversation with the new answer so far, is its evidence new, is it finished).

    `limits` are what the question's own words limit it to; None reads them. `heard` is the part of the conversation
    that it goes on from; None means all.
    """
    question = displayed(question or "").strip()
    if not question:
        yield before, False, True
        return
    # The archive reads no more of it than this, and says so.
    shown = question[:MAX_QUESTION_CHARACTERS]
    now = Exchange(shown if shown == question else f"{shown}…")
    dates, problem = _dates(now, since, until)
    if problem:
        yield (*before, problem), True, True
        return
    yield (*before, now), False, False
    history = [
        Turn(earlier.question, earlier.answer.text)
        for earlier in (before if heard is None else heard)
        if earlier.answer and earlier.answer.status != "partial"
    ]
    try:
        hits_seen = False
        for answer in archive.stream(
            question,
            history=history,
            since=dates["since"],
            until=dates["until"],
            outlets=tuple(outlets or ()),
            limits=limits,
        ):
            now, done = replace(now, answer=answer), answer.status != "partial"
            yield (*before, now), done or (bool(answer.hits) and not hits_seen), done
            hits_seen = hits_seen or bool(answer.hits)
    except Exception as exc:
        # The page is the edge: whatever fails must end as a sentence in the chat, never as a dead page.
        _log.exception("the question could not be answered")
        yield (*before, replace(now, answer=None, failure=_failure(exc))), True, True


def _dates(exchange: Exchange, since: str, until: str) -> tuple[dict[str, date | None], Exchange | None]:
    """Return the dates that limit a question, or the exchange that says what is wrong with them."""
    dates: dict[str, date | None] = {}
    for key, written in (("since", since), ("until", until)):
        try:
            dates[key] = date.fromisoformat(written.strip()) if written and written.strip() else None
        except ValueError:
            return {}, replace(exchange, failure="bad_date", details={"value": written.strip()})
    first, last = dates["since"], dates["until"]
    if first and last and first > last:
        details = {"since": first.isoformat(), "until": last.isoformat()}
        return {}, replace(exchange, failure="dates_reversed", details=details)
    return dates, None


def _failure(error: Exception) -> str:
    if isinstance(error, ModelError):
        return "failed_model"
    if isinstance(error, ArchiveError):
        return "failed_archive"
    return "failed"


def without_limit(
    archive: Archive,
    before: Exchanges,
    language: str,
    since: str,
    until: str,
    outlets: Sequence[str],
    *,
    turn: int,
    limit: int,
) -> Iterator[tuple[Exchanges, bool, bool]]:
    """Ask an earlier question again without one of the limits that were read out of its words; yield as `converse`.

    Args:
        archive: To ask.
        before: The conversation.
        language: The interface's.
        since: As typed.
        until: As typed.
        outlets: As chosen.
        turn: Which question, from 1.
        limit: Which of its limits, from 0.
    """
    asked = before[turn - 1] if 0 < turn <= len(before) else None
    if asked is None or asked.answer is None or not 0 <= limit < len(asked.answer.limits):
        # The page shows another conversation by now.
        yield before, False, True
        return
    kept = [each for place, each in enumerate(asked.answer.limits) if place != limit]
    question, heard = asked.answer.question, before[: turn - 1]
    yield from converse(archive, question, before, language, since, until, outlets, limits=kept, heard=heard)


def stopped(exchanges: Exchanges) -> Exchanges:
    """Return the conversation with its last answer, if that is not finished, marked as stopped by the reader."""
    last = exchanges[-1] if exchanges else None
    if last is None or last.failure or (last.answer and last.answer.status != "partial"):
        return exchanges
    return (*exchanges[:-1], replace(last, failure="stopped"))


def masthead_html(texts: Texts, *, articles: int, sample: bool) -> str:
    """Return the head of the page: the name, how much the archive holds, and whether it is invented."""
    badge = (
        f'<span class="hm-badge" title="{escaped(texts.sample_note)}">{escaped(texts.sample_label)}</span>'
        if sample
        else ""
    )
    holdings = escaped(texts.holdings.format(articles=articles))
    return f'<header class="hm-masthead"><h1>Hemeroteca</h1><p>{badge}<span>{holdings}</span></p></header>'


def log_html(exchanges: Exchanges, texts: Texts, *, empty_folder: str | None = None) -> str:
    """Return the conversation; before the first question what this is, or what to do.

    `empty_folder` is where the archive is, if it has no articles.
    """
    if exchanges:
        return "\n".join(_exchange_html(exchange, texts, turn) for turn, exchange in enumerate(exchanges, start=1))
    title, words = texts.welcome_title, texts.welcome
    if empty_folder is not None:
        title, words = texts.no_articles_title, texts.no_articles.format(folder=empty_folder)
    return f'<section class="hm-welcome"><h2>{escaped(title)}</h2><p>{escaped(words)}</p></section>'


def _exchange_html(exchange: Exchange, texts: Texts, turn: int) -> str:
    parts = []
    answer = exchange.answer
    if answer is not None and not (exchange.failure and answer.status == "partial" and not answer.text):
        parts += [_limits_html(answer, texts, turn), answer_html(answer, language=texts.code, turn=turn)]
    elif not exchange.failure:
        parts.append(f'<p class="hm-status hm-partial">{escaped(texts.searching)}</p>')
    if exchange.failure:
        sentence = str(getattr(texts, exchange.failure)).format(**exchange.details)
        parts.append(f'<p class="hm-failure"><bdi>{escaped(sentence)}</bdi></p>')
    elif answer is not None and answer.status != "partial":
        parts.append(_actions_html(answer, texts, turn))
    return (
        f'<article class="hm-turn" id="turn-{turn}" tabindex="-1" data-status="{_state(exchange)}">'
        f'<h3 class="hm-question"><span class="hm-hidden">{escaped(texts.you_asked)} </span>'
        f"<bdi>{escaped(exchange.question)}</bdi></h3>{''.join(parts)}</article>"
    )


def _limits_html(answer: Answer, texts: Texts, turn: int) -> str:
    """Return what the question's own words limited it to, each with a button that asks again without it."""
    chips = []
    for place, limit in enumerate(answer.limits):
        label = escaped(texts.remove_limit.format(words=limit.words))
        button = (
            f'<button type="button" data-unlimit="{place}" data-turn="{turn}" aria-label="{label}" title="{label}">'
            "×</button>"
        )
        chips.append(
            f'<span class="hm-limit"><bdi>{escaped(limit.words)}</bdi> {_detail_html(limit, texts)}'
            f"{button if answer.status != 'partial' else ''}</span>"
        )
    if not chips:
        return ""
    return f'<p class="hm-limits"><span>{escaped(texts.limited_by)}:</span> {" ".join(chips)}</p>'


def _detail_html(limit: Limit, texts: Texts) -> str:
    """Return what a limit keeps to, unless its words say that already."""
    said = [*limit.outlets, *(str(day.year) for day in (limit.since, limit.until) if day)]
    if all(each.casefold() in limit.words.casefold() for each in said):
        return ""
    return f"<small><bdi>{escaped(limit_text(limit, texts))}</bdi></small>"


def _state(exchange: Exchange) -> str:
    if exchange.failure:
        return "failed"
    return exchange.answer.status if exchange.answer else "partial"


def _actions_html(answer: Answer, texts: Texts, turn: int) -> str:
    markdown = escaped(answer_markdown(answer, language=texts.code))
    return (
        f'<div class="hm-actions" data-markdown="{markdown}">'
        f'<button type="button" data-action="evidence" data-turn="{turn}">{escaped(texts.see_evidence)}</button>'
        f'<button type="button" data-action="copy" data-done="{escaped(texts.copied)}">'
        f"{escaped(texts.copy_answer)}</button>"
        f'<button type="button" data-action="download">{escaped(texts.download)}</button></div>'
    )


def evidence_panel_html(exchanges: Exchanges, texts: Texts) -> str:
    """Return the evidence of every exchange, the last one's shown and the others' hidden until they are asked for."""
    sections = []
    for turn, exchange in enumerate(exchanges, start=1):
        if exchange.answer is not None and not exchange.failure:
            cards = evidence_html(exchange.answer, language=texts.code, turn=turn)
            hidden = "" if turn == len(exchanges) else " hidden"
            sections.append(
                f'<section class="hm-turn-evidence" data-turn="{turn}"{hidden}>'
                f'<p class="hm-about"><bdi>{escaped(exchange.question)}</bdi></p>{cards}</section>'
            )
    body = "\n".join(sections) or f'<p class="hm-muted">{escaped(texts.evidence_empty)}</p>'
    return f"<h2>{escaped(texts.evidence)}</h2>{body}"
