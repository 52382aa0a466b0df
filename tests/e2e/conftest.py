"""One emulator for a session, and accounts that no other test has."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.kit import VARIABLES, Rig
from tests.emulator.process import Emulator, emulator


class Account(Protocol):
    """Puts credentials of a kind into the environment; gives the one by which its vendor knows the account."""

    def __call__(self, kind: str, key: str = "") -> str: ...


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """All vendors: tasks take a twentieth of a second, clips are plain ones of the right form."""
    with emulator("--latency", "0.05", "--no-render", cwd=tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def secret() -> str:
    """A key with characters that every encoding changes."""
    return f"canary/{secrets.token_hex(8)}+Zq=%7E&~<>"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str) -> Account:
    """Credentials with the secret in them; token caches and the like go below the test's folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def open_account(kind: str, key: str = "") -> str:
        *public, private = VARIABLES[kind]
        monkeypatch.setenv(private, key or secret)
        for name in public:
            monkeypatch.setenv(name, f"app-{secrets.token_hex(4)}")
        return os.environ[(*public, private)[0]]

    return open_account


@pytest.fixture
def rig(account: Account, capsys: pytest.CaptureFixture[str]) -> Callable[[str, Path, Emulator], Rig]:
    """A project of one kind with an account of its own."""

    def make(kind: str, folder: Path, where: Emulator) -> Rig:
        def read() -> tuple[str, str]:
            captured = capsys.readouterr()
            return captured.out, captured.err

        return Rig(folder, where, account(kind), read)

    return make


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The shared folder, set up."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "clipform-cache.txt").touch()
    return folder
