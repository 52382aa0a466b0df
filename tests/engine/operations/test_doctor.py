"""What `doctor` sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations import doctor, doctor_online
from reconciler.providers.base import PollTrouble, Refusal
from reconciler.providers.capabilities import Balance
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import FakeTransport


@pytest.mark.parametrize(
    ("kind", "sound"), [("ext4", True), ("tmpfs", True), ("nfs4", False), ("cifs", False), ("fuse.sshfs", False)]
)
def test_a_state_on_a_file_system_over_a_network_is_told(kind: str, sound: bool, sim: Sim, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    places = [("/", "ext4"), (f"{sim.root.parent}/else", "nfs4"), (sim.root, kind)]
    mounts.write_text("".join(f"disk {place} {sort} rw 0 0\n" for place, sort in places))
    found = doctor._file_system(sim.workspace, mounts)
    assert (found.ok, found.detail) == (sound, "a disk of this machine" if sound else f"the state is on {kind}")


def test_a_system_that_does_not_tell_is_no_trouble(sim: Sim, tmp_path: Path) -> None:
    assert doctor._file_system(sim.workspace, tmp_path / "none").ok


class Talking(FakeTransport):
    """A vendor that tells the time and the balance."""

    skew: float | PollTrouble | None = 3.0
    left: Balance | PollTrouble | None = Balance("12.50", "USD")

    async def hello(self) -> float | PollTrouble | None:
        return self.skew

    async def balance(self) -> Balance | PollTrouble | None:
        return self.left


LEFT = Balance("12.50", "USD")
REFUSED = PollTrouble("no such key", refusal=Refusal.CREDENTIALS)


@pytest.mark.parametrize(
    ("skew", "left", "told"),
    [
        (
            3.0,
            Balance("12.50", "USD"),
            [(True, "its clock is 3 s ahead of this machine's"), (True, "12.50 USD left, as the provider reports")],
        ),
        (-3600.0, None, [(False, "its clock is 3600 s behind this machine's")]),
        (None, REFUSED, [(True, "reachable; it sends no Date header"), (False, "no such key")]),
        (PollTrouble("refused"), None, [(False, "refused")]),
    ],
)
def test_a_provider_is_asked_for_the_time_and_the_balance_and_nothing_is_bought(
    skew: float | PollTrouble | None,
    left: Balance | PollTrouble | None,
    told: list[tuple[bool, str]],
    sim: Sim,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Talking, "skew", skew)
    monkeypatch.setattr(Talking, "left", left)
    monkeypatch.setattr("tests.reliability.simulator.sim.FakeTransport", Talking)
    sim.write("version: 1\nproviders:\n  studio: {kind: fake}\nclips:\n  hero: {prompt: a lamp, provider: studio}\n")
    found = list(doctor_online.checkup(ProviderAccess(sim.workspace.load(), sim.connect)))
    assert [(item.ok, item.detail) for item in found] == told
    assert sim.server.calls == []
    assert not (sim.root / "state" / "clipform.db").exists()


def test_providers_that_no_clip_uses_are_checked_only_if_asked(sim: Sim) -> None:
    sim.write(
        "version: 1\nproviders:\n"
        "  studio: {kind: 3hei, api_key: '${env.STUDIO}'}\n"
        "  spare: {kind: ark, api_key: '${env.SPARE}'}\n"
        "clips:\n  hero: {prompt: a lamp, provider: studio}\n"
    )

    def details(*, every: bool) -> dict[str, str]:
        return {item.name: item.detail for item in doctor.checkup(sim.workspace, every=every)}

    few, all_of_them = details(every=False), details(every=True)
    assert few["project"] == "1 clip in 1 file; no clip uses spare (--all checks all)"
    assert "provider studio" in few and "provider spare" not in few
    assert all_of_them["project"] == "1 clip in 1 file"
    assert {"provider studio", "provider spare"} <= all_of_them.keys()
    calls = [item.name for item in doctor_online.checkup(ProviderAccess(sim.workspace.load(), sim.connect))]
    assert [name for name in calls if "spare" in name] == []
