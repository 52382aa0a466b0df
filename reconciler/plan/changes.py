"""Compare two identity documents field by field, in the names of the YAML."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType

from reconciler.frozen import dataclass
from reconciler.identity import canonical
from reconciler.plan.model import Change
from reconciler.spec.values import Number

NO_NAMES: Mapping[str, str] = MappingProxyType({})

_decode = json.JSONDecoder(parse_float=Number).decode  # `json.loads` would make one for each document
_COUNTS = (int, type(None))  # not bool: a change is remembered by its values, and 1 == True
_USES = {"first_frame": "starts from", "last_frame": "ends on"}


def changes(
    before: str, after: str, clips: Mapping[str, str] = NO_NAMES, pending: Collection[str] = ()
) -> tuple[Change, ...]:
    """Return the fields that differ between two canonical identity documents, sorted by field.

    `clips` names the clip of a key; `pending` are the keys that the plan generates."""
    old, new = flat_fields(before), flat_fields(after)
    differing = [*(old.keys() ^ new.keys()), *(name for name in old if name in new and _differs(name, old, new))]
    return tuple([_change(name, old, new, clips, pending) for name in sorted(differing)])


def _differs(name: str, old: Mapping[str, object], new: Mapping[str, object]) -> bool:
    """True if a field of both has another canonical form, which for most is another value."""
    before, after = old[name], new[name]
    if type(before) is type(after) and type(before) in (str, int):
        return before != after
    return _canonical(old, name) != _canonical(new, name)


def _change(
    name: str,
    old: Mapping[str, object],
    new: Mapping[str, object],
    clips: Mapping[str, str],
    pending: Collection[str],
) -> Change:
    before, after = _display(old, name, clips), _display(new, name, clips)
    if type(before) in _COUNTS and type(after) in _COUNTS:
        return _count_change(name, before, after)
    if str(before) != str(after):
        return Change(name, before, after)
    source, target = old.get(name), new.get(name)
    if isinstance(source, InputEntry) and isinstance(target, InputEntry) and target.key in clips:
        note = _replaced_clip(name, target, clips, pending)
        return Change(name, f"{before} ({short(source.key)})", f"{after} ({short(target.key)})", note)
    return Change(name, _canonical(old, name), _canonical(new, name))  # such as 0.5 and the text "0.5"


@lru_cache(maxsize=256)  # an edit of `defaults` is one change, of a thousand clips
def _count_change(name: str, before: object, after: object) -> Change:
    return Change(name, before, after)


def _replaced_clip(name: str, target: InputEntry, clips: Mapping[str, str], pending: Collection[str]) -> str:
    """Return the phrase for an input that is the same clip as before with another video."""
    state = "will be replaced" if target.key in pending else "was replaced"
    return f"{_USES.get(name, 'uses')} the {input_text(target.entry, clips)}, which {state}"


@dataclass(frozen=True, slots=True)
class InputEntry:
    """One input's identity: an entry of the document without its field."""

    entry: Mapping[str, str]

    @property
    def key(self) -> str:
        """The key of the clip that it is taken from; empty for other inputs."""
        return self.entry.get("clip", "")


def _canonical(flat: Mapping[str, object], name: str) -> str | None:
    """Return the form that the key is made from: in Python `1 == True`, and null is not an absent member."""
    if name not in flat:
        return None
    value = flat[name]
    return canonical(value.entry if isinstance(value, InputEntry) else value)


def _display(flat: Mapping[str, object], name: str, clips: Mapping[str, str]) -> object:
    value = flat.get(name)
    if isinstance(value, InputEntry):
        return input_text(value.entry, clips)
    return "null" if name in flat and value is None else value


@lru_cache(maxsize=4096)  # the changes of a clip and what follows from them look at the same two
def flat_fields(document: str) -> Mapping[str, object]:
    """Return a document's members under the names that a user writes in the YAML; an input is an `InputEntry`."""
    if not document:
        return {}
    fields: dict[str, object] = {}
    for name, value in _decode(document).items():
        match name:
            case "recipe":
                continue
            case "dialect":
                fields["provider"] = value
            case "params":
                fields.update(value)
            case "options":
                fields.update({f"options.{inner}": option for inner, option in value.items()})
            case "inputs":
                fields.update({entry["field"]: InputEntry(_without_field(entry)) for entry in value})
            case _:
                fields[name] = value
    return fields


def _without_field(entry: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in entry.items() if name != "field"}


def input_text(entry: Mapping[str, str], clips: Mapping[str, str] = NO_NAMES) -> str:
    """Return an input's identity in a few words: the clip's name where `clips` has its key, else the short key."""
    if "clip" in entry:
        return f"{entry['part'].replace('_', ' ')} of {clips.get(entry['clip']) or short(entry['clip'])}"
    if "sha256" in entry:
        return f"content {entry['sha256'][:12]}"
    return entry.get("url") or entry.get("asset") or ""


def short(key: str) -> str:
    """Return a key as people read it: the recipe and the first ten digits."""
    recipe, _, digits = key.partition(":")
    return f"{recipe}:{digits[:10]}"
