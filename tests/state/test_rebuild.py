"""The event log is the truth: whatever was done, the tables are what a replay of the log makes of it (I12, I20)."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from state_kit import Maker, dump, memory_store, result

from reconciler.diagnostics import StateError
from reconciler.records import BLOCKED, MOVES, OPEN, Attempt, Binding, Placed, State
from tests.state.replay import rebuild

NAMES = st.sampled_from(["a", "b", "c"])


class Walk(RuleBasedStateMachine):
    """Random commands; after each, one open attempt per key at most and a state that a rebuild does not change."""

    def __init__(self) -> None:
        super().__init__()
        self.store = memory_store()
        self.maker = Maker(self.store)

    def teardown(self) -> None:
        self.store.close()

    def attempts(self) -> list[Attempt]:
        return list(self.store.snapshot().attempts.values())

    @rule(name=NAMES, cost=st.none() | st.integers(0, 9), run=st.integers(0, 2))
    def begin(self, name: str, cost: int | None, run: int) -> None:
        known = self.store.snapshot().attempts.get(f"v1:{name}")
        try:
            self.maker.attempt(key=f"v1:{name}", clip=name, cost_micros=cost, currency="USD", run=run)
        except StateError as error:
            assert error.code == "key-open"
            assert known is not None
            assert known.state in OPEN | BLOCKED

    @precondition(lambda self: any(attempt.state in MOVES for attempt in self.attempts()))
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from([found for found in self.attempts() if found.state in MOVES]))
        self.maker.step(attempt, data.draw(st.sampled_from(sorted(MOVES[attempt.state]))))

    @precondition(lambda self: self.attempts())
    @rule(data=st.data())
    def move_illegally(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.attempts()))
        goals = [state for state in State if state not in MOVES.get(attempt.state, ())]
        before = dump(self.store)
        try:
            self.store.move(attempt, data.draw(st.sampled_from(goals)))
        except StateError:
            assert dump(self.store) == before
        else:
            raise AssertionError("an illegal move was written")

    @precondition(lambda self: self.attempts())
    @rule(data=st.data())
    def adopt_or_drop(self, data: st.DataObject) -> None:
        artifact, generation = result(data.draw(st.sampled_from(self.attempts())), data.draw(NAMES) * 64)
        if data.draw(st.booleans()):
            self.store.adopt(generation, artifact)
        else:
            self.store.drop_artifact(artifact.sha256)

    @rule(name=NAMES, take=st.integers(1, 2), gone=st.booleans())
    def outputs(self, name: str, take: int, gone: bool) -> None:
        if gone:
            self.store.desk.unbind(name, take)
            self.store.desk.record_unplaced(f"{name}.mp4")
        else:
            self.store.desk.bind(Binding(name, take, f"v1:{name}", f"{name}.mp4"))
            self.store.desk.record_placed(Placed(f"{name}.mp4", name * 64, take, 2, 3))

    @rule()
    def restart(self) -> None:
        self.store.recover_orphans(except_kinds=("draft",))

    @invariant()
    def a_replay_gives_the_same_tables(self) -> None:
        before = dump(self.store)
        rebuild(self.store)
        assert dump(self.store) == before


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
