"""A stale answer is impossible: whatever changes, the front door writes what the whole program writes."""

from __future__ import annotations

import random
from itertools import cycle

import pytest

from reconciler.seal import facts
from tests.seal.changes import CHANGES, record_transaction
from tests.seal.film import Film

COMMANDS = (("plan",), ("plan", "--detailed-exitcode"), ("validate",))
ALONE = sorted(name for name, (kind, _) in CHANGES.items() if kind)


@pytest.mark.parametrize(("name", "command"), [*zip(sorted(CHANGES), cycle(COMMANDS), strict=False)])
def test_no_answer_is_stale(name: str, command: tuple[str, ...], film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "transaction_cut_short":
        record_transaction(film)
    film.seal(*command)
    CHANGES[name][1](film, monkeypatch)
    assert film.front(*command) == film.whole(*command)


@pytest.mark.parametrize("name", ALONE)
def test_each_kind_of_fact_is_needed(name: str, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kind left out of the comparison, the answer is stale: the test above would fail."""
    kind, change = CHANGES[name]
    monkeypatch.delitem(facts.KINDS, kind)
    if name == "transaction_cut_short":
        record_transaction(film)
    film.seal("plan")
    change(film, monkeypatch)
    before = film.seen
    assert film.front("plan") != film.whole("plan")
    assert film.seen > before


def test_every_kind_of_fact_has_a_change() -> None:
    assert {kind for kind, _ in CHANGES.values() if kind} == set(facts.KINDS)


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_is_stale_after_many_changes(seed: int, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """In random order, with a seal made again in between where the project still has one."""
    chance = random.Random(seed)
    names = [
        "touched",
        "edited",
        "replaced",
        "output_replaced",
        "outputs_swapped",
        "link_led_elsewhere",
        "objects_lost",
    ]
    for name in chance.sample(names, len(names)):
        for _ in range(chance.randrange(4)):
            film.front(*chance.choice(COMMANDS))
        CHANGES[name][1](film, monkeypatch)
        command = chance.choice(COMMANDS)
        assert film.front(*command) == film.whole(*command), (seed, name, command)
