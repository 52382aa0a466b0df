"""Steps of the world: clocks, the vendor's moods, a state that is lost or restored, another checkout of the project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.reliability.commands.base import Machine, maybe, names
from tests.reliability.simulator.vendor import FETCHES, POLLS, SUBMITS

SLEEPS = (60.0, 3600.0, 90_000.0, 8 * 86_400.0)
SETTINGS = (-8 * 86_400.0, -90_000.0, -3600.0, 700.0, 3600.0, 90_000.0, 8 * 86_400.0)
"""Seconds by which the clock of this computer is set."""
SECOND = "second checkout"


class World(Machine):
    """What happens to a project beside its commands."""

    # --- time -------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from(SLEEPS))
    def time_passes(self, seconds: float) -> None:
        """For the vendor, too: a laptop sleeps."""
        self.sim.clock.time += seconds

    @rule(seconds=st.sampled_from(SETTINGS))
    def clock_is_set(self, seconds: float) -> None:
        """Only the clock of this computer, between two commands (F93)."""
        self.sim.clock.offset += seconds

    # --- the vendor -------------------------------------------------------------------------

    @rule(name=names, phase=st.sampled_from(("submit", "poll", "fetch")), data=st.data())
    def vendor_turns_faulty(self, name: str, phase: str, data: st.DataObject) -> None:
        """One or two odd answers."""
        answers = {"submit": [w for w in SUBMITS if w != "twin"], "poll": POLLS, "fetch": FETCHES}[phase]
        drawn = data.draw(st.lists(st.sampled_from(answers), min_size=1, max_size=2))
        self.sim.server.plan(name, **{phase: drawn})  # type: ignore[arg-type]
        self.tally.injected += len(drawn)

    @rule()
    def vendor_is_well(self) -> None:
        """From now on."""
        self.sim.server.heal()

    # --- the state --------------------------------------------------------------------------

    @rule()
    def remember_state(self) -> None:
        """A backup of the database."""
        path = self.sim.root / "state/clipform.db"
        self.old = path.read_bytes() if path.exists() else None

    @precondition(lambda self: self.old is not None)
    @rule()
    def restore_state(self) -> None:
        """The backup is put back: it knows nothing of what came after."""
        assert self.old is not None
        (self.sim.root / "state/clipform.db-journal").unlink(missing_ok=True)
        (self.sim.root / "state/clipform.db").write_bytes(self.old)
        self.sim.unmerged = True

    @rule()
    def lose_state(self) -> None:
        """The database is gone, the receipts are not."""
        for name in ("clipform.db", "clipform.db-journal"):
            (self.sim.root / "state" / name).unlink(missing_ok=True)
        self.sim.unmerged = True

    @rule()
    def damage_state(self) -> None:
        """A page of the database is lost."""
        path = self.sim.root / "state/clipform.db"
        if path.exists():
            (self.sim.root / "state/clipform.db-journal").unlink(missing_ok=True)
            path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
            self.old, self.sim.unmerged = None, True

    # --- another checkout -------------------------------------------------------------------

    @rule(at=maybe)
    def second_checkout_applies(self, at: int | None) -> None:
        """Somebody else pulls the project, with its lock file, and applies it with the same account."""
        source = self.sim.root
        with self.sim.checkout(SECOND):
            for name in ("clipform.yaml", "clipform.lock"):
                if (source / name).exists():
                    shutil.copyfile(source / name, self.sim.root / name)
            self.run(at=at)
            self.sim.safe()

    @precondition(lambda self: SECOND in self.sim.checkouts)
    @rule()
    def pull_from_the_second_checkout(self) -> None:
        """Git merges its lock file: takes that only it has are in ours now."""
        with self.sim.checkout(SECOND):
            theirs = _lock(self.sim.root)
        if theirs:
            lock = {**theirs, **_lock(self.sim.root)}
            (self.sim.root / "clipform.lock").write_text(json.dumps(lock, indent=0), encoding="utf-8")


def _lock(root: Path) -> dict[str, object]:
    file = root / "clipform.lock"
    lines: dict[str, object] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return lines
