"""The decision table: which way a file takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.providers import media_routes
from reconciler.providers.base import Model
from reconciler.providers.media_routes import Hosting, MediaKind, NoRoute

ROWS = yaml.safe_load((Path(__file__).parent / "routes.yaml").read_text("utf-8"))


@pytest.mark.parametrize("sort", list(MediaKind))
@pytest.mark.parametrize("row", ROWS, ids=[row["why"] for row in ROWS])
def test_the_first_way_that_is_open_is_taken(row: dict[str, Any], sort: MediaKind) -> None:
    model = Model("seedance", max_request_bytes=1000, **{f"{sort}_schemes": frozenset(row["takes"])})
    upload = row.get("upload", False)
    hosting = Hosting(bool(upload), None if upload is True else upload or None, row.get("store", False))
    found = media_routes.choose(model, sort, row["size"], hosting, row.get("free"))
    if row["way"] == "none":
        assert isinstance(found, NoRoute)
        assert found.message == row["says"] and found.help
    else:
        assert found == row["way"]


@pytest.mark.parametrize(
    ("field", "sort"),
    [
        ("first_frame", "image"),
        ("last_frame", "image"),
        ("references.images[0]", "image"),
        ("references.videos[12]", "video"),
        ("references.audios[1]", "audio"),
    ],
)
def test_a_field_wants_one_sort(field: str, sort: str) -> None:
    assert media_routes.kind_of(field) == sort


def test_a_request_has_room_for_its_prompt_first() -> None:
    assert media_routes.room(Model("m", max_request_bytes=100_000), "é" * 10) == 100_000 - media_routes.RESERVED - 20
    assert media_routes.room(Model("m"), "a lamp") is None


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10_000])
def test_the_room_that_a_data_url_takes_is_never_underrated(size: int) -> None:
    import base64

    assert len("data:image/jpeg;base64," + base64.b64encode(bytes(size)).decode()) <= media_routes.encoded(size)
