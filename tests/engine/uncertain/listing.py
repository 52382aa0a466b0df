"""A vendor in memory that has a list: late, in pages, without what runs, of another account, as it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from reconciler.providers import registry
from reconciler.providers.base import Dialect, Job, Model, PollTrouble, Reply, Request, Working
from reconciler.providers.capabilities import Coverage, Listed, TaskList, TaskPage
from tests.reliability.simulator import sim as sims
from tests.reliability.simulator.sim import HEAD, Sim
from tests.reliability.simulator.vendor import FILM, Fake, FakeTransport, Server, Task
from tests.reliability.simulator.videos import tiny

OLD = HEAD.replace("timeout: 3m", "timeout: 2h") + "clips:\n  old: {prompt: a candle}\n"
BOTH = OLD + "  hero: {prompt: a lamp}\n"
TAKES = OLD + "  hero: {prompt: a lamp, takes: 2}\n"


class ListingServer(Server):
    """`lag`: seconds until a task is listed; `hidden`: what the list never shows; `ahead`: of its clock, which never
    jumps; `dateless`: its answers have no date."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(tiny(1), tiny(3))
        self.now = now
        self.lag, self.ahead, self.dateless = 0.0, 0.0, False
        self.own_seeds = False  # whatever was asked for, and no prompt
        self.own_length = 0  # seconds that each task shows, whatever was asked for
        self.hidden: Callable[[Task], bool] = lambda task: False
        self.born: dict[str, float] = {}
        self.account = "one"
        self.owner: dict[str, str] = {}

    def date(self) -> float | None:
        """Its time, as an answer has it."""
        return None if self.dateless else self.now() + self.ahead

    def _accept(self, body: Mapping[str, object]) -> Task:
        task = super()._accept(body)
        self.born[task.id], self.owner[task.id] = self.now(), self.account
        return task

    def answer_list(self, page: int, size: int) -> TaskPage:
        if ("list", "") in self.at:
            self.at["list", ""]()
        due = (task for task in self.ledger.values() if self.born[task.id] + self.lag <= self.now())
        shown = [task for task in due if self.owner[task.id] == self.account and not self.hidden(task)][::-1]
        rows = tuple(self._row(task) for task in shown[(page - 1) * size : page * size])
        return TaskPage(rows, len(shown))

    def _row(self, task: Task) -> Listed:
        body = task.body
        echo = {"model": FILM.name, "duration": 1, "prompt": str(body["prompt"])}
        if isinstance(body["seed"], int):
            echo = {"model": FILM.name, "duration": 1, "seed": body["seed"]}
        if self.own_seeds:
            echo = {"model": FILM.name, "duration": 1, "seed": 58_944 + len(task.id)}
        if self.own_length:
            echo = {"model": FILM.name, "duration": self.own_length}
        return Listed(task.id, Working(), float(int(self.born[task.id] + self.ahead)), echo)


class Listing(Fake):
    """The dialect. `vouched`: what is said of its list."""

    list_size: ClassVar[int] = 2
    vouched: ClassVar[Coverage | None] = Coverage(120.0, 86_400.0)

    @property
    def coverage(self) -> Coverage | None:
        return self.vouched

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        return Request("GET", f"/tasks?page={page}")

    def read_list(self, reply: Reply) -> TaskPage | PollTrouble:
        raise NotImplementedError  # the transport below has the pages already


class Plain(Listing):
    """A vendor that takes no seed and shows the whole request."""

    models: ClassVar[Sequence[Model]] = (replace(FILM, seed_max=None, reports_seed=False),)

    def submit(self, job: Job) -> Request:
        return super().submit(replace(job, seed=None))


class Own(Plain):
    """A vendor that takes no seed, shows no prompt, and reports seeds of its own."""


class ListingTransport(FakeTransport):
    """The port with its list."""

    submit_silence = 30.0

    def __init__(
        self, server: ListingServer, dialect: Dialect, point: Callable[[str], None], account: str = ""
    ) -> None:
        super().__init__(server, dialect, point)
        self.listing, self.account = server, server.account

    async def tasks(self) -> TaskList | PollTrouble | None:
        assert isinstance(self.dialect, Listing)
        found: list[Listed] = []
        for page in range(1, 99):
            await self._pass("vendor.list before")
            part = self.listing.answer_list(page, self.dialect.list_size)
            await self._pass("vendor.list after")
            found += part.tasks
            if len(found) >= (part.total or 0):
                break
        return TaskList(tuple(found), True, self.listing.date())


def seeded(settings: Mapping[str, object]) -> Listing:
    return Listing()


def own(settings: Mapping[str, object]) -> Own:
    return Own()


def plain(settings: Mapping[str, object]) -> Plain:
    return Plain()


def add_list(sim: Sim, patch: pytest.MonkeyPatch, kind: str, lag: float = 0.0) -> ListingServer:
    """Have the vendor of a project offer a list of its tasks, from the first task on."""
    server = ListingServer(lambda: sim.clock.time)
    server.own_seeds, server.lag = kind == "own", lag
    patch.setattr(sims, "FakeTransport", ListingTransport)
    patch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "fake": f"{__name__}:{kind}"})
    sim.server = server
    return server


def listing_sim(root: Path, patch: pytest.MonkeyPatch, kind: str) -> Sim:
    """A project with one clip made and another one to come."""
    found = Sim(root, Server(tiny(1), tiny(3)), patch)
    add_list(found, patch, kind)
    found.write(OLD)
    assert found.apply().exit_code == 0
    found.clock.time += 3600.0  # it is in the list by now, and proves it alive
    found.write(BOTH)
    return found
