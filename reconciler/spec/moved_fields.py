"""The model of an entry of `moved`."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from reconciler.spec.field_types import RawText, SpecModel, noted

# `from` is a word of Python, so the field has no statement of its own.
_FROM: Any = {"from": (RawText, noted("The former name of a clip, or of a whole matrix clip.", "hero", ...))}
_Former: Any = create_model("_Former", __base__=SpecModel, **_FROM)


class Moved(_Former):  # type: ignore[misc]  # its base is made above
    """A clip that was renamed."""

    to: RawText = noted("Its present name.", "opening", ...)
