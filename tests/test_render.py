"""Answers on screen and as Markdown: exact highlights, working markers, and nothing hostile that comes alive."""

from __future__ import annotations

import dataclasses
import string
from datetime import date
from html.parser import HTMLParser

import pytest

from rag.schema import Answer, Article, Citation, Hit, Passage, Sentence, Statement
from ui.conversation import Exchange, evidence_panel_html, log_html, stopped
from ui.markdown import answer_markdown, markdown_escaped, strong_markdown
from ui.render import answer_html, evidence_html, merged_spans, safe_url
from ui.texts import EN, ES, TEXTS, Texts, confidence_text, date_text

TEXT = "Primera frase. El pacto sustituye al de 1961. Tercera frase."
QUOTE = "El pacto sustituye al de 1961."

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[pincha](javascript:alert(1))",
    "![foto](https://rastreador.example/x.png)",
    '" onmouseover="alert(1)" x=\'',
    "</div></article><h1>fuera</h1>",
    "{{constructor}} ${alert(1)} @children",
    "&lt;script&gt; &#60;b&#62;",
    "<svg/onload=alert(1)> <iframe src=javascript:alert(1)>",
]


class _Seen(HTMLParser):
    """What a browser makes of HTML: tags with attributes, all text, and the text inside one kind of tag."""

    def __init__(self, source: str, inside: str = "mark") -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.found: list[str] = []
        self._inside, self._open = inside, 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == self._inside:
            self._open += 1
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._open -= 1

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open:
            self.found[-1] += data


def _article(text: str = TEXT, **known: object) -> Article:
    facts: dict[str, object] = {"id": "a1", "outlet": "El Faro", "published": date(2024, 6, 19), "language": "es"}
    return Article(**(facts | {"text": text} | known))  # type: ignore[arg-type]


def _citation(article: Article, quote: str, *, number: int = 1) -> Citation:
    start = article.text.index(quote)
    passage = Passage("p1", article.id, 0, 0, len(article.text), article.text, "es", article.text)
    return Citation(number, article, start, start + len(quote), passage, 0.83)


def _answered(*citations: Citation, text: str | None = None, **more: object) -> Answer:
    statements = tuple(Statement(citation.quote, (citation,)) for citation in citations)
    words = " ".join(f"{citation.quote} [{citation.number}]" for citation in citations) if text is None else text
    facts: dict[str, object] = {"statements": statements, "citations": citations, "confidence": 0.9, "language": "es"}
    return Answer("¿Qué pacto?", words, "answered", **(facts | more))  # type: ignore[arg-type]


def _unknown(article: Article) -> Answer:
    passage = Passage("p1", article.id, 0, 0, len(article.text), article.text, "es", article.text)
    hits = (Hit(passage, article, 0.4, 0.8),)
    return Answer("¿Y esto?", "", "unknown", reason="Nada responde.", confidence=0.1, language="es", hits=hits)


# ---- the answer


def test_marker_leads_to_the_card_of_its_citation() -> None:
    answer = _answered(_citation(_article(), QUOTE))
    links = [attributes for tag, attributes in _Seen(answer_html(answer, language="es", turn=3)).tags if tag == "a"]
    ids = [attributes.get("id") for _, attributes in _Seen(evidence_html(answer, language="es", turn=3)).tags]
    assert [link["href"] for link in links] == ["#ev-3-1"]
    assert "ev-3-1" in ids
    assert links[0]["aria-label"] == "Cita 1: El Faro, 19 de junio de 2024"


def test_marker_inside_an_articles_own_words_is_no_link() -> None:
    article = _article("Según la nota [1], el pacto cae. Fin.")
    seen = _Seen(answer_html(_answered(_citation(article, "Según la nota [1], el pacto cae.")), language="es"), "a")
    assert seen.found == ["[1]"]
    assert "Según la nota [1], el pacto cae. [1]" in seen.text


def test_marker_without_a_citation_is_plain_text() -> None:
    answer = _answered(_citation(_article(), QUOTE), text="Algo dicho por un modelo [1][7].", statements=())
    seen = _Seen(answer_html(answer, language="es"), "a")
    assert seen.found == ["[1]"]
    assert "[1][7]" in seen.text


def test_marker_before_the_full_stop_still_links() -> None:
    citation = _citation(_article(), QUOTE)
    answer = _answered(citation, text="Lo sustituye [1].", statements=(Statement("Lo sustituye.", (citation,)),))
    assert _Seen(answer_html(answer, language="es"), "a").found == ["[1]"]


@pytest.mark.parametrize(
    ("support", "words"), [("partly", "apoyo parcial"), ("unsupported", "sin apoyo en el archivo")]
)
def test_weak_support_is_said(support: str, words: str) -> None:
    citation = _citation(_article(), QUOTE)
    weak = Statement(QUOTE, (citation,), support=support)  # type: ignore[arg-type]
    assert words in answer_html(_answered(citation, statements=(weak,)), language="es")
    assert words not in answer_html(_answered(citation), language="es")


def test_unknown_answer_says_so_with_its_reason_and_confidence() -> None:
    text = _Seen(answer_html(_unknown(_article()), language="es")).text
    assert "El archivo no lo sabe" in text
    assert "Nada responde." in text
    assert "confianza baja (10\u00a0%)" in text


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("El archivo no lo sabe: lo cercano no responde.", "Lo cercano no responde."),
        ("The archive does not know: nothing near.", "Nothing near."),
        ("No hay artículos de esas fechas.", "No hay artículos de esas fechas."),
    ],
)
def test_unknown_is_not_said_twice(reason: str, shown: str) -> None:
    text = _Seen(answer_html(dataclasses.replace(_unknown(_article()), reason=reason), language="es"), "p").found
    assert text[1:] == [shown]


def test_notices_and_time_are_shown() -> None:
    answer = _answered(_citation(_article(), QUOTE), notices=("El modelo no contestó.",), timings={"a": 0.25, "b": 0.5})
    text = _Seen(answer_html(answer, language="es")).text
    assert "El modelo no contestó." in text
    assert "en 0,75 s" in text
    assert "in 0.75 s" in answer_html(answer, language="en")


def test_reason_of_an_answer_is_not_mixed_with_another_language() -> None:
    answer = _answered(_citation(_article(), QUOTE), reason="Lo dice 1 frase.")
    assert "Lo dice 1 frase. Con frases de los propios artículos" in answer_html(answer, language="es")
    assert "Lo dice 1 frase." not in answer_html(answer, language="en")


def test_partial_answer_says_how_many_passages_are_read() -> None:
    partial = dataclasses.replace(_unknown(_article()), status="partial", text="Voy por", reason="")
    text = _Seen(answer_html(partial, language="es")).text
    assert "Leyendo los pasajes más cercanos (1)…" in text
    assert "Voy por" in text


# ---- the evidence


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (TEXT, QUOTE),
        ("👩‍👩‍👧 📹 🇷🇺 Hola. Café y e\u0301xito 😀 aquí. Fin.", "Café y e\u0301xito 😀 aquí."),
        ("Dos\n\npárrafos: «uno & <dos>».\nFin", "párrafos: «uno & <dos>».\nFin"),
        ("Según {esto} y $ eso.", "{esto} y $"),
        ("سلام دنیا. پایان.", "سلام دنیا."),
    ],
    ids=["plain", "emoji and combining", "lines and markup", "template signs", "right to left"],
)
def test_highlight_is_exactly_the_quote(text: str, quote: str) -> None:
    marks = _Seen(evidence_html(_answered(_citation(_article(text), quote)), language="es")).found
    assert marks == [quote, quote], "once in the excerpt, once in the whole article"


def test_whole_article_is_there_in_full() -> None:
    text = "Antes. " * 200 + QUOTE + " Después." * 200
    seen = _Seen(evidence_html(_answered(_citation(_article(text), QUOTE)), language="es"), "div")
    assert seen.found == [text]


def test_excerpt_is_two_sentences_on_each_side() -> None:
    sentences = ["Uno.", "Dos.", "Tres.", "Cuatro.", "Cinco.", "Seis.", "Siete."]
    text = " ".join(sentences)
    spans = [(text.index(s), text.index(s) + len(s)) for s in sentences]
    passage = Passage("p", "a1", 0, 0, len(text), text, "es", text, tuple(Sentence(a, b, text[a:b]) for a, b in spans))
    citation = Citation(1, _article(text), *spans[3], passage, 0.5)
    assert _Seen(evidence_html(_answered(citation), language="es"), "blockquote").found == [
        "… Dos. Tres. Cuatro. Cinco. Seis. …"
    ]


def test_overlapping_quotes_of_one_number_become_one_mark() -> None:
    article = _article("aaa bbb ccc ddd.")
    both = _answered(_citation(article, "aaa bbb"), _citation(article, "bbb ccc"), text="Algo [1].", statements=())
    assert _Seen(evidence_html(both, language="es")).found[0] == "aaa bbb ccc"


def test_overlapping_quotes_of_two_numbers_have_a_card_each() -> None:
    article = _article("aaa bbb ccc ddd.")
    both = _answered(_citation(article, "aaa bbb"), _citation(article, "bbb ccc", number=2))
    assert _Seen(evidence_html(both, language="es")).found == ["aaa bbb", "aaa bbb", "bbb ccc", "bbb ccc"]


@pytest.mark.parametrize(
    ("spans", "merged"),
    [
        ([], ()),
        ([(5, 9), (0, 3)], ((0, 3), (5, 9))),
        ([(0, 5), (3, 8)], ((0, 8),)),
        ([(0, 9), (2, 4)], ((0, 9),)),
        ([(0, 3), (3, 5)], ((0, 5),)),
        ([(4, 4)], ()),
    ],
    ids=["none", "apart", "overlapping", "inside", "touching", "empty"],
)
def test_spans_are_merged(spans: list[tuple[int, int]], merged: tuple[tuple[int, int], ...]) -> None:
    assert merged_spans(spans) == merged


def test_card_tells_outlet_date_language_and_score() -> None:
    text = _Seen(evidence_html(_answered(_citation(_article(), QUOTE)), language="es")).text
    assert all(fact in text for fact in ("El Faro", "19 de junio de 2024", "español", "puntuación 0,83"))


def test_card_of_a_file_without_date_tells_the_file_and_no_date() -> None:
    bare = _article(outlet=None, published=None, language="und", places=("notas/004.txt",))
    text = _Seen(evidence_html(_answered(_citation(bare, QUOTE)), language="es")).text
    assert all(fact in text for fact in ("004.txt", "sin fecha", "idioma desconocido"))


def test_unknown_answer_shows_the_nearest_passages_without_highlight() -> None:
    seen = _Seen(evidence_html(_unknown(_article()), language="es"))
    assert "Lo más cercano" in seen.text
    assert "No son una respuesta." in seen.text
    assert "parecido 0,80" in seen.text
    assert TEXT in seen.text
    assert seen.found == []


def test_unknown_answer_of_an_empty_archive_has_no_cards() -> None:
    empty = dataclasses.replace(_unknown(_article()), hits=())
    assert "Ningún pasaje" in evidence_html(empty, language="es")


def test_very_long_article_is_cut_around_the_quote_and_says_so() -> None:
    text = "a " * 100_000 + QUOTE + " b" * 100_000
    shown = evidence_html(_answered(_citation(_article(text), QUOTE)), language="es")
    assert ES.cut_article in shown
    assert _Seen(shown).found == [QUOTE, QUOTE]
    assert len(shown) < 110_000


# ---- hostile text


def _tags(source: str) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in _Seen(source).tags]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_are_shown_and_change_no_tag(hostile: str) -> None:
    def answer(words: str) -> Answer:
        article = _article(f"{words}. Fin.", title=words, outlet=words)
        notices = (words,)
        made = _answered(_citation(article, words), notices=notices, model=words, timings={words: 1.0})
        return dataclasses.replace(made, question=words)

    def page(made: Answer) -> str:
        return log_html((Exchange(made.question, made),), ES) + evidence_panel_html(
            (Exchange(made.question, made),), ES
        )

    assert _tags(page(answer(hostile))) == _tags(page(answer("inofensivo")))
    assert hostile in _Seen(page(answer(hostile))).text
    assert not {"{", "}", "$"} & set(page(answer(hostile))), "Gradio's templates must find nothing to fill in"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_unknown_answer_changes_no_tag(hostile: str) -> None:
    def page(words: str) -> str:
        answer = dataclasses.replace(_unknown(_article(words, title=words)), reason=words, question=words)
        return answer_html(answer, language="en") + evidence_html(answer, language="en")

    assert _tags(page(hostile)) == _tags(page("inofensivo"))


def test_direction_and_control_characters_are_not_displayed() -> None:
    article = _article("abc \u202egnp.exe\u202c \x00\x07\u2066def\u2069 fin.", title="\u202eal revés", outlet="A\x1bB")
    answer = _answered(_citation(article, article.text))
    shown = answer_html(answer, language="es") + evidence_html(answer, language="es")
    assert not set("\u202e\u202c\u2066\u2069\x00\x07\x1b") & set(shown)
    assert "abc gnp.exe def fin." in shown


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://faro.example/a?b=1&c=2", "https://faro.example/a?b=1&c=2"),
        ("http://faro.example/ñ", "http://faro.example/%C3%B1"),
        ('https://faro.example/"><b>', "https://faro.example/%22%3E%3Cb%3E"),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("java\nscript:alert(1)", None),
        (" https://faro.example", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("//faro.example/a", None),
        ("https://", None),
        ("https://[", None),
        ("https://faro.example/\u202egnp", None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(url: str | None, safe: str | None) -> None:
    assert safe_url(url) == safe
    hrefs = [
        attributes.get("href", "")
        for tag, attributes in _Seen(evidence_html(_answered(_citation(_article(url=url), QUOTE)), language="es")).tags
        if tag == "a"
    ]
    assert [href for href in hrefs if href and not href.startswith("#")] == ([safe] if safe else [])


# ---- Markdown


def test_markdown_carries_question_answer_sources_and_quotes() -> None:
    article = _article(title="El pacto", url="https://faro.example/1")
    assert answer_markdown(_answered(_citation(article, QUOTE)), language="es") == (
        "## ¿Qué pacto?\n\n"
        "El pacto sustituye al de 1961. [1]\n\n"
        "### Fuentes\n\n"
        "- [1] El Faro, 19 de junio de 2024, *El pacto* <https://faro.example/1>\n\n"
        "  > El pacto sustituye al de 1961.\n"
    )


def test_markdown_of_an_unknown_answer_says_why_and_lists_no_sources() -> None:
    assert answer_markdown(_unknown(_article()), language="en") == (
        "## ¿Y esto?\n\n**The archive does not know.** Nada responde.\n"
    )


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("1.200 euros - fin", "1.200 euros - fin"),
        ("[a](javascript:x)", "\\[a\\](javascript:x)"),
        ("<img src=x>", "&lt;img src=x>"),
        ("*a* _b_ `c` ~d~ |", "\\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\|"),
        ("# título\n- punto\n> cita\n3. tres", "\\# título\n\\- punto\n\\> cita\n3\\. tres"),
        ("AT&T &lt;", "AT&amp;T &amp;lt;"),
        ("\u202eabc\x00", "abc"),
    ],
)
def test_markdown_shows_words_as_they_are(text: str, escaped: str) -> None:
    assert markdown_escaped(text) == escaped


def test_markdown_does_not_let_an_article_forge_a_source() -> None:
    article = _article("Dice [2] así.", title="[1]: https://falso.example")
    made = answer_markdown(_answered(_citation(article, "Dice [2] así.")), language="es")
    assert "Dice \\[2\\] así. [1]" in made
    assert "*\\[1\\]: https://falso.example*" in made


# ---- the conversation


def test_evidence_of_earlier_questions_is_hidden_but_kept() -> None:
    first = _answered(_citation(_article(), QUOTE))
    panel = evidence_panel_html((Exchange("a", first), Exchange("b", _unknown(_article()))), ES)
    hidden = [("hidden" in attributes) for tag, attributes in _Seen(panel).tags if tag == "section"]
    assert hidden == [True, False]
    assert 'id="ev-1-1"' in panel


def test_before_the_first_question_the_page_says_what_it_is() -> None:
    assert ES.welcome in log_html((), ES)


def test_an_empty_archive_says_what_to_do() -> None:
    assert "hemeroteca ingest CARPETA --archive mi/&lt;archivo&gt;" in log_html((), ES, empty_folder="mi/<archivo>")


def test_failure_is_a_sentence_in_the_interface_language() -> None:
    failed = (Exchange("¿a?", failure="bad_date", details={"value": "<ayer>"}),)
    assert "“<ayer>” is not a date" in _Seen(log_html(failed, EN)).text


def test_stopping_marks_an_unfinished_answer_only() -> None:
    done = Exchange("a", _unknown(_article()))
    assert stopped((done,)) == (done,)
    assert stopped((done, Exchange("b")))[1].failure == "stopped"
    assert stopped(()) == ()


# ---- texts


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Texts)])
def test_every_text_is_there_in_every_language_with_the_same_places(name: str) -> None:
    spanish = getattr(ES, name)
    for texts in TEXTS.values():
        said = getattr(texts, name)
        assert said
        if isinstance(spanish, str):
            assert _places(said) == _places(spanish)
        else:
            assert len(said) == len(spanish)
            assert all(said)


def test_languages_are_named_for_the_same_codes() -> None:
    assert EN.languages.keys() == ES.languages.keys()


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (0.0, "low confidence (1%)"),
        (0.6, "medium confidence (60%)"),
        (0.8, "high confidence (80%)"),
        (1.0, "high confidence (99%)"),
    ],
)
def test_confidence_is_put_in_words(confidence: float, words: str) -> None:
    assert confidence_text(confidence, EN) == words


def test_dates_are_put_in_words() -> None:
    assert date_text(date(2024, 3, 1), ES) == "1 de marzo de 2024"
    assert date_text(date(2024, 3, 1), EN) == "1 March 2024"
    assert date_text(None, ES) == "sin fecha"


# ---- the words that answer


def _pointed(text: str, quote: str, *words: str) -> Answer:
    citation = _citation(_article(text), quote)
    places = [citation.start + quote.index(each) for each in words]
    spans = tuple((at, at + len(each)) for at, each in zip(places, words, strict=True))
    return _answered(dataclasses.replace(citation, spans=spans))


def test_the_words_that_answer_are_bold_in_the_answer_and_in_its_evidence() -> None:
    answer = _pointed(
        "Antes. Firmaron Olmo & Pino en 1961. Después.", "Firmaron Olmo & Pino en 1961.", "Olmo & Pino", "1961"
    )
    said = answer_html(answer, language="es")
    assert "<bdi>Firmaron <strong>Olmo &amp; Pino</strong> en <strong>1961</strong>.</bdi>" in said
    evidence = evidence_html(answer, language="es")
    assert "<mark>Firmaron <strong>Olmo &amp; Pino</strong> en <strong>1961</strong>.</mark> Después." in evidence
    assert _Seen(evidence).found == ["Firmaron Olmo & Pino en 1961."] * 2


def test_words_of_a_model_are_not_bold() -> None:
    answer = _pointed(TEXT, QUOTE, "1961")
    phrased = dataclasses.replace(answer.statements[0], text="Sustituye al de 1961.")
    answer = dataclasses.replace(answer, statements=(phrased,), text="Sustituye al de 1961. [1]")
    assert "Sustituye al de 1961." in answer_html(answer, language="es")
    assert "<strong>1961</strong>" in evidence_html(answer, language="es")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(("start", "end"), [(0, 6), (3, 9), (1, 1000)])
def test_bold_hostile_words_are_shown_and_change_no_tag(hostile: str, start: int, end: int) -> None:
    def page(words: str) -> str:
        cited = _citation(_article(f"{words}. Fin."), words)
        answer = _answered(dataclasses.replace(cited, spans=((start, min(end, len(words))),)))
        return answer_html(answer, language="es") + evidence_html(answer, language="es")

    assert _tags(page(hostile)) == _tags(page("inofensivo" * 3))
    assert hostile in _Seen(page(hostile)).text


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("Firmó Olmo.", "Olmo", "Firmó **Olmo**."),
        ("Firmó «Olmo».", "«Olmo»", "Firmó «**Olmo**»."),
        ("Costó 19,5 %.", "19,5 %", "Costó **19,5** %."),
        ("Es firmo\u0301 él", "firmo\u0301", "Es **firmo\u0301** él"),
        ("中国外交部长王毅签署", "王毅", "中国外交部长**王毅**签署"),
        ("a *b* c", "*b*", "a \\***b**\\* c"),
        ("Olmo\nPino", "Olmo\nPino", "Olmo\nPino"),
        ("1. uno", "1", "**1**. uno"),
        ("¿...?", "...", "¿...?"),
    ],
    ids=str,
)
def test_markdown_puts_words_in_bold_and_shows_no_asterisk_of_its_own(text: str, words: str, shown: str) -> None:
    start = text.index(words)
    written = strong_markdown(text, [(start, start + len(words))])
    assert written == shown
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    assert _Seen(markdown_it.MarkdownIt().render(written)).text.strip("\n") == text


def test_markdown_has_the_words_that_answer_in_bold() -> None:
    assert answer_markdown(_pointed(TEXT, QUOTE, "1961"), language="es").count("**1961**") == 2
