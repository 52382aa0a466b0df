"""What `resolve` asks about requests of which nobody knows if they arrived, and what it did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.events import take_name
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import Action, Cost, Plan, Reason, Step, Wanted
from reconciler.plan.remedies import describe_attempt, paid_in_full
from reconciler.records import Attempt
from reconciler.views.format import plan_total


@dataclass(frozen=True, slots=True)
class Question:
    """`wanted` are the takes that the project declares, `is_one` is false for all requests of several clips."""

    wanted: tuple[Wanted, ...]
    is_one: bool
    resubmit: bool

    @property
    def text(self) -> str:
        """What a person answers."""
        return "It counts as paid in full." if self.is_one else "Settle all of them?"

    def lines(self, attempts: Sequence[Attempt]) -> list[str]:
        """What a person reads before the question."""
        if self.is_one:
            lines = [f"{self._name(each)}: {describe_attempt(each)}" for each in attempts]
            return [*lines, f"The next apply sends it again ({self._estimate(attempts)})."] if self.resubmit else lines
        listed = [f"- {self._name(each)}: {describe_attempt(each)}" for each in attempts]
        return [*listed, paid_in_full(attempts), *self._again(attempts)]

    def answer(self, attempts: Sequence[Attempt], next_lines: Iterable[str]) -> tuple[str, dict[str, object]]:
        """What was done, as a text and as JSON values."""
        if not self.is_one:
            text = f"{len(attempts)} requests are settled. {command('plan')} shows what follows and its cost."
            return " ".join([text, *self._again(attempts)]), {"clips": [each.clip for each in attempts]}
        [attempt] = attempts
        name, facts = self._name(attempt), {"clip": attempt.clip}
        if self.resubmit:
            text = f"{name} can be generated again: {command('apply')} sends it ({self._estimate(attempts)})."
            return text, {**facts}
        return "\n".join([f"{name} is abandoned.", *(f"- {line}" for line in next_lines)]), {**facts}

    def _again(self, attempts: Sequence[Attempt]) -> list[str]:
        return [f"The next apply sends them again ({self._estimate(attempts)})."] if self.resubmit else []

    def _name(self, attempt: Attempt) -> str:
        """Return the take of an attempt as every command writes it."""
        takes = max((w.takes for w in self.wanted if w.clip == attempt.clip), default=1)
        return take_name(attempt.clip, attempt.take, takes)

    def _estimate(self, attempts: Sequence[Attempt]) -> str:
        """Return what it costs to send requests again, at the prices of today."""
        costs = {w.key: w.cost for w in self.wanted}
        again = [(each, costs.get(each.key, Cost(None))) for each in attempts]
        steps = (Step(a.clip, a.take, Action.CREATE, Reason.SEND_AGAIN, a.key, cost=cost) for a, cost in again)
        return f"estimate: {plan_total(Plan(tuple(steps), currency=again[0][1].currency))}"
