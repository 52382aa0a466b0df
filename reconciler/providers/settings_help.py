"""What a kind of provider lets a project say under `settings:`, with the words that stand beside each in the source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from reconciler.providers import registry


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a kind."""

    name: str
    default: str
    note: str


def settings_of(kind: str) -> tuple[Setting, ...]:
    """The settings of a built-in or third-party kind; none for a kind that takes none. Raises SpecError."""
    settings = getattr(registry.dialect(kind), "settings", None)
    if not is_dataclass(settings):
        return ()
    notes = {name: note for base in reversed(inspect.getmro(type(settings))) for name, note in _notes(base)}
    found = ((item.name, getattr(settings, item.name)) for item in fields(settings))
    return tuple(Setting(name, _word(value), notes.get(name, "")) for name, value in found)


def _notes(shape: type) -> Iterator[tuple[str, str]]:
    """The strings that follow the fields of a class in its source."""
    try:
        [tree] = ast.parse(textwrap.dedent(inspect.getsource(shape))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for item, after in zip(body, body[1:], strict=False):
        match item, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(note))):
                yield name, " ".join(note.split())


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value or "-")
