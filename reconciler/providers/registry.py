"""Find the dialect of a provider's `kind`.

A built-in kind is a row of `BUILT_IN`: "module:factory", imported only when a project uses it. A factory takes the
provider's `settings` and returns a `Dialect`; it raises `SpecError` for settings that the kind does not have. Other
packages add kinds (`plugins`). A built-in kind is never looked up there, so that no package can replace it and no scan
of packages is needed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers import plugins
from reconciler.providers.base import Dialect
from reconciler.providers.plugins import Factory
from reconciler.spec.other_names import VENDORS

DESCRIBED = "http"
"""The kind of a vendor that the project describes; in keys and records the vendor's name follows: `http:acme`."""

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "draft": "reconciler.providers.registry:create_draft",
        "jiekou": "reconciler.providers.jiekou.dialect:Jiekou",
        "jimmyai": "reconciler.providers.jimmyai.dialect:JimmyAI",
        "chanjing": "reconciler.providers.chanjing.dialect:Chanjing",
        "uniall": "reconciler.providers.uniall.dialect:Uniall",
        "3hei": "reconciler.providers.ark.dialect:Hei",
        "ark": "reconciler.providers.ark.dialect:Ark",
        "fal": "reconciler.providers.fal.dialect:Fal",
    }
)


def kinds() -> tuple[str, ...]:
    """Return every available kind: the built-in ones, then those of other packages by name."""
    return (*BUILT_IN, *sorted(plugins.entries().keys() - BUILT_IN.keys() - {DESCRIBED}))


def is_ours(kind: str) -> bool:
    """True for a kind whose dialect is a part of this program: its code changes with the version only."""
    return kind in BUILT_IN or kind.partition(":")[0] == DESCRIBED


def catalogues(named: Iterable[str]) -> list[Dialect]:
    """Return the dialects of the built-in kinds and of these kinds of other packages. Raises SpecError for one that
    cannot be loaded."""
    others = sorted(set(named) & plugins.entries().keys() - BUILT_IN.keys())
    return [dialect(kind) for kind in (*BUILT_IN, *others)]


def dialect(kind: str, settings: Mapping[str, object] = MappingProxyType({})) -> Dialect:
    """Return the dialect of a kind with a provider's settings. Raises SpecError; the caller adds the source line."""
    return _factory(kind)(settings)


def create_draft(settings: Mapping[str, object]) -> Dialect:
    """Return the dialect of the draft renderer, which has no settings."""
    from reconciler.providers.draft.dialect import Draft

    if settings:
        names = ", ".join(sorted(settings))
        raise SpecError([Diagnostic("bad-setting", f"kind draft takes no settings, found {names}", help="remove them")])
    return Draft()


def _factory(kind: str) -> Factory:
    if kind.partition(":")[0] == DESCRIBED:
        from reconciler.providers.http.dialect import create

        return create
    if kind in BUILT_IN:
        module, name = BUILT_IN[kind].split(":")
        factory: Factory = getattr(import_module(module), name)
        return factory
    if (other := plugins.factory(kind)) is not None:
        return other
    raise SpecError([_unknown(kind)])


def _unknown(kind: str) -> Diagnostic:
    other = VENDORS.get(kind.lower())
    near = [other] if other else difflib.get_close_matches(kind, kinds(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return Diagnostic(
        "unknown-kind", f"unknown provider kind {kind!r}{hint}", help=f"kinds: {', '.join((*kinds(), DESCRIBED))}"
    )
