"""`clipform explain`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.next_command import command


def run(context: typer.Context, field: Annotated[str, typer.Argument(metavar="FIELD")]) -> None:
    """Explain a YAML field or the settings of a kind.

    Examples: duration, providers.prices, prices, ark.

    Exit codes: 0 done, 64 no such field.
    """
    from dataclasses import asdict

    from reconciler.diagnostics import UsageError
    from reconciler.providers import registry
    from reconciler.providers.settings_help import settings_of
    from reconciler.spec.schema import explain, nearest_field
    from reconciler.views.base import Section

    app: Context = context.obj
    explanation = explain(field)
    if explanation is None and field in registry.kinds():
        settings = settings_of(field)
        rows = tuple((item.name, f"{item.default}\n{item.note}") for item in settings)
        title = f"settings of {field}" if settings else f"{field} has no settings"
        app.view.show([Section(title, rows)], {"kind": field, "settings": [asdict(item) for item in settings]})
        return
    if explanation is None:
        near = nearest_field(field)
        hint = f"; did you mean '{near}'?" if near else ""
        raise UsageError(
            f"unknown field '{field}'{hint}", help=f"list the fields of a clip:\n{command('explain', 'clips')}"
        )
    facts = [("type", explanation.type), ("default", explanation.default), ("note", explanation.note)]
    facts += [("example", explanation.example), ("keys", ", ".join(explanation.keys))]
    facts += [("also", ", ".join(explanation.also))]
    section = Section(explanation.field, tuple((name, value) for name, value in facts if value))
    app.view.show([section], asdict(explanation))
