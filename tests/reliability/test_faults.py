"""Whatever the vendor answers, and a kill at any point besides: paid once, nothing lost, and every run ends."""

from __future__ import annotations

import pytest

from tests.reliability.sim import Sim

FAULTS: dict[str, tuple[dict[str, list[str]], str]] = {
    # what the vendor does · the state that the attempt is in after one run, when nobody dies
    "accepted": ({}, "done"),
    "refused input": ({"submit": ["refuse-input"]}, "refused"),
    "refused by moderation": ({"submit": ["refuse-moderation"]}, "refused"),
    "busy": ({"submit": ["refuse-busy"]}, "done"),
    "credentials": ({"submit": ["refuse-credentials"]}, "refused"),
    "account": ({"submit": ["refuse-account"]}, "refused"),
    "unknown, not accepted": ({"submit": ["unknown-before"]}, "uncertain"),
    "unknown, accepted": ({"submit": ["unknown-after"]}, "uncertain"),
    "no id, not accepted": ({"submit": ["garbled-before"]}, "uncertain"),
    "no id, accepted": ({"submit": ["garbled-after"]}, "uncertain"),
    "502, not accepted": ({"submit": ["error-before"]}, "uncertain"),
    "502, accepted": ({"submit": ["error-after"]}, "uncertain"),
    "not sent": ({"submit": ["not-sent"]}, "done"),
    "slow": ({"poll": ["working"] * 5}, "done"),
    "unknown word": ({"poll": ["word", "word"]}, "done"),
    "poll fails": ({"poll": ["trouble", "trouble"]}, "done"),
    "another's reply": ({"poll": ["other-id"]}, "done"),
    "not found at first": ({"poll": ["not-found", "not-found"]}, "done"),
    "not found": ({"poll": ["*not-found"]}, "vanished"),
    "stuck": ({"poll": ["*working"]}, "stalled"),
    "failed, free": ({"poll": ["fail-free"]}, "failed"),
    "failed, billed": ({"poll": ["working", "fail-billed"]}, "failed"),
    "cancelled": ({"poll": ["cancelled"]}, "cancelled"),
    "no link": ({"poll": ["*no-link"]}, "no_output"),
    "dead link once": ({"fetch": ["dead"]}, "done"),
    "dead link": ({"fetch": ["*dead"]}, "result_expired"),
    "fetch fails once": ({"fetch": ["broken"]}, "done"),
    "fetch fails": ({"fetch": ["*broken"]}, "ready"),
    "cut short once": ({"fetch": ["short"]}, "done"),
    "cut short": ({"fetch": ["*short"]}, "quarantined"),
    "not a video": ({"fetch": ["*junk"]}, "quarantined"),
    "another video": ({"fetch": ["*wrong"]}, "done"),
    "done, then no answer": ({"poll": ["done", "*trouble"], "fetch": ["dead"]}, "ready"),
    "done, then not found": ({"poll": ["done", "*not-found"], "fetch": ["dead"]}, "result_expired"),
    "done, then working": ({"poll": ["done", "*working"], "fetch": ["dead"]}, "ready"),
    "done, then failed": ({"poll": ["done", "fail-billed"], "fetch": ["dead"]}, "result_expired"),
}


STRIDE = 7
"""Each fault is crossed with every seventh point, each with others: `test_crashes` has them all."""


@pytest.mark.parametrize("name", FAULTS)
def test_an_answer_leads_to_one_state_and_a_kill_to_no_second_purchase(name: str, sim: Sim) -> None:
    script, state = FAULTS[name]
    sim.server.plan("hero", **script)
    sim.save()
    start = list(FAULTS).index(name) % STRIDE + 1
    for k in (*range(start, 500, STRIDE), None):
        sim.load()
        wire = sim.dies(k)
        try:
            sim.safe()
            if not wire.dead:
                break
            sim.apply()  # the vendor goes on as it was
            sim.safe()
            _at_rest(sim, explain=False)
        except BaseException as error:
            error.add_note(f"after a kill at point {k}, {wire.names[-1]}")
            raise
    assert sim.states()[-1] == state
    _at_rest(sim)


def _at_rest(sim: Sim, *, explain: bool = True) -> None:
    """What the vendor says is over may be made anew once it is well, but nothing that is open or in doubt."""
    before = {a.id: a.state.value for a in sim.attempts()}
    bought = len(sim.server.ledger)
    sim.rest(explain=explain)
    if set(before.values()) & {"uncertain", "vanished", "no_output", "result_expired", "quarantined"}:
        assert len(sim.server.ledger) == bought, "a person decides"
        assert {a.id: a.state.value for a in sim.attempts()} == before
