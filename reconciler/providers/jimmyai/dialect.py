"""Translate kind `jimmyai`: one endpoint for eleven lines of models, replies in an envelope `{code, msg, data}`.

Sources: the vendor's page (fields, rules, `data.result.video_url`, three status words); its newer reference and the
documents of its command-line tool (envelope, codes, upload, balance). The type of the code differs between endpoints,
so codes are compared as text. No seed, no switches, no list, no cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, Pace, Placement, Refusal, Reply, Request
from reconciler.providers.capabilities import Balance, Hosted, SendForm, UploadAction, UploadRefused, UploadStep
from reconciler.providers.error_codes import REFUSING, Complaint, judge, other_task, poll_trouble, rows, submitted
from reconciler.providers.http_dialect import HttpDialect, stated, value, values
from reconciler.providers.limits import MB
from reconciler.providers.replies import at, code_text, find_id, first_words, link, mapping, quoted, words, working
from reconciler.providers.settings import Settings, setting

_DAYS = 86_400.0

OK = frozenset({"0", "200", "20000"})
"""Codes for success, of the vendor's several endpoints."""

QUEUED = frozenset({"queued", "pending", "submitted"})
RUNNING = frozenset({"processing"})

# Body codes first; -1 (server error) is not listed: a task may exist. For an unknown code the status counts (assumed).
REFUSALS = (*rows(Refusal.CREDENTIALS, "20001"), *rows(Refusal.INPUT, "20002"))
UNCERTAIN = frozenset({"-1"})
STATUSES: Mapping[int, Refusal] = {
    400: Refusal.INPUT,
    401: Refusal.CREDENTIALS,
    403: Refusal.CREDENTIALS,
    404: Refusal.INPUT,
    422: Refusal.INPUT,
    429: Refusal.BUSY,
}

_BALANCE_WORDS = (
    "insufficient balance",
    "balance not enough",
    "not enough balance",
    "insufficient quota",
    "quota exhausted",  # of the key, although the account may have money
    "余额不足",
)
_FAILURES: tuple[tuple[str, Refusal], ...] = (
    ("PROVIDER_MODERATION_ERROR", Refusal.MODERATION),
    ("DURATION_TOO_LONG", Refusal.INPUT),
    *((text, Refusal.ACCOUNT) for text in _BALANCE_WORDS),
)
"""Text in failure messages, from a published client; any other failure is the provider's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JimmySettings(Settings):
    """Settings: facts that the vendor's page leaves open."""

    submit_path: str = "/api/open-api/v1/seedance/videos"
    poll_path: str = "/api/open-api/v1/videos/{task}"
    upload_path: str = setting("Path of an upload; the multipart field is `file`.", "/api/open-api/v1/files/upload")
    balance_path: str = setting("Path of the account's balance.", "/api/open-api/v1/user/balance")
    default_model: str = "seedance2.0-sp"
    link_life: int = setting("Seconds for which result links and uploaded files are valid.", 3 * 86_400)


class JimmyAI(HttpDialect[JimmySettings]):
    """The translation of kind `jimmyai`."""

    kind: ClassVar[str] = "jimmyai"
    form = JimmySettings
    base_url: ClassVar[str] = "https://www.jimmyai.cn"
    pace: ClassVar[Pace] = Pace(poll_min=5, poll_max=15, requests_per_second=1, concurrency=5, link_life=3 * _DAYS)
    catalogue: ClassVar[str] = "jimmyai/models.yaml"
    also_reserved: ClassVar[frozenset[str]] = frozenset({"orientation"})
    upload_max_bytes: ClassVar[int | None] = 100 * MB

    def body(self, job: Job) -> dict[str, object]:
        """Send the page's flat body. Only some models have `resolution`; `ratio` overrides `orientation`."""
        has_field = job.model.resolution_in is Placement.FIELD
        return {
            "model": job.model.name,
            "prompt": job.prompt,
            "duration": stated(job, "duration"),
            "resolution": stated(job, "resolution") if has_field else None,
            "ratio": "Adaptive" if job.ratio == "adaptive" else job.ratio,
            "images": values(job.images),
            "first_image": value(job.first_frame),
            "last_image": value(job.last_frame),
            "reference_videos": values(job.videos),
            "reference_audios": values(job.audios),
        }

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read the id at one of the three places that the vendor's own tool looks at."""
        task, raw = find_id(reply.body, ("data.task_id", "data.id", "task_id"))
        return submitted(reply, task, raw, _complaint(reply))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read the task under `data`; in an older copy of the page the body is the task."""
        complaint = _complaint(reply)
        if reply.status == 404 and str(complaint):
            return base.NotFound(complaint.message)
        body = mapping(reply.body)
        record = mapping(body.get("data")) or ({} if "data" in body else body)
        if reply.status != 200 or complaint.code or "status" not in record:
            return poll_trouble(reply, complaint)
        return other_task(task, record.get("task_id")) or self._answer(record)

    def _answer(self, task: Mapping[str, object]) -> base.PollAnswer:
        message = first_words(task.get("error_message"), task.get("error_msg"))
        match self._word(task.get("status")):
            case "completed":
                url = link(at(task, "result.video_url"))
                if url is None:
                    return base.NoOutput(f"completed without a usable link: {quoted(at(task, 'result.video_url'))}")
                return base.Succeeded(url, life=float(self.settings.link_life))
            case "failed":
                return base.Failed(_cause(message), "failed", message, self.settings.failures_free)
            case "canceled" | "cancelled":
                return base.Cancelled(message)
            case status:
                return working(status, QUEUED, RUNNING, task.get("progress"))

    def upload(self, name: str, content_type: str) -> UploadAction:
        """Send one multipart form; the transport sets the name and type of the part."""
        return SendForm(self.settings.upload_path, "file")

    def read_upload(self, step: UploadAction, reply: Reply) -> UploadStep:
        """Read `data.url`, which is valid for about three days."""
        complaint = _complaint(reply)
        url = link(at(reply.body, "data.url"))
        if reply.status == 200 and not complaint.code and url is not None:
            return Hosted(url, float(self.settings.link_life))
        if complaint.refusal is Refusal.INPUT:
            return UploadRefused(str(complaint))
        return poll_trouble(reply, complaint)

    def balance(self) -> Request:
        """Ask for the account's balance."""
        return Request("GET", self.settings.balance_path)

    def read_balance(self, reply: Reply) -> Balance | base.PollTrouble:
        """Read `data.available`, in the vendor's coins."""
        complaint = _complaint(reply)
        available = at(reply.body, "data.available")
        if reply.status != 200 or complaint.code or not isinstance(available, int | float | str):
            return poll_trouble(reply, complaint)
        return Balance(words(available) or quoted(available))


def _cause(message: str) -> Refusal:
    folded = message.casefold()
    return next((refusal for text, refusal in _FAILURES if text.casefold() in folded), Refusal.INTERNAL)


def _complaint(reply: Reply) -> Complaint:
    """Read the envelope's code unless it is success; it is a refusal if the code, or else the status, is listed."""
    body = mapping(reply.body)
    code = code_text(body.get("code"))
    message = first_words(body.get("msg"), body.get("message"), body.get("error_msg"))
    if code in OK and reply.status == 200:
        return Complaint()
    return Complaint("" if code in OK else code, message, _refusal(reply, code, message))


def _refusal(reply: Reply, code: str, message: str) -> Refusal | None:
    if reply.status not in REFUSING | {200} or code in OK | UNCERTAIN:
        return None
    listed = judge(REFUSALS, code) or (STATUSES.get(reply.status) if code or message else None)
    cause = _cause(message)
    if listed is Refusal.INPUT and cause is not Refusal.INTERNAL:
        return cause
    return Refusal.ACCOUNT if listed and cause is Refusal.ACCOUNT else listed
