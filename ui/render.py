"""Answers as safe HTML: pure functions, standard library only (`ui.markdown` gives them as Markdown).

Articles, questions and models are hostile here. Everything of theirs is escaped on the way out, links are http(s) only,
and control and direction-changing characters are dropped from what is displayed (never from the record).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from rag.schema import Answer, Article, Citation, Statement
from ui.company import citations_company, hit_company
from ui.texts import TEXTS, Texts, confidence_text, date_text, language_text, number_text, texts_for
from ui.times import quoted_times

NEAREST_SHOWN = 3
WHOLE_ARTICLE_LIMIT = 100_000
SENTENCES_AROUND = 2
CONTEXT_CHARACTERS = 240

_BREAK = '<span class="hm-break"></span>'

# C0 and C1 controls but tab and line feed, direction overrides, embeddings and isolates, lone surrogates.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
# Only to choose where an excerpt begins and ends; passages have real sentence boundaries.
_SENTENCE_GAP = re.compile(r"(?<=[.!?…。！？])[»”\"')\]]*\s+|\n+")
MARKER = re.compile(r"\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True)
class _Card:
    """What one `[n]` leads to: an article and the spans of it that are quoted; a nearest passage has no spans.

    `answers` are the words of the quotations that are the answer.
    """

    anchor: str
    label: str
    article: Article
    context: tuple[int, int]
    spans: tuple[tuple[int, int], ...]
    score: float
    times: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    answers: tuple[tuple[int, int], ...] = ()


def displayed(text: str) -> str:
    """Return a text without the characters that could change how the words around it are shown."""
    return _HARMFUL.sub("", text)


def escaped(text: str) -> str:
    """Return a text that is safe between tags and inside quoted attributes."""
    # Curly and dollar signs too: Gradio's HTML component is a template, and article text must never be a part of it.
    return html.escape(displayed(text)).replace("{", "&#123;").replace("}", "&#125;").replace("$", "&#36;")


def safe_url(url: str | None) -> str | None:
    """Return the URL, percent-encoded where needed, if it is an http(s) address with a host; otherwise None."""
    if not url or _HARMFUL.search(url) or re.search(r"\s", url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    return quote(url, safe=":/?#[]@!$&'()*+,;=%~-._")


def answer_html(answer: Answer, *, language: str, turn: int = 1) -> str:
    """Return the answer with its status, clickable markers, notices and small print.

    `language` is the interface's, "es" or "en": the answer's own text is not translated. `turn` tells which exchange
    of the conversation it is, from 1, and keeps the anchors of two answers apart.
    """
    texts = texts_for(language)
    parts = [_status_html(answer, texts)]
    if answer.text and not (answer.status == "unknown" and answer.text.strip() == answer.reason.strip()):
        lang = f' lang="{escaped(answer.language)}"' if answer.language != "und" else ""
        parts.append(f'<div class="hm-text" dir="auto"{lang}>{_text_html(answer, texts, turn)}</div>')
    if answer.reason and answer.status == "unknown":
        parts.append(f'<p class="hm-reason"><bdi>{escaped(_cause(answer.reason))}</bdi></p>')
    parts += [f'<p class="hm-notice"><bdi>{escaped(notice)}</bdi></p>' for notice in answer.notices]
    if answer.status != "partial":
        parts.append(_small_print(answer, texts))
    return "\n".join(parts)


def evidence_html(answer: Answer, *, language: str, turn: int = 1) -> str:
    """Return one card for each citation; for an answer that has none, the nearest passages, said to be no answer."""
    texts = texts_for(language)
    cards = _citation_cards(answer, texts, turn)
    intro = ""
    if not cards or answer.status == "unknown":
        cards = _nearest_cards(answer, texts, turn)
        if answer.status == "unknown":
            note = texts.nearest_note if cards else texts.no_nearest
            intro = f'<h3 class="hm-nearest">{escaped(texts.nearest)}</h3><p class="hm-muted">{escaped(note)}</p>'
    return intro + "\n".join(_card_html(card, texts, turn) for card in cards)


def _status_html(answer: Answer, texts: Texts) -> str:
    if answer.status == "partial":
        words = texts.reading.format(passages=len(answer.hits)) if answer.hits else texts.searching
        return f'<p class="hm-status hm-partial">{escaped(words)}</p>'
    label = texts.answered if answer.status == "answered" else texts.unknown
    confidence = confidence_text(answer.confidence, texts)
    return (
        f'<p class="hm-status hm-{escaped(answer.status)}"><strong>{escaped(label)}</strong> '
        f'<span class="hm-confidence">{escaped(confidence)}</span></p>'
    )


def _cause(reason: str) -> str:
    """Return a reason without "the archive does not know:" before it, which the status already says."""
    for texts in TEXTS.values():
        cause = reason.removeprefix(f"{texts.unknown}: ")
        if cause != reason:
            return cause[:1].upper() + cause[1:]
    return reason


def _small_print(answer: Answer, texts: Texts) -> str:
    how = texts.extractive if answer.model == "extractive" else texts.written_by.format(model=answer.model)
    if answer.status == "unknown":
        how = ""
    seconds = answer.timings.get("total", sum(answer.timings.values()))
    took = texts.took.format(seconds=number_text(seconds, texts)) if answer.timings else ""
    steps = " · ".join(f"{step} {number_text(seconds, texts)} s" for step, seconds in answer.timings.items())
    words = ", ".join(part for part in (how, took) if part)
    if answer.status == "answered" and answer.reason and answer.language == texts.code:
        words = f"{answer.reason} {words[:1].upper()}{words[1:]}"
    return f'<p class="hm-small" title="{escaped(steps)}"><bdi>{escaped(words)}</bdi></p>' if words else ""


def _text_html(answer: Answer, texts: Texts, turn: int) -> str:
    citations = {citation.number: citation for citation in reversed(all_citations(answer))}
    return "".join(
        _statement_html(text, statement, texts)
        if literal
        else MARKER.sub(lambda found: _marker_html(found, citations, texts, turn), escaped(text)).replace("\n", _BREAK)
        for text, literal, statement in pieces(answer)
    )


def pieces(answer: Answer) -> list[tuple[str, bool, Statement | None]]:
    """Return the answer's text cut into (text, is a statement's own words, that statement).

    Markers count only outside a statement's words: an article that contains "[1]" makes no link. A statement that is
    not found word for word (a model put its marker inside) stays in the part where markers count.
    """
    cut: list[tuple[str, bool, Statement | None]] = []
    at = 0
    for statement in answer.statements:
        found = answer.text.find(statement.text, at) if statement.text else -1
        if found < 0:
            continue
        cut += [(answer.text[at:found], False, None), (statement.text, True, statement)]
        at = found + len(statement.text)
    return [*cut, (answer.text[at:], False, None)]


def _statement_html(text: str, statement: Statement | None, texts: Texts) -> str:
    answers = answer_words(statement) if statement else ()
    words = f"<bdi>{strong_html(text, start=0, end=len(text), answers=answers)}</bdi>"
    if statement is None or statement.support == "supported":
        return words
    label = texts.partly if statement.support == "partly" else texts.unsupported
    return f'<span class="hm-{statement.support}">{words} <em>({escaped(label)})</em></span>'


def answer_words(statement: Statement) -> tuple[tuple[int, int], ...]:
    """Return the words of a statement that are the answer, as (start, end) in its text, in order and apart.

    Only a quotation has them: which of a model's words are meant is not known.
    """
    quoted = [citation for citation in statement.citations if citation.quote == statement.text]
    return merged_spans((start - each.start, end - each.start) for each in quoted[:1] for start, end in each.spans)


def _marker_html(found: re.Match[str], citations: dict[int, Citation], texts: Texts, turn: int) -> str:
    number = int(found[1])
    if number not in citations:
        return found[0]
    article = citations[number].article
    label = texts.cited_in.format(number=number, source=article.source, date=date_text(article.published, texts))
    anchor = f"ev-{turn}-{number}"
    return (
        f'<a class="hm-cite" href="#{anchor}" data-evidence="{anchor}" aria-label="{escaped(label)}" '
        f'title="{escaped(label)}">[{number}]</a>'
    )


def all_citations(answer: Answer) -> list[Citation]:
    """Return every citation once, in order of number and place."""
    statements = (citation for statement in answer.statements for citation in statement.citations)
    once = {(c.number, c.article.id, c.start, c.end): c for c in (*answer.citations, *statements)}
    return [once[key] for key in sorted(once)]


def _citation_cards(answer: Answer, texts: Texts, turn: int) -> list[_Card]:
    groups: dict[tuple[int, str], list[Citation]] = {}
    for citation in all_citations(answer):
        groups.setdefault((citation.number, citation.article.id), []).append(citation)
    cards: list[_Card] = []
    for (number, _), group in groups.items():
        article = group[0].article
        spans = merged_spans((citation.start, citation.end) for citation in group)
        anchor = f"ev-{turn}-{number}"
        if any(card.anchor == anchor for card in cards):
            anchor += f"-{len(cards)}"
        start, end = _context(article.text, spans, sentences=[s for c in group for s in _sentence_spans(c)])
        context = min([start, *(c.context_start for c in group if c.context_start is not None)]), end
        score = max(citation.score for citation in group)
        times = tuple(dict.fromkeys(line for citation in group for line in quoted_times(citation, texts)))
        company = tuple(citations_company(group, answer, texts))
        answers = merged_spans(each for citation in group for each in citation.spans)
        cards.append(_Card(anchor, f"[{number}]", article, context, spans, score, times, company, answers))
    return cards


def _nearest_cards(answer: Answer, texts: Texts, turn: int) -> list[_Card]:
    return [
        _Card(
            anchor=f"ev-{turn}-h{rank}",
            label="",
            article=hit.article,
            context=((hit.before or hit.passage).start, hit.passage.end),
            spans=(),
            # A hit's own score means nothing outside the ranking of its question.
            score=hit.cosine,
            company=tuple(hit_company(hit, texts)),
        )
        for rank, hit in enumerate(answer.hits[:NEAREST_SHOWN], start=1)
    ]


def merged_spans(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the spans in order, those that overlap or touch joined, empty ones dropped."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _sentence_spans(citation: Citation) -> list[tuple[int, int]]:
    return [(sentence.start, sentence.end) for sentence in citation.passage.sentences]


def _context(text: str, spans: Sequence[tuple[int, int]], *, sentences: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the part of an article shown around quoted spans: two sentences on each side, or some words."""
    if not spans:
        return 0, 0
    first, last = spans[0][0], spans[-1][1]
    before = sorted({start for start, end in sentences if end <= first})[-SENTENCES_AROUND:]
    after = sorted({end for start, end in sentences if start >= last})[:SENTENCES_AROUND]
    start = before[0] if len(before) == SENTENCES_AROUND else _cut_before(text, first - CONTEXT_CHARACTERS, first)
    end = after[-1] if len(after) == SENTENCES_AROUND else _cut_after(text, last + CONTEXT_CHARACTERS, last)
    return min(start, first), max(end, last)


def _cut_before(text: str, at: int, limit: int) -> int:
    """Return where to begin showing a text: the first sentence, else the first word, between `at` and `limit`."""
    if at <= 0:
        return 0
    found = _SENTENCE_GAP.search(text, at, limit) or _SPACE.search(text, at, limit)
    return found.end() if found else limit


def _cut_after(text: str, at: int, limit: int) -> int:
    """Return where to end showing a text: the last sentence, else the last word, between `limit` and `at`."""
    if at >= len(text):
        return len(text)
    gaps = list(_SENTENCE_GAP.finditer(text, limit, at)) or list(_SPACE.finditer(text, limit, at))
    return gaps[-1].start() if gaps else limit


def marked_html(
    text: str,
    *,
    start: int,
    end: int,
    spans: Sequence[tuple[int, int]],
    answers: Sequence[tuple[int, int]] = (),
) -> str:
    """Return `text[start:end]` escaped, with what is inside `spans` in `<mark>`, and `answers` there in `<strong>`.

    Spans are in order and apart, and so are answers.
    """
    return "".join(
        f"<mark>{strong_html(text, start=left, end=right, answers=answers)}</mark>"
        if is_quoted
        else escaped(text[left:right])
        for left, right, is_quoted in cut(start, end, spans)
    )


def strong_html(text: str, *, start: int, end: int, answers: Sequence[tuple[int, int]]) -> str:
    """Return `text[start:end]` escaped, with the parts inside `answers` in `<strong>`; these are in order and apart."""
    return "".join(
        f"<strong>{escaped(text[left:right])}</strong>" if is_answer else escaped(text[left:right])
        for left, right, is_answer in cut(start, end, answers)
    )


def cut(start: int, end: int, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """Return the parts of a text from `start` to `end`: (start, end, whether inside a span), spans being in order."""
    parts = []
    at = start
    for left, right in ((max(start, s), min(end, e)) for s, e in spans):
        if left < right:
            parts += [(at, left, False), (left, right, True)]
            at = right
    return [*parts, (at, end, False)]


def _card_html(card: _Card, texts: Texts, turn: int) -> str:
    article = card.article
    start, end = card.context
    opening = "… " if start > 0 else ""
    closing = " …" if end < len(article.text) else ""
    excerpt = marked_html(article.text, start=start, end=end, spans=card.spans, answers=card.answers)
    # Without a title the heading already says where the article comes from.
    facts = [f"<strong><bdi>{escaped(article.source)}</bdi></strong>"] if article.title else []
    facts += [
        f'<time datetime="{article.published.isoformat()}">{escaped(date_text(article.published, texts))}</time>'
        if article.published
        else escaped(texts.no_date),
        escaped(language_text(article.language, texts)),
        escaped((texts.score if card.spans else texts.similarity).format(score=number_text(card.score, texts))),
    ]
    url = safe_url(article.url)
    if url:
        facts.append(
            f'<a href="{escaped(url)}" target="_blank" rel="noopener noreferrer nofollow">'
            f"{escaped(texts.open_source)}</a>"
        )
    label = f'<span class="hm-number">{escaped(card.label)}</span> ' if card.label else ""
    lang = f' lang="{escaped(article.language)}"' if article.language != "und" else ""
    return (
        f'<article class="hm-card" id="{card.anchor}" tabindex="-1" aria-labelledby="{card.anchor}-title">'
        f'<h4 id="{card.anchor}-title">{label}<bdi>{escaped(article.title or article.source)}</bdi></h4>'
        f'<p class="hm-facts">{" · ".join(facts)}</p>'
        f'<blockquote class="hm-excerpt" dir="auto"{lang}>{opening}{excerpt}{closing}</blockquote>'
        f"{_lines_html(card.times, name='hm-times')}{_lines_html(card.company, name='hm-company')}"
        f"{_whole_article(card, texts, lang)}"
        f'<a class="hm-back" href="#turn-{turn}" data-back="{turn}">{escaped(texts.back_to_answer)}</a>'
        "</article>"
    )


def _lines_html(lines: Sequence[str], *, name: str) -> str:
    shown = " · ".join(f"<bdi>{escaped(line)}</bdi>" for line in lines)
    return f'<p class="{name}">{shown}</p>' if shown else ""


def _whole_article(card: _Card, texts: Texts, lang: str) -> str:
    text = card.article.text
    start = max(0, card.context[0] - WHOLE_ARTICLE_LIMIT // 2)
    end = min(len(text), start + WHOLE_ARTICLE_LIMIT)
    cut = f'<p class="hm-muted">{escaped(texts.cut_article)}</p>' if (start, end) != (0, len(text)) else ""
    body = marked_html(text, start=start, end=end, spans=card.spans, answers=card.answers)
    return (
        f'<details class="hm-whole"><summary>{escaped(texts.whole_article)}</summary>{cut}'
        f'<div class="hm-article" dir="auto"{lang}>{body}</div></details>'
    )
