"""`clipform explain`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import Context
from reconciler.next_command import command

if TYPE_CHECKING:
    from reconciler.spec.schema import Explanation
    from reconciler.views.base import Section


def run(context: typer.Context, field: Annotated[str | None, typer.Argument(metavar="[FIELD]")] = None) -> None:
    """Explain a YAML field or the settings of a kind.

    Without a field it lists all of them, by the map that has them. Examples: clips, duration, providers.prices, ark.

    Exit codes: 0 done, 64 no such field.
    """
    from dataclasses import asdict

    from reconciler.diagnostics import UsageError
    from reconciler.providers import registry
    from reconciler.providers.settings_help import settings_of
    from reconciler.spec.other_names import key_for
    from reconciler.spec.schema import explain, fields_of, maps, nearest_field
    from reconciler.views.base import Section

    app: Context = context.obj
    if field is None:
        listed = {name: fields_of(name) for name in maps()}
        sections = [_lines(name or "the project file", fields) for name, fields in listed.items()]
        app.view.show(sections, {"fields": [asdict(item) for fields in listed.values() for item in fields]})
        return
    explanation = explain(field)
    if explanation is None and field in registry.kinds():
        settings = settings_of(field)
        rows = tuple((item.name, f"{item.default}\n{item.note}") for item in settings)
        title = f"settings of {field}" if settings else f"{field} has no settings"
        app.view.show([Section(title, rows)], {"kind": field, "settings": [asdict(item) for item in settings]})
        return
    if explanation is None:
        near = key_for("clip", field) or nearest_field(field)
        hint = "" if not near else f"; {near}" if " " in near else f"; did you mean '{near}'?"
        raise UsageError(f"unknown field '{field}'{hint}", help=f"list all fields:\n{command('explain')}")
    facts = [("type", explanation.type), ("default", explanation.default), ("note", explanation.note)]
    facts += [("example", explanation.example), ("also", ", ".join(explanation.also))]
    sections = [Section(explanation.field, tuple((name, value) for name, value in facts if value))]
    fields = fields_of(explanation.field)
    sections += [_lines(f"fields of {explanation.field}", fields)] if fields else []
    app.view.show(sections, asdict(explanation) | {"fields": [asdict(item) for item in fields]})


def _lines(title: str, fields: tuple[Explanation, ...]) -> Section:
    from reconciler.views.base import Section

    return Section(title, tuple((item.field.rpartition(".")[2], item.note) for item in fields))
