"""What differs between two identity documents, in the words of the YAML: why a changed key is another picture."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.identity import canonical
from reconciler.plan.model import Change
from reconciler.spec.values import Number


def changes(before: str, after: str) -> tuple[Change, ...]:
    """Field by field, what differs between two canonical identity documents; sorted by field."""
    old, new = _flat(before), _flat(after)
    differ = (name for name in sorted(old | new) if not _alike(old.get(name), new.get(name)))
    differ = (name for name in differ if _spelling(old, name) != _spelling(new, name))
    return tuple(_change(name, old, new) for name in differ)


def _alike(old: object, new: object) -> bool:
    """Surely no difference, seen without spelling either: nearly every field of nearly every change."""
    return type(old) is type(new) and type(old) in (str, int) and old == new


def _change(name: str, old: Mapping[str, object], new: Mapping[str, object]) -> Change:
    before, after = _stated(old, name), _stated(new, name)
    if str(before) == str(after):  # 0.5 and the text "0.5": shown as they are spelt
        before, after = _spelling(old, name), _spelling(new, name)
    return Change(name, before, after)


def _spelling(flat: Mapping[str, object], name: str) -> str | None:
    """What counts in the key: in Python `1 == True`, and a null is not an absent member."""
    return canonical(flat[name]) if name in flat else None


def _stated(flat: Mapping[str, object], name: str) -> object:
    return "null" if name in flat and flat[name] is None else flat.get(name)


def _flat(document: str) -> dict[str, object]:
    """A document's members under the names that a user writes in the YAML."""
    if not document:
        return {}
    found: dict[str, object] = {}
    for name, value in json.loads(document, parse_float=Number).items():
        match name:
            case "recipe":
                continue
            case "dialect":
                found["provider"] = value
            case "params":
                found.update(value)
            case "options":
                found.update({f"options.{inner}": item for inner, item in value.items()})
            case "inputs":
                found.update({item["field"]: input_words(item) for item in value})
            case _:
                found[name] = value
    return found


def input_words(item: Mapping[str, str]) -> str:
    """An input's identity in a few words."""
    if "clip" in item:
        return f"{item['part']} of {short(item['clip'])}"
    if "sha256" in item:
        return f"content {item['sha256'][:12]}"
    return item.get("url") or item.get("asset") or ""


def short(key: str) -> str:
    """A key as people read it: the recipe and the first ten digits."""
    recipe, _, digits = key.partition(":")
    return f"{recipe}:{digits[:10]}"
