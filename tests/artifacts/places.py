"""Stores that a team may share: a folder, a server that knows a little S3, and a real one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.artifacts.buckets import bucket_of, connect
from reconciler.artifacts.shelf import Shelf
from tests.artifacts.radosgw import BUCKET, RealS3

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "canary/secret+Zq="}


@dataclass
class Place:
    """A store, and the way to look into it and damage it behind the program's back."""

    section: Mapping[str, object]
    env: Mapping[str, str]
    state: Path
    write: Callable[[str, bytes], object]
    names: Callable[[], list[str]]

    def shelf(self) -> Shelf:
        """A new process."""
        return Shelf(self.section, self.env, self.state)


def real_place(server: RealS3, state: Path) -> Place:
    """A prefix of the real bucket that no other test has."""
    import obstore

    section = {"remote": f"s3://{BUCKET}/{secrets.token_hex(8)}", "endpoint": server.url, "region": "x"}
    store = connect(bucket_of(section, "cache.remote", server.owner), server.owner, shared=True)
    names = lambda: [meta["path"] for batch in obstore.list(store) for meta in batch]  # noqa: E731
    return Place(section, server.owner, state, lambda name, content: obstore.put(store, name, content), names)
