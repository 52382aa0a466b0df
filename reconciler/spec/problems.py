"""Collect the diagnostics of a run, and format values for their messages.

Every stage adds its problems to one `Problems` and continues with the valid parts, so that the user sees all problems
at once.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, Severity, Source

MAX_KEPT = 10_000
MAX_LISTED = 12
MAX_SUGGESTIONS = 25
MAX_COMPARED = 20_000
"""Limits of one run for suggestions and the names compared for them: ten thousand misspelt references to ten thousand
clips must not cost a hundred million comparisons, and a view shows only twenty diagnostics."""


class Problems:
    """Diagnostics in the order added, each place and message once."""

    def __init__(self, budget: Counter[str] | None = None) -> None:
        self._diagnostics: dict[tuple[Source | None, str], Diagnostic] = {}
        self._clips: dict[tuple[Source | None, str], dict[str, None]] = {}
        self.errors = 0  # so far; callers compare it around a step
        self._budget = Counter(suggestions=MAX_SUGGESTIONS, compared=MAX_COMPARED) if budget is None else budget
        self.secrets: list[Source] = []  # literal secrets: no excerpt may show them

    def apart(self) -> Problems:
        """Return a separate collector for one step, to be merged with `add`."""
        return Problems(self._budget)

    def add(self, other: Problems, clip: str = "") -> None:
        """Add all diagnostics of another collector: those of a clip, if one is named."""
        self.secrets += other.secrets
        for diagnostic in other._diagnostics.values():
            self._add(diagnostic, clip)

    def all(self) -> tuple[Diagnostic, ...]:
        """Return all diagnostics, each with the clips that share it."""
        return tuple(replace(item, clips=(*self._clips.get(place, ()),)) for place, item in self._diagnostics.items())

    def error(self, code: str, message: str, where: Source | None, help: str = "", clip: str = "") -> None:
        """Add a problem that stops the run."""
        self._add(Diagnostic(code, message, where, help), clip)

    def warn(self, code: str, message: str, where: Source | None, help: str = "") -> None:
        """Add a warning."""
        self._add(Diagnostic(code, message, where, help, Severity.WARNING))

    def _add(self, diagnostic: Diagnostic, clip: str = "") -> None:
        place = (diagnostic.source, diagnostic.message)
        if place not in self._diagnostics:
            self.errors += diagnostic.severity is Severity.ERROR
            if diagnostic.severity is Severity.WARNING or self.errors <= MAX_KEPT:
                self._diagnostics[place] = diagnostic
        if clip:
            self._clips.setdefault(place, {})[clip] = None

    def did_you_mean(self, word: str, names: Collection[str]) -> str:
        """Return `; did you mean 'x'?`, or an empty text if no name is near or the run has compared enough."""
        self._budget["suggestions"] -= 1
        if self._budget["suggestions"] < 0:
            return ""
        alike = [name for name in names if abs(len(name) - len(word)) <= 3][: self._budget["compared"]]
        self._budget["compared"] -= len(alike)
        near = nearest(word, alike)
        return f"; did you mean {shown(near)}?" if near else ""


def gathered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return each problem once, with all clips that have it."""
    clips: dict[Diagnostic, dict[str, None]] = {}
    for item in diagnostics:
        clips.setdefault(replace(item, clips=()), {}).update(dict.fromkeys(item.clips))
    return [replace(item, clips=(*names,)) for item, names in clips.items()]


def shared(diagnostics: Iterable[Diagnostic], places: Mapping[str, Source | None]) -> list[Diagnostic]:
    """Return each problem once. One in `defaults` is a problem of several clips, and says of how many, or of which one.

    `places` has where each clip is declared."""
    return [replace(item, clips=(), message=item.message + _whose(item, places)) for item in gathered(diagnostics)]


def _whose(item: Diagnostic, places: Mapping[str, Source | None]) -> str:
    if len(item.clips) > 1:
        count = len(item.clips) - 1
        return f" ({item.clips[0]} and {count} more clip{'' if count == 1 else 's'})"
    place = places.get(item.clips[0]) if item.clips else None
    is_above = place and item.source and (item.source.file != place.file or item.source.line < place.line)
    return f" (clip {item.clips[0]})" if is_above else ""


def nearest(word: str, names: Collection[str]) -> str | None:
    """Return the name that was probably meant, or None."""
    folded = {name.casefold(): name for name in names}
    if word.casefold() in folded:
        return folded[word.casefold()]
    near = difflib.get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def shown(text: str, limit: int = 60) -> str:
    """Return a value for a message: quoted, on one line, hidden characters escaped, cut if long."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return f"'{visible}'"


def named(name: str) -> str:
    """Return a name unchanged if it is printable and short, else as `shown` returns it."""
    return name if name and len(name) <= 200 and name.isprintable() else shown(name)


def listed(names: Collection[str], last: str = "or") -> str:
    """Return `a, b or c`; only the first ones of a long list."""
    items = [named(name) for name in names]
    if len(items) > MAX_LISTED:
        return f"{', '.join(items[:MAX_LISTED])} and {len(items) - MAX_LISTED:,} more"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
