"""Draws a film as a contact sheet: `python sheet.py drafts/out/paper-boat.mp4 sheet.webp`, with clipform installed."""

from __future__ import annotations

import sys

import av
from PIL import Image

COLUMNS, ROWS, WIDTH = 5, 4, 240


def main(film: str, target: str) -> None:
    """Write frames at equal distances, from the top left."""
    with av.open(film) as container:
        stream = container.streams.video[0]
        height = WIDTH * stream.height // stream.width
        sheet = Image.new("RGB", (COLUMNS * WIDTH, ROWS * height))
        wanted = [(2 * n + 1) * stream.frames // (2 * COLUMNS * ROWS) for n in range(COLUMNS * ROWS)]
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                place = wanted.index(number)
                picture = frame.to_image(width=WIDTH, height=height, interpolation="LANCZOS")
                sheet.paste(picture, (place % COLUMNS * WIDTH, place // COLUMNS * height))
    sheet.save(target, quality=70, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
