"""A finished project for each test, made once and copied."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reconciler import seal
from reconciler.seal import keep
from tests.seal.film import Film, copy, make


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAL_HOST", "a.example.com")
        make(folder := tmp_path_factory.mktemp("finished"))
    return folder


@pytest.fixture
def film(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Film:
    """Everything in it is a moment old: what is racy has a test of its own."""
    monkeypatch.setenv("SEAL_HOST", "a.example.com")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(sys, "argv", ["clipform"])
    monkeypatch.setattr(keep, "RACY_NS", 0)
    monkeypatch.setattr(seal.Checked, "seal", None)
    copy(finished, tmp_path / "film")
    return Film(tmp_path / "film", capfd)
