"""What an edit costs in the clips that follow it: shown before it is bought, in every form of a plan."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.emulator.ledger import shortened
from reconciler.media.frames import extract_frame
from reconciler.project import handed
from reconciler.project.model import Choice
from reconciler.project.seams import Seams
from reconciler.project.workspace import Workspace
from reconciler.views.format import heavy_line
from tests.cli.in_process import clipform
from tests.e2e.kit import Rig
from tests.emulator.process import emulator
from tests.media.cut import numbered

CHAIN = ("a", "b", "c", "d", "e", "f")
PROJECT = """version: 1
providers:
  studio: {kind: ark, api_key: "${env.STUDIO_KEY}", prices: [{model: "*", per_clip: 0.5}]}
budget: {currency: USD}
defaults: {provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5}
clips:
  a: {prompt: shot a}
  b: {prompt: shot b, first_frame: "${clips.a.last_frame}"}
  c: {prompt: shot c, first_frame: "${clips.b.last_frame}"}
  d: {prompt: shot d, first_frame: "${clips.c.last_frame}"}
  e: {prompt: shot e, first_frame: "${clips.d.last_frame}"}
  f: {prompt: shot f, first_frame: "${clips.e.last_frame}"}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain of six clips, each of which has its video."""
    tmp_path = tmp_path_factory.mktemp("made")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    for number, name in enumerate(CHAIN):
        source = numbered.film(tmp_path / f"{number}.mp4", 100 * number, 12, size=(640, 360))
        run = clipform(folder, "import", name, "--file", str(source))
        assert run.returncode == 0, run.stderr
    assert clipform(folder, "apply", "--yes").returncode == 0
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "project", copy_function=shutil.copy2))


def change(project: Path, before: str, after: str) -> None:
    """Edit the project."""
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    assert before in text
    (project / "clipform.yaml").write_text(text.replace(before, after), encoding="utf-8")


def planned(project: Path) -> Mapping[str, object]:
    """Return the plan as programs read it."""
    document: Mapping[str, object] = json.loads(clipform(project, "plan", "--json").stdout)
    return document


def test_an_edit_at_the_head_says_what_follows_it_and_for_how_much(project: Path) -> None:
    assert "cascades" not in planned(project)
    change(project, "shot a", "another a")
    cost = {"amount": "2.50", "currency": "USD", "unpriced": 0}
    assert planned(project)["cascades"] == [{"cause": "a", "clips": list("bcdef"), "cost": cost}]
    line = "a changes; 5 clips follow it: +2.50 USD"
    assert line in clipform(project, "plan").stdout
    assert line in clipform(project, "plan", "--markdown").stdout


def test_a_clip_that_is_edited_itself_is_a_cause_and_does_not_follow(project: Path) -> None:
    change(project, "shot a", "another a")
    change(project, "shot d", "another d")
    cascades = planned(project)["cascades"]
    assert isinstance(cascades, list)
    assert [(each["cause"], each["clips"]) for each in cascades] == [("a", ["b", "c"]), ("d", ["e", "f"])]


def test_a_chain_that_is_longer_than_the_project_likes_is_a_warning(project: Path) -> None:
    change(project, "defaults: {", "defaults: {chain_warning: 6, ")
    assert "long-chain" not in str(planned(project))
    change(project, "chain_warning: 6", "chain_warning: 5")
    shown = clipform(project, "plan").stderr
    assert "f is the last of 6 clips that are made from one another" in shown
    assert "an edit of a buys all of them again" in shown


@pytest.mark.parametrize(("edited", "sentence"), [("a", "5 clips follow it: +2.50 USD"), ("e", "")])
def test_the_question_says_so_if_most_of_the_cost_only_follows(project: Path, edited: str, sentence: str) -> None:
    change(project, f"shot {edited}", f"another {edited}")
    workspace = Workspace(project, SystemClock(), {})
    line = heavy_line(workspace.plan(Choice(), workspace.load()).plan)
    assert sentence in line
    assert bool(line) == bool(sentence)


def bought(project: Path) -> list[str]:
    """Return the clips that the next apply would buy."""
    actions = planned(project)["actions"]
    assert isinstance(actions, list)
    return [step["clip"] for step in actions if step["action"] in ("create", "replace")]


def test_an_edit_before_a_frozen_seam_buys_nothing_behind_it(project: Path) -> None:
    assert clipform(project, "freeze", "f").returncode == 0
    run = clipform(project, "freeze", "c")
    assert run.returncode == 0, run.stderr
    assert "it keeps the frame that was sent. Nothing is bought." in run.stdout + run.stderr
    assert bought(project) == []
    change(project, "shot a", "another a")
    assert bought(project) == ["a", "b"]


def test_a_key_from_the_moving_frame_buys_behind_the_seam(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted mistake: a frozen seam is written, and the key still follows the clip before it."""
    assert clipform(project, "freeze", "c").returncode == 0
    monkeypatch.setattr(Seams, "of", lambda self, clip: {})
    change(project, "shot a", "another a")
    assert bought(project) == list("abcdef")


def test_a_seam_that_is_frozen_before_its_clip_is_made_keeps_its_first_frame(project: Path, tmp_path: Path) -> None:
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    (project / "clipform.yaml").write_text(f'{text}  g: {{prompt: shot g, first_frame: "${{clips.f.last_frame}}"}}\n')
    run = clipform(project, "freeze", "g")
    assert run.returncode == 0
    assert "it keeps the first frame that is sent" in run.stdout + run.stderr
    assert bought(project) == ["g"]
    source = numbered.film(tmp_path / "g.mp4", 900, 12, size=(640, 360))
    assert clipform(project, "import", "g", "--file", str(source)).returncode == 0
    assert clipform(project, "apply", "--yes").returncode == 0
    change(project, "shot a", "another a")
    assert bought(project) == list("abcdef")


def test_a_clip_without_such_a_seam_is_refused(project: Path) -> None:
    for verb, clip, says in (("freeze", "a", "no frame of another clip"), ("thaw", "b", "b is not frozen")):
        run = clipform(project, verb, clip)
        assert (run.returncode, says in run.stderr) == (64, True)


def test_a_seam_that_is_frozen_after_the_edit_keeps_the_frame_that_was_sent(project: Path) -> None:
    before = (project / "clipform.lock").read_text(encoding="utf-8")
    change(project, "shot a", "another a")
    assert "(freeze the seam: clipform freeze b)" in clipform(project, "plan").stdout
    assert clipform(project, "freeze", "b").returncode == 0
    assert bought(project) == ["a"]
    seams = json.loads((project / "clipform.lock").read_text(encoding="utf-8"))["b#1"]["seams"]
    line = json.loads(before)["a#1"]
    assert seams == {"first_frame": {"clip": "a", "key": line["key"], "sha256": line["sha256"]}}


def test_a_seam_that_is_frozen_by_hand_keeps_its_frame_from_the_next_apply_on(project: Path) -> None:
    change(project, '"${clips.b.last_frame}"', "{clip: b, seam: freeze}")
    assert bought(project) == []
    assert clipform(project, "apply", "--yes").returncode == 0
    change(project, "shot a", "another a")
    assert bought(project) == ["a", "b"]


def test_another_clip_at_a_frozen_seam_is_another_frame(project: Path) -> None:
    assert clipform(project, "freeze", "c").returncode == 0
    change(project, "{clip: b, part", "{clip: a, part")
    assert bought(project) == list("cdef")


def test_no_key_changes_when_a_seam_is_frozen(project: Path) -> None:
    def keys() -> dict[str, str]:
        return {step["clip"]: step["key"] for step in planned(project)["actions"]}  # type: ignore[attr-defined]  # JSON

    before = keys()
    assert clipform(project, "freeze", "c").returncode == 0
    assert keys() == before


def test_a_thaw_shows_its_price_and_writes_nothing_without_a_yes(project: Path) -> None:
    assert clipform(project, "freeze", "c").returncode == 0
    change(project, "shot a", "another a")
    frozen = (project / "clipform.yaml").read_text(encoding="utf-8")
    run = clipform(project, "thaw", "c")
    assert run.returncode == 4
    assert "Cost: 2.00 USD" in run.stdout
    assert (project / "clipform.yaml").read_text(encoding="utf-8") == frozen
    assert clipform(project, "thaw", "c", "--yes").returncode == 0
    assert (project / "clipform.yaml").read_text(encoding="utf-8") == PROJECT.replace("shot a", "another a")
    assert bought(project) == list("abcdef")


def test_a_rename_keeps_what_a_frozen_seam_holds_on_to(project: Path) -> None:
    assert clipform(project, "freeze", "c").returncode == 0
    change(project, "shot a", "another a")
    change(project, "  c: ", "  see: ")
    change(project, "clips.c.", "clips.see.")
    assert bought(project) == ["a", "b"]
    change(project, "  b: ", "  bee: ")
    change(project, "clip: b,", "clip: bee,")
    assert bought(project) == ["a", "bee"]


def test_without_the_lock_file_a_frozen_seam_follows_and_the_plan_shows_the_price(project: Path) -> None:
    assert clipform(project, "freeze", "c").returncode == 0
    change(project, "shot a", "another a")
    (project / "clipform.lock").unlink()
    assert bought(project) == list("abcdef")


def first_frames(entry: Mapping[str, Any]) -> list[object]:
    """Return the frames of a request, as the vendor's books have them: long ones by their SHA-256."""
    parts = entry["request"]["content"]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def last_frame(project: Path, sha256: str, folder: Path) -> object:
    """Return the last frame of a stored video, as the vendor's books have it."""
    picture = folder / "frame.png"
    extract_frame(project / "state" / "objects" / sha256[:2] / f"{sha256}.mp4", "last_frame", picture)
    return shortened(f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}")


def test_a_frozen_seam_sends_the_frame_that_was_sent(project: Path, rig: Callable[..., Rig], tmp_path: Path) -> None:
    with emulator("--latency", "0.05", "--no-render", cwd=tmp_path) as vendor:
        fast = f"base_url: {vendor.api}/ark, settings: {{lists_per_second: 0}}, poll_interval: 50ms, "
        change(project, "kind: ark, ", "kind: ark, requests_per_second: 1000, " + fast)
        change(project, "STUDIO_KEY", "ARK_API_KEY")
        studio = rig("ark", project, vendor)
        assert studio.run("freeze", "c").code == 0
        sha256 = json.loads((project / "clipform.lock").read_text())["c#1"]["seams"]["first_frame"]["sha256"]
        change(project, "shot a", "another a")
        run = studio.run("apply", "--yes")
        assert run.code == 0, run.text
        assert len(studio.ledger()) == 2  # a and b
        assert "the seam to b no longer fits: ssim" in studio.run("plan").text
        change(project, "shot c", "another c")
        assert studio.run("gc", "--yes").code == 0
        assert studio.run("apply", "c", "--yes").code == 0
        assert studio.run("thaw", "c", "--yes").code == 0
        assert studio.run("apply", "c", "--yes").code == 0
        *_, frozen, thawed = map(first_frames, studio.ledger())
        assert frozen != thawed
        assert frozen == [last_frame(project, sha256, tmp_path)]
        assert studio.run("freeze", "c").code == 0
        seams = json.loads((project / "clipform.lock").read_text())["c#1"]["seams"]
        change(project, "another a", "a third a")
        assert studio.run("apply", "b", "a", "--yes").code == 0
        assert studio.run("gc", "--yes").code == 0
        last_frame(project, seams["first_frame"]["sha256"], tmp_path)


def test_a_worker_gets_the_key_that_a_frozen_seam_keeps(project: Path) -> None:
    assert clipform(project, "freeze", "c").returncode == 0
    change(project, "shot a", "another a")
    workspace = Workspace(project, SystemClock(), {})
    planned = workspace.plan(Choice(), loaded := workspace.load())
    order = loaded.by_ident["c", 1]
    step = next(step for step in planned.plan.steps if step.ident == ("c", 1))
    circumstances = handed.Circumstances(loaded.project.providers["studio"], "", False, {}, 0)
    copy = handed.read(handed.write(order, step, circumstances))
    assert copy.order.wanted.key == order.wanted.key
    assert set(copy.needs.values()) == {order.seams["first_frame"].key}


def test_a_watermark_of_the_provider_is_said_to_buy_the_clip_again(project: Path) -> None:
    change(project, "f: {prompt", "f: {watermark: yes, prompt")
    assert bought(project) == ["f"]
    shown = clipform(project, "plan").stderr
    assert "the provider's watermark is part of the video, so it buys f again" in shown
    assert "a label of clipform is free" in shown


def test_a_fresh_clone_takes_what_a_seam_keeps_from_the_shared_cache(
    project: Path, rig: Callable[..., Rig], shelf: Path, tmp_path: Path
) -> None:
    with emulator("--latency", "0.05", "--no-render", cwd=tmp_path) as vendor:
        fast = f"base_url: {vendor.api}/ark, settings: {{lists_per_second: 0}}, poll_interval: 50ms, "
        change(project, "kind: ark, ", "kind: ark, requests_per_second: 1000, " + fast)
        change(project, "STUDIO_KEY", "ARK_API_KEY")
        change(project, "budget:", f'cache: {{remote: "file://{shelf}"}}\nbudget:')
        studio = rig("ark", project, vendor)
        assert studio.run("freeze", "c").code == 0
        assert studio.run("apply", "--yes", "--trust").code == 0  # shares what is there
        change(project, "shot a", "another a")
        assert studio.run("apply", "--yes", "--trust").code == 0
        clone = tmp_path / "clone"
        clone.mkdir()
        for name in ("clipform.yaml", "clipform.lock"):
            shutil.copy(project / name, clone / name)
        change(clone, "shot c", "another c")
        sha256 = json.loads((clone / "clipform.lock").read_text())["c#1"]["seams"]["first_frame"]["sha256"]
        studio.folder = clone
        run = studio.run("apply", "c", "--yes", "--trust")
        assert run.code == 0, run.text
        assert first_frames(studio.ledger()[-1]) == [last_frame(clone, sha256, tmp_path)]


def test_a_lost_state_does_not_lose_what_a_seam_keeps(project: Path) -> None:
    assert clipform(project, "freeze", "c").returncode == 0
    change(project, "shot a", "another a")
    shutil.rmtree(project / "state")
    assert bought(project) == ["a", "b"]
