"""Every command that clipform prints is composed in one place, which knows the project and quotes for a shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from reconciler.next_command import DRAFTABLE
from tests.program.commands import every_command
from tests.style.source import PACKAGE, modules

COMMANDS = every_command()
VERBS = sorted({name.partition(" ")[0] for name in COMMANDS})
COMMAND = re.compile(rf"clipform (-|{'|'.join(map(re.escape, VERBS))})\b")
PLAIN = {
    "next_command.py",
    "views/markdown.py",
    "cli/shells.py",
    "engine/operations/agents_file.py",
}  # the composer; a heading; scripts for a start-up file; a document


def _docstrings(tree: ast.AST) -> set[int]:
    """The ids of constants that are statements of their own: documentation, which nobody prints."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def literals() -> Iterator[tuple[str, int, str]]:
    """Every text of a module with a command, with its place; a command's docstring is its help and may name others."""
    for module in modules():
        if "clipform " not in module.text:
            continue
        documentation = _docstrings(module.tree)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                yield str(module.path), node.lineno, node.value


def test_no_command_is_written_out_beside_the_composer() -> None:
    written = [
        f"{file}:{line}: {text}" for file, line, text in literals() if COMMAND.search(text) and file not in PLAIN
    ]
    assert written == []


def test_the_sweep_sees_the_composed_commands() -> None:
    calls = {
        str(node.args[0].value)
        for module in modules()
        if "command(" in module.text
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in ("command", "next_command")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert {"apply", "show", "retake"} <= calls <= {*VERBS, "--help"}


def test_the_page_writes_no_command_out() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.js")}
    assert texts
    code = {path: re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL) for path, text in texts.items()}
    assert [str(path) for path, text in code.items() if COMMAND.search(text)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_composer_knows_which_commands_take_draft(name: str) -> None:
    assert ("draft" in COMMANDS[name].__annotations__) == (name in DRAFTABLE)
