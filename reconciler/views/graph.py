"""Draw the dependency graph of a project as a tree, Mermaid or DOT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.spec.graph import dependents
from reconciler.spec.project import Project


def graph(project: Project, form: str) -> str:
    """Return the dependency graph of clips and films; `form` is `text`, `mermaid` or `dot`."""
    needs: dict[str, Sequence[str]] = {clip.name: clip.depends_on() for clip in project.clips}
    needs |= {cut.name: cut.needs() for cut in project.cuts}
    if form == "text":
        return _tree(needs)
    edges = [(need, name) for name, needed in needs.items() for need in needed]
    ids = {name: f"c{i}" for i, name in enumerate(needs)}  # names may have characters with a meaning in these formats
    if form == "mermaid":
        lines = ["flowchart LR", *(f'  {ident}["{name}"]' for name, ident in ids.items())]
        return "\n".join([*lines, *(f"  {ids[a]} --> {ids[b]}" for a, b in edges)]) + "\n"
    lines = ["digraph clips {", "  rankdir=LR;", *(f'  {ident} [label="{name}"];' for name, ident in ids.items())]
    return "\n".join([*lines, *(f"  {ids[a]} -> {ids[b]};" for a, b in edges), "}"]) + "\n"


_MAX_INDENT = 40  # levels: indenting a chain of ten thousand clips would print a hundred megabytes


def _tree(needs: Mapping[str, Sequence[str]]) -> str:
    """Return each clip above its dependents. One that occurs twice has its dependents at the first place only."""
    users = dependents(needs)
    lines: list[str] = []
    stack = [(name, 0) for name in reversed(list(needs)) if not needs[name]]
    printed: set[str] = set()
    while stack:
        name, depth = stack.pop()
        is_repeated = name in printed and name in users
        lines.append(f"{'  ' * min(depth, _MAX_INDENT)}{'└ ' if depth else ''}{name}{' …' if is_repeated else ''}")
        if name not in printed:
            stack += [(user, depth + 1) for user in reversed(users.get(name, []))]
        printed.add(name)
    return "\n".join(lines) + "\n"
