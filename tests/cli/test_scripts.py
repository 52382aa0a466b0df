"""Scripted sessions: what a user types, what they read, the exit code, and the files they have.

    #  comment             $  command             |  a line of output (stdout and stderr as a terminal shows them)
    [n] exit code          -- PATH --  a file that is there at the start; its text follows

Commands are `clipform …` (run in this process, in the script's own folder) and the few file commands in `TOOLS`.
What differs from run to run is replaced by the filters in `script_kit`. `pytest --update` rewrites the expectations;
the difference is reviewed like code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import script_kit

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_the_session_goes_as_written(script: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    session = script_kit.parse(script.read_text(encoding="utf-8"))
    replayed = script_kit.replay(session, tmp_path)
    if request.config.getoption("--update"):
        script.write_text(script_kit.render(replayed), encoding="utf-8")
        session = script_kit.parse(script.read_text(encoding="utf-8"))
    assert script_kit.render(replayed) == script_kit.render(session)


def test_every_line_of_a_script_is_understood() -> None:
    with pytest.raises(ValueError, match="line 2"):
        script_kit.parse("$ clipform validate\nstray words\n")


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    session = script_kit.parse("$ clipform explain duration\n| nonsense\n")
    assert script_kit.replay(session, tmp_path) != session
