"""Kills a real process with SIGKILL at each named point, runs the program again to its end, then judges.

Each of `STORIES` is run as a user would: preparing commands, the commands that are killed, and the same commands again.
"""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.emulator.process import Emulator
from tests.reliability.figures import Tally
from tests.reliability.processes.launch import Hung, Launcher, Process, launcher, survivors
from tests.reliability.processes.real_project import CLIPS, LISTS, ONE, Box, vendor
from tests.reliability.simulator import checker

MOST = 400
"""Points after which a story must have come to its end."""

APPLY = ("apply", "--yes")


@dataclass(frozen=True)
class Story:
    """What is played. `consents`: purchases that the user asks for beside the first one of a prompt."""

    kind: str
    run: tuple[tuple[str, ...], ...] = (APPLY,)
    clips: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: ONE)
    before: Callable[[Box, Launcher], None] | None = None
    consents: int = 0
    slow: bool = False  # tasks stay in the queue
    lost: bool = False  # the user threw every record away
    once: bool = False  # a person would not give these commands again once they took effect
    after: Callable[[Box], Iterator[str]] | None = None  # what else must have come true


def _bought(box: Box, starter: Launcher) -> None:
    assert box.run(starter, *APPLY).status == 0


def _replace(box: Box, starter: Launcher) -> None:
    _bought(box, starter)
    box.edit("a lamp", "a torch")
    box.prompts.append("a torch")


def _doubt(box: Box, starter: Launcher) -> None:
    """Killed when the answer was there and before it was on record; then an apply that asks, where there is no list."""
    assert box.run(starter, *APPLY, name="vendor.submit after").status == -signal.SIGKILL
    if box.kind not in LISTS:
        assert box.run(starter, *APPLY).status == 3


def _known(box: Box) -> str:
    return str(box.entries()[0]["task"])


def _forgotten(box: Box, starter: Launcher) -> None:
    """Bought, and then everything lost that git does not keep, the lock file too."""
    _bought(box, starter)
    for name in ("state", "renders"):
        shutil.rmtree(box.root / name)
    (box.root / "clipform.lock").unlink()


def _state_lost(box: Box, starter: Launcher) -> None:
    """Bought; the database and the receipts are lost."""
    _bought(box, starter)
    for name in ("clipform.db", "clipform.db-journal", "receipts"):
        (box.root / "state" / name).unlink(missing_ok=True)


def _outdated(box: Box, starter: Launcher) -> None:
    _replace(box, starter)
    _bought(box, starter)


def _queued(box: Box, starter: Launcher) -> None:
    assert box.run(starter, *APPLY, "--detach").status == 0


def _planned(box: Box, starter: Launcher) -> None:
    assert box.run(starter, "plan", "--out", "saved.plan").status == 0


def _cancelled(box: Box) -> Iterator[str]:
    states = [row["state"] for row in checker.World(box.root).rows("attempt")]
    if states != ["cancelled"]:
        yield f"cancel: the attempts are {states}"


CHAIN = {**ONE, "next": {"prompt": "it falls", "first_frame": "${clips.hero.last_frame}"}}

STORIES = {
    "one": Story("uniall"),
    "pair": Story("ark", clips=CLIPS),
    "replace": Story("uniall", before=_replace),
    "chain": Story("ark", clips=CHAIN),
    "first frame": Story("jiekou"),
    "draft": Story("uniall", clips={"hero": {"prompt": "a lamp", "provider": "draft", "duration": 1}}),
    "look-up": Story("ark", before=_doubt),
    "look-up, no seeds": Story("chanjing", before=_doubt),
    "resolve --task": Story("uniall", (("resolve", "hero", "--task", "TASK"), APPLY), before=_doubt),
    "resolve --resubmit": Story(
        "uniall", (("resolve", "hero", "--resubmit", "--yes"), APPLY), before=_doubt, consents=1, once=True
    ),
    "resolve --abandon": Story("uniall", (("resolve", "hero", "--abandon", "--yes"),), before=_doubt),
    "cancel": Story("ark", (("cancel", "hero"),), before=_queued, slow=True, after=_cancelled),
    "import": Story("uniall", (("import", "hero", "--task", "TASK"), APPLY), before=_forgotten, lost=True),
    "recover": Story("ark", (("recover",), APPLY), before=_state_lost),
    "gc": Story("uniall", (("gc", "--yes"),), before=_outdated),
    "retake": Story("uniall", (("retake", "hero"), APPLY), before=_bought, consents=1, once=True),
    "saved plan": Story("uniall", (("apply", "saved.plan"),), before=_planned, once=True),
    "destroy": Story("uniall", (("destroy", "--yes"),), before=_bought),
}


class Stage:
    """A starter of processes and vendors, for as many scenarios as are wanted."""

    def __init__(self, folder: Path, starter: Launcher, stack: ExitStack) -> None:
        self.folder, self.starter, self._stack = folder, starter, stack
        self._numbers = itertools.count(1)
        self._vendors: dict[float, Emulator] = {}

    def boxes(self, story: Story, *, anew: bool = False) -> Callable[[], Box]:
        """A fresh box for each scenario. What was done before is done once, but where the vendor's list is looked at:
        there it would show what other scenarios bought. `anew`: the caller does what comes before, each time."""
        if anew:
            return lambda: self._new(story)
        if story.before is not None and story.kind not in LISTS:
            box = self._new(story)
            story.before(box, self.starter)
            box.save()
            return lambda: _loaded(box)

        def fresh() -> Box:
            box = self._new(story)
            if story.before is not None:
                story.before(box, self.starter)
            return box

        return fresh

    def _new(self, story: Story) -> Box:
        number = next(self._numbers)
        running = self.vendor(3600.0 if story.slow else 0.05)
        return Box(self.folder / f"box-{number}", running, story.kind, number, story.clips)

    def vendor(self, latency: float) -> Emulator:
        """An emulator whose tasks take so long."""
        if latency not in self._vendors:
            self._vendors[latency] = self._stack.enter_context(vendor(self.folder / f"{latency}", latency=latency))
        return self._vendors[latency]


def _loaded(box: Box) -> Box:
    box.load()
    return box


@contextmanager
def stage() -> Iterator[Stage]:
    """In a folder on a real disk."""
    with tempfile.TemporaryDirectory(prefix="clipform-test-") as name, ExitStack() as stack:
        yield Stage(Path(name), stack.enter_context(launcher()), stack)


def kills(tally: Tally, name: str, first: int = 1, stride: int = 1) -> None:
    """A kill at point `first`, `first + stride`, … until a run comes through."""
    with stage() as played:
        play(tally, played, name, first, stride)


def play(tally: Tally, played: Stage, name: str, first: int = 1, stride: int = 1) -> None:
    """The same on a stage that is open."""
    fresh = played.boxes(STORIES[name])
    for k in range(first, MOST, stride):
        if not Scene(tally, fresh(), played.starter, STORIES[name], f"{name}, SIGKILL at {k}").play(k):
            return
    tally.broken.append(f"harness: {name} did not come to its end within {MOST} points")


def kills_in_recovery(tally: Tally, name: str, seed: int, stride: int = 1) -> None:
    """A kill at a point drawn by the seed, and another at each depth of the recovery, or at each `stride`-th."""
    with stage() as played:
        play_recovery(tally, played, name, seed, stride)


def play_recovery(tally: Tally, played: Stage, name: str, seed: int, stride: int = 1) -> None:
    """The same on a stage that is open."""
    chance, fresh = random.Random(seed), played.boxes(STORIES[name])
    first = chance.randrange(20, 110)
    for k in range(chance.randrange(1, stride + 1), MOST, stride):
        title = f"{name}, SIGKILL at {first}, then at {k}"
        if not Scene(tally, fresh(), played.starter, STORIES[name], title).play(first, k):
            return


class Scene:
    """One scenario: kills, then calm, then the judge."""

    def __init__(self, tally: Tally, box: Box, starter: Launcher, story: Story, title: str) -> None:
        self.tally, self.box, self.starter, self.story, self.title = tally, box, starter, story, title
        self.found: list[str] = []
        self.at = ""
        self.given = False  # whether the commands were given, to their end or not

    def play(self, *points: int) -> bool:
        """Whether every kill hit: false when the commands came to their end before the last of them."""
        self.tally.scenarios["r1 · SIGKILL at each point"] += 1
        hit = True
        try:
            for k in points:
                hit = self._killed(k)
                self.given = True
                found = self.box.at_once(self.story.consents)
                # What the user threw away is on record again once it is adopted.
                self.found += [text for text in found if not (self.story.lost and text.startswith("I2"))]
            self._rest()
        except Hung as error:
            self.found.append(f"I13: {error}")
        self.tally.broken += [f"{text} [r1 · {self.title}, {self.at}]" for text in dict.fromkeys(self.found)]
        if not self.found:
            asked = self.box.in_doubt()
            self.tally.asking += bool(asked)
            self.tally.itself += not asked
            bought = len(self.box.entries())
            self.tally.needless += max(0, len(asked) + len(self.box.outputs()) - bought) if asked else 0
            if asked and self.story.kind in LISTS and bought > len(self.box.outputs()):
                self.tally.broken.append(f"asked about {asked}, which the vendor lists [r1 · {self.title}, {self.at}]")
        self.tally.scanned += sum(path.is_file() for path in self.box.folder.rglob("*"))
        return hit

    def _killed(self, k: int) -> bool:
        """Play the commands and kill whichever passes point `k`, counted through all of them."""
        for command in self._left():
            process = self.box.run(self.starter, *command, at=k)
            self.tally.points |= set(process.points)
            if process.status == -signal.SIGKILL:
                self.tally.kills += 1
                self.tally.injected += 1
                self.at = process.points[-1]
                if left := survivors(process.pid):
                    self.found.append(f"orphans: {left} outlived their parent")
                return True
            k -= len(process.points)
        return False

    def _commands(self) -> Sequence[Sequence[str]]:
        task = _known(self.box) if any("TASK" in command for command in self.story.run) else ""
        return [[word.replace("TASK", task) for word in command] for command in self.story.run]

    def _left(self) -> Sequence[Sequence[str]]:
        """The commands that a person gives now: not once more what is given once and took effect."""
        return (APPLY,) if self.given and self.story.once and self._took_effect() else self._commands()

    def _rest(self) -> None:
        """Undisturbed: the commands once more, as far as they have something to do, and apply until nothing is done."""
        for command in self._left():
            self._calm(self.box.run(self.starter, *command))
        if self.story.slow:
            self.box.cancelled |= {e["task"] for e in self.box.entries()}
        else:
            last = self._until_quiet()
            asked = self.box.in_doubt()
            if not asked and last.status != 0 and self._abandons():
                self.found.append(f"I10: the last run ended with {last.status}: {last.said()[-300:]}")
            waiting = {name for name, clip in self.story.clips.items() for a in asked if f"clips.{a}." in str(clip)}
            missing = set(self.story.clips) - set(self.box.outputs()) - set(asked) - waiting
            if missing and self._abandons():
                self.found.append(f"I3: {missing} are neither made nor asked about")
        self.found += self.box.at_once(self.story.consents)
        gone = self._deleted()
        self.found += self.box.at_rest(gone)
        if self.story.after is not None:
            self.found += self.story.after(self.box)

    def _until_quiet(self) -> Process:
        """Apply until a run does nothing: the first, or the second one (I10)."""
        for _ in range(2):
            before, bought = checker.picture(self.box.root), len(self.box.entries())
            last = self.box.run(self.starter, *APPLY)
            self._calm(last)
            written = not self.box.in_doubt() and checker.picture(self.box.root) != before
            if len(self.box.entries()) == bought and not written:
                return last
        self.found.append("I10: one more run did something")
        return last

    def _abandons(self) -> bool:
        return not any("--abandon" in command for command in self.story.run)

    def _deleted(self) -> set[str]:
        """What gc was asked to delete."""
        if not any("gc" in command for command in self.story.run):
            return set()
        return {self.box.served(entry["task"]) for entry in self.box.entries()[:1]}

    def _took_effect(self) -> bool:
        """Whether a command that a person gives once has done its work: then an apply is all that is left to do."""
        if ("retake", "hero") in self.story.run:
            return "retake" in (self.box.root / "clipform.yaml").read_text(encoding="utf-8")
        if any("--resubmit" in command for command in self.story.run):
            return not self.box.in_doubt() or len(self.box.entries()) > 1
        return True

    def _calm(self, process: Process) -> None:
        if process.status is not None and process.status < 0:
            self.found.append(f"an undisturbed run died of signal {-process.status}")
