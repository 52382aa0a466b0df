"""Small mistakes in a module, one at a time: a bound that is off by one, a condition turned round, a line left out.

Only code that runs is changed, so annotations, decorators and texts are left as they are; but the conditions of SQL are
code, although they are texts.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
}  # fmt: skip
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
SQL = {
    " AND ": " OR ", " OR ": " AND ", " < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " = ": " <> ",
    " <> ": " = ", " IS NULL": " IS NOT NULL", " IS NOT NULL": " IS NULL", "max(": "min(", "min(": "max(",
}  # fmt: skip
_QUERY = re.compile(r"\b(SELECT|WHERE|UPDATE|DELETE|sum\(|max\()")
_SKIPPED = {"annotation", "returns", "decorator_list", "bases"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one mistake: its line in the right module, the code there and in its place, and the module."""

    line: int
    before: str
    after: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return every mistake of a module, in the order of its lines."""
    tree = ast.parse(source)
    made = []
    for parent, name, index, node in _places(tree):
        for wrong in _mistakes(node):
            _put(parent, name, index, wrong)
            made.append(Mutant(node.lineno, _text(node), _text(wrong), ast.unparse(tree)))
            _put(parent, name, index, node)
    return sorted(made, key=lambda mutant: mutant.line)


def _places(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.expr | ast.stmt]]:
    """Yield each statement and expression below a node, and where it is."""
    for name, value in ast.iter_fields(parent):
        if name in _SKIPPED or _is_typing(parent):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.expr | ast.stmt):
                yield parent, name, index, child
            if isinstance(child, ast.AST):
                yield from _places(child)


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _text(node: ast.AST) -> str:
    return ast.unparse(node).split("\n", 1)[0]


def _mistakes(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise() | ast.AugAssign() | ast.Continue():
            yield ast.Pass()
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                yield _with(node, ops=[*ops[:index], COMPARED[type(op)](), *ops[index + 1 :]])
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield _with(node, op=COMPUTED[type(op)]())
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            yield _with(node, func=ast.Name(CALLED[name], ast.Load()))
        case (
            ast.ListComp(generators=parts)
            | ast.SetComp(generators=parts)
            | ast.GeneratorExp(generators=parts)
            | ast.DictComp(generators=parts)
        ):
            yield from (_with(node, generators=other) for other in _unfiltered(parts))
        case ast.Constant(value=value):
            yield from (ast.Constant(wrong) for wrong in _constants(value))


def _unfiltered(parts: list[ast.comprehension]) -> Iterator[list[ast.AST]]:
    for index, part in enumerate(parts):
        if part.ifs:
            yield [*parts[:index], _with(part, ifs=[]), *parts[index + 1 :]]


def _constants(value: object) -> Iterator[bool | int | str]:
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
        case str() if _QUERY.search(value) and "\n" not in value:
            for right, wrong in SQL.items():
                yield from (
                    value[: at.start()] + wrong + value[at.end() :] for at in re.finditer(re.escape(right), value)
                )


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed
