"""Every value that a catalogue offers goes through, and every one that it does not is refused before sending."""

from __future__ import annotations

import pytest
from provider_cases import FOLDERS, with_each_model

from reconciler.conform.clips import changed, clip_with
from reconciler.conform.clips import media as read
from reconciler.providers.base import Dialect, Mode, Model, Placement
from reconciler.providers.check import COSTLY, PARAMS, Resolved, defaults_v1, resolve
from reconciler.providers.registry import dialect
from reconciler.providers.rules import mode_of
from reconciler.providers.search import Needs, meets
from reconciler.spec.project import Clip
from reconciler.spec.values import LocalMedia, Media, UrlMedia

RESOLUTIONS = ("480p", "720p", "1080p", "2k", "4k")
RATIOS = ("16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "adaptive")
SWITCHES = {
    "camera_fixed": "has_camera_fixed",
    "audio": "has_audio",
    "watermark": "has_watermark",
    "return_last_frame": "has_last_frame",
}


def media(schemes: frozenset[str]) -> Media:
    return read("https://c/a" if "https" in schemes else "asset://a")


def least(model: Model) -> Clip:
    """The least that a line takes: what it requires, in its first mode."""
    clip = clip_with(prompt="p", model=model.name)
    if "duration" in model.required:
        clip = changed(clip, duration=model.durations[-1])
    if "resolution" in model.required:
        clip = changed(clip, resolution=model.resolutions[0])
    if Mode.TEXT in model.modes:
        return clip
    frame = media(model.image_schemes)
    if Mode.FIRST_FRAME in model.modes:
        return changed(clip, first_frame=frame)
    return changed(clip, first_frame=frame, last_frame=frame) if Mode.FRAMES in model.modes else with_picture(clip)


def with_picture(clip: Clip) -> Clip:
    return changed(clip, images=(media(frozenset({"https"})),))


def taken(clip: Clip, spoken: Dialect) -> bool:
    return isinstance(resolve(clip, spoken), Resolved)


@with_each_model
def test_durations(kind: str, model: Model) -> None:
    spoken, clip = dialect(kind), least(model)
    assert {n for n in range(-1, 70) if taken(changed(clip, duration=n), spoken)} == set(model.durations)


@with_each_model
def test_resolutions(kind: str, model: Model) -> None:
    spoken, clip = dialect(kind), least(model)
    assert {r for r in RESOLUTIONS if taken(changed(clip, resolution=r), spoken)} == set(model.resolutions)


@with_each_model
def test_ratios(kind: str, model: Model) -> None:
    spoken, clip = dialect(kind), least(model)
    refused = {"adaptive"} if mode_of(clip) in model.adaptive_never else set()
    assert {r for r in RATIOS if taken(changed(clip, ratio=r), spoken)} == set(model.ratios) - refused


@with_each_model
def test_switches(kind: str, model: Model) -> None:
    """Without the switch only the one value that the line can have; where the line decides, neither."""
    spoken, clip = dialect(kind), least(model)
    for field, switch in SWITCHES.items():
        known = {model.defaults[field]} if field in model.defaults else set()
        allowed = {True, False} if getattr(model, switch) else known
        assert {value for value in (True, False) if taken(changed(clip, **{field: value}), spoken)} == allowed, field


@with_each_model
def test_counts_of_references(kind: str, model: Model) -> None:
    spoken, clip = dialect(kind), least(model)
    if Mode.REFERENCES not in model.modes:
        return
    clip = changed(clip, first_frame=None, images=())
    one = media(model.image_schemes)
    for field, most, item in (
        ("images", model.max_images, one),
        ("videos", model.max_videos, media(model.video_schemes)),
        ("audios", model.max_audios, media(model.audio_schemes)),
    ):
        with_one = clip if field == "images" else changed(clip, images=(one,))
        assert not taken(changed(with_one, **{field: (item,) * (most + 1)}), spoken), field
        if most:
            assert taken(changed(with_one, **{field: (item,) * most}), spoken), field


@with_each_model
def test_a_catalogue_entry_is_coherent(kind: str, model: Model) -> None:
    assert list(model.durations) == sorted(set(model.durations))
    assert set(model.defaults) <= set(PARAMS)
    assert defaults_v1(model) == model.defaults
    for name in COSTLY:
        stated = model.defaults.get(name)
        offered = {"duration": model.durations, "resolution": model.resolutions}.get(name, (True, False, None))
        assert stated is None or stated in offered
    assert not model.required & model.defaults.keys()
    if model.resolution_in is not Placement.FIELD:
        assert model.resolutions == (model.defaults["resolution"],)
    assert (Mode.REFERENCES in model.modes) == bool(model.max_images or model.max_videos or model.max_audios)
    priced = {"duration", "resolution"} - model.required
    assert priced <= model.defaults.keys(), "what costs money is required or has a default that is sent"


@pytest.mark.parametrize("kind", FOLDERS)
def test_names_are_unique(kind: str):
    names = [model.name for model in dialect(kind).models]
    assert len(names) == len(set(names))
    assert dialect(kind).default_model in names


@pytest.mark.parametrize(
    ("kind", "name", "field", "alone", "published"),
    [
        ("draft", "animatic", "images", True, True),
        ("jiekou", "seedance-v1-lite-i2v", "first_frame", True, True),  # as Base64
        ("jimmyai", "seedance2.0-sp", "videos", True, True),  # through the vendor's own upload
        ("jimmyai", "sd2_mx_720p", "first_frame", False, False),  # audited assets only
        ("chanjing", "Doubao-Seedance-1.0-lite-i2v", "first_frame", True, True),
        ("uniall", "seedance2.0-720p", "first_frame", False, True),
        ("3hei", "doubao-seedance-2-0", "first_frame", True, True),
        ("3hei", "doubao-seedance-2-0", "videos", False, True),  # no Base64 for videos
        ("ark", "doubao-seedance-2-0-260128", "audios", True, True),
    ],
)
def test_which_local_files_need_publishing(kind: str, name: str, field: str, alone: bool, published: bool):
    spoken = dialect(kind)
    model = next(model for model in spoken.models if model.name == name)
    file = LocalMedia("art/lamp")
    clip = changed(least(model), first_frame=None, resolution=model.resolutions[0])
    match field:
        case "first_frame":
            clip = changed(clip, first_frame=file)
        case "images":
            clip = changed(clip, images=(file,))
        case "videos":
            clip = changed(clip, videos=(file,))
        case "audios":
            clip = changed(clip, images=(UrlMedia("https://c/a"),), audios=(file,))
    assert isinstance(resolve(clip, spoken), Resolved) == alone
    assert isinstance(resolve(clip, spoken, can_publish=True), Resolved) == published


def test_a_user_finds_which_models_can_do_a_shot():
    models = [model for kind in FOLDERS if kind != "draft" for model in dialect(kind).models]
    needs = Needs(duration=14, mode=Mode.REFERENCES, resolution="1080p", switches=("audio",))
    assert [model.name for model in models if meets(model, needs)] == [
        "doubao-seedance-2-0",
        "doubao-seedance-2-0-260128",
        "doubao-seedance-2-5-260628",
        "dreamina-seedance-2-0-260128",
        "dreamina-seedance-2-5-260628",
        "bytedance/seedance-2.0/reference-to-video",
        "fal-ai/kling-video/o3/pro/reference-to-video",
        "seedance-2.0",
        "seedance2.0-1080p",
    ]
    assert all(meets(model, Needs()) for model in models)
    assert [model.name for model in models if meets(model, Needs(ratio="adaptive", resolution="2k"))] == [
        "sd2_mx_2k",
        "sd2_mx_video_2k",
    ]


def test_all_faults_of_a_clip_are_named_at_once():
    clip = clip_with(duration=3, ratio="21:9", seed=-1, last_frame=UrlMedia("https://c/b"))
    found = resolve(clip, dialect("uniall"))
    assert not isinstance(found, Resolved)
    assert [problem.code for problem in found] == [
        "prompt-required",
        "duration-not-offered",
        "ratio-not-offered",
        "seed-out-of-range",
        "lone-last-frame",
    ]


def test_a_resolution_that_contradicts_the_model_hides_no_other_fault():
    clip = clip_with(prompt="p", model="seedance2.0-720p", resolution="1080p", duration=99)
    found = resolve(clip, dialect("uniall"))
    assert not isinstance(found, Resolved)
    assert [problem.code for problem in found] == ["resolution-contradicts-model", "duration-not-offered"]


@with_each_model
def test_options(kind: str, model: Model) -> None:
    """A field that no page names is a warning, and a value that a page does not list is an error."""
    spoken, clip = dialect(kind), least(model)

    def codes(name: str, value: object) -> set[str]:
        answer = resolve(changed(clip, options={name: value}), spoken)
        found = answer.warnings if isinstance(answer, Resolved) else answer
        return {problem.code for problem in found} & {"option-unknown", "option-not-offered"}

    assert codes("no_such_field", 1) == {"option-unknown"}
    assert model.options is not None
    for name, values in model.options.items():
        assert [value for value in values if codes(name, value)] == []
        assert codes(name, "no such value") == ({"option-not-offered"} if values else set())
