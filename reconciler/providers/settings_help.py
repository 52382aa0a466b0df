"""The settings that a kind of provider takes, each with its default and its help text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from inspect import getmro

from reconciler.frozen import dataclass
from reconciler.providers import registry


@dataclass(frozen=True, slots=True)
class SettingHelp:
    """One setting of a kind; `default` is written as in YAML."""

    name: str
    default: str
    note: str


def settings_of(kind: str) -> tuple[SettingHelp, ...]:
    """Return the settings of a built-in or third-party kind; none for a kind that takes none. Raises SpecError."""
    settings = getattr(registry.dialect(kind), "settings", None)
    if not is_dataclass(settings):
        return ()
    notes = {
        field.name: field.metadata["help"]
        for base in reversed(getmro(type(settings)))
        if is_dataclass(base)
        for field in fields(base)
        if "help" in field.metadata  # a kind that changes only the default keeps the help text
    }
    return tuple(
        SettingHelp(field.name, _text(getattr(settings, field.name)), notes.get(field.name, ""))
        for field in fields(settings)
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value or "-")
