"""What the user changed, or keeps somewhere, is never written over: outputs, specs behind links, any other file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.artifacts import files
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.operations import edit_spec
from reconciler.engine.run.session import open_session, save_plan
from reconciler.engine.run.sweep import sweep
from reconciler.project.model import Choice
from reconciler.state import disk
from tests.reliability.simulator.sim import HEAD, ONE, Sim

TORCH = ONE.replace("a lamp", "a torch")


def _retag(output: Path) -> bytes:
    """Change a file in its place and put its time back, as taggers do."""
    about, content = output.stat(), bytearray(output.read_bytes())
    content[-1] ^= 0xFF
    output.chmod(0o644)
    with output.open("r+b") as file:
        file.write(content)
    os.utime(output, ns=(about.st_atime_ns, about.st_mtime_ns))
    return bytes(content)


@pytest.mark.parametrize("spec", [TORCH, HEAD + "clips: {}\n"], ids=["replace", "remove"])
def test_an_edit_that_keeps_size_and_time_is_neither_replaced_nor_removed(spec: str, sim: Sim) -> None:
    sim.apply()
    mine = _retag(sim.root / "renders/hero.mp4")
    sim.write(spec)
    sim.apply()
    assert sim.output("renders/hero.mp4") == mine


def test_what_is_saved_while_a_new_version_is_copied_stays(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.apply()
    output, real = sim.root / "renders/hero.mp4", files.transfer

    def transfer(source: int, target: int) -> str:
        done = real(source, target)
        output.unlink()
        output.write_bytes(b"graded by hand")
        return done

    sim.write(TORCH)
    monkeypatch.setattr(files, "transfer", transfer)
    assert sim.apply().exit_code == 3
    assert output.read_bytes() == b"graded by hand"


def test_bytes_in_quarantine_stay_when_numbers_begin_again(sim: Sim) -> None:
    sim.server.plan("hero", fetch=["*junk"])
    sim.apply()
    folder = sim.root / "state/quarantine"
    before = {path.read_bytes() for path in folder.iterdir()}
    for name in ("clipform.db", "clipform.db-journal"):
        (sim.root / "state" / name).unlink(missing_ok=True)
    sim.server.plan("hero", fetch=["*short"])
    sim.apply()
    assert before < {path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("inside", [True, False])
def test_a_spec_behind_a_link_is_edited_where_it_is_or_not_at_all(inside: bool, sim: Sim) -> None:
    there = (sim.root if inside else sim.root.parent) / "shared.yaml"
    there.write_text("clips:\n  hero: {prompt: a lamp}\n", encoding="utf-8")
    (sim.root / "clips").mkdir()
    link = sim.root / "clips/hero.yaml"
    link.symlink_to(there)
    sim.write(HEAD + "include: [clips/*.yaml]\n")
    if inside:
        edit_spec.retake(sim.workspace, "hero")
    else:
        with pytest.raises(ClipformError):
            edit_spec.retake(sim.workspace, "hero")
    assert link.is_symlink()
    assert ("retake" in there.read_text(encoding="utf-8")) is inside


def test_a_plan_is_written_over_plans_only(sim: Sim) -> None:
    notes = sim.root / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is not a plan file"):
        save_plan(sim.workspace, Choice(), notes)
    assert notes.read_text(encoding="utf-8") == "mine"
    for _ in range(2):
        save_plan(sim.workspace, Choice(), sim.root / "p.plan")


def test_a_session_of_drafts_sweeps_nothing_of_a_paid_one(sim: Sim) -> None:
    part = sim.root / ".clipform.lock.0123456789abcdef.part"
    part.write_bytes(b"about to be renamed by another process")
    with open_session(sim.workspace, "apply", draft=True) as opened:
        choice = Choice(draft=True)
        planned = sim.workspace.plan(choice, sim.workspace.load(True), opened.store.snapshot())
        sweep(opened, planned)
    assert part.exists()


def test_what_an_approval_left_that_died_is_swept_but_not_while_somebody_approves(sim: Sim) -> None:
    part = sim.root / ".clipform.approvals.0123456789abcdef.part"
    part.write_bytes(b"half")
    with disk.turn(sim.root):
        sim.apply()
        assert part.exists()
    sim.apply()
    assert not part.exists()
