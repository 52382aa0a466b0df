"""What a provider says goes into records and messages without its links and secrets."""

from __future__ import annotations

import pytest

from reconciler.providers.base import Accepted, NotSent, Refusal, Rejected, Reply, SubmitAnswer, Unknown
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import Fake

LINK = "https://files.invalid/a.png?X-Tos-Signature=canary7f3a9&X-Tos-Expires=60"
SAID = f"the picture at {LINK} cannot be read, api_key=canary7f3a9"

ANSWERS = {
    "refused": Rejected(Refusal.INPUT, SAID, SAID),
    "not sent": NotSent(SAID),
    "unknown": Unknown(SAID),
    "accepted with a warning": Accepted("task-1", SAID),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_to_a_submit_is_kept_and_told_without_the_query_of_its_links(
    name: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_submit(self: Fake, reply: Reply) -> SubmitAnswer:
        return ANSWERS[name]

    monkeypatch.setattr(Fake, "read_submit", read_submit)
    sim.apply()
    told = f"{sim.notes.text()}\n{[attempt.message for attempt in sim.attempts()]}"
    assert "https://files.invalid/a.png?[redacted]" in told
    assert "canary7f3a9" not in told
    for path in sim.root.rglob("*"):
        assert not path.is_file() or b"canary7f3a9" not in path.read_bytes()
