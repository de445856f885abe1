"""A person at a real browser, and the real chat to be asked in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
READY_S = 90
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

Chat = tuple["subprocess.Popen[str]", str, list[str]]
"""The process, its URL, and what it says on standard error."""


@contextmanager
def running_chat(archive: Path, *options: str) -> Iterator[Chat]:
    """Run `hemeroteca chat` over an archive, ready to be asked."""
    command = [sys.executable, "-m", "ui.cli", "chat", "--archive", str(archive), "--no-browser", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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


@contextmanager
def installed_chromium() -> Iterator[Browser]:
    """Open the Chromium of this machine, or skip the test."""
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
