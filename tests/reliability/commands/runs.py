"""Steps: every command that writes, to its end, or killed, or on a bad disk, or stopped in its midst."""

from __future__ import annotations

import errno
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.diagnostics import StateError, StateLocked
from reconciler.engine.operations import destroy as destroy_module
from reconciler.engine.operations import gc as gc_module
from reconciler.engine.operations import verify as care
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from reconciler.state.lock import Lock
from tests.reliability.commands.base import NAMES, maybe, points
from tests.reliability.commands.world import World
from tests.reliability.simulator import checker

PAUSES = (0.0, 700.0, 2 * 86_400.0)
"""Seconds for which a process is stopped."""


class Runs(World):
    """The commands."""

    @rule()
    def apply(self) -> None:
        """To the end."""
        self.run()

    @rule()
    def apply_detached(self) -> None:
        """Submit, and leave the tasks at the vendor."""
        self.run(lambda: self.sim.apply(detach=True))

    @rule(at=points)
    def apply_killed(self, at: int) -> None:
        """A process that dies on the way."""
        self.run(at=at)

    @rule(at=points, number=st.sampled_from((errno.ENOSPC, errno.EIO)))
    def apply_on_a_bad_disk(self, at: int, number: int) -> None:
        """A disk that refuses once."""
        self.run(fails={at: number})

    @rule(at=points, seconds=st.sampled_from(PAUSES), second=st.sampled_from(("", "apply", "checkout")))
    def apply_stopped(self, at: int, seconds: float, second: str) -> None:
        """SIGSTOP, much later SIGCONT (F98); meanwhile another process on the same state, or another checkout's."""

        def meanwhile() -> None:
            self.sim.clock.time += seconds
            if second == "apply":
                self.run()  # refused, but where the first one has no lock yet
            elif second:
                self.second_checkout_applies(None)

        self.run(pause=(at, meanwhile))

    @rule()
    def second_apply(self) -> None:
        """While another process holds the state: nothing is sent, nothing is written."""
        (self.sim.root / "state").mkdir(exist_ok=True)
        with Lock(self.sim.root / "state", "apply", self.sim.clock.now):
            calls, before = len(self.sim.server.calls), checker.picture(self.sim.root)
            try:
                self.sim.apply()
            except StateLocked:
                pass
            else:
                raise AssertionError("I11: two processes wrote")
            assert (calls, before) == (len(self.sim.server.calls), checker.picture(self.sim.root)), "I11: it acted"

    @rule(at=maybe)
    def gc(self, at: int | None) -> None:
        """What nobody holds is deleted; an older state would name it, so there is none to go back to."""

        def collect() -> None:
            with open_session(self.sim.workspace, "gc") as opened:
                items = gc_module.unreferenced_objects(opened, opened.store.snapshot())
                self.sim.deleted |= {item.sha256 for item in items}
                gc_module.delete_objects(opened, items)

        self.run(collect, at)
        self.old = None

    @rule(at=maybe, name=st.sampled_from((*NAMES, None)))
    def destroy(self, at: int | None, name: str | None) -> None:
        """The outputs of one clip, or of all, go; the artifacts stay in the store."""
        chosen = Choice() if name is None else Choice(clips=(name,))

        def remove() -> None:
            with open_session(self.sim.workspace, "destroy") as opened:
                destroy_module.destroy(opened, chosen, lambda plan: None, self.sim.notes, self.sim.connect)

        self.run(remove, at)

    @rule(at=maybe)
    def recover(self, at: int | None) -> None:
        """The database is rebuilt."""
        self.run(self.rebuild, at)

    @rule()
    def verify(self) -> None:
        """Everything is read again; nothing is written, and what is in the store is sound."""
        before = checker.picture(self.sim.root)
        with suppress(StateError):  # there is none, or it is damaged, or a dead writer left half a transaction
            damaged = [item for item in care.verify(self.sim.workspace, draft=False) if item.detail == "damaged"]
            assert not damaged, damaged
            assert checker.picture(self.sim.root).keys() == before.keys(), "I10: verify wrote"
