"""The Python API: a program plans, says what it would pay, and has exactly that carried out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import reconciler
from reconciler import EventKind, Program, Refused, SpecError
from reconciler.diagnostics import ClipformError
from reconciler.providers.base import LOCAL
from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator, emulator

CLIPS = {name: {"prompt": f"a {name}"} for name in ("lamp", "sun")}
PRICES = [{"model": "*", "per_second": 0.1}]
BUDGET = {"currency": "USD"}


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))


@pytest.fixture
def film(rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path, vendor: Emulator) -> Rig:
    folder = project("ark", tmp_path / "film", vendor, CLIPS, provider={"prices": PRICES}, budget=BUDGET)
    return rig("ark", folder, vendor)


@pytest.fixture
def program(film: Rig) -> Program:
    return reconciler.open(film.folder)


def test_a_plan_is_carried_out_once_and_paid_once(film: Rig, program: Program) -> None:
    offer = program.plan("lamp")
    assert (offer.cost, offer.currency, offer.unpriced) == (Decimal("0.5"), "USD", 0)
    assert not (film.folder / "state").exists()
    kinds: list[EventKind] = []
    summary = program.apply(offer, max_cost="0.5 USD", on_event=lambda event: kinds.append(event.kind), trust=True)
    assert summary.exit_code == 0 and {EventKind.SUBMITTED, EventKind.SUCCEEDED} <= {*kinds}
    assert (film.folder / "renders/lamp.mp4").is_file() and len(film.ledger()) == 1

    with pytest.raises(Refused) as again:
        program.apply(offer)
    assert again.value.code == "plan-used"
    assert not program.plan("lamp").has_changes and len(film.ledger()) == 1
    assert film.read() == ("", "")  # a library says nothing


def test_what_changed_since_the_plan_is_not_bought(film: Rig, program: Program) -> None:
    offer = program.plan()
    film.edit("a sun", "a moon")
    with pytest.raises(Refused) as refused:
        program.apply(offer, trust=True)
    assert refused.value.code == "stale" and film.ledger() == []


@pytest.mark.parametrize("limit", ["0.9", "0.9 USD", Decimal("0.9"), "5 EUR"])
def test_a_plan_beyond_the_limit_is_refused(film: Rig, program: Program, limit: str | Decimal) -> None:
    with pytest.raises(Refused) as refused:
        program.apply(program.plan(), max_cost=limit, trust=True)
    assert refused.value.code == "budget" and film.ledger() == []


@pytest.mark.parametrize("limit", ["", "much", "-1", "1 US D x"])
def test_a_limit_that_is_no_amount_pays_for_nothing(film: Rig, program: Program, limit: str) -> None:
    with pytest.raises(ClipformError):
        program.apply(program.plan(), max_cost=limit, trust=True)
    assert film.ledger() == []


def test_an_untrusted_project_sends_nothing_until_it_is_agreed_to(
    film: Rig, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_URL", f"{film.vendor.api}/ark")
    film.edit(
        f'"{film.vendor.api}/ark"', '"${env.VENDOR_URL}", "env": ["VENDOR_URL"]'
    )  # a variable in an address is not ordinary
    with pytest.raises(Refused) as refused:
        program.apply(program.plan())
    assert refused.value.code == "untrusted" and film.ledger() == []
    assert program.apply(program.plan(), trust=True).exit_code == 0
    assert len(film.ledger()) == 2


def test_a_mistake_is_raised_with_its_line(film: Rig, program: Program) -> None:
    checked = program.validate()
    assert (checked.clips, checked.takes, checked.files, checked.warnings) == (2, 2, 1, ())
    film.edit('"ratio"', '"ration"')
    with pytest.raises(SpecError) as mistake:
        program.validate()
    [problem] = mistake.value.diagnostics
    assert problem.source is not None and (problem.source.file, problem.source.line) == ("clipform.yaml", 1)


def test_what_commands_show_is_returned(film: Rig, program: Program) -> None:
    program.apply(program.plan("lamp"), trust=True)
    states = {row.clip: row.state for row in program.status()}
    assert states == {"lamp": "ready", "sun": "new"} == film.states()
    assert program.show("lamp") | {"format_version": 1} == film.run("show", "lamp").document
    assert program.plan().document() == film.run("plan").document
    assert [entry.seq for entry in program.history("lamp")] == [
        row["sequence"] for row in film.run("history", "lamp").lines
    ]
    with pytest.raises(ClipformError):
        program.show("*")


def test_an_async_program_gets_its_events_in_its_loop(film: Rig, program: Program) -> None:
    threads: set[int] = set()

    async def main() -> int:
        offer = await program.plan_async()
        summary = await program.apply_async(offer, on_event=lambda _: threads.add(threading.get_ident()), trust=True)
        return summary.exit_code

    assert asyncio.run(main()) == 0
    assert threads == {threading.get_ident()} and len(film.ledger()) == 2


def test_a_cancelled_apply_leaves_its_tasks_and_the_next_one_collects_them(
    rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path
) -> None:
    with emulator("--latency", "2", "--no-render", cwd=tmp_path) as slow:
        film = rig("ark", project("ark", tmp_path / "film", slow, CLIPS), slow)
        program = reconciler.open(film.folder)

        async def main() -> None:
            submitted = asyncio.Event()

            def note(event: reconciler.Event) -> None:
                if event.kind is EventKind.SUBMITTED:
                    submitted.set()

            applying = asyncio.ensure_future(program.apply_async(program.plan("lamp"), on_event=note, trust=True))
            await submitted.wait()
            applying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await applying

        asyncio.run(main())
        assert not (film.folder / "renders/lamp.mp4").exists()
        assert program.apply(program.plan("lamp")).exit_code == 0
        assert (film.folder / "renders/lamp.mp4").is_file() and len(film.ledger()) == 1


def test_drafts_are_free_and_need_nothing(film: Rig, program: Program) -> None:
    offer = program.plan("lamp", draft=True)
    assert offer.cost == 0 and {step.kind for step in offer.steps} == {LOCAL}
    assert film.ledger() == []


def test_a_folder_without_a_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClipformError):
        reconciler.open(tmp_path)
