"""The stories, with every kind of effect, and the faults of the vendor's answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

from reconciler.diagnostics import ClipformError
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, approve, destroy, gc, recover, resolve
from reconciler.engine.run.session import open_session, save_plan
from reconciler.project import saved_plan
from reconciler.project.model import Choice
from reconciler.state.paths import APPROVALS
from tests.reliability.simulator.sim import HEAD, ONE, Sim
from tests.reliability.simulator.videos import tiny

PAIR = HEAD + "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
CHAIN = HEAD + "clips:\n  hero: {prompt: a lamp}\n  next: {prompt: it falls, first_frame: '${clips.hero.last_frame}'}\n"
TAKES = HEAD + "clips:\n  hero: {prompt: a lamp, takes: 2, pick: 2}\n"
TWINS = HEAD + "clips:\n  hero: {prompt: a lamp}\n  copy: {prompt: a lamp}\n"
THREE = HEAD + "clips:\n  a: {prompt: one}\n  b: {prompt: two}\n  c: {prompt: three}\n"
DRAFTED = (
    f"{HEAD}approval: {{required: paid, of: vendor_draft}}\n"
    "clips:\n  hero: {prompt: a lamp, model: drafted, draft: vendor}\n"
)
MOVED = HEAD + "clips:\n  a: {prompt: one, output: films/a.mp4}\n  b: {prompt: two}\n"


@dataclass(frozen=True)
class Story:
    """The preparation of a scenario, and its outputs at the end."""

    before: Callable[[Sim], None]
    outputs: tuple[str, ...]
    run: Callable[[Sim], Callable[[], object]] = lambda sim: sim.apply
    after: Callable[[Sim], object] = lambda sim: None  # what the user does once it died, before all is calm
    ends: frozenset[str] = frozenset({"done", "abandoned"})


def _spec(text: str) -> Callable[[Sim], None]:
    return lambda sim: sim.write(text)


def _replace(sim: Sim) -> None:
    sim.apply()
    sim.write(ONE.replace("a lamp", "a torch"))


def _mixed(sim: Sim) -> None:
    sim.write(THREE)
    sim.apply()
    (sim.root / "renders/b.mp4").unlink()
    sim.write(MOVED)


def _unwanted(sim: Sim) -> None:
    sim.apply(detach=True)
    sim.write(ONE.replace("a lamp", "a torch"))


def _state_lost(sim: Sim) -> None:
    sim.apply()
    for name in ("clipform.db", "clipform.db-journal", "receipts"):
        (sim.root / "state" / name).unlink(missing_ok=True)
    (sim.root / "renders/hero.mp4").unlink()


def _cloned(sim: Sim) -> None:
    """A fresh clone with its renders in git, and an edit: the output is the only copy of what was paid for."""
    sim.apply()
    shutil.rmtree(sim.root / "state")
    sim.write(ONE.replace("a lamp", "a torch"))


def _local_input(sim: Sim) -> None:
    Image.new("RGB", (64, 64)).save(sim.root / "a.png")
    os.utime(sim.root / "a.png", (1_700_000_000, 1_700_000_000))  # old enough for its hash to be remembered
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp, first_frame: a.png}\n")


def _planned(sim: Sim) -> None:
    save_plan(sim.workspace, Choice(), sim.root / "saved.plan")


def _as_planned(sim: Sim) -> Callable[[], object]:
    saved = saved_plan.read(sim.root / "saved.plan")
    return lambda: sim.apply(saved=saved)


def _in_doubt(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    sim.server.heal()


def _paid_again(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        with open_session(sim.workspace, "resolve") as opened:
            resolve.allow_again(opened, resolve.unresolved_attempt(opened, "hero", None))
        sim.apply()

    return run


def _recognised(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        with open_session(sim.workspace, "resolve") as opened:
            remote = one_off.ProviderAccess(sim.workspace.load(), sim.connect)
            adopt_task.adopt_task(opened, resolve.unresolved_attempt(opened, "hero", None), "task-1", remote)
        sim.apply()

    return run


def _outdated(sim: Sim) -> None:
    _replace(sim)
    sim.apply()
    sim.deleted = {sha for task in list(sim.server.ledger)[:1] for sha in sim.server.sound(task)}


def _collecting(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        with open_session(sim.workspace, "gc") as opened:
            gc.delete_objects(opened, gc.unreferenced_objects(opened, opened.store.snapshot()))

    return run


def _destroying(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        with open_session(sim.workspace, "destroy") as opened:
            destroy.destroy(opened, Choice(), lambda plan: None, sim.notes, sim.connect)

    return run


def _damaged(sim: Sim) -> None:
    sim.apply()
    database = sim.root / "state/clipform.db"
    database.write_bytes(b"\0" * 4096 + database.read_bytes()[4096:])
    (sim.root / "renders/hero.mp4").unlink()


def _recovering(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        recover.recover(sim.workspace, lambda: "ffffffff", sim.notes, sim.connect)
        sim.apply()

    return run


def _with_drafts(sim: Sim) -> None:
    sim.server.clip, sim.server.wrong = tiny(1, (854, 480)), tiny(3, (854, 480))
    sim.write(DRAFTED)


def _draft_then_final(sim: Sim) -> Callable[[], object]:
    """Buy the vendor's draft, approve it, and buy the final that is made from its task."""

    def run() -> None:
        sim.apply()
        approve.approve(sim.workspace, ["hero"], None, "")
        sim.apply()

    return run


def approved_again(sim: Sim) -> None:
    """Take the approval back and give it again: meanwhile no final is sent, whatever is on record of it."""
    sent = sim.server.submits("hero")
    assert not sent or (sim.root / APPROVALS).exists(), "a final was sent that nobody had approved"
    approve.disapprove(sim.workspace, ["hero"])
    sim.apply()
    assert sim.server.submits("hero") == sent, "a final was sent whose approval was taken back"
    with suppress(ClipformError):  # there may be nothing to look at, as with a request in doubt
        approve.approve(sim.workspace, ["hero"], None, "")


def _littered(sim: Sim) -> None:
    (sim.root / f".clipform.lock.{'0' * 16}.part").write_bytes(b"half")


STORIES = {
    "one": Story(lambda sim: None, ("renders/hero.mp4",)),
    "chain": Story(_spec(CHAIN), ("renders/hero.mp4", "renders/next.mp4")),
    "replace": Story(_replace, ("renders/hero.mp4",)),
    "mixed": Story(_mixed, ("films/a.mp4", "renders/b.mp4")),
    "takes": Story(_spec(TAKES), ("renders/hero.mp4",)),
    "pair": Story(_spec(PAIR), ("renders/hero.mp4", "renders/intro.mp4")),
    "twins": Story(_spec(TWINS), ("renders/hero.mp4", "renders/copy.mp4")),
    "unwanted": Story(_unwanted, ("renders/hero.mp4",)),
    "state-lost": Story(_state_lost, ("renders/hero.mp4",)),
    "cloned": Story(_cloned, ("renders/hero.mp4",)),
    "local-input": Story(_local_input, ("renders/hero.mp4",)),
    "paid-again": Story(_in_doubt, ("renders/hero.mp4",), _paid_again),
    "recognised": Story(_in_doubt, ("renders/hero.mp4",), _recognised),
    "saved-plan": Story(_planned, ("renders/hero.mp4",), _as_planned),
    "collected": Story(_outdated, ("renders/hero.mp4",), _collecting),
    "destroyed": Story(lambda sim: sim.apply(), ("renders/hero.mp4",), _destroying),
    "damaged": Story(_damaged, ("renders/hero.mp4",), _recovering, lambda sim: _recovering(sim)()),
    "drafted": Story(_with_drafts, ("renders/hero.draft.mp4", "renders/hero.mp4"), _draft_then_final, approved_again),
    "littered": Story(_littered, ("renders/hero.mp4",)),
    "not-a-video": Story(
        lambda sim: sim.server.plan("hero", fetch=["*junk"]),
        (),
        after=lambda sim: [sim.apply(), sim.server.heal()],
        ends=frozenset({"quarantined"}),
    ),
}

FAULTS: dict[str, tuple[dict[str, list[str]], str]] = {
    # what the vendor does · the state that the attempt is in after one run, when nobody dies
    "accepted": ({}, "done"),
    "refused input": ({"submit": ["refuse-input"]}, "refused"),
    "refused by moderation": ({"submit": ["refuse-moderation"]}, "refused"),
    "busy": ({"submit": ["refuse-busy"]}, "done"),
    "credentials": ({"submit": ["refuse-credentials"]}, "refused"),
    "account": ({"submit": ["refuse-account"]}, "refused"),
    "unknown, not accepted": ({"submit": ["unknown-before"]}, "uncertain"),
    "unknown, accepted": ({"submit": ["unknown-after"]}, "uncertain"),
    "no id, not accepted": ({"submit": ["garbled-before"]}, "uncertain"),
    "no id, accepted": ({"submit": ["garbled-after"]}, "uncertain"),
    "502, not accepted": ({"submit": ["error-before"]}, "uncertain"),
    "502, accepted": ({"submit": ["error-after"]}, "uncertain"),
    "redirected, not accepted": ({"submit": ["redirect-before"]}, "uncertain"),
    "redirected, accepted": ({"submit": ["redirect-after"]}, "uncertain"),
    "not sent": ({"submit": ["not-sent"]}, "done"),
    "slow": ({"poll": ["working"] * 5}, "done"),
    "unknown word": ({"poll": ["word", "word"]}, "done"),
    "poll fails": ({"poll": ["trouble", "trouble"]}, "done"),
    "another's reply": ({"poll": ["other-id"]}, "done"),
    "not found at first": ({"poll": ["not-found", "not-found"]}, "done"),
    "not found": ({"poll": ["*not-found"]}, "vanished"),
    "stuck": ({"poll": ["*working"]}, "stalled"),
    "failed, free": ({"poll": ["fail-free"]}, "failed"),
    "failed, billed": ({"poll": ["working", "fail-billed"]}, "failed"),
    "cancelled": ({"poll": ["cancelled"]}, "cancelled"),
    "no link": ({"poll": ["*no-link"]}, "no_output"),
    "dead link once": ({"fetch": ["dead"]}, "done"),
    "dead link": ({"fetch": ["*dead"]}, "result_expired"),
    "fetch fails once": ({"fetch": ["broken"]}, "done"),
    "fetch fails": ({"fetch": ["*broken"]}, "ready"),
    "cut short once": ({"fetch": ["short"]}, "done"),
    "cut short": ({"fetch": ["*short"]}, "quarantined"),
    "not a video": ({"fetch": ["*junk"]}, "quarantined"),
    "another video": ({"fetch": ["*wrong"]}, "done"),
    "done, then no answer": ({"poll": ["done", "*trouble"], "fetch": ["dead"]}, "ready"),
    "done, then not found": ({"poll": ["done", "*not-found"], "fetch": ["dead"]}, "result_expired"),
    "done, then working": ({"poll": ["done", "*working"], "fetch": ["dead"]}, "ready"),
    "done, then failed": ({"poll": ["done", "fail-billed"], "fetch": ["dead"]}, "result_expired"),
}
