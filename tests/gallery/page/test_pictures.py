"""The two pictures of the README: a real project, drawn by the draft provider, looked at through the real gallery.

They are made anew under `tests/.output/pictures` at each run. To refresh those of the README:

    uv run python -m pytest tests/gallery/page/test_pictures.py --update
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.gallery.page.conftest import OUTPUT, Visit
from tests.program.start import run
from tests.watch.terminal import on_pipes

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
NAMES = ("gallery-grid.webp", "gallery-clip.webp")
LIMIT = 150_000
SIZE = (1280, 800)


def project(folder: Path, *, small: bool) -> Path:
    """The storyboard example, made; one clip was made again after an edit, and one more is edited since. `small`: only
    what the pictures wait for is made."""
    shutil.copytree(ROOT / "examples/storyboard", folder, ignore=shutil.ignore_patterns("state", "renders", "*.lock"))
    if small:
        edit(folder / "clipform.yaml", "defaults:\n  duration: 3\n", "defaults:\n  resolution: 480p\n  duration: 2\n")
    looked_at = ("launch", "found") if small else ()
    make(folder, *looked_at)
    edit(folder / "shots/2-night.yaml", "pan right with the tide", "slow pull-out with the tide")
    make(folder, *looked_at)
    edit(folder / "shots/3-morning.yaml", "slow push-in", "orbit")
    return folder


def make(folder: Path, *clips: str) -> None:
    run(["-C", str(folder), "apply", "--yes", *clips])


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def keep(page: Page, name: str) -> bytes:
    """A picture of the page, small enough for a README."""
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        data = io.BytesIO()
        taken.save(data, "WEBP", quality=82, method=6)
    folder = OUTPUT.parent / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.getvalue())
    return data.getvalue()


def test_the_readmes_pictures_can_be_made_anew(tmp_path: Path, visit: Visit, request: pytest.FixtureRequest) -> None:
    update = request.config.getoption("--update")
    folder = project(tmp_path / "paper-boat", small=not update)
    with on_pipes(folder, "--no-open", "--port", "0", name="ui") as talk:
        page = visit(str(talk.event(event="listening")["url"]), calm=True)
        expect(page.locator('.cell[data-id="found"] .state')).to_have_text("changed")
        page.wait_for_function("() => [...document.images].every(each => each.complete)")
        grid = keep(page, NAMES[0])
        page.evaluate("() => { Gallery.theme.next(); Gallery.theme.next(); }")
        page.locator('.cell[data-id="launch"] a').click()
        expect(page.locator(".prompt ins").first).to_be_visible()
        expect(page.locator(".tile video")).to_have_count(2)
        page.wait_for_function("() => [...document.querySelectorAll('video')].every(each => each.readyState > 0)")
        page.get_by_label("Time in the clip").fill("1.2")
        page.wait_for_function(
            "() => [...document.querySelectorAll('video')].every(each => !each.seeking && each.currentTime > 1.19)"
        )
        clip = keep(page, NAMES[1])
        page.close()
    for name, data in zip(NAMES, (grid, clip), strict=True):
        assert len(data) < LIMIT, name
        if update:
            DOCS.mkdir(exist_ok=True)
            (DOCS / name).write_bytes(data)


def test_the_readme_shows_both_and_they_are_small() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"docs/{name}" in readme
        assert (DOCS / name).stat().st_size < LIMIT
        with Image.open(DOCS / name) as picture:
            assert picture.size == SIZE
