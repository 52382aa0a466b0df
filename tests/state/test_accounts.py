"""An account that several machines use: its rate, its pauses, and the one that speaks for it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from state_kit import order
from team_kit import Team

from reconciler.records import State
from reconciler.state.accounts import NotYet
from reconciler.state.leases import SharedStore

STUDIO = {"account": "studio"}


def refused(store: SharedStore, key: str, **new: object) -> NotYet:
    with pytest.raises(NotYet) as error:
        store.begin(order(key, **new))
    return error.value


def test_of_eight_at_once_none_goes_beyond_slots_or_rate(team: Team) -> None:
    def buy(number: int) -> list[str]:
        said = []
        for count in range(4):
            try:
                members[number].begin(order(f"v1:{number}-{count}", **STUDIO, **limits))
                said.append("bought")
            except NotYet as error:
                assert error.wait > 0
                said.append(error.code)
        return said

    members = [team.member(str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        limits: dict[str, object] = {"slots": 5}
        assert Counter(sum(pool.map(buy, range(8)), [])) == {"bought": 5, "no-slot": 27}
        limits = {"spacing": 3600.0}
        with team.sql.transaction():
            team.sql.execute("DELETE FROM attempt")
        assert Counter(sum(pool.map(buy, range(8)), [])) == {"bought": 1, "no-turn": 31}


def test_a_turn_comes_when_its_time_has_come(team: Team) -> None:
    ana, ben = team.member("ana"), team.member("ben")
    ana.begin(order("v1:a", **STUDIO, spacing=3600.0))
    assert 3500 < refused(ben, "v1:b", **STUDIO, spacing=3600.0).wait <= 3600
    assert ben.begin(order("v1:c", account="another", spacing=3600.0)).state is State.SUBMITTING
    with team.sql.transaction():
        team.sql.execute("UPDATE account SET next_at = clock_timestamp()")
    ben.begin(order("v1:b", **STUDIO, spacing=3600.0))
    refused(ana, "v1:d", **STUDIO, spacing=3600.0)


def test_a_pause_that_one_was_asked_for_stops_all(team: Team) -> None:
    ana, ben = team.member("ana"), team.member("ben")
    assert ben.paused("studio") == 0
    ana.pause("studio", 3600.0)
    ana.pause("studio", 60.0)  # a shorter one does not end it
    error = refused(ben, "v1:b", **STUDIO)
    assert error.code == "paused" and 3500 < error.wait <= 3600
    assert 3500 < ben.paused("studio") <= 3600
    assert ben.paused("another") == 0 and ben.begin(order("v1:b", account="another"))


def test_one_speaks_for_an_account_until_its_lease_is_over(team: Team) -> None:
    ana, ben = team.member("ana"), team.member("ben")
    assert ana.speaker("studio") == ""
    assert ben.speaker("studio") == "ana" and ben.speaker("another") == ""
    with team.sql.transaction():
        team.sql.execute("UPDATE account SET lease_until = clock_timestamp()")
    assert ben.speaker("studio") == ""
    ana._spoken.clear()  # half a minute later
    assert ana.speaker("studio") == "ben"


def test_one_that_ends_lets_another_speak(team: Team) -> None:
    ana, ben = team.member("ana"), team.member("ben")
    assert (ana.speaker("studio"), ben.speaker("studio")) == ("", "ana")
    team.stores.remove(ana)
    ana.close()
    assert ben.speaker("studio") == ""
