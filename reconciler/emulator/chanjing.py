"""Emulate kind `chanjing`: Doubao Seedance 1.0 Lite.

Sources: the seed page; the vendor's tools for tokens, list, upload and balance. Errors come with HTTP 200 and the
page's sentences. Decided here: a wrong type or a missing field is 400; a wrong value or a missing task or file is
40000; a task that fails with code `Error` may be retried, any other is `Fail`; `start_frame`/`end_frame` and
`ref_img_url` exclude each other; a file is ready as soon as it is uploaded; a task of an account without beans is
accepted and fails later.
"""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from reconciler.emulator.checks import Broken, Field, Type, Why, check_fields
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Fail, IgnoreFrames, Phase
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import BROKE, WRONG, Endpoint, Order, Vendor, json_body, text, texts, whole
from reconciler.emulator.world import Seen, Stage, Task, Upload, World, new_id

_FIELDS: Final = {
    "ref_prompt": Field(Type.TEXT, required=True),
    "creation_type": Field(Type.WHOLE, required=True, choices=(4,)),
    "model_code": Field(Type.TEXT, required=True),
    "video_duration": Field(Type.WHOLE, required=True),
    "start_frame": Field(Type.TEXT),
    "end_frame": Field(Type.TEXT),
    "ref_img_url": Field(Type.TEXTS),
    "aspect_ratio": Field(Type.TEXT, choices=("9:16", "16:9", "1:1")),
    "clarity": Field(Type.WHOLE, choices=(720, 1080)),
    "callback": Field(Type.TEXT),
}

_LIST: Final = {
    "type": Field(Type.WHOLE, required=True, choices=(3, 4)),
    "page": Field(Type.WHOLE, required=True, lowest=1, highest=1_000_000),
    "page_size": Field(Type.WHOLE, required=True, lowest=1, highest=50),
    "unique_ids": Field(Type.TEXTS),
    "is_success": Field(Type.FLAG),
}

_TOKEN: Final = {"app_id": Field(Type.TEXT, required=True), "secret_key": Field(Type.TEXT, required=True)}

_SENTENCES: Final = {
    "400": "传入参数格式错误",
    "10400": "AccessToken 验证失败",
    "40000": "参数错误",
    "40001": "超出 QPS 限制",
    "50000": "系统内部错误",
}

_TOKEN_LIFE: Final = 86_400
_SLOT_LIFE: Final = 900.0
_FUNDS: Final = 1_000_000
_NO_BEANS: Final = Fail(code="Fail", message="蝉豆不足,扣费失败")


@dataclass(slots=True)
class _Token:
    value: str
    account: str
    expires: float


class Chanjing(Vendor):
    """Kind `chanjing`. The account is the application, prefixed with `broke-` if its secret is."""

    kind: ClassVar[str] = "chanjing"
    id_path: ClassVar[tuple[str, ...]] = ("data",)
    busy: ClassVar[str] = "40001"
    model_field: ClassVar[str] = "model_code"
    callback_field: ClassVar[str] = "callback"
    no_task = ("40000", "任务不存在")  # as a wrong value
    no_address = ("404", "404 page not found", 404)
    moderated: ClassVar[tuple[str, str]] = ("Fail", "内容审核未通过")
    stages: ClassVar[Mapping[Stage, str]] = {
        Stage.QUEUED: "Queued",
        Stage.RUNNING: "Generating",
        Stage.DONE: "Success",
        Stage.FAILED: "Fail",
        Stage.CANCELLED: "Cancelled",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._tokens: dict[str, _Token] = {}  # by application: a new one invalidates the old one

    def endpoints(self) -> Sequence[Endpoint]:
        """Return token, submit, poll, list, upload and balance."""
        stem = "/open/v1"
        return (
            Endpoint("POST", f"{stem}/access_token", Phase.TOKEN, self.token),
            Endpoint("POST", f"{stem}/ai_creation/task/submit", Phase.SUBMIT, self.submit),
            Endpoint("GET", f"{stem}/ai_creation/task", Phase.POLL, self.poll),
            Endpoint("POST", f"{stem}/ai_creation/task/page", Phase.LIST, self.list),
            Endpoint("GET", f"{stem}/common/create_upload_url", Phase.UPLOAD, self.slot),
            Endpoint("GET", f"{stem}/common/file_detail", Phase.UPLOAD, self.detail),
            Endpoint("GET", f"{stem}/user_duration", Phase.BALANCE, self.balance),
        )

    def authenticate(self, call: Call) -> str:
        """Return the account of the token in the header `access_token`."""
        value = call.headers.get("access_token", "")
        for token in self._tokens.values():
            if token.value == value and self.world.now() < token.expires:
                return token.account
        raise Refused(self.refusal("10400", _SENTENCES["10400"]))

    async def token(self, call: Call) -> Answer:
        """Answer a token; `expire_in` is a point in time."""
        fields = self._checked(call, _TOKEN)
        app, secret = str(fields["app_id"]), str(fields["secret_key"])
        if secret.startswith(WRONG) or app.startswith(WRONG):
            raise Refused(self.refusal("40000", "app_id 或 secret_key 错误"))
        account = BROKE + app if secret.startswith(BROKE) else app
        token = self._tokens[app] = _Token(secrets.token_hex(16), account, self.world.now() + _TOKEN_LIFE)
        return _enveloped({"access_token": token.value, "expire_in": int(token.expires)})

    def order(self, call: Call, account: str) -> Order:
        """Check the page's table."""
        body = check_fields(json_body(call), _FIELDS)
        model = self.models.get(str(body["model_code"]))
        if model is None:
            raise Broken("model_code", Why.MODEL, f"模型不存在 {body['model_code']}")
        start, end = text(body, "start_frame"), text(body, "end_frame")
        pair = texts(body, "ref_img_url")
        if pair and (start or end):
            raise Broken("ref_img_url", Why.RULE, "ref_img_url 与 start_frame/end_frame 不可同时使用")
        if len(pair) > 2:
            raise Broken("ref_img_url", Why.VALUE, "ref_img_url 最多两张")
        clarity = whole(body, "clarity")
        wanted = Wanted(
            model,
            prompt=text(body, "ref_prompt") or "",
            duration=whole(body, "video_duration"),
            resolution=f"{clarity}p" if clarity is not None else None,
            ratio=text(body, "aspect_ratio"),
            first=pair[0] if pair else start,
            last=pair[1] if len(pair) == 2 else end,
            names={"prompt": "ref_prompt", "duration": "video_duration", "first": "start_frame", "last": "end_frame"},
            more_schemes=frozenset({"http"}),  # "URL"
        )
        fate = _NO_BEANS if account.startswith(BROKE) else None
        return Order(wanted, self.shape(wanted, audio=False), body, fate)

    async def list(self, call: Call) -> Answer:
        """Answer one page of tasks, newest first."""
        account = self.authenticate(call)
        fields = self._checked(call, _LIST)
        ids, page, size = texts(fields, "unique_ids"), whole(fields, "page") or 1, whole(fields, "page_size") or 1
        if len(ids) > 50:
            raise Refused(self.refusal("40000", "unique_ids 最多 50 个"))
        tasks = self.listed(call, account, ids) if fields["type"] == 4 else []
        if "is_success" in fields:
            tasks = [task for task in tasks if (self.world.progress(task)[0] is Stage.DONE) is fields["is_success"]]
        rows = [self._document(task, self.look(task, call)) for task in tasks[(page - 1) * size : page * size]]
        pages = {"page": page, "page_size": size, "total_count": len(tasks), "total_page": -(-len(tasks) // size)}
        return _enveloped({"list": rows, "page_info": pages})

    async def slot(self, call: Call) -> Answer:
        """Answer an upload slot, valid for 15 minutes and only for the content type that it states."""
        account = self.authenticate(call)
        name = (call.asked("name") or "").replace("/", "_")
        if not name or call.asked("service") != "ai_creation":
            raise Refused(self.refusal("40000", _SENTENCES["40000"]))
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        upload = Upload(new_id(), self.kind, account, name, mime)
        self.world.uploads[upload.id] = upload
        path = f"/u/{upload.id}/{name}"
        return _enveloped(
            {
                "sign_url": self.world.link(path, self.world.now() + _SLOT_LIFE),
                "mime_type": mime,
                "file_id": upload.id,
                "full_path": self._full_path(upload),
            }
        )

    async def detail(self, call: Call) -> Answer:
        """Answer the state of a file: 1 once it is uploaded."""
        account = self.authenticate(call)
        upload = self.world.uploads.get(call.asked("id") or "")
        if upload is None or upload.account != account:
            raise Refused(self.refusal("40000", "文件不存在"))
        status = 0 if upload.path is None else 1
        data = {"id": upload.id, "name": upload.name, "status": status, "size": upload.size}
        return _enveloped({**data, "full_path": self._full_path(upload)})

    async def balance(self, call: Call) -> Answer:
        """Answer the balance in beans."""
        beans = 0 if self.authenticate(call).startswith(BROKE) else _FUNDS
        return _enveloped({"resi_total_bean": beans, "bean_day30": 0})

    def submitted(self, task: Task) -> Answer:
        """Answer the bare id."""
        return _enveloped(task.id)

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the task under `data`."""
        return _enveloped(self._document(task, seen)).body

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Answer HTTP 200 with a number in the body."""
        number: object = int(code) if code.lstrip("-").isdigit() else code
        return Answer(status or 200, {"trace_id": secrets.token_hex(16), "code": number, "msg": message})

    def broken(self, fault: Broken) -> Answer:
        """Refuse with one of the page's two codes: for a wrong form, or for a wrong value."""
        form = fault.why in (Why.TYPE, Why.MISSING, Why.UNKNOWN)
        code = "400" if form else "40000"
        return self.refusal(code, f"{_SENTENCES[code]}: {fault.message}")

    def _checked(self, call: Call, table: Mapping[str, Field]) -> dict[str, object]:
        try:
            return check_fields(json_body(call), table)
        except Broken as fault:
            raise Refused(self.broken(fault)) from fault

    def _full_path(self, upload: Upload) -> str:
        return f"{self.world.media}/u/{upload.id}/{upload.name}"

    def _document(self, task: Task, seen: Seen) -> dict[str, object]:
        body = task.request
        sent: dict[str, object] = {} if isinstance(task.fate, IgnoreFrames) else body
        frames = texts(sent, "ref_img_url") or [sent[name] for name in ("start_frame", "end_frame") if name in sent]
        return {
            "id": task.number,
            "unique_id": seen.id,
            "create_time": int(task.taken),
            "type": 4,
            "progress_desc": seen.code if seen.code == "Error" and not seen.word else self.word(seen),
            "err_msg": seen.message,
            "aspect_ratio": task.shape.ratio,
            "output_url": [seen.video] if seen.stage is Stage.DONE and seen.video else [],
            "ref_img_url": list(frames),
            "model_code": task.model,
            "model_name": task.model,
            "photo_info": None,
            "motion_info": {
                "photo_path_url": frames[0] if frames else "",
                "ref_prompt": body.get("ref_prompt"),
                "clarity": body.get("clarity", 1080),
                "quality_mode": "",
                "style": "",
                "aspect_ratio": task.shape.ratio,
                "video_duration": body.get("video_duration"),
            },
        }


def _enveloped(data: object) -> Answer:
    return Answer(200, {"trace_id": secrets.token_hex(16), "code": 0, "msg": "success", "data": data})
