"""Names say what they hold: one class for one name, no vague variables, no wide signatures, no long files."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from tests.style.source import Module, assigned, modules

VAGUE = frozenset(
    ["found", "told", "made", "known", "own", "rest", "what", "words", "said", "shown", "kept", "there", "here", "left"]
)
"""Names for how a value came to be, not for what it is."""
MOST_VAGUE = 1.0  # per 1,000 lines
MOST_PARAMETERS = 5
MOST_LINES = 400


def public_classes(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The parameters that a caller gives: all but `self` and `cls`."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in every if argument.arg not in ("self", "cls")]


def test_no_public_class_name_occurs_twice_outside_the_emulator() -> None:
    owners = Counter(
        name for module in modules() if module.path.parts[0] != "emulator" for name in public_classes(module)
    )
    assert [name for name, count in owners.items() if count > 1] == []


def test_vague_variables_are_rare() -> None:
    vague = [
        f"{module.path}:{line}: {name}" for module in modules() for name, line in assigned(module.tree) if name in VAGUE
    ]
    lines = sum(len(module.text.splitlines()) for module in modules())
    assert 1000 * len(vague) / lines <= MOST_VAGUE, "\n".join(vague)


def test_a_vague_variable_is_noticed_wherever_it_is_bound() -> None:
    code = "def f(told):\n    for found in x: pass\n    match y:\n        case [made, *rest]: pass\n    (here := 1)\n"
    assert {name for name, _ in assigned(ast.parse(code))} == {"told", "found", "made", "rest", "here"}


def test_no_function_has_six_parameters_but_commands() -> None:
    wide = [
        f"{module.path}:{node.lineno}: {node.name}"
        for module in modules()
        if module.path.parts[:2] != ("cli", "commands")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(parameters(node)) > MOST_PARAMETERS
    ]
    assert wide == []


def test_files_are_short() -> None:
    assert [str(module.path) for module in modules() if len(module.text.splitlines()) > MOST_LINES] == []
