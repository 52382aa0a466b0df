"""Each rule of the pages, broken once: the vendor's own status, code and words; and nothing gets into the ledger."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.emulator.kit import PICTURE, SUBMITS, Rig, at

MISSING = object()
"""Leave the field out."""

VOICE, CLIP, ASSET = "https://example.com/v.mp3", "https://example.com/v.mp4", "asset://asset-1"
STD: dict[str, object] = {"model": "seedance2.0-std", "resolution": MISSING}

CODE_AT: dict[str, tuple[str, ...]] = {
    "jiekou": ("reason",),
    "jimmyai": ("code",),
    "chanjing": ("code",),
    "uniall": ("code",),
    "3hei": ("error", "code"),
    "ark": ("error", "code"),
}


def _picture(width: int, height: int, form: str = "png") -> str:
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, form)
    return f"data:image/{form};base64,{base64.b64encode(out.getvalue()).decode()}"


def _item(sort: str, url: str, role: str | None = None) -> dict[str, object]:
    item: dict[str, object] = {"type": sort, sort: {"url": url}}
    return item | {"role": role} if role else item


TEXT = {"type": "text", "text": "a lamp"}
FIRST, LAST = _item("image_url", PICTURE, "first_frame"), _item("image_url", PICTURE, "last_frame")
REFERENCE = _item("image_url", PICTURE, "reference_image")
SOUND = _item("audio_url", VOICE, "reference_audio")

Cases = list[tuple[dict[str, object], int, object]]

JIEKOU: Cases = [
    ({"image": MISSING}, 400, "INVALID_REQUEST_BODY"),
    ({"resolution": MISSING}, 400, "INVALID_REQUEST_BODY"),
    ({"resolution": "4k"}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": 6}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": "5"}, 400, "INVALID_REQUEST_BODY"),
    ({"duration": 5.0}, 400, "INVALID_REQUEST_BODY"),
    ({"aspect_ratio": "2:1"}, 400, "INVALID_REQUEST_BODY"),
    ({"seed": 2**31}, 400, "INVALID_REQUEST_BODY"),
    ({"camera_fixed": "true"}, 400, "INVALID_REQUEST_BODY"),
    ({"model": "seedance-v1-lite-i2v"}, 400, "INVALID_REQUEST_BODY"),
    ({"prompt": None}, 400, "INVALID_REQUEST_BODY"),
    ({"image": "asset://a"}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": "what"}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": "data:image/PNG;base64,AAAA"}, 400, "INVALID_IMAGE_FORMAT"),
    ({"image": _picture(200, 400)}, 400, "IMAGE_EXCEEDS_MAX_RESOLUTION"),
    ({"image": _picture(1000, 310)}, 400, "INVALID_IMAGE_SIZE"),
    ({"image": _picture(400, 400, "ppm")}, 400, "INVALID_IMAGE_FORMAT"),
]

JIMMYAI: Cases = [
    ({"prompt": MISSING}, 200, "20002"),
    ({"duration": MISSING}, 200, "20002"),
    ({"model": "seedance2.5"}, 200, "20002"),
    ({"duration": 3}, 200, "20002"),
    ({"seed": 3}, 200, "20002"),
    ({"ratio": "adaptive"}, 200, "20002"),
    ({"resolution": "2k"}, 200, "20002"),
    ({"images": PICTURE}, 200, "20002"),
    ({"images": [PICTURE] * 10}, 200, "20002"),
    ({"images": [PICTURE], "first_image": PICTURE}, 200, "20002"),
    ({"last_image": PICTURE}, 200, "20002"),
    ({"first_image": "http://example.com/a.jpg"}, 200, "20002"),
    ({"first_image": _picture(400, 400)}, 200, "20002"),
    ({"images": [ASSET]}, 200, "20002"),
    ({"reference_audios": [VOICE]}, 200, "20002"),
    ({"model": "sd2_mx_720p"}, 200, "20002"),  # the resolution is in its name
    ({"model": "sd2_mx_720p", "resolution": MISSING, "duration": 13}, 200, "20002"),
    ({"model": "sd2_mx_720p", "resolution": MISSING, "images": [PICTURE]}, 200, "20002"),
    ({"model": "sd2_mx_720p", "resolution": MISSING, "reference_videos": [ASSET]}, 200, "20002"),
    ({"model": "seedance2.0-md", "resolution": MISSING, "first_image": PICTURE}, 200, "20002"),
    ({"model": "seedance2.0-md", "resolution": MISSING, "images": [PICTURE] * 5}, 200, "20002"),
    ({"model": "seedance2.0-md", "resolution": MISSING, "reference_audios": [VOICE]}, 200, "20002"),
    ({"model": "seedance2.0-md", "resolution": MISSING, "prompt": "x" * 5001}, 200, "20002"),
    ({"model": "seedance2.0-md", "resolution": MISSING, "ratio": "4:3"}, 200, "20002"),
    ({"model": "seedance2.0-fast-i2v", "resolution": MISSING}, 200, "20002"),  # text alone
    ({**STD, "first_image": PICTURE, "reference_audios": [VOICE]}, 200, "20002"),
    ({"model": "seedance2.0-mini-sp", "resolution": "1080p"}, 200, "20002"),
]  # fmt: skip

CHANJING: Cases = [
    ({"ref_prompt": MISSING}, 200, 400),
    ({"video_duration": MISSING}, 200, 400),
    ({"video_duration": "5"}, 200, 400),
    ({"clarity": "1080"}, 200, 400),
    ({"seed": 1}, 200, 400),
    ({"clarity": 480}, 200, 40000),
    ({"creation_type": 3}, 200, 40000),
    ({"aspect_ratio": "4:3"}, 200, 40000),
    ({"video_duration": 7}, 200, 40000),
    ({"model_code": "doubao-seedance-1.0-lite-i2v"}, 200, 40000),
    ({"start_frame": MISSING}, 200, 40000),
    ({"ref_img_url": [PICTURE]}, 200, 40000),
    ({"start_frame": _picture(400, 400)}, 200, 40000),
]

UNIALL: Cases = [
    ({"model": "seedance2.0-2k"}, 404, "model_not_found"),
    ({"prompt": MISSING}, 400, "invalid_request"),
    ({"duration": MISSING}, 400, "invalid_request"),
    ({"duration": 4}, 400, "invalid_request"),
    ({"duration": "8s"}, 400, "invalid_request"),
    ({"aspect_ratio": "21:9"}, 400, "invalid_request"),
    ({"resolution": "720p"}, 400, "invalid_request"),
    ({"seed": 42}, 400, "invalid_request"),  # must be nested
    ({"extra_body": {"audio": True}}, 400, "invalid_request"),
    ({"extra_body": {"generate_audio": "true"}}, 400, "invalid_request"),
    ({"last_image": PICTURE}, 400, "invalid_request"),
    ({"images": [PICTURE] * 10}, 400, "invalid_request"),
    ({"videos": [CLIP] * 4}, 400, "invalid_request"),
    ({"audios": [VOICE]}, 400, "invalid_request"),
    ({"image": PICTURE, "images": [PICTURE]}, 400, "invalid_request"),
    ({"image": ASSET}, 400, "invalid_request"),
]

CONTENT: Cases = [
    ({"model": MISSING}, 400, "MissingParameter"),
    ({"model": "doubao-seedance-9"}, 404, "InvalidEndpointOrModel.NotFound"),
    ({"content": []}, 400, "MissingParameter"),
    ({"content": [{"type": "text"}]}, 400, "MissingParameter"),
    ({"content": [TEXT, TEXT]}, 400, "InvalidParameter"),
    ({"content": [{"type": "draft_task"}]}, 400, "InvalidParameter"),
    ({"content": [{"type": "image_url", "image_url": PICTURE}]}, 400, "MissingParameter"),
    ({"content": [_item("image_url", PICTURE, "reference_video")]}, 400, "InvalidParameter"),
    ({"content": [_item("image_url", PICTURE), _item("image_url", PICTURE)]}, 400, "InvalidParameter"),
    ({"content": [_item("image_url", PICTURE), LAST]}, 400, "InvalidParameter"),
    ({"content": [TEXT, LAST]}, 400, "InvalidParameter"),
    ({"content": [TEXT, FIRST, REFERENCE]}, 400, "InvalidParameter"),
    ({"content": [TEXT, SOUND]}, 400, "InvalidParameter"),
    ({"content": [REFERENCE] * 10}, 400, "InvalidParameter"),
    ({"content": [_item("video_url", CLIP)]}, 400, "MissingParameter"),
    ({"content": [_item("video_url", "data:video/mp4;base64,AA", "reference_video")]}, 400, "InvalidParameter"),
    ({"duration": 3}, 400, "InvalidParameter"),
    ({"duration": "5"}, 400, "InvalidParameter"),
    ({"resolution": "2k"}, 400, "InvalidParameter"),
    ({"ratio": "Adaptive"}, 400, "InvalidParameter"),
    ({"seed": 7}, 400, "InvalidParameter"),
    ({"seed": -1}, 400, "InvalidParameter"),
    ({"aspect_ratio": "16:9"}, 400, "InvalidParameter"),
    ({"camera_fixed": True}, 400, "InvalidParameter"),
    ({"frames": 49}, 400, "InvalidParameter"),
]

ARK: Cases = [
    ({"service_tier": "flex"}, 400, "InvalidParameter"),
    ({"execution_expires_after": 60}, 400, "InvalidParameter"),
    ({"safety_identifier": "x" * 65}, 400, "InvalidParameter"),
    ({"draft": True}, 400, "InvalidParameter"),
    ({"content": [TEXT, _item("image_url", _picture(200, 400), "first_frame")]}, 400, "InvalidParameter"),
    ({"model": "doubao-seedance-2-0-fast-260128", "resolution": "1080p"}, 400, "InvalidParameter"),
    ({"model": "doubao-seedance-1-0-lite-t2v-250428", "generate_audio": True}, 400, "InvalidParameter"),
    ({"model": "doubao-seedance-1-0-lite-t2v-250428", "seed": 2**31}, 400, "InvalidParameter"),
    ({"model": "doubao-seedance-2-0-mini-260615", "seed": 0}, 400, "InvalidParameter"),
    ({"camera_fixed": False}, 400, "InvalidParameter"),
]

TABLES: dict[str, Cases] = {
    "jiekou": JIEKOU,
    "jimmyai": JIMMYAI,
    "chanjing": CHANJING,
    "uniall": UNIALL,
    "3hei": CONTENT,
    "ark": [*CONTENT, *ARK],
}

CASES = [(kind, *case) for kind, cases in TABLES.items() for case in cases]


def _name(value: object) -> str | None:
    if isinstance(value, dict):
        return ",".join(f"{name}={'' if item is MISSING else str(item)[:24]}" for name, item in value.items())
    return None


@pytest.mark.parametrize(("kind", "changes", "status", "code"), CASES, ids=_name)
def test_what_the_page_refuses_is_refused(
    rig: Rig, kind: str, changes: dict[str, object], status: int, code: object
) -> None:
    path, body = SUBMITS[kind]
    changed = {name: value for name, value in {**body, **changes}.items() if value is not MISSING}
    answer = rig.ask("POST", path, changed)
    assert (answer.status_code, at(answer.json(), CODE_AT[kind])) == (status, code), answer.text
    assert any(name in answer.text or str(value) in answer.text for name, value in changes.items()), answer.text
    assert rig.world.ledger.entries == []


CREDENTIALS: list[tuple[str, dict[str, str], int, object]] = [
    ("jiekou", {}, 400, "MISSING_API_KEY"),
    ("jiekou", {"authorization": "Bearer wrong-key"}, 403, "INVALID_API_KEY"),
    ("jiekou", {"authorization": "key"}, 403, "INVALID_API_KEY"),
    ("jiekou", {"authorization": "Bearer broke-key"}, 400, "BILLING_BALANCE_NOT_ENOUGH"),
    ("jimmyai", {"authorization": "Bearer wrong-key"}, 401, "20001"),
    ("jimmyai", {"authorization": "Bearer broke-key"}, 200, "20002"),
    ("chanjing", {"authorization": "Bearer key"}, 200, 10400),
    ("chanjing", {"access_token": "stale"}, 200, 10400),
    ("uniall", {"authorization": "Basic a2V5"}, 401, "invalid_api_key"),
    ("uniall", {"authorization": "Bearer broke-key"}, 403, "insufficient_user_quota"),
    ("3hei", {"aikey": "key"}, 401, "AuthenticationError"),
    ("ark", {"authorization": "Bearer wrong-key"}, 401, "AuthenticationError"),
    ("ark", {"authorization": "Bearer broke-key"}, 403, "AccountOverdueError"),
]


@pytest.mark.parametrize(("kind", "headers", "status", "code"), CREDENTIALS)
def test_a_credential_that_is_no_good_is_refused(
    rig: Rig, kind: str, headers: dict[str, str], status: int, code: object
) -> None:
    path, body = SUBMITS[kind]
    answer = rig.send("POST", path, json=body, headers=headers)
    assert (answer.status_code, at(answer.json(), CODE_AT[kind])) == (status, code)
    assert rig.world.ledger.entries == []


UNKNOWN_TASKS: dict[str, tuple[int, object]] = {
    "jiekou": (404, "TASK_NOT_FOUND"),
    "jimmyai": (404, "20002"),
    "chanjing": (200, 40000),
    "uniall": (400, "task_not_exist"),
    "3hei": (404, "NotFound"),
    "ark": (404, "NotFound"),
}


@pytest.mark.parametrize("kind", UNKNOWN_TASKS)
def test_a_task_that_is_not_known_is_answered_in_the_vendors_way(rig: Rig, kind: str) -> None:
    answer = rig.poll(kind, "nobody")
    assert (answer.status_code, at(answer.json(), CODE_AT[kind])) == UNKNOWN_TASKS[kind]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("jiekou", "/jiekou/v3/async/seedance-v1-pro-i2v"),
        ("jimmyai", "/jimmyai/api/open-api/v1/seedance25/videos"),
        ("uniall", "/uniall/v1/videos/generations"),
        ("3hei", "/3hei/contents/generations/tasks"),
    ],
)
def test_an_address_that_the_vendor_does_not_have_takes_nothing(rig: Rig, kind: str, path: str) -> None:
    answer = rig.ask("POST", path, dict(SUBMITS[kind][1]))
    assert answer.status_code == 404
    assert at(answer.json(), CODE_AT[kind])
    assert rig.world.ledger.entries == []


def test_3hei_takes_no_field_that_only_the_owner_documents(rig: Rig) -> None:
    path, body = SUBMITS["3hei"]
    answer = rig.ask("POST", path, {**body, "service_tier": "default"})
    assert answer.json()["error"]["param"] == "service_tier"


@pytest.mark.parametrize("kind", SUBMITS)
@pytest.mark.parametrize(
    ("content", "type"), [(b'{"a"', "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")]
)
def test_a_body_that_is_no_json_object_is_refused(rig: Rig, kind: str, content: bytes, type: str) -> None:
    headers = {**rig.credential(kind), "content-type": type}
    answer: Any = rig.send("POST", SUBMITS[kind][0], content=content, headers=headers).json()
    assert str(at(answer, CODE_AT[kind])) not in ("0", "20000")
    assert rig.world.ledger.entries == []
