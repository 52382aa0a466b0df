"""Modules: files that several projects `use`, with looks, keyframes, cuts and prices, without providers and clips.

A module is laid under the project file before anything is read from it: its looks and keyframes are declared beside
the project's, and its cuts are of the project's clips. Its prices, which are by kind, follow the rows of each provider
of that kind, so that the project's own match first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from reconciler.spec.field_types import AS_LIST, AS_MAP, SpecModel, noted
from reconciler.spec.model import CutMap, KeyframeMap, LookMap, Price
from reconciler.spec.problems import Problems, shown
from reconciler.spec.reader import Fields, Items, MappingEntry, Scalar

PriceRows = Annotated[tuple[Price, ...], AS_LIST]


class ModuleFile(SpecModel):
    """A file listed under `use`."""

    looks: LookMap = noted("Characters, places and styles that clips use.", "{noir: {prompt: black and white}}", dict)
    keyframes: KeyframeMap = noted("Pictures that clips share.", "{door: {file: art/door.png}}", dict)
    cuts: CutMap = noted("Films made of the project's clips.", "{trailer: {sequence: [{clip: hero}]}}", dict)
    prices: Annotated[dict[str, PriceRows], AS_MAP] = noted(
        "Rows of the price tables of providers, by their kind.", "{ark: [{use: ark-usd}]}", dict
    )


def with_modules(main: Fields, modules: Sequence[Fields], problems: Problems) -> Fields:
    """Return the map of the project file with what its modules add."""
    if not modules:
        return main
    looks = _declared("looks", "look", main, modules, problems)
    keyframes = _declared("keyframes", "keyframe", main, modules, problems)
    return Fields({**main.entries, **looks, **keyframes, **_priced(main, modules)}, main.where)


def _declared(
    section: str, sort: str, main: Fields, modules: Sequence[Fields], problems: Problems
) -> dict[str, MappingEntry]:
    """Return a section with what modules declare beside the project's; `sort` is what one of them is called."""
    entries: dict[str, MappingEntry] = {}
    for name, entry in (item for file in (main, *modules) for item in file.map_at(section).entries.items()):
        if name in entries:
            message = f"{sort} {shown(name)} is already declared at {entries[name].key.where}"
            problems.error(sort, message, entry.key.where, "rename one of the two")
        else:
            entries[name] = entry
    return _section(section, entries, main) if entries else {}


def _priced(main: Fields, modules: Sequence[Fields]) -> dict[str, MappingEntry]:
    """Return the providers with the rows of modules after their own."""
    providers = dict(main.map_at("providers").entries)
    for alias, (key, spec) in providers.items():
        kind = spec.entries["kind"].value if isinstance(spec, Fields) and "kind" in spec.entries else None
        if not isinstance(spec, Fields) or not isinstance(kind, Scalar):
            continue
        rows = [row for file in modules for row in file.map_at("prices").list_at(kind.text)]
        if rows and ("prices" not in spec.entries or isinstance(spec.entries["prices"].value, Items)):
            both = Items((*spec.list_at("prices"), *rows), spec.where)
            name = spec.entries["prices"].key if "prices" in spec.entries else Scalar("prices", False, key.where)
            providers[alias] = MappingEntry(
                key, Fields({**spec.entries, "prices": MappingEntry(name, both)}, spec.where)
            )
    return _section("providers", providers, main) if providers else {}


def _section(name: str, entries: dict[str, MappingEntry], main: Fields) -> dict[str, MappingEntry]:
    key = main.entries[name].key if name in main.entries else Scalar(name, False, main.where)
    return {name: MappingEntry(key, Fields(entries, main.where))}
