"""What vendors host is remembered while it lives, and only if it is no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.artifacts.upload_links import UploadLinks
from reconciler.providers.capabilities import Hosted
from tests.engine.inputs.kit import DAY, Clock

SHA = "ab" * 32
URL = f"https://cdn.vendor.example/{SHA}.png"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def remembered(state: Path, clock: Clock, url: str = URL, life: float | None = 3 * DAY) -> UploadLinks:
    handles = UploadLinks(state, clock.now)
    handles.remember("studio", "jimmyai", SHA, Hosted(url, life))
    return handles


@pytest.mark.parametrize(
    ("life", "later", "found"),
    [
        (3 * DAY, 0, True),
        (3 * DAY, 3 * DAY - 3601, True),
        (3 * DAY, 3 * DAY - 3600, False),  # the vendor may fetch it late
        (600, 299, True),
        (600, 300, False),
    ],
)
def test_a_link_is_handed_out_while_it_has_time_left(
    tmp_path: Path, clock: Clock, life: float, later: float, found: bool
) -> None:
    remembered(tmp_path, clock, life=life)
    clock.time += later
    assert (UploadLinks(tmp_path, clock.now).find("studio", "jimmyai", SHA) == URL) is found


@pytest.mark.parametrize(
    ("alias", "kind", "sha"),
    [("other", "jimmyai", SHA), ("studio", "chanjing", SHA), ("studio", "jimmyai", "cd" * 32)],
)
def test_a_link_is_good_for_its_provider_and_its_content(
    tmp_path: Path, clock: Clock, alias: str, kind: str, sha: str
) -> None:
    assert remembered(tmp_path, clock).find(alias, kind, sha) is None


@pytest.mark.parametrize(
    ("url", "life"),
    [
        (f"{URL}?sign=CANARY", 3 * DAY),
        (f"{URL}#CANARY", 3 * DAY),
        ("https://user:CANARY@cdn.vendor.example/a.png", 3 * DAY),
        (URL, None),  # nobody says how long it lives
    ],
)
def test_a_link_that_may_be_a_key_or_may_be_dead_is_never_on_disk(
    tmp_path: Path, clock: Clock, url: str, life: float | None
) -> None:
    assert remembered(tmp_path, clock, url, life).find("studio", "jimmyai", SHA) == url  # within the run
    assert b"CANARY" not in (tmp_path / "hosted").read_bytes()
    assert UploadLinks(tmp_path, clock.now).find("studio", "jimmyai", SHA) is None


@pytest.mark.parametrize("damage", [b"", b"x", b"\n{}", b"\xff\n[]"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, clock: Clock, damage: bytes) -> None:
    remembered(tmp_path, clock)
    (tmp_path / "hosted").write_bytes(damage)
    assert UploadLinks(tmp_path, clock.now).find("studio", "jimmyai", SHA) is None


def test_every_cut_of_the_file_is_noticed(tmp_path: Path, clock: Clock) -> None:
    remembered(tmp_path, clock)
    whole = (tmp_path / "hosted").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "hosted").write_bytes(whole[:length])
        assert UploadLinks(tmp_path, clock.now).find("studio", "jimmyai", SHA) is None


def test_what_has_expired_is_forgotten_on_disk(tmp_path: Path, clock: Clock) -> None:
    handles = remembered(tmp_path, clock)
    clock.time += 4 * DAY
    handles.remember("studio", "jimmyai", "cd" * 32, Hosted("https://cdn.vendor.example/new", 3 * DAY))
    assert SHA not in (tmp_path / "hosted").read_text()
