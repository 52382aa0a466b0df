"""The collector of a run's diagnostics, and the words they share.

A reader that stops at its first problem makes the user mend one per run, so every stage adds what it finds to one
`Problems` and goes on with what is sound.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Severity, Source

MAX_KEPT = 10_000
MAX_LISTED = 12
MAX_SUGGESTIONS = 25
MAX_COMPARED = 20_000
"""Suggestions, and names compared for them, in one run: ten thousand misspelt references to ten thousand clips must
not cost a hundred million comparisons, and a view shows twenty diagnostics."""


@dataclass(slots=True)
class _Patience:
    """What one run may still spend on suggestions."""

    suggestions: int = MAX_SUGGESTIONS
    compared: int = MAX_COMPARED


class Problems:
    """Diagnostics in the order found, each place and message once."""

    def __init__(self, patience: _Patience | None = None) -> None:
        self._found: dict[tuple[Source | None, str], Diagnostic] = {}
        self._errors = 0
        self._patience = patience or _Patience()
        self.secrets: list[Source] = []  # literal secrets: no excerpt may show them

    def apart(self) -> Problems:
        """A collector of its own for one step of the run; `add` takes over what it finds."""
        return Problems(self._patience)

    def add(self, other: Problems) -> None:
        """Everything that a step found."""
        self.secrets += other.secrets
        for found in other._found.values():
            tell = self.error if found.severity is Severity.ERROR else self.warn
            tell(found.code, found.message, found.source, found.help)

    @property
    def errors(self) -> int:
        """How many errors there are so far; callers compare before and after."""
        return self._errors

    def all(self) -> tuple[Diagnostic, ...]:
        """Everything found."""
        return tuple(self._found.values())

    def error(self, code: str, message: str, where: Source | None, help: str = "") -> None:
        """Something that stops the run."""
        if (where, message) not in self._found:
            self._errors += 1
            if self._errors <= MAX_KEPT:
                self._found[where, message] = Diagnostic(code, message, where, help)

    def warn(self, code: str, message: str, where: Source | None, help: str = "") -> None:
        """Something worth knowing that does not."""
        self._found.setdefault((where, message), Diagnostic(code, message, where, help, Severity.WARNING))

    def did_you_mean(self, word: str, names: Collection[str]) -> str:
        """`; did you mean 'x'?`, or nothing when no name is near (or the run has compared enough)."""
        self._patience.suggestions -= 1
        if self._patience.suggestions < 0:
            return ""
        alike = [name for name in names if abs(len(name) - len(word)) <= 3][: self._patience.compared]
        self._patience.compared -= len(alike)
        near = nearest(word, alike)
        return f"; did you mean {shown(near)}?" if near else ""


def nearest(word: str, names: Collection[str]) -> str | None:
    """The name that was probably meant."""
    folded = {name.casefold(): name for name in names}
    if word.casefold() in folded:
        return folded[word.casefold()]
    near = difflib.get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def shown(text: str, limit: int = 60) -> str:
    """A value as a message shows it: quoted, on one line, hidden characters escaped, cut when long."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return f"'{visible}'"


def named(name: str) -> str:
    """A name as it is where it can stand in a sentence, else as a value."""
    return name if name and len(name) <= 200 and name.isprintable() else shown(name)


def listed(names: Collection[str], last: str = "or") -> str:
    """`a, b or c`; of a long list the first ones."""
    items = [named(name) for name in names]
    if len(items) > MAX_LISTED:
        return f"{', '.join(items[:MAX_LISTED])} and {len(items) - MAX_LISTED:,} more"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
