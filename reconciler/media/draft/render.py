"""Renders a scene to an mp4: exactly as long as requested, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.frame import AudioFrame
from PIL import Image

from reconciler.diagnostics import MediaError
from reconciler.media.draft.camera import read_camera
from reconciler.media.draft.caption import Caption, CaptionText
from reconciler.media.draft.card import card_stage
from reconciler.media.draft.pictures import pictures, size_of
from reconciler.media.draft.planes import Planes, video_frame
from reconciler.media.draft.scene import FPS, Scene, Size, frame_size
from reconciler.media.draft.stage import Stage, picture_stage
from reconciler.media.draft.variation import variation

_SAMPLES: Final = 48_000  # a second
_BLOCK: Final = 1024  # samples an AAC frame
_X264: Final = {
    "preset": "veryfast",
    "crf": "20",
    "g": str(FPS),  # a key frame a second: seeking is quick and smooth
    "threads": "1",  # with more, the bytes depend on the machine
    "x264-params": "scenecut=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv",
}

Progress = Callable[[int, int], None]
"""Called with the number of encoded frames and of all frames."""


def render(scene: Scene, target: Path, progress: Progress) -> None:
    """Draw and encode a scene into `target`, which is overwritten."""
    stills = pictures(scene)
    size = frame_size(scene, size_of(stills[0]) if stills else None)
    stage, caption = _stage_and_caption(scene, stills, size)
    try:
        _encode(_frames(stage, caption, scene.frames), target, scene, size, progress)
    except (av.FFmpegError, OSError, MemoryError) as error:
        raise MediaError(f"the draft {scene.label!r} could not be encoded: {error}") from error


def _stage_and_caption(scene: Scene, stills: list[Image.Image], size: Size) -> tuple[Stage, Caption]:
    """Return the stage and the caption. A card shows the prompt itself, so its caption does not."""
    camera = read_camera(scene.prompt, fixed=scene.camera_fixed)
    take = variation(scene)
    stage: Stage
    if stills:
        pair = scene.first_frame is not None and scene.last_frame is not None
        seen = [take.lit(still) if pair else take.picture(still) for still in stills]  # a pair ends on its last frame
        stage = picture_stage(seen, pair, take.camera(camera), size, scene.frames)
    else:
        stage = card_stage(scene, take.camera(camera), size)
    prompt = scene.caption if stills else ""
    return stage, Caption(CaptionText(scene.label, scene.take, prompt, str(camera), scene.frames), size)


def _frames(stage: Stage, caption: Caption, frames: int) -> Iterator[Planes]:
    for index in range(frames):
        frame = stage.frame(index)
        caption.draw(frame, index)
        yield frame


def _encode(frames: Iterator[Planes], target: Path, scene: Scene, size: Size, progress: Progress) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}  # bitexact: no encoder name, no time of day
    with av.open(str(target), "w", format="mp4", container_options=options) as out:
        video = out.add_stream("libx264", rate=FPS, options=_X264)
        video.width, video.height, video.pix_fmt = size.width, size.height, "yuv420p"
        video.codec_context.thread_count = 1
        sound = out.add_stream("aac", rate=_SAMPLES, layout="stereo") if scene.audio else None
        for index, planes in enumerate(frames):
            out.mux(video.encode(video_frame(planes, index, FPS)))
            progress(index + 1, scene.frames)
        out.mux(video.encode(None))
        if sound is not None:
            for silence in _silence(scene.duration * _SAMPLES):
                out.mux(sound.encode(silence))
            out.mux(sound.encode(None))


def _silence(samples: int) -> Iterator[AudioFrame]:
    """Yield so many samples of silence, in the encoder's blocks; the last one is shorter."""
    for start in range(0, samples, _BLOCK):
        frame = AudioFrame(format="fltp", layout="stereo", samples=min(_BLOCK, samples - start))
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = _SAMPLES
        frame.pts = start
        frame.time_base = Fraction(1, _SAMPLES)
        yield frame
