"""Measures films: what it takes to assemble a film again after one shot was changed, compared with the least work.

    uv run python -m benchmarks.film [--pieces 100] [--rounds 3]

One process and one thread, as in a worker; each piece is 4.6 s of 1280x720 with sound. The least work is to encode the
piece by PyAV alone, with the film's settings, and to copy the packets of the pieces and of the sound into one file.

And how often one other shot leaves the gain of a film as it is, if its shots are of unequal loudness.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple
from fractions import Fraction
from itertools import chain, islice
from math import sin
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer

from benchmarks.draft_render import _scene
from benchmarks.kit import circumstances, table
from reconciler.artifacts.files import read_cache, write_cache
from reconciler.media.cut.desk import gain_for
from reconciler.media.cut.join import join
from reconciler.media.cut.pieces import _X264, make_piece
from reconciler.media.cut.stretches import encode_sound
from reconciler.media.cut.survey import survey
from reconciler.media.draft import render as drafts
from reconciler.media.draft.planes import video_frame
from reconciler.media.draft.scene import frame_size

FRAMES, FPS, RATE, SIZE = 110, 24, 48_000, (1280, 720)
Part = Mapping[str, Any]
EVERY = {"fps": FPS, "size": list(SIZE), "fit": "pad"}


class Times(NamedTuple):
    """Seconds of the processor and of the clock."""

    cpu: float
    wall: float

    def __add__(self, other: object) -> Times:
        assert isinstance(other, Times)
        return Times(self.cpu + other.cpu, self.wall + other.wall)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the assembly of a film after an edit.")
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    print(circumstances())
    with tempfile.TemporaryDirectory(prefix="clipform-") as name:
        folder = Path(name)
        clips = [_clip(folder / f"{number}.mp4", number) for number in range(3)]
        rounds = [_round(folder, clips, asked.pieces) for _ in range(asked.rounds)]
    print(table(("case", "CPU s", "wall s", "CPU ÷ least"), _rows(rounds)))
    share = _steady(asked.pieces)
    print(f"\nOne other shot leaves the gain as it is in {share:.0%} of 10,000 films of {asked.pieces} shots.")


def _rows(rounds: Sequence[Mapping[str, Times]]) -> list[tuple[str, ...]]:
    """Return the medians; what is compared was done in the same round."""
    rows = []
    for case in rounds[0]:
        least = case.replace("change it", "encode it and copy the film")
        ratio = median(each[case].cpu / each[least].cpu for each in rounds)
        cpu, wall = (median(getattr(each[case], name) for each in rounds) for name in ("cpu", "wall"))
        rows.append((case, f"{cpu:.2f}", f"{wall:.2f}", f"{ratio:.2f}"))
    return rows


def _round(folder: Path, clips: Sequence[Path], count: int) -> Mapping[str, Times]:
    """Return what each case took."""
    parts = [_part(clips[number % 2]) for number in range(count)]
    new = _part(clips[2])
    piece = folder / "piece.mp4"
    order = json.dumps({**EVERY, "name": "piece", "parts": [new]})
    pieces = [{"path": str(piece), "start": 0, "end": FRAMES, "delay": 0}] * count
    results: dict[str, Times] = {}
    _bare_encode(clips[2], folder / "bare.mp4")  # the first use of an encoder takes longer
    encoded = _timed(lambda: _bare_encode(clips[2], folder / "bare.mp4"))
    made = _timed(lambda: make_piece(order, piece))
    looked = _timed(lambda: _surveyed(folder / "surveys", new))
    for case, extra in _cases(folder).items():
        mixed, sound = Times(0, 0), ""
        if extra is not None:
            sound = str(folder / "again")
            before, after = (json.dumps({"fps": FPS, "sounds": each, **extra}) for each in (parts, _edited(parts, new)))
            encode_sound(before, folder / "none", folder / "sound")
            mixed = _timed(lambda a=after: encode_sound(a, folder / "sound", folder / "again"))
        whole = json.dumps({"fps": FPS, "parts": pieces, "sound": sound})
        joined = _timed(lambda w=whole: join(w, folder / "film.mp4"))
        heard = str(folder / "film.mp4") if sound else ""
        copied = _timed(lambda h=heard: _stream_copy(pieces, h, folder / "copy.mp4"))
        results[f"encode it and copy the film: {case}"] = encoded + copied
        results[f"change it: {case}"] = made + looked + mixed + joined
    return results


def _cases(folder: Path) -> Mapping[str, Mapping[str, Any] | None]:
    """Return what is in the order for the sound; None for a film without."""
    plain = {"first": 0, "fade": ["1", "2"], "loop": True, "path": str(_music(folder / "music.mp3"))}
    music = {"audio": [plain | {"gain": "-14", "duck": "-10"}]}
    loudness = {"loudness": "-16"}
    return {"silent": None, "sound": {}, "loudness": loudness, "music": music, "music and loudness": music | loudness}


def _edited(parts: Sequence[Part], new: Part) -> Sequence[Part]:
    middle = len(parts) // 2
    return [*parts[:middle], new, *parts[middle + 1 :]]


def _part(clip: Path) -> Part:
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    values = {"sha256": sha256, "path": str(clip), "start": 0, "end": FRAMES}
    return {**values, "audio": True, "dissolve": 0, "volume": "1"}


def _surveyed(file: Path, new: Part) -> None:
    """Look at a clip, and write down what a hundred are made of."""
    seen = survey(new["path"], 0, -1, FPS)
    write_cache(file, {str(number): astuple(seen) for number in range(100)})
    read_cache(file, lambda values: values)


def _steady(pieces: int) -> float:
    """Return in which share of films one other shot leaves the gain as it is. A shot has 46 blocks, whose loudness
    varies by 3 LU within it and by 4 LU from shot to shot."""
    random, same = Random(1), 0
    for _ in range(films := 100):
        shots = [_blocks(random) for _ in range(pieces)]
        gain = gain_for(chain.from_iterable(shots), "-16")
        for _ in range(edits := 100):
            index = random.randrange(pieces)
            edited = [*shots[:index], _blocks(random), *shots[index + 1 :]]
            same += gain_for(chain.from_iterable(edited), "-16") == gain
    return same / films / edits


def _blocks(random: Random) -> Sequence[float]:
    shot = random.gauss(-20, 4)
    return [random.gauss(shot, 3) for _ in range(10 * FRAMES // FPS)]


def _bare_encode(clip: Path, target: Path) -> None:
    """Decode a clip and encode it with the film's settings, by PyAV alone."""
    with av.open(str(clip)) as source, av.open(str(target), "w", format="mp4") as out:
        source.streams.video[0].thread_type = "NONE"
        video = out.add_stream("libx264", rate=FPS, options=_X264 | {"g": str(2 * FPS)})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for frame in islice(source.decode(video=0), FRAMES):
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def _stream_copy(parts: Sequence[Part], sound: str, target: Path) -> None:
    """Copy the packets of pieces one behind the other, and those of a sound, by PyAV alone."""
    options, paths = {"movflags": "+faststart"}, [part["path"] for part in parts]
    with av.open(str(target), "w", format="mp4", container_options=options) as out, ExitStack() as stack:
        kinds = {"video": paths, **({"audio": [sound]} if sound else {})}
        firsts = {kind: stack.enter_context(av.open(listed[0])) for kind, listed in kinds.items()}
        added = {kind: out.add_stream_from_template(_of(firsts[kind], kind)) for kind in kinds}
        for kind, listed in kinds.items():
            begins = 0
            for path in listed:
                with av.open(path) as source:
                    for packet in source.demux(_of(source, kind)):
                        if packet.dts is not None:
                            packet.pts, packet.dts = (packet.pts or 0) + begins, packet.dts + begins
                            packet.stream = added[kind]
                            out.mux(packet)
                    begins += _of(source, kind).duration or 0


def _of(source: InputContainer, kind: str) -> Any:
    return getattr(source.streams, kind)[0]


def _timed(work: Callable[[], object]) -> Times:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Times(time.process_time() - cpu, time.perf_counter() - wall)


def _music(path: Path) -> Path:
    """Write half a minute of tones."""
    with av.open(str(path), "w") as out:
        audio = out.add_stream("mp3", rate=RATE, layout="stereo")
        for first in range(0, 30 * RATE, 1152):
            frame = AudioFrame(format="s16p", layout="stereo", samples=1152)
            wave = array("h", (int(9000 * sin(n / (9 + first % 7))) for n in range(first, first + 1152))).tobytes()
            for plane in frame.planes:
                plane.update(wave)
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path


def _clip(path: Path, number: int) -> Path:
    """Write a clip with the pictures of a draft and noise as its sound."""
    scene, random = _scene("720p", ()), Random(number)
    stage, caption = drafts._stage_and_caption(scene, [], frame_size(scene, None))
    with av.open(str(path), "w", format="mp4") as out:
        video, audio = out.add_stream("libx264", rate=FPS), out.add_stream("aac", rate=RATE, layout="stereo")
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for index, planes in enumerate(islice(drafts._frames(stage, caption, scene.frames), FRAMES)):
            out.mux(video.encode(video_frame(planes, index, FPS)))
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
