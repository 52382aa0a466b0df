"""The tier at which a clip is bought: chosen by its fields and the time, in the price and the request, in no key."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.engine.attempt import job
from reconciler.engine.attempt.context import AttemptContext
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.project import saved_plan
from reconciler.project.orders import Beyond, Order, build_orders
from reconciler.providers import registry
from reconciler.providers.ark.dialect import MARKS, Ark
from reconciler.providers.base import Pace
from reconciler.providers.check import Resolved, resolve
from reconciler.spec.model import Provider
from reconciler.spec.needed_by import parse
from reconciler.spec.project import Project, ProviderConfig
from reconciler.spec.scalars import Unfit
from tests.project.test_orders import SEEDANCE, TWO, clip

NOW = datetime.fromisoformat("2026-12-01T00:00Z").timestamp()
PRICES = [{"tier": "flex", "per_clip": "0.2"}, {"per_clip": "0.4"}]
ARK = ProviderConfig("ark", Provider.model_validate({"kind": "ark", "prices": PRICES}))
DIALECT = cast(Ark, registry.dialect("ark"))


def order(now: float = NOW, model: str = SEEDANCE, **fields: Any) -> Order:
    one = clip("hero", provider="ark", model=model, **fields)
    resolved = resolve(one, DIALECT)
    assert isinstance(resolved, Resolved), resolved
    project = Project("clipform.yaml", (one,), {"ark": ARK})
    [only] = build_orders(project, {"hero": resolved}, {}, None, Beyond(now=now))
    return only


def tier(**fields: Any) -> str:
    return order(**fields).wanted.tier


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ({}, ""),
        ({"tier": "standard"}, ""),
        ({"tier": "flex"}, "flex"),
        ({"needed_by": "2026-12-04T01:00Z"}, "flex"),  # 73 hours: 72 for flex, and one for the usual tier
        ({"needed_by": "2026-12-04T02:00+01:00"}, "flex"),
        ({"needed_by": "2026-12-04T00:59Z"}, "standard"),
        ({"needed_by": "2026-12-04T01:00+01:00"}, "standard"),
        ({"needed_by": "2026-11-01T01:00Z"}, "standard"),
        ({"needed_by": "73h"}, "flex"),
        ({"needed_by": "72h"}, "standard"),
        ({"needed_by": "72h", "tier": "flex"}, "standard"),
        ({"needed_by": "99h", "tier": "standard"}, ""),
        ({"needed_by": "99h", "model": TWO}, ""),  # it has no such tier
    ],
)
def test_flex_is_chosen_if_there_is_time_for_it(fields: dict[str, Any], chosen: str) -> None:
    fields = {**fields, **({"needed_by": parse(written)} if (written := fields.get("needed_by")) else {})}
    hero = order(**fields)
    assert hero.wanted.tier == chosen
    usual = order(model=fields.get("model", SEEDANCE))
    assert (hero.wanted.key, hero.wanted.document) == (usual.wanted.key, usual.wanted.document)
    assert hero.wanted.cost.amount == Decimal("0.2" if chosen == "flex" else "0.4")
    body = DIALECT.submit(job.build(hero, {}, seed=None, marker="m")).body
    assert cast(dict[str, object], body).get("service_tier") == ("flex" if chosen == "flex" else None)


def test_a_deadline_that_comes_near_is_said_and_makes_a_saved_plan_stale() -> None:
    deadline = parse("2026-12-09T12:00+02:00")

    def plan(now: float) -> Plan:
        wanted = replace(order(now, needed_by=deadline).wanted)
        step = Step("hero", 1, Action.CREATE, Reason.NEW, wanted.key, tier=wanted.tier, tier_why=wanted.tier_why)
        return Plan((step,))

    early, same, late, past = (plan(NOW + days * 86400) for days in (0, 1, 7, 9))
    [why, _, later, gone] = [each.steps[0].tier_why for each in (early, same, late, past)]
    assert why == "needed by 2026-12-09 10:00 UTC, and flex takes at most 72 h"
    assert later == "needed by 2026-12-09 10:00 UTC, and flex needs 73 h"
    assert gone == "needed by 2026-12-09 10:00 UTC, which has passed"
    assert early == same and saved_plan.fingerprint(early) != saved_plan.fingerprint(late)


@pytest.mark.parametrize("written", ["2026-12-09T12:00", "2026-12-09", "tomorrow", "4d", "", "0h"])
def test_a_time_without_its_zone_is_refused(written: str) -> None:
    with pytest.raises(Unfit):
        parse(written)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": TWO, "tier": "flex"}, "tier-not-offered"),
        ({"tier": "flex", "options": {"service_tier": "flex"}}, "tier-twice"),
        ({"needed_by": Decimal(99), "options": {"service_tier": "default"}}, "tier-twice"),
    ],
)
def test_a_tier_that_is_not_to_be_had_is_refused(fields: dict[str, Any], code: str) -> None:
    problems = resolve(clip("hero", provider="ark", **{"model": SEEDANCE, **fields}), DIALECT)
    assert isinstance(problems, tuple) and [each.code for each in problems] == [code]


def test_an_option_that_names_the_tier_counts_in_the_key_as_ever() -> None:
    option = order(options={"service_tier": "flex"})
    assert option.wanted.key != order().wanted.key
    assert option.wanted.cost.amount == Decimal("0.2")


def test_a_vendors_draft_has_no_tier() -> None:
    assert tier(tier="flex", model="doubao-seedance-1-5-pro-251215") == "flex"
    assert tier(tier="flex", model="doubao-seedance-1-5-pro-251215", options={"draft": True}) == ""


@pytest.mark.parametrize(("fields", "pace"), [({"tier": "flex"}, (259_200.0, 300.0)), ({}, (1800.0, 30.0))])
def test_a_task_of_the_tier_flex_has_longer_and_is_asked_about_less(
    fields: dict[str, str], pace: tuple[float, float]
) -> None:
    usual = Pace(poll_max=30.0, timeout=1800.0)
    context = SimpleNamespace(provider=SimpleNamespace(pace=usual), order=order(**fields))
    of = cast(property, AttemptContext.pace).fget
    assert of is not None
    assert ((actual := of(context)).timeout, actual.poll_max) == pace


@pytest.mark.parametrize(
    ("tiers", "proves"), [(None, True), (["flex", "default"], True), (["default"], False), ([], False)]
)
def test_a_list_without_flex_proves_no_absence(tiers: list[str] | None, *, proves: bool) -> None:
    """Else a lost request of the tier flex was taken for one that never arrived, and was bought again."""
    settings = {} if tiers is None else {"list_tiers": tiers}
    assert (cast(Ark, registry.dialect("ark", settings)).coverage is not None) is proves


def test_flex_takes_as_long_as_a_request_may_say() -> None:
    """A task ends when its `execution_expires_after` is over; the number that marks it is below the most."""
    assert {model.flex_within for model in DIALECT.models} == {None, MARKS.stop}
