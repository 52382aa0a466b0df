"""The generated parts of the pages, made from the code that they describe: `PARTS` by name.

Everything that is imported from the program for this is imported here.
"""

from __future__ import annotations

import inspect
import io
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import fields, is_dataclass

import reconciler
from reconciler.api.program import Program
from reconciler.cli.app import main
from reconciler.cli.command_line import HELP
from reconciler.emulator.faults import ACTIONS
from reconciler.plan.model import Reason
from reconciler.providers.registry import BUILT_IN, dialect
from reconciler.providers.settings_help import settings_of
from reconciler.records import COUNTS, MOVES, State
from reconciler.spec.model import ProjectFile
from reconciler.spec.schema import all_fields, explain
from reconciler.views.catalogue import kinds
from tests.docs.error_codes import codes
from tests.docs.json_fields import documents
from tests.docs.pages import ROOT, read
from tests.program.commands import every_command

COMMANDS = tuple(every_command())
_WIDTH = "100"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row).replace("|  |", "| |") + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """A code span; empty for no text."""
    text = " ".join(text.split())
    return (f"`` {text} ``" if "`" in text else f"`{text}`") if text else ""


def help_of(*command: str) -> str:
    """What `--help` prints at a width of 100."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _WIDTH
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            assert main([*command, "--help"]) == 0
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return out.getvalue()


def cli() -> str:
    """The help of the program and of every command."""
    whole = [("clipform", help_of()), *((f"clipform {name}", help_of(*name.split())) for name in COMMANDS)]
    return "\n".join(f"## {title}\n\n```text\n{text.strip()}\n```\n" for title, text in whole)


def _exit_codes(text: str) -> list[tuple[str, str]]:
    """Code and meaning from the words after "Exit codes:"."""
    words = " ".join(text.split()).partition("Exit code")[2].lstrip("s:").strip().rstrip(".")
    return re.findall(r"(?:^|[;,] )(\d+) ?(.*?)(?=[;,] \d+ |$)", words)


def exit_codes() -> str:
    """The codes of the program."""
    return _table(("code", "meaning"), [(f"`{code}`", meaning) for code, meaning in _exit_codes(HELP)])


def exit_codes_by_command() -> str:
    """The codes of each command, as its help names them."""
    rows = []
    for name, run in every_command().items():
        ends = _exit_codes(run.__doc__ or "")
        rows.append((f"`{name}`", "; ".join(f"`{code}` {meaning or 'done'}" for code, meaning in ends)))
    return _table(("command", "exit codes"), rows)


_MAPS = {
    "": "The project file",
    "looks.": "An entry of `looks`",
    "moved.": "An entry of `moved`",
    "providers.": "A provider",
    "providers.prices.": "A row of `prices`",
    "budget.": "`budget`",
    "publish.": "`publish`",
    "cache.": "`cache`",
    "state.": "`state`",
    "policy.": "`policy`",
    "approval.": "`approval`",
    "inputs.": "`inputs`",
    "keyframes.": "An entry of `keyframes`",
    "provenance.": "`provenance`",
    "provenance.label.": "`provenance: {label}`",
    "provenance.label.visible.": "`provenance: {label: {visible}}`",
    "provenance.c2pa.": "`provenance: {c2pa}`",
    "defaults.": "`defaults`, beside the fields of clips",
    "cuts.": "A cut",
    "cuts.sequence.": "A piece of a cut",
    "cuts.sequence.transition.": "`transition`",
    "cuts.audio.": "A sound of a cut",
    "cuts.subtitles.": "`subtitles` of a cut",
}
"""The maps of the project file, in the order of the page; clips have a table of their own."""

_CLIP_MAPS = {
    "": "A clip, and `defaults`",
    "references.": "`references`",
    "matrix.": "`matrix`",
    "overrides.": "An entry of `overrides`",
}


def yaml_fields() -> str:
    """Every field of the project file, a table for each map."""
    names = all_fields()
    project = [name for name in names if explain(f"clips.{name}") is None or name in ProjectFile.model_fields]
    clip = [name for name in names if explain(f"clips.{name}") is not None]
    return "\n".join(
        f"## {title}\n\n{_fields(prefix, group, within)}"
        for maps, group, within in ((_MAPS, project, ""), (_CLIP_MAPS, clip, "clips."))
        for prefix, title in maps.items()
    )


def _fields(prefix: str, names: list[str], within: str) -> str:
    rows = []
    for name in names:
        if name.startswith(prefix) and "." not in name[len(prefix) :] and (entry := explain(within + name)):
            default = "required" if entry.default == "required" else _code(entry.default)
            rows.append((_code(name[len(prefix) :]), entry.type, default, entry.note, _code(entry.example)))
    return _table(("field", "type", "default", "meaning", "example"), rows)


def settings() -> str:
    """The settings of each kind, with their defaults."""
    return "\n".join(f"## {kind}\n\n{_settings(kind)}" for kind in sorted(BUILT_IN))


def _settings(kind: str) -> str:
    entries = settings_of(kind)
    if not entries:
        return "No settings.\n"
    rows = [(_code(entry.name), _code("" if entry.default == "-" else entry.default), entry.note) for entry in entries]
    return _table(("setting", "default", "meaning"), rows)


def reasons() -> str:
    """Why a plan does what it does: the closed list."""
    return _table(("`reason`", "what a plan says"), [(f"`{reason}`", reason.sentence) for reason in Reason])


def fault_actions() -> str:
    """What the emulator can do wrong on request."""
    rows = []
    for name, row in ACTIONS.items():
        parameters = ", ".join(f"`{field.name}`" for field in fields(row.action) if field.name != "do")
        text = " ".join((row.action.__doc__ or "").split())
        rows.append((f"`{name}`", text, parameters, ", ".join(sorted(f"`{phase}`" for phase in row.phases))))
    return _table(("`do`", "what happens", "parameters", "phases"), rows)


def state_machine() -> str:
    """The states of an attempt, the moves out of each, and what each counts as under a budget."""
    rows = []
    for state in State:
        moves = [f"`{target}`" for target in State if target in MOVES.get(state, ())]
        counts = COUNTS.get(state)
        rows.append((f"`{state}`", ", ".join(moves) or "closed", str(counts) if counts else ""))
    return _table(("state", "may become", "its amount is"), rows)


def table_of_kinds() -> str:
    """What each kind of provider can do."""
    return kinds([dialect(kind) for kind in BUILT_IN]).strip() + "\n"


def reliability() -> str:
    """The figures of the last long run of the proof."""
    [sentence] = re.findall(r"^\*\*[\d,]+ scenarios, .*$", read(ROOT / "benchmarks/RELIABILITY.md"), re.MULTILINE)
    return "\n".join(textwrap.wrap(sentence, 120)) + "\n"


def _escaped(message: str) -> str:
    """A message as Markdown shows it: nothing in it is a sign of HTML."""
    return message.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def error_codes() -> str:
    """Every code of an error or a diagnostic, from the source."""
    rows = [
        (f"`{entry.code}`", ", ".join(sorted(entry.ends)), "<br>".join(map(_escaped, entry.messages)))
        for entry in codes()
    ]
    return _table(("code", "exit code", "message"), rows)


def python() -> str:
    """Every public name with its signature and its docstring, and the public methods of what `open` returns."""
    names = [name for name in reconciler.__all__ if not name.startswith("_")]
    public = sorted(names, key=lambda name: (name != "open", name.lower()))
    sections = [(f"reconciler.{name}", getattr(reconciler, name)) for name in public]
    at = [title for title, _ in sections].index("reconciler.open") + 1
    calls = [entry for part in Program.__mro__ for entry in vars(part).items() if part is not object]
    methods = [(f"Program.{name}", value) for name, value in calls if _is_public_call(name, value)]
    return "\n".join(_documented(title, value) for title, value in [*sections[:at], *methods, *sections[at:]])


def _is_public_call(name: str, value: object) -> bool:
    return inspect.isfunction(value) and not name.startswith("_")


def _documented(title: str, value: object) -> str:
    doc = inspect.cleandoc(inspect.getdoc(value) or "").replace("<", "&lt;")
    if not inspect.isfunction(value):
        names = [field.name for field in fields(value)] if is_dataclass(value) else []
        members = [f"`{name}`" for name in names if not name.startswith("_")]
        members += [f"`{name}`" for name, each in vars(value).items() if isinstance(each, property)]
        return f"## {title}\n\n{doc}\n" + (f"\nMembers: {', '.join(members)}.\n" if members else "")
    signature = inspect.signature(value)
    bare = signature.replace(parameters=[p for n, p in signature.parameters.items() if n != "self"])
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(bare))  # annotations are texts
    wait = "await " if inspect.iscoroutinefunction(value) else ""
    return f"## {title}\n\n```python\n{wait}{title.rpartition('.')[2]}{shown}\n```\n\n{doc}\n"


PARTS: dict[str, Callable[[], str]] = {
    "cli": cli,
    "exit-codes": exit_codes,
    "exit-codes-by-command": exit_codes_by_command,
    "yaml": yaml_fields,
    "settings": settings,
    "reasons": reasons,
    "fault-actions": fault_actions,
    "state-machine": state_machine,
    "kinds": table_of_kinds,
    "reliability": reliability,
    "error-codes": error_codes,
    "python": python,
    "json": lambda: "\n".join(
        f"## {title}\n\n{_table(('path', 'type', 'meaning'), rows)}" for title, rows in documents()
    ),
}
