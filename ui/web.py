"""The chat in the browser: the Gradio page and its server (the only home of gradio)."""

from __future__ import annotations

import gc
import ipaddress
import logging
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read by gradio while it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from rag.errors import ConfigError
from ui.conversation import (
    Exchanges,
    converse,
    evidence_panel_html,
    log_html,
    masthead_html,
    stopped,
    without_limit,
)
from ui.render import displayed, escaped
from ui.texts import LANGUAGE_CHOICES, Texts, texts_for

if TYPE_CHECKING:
    from rag.archive import Archive

EXAMPLES_SHOWN = 4
PORTS_TRIED = 21
QUESTIONS_AT_ONCE = 8

_CSS = Path(__file__).with_name("web.css")
_JS = Path(__file__).with_name("web.js")
_TITLE_SHOWN = 70
# The × beside what a question limits itself to: which one it is goes with the event.
_REMOVING = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-unlimit]");
  if (button) trigger("delete", { turn: Number(button.dataset.turn), limit: Number(button.dataset.unlimit) });
});
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Page:
    """The parts of the page that events read and write."""

    exchanges: gr.State
    masthead: gr.HTML
    language: gr.Radio
    log: gr.HTML
    examples: gr.Column
    examples_label: gr.HTML
    example_buttons: tuple[gr.Button, ...]
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    new: gr.Button
    filters: gr.Accordion
    since: gr.Textbox
    until: gr.Textbox
    outlets: gr.Dropdown
    evidence: gr.HTML


def serve(
    archive: Archive,
    *,
    host: str,
    port: int,
    sample: bool = False,
    open_browser: bool = False,
    on_ready: Callable[[str], None],
    on_notice: Callable[[str], None] = _log.warning,
) -> None:
    """Serve the chat until Ctrl-C.

    Args:
        archive: Open, and still open when this returns.
        host: An IPv4 loopback address or "localhost".
        port: The first port to try; the next 20 follow while they are taken.
        sample: Label the archive as invented.
        open_browser: Open the page in the user's browser.
        on_ready: Called with the page's URL when it can be opened.
        on_notice: Called with a sentence when another port than `port` is used.

    Raises:
        ConfigError: `host` is not a loopback address, or all the ports are taken.
    """
    _refuse_public(host)
    blocks = build(archive, sample=sample)
    free = _launched(blocks, host=host, port=port)
    if free != port:
        on_notice(f"port {port} on {host} is taken: port {free} is used instead")
    url = f"http://{host}:{free}"
    try:
        on_ready(url)
        if open_browser:
            webbrowser.open(url)
        # No daemon: ended in the middle of loading a model, it would take the process down with an abort.
        threading.Thread(target=_warm_up, args=(archive,)).start()
        # A wait without a limit cannot be interrupted by Ctrl-C on Windows.
        forever = threading.Event()
        while not forever.wait(0.5):
            pass
    except KeyboardInterrupt:
        return
    finally:
        blocks.close(verbose=False)
        # The interpreter would otherwise look through every object of the model libraries before it ends: seconds.
        gc.freeze()


def _launched(blocks: gr.Blocks, *, host: str, port: int) -> int:
    """Start the page's server and return the port that it got."""
    for attempt in range(PORTS_TRIED):
        free = free_port(host, port)
        try:
            blocks.launch(
                server_name=host,
                server_port=free,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                ssr_mode=False,
                enable_monitoring=False,
                mcp_server=False,
                pwa=False,
                footer_links=[],
                allowed_paths=[],
                app_kwargs={
                    "middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=[host, "127.0.0.1", "localhost"])]
                },
                theme=_theme(),
                css_paths=_CSS,
                head=f"<script>{_JS.read_text(encoding='utf-8')}</script>",
            )
        except OSError:
            # Another program took the port in between.
            if attempt == PORTS_TRIED - 1:
                raise
            continue
        break
    return free


def _warm_up(archive: Archive) -> None:
    """Load the models while the reader looks at the page, so that the first answer does not wait for them."""
    try:
        if archive.counts().articles:
            archive.search("?", k=1)
    except Exception:
        # The reader's own question meets the same failure, and then it is said in the chat.
        _log.debug("the models could not be loaded ahead of the first question", exc_info=True)


def free_port(host: str, port: int) -> int:
    """Return the first of `port` and the next 20 that nothing listens on.

    Raises:
        ConfigError: All of them are taken, or the host is not an address of this machine.
    """
    last = min(port + PORTS_TRIED, 65536)
    for candidate in range(port, last):
        try:
            socket.create_server((host, candidate)).close()
        except socket.gaierror as exc:
            raise ConfigError(f"web.host = {host!r} is not an address of this machine: use 127.0.0.1") from exc
        except OSError:
            continue
        return candidate
    raise ConfigError(f"the ports {port} to {last - 1} on {host} are all taken: set web.port to a free one")


def _refuse_public(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"web.host = {host!r} is no IPv4 loopback address: other machines could read the archive, and the chat has "
            "no password yet: use 127.0.0.1"
        )


def build(archive: Archive, *, sample: bool = False) -> gr.Blocks:
    """Return the chat page over an archive; `sample` labels its articles as invented."""
    blocks: gr.Blocks
    with gr.Blocks(title="Hemeroteca", analytics_enabled=False, fill_width=True) as blocks:
        page = _lay_out(texts_for(archive.settings.web.language))
        _wire(page, blocks, archive=archive, sample=sample)
    blocks.queue(default_concurrency_limit=QUESTIONS_AT_ONCE, api_open=False)
    return blocks


def _theme() -> gr.themes.Base:
    # Fonts that every system has: a theme's default ones may be asked for over the network.
    return gr.themes.Base(
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
        primary_hue="red",
        neutral_hue="stone",
    )


def _lay_out(texts: Texts) -> _Page:
    exchanges = gr.State(())
    with gr.Row(elem_id="hm-head"):
        masthead = gr.HTML(apply_default_css=False)
        language = gr.Radio(
            list(LANGUAGE_CHOICES), value=texts.code, label=texts.language_label, elem_id="hm-language", scale=0
        )
    with gr.Row(elem_id="hm-main"):
        with gr.Column(scale=6, elem_id="hm-talk"):
            log = gr.HTML(apply_default_css=False, elem_id="hm-log", js_on_load=_REMOVING)
            with gr.Column(elem_id="hm-examples") as examples:
                examples_label = gr.HTML(apply_default_css=False)
                buttons = tuple(gr.Button(visible=False, size="sm") for _ in range(EXAMPLES_SHOWN))
            with gr.Row(elem_id="hm-ask"):
                question = gr.Textbox(
                    lines=1,
                    max_lines=4,
                    container=False,
                    elem_id="hm-question",
                    scale=1,
                )
                ask = gr.Button(variant="primary", elem_id="hm-ask-button")
                stop = gr.Button(visible=False, elem_id="hm-stop-button")
            with gr.Row(elem_id="hm-tools"):
                with gr.Accordion(open=False, elem_id="hm-filters", label=texts.filters) as filters:
                    with gr.Row():
                        since, until = gr.Textbox(max_lines=1, max_length=10), gr.Textbox(max_lines=1, max_length=10)
                    outlets = gr.Dropdown(multiselect=True, choices=[])
                new = gr.Button(size="sm", elem_id="hm-new")
        with gr.Column(scale=5, elem_id="hm-proof"):
            evidence = gr.HTML(apply_default_css=False, elem_id="hm-evidence")
    return _Page(
        exchanges, masthead, language, log, examples, examples_label, buttons, question, ask, stop, new, filters, since,
        until, outlets, evidence,
    )  # fmt: skip


def _wire(page: _Page, blocks: gr.Blocks, *, archive: Archive, sample: bool) -> None:
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    conversation = [page.exchanges, page.log, page.evidence, page.examples, page.question, page.ask, page.stop]
    asked_with = [page.exchanges, page.language, page.since, page.until, page.outlets]

    def answer(question: str, *rest: Any) -> Iterator[list[Any]]:
        for exchanges, evidence_changed, done in converse(archive, question, *rest):
            yield _conversation(archive, exchanges, rest[1], evidence=evidence_changed, done=done)

    def remove(
        before: Exchanges, language: str, since: str, until: str, outlets: list[str], event: gr.EventData
    ) -> Iterator[list[Any]]:
        asked_again = without_limit(
            archive, before, language, since, until, outlets, turn=event.turn, limit=event.limit
        )
        for exchanges, evidence_changed, done in asked_again:
            yield _conversation(archive, exchanges, language, evidence=evidence_changed, done=done)

    def stop(exchanges: Exchanges, language: str) -> list[Any]:
        return _conversation(archive, stopped(exchanges), language)

    def start_anew(language: str) -> list[Any]:
        return _conversation(archive, (), language)

    def speak(exchanges: Exchanges, language: str) -> dict[Any, Any]:
        return _in_language(page, archive, exchanges, texts_for(language), sample=sample)

    asking = gr.on(
        [page.ask.click, page.question.submit],
        answer,
        [page.question, *asked_with],
        conversation,
        trigger_mode="once",
        **private,
    )
    running = [asking]
    running += [button.click(answer, [button, *asked_with], conversation, **private) for button in page.example_buttons]
    running.append(page.log.delete(remove, asked_with, conversation, trigger_mode="once", **private))
    for button, after in ((page.stop, stop), (page.new, start_anew)):
        inputs = [page.exchanges, page.language] if after is stop else [page.language]
        button.click(after, inputs, conversation, cancels=running, **private)
    spoken = [
        page.masthead, page.language, page.log, page.evidence, page.examples, page.examples_label,
        *page.example_buttons, page.question, page.ask, page.stop, page.new, page.filters, page.since, page.until,
        page.outlets,
    ]  # fmt: skip
    # On every load, not only on a switch: articles may have come in since the server started.
    blocks.load(speak, [page.exchanges, page.language], spoken, **private)
    page.language.change(speak, [page.exchanges, page.language], spoken, **private)
    for event in (blocks.load, page.language.change):
        event(None, [page.language], js="(language) => { document.documentElement.lang = language; }", **private)


def _conversation(
    archive: Archive, exchanges: Exchanges, language: str, *, evidence: bool = True, done: bool = True
) -> list[Any]:
    """Return the updates of the conversation's parts, in the order that `_wire` names them."""
    texts = texts_for(language)
    return [
        exchanges,
        log_html(exchanges, texts, empty_folder=_empty_folder(archive)),
        evidence_panel_html(exchanges, texts) if evidence else gr.skip(),
        gr.update(visible=not exchanges),
        "" if exchanges else gr.skip(),
        gr.update(visible=done),
        gr.update(visible=not done),
    ]


def _in_language(page: _Page, archive: Archive, exchanges: Exchanges, texts: Texts, *, sample: bool) -> dict[Any, Any]:
    articles = archive.counts().articles
    examples = _examples(archive, texts, sample=sample)
    buttons = {
        button: gr.update(value=displayed(example), visible=bool(example))
        for button, example in zip(page.example_buttons, examples, strict=True)
    }
    return buttons | {
        page.masthead: masthead_html(texts, articles=articles, sample=sample),
        page.language: gr.update(label=texts.language_label),
        page.log: log_html(exchanges, texts, empty_folder=_empty_folder(archive)),
        page.evidence: evidence_panel_html(exchanges, texts),
        page.examples: gr.update(visible=not exchanges),
        page.examples_label: f'<p class="hm-muted">{escaped(texts.examples)}</p>' if any(examples) else "",
        page.question: gr.update(label=texts.question_label, placeholder=texts.question_placeholder),
        page.ask: gr.update(value=texts.ask),
        page.stop: gr.update(value=texts.stop),
        page.new: gr.update(value=texts.new_conversation),
        page.filters: gr.update(label=texts.filters),
        page.since: gr.update(label=texts.since, placeholder=texts.date_placeholder),
        page.until: gr.update(label=texts.until, placeholder=texts.date_placeholder),
        page.outlets: gr.update(
            label=texts.outlets, choices=[(displayed(outlet), outlet) for outlet in archive.outlets()]
        ),
    }


def _empty_folder(archive: Archive) -> str | None:
    return None if archive.counts().articles else str(archive.path)


def _examples(archive: Archive, texts: Texts, *, sample: bool) -> list[str]:
    """Return questions to click, exactly as many as there are buttons; empty ones are not shown."""
    if sample:
        examples = list(texts.sample_examples)
    else:
        openings = (article.title or article.text.strip().split("\n", 1)[0] for article in archive.articles())
        examples = [texts.title_example.format(title=_shortened(opening)) for opening in openings if opening.strip()]
    return [*examples, *[""] * EXAMPLES_SHOWN][:EXAMPLES_SHOWN]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TITLE_SHOWN else text[:_TITLE_SHOWN].rsplit(" ", 1)[0] + "…"
