"""A browser for the whole session, and a page that fails its test for an error, a refusal or a foreign address."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.events import _set_running_loop
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.gallery.page import reel
from tests.gallery.page.browser import ARGUMENTS, find_chromium
from tests.gallery.page.server import Server

PATIENCE = 60_000
"""Milliseconds for what a page shows at once: only a page that never does waits for them."""

OUTPUT = Path(__file__).parents[2] / ".output/gallery"

FAILED = pytest.StashKey[bool]()

Visit = Callable[..., Page]
"""Opens an address in a page of its own: `visit(url, width=…, height=…, scheme="dark", calm=True)`."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note for the fixture below that a test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def driven() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """One browser for the session, and the event loop of its driver, which waits in a coroutine of its own."""
    try:
        where = find_chromium()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=where, args=list(ARGUMENTS))
        loop = asyncio.get_running_loop()
        _set_running_loop(None)
        yield running, loop
        _set_running_loop(loop)
        running.close()


@pytest.fixture
def browser(driven: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The browser. Only while a test has it, its driver's loop counts as the one that runs: others run their own."""
    running, loop = driven
    _set_running_loop(loop)
    yield running
    _set_running_loop(None)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reel: small videos with their posters."""
    folder = tmp_path_factory.mktemp("reel")
    reel.make(folder)
    return folder


@pytest.fixture
def site(videos: Path) -> Iterator[Server]:
    """A gallery that shows what the test writes into `site.script`."""
    with Server(0, videos) as server:
        yield server


class Watcher:
    """What went wrong on a page. `allow` names what a test provokes."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.wrong: list[str] = []
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        self._allowed.append(pattern)

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: self.wrong.append(f"a dialog: {dialog.message}"))
        page.on("request", self._request)

    def verdict(self) -> list[str]:
        return [text for text in self.wrong if not any(re.search(pattern, text) for pattern in self._allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:image/", "file:" if self.origin == "file:" else self.origin)):
            self.wrong.append(f"asked another origin: {request.url}")


@pytest.fixture
def watcher() -> Watcher:
    return Watcher("")


@pytest.fixture
def visit(browser: Browser, watcher: Watcher, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Pages, each without a fault at the end; a picture is kept of one that failed, and of all by CLIPFORM_PICTURES."""
    opened: list[Page] = []

    def open_page(
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        calm: bool = False,
        touch: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce" if calm else "no-preference",
            has_touch=touch,
            locale="en-GB",
            timezone_id="UTC",
        )
        context.set_default_timeout(PATIENCE)
        watcher.origin = "file:" if url.startswith("file:") else "/".join(url.split("/")[:3])
        page = context.new_page()
        watcher.watch(page)
        opened.append(page)
        page.goto(url)
        page.wait_for_function("() => Gallery.store.state.head !== null")
        return page

    yield open_page
    OUTPUT.mkdir(parents=True, exist_ok=True)
    wanted = "CLIPFORM_PICTURES" in os.environ
    name = re.sub(r"\W+", "-", request.node.name).strip("-")[:120]
    for number, page in enumerate(opened):
        if not page.is_closed() and (wanted or request.node.stash[FAILED] or watcher.verdict()):
            page.screenshot(path=OUTPUT / f"{name}{f'-{number}' if number else ''}.png")
        page.context.close()
    assert watcher.verdict() == []
