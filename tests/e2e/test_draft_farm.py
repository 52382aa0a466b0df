"""Workers render the drafts of an apply, and whatever becomes of them, the drafts are made."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.clock import SystemClock
from reconciler.cluster.accounts import read_sections
from reconciler.cluster.drafts import DraftCarrier
from reconciler.cluster.place import WorkPlace, open_place
from reconciler.cluster.worker import Worker
from reconciler.diagnostics import StateUnreachable
from reconciler.engine.run.draft_farm import DraftFarm
from reconciler.events import Event
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.project import handed_drafts
from reconciler.project.scan import DiskFiles
from reconciler.providers.base import Request
from reconciler.spec.project import NO_OVERLAY
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.wants import Want, Wants
from tests.cluster.memory_queue import MemoryDispatch
from tests.e2e.kit import Rig
from tests.e2e.shared import MakeRig
from tests.emulator.process import Emulator
from tests.program.start import start

pytestmark = pytest.mark.timeout(100)
SMALL = {"duration": 2, "resolution": "480p"}
CHAIN = {
    "sun": {"prompt": "a sun", "first_frame": "sun.png", **SMALL},
    "orbit": {"prompt": "an orbit", "first_frame": "${clips.sun.last_frame}", **SMALL},
}


@pytest.fixture
def sql(shared_sql: Callable[..., PostgreSQL]) -> PostgreSQL:
    return shared_sql()


Studio = Callable[..., Rig]


@pytest.fixture
def studio(
    rig: MakeRig,
    vendor: Emulator,
    tmp_path: Path,
    shelf: Path,
    database: str,
    sql: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
) -> Studio:
    """Make a project of drafts, without a provider, in a folder of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))

    def make(name: str = "ana", workers: str = "only", clips: Mapping[str, object] = CHAIN) -> Rig:
        folder = tmp_path / name
        folder.mkdir()
        Image.new("RGB", (640, 360), "orange").save(folder / "sun.png")
        state = {"url": database, "schema": sql.schema, "project": "film", "workers": workers}
        sections = {"version": 1, "state": state, "cache": {"remote": f"file://{shelf}"}}
        (folder / "clipform.yaml").write_text(json.dumps({**sections, "clips": clips}))
        return rig("ark", folder, vendor)

    return make


def drafts(of: Rig) -> dict[str, str]:
    """The digest of each draft."""
    files = (of.folder / "drafts").rglob("*.mp4")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_worker_renders_what_apply_hands_over_and_the_bytes_are_those_of_this_machine(
    studio: Studio, sql: PostgreSQL, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through PgQueuer, with a chain and a local input, and without credentials of a vendor."""
    of, alone = studio(), studio("alone", workers="off")
    assert alone.run("apply", "--draft", "--yes").code == 0
    monkeypatch.delenv("ARK_API_KEY")
    (farm := tmp_path / "farm").mkdir()
    document = json.loads((of.folder / "clipform.yaml").read_text())
    (farm / "accounts.yaml").write_text(json.dumps({name: document[name] for name in ("version", "state", "cache")}))
    worker = start(("-C", str(farm), "worker", "--draft", "--accounts", "accounts.yaml"), env=dict(os.environ))
    try:
        while not Wants(sql).served():
            os.sched_yield()
        monkeypatch.setattr(DraftRenderer, "_start", None)  # nothing is rendered here
        applied = of.run("apply", "--draft", "--yes", "--trust")
        assert applied.results == dict.fromkeys(CHAIN, "succeeded"), applied.text
        assert drafts(of) == drafts(alone) and len(drafts(of)) == 2
        bea = studio("bea")
        assert bea.run("apply", "--draft", "--yes", "--trust").code == 0
        assert drafts(bea) == drafts(of)  # taken from there: an order is of a scene, not of who asks
        assert sql.query("SELECT kind, count(*) FROM want GROUP BY kind") == [("done", 2)]
        assert sql.query("SELECT * FROM attempt") == [] and of.ledger() == []
    finally:
        worker.terminate()
        assert worker.wait() == 0


@pytest.mark.parametrize("workers", ["only", "prefer"])
def test_without_a_worker_drafts_are_rendered_here(studio: Studio, sql: PostgreSQL, workers: str) -> None:
    of = studio(workers=workers, clips={"lamp": {"prompt": "a lamp", **SMALL}})
    assert of.run("apply", "--draft", "--yes", "--trust").results == {"lamp": "succeeded"}
    assert sql.query("SELECT * FROM want") == []


class Notes:
    """Keeps the events of a run."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def emit(self, event: Event) -> None:
        self.texts.append(event.message)

    def close(self) -> None:
        pass


class Both:
    """A run that hands over, and a worker with a queue in memory, in one process."""

    def __init__(self, of: Rig, place: WorkPlace, sql: PostgreSQL) -> None:
        self.place, self.queue, self.notes, self.wants = place, MemoryDispatch(), Notes(), Wants(sql)
        self.here = DraftRenderer(of.folder / "scratch", 1)
        self.run = DraftFarm(self.wants, place.shelf, place.session.objects, self.here, SystemClock(), self.notes)
        self.carrier = DraftCarrier(place, self.notes)
        slots = {handed_drafts.renderer(): 0}
        self.worker = Worker(place, self.carrier, slots, self.queue, self.notes, lambda: 0.5, 2)

    def alive(self) -> None:
        self.wants.register("farm", "worker-1@farm", [handed_drafts.renderer()])

    async def submit(self, body: object) -> str:
        reply = await self.run.submit(Request("POST", "/render", body=body))
        assert isinstance(reply.body, dict) and reply.status == 200
        return str(reply.body["id"])

    async def status(self, task: str, body: object) -> dict[str, Any]:
        self.run._looked = float("-inf")
        reply = await self.run.ask(Request("GET", f"/render/{task}", body=body))
        assert isinstance(reply.body, dict)
        return reply.body

    async def end(self, task: str, body: object) -> dict[str, Any]:
        """The last answer about a render, wherever it is made."""
        while (answer := await self.status(task, body))["status"] in ("queued", "running"):
            pass
        return answer

    def orders(self) -> list[tuple[object, ...]]:
        return [*self.wants.sql.query("SELECT kind, holder <> '' FROM want")]


Story = Callable[[Both], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture
def tell(studio: Studio, sql: PostgreSQL) -> Tell:
    """Let a story happen between a run and a worker that was seen a moment ago."""

    def tell(story: Story) -> None:
        of = studio()
        sections = read_sections(DiskFiles(of.folder), NO_OVERLAY)

        async def happen(both: Both) -> None:
            both.alive()
            async with aclosing(both.here), aclosing(both.place.renderer):
                await story(both)

        with open_place(of.folder, sections, SystemClock(), os.environ) as place:
            asyncio.run(happen(Both(of, place, sql)))

    return tell


def scene(**changes: object) -> dict[str, object]:
    """A scene as the dialect sends it."""
    nothing = {"first_frame": None, "last_frame": None, "images": [], "videos": [], "audios": []}
    texts = {"key": "v1:aa", "marker": "m1", "label": "lamp", "mode": "text", "prompt": "a lamp", "family": ""}
    size = {"resolution": "480p", "ratio": "16:9", "duration": 1, "take": 1, "retake": 0, "lead": 0, "seed": None}
    flags = dict.fromkeys(("camera_fixed", "audio", "return_last_frame"), False)
    return {**nothing, **texts, **size, **flags, **changes}


def is_here(both: Both, answer: Mapping[str, Any]) -> bool:
    return Path(str(answer["video"])).parent == both.here._scratch


def test_an_order_that_a_run_left_is_taken_by_the_next_one(tell: Tell) -> None:
    """A run that was killed keeps nothing: its task is asked for with the scene, and the order is found again."""

    async def story(both: Both) -> None:
        task = await both.submit(scene())
        assert (await both.status(task, scene()))["status"] == "queued"
        await both.worker.run(once=True)
        later = DraftFarm(
            both.wants, both.place.shelf, both.place.session.objects, both.here, SystemClock(), both.notes
        )
        both.run = later
        answer = await both.end(task, scene())
        assert answer["status"] == "succeeded" and not is_here(both, answer)
        await both.submit(scene(marker="m2"))  # the take of another colleague
        assert both.orders() == [("done", True)] and not [*both.place.folder.glob("state/scratch/*")]

    tell(story)


def test_a_worker_that_is_lost_costs_time_only(tell: Tell) -> None:
    """It began the draft and died: once it does not count as alive, the draft is rendered here."""

    async def story(both: Both) -> None:
        task = await both.submit(scene())
        both.wants.note(both.wants.ready([handed_drafts.renderer()])[0][0], "", "worker-1@farm")
        assert (await both.status(task, scene()))["status"] == "running"
        both.wants.leave("farm")
        assert is_here(both, await both.end(task, scene()))
        assert both.orders() == [("withdrawn", False)]  # nobody renders it in vain
        both.alive()
        await both.submit(scene(marker="m2"))
        assert both.orders() == [("", False)]  # and it may be asked for again

    tell(story)


def test_a_worker_that_is_stopped_gives_its_draft_back(tell: Tell) -> None:
    async def story(both: Both) -> None:
        await both.submit(scene())
        ((key, _),) = both.wants.ready([handed_drafts.renderer()])
        both.carrier.control.event.set()
        assert await both.carrier.carry_out(key) == 0.0
        assert both.orders() == [("", False)]

    tell(story)


def test_a_database_that_is_gone_keeps_no_draft(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise StateUnreachable("the database does not answer", code="state-unreachable")

    async def story(both: Both) -> None:
        task = await both.submit(scene())
        monkeypatch.setattr(Wants, "handed", gone)
        monkeypatch.setattr(Wants, "hand_over", gone)
        assert is_here(both, await both.end(task, scene()))
        await both.submit(scene(marker="m2", prompt="another"))
        assert both.notes.texts == ["the database does not answer; drafts are rendered here"]

    tell(story)


def test_a_draft_that_is_damaged_in_the_cache_is_not_used(tell: Tell, tmp_path: Path) -> None:
    async def story(both: Both) -> None:
        task = await both.submit(scene())
        await both.worker.run(once=True)
        both.alive()
        (video,) = (file for file in (tmp_path / "shelf" / "drafts").iterdir() if file.suffix != ".txt")
        video.write_bytes(b"another")
        assert is_here(both, await both.end(task, scene()))

    tell(story)


def test_an_order_is_drawn_as_its_key_says_from_inputs_by_content_only(tell: Tell) -> None:
    """Somebody who may write into the database cannot have a file of the worker's machine drawn, nor another scene."""

    def forged(both: Both, **changes: object) -> str:
        key = handed_drafts.order_of(scene()).key
        document = json.dumps(scene(**changes))
        both.wants.hand_over([Want(key, 0, handed_drafts.renderer(), "lamp", 1, (), document)], 0, "null")
        return key

    async def story(both: Both) -> None:
        secret = {"scheme": "file", "value": "/etc/hostname", "sha256": "../../../etc/hostname"}
        for changes in ({"first_frame": secret}, {"prompt": "another"}, {"images": "none"}):
            key = forged(both, **changes)
            assert await both.carrier.carry_out(key) is None
            assert both.orders() == [("failed", True)]
        long = scene(duration=99)
        task = await both.submit(long)
        assert await both.carrier.carry_out(handed_drafts.order_of(long).key) is None
        assert (await both.end(task, long))["error"] == "a draft lasts 1 to 60 seconds, not 99"

    tell(story)
