"""Writes over the pictures: name, take, prompt and timecode at the bottom, DRAFT in the corner.

The caption appears after the first frame and is gone on the last one. Those two frames can be inputs of other clips
(`${clips.x.last_frame}`), and a caption under a caption would spoil a chain of drafts.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from PIL import Image, ImageDraw

from reconciler.frozen import dataclass
from reconciler.media.draft.planes import Overlay, Planes, faded, overlay
from reconciler.media.draft.scene import FPS, Size
from reconciler.media.draft.type import Font, elided, face, wrapped

_WHITE: Final = (250, 250, 248, 255)
_PALE: Final = (222, 223, 222, 255)
_QUIET: Final = (178, 181, 182, 255)
_WHITE_LIGHT: Final = 232  # the same white in the light plane
_FADE: Final = 5
_TOP_ALPHA, _FOOT_ALPHA = 160, 196
_MARK: Final = "DRAFT"


@dataclass(frozen=True, slots=True)
class CaptionText:
    """The content of a caption."""

    name: str
    take: int
    prompt: str
    camera: str
    frames: int


@dataclass(frozen=True)
class Caption:
    """The lettering of one clip at one size, drawn once and laid over every frame."""

    text: CaptionText
    size: Size

    @property
    def unit(self) -> int:
        """The height of body text in pixels: readable at 480p, and not dominant."""
        return round(min(self.size.width, self.size.height) * 0.031)

    @property
    def margin(self) -> int:
        """The space to the edges."""
        return margin(self.size)

    def draw(self, frame: Planes, index: int) -> None:
        """Write on a frame, in place."""
        strength = min(1.0, index / _FADE, (self.text.frames - 1 - index) / _FADE)
        self._strip.draw(frame, strength)
        self._mark.draw(frame, strength)
        self._draw_timecode(frame, timecode(index), strength)

    @cached_property
    def clock_box(self) -> tuple[int, int, int, int]:
        """The box of the timecode: left, top, right, bottom."""
        width = sum(mask.width for mask in self._clock_masks(timecode(0)))
        x = self.size.width - self.margin - width
        return (x, self._name_top, x + width, self._name_top + round(self.unit * 1.5))

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The prompt in lines: at most two in a wide picture, three in a tall one."""
        most = 2 if self._is_wide else 3
        return tuple(wrapped(self.text.prompt, self._body, self._prompt_width, most))

    @property
    def _body(self) -> Font:
        return face(self.unit)

    @property
    def _heading(self) -> Font:
        return face(round(self.unit * 1.2))

    @property
    def _prompt_width(self) -> int:
        full = self.size.width - 2 * self.margin
        return round(full * 0.74) if self._is_wide else full

    @property
    def _leading(self) -> int:
        return round(self.unit * 1.42)

    @property
    def _name_top(self) -> int:
        rows = max(len(self.lines), 1 if self._is_wide else 0)
        return self.size.height - round(self.margin * 0.8) - rows * self._leading - round(self.unit * 1.75)

    @property
    def _is_wide(self) -> bool:
        """True if there is space beside the prompt for the camera's move, under the timecode."""
        return self.size.width >= self.size.height

    @cached_property
    def _strip(self) -> Overlay:
        top = _even(max(0, self._name_top - self.unit * 2.6))
        scrim = _scrim(self.size.width, self.size.height - top, self._name_top - top)
        ink = Image.new("RGBA", scrim.size, (255, 255, 255, 0))
        draw = ImageDraw.Draw(ink)
        self._draw_name(draw, self._name_top - top)
        y = self._name_top - top + round(self.unit * 1.85)
        for line in self.lines:
            draw.text((self.margin, y), line, _PALE, self._body)
            y += self._leading
        return overlay(Image.alpha_composite(scrim, ink), 0, top)

    def _draw_name(self, draw: ImageDraw.ImageDraw, y: int) -> None:
        """Write name and take on the left, the camera's move on the right under the timecode."""
        take = f"take {self.text.take}"
        gap = round(self.unit * 0.8)
        room = self.clock_box[0] - self.margin - 3 * gap - round(self._body.getlength(take))
        name = elided(self.text.name, self._heading, room)
        base = y + round(self.unit * 1.25)
        draw.text((self.margin, base), name, _WHITE, self._heading, anchor="ls")
        take_x = self.margin + round(self._heading.getlength(name)) + gap
        draw.text((take_x, base), take, _QUIET, self._body, anchor="ls")
        if self._is_wide:
            under = base + round(self.unit * 1.7)
            draw.text((self.size.width - self.margin, under), self.text.camera, _QUIET, self._body, anchor="rs")

    @cached_property
    def _mark(self) -> Overlay:
        """DRAFT, letter-spaced on a dark plate, top right."""
        font, gap = self._body, self.unit * 0.24
        widths = [font.getlength(letter) + gap for letter in _MARK]
        width, height = _even(sum(widths) - gap + self.unit * 1.5), _even(self.unit * 1.8)
        plate = Image.new("RGBA", (width, height), (12, 13, 15, 0))
        draw = ImageDraw.Draw(plate)
        draw.rounded_rectangle((0, 0, width - 1, height - 1), self.unit * 0.3, fill=(12, 13, 15, 168))
        x = self.unit * 0.75
        for letter, wide in zip(_MARK, widths, strict=True):
            draw.text((x, height / 2), letter, _WHITE, font, anchor="lm")
            x += wide
        return overlay(plate, _even(self.size.width - self.margin - width), self.margin)

    def _clock_masks(self, text: str) -> list[Image.Image]:
        return [self._digits[char] for char in text]

    @cached_property
    def _digits(self) -> dict[str, Image.Image]:
        """A mask for each character of a timecode. All digits are equally wide, so that the counter does not jump."""
        digit = round(max(self._heading.getlength(digit) for digit in "0123456789"))
        masks = {}
        for char in "0123456789:":
            mask = Image.new("L", (digit if char != ":" else round(digit * 0.55), round(self.unit * 1.5)))
            at = (mask.width / 2, round(self.unit * 1.25))
            ImageDraw.Draw(mask).text(at, char, 255, self._heading, anchor="ms")
            masks[char] = mask
        return masks

    def _draw_timecode(self, frame: Planes, text: str, strength: float) -> None:
        """Write white on the dark strip, which changes only the light plane."""
        if strength <= 0:
            return
        x, top, _, _ = self.clock_box
        for mask in self._clock_masks(text):
            ink = mask if strength >= 1 else faded(mask, strength)
            frame.light.paste(_WHITE_LIGHT, (x, top), ink)
            x += mask.width


def margin(size: Size) -> int:
    """Return the space between lettering and the edges, the same for all lettering of a frame."""
    return _even(min(size.width, size.height) * 0.047)


def timecode(index: int) -> str:
    """Return minutes, seconds and frames, as editing programs show them."""
    seconds, frame = divmod(index, FPS)
    return f"{seconds // 60:02}:{seconds % 60:02}:{frame:02}"


def _scrim(width: int, height: int, full_from: int) -> Image.Image:
    """Return a soft shade that is dark enough behind the letters to read them on a white picture."""
    column = Image.new("L", (1, height))
    for y in range(height):
        rise = min(1.0, y / max(1, full_from))
        below = max(0.0, (y - full_from) / max(1, height - full_from))
        level = _TOP_ALPHA * rise * rise * (3 - 2 * rise) + (_FOOT_ALPHA - _TOP_ALPHA) * below
        column.putpixel((0, y), round(level))
    shade = Image.new("RGBA", (width, height), (10, 11, 13, 0))
    shade.putalpha(column.resize((width, height)))
    return shade


def _even(length: float) -> int:
    """Round down to an even number: overlays start on whole colour samples."""
    return int(length) // 2 * 2
