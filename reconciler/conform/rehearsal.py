"""One clip of a kind, applied against its vendor on loopback: what the rules of `runs` look at.

The vendor is the kind's own emulator, or its recorded exchanges replayed. Time runs faster than outside, so that pauses
and expiries take no patience; nothing is paid.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.conform.contract import Contract, ContractBroken
from reconciler.conform.rule import require
from reconciler.diagnostics import ClipformError
from reconciler.events import Event, EventKind, Summary
from reconciler.providers.capabilities import SpokenOverHttp

if TYPE_CHECKING:
    from reconciler.api.program import Program
    from reconciler.emulator.vendor import Vendor
    from reconciler.emulator.world import World

SECRET = "canary-4f1d/+Zq=7E"
_HASTE = 8
_PACE = {"poll_interval": "0.5s", "requests_per_second": 1000, "concurrency": 4, "timeout": "2m"}
_MEDIA = ("images", "videos", "audios")


class HastyClock:
    """A clock that runs eight times as fast as the machine's."""

    def __init__(self) -> None:
        self._start = (time.time(), time.monotonic())

    def now(self) -> float:
        """Return UTC seconds since the epoch."""
        return self._start[0] + self.monotonic()

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return (time.monotonic() - self._start[1]) * _HASTE

    async def sleep(self, seconds: float) -> None:
        """Sleep for some of its seconds."""
        import asyncio

        await asyncio.sleep(seconds / _HASTE)


@dataclass(slots=True)
class Rehearsal:
    """A project with the contract's clip, and the state of its vendor."""

    root: Path
    program: Program
    world: World
    events: list[Event] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def apply(self, times: int = 1) -> Summary:
        """Plan and apply, and again as often; return the last outcome."""
        for _ in range(times):
            try:
                self.program.settle(on_event=self.events.append)
                summary = self.program.apply(self.program.plan(), on_event=self.events.append)
            except ClipformError as error:  # such as wrong credentials: an outcome, as the command's exit code is
                self.errors.append(f"{error.message} {error.help}")
                summary = Summary(())
        return summary

    @property
    def bought(self) -> int:
        """How many tasks the vendor accepted, and will bill."""
        return len(self.world.ledger.entries)

    @property
    def is_made(self) -> bool:
        """True if the clip's file is in place."""
        return any(self.root.glob("renders/*.mp4"))

    def said(self) -> str:
        """Return all that the runs reported."""
        return "\n".join([*(repr(event) for event in self.events), *self.errors])

    def require_made_once(self, summary: Summary) -> None:
        """Raise ContractBroken unless the clip was bought once and its file is in place."""
        require(self.bought == 1, f"the vendor was asked to make it {self.bought} times, and bills each")
        trouble = [f"{o.result.value}: {o.message}" for o in summary.outcomes if o.result is not EventKind.SUCCEEDED]
        require(self.is_made, f"the clip was not made: {'; '.join([*trouble, *self.errors]) or 'nothing was reported'}")


def emulated(contract: Contract) -> type[Vendor]:
    """Return the vendor to rehearse with: the contract's own, else ours, else the recorded exchanges replayed."""
    from reconciler.emulator.api import vendor_of
    from reconciler.emulator.replayed import Recording, replayed

    vendor = contract.vendor or vendor_of(contract.kind)
    if vendor is not None:
        return vendor
    rows, replies, exchange = (contract.load(name) for name in ("accepted", "replies", "exchange"))
    try:
        requests = dict.fromkeys(row.get("request", rows.get("request")) for row in rows["cases"])
        return replayed(contract.kind, Recording(tuple(requests), replies, exchange))
    except (LookupError, TypeError, AttributeError, StopIteration) as error:
        parts = "a request, its id, and a task that runs, one that is done and one that failed"
        text = f"the recorded exchanges cannot be replayed; they need {parts} ({type(error).__name__}: {error})"
        raise ContractBroken(text) from error


@contextmanager
def rehearsal(contract: Contract, *faults: Mapping[str, object], key: str = SECRET) -> Iterator[Rehearsal]:
    """Give a fresh project and vendor; the vendor has these faults, and the project this key."""
    from reconciler.api.program import Program
    from reconciler.emulator.inside import serving

    clock = HastyClock()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "film"
        root.mkdir()
        with serving(emulated(contract), faults, clock.now, Path(folder)) as (url, world):
            names = credential_names(contract)
            env = {name.upper(): f"app-{key}" for name in names} | {names[-1].upper(): key}
            env |= {"XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder, "HOME": folder}
            text = json.dumps(project(contract, {"base_url": url, **_PACE}), ensure_ascii=False)
            (root / "clipform.yaml").write_text(text, encoding="utf-8")
            yield Rehearsal(root, Program(root, clock, env), world)


def credential_names(contract: Contract) -> tuple[str, ...]:
    """Return the credentials that a provider of this kind needs; the last one is the secret."""
    dialect = contract.dialect
    require(isinstance(dialect, SpokenOverHttp), "the dialect lacks credentials, reserved or auth_headers()")
    return dialect.credentials[-1] if isinstance(dialect, SpokenOverHttp) else ()


def project(contract: Contract, provider: Mapping[str, Any], prompt: str = "") -> dict[str, Any]:
    """Return a project with one clip of this kind: that of exchange.yaml."""
    recorded = contract.load("exchange")
    clip = {name: value for name, value in recorded["clip"].items() if name not in _MEDIA and value is not None}
    if media := {name: recorded["clip"][name] for name in _MEDIA if name in recorded["clip"]}:
        clip["references"] = media
    keys = {name: f"${{env.{name.upper()}}}" for name in credential_names(contract)}
    settings = {"settings": recorded["settings"]} if "settings" in recorded else {}
    return {
        "version": 1,
        "providers": {"vendor": {"kind": contract.kind, **keys, **settings, **provider}},
        "clips": {"sample": {"provider": "vendor", **clip, **({"prompt": prompt} if prompt else {})}},
    }


def files_with(text: str, root: Path) -> Sequence[str]:
    """Return the files below a folder that contain a text."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return [path.relative_to(root).as_posix() for path in files if text.encode() in path.read_bytes()]
