"""Keeps the finished jobs of a long run, so that `--resume` goes on with one that was stopped.

A folder below `.cache/reliability` for each commit and form of the run: `N.tally` is the count of job N, `seconds` what
the run took so far. Other code would have other counts, so a folder of another commit is never read.
"""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

from tests.reliability.figures import Tally


class Journal:
    """The finished jobs of one run."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        clock = folder / "seconds"
        self.parts = [float(part) for part in clock.read_text("utf-8").split()] if clock.exists() else []

    def finished(self) -> dict[int, Tally]:
        """Return the counts of finished jobs by their numbers."""
        return {int(file.stem): pickle.loads(file.read_bytes()) for file in self._folder.glob("*.tally")}  # noqa: S301

    def keep(self, number: int, tally: Tally, seconds: float) -> None:
        """Write the count of a job that is done, `seconds` after this part of the run began."""
        part = self._folder / "part"
        part.write_bytes(pickle.dumps(tally))
        part.replace(self._folder / f"{number}.tally")
        part.write_text(" ".join(map(str, [*self.parts, seconds])), "utf-8")
        part.replace(self._folder / "seconds")

    def close(self) -> None:
        """Forget a run that came to its end."""
        shutil.rmtree(self._folder)
