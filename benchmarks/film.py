"""Measures films: CPU seconds to assemble a film again after one shot was changed, compared with the least work.

    uv run python -m benchmarks.film [--pieces 100] [--rounds 3]

One process and one thread, as in a worker; each piece is 4.6 s of 1280x720 with sound. The least work is to encode the
piece and to copy the packets of the film.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import av
from av.audio.frame import AudioFrame
from PIL import Image

from benchmarks.kit import circumstances, table
from reconciler.media.cut.join import join
from reconciler.media.cut.pieces import make_piece
from reconciler.media.cut.stretches import encode_sound
from reconciler.media.cut.survey import survey
from reconciler.media.draft.planes import planes, video_frame

FRAMES, FPS, RATE, SIZE = 110, 24, 48_000, (1280, 720)
EVERY = {"fps": FPS, "size": list(SIZE), "fit": "pad"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the assembly of a film after an edit.")
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    print(circumstances())
    with tempfile.TemporaryDirectory(prefix="clipform-") as name:
        folder = Path(name)
        clip = _clip(folder / "clip.mp4")
        rounds = [_round(folder, clip, asked.pieces) for _ in range(asked.rounds)]
    least, *_ = (median(each[case] for each in rounds) for case in rounds[0])
    rows = [(case, f"{median(each[case] for each in rounds):.2f}") for case in rounds[0]]
    rows = [(case, seconds, f"{float(seconds) / least:.2f}") for case, seconds in rows]
    print(table(("case", "CPU s", "÷ least"), rows))


def _round(folder: Path, clip: Path, count: int) -> dict[str, float]:
    """Return the CPU seconds of each case."""
    part = {"path": str(clip), "start": 0, "end": FRAMES, "audio": True, "dissolve": 0, "volume": "1"}
    piece = folder / "piece.mp4"
    first = _timed(lambda: make_piece(json.dumps({**EVERY, "name": "piece", "parts": [part]}), piece))
    pieces = [{"path": str(piece), "start": 0, "end": FRAMES}] * count
    copied = _timed(lambda: join(json.dumps({"fps": FPS, "parts": pieces}), folder / "bare.mp4"))
    changed = [*[part] * (count // 2), part | {"volume": "0.7"}, *[part] * (count - count // 2 - 1)]
    seen = _timed(lambda: [survey(clip, 0, -1, FPS) for _ in range(count)])
    results = {"encode one piece, copy the film": first + copied, "after an edit, without sound": first + copied + seen}
    kinds: dict[str, dict[str, Any]] = {"with sound": {}, "with loudness": {"loudness": "-16"}}
    for kind, extra in kinds.items():
        sound, again = folder / "sound", folder / "again"
        order, edited = (json.dumps({"fps": FPS, "sounds": parts, **extra}) for parts in ([part] * count, changed))
        encode_sound(order, folder / "none", sound)
        mixed = _timed(lambda e=edited, s=sound, a=again: encode_sound(e, s, a))
        whole = {"fps": FPS, "parts": pieces, "sound": str(again)}
        joined = _timed(lambda w=whole: join(json.dumps(w), folder / "film.mp4"))
        results[f"after an edit, {kind}"] = first + seen + mixed + joined
    return results


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _clip(path: Path) -> Path:
    """Write a clip whose picture moves, with noise as its sound."""
    random = Random(1)
    board = Image.effect_noise((160, 90), 60).convert("RGB").resize((SIZE[0] + 2 * FRAMES, SIZE[1]))
    with av.open(str(path), "w", format="mp4") as out:
        video, audio = out.add_stream("libx264", rate=FPS), out.add_stream("aac", rate=RATE, layout="stereo")
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for index in range(FRAMES):
            view = board.crop((2 * index, 0, SIZE[0] + 2 * index, SIZE[1]))
            out.mux(video.encode(video_frame(planes(view), index, FPS)))
        out.mux(video.encode(None))
        for first in range(0, FRAMES * RATE // FPS, 1024):
            frame = AudioFrame(format="s16", layout="stereo", samples=1024)
            frame.planes[0].update(random.randbytes(4096))
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path


if __name__ == "__main__":
    main()
