"""The machine without its steps: one project, a process that may die or be stopped at a point, and the judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from reconciler.engine.operations import recover
from tests.engine.uncertain.listing import add_list
from tests.reliability.figures import Tally
from tests.reliability.simulator import checker
from tests.reliability.simulator.points import Tripwire
from tests.reliability.simulator.sim import HEAD
from tests.reliability.sweeps import fresh

SWEEP = "h · commands at random"
NAMES = ("a", "b", "c")
names = st.sampled_from(NAMES)
points = st.integers(1, 140)
maybe = st.one_of(st.none(), points)
LISTS = (None, ("seeded", 0.0), ("seeded", 100.0), ("plain", 0.0), ("plain", 100.0))
"""The vendor's list: there is none; it shows drawn seeds, or prompts; and after how many seconds it shows a task."""
MONTH = 30 * 86_400.0


class Machine(RuleBasedStateMachine):
    """One project, from its first clip until all is calm."""

    tally = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.sim = self.stack.enter_context(fresh())
        self.sim.consents = Counter()
        self.clips: dict[str, tuple[str, int]] = {"a": ("a lamp", 0)}
        self.takes: dict[str, int] = {}  # the take that is picked, of clips that have two
        self.markers = count(1)
        self.old: bytes | None = None
        self.save()

    @initialize(vendor=st.sampled_from(LISTS))
    def begin(self, vendor: tuple[str, float] | None) -> None:
        """Choose the vendor, and count."""
        self.tally.scenarios[SWEEP] += 1
        if vendor is not None:
            add_list(self.sim, self.sim.patch, *vendor)

    def save(self) -> None:
        """Write the project file."""
        picked = {name: f", takes: 2, pick: {number}" for name, number in self.takes.items()}
        clips = (
            f"  {name}: {{prompt: {prompt}, retake: {take}{picked.get(name, '')}}}\n"
            for name, (prompt, take) in self.clips.items()
        )
        self.sim.write(HEAD + "clips:\n" + "".join(clips))

    def run(
        self,
        command: Callable[[], object] | None = None,
        at: int | None = None,
        fails: dict[int, int] | None = None,
        pause: tuple[int, Callable[[], object]] | None = None,
    ) -> Tripwire:
        """A process: `apply`, or another command. It may die at a point, meet a bad disk, or be stopped for a while."""
        self.sim.clock.limit = self.sim.clock.time + MONTH
        wire = self.sim.dies(at, command, fails=fails or {}, pause=pause)
        self.tally.injected += wire.dead + wire.failed + wire.paused
        self.sim.unmerged = self.sim.unmerged and "store.merge after" not in wire.names
        return wire

    def rebuild(self) -> None:
        """`recover`: all that the receipts, the lock file, the store and the outputs know."""
        recover.recover(self.sim.workspace, lambda: f"recovered-{next(self.markers)}", self.sim.notes, self.sim.connect)

    @invariant()
    def nothing_is_broken(self) -> None:
        """After every command."""
        self.sim.safe()

    def teardown(self) -> None:
        """Calm: all that was bought is in the store, or somebody was asked; and nothing is left to do."""
        try:
            for checkout in (None, *self.sim.checkouts):
                with self.sim.checkout(checkout):
                    self._calm()
            asking = any(row["state"] == "uncertain" for row in checker.World(self.sim.root).rows("attempt"))
            self.tally.asking += asking
            self.tally.itself += not asking
        finally:
            self.stack.close()

    def _calm(self) -> None:
        self.sim.clock.limit = self.sim.clock.time + 3 * MONTH
        if checker.World(self.sim.root).damaged:
            self.rebuild()
        self.sim.rest(limit=8)
