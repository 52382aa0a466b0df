"""The value of an environment variable is in no output and in no file, whatever field names it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.spec.model import Provider
from reconciler.spec.project import CREDENTIALS
from reconciler.spec.store_fields import Cache, Publish

CANARY = "canary.in-the-coal-mine.invalid"
CLIPS = "clips:\n  hero: {prompt: a lamp, provider: studio, duration: 5}\n"
GOOD = {"kind": "ark", "api_key": "${env.NO_KEY_IS_SET}", "store": "s3://bucket/media", "remote": "s3://bucket/clips"}
SECTIONS = {"provider": Provider, "publish": Publish, "cache": Cache}
FIELDS = [(section, field) for section, model in SECTIONS.items() for field in model.model_fields]
COMMANDS = [
    ["validate"],
    ["plan"],
    ["plan", "--json"],
    ["plan", "--markdown"],
    ["plan", "--out", "saved.plan"],
    ["status"],
    ["show", "hero"],
    ["apply", "--yes"],
    ["apply", "--json", "--yes"],
    ["doctor"],
    ["history"],
    ["graph"],
    ["recover"],
    ["report", "--out", "report"],
]
SHAPES = ["${env.CANARY}", "https://${env.CANARY}/x", "[${env.CANARY}]", "{a: ${env.CANARY}}"]


def written(section: str, field: str, value: str) -> str:
    """A project whose only odd field is this one; credentials that are not odd name a variable that is not set."""
    needed = {"provider": ("kind", "api_key"), "publish": ("store",), "cache": ("remote",)}
    parts = {}
    for name in ("provider", "publish", "cache"):
        values = {key: f'"{GOOD[key]}"' for key in needed[name]}
        if name == section:
            quoted = f'"{value}"' if value[0] not in "[{" else value.replace("${env.CANARY}", '"${env.CANARY}"')
            values |= {field: quoted} | ({} if field == "env" else {"env": "[CANARY]"})
        parts[name] = "{" + ", ".join(f"{key}: {text}" for key, text in values.items()) + "}"
    stores = "".join(f"{name}: {parts[name]}\n" for name in ("publish", "cache") if name == section)
    return f"version: 1\nproviders:\n  studio: {parts['provider']}\n{stores}{CLIPS}"


def spoken(arguments: list[str]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        main(arguments)
    return out.getvalue()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("section", "field"), FIELDS)
def test_no_field_of_any_form_shows_or_stores_the_value(
    section: str, field: str, shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clipform.yaml").write_text(written(section, field, shape), encoding="utf-8")
    asks = field in CREDENTIALS  # with a key, apply would ask the vendor
    for command in COMMANDS[:2] if shape != SHAPES[0] or asks else COMMANDS:
        assert CANARY not in spoken(command), command
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert holding == []


def test_an_address_with_a_variable_that_is_not_listed_is_an_error_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = written("provider", "base_url", "https://${env.CANARY}.example.com").replace(", env: [CANARY]", "")
    (tmp_path / "clipform.yaml").write_text(project, encoding="utf-8")
    output = spoken(["validate"])
    assert "clipform.yaml:3:" in output and "CANARY, which is not listed" in output
    assert "env: [CANARY]" in output


@pytest.mark.parametrize("text", ["$${env.CANARY}", "${vars.a}"])
def test_no_detour_names_a_variable_that_is_not_listed(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANARY", CANARY)
    project = written("provider", "base_url", f"https://{text}.example.com").replace(", env: [CANARY]", "")
    project = project.replace("providers:", 'vars: {a: "$${env.CANARY}"}\nproviders:')
    (tmp_path / "clipform.yaml").write_text(project, encoding="utf-8")
    output = spoken(["validate"])
    assert "not listed" in output and CANARY not in output
