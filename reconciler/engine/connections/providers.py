"""Connects to the providers of a run, and finds the connection for an attempt that was sent elsewhere.

An attempt keeps its site (never-pay-twice#s3-7): its task is polled, looked up, cancelled and downloaded at the
provider kind and endpoint of its record, even after the project file changed. A key goes to an address that the
project no longer names only if its fingerprint is that of the key with which the attempt was bought there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.diagnostics import ClipformError, ProviderError, SpecError
from reconciler.engine.connections.local import LocalTransport, Renderer
from reconciler.engine.ports import ConnectedProvider, Transport
from reconciler.next_command import command
from reconciler.project import endpoints
from reconciler.project.endpoints import Site
from reconciler.project.model import Loaded
from reconciler.project.pace import paced
from reconciler.providers import registry
from reconciler.providers.base import LOCAL as LOCAL
from reconciler.providers.base import Dialect, Pace
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.records import Attempt
from reconciler.spec.environment import names_in
from reconciler.spec.project import ProviderConfig

Connect = Callable[[ProviderConfig, Dialect, Pace], Transport]
"""Makes the transport of a provider that is reached over a network; it reads the provider's secrets."""


@dataclass(slots=True)
class ConnectedProviders:
    """The providers of a run: the declared ones by alias, and by key those of attempts that were sent elsewhere, or the
    error for those that cannot be reached."""

    by_alias: dict[str, ConnectedProvider] = field(default_factory=dict)
    by_key: dict[str, ConnectedProvider] = field(default_factory=dict)
    unreachable: dict[str, ClipformError] = field(default_factory=dict)

    def of(self, alias: str, key: str) -> ConnectedProvider:
        """Return the provider to ask about a key. Raises ProviderError when there is none."""
        if key in self.unreachable:
            raise self.unreachable[key]
        provider = self.by_key.get(key) or self.by_alias.get(alias)
        if provider is None:
            raise ProviderError(f"provider {alias} is no longer declared", help="declare it again to carry on")
        return provider

    async def aclose(self) -> None:
        """Close every transport."""
        for provider in (*self.by_alias.values(), *self.by_key.values()):
            await provider.transport.aclose()


def connect_aliases(
    loaded: Loaded, needed: frozenset[str], renderer: Renderer, workers: int, connect: Connect
) -> dict[str, ConnectedProvider]:
    """Connect to the providers of the needed aliases. `workers` bounds the local one: more would wait for a core."""
    providers: dict[str, ConnectedProvider] = {}
    for alias in sorted(needed & loaded.dialects.keys()):
        config, dialect = loaded.project.providers[alias], loaded.dialects[alias]
        if config.kind == LOCAL:
            pace = paced(dialect.pace, config, workers)
            local = LocalTransport(dialect, renderer)
            providers[alias] = ConnectedProvider(alias, LOCAL, dialect, local, pace, durable=False)
        else:
            providers[alias] = _connected(alias, config, dialect, connect)
    return providers


def reach(loaded: Loaded, connect: Connect, attempt: Attempt, site: Site) -> ConnectedProvider:
    """Connect to the site of an attempt.

    Raises ClipformError, with what to declare, when no declared provider leads there.
    """
    if loaded.has(site):
        config, dialect = loaded.project.providers[site.alias], loaded.dialects[site.alias]
        if config.kind == LOCAL:
            raise ProviderError(f"task {attempt.task} was a draft; it ended with its process")
        return _connected(site.alias, config, dialect, connect)
    for config, dialect in _candidates(loaded, site):
        try:
            provider = _connected(site.alias, config, dialect, connect)
        except ClipformError:  # it has no credentials of that sort, or they are not set
            continue
        if site.account and provider.transport.account == site.account:
            return provider
        # Nothing was sent, so there is nothing to close. Its key is not the one that the attempt was bought with.
    raise _out_of_reach(attempt)


def reach_all(
    loaded: Loaded, connect: Connect, attempts: Iterable[tuple[Attempt, Site]], into: ConnectedProviders
) -> None:
    """Connect to the sites of attempts that were sent elsewhere than their alias points now; once for each site."""
    providers: dict[Site, ConnectedProvider | ClipformError] = {}
    for attempt, site in attempts:
        if site not in providers:
            try:
                providers[site] = reach(loaded, connect, attempt, site)
            except ClipformError as error:
                providers[site] = error
        provider = providers[site]
        if isinstance(provider, ConnectedProvider):
            into.by_key[attempt.key] = provider
        else:
            into.unreachable[attempt.key] = provider


def _candidates(loaded: Loaded, site: Site) -> Iterator[tuple[ProviderConfig, Dialect]]:
    """Every declared provider as if it pointed to the site, the site's own alias first."""
    if not site.endpoint or names_in(site.endpoint):  # only a declared address may name variables
        return
    declared = loaded.project.providers.values()
    for config in sorted(declared, key=lambda config: (config.alias != site.alias, config.kind != site.kind)):
        moved = config.with_fields(base_url=site.endpoint)
        if config.kind == site.kind and config.alias in loaded.dialects:
            yield moved, loaded.dialects[config.alias]
        elif config.kind != LOCAL:  # its settings are about another kind; its key may still be the one
            try:
                dialect = registry.dialect(site.kind)
            except SpecError:  # the package of this kind is not installed any more
                return
            yield moved.with_fields(kind=site.kind, settings={}, models=None), dialect


def _connected(alias: str, config: ProviderConfig, dialect: Dialect, connect: Connect) -> ConnectedProvider:
    pace = paced(dialect.pace, config)
    transport, endpoint = connect(config, dialect, pace), endpoints.endpoint(config, dialect)
    return ConnectedProvider(alias, config.kind, dialect, transport, pace, endpoint=endpoint)


def _out_of_reach(attempt: Attempt) -> ProviderError:
    task = f"task {attempt.task}" if attempt.task else "its request"
    place = f"{attempt.provider} ({attempt.kind}{', ' + attempt.endpoint if attempt.endpoint else ''})"
    text = f"{task} belongs to {place}, but no configured provider has that address and API key"
    try:
        dialect = registry.dialect(attempt.kind)
    except SpecError:
        help = f"install the package of kind {attempt.kind}, then run: {command('apply')}"
        return ProviderError(text, help=help, code="out-of-reach")
    names = dialect.credentials[0] if isinstance(dialect, SpokenOverHttp) else ("api_key",)
    help = f"declare it as it was, and {command('apply')} carries on:\n{endpoints.declaration(attempt, names)}"
    return ProviderError(text, help=help, code="out-of-reach")
