"""Diagnostics and errors: the problem, its place and its fix. All layers use them.

A problem in a file that the user wrote is a `Diagnostic`; an operation that cannot continue raises a `ClipformError`.
`views` renders both.

Error tree, with exit codes:

    ClipformError            1   an error; nothing was done
    ├── SpecError            1   the project's files have errors (carries all diagnostics)
    ├── UsageError          64   the command line is wrong
    ├── StateError           1   the state store cannot be used
    │   ├── StateNewer       1   written by a newer clipform
    │   ├── StateDamaged     1   SQLite reports a damaged file
    │   └── StateUnreachable 5   the shared state cannot be asked now
    ├── Unwritten            1   the output could not be written
    ├── StateLocked          5   another process holds the state
    ├── Refused              4   a rule forbids spending
    ├── ArtifactError        3   a file could not be stored or placed
    │   └── Foreign          3   the file at the target was not placed by clipform
    ├── MediaError           3   a video or picture cannot be read or created
    └── ProviderError        3   a provider refused, or is unreachable
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from reconciler.frozen import dataclass


class Severity(StrEnum):
    """An error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a file. Lines and columns count from 1, in characters; `end` is an exclusive column of the line."""

    file: str
    line: int
    column: int
    end: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Source lines shown under a message: the number of the first line, and the texts."""

    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. `code` is stable and in kebab-case, `message` contains the wrong value, `help` one action."""

    code: str
    message: str
    source: Source | None = None
    help: str = ""
    severity: Severity = Severity.ERROR
    excerpt: Excerpt | None = None
    clips: tuple[str, ...] = ()  # the declarations with this problem, while a project is read


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of `doctor` or `verify`: its name, whether it passed, the facts, and help if it failed."""

    name: str
    ok: bool
    detail: str
    help: str = ""


class ClipformError(Exception):
    """Base class of all errors that clipform raises on purpose. `help` says what to do, or is empty."""

    exit_code = 1

    def __init__(self, message: str, *, help: str = "", code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code


class SpecError(ClipformError):
    """The project's files have errors; `diagnostics` has all of them and the warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(f"{len(self.diagnostics)} problem(s) in the project's files", code="spec")


class UsageError(ClipformError):
    """The command line is wrong."""

    exit_code = 64


class StateError(ClipformError):
    """The state store cannot be used."""


class StateNewer(StateError):
    """The state was written by a newer clipform; it is not changed."""


class StateDamaged(StateError):
    """SQLite reports that the database file is damaged."""


class StateUnreachable(StateError):
    """The state that a team shares does not answer: nothing is bought meanwhile."""

    exit_code = 5


class Unwritten(ClipformError):
    """The output could not be written, for example because the disk is full."""


class StateLocked(ClipformError):
    """Another process holds the state lock; the message names it."""

    exit_code = 5


class Refused(ClipformError):
    """Spending was refused: budget, `--max-cost`, `--locked`, a stale plan, or no confirmation."""

    exit_code = 4


class ArtifactError(ClipformError):
    """A file could not be stored, verified or placed."""

    exit_code = 3


class Foreign(ArtifactError):
    """The file at a target was not placed by clipform; it is never overwritten, only moved aside on request."""


class MediaError(ClipformError):
    """A video or picture cannot be read or created."""

    exit_code = 3


class ProviderError(ClipformError):
    """A provider refused a request, or is unreachable."""

    exit_code = 3


def no_extra(subject: str, *extras: str) -> ClipformError:
    """Return the error for what needs a library that comes with extras of the package."""
    names, which = ", ".join(extras), "extra" if len(extras) == 1 else "extras"
    help = f"uv tool install 'clipform[{','.join(extras)}]'"
    return ClipformError(f"{subject} needs the {which} {names}", help=help, code="no-extra")
