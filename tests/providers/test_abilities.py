"""Lists, cancels, uploads, balances and tokens of the vendors that have them; shapes by their pages and documents."""

from __future__ import annotations

import pytest

from reconciler.providers.ark.dialect import Ark
from reconciler.providers.base import (
    Cancelled,
    NotFound,
    PollTrouble,
    Refusal,
    Rejected,
    Reply,
    Request,
    Succeeded,
    Working,
)
from reconciler.providers.capabilities import (
    AskFirst,
    Balance,
    Balances,
    CancelRefused,
    Cancels,
    Hosted,
    Listed,
    Lists,
    NamesTasks,
    PollsInSteps,
    PutBytes,
    SendForm,
    SpokenOverHttp,
    TaskPage,
    Token,
    Tokens,
    UploadRefused,
    Uploads,
)
from reconciler.providers.chanjing.dialect import Chanjing
from reconciler.providers.jimmyai.dialect import JimmyAI
from reconciler.providers.registry import dialect, kinds


@pytest.mark.parametrize(
    ("ability", "having"),
    [
        (Lists, {"ark", "chanjing", "fal"}),
        (Cancels, {"ark", "fal"}),
        (PollsInSteps, {"fal"}),
        (NamesTasks, {"fal"}),
        (Uploads, {"chanjing", "jimmyai"}),
        (Balances, {"chanjing", "jimmyai"}),
        (Tokens, {"chanjing"}),
        (SpokenOverHttp, {"3hei", "ark", "chanjing", "fal", "jiekou", "jimmyai", "uniall"}),
    ],
)
def test_who_can_do_what(ability: type, having: set[str]):
    assert {kind for kind in kinds() if isinstance(dialect(kind), ability)} == having


# Lists ---------------------------------------------------------------------------------------


def test_chanjing_asks_for_fifty_ids_in_one_call():
    spoken = Chanjing({})
    assert spoken.list_size == 50
    assert spoken.list_tasks(["a", "b"]) == Request(
        "POST",
        "/open/v1/ai_creation/task/page",
        body={"type": 4, "page": 1, "page_size": 50, "unique_ids": ["a", "b"]},
    )
    assert spoken.list_tasks(page=3).body == {"type": 4, "page": 3, "page_size": 50}


def test_chanjing_echoes_the_request_in_its_list():
    item = {
        "unique_id": "a",
        "create_time": 1763715600,
        "progress_desc": "Success",
        "output_url": ["https://m.example/v.mp4"],
        "model_code": "Doubao-Seedance-1.0-lite-i2v",
        "aspect_ratio": "9:16",
        "ref_img_url": ["https://res.example/start.jpg"],
        "motion_info": {"ref_prompt": "镜头缓慢推进", "clarity": 1080, "video_duration": 5},
    }
    body = {
        "code": 0,
        "data": {"list": [item, {"unique_id": "b", "progress_desc": "Queued"}, {}], "page_info": {"total_count": 2}},
    }
    echo = {
        "prompt": "镜头缓慢推进",
        "model": "Doubao-Seedance-1.0-lite-i2v",
        "duration": 5,
        "resolution": "1080p",
        "ratio": "9:16",
    }
    assert Chanjing({}).read_list(Reply(200, body)) == TaskPage(
        (
            Listed("a", Succeeded("https://m.example/v.mp4"), 1763715600.0, echo, ("https://res.example/start.jpg",)),
            Listed("b", Working(queued=True)),
        ),
        2,
    )


def test_ark_repeats_the_filter_for_each_id():
    assert Ark({}).list_tasks(["a", "b"], page=2) == Request(
        "GET",
        "/contents/generations/tasks",
        (("page_num", "2"), ("page_size", "100"), ("filter.task_ids", "a"), ("filter.task_ids", "b")),
    )


def test_ark_reads_its_list_for_each_tier_and_for_each_model_that_a_key_needs():
    models = ("doubao-seedance-2-0-260128", "ep-1")
    assert Ark({"list_models": models}).list_filters == tuple(
        (("filter.service_tier", tier), ("filter.model", model)) for tier in ("default", "flex") for model in models
    )
    assert Ark({"list_models": models[:1], "list_tiers": ()}).list_filters == ((("filter.model", models[0]),),)
    assert Ark({"list_tiers": ()}).list_filters == ((),)


def test_a_list_of_some_models_proves_no_absence():
    assert Ark({}).coverage is not None
    assert Ark({"list_models": ["ep-1"]}).coverage is None


def test_ark_echoes_the_seed_by_which_a_lost_task_is_found():
    item = {
        "id": "cgt-1",
        "model": "doubao-seedance-2-0-260128",
        "status": "running",
        "created_at": 1763715600,
        "seed": 77,
        "duration": 5,
        "resolution": "720p",
        "ratio": "16:9",
        "generate_audio": True,
    }
    echo = {
        "model": "doubao-seedance-2-0-260128",
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 5,
        "seed": 77,
        "audio": True,
    }
    found = Ark({}).read_list(Reply(200, {"total": 1, "items": [item, "junk"]}))
    assert found == TaskPage((Listed("cgt-1", Working(), 1763715600.0, echo),), 1)


def test_a_list_that_cannot_be_read_proves_no_absence():
    for spoken in (Ark({}), Chanjing({})):
        assert isinstance(spoken.read_list(Reply(200, {})), PollTrouble)
        assert isinstance(spoken.read_list(Reply(500, {"items": [], "code": 0, "data": {"list": []}})), PollTrouble)


# Cancel --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(200, {}), Cancelled()),
        (Reply(204), Cancelled()),
        (Reply(409, {"error": {"code": "Conflict", "message": "it runs"}}), CancelRefused("Conflict: it runs")),
        (
            Reply(400, {"error": {"code": "InvalidAction", "message": "it runs"}}),
            CancelRefused("InvalidAction: it runs"),
        ),
        (Reply(404, {"error": {"code": "NotFound", "message": "gone"}}), NotFound("NotFound: gone")),
        (
            Reply(401, {"error": {"code": "AuthenticationError", "message": "who"}}),
            PollTrouble("HTTP 401: AuthenticationError: who", None, Refusal.CREDENTIALS),
        ),
    ],
)
def test_ark_cancels(reply: Reply, answer: object):
    spoken = Ark({})
    assert spoken.cancel("cgt-1") == Request("DELETE", "/contents/generations/tasks/cgt-1")
    assert spoken.read_cancel(reply) == answer


# Uploads -------------------------------------------------------------------------------------


def test_jimmyai_takes_a_file_as_a_form():
    spoken = JimmyAI({})
    step = spoken.upload("lamp.png", "image/png")
    assert step == SendForm("/api/open-api/v1/files/upload", "file")
    reply = Reply(200, {"code": 20000, "data": {"url": "https://f.example/1.png", "filename": "lamp.png", "size": 9}})
    assert spoken.read_upload(step, reply) == Hosted("https://f.example/1.png", 259200.0)
    assert spoken.read_upload(step, Reply(200, {"code": 20002, "msg": "too big"})) == UploadRefused("20002: too big")
    assert isinstance(spoken.read_upload(step, Reply(502)), PollTrouble)


def test_chanjing_gives_a_slot_waits_for_the_file_and_gives_its_full_path():
    spoken = Chanjing({})
    step = spoken.upload("lamp.png", "image/png")
    assert step == AskFirst(
        Request("GET", "/open/v1/common/create_upload_url", (("service", "ai_creation"), ("name", "lamp.png")))
    )
    slot = {
        "sign_url": "https://put.example/s?x=1",
        "mime_type": "image/png",
        "file_id": "f1",
        "full_path": "https://res.example/f1.png",
    }
    put = spoken.read_upload(step, Reply(200, {"code": 0, "data": slot}))
    assert put == PutBytes("https://put.example/s?x=1", "image/png", "f1", "https://res.example/f1.png")
    wait = spoken.read_upload(put, Reply(200))
    assert wait == AskFirst(
        Request("GET", "/open/v1/common/file_detail", (("id", "f1"),)), 5.0, "f1", "https://res.example/f1.png"
    )
    assert spoken.read_upload(wait, Reply(200, {"code": 0, "data": {"status": 0}})) == wait
    done = Hosted("https://res.example/f1.png", 2592000.0)
    assert spoken.read_upload(wait, Reply(200, {"code": 0, "data": {"status": 1}})) == done
    refused = spoken.read_upload(wait, Reply(200, {"code": 0, "data": {"status": 98}}))
    assert refused == UploadRefused("the provider does not keep the file: its content was refused")
    assert isinstance(spoken.read_upload(put, Reply(403)), PollTrouble)


# Balance -------------------------------------------------------------------------------------


def test_balances_are_shown_as_the_vendor_writes_them():
    jimmy, chan = JimmyAI({}), Chanjing({})
    assert jimmy.balance() == Request("GET", "/api/open-api/v1/user/balance")
    body = {"code": "20000", "data": {"balance": "12.50", "used_coin": 3, "available": "9.50"}}
    assert jimmy.read_balance(Reply(200, body)) == Balance("9.50")
    assert chan.balance() == Request("GET", "/open/v1/user_duration")
    assert chan.read_balance(Reply(200, {"code": 0, "data": {"resi_total_bean": 1200}})) == Balance("1200", "beans")
    assert isinstance(chan.read_balance(Reply(200, {"code": 10400, "msg": "token"})), PollTrouble)


# Tokens --------------------------------------------------------------------------------------

NOW = 1_763_715_600.0


def token(reply: Reply) -> object:
    return Chanjing({}).read_token(reply, NOW)


def test_a_token_is_asked_for_with_id_and_secret():
    request = Chanjing({}).token_request({"app_id": "a", "secret_key": "s"})
    assert request == Request("POST", "/open/v1/access_token", body={"app_id": "a", "secret_key": "s"})


def test_the_end_of_a_token_is_a_point_in_time():
    reply = Reply(200, {"code": 0, "data": {"access_token": "tok", "expire_in": 1763802000}})
    assert token(reply) == Token("tok", 1763802000.0)


def test_a_small_number_is_read_as_a_span():
    reply = Reply(200, {"code": 0, "data": {"access_token": "tok", "expire_in": 86400}})
    assert token(reply) == Token("tok", NOW + 86400)


@pytest.mark.parametrize("code", [400, 40000, 10400])
def test_a_refused_token_is_a_matter_of_credentials(code: int):
    assert token(Reply(200, {"code": code, "msg": "wrong"})) == Rejected(Refusal.CREDENTIALS, str(code), "wrong")


@pytest.mark.parametrize(
    "reply", [Reply(200, {"code": 50000, "msg": "oops"}), Reply(502), Reply(200, {"code": 0, "data": {}})]
)
def test_a_token_that_did_not_come_is_asked_for_again(reply: Reply):
    assert isinstance(token(reply), PollTrouble)


def test_a_token_and_its_request_stay_out_of_messages():
    assert "tok" not in repr(Token("tok", 1.0))
    odd = token(Reply(200, {"code": 0, "data": {"access_token": "bad\ntoken"}}))
    assert isinstance(odd, PollTrouble) and "token\\n" not in odd.message and "bad" not in odd.message
