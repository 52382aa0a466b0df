"""A real S3 server, Ceph's, in a temporary folder: one monitor, one store in memory, one gateway, on loopback.

It is there to be unlike our own test server: it checks signatures, their age, and the condition of a request that
creates an object only if there is none. Debian: `apt-get install radosgw ceph-mon ceph-osd`.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

PROGRAMS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool")
BUCKET = "clipform-test"
_FSID = "5b6c8f0e-29d6-4c5b-9a3c-0c1f0e7a1d11"
_CONFIG = """\
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{monitor}
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class update on start = false
osd crush update on start = false
osd objectstore = memstore
memstore device bytes = 268435456
mon allow pool size one = true
mon data avail warn = 0
mon data avail crit = 0
mon tick interval = 1
paxos propose interval = 0.05
paxos min wait = 0.01
run dir = {folder}
log file =
admin socket =
mon data = {folder}/mon
osd data = {folder}/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{gateway}
rgw data = {folder}
keyring = /dev/null
"""


@dataclass(frozen=True)
class RealS3:
    """An address with a bucket, the variables of who owns it, and of who may only read it."""

    url: str
    owner: Mapping[str, str]
    reader: Mapping[str, str]


def is_installed() -> bool:
    """True if all programs of the server are there."""
    return all(shutil.which(program) for program in PROGRAMS)


@contextmanager
def radosgw(folder: Path) -> Iterator[RealS3]:
    """Run the server. Each of its processes ends with the block."""
    gateway, monitor = _free_ports(2)
    for name in ("mon", "osd"):
        (folder / name).mkdir()
    text = _CONFIG.format(fsid=_FSID, folder=folder, gateway=gateway, monitor=monitor)
    (folder / "ceph.conf").write_text(text, encoding="utf-8")

    def run(*words: str) -> str:
        program, *arguments = words
        command = [program, "-c", str(folder / "ceph.conf"), *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=45).stdout

    with ExitStack() as running:

        def start(*words: str) -> None:
            output = running.enter_context((folder / f"{words[0]}.log").open("wb"))
            command = [words[0], "-c", str(folder / "ceph.conf"), *words[1:], "-f"]
            process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
            running.callback(process.wait)
            running.callback(process.kill)

        address = f"[v1:127.0.0.1:{monitor}]"
        subprocess.run(["monmaptool", "--create", "--fsid", _FSID, "--addv", "a", address, folder / "map"], check=True)
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "map")
        start("ceph-mon", "-i", "a")
        run("ceph", "osd", "create")
        run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default")
        run("ceph-osd", "-i", "0", "--mkfs")
        start("ceph-osd", "-i", "0")
        start("radosgw", "-n", "client.rgw")
        admin = ("radosgw-admin", "-n", "client.rgw")
        run(*admin, "user", "create", "--uid", "studio", "--display-name", "studio")
        run(*admin, "subuser", "create", "--uid", "studio", "--subuser", "studio:reader", "--access", "read")
        run(
            *admin,
            "key",
            "create",
            "--subuser",
            "studio:reader",
            "--key-type",
            "s3",
            "--gen-access-key",
            "--gen-secret",
        )
        users = {key["user"]: key for key in json.loads(run(*admin, "user", "info", "--uid", "studio"))["keys"]}
        url, owner = f"http://127.0.0.1:{gateway}", _variables(users["studio"])
        _make_bucket(url, owner)
        yield RealS3(url, owner, _variables(users["studio:reader"]))


def _variables(key: Mapping[str, str]) -> Mapping[str, str]:
    return {"AWS_ACCESS_KEY_ID": key["access_key"], "AWS_SECRET_ACCESS_KEY": key["secret_key"]}


def _make_bucket(url: str, keys: Mapping[str, str]) -> None:
    import obstore
    from obstore.store import S3Store

    access, secret = keys.values()
    store = S3Store(
        BUCKET,
        endpoint=url,
        region="x",
        access_key_id=access,
        secret_access_key=secret,
        client_options={"allow_http": True},
    )
    with httpx.Client(transport=httpx.HTTPTransport(retries=7), timeout=60) as client:  # until the gateway listens
        client.put(obstore.sign(store, "PUT", "", timedelta(minutes=5))).raise_for_status()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
