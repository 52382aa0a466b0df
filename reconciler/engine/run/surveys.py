"""Surveys of the videos that films show, kept by content beside the pieces: of a film, only new videos are read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from reconciler.artifacts.files import read_cache, write_cache
from reconciler.engine.ports import Workers
from reconciler.media.cut.survey import Survey, survey
from reconciler.state import disk

SURVEYS = "surveys"
"""The file in the folder of pieces; it may be deleted at any time, and `gc` does."""

_VERSION = 1
"""Another number for each change of what `survey` returns."""


class Surveys:
    """What videos are made of."""

    def __init__(self, file: Path, workers: Workers) -> None:
        self._file, self._workers = file, workers
        self._listed = read_cache(file, lambda values: Survey(*values))
        self._count = len(self._listed)

    async def of(self, path: Path, part: tuple[str, int, int, int]) -> Survey:
        """Return what a part of a video has: of its content, from a frame to another one, at a rate. Raises
        MediaError."""
        name = " ".join(map(str, (_VERSION, *part)))
        if name not in self._listed:
            self._listed[name] = await self._workers.run(survey, path, *part[1:])
        return self._listed[name]

    def save(self) -> None:
        """Write down what is new. Failing is not an error: the next run looks again."""
        if len(self._listed) > self._count:
            with suppress(OSError):
                disk.make_directories(self._file.parent)
                write_cache(self._file, {name: astuple(each) for name, each in self._listed.items()})
