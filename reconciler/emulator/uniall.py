"""Emulate kind `uniall`: Seedance 2.0 on `/v1/video/generations` (the seed page; errors of similar gateways).

Decided here: errors are `{code, message, data}` with a matching HTTP status; an unknown task is 400, as at those
gateways; `duration` is required in every mode; frames and references exclude each other; the last frame is in
`last_frame_url`; links are valid for a day and each poll returns a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from reconciler.emulator.checks import Broken, Field, Type, Why, check_fields
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Phase
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import BROKE, Endpoint, Order, Vendor, json_body, text, texts, whole
from reconciler.emulator.world import Seen, Stage, Task

_FIELDS: Final = {
    "model": Field(Type.TEXT, required=True),
    "prompt": Field(Type.TEXT, required=True),
    "duration": Field(Type.WHOLE_OR_TEXT, required=True),
    "aspect_ratio": Field(Type.TEXT, choices=("9:16", "1:1", "16:9")),
    "image": Field(Type.TEXT),
    "last_image": Field(Type.TEXT),
    "images": Field(Type.TEXTS),
    "videos": Field(Type.TEXTS),
    "audios": Field(Type.TEXTS),
    "extra_body": Field(Type.OBJECT),
}

_EXTRA: Final = {
    "generate_audio": Field(Type.FLAG),
    "seed": Field(Type.WHOLE),
    "watermark": Field(Type.FLAG_OR_TEXT),
    "camera_fixed": Field(Type.FLAG_OR_TEXT),
    "return_last_frame": Field(Type.FLAG_OR_TEXT),
    "operation": Field(Type.TEXT, choices=("reference_to_video", "edit_video", "extend_video", "first_last_frame")),
}

_STATUS: Final = {
    "invalid_request": 400,
    "task_not_exist": 400,
    "invalid_api_key": 401,
    "insufficient_user_quota": 403,
    "model_not_found": 404,
    "not_found": 404,
    "rate_limit_exceeded": 429,
    "do_request_failed": 500,
}


class Uniall(Vendor):
    """Kind `uniall`."""

    kind: ClassVar[str] = "uniall"
    id_path: ClassVar[tuple[str, ...]] = ("id",)
    busy: ClassVar[str] = "rate_limit_exceeded"
    bad_key: ClassVar[tuple[str, str]] = ("invalid_api_key", "invalid api key")
    no_task = ("task_not_exist", "task not exist")  # 400, not 404
    no_address = ("not_found", "invalid url")
    moderated: ClassVar[tuple[str, str]] = (
        "content_policy_violation",
        '{"error":{"code":"OutputVideoSensitiveContentDetected","message":"sensitive content"}}',
    )
    stages = {**Vendor.stages, Stage.RUNNING: "in_progress", Stage.DONE: "completed"}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return submit and poll, which have different base paths."""
        return (
            Endpoint("POST", "/v1/video/generations", Phase.SUBMIT, self.submit),
            Endpoint("GET", "/v1/videos/{task_id}", Phase.POLL, self.poll),
        )

    def task_id(self) -> str:
        """Return an id in the form of the page's sample."""
        return "task_" + super().task_id().replace("-", "")

    def order(self, call: Call, account: str) -> Order:
        """Check the page's table; fields of `extra_body` are refused at the top."""
        body = check_fields(json_body(call), _FIELDS)
        extra = check_fields(body.get("extra_body", {}), _EXTRA, within="extra_body.")
        model = self.models.get(str(body["model"]))
        if model is None:
            raise Broken("model", Why.MODEL, f"model {body['model']} does not exist")
        if account.startswith(BROKE):
            raise Refused(self.refusal("insufficient_user_quota", "user quota is not enough"))
        wanted = Wanted(
            model,
            prompt=text(body, "prompt") or "",
            duration=int(str(body["duration"])),
            ratio=text(body, "aspect_ratio"),
            seed=whole(extra, "seed"),
            first=text(body, "image"),
            last=text(body, "last_image"),
            images=texts(body, "images"),
            videos=texts(body, "videos"),
            audios=texts(body, "audios"),
            names={"first": "image", "last": "last_image", "ratio": "aspect_ratio", "seed": "extra_body.seed"},
            more_schemes=frozenset({"http"}),  # "URL"
        )
        shape = self.shape(
            wanted,
            audio=extra.get("generate_audio") is True,
            camera_fixed=extra.get("camera_fixed") in (True, "true"),
            last_frame=extra.get("return_last_frame") in (True, "true"),
        )
        return Order(wanted, shape, body)

    def submitted(self, task: Task) -> Answer:
        """Answer the job object, queued."""
        return Answer(200, self.standing(task, Seen(task.id, Stage.QUEUED, 0)))

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the job object; `video_url` on success."""
        document: dict[str, object] = {
            "id": seen.id,
            "task_id": seen.id,
            "object": "video.generation.job",
            "model": task.model,
            "status": self.word(seen),
            "progress": seen.progress,
            "created_at": int(task.taken),
            "error": {"message": seen.message, "code": seen.code} if seen.stage is Stage.FAILED else None,
        }
        links = {"video_url": seen.video, "last_frame_url": seen.last_frame}
        return document | {name: link for name, link in links.items() if link is not None}

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Answer a word in `code`, with a matching HTTP status."""
        return Answer(status or _STATUS.get(code, 400), {"code": code, "message": message, "data": None})

    def broken(self, fault: Broken) -> Answer:
        """Refuse with one code for all faults, except for an unknown model."""
        return self.refusal("model_not_found" if fault.why is Why.MODEL else "invalid_request", fault.message)
