"""The chat in a real browser, over the real sample archive: what a person does and sees."""

from __future__ import annotations

import http.client
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.errors import ConfigError
from tests.browser import DESKTOP, PHONE, Chat, Reader, installed_chromium, running_chat

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from rag.archive import Archive

pytestmark = pytest.mark.slow

TREATIES = "¿Qué tratados sustituye el acuerdo entre Valdoria y Carmania?"
UNKNOWABLE = "¿Cuántos goles marcó la selección de Islandia de waterpolo?"
_IN_VIEW = """(selector) => { const box = document.querySelector(selector).getBoundingClientRect();
                              return box.top >= 0 && box.bottom <= innerHeight; }"""


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def server(sample_folder: Path, taken_port: int) -> Iterator[Chat]:
    with running_chat(sample_folder, "--sample", "--port", str(taken_port)) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with installed_chromium() as browser:
        yield browser


def test_reader_asks_checks_a_citation_and_goes_on_in_english(
    server: Chat, chromium: Browser, sample_archive: Archive
) -> None:
    reader = Reader(chromium, server[1], size=DESKTOP)
    page = reader.page
    assert "Archivo de muestra: artículos inventados" in page.inner_text("#hm-head")
    reader.photograph("desktop-es-empty")

    reader.ask(TREATIES, turn=1)
    assert reader.status(1) == "answered"
    page.click("#turn-1 .hm-cite >> nth=0")
    # The page and the test ask the same archive, so the citation is known down to its offsets.
    quote = sample_archive.ask(TREATIES).citations[0].quote
    card = page.locator("#ev-1-1")
    assert card.locator(".hm-excerpt mark").text_content() == quote
    page.wait_for_function("document.activeElement.id === 'ev-1-1'")
    page.wait_for_function(_IN_VIEW, arg="#ev-1-1 mark")
    assert len(reader.context.pages) == 1, "a citation opens no window"
    reader.photograph("desktop-es-answer")
    card.locator("summary").click()
    assert card.locator(".hm-article mark").text_content() == quote
    assert card.locator(".hm-article mark").is_visible()
    reader.photograph("desktop-es-whole-article")

    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#turn-1 [data-action=copy]")
    page.wait_for_selector("#turn-1 :text('Copiado')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"## {TREATIES}\n")
    # The words that answer are bold.
    assert f"  > {quote}\n" in copied.replace("**", "")
    assert "**" in copied
    with page.expect_download() as download:
        page.click("#turn-1 [data-action=download]")
    assert download.value.path().read_text(encoding="utf-8") == copied

    page.get_by_label("English").check()
    page.wait_for_selector("#hm-ask-button:has-text('Ask')")
    assert "Answered from the archive" in page.inner_text("#turn-1")
    assert page.evaluate("document.documentElement.lang") == "en"
    reader.ask("¿Y dónde se firmó?", turn=2)
    assert page.locator(".hm-turn").count() == 2
    page.wait_for_function(_IN_VIEW, arg="#turn-2 .hm-question")
    reader.photograph("desktop-en-follow-up")
    page.click("#turn-1 .hm-cite >> nth=0")
    assert page.locator("#ev-1-1").is_visible()

    page.click("#hm-new")
    page.wait_for_selector("#hm-examples button:visible")
    reader.ask(UNKNOWABLE, turn=1)
    assert reader.status(1) == "unknown"
    assert "The archive does not know" in page.inner_text("#turn-1")
    assert "They are not an answer." in page.inner_text("#hm-evidence")
    assert page.locator("#hm-evidence mark").count() == 0
    reader.photograph("desktop-en-unknown")
    reader.close()


def test_reader_takes_a_limit_away(server: Chat, chromium: Browser) -> None:
    reader = Reader(chromium, server[1], size=DESKTOP)
    page = reader.page
    reader.ask("¿Qué pasó en el puerto en enero de 2024?", turn=1)
    assert "ayer: 15 ene 2024" in page.inner_text("#hm-evidence")
    chip = page.locator("#turn-1 .hm-limit")
    assert chip.inner_text().split("\n")[0] == "en enero de 2024"
    reader.photograph("desktop-es-limit")
    chip.get_by_role("button", name="Quitar «en enero de 2024» y preguntar de nuevo").click()
    reader.wait_for_answer(2)
    assert page.locator("#turn-2 .hm-question bdi").inner_text() == "¿Qué pasó en el puerto en enero de 2024?"
    assert page.locator("#turn-2 .hm-limit").count() == 0
    reader.close()


def test_reader_on_a_phone_clicks_an_example_and_finds_the_evidence(server: Chat, chromium: Browser) -> None:
    reader = Reader(chromium, server[1], size=PHONE)
    page = reader.page
    reader.photograph("phone-es-empty")
    page.click("#hm-examples button >> nth=0")
    reader.wait_for_answer(1)
    reader.photograph("phone-es-answer")
    page.click("#turn-1 .hm-cite >> nth=0")
    page.wait_for_function(_IN_VIEW, arg="#ev-1-1 h4")
    reader.photograph("phone-es-evidence")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"
    page.click("#ev-1-1 .hm-back")
    page.wait_for_function("document.activeElement.id === 'turn-1'")
    reader.close()


def test_dates_that_are_none_are_said_in_the_chat(server: Chat, chromium: Browser) -> None:
    reader = Reader(chromium, server[1], size=DESKTOP)
    page = reader.page
    page.click("#hm-filters button >> nth=0")
    page.locator("#hm-filters input").first.fill("ayer")
    reader.ask(TREATIES, turn=1)
    assert "«ayer» no es una fecha" in page.inner_text("#turn-1")
    page.locator("#hm-filters input").first.fill("2031-01-01")
    reader.ask(TREATIES, turn=2)
    assert reader.status(2) == "unknown"
    reader.close()


def test_server_gives_away_neither_files_nor_the_page_under_another_name(server: Chat, sample_folder: Path) -> None:
    def status(path: str, host: str = "127.0.0.1") -> int:
        connection = http.client.HTTPConnection(server[1].removeprefix("http://"), timeout=10)
        connection.request("GET", path, headers={"Host": host})
        answered = connection.getresponse().status
        connection.close()
        return answered

    assert status("/") == 200
    # A page of the open web that points its own name at this machine must not read the archive.
    assert status("/", host="archivo.example") == 400
    assert status(f"/gradio_api/file={sample_folder / 'archive.db'}") in (403, 404)
    assert status(f"/gradio_api/file={Path(__file__).parent.parent / 'pyproject.toml'}") in (403, 404)


def test_eight_readers_ask_at_once(sample_archive: Archive) -> None:
    from ui.conversation import converse

    def last_status(question: str) -> str:
        *_, (exchanges, _, done) = converse(sample_archive, question, (), "es", "", "", [])
        assert done
        assert not exchanges[-1].failure
        assert exchanges[-1].answer
        return exchanges[-1].answer.status

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(last_status, [TREATIES] * 8)) == ["answered"] * 8


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "archivo.example", "::1"])
def test_other_machines_are_refused_while_there_is_no_password(sample_archive: Archive, host: str) -> None:
    from ui.web import serve

    with pytest.raises(ConfigError, match="no password yet"):
        serve(sample_archive, host=host, port=7860, on_ready=lambda url: pytest.fail(url))


# Last, because it ends the server that the tests above share.
def test_taken_port_is_named_and_ctrl_c_ends_cleanly(server: Chat, taken_port: int) -> None:
    process, url, complaints = server
    assert any(f"port {taken_port} on 127.0.0.1 is taken" in line for line in complaints)
    assert not url.endswith(f":{taken_port}")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert not [line for line in complaints if "Traceback" in line]
