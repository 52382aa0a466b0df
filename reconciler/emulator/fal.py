"""Emulate kind `fal`: the queue, and the history of requests.

Sources: fal's documents and client code. As there, a submit is not checked: a wrong input is accepted, and its result
is a 422 that bills nothing. **A submit without the two headers that forbid retries and other models is bought twice.**

Decided here: the types of the input are checked by the model of the catalogue, and unknown members are an error; the
result of a task that has not ended is a 400; a link is valid for seven days; the history shows only requests that have
ended, which is what its page lets one rely on, unless the task was accepted under a model that is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Final

from reconciler.emulator.checks import Broken, Why
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Fail, Phase
from reconciler.emulator.rules import Wanted, check_rules
from reconciler.emulator.vendor import BROKE, WRONG, Endpoint, Order, Vendor, json_body, text, texts, whole
from reconciler.emulator.world import Seen, Stage, Task
from reconciler.providers.base import Model

ONCE: Final = (("x-fal-no-retry", ("1", "true")), ("x-app-fal-disable-fallback", ("1", "true")))

_FIRST: Final = ("image_url", "start_image_url", "first_frame_url")
_LAST: Final = ("end_image_url", "last_frame_url")
_IMAGES: Final = ("image_urls", "reference_image_urls")
_VIDEOS: Final = ("video_urls", "reference_video_urls")
_SHARED: Final = {"prompt", "duration", "resolution", "aspect_ratio", "generate_audio", "seed", "camera_fixed"}
_NAMES: Final = {*_SHARED, "end_user_id", *_FIRST, *_LAST, *_IMAGES, *_VIDEOS, "audio_urls"}
_SECONDS: Final = re.compile(r"([1-9][0-9]?)s\Z")

_STATUS: Final = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "concurrent_requests_limit": 429,
    "internal_server_error": 500,
    "downstream_service_error": 500,
    "runner_server_error": 500,
    "runner_connection_error": 503,
    "generation_timeout": 504,
    "request_timeout": 504,
}
"""The status of a failure; any other type is a 422."""
_SCHEMA: Final = ("missing", "value_error", "extra_forbidden")
"""Types of a 422 that bills nothing."""


class Fal(Vendor):
    """Kind `fal`."""

    kind: ClassVar[str] = "fal"
    link_life: ClassVar[float] = 7 * 86_400.0
    id_path: ClassVar[tuple[str, ...]] = ("request_id",)
    busy: ClassVar[str] = "concurrent_requests_limit"
    bad_key: ClassVar[tuple[str, str]] = ("unauthorized", "invalid key credentials")
    no_task = ("not_found", "NOT_FOUND")
    no_address = ("not_found", "Application not found")
    moderated: ClassVar[tuple[str, str]] = ("content_policy_violation", "The content could not be processed.")
    stages: ClassVar[Mapping[Stage, str]] = {
        Stage.QUEUED: "IN_QUEUE",
        Stage.RUNNING: "IN_PROGRESS",
        **dict.fromkeys((Stage.DONE, Stage.FAILED, Stage.CANCELLED), "COMPLETED"),
    }

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the queue's addresses, and the history's, which is at another host of fal's own."""
        task = "/{owner}/{app}/requests/{task_id}"
        return (
            Endpoint("GET", "/v1/models/requests/by-endpoint", Phase.LIST, self.history),
            Endpoint("GET", f"{task}/status", Phase.POLL, self.poll),
            Endpoint("GET", task, Phase.POLL, self.result),
            Endpoint("PUT", f"{task}/cancel", Phase.CANCEL, self.cancel),
            Endpoint("POST", "/{model:path}", Phase.SUBMIT, self.submit),
        )

    def authenticate(self, call: Call) -> str:
        """Return the key of `Authorization: Key …`."""
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        if scheme != "Key" or not key or key.startswith(WRONG):
            raise Refused(self.refusal(*self.bad_key))
        return key

    def model_of(self, call: Call) -> str:
        """Return the model, which is the path."""
        return call.params.get("model", "")

    # --- submit -----------------------------------------------------------------------------

    async def submit(self, call: Call) -> Answer:
        """Accept a submit; a second time if its headers do not forbid it, as fal's own retries would."""
        answer = await super().submit(call)
        if any(call.headers.get(name) not in values for name, values in ONCE):
            await super().submit(call)
        home = f"http://{call.headers['host']}/{self.kind}"
        body = answer.body if isinstance(answer.body, dict) else {}
        return replace(answer, body={key: f"{home}{at}" if key.endswith("_url") else at for key, at in body.items()})

    def order(self, call: Call, account: str) -> Order:
        """Accept any JSON object for a known model: a fault of it is the task's fate."""
        model = self.models.get(self.model_of(call))
        if model is None:
            raise Refused(self.refusal(*self.no_address))
        if account.startswith(BROKE):
            text = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
            raise Refused(self.refusal("forbidden", text))
        body = json_body(call)
        if not isinstance(body, dict):
            raise Broken("", Why.TYPE, "the request body is not a JSON object")
        try:
            wanted = _wanted(model, body)
            check_rules(wanted)
            fate = None
        except Broken as fault:
            wanted, code = Wanted(model, prompt="refused"), "missing" if fault.why is Why.MISSING else "value_error"
            fate = Fail(code=code, message=fault.message)
        shape = self.shape(
            wanted, audio=body.get("generate_audio") is True, camera_fixed=bool(body.get("camera_fixed"))
        )
        return Order(wanted, shape, body, fate)

    def check(self, call: Call, order: Order) -> None:
        """Check nothing: the queue does not know the models."""

    def submitted(self, task: Task) -> Answer:
        """Answer the id and the three addresses, which carry only owner and app of the model."""
        at = f"/{'/'.join(task.model.split('/')[:2])}/requests/{task.id}"
        addresses = {"response_url": at, "status_url": f"{at}/status", "cancel_url": f"{at}/cancel"}
        return Answer(
            200, {"status": "IN_QUEUE", "request_id": task.id, **addresses, "queue_position": 0}, _traced(task)
        )

    # --- status, result, cancel ----------------------------------------------------------------

    async def poll(self, call: Call) -> Answer:
        """Answer a status: 202 until the task has ended."""
        answer = await super().poll(call)
        word = answer.body.get("status") if isinstance(answer.body, dict) else None
        return replace(answer, status=200 if word == "COMPLETED" else 202)

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the status; a failed task is COMPLETED, too."""
        return {"status": self.word(seen), "request_id": seen.id, "logs": None}

    async def result(self, call: Call) -> Answer:
        """Answer the model's own status and body."""
        task = self.task_of(call, self.authenticate(call))
        return self._output(task, self.look(task, call))

    def _output(self, task: Task, seen: Seen) -> Answer:
        headers = _traced(task)
        match seen.stage:
            case Stage.QUEUED | Stage.RUNNING:
                return Answer(400, {"detail": "Request is still in progress"}, headers)
            case Stage.CANCELLED:
                detail = {"detail": "Request was cancelled by the client", "error_type": "client_cancelled"}
                return Answer(499, detail, {**headers, "x-fal-error-type": "client_cancelled"})
            case Stage.FAILED:
                code = "internal_server_error" if seen.code == "internal" else seen.code
                if code in _SCHEMA:
                    headers["x-fal-billable-units"] = "0"
                return self._fault(code, seen.message, headers, task.request)
        headers["x-fal-billable-units"] = str(task.charge.amount)
        video = {"url": seen.video, "content_type": "video/mp4", "file_name": "output.mp4"} if seen.video else None
        return Answer(200, {"video": video, "seed": 7}, headers)

    def _fault(self, code: str, message: str, headers: Mapping[str, str], sent: object) -> Answer:
        status = _STATUS.get(code, 422)
        fault = {
            "loc": ["body"],
            "msg": message or code,
            "type": code,
            "url": "https://docs.fal.ai/errors",
            "input": sent,
        }
        return Answer(status, {"detail": [fault]}, {**headers, "x-fal-error-type": code})

    async def cancel(self, call: Call) -> Answer:
        """Take a waiting task out of the queue; a running one goes on."""
        task = self.task_of(call, self.authenticate(call))
        match self.world.progress(task)[0]:
            case Stage.QUEUED:
                task.cancelled, task.ended = True, self.world.now()
            case Stage.DONE | Stage.FAILED | Stage.CANCELLED:
                return Answer(400, {"status": "ALREADY_COMPLETED"})
        return Answer(202, {"status": "CANCELLATION_REQUESTED"})

    # --- history ------------------------------------------------------------------------------

    async def history(self, call: Call) -> Answer:
        """Answer the requests of the named models that have ended, newest first."""
        account = self.authenticate(call)
        models = {value for name, value in call.query if name == "endpoint_id"}
        if not 1 <= len(models) <= 50:
            raise Refused(self.refusal("bad_request", "endpoint_id must be given 1 to 50 times"))
        start = int(call.asked("cursor") or 0)
        size, request = int(call.asked("limit") or 50), call.asked("request_id")
        rows = [self._row(task, call) for task in self.listed(call, account) if task.model in models]
        ended = [row for row in rows if row and request in (None, row["request_id"])]
        more = len(ended) > start + size
        page: dict[str, object] = {"items": ended[start : start + size], "has_more": more}
        return Answer(200, {**page, "next_cursor": str(start + size) if more else None})

    def _row(self, task: Task, call: Call) -> dict[str, object] | None:
        seen = self.look(task, call)
        if seen.stage in (Stage.QUEUED, Stage.RUNNING):
            return None
        output = self._output(task, seen)
        row: dict[str, object] = {
            "request_id": task.id,
            "endpoint_id": task.model,
            "sent_at": _iso(task.taken),
            "started_at": _iso(task.taken),
            "ended_at": _iso(task.ended or self.world.now()),
            "status_code": output.status,
        }
        stored = call.asked("expand") == "payloads"
        return row | ({"json_input": task.request, "json_output": output.body} if stored else {})

    # --- refusals -----------------------------------------------------------------------------

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Answer a platform error; an unknown task has a form of its own."""
        if message == "NOT_FOUND":
            return Answer(404, {"status": "NOT_FOUND"})
        headers = {"x-fal-error-type": code}
        return Answer(status or _STATUS.get(code, 422), {"detail": message, "error_type": code}, headers)

    def broken(self, fault: Broken) -> Answer:
        """Refuse a body that is not a JSON object."""
        return self.refusal("bad_request", fault.message)


def _wanted(model: Model, body: Mapping[str, object]) -> Wanted:
    """Return what an input asks for. Raises Broken."""
    known = (
        _NAMES
        | set(model.options or {})
        | ({"resolution"} if model.name.endswith("02/standard/image-to-video") else set())
    )
    for name in body:
        if name not in known and name not in (
            "prompt_optimizer",
            "auto_fix",
            "enable_prompt_expansion",
            "negative_prompt",
        ):
            raise Broken(name, Why.UNKNOWN, f"unknown parameter `{name}`")
    ratio = text(body, "aspect_ratio")
    resolution = text(body, "resolution")
    return Wanted(
        model,
        prompt=text(body, "prompt") or "",
        duration=_duration(model, body.get("duration")),
        resolution=None if resolution == "768P" else resolution and resolution.lower(),
        ratio="adaptive" if ratio == "auto" else ratio,
        seed=whole(body, "seed"),
        first=_one(body, _FIRST),
        last=_one(body, _LAST),
        images=_many(body, _IMAGES),
        videos=_many(body, _VIDEOS),
        audios=texts(body, "audio_urls"),
        names={"first": "image_url", "last": "end_image_url", "ratio": "aspect_ratio", "images": "image_urls"},
    )


def _duration(model: Model, sent: object) -> int | None:
    """Return a duration in the type that the family wants: text, text with `s`, or a number. Raises Broken."""
    if sent is None:
        return None
    if "veo" in model.name:
        if isinstance(sent, str) and (seconds := _SECONDS.match(sent)):
            return int(seconds[1])
    elif model.name.startswith(("fal-ai/wan/", "minimax/h3")):
        if type(sent) is int:
            return sent
    elif isinstance(sent, str) and sent.isdigit():
        return int(sent)
    raise Broken("duration", Why.TYPE, f"`duration`: {sent!r} is not a valid value")


def _one(body: Mapping[str, object], names: Sequence[str]) -> str | None:
    return next((value for name in names if (value := text(body, name)) is not None), None)


def _many(body: Mapping[str, object], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for name in names for value in texts(body, name))


def _traced(task: Task) -> dict[str, str]:
    return {"x-fal-request-id": task.id}


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()
