"""Simulates a project, a vendor and a clock; processes run on them, die and start again."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import ClipformError, Refused
from reconciler.engine.run import apply as apply_module
from reconciler.engine.run.apply import ApplyOptions
from reconciler.engine.run.session import Session, open_session
from reconciler.events import Event, EventKind, Summary
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.providers import registry
from reconciler.providers.base import Dialect, Pace
from reconciler.records import Attempt
from reconciler.spec.project import ProviderConfig
from reconciler.state.store import Store
from tests.reliability.simulator import checker, points
from tests.reliability.simulator.checkouts import CHECKOUT, Checkout, Purchases, stopped
from tests.reliability.simulator.clock import VirtualClock, new_loop
from tests.reliability.simulator.points import Crash, Tripwire
from tests.reliability.simulator.vendor import FakeTransport, Server, create
from tests.state.replay import rebuild

HEAD = """version: 1
providers:
  studio: {kind: fake, timeout: 3m, prices: [{model: "*", per_clip: 0.50}]}
  other: {kind: fake, prices: [{model: "*", per_clip: 0.50}]}
defaults: {provider: studio, duration: 1}
"""

ALL = Choice()

ONE = HEAD + "clips:\n  hero: {prompt: a lamp}\n"


class Here:
    """Runs a worker's functions in this process. Stands for the draft farm too, which these projects do not use."""

    def __init__(self, *_: object) -> None:
        pass

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args)

    async def aclose(self) -> None:
        pass


class Notes:
    """A sink that remembers. `heard` is told of each event; after `last` of them whoever reads has gone."""

    def __init__(self, heard: Callable[[str], object] = lambda name: None, last: int | None = None) -> None:
        self.events: list[Event] = []
        self._heard, self._last = heard, last

    def close(self) -> None:
        """There is no terminal."""

    def emit(self, event: Event) -> None:
        if self._last is not None and len(self.events) >= self._last:
            raise BrokenPipeError("nobody reads")
        self._heard(f"output {event.kind.value}")
        self.events.append(event)

    def kinds(self, clip: str) -> list[EventKind]:
        return [event.kind for event in self.events if event.clip == clip]

    def text(self) -> str:
        return "\n".join(f"{event.clip}: {event.message} {event.help}" for event in self.events)


class Sim:
    """One project with its vendor. Each `apply` is a process of its own: everything is read from disk again."""

    def __init__(self, root: Path, server: Server, patch: pytest.MonkeyPatch) -> None:
        self.root, self.server, self.patch = root, server, patch
        self.checkouts: dict[str, Checkout] = {}  # others of the same project, with the same account
        self.clock = VirtualClock()
        self.wire = Tripwire()
        self.notes = Notes()
        self.transports: list[FakeTransport] = []
        self.servers: dict[str, Server] = {}  # by address, where that is not `server`
        self.allowed: dict[str, set[str]] = {}  # hashes that outputs may have beside what the vendor served
        self.last_output: int | None = None  # how many events are read before the pipe breaks
        self.consents: Counter[object] | None = None  # the user's own, where the log may be lost
        self.deleted: set[str] = set()  # hashes of what gc removed
        self.unmerged = False  # the database was lost, and no run has begun since
        self.foreign: dict[str, str] = {}  # hashes of what the user put at outputs, which nobody may replace
        self.cap: int | None = None  # what may be owed at most, in millionths, if anything bounds it
        root.mkdir()
        patch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "fake": f"{create.__module__}:create"})
        patch.setattr(apply_module, "DraftRenderer", Here)
        patch.setattr(asyncio.events, "new_event_loop", lambda: new_loop(self.clock))
        points.install(patch, lambda: self.wire)

    # --- what a user does -------------------------------------------------------------------

    def write(self, text: str, file: str = "clipform.yaml") -> None:
        """Save a spec."""
        (self.root / file).write_text(text, encoding="utf-8")

    @property
    def workspace(self) -> Workspace:
        """The project as a new process finds it."""
        return Workspace(self.root, self.clock, {})

    def apply(self, choice: Choice = ALL, **asked: Any) -> Summary:
        """`clipform apply --yes` in a new process."""
        self.notes = Notes(self.wire.trace.append, self.last_output)
        with open_session(self.workspace, "apply") as opened:
            return self.apply_in(opened, choice, **asked)

    def apply_in(self, opened: Session, choice: Choice = ALL, **asked: Any) -> Summary:
        """The same in a session that is open."""

        return apply_module.apply(opened, ApplyOptions(choice, **asked), lambda plan: None, self.notes, self.connect)

    def connect(self, config: ProviderConfig, dialect: Dialect, pace: Pace) -> FakeTransport:
        """What reaches the vendor, for one process; an account is a key at an address."""
        where = (config.spec.base_url or dialect.base_url).rstrip("/")
        account = f"{where} {config.credentials.get('api_key')}"
        self.transports.append(FakeTransport(self.servers.get(where, self.server), dialect, self.wire.point, account))
        return self.transports[-1]

    def dies(
        self,
        at: int | None,
        run: Callable[[], object] | None = None,
        fails: Mapping[int, int] | None = None,
        picture: Callable[[Path, Path], None] | None = None,
        pause: tuple[int, Callable[[], object]] | None = None,
    ) -> Tripwire:
        """Run a process that dies at point `at`, if it comes that far. What it leaves is the picture of that instant:
        nothing that Python still does on the way out counts. It may end with an error of ours, never with another.
        `pause`: at this point it is stopped, and goes on when that is done."""
        frozen = self.root.with_name(f"{self.root.name}-frozen")
        shutil.rmtree(frozen, ignore_errors=True)
        held = None if pause is None else (pause[0], lambda: self._while_stopped(pause[1]))
        self.wire = wire = Tripwire(at, lambda: (picture or copy)(self.root, frozen), fails, held)
        try:
            (run or self.apply)()
        except Crash:
            assert wire.dead
        except ClipformError:
            if fails is None:
                raise
        except BrokenPipeError:
            assert self.last_output is not None
        if wire.dead:
            shutil.rmtree(self.root)
            frozen.rename(self.root)
        self.wire = Tripwire()
        return wire

    def _while_stopped(self, happens: Callable[[], object]) -> None:
        wire, notes = self.wire, self.notes
        self.wire = Tripwire()
        with stopped():
            happens()
        self.wire, self.notes = wire, notes

    @contextmanager
    def checkout(self, name: str | None) -> Iterator[None]:
        """Act in another checkout of the project, with a state of its own. None: in this one."""
        if name is None:
            yield
            return
        root, buyer = self.root.with_name(name.replace(" ", "-")), self.server.buyer
        before: Checkout = {field: getattr(self, field) for field in CHECKOUT}
        root.mkdir(exist_ok=True)
        new: Checkout = {"root": root, "consents": Counter(), "deleted": set(), "unmerged": False, "foreign": {}}
        vars(self).update(self.checkouts.get(name, new))
        self.server.buyer = name
        try:
            yield
        finally:
            self.checkouts[name] = {field: getattr(self, field) for field in CHECKOUT}
            vars(self).update(before)
            self.server.buyer = buyer

    def save(self) -> None:
        """Remember everything as it is, for `load`."""
        self._base = self.root.with_name(f"{self.root.name}-base")
        copy(self.root, self._base)
        self._saved = (deepcopy(vars(self.server)), self.clock.time, self.clock.offset)

    def load(self) -> None:
        """Go back to what `save` remembered."""
        shutil.rmtree(self.root)
        copy(self._base, self.root)
        vars(self.server).update(deepcopy(self._saved[0]))
        self.clock.time, self.clock.offset = self._saved[1:]
        self.clock.naps, self.clock.jumps, self.last_output = 0, {}, None
        self.foreign.clear()

    # --- looking ----------------------------------------------------------------------------

    def attempts(self, clip: str | None = None) -> list[Attempt]:
        """The attempts on record, oldest first."""
        store = Store.read(self.root / "state", self.clock.now)
        if store is None:
            return []
        with store:
            keys = {line.payload["key"] for line in store.events() if line.type == "begun"}
            found = [attempt for key in keys for attempt in store.attempts(str(key))]
        return sorted((a for a in found if clip in (None, a.clip)), key=lambda a: a.id)

    def states(self, clip: str | None = None) -> list[str]:
        """Their states."""
        return [attempt.state.value for attempt in self.attempts(clip)]

    def output(self, path: str) -> bytes | None:
        """What is at an output."""
        full = self.root / path
        return full.read_bytes() if full.exists() else None

    # --- judging ----------------------------------------------------------------------------

    def safe(self) -> checker.World:
        """Assert what must hold at every instant."""
        world = checker.World(self.root)
        found = self.judged(world)
        assert not found, found
        return world

    def judged(self, world: checker.World) -> list[str]:
        """What must hold at every instant, and does not."""
        served = {sha for task in self.server.ledger for sha in self.server.sound(task)}
        outputs = {path: served | also for path, also in self._outputs().items()}
        found = checker.safety(world, self._purchases(), outputs, self.consents, unmerged=self.unmerged)
        found += checker.sacred(world, self.foreign)
        if self.cap is not None:
            found += [*checker.within(world, self.cap), *checker.owed(self.server, self.cap)]
        return found

    def _purchases(self) -> Server:
        """What this checkout bought; all that was bought, where there is no other."""
        return Purchases(self.server) if self.checkouts or self.server.buyer else self.server

    def _outputs(self) -> Mapping[str, set[str]]:
        placed = {str(path.relative_to(self.root)) for path in self.root.glob("renders/**/*.mp4")}
        names = placed | self.allowed.keys() | self.foreign.keys()
        return {path: {*self.allowed.get(path, ()), self.foreign.get(path, "")} for path in names}

    def rest(self, limit: int = 6, *, explain: bool = True) -> Summary | None:
        """Run until a run asks nobody and writes nothing, all faults gone; then assert everything (I10 by the way)."""
        self.server.heal()
        self.clock.jumps, self.last_output = {}, None
        for _ in range(limit):
            calls, before = len(self.server.calls), checker.picture(self.root)
            summary = self._calm_run()
            if len(self.server.calls) == calls and checker.picture(self.root) == before:
                break
        else:
            raise AssertionError(f"not at rest after {limit} runs: {summary}")
        found = checker.calm(self.safe(), self._purchases(), self.notes.text(), self.deleted)
        assert not found, found
        if explain:
            self._explained()
        return summary

    def _calm_run(self) -> Summary | None:
        """An apply that the budget may forbid, where there is one."""
        try:
            return self.apply()
        except Refused:
            if self.cap is None:
                raise
            return None

    def _explained(self) -> None:
        with Store.open(self.root / "state", self.clock.now) as store:
            before = _rows(store)
            rebuild(store)
            assert _rows(store) == before, "I20: the log does not give the tables"


def _rows(store: Store) -> list[str]:
    tables = ("attempt", "artifact", "generation", "binding", "placed", "plan", "meta", "ledger")
    return [
        f"{table} {row}" for table in tables for row in sorted(store.sql.connection.execute(f"SELECT * FROM {table}"))
    ]


def copy(source: Path, target: Path) -> None:
    """A picture of a folder. Finished videos are linked, so that their inodes stay as a stat on record has them."""

    def one(old: str, new: str) -> None:
        if old.endswith((".mp4", ".png")):
            os.link(old, new)
        else:
            shutil.copy2(old, new)

    shutil.copytree(source, target, copy_function=one)
