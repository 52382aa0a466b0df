"""Emulate kinds `3hei` and `ark`, the official API: one form of request, two profiles.

The seed page is 3hei's: modes, roles, counts, the answer to a submit. Ark's documents and SDK give the rest, which is
assumed for 3hei too. 3hei has no list and no delete, and accepts only fields that its page shows or that the reference
passes on. A null field counts as absent, since Ark's SDK sends null for every omitted field. 2.0 takes no seed and no
`camera_fixed` (the owner's feature table), and reports a seed of its own choosing.

Decided here: an endpoint id (`ep-…`) serves the default model; DELETE of a running or cancelled task answers 403
`OperationDenied.TaskState`; a content item may have no key but `type`, its content and `role`; a link expires a day
after the task's end and is not renewed.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar, Final

from reconciler.emulator.ark_content import check_line, check_mode, content_items, stated_values, with_content
from reconciler.emulator.ark_drafts import draft_task, final_order
from reconciler.emulator.checks import Broken, Field, Type, Why, check_fields
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Ignore, Phase, Report, Silent
from reconciler.emulator.ledger import Charge
from reconciler.emulator.shapes import Shape
from reconciler.emulator.vendor import BROKE, Endpoint, Order, Vendor, json_body
from reconciler.emulator.world import Seen, Stage, Task
from reconciler.media.draft.scene import FPS
from reconciler.providers.base import Model
from reconciler.providers.registry import dialect

_RATIOS: Final = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive")

_SHARED: Final = {
    "model": Field(Type.TEXT, required=True),
    "content": Field(Type.OBJECTS, required=True),
    "resolution": Field(Type.TEXT, choices=("480p", "720p", "1080p", "4k")),
    "ratio": Field(Type.TEXT, choices=_RATIOS),
    "duration": Field(Type.WHOLE),
    "generate_audio": Field(Type.FLAG),
    "return_last_frame": Field(Type.FLAG),
    "seed": Field(Type.WHOLE, lowest=-1, highest=2**31 - 1),
    "watermark": Field(Type.FLAG),
}

_ARK_ONLY: Final = {
    "camera_fixed": Field(Type.FLAG),
    "frames": Field(Type.WHOLE, lowest=29, highest=289),
    "service_tier": Field(Type.TEXT, choices=("default", "flex")),
    "execution_expires_after": Field(Type.WHOLE, lowest=3600, highest=259200),
    "callback_url": Field(Type.TEXT),
    "priority": Field(Type.WHOLE, lowest=0, highest=9),
    "draft": Field(Type.FLAG),
    "tools": Field(Type.OBJECTS),
    "safety_identifier": Field(Type.TEXT),
    "output_format": Field(Type.TEXT),
    "omni_reference_task_type": Field(Type.TEXT),
}

_STATUS: Final = {
    "AuthenticationError": 401,
    "AccountOverdueError": 403,
    "AccessDenied": 403,
    "OperationDenied": 403,
    "InvalidEndpointOrModel": 404,
    "ModelNotOpen": 404,
    "NotFound": 404,
    "RateLimitExceeded": 429,
    "ModelAccountRpmRateLimitExceeded": 429,
    "ModelAccountTpmRateLimitExceeded": 429,
    "APIAccountRpmRateLimitExceeded": 429,
    "AccountRateLimitExceeded": 429,
    "InflightBatchsizeExceeded": 429,
    "RequestBurstTooFast": 429,
    "ServerOverloaded": 429,
    "QuotaExceeded": 429,
    "SetLimitExceeded": 429,
    "InvalidAccountStatus": 401,
    "UnsupportedModel": 404,
    "insufficient_user_quota": 403,  # of gateways
    "InternalServiceError": 500,
}
"""HTTP status by the code's first part; 400 for any other code."""

_TYPES: Final = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}


class ContentForm(Vendor):
    """The emulation that both kinds share."""

    fields: ClassVar[Mapping[str, Field]]
    renews_links: ClassVar[bool] = False
    id_path: ClassVar[tuple[str, ...]] = ("id",)
    busy: ClassVar[str] = "RateLimitExceeded.EndpointRPMExceeded"
    bad_key: ClassVar[tuple[str, str]] = ("AuthenticationError", "The API key in the request is missing or invalid.")
    no_task = ("NotFound", "The task does not exist.")
    no_address = ("NotFound", "The requested address does not exist.")
    moderated: ClassVar[tuple[str, str]] = (
        "OutputVideoSensitiveContentDetected",
        "The request failed because the output video may contain sensitive information.",
    )
    stages = {**Vendor.stages, Stage.DONE: "succeeded"}

    def task_id(self) -> str:
        """Return an id in Ark's form: cgt-, the time, eight hex digits."""
        return f"cgt-{time.strftime('%Y%m%d%H%M%S', time.gmtime(self.world.now()))}-{secrets.token_hex(4)}"

    def order(self, call: Call, account: str) -> Order:
        """Check the page's fields and roles, then the rules of the model."""
        body = check_fields(json_body(call), self.fields, nulls=True)
        model = self.model(body, account)
        if model.draft_finals and (draft := draft_task(body)) is not None:
            return final_order(body, model, self.world.find(self.kind, account, draft), self.world)
        check_line(body, model)
        wanted = with_content(stated_values(body, model), content_items(body))
        check_mode(body, wanted)
        audio = bool(body.get("generate_audio", model.defaults.get("audio", False)))
        shape = self.shape(
            wanted,
            audio=audio,
            camera_fixed=body.get("camera_fixed") is True,
            last_frame=body.get("return_last_frame") is True,
        )
        return Order(wanted, shape, body)

    def model(self, body: Mapping[str, object], account: str) -> Model:
        """Return the model that a request names. Raises Broken, and Refused for an account without balance."""
        name = str(body["model"])
        model = self.models.get(dialect(self.kind).default_model if name.startswith("ep-") else name)
        if model is None:
            raise Broken("model", Why.MODEL, f"The model or endpoint {name} does not exist.")
        if account.startswith(BROKE):
            raise Refused(self.refusal("AccountOverdueError", "The account is overdue."))
        return model

    def charge(self, order: Order) -> Charge:
        """Return the price of a task, of which a draft may cost a part."""
        if order.body.get("draft") is not True:
            return super().charge(order)
        return Charge(Decimal(self.billed(order.wanted.model, order.shape, order.body)), "token")

    def billed(self, model: Model, shape: Shape, request: Mapping[str, object]) -> int:
        """Return the tokens that are billed."""
        part = model.draft_tokens.get("audio" if shape.audio else "silent", 100)
        return self.tokens(model, shape) * (part if request.get("draft") is True else 100) // 100

    def submitted(self, task: Task) -> Answer:
        """Answer with the id alone."""
        return Answer(200, {"id": task.id}, _traced())

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the task object; `content` and `usage` only on success."""
        shape, done = task.shape, seen.stage is Stage.DONE
        content = {"video_url": seen.video, "last_frame_url": seen.last_frame} if done else {}
        document: dict[str, object] = {
            "id": seen.id,
            "model": task.model,
            "status": self.word(seen),
            "error": {"code": seen.code, "message": seen.message} if seen.stage is Stage.FAILED else None,
            "created_at": int(task.taken),
            "updated_at": int(task.ended or task.taken),
            "seed": _seed(task),
            "resolution": shape.resolution,
            "ratio": shape.ratio,
            "duration": shape.duration,
            "framespersecond": FPS,
            "service_tier": _tier(task),
            "execution_expires_after": task.request.get(
                "execution_expires_after", _DEFAULTS["execution_expires_after"]
            ),
            "generate_audio": shape.audio,
            "draft": task.request.get("draft") is True,
            "draft_task_id": draft_task(task.request),
        }
        document = _reported(document, seen, task)
        if done:
            document["content"] = {name: link for name, link in content.items() if link is not None}
            used = self.billed(self.models[task.model], shape, task.request)
            document["usage"] = {"completion_tokens": used, "total_tokens": used}
        return document

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Answer `error` with a code, and a matching HTTP status."""
        return _error(code, message, "", status)

    def broken(self, fault: Broken) -> Answer:
        """Refuse a missing or invalid field, named in `param`."""
        codes = {Why.MISSING: "MissingParameter", Why.MODEL: "InvalidEndpointOrModel.NotFound"}
        return _error(codes.get(fault.why, "InvalidParameter"), fault.message, fault.field)


class Hei(ContentForm):
    """Kind `3hei`."""

    kind: ClassVar[str] = "3hei"
    fields: ClassVar[Mapping[str, Field]] = _SHARED

    def endpoints(self) -> Sequence[Endpoint]:
        """Return submit and poll."""
        return (
            Endpoint("POST", "/v1/videos", Phase.SUBMIT, self.submit),
            Endpoint("GET", "/v1/videos/{task_id}", Phase.POLL, self.poll),
        )


class Ark(ContentForm):
    """Kind `ark`."""

    kind: ClassVar[str] = "ark"
    callback_field: ClassVar[str] = "callback_url"
    fields: ClassVar[Mapping[str, Field]] = {**_SHARED, **_ARK_ONLY}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return submit, poll, list, and the DELETE that cancels or erases."""
        path = "/contents/generations/tasks"
        return (
            Endpoint("POST", path, Phase.SUBMIT, self.submit),
            Endpoint("GET", path, Phase.LIST, self.list),
            Endpoint("GET", path + "/{task_id}", Phase.POLL, self.poll),
            Endpoint("DELETE", path + "/{task_id}", Phase.CANCEL, self.delete),
        )

    async def list(self, call: Call) -> Answer:
        """Answer one page of the tasks that pass every filter, newest first. Without a filter of the service tier it
        shows the default one only."""
        account = self.authenticate(call)
        self._require_rate(account)
        page, size = _number(call, "page_num", 1, 500, self), _number(call, "page_size", 20, 500, self)
        tier = call.asked("filter.service_tier") or "default"
        ids = {value for name, value in call.query if name == "filter.task_ids"}
        status, model = call.asked("filter.status"), call.asked("filter.model")
        tasks = [
            task
            for task in self.listed(call, account, ids)
            if (model is None or model == task.model)
            and (tier == _tier(task) and not self._forgotten(task))
            and (status is None or status == self.stages[self.world.progress(task)[0]])
        ]
        items = [self.standing(task, self.look(task, call)) for task in tasks[(page - 1) * size : page * size]]
        return Answer(200, {"total": len(tasks), "items": items}, _traced())

    def task_of(self, call: Call, account: str) -> Task:
        """Return the requested task; the record of a cancelled one is kept for a day."""
        task = super().task_of(call, account)
        if self._forgotten(task):
            raise Refused(self.refusal(*self.no_task))
        return task

    def _forgotten(self, task: Task) -> bool:
        return task.cancelled and task.ended is not None and self.world.now() - task.ended > 86_400

    def _require_rate(self, account: str) -> None:
        """Refuse a list request that comes too soon after the account's last one."""
        now, rate = self.world.now(), self.world.list_rate
        if rate and now - self.world.listed.get(account, 0.0) < 1 / rate:
            raise Refused(self.refusal("AccountRateLimitExceeded", "The list was requested too often."))
        self.world.listed[account] = now

    async def delete(self, call: Call) -> Answer:
        """Cancel a queued task, erase the record of an ended one, refuse a running or cancelled one."""
        task = self.task_of(call, self.authenticate(call))
        match self.world.progress(task)[0]:
            case Stage.QUEUED:
                task.cancelled, task.ended = True, self.world.now()
            case Stage.DONE | Stage.FAILED:
                del self.world.tasks[task.id]
            case stage:
                message = f"A task that is {self.stages[stage]} cannot be deleted."
                raise Refused(self.refusal("OperationDenied.TaskState", message))
        return Answer(200, {}, _traced())


def _tier(task: Task) -> str:
    return str(task.request.get("service_tier") or _DEFAULTS["service_tier"])


def _seed(task: Task) -> int:
    """Return the seed that was sent, or one of the vendor's choosing."""
    sent = task.shape.seed
    return sent if sent not in (None, -1) else int.from_bytes(hashlib.sha256(task.id.encode()).digest()[:2])


def _reported(document: dict[str, object], seen: Seen, task: Task) -> dict[str, object]:
    """Return what a task shows at its stage (one real reply of each), with the fault of this reply."""
    hidden = _HIDDEN.get(seen.stage, ())
    match seen.reporting:
        case Ignore(field=field):
            usual = {"seed": _seed(replace(task, shape=replace(task.shape, seed=None))), **_DEFAULTS}
            document |= {field: usual[field]}
        case Report(field=field, value=None):
            hidden = (*hidden, field)
        case Report(field=field, value=value):
            document |= {field: value}
        case Silent() if seen.stage in (Stage.QUEUED, Stage.RUNNING):
            return {name: document[name] for name in ("id", "status", "error", "created_at", "updated_at")}
    return {name: value for name, value in document.items() if name not in hidden}


_HIDDEN: Final = {
    Stage.QUEUED: ("seed", "resolution", "ratio", "duration"),
    Stage.RUNNING: ("seed", "resolution", "ratio", "duration"),
    Stage.FAILED: ("seed", "resolution", "duration"),
}
"""The fields that a task does not show at a stage."""

_DEFAULTS: Final = {"execution_expires_after": 172800, "service_tier": "default"}


def _error(code: str, message: str, param: str, status: int | None = None) -> Answer:
    status = status or _STATUS.get(code.partition(".")[0], 400)
    kind = _TYPES.get(status, "InternalServerError" if status >= 500 else "BadRequest")
    return Answer(status, {"error": {"code": code, "message": message, "param": param, "type": kind}}, _traced())


def _traced() -> dict[str, str]:
    return {"X-Request-Id": secrets.token_hex(12)}


def _number(call: Call, name: str, default: int, most: int, vendor: Vendor) -> int:
    value = call.asked(name)
    if value is None:
        return default
    if value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most:
        return int(value)
    raise Refused(vendor.broken(Broken(name, Why.VALUE, f"`{name}` must be between 1 and {most}")))
