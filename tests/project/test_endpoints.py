"""What a plan says aloud about the addresses that keys are sent to (F88)."""

from __future__ import annotations

import pytest

from reconciler.project.model import Choice
from tests.reliability.simulator.sim import Sim

KEY = "api_key: '${env.STUDIO_KEY}'"
AWAY = "https://away.fake.invalid"

CASES = {
    KEY: [],
    f"base_url: 'https://api.fake.invalid', {KEY}": [],
    f"base_url: 'https://api.fake.invalid/v2', {KEY}": [],
    f"base_url: '{AWAY}', {KEY}": ["key-elsewhere"],
    f"base_url: '{AWAY}'": [],
    f"base_url: 'http://away.fake.invalid', {KEY}": ["key-elsewhere", "key-in-clear"],
    f"base_url: 'http://127.0.0.1:8790/fake', {KEY}": [],
    f"base_url: 'http://localhost:8790', {KEY}": [],
    f"base_url: 'https://localhost.away.invalid', {KEY}": ["key-elsewhere"],
}


def spec(provider: str) -> str:
    return (
        f"version: 1\nproviders:\n  studio: {{kind: fake, {provider}}}\n"
        "defaults: {provider: studio, duration: 1}\nclips:\n  hero: {prompt: a lamp}\n"
    )


def codes(sim: Sim) -> list[str]:
    return [warning.code for warning in sim.workspace.plan(Choice(), sim.workspace.load()).plan.diagnostics]


@pytest.mark.parametrize("provider", CASES)
def test_a_key_that_goes_to_a_strange_address_is_shown_before_it_does(provider: str, sim: Sim) -> None:
    sim.write(spec(provider))
    assert codes(sim) == CASES[provider]


def test_the_warning_names_the_variable_the_address_and_the_line(sim: Sim) -> None:
    sim.write(spec(f"base_url: '{AWAY}', {KEY}"))
    [warning] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.diagnostics
    assert warning.message.startswith(f"STUDIO_KEY will be sent to {AWAY}, which is not https://api.fake.invalid")
    assert warning.source is not None and (warning.source.file, warning.source.line) == ("clipform.yaml", 3)


def test_an_address_that_was_used_before_is_no_news_and_another_one_is(sim: Sim) -> None:
    sim.write(spec(f"base_url: '{AWAY}', {KEY}"))
    sim.apply()
    sim.write(spec(f"base_url: '{AWAY}/v2', {KEY}").replace("a lamp", "a torch"))
    assert codes(sim) == []
    sim.write(spec(f"base_url: 'https://evil.fake.invalid', {KEY}").replace("a lamp", "a torch"))
    assert codes(sim) == ["key-elsewhere"]


def test_an_address_that_nothing_is_sent_to_is_no_news(sim: Sim) -> None:
    sim.write(spec(KEY))
    sim.apply()
    sim.write(spec(f"base_url: '{AWAY}', {KEY}"))
    assert codes(sim) == []
