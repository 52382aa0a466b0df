"""A project folder with a store of artifacts in it, and two artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.artifacts.place import Placer
from reconciler.artifacts.store import Objects
from reconciler.records import Artifact


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project" / "state").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture
def objects(root: Path) -> Objects:
    return Objects(root / "state")


@pytest.fixture
def placer(root: Path, objects: Objects) -> Placer:
    return Placer(root, objects)


def _make(objects: Objects, data: bytes) -> Artifact:
    with objects.part("hero") as part:
        part.write(data)
        stored = part.commit(".mp4")
    return Artifact(stored.sha256, stored.size, stored.suffix)


@pytest.fixture
def old(objects: Objects) -> Artifact:
    return _make(objects, b"old film" * 1000)


@pytest.fixture
def new(objects: Objects) -> Artifact:
    return _make(objects, b"new film" * 2000)
