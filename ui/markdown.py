"""Answers as Markdown that shows exactly the words it was given: pure functions, standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rag.schema import Answer, Article
from ui.company import citations_company
from ui.render import MARKER, all_citations, answer_words, cut, displayed, merged_spans, pieces, safe_url
from ui.texts import Texts, date_text, texts_for

_INLINE = re.compile(r"([\\`*_\[\]|~$])")
_LINE_START = re.compile(r"^(\s*)([#+=>-]|\d{1,9}(?=[.)](?:\s|$)))", re.MULTILINE)


def answer_markdown(answer: Answer, *, language: str) -> str:
    """Return the question, the answer and its numbered sources with the quoted words, as Markdown."""
    texts = texts_for(language)
    lines = [f"## {_one_line(answer.question)}", ""]
    if answer.status == "unknown":
        lines += [f"**{texts.unknown}.** {_one_line(answer.reason)}".rstrip(), ""]
    if answer.text and answer.text.strip() != answer.reason.strip():
        numbers = {citation.number for citation in all_citations(answer)}
        lines += [_marked_markdown(answer, numbers), ""]
    citations = all_citations(answer) if answer.status != "unknown" else []
    if citations:
        lines += [f"### {texts.sources}", ""]
        for citation in citations:
            lines += [f"- [{citation.number}] {_source_markdown(citation.article, texts)}", ""]
            if citation.context:
                lines += [f"  ({_one_line(citation.context)})", ""]
            answers = merged_spans((start - citation.start, end - citation.start) for start, end in citation.spans)
            lines += [f"  > {line}".rstrip() for line in strong_markdown(citation.quote, answers).split("\n")]
            lines.append("")
            for line in citations_company([citation], answer, texts):
                lines += [f"  {_one_line(line)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def markdown_escaped(text: str) -> str:
    """Return a text that Markdown shows as it is: no markup, links, images or HTML come out of it."""
    text = displayed(text).replace("&", "&amp;").replace("<", "&lt;")
    text = _INLINE.sub(r"\\\1", text)
    return _LINE_START.sub(lambda found: found[1] + _escaped_start(found[2]), text)


def strong_markdown(text: str, answers: Iterable[tuple[int, int]]) -> str:
    """Return a text that Markdown shows as it is, with the parts inside `answers` in bold: in order, and apart."""
    narrowed = [_narrowed(text, start, end) for start, end in answers]
    return "".join(
        f"**{markdown_escaped(text[left:right])}**" if is_answer else markdown_escaped(text[left:right])
        for left, right, is_answer in cut(0, len(text), narrowed)
    )


def _narrowed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a slice from its first letter or digit to its last: asterisks beside marks or spaces would be shown."""
    while start < end and not _is_of_word(text[start]):
        start += 1
    while end > start and not _is_of_word(text[end - 1]):
        end -= 1
    return (start, end) if "\n" not in text[start:end] else (start, start)


def _is_of_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"


def _escaped_start(start: str) -> str:
    return f"{start}\\" if start.isdigit() else f"\\{start}"


def _one_line(text: str) -> str:
    return " ".join(markdown_escaped(text).split())


def _marked_markdown(answer: Answer, numbers: set[int]) -> str:
    return "".join(
        strong_markdown(text, answer_words(statement) if statement else ()) if literal else _gap_markdown(text, numbers)
        for text, literal, statement in pieces(answer)
    )


def _gap_markdown(text: str, numbers: set[int]) -> str:
    # Even pieces are text, odd ones the numbers of markers.
    split = MARKER.split(text)
    return "".join(
        (f"[{piece}]" if int(piece) in numbers else f"\\[{piece}\\]") if index % 2 else markdown_escaped(piece)
        for index, piece in enumerate(split)
    )


def _source_markdown(article: Article, texts: Texts) -> str:
    words = [_one_line(article.source), date_text(article.published, texts)]
    if article.title:
        words.append(f"*{_one_line(article.title)}*")
    url = safe_url(article.url)
    return ", ".join(words) + (f" <{url}>" if url else "")
