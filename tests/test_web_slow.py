"""The chat in a real browser, over the real sample archive: what a person does and sees."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rag.errors import ConfigError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

    from rag.archive import Archive

pytestmark = pytest.mark.slow

TREATIES = "¿Qué tratados sustituye el acuerdo entre Valdoria y Carmania?"
UNKNOWABLE = "¿Cuántos goles marcó la selección de Islandia de waterpolo?"
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
READY_S = 90
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
_IN_VIEW = """(selector) => { const box = document.querySelector(selector).getBoundingClientRect();
                              return box.top >= 0 && box.bottom <= innerHeight; }"""


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def server(sample_folder: Path, taken_port: int) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """The command `hemeroteca chat`, its URL, and what it says on standard error."""
    command = [sys.executable, "-m", "ui.cli", "chat", "--archive", str(sample_folder), "--sample", "--no-browser"]
    process = subprocess.Popen(
        [*command, "--port", str(taken_port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    complaints: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=lambda lines: complaints.extend(lines), args=(process.stderr,), daemon=True)
    reader.start()
    impatience = threading.Timer(READY_S, process.kill)
    impatience.start()
    line = process.stdout.readline()
    impatience.cancel()
    try:
        assert line.startswith("http://127.0.0.1:"), f"no server: {complaints}"
        yield process, line.split()[0], complaints
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="the browser test needs the playwright package")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("the browser test needs an installed Chromium or Chrome on the PATH")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


class Reader:
    """A person at a fresh browser window, who notes every request, error and dialogue."""

    def __init__(self, browser: Browser, url: str, *, size: Any) -> None:
        self.context = browser.new_context(viewport=size)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.requests: list[str] = []
        self.troubles: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", self._meet_dialog)
        self.page.goto(url)
        self.page.wait_for_selector("#hm-examples button:visible")

    def _meet_dialog(self, dialog: Dialog) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def ask(self, question: str, *, turn: int) -> None:
        self.page.fill("#hm-question textarea", question)
        self.page.press("#hm-question textarea", "Enter")
        self.wait_for_answer(turn)

    def wait_for_answer(self, turn: int) -> None:
        self.page.wait_for_selector(f"#turn-{turn}:not([data-status=partial])")
        self.page.wait_for_selector("#hm-ask-button:visible")

    def status(self, turn: int) -> str | None:
        return self.page.get_attribute(f"#turn-{turn}", "data-status")

    def photograph(self, name: str) -> None:
        if os.environ.get("HEMEROTECA_SCREENSHOTS"):
            # Scrolling is smooth: the picture is of where it ends.
            self.page.wait_for_timeout(700)
            Path("screenshots").mkdir(exist_ok=True)
            self.page.screenshot(path=f"screenshots/{name}.png")

    def close(self) -> None:
        self.context.close()
        assert not self.troubles
        strangers = [url for url in self.requests if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
        assert not strangers, "the page asked another machine for something"


def test_reader_asks_checks_a_citation_and_goes_on_in_english(
    server: tuple[subprocess.Popen[str], str, list[str]], chromium: Browser, sample_archive: Archive
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
    assert f"  > {quote}\n" in copied
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


def test_reader_on_a_phone_clicks_an_example_and_finds_the_evidence(
    server: tuple[subprocess.Popen[str], str, list[str]], chromium: Browser
) -> None:
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


def test_dates_that_are_none_are_said_in_the_chat(
    server: tuple[subprocess.Popen[str], str, list[str]], chromium: Browser
) -> None:
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


def test_server_gives_away_neither_files_nor_the_page_under_another_name(
    server: tuple[subprocess.Popen[str], str, list[str]], sample_folder: Path
) -> None:
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
def test_taken_port_is_named_and_ctrl_c_ends_cleanly(
    server: tuple[subprocess.Popen[str], str, list[str]], taken_port: int
) -> None:
    process, url, complaints = server
    assert any(f"port {taken_port} on 127.0.0.1 is taken" in line for line in complaints)
    assert not url.endswith(f":{taken_port}")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert not [line for line in complaints if "Traceback" in line]
