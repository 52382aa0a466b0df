"""Facts about input files against the limits of a line."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.conform.clips import clip_with
from reconciler.diagnostics import Severity, Source
from reconciler.providers.base import MediaLimits
from reconciler.providers.check import resolve
from reconciler.providers.limits import MB, MediaFacts, check_media, check_request, check_total
from reconciler.providers.registry import dialect
from reconciler.spec.values import DataMedia


def model(kind: str, name: str):
    return next(model for model in dialect(kind).models if model.name == name)


JIEKOU = model("jiekou", "seedance-v1-lite-i2v").image_limits
MD = model("jimmyai", "seedance2.0-md")
ARK = model("ark", "doubao-seedance-2-0-260128")
GOOD = MediaFacts("png", 1 * MB, 1280, 720)


@pytest.mark.parametrize(
    ("limits", "facts", "says"),
    [
        (JIEKOU, GOOD, []),
        (JIEKOU, MediaFacts("png", 30 * MB, 301, 301), []),
        (JIEKOU, MediaFacts("heic", 9, 400, 400), ["heic is not accepted (jpeg, png, webp, bmp, tiff or gif)"]),
        (JIEKOU, MediaFacts("png", 30 * MB + 1, 400, 400),
         ["its size is 31457281 bytes, at most 31457280 is accepted"]),
        (JIEKOU, MediaFacts("png", 9, 300, 400), ["its short side is 300 px, at least 301 is needed"]),
        (JIEKOU, MediaFacts("png", 9, 6000, 4000), ["its long side is 6000 px, at most 5999 is accepted"]),
        (JIEKOU, MediaFacts("png", 9, 1300, 500), ["width ÷ height is 2.6, at most 2.5 is accepted"]),
        (JIEKOU, MediaFacts("png", 9, 390, 1000), ["width ÷ height is 0.39, at least 0.4 is needed"]),
        (ARK.video_limits, MediaFacts("mp4", 9, 1280, 720, 15.0, 24.0), []),
        (ARK.video_limits, MediaFacts("mp4", 9, 1280, 720, 1.5, 24), ["it lasts 1.5 s, at least 2 is needed"]),
        (ARK.video_limits, MediaFacts("mp4", 9, 1280, 720, 15.1, 24), ["it lasts 15.1 s, at most 15 is accepted"]),
        (ARK.video_limits, MediaFacts("mp4", 9, 1280, 720, 5, 23.98),
         ["its frame rate is 23.98, at least 24 is needed"]),
        (ARK.video_limits, MediaFacts("mp4", 9, 1920, 1088, 5, 30),
         ["its area is 2088960 px, at most 2086876 is accepted"]),
        (ARK.video_limits, MediaFacts("avi", 9, 1280, 720, 5, 30), ["avi is not accepted (mp4 or mov)"]),
        (ARK.audio_limits, MediaFacts("flac", 16 * MB, seconds=5),
         ["flac is not accepted (wav or mp3)", "its size is 16777216 bytes, at most 15728640 is accepted"]),
        (MD.image_limits, MediaFacts("gif", 9, 400, 400), ["gif is not accepted (jpeg, png, webp, bmp or tiff)"]),
        (MD.video_limits, MediaFacts("mp4", 9, 719, 1280, 5), ["its short side is 719 px, at least 720 is needed"]),
        (MD.video_limits, MediaFacts("mp4", 9, 2161, 1280, 5), ["its long side is 2161 px, at most 2160 is accepted"]),
        (MediaLimits(), MediaFacts("png", 10**12, 1, 1), []),
        (JIEKOU, MediaFacts(), []),
    ],
)  # fmt: skip
def test_one_file(limits: MediaLimits, facts: MediaFacts, says: list[str]):
    found = check_media("first_frame", facts, limits, Source("c.yaml", 3, 5))
    assert [problem.message for problem in found] == [f"first_frame: {text}" for text in says]
    assert all(problem.help and problem.source == Source("c.yaml", 3, 5) for problem in found)


def test_files_together():
    files = [MediaFacts("mp4", 120 * MB, seconds=8.0), MediaFacts("mp4", 90 * MB, seconds=8.5)]
    assert [problem.message for problem in check_total("references.videos", files, MD.video_limits)] == [
        "references.videos: together they last 16.5 s, at most 15 is accepted",
        "references.videos: together they have 220200960 bytes, at most 209715200 is accepted",
    ]
    assert check_total("references.videos", files[:1], MD.video_limits) == ()


def test_the_whole_request():
    assert check_request(64 * MB, ARK.max_request_bytes) == ()
    (problem,) = check_request(64 * MB + 1, ARK.max_request_bytes)
    assert problem.message == "the request has 67108865 bytes, at most 67108864 is accepted"


def test_a_project_s_own_data_urls_are_counted_before_anything_is_sent():
    for size, problems in ((ARK.max_request_bytes - 1000, []), (ARK.max_request_bytes + 1, ["request-limit"])):
        frame = DataMedia("data:image/png;base64," + "A" * size)
        found = resolve(clip_with("hero", prompt="x", model=ARK.name, first_frame=frame), dialect("ark"))
        assert [problem.code for problem in (found if isinstance(found, tuple) else ())] == problems


@pytest.mark.parametrize(
    ("kind", "name", "severity"),
    [
        ("jiekou", "seedance-v1-lite-i2v", Severity.ERROR),
        ("ark", "doubao-seedance-2-0-260128", Severity.ERROR),
        ("3hei", "doubao-seedance-2-0", Severity.WARNING),
        ("jimmyai", "seedance2.0-std", Severity.WARNING),
        ("chanjing", "Doubao-Seedance-1.0-lite-i2v", Severity.WARNING),
        ("uniall", "seedance2.0-720p", Severity.WARNING),
    ],
)
def test_limits_refuse_where_the_vendor_wrote_them_and_warn_elsewhere(kind: str, name: str, severity: Severity):
    (problem,) = check_media("first_frame", MediaFacts("heic"), model(kind, name).image_limits)
    assert problem.severity is severity


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"bytes": 50 << 20, "width": 1280, "height": 720}, None),
        ({"bytes": 60 << 20}, Severity.WARNING),
        ({"bytes": 200 << 20}, Severity.WARNING),
        ({"bytes": (200 << 20) + 1}, Severity.ERROR),
        ({"width": 3840, "height": 2160}, Severity.WARNING),
        ({"width": 640, "height": 638}, Severity.WARNING),
        ({"width": 638, "height": 638}, Severity.ERROR),
        ({"bytes": 60 << 20, "seconds": 20.0}, Severity.ERROR),
    ],
)
def test_between_the_limits_of_an_older_and_a_newer_page_is_a_warning(
    facts: dict[str, Any], severity: Severity | None
) -> None:
    """A reference video of Seedance 2.0: one page has 50 MB and 2,086,876 px, newer ones 200 MB and 8,295,044 px."""
    found = check_media("references.videos[0]", MediaFacts("mp4", **facts), ARK.video_limits)
    assert {problem.severity for problem in found} == ({severity} if severity else set())
