"""Which files local media may be read from: those of the project, and those in folders that it allows by name.

A cloned project must not be able to publish other files of the user, so a file outside needs a line in `clipform.yaml`
that a person can see (never-pay-twice#f79). Links are resolved first; only the target counts. Our own state is never an
input: a second reader beside SQLite would break its locks (never-pay-twice#f23). Only reading is allowed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from reconciler.diagnostics import ArtifactError
from reconciler.frozen import dataclass

_SIMPLE = re.compile(r"[\w./-]+")


@dataclass(frozen=True, slots=True)
class AllowedPaths:
    """The root, the state folder and the allowed folders, all with links resolved."""

    root: Path
    state: Path
    allowed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, root: Path, state: Path, allow: Iterable[str] = ()) -> AllowedPaths:
        """Resolve the folders. `allow`: relative to the root, or absolute; a missing one allows nothing."""
        real = [Path(os.path.realpath(root / folder)) for folder in allow]
        return cls(Path(os.path.realpath(root)), Path(os.path.realpath(state)), tuple(real))

    def locate(self, path: str) -> Path:
        """Return a path with links resolved. Raises ArtifactError, with a code, if it must not be read."""
        if "\0" in path:
            raise ArtifactError("a path cannot hold a NUL character", code="not-a-file")
        real = os.path.realpath(os.path.join(self.root, path))
        if is_in(real, self.state):
            raise ArtifactError(f"{path} is in the state folder, which is not for inputs", code="in-state")
        if not self.has(real):
            raise ArtifactError(f"{path} is outside the project", help=self._help(path, real), code="outside")
        return Path(real)

    def has(self, real: str) -> bool:
        """True if a path without links is in an allowed folder."""
        return any(is_in(real, folder) for folder in (self.root, *self.allowed))

    def outside_root(self, paths: Iterable[str]) -> frozenset[str]:
        """Those that lead to an allowed folder outside the root, whether something is there or not."""
        resolved = ((path, os.path.realpath(os.path.join(self.root, path))) for path in {*paths} if "\0" not in path)
        return frozenset(path for path, real in resolved if not is_in(real, self.root) and self.has(real))

    def _help(self, path: str, real: str) -> str:
        parent = os.path.dirname(real)
        folder = parent if os.path.isabs(path) else os.path.relpath(parent, self.root)
        written = folder if _SIMPLE.fullmatch(folder) else json.dumps(folder, ensure_ascii=False)
        return f"copy it into the project, or allow its folder in clipform.yaml:\ninputs: {{allow: [{written}]}}"


def is_in(real: str, folder: Path) -> bool:
    """True if a path without links is a folder or in it. Texts: comparing Paths takes longer than the look."""
    return f"{real}/".startswith(os.path.join(folder, ""))
