"""A retake of a draft that starts from a picture shows another picture."""

from __future__ import annotations

from pathlib import Path

import av
from PIL import Image

from reconciler.cli.app import main


def middle(video: Path) -> tuple[int, ...]:
    with av.open(str(video)) as container:
        picture = next(container.decode(video=0)).to_image()  # type: ignore[no-untyped-call]  # PyAV's types stop here
    colour = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(colour, tuple)
    return colour


def test_a_retake_of_a_draft_from_a_picture_is_another_picture(tmp_path: Path) -> None:
    Image.new("RGB", (160, 90), (200, 40, 30)).save(tmp_path / "lamp.png")
    clip = "{prompt: a lamp, duration: 1, resolution: 480p, ratio: 1:1, first_frame: lamp.png}"
    (tmp_path / "clipform.yaml").write_text(f"version: 1\nclips:\n  hero: {clip}\n", encoding="utf-8")
    apply = ["-C", str(tmp_path), "--json", "apply", "--yes"]
    assert main(apply) == 0
    first = middle(tmp_path / "renders/hero.mp4")
    assert main(["-C", str(tmp_path), "--json", "retake", "hero"]) == 0
    assert main(apply) == 0
    second = middle(tmp_path / "renders/hero.mp4")
    assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) > 12
