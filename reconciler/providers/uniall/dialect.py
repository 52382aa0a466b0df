"""Translate kind `uniall`: the resolution is part of the model's name, the switches are in a nested `extra_body`.

Sources: the vendor's page (fields, models, limits, `video_url`); its other pages (host, further status words, `error`,
`result`); the open-source gateways whose routes it resembles, only to accept their words. Submit and poll have
different base paths. `operation` is never sent: the page says that it makes the route ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, Mode, Pace, Refusal, Reply
from reconciler.providers.error_codes import SUCCESS, Complaint, other_task, poll_trouble, submitted
from reconciler.providers.http_dialect import HttpDialect, present, stated, value, values
from reconciler.providers.replies import at, code_text, find_id, first_link, first_words, mapping, quoted, working
from reconciler.providers.settings import Settings, setting

QUEUED = frozenset({"queued", "NOT_START", "SUBMITTED", "QUEUED", "preprocessing", "pending"})
RUNNING = frozenset({"in_progress", "IN_PROGRESS", "processing", "running", "unknown"})
DONE = frozenset({"completed", "SUCCESS", "succeeded"})
FAILED = frozenset({"failed", "FAILURE"})
CANCELLED = frozenset({"cancelled", "canceled"})

# The page has no error table: the status counts if the reply has the form of those gateways (assumed). 500 is not
# listed: a task may exist.
STATUSES: Mapping[int, Refusal] = {
    400: Refusal.INPUT,
    401: Refusal.CREDENTIALS,
    402: Refusal.ACCOUNT,
    403: Refusal.ACCOUNT,
    404: Refusal.INPUT,
    413: Refusal.INPUT,
    422: Refusal.INPUT,
    429: Refusal.BUSY,
}

ACCOUNT_WORDS = ("quota", "balance", "额度", "余额")


@dataclass(frozen=True, slots=True, kw_only=True)
class UniallSettings(Settings):
    """Settings: facts that the vendor's page leaves open, or that its newer pages contradict."""

    submit_path: str = "/v1/video/generations"
    poll_path: str = "/v1/videos/{task}"
    default_model: str = "seedance2.0-720p"
    link_life: int = setting(
        "Seconds for which result links are valid: the model owner's figure, since this vendor names none.", 86_400
    )
    id_at: tuple[str, ...] = setting(
        "Paths of the task id in the reply to a submit, which the page does not show.",
        ("id", "task_id", "data.task_id", "data.id"),
    )
    video_at: tuple[str, ...] = setting(
        "Paths of the link in a finished task; the first is the page's.",
        ("video_url", "result.video_url", "result.outputs.0", "metadata.url", "data.result_url", "url"),
    )
    last_frame_at: tuple[str, ...] = setting(
        "Paths of the last frame, which the page does not show; `thumbnail_url` is another picture.",
        ("last_frame_url", "metadata.last_frame_url", "result.last_frame_url", "content.last_frame_url"),
    )


class Uniall(HttpDialect[UniallSettings]):
    """The translation of kind `uniall`."""

    kind: ClassVar[str] = "uniall"
    form = UniallSettings
    base_url: ClassVar[str] = "https://api.uniall.ai"
    pace: ClassVar[Pace] = Pace(poll_min=5, poll_max=15, link_life=86_400)
    catalogue: ClassVar[str] = "uniall/models.yaml"

    def body(self, job: Job) -> dict[str, object]:
        """Send the page's body; switches and seed are nested, as in its samples, and sent only if declared."""
        return {
            "model": job.model.name,
            "prompt": job.prompt,
            "duration": stated(job, "duration"),
            "aspect_ratio": job.ratio,
            "image": value(job.first_frame),
            "last_image": value(job.last_frame),
            "images": values(job.images),
            "videos": values(job.videos),
            "audios": values(job.audios),
            "extra_body": present({**mapping(job.options.get("extra_body")), **self._extra(job)}) or None,
        }

    def _extra(self, job: Job) -> dict[str, object]:
        return {
            "generate_audio": stated(job, "audio"),
            "seed": job.seed,
            "watermark": job.watermark,
            "camera_fixed": job.camera_fixed,
            "return_last_frame": job.return_last_frame,
        }

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names of the page's body; those of `extra_body` one by one, since options may add others there."""
        inner = self._extra(Job(self.models[0], Mode.TEXT, ""))
        return super().reserved - {"extra_body"} | {f"extra_body.{name}" for name in inner}

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read the id at the paths of poll replies and of similar gateways: the page shows no reply to a submit."""
        task, raw = find_id(reply.body, self.settings.id_at)
        return submitted(reply, task, raw, _complaint(reply))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read a flat task, or one in an envelope. An unknown task is a 400 with `task_not_exist`."""
        complaint = _complaint(reply)
        if (reply.status == 404 and str(complaint)) or complaint.code == "task_not_exist":
            return base.NotFound(complaint.message)
        body = mapping(reply.body)
        record = body if "status" in body else mapping(body.get("data"))
        if reply.status != 200 or "status" not in record:
            return poll_trouble(reply, complaint)
        return other_task(task, record.get("id"), record.get("task_id")) or self._answer(record, body)

    def _answer(self, task: Mapping[str, object], body: Mapping[str, object]) -> base.PollAnswer:
        status = self._word(task.get("status"))
        if not isinstance(status, str) or status not in DONE | FAILED | CANCELLED:
            return working(status, QUEUED, RUNNING, task.get("progress"))
        if status in DONE:
            return self._result(body if task is body else {**body, **task})
        message = first_words(at(task, "error.message"), task.get("error"), task.get("fail_reason"))
        if status in CANCELLED:
            return base.Cancelled(message)
        code = code_text(at(task, "error.code"))
        refusal = Refusal.ACCOUNT if _about_account(message) else Refusal.INTERNAL
        return base.Failed(refusal, code or status, message, self.settings.failures_free)

    def _result(self, body: Mapping[str, object]) -> base.Succeeded | base.NoOutput:
        """Read the first usable link to the video and to the last frame."""
        url = first_link(body, self.settings.video_at)
        if url is None:
            return base.NoOutput(f"completed without a usable link: {quoted(body.get('video_url'))}")
        return base.Succeeded(url, first_link(body, self.settings.last_frame_at), float(self.settings.link_life))


def _about_account(message: str) -> bool:
    return any(word in message.casefold() for word in ACCOUNT_WORDS)


def _complaint(reply: Reply) -> Complaint:
    """Read `{code, message}` or `{error: {code, message}}`; in either form the status may prove a refusal."""
    body = mapping(reply.body)
    error = body.get("error")
    if reply.status == 200 and code_text(body.get("code")) in SUCCESS and not error:
        return Complaint()
    code = code_text(at(error, "code")) or code_text(body.get("code"))
    message = first_words(at(error, "message"), body.get("message"), error)
    refusal = STATUSES.get(reply.status) if code or message else None
    if refusal is Refusal.INPUT and _about_account(message):
        refusal = Refusal.ACCOUNT
    return Complaint(code, message, refusal)
