"""Every way in which what a plan rests on can change, by the kind of fact that alone shows it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler
from reconciler.api.trust_memory import TrustMemory
from reconciler.clock import SystemClock
from reconciler.project.workspace import Workspace
from reconciler.views import format
from tests.cli.in_process import clipform
from tests.seal.film import Film

Change = Callable[[Film, pytest.MonkeyPatch], None]
CHANGES: dict[str, tuple[str, Change]] = {}


def changes(kind: str) -> Callable[[Change], Change]:
    """Add a change that only facts of this kind show; "" for one that several show, or that changes no output."""

    def add(change: Change) -> Change:
        CHANGES[change.__name__] = (kind, change)
        return change

    return add


def _replace(path: Path, old: str, new: str) -> None:
    """Write in place, as some editors save."""
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def _save(path: Path, text: str | bytes) -> None:
    """Put another file in its place, as other editors save."""
    fresh = path.with_name(f"{path.name}~")
    fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.replace(fresh, path)


@changes("specs")
def edited(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("clips/a.yaml"), "two gulls", "six gulls")


@changes("specs")
def edited_with_its_time_put_back(film: Film, _: pytest.MonkeyPatch) -> None:
    spec = film.path("clips/a.yaml")
    before = spec.stat()
    _replace(spec, "two gulls", "six gulls")
    os.utime(spec, ns=(before.st_atime_ns, before.st_mtime_ns))


@changes("specs")
def replaced(film: Film, _: pytest.MonkeyPatch) -> None:
    spec = film.path("clips/a.yaml")
    before = spec.stat()
    _save(spec, spec.read_text(encoding="utf-8").replace("two gulls", "six gulls"))
    os.utime(spec, ns=(before.st_atime_ns, before.st_mtime_ns))


@changes("")
def touched(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("clips/a.yaml").touch()


@changes("")
def renamed(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("clips/a.yaml").rename(film.path("clips/b.yaml"))


@changes("")
def taken_out_of_the_pattern(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("clips/a.yaml").rename(film.path("a.yaml"))


@changes("specs")
def project_file_with_a_mistake(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("clipform.yaml"), "version", "versoin")


@changes("specs")
def inputs_of_one_size_and_time_swapped(film: Film, _: pytest.MonkeyPatch) -> None:
    day, last = film.path("assets/day.png"), film.path("assets/last.png")
    day.rename(film.path("assets/between"))
    last.rename(day)
    film.path("assets/between").rename(last)


@changes("specs")
def module_edited(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("shared/house.yaml"), "at dusk", "at dawn")


@changes("patterns")
def module_added(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("shared/more.yaml").write_text("looks: {dusk: {}}\n", encoding="utf-8")


@changes("specs")
def table_edited(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("clips/shots.csv"), "a pier", "a quay")


@changes("specs")
def row_added(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("clips/shots.csv"), "1,a pier", "1,a pier\n2,a quay")


@changes("specs")
def input_removed(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("assets/last.png").unlink()


@changes("specs")
def input_turned_into_a_folder(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("assets/last.png").unlink()
    film.path("assets/last.png").mkdir()


@changes("links")
def link_led_elsewhere(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("assets/lamp.png").unlink()
    film.path("assets/lamp.png").symlink_to("dusk.png")


@changes("links")
def link_led_to_another_input(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("assets/lamp.png").unlink()
    film.path("assets/lamp.png").symlink_to("last.png")


@changes("specs")
def folder_of_specs_moved_out_and_linked(film: Film, _: pytest.MonkeyPatch) -> None:
    outside = film.root.parent / "outside"
    film.path("clips").rename(outside)
    film.path("clips").symlink_to(outside)


@changes("patterns")
def file_added_to_a_pattern(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("clips/b.yaml").write_text("clips: {new: {prompt: a boat}}\n", encoding="utf-8")


@changes("patterns")
def file_added_deep_below_a_pattern(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("more/and/more").mkdir(parents=True)
    film.path("more/and/more/b.yaml").write_text("clips: {new: {prompt: a boat}}\n", encoding="utf-8")


@changes("patterns")
def linked_folder_added_to_a_pattern(film: Film, _: pytest.MonkeyPatch) -> None:
    (elsewhere := film.root.parent / "elsewhere").mkdir()
    (elsewhere / "b.yaml").write_text("clips: {new: {prompt: a boat}}\n", encoding="utf-8")
    film.path("more").symlink_to(elsewhere)


@changes("outputs")
def film_removed(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("renders/film.mp4").unlink()


@changes("specs")
def film_cut_shorter(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("clipform.yaml"), "{clip: pair}", "{clip: hero}")


@changes("outputs")
def output_removed(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("renders/hero.mp4").unlink()


@changes("outputs")
def output_replaced(film: Film, _: pytest.MonkeyPatch) -> None:
    output = film.path("renders/hero.mp4")
    before = output.stat()
    content = bytearray(output.read_bytes())
    content[-1] ^= 1
    _save(output, bytes(content))
    os.utime(output, ns=(before.st_atime_ns, before.st_mtime_ns))


@changes("outputs")
def outputs_swapped(film: Film, _: pytest.MonkeyPatch) -> None:
    hero, pair = film.path("renders/hero.mp4"), film.path("renders/pair.mp4")
    hero.rename(film.path("renders/between"))
    pair.rename(hero)
    film.path("renders/between").rename(pair)


@changes("")
def folder_of_outputs_moved_and_linked(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("renders").rename(film.path("elsewhere"))
    film.path("renders").symlink_to("elsewhere")


@changes("outputs")
def folder_of_outputs_lost(film: Film, _: pytest.MonkeyPatch) -> None:
    shutil.rmtree(film.path("renders"))


@changes("objects")
def objects_lost(film: Film, _: pytest.MonkeyPatch) -> None:
    """The second take of `pair` has no output: it is only there."""
    for item in film.path("state/objects").glob("*/*.mp4"):
        item.unlink()


@changes("objects")
def objects_renamed(film: Film, _: pytest.MonkeyPatch) -> None:
    for item in [*film.path("state/objects").glob("*/*.mp4")]:
        item.rename(item.with_suffix(".webm"))


@changes("objects")
def objects_in_a_linked_folder(film: Film, _: pytest.MonkeyPatch) -> None:
    folder = next(film.path("state/objects").glob("??"))
    folder.rename(film.root.parent / "away")
    folder.symlink_to(film.root.parent / "away")


@changes("")
def state_lost(film: Film, _: pytest.MonkeyPatch) -> None:
    records = film.path("state")
    records.rename(film.root.parent / "lost")
    records.mkdir()
    shutil.copy2(film.root.parent / "lost" / "seal", records)


@changes("")
def state_restored_from_an_older_copy(film: Film, _: pytest.MonkeyPatch) -> None:
    copy = film.root.parent / "copy"
    shutil.copytree(film.path("state"), copy, symlinks=True)
    assert clipform(film.root, "destroy", "--yes", "pair").returncode == 0
    shutil.copy2(film.path("state/seal"), copy)
    shutil.rmtree(film.path("state"))
    copy.rename(film.path("state"))


@changes("")
def database_lost(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("state/clipform.db").write_bytes(b"")


@changes("mark")
def transaction_cut_short(film: Film, patch: pytest.MonkeyPatch) -> None:
    """Its journal undoes what was there when the seal was made; the database's file is the same."""
    film.path("state/clipform.db-journal").write_bytes(film.path("journal").read_bytes())


@changes("specs")
def receipts_of_a_purchase(film: Film, _: pytest.MonkeyPatch) -> None:
    line = (
        '{"seq": 1, "store": "another", "event": "intent", "time": 1.0, "marker": "m", "attempt": 1, "key": "v1:00", '
        '"clip": "hero", "take": 1, "provider": "studio", "kind": "ark", "model": "m", "endpoint": "", "account": ""}\n'
    )
    film.path("state/receipts").write_text(line, encoding="utf-8")


@changes("specs")
def lock_file_with_a_mistake(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("clipform.lock").write_text("{", encoding="utf-8")


@changes("")
def lock_file_removed(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("clipform.lock").unlink()


@changes("own")
def link_in_the_state(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("state/previews").symlink_to(film.root.parent)


@changes("own")
def link_in_the_state_of_drafts(film: Film, _: pytest.MonkeyPatch) -> None:
    film.path("state/drafts").mkdir()
    film.path("state/drafts/objects").symlink_to(film.root.parent)


@changes("own")
def state_tracked_by_git(film: Film, _: pytest.MonkeyPatch) -> None:
    for words in (["init", "-q"], ["add", "-f", "state"]):
        subprocess.run(["git", *words], cwd=film.root, check=True, capture_output=True)


@changes("variables")
def variable_unset(_: Film, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("SEAL_HOST")


@changes("variables")
def variable_that_is_no_address(_: Film, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SEAL_HOST", "user@a.example.com")


@changes("")
def other_variable(_: Film, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SEAL_KEY", "secret")


@changes("program")
def other_version(_: Film, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconciler, "__version__", "9.9.9")
    patch.setattr(format, "summary_line", lambda plan: "Nothing at all.")


@changes("day")
def next_day(_: Film, patch: pytest.MonkeyPatch) -> None:
    """As if something that a plan says were dated."""
    patch.setattr(format, "summary_line", lambda plan: f"Nothing on day {int(time.time() // 86400)}.")
    day = time.time() + 86400
    patch.setattr(time, "time", lambda: day)


@changes("user")
def other_user(film: Film, patch: pytest.MonkeyPatch) -> None:
    """As if a file that a plan reads were closed to the other one."""
    patch.setattr(format, "summary_line", lambda plan: f"Nothing for user {os.geteuid()}.")
    patch.setattr(os, "geteuid", lambda: 12345)


@changes("")
def applied_meanwhile(film: Film, _: pytest.MonkeyPatch) -> None:
    _replace(film.path("clips/a.yaml"), "a lamp,", "a lamp, tags: [x], output: elsewhere.mp4,")
    assert clipform(film.root, "apply", "--yes").returncode == 0


@changes("")
def killed_while_the_seal_was_written(film: Film, _: pytest.MonkeyPatch) -> None:
    content = film.path("state/seal").read_bytes()
    film.path("state/.seal.0123456789abcdef.part").write_bytes(content[: len(content) // 2])


@changes("")
def trust_given(film: Film, _: pytest.MonkeyPatch) -> None:
    """A plan lists what a project asks for whether it is trusted or not; the memory is in the user's folder."""
    memory = TrustMemory(os.environ)
    assert memory.add(film.root, Workspace(film.root, SystemClock(), os.environ).demands())


@changes("")
def trust_forgotten(film: Film, patch: pytest.MonkeyPatch) -> None:
    trust_given(film, patch)
    assert TrustMemory(os.environ).forget(film.root)


@changes("")
def moved(film: Film, _: pytest.MonkeyPatch) -> None:
    film.root = film.root.rename(film.root.parent / "moved")


@changes("")
def copied(film: Film, _: pytest.MonkeyPatch) -> None:
    film.root = Path(shutil.copytree(film.root, film.root.parent / "copied", symlinks=True))
    _replace(film.path("clips/a.yaml"), "two gulls", "six gulls")


def record_transaction(film: Film) -> None:
    """Keep the journal of a transaction that adds what was generated; put back, SQLite undoes it."""
    film.path("clipform.lock").unlink()
    database = sqlite3.connect(film.path("state/clipform.db"), isolation_level=None)
    rows = database.execute("SELECT * FROM generation").fetchall()
    database.execute("DELETE FROM generation")
    for pragma in ("journal_mode=PERSIST", "synchronous=OFF"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("BEGIN IMMEDIATE")
    database.executemany(f"INSERT INTO generation VALUES ({', '.join('?' * len(rows[0]))})", rows)
    film.path("journal").write_bytes(film.path("state/clipform.db-journal").read_bytes())
    database.execute("COMMIT")
    database.close()
