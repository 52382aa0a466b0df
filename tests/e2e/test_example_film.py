"""`examples/film`, in a tenth of its time: planned, drafted, cut, and cut again after one shot was changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import av
import pytest

from tests.cli.in_process import clipform

EXAMPLE = Path(__file__).parents[2] / "examples" / "film"
SMALLER = {
    r"duration: 5": "duration: 1",
    r"(, )?\b(out|in): [\d.]+(?=[,}])": "",
    r"for: \d": "for: 1",
    r"dissolve: [\d.]+": "dissolve: 0.25",
    r"854x480": "214x120",
    r"480x854": "120x214",
    r"storm\+0.5": "storm+0.25",
}
FIRST_SUBTITLES = 2


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example, with shots of a second."""
    folder = tmp_path / "film"
    shutil.copytree(
        EXAMPLE, folder, ignore=shutil.ignore_patterns("state", "renders", "drafts", "out", "clipform.lock")
    )
    text = (folder / "clipform.yaml").read_text(encoding="utf-8")
    for pattern, smaller in SMALLER.items():
        text, count = re.subn(pattern, smaller, text)
        assert count
    (folder / "clipform.yaml").write_text(text, encoding="utf-8")
    for name, count in (("subtitles.srt", FIRST_SUBTITLES), ("short.srt", 1)):
        lines = (folder / name).read_text(encoding="utf-8").split("\n\n")
        (folder / name).write_text("\n\n".join(lines[:count]) + "\n", encoding="utf-8")
    return folder


def actions(project: Path) -> dict[str, str]:
    """Return what a plan of the drafts does."""
    document = json.loads(clipform(project, "plan", "--draft", "--json").stdout)
    return {step["clip"]: step["action"] for step in document["actions"] if step["action"] != "noop"}


def test_the_film_is_drafted_cut_and_cut_again_for_one_shot(project: Path) -> None:
    shots = {"dusk", "letter", "sill", "farewell", "launch", "drift", "storm", "found"}
    assert actions(project) == dict.fromkeys(shots, "create") | dict.fromkeys(("film", "short"), "assemble")
    result = clipform(project, "apply", "--draft", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert actions(project) == {}
    with av.open(str(project / "drafts/out/paper-boat.mp4")) as film:
        video, audio, words = film.streams.video[0], film.streams.audio[0], film.streams.subtitles[0]
        assert (video.frames, video.width, video.height) == (11 * 24 - 3 * 6, 214, 120)
        assert audio.duration and audio.time_base
        assert abs(audio.duration * audio.time_base - video.frames / 24) < 1 / 24
        texts = [bytes(packet)[2:].decode() for packet in film.demux(words) if packet.size > 2]
        assert len(texts) == FIRST_SUBTITLES
    with av.open(str(project / "drafts/out/paper-boat-short.mp4")) as short:
        assert (short.streams.video[0].frames, short.streams.video[0].width) == (4 * 24, 120)
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    (project / "clipform.yaml").write_text(text.replace("slow push-in across", "slow pull-out over"), encoding="utf-8")
    assert actions(project) == {"dusk": "replace", "film": "assemble", "short": "assemble"}
    (project / "clipform.yaml").write_text(text.replace("The tide takes", "The ebb takes"), encoding="utf-8")
    assert actions(project) == dict.fromkeys(("launch", "drift", "storm"), "replace") | dict.fromkeys(
        ("film", "short"), "assemble"
    )
