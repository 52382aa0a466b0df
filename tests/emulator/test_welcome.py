"""What the emulator prints can be used as it is: a fault file, and providers whose clips have prices."""

from __future__ import annotations

from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.emulator.api import KINDS
from reconciler.emulator.faults import Phase
from reconciler.emulator.rulebook import read_faults
from reconciler.emulator.server import Listening
from reconciler.emulator.welcome import block, fault_table
from reconciler.project.workspace import Workspace


def test_the_example_of_a_fault_file_is_one(tmp_path: Path) -> None:
    _, _, example = fault_table().partition("\n\nfaults:\n")
    path = tmp_path / "faults.yaml"
    path.write_text(f"faults:\n{example}", encoding="utf-8")
    faults = read_faults(path)
    actions = [faults.pick("jiekou", Phase.SUBMIT), faults.pick("jiekou", Phase.SUBMIT)]
    assert actions[0] is None and actions[1] is not None and actions[1].do == "drop"


def test_the_printed_providers_have_prices_for_every_kind(tmp_path: Path) -> None:
    providers = block(Listening("http://127.0.0.1:8790", "http://127.0.0.1:8791"), KINDS)
    modes = {"jiekou": "first_frame: https://example.com/a.png, duration: 5, resolution: 480p"}
    clips = "".join(f"  c{kind}: {{prompt: x, provider: {kind}, {modes.get(kind, 'duration: 5')}}}\n" for kind in KINDS)
    (tmp_path / "clipform.yaml").write_text(f"version: 1\n{providers}clips:\n{clips}", encoding="utf-8")
    orders = Workspace(tmp_path, SystemClock(), {}).load().orders
    assert {order.wanted.provider for order in orders} == set(KINDS)
    assert [order.clip.name for order in orders if not order.wanted.cost.amount] == []
