"""Which files local media may be read from: those of the project, and those in folders that it allows by name.

A project that was cloned must not be able to publish a file of whoever runs it, so what lies outside needs a line in
`clipform.yaml` that a person can see (F79). Links are followed first and judged by where they end. Our own state is
never an input: a second reader beside SQLite would break its locks (F23). Allowed is reading, and nothing else.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import ArtifactError

_SIMPLE = re.compile(r"[\w./-]+")


@dataclass(frozen=True, slots=True)
class Reach:
    """The root, the state and the allowed folders, all without links in them."""

    root: Path
    state: Path
    allowed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, root: Path, state: Path, allow: Iterable[str] = ()) -> Reach:
        """`allow`: folders relative to the root, or absolute. One that is not there allows nothing."""
        real = [Path(os.path.realpath(root / folder)) for folder in allow]
        return cls(Path(os.path.realpath(root)), Path(os.path.realpath(state)), tuple(real))

    def locate(self, path: str) -> Path:
        """Where a path leads. ArtifactError, with a code, where that is not to be read."""
        if "\0" in path:
            raise ArtifactError("a path cannot hold a NUL character", code="not-a-file")
        real = Path(os.path.realpath(self.root / path))
        if real.is_relative_to(self.state):
            raise ArtifactError(f"{path} is in the state folder, which is not for inputs", code="in-state")
        if not self.has(real):
            raise ArtifactError(f"{path} is outside the project", help=self._consent(path, real), code="outside")
        return real

    def has(self, real: Path) -> bool:
        """Whether a path without links is within reach."""
        return any(real.is_relative_to(folder) for folder in (self.root, *self.allowed))

    def beyond(self, paths: Iterable[str]) -> frozenset[str]:
        """Those that lead to an allowed folder outside the root, whether something is there or not."""
        found = ((path, os.path.realpath(self.root / path)) for path in {*paths} if "\0" not in path)
        outside = ((path, Path(real)) for path, real in found if not Path(real).is_relative_to(self.root))
        return frozenset(path for path, real in outside if self.has(real))

    def _consent(self, path: str, real: Path) -> str:
        """The mend, with the line to write."""
        folder = str(real.parent) if os.path.isabs(path) else os.path.relpath(real.parent, self.root)
        written = folder if _SIMPLE.fullmatch(folder) else json.dumps(folder, ensure_ascii=False)
        return f"copy it into the project, or allow its folder in clipform.yaml:\ninputs: {{allow: [{written}]}}"
