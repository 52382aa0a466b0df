"""What all vendors share: the way of a submit and of a poll, and which words each vendor must bring.

Any credential is good, but two beginnings have a meaning: `wrong-…` is not known to the vendor, `broke-…` has no
balance left. So a user can rehearse both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import ClassVar

from reconciler.emulator.checks import Broken, Why
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Fail, Omit, Sticky, Unfound
from reconciler.emulator.ledger import Charge
from reconciler.emulator.phase import Phase
from reconciler.emulator.rules import Wanted, check_rules
from reconciler.emulator.shapes import SERVER_RATIO, SERVER_SECONDS, Shape
from reconciler.emulator.world import Seen, Stage, Task, World, new_id
from reconciler.providers.base import Billing, Model, Placement
from reconciler.providers.registry import dialect

Handler = Callable[[Call], Awaitable[Answer]]

WRONG = "wrong-"
BROKE = "broke-"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a vendor."""

    method: str
    path: str
    phase: Phase
    handler: Handler


@dataclass(frozen=True, slots=True)
class Order:
    """A request that was read and found good: what is to be made, and under which name."""

    wanted: Wanted
    shape: Shape
    body: dict[str, object]
    fate: Fail | None = None  # a task that is taken, and fails for a reason of the vendor's own


class Vendor(ABC):
    """One vendor. Subclasses bring addresses, checks and words; there is no state here but `world`."""

    kind: ClassVar[str]
    link_life: ClassVar[float] = 86_400.0
    renews_links: ClassVar[bool] = True  # each poll hands out a link with a life of its own
    id_path: ClassVar[tuple[str, ...]]  # where the id stands in the answer to a submit
    stages: ClassVar[Mapping[Stage, str]]  # the vendor's words
    busy: ClassVar[str]  # the code of the rate limit
    moderated: ClassVar[tuple[str, str]]  # code and text of a task that moderation stopped

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The lines of the catalogue by name: its data, not its code."""
        return {model.name: model for model in dialect(self.kind).models}

    @abstractmethod
    def endpoints(self) -> Sequence[Endpoint]:
        """All addresses."""

    @abstractmethod
    def authenticate(self, call: Call) -> str:
        """The account that asks. Raises Refused."""

    @abstractmethod
    def order(self, call: Call, account: str) -> Order:
        """Read and check a submit. Raises Broken or Refused."""

    @abstractmethod
    def submitted(self, task: Task) -> Answer:
        """The answer to a submit."""

    @abstractmethod
    def standing(self, task: Task, seen: Seen) -> object:
        """The body that tells how a task stands."""

    @abstractmethod
    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """A refusal with a code of the vendor's."""

    @abstractmethod
    def broken(self, fault: Broken) -> Answer:
        """The refusal of a request that breaks the page's rules."""

    @abstractmethod
    def unknown_task(self) -> Answer:
        """The answer about a task that is not (or no longer) known."""

    @abstractmethod
    def unknown_address(self) -> Answer:
        """The answer at an address that the vendor does not have."""

    def model_of(self, call: Call) -> str:
        """The model that a submit names, for the matching of faults; empty where there is none."""
        body = call.json() if call.content else None
        name = body.get("model") if isinstance(body, dict) else None
        return name if isinstance(name, str) else ""

    def task_id(self) -> str:
        """A new id in the vendor's form."""
        return new_id()

    def charge(self, order: Order) -> Charge:
        """What a task costs, in the catalogue's unit; seconds where the pages do not say."""
        match order.wanted.model.billing:
            case Billing.PER_CLIP:
                return Charge(Decimal(1), "clip")
            case Billing.TOKENS:
                return Charge(Decimal(order.shape.tokens), "token")
        return Charge(Decimal(order.shape.duration), "second")

    async def submit(self, call: Call) -> Answer:
        """Check, take, answer."""
        account = self.authenticate(call)
        try:
            order = self.order(call, account)
            _check_size(call, order.wanted.model)
            check_rules(order.wanted)
        except Broken as fault:
            raise Refused(self.broken(fault)) from fault
        sticky = call.fault if isinstance(call.fault, Sticky) else None
        task = self.world.accept(
            Task(
                self.task_id(),
                self.kind,
                account,
                order.wanted.model.name,
                order.shape,
                order.body,
                self.world.now(),
                self.charge(order),
                fate=sticky or order.fate,
            )
        )
        return self.submitted(task)

    async def poll(self, call: Call) -> Answer:
        """How one task stands."""
        task = self.known(call, self.authenticate(call))
        return Answer(200, self.standing(task, self.look(task, call)))

    def known(self, call: Call, account: str) -> Task:
        """The task that is asked about. Raises Refused, also when a fault hides it."""
        task = self.world.find(self.kind, account, call.task_id)
        if task is None or isinstance(call.fault, Unfound) or isinstance(task.fate, Unfound):
            raise Refused(self.unknown_task())
        return task

    def look(self, task: Task, call: Call) -> Seen:
        """How a task stands, with moderation in the vendor's own words."""
        seen = self.world.look(task, call.fault, self.link_life, self.renews_links)
        if seen.stage is Stage.FAILED and not seen.code:
            code, message = self.moderated
            return Seen(seen.id, seen.stage, 0, code=code, message=seen.message or message, word=seen.word)
        return seen

    def listed(self, call: Call, account: str, ids: Collection[str] = ()) -> list[Task]:
        """The tasks that a list may show, newest first; only those with one of `ids` where there are any."""
        tasks = self.world.newest_first(self.kind, account, ids)
        if isinstance(call.fault, Omit):
            return tasks[call.fault.newest :] if call.fault.newest is not None else []
        return [task for task in tasks if not isinstance(task.fate, Unfound)]

    def word(self, seen: Seen) -> object:
        """The status word, or what a fault put in its place."""
        return seen.word[0] if seen.word else self.stages[seen.stage]

    def shape(self, wanted: Wanted, *, audio: bool, camera_fixed: bool = False, last_frame: bool = False) -> Shape:
        """The clip that a request comes down to, with the server's choices made."""
        defaults, source = wanted.model.defaults, self.world.source
        resolution = wanted.resolution or str(defaults.get("resolution", "720p"))
        if wanted.model.resolution_in is not Placement.FIELD:
            resolution = wanted.model.resolutions[0]
        duration = wanted.duration if wanted.duration is not None else int(defaults.get("duration", SERVER_SECONDS))
        ratio = wanted.ratio or str(defaults.get("ratio", SERVER_RATIO))
        return Shape(
            prompt=wanted.prompt,
            duration=duration if duration > 0 else SERVER_SECONDS,
            resolution=resolution,
            ratio=SERVER_RATIO if ratio == "adaptive" else ratio,
            audio=audio,
            seed=wanted.seed,
            camera_fixed=camera_fixed,
            return_last_frame=last_frame,
            first=source(wanted.first) if wanted.first else None,
            last=source(wanted.last) if wanted.last else None,
            images=tuple(map(source, wanted.images)),
            videos=tuple(map(source, wanted.videos)),
        )


def _check_size(call: Call, model: Model) -> None:
    """The whole request, pictures in it included."""
    most = model.max_request_bytes
    if most is not None and len(call.content) > most:
        raise Broken("", Why.VALUE, f"the request has {len(call.content)} bytes, at most {most} are taken")


def bearer(call: Call) -> str | None:
    """The key of `Authorization: Bearer KEY`; None without the header, empty when it has another form."""
    header = call.headers.get("authorization")
    if header is None:
        return None
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme == "Bearer" else ""


def json_body(call: Call) -> object:
    """The JSON of a request that says it is JSON. Raises Broken."""
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Broken("", Why.TYPE, "Content-Type must be application/json")
    body = call.json()
    if body is None:
        raise Broken("", Why.TYPE, "the request body is not valid JSON")
    return body


def text(body: Mapping[str, object], name: str) -> str | None:
    """A text field that was checked before; None where it is absent."""
    value = body.get(name)
    return value if isinstance(value, str) else None


def whole(body: Mapping[str, object], name: str) -> int | None:
    """A whole number that was checked before; None where it is absent."""
    value = body.get(name)
    return value if isinstance(value, int) else None


def texts(body: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A list of texts that was checked before."""
    value = body.get(name)
    return tuple(value) if isinstance(value, list) else ()
