"""Local media are held to the model's limits before anything is sent, at the place where they are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diagnostics import Severity
from reconciler.project.preflight import Preflight
from reconciler.spec.memo import Memo
from tests.engine.inputs.kit import Bench, picture, sound, video

ROWS = yaml.safe_load((Path(__file__).parent / "media.yaml").read_text("utf-8"))
MAKERS = {"picture": picture, "video": video, "sound": sound}
PUBLISH = "publish: {store: 's3://media/x', public_url: 'https://media.example.com'}"
COMPANION = {"references.audios": "images: ['https://example.com/a.png'], "}  # audio alone is another fault


def make(path: Path, file: dict[str, dict[str, Any]]) -> None:
    """The input that a row describes."""
    ((sort, about),) = file.items()
    if sort == "bytes":
        path.write_bytes(str(about).encode("latin-1"))
    else:
        made = path.with_suffix({"picture": ".png", "video": ".mp4", "sound": ".wav"}[sort])
        MAKERS[sort](made, **about).rename(path)


def written(field: str) -> str:
    parent, _, name = field.partition(".")
    return f"{parent}: {{{COMPANION.get(field, '')}{name}: [input]}}" if name else f"{parent}: input"


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['why']} ({row['kind']})" for row in ROWS])
def test_a_file_is_held_to_the_limits_of_its_line(root: Path, row: dict[str, Any]) -> None:
    bench = Bench(root, row["kind"])
    bench.publish = PUBLISH
    make(root / "input", row["file"])
    bench.write(written(row["field"]), *([row["with"]] if "with" in row else []), model=row.get("model", ""))
    found = bench.problems()
    assert [problem.message for problem in found] == row["says"]
    for problem in found:
        assert problem.severity == Severity(row.get("severity", "error"))
        assert problem.help and problem.source is not None and problem.excerpt is not None
        assert "input" in problem.excerpt.lines[-1]


def test_files_of_one_field_are_added_up(root: Path) -> None:
    bench = Bench(root, "ark")
    bench.publish = PUBLISH
    for name in "ab":
        video(root / f"{name}.mp4", seconds=8, fps=24 if name == "a" else 25)
    bench.write("references: {videos: [a.mp4, b.mp4]}")
    assert [p.message for p in bench.problems()] == [
        "references.videos: together they last 16 s, at most 15 is accepted"
    ]


def test_a_request_that_would_be_too_large_is_told(root: Path) -> None:
    bench = Bench(root, "ark")
    bench.models = "{doubao-seedance-2-0-260128: {max_request_bytes: 1000000}}"
    names = [f"{i}.bmp" for i in range(3)]
    for i, name in enumerate(names):
        picture(root / name, 300, 300 + i, "BMP")
    bench.write(f"references: {{images: [{', '.join(names)}]}}")
    (problem,) = bench.problems()
    assert problem.code == "media-not-sendable"
    assert problem.message.startswith("references.images[2]: with its ") and "publish" in problem.help
    bench.publish = PUBLISH
    bench.write(f"references: {{images: [{', '.join(names)}]}}")
    assert bench.problems() == ()


def test_what_the_vendor_does_not_host_needs_a_store(root: Path) -> None:
    bench = Bench(root, "uniall")
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png")
    (problem,) = bench.problems()
    assert "no way to publish" in problem.message and problem.source is not None


def test_a_store_that_is_none_is_told_with_everything_else(root: Path) -> None:
    bench = Bench(root, "ark")
    bench.publish = "publish: {store: 'ftp://media/x'}"
    picture(root / "lamp.png", 320, 200)
    bench.write("first_frame: lamp.png")
    codes = [problem.code for problem in bench.problems()]
    assert sorted(codes) == ["media-limit", "object-store"]


def test_a_matrix_repeats_nothing(root: Path) -> None:
    bench = Bench(root, "ark")
    picture(root / "lamp.png", 320, 200)
    bench.write("first_frame: lamp.png", "matrix: {seconds: [5, 6, 7]}", "duration: ${matrix.seconds}")
    assert len(bench.problems()) == 1


@pytest.mark.parametrize(("saved", "says"), [("between", []), ("before", ["media-unreadable"])])
def test_what_was_seen_in_a_file_is_remembered_for_its_content_alone(root: Path, saved: str, says: list[str]) -> None:
    bench = Bench(root, "ark")
    lamp = picture(root / "lamp.png")
    sound = lamp.read_bytes()
    bench.write("first_frame: lamp.png")
    workspace, memory = bench.workspace(), Memo()
    loaded = workspace.load()
    hasher = workspace.hasher(loaded.project)

    def look() -> list[str]:
        hero = bench.hero(loaded)
        check = Preflight(hasher.allowed.locate, hasher.unchanged).check
        with memory.round():
            found = check(loaded.project, {"hero": hero.resolved}, loaded.dialects, hero.hashes)
        return [problem.code for problem in found]

    if saved == "before":  # an editor saved between the hash and the look: what was seen is of another content
        lamp.write_bytes(b"no picture")
        assert look() == says
        lamp.write_bytes(sound)
        assert look() == []
    else:
        assert look() == []
        lamp.write_bytes(b"no picture")  # by its hash it is still the same to whoever looked before
        assert look() == says


@pytest.mark.parametrize(
    ("kind", "field", "loaded"),
    [
        ("draft", "references: {videos: [lamp.mp4]}", "['reconciler.media.headers']"),
        ("draft", "first_frame: lamp.png", "['PIL']"),
        ("ark", "first_frame: lamp.png", "['PIL']"),
    ],
)
def test_codecs_are_loaded_only_for_what_they_read(root: Path, kind: str, field: str, loaded: str) -> None:
    bench = Bench(root, kind)
    picture(root / "lamp.png")
    video(root / "lamp.mp4")
    bench.write(field)
    script = (
        "import sys; from pathlib import Path; from reconciler.clock import SystemClock;"
        "from reconciler.project.workspace import Workspace;"
        f"Workspace(Path({str(root)!r}), SystemClock(), {{}}).load();"
        "print([name for name in ('PIL', 'av', 'obstore', 'reconciler.media.headers') if name in sys.modules][:1])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded
