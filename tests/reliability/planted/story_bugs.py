"""Planted bugs of the transport, of look-ups, of money over time, of versions and locks.

Kills at points find the bugs in `bugs`; here each bug has a small story of its own, and the judge must report the
promise that it breaks. The same story without the bug must yield no finding. The patches are in `mistakes`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.diagnostics import ClipformError, StateLocked
from reconciler.engine.connections import one_off
from reconciler.engine.operations import cancel
from reconciler.engine.run.session import open_session
from reconciler.state import lock
from reconciler.state.store import Store
from tests.engine.uncertain.listing import ListingServer, listing_sim
from tests.reliability.planted import mistakes
from tests.reliability.planted.bugs import CHEAP, _lose_database
from tests.reliability.simulator import checker, wired
from tests.reliability.simulator.clock import Deadlock
from tests.reliability.simulator.points import Crash
from tests.reliability.simulator.power import Platter, keeps_inodes
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.stories import PAIR
from tests.reliability.sweeps import fresh
from tests.reliability.wired_sweeps import forms

Plant = Callable[[pytest.MonkeyPatch], None]
Play = Callable[[Plant], Generator[str]]


class CannotPlay(Exception):
    """This machine lacks what a story needs; the text says what."""


def _judged(sim: Sim) -> list[str]:
    return sim.judged(checker.World(sim.root))


def _run(sim: Sim) -> Generator[str]:
    """One process, whatever becomes of it, and the judge."""
    try:
        sim.apply()
    except (ClipformError, Crash):
        pass
    except Deadlock as error:
        yield f"I13: {error}"
    yield from _judged(sim)


def _over_the_wire(phase: str, name: str, *, ever: bool = False) -> Play:
    """One exchange goes wrong, with the real transport."""

    def play(plant: Plant) -> Generator[str]:
        with fresh() as sim, pytest.MonkeyPatch.context() as patch:
            net = wired.wired(sim, patch)
            plant(patch)
            sim.clock.limit = sim.clock.time + 6 * 3600.0
            fault = wired.faults()[phase][name]
            if ever:
                net.always[phase] = fault
            else:
                net.plan(phase, fault, acts=forms(phase, fault)[-1])
            yield from _run(sim)
            yield from (*wired.manners(net), *wired.patient(net))
            net.heal()
            yield from _run(sim)
            yield from wired.manners(net)

    return play


def _well_over_the_wire(plant: Plant) -> Generator[str]:
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        net = wired.wired(sim, patch)
        plant(patch)
        yield from _run(sim)
        yield from wired.manners(net)


def _cancelled_late(plant: Plant) -> Generator[str]:
    """The user cancels a task that was finished meanwhile."""
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        wired.wired(sim, patch)
        plant(patch)
        sim.apply(detach=True)
        for task in sim.server.ledger.values():
            task.polls = 9
        with suppress(ClipformError), open_session(sim.workspace, "cancel") as opened:
            cancel.cancel(opened, "hero", None, one_off.ProviderAccess(sim.workspace.load(), sim.connect))
        sim.apply()
        yield from checker.calm(checker.World(sim.root), sim.server)


def _in_memory(
    spec: str = "", script: Mapping[str, list[str]] | None = None, *, cap: int | None = None,
    between: Callable[[Sim], None] = lambda sim: None, dies: str = "", label: str = "hero",
) -> Play:  # fmt: skip
    """The vendor in memory: a few runs, before which one may have died at a point."""

    def play(plant: Plant) -> Generator[str]:
        with fresh() as sim, pytest.MonkeyPatch.context() as patch:
            sim.write(spec) if spec else None
            sim.cap = cap
            sim.server.plan(label, **(script or {}))
            plant(patch)
            if dies:
                sim.dies(_first(sim, dies), fails={})
            for _ in range(2):
                yield from _run(sim)
                between(sim)

    return play


def _with_a_list(*, lag: float = 0.0, account: bool = False) -> Play:
    """An answer was lost at a vendor with a list, which lags, or is another account's meanwhile."""

    def play(plant: Plant) -> Generator[str]:
        with ExitStack() as stack:
            folder = stack.enter_context(_folder())  # first: what it patches is put back last
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            sim = listing_sim(folder / "project", patch, "seeded")
            assert isinstance(sim.server, ListingServer)
            plant(patch)
            sim.server.lag = lag
            if account:
                sim.dies(_first(sim, "vendor.submit after"), fails={})
                sim.server.account, sim.server.owner["task-1"] = "two", "two"
            else:
                sim.server.plan("hero", submit=["unknown-after"])
            for _ in range(4):
                yield from _run(sim)
                sim.clock.time += 200.0

    return play


def _first(sim: Sim, name: str) -> int:
    """The number of a point, from a run that is taken back."""
    sim.save()
    names = sim.dies(None, fails={}).names
    sim.load()
    return names.index(name) + 1


@contextmanager
def _folder() -> Iterator[Path]:
    with fresh() as sim:
        (sim.root.parent / "listing").mkdir()
        yield sim.root.parent / "listing"


def _lying_disk(plant: Plant) -> Generator[str]:
    """A sync fails, the next one of the file lies, and the power goes."""
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        if not keeps_inodes(sim.root.parent):
            raise CannotPlay("no file system in memory here")
        platter = Platter(patch, sim.root)
        plant(patch)
        sim.save()
        for number in range(1, 60):
            sim.load()
            platter.settle()
            platter.fail_at = number
            sim.dies(None, fails={})
            platter.fail_at = None
            end = len(sim.dies(None, fails={}).names)
            sim.dies(end, picture=platter.cut("strict"))
            yield from _judged(sim)
            if not platter.failed:
                return


def _newer_state(plant: Plant) -> Generator[str]:
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        sim.apply()
        plant(patch)
        database = sim.root / "state/clipform.db"
        with Store.open(sim.root / "state", sim.clock.now) as store:
            store.sql.connection.execute("PRAGMA user_version=99")
        before, refused = database.read_bytes(), False
        sim.write(PAIR)
        try:
            sim.apply()
        except ClipformError:
            refused = True
        yield from checker.honest(before, database.read_bytes(), refused=refused)


def _two_at_once(plant: Plant) -> Generator[str]:
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        plant(patch)
        (sim.root / "state").mkdir()
        with lock.Lock(sim.root / "state", "apply", sim.clock.now):
            told = False
            try:
                sim.apply()
            except StateLocked:
                told = True
            yield from checker.alone(bool(sim.server.calls), told)


def _link_in_the_way(plant: Plant) -> Generator[str]:
    """While the vendor works, the folder of the outputs becomes a link that leads out of the project."""
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        plant(patch)
        elsewhere = sim.root.parent / "elsewhere"
        elsewhere.mkdir()
        before = checker.picture(elsewhere)
        sim.server.at["poll", "hero"] = lambda: _link(sim.root / "renders", elsewhere)
        with suppress(ClipformError):
            sim.apply()
        assert (sim.root / "renders").is_symlink()
        yield from checker.outside(before, checker.picture(elsewhere))


def _link(name: Path, target: Path) -> None:
    if name.is_dir() and not name.is_symlink():
        name.rmdir()
    name.unlink(missing_ok=True)
    name.symlink_to(target)


@dataclass(frozen=True)
class Wrong:
    """A planted bug, the story in which it shows, and the promise that it breaks."""

    plant: Plant
    play: Play
    breaks: str


_CAPPED = CHEAP.replace("  end: {prompt: a door}\n", "")
_STUCK: Mapping[str, list[str]] = {"poll": ["*working"]}

WRONG: Mapping[str, Wrong] = {
    "a step whose result was not recorded is run again": Wrong(
        mistakes.step_again, _in_memory(dies="vendor.submit after"), "I1"
    ),
    "the client follows a redirect": Wrong(mistakes.follow, _over_the_wire("submit", "redirected with its body"), "I7"),
    "the client sends a submit again": Wrong(mistakes.resend, _over_the_wire("submit", "connection reset"), "I1"),
    "credentials to storage": Wrong(mistakes.credentials_to_storage, _well_over_the_wire, "I7"),
    "secrets that a server echoes": Wrong(
        mistakes.unredacted, _over_the_wire("submit", "the credentials come back"), "I7"
    ),
    "a link to a private address": Wrong(
        mistakes.any_address, _over_the_wire("fetch", "to a name that is private"), "I9"
    ),
    "a link to the cloud's metadata": Wrong(
        mistakes.any_address, _over_the_wire("fetch", "to the cloud's metadata"), "I9"
    ),
    "a name that is resolved twice": Wrong(mistakes.by_name, _well_over_the_wire, "I9"),
    "no pause when the provider is busy": Wrong(mistakes.impatient, _over_the_wire("submit", "busy, for 8 s"), "I14"),
    "retries without a budget": Wrong(
        mistakes.no_retry_budget, _over_the_wire("poll", "server error", ever=True), "I14"
    ),
    "DELETE without a fresh poll": Wrong(mistakes.delete_unasked, _cancelled_late, "I3"),
    "a list that is believed at once": Wrong(mistakes.stale_absence, _with_a_list(lag=100.0), "I1"),
    "a list of another account": Wrong(mistakes.any_account, _with_a_list(account=True), "I1"),
    "a stalled task gives its reservation back": Wrong(
        mistakes.released, _in_memory(_CAPPED, _STUCK, cap=1_200_000, between=lambda sim: sim.write(CHEAP)), "I6"
    ),
    "the cap is checked outside of the transaction": Wrong(
        mistakes.checked_outside, _in_memory(CHEAP, cap=1_200_000), "I6"
    ),
    "a marker that is not unique": Wrong(mistakes.same_marker, _in_memory(PAIR, between=_lose_database), "I1"),
    "two clips on one task": Wrong(mistakes.shared_task, _in_memory(PAIR, {"submit": ["twin"]}, label="intro"), "I2"),
    "a failed sync is tried again": Wrong(mistakes.sync_again, _lying_disk, "I5"),
    "a wrong video is not flagged": Wrong(mistakes.unflagged, _in_memory(script={"fetch": ["wrong"]}), "I19"),
    "a table is changed beside the log": Wrong(mistakes.unlogged, _in_memory(), "I20"),
    "a newer state is opened": Wrong(mistakes.any_version, _newer_state, "I18"),
    "two processes at once": Wrong(mistakes.no_lock, _two_at_once, "I11"),
    "an output through a link": Wrong(mistakes.through_links, _link_in_the_way, "I8"),
}


def found(name: str, *, planted: bool = True) -> set[str]:
    """Which promises the judge sees broken; without the bug it must be none. Raises CannotPlay."""
    wrong = WRONG[name]
    plant = wrong.plant if planted else lambda patch: None
    seen: set[str] = set()
    with closing(wrong.play(plant)) as texts:
        for text in texts:
            seen.add(text.partition(":")[0])
            if planted and wrong.breaks in seen:
                break
    return seen
