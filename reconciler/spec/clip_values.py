"""Validate the fields of many clips: what several clips have in common is validated once.

Most clips of a project differ in a few texts and are alike in all else, and the model takes longer for a clip's fields
than any other step of reading it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from pydantic import ValidationError

from reconciler.spec.field_types import Leaf
from reconciler.spec.model import ClipFields
from reconciler.spec.scalars import Unfit

_NO_NAMES = set[str]()
"""For all clips, which fields were given: nothing asks, and a set for each is 700 bytes."""

_MOST = 100
"""So many combinations are remembered at a time."""


def _parser(name: str) -> Callable[[Any], object]:
    return next(item.parse for item in ClipFields.model_fields[name].metadata if isinstance(item, Leaf))


_OWN = {name: _parser(name) for name in ("prompt", "seed", "output", "avoid", "description")}
"""The parser of each field that usually is a clip's alone."""


class ClipValues:
    """The combinations of fields that were validated before."""

    def __init__(self) -> None:
        self._valid: dict[Hashable, ClipFields] = {}

    def read(self, raw: Mapping[str, object]) -> ClipFields | None:
        """Return what `ClipFields.model_validate` does; None for fields with a mistake, which it reports."""
        try:
            values = {name: parse(raw[name]) for name, parse in _OWN.items() if name in raw}
            common = tuple([(name, _comparable(value)) for name, value in raw.items() if name not in _OWN])
            valid = self._valid.get(common)
            if valid is None:
                valid = ClipFields.model_validate({name: raw[name] for name, _ in common})
                if len(self._valid) >= _MOST:
                    self._valid.clear()
                self._valid[common] = valid
        except (Unfit, ValidationError):
            return None
        return with_values(valid, values)


def with_values(spec: ClipFields, values: Mapping[str, object]) -> ClipFields:
    """Return a copy with other values, which must be of the fields' types; it does not know which fields were given.

    `model_copy` does the same in three times as long.
    """
    copy, assign = object.__new__(ClipFields), object.__setattr__
    assign(copy, "__dict__", {**spec.__dict__, **values})
    assign(copy, "__pydantic_fields_set__", _NO_NAMES)
    assign(copy, "__pydantic_extra__", None)
    assign(copy, "__pydantic_private__", None)
    return copy


def _comparable(value: object) -> Hashable:
    """Return a value that is equal only for an equal value of the same type: `yes` in quotes is another `yes`."""
    match value:
        case list():
            return (list, *map(_comparable, value))
        case dict():
            return (dict, *[(name, _comparable(item)) for name, item in value.items()])
    return type(value), value
