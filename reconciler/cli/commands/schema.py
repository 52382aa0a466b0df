"""`clipform schema`"""

from __future__ import annotations

import typer

from reconciler.cli.context import Context


def run(context: typer.Context) -> None:
    """Print the JSON Schema of the project file, for editors.

    Exit code: 0.
    """
    import json

    from reconciler.spec.schema import json_schema

    app: Context = context.obj
    app.view.text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
