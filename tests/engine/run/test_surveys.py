"""A video is surveyed once for each part of it that a film shows, whatever its path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import MediaError
from reconciler.engine.run.surveys import Surveys
from reconciler.media.cut.survey import Survey
from tests.media.cut import numbered


class Counted:
    """Workers in this process, and how often one was asked."""

    asked = 0

    async def run(self, work: Callable[..., Any], *values: Any) -> Any:
        """Do it here."""
        self.asked += 1
        return work(*values)


def of(surveys: Surveys, path: Path, *part: Any) -> Survey:
    """What a part of a video has."""
    return asyncio.run(surveys.of(path, part))  # type: ignore[arg-type]  # four values


def test_a_video_is_read_once_for_each_part_of_it(tmp_path: Path) -> None:
    video, workers, file = numbered.film(tmp_path / "a.mp4", 0, 24), Counted(), tmp_path / "pieces" / "surveys"
    first = Surveys(file, workers)
    seen = of(first, video, "aa", 0, -1, 24)
    assert of(first, video, "aa", 0, -1, 24) == seen and workers.asked == 1
    first.save()
    again = Surveys(file, workers)
    assert of(again, tmp_path / "elsewhere.mp4", "aa", 0, -1, 24) == seen and workers.asked == 1
    for count, part in enumerate((("bb", 0, -1, 24), ("aa", 5, -1, 24), ("aa", 0, 12, 24), ("aa", 0, -1, 25)), 2):
        of(again, video, *part)
        assert workers.asked == count


def test_a_damaged_file_and_a_video_that_cannot_be_read_are_no_surveys(tmp_path: Path) -> None:
    workers, file = Counted(), tmp_path / "surveys"
    file.write_text("damaged", encoding="utf-8")
    (tmp_path / "text.mp4").write_text("no video", encoding="utf-8")
    surveys = Surveys(file, workers)
    for _ in range(2):
        with pytest.raises(MediaError):
            of(surveys, tmp_path / "text.mp4", "aa", 0, -1, 24)
    assert workers.asked == 2
    surveys.save()
    assert file.read_text(encoding="utf-8") == "damaged"
