"""An attempt keeps to where it was made: provider kind, endpoint and account, whatever the project file says since."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.diagnostics import ProviderError, Severity
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, cancel, resolve
from reconciler.engine.run.session import open_session
from reconciler.events import Summary
from reconciler.project.endpoints import Site
from reconciler.project.model import Choice
from reconciler.providers.base import Cancelled
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import FakeTransport, Server
from tests.reliability.simulator.videos import tiny

HOME, AWAY = "https://api.fake.invalid", "https://away.fake.invalid"
KEY, OTHER_KEY = "api_key: '${env.HOME_KEY}'", "api_key: '${env.OTHER_KEY}'"


def spec(providers: str, provider: str = "studio", prompt: str = "a lamp") -> str:
    return (
        f"version: 1\nproviders:\n{providers}"
        f"defaults: {{provider: {provider}, duration: 1}}\nclips:\n  hero: {{prompt: {prompt}}}\n"
    )


STUDIO = f"  studio: {{kind: fake, {KEY}}}\n"
MOVED = f"  studio: {{kind: fake, base_url: '{AWAY}', {KEY}}}\n"
MOVED_WITH_ANOTHER_KEY = f"  studio: {{kind: fake, base_url: '{AWAY}', {OTHER_KEY}}}\n"
RENAMED = f"  atelier: {{kind: fake, {KEY}}}\n"
SPARE = f"  spare: {{kind: fake, {OTHER_KEY}}}\n"
OF_ANOTHER_KIND = f"  studio: {{kind: draft, {KEY}}}\n"


@pytest.fixture
def bought(sim: Sim) -> Sim:
    """One task is under way at HOME; AWAY is another vendor, which knows nothing of it."""
    sim.servers = {HOME: sim.server, AWAY: Server(tiny(1), tiny(3), first=101)}
    sim.write(spec(STUDIO))
    sim.apply(detach=True)
    return sim


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


def told(summary: Summary) -> str:
    return "\n".join(f"{outcome.message}\n{outcome.help}" for outcome in summary.outcomes)


def test_an_attempt_says_where_it_was_made(bought: Sim) -> None:
    [attempt] = bought.attempts()
    assert (attempt.provider, attempt.kind, attempt.endpoint) == ("studio", "fake", HOME)


@pytest.mark.parametrize(
    ("providers", "provider"),
    [
        (MOVED, "studio"),  # the alias points elsewhere now
        (STUDIO + f"  away: {{kind: fake, base_url: '{AWAY}', {KEY}}}\n", "away"),  # the clip has another provider
        (RENAMED, "atelier"),  # the alias has another name
        (OF_ANOTHER_KIND + RENAMED, "atelier"),  # and its old name is another kind
    ],
)
def test_a_task_is_collected_where_it_was_bought(providers: str, provider: str, bought: Sim) -> None:
    bought.write(spec(providers, provider))
    assert results(bought.apply()) == {"hero": "succeeded"}
    assert bought.output("renders/hero.mp4") == bought.server.content("task-1")
    assert len(bought.server.ledger) == 1
    assert bought.servers[AWAY].calls == []


def test_a_new_clip_of_the_same_alias_goes_to_where_it_points_now(bought: Sim) -> None:
    bought.write(spec(MOVED) + "  next: {prompt: a torch}\n")
    assert results(bought.apply()) == {"hero": "succeeded", "next": "succeeded"}
    assert (len(bought.server.ledger), len(bought.servers[AWAY].ledger)) == (1, 1)
    assert [attempt.endpoint for attempt in bought.attempts()] == [HOME, AWAY]


@pytest.mark.parametrize("providers", [MOVED_WITH_ANOTHER_KEY + SPARE, OF_ANOTHER_KIND + SPARE, SPARE])
def test_another_key_is_not_sent_there_and_the_way_out_is_shown(providers: str, bought: Sim) -> None:
    calls = len(bought.server.calls)
    bought.write(spec(providers, "spare"))
    summary = bought.apply()
    assert results(summary) == {"hero": "blocked"}
    assert f"studio: {{kind: fake, base_url: {HOME}, api_key: ${{env.STUDIO_API_KEY}}}}" in told(summary)
    assert len(bought.server.calls) == calls
    bought.write(spec(STUDIO))
    assert results(bought.apply()) == {"hero": "succeeded"}
    assert len(bought.server.ledger) == 1


def test_the_plan_says_that_a_task_is_elsewhere(bought: Sim) -> None:
    bought.write(spec(MOVED))
    [warning] = bought.workspace.plan(Choice(), bought.workspace.load()).plan.diagnostics
    assert (warning.code, warning.severity) == ("task-elsewhere", Severity.WARNING)
    assert HOME in warning.message and "studio has another address now" in warning.message


def test_an_attempt_that_does_not_say_where_it_was_made_belongs_to_its_alias(bought: Sim) -> None:
    """As the states of schema 1 have them."""
    [made] = bought.attempts()
    assert bought.workspace.load().has(Site.of(replace(made, endpoint="")))
    bought.write(spec(OF_ANOTHER_KIND, "draft"))
    assert not bought.workspace.load().has(Site.of(replace(made, endpoint="")))


def test_a_task_that_is_given_by_the_user_is_looked_for_where_the_request_went(bought: Sim) -> None:
    bought.server.plan("hero", submit=["unknown-after"])
    bought.write(spec(STUDIO, prompt="a torch"))
    bought.apply()
    bought.write(spec(MOVED, prompt="a torch"))
    with open_session(bought.workspace, "resolve") as session:
        attempt = resolve.unresolved_attempt(session, "hero", None)
        adopt_task.adopt_task(
            session, attempt, "task-2", one_off.ProviderAccess(bought.workspace.load(), bought.connect)
        )
    assert bought.servers[AWAY].calls == []
    assert bought.apply().exit_code == 0
    assert bought.output("renders/hero.mp4") == bought.server.content("task-2")


def test_a_task_is_cancelled_where_it_was_bought(bought: Sim) -> None:
    bought.write(spec(MOVED))
    with open_session(bought.workspace, "cancel") as session:
        cancel.cancel(session, "hero", None, one_off.ProviderAccess(bought.workspace.load(), bought.connect))
    assert bought.states() == ["cancelled"]
    assert not bought.server.ledger["task-1"].owed


def test_a_task_that_the_provider_still_has_is_not_called_cancelled(
    bought: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_late(self: FakeTransport, task: str) -> Cancelled:
        return Cancelled("on its way")

    monkeypatch.setattr(FakeTransport, "cancel", too_late)
    with (
        open_session(bought.workspace, "cancel") as session,
        pytest.raises(ProviderError, match="the provider confirmed it, but still has the task"),
    ):
        cancel.cancel(session, "hero", None, one_off.ProviderAccess(bought.workspace.load(), bought.connect))
    assert results(bought.apply()) == {"hero": "succeeded"}


def test_a_cancel_that_nothing_confirms_is_none(bought: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    async def said(self: FakeTransport, task: str) -> Cancelled:
        return Cancelled("on its way")

    monkeypatch.setattr(FakeTransport, "cancel", said)
    bought.server.plan("hero", poll=["trouble"])
    with (
        open_session(bought.workspace, "cancel") as session,
        pytest.raises(ProviderError, match="the provider confirmed it, but its task could not be checked"),
    ):
        cancel.cancel(session, "hero", None, one_off.ProviderAccess(bought.workspace.load(), bought.connect))
    assert bought.states() == ["accepted"]


def test_a_task_that_another_key_does_not_show_has_not_vanished(bought: Sim) -> None:
    bought.write(spec(STUDIO.replace(KEY, OTHER_KEY)))
    bought.server.plan("hero", poll=["*not-found"])
    [outcome] = bought.apply().outcomes
    assert (bought.states(), outcome.help) == (
        ["accepted"],
        "set the key that it was bought with, then run: clipform apply",
    )
    bought.server.heal()
    bought.write(spec(STUDIO))
    assert results(bought.apply()) == {"hero": "succeeded"}
    assert len(bought.server.ledger) == 1


def test_the_receipts_say_where_and_with_which_account(bought: Sim) -> None:
    (bought.root / "state" / "clipform.db").unlink()
    bought.write(spec(MOVED))
    assert results(bought.apply()) == {"hero": "succeeded"}
    assert bought.output("renders/hero.mp4") == bought.server.content("task-1")
    assert len(bought.server.ledger) == 1


# --- a plan that carries on buys nothing ----------------------------------------------------


@pytest.mark.parametrize("word", ["fail-free", "fail-billed", "cancelled"])
def test_a_task_that_fails_after_all_is_not_bought_again_by_a_plan_that_only_collects(word: str, sim: Sim) -> None:
    sim.apply(detach=True)
    sim.server.plan("hero", poll=[word])
    summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "failed"}, 3)
    assert (len(sim.server.ledger), len(sim.attempts())) == (1, 1)
    planned = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    assert planned.total() == (Decimal("0.50") if word == "cancelled" else 0), "the next plan shows the price"
