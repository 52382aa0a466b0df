"""Each example of a vendor, applied with the program as it is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
import yaml

from reconciler.media.mp4 import read_mp4
from tests.e2e.conftest import Account
from tests.e2e.kit import EXAMPLES, KINDS, VARIABLES, Rig, ask, example, traces
from tests.emulator.process import Emulator, emulator
from tests.facts.kit import RATIOS, golden

EXPECTED: dict[str, dict[str, list[Any]]] = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text())

LENGTH = {"chanjing": "video_duration"}
"""The field of a request that says the seconds, where it is not `duration`."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_ledger_of_an_example_is_its_plan_and_a_second_apply_adds_nothing(
    kind: str, vendor: Emulator, rig: Callable[[str, Path, Emulator], Rig], secret: str, tmp_path: Path
) -> None:
    expected = EXPECTED[kind]
    project = rig(kind, example(kind, tmp_path / kind, vendor), vendor)

    planned = project.run("plan")
    assert planned.code == 0
    assert {_take(action): action["model"] for action in planned.document["actions"]} == {
        take: model for take, (model, *_) in expected.items()
    }
    assert all(action["action"] == "create" for action in planned.document["actions"])
    assert project.ledger() == [], "a plan buys nothing"

    applied = project.run("apply", "--yes")
    assert applied.code == 0, applied.text
    bought = project.ledger()
    length = LENGTH.get(kind, "duration")
    assert Counter((entry["model"], _seconds(entry["request"][length])) for entry in bought) == Counter(
        (model, seconds) for model, seconds, *_ in expected.values()
    )
    assert len({entry["task"] for entry in bought}) == len(expected)
    _check_outputs(project.folder, planned.document["actions"], expected)

    again = project.run("plan", "--detailed-exitcode")
    assert again.code == 0
    assert again.document["summary"]["noop"] == len(expected)
    assert project.run("apply", "--yes").code == 0
    assert project.ledger() == bought

    assert ask(vendor, "/ledger/leaks")["leaks"] == []
    assert traces(secret, project.folder, project.said) == []


def test_the_console_script_makes_a_drawn_clip_by_the_commands_of_the_readme(
    account: Account, secret: str, tmp_path: Path
) -> None:
    """The emulator draws here, and nothing is sped up but the time that a task takes."""
    account("jiekou")
    program = Path(sys.executable).with_name("clipform")
    with emulator("--latency", "0", cwd=tmp_path) as drawing:
        folder = tmp_path / "rehearsal"
        folder.mkdir()
        text = (EXAMPLES / "jiekou" / "clipform.yaml").read_text(encoding="utf-8")
        text = text.replace("# base_url:", "base_url:").replace("http://127.0.0.1:8790", drawing.api)
        (folder / "clipform.yaml").write_text(text.replace("base_url:", "poll_interval: 50ms\n    base_url:"), "utf-8")
        (folder / "assets").mkdir()
        (folder / "assets" / "lamp.jpg").write_bytes((EXAMPLES / "jiekou" / "assets" / "lamp.jpg").read_bytes())
        command = [str(program), "-C", str(folder), "apply", "--yes", "tier[resolution=480p]"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=100, cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        assert ask(drawing, "/ledger")["count"] == 1
    frames, size = _decoded(folder / "renders" / "tier-480p.mp4")
    assert (frames, size) == (5 * 24, (640, 640))
    assert traces(secret, folder, [done.stdout.decode(), done.stderr.decode()]) == []


def test_the_readme_names_every_example_and_every_variable() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    assert folders == sorted((*KINDS, "http"))  # that one is tried in test_http_kind
    told = set(re.findall(r"([A-Z][A-Z_]+)=rehearsal", readme))
    assert told == {name for names in VARIABLES.values() for name in names}
    for kind in KINDS:
        assert f"({kind}/clipform.yaml)" in readme
        declared = set(re.findall(r"\$\{env\.(\w+)\}", (EXAMPLES / kind / "clipform.yaml").read_text(encoding="utf-8")))
        assert declared == set(VARIABLES[kind])


def _seconds(sent: object) -> int:
    """Return a length as a request has it: fal's models want 5, "5" or "5s"."""
    return int(str(sent).removesuffix("s"))


def _take(action: dict[str, Any]) -> str:
    return action["clip"] if action["take"] == 1 else f"{action['clip']}#{action['take']}"


def _check_outputs(folder: Path, actions: list[dict[str, Any]], expected: dict[str, list[Any]]) -> None:
    """Every output is a sound video of the length, size and ratio that were asked for."""
    for action in actions:
        if action["output"] is None:
            continue
        _, seconds, resolution, ratio = expected[_take(action)]
        with (folder / action["output"]).open("rb") as file:
            facts = read_mp4(file)
        assert facts.duration_ms == seconds * 1000, action["output"]
        assert f"{facts.width}x{facts.height}" == _size(action["model"], resolution, ratio), action["output"]


def _size(model: str, resolution: str, ratio: str) -> str:
    """The owner's size of a picture: resellers of 1.0 name it lite, all others sell 2.0."""
    line = "doubao-seedance-1-0-pro-250528" if "lite" in model else "doubao-seedance-2-0-260128"
    [row] = [row for row in golden("pixels") if line in row["models"] and row["resolution"] == resolution]
    return str(row["sizes"].split()[RATIOS.index(ratio)])


def _decoded(path: Path) -> tuple[int, tuple[int, int]]:
    """Every frame of a video, decoded by a library that knows nothing of ours."""
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        return sum(1 for _ in video.decode(stream)), (stream.width, stream.height)
