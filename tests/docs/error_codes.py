"""The codes of errors and diagnostics, read off the source: where one is raised, its code and its message are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import reconciler.diagnostics as tree
from tests.docs.pages import ROOT

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

MOST = 3
"""So many messages are shown of a code."""

_REPORTS = {"Diagnostic", "error", "warn"}  # code first, then the message; they end a command with exit code 1
_ELSEWHERE = ("emulator",)  # answers of the emulated vendors are not ours


@dataclass
class Entry:
    """One code: the exit codes that it can end a command with, and what it says."""

    code: str
    messages: list[str] = field(default_factory=list)
    ends: set[str] = field(default_factory=set)  # exit codes, or "warning"


def codes() -> list[Entry]:
    """All codes of the program in alphabetical order."""
    entries: dict[str, Entry] = {}
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in _files()]
    constants = dict(pair for module in trees for pair in _constants(module))
    for module in trees:
        for function in (node for node in ast.walk(module) if isinstance(node, _FUNCTIONS)):
            for code, end, message in _raised(function, constants):
                entry = entries.setdefault(code, Entry(code))
                entry.ends.add(end)
                if message and message not in entry.messages:
                    entry.messages.append(message)
    for entry in entries.values():
        entry.messages = sorted(entry.messages)[:MOST]
    return sorted(entries.values(), key=lambda entry: entry.code)


def _files() -> Iterator[Path]:
    for file in sorted((ROOT / "reconciler").rglob("*.py")):
        if not set(_ELSEWHERE) & set(file.parts):
            yield file


def _constants(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and (text := _text(node.value, {})):
            yield from ((target.id, text) for target in _names(node))


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions in it."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if not isinstance(node, _FUNCTIONS):
            yield node
            todo += ast.iter_child_nodes(node)


def _texts(nodes: list[ast.AST], line: int) -> dict[str, str]:
    """The texts that local variables hold before a line."""
    assigned = [node for node in nodes if isinstance(node, ast.Assign) and node.lineno < line]
    return {
        target.id: text
        for node in sorted(assigned, key=lambda node: node.lineno)
        for target in _names(node)
        if (text := _text(node.value, {}))
    }


def _names(node: ast.Assign | ast.AnnAssign) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target for target in targets if isinstance(target, ast.Name)]


def _text(node: ast.expr | None, texts: dict[str, str]) -> str:
    """A message with … for what is known at run time only; empty where it is no text."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            parts = [part.value if isinstance(part, ast.Constant) else "…" for part in values]
            return "".join(map(str, parts))
        case ast.Name(id=name):
            return texts.get(name, "")
        case ast.IfExp(body=body):
            return _text(body, texts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, texts) + _text(right, texts)
    return ""


def _raised(function: ast.AST, constants: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Code, exit code and message of each error and diagnostic that a function makes."""
    nodes = list(_own(function))
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        kind = getattr(tree, name, None)
        raised = isinstance(kind, type) and issubclass(kind, tree.ClipformError)
        code = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
        message = call.args[0] if call.args else None
        if name in _REPORTS and len(call.args) > 1:
            code, message = call.args[0], call.args[1]
        elif not raised and name != "Unfit":
            continue
        if value := _text(code, {}) or constants.get(getattr(code, "id", ""), ""):
            text = re.sub("…+", "…", " ".join(_text(message, _texts(nodes, call.lineno)).split()))
            warns = name == "warn" or "Severity.WARNING" in map(ast.unparse, call.args)
            end = "warning" if warns else f"`{kind.exit_code if raised else 1}`"
            yield value, end, text if text.strip(" …:;,.") else ""
