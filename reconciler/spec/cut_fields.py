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
    YesNo,
    choice_of,
    noted,
    unfit_error,
    whole_from,
)
from reconciler.spec.paths import DEFAULT_OUTPUT
from reconciler.spec.problems import listed

FITS = ("pad", "crop")
MAX_PIECES = 1000
MAX_SOUNDS = 50
MAX_VOLUME = 10
SUBTITLES = ("track", "burned", "beside")
SUBTITLE_FILES = (".srt", ".vtt", ".ass", ".ssa")
_SORTS = ("clip", "cut", "title", "still")
_ANY_LEVEL = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^([+-]?[0-9.]+|.*\$\{.*)$"}]}

LocalFile = Annotated[str, Leaf(scalars.local_file, "path", {"type": "string"})]
Moment = Annotated[
    tuple[str, Decimal], Leaf(scalars.moment, "time", {"anyOf": [{"type": "number"}, {"type": "string"}]})
]
Gain = Annotated[Decimal, Leaf(scalars.level(-60, 20), "number", _ANY_LEVEL)]
Duck = Annotated[Decimal, Leaf(scalars.level(-60, 0), "number", _ANY_LEVEL)]
Loudness = Annotated[Decimal, Leaf(scalars.level(-50, -5), "number", _ANY_LEVEL)]
_SIZE = Leaf(scalars.size, "size", {"type": "string", "pattern": r"^([1-9][0-9]*x[1-9][0-9]*|.*\$\{.*)$"})

# `in`, `for` and `as` are words of Python, so these fields have no statements of their own.
_TIMES: Any = {
    "in": (Amount | None, noted("Seconds of it that are left out at its start.", "0.5")),
    "for": (Amount | None, noted("Seconds for which a title or a still is shown.", "2")),
}
_Timed: Any = create_model("_Timed", __base__=SpecModel, **_TIMES)


class TransitionDecl(SpecModel):
    """How a piece follows the one before it, if not at once."""

    dissolve: Amount = noted("Seconds in which one piece turns into the next; both are shown then.", "0.5", ...)


class PieceDecl(_Timed):  # type: ignore[misc]  # its base is made above
    """A piece of a cut: one clip or another cut, whole or a part of it, a title, or a picture."""

    clip: Line | None = noted("The clip whose picked take is shown.", "hero")
    cut: Line | None = noted("The cut that is shown.", "credits")
    title: Text | None = noted("Words that are shown, white on black.", "Chapter two")
    still: LocalFile | None = noted("A picture that is shown, without sound.", "art/end.png")
    volume: Amount | None = noted("How loud its own sound is: 0 is silent; absent, as it is.", "0.8")
    out: Amount | None = noted("The second of it where the piece ends; absent, its end.", "4.5")
    transition: TransitionDecl | None = noted("How it follows the piece before it.", "{dissolve: 0.5}")

    @property
    def source(self) -> str:
        """The name of the clip or the cut; empty for a title or a still."""
        return self.clip or self.cut or ""

    @property
    def start(self) -> Decimal:
        """The second where the piece begins."""
        return getattr(self, "in") or Decimal(0)

    @property
    def seconds(self) -> Decimal | None:
        """How long it is; None if its video decides that."""
        if not self.source:
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
        if not self.source and times != {"for"}:
            sort = "title" if self.still is None else "still"
            raise unfit_error(scalars.Unfit(f"has a {sort} that needs for, and neither in nor out", "write for: 2"))
        if self.source and "for" in times:
            raise unfit_error(scalars.Unfit("has a clip with for", "write out, the second of it where the piece ends"))
        if not self.source and self.volume is not None:
            raise unfit_error(scalars.Unfit("has a volume for a piece without sound", "remove it"))
        if self.volume is not None and self.volume > MAX_VOLUME:
            raise unfit_error(scalars.Unfit(f"has a volume above {MAX_VOLUME}", "write 0 to 10; 1 is as it is"))
        return self


class SoundDecl(SpecModel):
    """A sound under the whole film or at a time of it: music, a voice, a noise."""

    file: LocalFile = noted("A sound file, or a video whose sound is used.", "music.mp3", ...)
    gain: Gain = noted("Decibels by which it is louder (or, below 0, quieter).", "-14", Decimal(0))
    duck: Duck | None = noted("Decibels by which it is quieter while the clips have sound of their own.", "-10")
    fade: tuple[Amount, ...] = noted("Seconds in which it fades in and out.", "[1, 2]", ())
    at: Moment = noted("When it begins: seconds, or a clip and seconds after it.", "chase+0.5", ("", Decimal(0)))
    loop: YesNo = noted("Whether it is played again and again until the film ends.", "yes", False)

    @model_validator(mode="after")
    def _two_fades(self) -> SoundDecl:
        if len(self.fade) not in (0, 2):
            raise unfit_error(scalars.Unfit("has a fade that needs two times", "write fade: [1, 2], in and out"))
        return self


_AS: Any = {
    "as": (
        Annotated[str, choice_of(*SUBTITLES)],
        noted("A track to switch on, burned into the picture, or files beside the film.", "burned", "track"),
    )
}
_Shown: Any = create_model("_Shown", __base__=SpecModel, **_AS)


class SubtitlesDecl(_Shown):  # type: ignore[misc]  # its base is made above
    """The subtitles of a film."""

    file: LocalFile = noted("An .srt, .vtt or .ass file.", "subs.srt", ...)

    @property
    def form(self) -> str:
        """How they are shown: `track`, `burned` or `beside`."""
        return str(getattr(self, "as"))


def beside(output: str, source: str) -> str:
    """Return the path of the subtitles beside a film: its own name, with the ending of their file."""
    return f"{output.rpartition('.')[0]}.{source.rpartition('.')[2].lower()}"


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
    loudness: Loudness | None = noted("The loudness of the whole film in LUFS; absent, as it is.", "-16")
    audio: Annotated[tuple[SoundDecl, ...], AS_LIST] = noted(
        "Music, voices and other sounds over the clips' own.", "[{file: music.mp3, gain: -14, duck: -10}]", ()
    )
    subtitles: SubtitlesDecl | None = noted("Subtitles of the film.", "{file: subs.srt, as: burned}")
    output: Text = noted("Path of the film inside the project.", "out/film.mp4", DEFAULT_OUTPUT)

    @property
    def beside(self) -> str:
        """The path of the subtitles beside the film; empty without such."""
        subtitles = self.subtitles
        return "" if subtitles is None or subtitles.form != "beside" else beside(self.output, subtitles.file)

    @model_validator(mode="after")
    def _some_pieces(self) -> CutDecl:
        if not 0 < len(self.sequence) <= MAX_PIECES:
            raise unfit_error(scalars.Unfit(f"must have 1 to {MAX_PIECES} pieces in its sequence"))
        if len(self.audio) > MAX_SOUNDS:
            raise unfit_error(scalars.Unfit(f"must have at most {MAX_SOUNDS} sounds"))
        return self
