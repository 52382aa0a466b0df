"""Faults of a vendor that ignores a part of the request, and shows so."""

from __future__ import annotations

from collections.abc import Callable

from tests.emulator.kit import LATENCY, Rig

Faulty = Callable[..., Rig]
SUBMIT = {"phase": "submit"}


def test_a_seed_that_is_ignored_and_another_one_reported(faulty: Faulty) -> None:
    rig = faulty({"when": {**SUBMIT, "nth": 1}, "do": "own_seed"})
    tasks = [rig.submit("ark", model="doubao-seedance-1-0-pro-250528", seed=2**31 - 1) for _ in range(2)]
    rig.now += LATENCY
    own, sent = (rig.poll("ark", task).json()["seed"] for task in tasks)
    assert own != sent == 2**31 - 1


def test_frames_that_are_ignored_are_not_shown(faulty: Faulty) -> None:
    rig = faulty({"when": {**SUBMIT, "nth": 1}, "do": "ignore_frames"})
    ignored, sent = (rig.poll("chanjing", rig.submit("chanjing")).json()["data"] for _ in range(2))
    assert (ignored["ref_img_url"], ignored["motion_info"]["photo_path_url"]) == ([], "")
    assert len(sent["ref_img_url"]) == 2


def test_a_parameter_that_is_ignored_reported_wrong_or_not_at_all(faulty: Faulty) -> None:
    limit = "execution_expires_after"
    rig = faulty(
        {"when": {**SUBMIT, "nth": 1}, "do": "ignore", "field": limit},
        {"when": {**SUBMIT, "nth": 2}, "do": "report", "field": limit, "value": 3600},
        {"when": {**SUBMIT, "nth": 3}, "do": "report", "field": limit, "value": None},
        {"when": {**SUBMIT, "nth": 4}, "do": "silent"},
    )
    tasks = [rig.submit("ark", execution_expires_after=200_000) for _ in range(5)]
    assert [rig.poll("ark", task).json().get(limit) for task in tasks] == [172_800, 3600, None, None, 200_000]
    rig.now += 2 * LATENCY
    assert [rig.poll("ark", task).json().get(limit) for task in tasks] == [172_800, 3600, None, 200_000, 200_000]
