"""What new lines and old ones send, and what is said of clips that a page rules out."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diagnostics import Severity
from reconciler.providers.base import Job, Mode
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.registry import dialect
from tests.emulator.kit import SUBMITS, Rig
from tests.facts.kit import PICTURE, VIDEO, clip, priced

TWO_FIVE = "doubao-seedance-2-5-260628"


def codes(kind: str, media: Any = None, **fields: Any) -> list[str]:
    """Return the diagnostics of a clip, warnings with a question mark."""
    answer = resolve(clip(media, **fields), dialect(kind))
    problems = answer.warnings if isinstance(answer, Resolved) else answer
    return [f"{p.code}{'?' if p.severity is Severity.WARNING else ''}" for p in problems]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model": TWO_FIVE, "ratio": "16:9"}, []),
        ({"model": TWO_FIVE, "ratio": "16:9", "first_frame": PICTURE}, ["ratio-not-offered"]),
        ({"model": TWO_FIVE, "ratio": "adaptive", "first_frame": PICTURE}, []),
        ({"model": "doubao-seedance-1-0-pro-250528", "ratio": "adaptive"}, ["ratio-not-offered"]),
        ({"model": "doubao-seedance-1-0-pro-250528", "ratio": "adaptive", "first_frame": PICTURE}, []),
        ({"model": "doubao-seedance-1-5-pro-251215"}, ["model-retired?"]),
        ({"model": "doubao-seedance-1-0-lite-t2v-250428"}, ["model-retired?"]),
        ({"options": {"service_tier": "flex"}}, ["option-not-offered"]),
        ({"options": {"service_tier": "default", "priority": 9}}, []),
        ({"options": {"priority": 10}}, ["option-not-offered"]),
        ({"options": {"draft": True}}, ["option-not-offered"]),
        ({"model": TWO_FIVE, "options": {"draft": True, "output_format": "mov"}}, []),
        ({"model": TWO_FIVE, "options": {"output_format": "avi"}}, ["option-not-offered"]),
        ({"options": {"servicetier": "default"}}, ["option-unknown?"]),
        ({"model": "doubao-seedance-1-0-pro-250528", "options": {"service_tier": "flex"}}, []),
    ],
)
def test_a_clip_that_the_page_rules_out_is_refused_before_it_is_sent(
    fields: dict[str, Any], expected: list[str]
) -> None:
    assert codes("ark", **fields) == expected


def test_a_reseller_of_a_retired_line_is_warned_about() -> None:
    assert codes("jiekou", resolution="720p", first_frame=PICTURE) == ["model-retired?"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [  # the vendor's page of V1 Lite offers no watermark, that of 2.0 does
        ({"resolution": "720p", "options": {"watermark": True}}, ["model-retired?", "option-unknown?"]),
        ({"resolution": "720p", "watermark": True}, ["model-retired?", "switch-not-offered"]),
        ({"resolution": "720p", "options": {"fast": True}}, ["model-retired?", "option-unknown?", "option-reserved"]),
        ({"model": "seedance-2.0", "options": {"watermark": True}}, ["option-unknown?", "option-reserved"]),
        ({"model": "seedance-2.0", "watermark": True}, []),
    ],
)
def test_an_option_that_clipform_never_writes_for_a_model_is_left_to_the_vendor(
    fields: dict[str, Any], expected: list[str]
) -> None:
    assert codes("jiekou", first_frame=PICTURE, **fields) == expected


def test_without_a_duration_the_longest_of_2_5_is_priced_and_the_choice_is_sent() -> None:
    assert priced(clip(model=TWO_FIVE, resolution="720p", ratio="16:9")).seconds == (4, 30)
    spoken = dialect("ark")
    model = next(model for model in spoken.models if model.name == TWO_FIVE)
    body = spoken.submit(Job(model, Mode.TEXT, "p")).body
    assert isinstance(body, dict) and body["duration"] == -1 and "seed" not in body


@pytest.mark.parametrize(("operation", "sent"), [("edit", "edit"), ("extend", "extend"), (None, None)])
def test_2_5_names_the_operation(rig: Rig, operation: str | None, sent: str | None) -> None:
    spoken = dialect("ark")
    answer = resolve(clip({"videos": [VIDEO]}, model=TWO_FIVE, operation=operation), spoken)
    assert isinstance(answer, Resolved), answer
    body = spoken.submit(Job(answer.model, answer.mode, "p")).body
    assert isinstance(body, dict) and body.get("omni_reference_task_type") == sent
    two = next(model for model in spoken.models if model.name == "doubao-seedance-2-0-260128")
    older = spoken.submit(Job(two, answer.mode, "p")).body
    assert isinstance(older, dict) and "omni_reference_task_type" not in older
    sample = {"model": TWO_FIVE, "content": [{"type": "text", "text": "p"}], "omni_reference_task_type": "edit"}
    assert rig.ask("POST", SUBMITS["ark"][0], {**sample, "ratio": "16:9"}).status_code == 400
    assert rig.ask("POST", SUBMITS["ark"][0], {**sample, "ratio": "adaptive"}).status_code == 200


@pytest.mark.parametrize(("resolution", "clarity"), [("720p", 720), ("1080p", 1080), ("2k", 1440), ("4k", 2160)])
def test_chanjing_always_sends_the_clarity(resolution: str, clarity: int) -> None:
    line = "Doubao-Seedance-1.0-lite-i2v"
    spoken = dialect("chanjing", {"models": {line: {"resolutions": ["720p", "1080p", "2k", "4k"]}}})
    model = next(model for model in spoken.models if model.name == line)
    body = spoken.submit(Job(model, Mode.TEXT, "p", duration=5, resolution=resolution)).body
    assert isinstance(body, dict) and body["clarity"] == clarity


def test_an_endpoint_id_is_a_model_of_the_project(rig: Rig) -> None:
    name = "ep-20261101120000-abcde"
    spoken = dialect("ark", {"models": {name: {"like": "doubao-seedance-2-0-260128"}}})
    answer = resolve(clip(model=name, duration=5, resolution="4k", ratio="16:9"), spoken)
    assert isinstance(answer, Resolved), answer
    request = spoken.submit(Job(answer.model, answer.mode, "p", duration=5))
    assert isinstance(request.body, dict) and request.body["model"] == name
    assert rig.ask("POST", SUBMITS["ark"][0], request.body).status_code == 200
