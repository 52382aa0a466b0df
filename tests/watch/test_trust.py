"""What a project asks for is answered before a watch begins. What an edit adds sends nothing before it is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.watch.conftest import edit, tasks
from tests.watch.terminal import on_pipes, on_terminal

STORE = "publish: {store: 's3://media', endpoint: 'https://away.invalid'}\n"
LINE = "s3://media at https://away.invalid gets local media \\(publish\\)"


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "clipform" / "trust.json"


@pytest.mark.parametrize("name", ["watch", "ui"])
def test_nobody_answers_so_it_does_not_begin(name: str, paid: Path, vendor: Emulator) -> None:
    edit(paid, "budget:", f"{STORE}budget:")
    before = tasks(vendor)
    options = ["--yes", "--max-cost", "1"] if name == "watch" else ["--no-open"]
    with on_pipes(paid, *options, name=name) as talk:
        assert talk.end() == 4
    assert '"untrusted"' in talk.said
    assert f"clipform -C {paid} trust" in talk.said
    assert tasks(vendor) == before


@pytest.mark.parametrize("name", ["watch", "ui"])
def test_the_option_answers(name: str, paid: Path, memory: Path) -> None:
    edit(paid, "budget:", f"{STORE}budget:")
    with on_pipes(paid, "--trust", name=name) as talk:
        talk.event(event="meter")
    assert "s3://media" in memory.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["watch", "ui", "apply", "trust"])
def test_an_answer_is_typed_at_a_terminal(name: str, paid: Path, vendor: Emulator, memory: Path) -> None:
    edit(paid, "budget:", f"{STORE}budget:")
    before, options = tasks(vendor), ["--yes"] if name == "apply" else []
    for answer in ("no\n", "y\ny\n", "\n\n"):
        with on_terminal(paid, *options, name=name) as screen:
            screen.until(rf"{LINE}.*Trust it with that\? Type 'yes' to continue: ")
            screen.press(answer)
            assert screen.end() == 4
        assert "nothing was sent" in screen.said
    assert not memory.exists()
    assert tasks(vendor) == before
    with on_terminal(paid, *options, name=name) as screen:
        screen.until("Trust it with that")
        screen.press("yes\n")
        if name in ("watch", "ui"):
            screen.until(r"Waiting: 1 clip.*\[q\] quit")
            screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + (name == "apply")
    assert "s3://media" in memory.read_text(encoding="utf-8")


def test_what_an_edit_adds_is_shown_and_a_key_sends_nothing_before_it_is_trusted(paid: Path, vendor: Emulator) -> None:
    before = tasks(vendor)
    with on_terminal(paid) as screen:
        screen.until(r"create +hero .*\[q\] quit")
        edit(paid, "budget:", f"{STORE}budget:")
        screen.until(rf"This project asks for\n.*{LINE}.*\[q\] quit")
        screen.press("a")
        screen.until(r"error: this project asks for what is not trusted.*clipform -C [^\n]* trust")
        assert tasks(vendor) == before
        with on_terminal(paid, name="trust") as beside:
            beside.until("Trust it with that")
            beside.press("yes\n")
            assert beside.end() == 0
        screen.press("a")
        screen.until(r"hero: made renders/hero.mp4.*Watching\.")
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before + 1


def test_what_an_edit_adds_is_not_paid_for_by_itself(paid: Path, vendor: Emulator) -> None:
    edit(paid, "clips:\n  hero: {prompt: a lamp}\n", "clips: {}\n")
    before = tasks(vendor)
    with on_pipes(paid, "--yes", "--max-cost", "1") as talk:
        talk.event(event="meter")
        edit(paid, "clips: {}\n", f"{STORE}clips:\n  hero: {{prompt: a lamp}}\n")
        talk.until('"untrusted"[^\n]*\n')
        talk.event(event="meter")
        assert tasks(vendor) == before


def test_a_broken_project_begins_and_is_asked_about_when_it_is_whole(paid: Path, vendor: Emulator) -> None:
    edit(paid, "budget:", f"{STORE}budget:")
    edit(paid, "prompt", "promt")
    before = tasks(vendor)
    with on_terminal(paid) as screen:
        screen.until("unknown key 'promt'")
        edit(paid, "promt", "prompt")
        screen.until(r"Waiting: 1 clip.*\[q\] quit")
        screen.press("a")
        screen.until(r"not trusted on this machine")
        screen.press("q")
        assert screen.end() == 0
    assert tasks(vendor) == before


def test_drafts_are_not_asked_about(paid: Path) -> None:
    edit(paid, "budget:", f"{STORE}budget:")
    with on_pipes(paid, "--draft") as talk:
        talk.event(event="meter")
