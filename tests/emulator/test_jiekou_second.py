"""Seedance 2.0 at `jiekou`: one address for two lines, and the last frame among the images."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.kit import LATENCY, Rig

ADDRESS = "/jiekou/v3/async/seedance-2.0"
TEXT = {"prompt": "waves", "resolution": "480p", "duration": 5, "ratio": "16:9"}


def post(rig: Rig, **body: Any) -> Any:
    return rig.ask("POST", ADDRESS, {**TEXT, **body})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fast": False, "resolution": "1080p"}, 200),
        ({"fast": True, "resolution": "720p"}, 200),
        ({"fast": True, "resolution": "1080p"}, 400),
        ({"seed": 7}, 400),
        ({"duration": 3}, 400),
        ({"reference_images": ["https://example.com/a.png"] * 10}, 400),
        ({"reference_audios": ["https://example.com/a.mp3"]}, 400),
        ({"image": "https://example.com/a.png", "reference_images": ["https://example.com/a.png"]}, 400),
    ],
)
def test_what_the_page_allows_is_taken(body: dict[str, Any], status: int, rig: Rig) -> None:
    assert post(rig, **body).status_code == status


def test_the_last_frame_is_among_the_images_where_it_was_asked_for(rig: Rig) -> None:
    for asked in (True, False):
        task = post(rig, return_last_frame=asked).json()["task_id"]
        rig.now += LATENCY
        answer = rig.poll("jiekou", task).json()
        assert len(answer["videos"]) == 1 and len(answer["images"]) == asked
