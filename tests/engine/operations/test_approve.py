"""Who may approve what, and when: by the clock, by git, and by what there is to look at."""

from __future__ import annotations

import subprocess

import pytest

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.operations.approve import approve
from reconciler.plan.approvals import Approval
from reconciler.project.approved import listed
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.stories import STORIES


@pytest.fixture
def drafted(sim: Sim) -> Sim:
    """A project that has a vendor's draft, whose final waits."""
    STORIES["drafted"].before(sim)
    sim.apply()
    return sim


def approved(sim: Sim, take: int | None = None) -> tuple[Approval, ...]:
    return approve(sim.workspace, ["hero"], take, "")


def git(sim: Sim, *words: str) -> None:
    subprocess.run(["git", "-C", str(sim.root), *words], check=True, capture_output=True)


def called(sim: Sim, name: str) -> None:
    git(sim, "config", "user.name", name)
    git(sim, "config", "user.email", f"{name}@films")


def test_a_clock_before_the_draft_was_made_approves_nothing(drafted: Sim) -> None:
    drafted.clock.offset -= 86_400
    with pytest.raises(ClipformError, match="before the time when the vendor draft was made") as error:
        approved(drafted)
    assert error.value.code == "clock"
    assert listed(drafted.workspace).approved == ()


def test_a_take_that_is_not_there_is_not_approved(drafted: Sim) -> None:
    with pytest.raises(UsageError, match="hero has no take 2"):
        approved(drafted, take=2)


def test_with_by_other_who_wrote_the_clip_approves_nothing_and_somebody_else_does(drafted: Sim) -> None:
    text = (drafted.root / "clipform.yaml").read_text(encoding="utf-8")
    drafted.write(text.replace("of: vendor_draft", "of: vendor_draft, by: other"))
    git(drafted, "init", "-q")
    called(drafted, "ana")
    with pytest.raises(ClipformError, match="you wrote hero"):  # and has not committed it
        approved(drafted)
    git(drafted, "add", "clipform.yaml")
    git(drafted, "commit", "-qm", "a lamp")
    with pytest.raises(ClipformError, match="you wrote hero"):
        approved(drafted)
    called(drafted, "ben")
    (line,) = approved(drafted)
    assert (line.by, line.author) == ("ben <ben@films>", "ana <ana@films>")
    drafted.apply()
    assert drafted.server.submits("hero") == 1


def test_either_line_of_two_people_counts_and_with_by_other_only_that_of_somebody_else(drafted: Sim) -> None:
    git(drafted, "init", "-q")
    called(drafted, "ana")
    (line,) = approved(drafted)
    called(drafted, "ben")
    assert approved(drafted) == ()  # it is approved
    assert [each.by for each in listed(drafted.workspace).approved] == ["ana <ana@films>"]
    text = (drafted.root / "clipform.yaml").read_text(encoding="utf-8")
    drafted.write(text.replace("of: vendor_draft", "of: vendor_draft, by: other"))
    assert listed(drafted.workspace).unused == (line,)
    drafted.apply()
    assert drafted.server.submits("hero") == 0
