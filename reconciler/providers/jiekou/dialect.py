"""Translate kind `jiekou`: Seedance V1 Lite image-to-video, and 2.0. The model is part of the path, not a body field.

Sources: the vendor's page (fields, defaults, media rules, `task_id`); its task-result page and those of two sites with
the same paths and words (poll reply, status words, error names). Assumptions are settings, in `JiekouSettings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Literal

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, MediaRef, Mode, Model, Pace, Refusal, Reply
from reconciler.providers.error_codes import REFUSING, Complaint, judge, other_task, poll_trouble, rows, submitted
from reconciler.providers.http_dialect import HttpDialect, fill, present, stated, values
from reconciler.providers.replies import (
    at,
    code_text,
    first_words,
    integer,
    life,
    link,
    mapping,
    quoted,
    task_id,
    words,
    working,
)
from reconciler.providers.settings import Settings, setting

FAST = "-fast"
"""The end of the names of the fast line, which is a field of the request."""
QUEUED = frozenset({"TASK_STATUS_QUEUED"})
RUNNING = frozenset({"TASK_STATUS_PROCESSING"})

# Names from the vendor's error page and those sites' table. BILLING_FAILED and CREATE_TASK_FAILED (500) and
# SERVICE_NOT_AVAILABLE (503) are not listed: a task may exist.
REFUSALS = (
    *rows(
        Refusal.INPUT,
        "INVALID_REQUEST_BODY",
        "IMAGE_FILE_EXCEEDS_MAX_SIZE",
        "INVALID_IMAGE_FORMAT",
        "IMAGE_EXCEEDS_MAX_RESOLUTION",
        "INVALID_IMAGE_SIZE",
        "IMAGE_NO_FACE_DETECTED",
        "INVALID_AUDIO_FILE",
        "INVALID_CUSTOM_OUTPUT_PATH",
        "API_NOT_FOUND",
        "MODEL_NOT_FOUND",
    ),
    *rows(Refusal.MODERATION, "ILLEGAL_PROMPT", "ILLEGAL_IMAGE_CONTENT"),
    *rows(Refusal.CREDENTIALS, "MISSING_API_KEY", "INVALID_API_KEY", "FAILED_TO_AUTH"),
    *rows(
        Refusal.ACCOUNT,
        "NOT_ENOUGH_BALANCE",
        "BILLING_BALANCE_NOT_ENOUGH",
        "BILLING_AUTH_FAILED",
        "FEATURE_NOT_ALLOWED",
        "API_NOT_ALLOWED",
        "NEED_REAL_NAME_VERIFY",
        "ACCESS_DENY",
    ),
    *rows(Refusal.BUSY, "RATE_LIMIT_EXCEEDED", "TOKEN_LIMIT_EXCEEDED"),
)

NOTES = {"NOT_ENOUGH_BALANCE": "jiekou is reported to answer this when it throttles, too: with a balance, apply later"}
"""What people should know about a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JiekouSettings(Settings):
    """Settings: facts that the vendor's page leaves open."""

    submit_path: str = "/v3/async/{model}"
    poll_path: str = "/v3/async/task-result?task_id={task}"
    default_model: str = "seedance-v1-lite-i2v"
    base64_style: Literal["data-url", "bare"] = setting(
        "How a picture is written in the body: as a `data:` URL, or as Base64 alone.", "data-url"
    )


class Jiekou(HttpDialect[JiekouSettings]):
    """The translation of kind `jiekou`."""

    kind: ClassVar[str] = "jiekou"
    form = JiekouSettings
    base_url: ClassVar[str] = "https://api.jiekou.ai"
    pace: ClassVar[Pace] = Pace(poll_min=5, poll_max=15, requests_per_second=1, concurrency=5)
    catalogue: ClassVar[str] = "jiekou/models.yaml"

    def submit(self, job: Job) -> base.Request:
        """Send both lines of 2.0 to one address."""
        name = job.model.name.removesuffix(FAST) if _is_second(job.model) else job.model.name
        return fill("POST", self.settings.submit_path, {"model": name}, present({**job.options, **self.body(job)}))

    def body(self, job: Job) -> dict[str, object]:
        """Send the page's flat body; an undeclared ratio is left to the server."""
        body = {
            "prompt": job.prompt or None,
            "image": self._bare(job.first_frame),
            "last_image": self._bare(job.last_frame),
            "resolution": stated(job, "resolution"),
            "duration": stated(job, "duration"),
        }
        if not _is_second(job.model):
            return {**body, "aspect_ratio": job.ratio, "camera_fixed": job.camera_fixed, "seed": job.seed}
        return {
            **body,
            "fast": job.model.name.endswith(FAST),
            "ratio": job.ratio,
            "reference_images": [self._bare(ref) for ref in job.images],
            "reference_videos": values(job.videos),
            "reference_audios": [self._bare(ref) for ref in job.audios],
            "generate_audio": stated(job, "audio"),
            "watermark": job.watermark,
            "return_last_frame": job.return_last_frame,
        }

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names of the bodies of all lines."""
        return frozenset(name for model in self.models for name in self.body(Job(model, Mode.TEXT, "")))

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read `{"task_id"}`, the whole reply of a success."""
        raw = mapping(reply.body).get("task_id")
        return submitted(reply, task_id(raw), raw, _complaint(reply))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read status and reason under `task`, the link in `videos`, and the seed as text in `extra`."""
        complaint = _complaint(reply)
        if complaint.code == "TASK_NOT_FOUND":
            return base.NotFound(complaint.message)
        if complaint.code == "TASK_FAILED":
            return base.Failed(Refusal.INTERNAL, complaint.code, complaint.message, self.settings.failures_free)
        record = mapping(at(reply.body, "task"))
        if reply.status != 200 or not record:
            return poll_trouble(reply, complaint)
        return other_task(task, record.get("task_id")) or self._answer(record, reply.body)

    def _answer(self, task: Mapping[str, object], body: object) -> base.PollAnswer:
        match self._word(task.get("status")):
            case "TASK_STATUS_SUCCEED":
                return _result(body)
            case "TASK_STATUS_FAILED":
                reason = words(task.get("reason"))
                refusal = judge(REFUSALS, reason.split(":")[0].strip()) or Refusal.INTERNAL
                return base.Failed(refusal, "TASK_STATUS_FAILED", reason, self.settings.failures_free)
            case "TASK_STATUS_CANCELED":
                return base.Cancelled(words(task.get("reason")))
            case status:
                return working(status, QUEUED, RUNNING, task.get("progress_percent"))

    def _bare(self, ref: MediaRef | None) -> str | None:
        if ref is None:
            return None
        bare = ref.scheme == "data" and self.settings.base64_style == "bare"
        return ref.value.partition(",")[2] if bare else ref.value


def _result(body: object) -> base.Succeeded | base.NoOutput:
    url = link(at(body, "videos.0.video_url"))
    if url is None:
        return base.NoOutput(f"the task succeeded without a usable link: {quoted(at(body, 'videos'))}")
    seconds, seed = life(at(body, "videos.0.video_url_ttl")), integer(at(body, "extra.seed"))
    return base.Succeeded(url, link(at(body, "images.0.image_url")), seconds, seed=seed)


def _is_second(model: Model) -> bool:
    """True for Seedance 2.0, and for a project's model that is like it."""
    return (model.stem or model.name).startswith("seedance-2")


def _complaint(reply: Reply) -> Complaint:
    body = mapping(reply.body)
    code = first_words(body.get("reason")) or code_text(body.get("code"))
    refusal = judge(REFUSALS, code) if reply.status in REFUSING else None
    return Complaint(code, first_words(body.get("message"), body.get("msg")), refusal, NOTES.get(code, ""))
