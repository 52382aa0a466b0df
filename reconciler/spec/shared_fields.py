"""Fields that `defaults` give to every clip alike: each value is parsed once, and an edit of it changes nothing else.

Such a field is checked by itself, and its value has no name in braces, which could mean another text in each clip.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.interpolate import NameScope, Resolver
from reconciler.spec.model import ClipFields
from reconciler.spec.problems import Problems
from reconciler.spec.reader import Fields, MappingEntry, Node, Scalar
from reconciler.spec.shape import checked_fields

_ALONE = (
    "provider", "model", "duration", "resolution", "ratio", "seed", "camera_fixed", "audio", "watermark",
    "return_last_frame", "tier", "needed_by", "tags", "description", "protect",
)  # fmt: skip
"""The fields that reading a clip relates to no other one."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Fields by name: their values, the places of these, and the number of scalars that each is read from."""

    values: Mapping[str, object]
    places: Mapping[str, Source]
    counts: Mapping[str, int]

    def beside(self, written: Mapping[str, object]) -> Shared:
        """Return those that a declaration does not write."""
        names = self.values.keys() - written.keys()
        if len(names) == len(self.values):
            return self
        values = {name: value for name, value in self.values.items() if name in names}
        return Shared(values, {name: self.places[name] for name in values}, {n: self.counts[n] for n in values})


NOTHING_SHARED = Shared({}, {}, {})


@dataclass(frozen=True, slots=True)
class FileDefaults:
    """The defaults that apply to a file: all `entries`, of which some are `shared` and the others are `special`."""

    entries: Mapping[str, MappingEntry]
    special: Fields
    shared: Shared

    def are_shared(self, written: Mapping[str, object]) -> bool:
        """True if each clip of a declaration has the shared fields that it does not write: overrides write some."""
        return "overrides" not in written


def split(entries: Mapping[str, MappingEntry], where: Source) -> FileDefaults:
    """Return defaults with the values of the fields that clips share. Wrong values are special: each clip reports
    them."""
    nodes = {name: entries[name].value for name in _ALONE if name in entries and not _has_braces(entries[name].value)}
    resolver, raw, counts = Resolver(Problems()), dict[str, object](), dict[str, int]()
    for name, node in nodes.items():
        before = resolver.volume.values
        raw[name] = resolver.resolve(node, NameScope({}))
        counts[name] = resolver.volume.values - before
    spec, faulty = checked_fields(ClipFields, raw, Fields(dict(entries), where), Problems(), ())
    values = {name: getattr(spec, name) for name in raw if name not in faulty}
    special = {name: entry for name, entry in entries.items() if name not in values}
    places = {name: nodes[name].where for name in values}
    return FileDefaults(
        entries, Fields(special, where), Shared(values, places, {name: counts[name] for name in values})
    )


def _has_braces(node: Node) -> bool:
    match node:
        case Scalar(text=text):
            return "{" in text
        case Fields():
            return True
    return any(map(_has_braces, node.items))
