"""How alike frames are, as a number: 1 for the same one, much less for another picture."""

from __future__ import annotations

from pathlib import Path

from reconciler.media.likeness import likeness
from tests.media.cut import numbered


def test_equal_frames_are_alike_and_others_are_not(tmp_path: Path) -> None:
    one = numbered.film(tmp_path / "one.mp4", 10, 3)
    again = numbered.film(tmp_path / "again.mp4", 8, 5, size=(384, 216))  # the same last number, twice the size
    other = numbered.film(tmp_path / "other.mp4", 85, 3)
    assert likeness(str(one), str(one), "last_frame") == 1.0
    assert likeness(str(one), str(again), "last_frame") > 0.9
    assert likeness(str(one), str(other), "last_frame") < 0.9
