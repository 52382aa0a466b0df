"""What was reviewed is what is carried out: a saved plan sends keys where they went when it was made, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.diagnostics import Refused
from reconciler.engine.run.session import save_plan
from reconciler.project import saved_plan
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from tests.reliability.simulator.sim import Sim

KEY = "api_key: '${env.HOME_KEY}'"
STUDIO = f"kind: fake, {KEY}"
AWAY = f"kind: fake, base_url: 'https://away.fake.invalid', {KEY}"
IN_ENV = f"kind: fake, base_url: '${{env.GATEWAY}}', env: [GATEWAY], {KEY}"
STORE = "publish: {store: 's3://bucket', endpoint: 'https://s3.fake.invalid'}\n"
OTHER = f"  other: {{kind: fake, base_url: 'https://other.fake.invalid', {KEY}}}\n"
GATEWAY = "https://gateway-of-ours.invalid"


def spec(studio: str, more: str = "", others: str = "") -> str:
    return (
        f"version: 1\nproviders:\n  studio: {{{studio}}}\n{others}{more}"
        "defaults: {provider: studio, duration: 1}\nclips:\n  hero: {prompt: a lamp}\n"
    )


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the project."""
    env = {"GATEWAY": GATEWAY}
    monkeypatch.setattr(Sim, "workspace", property(lambda sim: Workspace(sim.root, sim.clock, env)))
    return env


def saved(sim: Sim, path: Path) -> saved_plan.SavedPlan:
    save_plan(sim.workspace, Choice(), path)
    return saved_plan.read(path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (spec(STUDIO), spec(AWAY)),
        (spec(AWAY), spec(AWAY.replace("away", "evil"))),
        (spec(STUDIO), spec(STUDIO.replace("HOME_KEY", "ANOTHER_KEY"))),
        (spec(STUDIO, STORE), spec(STUDIO, STORE.replace("//bucket", "//evil"))),
        (spec(STUDIO, STORE), spec(STUDIO, STORE.replace("s3.fake", "evil.fake"))),
        (spec(STUDIO, STORE), spec(STUDIO)),
    ],
    ids=["its address", "its other address", "its key", "the store", "the store's address", "no store"],
)
def test_a_saved_plan_is_stale_once_a_key_would_go_elsewhere(before: str, after: str, sim: Sim, tmp_path: Path) -> None:
    sim.write(before)
    plan = saved(sim, tmp_path / "p.plan")
    sim.write(after)
    with pytest.raises(Refused, match="stale"):
        sim.apply(saved=plan)
    assert sim.transports == []
    sim.write(before)
    assert sim.apply(saved=plan).exit_code == 0


def test_an_address_that_the_plan_does_not_use_does_not_matter(sim: Sim, tmp_path: Path) -> None:
    sim.write(spec(STUDIO, others=OTHER))
    plan = saved(sim, tmp_path / "p.plan")
    sim.write(spec(STUDIO, others=OTHER.replace("//other", "//another")))
    assert sim.apply(saved=plan).exit_code == 0


def test_what_the_environment_says_of_an_address_counts_and_is_in_no_plan(
    gateway: dict[str, str], sim: Sim, tmp_path: Path
) -> None:
    sim.write(spec(IN_ENV))
    plan = saved(sim, tmp_path / "p.plan")
    assert "gateway-of-ours" not in (tmp_path / "p.plan").read_text()
    assert "gateway-of-ours" not in str(sim.workspace.plan(Choice(), sim.workspace.load()).plan.places)
    gateway["GATEWAY"] = "https://evil.fake.invalid"
    with pytest.raises(Refused, match="stale"):
        sim.apply(saved=plan)
