"""Every call of the Python API on a project that nobody trusts: what it refuses, and that none of them buys.

The project has bought one clip while it was trusted. It has no shared cache and no git, and one stored file that
nothing needs.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler import Choice, Program, Refused
from reconciler.api.trust_memory import TrustMemory
from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError
from reconciler.spec.project import ProjectOverlay
from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator

CLIPS = {name: {"prompt": f"a {name}", "takes": 2} for name in ("lamp", "sun")}


def no(*asked: object) -> None:
    """The answer of a person who is asked."""
    raise Refused("no", code="answered-no")


def yes(*asked: object) -> None:
    pass


def poster(program: Program) -> object:
    with program.posters(program.look(), []) as pictures:
        return pictures


Call = Callable[[Program, Path], object]
TABLE: dict[str, tuple[str, Call]] = {
    # Reads; nobody is asked, and nothing is sent.
    "find": ("", lambda p, f: Program.find(p.root, SystemClock(), os.environ, ProjectOverlay())),
    "workspace": ("", lambda p, f: p.workspace()),
    "names": ("", lambda p, f: p.names("l*")),
    "validate": ("", lambda p, f: p.validate()),
    "wanted": ("", lambda p, f: p.wanted()),
    "plan": ("", lambda p, f: p.plan()),
    "plan_async": ("", lambda p, f: asyncio.run(p.plan_async())),
    "save_plan": ("", lambda p, f: p.save_plan(f / "my.plan")),
    "plan_into": ("", lambda p, f: p.plan_into(f)),
    "since": ("no-repository", lambda p, f: p.since("HEAD", p.plan())),
    "look": ("", lambda p, f: p.look()),
    "status": ("", lambda p, f: p.status()),
    "show": ("", lambda p, f: p.show("lamp")),
    "artifacts": ("", lambda p, f: p.artifacts()),
    "history": ("", lambda p, f: p.history("lamp")),
    "spending": ("", lambda p, f: p.spending("lamp")),
    "records": ("", lambda p, f: p.records()),
    "attempts": ("", lambda p, f: p.attempts(p.plan("lamp").steps[0].key)),
    "inspect": ("", lambda p, f: p.inspect(p.root / "renders/lamp.mp4")),
    "poster": ("", lambda p, f: p.poster("lamp")),
    "posters": ("", lambda p, f: poster(p)),
    "approvals": ("", lambda p, f: p.approvals()),
    "verify": ("", lambda p, f: p.verify()),
    # Providers and stores are asked, or something is bought: not before the project is trusted.
    "apply": ("untrusted", lambda p, f: p.apply(p.plan())),
    "apply_async": ("untrusted", lambda p, f: asyncio.run(p.apply_async(p.plan()))),
    "apply_confirmed": ("untrusted", lambda p, f: p.apply_confirmed(Choice(), yes)),
    "cancel": ("untrusted", lambda p, f: p.cancel("lamp")),
    "import_task": ("untrusted", lambda p, f: p.import_task("sun", "t-1")),
    "push": ("untrusted", lambda p, f: p.push(Choice())),
    "pull": ("untrusted", lambda p, f: p.pull(Choice())),
    "gc_remote": ("untrusted", lambda p, f: p.gc_remote(yes, older_than=0, refs="*")),
    "doctor": ("untrusted", lambda p, f: p.doctor(online=True)),
    # A person has to agree to what it would do.
    "approved_plan": ("not-approved", lambda p, f: p.approved_plan(f / "my.plan")),
    "approve_plan": ("answered-no", lambda p, f: p.approve_plan(f / "my.plan", no, f / "key")),
    "destroy": ("answered-no", lambda p, f: p.destroy(Choice(), no)),
    "gc": ("answered-no", lambda p, f: p.gc(no)),
    "forget": ("answered-no", lambda p, f: p.forget(p.plan("lamp").steps[0].key, no)),
    # Nothing is uncertain, missing or claimed here: there is nothing to ask anybody about.
    "settle": ("", lambda p, f: p.settle()),
    "fetch": ("", lambda p, f: p.fetch(Choice())),
    "recover": ("", lambda p, f: p.recover()),
    "release": ("", lambda p, f: p.release("lamp", None, no)),
    "resolve": ("error", lambda p, f: p.resolve(["lamp"], yes, resubmit=True)),
    "adopt": ("error", lambda p, f: p.adopt("lamp", "t-1", 1, None)),
    # Edits of the files; what they bring about is planned and paid for later. Nothing here has a seam or a version.
    "approve": ("unseen", lambda p, f: p.approve(["lamp"])),
    "disapprove": ("", lambda p, f: p.disapprove(["lamp"])),
    "pick": ("", lambda p, f: p.pick("lamp", 2)),
    "retake": ("", lambda p, f: p.retake("sun")),
    "undo": ("no-version", lambda p, f: p.undo("lamp")),
    "freeze": ("error", lambda p, f: p.freeze("lamp")),
    "thaw": ("error", lambda p, f: p.thaw("lamp")),
    "import_file": ("", lambda p, f: p.import_file("sun", p.root / "renders/lamp.mp4")),
    "format": ("", lambda p, f: p.format()),
}


@pytest.fixture
def film(
    rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path, vendor: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    monkeypatch.setenv("VENDOR_URL", f"{vendor.api}/ark")
    film = rig("ark", project("ark", tmp_path / "film", vendor, CLIPS), vendor)
    film.edit(f'"{vendor.api}/ark"', '"${env.VENDOR_URL}", "env": ["VENDOR_URL"]')
    program = reconciler.open(film.folder)
    assert program.apply(program.plan("lamp"), trust=True).exit_code == 0
    TrustMemory(os.environ).forget(film.folder)
    stray = film.folder / "state/objects/aa" / f"aa{'0' * 62}.mp4"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"nothing needs it")
    yield film


def outcome(call: Call, program: Program, folder: Path) -> str:
    try:
        call(program, folder)
    except ClipformError as error:
        return error.code
    return ""


def test_the_stub_types_each_public_name_from_where_it_is_imported() -> None:
    stub = Path(reconciler.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    typed = {line.split()[3]: line.split()[1] for line in stub.splitlines() if line.startswith("from ")}
    assert typed == {name: f"reconciler.{module}" for name, module in reconciler._MODULES.items()}


def test_the_table_has_every_call() -> None:
    def public(name: str, value: Any) -> bool:
        return not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))

    calls = {name for part in Program.__mro__[:-1] for name, value in vars(part).items() if public(name, value)}
    assert calls == TABLE.keys()


def test_an_untrusted_project_buys_nothing_and_asks_nobody_through_any_call(film: Rig, tmp_path: Path) -> None:
    program = reconciler.open(film.folder)
    (tmp_path / "key").write_text("none")
    bought = film.ledger()
    outcomes = {name: outcome(call, program, tmp_path) for name, (_, call) in TABLE.items()}
    assert outcomes == {name: expected for name, (expected, _) in TABLE.items()}
    assert film.ledger() == bought and film.read() == ("", "")
    assert TrustMemory(os.environ).projects() == {}


def test_what_is_refused_in_confirming_is_not_bought(film: Rig) -> None:
    bought = film.ledger()
    with pytest.raises(Refused) as refused:
        reconciler.open(film.folder).apply_confirmed(Choice(), no, trust=True)
    assert refused.value.code == "answered-no" and film.ledger() == bought
