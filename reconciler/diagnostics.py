"""What is wrong, where, and how to mend it: the values every layer reports with.

A problem in something the user wrote is a `Diagnostic`; an operation that cannot go on raises a
`ClipformError`. Rendering belongs to `views`; nothing here prints.

Error tree (each carries the exit code of the interface's table):

    ClipformError            1   something is wrong; nothing was done
    ├── SpecError            1   the project's files have errors (carries all diagnostics)
    ├── UsageError          64   the command line is wrong
    ├── StateError           1   the state store cannot be used
    │   ├── StateNewer       1   written by a newer clipform
    │   └── StateDamaged     1   SQLite says the file is not sound
    ├── Unwritten            1   what was to be shown could not be written
    ├── Locked               5   another process holds the state
    ├── Refused              4   a rule forbids spending
    ├── ArtifactError        3   a file could not be stored or placed
    │   └── Foreign          3   a file at the target is the user's, not ours
    ├── MediaError           3   a video or picture cannot be read or made
    └── ProviderError        3   a provider said no, or could not be reached
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a file: lines and columns count from 1, in characters; `end` is exclusive, same line."""

    file: str
    line: int
    column: int
    end: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Source lines shown under a message: the number of the first line and the texts, newest last."""

    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: `code` is stable and kebab-case, `message` has the value found, `help` one action."""

    code: str
    message: str
    source: Source | None = None
    help: str = ""
    severity: Severity = Severity.ERROR
    excerpt: Excerpt | None = None


class ClipformError(Exception):
    """Base of every error that clipform raises on purpose; `help` is one actionable line or empty."""

    exit_code = 1

    def __init__(self, message: str, *, help: str = "", code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code


class SpecError(ClipformError):
    """The project's files have errors; `diagnostics` holds all of them, errors and warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(f"{len(self.diagnostics)} problem(s) in the project's files", code="spec")


class UsageError(ClipformError):
    """The command line is wrong."""

    exit_code = 64


class StateError(ClipformError):
    """The state store cannot be used as it is."""


class StateNewer(StateError):
    """The state was written by a newer clipform: it is refused and left byte for byte."""


class StateDamaged(StateError):
    """SQLite reports that the database file is not sound."""


class Unwritten(ClipformError):
    """What was to be shown could not be written: the disk behind a redirected output is full."""


class StateLocked(ClipformError):
    """Another process holds the state lock; the message names it."""

    exit_code = 5


class Refused(ClipformError):
    """Refused to spend: budget, `--max-cost`, `--locked`, stale plan, or no confirmation."""

    exit_code = 4


class ArtifactError(ClipformError):
    """A file could not be stored, verified or placed."""

    exit_code = 3


class Foreign(ArtifactError):
    """The file at a target is not one that we placed; it is never overwritten unasked."""


class MediaError(ClipformError):
    """A video or picture cannot be read or made."""

    exit_code = 3


class ProviderError(ClipformError):
    """A provider said no, or could not be reached."""

    exit_code = 3
