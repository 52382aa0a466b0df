"""What a provider's YAML may override, what it may not, and how faults are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from provider_cases import FOLDERS

from reconciler.conform.clips import clip_with
from reconciler.diagnostics import SpecError
from reconciler.providers.base import (
    Accepted,
    Billing,
    Job,
    MediaRef,
    Mode,
    Reply,
    Request,
    Succeeded,
    Unknown,
    Working,
)
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.providers.check import Resolved, defaults_v1, resolve
from reconciler.providers.registry import dialect, kinds

HEADER = "auth_header is written 'Name: value' with the credential in braces, as in 'Authorization: Bearer {api_key}'"


def faults(kind: str, settings: Mapping[str, Any]) -> list[str]:
    with pytest.raises(SpecError) as caught:
        dialect(kind, settings)
    return [problem.message for problem in caught.value.diagnostics]


# Paths and headers ---------------------------------------------------------------------------


def test_paths_are_overridden():
    spoken = dialect("3hei", {"submit_path": "/ai/seedance/videos", "poll_path": "/ai/seedance/result?task_id={task}"})
    job = Job(spoken.models[0], Mode.TEXT, "p")
    assert spoken.submit(job).path == "/ai/seedance/videos"
    assert spoken.poll("t 1", None) == Request("GET", "/ai/seedance/result", (("task_id", "t 1"),))


def test_an_older_dialect_of_a_vendor_is_spoken_by_settings_alone():
    """The vendor's quickstart differs from its page: another header, other paths, an envelope, words of its own."""
    spoken = dialect(
        "3hei",
        {
            "id_at": ["result.task_id"],
            "video_at": ["output.0"],
            "status_words": {"finished": "succeeded", "1": "running"},
        },
    )
    assert spoken.read_submit(Reply(200, {"code": 0, "info": "success", "result": {"task_id": "t1"}})) == Accepted("t1")
    assert isinstance(spoken.read_submit(Reply(200, {"id": "t1"})), Unknown)
    working = spoken.read_poll("t1", Reply(200, {"code": 0, "result": {"task_id": "t1", "status": "1"}}))
    assert working == Working()
    done = spoken.read_poll("t1", Reply(200, {"id": "t1", "status": "finished", "output": ["https://m.example/v.mp4"]}))
    assert isinstance(done, Succeeded) and done.video == "https://m.example/v.mp4"


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind != "draft"])
def test_a_new_status_word_is_given_the_meaning_of_a_known_one(kind: str):
    known = {"jiekou": "TASK_STATUS_QUEUED", "chanjing": "Queued", "fal": "IN_QUEUE"}.get(kind, "queued")
    spoken = dialect(kind, {"status_words": {"waiting": known}})
    task = {"id": "t1", "task_id": "t1", "unique_id": "t1", "status": "waiting", "progress_desc": "waiting"}
    body = {"jiekou": {"task": task}, "chanjing": {"code": 0, "data": task}}.get(kind, task)
    assert spoken.read_poll("t1", Reply(200, body)) == Working(queued=True)
    assert dialect(kind).read_poll("t1", Reply(200, body)) == Working(warning="unknown status 'waiting'; still polling")


def test_a_task_id_stays_one_segment_of_a_path():
    assert dialect("uniall").poll("a/../b?c#d%2f", None).path == "/v1/videos/a%2F..%2Fb%3Fc%23d%252f"


def test_the_header_is_overridden():
    spoken = dialect("3hei", {"auth_header": "AIKey: {api_key}"})
    assert isinstance(spoken, SpokenOverHttp)
    assert spoken.auth_headers({"api_key": "{api_key}"}) == (("AIKey", "{api_key}"),)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"submitpath": "/x"}, "unknown setting 'submitpath'; did you mean 'submit_path'?"),
        ({"submit_path": "v1/videos"}, "submit_path starts with '/' and is relative to base_url, found 'v1/videos'"),
        ({"submit_path": "/v1/{task}"}, "submit_path has an unknown placeholder {task}"),
        ({"poll_path": "/v1/videos"}, "poll_path needs {task} where the task id goes"),
        (
            {"auth_header": "AIKey"},
            HEADER,
        ),
        (
            {"auth_header": "X: {api_key}\r\nY: 1"},
            HEADER,
        ),
        ({"link_life": "soon"}, "link_life: Input should be a valid integer, unable to parse string as an integer"),
        ({"models": ["x"]}, "models: Input should be a valid dictionary"),
        ({"models": {"x": {"duratons": [5]}}}, "unknown setting 'models.x.duratons'; did you mean 'durations'?"),
        (
            {"models": {"x": {"like": "seedance2.0"}}},
            "models.x.like: unknown model 'seedance2.0'; did you mean 'seedance2.0-4k'?",
        ),
        ({"models": {"x": {"durations": "long"}}}, "models.x.durations: Input should be a valid tuple"),
        ({"models": {"x": {"name": "y"}}}, "models.x: `name` cannot be set"),
        ({"models": {"x": {"defaults_v1": {}}}}, "models.x: `defaults_v1` cannot be set"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], message: str):
    assert faults("uniall", settings) == [message]


def test_all_wrong_settings_are_named_at_once():
    assert len(faults("chanjing", {"frame_style": "both", "submitpath": "/x", "link": 1})) == 3


def test_the_draft_has_nothing_to_set():
    assert faults("draft", {"speed": 2}) == ["kind draft takes no settings, found speed"]


def test_words_of_a_spec_are_read_by_the_type_of_the_setting():
    spoken = dialect("uniall", {"link_life": "60", "failures_free": "yes"})
    assert (spoken.settings.link_life, spoken.settings.failures_free) == (60, True)  # type: ignore[attr-defined]


# Models --------------------------------------------------------------------------------------


def model(settings: Mapping[str, Any], name: str, kind: str = "uniall") -> Any:
    return next(model for model in dialect(kind, {"models": settings}).models if model.name == name)


def test_a_newer_model_starts_from_a_known_one():
    found = model(
        {"seedance3": {"like": "seedance2.0-1080p", "durations": "4-30", "billing": "per second"}}, "seedance3"
    )
    assert found.durations == tuple(range(4, 31))
    assert found.line == "seedance3"
    assert found.billing is Billing.PER_SECOND
    assert found.max_images == 9
    assert found.modes == frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FRAMES, Mode.REFERENCES})


def test_a_model_may_start_from_nothing():
    found = model({"odd": {"durations": ["8"], "modes": ["text"], "defaults": {"duration": "8", "audio": "no"}}}, "odd")
    assert found.durations == (8,)
    assert found.defaults == {"duration": 8, "audio": False}


def test_nested_values_are_overridden_one_by_one():
    found = model({"seedance2.0-720p": {"image_limits": {"max_bytes": 10}}}, "seedance2.0-720p")
    assert (found.image_limits.max_bytes, found.image_limits.max_side) == (10, 6000)


def test_an_overridden_default_is_sent_and_changes_no_key_by_itself():
    spoken = dialect("uniall", {"models": {"seedance2.0-720p": {"defaults": {"duration": 6}}}})
    found = resolve(clip_with(prompt="p"), spoken)
    assert isinstance(found, Resolved)
    assert found.params == {}
    assert found.settled == {"duration": 6, "resolution": "720p"}
    assert defaults_v1(found.model) == {"resolution": "720p"}, (
        "6 s is no default of recipe v1: once settled it is hashed"
    )


def test_a_new_model_has_no_frozen_defaults():
    found = model({"new": {"like": "seedance2.0-720p"}}, "new")
    assert defaults_v1(found) == {}


def test_a_line_that_takes_sound_beside_frames_sends_both():
    spoken = dialect("jimmyai", {"models": {"seedance2.0-sp": {"audios_with_frames": "yes"}}})
    picture, sound = MediaRef("https", "https://c/a"), MediaRef("https", "https://c/s")
    body = spoken.submit(Job(spoken.models[0], Mode.FIRST_FRAME, "p", first_frame=picture, audios=(sound,))).body
    assert isinstance(body, dict)
    assert (body["first_image"], body["reference_audios"]) == ("https://c/a", ["https://c/s"])


# Kinds ---------------------------------------------------------------------------------------


def test_an_unknown_kind_is_named():
    assert faults("jiekuo", {}) == ["unknown provider kind 'jiekuo'; did you mean 'jiekou'?"]


def test_every_kind_says_what_it_is():
    assert set(kinds()) >= set(FOLDERS)
    for kind in FOLDERS:
        assert dialect(kind).kind == kind


RESERVED = {
    "jiekou": (  # of both lines: the vendor serves the older one by the newer by itself
        "aspect_ratio camera_fixed duration fast generate_audio image last_image prompt ratio reference_audios "
        "reference_images reference_videos resolution return_last_frame seed watermark"
    ),
    "jimmyai": (
        "duration first_image images last_image model orientation prompt ratio reference_audios "
        "reference_videos resolution"
    ),
    "chanjing": (
        "aspect_ratio clarity creation_type end_frame model_code ref_img_url ref_prompt start_frame video_duration"
    ),
    "uniall": (
        "aspect_ratio audios duration extra_body.camera_fixed extra_body.generate_audio "
        "extra_body.return_last_frame extra_body.seed extra_body.watermark image images last_image model "
        "prompt videos"
    ),
    "3hei": (
        "camera_fixed content duration frames generate_audio model ratio resolution return_last_frame seed watermark"
    ),
    "ark": (
        "camera_fixed content duration frames generate_audio model ratio resolution return_last_frame seed watermark"
    ),
}


@pytest.mark.parametrize("kind", RESERVED)
def test_options_may_not_set_what_a_dialect_writes(kind: str):
    assert " ".join(sorted(dialect(kind).reserved)) == RESERVED[kind]
