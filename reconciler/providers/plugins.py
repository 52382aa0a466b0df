"""Kinds of other packages, by the entry-point group `clipform.providers` (name = kind, value = "module:factory").

The names are looked up where a project has a kind that is not ours. The code of a package is imported only for a kind
that a project or a command names. It was installed by the user and is trusted as code; what it sends, and where, meets
the same questions as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers.base import Dialect

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "clipform.providers"

Factory = Callable[[Mapping[str, object]], Dialect]


@cache
def entries(group: str = GROUP) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return the entry points of a group by name; looked up once in a process."""
    from importlib.metadata import entry_points  # slow to import and rarely needed

    named: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=group):
        named[entry.name] = (*named.get(entry.name, ()), entry)
    return named


def owner(entry: EntryPoint) -> str:
    """Return the package of an entry point and its version, for messages."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value


def package(kind: str) -> str:
    """Return the package and version of another package's kind; empty for a kind that is ours or nobody's."""
    return " ".join(owner(entry) for entry in entries().get(kind, ()))


def load(entry: EntryPoint) -> object:
    """Return what an entry point names. Raises SpecError if its package cannot be imported."""
    try:
        return entry.load()
    except Exception as error:  # a package of somebody else may raise anything
        raise SpecError([_fault(entry, "cannot be loaded", error)]) from error


def factory(kind: str) -> Factory | None:
    """Return the factory of another package's kind; None if no package has it. Raises SpecError if it cannot be loaded,
    or if two packages have it: which of them comes first is chance."""
    match entries().get(kind, ()):
        case ():
            return None
        case (entry,):
            return _guarded(kind, entry, load(entry))
        case several:
            names = " and ".join(sorted(owner(entry) for entry in several))
            raise SpecError(
                [Diagnostic("bad-plugin", f"two packages have kind {kind!r}: {names}", help="uninstall one of them")]
            )


def _guarded(kind: str, entry: EntryPoint, make: object) -> Factory:
    """Return a factory whose faults are errors in words, and that yields a dialect of this kind and no other: the kind
    is part of keys."""

    def create(settings: Mapping[str, object]) -> Dialect:
        try:
            if not callable(make):
                raise TypeError("it is not a factory, which takes the provider's settings")
            dialect = make(settings)
            if not isinstance(dialect, Dialect):
                raise TypeError("it is not a Dialect: see reconciler.providers.base")
            if dialect.kind != kind:
                raise ValueError(f"its dialect calls itself {dialect.kind!r}")
        except SpecError:
            raise
        except Exception as error:  # as above
            raise SpecError([_fault(entry, "cannot be used", error)]) from error
        return dialect

    return create


def _fault(entry: EntryPoint, trouble: str, error: Exception) -> Diagnostic:
    reason = f"{type(error).__name__}: {error}"
    text = f"kind {entry.name!r} of {owner(entry)} {trouble}: {reason}"
    return Diagnostic("bad-plugin", text, help=f"install a version of it that fits this clipform ({entry.value})")
