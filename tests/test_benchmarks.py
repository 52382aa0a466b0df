"""The benchmark of a run with nothing to do: its cases run, and its table of bars shows a miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bars, nothing_to_do


@pytest.mark.timeout(300)
def test_a_run_at_100_clips_measures_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    nothing_to_do.main(["--sizes", "100", "--rounds", "0", "--peers", "make"])
    printed = capsys.readouterr()
    rows = [line.split("|") for line in printed.out.splitlines() if line.startswith("| `")]
    assert {cells[1].strip() for cells in rows if " s · " in cells[2]} == {
        bars.BARE, bars.VERSION, bars.HELP, bars.TAB, bars.VALIDATE, bars.PLAN, bars.APPLY, bars.UNSEALED, bars.EDITED,
        bars.STATUS, bars.JSON, bars.COLD, bars.MAKE,
    }  # fmt: skip
    assert "left out" not in printed.err


def test_a_bar_is_met_up_to_its_figure_and_missed_above_it() -> None:
    wall = {(bars.LARGE, name): 1.0 for name in (bars.BARE, *bars.SEALED)} | {(bars.LARGE, bars.NINJA): 0.5}
    assert _bar(wall, bars.NINJA).endswith("| 2 | ≤ 2 | met |")
    wall[bars.LARGE, bars.APPLY] = 1.01
    assert _bar(wall, bars.NINJA).endswith("| 2.02 | ≤ 2 | **missed** |")


def test_growth_is_the_exponent_between_the_last_two_sizes() -> None:
    wall = {(9, bars.STATUS): 0.5, (1_000, bars.STATUS): 1.0, (10_000, bars.STATUS): 10.0}
    assert bars.exponent(wall, bars.STATUS, (9, 1_000, 10_000)) == pytest.approx(1.0)
    assert bars.exponent(wall, bars.JSON, (9, 1_000, 10_000)) is None


def test_the_picture_of_the_same_figures_has_the_same_bytes(tmp_path: Path) -> None:
    from benchmarks import plot  # its library takes longer to load than all of ours

    wall = {(size, bars.PLAN): size / 1000 for size in (9, 1_000, 10_000)}
    for name in ("a.svg", "b.svg"):
        plot.write(tmp_path / name, wall)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"<path" in (tmp_path / "a.svg").read_bytes()


def _bar(wall: dict[tuple[int, str], float], divisor: str) -> str:
    [row] = [row for row in bars.table_of(wall, {}).splitlines() if f"÷ {divisor}" in row]
    return row
