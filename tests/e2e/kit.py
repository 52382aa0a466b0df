"""A project under test, its vendor's books, and the search for leaked secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from reconciler.cli.app import main
from tests.emulator.process import Emulator

EXAMPLES = Path(__file__).parents[2] / "examples" / "providers"
KINDS = ("jiekou", "jimmyai", "chanjing", "uniall", "3hei", "ark", "fal")

VARIABLES = {
    "jiekou": ("JIEKOU_API_KEY",),
    "jimmyai": ("JIMMYAI_API_KEY",),
    "chanjing": ("CHANJING_APP_ID", "CHANJING_SECRET_KEY"),
    "uniall": ("UNIALL_API_KEY",),
    "3hei": ("STUDIO_API_KEY",),
    "ark": ("ARK_API_KEY",),
    "fal": ("FAL_KEY",),
}
"""The environment variables of each example; the last one is the secret."""

FAST = ("poll_interval: 50ms", "requests_per_second: 1000", "concurrency: 8")
"""What makes a provider of a project wait for nobody."""

Output = Callable[[], tuple[str, str]]
"""What was written to stdout and stderr since it was asked last."""


@dataclass(slots=True)
class Run:
    """One command line and what it said."""

    code: int
    lines: list[dict[str, Any]]
    text: str

    @property
    def document(self) -> dict[str, Any]:
        """The only line, or the last one: of `apply` that is the summary."""
        return self.lines[-1]

    @property
    def results(self) -> dict[str, str]:
        """How each clip ended in an `apply`."""
        return {outcome["clip"]: outcome["result"] for outcome in self.document["outcomes"]}


@dataclass(slots=True)
class Rig:
    """A project in its folder, the emulator that it points to, and its account there."""

    folder: Path
    vendor: Emulator
    account: str  # what the vendor knows this project by
    read: Output
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> Run:
        """The program in this process."""
        code = main(["-C", str(self.folder), "--json", *arguments])
        out, err = self.read()
        self.said += [out, err]
        return Run(code, [json.loads(line) for line in out.splitlines()], out + err)

    def ledger(self) -> list[dict[str, Any]]:
        """Every task that this account bought, in order."""
        account = hashlib.sha256(self.account.encode()).hexdigest()[:12]
        entries = ask(self.vendor, "/ledger")["entries"]
        return [entry for entry in entries if entry["account"] == account]

    def states(self) -> dict[str, str]:
        """The state of each clip as `status` tells it."""
        return {row["clip"]: row["state"] for row in self.run("status").document["clips"]}

    def edit(self, old: str, new: str) -> None:
        """Change the project file; `old` must be in it."""
        file = self.folder / "clipform.yaml"
        before = file.read_text(encoding="utf-8")
        assert old in before, f"{old!r} is not in {file.name}"
        file.write_text(before.replace(old, new), encoding="utf-8")


def ask(vendor: Emulator, path: str) -> Any:
    """A page of the emulator's own."""
    return httpx.get(vendor.api + path, trust_env=False, verify=False).raise_for_status().json()


def example(kind: str, target: Path, vendor: Emulator) -> Path:
    """A copy of an example that points at the emulator, by the line that its README tells the user to switch on."""
    shutil.copytree(EXAMPLES / kind, target, ignore=shutil.ignore_patterns("state", "renders", "clipform.lock"))
    file = target / "clipform.yaml"
    before = file.read_text(encoding="utf-8")
    switched = f"    # base_url: http://127.0.0.1:8790/{kind}\n"
    assert before.count(switched) == 1
    lines = "".join(f"    {line}\n" for line in (f"base_url: {vendor.api}/{kind}", *FAST))
    file.write_text(before.replace(switched, lines), encoding="utf-8")
    return target


def project(kind: str, target: Path, vendor: Emulator, clips: Mapping[str, Any], **more: Any) -> Path:
    """A project of these clips at one provider; JSON is YAML. `more`: fields of `provider`, and whole sections."""
    credentials = ("app_id", "secret_key") if kind == "chanjing" else ("api_key",)
    keys = {name: f"${{env.{v}}}" for name, v in zip(credentials, VARIABLES[kind], strict=True)}
    fast = dict(line.split(": ") for line in FAST)
    changes = dict(more.pop("provider", {}))
    settings = {**({"lists_per_second": 0} if kind == "ark" else {}), **changes.pop("settings", {})}
    fast |= {"settings": settings} if settings else {}
    provider = {"kind": kind, "base_url": f"{vendor.api}/{kind}", **keys, **fast, **changes}
    document = {
        "version": 1,
        "providers": {"vendor": provider},
        "defaults": {"provider": "vendor", "duration": 5, "ratio": "16:9", **more.pop("defaults", {})},
        "clips": clips,
        **more,
    }
    target.mkdir(parents=True)
    (target / "clipform.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return target


def traces(secret: str, root: Path, said: list[str]) -> list[str]:
    """Where a secret stands: in files below `root`, or in what was said. Empty is well."""
    needles = tuple(_spellings(secret))
    found = [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and _any(needles, path.read_bytes())
    ]
    return found + [text for text in said if _any(needles, text.encode())]


def _any(needles: tuple[bytes, ...], content: bytes) -> bool:
    return any(needle in content for needle in needles)


def _spellings(secret: str) -> Iterator[bytes]:
    """Plain, in JSON, URL-encoded, and Base64 at each of the three places where it may begin in a longer text."""
    raw = secret.encode()
    yield from (raw, json.dumps(secret)[1:-1].encode(), quote(secret, safe="").encode(), quote_plus(secret).encode())
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        inner = whole[(0, 2, 3)[shift] : len(whole) // 4 * 4 - 4]  # without what its neighbours have a part in
        yield from (inner, inner.replace(b"+", b"-").replace(b"/", b"_"))
