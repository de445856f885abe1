"""One question of a run as HTML: why it is right or wrong, what was wanted, said, cited, chosen from and retrieved."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import pairwise

from eval.judging import Relevance
from eval.metrics import Span
from eval.runner import Record
from rag.readable import readable
from rag.schema import Article, Citation

_RELEVANCE: dict[Relevance, str] = {"supports": "supporting", "mentions": "has the words", "": "beside the point"}


def question_html(record: Record, number: int) -> str:
    """Return one question as a closed box; `number` tells its anchor, from 1."""
    question = record.question
    result = "right" if record.passed else "wrong"
    kind = " · ".join(filter(None, (question.qid, question.type, question.split)))
    return (
        f'<details class="question {result}" id="question-{number}" data-passed="{result}" '
        f'data-split="{escaped(question.split)}" data-type="{escaped(question.type)}"><summary>'
        f'<span class="mark">{"✓" if record.passed else "✗"} {result}</span> '
        f'<span class="asked" dir="auto">{escaped(question.question)}</span> <small>{escaped(kind)}</small></summary>'
        f"<div class=body>{_why(record)}{_wanted(record)}{_answer(record)}{_cited(record)}{_candidates(record)}"
        f"{_hits(record)}{_measures(record)}</div></details>"
    )


def _why(record: Record) -> str:
    first, *rest = record.judgement.why or ("",)
    more = "".join(f"<li>{escaped(sentence)}</li>" for sentence in rest)
    return f'<h3>Why</h3><p class="verdict">{escaped(first)}</p>' + (f"<ul>{more}</ul>" if more else "")


def _wanted(record: Record) -> str:
    question = record.question
    asked = "".join(
        f"<li>earlier: {escaped(turn.question)} <span class=quiet>— {escaped(turn.answer)}</span></li>"
        for turn in question.history
    )
    filters = [
        f"from {question.since}" if question.since else "",
        f"until {question.until}" if question.until else "",
        f"outlets: {', '.join(question.outlets)}" if question.outlets else "",
    ]
    asked += "".join(f"<li>filter: {escaped(limit)}</li>" for limit in filters if limit)
    if not question.answerable:
        return f"<h3>Wanted</h3><p>That it declines: nothing in the archive answers it.</p><ul>{asked}</ul>"
    facts = "".join(
        f"<li>{' <span class=quiet>or</span> '.join(f'<q>{escaped(words)}</q>' for words in fact.accepted)}: "
        f"{f'found at rank {fact.rank}' if fact.rank else 'not found'}, "
        f"{'cited in ' + ''.join(f'[{number}]' for number in fact.cited) if fact.cited else 'not cited'}</li>"
        for fact in record.judgement.facts
    )
    support = "".join(
        f"<li dir=auto>{escaped(item.quote)} <span class=quiet>({escaped(item.article)})</span></li>"
        for item in question.support
    )
    return f"<h3>Wanted</h3><ul>{asked}{facts}</ul>" + (
        f"<details><summary>{len(question.support)} supporting sentences</summary><ul>{support}</ul></details>"
        if support
        else ""
    )


def _answer(record: Record) -> str:
    answer = record.answer
    said = "".join(
        f'<p class="said" dir="auto">{escaped(statement.text)} '
        f"{''.join(f'[{citation.number}]' for citation in statement.citations)}"
        + (f" <small>{escaped(statement.support)}</small>" if statement.support != "supported" else "")
        + "</p>"
        for statement in answer.statements
    )
    told = [
        "declined" if answer.status == "unknown" else answer.status,
        f"probability that the archive answers {answer.confidence:.2f}",
        answer.model,
        f"{record.seconds:.2f} s",
        *answer.notices,
    ]
    reason = f'<p class="said" dir="auto">{escaped(answer.reason)}</p>' if answer.reason else ""
    return f"<h3>Answer</h3><p class=quiet>{escaped(' · '.join(told))}</p>{said}{'' if said else reason}"


def _cited(record: Record) -> str:
    judged = zip(record.answer.citations, record.judgement.citations, record.judgement.holds, strict=True)
    items = "".join(
        _item(
            f"[{citation.number}]",
            escaped(citation.quote),
            citation.article,
            scores=f"score {citation.score:.3f}",
            badges=_badge(relevance, record) + ("" if holds else " <b class=bad>does not hold</b>"),
        )
        for citation, relevance, holds in judged
    )
    return f"<h3>Cited</h3><ul class=items>{items}</ul>" if items else ""


def _candidates(record: Record) -> str:
    if not record.candidates:
        return ""
    cited = [_place(citation) for citation in record.answer.citations]
    items = []
    judged = zip(record.candidates, record.judgement.candidates, strict=True)
    for rank, (item, relevance) in enumerate(judged, start=1):
        place = Span(item.hit.article.id, item.sentence.start, item.sentence.end)
        chosen = " <b>cited</b>" if any(place.overlaps(other) for other in cited) else ""
        items.append(
            _item(
                str(rank),
                escaped(item.sentence.text),
                item.hit.article,
                scores=f"score {item.score:.3f} · cosine {item.cosine:.3f}",
                badges=_badge(relevance, record) + chosen,
            )
        )
    return (
        f"<details><summary>Chosen from: the {len(items)} best sentences</summary>"
        f"<ul class=items>{''.join(items)}</ul></details>"
    )


def _hits(record: Record) -> str:
    cited = [_place(citation) for citation in record.answer.citations]
    judged = zip(record.answer.hits, record.judgement.hits, strict=True)
    items = "".join(
        _item(
            str(rank),
            _marked(hit.article, hit.passage.start, hit.passage.end, record.judgement.support, cited),
            hit.article,
            scores=f"score {hit.score:.3f} · cosine {hit.cosine:.3f} · words {hit.word_score:.1f}",
            badges=_badge(relevance, record),
        )
        for rank, (hit, relevance) in enumerate(judged, start=1)
    )
    if not items:
        return "<h3>Retrieved</h3><p>Nothing was found.</p>"
    return (
        f"<details open><summary>Retrieved: {len(record.answer.hits)} passages, best first</summary>"
        "<p class=quiet><mark class=gold>Supporting sentences</mark> and <mark class=cited>cited words</mark> "
        f"are marked.</p><ul class=items>{items}</ul></details>"
    )


def _measures(record: Record) -> str:
    cells = "".join(
        f"<li>{escaped(name)} <b>{score.value:.2f}</b></li>"
        if score.value is not None
        else f"<li class=quiet>{escaped(name)}: {escaped(score.reason)}</li>"
        for name, score in record.scores.items()
    )
    return f"<details><summary>Measures</summary><ul class=measures>{cells}</ul></details>"


# ---- pieces


def _item(label: str, words: str, article: Article, *, scores: str, badges: str) -> str:
    """Return a list item; `words` and `badges` are HTML, the rest is text."""
    day = article.published.isoformat() if article.published else ""
    source = " · ".join(escaped(known) for known in (article.source, day, article.title) if known)
    return (
        f"<li class=item><p class=line><b>{escaped(label)}</b> {badges} "
        f'<span class=quiet>{escaped(scores)} · {source}</span></p><p dir="auto">{words}</p></li>'
    )


def _badge(relevance: Relevance, record: Record) -> str:
    if not record.question.answerable:
        return ""
    return f'<span class="badge {relevance}">{_RELEVANCE[relevance]}</span>'


def _place(citation: Citation) -> Span:
    return Span(citation.article.id, citation.start, citation.end)


def _marked(article: Article, start: int, end: int, gold: Sequence[Span], cited: Sequence[Span]) -> str:
    """Return a passage with the supporting and the cited words of it marked."""

    def covers(spans: Sequence[Span], place: Span) -> bool:
        return any(span.overlaps(place) for span in spans)

    here = [span for span in (*gold, *cited) if span.article_id == article.id]
    cuts = sorted({start, end, *(cut for span in here for cut in (span.start, span.end) if start < cut < end)})
    pieces = []
    for begun, ended in pairwise(cuts):
        place = Span(article.id, begun, ended)
        kinds = [kind for kind, spans in (("gold", gold), ("cited", cited)) if covers(spans, place)]
        words = escaped(article.text[begun:ended])
        pieces.append(f'<mark class="{" ".join(kinds)}">{words}</mark>' if kinds else words)
    return "".join(pieces)


def escaped(text: str) -> str:
    """Return a text of anybody's that is safe between tags and inside quoted attributes."""
    return html.escape(readable(text))
