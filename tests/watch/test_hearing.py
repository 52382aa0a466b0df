"""Which saves are heard, by the real command: outside the project, behind links, in folders that come later, many."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from PIL import Image

from tests.watch.terminal import Talk, on_pipes

SPEC = """\
version: 1
include: [later/*.yaml]
inputs: {allow: [../brand, ../mounted]}
providers: {studio: {kind: ark, api_key: "${env.NO_KEY}", prices: [{model: "*", per_clip: 0.50}]}}
defaults: {provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, resolution: 480p, ratio: 16:9}
clips:
  hero: {prompt: a lamp, first_frame: INPUT}
"""


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    picture(tmp_path / "brand/lamp.png", "red")
    return folder


def picture(path: Path, colour: str) -> None:
    """Saved as editors do: a new file takes the place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    Image.new("RGB", (640, 360), colour).save(fresh, format="PNG")
    os.replace(fresh, path)


def name(folder: Path, path: str) -> None:
    (folder / "clipform.yaml").write_text(SPEC.replace("INPUT", path), encoding="utf-8")


def plan(talk: Talk) -> dict[str, str]:
    """The plan that is said next: keys by clip."""
    while "actions" not in (line := talk.event()):
        pass
    return {item["clip"]: item["key"] for item in line["actions"]}


def end(talk: Talk) -> None:
    talk.child.send_signal(signal.SIGTERM)
    assert talk.end() == 130


@pytest.mark.parametrize("way", ["path", "link to the file", "link to its folder"])
def test_an_input_outside_the_project_is_heard(film: Path, way: str) -> None:
    lamp = film.parent / "brand/lamp.png"
    (film / "lamp.png").symlink_to(lamp)
    (film / "brand").symlink_to("../brand")
    paths = {"path": "../brand/lamp.png", "link to the file": "lamp.png", "link to its folder": "brand/lamp.png"}
    name(film, paths[way])
    with on_pipes(film, "--trust") as talk:
        red = plan(talk)
        picture(lamp, "blue")
        blue = plan(talk)
        lamp.unlink()
        talk.until(r"does not exist[^\n]*")
        picture(lamp, "red")
        assert plan(talk) == red
        os.rename(film.parent / "brand", film.parent / "brand-old")
        talk.until(r"does not exist[^\n]*")
        picture(lamp, "green")  # its folder is made anew
        assert plan(talk) not in (red, blue)
        picture(film.parent / "brand/other.png", "red")  # nobody's
        picture(lamp, "blue")
        assert plan(talk) == blue
        end(talk)


def test_a_folder_that_is_mounted_later_and_a_link_that_turns_are_heard(film: Path) -> None:
    name(film, "../mounted/today/lamp.png")
    for day in ("monday", "tuesday"):
        picture(film.parent / f"brand/{day}/lamp.png", "red" if day == "monday" else "blue")
    with on_pipes(film, "--trust") as talk:
        talk.until(r"does not exist[^\n]*")
        (film.parent / "mounted").mkdir()
        (film.parent / "mounted/today").symlink_to("../brand/monday")
        monday = plan(talk)
        (film.parent / "mounted/tomorrow").symlink_to("../brand/tuesday")
        os.replace(film.parent / "mounted/tomorrow", film.parent / "mounted/today")
        assert plan(talk) != monday
        picture(film.parent / "brand/tuesday/lamp.png", "red")
        assert plan(talk) == monday
        end(talk)


def test_consent_that_is_given_while_it_watches_is_heard_and_what_it_allows_is_listened_to(film: Path) -> None:
    name(film, "../brand/lamp.png")
    spec = (film / "clipform.yaml").read_text(encoding="utf-8")
    (film / "clipform.yaml").write_text(spec.replace("../brand,", ""), encoding="utf-8")
    with on_pipes(film, "--trust") as talk:
        talk.until(r"is outside the project[^\n]*")
        (film / "clipform.yaml").write_text(spec, encoding="utf-8")
        red = plan(talk)
        picture(film.parent / "brand/lamp.png", "blue")
        assert plan(talk) != red
        end(talk)


def test_a_glob_whose_folder_comes_later_and_hundreds_of_files_at_once_are_heard(film: Path) -> None:
    """As `git checkout` does it: a folder appears, fills, changes and goes. What is there half-way may be shown too."""
    name(film, "../brand/lamp.png")
    with on_pipes(film, "--trust") as talk:
        alone = plan(talk)
        seen = set()
        for prompt in ("mist", "fog"):
            (film / "later").mkdir(exist_ok=True)
            for number in range(300):
                text = f"clips: {{c{number}: {{prompt: {prompt}, seed: {number}}}}}"
                (film / f"later/{number}.yaml").write_text(text, encoding="utf-8")
            while len(found := plan(talk)) < 301 or found["c299"] in seen:
                pass
            seen.add(found["c299"])
        shutil.rmtree(film / "later")
        while plan(talk) != alone:
            pass
        end(talk)
