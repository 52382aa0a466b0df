"""The fields of a cut: the model of the section `cuts`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import create_model, model_validator

from reconciler.spec import scalars
from reconciler.spec.field_types import (
    AS_LIST,
    Amount,
    Leaf,
    Line,
    SpecModel,
    Text,
    choice_of,
    noted,
    unfit_error,
    whole_from,
)
from reconciler.spec.paths import DEFAULT_OUTPUT
from reconciler.spec.problems import listed

FITS = ("pad", "crop")
MAX_PIECES = 1000
_SORTS = ("clip", "cut", "title")

_SIZE = Leaf(scalars.size, "size", {"type": "string", "pattern": r"^([1-9][0-9]*x[1-9][0-9]*|.*\$\{.*)$"})

# `in` and `for` are words of Python, so these fields have no statements of their own.
_TIMES: Any = {
    "in": (Amount | None, noted("Seconds of it that are left out at its start.", "0.5")),
    "for": (Amount | None, noted("Seconds for which a title is shown.", "2")),
}
_Timed: Any = create_model("_Timed", __base__=SpecModel, **_TIMES)


class TransitionDecl(SpecModel):
    """How a piece follows the one before it, if not at once."""

    dissolve: Amount = noted("Seconds in which one piece turns into the next; both are shown then.", "0.5", ...)


class PieceDecl(_Timed):  # type: ignore[misc]  # its base is made above
    """A piece of a cut: one clip or another cut, whole or a part of it, or a title."""

    clip: Line | None = noted("The clip whose picked take is shown.", "hero")
    cut: Line | None = noted("The cut that is shown.", "credits")
    title: Text | None = noted("Words that are shown, white on black.", "Chapter two")
    out: Amount | None = noted("The second of it where the piece ends; absent, its end.", "4.5")
    transition: TransitionDecl | None = noted("How it follows the piece before it.", "{dissolve: 0.5}")

    @property
    def source(self) -> str:
        """The name of the clip or the cut; empty for a title."""
        return self.clip or self.cut or ""

    @property
    def start(self) -> Decimal:
        """The second where the piece begins."""
        return getattr(self, "in") or Decimal(0)

    @property
    def seconds(self) -> Decimal | None:
        """How long it is; None if its video decides that."""
        if self.title is not None:
            return self.__dict__["for"]  # type: ignore[no-any-return]  # a number, see above
        return None if self.out is None else self.out - self.start

    @property
    def dissolve(self) -> Decimal:
        """For how long the piece before it is shown too."""
        return self.transition.dissolve if self.transition else Decimal(0)

    @model_validator(mode="after")
    def _one_sort(self) -> PieceDecl:
        if sum(getattr(self, sort) is not None for sort in _SORTS) != 1:
            raise unfit_error(scalars.Unfit(f"has a piece that needs exactly one of {listed(_SORTS, 'and')}"))
        times = {name for name in ("in", "out", "for") if getattr(self, name) is not None}
        if self.title is not None and times != {"for"}:
            raise unfit_error(scalars.Unfit("has a title that needs for, and neither in nor out", "write for: 2"))
        if self.title is None and "for" in times:
            raise unfit_error(scalars.Unfit("has a clip with for", "write out, the second of it where the piece ends"))
        return self


class CutDecl(SpecModel):
    """A film that is put together from clips, at no cost."""

    sequence: Annotated[tuple[PieceDecl, ...], AS_LIST] = noted(
        "The pieces in the order in which they are shown.", "[{clip: intro}, {clip: hero, out: 4.5}]", ...
    )
    size: Annotated[tuple[int, int] | None, _SIZE] = noted(
        "Width and height in pixels; absent, those of the first piece.", "1280x720"
    )
    fps: Annotated[int, whole_from(1, 120)] = noted("Frames per second.", "24", 24)
    fit: Annotated[str, choice_of(*FITS)] = noted(
        "What is done with a piece of another shape: add bars, or cut off what is too much.", "crop", "pad"
    )
    output: Text = noted("Path of the film inside the project.", "out/film.mp4", DEFAULT_OUTPUT)

    @model_validator(mode="after")
    def _some_pieces(self) -> CutDecl:
        if not 0 < len(self.sequence) <= MAX_PIECES:
            raise unfit_error(scalars.Unfit(f"must have 1 to {MAX_PIECES} pieces in its sequence"))
        return self
