"""How much a run resolves, and its bounds. Commands that read no spec know it too, so it loads no YAML."""

from __future__ import annotations

from dataclasses import dataclass

MAX_VALUES = 1_000_000
MAX_WRITTEN = 64_000_000


@dataclass(slots=True)
class Volume:
    """The amount that was resolved. It is bounded over the whole run, because matrices and aliases multiply values."""

    values: int = 0
    written: int = 0
    clips: int = 0  # before excludes

    def fits(self, more: Volume) -> bool:
        """True if this much more stays within the limits."""
        return self.values + more.values <= MAX_VALUES and self.written + more.written <= MAX_WRITTEN

    def add(self, more: Volume) -> None:
        """Add the volume of a step."""
        self.values += more.values
        self.written += more.written
        self.clips += more.clips

    def beyond(self, start: Volume) -> Volume:
        """Return the volume since an earlier one."""
        return Volume(self.values - start.values, self.written - start.written)
