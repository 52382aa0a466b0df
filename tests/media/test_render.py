"""A draft is as long, as large and as legible as asked for, and the same each time."""

from __future__ import annotations

import base64
import io
from itertools import combinations
from pathlib import Path

import av
import pytest
from PIL import Image, ImageStat

from reconciler.diagnostics import MediaError
from reconciler.media.draft.caption import Caption, CaptionText, timecode
from reconciler.media.draft.planes import planes
from reconciler.media.draft.render import render
from reconciler.media.draft.scene import FPS, Size, read_scene
from reconciler.media.facts import VideoFacts
from reconciler.media.mp4 import read_mp4
from reconciler.media.probe import probe
from reconciler.providers.base import MediaRef, Mode
from reconciler.providers.draft.dialect import Draft

from .conftest import Draw, job, local
from .test_frames import decoded

LONG_ZH = "黄昏的灯塔，老人把最后一封信折成纸船，放进海里；风浪渐起，纸船在月光下漂向远方。" * 12


def middle(picture: Image.Image) -> tuple[int, ...]:
    """The colour in the middle of a picture, where no lettering is."""
    wide, high = picture.size
    box = (wide * 3 // 8, high * 3 // 8, wide * 5 // 8, high * 5 // 8)
    return tuple(round(value) for value in ImageStat.Stat(picture.crop(box)).mean)


def near(colour: tuple[int, ...], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 6 for a, b in zip(colour, other, strict=True))


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ({}, VideoFacts(1000, 864, 496, False, 24)),
        ({"duration": 3, "audio": True}, VideoFacts(3000, 864, 496, True, 72)),
        ({"duration": 2, "audio": True, "ratio": "1:1"}, VideoFacts(2000, 640, 640, True, 48)),
        ({"ratio": "9:16"}, VideoFacts(1000, 496, 864, False, 24)),
        ({"resolution": "720p", "ratio": "4:3"}, VideoFacts(1000, 1112, 834, False, 24)),
    ],
)
def test_length_size_and_sound_are_those_asked_for(draw: Draw, fields: dict[str, object], facts: VideoFacts) -> None:
    assert probe(draw(**fields)) == facts


def test_container_picture_and_sound_end_together(draw: Draw) -> None:
    with av.open(str(draw(duration=3, audio=True))) as container:
        assert container.duration == 3 * av.time_base
        for stream in container.streams:
            assert stream.duration is not None and stream.time_base is not None
            assert stream.duration * stream.time_base == 3


def test_it_plays_everywhere_and_starts_at_once(draw: Draw) -> None:
    data = draw(duration=3).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(io.BytesIO(data), mode="r") as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert video.average_rate == FPS
        keys = [packet.pts for packet in container.demux(video) if packet.is_keyframe]
    assert len(keys) == 3


def test_the_same_scene_has_the_same_bytes(tmp_path: Path, red: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        body = Draft().submit(job(audio=True, first_frame=local(red), marker=name)).body
        render(read_scene(body), tmp_path / name, lambda done, of: None)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_another_key_is_another_card(draw: Draw) -> None:
    assert draw(key="v1:aa").read_bytes() != draw(key="v1:bb").read_bytes()


def test_progress_counts_every_frame(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    render(read_scene(Draft().submit(job()).body), tmp_path / "a.mp4", lambda *step: heard.append(step))
    assert heard == [(index, 24) for index in range(1, 25)]


def test_the_first_frame_fills_the_picture(draw: Draw, red: Path) -> None:
    first = decoded(draw(first_frame=local(red), ratio="9:16"))[0]
    corners = [first.getpixel((x, y)) for x in (0, first.width - 1) for y in (0, first.height - 1)]
    assert all(isinstance(corner, tuple) and near(corner, (200, 40, 30)) for corner in corners)


def test_takes_and_seeds_of_one_picture_differ_visibly(draw: Draw, red: Path) -> None:
    drawn = [draw(first_frame=local(red), take=take) for take in (1, 2, 3, 4)]
    drawn.append(draw(first_frame=local(red), seed=5))
    light = [middle(decoded(video)[0]) for video in drawn]
    assert near(light[0], (200, 40, 30))  # the first is the picture itself
    apart = [sum(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in combinations(light, 2)]
    assert min(apart) > 12, light


def test_a_retake_of_one_picture_differs_from_its_takes_and_from_the_retake_before(draw: Draw, red: Path) -> None:
    numbers = [(1, 0), (2, 0), (3, 0), (1, 1), (1, 2)]
    drawn = [
        draw(first_frame=local(red), take=take, retake=retake, key=f"v1:{take}{retake}") for take, retake in numbers
    ]
    light = [middle(decoded(video)[0]) for video in drawn]
    apart = [
        sum(abs(a - b) for a, b in zip(light[i], light[j], strict=True)) for i, j in ((0, 3), (1, 3), (2, 3), (3, 4))
    ]
    assert min(apart) > 12, light


def test_takes_of_one_picture_are_cropped_each_in_its_way(draw: Draw, tmp_path: Path) -> None:
    left, right = Image.new("RGB", (432, 496), (250, 250, 250)), Image.new("RGB", (864, 496), (20, 20, 20))
    right.paste(left, (0, 0))
    right.save(tmp_path / "halves.png")
    first = {take: draw(first_frame=local(tmp_path / "halves.png"), take=take) for take in (1, 2, 3)}
    shares = {take: ImageStat.Stat(decoded(video)[0].convert("L")).mean[0] for take, video in first.items()}
    assert shares[3] < shares[1] - 15 < shares[2]  # take 3 shows more of the right half


def test_it_fades_from_the_first_frame_to_the_last(draw: Draw, red: Path, blue: Path) -> None:
    frames = decoded(draw(first_frame=local(red), last_frame=local(blue)))
    assert near(middle(frames[0]), (200, 40, 30))
    assert near(middle(frames[-1]), (30, 60, 190))
    assert any(60 < middle(frame)[0] < 170 for frame in frames)


def test_references_are_shown_one_after_the_other(draw: Draw, red: Path, blue: Path, green: Path) -> None:
    frames = decoded(draw(images=tuple(local(path) for path in (red, blue, green)), mode=Mode.REFERENCES, duration=3))
    shown = [middle(frames[second * FPS + FPS // 2]) for second in range(3)]
    assert all(near(a, b) for a, b in zip(shown, ((200, 40, 30), (30, 60, 190), (40, 160, 70)), strict=True))


def test_more_references_than_time_share_one_board(draw: Draw, red: Path, blue: Path) -> None:
    board = decoded(draw(images=(local(red), local(blue)) * 2))[0].resize((4, 4), Image.Resampling.BOX)
    left, right = board.getpixel((0, 1)), board.getpixel((3, 1))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[0] > left[2] and right[2] > right[0]


def test_adaptive_has_the_first_pictures_shape(draw: Draw, red: Path) -> None:
    with draw(first_frame=local(red), ratio="adaptive").open("rb") as file:
        facts = read_mp4(file)
    assert (facts.width, facts.height) == (854, 480)


def test_a_data_url_is_a_picture_like_any_other(draw: Draw, red: Path) -> None:
    url = "data:image/png;base64," + base64.b64encode(red.read_bytes()).decode()
    assert near(middle(decoded(draw(first_frame=MediaRef("data", url)))[0]), (200, 40, 30))


@pytest.mark.parametrize(("mode", "place"), [(Mode.EXTEND, -1), (Mode.EDIT, 0)])
def test_an_extension_starts_at_the_videos_end_and_an_edit_at_its_beginning(
    draw: Draw, red: Path, blue: Path, mode: Mode, place: int
) -> None:
    source = draw(first_frame=local(red), last_frame=local(blue))
    first = decoded(draw(videos=(local(source),), mode=mode))[0]
    assert near(middle(first), ((30, 60, 190) if place else (200, 40, 30)))


@pytest.mark.parametrize(
    "ref",
    [
        MediaRef("https", "https://cdn.example.com/a/very/long/path/" + "x" * 300 + "?Signature=secret"),
        MediaRef("https", "https://[broken"),
        MediaRef("asset", "asset://角色/小船"),
    ],
)
def test_a_remote_input_is_a_placeholder_and_needs_no_network(draw: Draw, ref: MediaRef) -> None:
    assert probe(draw(first_frame=ref, last_frame=ref)).frames == 24


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        (MediaRef("file", "nowhere/lamp.png"), "nowhere/lamp.png is not a file"),
        (MediaRef("file", __file__), "test_render.py is not a readable picture"),
        (MediaRef("data", "data:image/png;base64,@@@"), "not base64"),
        (MediaRef("data", "data:text/plain,hello"), "not a readable picture"),
        (MediaRef("data", "data:"), "no content"),
    ],
)
def test_an_input_that_is_no_picture_is_refused_by_name(tmp_path: Path, ref: MediaRef, words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        render(read_scene(Draft().submit(job(first_frame=ref)).body), tmp_path / "a.mp4", lambda done, of: None)
    assert caught.value.code == "input"


def test_a_picture_that_changed_after_the_plan_is_refused(tmp_path: Path, red: Path) -> None:
    ref = MediaRef("file", str(red), sha256="0" * 64)
    with pytest.raises(MediaError, match="changed after the plan"):
        render(read_scene(Draft().submit(job(first_frame=ref)).body), tmp_path / "a.mp4", lambda done, of: None)


@pytest.mark.parametrize("prompt", ["", "🙂🙂", "Привет, мир", "a" * 10_000, "\ud800\x00\u202e", LONG_ZH])
def test_any_prompt_is_drawn(draw: Draw, prompt: str) -> None:
    assert probe(draw(prompt=prompt)).frames == 24


# The lettering -------------------------------------------------------------------------------

SIZES = [Size(854, 480), Size(480, 854), Size(480, 480), Size(1120, 480), Size(1920, 1080)]


def captioned(size: Size, colour: tuple[int, int, int], index: int) -> tuple[Caption, Image.Image]:
    """A caption on a plain ground, and the light plane of the frame."""
    caption = Caption(CaptionText("hero[ratio=16:9,lang=zh]" * 3, 2, LONG_ZH, "push in · pan right", 48), size)
    frame = planes(Image.new("RGB", (size.width, size.height), colour))
    caption.draw(frame, index)
    return caption, frame.light


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (128, 128, 128)])
def test_caption_and_timecode_stand_out_on_any_picture(size: Size, ground: tuple[int, int, int]) -> None:
    caption, light = captioned(size, ground, 24)
    body = light.crop((caption.margin, caption.clock_box[1], size.width - caption.margin, size.height))
    for part in (body, light.crop(caption.clock_box), _mark(light, size)):
        levels = part.tobytes()
        dark, bright = min(levels), max(levels)
        assert bright >= 215
        assert bright - dark >= 100


def _mark(light: Image.Image, size: Size) -> Image.Image:
    unit = min(size.width, size.height) // 10
    return light.crop((size.width - 3 * unit, 0, size.width, unit))


@pytest.mark.parametrize("size", SIZES)
def test_lettering_keeps_its_distance_from_the_edges(size: Size) -> None:
    caption, light = captioned(size, (0, 0, 0), 24)
    ink = light.point(lambda level: 255 if level > 100 else 0).getbbox()
    assert ink is not None
    assert ink[0] >= caption.margin - 2 and ink[1] >= caption.margin - 2
    assert ink[2] <= size.width - caption.margin + 2 and ink[3] <= size.height - caption.margin // 3


def test_a_caption_begins_with_what_only_this_clip_says() -> None:
    look = "Product film, soft daylight. "
    body = Draft().submit(job(prompt=f"{look}A lamp on a table", lead=len(look))).body
    assert read_scene(body).caption == "A lamp on a table · Product film, soft daylight"
    assert read_scene(Draft().submit(job(prompt=look)).body).caption == look


def test_a_long_prompt_takes_its_lines_and_no_more() -> None:
    wide, tall = (captioned(size, (0, 0, 0), 24)[0] for size in (SIZES[0], SIZES[1]))
    assert (len(wide.lines), len(tall.lines)) == (2, 3)
    assert all(caption.lines[-1].endswith("…") for caption in (wide, tall))


def test_the_first_and_the_last_frame_are_clean() -> None:
    for index, is_clean in ((0, True), (24, False), (47, True)):
        low, high = captioned(SIZES[0], (90, 90, 90), index)[1].getextrema()
        assert (low == high) is is_clean


def test_the_timecode_counts_every_frame() -> None:
    assert [timecode(index) for index in (0, 23, 24, 60 * 24 - 1)] == ["00:00:00", "00:00:23", "00:01:00", "00:59:23"]
    pictures = [captioned(SIZES[0], (0, 0, 0), index) for index in (20, 21)]
    box = pictures[0][0].clock_box
    assert pictures[0][1].crop(box).tobytes() != pictures[1][1].crop(box).tobytes()
