"""What only some vendors have: tokens, lists, cancelling, uploads, balances."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.emulator.rulebook import parse_faults
from tests.emulator.kit import API, CHANJING, LATENCY, MEDIA, PICTURE, SUBMITS, Rig, clip

TOKEN = "/chanjing/open/v1/access_token"
PAGE = "/chanjing/open/v1/ai_creation/task/page"
TASKS = "/ark/contents/generations/tasks"


def _page(**more: object) -> dict[str, object]:
    return {"type": 4, "page": 1, "page_size": 50, **more}


def test_a_chanjing_token_lives_a_day_told_as_a_point_in_time(rig: Rig) -> None:
    told = rig.send("POST", TOKEN, json={"app_id": "a", "secret_key": "s"}).json()["data"]
    assert told["expire_in"] == rig.now + 86_400


def test_a_new_chanjing_token_kills_the_one_before(rig: Rig) -> None:
    old, new = rig.log_in(), rig.log_in()
    path, body = SUBMITS["chanjing"]
    codes = [rig.send("POST", path, json=body, headers={"access_token": token}).json()["code"] for token in (old, new)]
    assert codes == [10400, 0]


def test_a_chanjing_token_dies_of_age(rig: Rig) -> None:
    rig.log_in()
    rig.now += 86_400
    assert rig.poll("chanjing", "any").json()["code"] == 10400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"app_id": "a"}, 400),
        ({"app_id": "a", "secret_key": ""}, 400),
        ({"app_id": "a", "secret_key": "wrong-"}, 40000),
    ],
)
def test_chanjing_gives_no_token_for_bad_credentials(rig: Rig, body: dict[str, str], code: int) -> None:
    assert rig.send("POST", TOKEN, json=body).json()["code"] == code


def test_chanjing_without_beans_takes_the_task_and_fails_it_later(rig: Rig) -> None:
    rig.log_in("broke-secret")
    task = rig.submit("chanjing")
    rig.now += LATENCY
    told = rig.poll("chanjing", task).json()["data"]
    assert (told["progress_desc"], told["err_msg"], told["output_url"]) == ("Fail", "蝉豆不足,扣费失败", [])


def test_chanjing_lists_by_id_and_by_outcome(rig: Rig) -> None:
    tasks = [rig.submit("chanjing") for _ in range(3)]
    rig.now += LATENCY
    fresh = rig.submit("chanjing")
    listed = rig.ask("POST", PAGE, _page()).json()["data"]
    assert [row["unique_id"] for row in listed["list"]] == [fresh, *reversed(tasks)]
    assert listed["page_info"]["total_count"] == 4
    some = rig.ask("POST", PAGE, _page(unique_ids=tasks[:2], is_success=True)).json()["data"]["list"]
    assert {row["unique_id"] for row in some} == set(tasks[:2])
    second = rig.ask("POST", PAGE, _page(page=2, page_size=3)).json()["data"]["list"]
    assert [row["unique_id"] for row in second] == [tasks[0]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": 4, "page": 1}, 400),
        (_page(page_size=51), 40000),
        (_page(unique_ids=["x"] * 51), 40000),
        (_page(type=5), 40000),
    ],
)
def test_chanjing_checks_what_a_list_is_asked_with(rig: Rig, body: dict[str, object], code: int) -> None:
    assert rig.ask("POST", PAGE, body).json()["code"] == code


def test_a_listed_chanjing_task_tells_what_it_was_asked(rig: Rig) -> None:
    rig.submit("chanjing")
    [row] = rig.ask("POST", PAGE, _page()).json()["data"]["list"]
    assert row["motion_info"]["ref_prompt"] == CHANJING["ref_prompt"]
    assert row["motion_info"]["video_duration"] == 5
    assert row["ref_img_url"] == [CHANJING["start_frame"], CHANJING["end_frame"]]
    assert row["create_time"] == rig.now


def test_a_chanjing_upload_wants_the_told_type_and_is_ready_afterwards(rig: Rig) -> None:
    slot = rig.ask("GET", "/chanjing/open/v1/common/create_upload_url?service=ai_creation&name=a.png").json()["data"]
    detail = f"/chanjing/open/v1/common/file_detail?id={slot['file_id']}"
    assert slot["mime_type"] == "image/png"
    assert rig.ask("GET", detail).json()["data"]["status"] == 0
    wrong = rig.send("PUT", slot["sign_url"], content=b"x", headers={"content-type": "image/jpeg"})
    assert wrong.status_code == 403
    put = rig.send("PUT", slot["sign_url"], content=b"pixels", headers={"content-type": "image/png"})
    assert put.status_code == 200
    assert rig.ask("GET", detail).json()["data"]["status"] == 1
    assert rig.fetch(slot["full_path"]).content == b"pixels"


def test_a_chanjing_slot_closes_after_a_quarter_of_an_hour(rig: Rig) -> None:
    slot = rig.ask("GET", "/chanjing/open/v1/common/create_upload_url?service=ai_creation&name=a.png").json()["data"]
    rig.now += 900
    late = rig.send("PUT", slot["sign_url"], content=b"x", headers={"content-type": slot["mime_type"]})
    assert late.status_code == 403


def test_chanjing_tells_its_beans(rig: Rig) -> None:
    assert rig.ask("GET", "/chanjing/open/v1/user_duration").json()["data"]["resi_total_bean"] > 0


def test_a_jimmyai_upload_gives_a_link_for_three_days(rig: Rig) -> None:
    answer = rig.send(
        "POST",
        "/jimmyai/api/open-api/v1/files/upload",
        files={"file": ("a.png", b"pixels\r\n\r\n--x", "image/png")},
        headers=rig.credential("jimmyai"),
    ).json()
    assert answer["code"] == 20000  # a number here, text elsewhere
    assert (answer["data"]["filename"], answer["data"]["size"]) == ("a.png", 13)
    assert rig.fetch(answer["data"]["url"]).content == b"pixels\r\n\r\n--x"
    rig.now += 3 * 86_400
    assert rig.fetch(answer["data"]["url"]).status_code == 403


def test_an_uploaded_picture_is_drawn_from_its_bytes(rig: Rig) -> None:
    answer = rig.send(
        "POST",
        "/jimmyai/api/open-api/v1/files/upload",
        files={"file": ("a.png", b"pixels", "image/png")},
        headers=rig.credential("jimmyai"),
    ).json()
    rig.world.media = answer["data"]["url"].partition("/u/")[0]
    source = rig.world.source(answer["data"]["url"].partition("?")[0])
    assert source.scheme == "file"
    assert Path(source.value).read_bytes() == b"pixels"


def test_a_jimmyai_upload_needs_the_field_file(rig: Rig) -> None:
    answer = rig.send(
        "POST",
        "/jimmyai/api/open-api/v1/files/upload",
        files={"picture": ("a.png", b"x", "image/png")},
        headers=rig.credential("jimmyai"),
    )
    assert answer.json()["code"] == "20002"


def test_an_uploaded_picture_may_be_an_input_though_its_link_is_plain_http_on_loopback(rig: Rig) -> None:
    rig.submit("jimmyai", first_image="http://127.0.0.1:1/u/1/a.png")


def test_jimmyai_tells_both_balances(rig: Rig) -> None:
    rig.submit("jimmyai")
    stem = "/jimmyai/api/open-api/v1"
    user = rig.ask("GET", f"{stem}/user/balance").json()["data"]
    assert user["balance"] - user["used_coin"] == user["available"]
    assert user["used_coin"] == 5
    assert rig.ask("GET", f"{stem}/key/balance").json()["data"]["unlimited"] is True


def test_ark_lists_newest_first_in_pages_and_by_filter(rig: Rig) -> None:
    old = rig.submit("ark")
    rig.now += LATENCY
    new = rig.submit("ark")
    everything = rig.ask("GET", TASKS).json()
    assert (everything["total"], [item["id"] for item in everything["items"]]) == (2, [new, old])
    done = rig.ask("GET", f"{TASKS}?filter.status=succeeded").json()
    assert [item["id"] for item in done["items"]] == [old]
    second = rig.ask("GET", f"{TASKS}?page_num=2&page_size=1").json()
    assert (second["total"], [item["id"] for item in second["items"]]) == (2, [old])
    both = rig.ask("GET", f"{TASKS}?filter.task_ids={old}&filter.task_ids={new}&filter.model=other").json()
    assert both == {"total": 0, "items": []}


def test_a_task_that_runs_or_failed_shows_less_of_its_request(rig: Rig) -> None:
    """As the real replies do, one of each."""
    running = rig.poll("ark", rig.submit("ark", execution_expires_after=200_000)).json()
    assert not running.keys() & {"seed", "resolution", "ratio", "duration", "usage", "content"}
    shown = ("execution_expires_after", "service_tier", "created_at")
    assert [running[name] for name in shown] == [200_000, "default", int(rig.now)]
    rig.world.faults = parse_faults({"faults": [{"when": {"phase": "submit"}, "do": "fail"}]}, "faults")
    task = rig.submit("ark", execution_expires_after=200_001)
    rig.now += 1000.0
    failed = rig.poll("ark", task).json()
    assert (failed["status"], failed["execution_expires_after"], failed["ratio"]) == ("failed", 200_001, "16:9")
    assert not failed.keys() & {"seed", "resolution", "duration", "usage", "content"}


def test_the_record_of_a_cancelled_task_is_kept_for_a_day(rig: Rig) -> None:
    task = rig.submit("ark")
    assert rig.ask("DELETE", f"{TASKS}/{task}").status_code == 200
    assert rig.poll("ark", task).json()["status"] == "cancelled"
    rig.now += 86_401.0
    assert rig.poll("ark", task).status_code == 404
    assert rig.ask("GET", TASKS).json() == {"total": 0, "items": []}


def test_a_list_hides_the_other_service_tier(rig: Rig) -> None:
    plain, flex = (
        rig.submit("ark", model="doubao-seedance-1-0-pro-250528", service_tier=tier) for tier in (None, "flex")
    )
    lists = [rig.ask("GET", TASKS + query).json() for query in ("", "?filter.service_tier=flex")]
    assert [[item["id"] for item in page["items"]] for page in lists] == [[plain], [flex]]


def test_a_list_may_be_asked_for_once_a_second(rig: Rig) -> None:
    rig.world.list_rate = 1.0
    answers = []
    for passed in (0.0, 0.9, 0.1, 1.0):
        rig.now += passed
        answers.append(rig.ask("GET", TASKS))
    assert [answer.status_code for answer in answers] == [200, 429, 200, 200]
    assert answers[1].json()["error"]["code"] == "AccountRateLimitExceeded"


@pytest.mark.parametrize("query", ["page_size=0", "page_size=501", "page_num=x"])
def test_ark_refuses_a_page_out_of_range(rig: Rig, query: str) -> None:
    answer = rig.ask("GET", f"{TASKS}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidParameter")


def test_an_ark_delete_cancels_what_is_queued(rig: Rig) -> None:
    task = rig.submit("ark")
    assert rig.ask("DELETE", f"{TASKS}/{task}").json() == {}
    rig.now += LATENCY
    assert rig.status("ark", task) == "cancelled"
    assert rig.ask("DELETE", f"{TASKS}/{task}").status_code == 403


def test_an_ark_delete_of_a_running_task_is_refused(rig: Rig) -> None:
    task = rig.submit("ark")
    rig.now += LATENCY / 2
    answer = rig.ask("DELETE", f"{TASKS}/{task}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "OperationDenied.TaskState")
    assert rig.status("ark", task) == "running"


def test_an_ark_delete_of_a_finished_task_erases_it(rig: Rig) -> None:
    task = rig.submit("ark")
    rig.now += LATENCY
    assert rig.ask("DELETE", f"{TASKS}/{task}").json() == {}
    assert rig.poll("ark", task).status_code == 404
    assert [entry.task for entry in rig.world.ledger.entries] == [task]


def test_the_ledger_is_what_was_accepted_in_order(rig: Rig) -> None:
    tasks = [(kind, rig.submit(kind)) for kind in SUBMITS]
    told = rig.fetch(f"{API}/ledger").json()
    assert [(entry["kind"], entry["task"]) for entry in told["entries"]] == tasks
    assert [entry["sequence"] for entry in told["entries"]] == list(range(1, 7))
    charges = {entry["kind"]: (entry["charge"]["amount"], entry["charge"]["unit"]) for entry in told["entries"]}
    assert charges["ark"] == ("108900", "token")
    assert charges["uniall"] == ("8", "second")


def test_the_ledger_file_says_the_same_and_no_credential(rig: Rig) -> None:
    rig.submit("3hei", content=[{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "QUJD" * 999}}])
    lines = (rig.world.scratch / "ledger.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert "sha256:" in lines[0]
    assert "QUJD" * 99 not in lines[0]
    assert "Bearer" not in lines[0]


def test_a_per_task_line_is_charged_by_the_clip(rig: Rig) -> None:
    body = {name: value for name, value in SUBMITS["jimmyai"][1].items() if name != "resolution"}
    rig.ask("POST", SUBMITS["jimmyai"][0], {**body, "model": "seedance2.0-std"})
    charge = rig.world.ledger.entries[0].charge
    assert (str(charge.amount), charge.unit) == ("1", "clip")


LIVES = {"jiekou": 3600, "jimmyai": 259_200, "chanjing": 86_400, "uniall": 86_400, "3hei": 86_400, "ark": 86_400}


@pytest.mark.parametrize("kind", LIVES)
def test_a_link_lives_as_long_as_the_vendor_says(rig: Rig, kind: str) -> None:
    link = rig.finish(kind)
    rig.now += LIVES[kind] - 1
    assert rig.fetch(link).status_code == 200
    rig.now += 1
    assert rig.fetch(link).status_code == 403


def test_a_changed_link_is_refused(rig: Rig) -> None:
    link = rig.finish("ark")
    until = str(int(rig.now) + 86_400)
    assert rig.fetch(link.replace(until, str(int(until) + 9))).status_code == 403
    assert rig.fetch(f"{MEDIA}/v/nobody.mp4").status_code == 403


@pytest.mark.parametrize("header", ["authorization", "access_token", "cookie"])
def test_a_credential_at_the_media_origin_is_refused_and_taken_down(rig: Rig, header: str) -> None:
    link = rig.finish("ark")
    assert rig.fetch(link, **{header: "secret"}).status_code == 400
    told = rig.fetch(f"{API}/ledger/leaks").json()
    assert (told["count"], told["leaks"][0]["header"]) == (1, header)
    assert "secret" not in str(told)


def test_ranges_are_answered_exactly(rig: Rig) -> None:
    link = rig.finish("ark")
    whole = rig.fetch(link)
    size, etag = len(whole.content), whole.headers["etag"]
    for asked, start, end in (("bytes=0-9", 0, 10), ("bytes=10-", 10, size), ("bytes=-7", size - 7, size)):
        part = rig.fetch(link, range=asked)
        assert (part.status_code, part.content) == (206, whole.content[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert part.headers["etag"] == etag
    assert rig.fetch(link, range=f"bytes={size}-").status_code == 416
    assert rig.fetch(link, range="bytes=0-9", **{"if-range": '"other"'}).status_code == 200
    assert clip(whole.content).width == 1280


def test_reset_forgets(rig: Rig) -> None:
    task = rig.submit("ark")
    rig.send("POST", "/reset")
    assert rig.poll("ark", task).status_code == 404
    assert rig.fetch(f"{API}/ledger").json()["count"] == 0


def test_a_picture_that_is_not_at_a_public_place_is_named(rig: Rig) -> None:
    answer = rig.ask("POST", SUBMITS["jimmyai"][0], {**SUBMITS["jimmyai"][1], "first_image": "file:///etc/passwd"})
    assert "first_image" in answer.json()["msg"]
    assert PICTURE not in answer.text
