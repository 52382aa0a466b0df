"""Matrices: a declaration becomes one clip for each combination of its values.

A combination is part of the clip's name (`social[ratio=16:9,lang=en]`), so a value cannot contain the separators used
there. Combinations are counted before they are built, so that a huge matrix is refused early.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.frozen import dataclass
from reconciler.spec.interpolate import NameScope, Resolver
from reconciler.spec.problems import Problems, listed, shown
from reconciler.spec.reader import Fields, Items, MappingEntry, Node, Scalar
from reconciler.spec.values import final_name

MAX_CLIPS = 20_000
MAX_AXES = 10
MAX_COMPARED = 5_000_000
"""Limit of combinations times excludes and overrides, which a short file can make very large."""

AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SEPARATORS = re.compile(r"[\[\]{}$=,]")
_MAX_VALUE = 64

Combination = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ResolvedMatrix:
    """The combinations of a declaration, each with the fields that its overrides set."""

    combinations: Mapping[Combination, tuple[Fields, ...]]
    count: int  # of combinations before excludes


SINGLE = ResolvedMatrix({(): ()}, 1)
"""A clip without a matrix: one empty combination."""


def clip_name(declared: str, combination: Combination) -> str:
    """Return `social`, or `social[ratio=16:9,lang=en]` with the values in the order declared."""
    values = ",".join(f"{axis}={value}" for axis, value in combination)
    return f"{declared}[{values}]" if values else declared


def declared_name(clip: str) -> str:
    """Return the name of the declaration that a clip comes from: the inverse of `clip_name`."""
    return final_name(clip).partition("[")[0]


def file_names(declared: str, combinations: Iterable[Combination]) -> Mapping[Combination, str]:
    """Return the name of each combination's file: `social-16:9-en`; all are as `clip_name` if two would be the same."""
    names = {one: "-".join([declared, *(value for _, value in one)]) for one in combinations}
    return names if len(set(names.values())) == len(names) else {one: clip_name(declared, one) for one in names}


def fits(when: Mapping[str, str], combination: Combination) -> bool:
    """True if a combination has all these values."""
    return when.items() <= dict(combination).items()


class MatrixReader:
    """Reads the matrix and the overrides of one declaration."""

    def __init__(self, problems: Problems, resolver: Resolver, scope: NameScope) -> None:
        self._problems = problems
        self._resolver = resolver
        self._scope = scope

    def read(self, declaration: Fields, limit: int) -> ResolvedMatrix | None:
        """Return the combinations, at most `limit`; None if they cannot be determined."""
        errors = self._problems.errors
        axes = self._axes(declaration.entries.get("matrix"))
        unsound = "matrix" in declaration.entries and not (axes and all(axes.values()))
        if unsound or self._problems.errors > errors:
            return None
        count = math.prod(len(values) for values in axes.values())
        if count > limit:
            message = f"this matrix has {count:,} combinations; a project can have at most {MAX_CLIPS:,} clips"
            where = declaration.entries["matrix"].key.where if axes else declaration.where
            self._problems.error("too-many-clips", message, where, "use fewer values, or split the project")
            return None
        excludes, overrides = declaration.map_at("matrix").list_at("exclude"), declaration.list_at("overrides")
        if count * (len(excludes) + len(overrides)) > MAX_COMPARED:
            message = "too many excludes and overrides for so many combinations"
            self._problems.error("too-much", message, declaration.where)
            return None
        combinations = self._without_excluded(declaration.entries.get("matrix"), excludes, axes)
        resolved = self._overridden(declaration, axes, combinations, count)
        return resolved if self._problems.errors == errors else None

    def read_rows(self, declaration: Fields, combinations: tuple[Combination, ...]) -> ResolvedMatrix | None:
        """Return the combinations of a table's rows, with their overrides; None if these have mistakes."""
        axes: dict[str, dict[str, None]] = {}
        for axis, value in itertools.chain.from_iterable(combinations):
            axes.setdefault(axis, {})[value] = None
        if len(combinations) * len(declaration.list_at("overrides")) > MAX_COMPARED:
            self._problems.error("too-much", "too many overrides for so many rows", declaration.where)
            return None
        return self._overridden(declaration, axes, combinations, len(combinations))

    def _overridden(
        self,
        declaration: Fields,
        axes: Mapping[str, Collection[str]],
        combinations: tuple[Combination, ...],
        count: int,
    ) -> ResolvedMatrix | None:
        errors, overrides = self._problems.errors, declaration.list_at("overrides")
        sets = [*self._overrides(overrides, axes, combinations)]
        resolved = {one: tuple(fields for when, fields in sets if fits(when, one)) for one in combinations}
        return ResolvedMatrix(resolved, count) if self._problems.errors == errors else None

    def _axes(self, matrix: MappingEntry | None) -> dict[str, list[str]]:
        """Return each axis with its values. A wrong shape has been reported before."""
        if matrix is None or not isinstance(matrix.value, Fields):
            return {}
        entries = matrix.value.entries
        axes = {key: self._values(entry) for key, entry in entries.items() if key != "exclude"}
        if not axes:
            self._problems.error("matrix", "the matrix has no values", matrix.key.where, "add a list: lang: [en, zh]")
        if len(axes) > MAX_AXES:
            self._problems.error("matrix", f"a matrix can have at most {MAX_AXES} lists", matrix.key.where)
        return axes

    def _values(self, axis: MappingEntry) -> list[str]:
        if not AXIS.fullmatch(axis.key.text):
            message = f"{shown(axis.key.text)} cannot be the name of a list of the matrix"
            help = "use letters, digits, - and _, starting with a letter"
            self._problems.error("matrix", message, axis.key.where, help)
        items = axis.value.items if isinstance(axis.value, Items) else ()
        if not items and (isinstance(axis.value, Items) or axis.value == Scalar("", False, axis.value.where)):
            self._problems.error("matrix", f"{axis.key.text} has no values", axis.key.where, "add at least one")
        values: dict[str, None] = {}
        for item in items:
            value = self._value(item)
            if value in values:
                self._problems.error("matrix", f"duplicate value {shown(value)}", item.where, "remove one of the two")
            elif value is not None:
                values[value] = None
        return list(values)

    def _value(self, node: Node) -> str | None:
        """Return the text of one value, checked to be usable as part of a name."""
        raw = self._resolver.resolve(node, self._scope)
        if not isinstance(raw, str):
            return None
        value = unicodedata.normalize("NFC", str(raw))
        if _SEPARATORS.search(value) or not value.isprintable() or value != value.strip() or not value:
            message = f"{shown(value)} cannot be a value of a matrix, because it becomes part of the clip's name"
            help = "use a short text without [ ] { } $ = and commas; an override can set the long text"
            self._problems.error("matrix", message, node.where, help)
        elif len(value) > _MAX_VALUE:
            message = f"a value of a matrix can have at most {_MAX_VALUE} characters, not {len(value)}"
            self._problems.error("matrix", message, node.where, "use a short text; an override can set the long text")
        return value

    def _without_excluded(
        self, matrix: MappingEntry | None, excludes: tuple[Node, ...], axes: Mapping[str, list[str]]
    ) -> tuple[Combination, ...]:
        excluded = [self._when(item, axes) for item in excludes]
        combinations = (tuple(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
        included = tuple(one for one in combinations if not any(when and fits(when, one) for when in excluded))
        if not included and matrix:
            self._problems.error("matrix", "every combination is excluded", matrix.key.where, "exclude fewer")
        return included

    def _when(self, node: Node, axes: Mapping[str, Collection[str]]) -> dict[str, str]:
        """Return the values that an `exclude` or `when` names, checked to exist."""
        chosen: dict[str, str] = {}
        for axis, entry in node.entries.items() if isinstance(node, Fields) else ():
            value = self._value(entry.value)
            if axis not in axes:
                meant = self._problems.did_you_mean(axis, axes)
                help = f"it has {listed(axes, 'and')}" if axes else "the clip has no matrix"
                self._problems.error("matrix", f"the matrix has no {shown(axis)}{meant}", entry.key.where, help)
            elif value is not None and value not in axes[axis]:
                meant = self._problems.did_you_mean(value, axes[axis])
                message = f"{axis} has no value {shown(value)}{meant}"
                self._problems.error("matrix", message, entry.value.where, f"it has {listed(axes[axis], 'and')}")
            elif value is not None:
                chosen[axis] = value
        return chosen

    def _overrides(
        self, overrides: tuple[Node, ...], axes: Mapping[str, Collection[str]], combinations: tuple[Combination, ...]
    ) -> Iterator[tuple[Mapping[str, str], Fields]]:
        """Yield the condition of each override, checked, and its fields."""
        for item in overrides:
            if not isinstance(item, Fields):
                continue
            when = self._when(item.map_at("when"), axes)
            if not any(fits(when, combination) for combination in combinations):
                self._problems.warn("matrix", "this override matches no combination", item.where)
            yield when, item.map_at("set")
