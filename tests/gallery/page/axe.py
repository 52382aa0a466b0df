"""Deque's accessibility engine, as a package of the tests carries it: given to a page past its content policy."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

_ENGINE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

_RUN = """async () => {
    const { violations, passes } = await axe.run(document, { resultTypes: ["violations"], preload: false });
    const found = violations.flatMap(({ id, help, nodes }) => nodes.map(each => `${id}: ${help}: ${each.html}`));
    return [passes.length, found];
}"""


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {_ENGINE} }} }}")
    passed, found = page.evaluate(_RUN)
    assert passed > 15, "axe saw no page"
    return list(found)
