"""The address of a shared database: what is refused before anything connects, and what is warned about."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from spec_kit import problems_of, project_of

from reconciler.diagnostics import SpecError

TABLE = yaml.safe_load((Path(__file__).parent / "database_addresses.yaml").read_text(encoding="utf-8"))
WARNING = "the connection to the database does not check that it is the server that is named"


def project(url: str) -> str:
    section = f"cache: {{remote: 's3://bucket/clips'}}\nstate: {{url: '{url}'}}\n"
    return f"version: 1\n{section}clips: {{a: {{prompt: x}}}}\n"


@pytest.mark.parametrize("url", TABLE["errors"])
def test_an_address_is_refused_at_its_place_and_without_its_password(url: str) -> None:
    [problem] = problems_of(project(url))
    assert TABLE["errors"][url] in problem and problem.startswith("clipform.yaml:3:"), problem
    assert "hunter2" not in problem


def test_a_password_is_not_in_the_line_that_is_shown() -> None:
    with pytest.raises(SpecError) as caught:
        project_of(project("postgresql://ana:hunter2@db.example.com/s"))
    [problem] = caught.value.diagnostics
    assert problem.excerpt is not None and "hunter2" not in "".join(problem.excerpt.lines)
    assert "PGPASSWORD" in problem.help and "~/.pgpass" in problem.help


@pytest.mark.parametrize("url", TABLE["warnings"])
def test_a_server_beyond_this_machine_has_to_prove_its_name(url: str) -> None:
    warnings = [diagnostic.message for diagnostic in project_of(project(url)).warnings]
    assert warnings == ([WARNING] if TABLE["warnings"][url] else [])


def test_a_shared_state_has_defaults() -> None:
    state = project_of(project("postgresql:///s")).state
    assert state == {"url": "postgresql:///s", "schema": "clipform", "workers": "off"}
