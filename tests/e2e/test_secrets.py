"""The search for secrets finds them: a search that finds nothing proves nothing otherwise."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.kit import traces

WAYS = {
    "plain": lambda key: f"key={key};",
    "url": lambda key: f"https://host.invalid/?key={quote(key, safe='')}&n=1",
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 behind one byte": lambda key: base64.b64encode(f"x{key} and more".encode()).decode(),
    "base64 behind two bytes": lambda key: base64.b64encode(f"xx{key}".encode()).decode(),
    "base64 of a header, for URLs": lambda key: base64.urlsafe_b64encode(f"Bearer {key}".encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_secret_is_found(way: str, secret: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.bin").write_bytes(b"\0\xff" + WAYS[way](secret).encode() + b"\0")
    assert traces(secret, tmp_path, []) == ["deep/file.bin"]
    assert traces(secret, tmp_path / "deep" / "none", [WAYS[way](secret)]) != []


def test_what_is_no_secret_is_not_found(secret: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(secret[:-1])
    assert traces(secret, tmp_path, ["canary"]) == []
