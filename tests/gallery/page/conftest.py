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
from tests.gallery.page.server import Script, Server

PATIENCE = 60_000
"""Milliseconds for what a page shows at once: only a page that never does waits for them."""

OUTPUT = Path(__file__).parents[2] / ".output/gallery"

FAILED = pytest.StashKey[bool]()

Visit = Callable[..., Page]
"""Opens an address in a page: `visit(url, width=…, height=…, scheme="dark", calm=True)`. `fresh`: in one that no other
test has, as a test needs that turns the clock."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note for the fixture below that a test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


class Tabs:
    """Pages of the browser, which are used again: a fresh one costs a process of its own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._idle: list[Page] = []

    def take(self, *, fresh: bool) -> Page:
        """A page that shows nothing. `fresh`: one that no other test had or will have."""
        if self._idle and not fresh:
            return self._idle.pop()
        context = self._browser.new_context(locale="en-GB", timezone_id="UTC")
        context.set_default_timeout(PATIENCE)
        return context.new_page()

    def give_back(self, page: Page, *, fresh: bool) -> None:
        """Leave nothing of a test behind."""
        if fresh or page.is_closed():
            page.context.close()
            return
        page.evaluate("() => { try { localStorage.clear(); sessionStorage.clear(); } catch { /* no page */ } }")
        page.goto("about:blank")
        page.context.clear_cookies()
        page.mouse.move(0, 0)
        self._idle.append(page)


@pytest.fixture(scope="session")
def driven() -> Iterator[tuple[Tabs, asyncio.AbstractEventLoop]]:
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
        yield Tabs(running), loop
        _set_running_loop(loop)
        running.close()


@pytest.fixture
def tabs(driven: tuple[Tabs, asyncio.AbstractEventLoop]) -> Iterator[Tabs]:
    """Its pages. Only while a test has them, its driver's loop counts as the one that runs: others run their own."""
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


@pytest.fixture(scope="session")
def server(videos: Path) -> Iterator[Server]:
    """One for the session, so that the browser has the page's scripts already."""
    with Server(0, videos) as running:
        yield running


@pytest.fixture
def site(server: Server, videos: Path) -> Iterator[Server]:
    """A gallery that shows what the test writes into `site.script`."""
    server.script = Script(videos)
    yield server
    server.script.hang_up()


class Watcher:
    """What went wrong on a page. `allow` names what a test provokes."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.wrong: list[str] = []
        self._allowed: list[str] = []
        self._heard: dict[str, Callable[..., None]] = {
            "console": self._console,
            "pageerror": lambda error: self.wrong.append(f"uncaught: {error}"),
            "dialog": lambda dialog: self.wrong.append(f"a dialog: {dialog.message}"),
            "request": self._request,
        }

    def allow(self, pattern: str) -> None:
        self._allowed.append(pattern)

    def watch(self, page: Page) -> None:
        for event, hear in self._heard.items():
            page.on(event, hear)  # type: ignore[call-overload]  # an overload for each name

    def leave(self, page: Page) -> None:
        for event, hear in self._heard.items():
            page.remove_listener(event, hear)

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
def visit(tabs: Tabs, watcher: Watcher, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Pages, each without a fault at the end; a picture is kept of one that failed, and of all by CLIPFORM_PICTURES."""
    opened: list[tuple[Page, bool]] = []

    def open_page(
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        calm: bool = False,
        fresh: bool = False,
    ) -> Page:
        page = tabs.take(fresh=fresh)
        opened.append((page, fresh))
        watcher.origin = "file:" if url.startswith("file:") else "/".join(url.split("/")[:3])
        watcher.watch(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce" if calm else "no-preference"
        )
        page.goto(url)
        page.wait_for_function("() => Gallery.store.state.head !== null")
        return page

    yield open_page
    OUTPUT.mkdir(parents=True, exist_ok=True)
    wanted = "CLIPFORM_PICTURES" in os.environ
    name = re.sub(r"\W+", "-", request.node.name).strip("-")[:120]
    for number, (page, fresh) in enumerate(opened):
        if not page.is_closed() and (wanted or request.node.stash[FAILED] or watcher.verdict()):
            page.screenshot(path=OUTPUT / f"{name}{f'-{number}' if number else ''}.png")
        watcher.leave(page)
        tabs.give_back(page, fresh=fresh or request.node.stash[FAILED])
    assert watcher.verdict() == []
