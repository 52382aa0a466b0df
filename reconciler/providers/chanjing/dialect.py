"""Translate kind `chanjing`: Seedance 1.0 Lite; errors are HTTP 200 with a code, the balance is checked later.

Sources: the vendor's page (fields, codes, the bare id in `data`); its public command-line repository and documents
(hosts, token, poll, list, upload); other clients (status words beyond `Success`, balance words). The page shows the
frames in two spellings, `start_frame`/`end_frame` in its table and `ref_img_url` in its samples: `frame_style` chooses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, Pace, Refusal, Reply, Request, Scalar
from reconciler.providers.capabilities import (
    AskFirst,
    Balance,
    Coverage,
    Hosted,
    Listed,
    PutBytes,
    TaskPage,
    Token,
    UploadAction,
    UploadRefused,
    UploadStep,
)
from reconciler.providers.error_codes import REFUSING, Complaint, judge, other_task, poll_trouble, rows, submitted
from reconciler.providers.http_dialect import HttpDialect, present, stated, value
from reconciler.providers.replies import (
    at,
    code_text,
    first,
    first_words,
    integer,
    link,
    mapping,
    quoted,
    task_id,
    words,
    working,
)
from reconciler.providers.settings import Settings, setting

VIDEO = 4
"""`creation_type` of a submit and `type` of a list: video."""

QUEUED = frozenset({"queued", "ready"})
RUNNING = frozenset({"generating"})

# The page's codes. 50000 (internal error) is not listed: a task may exist. 10401 is a second token error, known from
# other clients.
REFUSALS = (
    *rows(Refusal.INPUT, "400", "40000"),
    *rows(Refusal.TOKEN, "10400", "10401"),
    *rows(Refusal.BUSY, "40001"),
)

NOTES = {"50000": "chanjing is reported to answer this to bad input, too, such as emoji in the prompt"}
"""What people should know about a code."""

NOT_CHARGED = "不消耗蝉豆"
"""Text in the message of a failure that cost no beans."""

BALANCE_WORDS = ("扣费失败", "余额不足", "蝉豆不足", "欠费", "insufficient balance")

READY, LOST_FILE = 1, {98: "its content was refused", 99: "it was deleted", 100: "it was cleared"}
"""States of an uploaded file."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_TOKEN = re.compile(r"[!-~]{1,8192}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanjingSettings(Settings):
    """Settings: facts that the vendor's page leaves open."""

    submit_path: str = "/open/v1/ai_creation/task/submit"
    poll_path: str = "/open/v1/ai_creation/task?unique_id={task}"
    list_path: str = setting("Path of the list of tasks.", "/open/v1/ai_creation/task/page")
    token_path: str = setting("Path of the request for a token.", "/open/v1/access_token")
    slot_path: str = setting("Path of the request for an upload slot.", "/open/v1/common/create_upload_url")
    file_path: str = setting("Path of an uploaded file's state.", "/open/v1/common/file_detail")
    balance_path: str = setting("Path of the account's balance.", "/open/v1/user_duration")
    auth_header: str = "access_token: {access_token}"
    default_model: str = "Doubao-Seedance-1.0-lite-i2v"
    frame_style: Literal["frames", "ref_img_url"] = setting(
        "How frames are sent: `start_frame` and `end_frame` as in the page's table, or one list as in its samples.",
        "frames",
    )
    shows_frames: bool = setting(
        "A task shows the frames of its request. If the first one shows none, the vendor ignores how they are sent, "
        "and the run submits no more.",
        True,
    )
    failures_free: bool = setting("The vendor's documents say that failed generations cost nothing.", True)
    list_complete: bool = setting(
        "True if a task that the list does not show was not accepted. The vendor's documents do not say so.", False
    )
    list_lag: int = setting("Seconds after which an accepted task is in a complete list (assumed).", 120)
    list_kept: int = setting("Seconds for which a complete list keeps a task (assumed).", 86_400)


class Chanjing(HttpDialect[ChanjingSettings]):
    """The translation of kind `chanjing`."""

    kind: ClassVar[str] = "chanjing"
    form = ChanjingSettings
    base_url: ClassVar[str] = "https://open-api.chanjing.cc"
    pace: ClassVar[Pace] = Pace(first_poll=10, poll_min=10, poll_max=30, requests_per_second=1 / 6, concurrency=5)
    catalogue: ClassVar[str] = "chanjing/models.yaml"
    credentials: ClassVar[tuple[tuple[str, ...], ...]] = (("access_token",), ("app_id", "secret_key"))
    also_reserved: ClassVar[frozenset[str]] = frozenset({"start_frame", "end_frame", "ref_img_url"})
    callback_field: ClassVar[str] = "callback"
    list_size: ClassVar[int] = 50
    echoes: ClassVar[frozenset[str]] = frozenset({"prompt", "duration"})  # its sample of a list, read in November 2026
    upload_max_bytes: ClassVar[int | None] = None
    token_margin: ClassVar[float] = 300.0

    def body(self, job: Job) -> dict[str, object]:
        """Send the page's body. `clarity` is a number, always sent: the default, 1080, costs more."""
        return {
            **self._frames(job),
            "ref_prompt": job.prompt,
            "creation_type": VIDEO,
            "aspect_ratio": job.ratio,
            "clarity": _clarity(str(stated(job, "resolution"))),
            "video_duration": stated(job, "duration"),
            "model_code": job.model.name,
        }

    def _frames(self, job: Job) -> dict[str, object]:
        frames = (value(job.first_frame), value(job.last_frame))
        if self.settings.frame_style == "ref_img_url":
            return {"ref_img_url": [frame for frame in frames if frame is not None]}
        return {"start_frame": frames[0], "end_frame": frames[1]}

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read `data`, the bare id. Beside an error code it must look like an id: it may be a text."""
        complaint = _complaint(reply)
        raw = mapping(reply.body).get("data")
        task = task_id(raw)
        success = reply.status == 200 and not complaint.code
        return submitted(reply, task if success or _UUID.match(task or "") else None, raw or None, complaint)

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read the task under `data`."""
        complaint = _complaint(reply)
        if reply.status != 200 or complaint.code:
            return poll_trouble(reply, complaint)
        body = mapping(reply.body)
        record = mapping(body.get("data"))
        if not record:
            empty = "data" in body and not body["data"]
            return base.NotFound("the provider shows no such task") if empty else poll_trouble(reply, complaint)
        return other_task(task, record.get("unique_id")) or self._answer(record)

    def _answer(self, task: Mapping[str, object]) -> base.PollAnswer:
        """Compare status words without case. After `Error` a retry may succeed, after `Fail` it will not."""
        status, message = self._word(task.get("progress_desc")), words(task.get("err_msg"))
        match status.casefold() if isinstance(status, str) else status:
            case "success":
                url = link(first(task.get("output_url")))
                if url is None:
                    return base.NoOutput(f"success without a usable link: {quoted(task.get('output_url'))}")
                return base.Succeeded(url, without_frames=self._without_frames(task))
            case "error" | "fail" as end:
                refusal = Refusal.INTERNAL if end == "error" else Refusal.INPUT
                if any(text in message.casefold() for text in BALANCE_WORDS):
                    refusal = Refusal.ACCOUNT
                return base.Failed(refusal, str(status), message, self.settings.failures_free or NOT_CHARGED in message)
            case "cancelled" | "canceled":
                return base.Cancelled(message)
            case folded:
                return replace(working(folded, QUEUED, RUNNING), without_frames=self._without_frames(task))

    def _without_frames(self, task: Mapping[str, object]) -> bool:
        """True if the task shows its frames in one of their spellings, and all that it shows are empty."""
        motion = mapping(task.get("motion_info"))
        frames = [task[name] for name in ("ref_img_url", "start_frame") if name in task]
        frames += [motion["photo_path_url"]] if "photo_path_url" in motion else []
        return bool(frames) and not any(frames)

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        """Ask for up to fifty tasks by id, or for the newest."""
        body = {"type": VIDEO, "page": page, "page_size": self.list_size, "unique_ids": list(tasks)}
        return Request("POST", self.settings.list_path, body=present(body))

    def read_list(self, reply: Reply) -> TaskPage | base.PollTrouble:
        """Read `data.list`; each item is a task object as in a poll."""
        complaint = _complaint(reply)
        items = at(reply.body, "data.list")
        if reply.status != 200 or complaint.code or not isinstance(items, list):
            return poll_trouble(reply, complaint)
        info = mapping(at(reply.body, "data.page_info"))
        total = next((n for key in ("total_count", "total") if (n := integer(info.get(key))) is not None), None)
        return TaskPage(tuple(self._listed(task, item) for item in items if (task := _listed_id(item))), total)

    def _listed(self, task: str, item: object) -> Listed:
        """Read one task and the parts of its request that it echoes; `create_time` is Unix seconds (assumed)."""
        record = mapping(item)
        motion = mapping(record.get("motion_info"))
        clarity = integer(motion.get("clarity"))
        echo: dict[str, Scalar | None] = {
            "prompt": _text(motion.get("ref_prompt")),
            "model": _text(record.get("model_code")),
            "duration": integer(motion.get("video_duration")),
            "resolution": None if clarity is None else f"{clarity}p",
            "ratio": _text(record.get("aspect_ratio")) or _text(motion.get("aspect_ratio")),
        }
        pictures = record.get("ref_img_url")
        media = tuple(url for url in pictures if isinstance(url, str)) if isinstance(pictures, list) else ()
        created = integer(record.get("create_time"))
        stated = {name: value for name, value in echo.items() if value is not None}
        return Listed(task, self._answer(record), None if created is None else float(created), stated, media)

    @property
    def shows_frames(self) -> bool:
        """True if a task shows the frames of its request."""
        return self.settings.shows_frames

    @property
    def coverage(self) -> Coverage | None:
        """The coverage of the list, if the settings declare it complete."""
        settings = self.settings
        return Coverage(settings.list_lag, settings.list_kept) if settings.list_complete else None

    def token_request(self, credentials: Mapping[str, str]) -> Request:
        """Exchange `app_id` and `secret_key` for a token, which invalidates the previous one."""
        body = {"app_id": credentials.get("app_id", ""), "secret_key": credentials.get("secret_key", "")}
        return Request("POST", self.settings.token_path, body=body)

    def read_token(self, reply: Reply, now: float) -> Token | base.Rejected | base.PollTrouble:
        """Read the token; `expire_in` is a point in time, but a small number is read as a span."""
        complaint = _complaint(reply)
        token = at(reply.body, "data.access_token")
        if reply.status == 200 and not complaint.code and isinstance(token, str) and _TOKEN.match(token):
            expires = integer(at(reply.body, "data.expire_in")) or 3600
            return Token(token, float(expires) if expires > 10**9 else now + expires)
        if complaint.refusal in (Refusal.INPUT, Refusal.TOKEN):
            return base.Rejected(Refusal.CREDENTIALS, complaint.code, complaint.message)
        # Without the body, which may hold the secret.
        trouble = str(complaint) or f"HTTP {reply.status} without a token"
        return base.PollTrouble(f"no access token: {trouble}")

    def upload(self, name: str, content_type: str) -> UploadAction:
        """Ask for a slot by the file's name; the reply states the content type that the PUT must have."""
        return AskFirst(Request("GET", self.settings.slot_path, (("service", "ai_creation"), ("name", name))))

    def read_upload(self, step: UploadAction, reply: Reply) -> UploadStep:
        """Read the slot, the PUT, then the file's state until it is ready (up to a minute). Its URL is `full_path`."""
        if isinstance(step, PutBytes):
            return self._file_state(step.file, step.hosted) if 200 <= reply.status < 300 else _put_failed(reply)
        complaint = _complaint(reply)
        data = mapping(at(reply.body, "data"))
        if reply.status != 200 or complaint.code or not data:
            return poll_trouble(reply, complaint)
        hosted = link(data.get("full_path")) or ""
        if isinstance(step, AskFirst) and step.file:
            return self._after_upload(step, integer(data.get("status")), hosted or step.hosted)
        url, file = link(data.get("sign_url")), task_id(data.get("file_id"))
        if url is None or file is None:
            return poll_trouble(reply, complaint)
        return PutBytes(url, words(data.get("mime_type")), file, hosted)

    def _file_state(self, file: str, hosted: str) -> AskFirst:
        return AskFirst(Request("GET", self.settings.file_path, (("id", file),)), wait=5.0, file=file, hosted=hosted)

    def _after_upload(self, step: AskFirst, state: int | None, hosted: str) -> UploadStep:
        if state == READY:
            return Hosted(hosted, 30 * 86_400.0) if hosted else UploadRefused("the file is ready, but has no link")
        if state in LOST_FILE:
            return UploadRefused(f"the provider does not keep the file: {LOST_FILE[state]}")
        return self._file_state(step.file, hosted)

    def balance(self) -> Request:
        """Ask for the account's balance."""
        return Request("GET", self.settings.balance_path)

    def read_balance(self, reply: Reply) -> Balance | base.PollTrouble:
        """Read `data.resi_total_bean`."""
        complaint = _complaint(reply)
        beans = at(reply.body, "data.resi_total_bean")
        if reply.status != 200 or complaint.code or not isinstance(beans, int | float | str):
            return poll_trouble(reply, complaint)
        return Balance(words(beans) or quoted(beans), "beans")


def _clarity(resolution: str) -> int | None:
    """Return a resolution as the number of its lines; a project may state one that the catalogue does not have."""
    return {"2k": 1440, "4k": 2160}.get(resolution) or integer(resolution.removesuffix("p"))


def _listed_id(item: object) -> str | None:
    return task_id(mapping(item).get("unique_id"))


def _text(value: object) -> str | None:
    """Return text unchanged, since it is compared with a request; None if it is not text or empty."""
    return value if isinstance(value, str) and value else None


def _put_failed(reply: Reply) -> base.PollTrouble:
    return base.PollTrouble(f"the upload answered HTTP {reply.status}")


def _complaint(reply: Reply) -> Complaint:
    """Read the envelope's code, unless it is 0."""
    body = mapping(reply.body)
    code = code_text(body.get("code"))
    if code == "0":
        return Complaint()
    refusal = judge(REFUSALS, code) if reply.status in REFUSING | {200} else None
    return Complaint(code, first_words(body.get("msg"), body.get("message")), refusal, NOTES.get(code, ""))
