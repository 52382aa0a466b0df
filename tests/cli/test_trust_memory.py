"""What a user trusts is remembered, also when two commands remember at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from reconciler.api.trust_memory import TrustMemory
from reconciler.plan.model import Demand

PROJECTS = [Path(f"/films/{number}") for number in range(40)]
DEMAND = Demand("https://api.example.com", "gets KEY")


def remembered(home: Path) -> set[str]:
    env = {"HOME": str(home)}
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda root: TrustMemory(env).add(root, [DEMAND]), PROJECTS))
    return {*TrustMemory(env).projects()}


def test_commands_that_remember_at_once_forget_nothing(tmp_path: Path) -> None:
    assert remembered(tmp_path) == {*map(str, PROJECTS)}


def test_without_taking_turns_something_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".config/clipform").mkdir(parents=True)
    both, read = threading.Barrier(2, timeout=60), TrustMemory.projects
    env = {"HOME": str(tmp_path)}

    def slowly(memory: TrustMemory) -> dict[str, list[str]]:
        projects = read(memory)
        both.wait()  # each has read before the other writes
        return projects

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(TrustMemory, "_turn", lambda self: nullcontext())
        patch.setattr(TrustMemory, "projects", slowly)
        assert all(pool.map(lambda root: TrustMemory(env).add(root, [DEMAND]), PROJECTS[:2]))
    assert len(TrustMemory(env).projects()) == 1


def test_without_a_home_nothing_is_remembered() -> None:
    memory = TrustMemory({})
    assert not memory.add(Path("/films"), [DEMAND]) and not memory.forget(Path("/films"))
    assert memory.missing(Path("/films"), [DEMAND]) == [DEMAND]
