"""`clipform explain`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(context: typer.Context, field: Annotated[str, typer.Argument(metavar="FIELD")]) -> None:
    """Explain a field of the YAML (`duration`, `providers.prices`), or a kind's settings (`ark`).

    Exit codes: 0 done, 64 no such field.
    """
    from dataclasses import asdict

    from reconciler.diagnostics import UsageError
    from reconciler.providers import registry
    from reconciler.providers.settings_help import settings_of
    from reconciler.spec.schema import explain, nearest_field
    from reconciler.views.base import Section

    own: Context = context.obj
    found = explain(field)
    if found is None and field in registry.kinds():
        settings = settings_of(field)
        rows = tuple((item.name, f"{item.default}\n{item.note}") for item in settings)
        title = f"settings of {field}" if settings else f"{field} takes no settings"
        own.view.show([Section(title, rows)], {"kind": field, "settings": [asdict(item) for item in settings]})
        return
    if found is None:
        near = nearest_field(field)
        hint = f"; did you mean '{near}'?" if near else ""
        raise UsageError(f"no field '{field}'{hint}", help="the fields of a clip:\nclipform explain clips")
    facts = [("type", found.type), ("default", found.default), ("note", found.note)]
    facts += [("example", found.example), ("keys", ", ".join(found.keys))]
    section = Section(found.field, tuple((name, value) for name, value in facts if value))
    own.view.show([section], asdict(found))
