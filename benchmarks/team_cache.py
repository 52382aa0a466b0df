"""Measures videos to and from a shared cache beside the bare library with the same bytes, so many at once as a push.

The bare library moves each video as a whole, and neither hashes nor syncs it. A second figure is beside one that does
what nothing less may be recorded for: a push hashes what it sends, so that nobody gets a damaged video, and a pull ends
with a hashed and synced file. In a folder there is no network to wait for, so that there the hash alone, which needs a
core, is half of either. What was written before is synced before each part, or the next one that syncs would wait for
it. Few videos: the server's store, in memory, holds 1 GB, and what was deleted stays in it for a while.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import obstore

from reconciler.artifacts.buckets import bucket_of, connect
from reconciler.artifacts.shelf import AT_ONCE, Shelf
from reconciler.artifacts.store import Objects
from tests.artifacts.radosgw import BUCKET, is_installed, radosgw

VIDEO = 5 << 20

Rates = tuple[str, float, float, str]


def measured(folder: Path, files: int, rounds: int) -> list[Rates]:
    """Return the ratio of each transfer with its bar, by way of a real S3 server if there is one, and of a folder."""
    rates = []
    if is_installed():
        (home := folder / "s3").mkdir()
        (server := folder / "server").mkdir()
        with radosgw(server) as s3:
            section = {"remote": f"s3://{BUCKET}/cache", "endpoint": s3.url, "region": "x"}
            rates += _rates("S3", _Transfers(home, section, s3.owner, files), rounds)
    (home := folder / "folder").mkdir()
    (home / "shelf").mkdir()
    section = {"remote": f"file://{home}/shelf"}
    return rates + _rates("a folder", _Transfers(home, section, {}, files), rounds)


class _Transfers:
    """The same videos by the bare library and by the shared cache."""

    def __init__(self, home: Path, section: Mapping[str, str], env: Mapping[str, str], files: int) -> None:
        (state := home / "state").mkdir()
        self.home, self.names = home, list[str]()
        self.shelf, self.objects, self.others = Shelf(section, env, state), Objects(state), Objects(home / "other")
        self.bare = connect(bucket_of(section, "cache.remote", env), env, shared=True)
        for number in range(files):
            with self.objects.part(f"video-{number}") as part:
                part.write(os.urandom(VIDEO))
                self.names.append(part.commit(".mp4").sha256)

    def put(self, name: str, *, safe: bool = False) -> None:
        content = self.objects.path(name, ".mp4").read_bytes()
        if safe:
            assert hashlib.sha256(content).hexdigest() == name
        obstore.put(self.bare, f"{'safe' if safe else 'bare'}/{name}", content, use_multipart=False)

    def push(self, name: str) -> None:
        self.shelf.put(name, self.objects.path(name, ".mp4"))

    def get(self, name: str, *, safe: bool = False) -> None:
        folder = "safe" if safe else "bare"
        (self.home / folder).mkdir(exist_ok=True)
        with open(self.home / folder / name, "wb") as file:
            content = obstore.get(self.bare, f"{folder}/{name}").bytes()
            file.write(content)
            if safe:
                assert hashlib.sha256(content).hexdigest() == name
                file.flush()
                os.fsync(file.fileno())

    def pull(self, name: str) -> None:
        self.shelf.fetch(name, ".mp4", self.others)

    def clear(self) -> None:
        for name in self.names:
            self.shelf.delete(f"objects/{name}")
            for folder in ("bare", "safe"):
                obstore.delete(self.bare, f"{folder}/{name}")
        for folder in ("bare", "safe", "other"):
            shutil.rmtree(self.home / folder)


def _rates(place: str, transfers: _Transfers, rounds: int) -> list[Rates]:
    acts: dict[str, Callable[[str], None]] = {"put": transfers.put, "push": transfers.push, "get": transfers.get}
    acts |= {"pull": transfers.pull, "safe put": partial(transfers.put, safe=True)}
    acts |= {"safe get": partial(transfers.get, safe=True)}
    times: dict[str, list[float]] = {name: [] for name in acts}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(rounds):
            for name, act in acts.items():
                os.sync()
                began = time.perf_counter()
                list(pool.map(act, transfers.names))
                times[name].append((time.perf_counter() - began) / len(transfers.names))
            transfers.clear()
    took = {name: median(each) for name, each in times.items()}
    push, pull = (f"{1000 * took[name]:.0f} ms a video" for name in ("push", "pull"))
    return [
        (f"{place}: bare obstore ÷ push", took["put"] / took["push"], 0.8, push),
        (f"{place}: bare obstore with SHA-256 ÷ push", took["safe put"] / took["push"], 0.8, push),
        (f"{place}: bare obstore ÷ pull", took["get"] / took["pull"], 0.8, pull),
        (f"{place}: bare obstore with SHA-256 and fsync ÷ pull", took["safe get"] / took["pull"], 0.8, pull),
    ]
