"""Translate kinds `3hei` and `ark`: Seedance requests as content items, at a reseller and at the model's owner.

Sources: the 3hei page (content items, roles, modes, the bare `id`); the Ark SDK's types and Ark's documents for all
else (task object, list, cancel, errors). 3hei documents no poll path, no list and no cancel: the path is assumed, and
the other two are not offered. Parameters are sent as body fields only: the vendor parses switches inside the prompt
loosely and ignores wrong ones without an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Generic, Literal, TypeVar

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, MediaRef, Mode, Pace, Refusal, Reply, Request, Scalar
from reconciler.providers.capabilities import CancelRefused, Coverage, Listed, TaskPage
from reconciler.providers.error_codes import (
    REFUSING,
    SUCCESS,
    Complaint,
    ErrorCode,
    judge,
    other_task,
    poll_trouble,
    rows,
    submitted,
)
from reconciler.providers.http_dialect import HttpDialect, fill, stated
from reconciler.providers.replies import (
    at,
    code_text,
    find_id,
    first_link,
    first_words,
    integer,
    link,
    mapping,
    quoted,
    task_id,
    tokens_used,
    words,
    working,
)
from reconciler.providers.settings import Settings, setting

# Ark's error page, also of tasks that failed later. InternalServiceError (500) is not listed: a task may exist.
REFUSALS = (
    *rows(
        Refusal.INPUT,
        "MissingParameter",
        "InvalidParameter",
        "InvalidArgumentError",
        "InvalidImageURL",
        "InvalidEndpointOrModel",
        "NotFound",
        "TaskTypeConstraint",
        "TaskTypeMismatch",
        family=True,
    ),
    *rows(Refusal.INPUT, "ModelNotOpen", "UnsupportedModel", "OutofContextError"),
    *rows(
        Refusal.MODERATION,
        "InputTextSensitiveContentDetected",
        "InputImageSensitiveContentDetected",
        "InputVideoSensitiveContentDetected",
        "InputAudioSensitiveContentDetected",
        "OutputVideoSensitiveContentDetected",
        "OutputAudioSensitiveContentDetected",
        "SensitiveContentDetected",
        "InputTextRiskDetection",
        "InputImageRiskDetection",
        family=True,
    ),
    *rows(Refusal.CREDENTIALS, "AuthenticationError"),
    *rows(Refusal.ACCOUNT, "InvalidEndpoint.ClosedEndpoint", "AccountOverdueError", "AccessDenied"),
    *rows(Refusal.ACCOUNT, "InvalidAccountStatus", "SetLimitExceeded"),
    *rows(Refusal.ACCOUNT, "OperationDenied", family=True),
    *rows(Refusal.BUSY, "RateLimitExceeded", family=True),
    *rows(Refusal.BUSY, "ModelAccountRpmRateLimitExceeded", "ModelAccountTpmRateLimitExceeded", "ServerOverloaded"),
    *rows(Refusal.BUSY, "AccountRateLimitExceeded", "APIAccountRpmRateLimitExceeded"),
    *rows(Refusal.BUSY, "InflightBatchsizeExceeded", "RequestBurstTooFast"),
    # Three meanings: a full queue, which passes soon; a trial that is used up; the cap of a plan.
    ErrorCode("QuotaExceeded", Refusal.BUSY, phrases=("the request has exceeded the quota", "queue", "排队")),
    ErrorCode("QuotaExceeded", Refusal.ACCOUNT, family=True),
)

STATUSES: Mapping[int, Refusal] = {401: Refusal.CREDENTIALS, 402: Refusal.ACCOUNT, 404: Refusal.INPUT}
"""What a code that is not listed means at `3hei`, a gateway: by its HTTP status."""


EXPIRY = "execution_expires_after"
MARKS = range(172_801, 259_200)
"""Values of `EXPIRY` above the default of 172,800 s and below the largest. It shapes no video and costs nothing; a task
shows it as it was sent, also while it runs (real replies of 2.0 and 2.5, read in November 2026)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSettings(Settings):
    """Settings of both kinds."""

    marker: Literal["expires_after", "none"] = setting(
        f"`expires_after` sends an {EXPIRY} of its own with each request, by which a lost task is recognised; "
        "`none` for a gateway that refuses the field.",
        "expires_after",
    )

    link_life: int = setting("Seconds for which result links are valid: the owner's figure.", 86_400)
    id_at: tuple[str, ...] = setting(
        "Paths of the task id in the reply to a submit; the first usable one counts.", ("id",)
    )
    video_at: tuple[str, ...] = setting(
        "Paths of the link in a finished task: the owner's, then those of gateways.",
        ("content.video_url", "video_url", "url", "metadata.url"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeiSettings(ContentSettings):
    """Settings of kind `3hei`: facts that its page leaves open."""

    submit_path: str = "/v1/videos"
    poll_path: str = "/v1/videos/{task}"
    marker: Literal["expires_after", "none"] = "none"  # its page does not show the field
    default_model: str = "doubao-seedance-2-0"
    id_at: tuple[str, ...] = setting(
        "Paths of the task id in the reply to a submit; the first usable one counts. Its two published forms differ.",
        ("id", "task_id", "result.task_id", "result.id", "data.id", "data.task_id"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArkSettings(ContentSettings):
    """Settings of kind `ark`: facts of the official API; the other region has another `base_url`."""

    submit_path: str = "/contents/generations/tasks"
    poll_path: str = "/contents/generations/tasks/{task}"
    list_path: str = setting("Path of the list of tasks.", "/contents/generations/tasks")
    default_model: str = "doubao-seedance-2-0-260128"
    failures_free: bool = setting("Only tasks that succeed are billed.", True)
    list_complete: bool = setting(
        "True if a task that the list does not show was not accepted. The owner's page: the list has tasks of every "
        "status, up to the second of the request. Set false for a key that may see only some models.",
        True,
    )
    list_lag: int = setting(
        "Seconds after which an accepted task is in the list; the page names no delay, so this is caution.", 120
    )
    lists_per_second: float = setting("List requests a second that an account may make: the owner's limit.", 1.0)
    list_tiers: tuple[str, ...] = setting(
        "Service tiers that the list is read for; without the filter it hides tasks of tier `flex`. Empty: no filter. "
        "Without `flex` the list proves nothing about what it lacks.",
        ("default", "flex"),
    )
    list_models: tuple[str, ...] = setting(
        "Models that the list is read for: a custom key may need the filter. Such a list finds lost tasks, and proves "
        "nothing about what it lacks. Empty: no filter.",
        (),
    )
    list_kept: int = setting(
        "Seconds for which the list keeps a task: the owner's API pages say 7 days, its guide of 2025 says 24 hours.",
        86_400,
    )


T = TypeVar("T", bound=ContentSettings)


class ContentForm(HttpDialect[T], Generic[T]):
    """The translation that both kinds share."""

    pace: ClassVar[Pace] = Pace(
        first_poll=10, poll_min=10, poll_max=30, requests_per_second=1, concurrency=3, link_life=86_400
    )
    queued: ClassVar[frozenset[str]] = frozenset({"queued"})
    running: ClassVar[frozenset[str]] = frozenset({"running"})
    done: ClassVar[frozenset[str]] = frozenset({"succeeded"})
    # The vendor prefers it to the duration, which was priced.
    also_reserved: ClassVar[frozenset[str]] = frozenset({"frames"})
    refusals: ClassVar[tuple[ErrorCode, ...]] = REFUSALS
    statuses: ClassVar[Mapping[int, Refusal]] = {}

    def body(self, job: Job) -> dict[str, object]:
        """Send inputs as content items and parameters as body fields; always duration, resolution and audio. A final
        has the task of its draft in place of them, and states its own resolution if the model lets it choose."""
        if job.draft_task:
            states = len(job.model.draft_finals) > 1
            return {
                "model": job.model.name,
                "content": [{"type": "draft_task", "draft_task": {"id": job.draft_task}}],
                "resolution": job.resolution if states else None,
                "watermark": job.watermark if states else None,
                "return_last_frame": job.return_last_frame if states else None,
            }
        fields: dict[str, object] = {
            "model": job.model.name,
            "content": list(_content(job)),
            "resolution": stated(job, "resolution"),
            "ratio": job.ratio,
            "duration": stated(job, "duration"),
            "generate_audio": stated(job, "audio") if job.model.has_audio else None,
            "return_last_frame": job.return_last_frame,
            "seed": job.seed if job.model.seed_max is not None else None,
            "watermark": job.watermark,
            "camera_fixed": job.camera_fixed if job.model.has_camera_fixed else None,
        }
        if job.model.names_operation and job.mode in (Mode.EDIT, Mode.EXTEND):
            fields["omni_reference_task_type"] = job.options.get("omni_reference_task_type", job.mode.value)
        if job.tier:  # not with the others, which no option may set
            fields["service_tier"] = job.tier
        return fields if job.expires_after is None else {**fields, EXPIRY: job.expires_after}

    def marks(self, job: Job) -> range:
        """Return the values for `EXPIRY`; empty if it is switched off, if the user sets the field, or for a final."""
        is_sent = self.settings.marker == "expires_after" and EXPIRY not in job.options and not job.draft_task
        return MARKS if is_sent else range(0)

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read `{"id"}`, the whole reply."""
        task, raw = find_id(reply.body, self.settings.id_at)
        return submitted(reply, task, raw, self._complaint(reply))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read the task object, also inside an envelope as some resellers send it."""
        complaint = self._complaint(reply)
        if reply.status == 404 and str(complaint):
            return base.NotFound(str(complaint))
        record = _task_object(reply.body)
        if reply.status != 200 or not record:
            return poll_trouble(reply, complaint)
        return other_task(task, record.get("id"), record.get("task_id")) or self._answer(record)

    def _answer(self, task: Mapping[str, object]) -> base.PollAnswer:
        status = self._word(task.get("status"))
        if isinstance(status, str) and status in self.done:
            return self._result(task)
        code, message = code_text(at(task, "error.code")), first_words(at(task, "error.message"), task.get("error"))
        match status:
            case "failed":
                refusal = judge(self.refusals, code, message) or Refusal.INTERNAL
                return base.Failed(refusal, code or "failed", message, self.settings.failures_free)
            case "expired":
                reason = message or "it exceeded the provider's time limit for a task"
                return base.Failed(Refusal.INTERNAL, "expired", reason, self.settings.failures_free)
            case "cancelled":
                return base.Cancelled(message)
            case _:
                return working(status, self.queued, self.running, task.get("progress"))

    def _result(self, task: Mapping[str, object]) -> base.Succeeded | base.NoOutput:
        """Read the result. Values that the server chose (`-1`, `adaptive`) go on record; they are not drift."""
        url = first_link(task, self.settings.video_at)
        if url is None:
            return base.NoOutput(f"succeeded without a usable link: {quoted(task.get('content'))}")
        names = {"model": "model", "resolution": "resolution", "ratio": "ratio", "tier": "service_tier"}
        actual = {name: text for name, member in names.items() if (text := words(task.get(member)))}
        seconds = integer(task.get("duration"))
        return base.Succeeded(
            url,
            link(at(task, "content.last_frame_url")),
            float(self.settings.link_life),
            integer(task.get("seed")),
            tokens_used(mapping(task.get("usage")), "total_tokens", "completion_tokens"),
            actual if seconds is None else {**actual, "duration": seconds},
        )

    def _complaint(self, reply: Reply) -> Complaint:
        """Read `{error: {code, message}}`; also `{code, message}` and `{code, info}`, as gateways send it."""
        body = mapping(reply.body)
        error = body.get("error")
        success = code_text(body.get("code")) in SUCCESS and not error
        if reply.status == 200 and ("status" in _task_object(body) or success):
            return Complaint()
        code = code_text(at(error, "code")) or code_text(body.get("code"))
        message = first_words(at(error, "message"), body.get("message"), body.get("info"), error)
        listed = judge(self.refusals, code, message) if reply.status in REFUSING else None
        return Complaint(code, message, listed or (self.statuses.get(reply.status) if code or message else None))


class Hei(ContentForm[HeiSettings]):
    """The translation of kind `3hei`."""

    kind: ClassVar[str] = "3hei"
    form = HeiSettings
    base_url: ClassVar[str] = "https://api.3hei.com"
    catalogue: ClassVar[str] = "ark/models_3hei.yaml"
    refusals = (*REFUSALS, *rows(Refusal.ACCOUNT, "insufficient_user_quota"))
    statuses = STATUSES
    # With the status words of gateways like 3hei (assumed).
    queued = ContentForm.queued | {"pending", "submitted", "created"}
    running = ContentForm.running | {"in_progress", "processing"}
    done = ContentForm.done | {"completed", "success"}


class Ark(ContentForm[ArkSettings]):
    """The translation of kind `ark`, which also lists tasks and cancels queued ones."""

    kind: ClassVar[str] = "ark"
    form = ArkSettings
    base_url: ClassVar[str] = "https://ark.cn-beijing.volces.com/api/v3"
    regions: ClassVar[tuple[str, ...]] = ("https://ark.ap-southeast.bytepluses.com/api/v3",)
    catalogue: ClassVar[str] = "ark/models.yaml"
    callback_field: ClassVar[str] = "callback_url"
    list_size: ClassVar[int] = 100  # a page may hold 500, but 500 ids do not fit into a URL

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        """Repeat `filter.task_ids` for each id."""
        query = [("page_num", str(page)), ("page_size", str(self.list_size))]
        query += [("filter.task_ids", task) for task in tasks]
        return Request("GET", self.settings.list_path, tuple(query))

    @property
    def lists_per_second(self) -> float:
        """The owner's limit of list requests for an account."""
        return self.settings.lists_per_second

    @property
    def list_filters(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """One reading for each service tier and model."""
        tiers = [[("filter.service_tier", tier)] for tier in self.settings.list_tiers]
        models = [[("filter.model", model)] for model in self.settings.list_models]
        return tuple((*tier, *model) for tier in tiers or [[]] for model in models or [[]])

    def read_list(self, reply: Reply) -> TaskPage | base.PollTrouble:
        """Read `{total, items}`; each item is a task object."""
        items = mapping(reply.body).get("items")
        if reply.status != 200 or not isinstance(items, list):
            return poll_trouble(reply, self._complaint(reply))
        tasks = tuple(self._listed(task, mapping(item)) for item in items if (task := task_id(at(item, "id"))))
        return TaskPage(tasks, integer(at(reply.body, "total")))

    def _listed(self, task: str, item: Mapping[str, object]) -> Listed:
        """Read one task. It has no prompt; `EXPIRY` is as sent, and so are the draft's task of a final, and the seed if
        the model takes one."""
        audio, created = item.get("generate_audio"), integer(item.get("created_at"))
        echo: dict[str, Scalar | None] = {
            **{name: words(item.get(name)) or None for name in ("model", "resolution", "ratio")},
            **{name: integer(item.get(name)) for name in ("duration", "seed")},
            "expires_after": integer(item.get(EXPIRY)),
            "draft_task": words(item.get("draft_task_id")) or None,
            "audio": audio if isinstance(audio, bool) else None,
        }
        stated = {name: value for name, value in echo.items() if value is not None}
        return Listed(task, self._answer(item), None if created is None else float(created), stated)

    @property
    def coverage(self) -> Coverage | None:
        """The coverage of the list, if the settings declare it complete and leave out no model and no tier: which one a
        lost request was for is in no key."""
        settings = self.settings
        is_whole = settings.list_complete and not settings.list_models and "flex" in settings.list_tiers
        return Coverage(settings.list_lag, settings.list_kept) if is_whole else None

    def cancel(self, task: str) -> Request:
        """Send DELETE, which cancels a queued task but erases a finished one: poll first (never-pay-twice#f55)."""
        return fill("DELETE", self.settings.poll_path, {"task": task})

    def read_cancel(self, reply: Reply) -> base.Cancelled | CancelRefused | base.NotFound | base.PollTrouble:
        """Read `{}` for a cancelled task; a running or cancelled one is refused."""
        complaint = self._complaint(reply)
        if reply.status in (200, 204):
            return base.Cancelled()
        if reply.status == 404 and str(complaint):
            return base.NotFound(str(complaint))
        trouble = poll_trouble(reply, complaint)
        if trouble.refusal is None and reply.status in (400, 403, 409):
            return CancelRefused(str(complaint) or trouble.message)
        return trouble


def _content(job: Job) -> Iterator[dict[str, object]]:
    """Yield the text, then the media in a fixed order. Each picture has a role: one without is a first frame."""
    if job.prompt:
        yield {"type": "text", "text": job.prompt}
    frames = ((job.first_frame, "first_frame"), (job.last_frame, "last_frame"))
    yield from (_item("image", ref, role) for ref, role in frames if ref is not None)
    for sort, refs in (("image", job.images), ("video", job.videos), ("audio", job.audios)):
        yield from (_item(sort, ref, f"reference_{sort}") for ref in refs)


def _item(sort: str, ref: MediaRef, role: str) -> dict[str, object]:
    name = f"{sort}_url"
    return {"type": name, name: {"url": ref.value}, "role": role}


def _task_object(body: object) -> Mapping[str, object]:
    """Return the object with a status: the body, or the content of an envelope; empty without one."""
    objects = (mapping(body), mapping(at(body, "data")), mapping(at(body, "result")))
    return next((candidate for candidate in objects if "status" in candidate), {})
