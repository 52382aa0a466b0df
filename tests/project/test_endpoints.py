"""What a plan says aloud about the addresses that keys are sent to (F88)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from reconciler.project.model import Choice
from reconciler.transport.addresses import Forbidden, check
from tests.reliability.simulator.sim import Sim

KEY = "api_key: '${env.STUDIO_KEY}'"
AWAY = "https://away.fake.invalid"

CASES = {  # "asks": the plan lists the address once, and no warning repeats it
    KEY: [],
    f"base_url: 'https://api.fake.invalid', {KEY}": [],
    f"base_url: 'https://api.fake.invalid/v2', {KEY}": [],
    f"base_url: '{AWAY}', {KEY}": ["asks"],
    f"base_url: '{AWAY}'": [],
    f"base_url: 'http://away.fake.invalid', {KEY}": ["asks", "key-in-clear"],
    f"base_url: 'http://127.0.0.1:8790/fake', {KEY}": [],
    f"base_url: 'http://localhost:8790', {KEY}": [],
    f"base_url: 'https://localhost.away.invalid', {KEY}": ["asks"],
}


NEAR = {
    "http://10.7.0.9:8080/v1": ("10.7.0.0/24", "10.7.0.20", "10.7.1.20"),
    "https://192.168.4.2": ("192.168.4.0/24", "192.168.4.9", "192.168.5.9"),
    "https://[fd12:3456:789a:1::5]": ("fd12:3456:789a:1::/64", "[fd12:3456:789a:1::9]", "[fd12:3456:789a:2::9]"),
    "https://100.64.0.5": ("", "", "100.64.0.5"),
    "http://gateway:8080": ("the network of gateway", "", "10.7.1.20"),
    "https://ark.corp.internal": ("the network of ark.corp.internal", "", "10.7.1.20"),
}
"""By a provider's private address: the network that a plan names, an address in it, and one that is refused."""


def spec(provider: str) -> str:
    return (
        f"version: 1\nproviders:\n  studio: {{kind: fake, {provider}}}\n"
        "defaults: {provider: studio, duration: 1}\nclips:\n  hero: {prompt: a lamp}\n"
    )


def codes(sim: Sim) -> list[str]:
    plan = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    asked = ["asks" for demand in plan.demands if demand.is_asked and "STUDIO_KEY" in demand.use]
    return asked + [warning.code for warning in plan.diagnostics]


@pytest.mark.parametrize("provider", CASES)
def test_a_key_that_goes_to_a_strange_address_is_shown_before_it_does(provider: str, sim: Sim) -> None:
    sim.write(spec(provider))
    assert codes(sim) == CASES[provider]


async def _nowhere(host: str, port: int) -> Sequence[str]:
    raise OSError(f"{host} does not resolve")


@pytest.mark.parametrize("address", NEAR)
def test_a_purchase_at_a_private_address_says_before_whose_videos_are_not_fetched(address: str, sim: Sim) -> None:
    network, inside, outside = NEAR[address]
    sim.write(spec(f"base_url: '{address}'"))
    [warning] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.diagnostics
    assert warning.code == "private-address" and warning.source is not None and warning.source.line == 3
    assert address.partition("/v1")[0] in warning.message and network in warning.message
    if inside:
        asyncio.run(check(f"https://{inside}/a.mp4", _nowhere, home=address, proxied=False))
    with pytest.raises(Forbidden):
        asyncio.run(check(f"https://{outside}/a.mp4", _nowhere, home=address, proxied=False))


@pytest.mark.parametrize(
    "address", ["https://8.8.8.8", AWAY, "http://127.0.0.1:8790", "http://[::1]:1", "http://localhost"]
)
def test_a_public_address_and_this_machine_need_no_such_warning(address: str, sim: Sim) -> None:
    sim.write(spec(f"base_url: '{address}'"))
    assert codes(sim) == []


def test_a_private_address_that_nothing_is_bought_at_is_no_news(sim: Sim) -> None:
    sim.write(spec("base_url: 'http://10.7.0.9'"))
    sim.apply()
    assert codes(sim) == []
