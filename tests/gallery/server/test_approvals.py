"""The approve button: it approves the key on the page, after the draft on the page, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.plan.approvals import parse
from tests.gallery.server.conftest import Site, a_site
from tests.gallery.server.test_actions import code

FILM = """\
approval: {required: paid}
cuts: {film: {sequence: [{clip: sea}, {clip: hero}], output: film.mp4}}
"""


@pytest.fixture(scope="module")
def drafted(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a film, where paid clips need an approval, and the draft of its paid clip."""
    folder = tmp_path_factory.mktemp("drafted") / "aurora"
    shutil.copytree(made, folder)
    file = folder / "clipform.yaml"
    file.write_text(FILM + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["-C", str(folder), "--json", "apply", "--draft", "--yes", "hero"]) == 0
    return folder


@pytest.fixture
def waiting(drafted: Path, tmp_path: Path) -> Iterator[Site]:
    """A gallery of it."""
    with a_site(drafted, tmp_path / "aurora") as site:
        yield site


def take(site: Site) -> Any:
    """The paid take, as its page has it."""
    return site.browser.json("/api/clips/hero")["takes"][0]


def approve(site: Site, **instead: object) -> Any:
    """A click on the button as it is on the page now."""
    now = take(site)
    body = {"clip": "hero", "take": 1, "key": now["key"], "seen": now["approval"]["seen"]["sha256"]}
    return site.browser.post("approve", **(body | instead))


def lines(site: Site) -> list[str]:
    """The keys that are approved on disk."""
    path = site.folder / "clipform.approvals"
    return [line.key for line in parse(path.read_text("utf-8")).approvals] if path.exists() else []


def test_the_page_shows_the_draft_and_approves_its_take(waiting: Site) -> None:
    before = take(waiting)
    assert before["media"] is None and before["approval"]["by"] == ""
    assert waiting.browser.get(before["approval"]["seen"]["video"]).headers["content-type"] == "video/mp4"
    assert waiting.browser.get(before["draft"]["poster"]).status_code == 200
    assert approve(waiting).json()["message"].startswith("Approved hero")
    assert lines(waiting) == [before["key"]]
    waiting.look()
    assert take(waiting)["approval"]["by"] and take(waiting)["approval"]["at"].endswith("Z")
    assert approve(waiting).json()["message"] == "hero is approved already."
    assert waiting.browser.post("disapprove", clip="hero").status_code == 200
    assert lines(waiting) == []
    waiting.look()
    assert take(waiting)["approval"]["by"] == ""


def test_an_edit_that_the_page_does_not_show_yet_approves_nothing(waiting: Site) -> None:
    now = take(waiting)
    body = {"key": now["key"], "seen": now["approval"]["seen"]["sha256"]}
    waiting.look("prompt: a lamp", "prompt: a torch")
    assert code(approve(waiting, **body)) == (409, "unseen")
    assert main(["-C", str(waiting.folder), "--json", "apply", "--draft", "--yes", "hero"]) == 0
    assert code(approve(waiting, **body)) == (409, "stale")
    assert lines(waiting) == []


@pytest.mark.parametrize("instead", [{"key": "v1:" + "0" * 64}, {"seen": "0" * 64}, {"seen": ""}])
def test_another_key_or_video_than_is_there_is_refused(waiting: Site, instead: dict[str, str]) -> None:
    assert code(approve(waiting, **instead)) == (409, "stale")
    assert lines(waiting) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [({"take": 2}, 400), ({"clip": "nobody"}, 400), ({"clip": "film"}, 400), ({"seen": None}, 400), ({"key": 1}, 400)],
)
def test_a_body_that_no_page_sends_is_refused(waiting: Site, body: dict[str, object], status: int) -> None:
    assert approve(waiting, **body).status_code == status
    assert lines(waiting) == []


def test_another_page_and_another_host_can_approve_nothing(waiting: Site) -> None:
    now = take(waiting)
    body = {"clip": "hero", "take": 1, "key": now["key"], "seen": now["approval"]["seen"]["sha256"]}
    post = waiting.browser.client.post
    for headers in ({"Origin": "https://evil.example"}, {}, {"Origin": waiting.browser.origin, "Host": "evil.example"}):
        assert post("/api/approve", json=body, headers=headers).status_code in (400, 403, 421)
        assert post("/api/disapprove", json={"clip": "hero"}, headers=headers).status_code in (400, 403, 421)
    assert lines(waiting) == []


def test_a_film_is_played_with_the_draft_of_a_clip_that_is_not_bought(waiting: Site) -> None:
    [film] = [card for card in waiting.browser.document()["cards"] if card["id"] == "film"]
    sea, hero = film["pieces"]
    assert (bool(sea["shown"]), sea["draft"]) == (True, None)
    assert hero["shown"] is None and hero["draft"]["seconds"] == hero["last"] == 5.0
    assert waiting.browser.get(hero["draft"]["video"]).status_code == 200
