"""`--env` and `--var` lay values over the project, everywhere alike: plans, saved plans, commands, the trust gate."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.diagnostics import SpecError
from reconciler.project.workspace import Workspace
from reconciler.spec.project import Project, ProjectOverlay
from tests.cli.test_trust import home

__all__ = ["home"]

SPEC = """\
version: 1
include: [clips/*.yaml]
vars: {product: lamp, look: "soft ${vars.product}"}
providers:
  studio: {kind: ark, api_key: "${env.KEY}", concurrency: 3}
budget: {currency: EUR, per_apply: 20}
clips:
  hero: {prompt: "${vars.look} on a table", duration: 1, ratio: 1:1}
"""
INCLUDED = "vars: {product: chair}\nclips:\n  second: {prompt: '${vars.product}', duration: 1, ratio: 1:1}\n"
PROD = """\
vars: {product: Aurora, more: x}
providers:
  studio: {concurrency: 1}
  other: {kind: 3hei, api_key: "${env.OTHER}"}
budget: {per_apply: 5}
"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    (folder / "clips").mkdir(parents=True)
    texts = {"clipform.yaml": SPEC, "clips/a.yaml": INCLUDED, "clipform.prod.yaml": PROD}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, overlay: ProjectOverlay) -> Project:
    return Workspace(folder, SystemClock(), {}, overlay).load().project


def prompts(project: Project) -> list[str]:
    return [clip.spec.prompt for clip in project.clips]


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str]:
    code = main(["-C", str(folder), *words])
    return code, "".join(capsys.readouterr())


def document(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> Any:
    code, text = run(capsys, folder, "--json", *words)
    assert code == 0, text
    return json.loads(text.splitlines()[-1])


def test_an_environment_replaces_what_it_names_and_nothing_else(film: Path) -> None:
    plain, prod = read(film, ProjectOverlay()), read(film, ProjectOverlay(environment="prod"))
    assert prompts(plain) == ["soft lamp on a table", "chair"]
    assert prompts(prod) == ["soft Aurora on a table", "Aurora"]
    assert (prod.providers["studio"].spec.concurrency, plain.providers["studio"].spec.concurrency) == (1, 3)
    assert prod.providers["studio"].credentials == plain.providers["studio"].credentials
    assert "other" in prod.providers and "other" not in plain.providers
    assert prod.budget and (prod.budget.currency, prod.budget.per_apply) == ("EUR", 5)
    assert "clipform.prod.yaml" in prod.files and "clipform.prod.yaml" not in plain.files


def test_a_variable_of_the_command_line_is_plain_text_and_comes_last(film: Path) -> None:
    project = read(film, ProjectOverlay((("product", "${env.KEY} ${vars.look}"),), "prod"))
    assert prompts(project) == ["soft ${env.KEY} ${vars.look} on a table", "${env.KEY} ${vars.look}"]


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("clips: {a: {prompt: x}}", "1:1", "unknown key 'clips' in an environment's file"),
        ("defaults: {duration: 5}", "1:1", "unknown key 'defaults'"),
        ("publish: {store: s3://a}", "1:1", "unknown key 'publish'"),
        ("include: [x.yaml]", "1:1", "unknown key 'include'"),
        ("providers: {studio: {url: x}}", "1:22", "did you mean 'base_url'?"),
        ("providers: {new: {concurrency: 1}}", "1:18", "has no kind"),
        ("budget: {per_apply: much}", "1:21", "must be a number"),
        ("vars: {look: '${vars.nope}'}", "1:15", "unknown variable 'nope'"),
        ("vars: [", "2:1", "a value is missing"),
    ],
)
def test_everything_else_in_an_environment_is_an_error_at_its_place(
    film: Path, text: str, place: str, says: str
) -> None:
    (film / "clipform.prod.yaml").write_text(f"{text}\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read(film, ProjectOverlay(environment="prod"))
    assert any(
        f"{item.source}" == f"clipform.prod.yaml:{place}" and says in item.message for item in caught.value.diagnostics
    )


def test_a_missing_environment_or_variable_is_an_error(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, film, "plan", "--env", "prid")
    assert code == 1 and "clipform.prid.yaml does not exist" in text and "did you mean clipform.prod.yaml?" in text
    code, text = run(capsys, film, "plan", "--var", "prodct=x")
    assert code == 1 and "did you mean 'product'?" in text
    for words in (["--env"], ["--env", "a/b"], ["--env=../x"], ["--var"], ["--var", "product"], ["--var", "=x"]):
        assert run(capsys, film, "plan", *words)[0] == 64


@pytest.mark.parametrize("command", ["validate", "plan", "status", "history", "graph", "prices", "fmt", "show hero"])
def test_every_command_that_reads_the_project_takes_them(
    film: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, text = run(capsys, film, "--env=prod", *command.split(), "--var", "product=Moon")
    assert code == 0, text
    assert run(capsys, film, *command.split(), "--env", "absent")[0] == (0 if command == "history" else 1)


def test_printed_commands_carry_them(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (film / "renders").mkdir()
    (film / "renders" / "hero.mp4").write_text("mine", encoding="utf-8")
    _, text = run(capsys, film, "plan", "--env", "prod", "--var", "product=a b; c")
    [line] = [line for line in text.splitlines() if "next: " in line]
    assert f"clipform -C {film} --env prod --var 'product=a b; c' apply --force hero" in line


def test_a_saved_plan_remembers_them(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overlay = ("--env", "prod", "--var", "product=Moon")
    assert run(capsys, film, "plan", *overlay, "--out", "film.plan")[0] == 0
    code, text = run(capsys, film, "apply", "film.plan", "--var", "product=Sun")
    assert code == 64 and "--env prod --var product=Moon" in text
    assert run(capsys, film, "apply", "film.plan")[0] == 0

    actions = document(capsys, film, "plan", *overlay)["actions"]
    assert {action["action"] for action in actions} == {"noop"}
    assert {action["action"] for action in document(capsys, film, "plan")["actions"]} == {"replace"}


def test_a_plan_is_stale_once_its_environment_changed(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, film, "plan", "--env", "prod", "--out", "film.plan")[0] == 0
    (film / "clipform.prod.yaml").write_text("vars: {product: another}\n", encoding="utf-8")
    code, text = run(capsys, film, "apply", "film.plan")
    assert code == 4 and "stale" in text


def test_the_trust_gate_sees_the_address_of_an_environment(
    film: Path, capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "secret")
    (film / "clipform.yaml").write_text(SPEC.replace("duration: 1", "provider: studio, duration: 5"), encoding="utf-8")
    (film / "clipform.prod.yaml").write_text(
        "providers: {studio: {base_url: 'https://away.invalid', prices: [{model: '*', per_clip: 1}]}}", encoding="utf-8"
    )
    code, text = run(capsys, film, "apply", "hero", "--env", "prod", "--yes")
    assert code == 4 and "https://away.invalid gets KEY" in text
    assert "away.invalid" not in run(capsys, film, "plan", "hero")[1]


def test_a_revision_without_the_environment_is_compared_with(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git = ["git", "-C", str(film), "-c", "user.name=a", "-c", "user.email=a@invalid"]
    for words in (["init", "-q"], ["add", "clipform.yaml", "clips"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    actions = document(capsys, film, "plan", "changed:HEAD", "--env", "prod")["actions"]
    assert [action["clip"] for action in actions] == ["hero", "second"]
