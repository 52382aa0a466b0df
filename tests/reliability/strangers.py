"""Hostile projects by seed: what a stranger's repository may hold, and a vendor that answers with odd figures.

The program runs command after command in this process. What must hold: no value of the environment is in any output,
file or request but in the header of its own credential; nothing outside the project is touched or reached before the
project is trusted; what was written is read again by the next command; no sum of what is paid shrinks.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.state import lockfile, receipts
from tests.e2e.kit import traces
from tests.reliability.odd_vendor import OddVendor, odd_vendor
from tests.reliability.simulator import checker
from tests.reliability.simulator.videos import tiny

SECRETS = {"STUDIO_KEY": "sk-studio-4711+Zq=%7E", "AWS_SECRET": "canary/aws+Zq=%7E&~<>", "GH_TOKEN": "ghp_canary0815~%"}
OWN = "STUDIO_KEY"
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("validate",), ("plan",), ("--json", "plan"), ("apply", "--yes"), ("--json", "apply", "--yes"), ("status",),
    ("--json", "status"), ("show", "hero"), ("history",), ("apply", "--yes"), ("destroy", "--yes"), ("gc", "--yes"),
    ("recover",), ("verify",), ("trust", "--list"), ("plan", "--out", "saved.plan"), ("apply", "saved.plan"),
    ("import", "hero", "--task", "cgt-9"), ("doctor", "--online"), ("graph",), ("models", "--json"), ("prices",),
    ("apply", "--yes", "--force"), ("report",), ("retake", "hero"), ("resolve", "hero", "--resubmit", "--yes"),
)  # fmt: skip
PATHS = (
    "../elsewhere/new.mp4", "../elsewhere/notes.txt", "renders/../../elsewhere/notes.txt", "/etc/clipform-test.mp4",
    "~/notes.txt", "renders/hero.mp4/x.mp4", "a\0b.mp4", "out/new.mp4", "src/main.py", "films/mine.mp4", "C:\\x.mp4",
    "clipform.lock",
)  # fmt: skip
ODD_TEXTS = (
    "${env.GH_TOKEN}", "x${env.AWS_SECRET}y", "${env.STUDIO_KEY}", "https://${env.GH_TOKEN}.evil.invalid/",
    "https://evil.invalid/${env.AWS_SECRET}", "{evil}/${env.AWS_SECRET}", "{evil}", "file://../elsewhere",
    "s3://media", "x;touch pwned;", "$(touch pwned)", "\u202e", "-1", "1e400", "", "../elsewhere/secret.png",
)  # fmt: skip


_VIDEO = tiny(3) + b"\0\0\0\x0cfreeuser"


class Finding(Exception):
    """A promise is broken; the text begins with its number."""


# --- what a stranger sends --------------------------------------------------------------------------


def _document(vendor: OddVendor) -> dict[str, Any]:
    studio = {"kind": "ark", "base_url": vendor.address, "api_key": "${env.STUDIO_KEY}", "poll_interval": "1s"}
    studio |= {"timeout": "2m", "prices": [{"model": "*", "per_1k_tokens": 0.002}], "settings": {"lists_per_second": 0}}
    return {
        "version": 1,
        "vars": {"mood": "calm"},
        "providers": {"studio": studio},
        "defaults": {"provider": "studio", "duration": 5, "ratio": "16:9", "model": "doubao-seedance-1-0-pro-250528"},
        "budget": {"currency": "USD", "total": 50},
        "clips": {"hero": {"prompt": "a ${vars.mood} lamp"}, "shot": {"prompt": "a door", "output": "out/shot.mp4"}},
    }


def _any_field(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    """An odd text in any field."""
    holder = document
    while True:
        name = chance.choice(sorted(holder))
        if not isinstance(holder[name], dict) or chance.random() < 0.1:
            holder[name] = chance.choice(ODD_TEXTS)
            return
        holder = holder[name]


def _publish(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    keys = {"access_key_id": "${env.AWS_SECRET}", "secret_access_key": "${env.GH_TOKEN}"}
    store = {"store": chance.choice(("s3://media", "file://../elsewhere")), "endpoint": "{evil}"}
    document["publish"] = {**store, **(keys if chance.random() < 0.7 else {"public_url": chance.choice(ODD_TEXTS)})}
    document["clips"]["hero"]["first_frame"] = "in.png"


def _address(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    provider = {"kind": "ark", "base_url": "https://evil.invalid", "api_key": "${env.AWS_SECRET}"}
    if chance.random() < 0.5:
        provider |= {"env": ["GH_TOKEN"], "base_url": chance.choice(ODD_TEXTS)}
    document["providers"]["other"] = provider
    document["clips"]["shot"]["provider"] = "other"


def _path(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    field = chance.choice(("output", "first_frame", "last_frame"))
    document["clips"]["hero"][field] = chance.choice((*PATHS, "../elsewhere/secret.png"))
    if chance.random() < 0.3:
        document["inputs"] = {"allow": ["../elsewhere"]}


def _section(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    name, values = chance.choice(
        (
            ("include", ["../elsewhere/**", "/etc/passwd", "clips/**"]),
            ("state", ["../elsewhere/state", "/tmp/clipform-test-state", "src", "state/../../elsewhere"]),
            ("cache", [{"remote": "file://../elsewhere"}, {"remote": "{evil}"}, {"remote": "s3://${env.GH_TOKEN}"}]),
            ("matrix", ["x"]),
        )
    )
    if name == "matrix":
        document["clips"]["hero"] |= {
            "matrix": {"mood": ["x;touch pwned;", "$(touch pwned)"]},
            "prompt": "${matrix.mood}",
        }
    else:
        document[name] = [values[0], chance.choice(values)] if name == "include" else chance.choice(values)


def _links(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    """A name of ours is a link out of the project."""
    name = chance.choice(("state", "clipform.lock", "renders", "out", "clips/loop", "state/objects", "state/receipts"))
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    target = "notes.txt" if "." in name or name.endswith("receipts") else "."
    path.symlink_to(root / "clips" if name == "clips/loop" else root.parent / "elsewhere" / target)
    if name == "clips/loop":
        document["include"] = ["clips/**"]


def _records(document: dict[str, Any], root: Path, chance: random.Random) -> None:
    """A state or a lock file that somebody wrote by hand."""
    sha = hashlib.sha256(_VIDEO).hexdigest()
    entry = {
        "key": f"v1:{'a' * 64}",
        "sha256": sha,
        "suffix": ".mp4",
        "provider": "studio",
        "kind": "ark",
        "model": "m",
    }
    entry |= {"task": "cgt-1", "cost": chance.choice(("-5", "1e400", "0.50", "99999999999999")), "currency": "USD"}
    line = {"seq": 1, "store": "s", "event": "intent", "time": chance.choice((1.5, -1, 1e300)), "marker": "m"}
    line |= {"attempt": 1, "key": entry["key"], "clip": "hero", "take": 1, "provider": "studio", "kind": "ark"}
    line |= {"model": "m", "endpoint": "https://evil.invalid", "cost_micros": chance.choice((-(10**9), 10**30, 1))}
    if chance.random() < 0.5:
        (root / "clipform.lock").write_text(json.dumps({"hero#1": entry, "version": 1}, indent=1), encoding="utf-8")
    else:
        (root / "state").mkdir(exist_ok=True)
        (root / "state/receipts").write_text(json.dumps(line) + "\n", encoding="utf-8")


STRANGE = (_any_field, _publish, _address, _path, _section, _links, _records)


# --- one project --------------------------------------------------------------------------------------


class Guard:
    """An audit hook: what is opened for writing, changed or reached while it is on. Only loopback is reached."""

    def __init__(self) -> None:
        self.roots: tuple[str, ...] = ()
        self.findings: list[str] = []
        self.on = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Receive an audit event from the interpreter."""
        if not self.on:
            return
        if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "::1"):
            raise OSError("nothing but this machine is reached in a test")
        if event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost", None):
            if any(value in str(args[0]) for value in SECRETS.values()):
                self.findings.append(f"I7: a value was in the name {args[0]!r}")
            elif "evil" in str(args[0]):
                self.findings.append(f"I9: {args[0]} was looked up before the project was trusted")
            raise socket.gaierror("no names are looked up in a test")


GUARD = Guard()


def projects(seeds: range) -> Iterator[tuple[str, Callable[[], bool]]]:
    """Each a hostile project, and a few commands."""
    if GUARD not in _hooks:
        sys.addaudithook(GUARD)
        _hooks.append(GUARD)
    with odd_vendor() as vendor:
        for seed in seeds:
            yield f"project {seed}", lambda seed=seed: _play(seed, vendor)  # type: ignore[misc]  # as in `hostile`


_hooks: list[Guard] = []


def _play(seed: int, vendor: OddVendor) -> bool:
    chance = random.Random(seed)
    vendor.chance, vendor.requests = random.Random(seed), []
    with _world() as world, pytest.MonkeyPatch.context() as patch:
        root, elsewhere = world / "film", world / "elsewhere"
        before = checker.picture(elsewhere)
        document = _document(vendor)
        for strange in sorted(chance.sample(STRANGE, chance.choice((0, 1, 1, 1, 2))), key=STRANGE.index, reverse=True):
            strange(document, root, chance)
        text = json.dumps(document).replace('"base_url": "{evil}', '"base_url": "https://evil.invalid')
        text = text.replace("{evil}", f"{vendor.address}/evil")  # a provider on this machine would be asked
        (root / "clipform.yaml").write_text(text, encoding="utf-8")
        _environment(patch, world)
        printed: list[str] = []
        paid: Counter[object] = Counter()
        given = _lock(root)
        for command in ("plan",), ("apply", "--yes"), *chance.sample(COMMANDS, 4), ("--json", "status"):
            printed.append(_run(command))
            paid = _looked(root, " ".join(command), paid, given)
        _judge(world, printed, vendor, before)
    return True


@contextmanager
def _world() -> Iterator[Path]:
    """A project with a video of the user's in it, and files of the user's beside it."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="clipform-test-", dir=memory if memory.is_dir() else None) as name:
        world = Path(name)
        for folder in ("film/films", "film/src", "film/clips", "elsewhere", "config", "home", "cache"):
            (world / folder).mkdir(parents=True)
        (world / "film/films/mine.mp4").write_bytes(_VIDEO)
        (world / "film/src/main.py").write_text("print()", encoding="utf-8")
        (world / "elsewhere/notes.txt").write_text("private", encoding="utf-8")
        (world / "elsewhere/secret.png").write_bytes(_picture())
        (world / "film/in.png").write_bytes(_picture())
        yield world


def _picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (320, 320)).save(target, "PNG")
    return target.getvalue()


def _environment(patch: pytest.MonkeyPatch, world: Path) -> None:
    """The user's variables, and a clock on which nobody waits."""
    for name, value in SECRETS.items():
        patch.setenv(name, value)
    for name, folder in (("HOME", "home"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")):
        patch.setenv(name, str(world / folder))
    patch.chdir(world / "film")
    skipped = [0.0]

    async def sleep(self: SystemClock, seconds: float) -> None:
        skipped[0] += max(0.0, seconds)
        await asyncio.sleep(0)

    patch.setattr(SystemClock, "now", lambda self: time.time() + skipped[0])
    patch.setattr(SystemClock, "monotonic", lambda self: time.monotonic() + skipped[0])
    patch.setattr(SystemClock, "sleep", sleep)


def _run(command: tuple[str, ...]) -> str:
    output = io.StringIO()
    GUARD.on, GUARD.findings = True, []
    try:
        with redirect_stdout(output), redirect_stderr(output):
            code = main(list(command))
    finally:
        GUARD.on = False
    text = output.getvalue()
    if GUARD.findings:
        raise Finding(f"{GUARD.findings[0]} ({' '.join(command)})")
    if "Traceback" in text or "This is a bug" in text or code not in (0, 1, 2, 3, 4, 5, 64):
        raise Finding(f"traceback: {' '.join(command)} ended with {code}: {text[-400:]}")
    return text


def _lock(root: Path) -> str | None:
    """Return the lock file's text, None if the project has none of its own."""
    path = root / "clipform.lock"
    return path.read_text(encoding="utf-8") if path.is_file() and not path.is_symlink() else None


def _looked(root: Path, command: str, paid: Counter[object], given: str | None) -> Counter[object]:
    """What a command left is read by those that come after it, and no sum of what is paid is smaller than before.

    `given` is the stranger's lock file: one that no command wrote may be unreadable, and a command that needs none of
    its lines, such as `import`, does not read it.
    """
    if (root / "state").is_symlink() or not (root / "state").is_dir() or (root / "state/receipts").is_symlink():
        return paid
    strange = any(path.is_symlink() for path in root.rglob("*"))
    world = checker.World(root)
    if world.damaged and not strange:
        raise Finding(f"I18: the database is not read any more after {command}")
    sums: Counter[object] = Counter()
    for row in world.rows("attempt"):
        if row["money"] == "settled" and isinstance(row["cost_micros"], int):
            if row["cost_micros"] < 0:
                raise Finding(f"I6: attempt {row['id']} costs {row['cost_micros']} after {command}")
            sums[row["currency"]] += row["cost_micros"]
    if any(sums[currency] < amount for currency, amount in paid.items()) and not command.startswith("recover"):
        raise Finding(f"I6: {dict(paid)} was paid, and {dict(sums)} after {command}")
    lock = _lock(root)
    if lock is not None and lock != given:
        lockfile.loads(lock)
    written = (root / "state/receipts").read_bytes() if (root / "state/receipts").exists() else b""
    lines = [line for line in written.rstrip(b"\0").split(b"\n") if line.strip()]
    if len(receipts.parse(written)) < len(lines) - 1:
        raise Finding(f"I2: a receipt is not read any more after {command}")
    return sums


def _judge(world: Path, printed: list[str], vendor: OddVendor, before: Mapping[str, object]) -> None:
    for name, secret in SECRETS.items():
        if places := traces(secret, world, printed):
            raise Finding(f"I7: the value of {name} is in {places[0][:200]}")
        for line, headers, body in vendor.requests:
            headers = {header: value for header, value in headers.items() if header.lower() != "authorization"}
            if secret in line or secret.encode() in body or secret in str(headers):
                raise Finding(f"I7: the value of {name} was sent in {line}")
    if strange := [line for line, *_ in vendor.requests if "/evil" in line]:
        raise Finding(f"I9: {strange[0]} was sent before the project was trusted")
    after = checker.picture(world / "elsewhere")
    if after != before:
        changed = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
        raise Finding(f"I8: {changed[0]} was touched, outside of the project")
    if list(world.rglob("pwned")) or Path("/etc/clipform-test.mp4").exists() or list((world / "home").iterdir()):
        raise Finding("I8: something appeared outside of the project")
    files = [path for path in (world / "film").rglob("*") if path.name == "main.py"]
    if not files or not any(path.read_bytes() == _VIDEO for path in (world / "film/films").glob("*")):
        raise Finding("I16: a file of the user's is gone")
