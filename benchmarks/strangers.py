"""Measures how often `clipform inspect` takes a foreign clip for one of the project's.

    uv run python -m benchmarks.strangers [--clips 10000] [--ours 20]

The project has clips of five sorts: a photograph-like texture under a moving camera, a landscape, a head in front of a
soft wall, hard shapes that move, and words on a dark ground. The foreign ones are of the same sorts, from other seeds,
each in a file of its own. `clipform inspect DIR` looks at all of them; the nearest distance of each sort is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random

import av
from PIL import Image, ImageDraw

from benchmarks.kit import circumstances, table
from reconciler.media.draft.type import face
from reconciler.media.fingerprints import LIMIT, distance, fingerprints, representative

WIDTH, HEIGHT, FRAMES, FPS = 64, 36, 16, 8
LARGE = WIDTH * 3 // 2, HEIGHT * 3 // 2
WORDS = ("the", "boat", "market", "at", "dawn", "in", "rain", "two", "riders", "Chapter", "end", "of", "night", "a")
Picture = Callable[[int], Image.Image]
"""Draws the frame of a number."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Count foreign clips that inspect takes for one of the project's.")
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--ours", type=int, default=20)
    asked = parser.parse_args(arguments)
    print(circumstances())
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="clipform-") as name:
        project, foreign = Path(name, "project"), Path(name, "foreign")
        ours = _project(project, asked.ours)
        foreign.mkdir()
        nearest = _nearest(ours, foreign, asked.clips)
        hits = _inspected(project, foreign)
    rows = [(sort, str(len(bits)), *_quantiles(bits), str(hits.get(sort, 0))) for sort, bits in nearest.items()]
    print(table(("sort", "clips", "nearest", "1 in 1,000", "median", "taken for ours"), rows))
    cpu = time.process_time() - began
    print(f"\n{asked.ours} clips of the project; the same pictures are at most {LIMIT} apart. {cpu:.0f} s of CPU.")


def _quantiles(bits: Sequence[int]) -> tuple[str, str, str]:
    ordered = sorted(bits)
    return str(ordered[0]), str(ordered[len(ordered) // 1000]), str(ordered[len(ordered) // 2])


def _project(folder: Path, count: int) -> Sequence[Sequence[str]]:
    """Make a project whose clips are imported videos; return the fingerprints that represent each."""
    folder.mkdir()
    names = [f"c{number}" for number in range(count)]
    lines = ["version: 1", "clips:", *(f"  {name}: {{prompt: {name}, duration: 2}}" for name in names)]
    (folder / "clipform.yaml").write_text("\n".join(lines), encoding="utf-8")
    few = []
    for number, name in enumerate(names):
        path = _clip(folder / "new.mp4", number, list(SORTS)[number % len(SORTS)])
        few.append(representative(fingerprints(str(path))))
        _clipform(folder, "import", name, "--file", path.name)
    _clipform(folder, "apply", "--yes")
    return few


def _nearest(ours: Sequence[Sequence[str]], folder: Path, count: int) -> Mapping[str, list[int]]:
    """Write foreign clips; return how far each is from the nearest of ours, by its sort."""
    nearest: dict[str, list[int]] = {sort: [] for sort in SORTS}
    for number in range(count):
        sort = list(SORTS)[number % len(SORTS)]
        marks = fingerprints(str(_clip(folder / f"{sort}-{number}.mp4", 1_000_000 + number, sort)))
        bits = [distance(few, marks) for few in ours]
        nearest[sort].append(min((each for each in bits if each is not None), default=256))
    return nearest


def _inspected(project: Path, foreign: Path) -> Mapping[str, int]:
    """Return how many foreign clips `clipform inspect` takes for one of the project's, by their sort."""
    files = json.loads(_clipform(project, "--json", "inspect", str(foreign)).splitlines()[-1])["files"]
    assert not any(file["problem"] for file in files), files
    own = json.loads(_clipform(project, "--json", "inspect", "new.mp4").splitlines()[-1])["files"]
    assert own[0]["how"] == "same bytes", own  # the clips are in the project
    hits: dict[str, int] = {}
    for file in files:
        if file["how"] is not None:
            sort = Path(file["file"]).name.partition("-")[0]
            hits[sort] = hits.get(sort, 0) + 1
    return hits


def _clipform(project: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *words], cwd=project, text=True, capture_output=True
    ).stdout


def _clip(path: Path, seed: int, sort: str) -> Path:
    """Write the clip of a seed."""
    draw = SORTS[sort](Random(f"{sort} {seed}"))
    with av.open(str(path), "w", format="mp4") as out:
        video = out.add_stream("mpeg4", rate=FPS, options={"qscale": "4"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_image(draw(number))  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def _texture(random: Random, size: tuple[int, int] = LARGE) -> Image.Image:
    """Return a picture whose rough shapes are strong and whose fine ones are weak, as in photographs."""
    picture = Image.new("RGB", size, tuple(random.randrange(60, 190) for _ in range(3)))
    for across, share in ((3, 0.5), (6, 0.35), (12, 0.25), (24, 0.18), (48, 0.12)):
        down = across * 2 // 3
        rough = Image.frombytes("RGB", (across, down), random.randbytes(3 * across * down))
        picture = Image.blend(picture, rough.resize(size, Image.Resampling.BICUBIC), share)
    return picture


def _moved(picture: Image.Image, random: Random) -> Picture:
    """Return a camera that moves over a picture."""
    (x, y), (u, v) = ((random.uniform(0, LARGE[0] - WIDTH), random.uniform(0, LARGE[1] - HEIGHT)) for _ in range(2))
    step = 1 / (FRAMES - 1)

    def draw(number: int) -> Image.Image:
        left, top = x + (u - x) * number * step, y + (v - y) * number * step
        return picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, (left, top, left + WIDTH, top + HEIGHT))

    return draw


def _photo(random: Random) -> Picture:
    return _moved(_texture(random), random)


def _landscape(random: Random) -> Picture:
    """Return a sky that is lighter below, a sun, hills, and a sea."""
    picture, noise = Image.new("RGB", LARGE), _texture(random)
    draw, horizon = ImageDraw.Draw(picture), random.uniform(0.4, 0.7) * LARGE[1]
    top, low, sea = (
        tuple(random.randrange(low, high) for _ in range(3)) for low, high in ((20, 120), (120, 240), (10, 120))
    )
    for y in range(LARGE[1]):
        share = min(1, y / horizon)
        tone = tuple(round(a + (b - a) * share) for a, b in zip(top, low, strict=True)) if y < horizon else sea
        draw.line((0, y, LARGE[0], y), tone)
    x, r = random.uniform(0, LARGE[0]), random.uniform(2, 6)
    y = horizon - random.uniform(-2, 16)
    draw.ellipse((x - r, y - r, x + r, y + r), "wheat")
    hills = [(x, horizon - random.uniform(0, 9)) for x in range(0, LARGE[0] + 8, 8)]
    draw.polygon([(0, horizon + 1), *hills, (LARGE[0], horizon + 1)], tuple(tone // 2 for tone in sea))
    return _moved(Image.blend(picture, noise, 0.12), random)


def _head(random: Random) -> Picture:
    """Return a head and shoulders, which sway a little, in front of a soft wall."""
    wall = Image.frombytes("RGB", (4, 3), random.randbytes(36)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    skin, coat = (tuple(random.randrange(low, high) for _ in range(3)) for low, high in ((120, 230), (10, 150)))
    x, wide, tall, sway = (
        random.uniform(20, 44),
        random.uniform(5, 10),
        random.uniform(7, 13),
        random.uniform(-0.4, 0.4),
    )

    def draw(number: int) -> Image.Image:
        picture, middle = wall.copy(), x + sway * number
        pen = ImageDraw.Draw(picture)
        pen.ellipse((middle - 2 * wide, 22, middle + 2 * wide, 60), coat)
        pen.ellipse((middle - wide, 18 - tall, middle + wide, 18 + tall), skin)
        return picture

    return draw


def _shapes(random: Random) -> Picture:
    """Return shapes with hard edges that move on their own."""
    ground = tuple(random.randbytes(3))
    bodies = [
        (random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(3, 14), random.uniform(3, 14),
         random.uniform(-2, 2), random.uniform(-1, 1), tuple(random.randbytes(3)), random.random() < 0.5)
        for _ in range(random.randrange(3, 9))
    ]  # fmt: skip

    def draw(number: int) -> Image.Image:
        picture = Image.new("RGB", (WIDTH, HEIGHT), ground)
        pen = ImageDraw.Draw(picture)
        for x, y, wide, tall, u, v, tone, is_round in bodies:
            box = (x + u * number - wide, y + v * number - tall, x + u * number + wide, y + v * number + tall)
            (pen.ellipse if is_round else pen.rectangle)(box, tone)
        return picture

    return draw


def _card(random: Random) -> Picture:
    """Return words on a dark ground, as in a title."""
    size = random.randrange(5, 9)
    picture = Image.new("RGB", (WIDTH, HEIGHT), tuple(random.randrange(0, 40) for _ in range(3)))
    lines = [" ".join(random.choices(WORDS, k=random.randrange(1, 4))) for _ in range(random.randrange(1, 4))]
    for number, line in enumerate(lines):
        middle = HEIGHT // 2 + (number - len(lines) / 2 + 0.5) * size * 1.4
        ImageDraw.Draw(picture).text((WIDTH // 2, middle), line, "white", face(size), anchor="mm")
    return lambda _: picture


SORTS: Mapping[str, Callable[[Random], Picture]] = {
    "photograph": _photo,
    "landscape": _landscape,
    "head": _head,
    "shapes": _shapes,
    "words": _card,
}


if __name__ == "__main__":
    main()
