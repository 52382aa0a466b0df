"""Lay an environment's file and the variables of a command line over a project.

The file `clipform.NAME.yaml` may have vars, providers and budget. Each value replaces the one of the same name; what it
does not name stays. A variable replaces every declaration of its name, also in included files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

from reconciler.diagnostics import Source
from reconciler.spec.problems import Problems, shown
from reconciler.spec.project import ProjectOverlay
from reconciler.spec.reader import Fields, MappingEntry, Scalar

_LEVELS = 3  # sections, their names, and the fields of a provider; a field is replaced as a whole


def laid_over(base: Fields, top: Fields, levels: int = _LEVELS) -> Fields:
    """Return a map with the values of another one over it, in the order of the first."""
    entries = dict(base.entries)
    for name, entry in top.entries.items():
        old = entries.get(name)
        if old is not None and levels > 1 and isinstance(old.value, Fields) and isinstance(entry.value, Fields):
            entry = MappingEntry(old.key, laid_over(old.value, entry.value, levels - 1))
        entries[name] = entry
    return Fields(entries, base.where)


def given_variables(overlay: ProjectOverlay, environment: Fields | None, where: Source) -> dict[str, MappingEntry]:
    """Return the variables that replace others: of the environment, then of the command line, which are plain text."""
    literal = {name: Scalar(value.replace("${", "$${"), True, where) for name, value in overlay.vars}
    own = {name: MappingEntry(Scalar(name, False, where), value) for name, value in literal.items()}
    return {**(environment.map_at("vars").entries if environment else {}), **own}


def with_variables(file: Fields, given: Mapping[str, MappingEntry]) -> Fields:
    """Return a file's variables with the given values of those that it declares."""
    section = file.map_at("vars")
    return replace(section, entries={name: given.get(name, entry) for name, entry in section.entries.items()})


def check_declared(overlay: ProjectOverlay, files: Iterable[Fields], problems: Problems) -> None:
    """Report the variables of the command line that no file declares."""
    declared = dict.fromkeys(chain.from_iterable(file.map_at("vars").entries for file in files))
    for name, _ in overlay.vars if overlay.strict else ():
        if name not in declared:
            meant = problems.did_you_mean(name, declared)
            message = f"--var {name}: no file declares the variable {shown(name)}{meant}"
            problems.error("unknown-name", message, None, "declare it under vars, with a value for everybody")
