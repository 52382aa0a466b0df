"""Emulate kind `jimmyai`: all models of `/api/open-api/v1/seedance/videos`.

Sources: the seed page; the vendor's documents for the envelope. Decided here, since the pages do not say: errors come
with HTTP 200 and their code in the body, except 401 (key), 404 (task) and 429 (rate limit); a request without balance
is `20002` with a message about the balance; `resolution` is refused by models without it; models that accept reference
audio produce sound. Not emulated: the libraries of audited assets; every `asset://` id counts as active.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes
from email.policy import HTTP
from typing import ClassVar, Final

from reconciler.emulator.checks import Broken, Field, Type, Why, check_fields
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Phase
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import BROKE, Endpoint, Order, Vendor, json_body, text, texts, whole
from reconciler.emulator.world import Seen, Stage, Task, Upload, new_id

_FIELDS: Final = {
    "model": Field(Type.TEXT, required=True),
    "prompt": Field(Type.TEXT, required=True),
    "duration": Field(Type.WHOLE, required=True),
    "resolution": Field(Type.TEXT, choices=("480p", "720p", "1080p")),
    "orientation": Field(Type.TEXT, choices=("landscape", "portrait")),
    "ratio": Field(Type.TEXT),
    "images": Field(Type.TEXTS),
    "first_image": Field(Type.TEXT),
    "last_image": Field(Type.TEXT),
    "reference_videos": Field(Type.TEXTS),
    "reference_audios": Field(Type.TEXTS),
}

_NAMES: Final = {
    "first": "first_image",
    "last": "last_image",
    "videos": "reference_videos",
    "audios": "reference_audios",
}

_OK: Final = "20000"
_STATUS: Final = {"20001": 401, "429": 429}
_FUNDS: Final = 1_000_000
_MOST_BYTES: Final = 100 << 20
_LIFE: Final = 3 * 86_400.0


class Jimmyai(Vendor):
    """Kind `jimmyai`."""

    kind: ClassVar[str] = "jimmyai"
    link_life: ClassVar[float] = _LIFE
    id_path: ClassVar[tuple[str, ...]] = ("data", "task_id")
    busy: ClassVar[str] = "429"
    bad_key: ClassVar[tuple[str, str]] = ("20001", "unauthorized: invalid api key")
    no_task = ("20002", "task not found", 404)  # with the code of a bad request
    no_address = ("20002", "no such address", 404)
    moderated: ClassVar[tuple[str, str]] = ("PROVIDER_MODERATION_ERROR", "PROVIDER_MODERATION_ERROR: TRADEMARK")
    stages = {**Vendor.stages, Stage.RUNNING: "processing", Stage.DONE: "completed"}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return submit, poll, both balances and upload."""
        stem = "/api/open-api/v1"
        return (
            Endpoint("POST", f"{stem}/seedance/videos", Phase.SUBMIT, self.submit),
            Endpoint("GET", f"{stem}/videos/{{task_id}}", Phase.POLL, self.poll),
            Endpoint("GET", f"{stem}/user/balance", Phase.BALANCE, self.balance),
            Endpoint("GET", f"{stem}/key/balance", Phase.BALANCE, self.quota),
            Endpoint("POST", f"{stem}/files/upload", Phase.UPLOAD, self.upload),
        )

    def order(self, call: Call, account: str) -> Order:
        """Check the page's fields, then the model's rules."""
        body = check_fields(json_body(call), _FIELDS)
        model = self.models.get(str(body["model"]))
        if model is None:
            raise Broken("model", Why.MODEL, f"unsupported model: {body['model']}")
        if account.startswith(BROKE):
            raise Refused(self.refusal("20002", "insufficient balance, please top up"))
        ratio = text(body, "ratio")
        if ratio == "adaptive":
            raise Broken("ratio", Why.VALUE, "`ratio`: the page spells it Adaptive")
        portrait = body.get("orientation") == "portrait" and ratio is None
        wanted = Wanted(
            model,
            prompt=text(body, "prompt") or "",
            duration=whole(body, "duration"),
            resolution=text(body, "resolution"),
            ratio="adaptive" if ratio == "Adaptive" else ratio,
            first=text(body, "first_image") or None,
            last=text(body, "last_image") or None,
            images=tuple(filter(None, texts(body, "images"))),  # "non-empty ones" are counted
            videos=texts(body, "reference_videos"),
            audios=texts(body, "reference_audios"),
            names=_NAMES,
        )
        shape = self.shape(replace(wanted, ratio="9:16") if portrait else wanted, audio=model.max_audios > 0)
        return Order(wanted, shape, body)

    async def balance(self, call: Call) -> Answer:
        """Answer the user's balance, less the charges in the ledger."""
        account = self.authenticate(call)
        used = self._used(account)
        total = 0 if account.startswith(BROKE) else _FUNDS
        return _enveloped({"balance": total, "used_coin": used, "available": max(0, total - used)})

    async def quota(self, call: Call) -> Answer:
        """Answer the key's own quota: unlimited."""
        used = self._used(self.authenticate(call))
        quota = {"total_quota": 0, "used_quota": used, "available_quota": 0}
        return _enveloped({"name": "emulated", **quota, "unlimited": True})

    async def upload(self, call: Call) -> Answer:
        """Accept one file in the multipart field `file`; its link is valid for three days. The code is a number."""
        account = self.authenticate(call)
        name, mime, content = _file(call) or ("", "", b"")
        if not name:
            raise Refused(self.refusal("20002", "the multipart field `file` is required"))
        if len(content) > _MOST_BYTES:
            raise Refused(self.refusal("20002", "a file has at most 100 MB"))
        upload = Upload(new_id(), self.kind, account, name, mime)
        self.world.store_upload(upload, content)
        self.world.uploads[upload.id] = upload
        url = self.world.link(f"/u/{upload.id}/{name}", self.world.now() + _LIFE)
        data = {"url": url, "filename": name, "size": len(content), "mime_type": mime}
        return Answer(200, {"code": 20000, "msg": "ok", "data": data})

    def submitted(self, task: Task) -> Answer:
        """Answer the task id; the code is text here."""
        data = {"task_id": task.id, "status": "queued", "model": task.model, "created_at": _time(task.taken)}
        return _enveloped(data)

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the task under `data`."""
        data = {
            "task_id": seen.id,
            "status": self.word(seen),
            "progress": seen.progress,
            "model": task.model,
            "created_at": _time(task.taken),
            "completed_at": _time(task.ended) if task.ended else None,
            "result": {"video_url": seen.video, "image_url": None} if seen.stage is Stage.DONE else None,
            "error_message": seen.message or seen.code or None,
        }
        return {"code": _OK, "msg": "ok", "data": data}

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Answer the code in the body."""
        return Answer(status or _STATUS.get(code, 200), {"code": code, "msg": message, "data": None})

    def broken(self, fault: Broken) -> Answer:
        """Refuse with the one code for every bad request."""
        return self.refusal("20002", fault.message)

    def _used(self, account: str) -> int:
        tasks = self.world.newest_first(self.kind, account)
        return int(sum((task.charge.amount for task in tasks), Decimal(0)))


def _enveloped(data: Mapping[str, object]) -> Answer:
    return Answer(200, {"code": _OK, "msg": "ok", "data": data})


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _file(call: Call) -> tuple[str, str, bytes] | None:
    """Return name, type and content of the multipart field `file`; None without one."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return None
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.content, policy=HTTP)
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            name = (part.get_filename() or "").replace("/", "_")
            return (name, part.get_content_type(), content) if isinstance(content, bytes) and name else None
    return None
