"""What is listened to outside the project: the names on the way to an input, and nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.watch.watched_paths import concerns, names_to_watch


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project beside two folders, one of which is reached through links."""
    home = tmp_path.resolve()
    for folder in ("film/assets", "brand/logos", "archive/2024"):
        (home / folder).mkdir(parents=True)
    for file in ("brand/logos/lamp.png", "archive/2024/old.png", "film/assets/own.png"):
        (home / file).write_bytes(b"x")
    (home / "brand/old").symlink_to("../archive/2024")
    (home / "film/assets/linked.png").symlink_to(home / "brand/logos/lamp.png")
    (home / "film/brand").symlink_to("../brand")
    (home / "brand/round").symlink_to("round")
    return home


WAYS = {
    "assets/own.png": [],
    "../brand/logos/lamp.png": ["brand", "brand/logos", "brand/logos/lamp.png"],
    "assets/linked.png": ["brand", "brand/logos", "brand/logos/lamp.png"],
    "brand/logos/lamp.png": ["brand", "brand/logos", "brand/logos/lamp.png"],
    "../brand/old/old.png": ["archive", "archive/2024", "archive/2024/old.png", "brand", "brand/old"],
    "../brand/soon/lamp.png": ["brand", "brand/soon"],
    "../later/deep/lamp.png": ["later"],
    "../film/../brand/x.png": ["brand", "brand/x.png"],
    "../brand/round": ["brand", "brand/round"],
}


@pytest.mark.parametrize("path", WAYS)
def test_each_name_on_the_way_is_listened_to_and_links_are_followed(home: Path, path: str) -> None:
    for given in (path, str(home / "film" / path)):
        names = names_to_watch(home / "film", [given])
        assert sorted(str((folder / n).relative_to(home)) for folder, of in names.items() for n in of) == WAYS[path]


def test_what_happens_beside_the_way_does_not_count(home: Path) -> None:
    names = names_to_watch(home / "film", ["../brand/logos/lamp.png"])
    heard = ["brand/logos/lamp.png", "brand/logos", "brand"]
    beside = ["brand/logos/lamp.png~", "brand/other", "elsewhere", "brand/other/lamp.png"]
    assert [path for path in (*heard, *beside) if concerns(names, str(home / path))] == heard
