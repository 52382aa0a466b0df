"""Provider endpoints, and the warnings of a plan about them. Pure.

A spec may come from a stranger's pull request, and an address in it decides who reads the key
(docs/design/never-pay-twice.md#f88). A plan lists such addresses as demands (`demands`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from reconciler.diagnostics import ClipformError, Diagnostic, Severity
from reconciler.frozen import dataclass
from reconciler.identity import canonical
from reconciler.next_command import command
from reconciler.plan.model import GENERATES, Action, Plan
from reconciler.providers import plugins, registry
from reconciler.providers.base import Dialect
from reconciler.providers.capabilities import HasRegions, SpokenOverHttp
from reconciler.records import Attempt, Snapshot
from reconciler.spec.environment import complete, is_local, values_in
from reconciler.spec.project import Project, ProviderConfig
from reconciler.spec.values import Secret
from reconciler.transport.addresses import private_network

ASKING = GENERATES | {Action.RESUME}
"""The actions that need a provider."""


def endpoint(config: ProviderConfig, dialect: Dialect) -> str:
    """Return the base URL of a provider as it is declared now; empty for a kind without network."""
    return (config.spec.base_url or dialect.base_url).rstrip("/")


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """Where an attempt was sent. `account` is that of `Store.account`; empty where it does not matter or is unknown."""

    alias: str
    kind: str
    endpoint: str
    account: str = ""

    @classmethod
    def of(cls, attempt: Attempt, account: str = "") -> Site:
        """Return the site of an attempt."""
        return cls(attempt.provider, attempt.kind, attempt.endpoint, account)


def declares(project: Project, dialects: Mapping[str, Dialect], site: Site) -> bool:
    """True if the site's alias still has its kind and endpoint.

    An attempt of an older clipform has no endpoint: it was sent to wherever its alias points.
    """
    config, dialect = project.providers.get(site.alias), dialects.get(site.alias)
    if config is None or dialect is None or config.kind != site.kind:
        return False
    return site.endpoint in ("", endpoint(config, dialect))


def places(project: Project, dialects: Mapping[str, Dialect], env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return a digest of where each provider's key goes, by alias, and "" for the project's store.

    Digests, because they go into files and an address may have values of the environment. The kind of another package
    counts with its version: what it would send may change with it, so a saved plan is stale then."""

    def actual(*texts: str) -> list[str]:
        return [*texts, *(value for text in texts for value in values_in(text, env))]

    store = actual(*(str(project.publish.get(name)) for name in ("store", "endpoint")))
    digests = {"": _digest(store, project.publish)}
    for alias, dialect in dialects.items():
        config = project.providers[alias]
        code = [] if registry.is_ours(config.kind) else [plugins.package(config.kind)]
        digests[alias] = _digest([*actual(config.kind, endpoint(config, dialect)), *code], config.credentials)
    return tuple(sorted(digests.items()))


def _digest(place: list[str], credentials: Mapping[str, object]) -> str:
    names = {name: value.env for name, value in credentials.items() if isinstance(value, Secret)}
    return hashlib.sha256(canonical([place, names]).encode()).hexdigest()


def warnings(
    project: Project, dialects: Mapping[str, Dialect], snapshot: Snapshot, plan: Plan
) -> tuple[Diagnostic, ...]:
    """Return the warnings to show before a plan is confirmed: keys in clear text, and tasks at former addresses."""
    buying = {step.provider for step in plan.steps if step.action in GENERATES} & dialects.keys()
    asked = set(buying)
    for step in plan.steps:
        task = snapshot.attempts.get(step.key) if step.action is Action.RESUME else None
        if task is not None and declares(project, dialects, Site.of(task)):
            asked.add(step.provider)
    addresses = [
        warning for alias in sorted(asked & dialects.keys()) for warning in _in_clear(project.providers[alias])
    ]
    private = [warning for alias in sorted(buying) for warning in _private_warnings(project.providers[alias])]
    return (*addresses, *private, *_task_warnings(project, dialects, snapshot, plan))


def missing_credentials(config: ProviderConfig, dialect: Dialect, env: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield a warning for a provider whose credentials the environment lacks: a plan needs none, apply does."""
    if isinstance(dialect, SpokenOverHttp):
        try:
            complete(config.credentials, dialect.credentials, env)
        except ClipformError as error:
            text = f"provider {config.alias}: {error.message}; apply stops without it"
            source = config.fields.get("api_key", config.where)
            yield Diagnostic("no-credentials", text, source, "set it before you apply", Severity.WARNING)


def new_address(config: ProviderConfig, dialect: Dialect, snapshot: Snapshot) -> str:
    """Return what would be sent to an address that is neither the kind's own nor on record; empty for others."""
    keys, used = _keys(config), _used(snapshot, config.alias)
    if config.spec.base_url is None or not keys or is_local(config.spec.base_url):
        return ""
    address, default = origin(config.spec.base_url), origin(dialect.base_url)
    if address in {default, *used, *map(origin, regions(dialect))}:
        return ""
    former = f", nor an address that {config.alias} used before" if used else ""
    return f"{keys} would be sent to {address}, which is not {default} ({config.kind}'s own){former}"


def _keys(config: ProviderConfig) -> str:
    return " and ".join(value.env for value in config.credentials.values() if isinstance(value, Secret))


def _used(snapshot: Snapshot, alias: str) -> set[str]:
    """Return the origins on record for an alias."""
    attempts = (attempt for attempt in snapshot.attempts.values() if attempt.provider == alias)
    return {origin(attempt.endpoint) for attempt in attempts if attempt.endpoint}


def regions(dialect: Dialect) -> tuple[str, ...]:
    return dialect.regions if isinstance(dialect, HasRegions) else ()


def _in_clear(config: ProviderConfig) -> Iterator[Diagnostic]:
    """Yield a warning for an address that gets a key unencrypted. Which addresses get keys is in the plan's demands."""
    address, keys = config.spec.base_url or "", _keys(config)
    if keys and address.startswith("http://") and not is_local(address):
        source = config.fields.get("base_url", config.where)
        text = f"{keys} will be sent to {origin(address)} unencrypted: anyone on the network can read it"
        yield Diagnostic("key-in-clear", text, source, "use https", Severity.WARNING)


def _private_warnings(config: ProviderConfig) -> Iterator[Diagnostic]:
    """Yield a warning for a provider in a private network: links out of it are refused, after the purchase."""
    address = config.spec.base_url or ""
    network = private_network(address)
    if network is None:
        return
    links = f"another private network than {network}" if network else "a private network"
    text = f"{config.alias} is at a private address, {origin(address)}: a video behind a link to {links}"
    by_hand = command("import", "CLIP", "--file", "MP4")
    help = f"make sure where it serves videos; one that is not fetched is imported by hand:\n{by_hand}"
    source = config.fields.get("base_url", config.where)
    yield Diagnostic("private-address", f"{text} is paid for and not fetched", source, help, Severity.WARNING)


def _task_warnings(
    project: Project, dialects: Mapping[str, Dialect], snapshot: Snapshot, plan: Plan
) -> Iterator[Diagnostic]:
    """Yield a warning for each running task whose provider has another address now."""
    for step in plan.steps:
        attempt = snapshot.attempts.get(step.key)
        if step.action is not Action.RESUME or attempt is None:
            continue
        if declares(project, dialects, Site.of(attempt)):
            continue
        config = project.providers.get(attempt.provider)
        address = f"{attempt.endpoint or 'an address that is not on record'} ({attempt.kind})"
        change = "is no longer declared" if config is None else "has another address now"
        text = f"{step.name}: task {attempt.task} runs at {address}, but provider {attempt.provider} {change}"
        help = "clipform polls it there if a declared provider has the key that paid for it"
        yield Diagnostic("task-elsewhere", text, config.where if config else None, help, Severity.WARNING)


def declaration(attempt: Attempt, credentials: tuple[str, ...]) -> str:
    """Return the YAML that declares an attempt's provider again."""
    prefix = "".join(c if c.isalnum() else "_" for c in attempt.provider).upper()
    keys = ", ".join(f"{name}: ${{env.{prefix}_{name.upper()}}}" for name in credentials)
    address = f", base_url: {attempt.endpoint}" if attempt.endpoint else ""
    return f"providers:\n  {attempt.provider}: {{kind: {attempt.kind}{address}, {keys}}}"


def origin(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
