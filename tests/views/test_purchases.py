"""The records by key: what became of each."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diagnostics import UsageError
from reconciler.records import Attempt, Generation, Money, Snapshot, State
from reconciler.views.purchases import listed, only_key

GROUPS = {
    "in flight": "submitting uncertain accepted stalled ready",
    "waits for your decision": "vanished no_output result_expired quarantined",
    "made": "fetched done",
    "not made": "not_sent refused failed cancelled abandoned",
}


def attempt(state: State, **other: Any) -> Attempt:
    about: dict[str, Any] = {"id": 1, "marker": "m", "created": 0.0, "updated": 60.0, "key": "v1:ab", "clip": "hero"}
    about |= {"take": 2, "provider": "studio", "kind": "ark", "model": "seedance", "task": "t-1", "state": state}
    return Attempt(**{**about, "cost_micros": 1_500_000, "currency": "USD", **other})


def generation(key: str = "v1:ab") -> Generation:
    return Generation(provider="studio", kind="ark", model="seedance", key=key, sha256="5ea", document="{}")


def made(state: State) -> dict[str, Generation]:
    return {"v1:ab": generation()} if state.value in GROUPS["made"].split() else {}


@pytest.mark.parametrize("state", State)
def test_each_state_is_in_one_group(state: State) -> None:
    records = Snapshot(attempts={"v1:ab": attempt(state)}, generations=made(state))
    sections, data = listed(records, in_flight=False)
    assert [state.value in GROUPS[section.title].split() for section in sections] == [True]
    assert data["purchases"][0]["group"] == sections[0].title  # type: ignore[index]
    [(name, line)] = sections[0].facts
    assert name == "hero#2" and line.startswith(f"{state.value} since 1970-01-01T00:01:00Z") and "1.50 USD" in line
    [only] = listed(records, in_flight=True)[0]
    assert (only.title == "in flight") is (sections[0].title == "in flight")


def test_what_is_not_owed_has_no_cost() -> None:
    released = attempt(State.REFUSED, money=Money.RELEASED)
    [section] = listed(Snapshot(attempts={"v1:ab": released}), in_flight=False)[0]
    assert "USD" not in section.facts[0][1]


def test_a_result_without_a_request_is_named_by_its_key() -> None:
    [section] = listed(Snapshot(generations={"v1:ab": generation()}), in_flight=False)[0]
    assert section.title == "made" and section.facts[0][0] == "v1:ab"


def test_a_key_is_named_by_how_it_begins() -> None:
    records = Snapshot(generations={key: generation(key) for key in ("v1:ab", "v1:ac", "v2:ab")})
    assert [only_key(records, start) for start in ("v1:ab", "ac", "v2:")] == ["v1:ab", "v1:ac", "v2:ab"]
    for start, count in {
        "v1:": "2 keys begin",
        "ab": "2 keys begin",
        "b": "no key begins",
        "": "no key begins",
    }.items():
        with pytest.raises(UsageError, match=count):
            only_key(records, start)
