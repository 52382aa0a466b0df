"""Looks up uncertain requests before a run: one connection for each site, and a second reading where it decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.clock import Clock
from reconciler.diagnostics import ClipformError
from reconciler.engine.connections.providers import LOCAL, Connect, reach
from reconciler.engine.control import RunControl
from reconciler.engine.uncertain.absence import APART, Absent, Ask
from reconciler.engine.uncertain.match import Matched
from reconciler.engine.uncertain.task_list import LookupContext, TaskListReader
from reconciler.events import Event, EventKind
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.project import endpoints
from reconciler.project.endpoints import Site
from reconciler.project.model import Loaded
from reconciler.providers.capabilities import Lists, Tokens
from reconciler.records import Attempt

ROUNDS = 8
"""Readings that one look-up makes at most."""


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles uncertain requests before a run."""

    lookups: LookupContext
    loaded: Loaded
    connect: Connect
    control: RunControl
    say: Callable[[Event], None]

    async def settle(self) -> dict[str, str]:
        """Look up every uncertain request whose provider has a list.

        Returns why a request is still uncertain, by key. A provider that cannot be asked is a reason, not an error.
        """
        reasons: dict[str, str] = {}
        by_site: dict[Site, list[Attempt]] = {}
        for attempt in self.lookups.store.uncertain():
            if attempt.kind == LOCAL or self.lookups.store.holder(attempt):
                continue
            site = self._site(attempt)
            declared = self.loaded.has(site)
            if declared and site.alias not in self.loaded.listing:
                continue
            if declared and (reason := self._not_asked(site)):
                reasons[attempt.key] = reason
                continue
            by_site.setdefault(replace(site, endpoint="", account="") if declared else site, []).append(attempt)
        answers = await asyncio.gather(*(self._settle(attempts) for _, attempts in sorted(by_site.items())))
        return reasons | {key: reason for answer in answers for key, reason in answer.items()}

    def _site(self, attempt: Attempt) -> Site:
        return Site.of(attempt, self.lookups.store.account(attempt))

    def _not_asked(self, site: Site) -> str:
        """Return why a request of an older clipform, which has no endpoint, is not looked up where its alias points.

        No plan has shown that address, and no key goes to an address before a plan has. Empty: it is looked up.
        """
        if site.endpoint:
            return ""
        config, dialect = self.loaded.project.providers[site.alias], self.loaded.dialects[site.alias]
        address = endpoints.new_address(config, dialect, self.lookups.store.snapshot())
        return f"it was not asked: {address}" if address else ""

    async def _settle(self, attempts: Sequence[Attempt]) -> dict[str, str]:
        site = self._site(attempts[0])
        try:
            provider = reach(self.loaded, self.connect, attempts[0], site)
        except ClipformError as error:
            return {a.key: f"it could not be asked: {error.message}" for a in attempts}
        async with aclosing(provider.transport):
            if not isinstance(provider.dialect, Lists):
                return {}
            speaks = isinstance(provider.dialect, Tokens)
            if speaks and (name := self.lookups.store.speaker(provider.transport.account)):
                return {a.key: f"it was not asked: {name} speaks for {provider.alias}" for a in attempts}
            return await self._read(TaskListReader(self.lookups, provider, self.loaded.has(site)))

    async def _read(self, reader: TaskListReader) -> dict[str, str]:
        """Read the list and decide, again if a second reading soon decides. Returns what is still uncertain, by key."""
        clock = self.lookups.clock
        attempts = {a.id: a for a in self.lookups.store.attempts()}
        reasons: dict[str, str] = {}
        since = clock.monotonic()
        for _ in range(ROUNDS):
            await reader.read(since)
            asks: list[Ask] = []
            for number, verdict in reader.settle().items():
                attempt = attempts[number]
                reasons.pop(attempt.key, None)
                match verdict:
                    case Matched(task, _):
                        self._note(attempt, f"its request was accepted: {attempt.provider} lists it as task {task}")
                    case Absent():
                        self._note(attempt, f"its request was not accepted: {attempt.provider} has no such task")
                    case Ask():
                        reasons[attempt.key] = question(verdict, clock)
                        asks.append(verdict)
            soon = [ask.again for ask in asks if ask.again is not None and ask.again - clock.monotonic() <= APART]
            if not soon:
                break
            since = min(soon)
            await self.control.sleep(clock, since - clock.monotonic())
            if self.control.event.is_set():
                break
        return reasons

    def _note(self, attempt: Attempt, text: str) -> None:
        self.say(Event(EventKind.NOTE, attempt.clip, attempt.take, message=f"{attempt.clip}: {text}"))


def question(ask: Ask, clock: Clock) -> str:
    """Return the reason, with the time after which another reading may decide."""
    if ask.again is None:
        return ask.reason
    when = datetime.fromtimestamp(clock.now() + ask.again - clock.monotonic(), UTC).strftime("%H:%M:%S UTC")
    return f"{ask.reason}; {command('apply')} looks again after {when}"
