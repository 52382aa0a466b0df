"""Links that lead back to their own folder end in a named error."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.diagnostics import ClipformError
from reconciler.project import listing
from reconciler.project.scan import DiskFiles


def test_links_to_their_own_folder_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listing.MAX_FOLDERS == 20_000
    monkeypatch.setattr(listing, "MAX_FOLDERS", 200)
    (tmp_path / "clips").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "clips" / name).symlink_to(".")
    for pattern in ("clips/**", "**/*.yaml", "clips/**/x.yaml"):
        with pytest.raises(ClipformError, match="a link may lead back") as caught:
            DiskFiles(tmp_path).glob(pattern)
        assert caught.value.code == "include-endless"


def test_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    for name in ("clips", "more"):
        (tmp_path / name).mkdir()
    (tmp_path / "more" / "x.yaml").write_text("", encoding="utf-8")
    (tmp_path / "clips" / "more").symlink_to("../more")
    assert DiskFiles(tmp_path).glob("clips/**/*.yaml") == ("clips/more/x.yaml",)
