"""One mistake is one diagnostic, however many clips have it; every stage reports in one run; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.project.workspace import Workspace

PROVIDERS = "providers: {studio: {kind: ark, api_key: '${env.NO_KEY}'}}"
BROKEN_PNG = b"\x89PNG\r\n\x1a\nand no more"


def diagnostics(folder: Path, draft: bool = False) -> tuple[Diagnostic, ...]:
    try:
        return Workspace(folder, SystemClock(), {}).load(draft).warnings
    except SpecError as error:
        return error.diagnostics


def project(folder: Path, defaults: str, clips: int = 22) -> Path:
    """A project of many clips with these defaults, and a picture that is not one."""
    declared = "".join(f"  c{number}: {{prompt: p{number}}}\n" for number in range(clips))
    text = f"version: 1\n{PROVIDERS}\ndefaults: {defaults}\nclips:\n{declared}"
    (folder / "clipform.yaml").write_text(text, encoding="utf-8")
    (folder / "broken.png").write_bytes(BROKEN_PNG)
    return folder


@pytest.mark.parametrize(
    "defaults",
    [
        "{duration: abc}",
        "{seed: '${vars.nope}'}",
        "{duration: 99, provider: studio, model: doubao-seedance-1-0-pro-250528}",
        "{model: nothing, provider: studio}",
        "{provider: nobody}",
        "{first_frame: missing.png}",
        "{first_frame: broken.png}",
        "{first_frame: broken.png, provider: studio}",
        "{first_frame: asset://a, references: {images: [asset://b]}, provider: studio}",
        "{pick: 3}",
    ],
)
def test_one_mistake_in_defaults_is_one_diagnostic(tmp_path: Path, defaults: str) -> None:
    [only] = diagnostics(project(tmp_path, defaults))
    assert only.source and only.source.line == 3
    assert only.message.endswith("(c0 and 21 more clips)")


@pytest.mark.parametrize(
    "defaults", ["{duration: abc}", "{audio: yes, provider: studio, model: doubao-seedance-1-0-pro-250528}"]
)
def test_a_mistake_in_defaults_names_the_only_clip_that_has_it(tmp_path: Path, defaults: str) -> None:
    [only] = diagnostics(project(tmp_path, defaults, 1))
    assert only.message.endswith(" (clip c0)")


def test_one_output_for_all_is_one_diagnostic(tmp_path: Path) -> None:
    [only] = diagnostics(project(tmp_path, "{output: renders/x.mp4}"))
    assert only.message == "clips c0 and c1 share the output 'renders/x.mp4' (c1 and 20 more clips)"


def test_a_mistake_of_one_clip_counts_no_other(tmp_path: Path) -> None:
    text = "{version: 1, clips: {a: {prompt: '${matrix.l}', seed: b, matrix: {l: [en, zh]}}}}"
    (tmp_path / "clipform.yaml").write_text(text, encoding="utf-8")
    [only] = diagnostics(tmp_path)
    assert only.message == "seed must be a whole number, not 'b'"


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("provider", ["draft", "studio"])
def test_a_broken_picture_is_an_error_at_every_provider(tmp_path: Path, provider: str, draft: bool) -> None:
    [only] = diagnostics(project(tmp_path, f"{{provider: {provider}, first_frame: broken.png}}", 1), draft)
    assert (only.code, only.message) == (
        "media-unreadable",
        "first_frame: broken.png cannot be read: it is cut short or damaged (clip c0)",
    )


FILES = {
    "clipform.yaml": f"""version: 1
include: [good.yaml, torn.yaml, absent.yaml]
{PROVIDERS}
clips:
  unknown: {{prompt: x, promt: y}}
  value: {{prompt: x, duration: abc}}
  name: {{prompt: "${{vars.nope}}"}}
  empty: {{}}
  axis: {{prompt: x, matrix: {{lang: []}}}}
  provider: {{prompt: x, provider: nobody}}
  model: {{prompt: x, provider: studio, model: nothing}}
  rule: {{prompt: x, provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 99}}
  missing: {{prompt: x, first_frame: missing.png}}
  broken: {{prompt: x, first_frame: broken.png}}
  reference: {{prompt: x, first_frame: "${{clips.nobody.last_frame}}"}}
""",
    "good.yaml": "clips: {extra: {prompt: x, seed: b}}\n",
    "torn.yaml": "clips: {torn: [}\n",
}
CODES = {
    "unknown-key",
    "unknown-name",
    "bad-value",
    "bad-clip",
    "matrix",
    "unknown-provider",
    "unknown-model",
    "input",
    "media-unreadable",
    "unknown-clip",
    "unreadable",
    "yaml-syntax",
}


def write_mistakes(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "broken.png").write_bytes(BROKEN_PNG)


def test_no_mistake_hides_one_of_another_clip(tmp_path: Path) -> None:
    write_mistakes(tmp_path)
    problems = diagnostics(tmp_path)
    assert {item.code for item in problems} - {"duration-not-offered"} == CODES
    lines = {item.source.line for item in problems if item.source and item.source.file == "clipform.yaml"}
    assert lines >= {2, *range(5, 16)}
    assert {item.source.file for item in problems if item.source} >= {"good.yaml", "torn.yaml"}


COMMANDS = [
    ("validate",),
    ("plan",),
    ("plan", "--draft"),
    ("plan", "--out", "saved.plan"),
    ("apply", "--yes"),
    ("apply", "--draft", "--yes"),
    ("status",),
    ("destroy", "--yes"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_broken_spec_leaves_no_trace(tmp_path: Path, command: tuple[str, ...]) -> None:
    write_mistakes(tmp_path)
    before = {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert main(["-C", str(tmp_path), *command]) == 1
    assert {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


SEVERAL = yaml.safe_load((Path(__file__).parent / "several_mistakes.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", SEVERAL, ids=lambda case: case["clip"])
def test_no_mistake_hides_one_of_the_same_clip_or_makes_another(tmp_path: Path, case: Mapping[str, Any]) -> None:
    providers = PROVIDERS.replace("}}", "}, line: {kind: jimmyai, api_key: '${env.NO_KEY}'}}")
    text = f"version: 1\n{providers}\npublish: {{store: 's3://b/p'}}\nclips:\n  a: {case['clip']}\n"
    (tmp_path / "clipform.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "broken.png").write_bytes(BROKEN_PNG)
    problems = diagnostics(tmp_path)
    assert [item.code for item in problems if item.source] == case["codes"], problems
