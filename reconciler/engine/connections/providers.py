"""The providers of a run, each with its dialect, its transport and its pace, and the way back to where tasks are.

An attempt keeps to where it was made (RELIABILITY §3.7): its task is asked for, looked up, cancelled and fetched at the
provider kind and endpoint of its record, whatever the project file says since. A key goes to an address that the
project no longer names only if it is, by its fingerprint, the very one that the attempt was bought with there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from reconciler.diagnostics import ClipformError, ProviderError, SpecError
from reconciler.engine.connections.local import LocalTransport
from reconciler.engine.ports import ConnectedProvider, Transport
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.project import endpoints
from reconciler.project.model import Loaded
from reconciler.providers import registry
from reconciler.providers.base import LOCAL as LOCAL
from reconciler.providers.base import Dialect, Pace
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.records import Attempt
from reconciler.spec.project import ProviderConfig

Connect = Callable[[ProviderConfig, Dialect, Pace], Transport]
"""Makes the transport of a provider that is reached over a network; it reads the provider's secrets."""


@dataclass(slots=True)
class ConnectedProviders:
    """Whom a run asks: the declared providers by alias, and by key those of tasks that are elsewhere, or why not."""

    by_alias: dict[str, ConnectedProvider] = field(default_factory=dict)
    by_key: dict[str, ConnectedProvider] = field(default_factory=dict)
    unreached: dict[str, ClipformError] = field(default_factory=dict)

    def of(self, alias: str, key: str) -> ConnectedProvider:
        """Whom to ask about a key. Raises ProviderError when nobody can be asked."""
        if key in self.unreached:
            raise self.unreached[key]
        found = self.by_key.get(key) or self.by_alias.get(alias)
        if found is None:
            raise ProviderError(f"provider {alias} is no longer declared", help="declare it again to carry on")
        return found

    async def aclose(self) -> None:
        """Let go of everything."""
        for vendor in (*self.by_alias.values(), *self.by_key.values()):
            await vendor.transport.aclose()


def connect_aliases(
    loaded: Loaded, needed: frozenset[str], farm: DraftRenderer, workers: int, connect: Connect
) -> dict[str, ConnectedProvider]:
    """The vendors of the aliases that are needed. `workers` bounds the local one: more would only wait for a core."""
    found: dict[str, ConnectedProvider] = {}
    for alias in sorted(needed & loaded.dialects.keys()):
        config, dialect = loaded.project.providers[alias], loaded.dialects[alias]
        pace = paced(dialect.pace, config)
        if config.kind == LOCAL:
            limit = min(pace.concurrency, workers)
            local = LocalTransport(dialect, farm)
            found[alias] = ConnectedProvider(
                alias, config.kind, dialect, local, replace(pace, concurrency=limit), durable=False
            )
        else:
            transport, endpoint = connect(config, dialect, pace), endpoints.endpoint(config, dialect)
            found[alias] = ConnectedProvider(alias, config.kind, dialect, transport, pace, endpoint=endpoint)
    return found


def is_here(loaded: Loaded, attempt: Attempt) -> bool:
    """Whether the attempt's alias still is what it was when the attempt was made."""
    alias = attempt.provider
    return endpoints.here(attempt, loaded.project.providers.get(alias), loaded.dialects.get(alias))


def reach(loaded: Loaded, connect: Connect, attempt: Attempt, account: str) -> ConnectedProvider:
    """The vendor that an attempt was made at. `account` is what `Store.account` says of it.

    Raises ClipformError: with what to declare where nothing that is declared leads there.
    """
    if is_here(loaded, attempt):
        config, dialect = loaded.project.providers[attempt.provider], loaded.dialects[attempt.provider]
        if config.kind == LOCAL:
            raise ProviderError(f"task {attempt.task} was a draft; it ended with its process")
        return _vendor(attempt, config, dialect, connect)
    for config, dialect in _ways(loaded, attempt):
        try:
            vendor = _vendor(attempt, config, dialect, connect)
        except ClipformError:  # it has no credentials of that sort, or they are not set
            continue
        if account and vendor.transport.account == account:
            return vendor
        # Nothing was sent, so there is nothing to close. Its key is not the one that is known there.
    raise _out_of_reach(attempt)


def reach_all(
    loaded: Loaded, connect: Connect, attempts: Iterable[tuple[Attempt, str]], into: ConnectedProviders
) -> None:
    """Find the vendors of attempts that were made elsewhere than their alias is now; one for each place."""
    places: dict[tuple[str, ...], ConnectedProvider | ClipformError] = {}
    for attempt, account in attempts:
        place = (attempt.provider, attempt.kind, attempt.endpoint, account)
        if place not in places:
            try:
                places[place] = reach(loaded, connect, attempt, account)
            except ClipformError as error:
                places[place] = error
        found = places[place]
        if isinstance(found, ConnectedProvider):
            into.by_key[attempt.key] = found
        else:
            into.unreached[attempt.key] = found


def _ways(loaded: Loaded, attempt: Attempt) -> Iterator[tuple[ProviderConfig, Dialect]]:
    """Every declared provider as if it pointed to where the attempt was made, its own alias first."""
    if not attempt.endpoint:
        return
    declared = loaded.project.providers.values()
    for config in sorted(declared, key=lambda config: (config.alias != attempt.provider, config.kind != attempt.kind)):
        there = config.with_fields(base_url=attempt.endpoint)
        if config.kind == attempt.kind and config.alias in loaded.dialects:
            yield there, loaded.dialects[config.alias]
        elif config.kind != LOCAL:  # its settings are about another kind; its key may still be the one
            try:
                dialect = registry.dialect(attempt.kind)
            except SpecError:  # a kind of a package that is gone
                return
            yield there.with_fields(kind=attempt.kind, settings={}, models=None), dialect


def _vendor(attempt: Attempt, config: ProviderConfig, dialect: Dialect, connect: Connect) -> ConnectedProvider:
    pace = paced(dialect.pace, config)
    transport, endpoint = connect(config, dialect, pace), endpoints.endpoint(config, dialect)
    return ConnectedProvider(attempt.provider, config.kind, dialect, transport, pace, endpoint=endpoint)


def _out_of_reach(attempt: Attempt) -> ProviderError:
    task = f"task {attempt.task}" if attempt.task else "its request"
    place = f"{attempt.provider} ({attempt.kind}{', ' + attempt.endpoint if attempt.endpoint else ''})"
    text = f"{task} is at {place}, which no declared provider leads to with the key that it was bought with"
    try:
        dialect = registry.dialect(attempt.kind)
    except SpecError:
        help = f"install the package that knows kind {attempt.kind}, then clipform apply"
        return ProviderError(text, help=help, code="out-of-reach")
    names = dialect.credentials[0] if isinstance(dialect, SpokenOverHttp) else ("api_key",)
    help = f"declare it as it was, and clipform apply carries on:\n{endpoints.declaration(attempt, names)}"
    return ProviderError(text, help=help, code="out-of-reach")


def paced(pace: Pace, config: ProviderConfig) -> Pace:
    """The dialect's pace with what the project overrides."""
    rate, interval, timeout = config.spec.requests_per_second, config.spec.poll_interval, config.spec.timeout
    slowest = pace.poll_max if interval is None else float(interval)
    return replace(
        pace,
        requests_per_second=pace.requests_per_second if rate is None else float(rate),
        first_poll=min(pace.first_poll, slowest),
        poll_min=min(pace.poll_min, slowest),
        poll_max=slowest,
        timeout=pace.timeout if timeout is None else float(timeout),
        concurrency=pace.concurrency if config.spec.concurrency is None else config.spec.concurrency,
    )
