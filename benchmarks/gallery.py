"""Measures the gallery's page in Chromium: time to answer a key, memory, and scrolling.

    uv run python -m benchmarks.gallery [--clips 1000 10000] [--rounds 7]

`clipform ui` shows the project of `nothing_to_do`, every clip ready, each with a poster of 640×360. The pages are
opened in turn, each in a new browser context: the gallery of each size; and at the smallest size, from the same
server, a naive page (a plain `img` and two lines of text for every clip, all at once), and an empty page. The first
round is not counted.

"Answer to a key": a key is sent in every frame until a card is marked as selected; the time runs from the start of the
navigation. The CPU until then is that of the page's main thread (all its tasks, and of them the scripts), and that of
the server's process. "Scrolling": 120 frames, each 60 pixels further than the last, then 120 frames of 400 pixels.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks import project
from benchmarks.kit import circumstances, clipform, note, table
from tests.gallery.page.browser import ARGUMENTS, find_chromium

PROBE = """
performance.setResourceTimingBufferSize(20000);
const probe = () => {
    if (!window.answered) document.body?.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
    if (!window.answered && document.querySelector('.selected')) window.answered = performance.now();
    const near = [...document.images].filter(each => each.getBoundingClientRect().top < innerHeight);
    const painted = window.answered && near.every(each => each.complete);
    if (painted) window.painted = performance.now();
    else requestAnimationFrame(probe);
};
requestAnimationFrame(probe);
"""
SCROLL = """async (step) => {
    const durations = [];
    let last = performance.now();
    for (let frame = 0; frame < 120; frame += 1) {
        window.scrollBy(0, step);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        durations.push(now - last);
        last = now;
    }
    return durations;
}"""
PLANNED = "async () => (await (await fetch('api/gallery')).json()).cards.length > 0"
DOCUMENT = """async () => {
    const reader = (await fetch('api/events')).body.getReader();
    let size = 0, end = '';
    while (size < 1000 || !end.endsWith('\\n\\n')) {
        const { value } = await reader.read();
        size += value.length;
        end = new TextDecoder().decode(value.slice(-2));
    }
    reader.cancel();
    return size;
}"""
"""Bytes of the first event."""
GALLERY, NAIVE_PAGE, EMPTY_PAGE = "the gallery", "naive: all cards at once", "empty page"
BAR_HEAP = 1.5
PATIENCE = 180_000
"""Milliseconds: a plan of ten thousand clips takes seconds, and all of them at once in one page longer."""
CARDS = "async () => (await (await fetch('api/gallery')).json()).cards.map(card => [card.id, card.shown.poster])"
NAIVE = """<!doctype html><meta charset="utf-8"><style>
body { font: 14px system-ui; display: grid; grid-template-columns: repeat(4, 1fr); gap: 20px }
img { width: 100%; aspect-ratio: 16/9 } .selected { outline: 2px solid }
</style>CARDS<script>
addEventListener('keydown', () => document.querySelector('article').classList.add('selected'))
</script>"""
EMPTY = """<!doctype html><meta charset="utf-8"><p>.</p><div style="height: 60000px"></div>
<script>addEventListener('keydown', () => document.querySelector('p').classList.add('selected'))</script>"""

Figures = Mapping[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="The gallery's page in Chromium.")
    parser.add_argument("--clips", type=int, nargs="+", default=[1_000, 10_000], help="multiples of 100")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args(arguments)
    sizes = sorted(asked.clips)
    print(circumstances())
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clipform-")))
        servers = {}
        for size in sizes:
            home = project.up_to_date(root / str(size), size)
            note(f"measure, with {_posters(home):,} posters")
            servers[size] = stack.enter_context(_gallery(home))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        figures = _measure(browser, servers, asked.rounds)
        browser.close()
    print(table([f"{asked.rounds} rounds", *figures], _rows(figures)))
    heaps = [median(figure["heap"] for figure in figures[f"{GALLERY}, {size:,}"]) for size in (sizes[0], sizes[-1])]
    print(f"\nheap at {sizes[-1]:,} ÷ heap at {sizes[0]:,}: {heaps[1] / heaps[0]:.2f} (bar: ≤ {BAR_HEAP})")


def _posters(home: Path) -> int:
    """Write a poster of the usual size for every video: a gradient, as in a photograph."""
    picture = Image.merge("RGB", [Image.radial_gradient("L").resize((640, 360)), *[Image.linear_gradient("L")] * 0] * 3)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=84)
    folder = home / "state/cache/posters"
    folder.mkdir(parents=True)
    videos = list((home / "state/objects").glob("*/*.mp4"))
    for video in videos:
        (folder / f"{video.stem}.jpg").write_bytes(data.getvalue())
    return len(videos)


class Server(NamedTuple):
    """A running `clipform ui`."""

    address: str
    pid: int

    def cpu(self) -> float:
        """Return the CPU seconds of its process so far (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _gallery(home: Path) -> Iterator[Server]:
    """Run `clipform ui`."""
    command = clipform("--json", "ui", "--no-open", "--port", "0")
    with subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                event = json.loads(line)
                if event.get("event") == "listening":
                    yield Server(str(event["url"]), child.pid)
                    return
            raise RuntimeError("clipform ui has ended")
        finally:
            child.terminate()


def _measure(browser: Browser, servers: Mapping[int, Server], rounds: int) -> dict[str, list[Figures]]:
    bodies = {EMPTY_PAGE: EMPTY}
    sent = {}
    smallest = min(servers)
    for size, server in servers.items():
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(server.address)
            while not page.evaluate(PLANNED):
                page.wait_for_timeout(200)
            sent[size] = page.evaluate(DOCUMENT)
            if size == smallest:
                bodies[NAIVE_PAGE] = _naive(page.evaluate(CARDS))
    cases: list[tuple[str, int, str | None]] = [(f"{GALLERY}, {size:,}", size, None) for size in servers]
    cases += [(f"{name}, {smallest:,}", smallest, bodies[name]) for name in (NAIVE_PAGE, EMPTY_PAGE)]
    figures_by_page: dict[str, list[Figures]] = {name: [] for name, _, _ in cases}
    for number in range(rounds + 1):
        for name, size, body in cases:
            figure = _measure_page(browser, servers[size], body)
            if number:
                figures_by_page[name].append({**figure, "sent": sent[size] if body is None else len(body)})
    return figures_by_page


def _measure_page(browser: Browser, server: Server, body: str | None) -> Figures:
    """Open one page in a new context, measure it, and close it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    origin = server.address.partition("/?")[0]
    page.route(f"{origin}/", lambda route: route.fulfill(body=EMPTY, content_type="text/html"))
    page.goto(server.address)  # for the cookie
    page.close()
    page = context.new_page()
    if body is not None:
        page.route(f"{origin}/", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.add_init_script(PROBE)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    spent = server.cpu()
    page.goto(f"{origin}/", wait_until="commit")
    page.wait_for_function("() => window.answered > 0", timeout=PATIENCE)
    spent = server.cpu() - spent
    metrics = _metrics(session)
    page.wait_for_function("() => window.painted > 0", timeout=PATIENCE)
    answered, painted = page.evaluate("() => [window.answered, window.painted]")
    weight = _weight(page, session)
    slow, fast = page.evaluate(SCROLL, 60), page.evaluate(SCROLL, 400)
    asked = page.evaluate("() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('.jpg')).length")
    context.close()
    drawn = {"slow": quantiles(slow, n=20)[18], "fast": quantiles(fast, n=20)[18], "worst": max(*slow, *fast)}
    cpu = {"tasks": 1000 * metrics["TaskDuration"], "scripts": 1000 * metrics["ScriptDuration"], "server": 1000 * spent}
    return {"answered": answered, "painted": painted, "asked": asked, **drawn, **weight, **cpu}


def _metrics(session: CDPSession) -> Mapping[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def _naive(cards: Sequence[Sequence[str]]) -> str:
    card = '<article><img src="{1}" alt=""><p>{0}</p><p>ready</p></article>'
    return NAIVE.replace("CARDS", "".join(card.format(*each) for each in cards))


def _weight(page: Page, session: CDPSession) -> Figures:
    session.send("HeapProfiler.collectGarbage")
    elements = page.evaluate("() => document.querySelectorAll('*').length")
    return {"elements": elements, "heap": _metrics(session)["JSHeapUsedSize"] / 1e6}


def _rows(figures_by_page: Mapping[str, Sequence[Figures]]) -> list[list[str]]:
    def row(label: str, name: str, form: str) -> list[str]:
        return [
            label,
            *(form.format(median(figure[name] for figure in figures)) for figures in figures_by_page.values()),
        ]

    return [
        row("from navigation to the answer to a key", "answered", "{:.0f} ms"),
        row("until then, CPU of the page's main thread", "tasks", "{:.0f} ms"),
        row("of that, scripts", "scripts", "{:.0f} ms"),
        row("until then, CPU of the server", "server", "{:.0f} ms"),
        row("bytes of the first event, or of the page", "sent", "{:,.0f}"),
        row("from navigation to all posters of the first screen", "painted", "{:.0f} ms"),
        row("elements in the page", "elements", "{:,.0f}"),
        row("JavaScript heap", "heap", "{:.1f} MB"),
        row("posters that came until the end", "asked", "{:,.0f}"),
        row("95 of 100 frames, scrolling 3,600 points a second", "slow", "{:.1f} ms"),
        row("95 of 100 frames, scrolling 24,000 points a second", "fast", "{:.1f} ms"),
        row("the longest frame", "worst", "{:.0f} ms"),
    ]


if __name__ == "__main__":
    main()
