"""Whatever JSON comes back, a dialect answers within its union, and never with more than it can prove."""

from __future__ import annotations

import importlib
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provider_cases import FOLDERS

from reconciler.providers.base import (
    Accepted,
    Failed,
    NotFound,
    NotSent,
    PollAnswer,
    Rejected,
    Reply,
    SubmitAnswer,
    Succeeded,
    Unknown,
)
from reconciler.providers.capabilities import (
    Balances,
    Cancels,
    Hosted,
    Lists,
    PutBytes,
    TaskPage,
    Tokens,
    Uploads,
    UploadStep,
)
from reconciler.providers.error_codes import REFUSING
from reconciler.providers.registry import BUILT_IN, dialect

KEYS = [
    "code", "id", "task_id", "data", "msg", "message", "reason", "error", "status", "progress", "task", "extra", "url",
    "videos", "video_url", "video_url_ttl", "seed", "result", "content", "metadata", "output_url", "progress_desc",
    "unique_id", "err_msg", "error_message", "list", "page_info", "items", "total", "access_token", "expire_in",
    "sign_url", "file_id", "full_path", "mime_type", "available", "resi_total_bean", "usage", "total_tokens",
    "duration",
    "last_frame_url", "resolution", "ratio", "outputs", "motion_info", "create_time", "ref_img_url", "fail_reason",
]  # fmt: skip

FAILURES = {"failed", "Fail", "Error", "fail", "error", "FAILURE", "TASK_STATUS_FAILED", "TASK_FAILED", "expired"}

WORDS = [
    "queued", "running", "completed", "succeeded", "Success", "SUCCESS", "TASK_STATUS_SUCCEED", "cancelled", "", "0",
    "20000", "20001", "20002", "-1", "10400", "40000", "50000", "INVALID_REQUEST_BODY", "TASK_NOT_FOUND", "NotFound",
    "InvalidParameter.x", "task_not_exist", "t1", "https://m.example/v.mp4", "file:///etc/passwd", "a" * 10_000,
    "\ud800", "../..", "a b", "\x00", "..", *sorted(FAILURES),
]  # fmt: skip

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from([0, 200, 400, 10400, 20000, 40000, 50000])
    | st.text(max_size=20)
    | st.sampled_from(WORDS)
)
BODIES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
REPLIES = st.builds(
    Reply,
    st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 422, 425, 429, 499, 500, 502, 503, 504]),
    BODIES,
    st.fixed_dictionaries({}, optional={"retry-after": st.text(max_size=30), "date": st.text(max_size=30)}),
    st.text(max_size=50),
)

REMOTE = [kind for kind in FOLDERS if kind != "draft"]
each_kind = pytest.mark.parametrize("kind", FOLDERS)
hostile = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def members(union: Any) -> tuple[type, ...]:
    return tuple(get_args(union))


def texts(value: Any) -> set[str]:
    """Every text in a JSON value."""
    match value:
        case str():
            return {value}
        case dict():
            return set().union(*map(texts, value.values()))
        case list():
            return set().union(*map(texts, value))
    return set()


@each_kind
@hostile
@given(reply=REPLIES)
def test_a_submit_is_answered_within_what_can_be_proved(kind: str, reply: Reply):
    answer = dialect(kind).read_submit(reply)
    assert isinstance(answer, members(SubmitAnswer))
    assert not isinstance(answer, NotSent), "only a transport can know"
    if isinstance(answer, Accepted):
        assert answer.task in texts(reply.body)
        assert 0 < len(answer.task) <= 256 or kind == "draft"
        assert answer.task.isprintable() and answer.task.isascii() or kind == "draft"
    if isinstance(answer, Rejected) and kind != "draft":
        assert reply.status in REFUSING | {200}
        assert is_listed(kind, reply.status, answer)
    if isinstance(answer, Unknown | Rejected) and kind != "draft":
        assert len(answer.message) < 1000 and answer.message.isprintable()


def is_listed(kind: str, status: int, answer: Rejected) -> bool:
    """The code is in the kind's table of codes, or its status is in the table of statuses where a kind has one."""
    module = importlib.import_module(BUILT_IN[kind].split(":")[0])
    codes = any(row.covers(answer.code) for row in getattr(module, "REFUSALS", ()))
    return codes or status in getattr(module, "STATUSES", {})


@each_kind
@hostile
@given(reply=REPLIES)
def test_a_poll_is_answered_within_what_can_be_proved(kind: str, reply: Reply):
    answer = dialect(kind).read_poll("t1", reply)
    assert isinstance(answer, members(PollAnswer))
    assert isinstance(reply.body, dict) or not isinstance(answer, NotFound) or kind == "draft"
    if isinstance(answer, Failed):
        assert texts(reply.body) & FAILURES
    if isinstance(answer, Succeeded) and kind != "draft":
        assert answer.video.startswith(("https://", "http://"))
        assert reply.status == 200


@pytest.mark.parametrize("kind", REMOTE)
@hostile
@given(reply=REPLIES)
def test_what_only_some_vendors_have_never_raises(kind: str, reply: Reply):
    spoken = dialect(kind)
    if isinstance(spoken, Lists):
        page = spoken.read_list(reply)
        assert not isinstance(page, TaskPage) or all(item.task for item in page.tasks)
    if isinstance(spoken, Cancels):
        spoken.read_cancel(reply)
    if isinstance(spoken, Balances):
        spoken.read_balance(reply)
    if isinstance(spoken, Tokens):
        spoken.read_token(reply, 1.7e9)
    if isinstance(spoken, Uploads):
        step = spoken.upload("a.png", "image/png")
        for _ in range(3):
            found = spoken.read_upload(step, reply)
            assert isinstance(found, members(UploadStep))
            assert not isinstance(found, Hosted) or found.url.startswith("http")
            step = found if isinstance(found, PutBytes) else step


@each_kind
def test_a_number_past_the_digits_that_python_prints_is_read_all_the_same(kind: str):
    spoken, huge = dialect(kind), 10**5000
    reply = Reply(200, {"id": huge, "task_id": huge, "data": huge, "status": huge, "code": huge})
    assert not isinstance(spoken.read_submit(reply), Accepted)
    if kind != "draft":  # the draft vendor is this program itself
        spoken.read_poll("t1", reply)


@each_kind
def test_a_body_nested_past_the_stack_is_read_all_the_same(kind: str):
    body: Any = "end"
    for _ in range(200_000):
        body = [body]
    spoken = dialect(kind)
    for shape in (body, {"id": body, "task_id": body, "data": body, "status": body, "code": body, "error": body}):
        assert not isinstance(spoken.read_submit(Reply(200, shape)), Accepted)
        spoken.read_poll("t1", Reply(200, shape))
    while isinstance(body, list):  # taken apart by hand: freeing it whole would recurse as deep
        body = body.pop()


@each_kind
@pytest.mark.parametrize(
    "raw", ["", " ", "a b", "..", "\ud800", "é", "a\n", "a" * 257, 5, 5.0, True, None, [], ["t"], {}]
)
def test_an_id_that_cannot_be_used_is_not_an_id(kind: str, raw: Any):
    if kind == "draft":
        return
    answer = dialect(kind).read_submit(Reply(200, {"id": raw, "task_id": raw, "code": 0, "data": raw}))
    assert isinstance(answer, Unknown), answer
