"""Media by content: what the state or a clip names, and nothing else, wherever it is said to be."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import SpecError
from tests.gallery.server.conftest import PNG, Site


def card(site: Site, name: str) -> dict[str, Any]:
    return next(card for card in site.browser.document()["cards"] if card["id"] == name)


def test_a_video_seeks(shared: Site) -> None:
    shown = card(shared, "sun")["shown"]
    whole = shared.browser.get(f"/{shown['video']}")
    assert (whole.status_code, whole.headers["content-type"], len(whole.content)) == (200, "video/mp4", shown["bytes"])
    assert hashlib.sha256(whole.content).hexdigest() == shown["sha256"]
    assert "immutable" in whole.headers["cache-control"] and whole.headers["accept-ranges"] == "bytes"
    part = shared.browser.get(f"/{shown['video']}", Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{shown['bytes']}"
    last = shared.browser.get(f"/{shown['video']}", Range="bytes=-7")
    assert (last.status_code, last.content) == (206, whole.content[-7:])
    assert shared.browser.get(f"/{shown['video']}", Range=f"bytes={shown['bytes']}-").status_code == 416


def test_a_poster_is_made_when_it_is_asked_for_and_kept(site: Site) -> None:
    shown = card(site, "sun")["shown"]
    kept = site.folder / "state/cache/posters" / f"{shown['sha256']}.jpg"
    assert not kept.exists()
    first = site.browser.get(f"/{shown['poster']}")
    assert (first.status_code, first.headers["content-type"]) == (200, "image/jpeg")
    assert kept.read_bytes() == first.content
    stamp = kept.stat().st_mtime_ns
    assert site.browser.get(f"/{shown['poster']}").content == first.content
    assert kept.stat().st_mtime_ns == stamp


def test_takes_that_are_not_picked_are_shown_too(shared: Site) -> None:
    takes = shared.browser.json("/api/clips/sun")["takes"]
    assert len({take["media"]["sha256"] for take in takes}) == 2
    assert all(shared.browser.get(f"/{take['media']['video']}").status_code == 200 for take in takes)


def test_a_video_that_the_store_lost_comes_from_its_output_if_it_is_that_very_file(site: Site) -> None:
    shown = card(site, "sun")["shown"]
    (site.folder / "state/objects" / shown["sha256"][:2] / f"{shown['sha256']}.mp4").unlink()
    site.look()
    assert hashlib.sha256(site.browser.get(f"/{shown['video']}").content).hexdigest() == shown["sha256"]
    (site.folder / "renders/sun.mp4").write_bytes(b"somebody else's")
    assert site.browser.get(f"/{shown['video']}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "0" * 64 + ".mp4",
        "{sha}",
        "{sha}.mp4.mp4",
        "{sha}.png",
        "{SHA}.mp4",
        "../clipform.yaml",
        "..%2fclipform.yaml",
        "%2e%2e/%2e%2e/clipform.yaml",
        "..%5cclipform.yaml",
        "input/../../clipform.yaml",
        "input/lamp.png",
        "input/..%2f..%2fclipform.yaml",
        "input/" + "0" * 64 + ".png",
        "{sha}.mp4%00",
        "{sha}.mp4/",
        "/etc/passwd",
        "%2fetc%2fpasswd",
    ],
)
def test_a_name_that_nobody_knows_leads_nowhere(shared: Site, name: str) -> None:
    sha = card(shared, "sun")["shown"]["sha256"]
    status, body = shared.browser.raw("GET", "/media/" + name.format(sha=sha, SHA=sha.upper()))
    assert status in (307, 400, 404)
    assert b"prompt" not in body and b"root:" not in body


@pytest.mark.parametrize(
    "name", ["../model.py", "..%2fmodel.py", "%2e%2e%2fmodel.py", "page.html", ".hidden.css", "a/b.css"]
)
def test_assets_are_those_of_the_page(shared: Site, name: str) -> None:
    status, body = shared.browser.raw("GET", f"/assets/{name}")
    assert status == 404 and b"import" not in body


def test_a_link_that_leads_out_of_the_project_is_not_followed(site: Site, tmp_path: Path) -> None:
    shown = card(site, "sun")["shown"]
    stored = site.folder / "state/objects" / shown["sha256"][:2] / f"{shown['sha256']}.mp4"
    outside = tmp_path / "outside.mp4"
    os.replace(stored, outside)
    stored.symlink_to(outside)
    (site.folder / "renders/sun.mp4").unlink()
    assert site.browser.get(f"/{shown['video']}").status_code == 404


def test_the_pictures_that_a_clip_declares_are_shown_and_no_others(site: Site) -> None:
    [frame] = site.browser.json("/api/clips/sun")["inputs"]
    answer = site.browser.get(f"/{frame['media']}")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", PNG)
    (site.folder / "secret.png").write_bytes(PNG + b"other")
    other = hashlib.sha256(PNG + b"other").hexdigest()
    assert site.browser.get(f"/media/input/{other}.png").status_code == 404
    [above] = site.browser.json("/api/clips/sea")["inputs"]
    assert (above["clip"], above["media"]) == ("sun", None)


def test_a_picture_from_outside_is_shown_where_the_project_allows_its_folder(site: Site, tmp_path: Path) -> None:
    (tmp_path / "brand").mkdir()
    (tmp_path / "brand/lamp.png").write_bytes(PNG + b"brand")
    site.look("version: 1", f"version: 1\ninputs: {{allow: [{tmp_path}/brand]}}")
    site.look("first_frame: lamp.png", f"first_frame: {tmp_path}/brand/lamp.png")
    [frame] = site.browser.json("/api/clips/sun")["inputs"]
    answer = site.browser.get(f"/{frame['media']}")
    assert (answer.status_code, answer.content) == (200, PNG + b"brand")
    (tmp_path / "brand/lamp.png").unlink()
    (tmp_path / "brand/lamp.png").symlink_to("/etc/hostname")
    assert site.browser.get(f"/{frame['media']}").status_code == 404


def test_a_picture_that_a_browser_could_run_is_not_served(site: Site) -> None:
    (site.folder / "lamp.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    sha = hashlib.sha256((site.folder / "lamp.svg").read_bytes()).hexdigest()
    with pytest.raises(SpecError):  # it is no picture that a clip can use
        site.look("lamp.png", "lamp.svg")
    assert site.browser.get(f"/media/input/{sha}.svg").status_code == 404


def test_nothing_is_written_where_a_link_leads_out_of_the_project(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (site.folder / "state/cache").mkdir()
    (site.folder / "state/cache/posters").symlink_to(outside)
    assert site.browser.get(f"/{card(site, 'sun')['shown']['poster']}").status_code == 404
    assert list(outside.iterdir()) == []
