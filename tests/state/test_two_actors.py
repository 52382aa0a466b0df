"""Two machines on one shared ledger, in any order of their steps: no key is bought twice, nothing is lost, caps hold.

What a machine does between its records is in `Actor`, in the order of the engine; records, leases, takeovers and caps
are the program's own. The vendor keeps books, the bucket keeps permits. Time passes only where a rule lets it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from state_kit import Clock, memory_store, order, result
from team_kit import Connect, Team

from reconciler.diagnostics import Refused, StateError
from reconciler.project.pending_repairs import settle_orphans
from reconciler.records import OPEN, UNDECIDED, Attempt, State
from reconciler.state import leases
from reconciler.state.budget import Caps
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipt, Receipts

KEYS, SLOTS, PRICE, MOST = 2, 1, 6, 15
"""Of each story: keys, slots of the account, price of a clip and cap of the run."""
FREE = (State.NOT_SENT, State.REFUSED, State.CANCELLED)
"""States after which a plan may offer another purchase."""
_numbers = count()
WHO, KEY = st.integers(0, 1), st.sampled_from([0, 0, 0, 1])
ANSWER = st.sampled_from(["task", "task", "lost", "refused"])


@dataclass
class Task:
    """What the vendor has of one purchase."""

    key: str
    task: str
    runs: bool = True


@dataclass
class World:
    """The vendor's books by marker, and the bucket: who came first there, and the answers."""

    number: int
    books: dict[str, Task] = field(default_factory=dict)
    permits: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"bucket-{self.number}"

    def settled(self, attempt: Attempt) -> tuple[Receipt, ...]:
        """What the bucket says of a request in doubt, as `BucketReceipts.settled`."""
        event, marker = self.permits.setdefault(attempt.marker, "void"), attempt.marker
        about = {"seq": 1, "store": "", "time": 0.0, "marker": marker, "attempt": attempt.id, "key": attempt.key}
        lines = [Receipt(event=event, **about)]  # type: ignore[arg-type]
        if marker in self.answers:
            lines.append(Receipt(event="accepted", task=self.answers[marker], **about))  # type: ignore[arg-type]
        return tuple(lines)


@dataclass
class Claim:
    """An intent whose request is not sent yet."""

    attempt: Attempt
    is_late: bool = False
    has_permit: bool = False


class Actor:
    """One machine: a purchase decides, claims, gets its permit, sends, and records."""

    def __init__(self, connected: Connect, name: str, world: World) -> None:
        self.sql, self.name, self.world = connected(), name, world
        self.restart()

    def restart(self) -> None:
        """A new process of the same working copy: the old one is dead, with all that it had in memory."""
        self.store = SharedStore(self.sql, Clock(), memory_store().sql, Team.me(f"{self.name} {self.world.number}"))
        self.seen: dict[str, int] = {}
        self.claims: dict[str, Claim] = {}
        self.accepted: dict[str, tuple[Attempt, str]] = {}

    def newest(self, key: str) -> Attempt | None:
        return next(iter(self.store.attempts(key)[::-1]), None)

    def decide(self, key: str) -> None:
        newest = self.newest(key)
        if newest is None or newest.state in FREE:
            self.seen[key] = newest.id if newest is not None else 0

    def claim(self, key: str) -> None:
        about = {"account": f"account-{self.world.number}", "slots": SLOTS, "permit": self.world.place}
        money = {"cost_micros": PRICE, "currency": "USD", "run": self.world.number + 1}
        new = order(key, after=self.seen.pop(key), **about, **money)
        self.claims[key] = Claim(self.store.begin(new, Caps("USD", run_micros=MOST)))

    def permit(self, key: str) -> None:
        """Ask the bucket for the permit; without it, or too late, nothing is sent."""
        claim = self.claims[key]
        marker = claim.attempt.marker
        if claim.is_late or self.world.permits.setdefault(marker, "intent") != "intent":
            del self.claims[key]
            self.store.move(claim.attempt, State.NOT_SENT, Facts(message="late"))
        claim.has_permit = True

    def send(self, key: str, answer: str) -> None:
        claim = self.claims.pop(key)
        if claim.is_late:
            self.store.move(claim.attempt, State.NOT_SENT, Facts(message="late"))
            return
        marker, task = claim.attempt.marker, f"task of {claim.attempt.marker}"
        if answer == "refused":
            self.store.move(claim.attempt, State.REFUSED, Facts(reason="moderation"))
            return
        self.world.books[marker] = Task(key, task)
        if answer == "lost":
            self.store.move(claim.attempt, State.UNCERTAIN, Facts(reason="lost"))
        else:
            self.accepted[key] = claim.attempt, task

    def record(self, key: str) -> None:
        attempt, task = self.accepted.pop(key)
        self.world.answers[attempt.marker] = task
        self.store.move(attempt, State.ACCEPTED, Facts(task=task))

    def settle(self) -> None:
        settle_orphans(self.store, cast(Receipts, self.world))

    def look_up(self, key: str, is_absent: Callable[[Attempt], bool]) -> None:
        """Ask the vendor's list about a request in doubt; it proves an absence once no request can be on its way."""
        newest = self.newest(key)
        if newest is None or newest.state is not State.UNCERTAIN or self.store.holder(newest):
            return
        if (entry := self.world.books.get(newest.marker)) is not None:
            self.world.answers[newest.marker] = entry.task
            self.store.move(newest, State.ACCEPTED, Facts(task=entry.task))
        elif is_absent(newest):
            self.store.move(newest, State.NOT_SENT, Facts(reason="absent"))

    def follow(self, key: str, cancels: bool) -> None:
        """Go on with a task that nobody else carries out."""
        newest = self.newest(key)
        if newest is None or newest.state not in (State.ACCEPTED, State.READY) or self.store.holder(newest):
            return
        entry = self.world.books[newest.marker]
        if newest.state is State.READY:
            self.store.fetched(newest, *result(newest))
        elif cancels:
            self.store.move(newest, State.CANCELLED)
            del self.world.books[newest.marker]
        else:
            self.store.move(newest, State.READY)
            entry.runs = False


class TwoActors(RuleBasedStateMachine):
    """See the module."""

    connected: Connect

    def __init__(self) -> None:
        super().__init__()
        self.world = World(next(_numbers))
        self.keys = [f"v1:{self.world.number}-{n}" for n in range(KEYS)]
        self.actors = [Actor(self.connected, name, self.world) for name in ("ana", "bob")]

    def act(self, do: Callable[..., None], *about: Any) -> None:
        """One step; what the ledger refuses in words is not done."""
        try:
            do(*about)
        except (StateError, Refused) as error:
            assert error.code in ("key-open", "elsewhere", "no-slot", "budget", "state-moved"), error

    @rule(who=WHO, key=KEY, answer=ANSWER, cancels=st.sampled_from([0, 0, 1]), times=st.sampled_from([1, 2, 3, 8]))
    def go_on(self, who: int, key: int, answer: str, cancels: int, times: int) -> None:
        """What a machine does next about a key, so many times."""
        actor, name = self.actors[who], self.keys[key]
        for _ in range(times):
            if name in actor.claims:
                self.act(*((actor.send, name, answer) if actor.claims[name].has_permit else (actor.permit, name)))
            elif name in actor.accepted:
                self.act(actor.record, name)
            elif name in actor.seen:
                self.act(actor.claim, name)
            else:
                actor.decide(name)
                if name not in actor.seen:
                    self.act(actor.follow, name, cancels == 1)
            self.no_key_is_bought_twice_and_caps_hold()

    @rule(who=WHO, key=KEY)
    def plan(self, who: int, key: int) -> None:
        """What is decided now may be carried out much later."""
        self.actors[who].decide(self.keys[key])

    @rule(who=WHO, key=KEY, what=st.sampled_from(["killed", "frozen", "all frozen", "settles", "looks up"]))
    def happens(self, who: int, key: int, what: str) -> None:
        """What is rarer: one rule, so that purchases are not rare."""
        match what:
            case "killed":
                self.is_killed(who)
            case "frozen":
                self.time_passes((who,))
            case "all frozen":
                self.time_passes((0, 1))
            case "settles":
                self.settle(who)
            case "looks up":
                self.look_up(who, key)

    def is_killed(self, who: int) -> None:
        self.actors[who].restart()
        self.act(self.actors[who].settle)

    def time_passes(self, frozen: tuple[int, ...]) -> None:
        """Longer than a lease and a deadline, in which these were frozen; the others renew theirs."""
        for who, actor in enumerate(self.actors):
            for claim in actor.claims.values():
                claim.is_late = True
            if who in frozen:
                with actor.sql.transaction():
                    values = {"owner": actor.store.owner}
                    actor.sql.execute("UPDATE attempt SET lease_until = 'epoch' WHERE owner = :owner", values)

    def settle(self, who: int) -> None:
        self.act(self.actors[who].settle)
        other = self.actors[1 - who]
        alive = [claim.attempt for claim in other.claims.values() if not claim.is_late]
        states = {a.marker: a.state for key in {attempt.key for attempt in alive} for a in other.store.attempts(key)}
        assert all(states[attempt.marker] is State.SUBMITTING for attempt in alive), "it lives, and is in doubt"

    def look_up(self, who: int, key: int) -> None:
        self.act(self.actors[who].look_up, self.keys[key], self._is_absent)

    def _is_absent(self, attempt: Attempt) -> bool:
        claims = [claim for actor in self.actors for claim in actor.claims.values()]
        return all(claim.attempt.marker != attempt.marker or claim.is_late for claim in claims)

    @invariant()
    def no_key_is_bought_twice_and_caps_hold(self) -> None:
        bought = [task.key for task in self.world.books.values()]
        assert len(bought) == len(set(bought)), "a key was bought twice"
        assert len(bought) * PRICE <= MOST, "the cap was passed"
        assert sum(task.runs for task in self.world.books.values()) <= SLOTS, "the slots were passed"

    def teardown(self) -> None:
        """Both are killed, and one comes back: all that was bought is on record, with its video."""
        try:
            self.time_passes((0, 1))
            ana = self.actors[0]
            ana.restart()
            ana.settle()
            for key in self.keys:
                ana.look_up(key, lambda _: True)
                ana.follow(key, False)
                ana.follow(key, False)
            rows = ana.sql.query("SELECT key FROM generation")
            assert {task.key for task in self.world.books.values()} <= {key for (key,) in rows}, "a purchase was lost"
            open_ = [a for key in self.keys for a in ana.store.attempts(key) if a.state in OPEN | UNDECIDED]
            assert open_ == []
        finally:
            for actor in self.actors:
                actor.sql.close()


def test_two_machines_keep_the_laws_in_any_order(shared_sql: Connect) -> None:
    options = settings(
        max_examples=30, stateful_step_count=15, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )
    machine = type("Played", (TwoActors,), {"connected": staticmethod(shared_sql)})
    run_state_machine_as_test(machine, settings=options)  # type: ignore[no-untyped-call]


def stumble(connected: Connect, stories: int) -> None:
    """The same machine without a search for small stories, which finds what needs a long one sooner."""
    chance = Random(1)
    machine: type[TwoActors] = type("Stumbling", (TwoActors,), {"connected": staticmethod(connected)})
    for _ in range(stories):
        played = machine()
        try:
            for _ in range(25):
                who, key = chance.randrange(2), int(chance.random() < 0.2)
                match chance.randrange(8):
                    case 0:
                        played.plan(who, key)
                    case 1 | 2:
                        what = chance.choice(["killed", "frozen", "all frozen", "settles", "settles", "looks up"])
                        played.happens(who, key, what)
                    case _:
                        answer = chance.choice(["task", "task", "task", "lost", "refused"])
                        played.go_on(who, key, answer, int(chance.random() < 0.1), chance.choice([1, 1, 2, 3, 8]))
        finally:
            played.teardown()


# --- planted bugs -------------------------------------------------------------------------


def everybody_is_an_orphan(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SharedStore, "_orphans", lambda store: super(SharedStore, store)._orphans())


def taken_over_while_it_lives(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "_TAKE", leases._TAKE.replace("lease_until <= clock_timestamp()", "true"))
    patch.setattr(leases, "_ELSEWHERE", "false AND owner <> :owner")


def old_decisions_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SharedStore, "_require_newest", lambda store, new: None)


def no_deadline(patch: pytest.MonkeyPatch) -> None:
    """A sender that was frozen sends all the same."""

    def kept(claim: Claim, name: str, value: object) -> None:
        object.__setattr__(claim, name, False if name == "is_late" else value)

    patch.setattr(Claim, "__setattr__", kept)


def nobody_settles(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SharedStore, "in_doubt_at", lambda store, place: ())
    patch.setattr(SharedStore, "_orphans", lambda store: ())


PLANTED = [
    everybody_is_an_orphan,
    taken_over_while_it_lives,
    old_decisions_count,
    no_deadline,
    nobody_settles,
]


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_breaks_a_law(
    bug: Callable[[pytest.MonkeyPatch], None], shared_sql: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        stumble(shared_sql, 60)
