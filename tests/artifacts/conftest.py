"""A project folder with a store of artifacts in it, and two artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.artifacts.place import Placer
from reconciler.artifacts.store import Objects
from reconciler.records import Artifact
from tests.artifacts.places import KEYS, Place, real_place
from tests.engine.inputs.bucket import BucketServer


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


@pytest.fixture(params=["folder", "s3", "real s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each kind of store, empty."""
    state = tmp_path / "state"
    state.mkdir()
    if request.param == "folder":
        folder = tmp_path / "shelf"
        folder.mkdir()

        def save(name: str, content: bytes) -> None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

        save("clipform-cache.txt", b"")
        names = lambda: [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]  # noqa: E731
        yield Place({"remote": f"file://{folder}"}, {}, state, save, names)
    elif request.param == "s3":
        with BucketServer() as server:
            section = {"remote": "s3://studio/clips", "endpoint": server.url, "region": "eu-central-1"}
            put = lambda name, content: server.objects.update({f"/studio/clips/{name}": ("", content)})  # noqa: E731
            yield Place(section, KEYS, state, put, lambda: list(server.objects))
    else:
        yield real_place(request.getfixturevalue("real_s3"), state)
