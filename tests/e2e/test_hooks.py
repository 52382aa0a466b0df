"""Vendors call an address when a task has ended. A call causes one look, and whatever it says is not believed."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from reconciler.clock import SystemClock
from reconciler.engine.run import hooks as run_hooks
from reconciler.gallery.server.hooks import HookReceiver
from reconciler.records import State
from reconciler.serving import Quiet, address, bound
from reconciler.state import hooks
from reconciler.state import open as opening
from reconciler.state.budget import NewAttempt
from reconciler.state.leases import Member, SharedStore
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.sql.sqlite import SQLite
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig
from tests.emulator.process import Emulator

SECRET = "a-canary-that-is-long-enough"
CLIPS = {"lamp": {"prompt": "a lamp"}}
Connected = Callable[..., PostgreSQL]


@pytest.fixture
def url(shared_sql: Connected) -> Iterator[str]:
    """The address of a server that receives calls, and says so in the database."""
    listening = bound(0)
    receiver = HookReceiver(shared_sql, address(listening), SECRET.encode(), SystemClock())
    server = Quiet(Starlette(routes=[Route("/hook/{account}/{token}", receiver.receive, methods=["POST"])]))

    async def serve() -> None:
        announcing = asyncio.ensure_future(receiver.announce())
        await server.serve([listening])
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    sql = shared_sql()
    while not hooks.served(sql):
        pass
    yield address(listening)
    server.should_exit = True
    thread.join()
    assert hooks.served(sql) == ""  # nobody is called in vain


@pytest.fixture
def studio(tmp_path: Path, shelf: Path, shared_sql: Connected, database: str, monkeypatch: pytest.MonkeyPatch):
    """Make a project of a kind whose runs know the secret."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    monkeypatch.setenv(hooks.SECRET, SECRET)
    monkeypatch.setattr(run_hooks, "LOOK", 0.05)

    def make(rig: MakeRig, kind: str, vendor: Emulator) -> Rig:
        state = {"url": database, "schema": shared_sql().schema, "project": "film"}
        sections = {"state": state, "cache": {"remote": f"file://{shelf}"}}
        return rig(kind, project(kind, tmp_path / "ana", vendor, CLIPS, **sections), vendor)

    return make


@pytest.mark.parametrize(("kind", "field"), [("ark", "callback_url"), ("chanjing", "callback")])
def test_a_call_collects_the_clip_long_before_it_would_be_polled(
    kind: str, field: str, studio, rig: MakeRig, vendor: Emulator, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_hooks, "SLOWER", 1_000_000)  # polls would come after days
    film = studio(rig, kind, vendor)
    assert film.run("apply", "--yes", "--trust").results == {"lamp": "succeeded"}
    [entry] = film.ledger()
    assert entry["request"][field].startswith(f"{url}/hook/")
    assert SECRET not in "".join(film.said) + str(entry)
    monkeypatch.delenv(hooks.SECRET)
    assert film.run("plan").document["summary"]["noop"] == 1  # the address is in no key
    film.edit("a lamp", "a torch")
    assert film.run("apply", "--yes").results == {"lamp": "succeeded"}
    assert field not in film.ledger()[-1]["request"]


def test_a_worker_hears_calls_too(
    studio, rig: MakeRig, vendor: Emulator, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_hooks, "SLOWER", 1_000_000)
    film = studio(rig, "ark", vendor)
    film.edit('"project": "film"', '"project": "film", "workers": "only"')
    assert film.run("apply", "--yes", "--trust", "--detach").code in (0, 3)
    assert film.ledger() == []
    assert film.run("worker", "--once").code == 0
    [entry] = film.ledger()
    assert entry["request"]["callback_url"].startswith(f"{url}/hook/")
    assert film.run("apply", "--yes").results == {"lamp": "succeeded"}
    assert len(film.ledger()) == 1


def test_a_lost_call_costs_time_and_nothing_else(studio, rig: MakeRig, vendor: Emulator, shared_sql: Connected) -> None:
    hooks.register(shared_sql(), "http://127.0.0.1:1")  # nobody is there
    film = studio(rig, "ark", vendor)
    assert film.run("apply", "--yes", "--trust").results == {"lamp": "succeeded"}
    [entry] = film.ledger()
    assert "http://127.0.0.1:1/hook/" in entry["request"]["callback_url"]


@contextmanager
def in_progress(sql: PostgreSQL) -> Iterator[tuple[SharedStore, int, str]]:
    """A store with an attempt that is under way, its number, and where it is called."""
    desk = SQLite(opening.open_copy(Path("nowhere")))
    store = SharedStore(sql, SystemClock().now, desk, Member("ana", "ana@mac"))
    store.complete()
    order = NewAttempt(
        key="v1:aa", clip="lamp", take=1, provider="studio", kind="ark", model="m", marker=secrets.token_hex(16),
        account="account-1",
    )  # fmt: skip
    attempt = store.begin(order)
    yield store, attempt.id, f"/hook/account-1/{hooks.token(SECRET.encode(), attempt.marker)}"
    store.close()


def test_who_calls_without_the_token_or_twice_changes_nothing(
    url: str, shared_sql: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "_CALLED", hooks._CALLED.replace("1 second", "1 hour"))  # on a machine of any speed
    with in_progress(shared_sql()) as (store, number, path), httpx.Client(base_url=url, trust_env=False) as client:
        for wrong in ("/hook/account-1/0000", path.replace("account-1", "account-2"), path[:-1], path + "0"):
            assert client.post(wrong, json={"status": "succeeded"}).status_code == 404
        assert hooks.calls(store.sql, [number]) == {}
        while client.post(path, json={"status": "failed", "id": "another"}).status_code == 404:
            pass  # the tokens were read a moment before the attempt began
        first = hooks.calls(store.sql, [number])
        assert client.post(path, content=b"\xff" * 1000).status_code == 204
        assert hooks.calls(store.sql, [number]) == first
        assert store.attempt(number).state is State.SUBMITTING  # whatever was said
        assert client.get(path).status_code == 405
        store.move(store.attempt(number), State.NOT_SENT)
        assert client.post(path).status_code in (204, 404)
        assert hooks.calls(store.sql, [number]) == first


def test_of_a_body_without_an_end_no_more_is_read_than_a_little(url: str, shared_sql: Connected) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    with in_progress(shared_sql()) as (_, number, path), socket.create_connection((host, int(port))) as link:
        link.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {10**9}\r\n\r\n".encode())
        with pytest.raises(OSError):  # the line is closed long before it is over
            for _ in range(10**9 // 65_536):
                link.sendall(b"\0" * 65_536)
        assert [*hooks.calls(shared_sql(), [number])] == [number]


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        ("http://films.example.com", SECRET, "is not an address"),
        ("https://films.example.com/?a=b", SECRET, "is not an address"),
        ("https://me@films.example.com", SECRET, "is not an address"),
        ("https://films.example.com", "", "needs a secret"),
        ("https://films.example.com", "short", "is shorter than 16"),
    ],
)
def test_an_address_or_a_secret_that_will_not_do_is_named(
    url: str, secret: str, words: str, tmp_path: Path, rig: MakeRig, vendor: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hooks.SECRET, secret)
    film = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS), vendor)
    ended = film.run("serve", "--hooks", url)
    assert ended.code == 64 and words in ended.text


def test_hooks_need_a_shared_state(
    tmp_path: Path, rig: MakeRig, vendor: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    monkeypatch.setenv(hooks.SECRET, SECRET)
    film = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS), vendor)
    assert film.run("apply", "--yes", "--trust").code == 0
    ended = film.run("serve", "--hooks", "https://films.example.com")
    assert ended.code == 1 and ended.document["error"]["code"] == "no-shared-state"
