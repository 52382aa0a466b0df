"""A key goes to an address that no plan has shown only where somebody says so: recover, import, resolve, cancel."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from reconciler.diagnostics import Diagnostic, ProviderError, Refused
from reconciler.engine.connections import one_off
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations import adopt_task, cancel, doctor_online, import_task, resolve
from reconciler.engine.operations.recover import recover
from reconciler.engine.run import apply
from reconciler.engine.run.apply import ApplyOptions
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice, Loaded
from reconciler.records import State
from reconciler.state.budget import NewAttempt
from reconciler.state.store import Facts
from tests.engine.connections.test_place_of_purchase import AWAY, HOME, MOVED, STUDIO, spec
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import Server
from tests.reliability.simulator.videos import tiny

LOCAL = STUDIO.replace("kind: fake", "kind: fake, base_url: 'http://127.0.0.1:8790'")


@pytest.fixture
def away(sim: Sim) -> Server:
    """Whoever answers at the other address; it knows the tasks of the first one by their ids."""
    sim.servers = {HOME: sim.server, AWAY: Server(tiny(1), tiny(3))}
    return sim.servers[AWAY]


def no(warning: Diagnostic) -> None:
    raise Refused(f"no: {warning.message}")


def imported(sim: Sim, agree: one_off.Agree, task: str = "task-1") -> None:
    with open_session(sim.workspace, "import") as opened:
        loaded = sim.workspace.load()
        remote = ProviderAccess(loaded, sim.connect, opened.store.snapshot(), agree)
        import_task.import_task(opened, loaded.orders[0], import_task.TaskImport(task, "m"), remote)


def recovered(sim: Sim, agree: one_off.Agree) -> None:
    sim.write(spec(STUDIO))
    sim.apply()
    shutil.rmtree(sim.root / "state")
    shutil.rmtree(sim.root / "renders")
    sim.write(spec(MOVED))
    sim.transports.clear()
    recover(sim.workspace, lambda: "r1", sim.notes, sim.connect, agree)


def old_one(sim: Sim, state: State) -> None:
    """An attempt of a clipform that did not write down where it sent requests."""
    sim.write(spec(STUDIO))
    with open_session(sim.workspace, "apply") as opened:
        order = sim.workspace.load().orders[0].wanted
        new = NewAttempt(
            "m", order.document, key=order.key, clip="hero", take=1, provider="studio", kind="fake", model="film"
        )
        opened.store.move(opened.store.begin(new), state, Facts(task="task-1" if state is State.ACCEPTED else None))
    sim.write(spec(MOVED))


def resolved(sim: Sim, agree: one_off.Agree) -> None:
    old_one(sim, State.UNCERTAIN)
    with open_session(sim.workspace, "resolve") as opened:
        remote = ProviderAccess(sim.workspace.load(), sim.connect, opened.store.snapshot(), agree)
        adopt_task.adopt_task(opened, resolve.unresolved_attempt(opened, "hero", None), "task-1", remote)


def cancelled(sim: Sim, agree: one_off.Agree) -> None:
    old_one(sim, State.ACCEPTED)
    with open_session(sim.workspace, "cancel") as opened:
        remote = ProviderAccess(sim.workspace.load(), sim.connect, opened.store.snapshot(), agree)
        cancel.cancel(opened, "hero", None, remote)


WAYS = [imported, recovered, resolved, cancelled]


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_not_sent_to_a_new_address_without_a_word(
    way: Callable[[Sim, one_off.Agree], None], away: Server, sim: Sim
) -> None:
    sim.write(spec(MOVED))
    with pytest.raises(Refused, match=rf"HOME_KEY would be sent to {AWAY}, which is not {HOME}"):
        way(sim, no)
    assert sim.transports == []


@pytest.mark.parametrize("way", WAYS)
def test_whoever_agrees_is_asked_once_and_the_address_is_asked(
    way: Callable[[Sim, one_off.Agree], None], away: Server, sim: Sim
) -> None:
    away._accept({"key": "x", "marker": "x", "label": "hero", "prompt": "a lamp", "seed": 1})
    sim.write(spec(MOVED))
    asked: list[Diagnostic] = []
    try:
        way(sim, asked.append)
    except ProviderError as error:
        assert "cannot cancel" in error.message
    assert [warning.code for warning in asked] == ["key-elsewhere"]
    assert AWAY in sim.transports[-1].account


def lost_and_moved(sim: Sim, prompt: str) -> None:
    """Two clips were made; the state and the first one's file are gone, and the alias points elsewhere."""
    pair = spec(STUDIO) + f"  intro: {{prompt: {prompt}}}\n"
    sim.write(pair)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    (sim.root / "renders/hero.mp4").unlink()
    sim.write(pair.replace(STUDIO, MOVED))


def test_a_recovery_that_is_not_agreed_to_has_done_what_needs_no_provider(away: Server, sim: Sim) -> None:
    """The clip that has no file left comes first, and does not keep the other one from being found."""
    lost_and_moved(sim, "a candle")
    with pytest.raises(Refused):
        recover(sim.workspace, lambda: "r1", sim.notes, sim.connect, no)
    assert set(sim.workspace.snapshot(False).bindings) == {("intro", 1)}


def test_what_another_clip_still_has_is_asked_of_nobody(away: Server, sim: Sim) -> None:
    lost_and_moved(sim, "a lamp")
    sim.transports.clear()
    recover(sim.workspace, lambda: "r1", sim.notes, sim.connect, no)
    assert set(sim.workspace.snapshot(False).bindings) == {("hero", 1), ("intro", 1)}
    assert (sim.states(), sim.transports) == ([], [])


@pytest.mark.parametrize("provider", [STUDIO, LOCAL])
def test_the_kinds_own_address_and_this_machine_need_no_word(provider: str, sim: Sim) -> None:
    sim.write(spec(provider))
    sim.server._accept({"key": "x", "marker": "x", "label": "hero", "prompt": "a lamp", "seed": 1})
    imported(sim, no)
    assert sim.states() == ["accepted"]


def test_an_address_on_record_needs_no_word(away: Server, sim: Sim) -> None:
    sim.write(spec(MOVED))
    sim.apply()
    sim.write(spec(MOVED, prompt="a torch"))
    away._accept({"key": "x", "marker": "x", "label": "hero", "prompt": "a torch", "seed": 1})
    imported(sim, no, "task-2")
    assert sim.states() == ["done", "accepted"]


def test_where_nobody_can_be_asked_it_is_refused_and_what_helps_is_said(away: Server, sim: Sim) -> None:
    sim.write(spec(MOVED))
    with pytest.raises(ProviderError) as told:
        imported(sim, one_off.refuse)
    assert told.value.message.startswith(f"not asked: HOME_KEY would be sent to {AWAY}")
    assert "clipform apply" in told.value.help
    assert sim.transports == []


def test_doctor_says_that_it_did_not_ask_a_new_address(away: Server, sim: Sim) -> None:
    sim.write(spec(MOVED))
    [found] = doctor_online.checkup(
        ProviderAccess(sim.workspace.load(), sim.connect, doctor_online.on_record(sim.workspace))
    )
    assert (found.name, found.ok) == ("provider studio", False)
    assert found.detail.startswith(f"not asked: HOME_KEY would be sent to {AWAY}")
    assert sim.transports == []
    sim.apply()
    [found] = doctor_online.checkup(
        ProviderAccess(sim.workspace.load(), sim.connect, doctor_online.on_record(sim.workspace))
    )
    assert found.ok


def test_records_that_cannot_be_read_know_no_address(sim: Sim) -> None:
    (sim.root / "state").mkdir()
    (sim.root / "state/clipform.db").write_bytes(b"no database" * 1000)
    assert doctor_online.on_record(sim.workspace).attempts == {}


# --- before a plan is shown -----------------------------------------------------------------


def declined(sim: Sim) -> list[str]:
    """An apply whose plan nobody confirms; what it said of the clip that is in doubt."""
    said: list[str] = []

    def confirm(plan: object) -> None:
        said.extend(step.detail for step in plan.steps)  # type: ignore[attr-defined]  # a plan
        raise Refused("no")

    with pytest.raises(Refused), open_session(sim.workspace, "apply") as opened:
        apply.apply(opened, ApplyOptions(Choice()), confirm, sim.notes, sim.connect)
    return said


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider has a list."""
    monkeypatch.setattr(Loaded, "listing", frozenset({"studio"}))


@pytest.mark.usefixtures("listing")
def test_a_request_of_an_older_clipform_is_not_looked_up_at_a_new_address(away: Server, sim: Sim) -> None:
    old_one(sim, State.UNCERTAIN)
    [detail] = declined(sim)
    assert f"it was not asked: HOME_KEY would be sent to {AWAY}" in detail
    assert sim.transports == []
    assert sim.states() == ["uncertain"]


@pytest.mark.usefixtures("listing")
@pytest.mark.parametrize("known", ["its own", "on record"])
def test_it_is_looked_up_where_the_address_is_no_news(known: str, away: Server, sim: Sim) -> None:
    if known == "on record":
        sim.write(spec(MOVED, prompt="a torch"))
        sim.apply()
        sim.transports.clear()
    old_one(sim, State.UNCERTAIN)
    if known == "its own":
        sim.write(spec(STUDIO))
    declined(sim)
    assert [(AWAY if known == "on record" else HOME) in made.account for made in sim.transports] == [True]
