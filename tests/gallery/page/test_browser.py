"""A machine without a browser is told what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gallery.page.browser import find_chromium


def test_without_a_browser_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLIPFORM_CHROMIUM", raising=False)
    monkeypatch.setattr("tests.gallery.page.browser.MAC", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        find_chromium()


def test_a_browser_is_found_by_its_usual_names_and_by_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("google-chrome", "mine"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CLIPFORM_CHROMIUM", raising=False)
    assert find_chromium() == str(tmp_path / "google-chrome")
    monkeypatch.setenv("CLIPFORM_CHROMIUM", str(tmp_path / "mine"))
    assert find_chromium() == str(tmp_path / "mine")
    monkeypatch.setenv("CLIPFORM_CHROMIUM", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="cannot be run"):
        find_chromium()
