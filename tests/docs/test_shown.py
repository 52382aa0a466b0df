"""What a page shows is what the program does: its console blocks are run, its generated parts are made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.console import Player, commands
from tests.docs.generate import PARTS
from tests.docs.pages import PAGES, blocks, name, parts, read, with_parts

SHOWING = [page for page in PAGES if any(parts(read(page))) or any(block.verb == "run" for block in blocks(read(page)))]


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Player]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "you")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "you@example.com")
    for variable in ("STUDIO_KEY", "ARK_API_KEY", "CLIPFORM_EMULATOR_KEY"):
        monkeypatch.setenv(variable, "rehearsal")
    player = Player(tmp_path)
    yield player
    player.close()


@pytest.mark.parametrize("page", SHOWING, ids=name)
def test_a_page_shows_what_the_program_does(page: Path, player: Player, request: pytest.FixtureRequest) -> None:
    text = read(page)
    fresh = player.page(with_parts(text, {part: f"\n{PARTS[part]().strip()}\n\n" for part, _ in parts(text)}))
    if request.config.getoption("--update") and fresh != text:
        page.write_text(fresh, encoding="utf-8")
        text = fresh
    assert fresh == text


def test_every_part_that_can_be_made_is_in_a_page() -> None:
    assert {part for page in PAGES for part, _ in parts(read(page))} == PARTS.keys()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_console_block_says_where_it_runs(page: Path) -> None:
    for block in blocks(read(page)):
        if block.language == "console":
            assert block.verb == "run" and block.argument and commands(block.text), f"{name(page)}:{block.line}"


def test_a_wrong_output_and_a_hidden_exit_code_are_noticed(player: Player) -> None:
    wrong = "<!-- run: film -->\n```console\n$ clipform explain duration\nnonsense\n```\n"
    assert player.page(wrong) != wrong
    hidden = "<!-- run: film -->\n```console\n$ clipform plan\n```\n"
    with pytest.raises(AssertionError, match="exit code 1 is not shown"):
        player.page(hidden)
