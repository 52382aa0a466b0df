"""Emulate kind `jiekou`: Seedance V1 Lite image-to-video, and Seedance 2.0.

Sources: the seed page; similar sites for paths, poll answer and errors. Decided here: a key that is not sent as
`Bearer` is invalid; an unknown field makes the body invalid; each poll returns a new link that is valid for an hour, as
`video_url_ttl` states in the examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from reconciler.emulator.checks import Broken, Field, Type, Why, check_fields
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Phase
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import BROKE, Endpoint, Order, Vendor, bearer, json_body, text, texts, whole
from reconciler.emulator.world import Seen, Stage, Task

_FIELDS: Final = {
    "image": Field(Type.TEXT, required=True),
    "resolution": Field(Type.TEXT, required=True, choices=("480p", "720p", "1080p")),
    "prompt": Field(Type.TEXT),
    "aspect_ratio": Field(Type.TEXT, choices=("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")),
    "last_image": Field(Type.TEXT),
    "camera_fixed": Field(Type.FLAG),
    "seed": Field(Type.WHOLE, lowest=-1, highest=2147483647),
    "duration": Field(Type.WHOLE, choices=(5, 10)),
}

_SECOND: Final = {
    **{name: field for name, field in _FIELDS.items() if name in ("prompt", "last_image")},
    "image": Field(Type.TEXT),
    "resolution": Field(Type.TEXT, choices=("480p", "720p", "1080p")),
    "duration": Field(Type.WHOLE),
    "ratio": Field(Type.TEXT, choices=("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive")),
    "reference_images": Field(Type.TEXTS),
    "reference_videos": Field(Type.TEXTS),
    "reference_audios": Field(Type.TEXTS),
    **{name: Field(Type.FLAG) for name in ("fast", "generate_audio", "watermark", "web_search", "return_last_frame")},
}
"""The body of 2.0."""

_STATUS: Final = {
    "BILLING_BALANCE_NOT_ENOUGH": 400,  # not 402
    "MISSING_API_KEY": 400,
    "INVALID_API_KEY": 403,  # not 401
    "NOT_ENOUGH_BALANCE": 403,
    "FAILED_TO_AUTH": 401,
    "MODEL_NOT_FOUND": 404,
    "ACCESS_DENY": 403,
    "TOKEN_LIMIT_EXCEEDED": 429,
    "SERVICE_NOT_AVAILABLE": 503,
    "BILLING_AUTH_FAILED": 403,
    "FEATURE_NOT_ALLOWED": 403,
    "API_NOT_ALLOWED": 403,
    "NEED_REAL_NAME_VERIFY": 403,
    "API_NOT_FOUND": 404,
    "TASK_NOT_FOUND": 404,
    "RATE_LIMIT_EXCEEDED": 429,
    "BILLING_FAILED": 500,
    "CREATE_TASK_FAILED": 500,
    "GET_RESULT_FAILED": 500,
    "TASK_FAILED": 500,
}

_PICTURE_CODES: Final = {
    Why.IMAGE_FORMAT: "INVALID_IMAGE_FORMAT",
    Why.IMAGE_BYTES: "IMAGE_FILE_EXCEEDS_MAX_SIZE",
    Why.IMAGE_SIDES: "IMAGE_EXCEEDS_MAX_RESOLUTION",
    Why.IMAGE_RATIO: "INVALID_IMAGE_SIZE",
}


class Jiekou(Vendor):
    """Kind `jiekou`."""

    kind: ClassVar[str] = "jiekou"
    link_life: ClassVar[float] = 3600.0
    id_path: ClassVar[tuple[str, ...]] = ("task_id",)
    busy: ClassVar[str] = "RATE_LIMIT_EXCEEDED"
    bad_key: ClassVar[tuple[str, str]] = ("INVALID_API_KEY", "invalid api-key")
    no_task = ("TASK_NOT_FOUND", "task not found")
    no_address = ("API_NOT_FOUND", "api not found")
    moderated: ClassVar[tuple[str, str]] = ("ILLEGAL_PROMPT", "ILLEGAL_PROMPT: the prompt was refused by moderation")
    stages: ClassVar[Mapping[Stage, str]] = {
        Stage.QUEUED: "TASK_STATUS_QUEUED",
        Stage.RUNNING: "TASK_STATUS_PROCESSING",
        Stage.DONE: "TASK_STATUS_SUCCEED",
        Stage.FAILED: "TASK_STATUS_FAILED",
        Stage.CANCELLED: "TASK_STATUS_CANCELED",
    }

    def endpoints(self) -> Sequence[Endpoint]:
        """Return submit and poll; the model is part of the submit's path."""
        return (
            Endpoint("POST", "/v3/async/{model}", Phase.SUBMIT, self.submit),
            Endpoint("GET", "/v3/async/task-result", Phase.POLL, self.poll),
        )

    def model_of(self, call: Call) -> str:
        """Return the last part of the path; the fast line of 2.0 is a field of the body."""
        name = call.params.get("model", "")
        body = call.json() if name == "seedance-2.0" and call.content else None
        return f"{name}-fast" if isinstance(body, dict) and body.get("fast") is True else name

    def authenticate(self, call: Call) -> str:
        """Return the Bearer key."""
        if bearer(call) is None:
            raise Refused(self.refusal("MISSING_API_KEY", "missing api-key"))
        return super().authenticate(call)

    def order(self, call: Call, account: str) -> Order:
        """Check the page's table; 2.0 has one of its own."""
        model = self.models.get(self.model_of(call))
        if model is None:
            raise Refused(self.refusal("API_NOT_FOUND", "api not found"))
        if account.startswith(BROKE):
            raise Refused(self.refusal("BILLING_BALANCE_NOT_ENOUGH", "balance not enough"))
        second = model.name.startswith("seedance-2.0")
        body, ratio = (
            check_fields(json_body(call), _SECOND if second else _FIELDS),
            "ratio" if second else "aspect_ratio",
        )
        wanted = Wanted(
            model,
            prompt=text(body, "prompt") or "",
            duration=whole(body, "duration"),
            resolution=text(body, "resolution"),
            ratio=text(body, ratio),
            seed=whole(body, "seed"),
            first=text(body, "image"),
            last=text(body, "last_image"),
            images=texts(body, "reference_images"),
            videos=texts(body, "reference_videos"),
            audios=texts(body, "reference_audios"),
            names={"first": "image", "last": "last_image", "images": "reference_images", "ratio": ratio},
            more_schemes=frozenset({"http", "bare"}),  # "URL and Base64"
        )
        audio, frame = second and body.get("generate_audio") is not False, body.get("return_last_frame") is True
        shape = self.shape(wanted, audio=audio, last_frame=frame, camera_fixed=body.get("camera_fixed") is True)
        return Order(wanted, shape, body)

    async def poll(self, call: Call) -> Answer:
        """Answer a poll; here the id is a parameter that may be missing."""
        self.authenticate(call)
        if not call.task_id:
            raise Refused(self.refusal("INVALID_REQUEST_BODY", "task_id is required"))
        return await super().poll(call)

    def submitted(self, task: Task) -> Answer:
        """Answer `task_id`, the only field."""
        return Answer(200, {"task_id": task.id})

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the task; the three media arrays are always present, and some numbers are text."""
        done = seen.stage is Stage.DONE
        video = {"video_url": seen.video, "video_url_ttl": "3600", "video_type": "mp4"}
        frame = {"image_url": seen.last_frame, "image_url_ttl": "3600", "image_type": "png"}
        return {
            "extra": {
                "seed": str(task.shape.seed if task.shape.seed not in (None, -1) else 1),
                "debug_info": {
                    "request_info": "",
                    "submit_time_ms": str(int(task.taken * 1000)),
                    "execute_time_ms": "",
                    "complete_time_ms": str(int(task.ended * 1000)) if task.ended else "",
                },
            },
            "task": {
                "task_id": seen.id,
                "task_type": task.model.upper().replace("-", "_"),
                "status": self.word(seen),
                "reason": seen.message,
                "eta": 0,
                "progress_percent": seen.progress,
            },
            "images": [frame] if done and seen.last_frame else [],
            "videos": [video] if done and seen.video else [],
            "audios": [],
        }

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Answer a symbol in `reason`, with a matching HTTP status."""
        status = status or _STATUS.get(code, 400)
        return Answer(status, {"code": status, "reason": code, "message": message, "metadata": {}})

    def broken(self, fault: Broken) -> Answer:
        """Refuse a body; faults of pictures have their own symbols."""
        return self.refusal(_PICTURE_CODES.get(fault.why, "INVALID_REQUEST_BODY"), fault.message)
