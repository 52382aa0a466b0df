"""The lines of the lock file by key, with the facts that every plan asks of all of them.

A plan with little to do asks nothing else, so a line itself is read when it is asked for: ten thousand objects take
three times as long as their facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from reconciler.frozen import dataclass
from reconciler.records import LockEntry

Written = tuple[str, str, str, str]
"""Of one line, as it is written: the take, its model, its task and what it cost."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What lines say, by key. `outputs` are as written; `costs` has those that are not zero, in millionths of the
    currency; `rehearsals` were made at an address of this machine."""

    contents: Mapping[str, str]  # SHA-256 of the artifact
    outputs: Mapping[str, str]
    costs: Mapping[str, tuple[int, str]]
    rehearsals: frozenset[str]
    written: Sequence[Written] = ()  # what else a text has, to write the same one again


class Locked(Mapping[str, LockEntry]):
    """Lines by key. `read` returns them as they are, once."""

    def __init__(self, facts: LineFacts, read: Callable[[], Mapping[str, LockEntry]]) -> None:
        self.facts, self._read = facts, read

    def __getitem__(self, key: str) -> LockEntry:
        return self._lines[key]

    def get(self, key: str, default: LockEntry | None = None) -> LockEntry | None:  # type: ignore[override]  # narrower
        """Return a line. Asking for one that does not exist reads none."""
        return self._lines[key] if key in self.facts.contents else default

    def __contains__(self, key: object) -> bool:
        return key in self.facts.contents

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts.contents)

    def __len__(self) -> int:
        return len(self.facts.contents)

    def __repr__(self) -> str:
        return repr(dict(self))

    @cached_property
    def _lines(self) -> Mapping[str, LockEntry]:
        return self._read()


def facts_of(lines: Mapping[str, LockEntry]) -> LineFacts:
    """Return the facts of lines by key."""
    if isinstance(lines, Locked):
        return lines.facts
    return LineFacts(
        {key: line.sha256 for key, line in lines.items()},
        {key: line.output for key, line in lines.items() if line.output is not None},
        {key: (line.cost_micros, line.currency) for key, line in lines.items() if line.cost_micros},
        frozenset(key for key, line in lines.items() if line.rehearsal),
    )
