"""Random user sessions: hypothesis draws the steps, and shrinks a broken promise to a short story.

The model is the vendor's ledger and the consents that the user gave; the judge runs after every step.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.commands.base import SWEEP
from tests.reliability.commands.runs import Runs
from tests.reliability.commands.user import User
from tests.reliability.figures import Tally


class Commands(User, Runs):
    """All steps."""


def play(tally: Tally, first: int, examples: int, steps: int = 20) -> None:
    """So many stories from a seed. A broken promise is a line of the tally, with the shortest story found."""
    machine = seed(first)(type("Seeded", (Commands,), {"tally": tally}))
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=profile)
    except Exception as error:  # noqa: BLE001  # whatever ends a story early is a finding
        found = error.args[0] if error.args and isinstance(error.args[0], list) else [f"commands: {error!r}"]
        notes = "\n".join(getattr(error, "__notes__", ())).splitlines()
        story = "; ".join(line.partition("state.")[2] for line in notes if "state." in line)
        tally.broken += [f"{text} [{SWEEP}: seed {first}: {story}]" for text in found]
