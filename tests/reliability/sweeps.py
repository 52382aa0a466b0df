"""The sweeps: every single fault, every kill, pairs of them, two clips in every order, random walks by seed.

Each scenario is judged after each process and again once no faults are left. A finding is a line in the tally, with the
seed and the story that led to it.
"""

from __future__ import annotations

import errno
import itertools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reliability.figures import Tally
from tests.reliability.simulator import checker
from tests.reliability.simulator.clock import Deadlock
from tests.reliability.simulator.points import Tripwire, refused
from tests.reliability.simulator.power import MODES, Platter, keeps_inodes
from tests.reliability.simulator.sim import HEAD, ONE, Sim
from tests.reliability.simulator.stories import FAULTS, PAIR, STORIES, Story
from tests.reliability.simulator.vendor import FETCHES, POLLS, SUBMITS, Server
from tests.reliability.simulator.videos import tiny

ASKED = {"uncertain", "vanished", "no_output", "result_expired", "quarantined"}
CAPPED = HEAD + "budget: {currency: USD, total: 1.50}\nclips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
DISK = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)


@contextmanager
def fresh() -> Iterator[Sim]:
    """One clip at a vendor in memory, in a folder in memory where there is one."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="clipform-test-", dir=memory if memory.is_dir() else None)
    try:
        with pytest.MonkeyPatch.context() as patch:
            sim = Sim(Path(folder) / "project", Server(tiny(1), tiny(3)), patch)
            sim.write(ONE)
            yield sim
    finally:
        shutil.rmtree(folder)


@dataclass
class Court:
    """Judges the scenarios of one sweep, and counts."""

    sim: Sim
    tally: Tally
    sweep: str
    also: Callable[[], Iterable[str]] = tuple  # what else is to be judged

    def scenario(self, story: str, play: Callable[[], int], *, explain: bool = False) -> None:
        """Play one: processes that die or fail, then calm. `play` returns how many faults it injected."""
        tally = self.tally
        tally.scenarios[self.sweep] += 1
        before = len(tally.broken)
        try:
            tally.injected += play()
            self.look(story)
            self.sim.rest(explain=explain)
        except Deadlock as error:
            self._note(f"I13: {error}", story)
        except AssertionError as error:
            for finding in error.args[0] if error.args and isinstance(error.args[0], list) else [str(error)]:
                self._note(finding if finding[:1] == "I" else f"I10: {finding}", story)
        except Exception as error:  # noqa: BLE001  # a traceback is what is looked for
            self._note(f"traceback: {type(error).__name__}: {error}", story)
        if len(tally.broken) == before:
            self._survived()

    def look(self, story: str) -> None:
        """Judge this instant."""
        world = checker.World(self.sim.root)
        for finding in (*self.sim.judged(world), *self.also()):
            self._note(finding, story)
        if self.sim.cap is not None:
            owed = sum(task.micros for task in self.sim.server.ledger.values() if task.owed)
            self.tally.overshoot = max(self.tally.overshoot, owed - self.sim.cap)

    def _note(self, finding: str, story: str) -> None:
        self.tally.broken.append(f"{finding} [{self.sweep}: {story}]")

    def _survived(self) -> None:
        rows = checker.World(self.sim.root).rows("attempt")
        bought = {task.marker for task in self.sim.server.ledger.values()}
        asked = any(row["state"] in ASKED for row in rows)
        self.tally.asking += asked
        self.tally.itself += not asked
        self.tally.needless += sum(1 for row in rows if row["state"] == "uncertain" and row["marker"] not in bought)


def single_faults(tally: Tally, stride: int = 1) -> None:
    """(a) Each answer of the vendor, and every `stride`th refusal of the disk, of all that each point has, once."""
    with fresh() as sim:
        court = Court(sim, tally, "a · single fault")
        sim.save()
        for name, (script, _) in FAULTS.items():
            sim.load()
            court.scenario(name, lambda script=script: _scripted(sim, script), explain=True)
        sim.load()
        names = sim.dies(None).names
        tally.points |= set(names)
        refusals = [(k, point, number) for k, point in enumerate(names, 1) for number in _refusals(point)]
        for k, point, number in refusals[::stride]:
            sim.load()
            story = f"{errno.errorcode[number]} at {k}, {point}"
            court.scenario(story, lambda k=k, number=number: sim.dies(None, fails={k: number}).failed)


JUMPS = (-86_400.0, -3600.0, 3600.0, 90_000.0)
"""Of the wall clock, in seconds: set wrongly, set back, or asleep for a day and an hour."""


def clocks_and_pipes(tally: Tally, stride: int = 1) -> None:
    """(a) The wall clock jumps in each sleep, by every `stride`th of all jumps; the reader of the output goes away
    after every `stride`th event."""
    with fresh() as sim:
        court = Court(sim, tally, "a · single fault")
        sim.write(PAIR)
        sim.server.plan("hero", poll=["working"] * 3, fetch=["dead"])
        sim.save()
        sim.dies(None)
        naps, events = sim.clock.naps, len(sim.notes.events)
        for n, seconds in [*itertools.product(range(1, naps + 1), JUMPS)][::stride]:
            sim.load()
            court.scenario(f"the clock jumps {seconds:+.0f} s in sleep {n}", lambda n=n, s=seconds: _jump(sim, n, s))
        for n in range(0, events, stride):
            sim.load()
            court.scenario(f"nobody reads after {n} events", lambda n=n: _unheard(sim, n))


def _jump(sim: Sim, number: int, seconds: float) -> int:
    sim.clock.jumps = {number: seconds}
    sim.dies(None)
    return 1


def _unheard(sim: Sim, number: int) -> int:
    sim.last_output = number
    sim.dies(None)
    sim.last_output = None
    return 1


def _refusals(point: str) -> tuple[int, ...]:
    """How the disk may refuse at a point."""
    if refused(point, errno.EIO) is None:
        return ()
    if point.startswith("commit"):
        return (errno.ENOSPC, errno.EIO, errno.EAGAIN, errno.EROFS)
    return (*DISK, errno.EXDEV) if point.startswith(("rename", "link", "replace")) else DISK


def _scripted(sim: Sim, script: Mapping[str, list[str]]) -> int:
    sim.server.plan("hero", **script)
    sim.apply()
    return sum(len(words) for words in script.values()) or 1


def kills(tally: Tally, name: str, stride: int = 1) -> None:
    """(b) A kill at each point of a story."""
    with _staged(tally, name, "b · kill") as (court, story):
        for k in range(1, 2_000, stride):
            court.sim.load()
            wires: list[Tripwire] = []
            run = story.run(court.sim)

            def play(k: int = k, run: Callable[[], object] = run, wires: list[Tripwire] = wires) -> int:
                died = _died(wires, court.sim.dies(k, run))
                court.look(f"{name}, kill at {k}, at once")
                story.after(court.sim)
                return died

            court.scenario(f"{name}, kill at {k}", play, explain=k % 5 == 0)
            tally.points |= set(wires[-1].names)
            if not wires[-1].dead:
                break


def _died(wires: list[Tripwire], wire: Tripwire) -> int:
    wires.append(wire)
    return int(wire.dead)


@contextmanager
def _staged(tally: Tally, name: str, sweep: str) -> Iterator[tuple[Court, Story]]:
    with fresh() as sim:
        STORIES[name].before(sim)
        sim.save()
        yield Court(sim, tally, sweep), STORIES[name]


def faults_and_kills(tally: Tally, name: str, stride: int = 1) -> None:
    """(c) A fault of the vendor, and a kill at each point besides; the vendor goes on as it was, then is well."""
    script, _ = FAULTS[name]
    with fresh() as sim:
        court = Court(sim, tally, "c · fault and kill")
        sim.server.plan("hero", **script)
        sim.save()
        faults = sum(len(words) for words in script.values())
        for k in range(list(FAULTS).index(name) % stride + 1, 2_000, stride):
            sim.load()
            wires: list[Tripwire] = []

            def play(k: int = k, wires: list[Tripwire] = wires) -> int:
                _died(wires, sim.dies(k))
                court.look(f"{name}, kill at {k}, at once")
                if wires[-1].dead:
                    sim.apply()
                return faults + wires[-1].dead

            court.scenario(f"{name}, kill at {k}", play)
            if not wires[-1].dead:
                break


def kills_in_recovery(tally: Tally, first: int, stride: int = 1) -> None:
    """(d) A kill, and another at each point of the recovery."""
    with fresh() as sim:
        court = Court(sim, tally, "d · kill and kill")
        sim.save()
        for again in range(1 + first % stride, 2_000, stride):
            sim.load()
            wires: list[Tripwire] = []

            def play(again: int = again, wires: list[Tripwire] = wires) -> int:
                dead = sim.dies(first).dead
                return dead + _died(wires, sim.dies(again))

            court.scenario(f"kills at {first} and {again}", play)
            if not wires[-1].dead:
                break


def interleaved(tally: Tally, seeds: range) -> None:
    """(e) Two clips side by side, the ready queue shuffled, and a kill somewhere."""
    with fresh() as sim:
        court = Court(sim, tally, "e · two clips by seed")
        sim.write(PAIR)
        sim.save()
        most = len(sim.dies(None).names)
        for seed in seeds:
            sim.load()
            chance = random.Random(seed)
            sim.clock.order = random.Random(seed)
            k = chance.randrange(1, most + 10)
            court.scenario(f"seed {seed}, kill at {k}", lambda k=k: int(sim.dies(k).dead), explain=seed % 10 == 0)


def walks(tally: Tally, seeds: range) -> None:
    """(f) One to five faults of any sort, by seed, under a cap."""
    with fresh() as sim:
        court = Court(sim, tally, "f · walks by seed")
        sim.write(CAPPED)
        sim.cap = 1_500_000
        sim.save()
        for seed in seeds:
            sim.load()
            court.scenario(f"seed {seed}", lambda seed=seed: _walk(sim, court, seed), explain=seed % 10 == 0)


def _walk(sim: Sim, court: Court, seed: int) -> int:
    chance = random.Random(seed)
    sim.clock.order = random.Random(seed)
    faults = chance.randint(1, 5)
    injected = 0
    while injected < faults:
        fails: dict[int, int] = {}
        at = None
        match chance.choice(("answer", "answer", "disk", "kill", "clock")):
            case "answer":
                _plot(sim, chance)
                injected += 1
            case "disk":
                fails = {chance.randrange(1, 120): chance.choice(DISK)}
            case "kill":
                at = chance.randrange(1, 120)
            case "clock":
                sim.clock.time += chance.choice((-3600.0, 60.0, 90_000.0))
                injected += 1
        wires: list[Tripwire] = []
        _died(wires, sim.dies(at, fails=fails))
        injected += wires[-1].failed + wires[-1].dead
        court.look(f"seed {seed}")
        faults -= not (wires[-1].failed or wires[-1].dead)  # a fault that hit nothing is a step as well
    return injected


def _plot(sim: Sim, chance: random.Random) -> None:
    answers = tuple(word for word in SUBMITS if word != "twin")  # a wrong id and a kill besides cannot be told apart
    words = {"submit": answers, "poll": POLLS, "fetch": FETCHES}
    phase = chance.choice(("submit", "submit", "poll", "fetch"))
    word = chance.choice(words[phase])
    often = "*" if phase != "submit" and chance.random() < 0.3 else ""
    sim.server.plan(chance.choice(("hero", "intro", "")), **{phase: [often + word]})


def power_cuts(tally: Tally, name: str, modes: tuple[str | int, ...] = MODES, stride: int = 1) -> None:
    """A power cut at each point of a story: only durable content, only durable names, or luck by seed."""
    with _staged(tally, name, "g · power cut") as (court, story), pytest.MonkeyPatch.context() as patch:
        sim = court.sim
        if not keeps_inodes(sim.root.parent):
            tally.skipped.append("power cuts: no file system in memory here")
            return
        platter = Platter(patch, sim.root)
        for mode in modes:
            first = mode % stride if isinstance(mode, int) else 0
            for k in range(1 + first, 2_000, stride):
                sim.load()
                wires: list[Tripwire] = []
                run = story.run(sim)
                platter.settle()

                def play(
                    k: int = k,
                    run: Callable[[], object] = run,
                    mode: str | int = mode,
                    wires: list[Tripwire] = wires,
                ) -> int:
                    return _died(wires, sim.dies(k, run, picture=platter.cut(mode)))

                court.scenario(f"{name}, power cut ({mode}) at {k}", play)
                if not wires[-1].dead:
                    break


def lying_syncs(tally: Tally, name: str) -> None:
    """A sync says EIO once and the pages are lost, though every later sync of the file says that all is well; then the
    program runs again, and the power is cut."""
    with _staged(tally, name, "g · power cut") as (court, story), pytest.MonkeyPatch.context() as patch:
        sim = court.sim
        if not keeps_inodes(sim.root.parent):
            tally.skipped.append("syncs that lie: no file system in memory here")
            return
        platter = Platter(patch, sim.root)
        for number in range(1, 200):
            sim.load()
            run = story.run(sim)
            platter.settle()

            def play(run: Callable[[], object] = run, number: int = number) -> int:
                platter.fail_at = number
                sim.dies(None, run, fails={})
                platter.fail_at = None
                court.look(f"{name}, EIO at sync {number}")
                end = len(sim.dies(None, fails={}).names)
                sim.dies(end, picture=platter.cut("strict"))  # the last point of a run that has nothing to do
                return platter.failed + 1

            court.scenario(f"{name}, EIO at sync {number}, then a power cut", play)
            if not platter.failed:
                break
