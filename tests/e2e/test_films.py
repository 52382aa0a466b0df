"""Films of a project: the frames that they show are those of the picked takes, whatever happens on the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.media.frames import read_frame
from reconciler.project.scan import DiskFiles
from reconciler.spec.names import names
from tests.cli.in_process import clipform
from tests.media.cut import numbered

PROJECT = """
version: 1
clips:
  intro: {prompt: a}
  chase: {prompt: b, takes: 2}
cuts:
  film:
    sequence:
      - {clip: intro, in: 0.5, out: 1}
      - {clip: chase}
    output: out/film.mp4
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose clips have numbered frames."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    for number, name in enumerate(("intro", "chase#1", "chase#2")):
        source = numbered.film(tmp_path / f"{number}.mp4", 100 * number, 24, hertz=440)
        assert clipform(folder, "import", name, "--file", str(source)).returncode == 0
    assert clipform(folder, "apply", "--yes").returncode == 0
    return folder


def change(project: Path, before: str, after: str) -> None:
    """Edit the project."""
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    assert before in text
    (project / "clipform.yaml").write_text(text.replace(before, after), encoding="utf-8")


def planned(project: Path, *words: str) -> dict[str, str]:
    """Return the action of each clip and film that is not up to date."""
    document = json.loads(clipform(project, "plan", "--json", *words).stdout)
    return {step["clip"]: step["action"] for step in document["actions"] if step["action"] != "noop"}


def shown(project: Path) -> list[int]:
    """Return the numbers of the film's frames."""
    return numbered.numbers(project / "out" / "film.mp4")


def test_a_film_shows_the_frames_that_its_pieces_name(project: Path) -> None:
    assert shown(project) == [*range(12, 24), *range(100, 124)]
    assert planned(project) == {}


def test_a_pick_puts_the_film_together_again(project: Path) -> None:
    assert clipform(project, "pick", "chase", "2").returncode == 0
    assert planned(project)["film"] == "assemble"
    assert clipform(project, "apply", "--yes").returncode == 0
    assert shown(project) == [*range(12, 24), *range(200, 224)]


def test_a_pick_that_is_taken_back_renders_nothing(project: Path) -> None:
    first = (project / "out" / "film.mp4").read_bytes()
    for number in ("2", "1"):
        clipform(project, "pick", "chase", number)
        assert clipform(project, "apply", "--yes").returncode == 0
    assert (project / "out" / "film.mp4").read_bytes() == first
    clipform(project, "pick", "chase", "2")
    assert planned(project)["film"] == "restore"


def test_pieces_in_another_order_are_another_film(project: Path) -> None:
    change(
        project,
        "      - {clip: intro, in: 0.5, out: 1}\n      - {clip: chase}\n",
        "      - {clip: chase}\n      - {clip: intro, out: 0.25}\n",
    )
    assert planned(project) == {"film": "assemble"}
    assert clipform(project, "apply", "--yes").returncode == 0
    assert shown(project) == [*range(100, 124), *range(6)]


def test_a_film_that_is_deleted_comes_back_as_it_was(project: Path) -> None:
    first = (project / "out" / "film.mp4").read_bytes()
    (project / "out" / "film.mp4").unlink()
    assert planned(project) == {"film": "restore"}
    clipform(project, "apply", "--yes")
    assert (project / "out" / "film.mp4").read_bytes() == first


def test_a_film_of_the_users_stays(project: Path) -> None:
    (project / "out" / "film.mp4").write_bytes(b"mine")
    change(project, "out: 1}", "out: 0.75}")
    assert planned(project) == {"film": "blocked"}
    clipform(project, "apply", "--yes")
    assert (project / "out" / "film.mp4").read_bytes() == b"mine"


def test_a_film_in_a_film_follows_it(project: Path) -> None:
    change(
        project,
        "cuts:\n",
        "cuts:\n  both: {sequence: [{cut: film, out: 0.25}, {clip: intro, out: 0.25}], output: out/both.mp4}\n",
    )
    assert planned(project) == {"both": "assemble"}
    assert clipform(project, "apply", "--yes").returncode == 0
    assert numbered.numbers(project / "out" / "both.mp4") == [*range(12, 18), *range(6)]
    change(project, "in: 0.5, out: 1}", "in: 0.75, out: 1}")
    assert planned(project) == {"film": "assemble", "both": "assemble"}
    assert clipform(project, "apply", "--yes").returncode == 0
    assert numbered.numbers(project / "out" / "both.mp4") == [*range(18, 24), *range(6)]
    assert planned(project) == {}


def test_a_piece_beyond_the_end_of_its_clip_fails_and_names_it(project: Path) -> None:
    change(project, "out: 1}", "out: 3}")
    result = clipform(project, "apply", "--yes")
    assert result.returncode == 3
    assert "piece 1 is 0.5 s to 3 s of a video that ends at 1 s" in result.stdout + result.stderr
    assert shown(project) == [*range(12, 24), *range(100, 124)]


def test_a_film_that_is_no_longer_declared_is_removed_and_collected(project: Path) -> None:
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    (project / "clipform.yaml").write_text(text.partition("cuts:")[0], encoding="utf-8")
    assert planned(project) == {"film": "remove"}
    clipform(project, "apply", "--yes")
    assert not (project / "out" / "film.mp4").exists()
    before = len(list((project / "state" / "objects").rglob("*.mp4")))
    assert clipform(project, "gc", "--yes").returncode == 0
    assert len(list((project / "state" / "objects").rglob("*.mp4"))) == before - 1
    assert not list((project / "state" / "pieces").rglob("*"))


def test_a_film_alone_is_applied_with_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text(PROJECT + "  other: {sequence: [{clip: intro}]}\n", encoding="utf-8")
    assert planned(tmp_path, "film") == {"intro": "create", "chase": "create", "film": "assemble"}
    assert planned(tmp_path, "film", "--exclude", "chase") == {"intro": "create", "film": "blocked"}


def test_a_film_alone_is_destroyed_without_what_it_shows(project: Path) -> None:
    assert clipform(project, "destroy", "film", "--yes").returncode == 0
    assert not (project / "out" / "film.mp4").exists()
    assert (project / "renders" / "intro.mp4").exists()
    assert planned(project) == {"film": "restore"}


def test_show_says_what_a_film_shows_and_when(project: Path) -> None:
    text = clipform(project, "show", "film").stdout
    assert "00:00.0–00:00.5  intro, 0.5 s to 1 s" in text
    assert "00:00.5–00:01.5  chase#1, 0 s to its end" in text
    pieces = json.loads(clipform(project, "show", "film", "--json").stdout)["takes"][0]["pieces"]
    assert [(piece["clip"], piece["from"], piece["to"]) for piece in pieces] == [
        ("intro", 0.0, 0.5),
        ("chase#1", 0.5, 1.5),
    ]


def test_a_film_in_the_graph_hangs_on_its_clips(project: Path) -> None:
    assert clipform(project, "graph").stdout == "intro\n  └ film\nchase\n  └ film\n"


def test_a_clone_with_the_lock_file_makes_the_same_film(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("clipform.yaml", "clipform.lock", "renders/intro.mp4", "renders/chase.mp4"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes((project / name).read_bytes())
    assert planned(clone) == {"film": "assemble"}
    assert clipform(clone, "apply", "--yes").returncode == 0
    assert (clone / "out" / "film.mp4").read_bytes() == (project / "out" / "film.mp4").read_bytes()
    assert (clone / "clipform.lock").read_text() == (project / "clipform.lock").read_text()


def test_a_dissolve_shows_two_pieces_at_a_time(project: Path) -> None:
    change(project, "{clip: chase}", "{clip: chase, transition: {dissolve: 0.25}}")
    assert clipform(project, "apply", "--yes").returncode == 0
    frames = shown(project)
    assert len(frames) == 12 + 24 - 6
    assert frames[:6] == [*range(12, 18)]
    assert frames[12:] == [*range(106, 124)]
    heard = numbered.samples(project / "out" / "film.mp4")
    loud = [n for n, value in enumerate(heard[1024:58_000], 1024) if abs(value) > 0.02]
    assert max(after - before for before, after in zip(loud, loud[1:], strict=False)) < 60


def test_a_title_is_shown_for_its_time(project: Path) -> None:
    change(project, "      - {clip: chase}", '      - {title: "Chapter two", for: 0.5, transition: {dissolve: 0.125}}')
    assert clipform(project, "apply", "--yes").returncode == 0
    assert len(shown(project)) == 12 + 12 - 3
    last = read_frame(project / "out" / "film.mp4", "last_frame").convert("L")
    assert last.tobytes()[0] < 40
    assert max(last.crop((40, 40, 152, 68)).tobytes()) > 200
    assert "title 'Chapter two', 0 s to 0.5 s" in clipform(project, "show", "film").stdout


def test_a_dissolve_longer_than_half_a_video_fails(project: Path) -> None:
    change(
        project,
        "{clip: chase}",
        "{clip: chase, transition: {dissolve: 0.2}}\n      - {clip: intro, transition: {dissolve: 0.6}}",
    )
    result = clipform(project, "apply", "--yes")
    assert result.returncode == 3
    assert "piece 2 has 24 frames, and dissolves for 14 of them" in result.stdout + result.stderr


def test_locked_makes_the_film_of_the_lock_file_and_no_other(project: Path) -> None:
    for path in (project / "state" / "objects").glob("*/*.mp4"):
        if path.read_bytes() == (project / "out" / "film.mp4").read_bytes():
            path.unlink()
    (project / "out" / "film.mp4").unlink()
    assert planned(project) == {"film": "assemble"}
    assert clipform(project, "apply", "--locked", "--yes").returncode == 0
    change(project, "out: 1}", "out: 0.75}")
    refused = clipform(project, "apply", "--locked", "--yes")
    assert (refused.returncode, shown(project)) == (4, [*range(12, 24), *range(100, 124)])


STEPS: Mapping[str, Callable[[Path], bool]] = {
    "while a piece is made": lambda project: any((project / "state/objects/tmp").glob("piece.*")),
    "after a piece": lambda project: any((project / "state/pieces").glob("*.mp4")),
    "while the film is joined": lambda project: any((project / "state/objects/tmp").glob("film.*")),
    "when the film is stored": lambda project: len(list((project / "state/objects").glob("*/*.mp4"))) > 3,
}


@pytest.mark.parametrize("moment", STEPS)
def test_a_kill_at_any_moment_changes_no_byte_and_leaves_nothing(project: Path, moment: str) -> None:
    change(project, "in: 0.5", "in: 0.25")  # off a key frame, so that pieces are made
    assert clipform(project, "apply", "--yes").returncode == 0
    text, first = (project / "clipform.yaml").read_text(encoding="utf-8"), (project / "out" / "film.mp4").read_bytes()
    (project / "clipform.yaml").write_text(text.partition("cuts:")[0], encoding="utf-8")
    assert clipform(project, "apply", "--yes").returncode == 0
    assert "Deleted 2 pieces that no film shows now" in clipform(project, "gc", "--yes").stdout
    (project / "clipform.yaml").write_text(text, encoding="utf-8")
    program = subprocess.Popen([sys.executable, "-m", "reconciler", "apply", "--yes"], cwd=project)
    while program.poll() is None and not STEPS[moment](project):
        pass
    program.kill()
    assert program.wait() != 0
    assert clipform(project, "apply", "--yes").returncode == 0
    assert (project / "out" / "film.mp4").read_bytes() == first
    assert not list((project / "state" / "objects" / "tmp").iterdir())
    assert len(list((project / "state" / "pieces").glob("*.mp4"))) == 2
    assert planned(project) == {}


def test_garbage_is_collected_without_the_pieces_that_a_film_has(project: Path) -> None:
    for start in ("0.25", "0.125"):  # off a key frame, so that pieces are made
        text = (project / "clipform.yaml").read_text(encoding="utf-8")
        (project / "clipform.yaml").write_text(re.sub("in: [0-9.]+", f"in: {start}", text), encoding="utf-8")
        assert clipform(project, "apply", "--yes").returncode == 0
    assert len(list((project / "state" / "pieces").glob("*.mp4"))) == 3
    assert clipform(project, "gc", "--yes").returncode == 0
    assert len(list((project / "state" / "pieces").glob("*.mp4"))) == 2
    assert (project / "state" / "pieces" / "film.sound").exists()


def test_show_says_which_clip_a_film_plays_at_a_time(project: Path) -> None:
    assert clipform(project, "show", "film", "--at", "00:00.25").stdout == "00:00.2 of film is intro, 0.75 s of it.\n"
    shows = json.loads(clipform(project, "show", "film", "--at", "1", "--json").stdout)
    assert ([piece["clip"] for piece in shows["pieces"]], shows["at"]) == (["chase#1"], 1.0)
    assert "film ends at 00:01.5" in clipform(project, "show", "film", "--at", "0:10").stderr
    assert clipform(project, "show", "film", "--at", "soon").returncode == 64
    assert "--at is for films" in clipform(project, "show", "intro", "--at", "1").stderr


def test_the_name_of_a_film_is_completed(project: Path) -> None:
    assert "film" in {one.name for one in names(DiskFiles(project), "clipform.yaml")}


@pytest.mark.parametrize("words", [("pick", "film", "1"), ("retake", "film"), ("undo", "film")])
def test_a_command_that_needs_a_clip_names_those_of_the_film(project: Path, words: tuple[str, ...]) -> None:
    result = clipform(project, *words)
    assert result.returncode == 64
    assert "film is a film; this needs a clip" in result.stderr and "it shows intro, chase" in result.stderr
