"""The deployments of `examples/` fit the program: no container runs here, so what can be checked without one is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.artifacts.buckets import bucket_of, connect
from reconciler.cli.app import main
from reconciler.cluster.accounts import open_accounts, read_sections
from reconciler.project.scan import DiskFiles
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.spec.environment import complete
from reconciler.spec.files import PROJECT_FILE, EditedFiles
from reconciler.spec.project import NO_OVERLAY, Project

EXAMPLES = Path(__file__).parents[2] / "examples"
GRACE = 300
"""Seconds that an open request may take to be answered."""
COMPOSE: Mapping[str, Any] = yaml.safe_load((EXAMPLES / "compose" / "compose.yml").read_text())
DEPLOYMENT: Mapping[str, Any] = yaml.safe_load((EXAMPLES / "kubernetes" / "deployment.yml").read_text())
POD: Mapping[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]


def command_lines() -> Iterator[tuple[str, list[str]]]:
    for name, service in COMPOSE["services"].items():
        if service["image"] == "clipform-studio":
            yield name, [str(word) for word in service["command"]]
    (container,) = POD["containers"]
    assert container["command"] == ["clipform"]
    yield "kubernetes", container["args"]


@pytest.mark.parametrize("line", list(command_lines()), ids=lambda line: line[0])
def test_a_command_line_is_one_of_the_program(line: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    words = line[1]
    path = words[: 2 if words[0] == "state" else 1]
    assert main([*path, "--help"]) == 0
    text = capsys.readouterr().out
    for option in words[len(path) :]:
        assert not option.startswith("--") or re.search(rf"{option}\b", text), option


def sections(folder: str, file: str) -> Project:
    files = EditedFiles(DiskFiles(EXAMPLES / folder), PROJECT_FILE, (EXAMPLES / folder / file).read_text())
    return read_sections(files, NO_OVERLAY)


def environments() -> Iterator[tuple[str, Project, dict[str, str]]]:
    compose = sections("compose", "clipform.yaml")
    for name, service in COMPOSE["services"].items():
        if service["image"] == "clipform-studio":
            yield name, compose, {name: "value" for name in service["environment"]}
    (container,) = POD["containers"]
    yield "kubernetes", sections("kubernetes", "accounts.yaml"), {each["name"]: "value" for each in container["env"]}


@pytest.mark.parametrize(("name", "project", "env"), list(environments()))
def test_every_variable_that_its_file_names_is_set(name: str, project: Project, env: dict[str, str]) -> None:
    connect(bucket_of(project.cache, "cache.remote", env), env, shared=True)

    def connected(config: Any, dialect: Any, pace: Any) -> Any:
        assert isinstance(dialect, SpokenOverHttp)
        complete(config.credentials, dialect.credentials, env)

    missing: list[str] = []
    accounts = open_accounts(project, connected, missing.append)
    assert missing == [] and len(accounts) == len(project.providers) - 1  # without the drafts


def test_a_pod_needs_no_volume_and_has_time_to_record_an_answer() -> None:
    assert "volumes" not in POD and all("volumeMounts" not in container for container in POD["containers"])
    assert POD["terminationGracePeriodSeconds"] >= GRACE
    assert COMPOSE["services"]["worker"]["stop_grace_period"] == f"{GRACE // 60}m"
    assert (DEPLOYMENT["spec"]["replicas"], COMPOSE["services"]["worker"]["deploy"]["replicas"]) == (2, 2)


def test_a_service_is_begun_after_what_it_needs() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= services.keys()
        assert service.get("network_mode", "service:vendor") == "service:vendor"


@pytest.mark.parametrize("folder", ["compose", "kubernetes"])
def test_its_readme_says_what_was_not_tried(folder: str) -> None:
    assert "**Not tried" in (EXAMPLES / folder / "README.md").read_text()
