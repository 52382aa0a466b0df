"""A policy lets nothing buy but a plan that an allowed person has signed: once, as it was signed, while it is fresh."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.project.approved_plan import approved_plan
from tests.e2e.kit import Rig, Run, project
from tests.e2e.shared import MakeRig
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sketch": {"prompt": "a sketch", "provider": "draft", "duration": 1}}
PRICES = {"prices": [{"model": "*", "per_clip": 0.5}]}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's configuration, with a key whose signature counts and one whose does not."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "clipform"
    folder.mkdir(parents=True)
    for name in ("ana", "eve"):
        line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(line, check=True)
    key = (folder / "ana.pub").read_text(encoding="utf-8")
    (folder / "allowed_signers").write_text(f"ana@example.com {key}", encoding="utf-8")
    return folder


@pytest.fixture
def studio(rig: MakeRig, vendor: Emulator, tmp_path: Path, config: Path) -> Rig:
    (config / "policy.yaml").write_text("apply: approved-plans\n", encoding="utf-8")
    return rig("ark", project("ark", tmp_path / "film", vendor, CLIPS, provider=PRICES), vendor)


def saved(studio: Rig, name: str = "p.plan", *clips: str) -> Path:
    assert studio.run("plan", "--out", name, *(clips or ("lamp",))).code == 0
    return studio.folder / name


def sign(config: Path, plan: Path, key: str = "ana", namespace: str = "clipform-plan") -> None:
    line = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(config / key), "-n", namespace]
    Path(f"{plan}.sig").write_bytes(
        subprocess.run(line, input=plan.read_bytes(), capture_output=True, check=True).stdout
    )


def apply(studio: Rig, *words: str) -> Run:
    return studio.run("apply", "--yes", "--trust", *words)


def refused(studio: Rig, *words: str) -> str:
    """The code of an apply that is refused, and buys nothing."""
    before = studio.ledger()
    run = apply(studio, *words)
    assert (run.code, studio.ledger()) == (4, before), run.text
    return str(run.document["error"]["code"])


def test_only_a_signed_plan_buys_and_only_once(studio: Rig, config: Path) -> None:
    assert refused(studio) == refused(studio, "lamp") == "not-approved"
    plan = saved(studio)
    assert refused(studio, "p.plan") == "not-approved"
    sign(config, plan)
    assert approved_plan(plan, str(config / "allowed_signers")).signer == "ana@example.com"
    assert apply(studio, "p.plan").code == 0
    assert len(studio.ledger()) == 1
    assert refused(studio, "p.plan") == "plan-used"


def test_what_is_free_needs_nobody(studio: Rig) -> None:
    assert apply(studio, "sketch").code == 0


@pytest.mark.parametrize(
    "by", [{"key": "eve"}, {"namespace": "file"}, None], ids=["a stranger", "another use", "another plan"]
)
def test_another_signature_counts_for_nothing(studio: Rig, config: Path, by: dict[str, str] | None) -> None:
    plan = saved(studio)
    sign(config, plan, **(by or {}))
    if by is None:
        values = json.loads(plan.read_text(encoding="utf-8"))
        plan.write_text(json.dumps({**values, "id": "another"}), encoding="utf-8")
    assert refused(studio, "p.plan") == "not-approved"


def test_a_signed_plan_that_is_stale_is_refused(studio: Rig, config: Path) -> None:
    sign(config, saved(studio))
    studio.edit("a lamp", "a lantern")
    assert refused(studio, "p.plan") == "stale"


def test_the_project_cannot_relax_the_policy_of_the_machine(
    studio: Rig, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(config / "eve.pub", studio.folder / "eve.pub")
    signers = studio.folder / "signers"
    signers.write_text(f"eve {(config / 'eve.pub').read_text(encoding='utf-8')}", encoding="utf-8")
    studio.edit('"version": 1', '"version": 1, "policy": {"apply": "anything", "signers": "signers"}')
    sign(config, saved(studio), key="eve")
    assert refused(studio, "p.plan") == "not-approved"
    monkeypatch.setenv("CLIPFORM_POLICY", str(config / "nowhere.yaml"))  # named, and not there: it may forbid
    assert apply(studio).code == 1
    (config / "policy.yaml").unlink()
    monkeypatch.delenv("CLIPFORM_POLICY")
    assert apply(studio, "lamp").code == 0  # only now


def test_the_rules_of_the_machine_count_beside_those_of_the_project(studio: Rig, config: Path) -> None:
    (config / "policy.yaml").write_text("# ours\nkinds: [fal]\n", encoding="utf-8")
    studio.edit('"version": 1', '"version": 1, "policy": {"kinds": ["ark"]}')
    run = studio.run("plan")
    assert run.code == 4 and "policy.kinds is fal: lamp asks kind ark" in run.text and "policy.yaml" in run.text
    assert refused(studio) == refused(studio, "lamp") == "policy"
    (config / "policy.yaml").write_text("kinds: [fal, ark]\n", encoding="utf-8")
    assert studio.run("plan").code == 0


def test_a_project_can_have_the_policy_itself(studio: Rig, config: Path) -> None:
    (config / "policy.yaml").unlink()
    studio.edit('"version": 1', '"version": 1, "policy": {"apply": "approved-plans"}')
    assert refused(studio) == "not-approved"
    (config / "allowed_signers").unlink()
    sign(config, saved(studio))
    assert refused(studio, "p.plan") == "no-signers"


def test_who_approves_is_asked_on_a_terminal_and_signs(
    studio: Rig, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from reconciler.cli.app import main

    plan = saved(studio)
    words = ("-C", str(studio.folder), "approve-plan", "p.plan", "--key", str(config / "ana"))
    assert (main(words), Path(f"{plan}.sig").exists()) == (4, False)  # no terminal
    for answer, code in (("y\nno\n", 4), ("yes\n", 0)):
        keyboard = io.StringIO(answer)
        monkeypatch.setattr(keyboard, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", keyboard)
        capsys.readouterr()
        assert main(words) == code
        assert Path(f"{plan}.sig").exists() is (code == 0)
    asked = capsys.readouterr().err
    assert "Approve plan " in asked and ": 1 clip to buy, 0.50? Type 'yes' to continue: " in asked
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert apply(studio, "p.plan").code == 0


def test_a_check_that_is_left_out_is_noticed(studio: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted mistake: the policy is shown, and nobody looks at it."""
    monkeypatch.setattr("reconciler.engine.run.apply.require_approved", lambda *_: None)
    with pytest.raises(AssertionError):
        refused(studio, "lamp")
