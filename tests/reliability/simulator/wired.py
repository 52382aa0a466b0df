"""The program's own HTTP transport in the simulator: every exchange is answered here, as `wire.yaml` says.

`HttpTransport` is the real one, with its rate limiter, retries, classification of answers and link checks; only the
sockets are replaced. The network records every request with its time, address and headers, so that the judge sees
requests that are too early, too many or forbidden (I7, I9, I14).
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import yaml

from reconciler.providers import registry
from reconciler.providers.base import (
    Accepted,
    Cancelled,
    Dialect,
    NotFound,
    NotSent,
    Pace,
    PollAnswer,
    PollTrouble,
    Reply,
    Request,
    SubmitAnswer,
    Unknown,
    Working,
)
from reconciler.providers.capabilities import CancelRefused
from reconciler.providers.replies import task_id
from reconciler.spec.project import ProviderConfig
from reconciler.transport import channel, fetch
from reconciler.transport.account import Account
from reconciler.transport.channel import Waits
from reconciler.transport.client import HttpTransport
from reconciler.transport.exchange import ExchangeFailed, OutgoingRequest, Timeouts
from reconciler.transport.fetch import Bounds
from reconciler.transport.ports import Environment
from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import Fake

BASE = "https://api.fake.example"
FILES = "https://files.fake.example"
SECRET = "canary/Zq+wire=%7E"
PUBLIC = "93.184.216.34"
PRIVATE = "10.1.2.3"
SIZE = 1 << 20
"""The largest download that is taken here: the endless one must not fill the memory of a test."""

_BOMB = zlib.compressobj(wbits=31)
BODIES: Mapping[str, bytes] = {
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "deep": b'{"id": ' * 20_000 + b"1" + b"}" * 20_000,
    "digits": b'{"id": ' + b"9" * 5000 + b"}",
    "long": b'{"id": "' + b"x" * 10_000 + b'"}',
    "bytes": b'{"id": "\xff\xfe"}',
    "bomb": _BOMB.compress(bytes(12 << 20)) + _BOMB.flush(),
}

Fault = Mapping[str, Any]


def faults() -> Mapping[str, Mapping[str, Fault]]:
    """`wire.yaml`: by phase and name."""
    found: Mapping[str, Mapping[str, Fault]] = yaml.safe_load(
        Path(__file__).with_name("wire.yaml").read_text(encoding="utf-8")
    )
    return found


@dataclass(frozen=True)
class Seen:
    """A request as it went out, and what a busy answer to it asked for."""

    time: float
    phase: str
    url: str = field(repr=False)
    address: str
    headers: Mapping[str, str] = field(repr=False)
    wait: float | None = None


class Wired(Fake):
    """The vendor's dialect, spoken over HTTP with a key."""

    base_url: ClassVar[str] = BASE
    credentials: ClassVar[tuple[tuple[str, ...], ...]] = (("api_key",),)
    reserved: ClassVar[frozenset[str]] = frozenset()

    def auth_headers(self, credentials: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return (("Authorization", f"Bearer {credentials['api_key']}"),)

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        body = reply.body if isinstance(reply.body, dict) else {}
        if "id" in body:
            ident = task_id(body["id"])
            return Accepted(ident) if ident else Unknown("the id is none")
        return super().read_submit(reply)

    def cancel(self, task: str) -> Request:
        return Request("DELETE", f"/tasks/{task}")

    def read_cancel(self, reply: Reply) -> Cancelled | CancelRefused | NotFound | PollTrouble:
        return Cancelled("by the user") if reply.status == 200 else CancelRefused("it is running")

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        found = super().read_poll(task, reply)
        return replace(found, queued=True) if isinstance(found, Working) else found


def create(settings: Mapping[str, object]) -> Wired:
    """Return the dialect; the registry calls this."""
    return Wired()


class Net:
    """The network of one simulation. `plans` says what the next exchanges of a phase meet: (fault, the server acts)."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.plans: dict[str, deque[tuple[Fault, bool]]] = defaultdict(deque)
        self.always: dict[str, Fault] = {}
        self.seen: list[Seen] = []
        self.looks = 0
        self.names: dict[str, Sequence[str]] = {}
        self.lookups: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """A public address, unless the name is one that leads inside."""
        self.lookups.append(host)
        return self.names.get(host, (PRIVATE,) if host.startswith("inside.") else (PUBLIC,))

    def plan(self, phase: str, fault: Fault, *, acts: bool = True) -> None:
        """What the next exchange of a phase meets; as often as the fault says."""
        self.plans[phase].extend([(fault, acts)] * int(fault.get("often", 1)))

    def heal(self) -> None:
        """Remove all faults."""
        self.plans.clear()
        self.always.clear()

    def _next(self, phase: str) -> tuple[Fault, bool]:
        if self.plans[phase]:
            return self.plans[phase].popleft()
        fault = self.always.get(phase, {})
        return fault, bool(fault.get("acts", True))

    # --- one exchange -----------------------------------------------------------------------

    @asynccontextmanager
    async def open(self, call: OutgoingRequest, patience: Timeouts) -> AsyncIterator[Incoming]:
        """Replace `Connections.open`."""
        phase = self._phase(call)
        fault, acts = self._next(phase)
        point = self.sim.wire.point
        wait = fault.get("wait") if "answer" in fault else None
        headers = {name.lower(): value for name, value in call.headers}
        self.seen.append(Seen(self.sim.clock.monotonic(), phase, call.url, call.address, headers, wait))
        point(f"vendor.{phase} before")
        await asyncio.sleep(0)
        await self._break(fault, patience, acts=acts, call=call, phase=phase)
        own = self._act(call, phase) if acts or "own" in fault.get("answer", {}) else None
        point(f"vendor.{phase} after")
        await asyncio.sleep(0)
        incoming = self._answer(fault, own, call)
        yield incoming

    async def _break(self, fault: Fault, patience: Timeouts, *, acts: bool, call: OutgoingRequest, phase: str) -> None:
        how = fault.get("broken")
        if how is None:
            return
        if acts and how != "never":
            self._act(call, phase)
        if how == "slow":
            await self.sim.clock.sleep(patience.idle)
        self.sim.wire.point(f"vendor.{phase} after")
        raise ExchangeFailed(f"planned: {how}", sent=how != "never", slow=how == "slow")

    def _phase(self, call: OutgoingRequest) -> str:
        if call.url.startswith(f"{BASE}/"):
            return {"POST": "submit", "DELETE": "cancel"}.get(call.method, "poll")
        return "fetch"

    def _act(self, call: OutgoingRequest, phase: str) -> Reply:
        """The vendor acts."""
        path = call.url.removeprefix(BASE)
        if phase == "submit":
            answer = self.sim.server.answer_submit(Request("POST", path, body=json.loads(call.content)))
            assert not isinstance(answer, NotSent | Unknown)
            return answer
        if phase == "cancel":
            return self.sim.server.answer_delete(Request("DELETE", path))
        if phase == "poll":
            found = self.sim.server.answer_poll(Request("GET", path))
            assert isinstance(found, Reply)
            return found
        return Reply(200, None)

    def _answer(self, fault: Fault, own: Reply | None, call: OutgoingRequest) -> Incoming:
        planned = dict(fault.get("answer", {}))
        task = urlsplit(call.url).path.rpartition("/")[2]
        headers = {name: value.replace("{task}", task) for name, value in planned.get("headers", {}).items()}
        if self._phase(call) == "fetch":
            return self._media(fault, planned, headers, task)
        if "own" in planned or not planned:
            assert own is not None
            body = {**(own.body if isinstance(own.body, dict) else {}), **planned.get("own", {})}
            if isinstance(body.get("video"), str):
                body["video"] = body["video"].replace("https://files.fake.invalid", FILES)
            return Incoming(planned.get("status", own.status), headers, [json.dumps(body).encode()])
        name = str(planned.get("body", '{"error": "planned"}')).replace("{secret}", SECRET)
        if name == "endless":
            return Incoming(planned["status"], headers, _endless())
        parts: list[bytes | Exception] = [BODIES.get(name, name.encode("utf-8", "surrogatepass"))]
        if name == "broken":
            parts = [b'{"id": "task', ExchangeFailed("cut off", sent=True)]
        return Incoming(planned["status"], headers, parts)

    def _media(self, fault: Fault, planned: Mapping[str, Any], headers: dict[str, str], task: str) -> Incoming:
        if planned and "media" not in fault:
            return Incoming(planned["status"], headers, [b"<html>no</html>"])
        if task not in self.sim.server.ledger:
            return Incoming(404, headers, [])
        whole = self.sim.server.answer_fetch(f"{FILES}/{task}")
        kind = fault.get("media", "whole")
        if fault.get("length"):
            headers["content-length"] = str(len(whole))
        return Incoming(planned.get("status", 200), headers, MEDIA[kind](whole), self.sim, slow=kind == "slow")


class Incoming:
    """An answer, as `transport.exchange.Incoming` gives it."""

    def __init__(
        self, status: int, headers: Mapping[str, str], parts: Any, sim: Sim | None = None, *, slow: bool = False
    ) -> None:
        self.status, self.headers = status, headers
        self._parts, self._sim, self._slow = parts, sim, slow

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body; half of a download is a point of its own."""
        for number, part in enumerate(self._parts):
            if isinstance(part, Exception):
                raise part
            if self._slow and self._sim is not None:
                await self._sim.clock.sleep(20.0)
            if number == 1 and self._sim is not None:
                self._sim.wire.point("vendor.fetch half")
            yield part


def _endless() -> Iterator[bytes]:
    for _ in range(1 << 14):
        yield bytes(1 << 20)


def _boxes(*boxes: tuple[bytes, bytes]) -> bytes:
    return b"".join((8 + len(content)).to_bytes(4, "big") + kind + content for kind, content in boxes)


_FTYP = (b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
MEDIA: Mapping[str, Callable[[bytes], Any]] = {
    "whole": lambda whole: [whole[: len(whole) // 2], whole[len(whole) // 2 :]],
    "half": lambda whole: [whole[: len(whole) // 2]],
    "short": lambda whole: [whole[: len(whole) // 2]],
    "broken": lambda whole: [whole[: len(whole) // 2], ExchangeFailed("cut off", sent=True)],
    "longer": lambda whole: [whole, b"more"],
    "page": lambda whole: [BODIES["html"]],
    "json": lambda whole: [b'{"error": "no such key"}'],
    "empty": lambda whole: [],
    "endless": lambda whole: _endless(),
    "slow": lambda whole: [whole[at : at + 1] for at in range(len(whole))],
    "playlist": lambda whole: [b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"],
    "no-moov": lambda whole: [_boxes(_FTYP, (b"mdat", bytes(100)))],
    "long-box": lambda whole: [_boxes(_FTYP) + (10**9).to_bytes(4, "big") + b"moov" + bytes(64)],
    "no-mdat": lambda whole: [_boxes(_FTYP, (b"moov", bytes(8)), (b"mdat", b""))],
}


class Counted(HttpTransport):
    """The real transport; how often the engine looked is counted."""

    net: Net

    async def poll(self, task: str, job: Any = None) -> Any:
        self.net.looks += 1
        return await super().poll(task, job)


def wired(sim: Sim, patch: pytest.MonkeyPatch) -> Net:
    """Give a simulation the real transport over this network."""
    net = Net(sim)

    class FakeConnections:
        def __init__(self, proxy: str | None = None, keep: int = 0) -> None:
            assert proxy is None

        def open(self, call: OutgoingRequest, patience: Timeouts) -> Any:
            return net.open(call, patience)

        async def aclose(self) -> None:
            pass

    def connect(config: ProviderConfig, dialect: Dialect, pace: Pace) -> Any:
        world = Environment(sim.clock, resolve=net.resolve, random=lambda: 0.5)
        account = Account(BASE, {"api_key": SECRET})
        made = Counted(dialect, account, pace, world, Waits(media=Bounds(size=SIZE)))  # type: ignore[arg-type]
        made.net = net
        net.seen.append(Seen(sim.clock.monotonic(), "begin", BASE, PUBLIC, {}))
        return made

    patch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "fake": f"{__name__}:create"})
    patch.setattr(channel, "Connections", FakeConnections)
    patch.setattr(fetch, "Connections", FakeConnections)
    sim.connect = connect  # type: ignore[method-assign]
    return net


# --- what the judge makes of the requests ---------------------------------------------------------


def manners(net: Net) -> Iterator[str]:
    """I7, I9, I14: who was asked, with what, when. A process knows of no pause that another one was told of."""
    until = 0.0
    yield from checker.leaks(SECRET, net.sim.root, net.sim.notes.text())
    for seen in net.seen:
        if seen.phase == "begin":
            until = 0.0
        host = urlsplit(seen.url).hostname or ""
        if "authorization" in seen.headers and not seen.url.startswith(f"{BASE}/"):
            yield f"I7: the credentials went to {host}"
        if any(SECRET in text for name, text in seen.headers.items() if name != "authorization") or SECRET in seen.url:
            yield f"I7: the credentials stand in a request to {host} outside their header"
        if seen.phase == "fetch":
            yield from _address(seen, host)
        elif seen.time < until:
            yield f"I14: a request went out {until - seen.time:.1f} s before the provider wanted one"
        if seen.wait is not None and seen.phase != "fetch":
            until = max(until, seen.time + min(seen.wait, 86_400.0))


def _address(seen: Seen, host: str) -> Iterator[str]:
    if not seen.address or not ip_address(seen.address).is_global:
        yield f"I9: connected to {seen.address or 'a name'} for {host}"
    if not seen.url.startswith("https://"):
        yield f"I9: fetched {seen.url.partition(':')[0]}"


def patient(net: Net, tokens: int = 20) -> Iterator[str]:
    """I14: beyond one request for each look, retries come out of a budget; and a clip is submitted a few times only."""
    processes = sum(1 for seen in net.seen if seen.phase == "begin")
    polls = sum(1 for seen in net.seen if seen.phase == "poll")
    if polls > net.looks + tokens * processes + len(net.sim.server.ledger) * 4:
        yield f"I14: {polls} requests for {net.looks} looks"
    submits = sum(1 for seen in net.seen if seen.phase == "submit")
    if submits > 7 * processes:
        yield f"I14: {submits} submits by {processes} processes"
