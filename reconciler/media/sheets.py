"""Contact sheets: a grid of frames with their names, for a chat message or a pull request.

    {"title": …, "note": …, "cells": [{"name", "note", "state", "cost", "poster": path or null}, …]}

The cells have the shape that most clips have; a picture of another shape is fitted into it. The same input gives the
same bytes on one build: a sheet has no date. A long sheet continues in `out-2.png` and so on.

A sheet carries a mark inside the file. A file at its path without that mark is the user's, and is not overwritten.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, PngImagePlugin

from reconciler.diagnostics import MediaError
from reconciler.media.blank import GROUND, pictogram
from reconciler.media.cut.titles import title_card
from reconciler.media.draft.type import elided, face
from reconciler.media.facts import TITLE, Cell
from reconciler.media.stills import read_still
from reconciler.state import disk

PAGE: Final = 50
"""Cells of one file, which is then about 1,600 by 2,500 pixels: chats display that."""

_MARK: Final = "clipform contact sheet"
_WIDE: Final = 300  # a cell's picture, in pixels
_GAP, _MARGIN = 20, 28
_LINES: Final = 54  # under a picture
_HEAD: Final = 64
_PAPER, _INK, _QUIET = (250, 250, 249), (28, 30, 33), (96, 100, 106)
_TONES: Final = {
    "ready": (22, 112, 56),
    "new": (9, 94, 196),
    "changed": (148, 92, 0),
    "running": (112, 66, 200),
    "restorable": (10, 105, 122),
    "moved": (10, 105, 122),
    "blocked": (190, 30, 42),
    "failed": (190, 30, 42),
}
"""Colours of a state's dot and word: each at least 4.5 to 1 on the paper."""


def draw_sheet(text: str, out: str) -> list[str]:
    """Draw a sheet (`Sheet.dumps`) at `out` and return its files. Raises MediaError if a user's file is in the way."""
    values = json.loads(text)
    cells = [Cell(**cell) for cell in values["cells"]]
    pages = [cells[at : at + PAGE] for at in range(0, len(cells), PAGE)] or [[]]
    paths = [_page_path(Path(out), number) for number in range(1, len(pages) + 1)]
    for path in paths:
        _require_ours(path)
    box = _box(cells)
    for number, (page, path) in enumerate(zip(pages, paths, strict=True), 1):
        note = f"{values['note']} · {number} of {len(pages)}" if len(pages) > 1 else values["note"]
        _save(_drawn(values["title"], note, page, box), path)
    return [str(path) for path in paths]


def _page_path(out: Path, number: int) -> Path:
    return out if number == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")


def columns(count: int) -> int:
    """Return the number of columns for so many cells: a short sheet is wider than high."""
    return next(wide for wide, most in ((1, 1), (2, 4), (3, 9), (4, 24), (5, PAGE)) if count <= most)


def _drawn(title: str, note: str, cells: Sequence[Cell], box: tuple[int, int]) -> Image.Image:
    across = columns(max(1, len(cells)))
    rows = -(-len(cells) // across)
    width = 2 * _MARGIN + across * (box[0] + _GAP) - _GAP
    height = _HEAD + _MARGIN + rows * (box[1] + _LINES + _GAP)
    sheet = Image.new("RGB", (width, max(height, _HEAD)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_head(draw, title, note, width)
    for index, cell in enumerate(cells):
        x = _MARGIN + index % across * (box[0] + _GAP)
        y = _HEAD + index // across * (box[1] + _LINES + _GAP)
        sheet.paste(_picture(cell, box), (x, y))
        _draw_lines(draw, cell, x, y + box[1], box[0])
    return sheet


def _draw_head(draw: ImageDraw.ImageDraw, title: str, note: str, width: int) -> None:
    room = width - 2 * _MARGIN
    heading, small = face(24), face(17)
    name = elided(title, heading, room)
    draw.text((_MARGIN, 42), name, _INK, heading, anchor="ls")
    x = _MARGIN + round(heading.getlength(name)) + 16
    if width - _MARGIN - x > 80:
        draw.text((x, 42), elided(note, small, width - _MARGIN - x), _QUIET, small, anchor="ls")


def _draw_lines(draw: ImageDraw.ImageDraw, cell: Cell, x: int, top: int, width: int) -> None:
    name, small = face(18), face(16)
    note_width = round(small.getlength(cell.note)) + 10 if cell.note else 0
    label = elided(cell.name, name, width - note_width)
    draw.text((x, top + 23), label, _INK, name, anchor="ls")
    if cell.note:
        draw.text((x + round(name.getlength(label)) + 10, top + 23), cell.note, _QUIET, small, anchor="ls")
    tone = _TONES.get(cell.state, _QUIET)
    draw.bitmap((x, top + 34), _dot(), tone)
    draw.text((x + 17, top + 45), cell.state, tone, small, anchor="ls")
    draw.text((x + width, top + 45), cell.cost, _QUIET, small, anchor="rs")


@cache
def _dot() -> Image.Image:
    """Return a round mask: Pillow's own small circles have corners."""
    large = Image.new("L", (88, 88))
    ImageDraw.Draw(large).ellipse((4, 4, 84, 84), 255)
    return large.resize((11, 11), Image.Resampling.LANCZOS)


def _box(cells: Sequence[Cell]) -> tuple[int, int]:
    """Return a cell's size: the median of all shapes, neither very tall nor very flat."""
    shapes = sorted(shape for cell in cells if (shape := _shape(cell)))
    middle = shapes[len(shapes) // 2] if shapes else 16 / 9
    return _WIDE, round(_WIDE / min(2.4, max(9 / 16, middle)))


def _shape(cell: Cell) -> float | None:
    picture = _read(cell)
    return picture.width / picture.height if picture else None


def _read(cell: Cell) -> Image.Image | None:
    try:
        return read_still(cell.poster) if cell.poster else None
    except MediaError:
        return None


def _picture(cell: Cell, box: tuple[int, int]) -> Image.Image:
    """Return the poster fitted into its box; the words of a title, and the picture icon if there is none."""
    if cell.state == TITLE:
        return title_card(cell.name, *box)
    ground = Image.new("RGB", box, GROUND)
    picture = _read(cell)
    if picture is None:
        pictogram(ImageDraw.Draw(ground), box[0] // 2, box[1] // 2, 0.5)
        return ground
    scale = min(box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if max(box[0] - size[0], box[1] - size[1]) <= 3:
        size = box  # avoid a thin border
    shrunk = picture.resize(size, Image.Resampling.LANCZOS)
    ground.paste(shrunk, ((box[0] - size[0]) // 2, (box[1] - size[1]) // 2))
    return ground


def _save(sheet: Image.Image, path: Path) -> None:
    content = io.BytesIO()
    if path.suffix.lower() == ".png":
        mark = PngImagePlugin.PngInfo()
        mark.add_text("Comment", _MARK)
        sheet.save(content, format="PNG", optimize=True, pnginfo=mark)
    else:
        sheet.save(content, format="JPEG", quality=86, optimize=True, comment=_MARK)
    with disk.translated(f"write {path.name}", MediaError):
        disk.make_directories(path.parent)
        disk.replace(path, content.getvalue())


def _require_ours(path: Path) -> None:
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            mark = picture.info.get("Comment") or picture.info.get("comment") or ""
    except FileNotFoundError:
        return
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        mark = ""
    if mark not in (_MARK, _MARK.encode()):
        help = "choose another name, or move the file away"
        raise MediaError(f"{path.name} already exists and is not a contact sheet", help=help, code="foreign")
