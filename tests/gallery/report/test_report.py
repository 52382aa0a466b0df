"""A report is a folder that opens anywhere: complete, small where that is asked for, and without secrets."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from reconciler.cli.app import main
from reconciler.media.probe import probe

from .conftest import data, edit, names


def run(project: Path, *arguments: str) -> int:
    return main(["-C", str(project), "report", *arguments])


def cards(report: Path) -> dict[str, dict[str, object]]:
    return {card["id"]: card for card in data(report)["document"]["cards"]}


def test_everything_that_the_page_speaks_of_is_beside_it(project: Path) -> None:
    assert run(project) == 0
    report = project / "report"
    found = data(report)
    assert list(found["details"]) == ["hero", "old", "same", "__proto__"]
    assert found["document"]["live"] is False
    media = [take["media"] for item in found["details"].values() for take in item["takes"]]
    assert len(media) == 5 and all(media)
    for item in media:
        assert probe(report / item["video"]).frames == 24
        assert probe(report / item["preview"]).frames == 18
        with Image.open(report / item["poster"]) as poster:
            assert poster.size == (640, 640)
    [picture] = [item["media"] for item in found["details"]["hero"]["inputs"]]
    assert (report / picture).read_bytes() == (project / "lamp.png").read_bytes()
    page = (report / "index.html").read_text()
    assert '<script src="data.js"></script>' in page and "clipform:data" not in page
    assert "assets/main.js" in names(report) and "assets/page.html" not in names(report)


def test_it_opens_from_another_place(project: Path, tmp_path: Path) -> None:
    """Real files with relative addresses: zipped, mailed and unpacked elsewhere it is the same report."""
    run(project)
    moved = tmp_path / "elsewhere"
    shutil.move(project / "report", moved)
    shutil.rmtree(project)
    assert not [path for path in moved.rglob("*") if path.is_symlink()]
    assert probe(moved / str(cards(moved)["old"]["shown"]["video"])).frames == 24  # type: ignore[index]


def test_no_path_of_this_machine_and_no_signature_is_in_it(project: Path) -> None:
    edit(project, "first_frame: lamp.png", f'first_frame: "{project}/lamp.png"')
    address = 'first_frame: "https://user:pw@cdn.example/a.png?X-Signature=5ECRET"'
    edit(project, "old: {", f'old: {{{address}, description: "see https://d.example/?k=5ECRET", ')
    run(project)
    for path in (project / "report").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(project).encode() not in content and b"5ECRET" not in content and b"user:pw" not in content
    inputs = data(project / "report")["details"]
    assert inputs["hero"]["inputs"][0]["text"] == "lamp.png"
    assert inputs["old"]["inputs"][0]["text"] == "https://cdn.example/a.png"


def test_a_picture_that_the_project_may_only_read_is_not_handed_on(project: Path, tmp_path: Path) -> None:
    shutil.move(project / "lamp.png", tmp_path / "lamp.png")
    edit(project, "first_frame: lamp.png", f'first_frame: "{tmp_path}/lamp.png"')
    edit(project, "version: 1\n", f"version: 1\ninputs: {{allow: ['{tmp_path}']}}\n")
    assert run(project) == 0
    hero = data(project / "report")["details"]["hero"]
    assert hero["card"]["state"] == "ready"
    assert (hero["inputs"][0]["text"], hero["inputs"][0]["media"]) == ("lamp.png", None)
    assert not [name for name in names(project / "report") if name.startswith("media/input")]


def test_a_prompt_is_shown_as_it_was_written(project: Path) -> None:
    run(project)
    assert data(project / "report")["details"]["__proto__"]["card"]["prompt"] == "it's </script><b> \\ 雨"


def test_without_videos_the_previews_play(project: Path) -> None:
    run(project, "--no-videos")
    media = cards(project / "report")["hero"]["shown"]
    assert isinstance(media, dict)
    assert media["video"] == media["preview"] and media["seconds"] == 1.0
    assert not [name for name in names(project / "report") if name.endswith(".mp4") and "preview" not in name]


def test_pictures_are_made_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(project / "state" / "cache")
    assert run(project, "--json") == 0
    assert json.loads(capsys.readouterr().out)["pictures_made"] == 10
    report = project / "report"
    before = {
        name: os.stat(report / name).st_mtime_ns for name in names(report) if name.startswith(("media", "assets"))
    }
    capsys.readouterr()
    assert run(project, "--json") == 0
    assert json.loads(capsys.readouterr().out)["pictures_made"] == 0
    assert {name: os.stat(report / name).st_mtime_ns for name in before} == before


def test_another_report_takes_the_pictures_from_the_cache(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(project)
    capsys.readouterr()
    run(project, "--out", "second", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["pictures_made"], found["clips"], found["videos"]) == (0, 4, 5)


def test_a_project_that_nothing_was_made_of_has_cards_without_pictures(project: Path) -> None:
    for folder in ("state", "renders"):
        shutil.rmtree(project / folder)
    (project / "clipform.lock").unlink()
    assert run(project) == 0
    assert {name: (card["state"], card["shown"]) for name, card in cards(project / "report").items()} == {
        "hero": ("new", None),
        "old": ("new", None),
        "same": ("new", None),
        "__proto__": ("new", None),
    }
    assert not (project / "state").exists()


def test_a_fresh_clone_shows_what_the_lock_file_finds_at_the_outputs(project: Path) -> None:
    shutil.rmtree(project / "state")
    assert run(project) == 0
    shown = cards(project / "report")["old"]
    assert shown["state"] == "ready" and shown["cost"] == {"amount": "0", "currency": None}
    assert probe(project / "report" / str(shown["shown"]["video"])).frames == 24  # type: ignore[index]
    assert not (project / "state").exists()


def test_chosen_clips_alone(project: Path) -> None:
    run(project, "hero", "tag:odd")
    assert list(cards(project / "report")) == ["hero", "__proto__"]


def test_drafts_have_a_report_of_their_own(project: Path) -> None:
    assert main(["-C", str(project), "--json", "apply", "--draft", "--yes", "old"]) == 0
    assert run(project, "--draft", "old") == 0
    found = data(project / "report")["document"]
    assert found["draft"] is True and found["cards"][0]["output"] == "drafts/renders/old.mp4"


def test_a_video_that_does_not_decode_has_a_plain_poster(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The object is what it was made as, and no video: as after an import of something odd."""
    odd = b"\0\0\0\x18ftypmp42" + bytes(64)
    sha = hashlib.sha256(odd).hexdigest()
    old = str(data_of(project)["old"]["sha256"])
    with sqlite3.connect(project / "state" / "clipform.db") as base:
        base.execute("PRAGMA foreign_keys = OFF")
        base.execute("UPDATE artifact SET sha256 = ? WHERE sha256 = ?", (sha, old))
        base.execute("UPDATE generation SET sha256 = ? WHERE sha256 = ?", (sha, old))
    base.close()
    target = project / "state" / "objects" / sha[:2] / f"{sha}.mp4"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(odd)
    shutil.rmtree(project / "renders")
    assert run(project) == 0
    shown = cards(project / "report")["old"]["shown"]
    assert isinstance(shown, dict)
    assert shown["preview"] is None and (project / "report" / shown["poster"]).is_file()
    assert "1 without a preview: the video does not decode" in capsys.readouterr().out


def data_of(project: Path) -> dict[str, dict[str, object]]:
    run(project, "--out", "probe")
    return {name: card["shown"] for name, card in cards(project / "probe").items()}  # type: ignore[misc]


def test_a_stored_video_that_was_damaged_is_left_out_and_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sha = str(data_of(project)["old"]["sha256"])
    stored = project / "state" / "objects" / sha[:2] / f"{sha}.mp4"
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:-9] + b"damaged!!")
    assert run(project) == 0
    assert "1 left out: the stored video is damaged" in capsys.readouterr().out
    assert cards(project / "report")["old"]["shown"] is None
    assert not [name for name in names(project / "report") if name == f"media/{sha}.mp4"]


def test_the_spec_must_be_sound(project: Path) -> None:
    edit(project, "prompt: city", "promt: city")
    assert run(project) == 1
    assert not (project / "report").exists()


def test_a_sheet_alone_writes_no_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, "--sheet", "out.png") == 0
    assert capsys.readouterr().out == "Wrote out.png: 4 clips.\n"
    with Image.open(project / "out.png") as picture:
        assert picture.size == (28 * 2 + 2 * 320 - 20, 64 + 28 + 2 * (300 + 54 + 20))
        assert picture.convert("RGB").getpixel((28 + 150, 64 + 20)) > (180, 30, 20)  # type: ignore[operator]  # red
    assert not (project / "report").exists()


def test_a_sheet_and_a_report_at_once(project: Path) -> None:
    assert run(project, "--sheet", "out.jpg", "--out", "report") == 0
    assert (project / "out.jpg").is_file() and (project / "report" / "index.html").is_file()


@pytest.mark.parametrize("name", ["lamp.png", "clipform.yaml", "sheet"])
def test_a_sheet_does_not_take_the_place_of_another_file(name: str, project: Path) -> None:
    before = {path: (project / path).read_bytes() for path in names(project) if not path.startswith("state/cache")}
    assert run(project, "--sheet", name) in (1, 64)
    assert {path: (project / path).read_bytes() for path in before} == before


def test_what_a_saved_plan_would_replace_is_shown_beside_it(project: Path) -> None:
    edit(project, "push-in", "pull-out")
    edit(project, "old: {prompt: mist over mountains}", "new: {prompt: waves}")
    assert main(["-C", str(project), "--json", "plan", "--out", "p.plan"]) == 0
    assert run(project, "--plan", "p.plan") == 0
    found = data(project / "report")
    since = found["document"]["since"]
    assert {word: since[word] for word in ("kind", "label", "same", "changed", "added", "removed")} == {
        "kind": "plan",
        "label": "p.plan",
        "same": 1,
        "changed": 2,
        "added": 1,
        "removed": 1,
    }
    before = found["details"]["hero"]["before"]
    assert before["prompt"] == "a lamp, slow push-in" and before["shown"]["seconds"] == 1.0
    assert ["+", "pull-out"] in before["changes"][0]["words"]
    assert found["details"]["new"]["before"] is None


def test_a_stale_plan_is_refused(project: Path) -> None:
    edit(project, "push-in", "pull-out")
    assert main(["-C", str(project), "--json", "plan", "--out", "p.plan"]) == 0
    edit(project, "pull-out", "tilt")
    assert run(project, "--plan", "p.plan") == 4
    assert not (project / "report").exists()


@pytest.mark.parametrize("more", [["hero"], ["--since", "main"], ["--draft"]])
def test_a_plan_says_itself_what_it_is_about(more: list[str], project: Path) -> None:
    assert run(project, "--plan", "p.plan", *more) == 64
