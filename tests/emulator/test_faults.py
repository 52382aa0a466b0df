"""Each fault action, asked for in a file's words, seen from the client's side. Cut connections: `test_process.py`."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import ClipformError
from reconciler.emulator import rulebook
from reconciler.emulator.faults import ACTIONS, Phase
from reconciler.emulator.media import _bomb
from reconciler.emulator.rulebook import parse_faults, read_faults
from reconciler.emulator.welcome import fault_table
from tests.emulator.kit import ID_AT, LATENCY, LINK_AT, POLLS, STATUS_AT, SUBMITS, Rig, at, clip
from tests.emulator.test_process import CUT_CONNECTIONS

Faulty = Callable[..., Rig]

SUBMIT = {"phase": "submit"}
POLL = {"phase": "poll"}
DOWNLOAD = {"phase": "download"}


def _submit(rig: Rig, kind: str = "ark") -> Any:
    return rig.ask("POST", *SUBMITS[kind])


def _accepted(rig: Rig) -> int:
    return len(rig.world.ledger.entries)


def test_refuse_speaks_the_vendors_envelope_and_takes_nothing(faulty: Faulty) -> None:
    rig = faulty({"when": SUBMIT, "do": "refuse", "code": "QuotaExceeded", "message": "no more"})
    answer = _submit(rig)
    assert (answer.status_code, answer.json()["error"]["message"]) == (429, "no more")
    assert _accepted(rig) == 0


BUSY: dict[str, tuple[int, object]] = {
    "jiekou": (429, "RATE_LIMIT_EXCEEDED"),
    "jimmyai": (429, "429"),
    "chanjing": (200, 40001),
    "uniall": (429, "rate_limit_exceeded"),
    "3hei": (429, "RateLimitExceeded.EndpointRPMExceeded"),
    "ark": (429, "RateLimitExceeded.EndpointRPMExceeded"),
}


@pytest.mark.parametrize("kind", BUSY)
def test_busy_is_each_vendors_own_rate_limit(faulty: Faulty, kind: str) -> None:
    rig = faulty({"when": SUBMIT, "do": "busy"})
    answer = _submit(rig, kind)
    status, code = BUSY[kind]
    assert answer.status_code == status
    assert json.dumps(code) in answer.text
    assert _accepted(rig) == 0


@pytest.mark.parametrize(
    ("asked", "sent"), [("8", "8"), ("-1", "-1"), ("1e309", "1e309"), ("date+30", "Fri, 15 Jan 2027 08:00:30 GMT")]
)
def test_busy_sends_the_hint_in_the_asked_form(faulty: Faulty, asked: str, sent: str) -> None:
    rig = faulty({"when": SUBMIT, "do": "busy", "retry_after": asked})
    assert _submit(rig).headers["retry-after"] == sent


def test_busy_may_put_its_hint_into_the_body(faulty: Faulty) -> None:
    answer = _submit(faulty({"when": SUBMIT, "do": "busy", "retry_after": "8", "in_body": True}))
    assert "retry-after" not in answer.headers
    assert answer.json()["retry_after"] == "8"


@pytest.mark.parametrize("accepted", [False, True])
def test_a_bare_status_comes_before_or_after_the_task_was_taken(faulty: Faulty, accepted: bool) -> None:
    rig = faulty({"when": SUBMIT, "do": "status", "status": 502, "accepted": accepted})
    assert _submit(rig).status_code == 502
    assert _accepted(rig) == accepted


@pytest.mark.parametrize("how", ["html", "truncated", "empty", "deep", "nan", "list", "latin1"])
def test_garbled_answers_hide_a_task_that_was_taken(faulty: Faulty, how: str) -> None:
    rig = faulty({"when": SUBMIT, "do": "garble", "how": how})
    answer = _submit(rig)
    assert answer.status_code == 200
    assert _accepted(rig) == 1
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return
    assert not isinstance(body, dict) or not isinstance(body.get("id"), str)


@pytest.mark.parametrize("kind", SUBMITS)
@pytest.mark.parametrize(
    ("how", "type"),
    [("number", int), ("list", list), ("huge", str), ("surrogate", str), ("escape", str), ("missing", type(None))],
)
def test_bad_ids_stand_where_the_vendor_puts_ids(faulty: Faulty, kind: str, how: str, type: type) -> None:
    rig = faulty({"when": SUBMIT, "do": "id", "how": how})
    answer = _submit(rig, kind)
    body = answer.json()
    place = ID_AT[kind]
    holder = at(body, place[:-1])
    assert isinstance(holder.get(place[-1]), type)
    assert (place[-1] in holder) is (how != "missing")
    assert _accepted(rig) == 1


def test_a_duplicate_id_is_the_one_of_the_task_before(faulty: Faulty) -> None:
    rig = faulty({"when": {**SUBMIT, "nth": 2}, "do": "id", "how": "duplicate"})
    assert _submit(rig).json() == _submit(rig).json()
    assert _accepted(rig) == 2


@pytest.mark.parametrize(("kind", "code"), [("ark", "InternalServiceError"), ("chanjing", "50000"), ("jimmyai", "-1")])
def test_an_id_may_come_with_an_error_beside_it(faulty: Faulty, kind: str, code: str) -> None:
    rig = faulty({"when": SUBMIT, "do": "id_and_error", "code": code})
    answer = _submit(rig, kind)
    assert at(answer.json(), ID_AT[kind])
    assert code in answer.text
    assert _accepted(rig) == 1


@pytest.mark.parametrize("status", [302, 307, 308])
def test_redirects_of_a_submit_take_nothing(faulty: Faulty, status: int) -> None:
    rig = faulty({"when": SUBMIT, "do": "redirect", "to": "http://elsewhere.test/", "status": status})
    answer = _submit(rig)
    assert (answer.status_code, answer.headers["location"]) == (status, "http://elsewhere.test/")
    assert _accepted(rig) == 0


def test_not_found_may_last_for_the_first_polls_of_each_task(faulty: Faulty) -> None:
    rig = faulty({"when": {**POLL, "nth": [1, 2], "per_task": True}, "do": "not_found"})
    for _ in range(2):
        task = rig.submit("uniall")
        assert [rig.poll("uniall", task).status_code for _ in range(3)] == [400, 400, 200]


def test_a_task_may_vanish_for_ever(faulty: Faulty) -> None:
    rig = faulty({"when": {**SUBMIT, "nth": 1}, "do": "not_found"})
    task = rig.submit("ark")
    assert rig.poll("ark", task).status_code == 404
    assert rig.ask("GET", POLLS["ark"].rstrip("/")).json()["total"] == 0
    assert _accepted(rig) == 1


@pytest.mark.parametrize("kind", STATUS_AT)
@pytest.mark.parametrize("word", ["PAUSED_BY_ADMIN", 7, None])
def test_a_status_word_may_be_anything(faulty: Faulty, kind: str, word: object) -> None:
    rig = faulty({"when": POLL, "do": "word", "word": word})
    assert rig.status(kind, rig.submit(kind)) == word


def test_a_status_may_go_backwards_once(faulty: Faulty) -> None:
    rig = faulty({"when": {**POLL, "nth": 2}, "do": "backwards"})
    task = rig.submit("ark")
    rig.now += LATENCY
    assert [rig.status("ark", task) for _ in range(3)] == ["succeeded", "queued", "succeeded"]


def test_a_stuck_task_never_ends(faulty: Faulty) -> None:
    rig = faulty({"when": {**SUBMIT, "model": "*-fast"}, "do": "stuck"})
    task = rig.submit("3hei")
    rig.now += 1e6
    assert rig.status("3hei", task) == "running"


FAILS: dict[str, tuple[str | int, ...]] = {
    "jiekou": ("task", "reason"),
    "jimmyai": ("data", "error_message"),
    "chanjing": ("data", "err_msg"),
    "uniall": ("error", "message"),
    "3hei": ("error", "code"),
    "ark": ("error", "code"),
}


@pytest.mark.parametrize("kind", FAILS)
def test_moderation_fails_a_task_at_its_end_in_the_vendors_words(faulty: Faulty, kind: str) -> None:
    rig = faulty({"when": SUBMIT, "do": "fail"})
    task = rig.submit(kind)
    before = rig.status(kind, task)
    rig.now += LATENCY
    body = rig.poll(kind, task).json()
    assert before != at(body, STATUS_AT[kind])
    assert "fail" in str(at(body, STATUS_AT[kind])).lower()
    assert re.search("(?i)moderation|sensitive|illegal|审核", str(at(body, FAILS[kind])))
    with pytest.raises((KeyError, IndexError, TypeError)):
        at(body, LINK_AT[kind])


def test_a_failure_may_have_a_code_and_a_text(faulty: Faulty) -> None:
    rig = faulty({"when": SUBMIT, "do": "fail", "code": "InternalServiceError", "message": "try again"})
    task = rig.submit("ark")
    rig.now += LATENCY
    assert rig.poll("ark", task).json()["error"] == {"code": "InternalServiceError", "message": "try again"}


@pytest.mark.parametrize("kind", LINK_AT)
def test_success_without_a_link(faulty: Faulty, kind: str) -> None:
    rig = faulty({"when": POLL, "do": "no_link"})
    task = rig.submit(kind)
    rig.now += LATENCY
    assert ".mp4" not in rig.poll(kind, task).text


@pytest.mark.parametrize("to", ["bucket/key.mp4", "file:///etc/passwd", "http://u:p@169.254.169.254/"])
def test_success_with_a_link_to_anywhere(faulty: Faulty, to: str) -> None:
    rig = faulty({"when": SUBMIT, "do": "link", "to": to})
    assert rig.finish("uniall") == to


def test_an_answer_about_another_task(faulty: Faulty) -> None:
    rig = faulty({"when": POLL, "do": "other_task"})
    task = rig.submit("ark")
    assert rig.poll("ark", task).json()["id"] != task


def test_a_list_may_lag_behind(faulty: Faulty) -> None:
    rig = faulty(
        {"when": {"phase": "list", "nth": 1}, "do": "omit", "newest": 1}, {"when": {"phase": "list"}, "do": "omit"}
    )
    old, _ = rig.submit("ark"), rig.submit("ark")
    lists = [rig.ask("GET", "/ark/contents/generations/tasks").json() for _ in range(2)]
    assert [[item["id"] for item in told["items"]] for told in lists] == [[old], []]


def test_another_clip_than_was_asked_for(faulty: Faulty) -> None:
    rig = faulty({"when": SUBMIT, "do": "wrong_clip", "duration": 3, "resolution": "480p", "audio": False})
    found = clip(rig.fetch(rig.finish("ark")).content)
    assert (found.duration_ms, found.height, found.audio) == (3000, 496, False)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"do": "expired"}, 403),
        ({"do": "absent"}, 404),
        ({"do": "status", "status": 503}, 503),
        ({"do": "redirect", "to": "http://169.254.169.254/latest"}, 302),
    ],
)
def test_a_download_that_is_refused_once(faulty: Faulty, fault: dict[str, object], status: int) -> None:
    rig = faulty({"when": {**DOWNLOAD, "nth": 1}, **fault})
    link = rig.finish("ark")
    assert [rig.fetch(link).status_code for _ in range(2)] == [status, 200]


@pytest.mark.parametrize(("empty", "size"), [(False, 76), (True, 0)])
def test_a_page_that_calls_itself_a_video(faulty: Faulty, empty: bool, size: int) -> None:
    rig = faulty({"when": DOWNLOAD, "do": "page", "empty": empty})
    answer = rig.fetch(rig.finish("ark"))
    assert (answer.status_code, answer.headers["content-type"], len(answer.content)) == (200, "video/mp4", size)


def test_a_bomb_is_small_on_the_wire(faulty: Faulty) -> None:
    rig = faulty({"when": SUBMIT, "do": "bomb", "megabytes": 8})
    answer = rig.fetch(rig.finish("ark"))
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 1 << 16
    assert len(answer.content) == 8 << 20  # httpx unpacks it


@pytest.mark.parametrize("how", ["ignored", "offset", "short", "changed"])
def test_ranges_that_are_answered_wrongly(faulty: Faulty, how: str) -> None:
    rig = faulty({"when": {**DOWNLOAD, "nth": 2}, "do": "bad_range", "how": how})
    link = rig.finish("ark")
    whole = rig.fetch(link)
    part = rig.fetch(link, range="bytes=100-199")
    told = {
        "ignored": part.status_code == 200 and part.content == whole.content,
        "offset": part.headers.get("content-range", "").startswith("bytes 99-"),
        "short": len(part.content) == 50,
        "changed": part.headers["etag"] != whole.headers["etag"],
    }
    assert [name for name, holds in told.items() if holds] == [how]


def test_a_token_request_can_fail_too(faulty: Faulty) -> None:
    rig = faulty({"when": {"phase": "token"}, "do": "refuse", "code": "50000"})
    answer = rig.send("POST", "/chanjing/open/v1/access_token", json={"app_id": "a", "secret_key": "s"})
    assert answer.json()["code"] == 50000


def test_the_bytes_of_an_upload_can_be_refused_by_storage(faulty: Faulty) -> None:
    rig = faulty({"when": {"phase": "upload", "nth": 2}, "do": "status", "status": 503})
    slot = rig.ask("GET", "/chanjing/open/v1/common/create_upload_url?service=ai_creation&name=a.png").json()["data"]
    puts = [rig.send("PUT", slot["sign_url"], content=b"x", headers={"content-type": "image/png"}) for _ in range(2)]
    assert [put.status_code for put in puts] == [503, 200]


def test_a_bomb_unpacks_to_nothing_but_zeros() -> None:
    assert zlib.decompress(_bomb(1), wbits=31) == bytes(1 << 20)


# Matching ------------------------------------------------------------------------------------


def _hits(faulty: Faulty, when: dict[str, object], tries: int = 12) -> list[int]:
    rig = faulty({"when": {**SUBMIT, **when}, "do": "status", "status": 500})
    return [number for number in range(1, tries + 1) if _submit(rig).status_code == 500]


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ({"nth": 3}, [3]),
        ({"nth": [1, 4]}, [1, 4]),
        ({"every": 5}, [5, 10]),
        ({"dialect": "ark", "nth": 1}, [1]),
        ({"dialect": "uniall"}, []),
        ({"model": "*-2-0-*", "nth": 2}, [2]),
        ({"model": "*-mini"}, []),
        ({"rate": 0.0}, []),
    ],
)
def test_rules_pick_the_requests_they_name(faulty: Faulty, when: dict[str, object], hits: list[int]) -> None:
    assert _hits(faulty, when) == hits


def test_a_rate_is_the_same_for_the_same_seed(faulty: Faulty) -> None:
    first, again, other = (_hits(faulty, {"rate": 0.5, "seed": seed}) for seed in (1, 1, 2))
    assert first == again != other
    assert 0 < len(first) < 12


BAD_FILES = [
    ({}, "no list `faults:`"),
    ({"faults": [], "more": 1}, "no list `faults:`"),
    ({"faults": [{"do": "drop"}]}, "rule 1 when"),
    ({"faults": [{"when": SUBMIT, "do": "explode"}]}, "rule 1"),
    ({"faults": [{"when": SUBMIT, "do": "drop", "acepted": True}]}, "rule 1 acepted"),
    ({"faults": [{"when": {"phase": "submitt"}, "do": "drop"}]}, "rule 1 when.phase"),
    ({"faults": [{"when": {**SUBMIT, "rate": 2}, "do": "drop"}]}, "rule 1 when.rate"),
    ({"faults": [{"when": POLL, "do": "id", "how": "missing"}]}, "id cannot be used on phase poll"),
    ({"faults": ["drop"]}, "rule 1"),
]


@pytest.mark.parametrize(("document", "words"), BAD_FILES)
def test_a_bad_rule_is_named_with_its_place(document: dict[str, object], words: str) -> None:
    with pytest.raises(ClipformError) as caught:
        parse_faults(document, "faults.yaml")
    assert words in caught.value.message


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for content in (None, "a: [b"):
        path = tmp_path / "faults.yaml"
        if content is not None:
            path.write_text(content)
        with pytest.raises(ClipformError) as caught:
            read_faults(path)
        assert "faults.yaml" in caught.value.message


def test_the_files_own_example_is_good(tmp_path: Path) -> None:
    assert rulebook.__doc__ is not None
    example = re.findall(r"^    (.*)$", rulebook.__doc__, re.MULTILINE)
    path = tmp_path / "faults.yaml"
    path.write_text("\n".join(example))
    assert read_faults(path).pick("jiekou", Phase.SUBMIT) is None


def test_the_table_of_actions_tells_all_of_each() -> None:
    table = fault_table()
    for name in ACTIONS:
        [entry] = re.findall(rf"^{name}\n  (.+)\n  phases: (.+)\n  parameters: .+$", table, re.MULTILINE)
        assert all(entry)


def test_every_action_is_tried() -> None:
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tried = {name for name in ACTIONS if f'"do": "{name}"' in source} | CUT_CONNECTIONS.keys()
    assert tried == ACTIONS.keys()
