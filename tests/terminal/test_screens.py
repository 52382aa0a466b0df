"""What each command looks like on a terminal of 80 and of 120 columns. Whoever changes a view looks at the pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terminal.pane import Pane, pane

Kept = Callable[[Pane, str], None]

SCENES = {
    "status": (["status"], 0),
    "plan": (["plan"], 0),
    "show": (["show", "social[ratio=16:9,lang=en]"], 0),
    "show-blocked": (["show", "in-doubt"], 0),
    "graph": (["graph"], 0),
    "models": (["models"], 0),
    "models-that-can": (["models", "--duration", "12", "--audio"], 0),
    "doctor": (["doctor"], 0),
    "explain": (["explain", "duration"], 0),
    "help": (["apply", "--help"], 0),
}


LOOKS = [(scene, 80) for scene in SCENES] + [
    (scene, 120) for scene in SCENES if scene not in ("graph", "explain", "help")
]


@pytest.mark.parametrize(("scene", "columns"), LOOKS)
def test_a_command_looks_like_this(scene: str, columns: int, made: Path, environ: dict[str, str], kept: Kept) -> None:
    arguments, code = SCENES[scene]
    with pane(made, *arguments, columns=columns, rows=140, env=environ) as screen:
        assert screen.end() == code
        assert [line for line in screen.screen.overrun if "objects/" not in line] == []
        kept(screen, f"{scene}-{columns}")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_first_plan_looks_like_this(columns: int, fresh: Path, environ: dict[str, str], kept: Kept) -> None:
    with pane(fresh, "plan", columns=columns, rows=80, env=environ) as screen:
        assert screen.end() == 0
        assert screen.screen.overrun == []
        kept(screen, f"first-plan-{columns}")


@pytest.mark.parametrize("columns", [80, 120])
def test_mistakes_look_like_this(columns: int, tmp_path: Path, made: Path, environ: dict[str, str], kept: Kept) -> None:
    text = (made / "clipform.yaml").read_text(encoding="utf-8")
    text = text.replace("slow pull-out", "${vars.nope} slow").replace("prompt: rain", "promt: rain")
    broken = text.replace("takes: 2", "takes: two").replace("雨夜街道，", "雨夜街道${matrix.town}，")
    (tmp_path / "clipform.yaml").write_text(broken, encoding="utf-8")
    with pane(tmp_path, "validate", columns=columns, env=environ) as screen:
        assert screen.end() == 1
        assert screen.screen.overrun == []
        kept(screen, f"diagnostics-{columns}")


@pytest.mark.parametrize("scene", ["status", "plan", "show-blocked", "doctor"])
def test_colour_says_nothing_that_words_do_not(scene: str, made: Path, environ: dict[str, str]) -> None:
    arguments, _ = SCENES[scene]
    seen = []
    for more in ([], ["--no-color"]):
        with pane(made, *arguments, *more, columns=100, rows=140, env=environ) as screen:
            screen.end()
            seen.append((screen.text, b"\x1b[" in screen.raw))
    (with_colour, coloured), (without, codes) = seen
    assert with_colour == without or scene == "doctor"  # the doctor tells the time
    assert (coloured, codes) == (True, False)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    ("more", "start"),
    [([], r"\d{4}-\d\d-\d\d \d\d:\d\d  \S"), (["--all"], r" *\d+ \d{4}-\d\d-\d\dT")],
    ids=["words", "all"],
)
def test_history_shows_each_event_in_the_width_that_there_is(
    more: list[str], start: str, columns: int, made: Path, environ: dict[str, str]
) -> None:
    with pane(made, "history", "--limit", "12", *more, columns=columns, env=environ) as screen:
        assert screen.end() == 0
        assert screen.screen.overrun == []
        assert sum(bool(re.match(start, line)) for line in screen.text.splitlines()) == 12


def test_what_apply_did_is_left_on_the_screen_and_nothing_of_its_progress(made: Path) -> None:
    text = (made / "apply.txt").read_text(encoding="utf-8")
    assert "hero: made renders/hero.mp4 in" in text and "poster[city=北京]: restored" in text
    assert "queued" not in text and "[###" not in text and "[---" not in text
    assert text.count("failed   at-the-mercy-of-the-moderation") == 1
    assert "    next: clipform resolve in-doubt --task ID" in text
    assert "Done: 9 clips (10 takes) made, 1 placed for free, 1 failed, 1 blocked in" in text
    assert "Cost: up to 4.50 USD and" in text.replace("\n    ", " ")
