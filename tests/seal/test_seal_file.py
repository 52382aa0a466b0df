"""What is answered, and what becomes of a seal that is damaged, foreign, racy, or cannot be written."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import chdir
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from reconciler import seal
from reconciler.cli.app import main
from reconciler.project.model import Planned
from reconciler.project.workspace import Workspace
from reconciler.providers import plugins
from reconciler.providers.uniall.dialect import Uniall
from reconciler.seal import facts, keep
from reconciler.state.lock import Lock
from tests.seal.changes import CHANGES
from tests.seal.film import Film

SERVED = (("plan",), ("plan", "--detailed-exitcode"), ("validate",), ("apply", "--yes"), ("plan", "--no-color"))


@pytest.fixture
def file(film: Film) -> Path:
    return film.path("state/seal")


@pytest.mark.parametrize("command", SERVED, ids=" ".join)
def test_an_answer_is_what_the_program_writes(command: tuple[str, ...], film: Film) -> None:
    film.seal(*command)
    assert film.front(*command) == film.whole(*command)


def test_one_full_plan_makes_a_seal(film: Film) -> None:
    commands = (["plan"], ["plan"], ["plan", "--detailed-exitcode"])
    assert [film.asked(*words) for words in commands] == [False, True, True]
    assert [film.asked("validate") for _ in range(2)] == [False, True]
    assert [film.asked("apply", "--yes") for _ in range(2)] == [False, True]


class Studio(Uniall):
    """A kind of another package, however its module is called."""

    kind = "studio"
    __module__ = "reconciler.studio"


def test_a_project_with_a_kind_of_another_package_has_no_answers(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("studio", f"{__name__}:Studio", plugins.GROUP)
    monkeypatch.setattr(plugins, "entries", lambda group=plugins.GROUP: {"studio": (entry,)})
    specs = film.path("clipform.yaml")
    text = specs.read_text(encoding="utf-8")
    specs.write_text(text.replace("providers:\n", "providers:\n  other: {kind: studio}\n"), encoding="utf-8")
    assert [film.asked("plan") for _ in range(4)] == [False] * 4
    specs.write_text(text.replace("providers:\n", "providers:\n  other: {kind: uniall}\n"), encoding="utf-8")
    film.seal("plan")


def test_from_elsewhere_the_answer_names_the_folder(film: Film) -> None:
    words = ("-C", str(film.root), "plan")
    film.seal("plan")
    film.root = film.root.parent
    assert not film.asked(*words)
    assert film.asked(*words)
    assert film.front(*words) == film.whole(*words)


@pytest.mark.parametrize(
    "words",
    [("plan", "hero"), ("plan", "--since", "HEAD"), ("plan", "--json"), ("plan", "--draft"), ("plan", "--refresh"),
     ("-v", "plan"), ("plan", "--var", "a=b"), ("--env", "x", "plan"), ("apply",), ("apply", "--yes", "--locked"),
     ("status",), ()],
    ids=" ".join,
)  # fmt: skip
def test_nothing_else_is_answered(words: tuple[str, ...], film: Film) -> None:
    film.seal("plan")
    assert seal.answer(list(words)) is None


def test_it_holds_no_value_of_the_environment(film: Film, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film.seal("plan")
    text = file.read_text(encoding="utf-8")
    assert "SEAL_HOST" in text and "a.example.com" not in text
    monkeypatch.setattr(facts, "machine", lambda: b"")
    file.unlink()
    film.front("plan")
    assert not file.exists()  # nothing would hide a value that can be guessed


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_seal_is_replaced(seed: int, film: Film, file: Path) -> None:
    film.seal("plan")
    sound = file.read_bytes()
    chance = random.Random(seed)
    for _ in range(100):
        place, bit = chance.randrange(len(sound)), 1 << chance.randrange(8)
        flipped = bytes([*sound[:place], sound[place] ^ bit, *sound[place + 1 :]])
        file.write_bytes(chance.choice([flipped, sound[:place], sound[place:], sound + sound[:place]]))
        os.chdir(film.root)
        assert seal.answer(["plan"]) is None
    film.seal("plan")


def _forged(file: Path, change: str, value: object) -> bytes:
    body = json.loads(file.read_bytes().partition(b"\n")[2])
    body[change] = value
    written = json.dumps(body).encode()
    return f"{facts.keyed(written)}\n".encode() + written


@pytest.mark.parametrize("value", [2, "1", None, [], {}], ids=repr)
def test_a_seal_of_another_format_is_replaced(value: object, film: Film, file: Path) -> None:
    film.seal("plan")
    file.write_bytes(_forged(file, "format", value))
    assert not film.asked("plan")
    film.seal("plan")


def test_a_seal_of_another_machine_does_not_count(film: Film, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film.seal("plan")
    monkeypatch.setattr(facts, "machine", lambda: b"0" * 32)
    assert not film.asked("plan")


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x1b[2J", "a\rb", "\u202e", "\x1b[1A"], ids=repr)
def test_an_answer_that_would_change_the_terminal_is_not_written(text: str, film: Film, file: Path) -> None:
    film.seal("plan")
    answers = json.loads(file.read_bytes().partition(b"\n")[2])["answers"]
    file.write_bytes(_forged(file, "answers", {question: [[1, f"{text}\n"]] for question in answers}))
    assert film.front("plan") == film.whole("plan")


@pytest.mark.parametrize("answers", [[[1, 2]], [[3, "a"]], [[1]], "a", [[None, "a"]], {"a": 1}], ids=repr)
def test_an_answer_of_another_shape_is_not_written(answers: object, film: Film, file: Path) -> None:
    film.seal("plan")
    kept = json.loads(file.read_bytes().partition(b"\n")[2])["answers"]
    file.write_bytes(_forged(file, "answers", dict.fromkeys(kept, answers)))
    assert film.front("plan") == film.whole("plan")


def test_a_linked_seal_is_not_read(film: Film, file: Path) -> None:
    film.seal("plan")
    file.rename(film.root.parent / "seal")
    file.symlink_to(film.root.parent / "seal")
    before = (film.root.parent / "seal").read_bytes()
    assert film.front("plan") == film.whole("plan")
    assert (film.root.parent / "seal").read_bytes() == before


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_no_seal(make: object, film: Film, file: Path) -> None:
    assert callable(make)
    make(file)
    assert film.front("plan") == film.whole("plan")


def test_a_state_that_cannot_be_written_works_without_it(
    film: Film, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("reconciler.state.disk.replace", refuse)
    assert film.front("plan") == film.whole("plan")
    assert not file.exists()


def test_a_plan_with_changes_is_never_sealed(film: Film, file: Path) -> None:
    film.path("renders/hero.mp4").unlink()
    for _ in range(3):
        assert not film.asked("plan", "--detailed-exitcode")
    assert not file.exists()


def test_what_changed_in_the_last_two_seconds_is_not_trusted(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(keep, "RACY_NS", 2_000_000_000)
    film.path("clips/a.yaml").touch()
    monkeypatch.setattr(time, "time_ns", lambda: now + 1_900_000_000)
    assert [film.asked("plan") for _ in range(4)] == [False] * 4
    monkeypatch.setattr(time, "time_ns", lambda: now + 60_000_000_000)
    assert [film.asked("plan") for _ in range(2)] == [False, True]


def test_with_a_clock_behind_the_files_there_is_no_seal(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time_ns() - 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: before)
    assert [film.asked("plan") for _ in range(4)] == [False] * 4


DURING = sorted(
    name for name, (kind, _) in CHANGES.items() if kind in ("specs", "links", "patterns", "outputs", "objects")
)


@pytest.mark.parametrize(("name", "runs"), [*((name, 0) for name in DURING), *((name, 1) for name in DURING[::5])])
def test_what_changes_during_the_run_is_not_sealed(
    name: str, runs: int, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the run that would make the seal, or add to it, after the plan was made and before it is printed."""
    for _ in range(runs):
        film.front("validate")
        film.front("plan")
    plan = Workspace.plan

    def then(workspace: Workspace, *given: Any, **named: Any) -> Planned:
        planned = plan(workspace, *given, **named)
        CHANGES[name][1](film, monkeypatch)
        return planned

    monkeypatch.setattr(Workspace, "plan", then)
    film.front("apply", "--yes") if runs else film.front("plan")
    monkeypatch.setattr(Workspace, "plan", plan)
    for command in (["plan"], ["validate"]):
        assert film.front(*command) == film.whole(*command)


def test_where_folders_keep_no_times_nothing_is_answered(film: Film, file: Path) -> None:
    """There a folder could lose a file and stay as it was."""
    film.seal("plan")
    os.utime(film.path("state"), ns=(0, file.stat().st_mtime_ns - 1))
    assert [film.asked("plan") for _ in range(2)] == [False, True]


def test_an_apply_is_answered_only_under_the_lock(film: Film) -> None:
    film.seal("apply", "--yes")
    with Lock(film.path("state"), "watch", time.time):
        code, _, message = film.front("apply", "--yes")
        assert (code, "the state is in use by 'watch'" in message) == (5, True)
        assert film.asked("plan")
    assert film.asked("apply", "--yes")
    assert film.path("state/lock").read_bytes() == b""


def test_the_same_facts_are_not_written_twice(film: Film, file: Path) -> None:
    """A run that only looks, as under a racy clock or without the front door, leaves the file as it is."""
    stamps = []
    for _ in range(4):
        seal.Checked.seal = None
        with chdir(film.root):
            sys.argv[1:] = ["apply", "--yes"]
            assert main() == 0
        stamps.append(file.stat())
    assert stamps[2:] == [stamps[1]] * 2


def test_an_apply_that_wrote_something_is_not_an_answer(film: Film) -> None:
    film.seal("plan")
    film.path("clipform.lock").unlink()
    film.seal("plan")
    assert not film.asked("apply", "--yes")
    assert film.path("clipform.lock").exists()


_SEAL = """\
from reconciler.__main__ import main
from reconciler.seal import keep
keep.RACY_NS = 0
main()
"""
_LIST = """\
import sys
from reconciler.__main__ import _answer
code = _answer(sys.argv[1:])
print(code, *sorted(sys.modules), file=sys.stderr)
"""
_SLOW = {"typing", "pathlib", "dataclasses", "hashlib", "inspect", "asyncio", "pydantic", "yaml"}
_LOOK = {"", ".__main__", ".project", ".project.git_index", ".project.listing", ".project.program", ".seal"}
_LOOK |= {".seal.facts", ".spec", ".spec.patterns", ".state", ".state.paths"}


@pytest.mark.parametrize(("words", "lock"), [(["plan"], set()), (["apply", "--yes"], {".state.lock"})], ids=str)
def test_an_answer_loads_the_look_the_lock_and_nothing_slow(words: list[str], lock: set[str], film: Film) -> None:
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _SEAL, *words], cwd=film.root, check=True, capture_output=True)
    command = [sys.executable, "-c", _LIST, *words]
    ended = subprocess.run(command, cwd=film.root, check=True, capture_output=True, text=True)
    code, *modules = ended.stderr.splitlines()[-1].split()
    assert code == "0"
    assert {name.removeprefix("reconciler") for name in modules if name.startswith("reconciler")} == _LOOK | lock
    assert _SLOW.isdisjoint(modules)


def test_a_seal_without_its_folder_makes_none(film: Film) -> None:
    film.seal("apply", "--yes")
    film.path("state").rename(film.root.parent / "moved")
    assert seal.answer(["apply", "--yes"]) is None
    assert not film.path("state").exists()
