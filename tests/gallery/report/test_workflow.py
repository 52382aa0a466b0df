"""The workflow of `examples/ci`: its commands run in a fresh clone without keys, and it gives away nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.app import main

from .conftest import committed, data, edit, git

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "examples" / "ci" / "clipform.yml").read_text(encoding="utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]

PAID = """\
providers:
  studio: {kind: ark, api_key: "${env.ARK_API_KEY}", prices: [{model: "*", per_clip: 0.50}]}
budget: {currency: USD, per_apply: 20}
"""
BUST = "  bust: {prompt: a bust, provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, takes: 2}\n"


@dataclass(frozen=True)
class Step:
    name: str
    code: int
    said: str


@pytest.fixture
def origin(project: Path) -> Path:
    """Renders and lock file are in git, as the README says; one clip is paid, and was made once."""
    edit(project, "version: 1\n", f"version: 1\n{PAID}")
    edit(project, "clips:\n", f"clips:\n{BUST}")
    for take in ("1", "2"):
        adopt = ("import", "bust", "--take", take, "--file", "renders/old.mp4")
        assert main(["-C", str(project), "--json", *adopt]) == 0
    assert main(["-C", str(project), "--json", "apply", "--yes"]) == 0
    return committed(project)


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


def run(job: str, clone: Path) -> list[Step]:
    """A job's own commands in order, as the runner runs them: a shell each, the first that fails ends it."""
    tools = clone.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "clipform").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    (tools / "clipform").chmod(0o755)
    env = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(clone.parent),
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(clone.parent / "summary.md"),
        "BASE": git(clone, "rev-parse", "origin/main").strip(),
    }
    assert set(JOBS[job].get("env", {})) <= set(env)
    done = []
    for step in JOBS[job]["steps"]:
        if "run" not in step or step["name"] == "Install":
            continue
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        ended = subprocess.run(shell, cwd=clone, env=env, capture_output=True, text=True, timeout=100, check=False)
        done.append(Step(step["name"], ended.returncode, ended.stdout + ended.stderr))
        if ended.returncode:
            break
    return done


def codes(steps: list[Step]) -> dict[str, int]:
    return {step.name: step.code for step in steps}


# --- what the commands say ----------------------------------------------------------------------


def test_a_pull_request_is_reviewed_without_a_key_and_without_a_state(clone: Path) -> None:
    edit(clone, "a bust", "a bronze bust")
    edit(clone, "push-in", "pull-out")
    edit(clone, "  old: {prompt: mist over mountains}\n", "")
    git(clone, "commit", "--quiet", "--all", "--message=edit")
    assert codes(run("review", clone)) == {"Validate": 0, "Plan": 0, "Report": 0}
    plan = (clone / "plan.md").read_text()
    assert plan.startswith("<!-- clipform:plan -->\n### clipform plan\n")
    assert "**+1.00 USD** · plan `" in plan
    row = "| `bust (2 takes)` | `prompt changed` | `studio/doubao-seedance-1-0-pro-250528` | 1.00 USD for 2 takes |"
    assert row in plan
    assert "! prompt: a {+bronze +}bust" in plan and "! prompt: a lamp, slow [-push-in-]{+pull-out+}" in plan
    assert (clone.parent / "summary.md").read_text() == plan
    since = data(clone / "clipform-report")["document"]["since"]
    assert {word: since[word] for word in ("same", "changed", "added", "removed")} == {
        "same": 1,
        "changed": 3,
        "added": 0,
        "removed": 1,
    }
    before = data(clone / "clipform-report")["details"]["hero"]["before"]
    assert (clone / "clipform-report" / before["shown"]["video"]).is_file()
    assert (clone / "contact-sheet.png").read_bytes().startswith(b"\x89PNG")
    assert not (clone / "state").exists()


def test_a_pull_request_that_changes_no_clip_says_so(clone: Path) -> None:
    edit(clone, "tags: [odd]", "tags: [even]")
    assert codes(run("review", clone)) == {"Validate": 0, "Plan": 0, "Report": 0}
    assert "Nothing to do: 5 clips (7 takes) up to date." in (clone / "plan.md").read_text()


def test_a_broken_spec_ends_the_review_with_its_line(clone: Path) -> None:
    edit(clone, "prompt: city", "promt: city")
    [step] = run("review", clone)
    assert (step.name, step.code) == ("Validate", 1)
    assert "unknown key 'promt'" in step.said


def test_the_outputs_of_a_fresh_clone_are_proven(clone: Path) -> None:
    assert codes(run("proof", clone)) == {"Outputs match": 0, "Nothing else to commit": 0}


def test_what_was_never_made_is_named(clone: Path) -> None:
    edit(clone, "a bust", "a bronze bust")
    [step] = run("proof", clone)
    assert step.code == 4
    assert (
        "--locked: 2 would have to be generated\n- bust#1: the prompt, settings or inputs changed\n- bust#2: "
        in step.said
    )


def test_an_output_that_is_not_the_one_that_was_made_is_named(clone: Path) -> None:
    (clone / "renders" / "bust.mp4").write_bytes((clone / "renders" / "hero.mp4").read_bytes()[:-1])
    [step] = run("proof", clone)
    assert step.code == 3
    assert "blocked  bust#1  clipform did not create the file at the output path\n    renders/bust.mp4" in step.said


def test_an_output_that_is_missing_is_named(clone: Path) -> None:
    (clone / "renders" / "bust.mp4").unlink()
    [step] = run("proof", clone)
    assert step.code == 3
    assert "blocked  bust#1  recorded in clipform.lock, but the video is not on this machine" in step.said


# --- what the workflow may do -------------------------------------------------------------------


def test_it_may_read_and_one_job_may_write_comments() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job} == {
        "comment": {"pull-requests": "write"}
    }


def test_no_stranger_gets_a_secret_or_a_token_that_writes() -> None:
    assert set(WORKFLOW[True]) == {"pull_request", "push"}  # `on`, as YAML 1.1 reads it
    assert "secrets." not in TEXT and "API_KEY" not in TEXT
    uses = {name: [step["uses"] for step in job["steps"] if "uses" in step] for name, job in JOBS.items()}
    assert not any(action.startswith("actions/checkout") for action in uses["comment"])
    assert not any("run" in step for step in JOBS["comment"]["steps"])
    checkouts = [step for job in JOBS.values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False, False]


def test_the_comment_links_the_report_and_the_contact_sheet() -> None:
    uploads = {
        step["with"]["path"]: step.get("id") for step in JOBS["review"]["steps"] if "path" in step.get("with", {})
    }
    assert uploads["contact-sheet*.png"] == "sheet" and uploads["clipform-report"] == "report"
    links = {name: f"${{{{ steps.{name}.outputs.artifact-url }}}}" for name in ("report", "sheet")}
    assert JOBS["review"]["outputs"] == links
    [comment] = [step for step in JOBS["comment"]["steps"] if "script" in step.get("with", {})]
    assert comment["env"] == {name.upper(): f"${{{{ needs.review.outputs.{name} }}}}" for name in links}
    assert all(f"](${{{name.upper()}}})" in comment["with"]["script"] for name in links)


def test_actions_are_pinned_by_major_version() -> None:
    for job in JOBS.values():
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])


def test_nothing_of_an_event_becomes_part_of_a_script() -> None:
    """A branch may be named `$(curl …)`: what comes from an event goes through the environment."""
    for job in JOBS.values():
        for step in job["steps"]:
            for script in (step.get("run", ""), step.get("with", {}).get("script", "")):
                assert "${{" not in script


def test_it_cannot_spend() -> None:
    commands = re.findall(r"clipform (\w+)(.*)", "\n".join(s.get("run", "") for j in JOBS.values() for s in j["steps"]))
    assert {name for name, _ in commands} == {"validate", "plan", "report", "apply"}
    assert all("--locked" in rest for name, rest in commands if name == "apply")


def test_every_job_ends() -> None:
    assert all(job["timeout-minutes"] <= 20 for job in JOBS.values())
