"""The base class of all vendors: how a submit and a poll are handled, and what a vendor must define.

Any credential is accepted, except for two prefixes: `wrong-…` is unknown to the vendor, `broke-…` has no balance.
A user can rehearse both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from typing import ClassVar

from reconciler.emulator import callbacks
from reconciler.emulator.checks import Broken, Why
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Fail, Omit, Phase, Sticky, Unfound
from reconciler.emulator.ledger import Charge
from reconciler.emulator.rules import Wanted, check_rules
from reconciler.emulator.shapes import SERVER_RATIO, SERVER_SECONDS, Shape
from reconciler.emulator.world import Seen, Stage, Task, World, new_id
from reconciler.frozen import dataclass
from reconciler.providers.base import Billing, Model, Placement
from reconciler.providers.pixels import least_billed, tokens
from reconciler.providers.registry import dialect

Handler = Callable[[Call], Awaitable[Answer]]

WRONG = "wrong-"
BROKE = "broke-"
VIDEO_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path of a vendor."""

    method: str
    path: str
    phase: Phase
    handler: Handler


@dataclass(frozen=True, slots=True)
class Order:
    """A valid submit: the request, the clip to render, and the body as sent."""

    wanted: Wanted
    shape: Shape
    body: dict[str, object]
    fate: Fail | None = None  # a task that is accepted, and fails for the vendor's reasons


class Vendor(ABC):
    """One vendor. Subclasses define addresses, checks and wording; the only state is `world`."""

    kind: ClassVar[str]
    link_life: ClassVar[float] = 86_400.0
    renews_links: ClassVar[bool] = True  # each poll returns a new link with a full lifetime
    id_path: ClassVar[tuple[str, ...]]  # the path of the id in the answer to a submit
    stages: ClassVar[Mapping[Stage, str]] = {stage: stage.value for stage in Stage}  # the vendor's status words
    busy: ClassVar[str]  # the code of the rate limit
    callback_field: ClassVar[str] = ""  # the field of a submit that names the address to call; empty: it calls nobody
    model_field: ClassVar[str] = "model"  # the field of a submit that names the model
    bad_key: ClassVar[tuple[str, str]]  # refusals: code, text, and the HTTP status if it is not the code's usual one
    no_task: ClassVar[tuple[str, str] | tuple[str, str, int]]
    no_address: ClassVar[tuple[str, str] | tuple[str, str, int]]
    moderated: ClassVar[tuple[str, str]]  # code and text of a task that moderation stopped

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The models of the catalogue by name: its data, not its code."""
        return {model.name: model for model in dialect(self.kind).models}

    @abstractmethod
    def endpoints(self) -> Sequence[Endpoint]:
        """Return all endpoints."""

    def authenticate(self, call: Call) -> str:
        """Return the account of a request, by default the Bearer key. Raises Refused."""
        key = bearer(call)
        if not key or key.startswith(WRONG):
            raise Refused(self.refusal(*self.bad_key))
        return key

    @abstractmethod
    def order(self, call: Call, account: str) -> Order:
        """Read and check a submit. Raises Broken or Refused."""

    def check(self, call: Call, order: Order) -> None:
        """Check a request that was read against its model. Raises Broken."""
        _check_size(call, order.wanted.model)
        check_rules(order.wanted)

    @abstractmethod
    def submitted(self, task: Task) -> Answer:
        """Return the answer to a submit."""

    @abstractmethod
    def standing(self, task: Task, seen: Seen) -> object:
        """Return the body with a task's status."""

    @abstractmethod
    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Return a refusal with one of the vendor's codes."""

    @abstractmethod
    def broken(self, fault: Broken) -> Answer:
        """Return the refusal of a request that breaks the page's rules."""

    def model_of(self, call: Call) -> str:
        """Return the model that a submit names, by which faults are matched; empty without one."""
        body = call.json() if call.content else None
        name = body.get(self.model_field) if isinstance(body, dict) else None
        return name if isinstance(name, str) else ""

    def task_id(self) -> str:
        """Return a new task id in the vendor's form."""
        return new_id()

    def charge(self, order: Order) -> Charge:
        """Return the price of a task, in the catalogue's unit; in seconds if the pages state none."""
        match order.wanted.model.billing:
            case Billing.PER_CLIP:
                return Charge(Decimal(1), "clip")
            case Billing.TOKENS:
                return Charge(Decimal(self.tokens(order.wanted.model, order.shape)), "token")
        return Charge(Decimal(order.shape.duration + _video_seconds(order.wanted.model, order.shape)), "second")

    def tokens(self, model: Model, shape: Shape) -> int:
        """Return the tokens that the model's owner bills for a clip and its reference videos."""
        videos = _video_seconds(model, shape)
        least = least_billed(shape.resolution, shape.duration) if videos else Fraction(0)
        return int(tokens(shape.size, max(Fraction(shape.duration + videos), least)))

    async def submit(self, call: Call) -> Answer:
        """Check a submit, accept its task, and answer."""
        account = self.authenticate(call)
        try:
            order = self.order(call, account)
            self.check(call, order)
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
        callbacks.start(task.request.get(self.callback_field), partial(self._ended, task))
        return self.submitted(task)

    def _ended(self, task: Task) -> object:
        """Return the body with the status of a task that has ended; None while it goes on."""
        seen = self.world.look(task, None, self.link_life, self.renews_links)
        return None if seen.stage in (Stage.QUEUED, Stage.RUNNING) else self.standing(task, seen)

    async def poll(self, call: Call) -> Answer:
        """Answer with a task's status."""
        task = self.task_of(call, self.authenticate(call))
        return Answer(200, self.standing(task, self.look(task, call)))

    def task_of(self, call: Call, account: str) -> Task:
        """Return the requested task. Raises Refused, also if a fault hides the task."""
        task = self.world.find(self.kind, account, call.task_id)
        if task is None or isinstance(call.fault, Unfound) or isinstance(task.fate, Unfound):
            raise Refused(self.refusal(*self.no_task))
        return task

    def look(self, task: Task, call: Call) -> Seen:
        """Return a task's status, with the vendor's own code for moderation."""
        seen = self.world.look(task, call.fault, self.link_life, self.renews_links)
        if seen.stage is Stage.FAILED and not seen.code:
            code, message = self.moderated
            return Seen(seen.id, seen.stage, 0, code=code, message=seen.message or message, word=seen.word)
        return seen

    def listed(self, call: Call, account: str, ids: Collection[str] = ()) -> list[Task]:
        """Return the tasks that a list may show, newest first; if `ids` is not empty, only those."""
        tasks = self.world.newest_first(self.kind, account, ids)
        if isinstance(call.fault, Omit):
            return tasks[call.fault.newest :] if call.fault.newest is not None else []
        return [task for task in tasks if not isinstance(task.fate, Unfound)]

    def word(self, seen: Seen) -> object:
        """Return the status word, or the value that a fault replaces it with."""
        return seen.word[0] if seen.word else self.stages[seen.stage]

    def shape(self, wanted: Wanted, *, audio: bool, camera_fixed: bool = False, last_frame: bool = False) -> Shape:
        """Return the clip that a request describes, including the server's choices."""
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
            family=wanted.model.pixels,
            audio=audio,
            seed=wanted.seed,
            camera_fixed=camera_fixed,
            return_last_frame=last_frame,
            first=source(wanted.first) if wanted.first else None,
            last=source(wanted.last) if wanted.last else None,
            images=tuple(map(source, wanted.images)),
            videos=tuple(map(source, wanted.videos)),
        )


def _video_seconds(model: Model, shape: Shape) -> int:
    """Return the billed seconds of reference videos. Decided here: each of them is five seconds long."""
    return VIDEO_SECONDS * min(len(shape.videos), model.billed_videos)


def _check_size(call: Call, model: Model) -> None:
    """Check the size of the whole request, including pictures in it."""
    most = model.max_request_bytes
    if most is not None and len(call.content) > most:
        raise Broken("", Why.VALUE, f"the request has {len(call.content)} bytes, at most {most} are accepted")


def bearer(call: Call) -> str | None:
    """Return the key of `Authorization: Bearer KEY`; None without the header, empty if it has another form."""
    header = call.headers.get("authorization")
    if header is None:
        return None
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme == "Bearer" else ""


def json_body(call: Call) -> object:
    """Return the JSON body of a request whose content type is JSON. Raises Broken."""
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Broken("", Why.TYPE, "Content-Type must be application/json")
    body = call.json()
    if body is None:
        raise Broken("", Why.TYPE, "the request body is not valid JSON")
    return body


def text(body: Mapping[str, object], name: str) -> str | None:
    """Return a checked text field; None if it is absent."""
    value = body.get(name)
    return value if isinstance(value, str) else None


def whole(body: Mapping[str, object], name: str) -> int | None:
    """Return a checked whole number; None if it is absent."""
    value = body.get(name)
    return value if isinstance(value, int) else None


def texts(body: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a checked list of texts; empty if it is absent."""
    value = body.get(name)
    return tuple(value) if isinstance(value, list) else ()
