"""Where providers are: the endpoint of an alias, and what a plan says aloud about addresses that a key is sent to.

Pure. A spec may come from a stranger's pull request: an address in it decides who reads the key (RELIABILITY F88). So a
plan names each origin that is neither the kind's own nor one that this alias was used with before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.identity import canonical
from reconciler.plan.model import GENERATES, Action, Plan
from reconciler.providers.base import Dialect
from reconciler.records import Attempt, Snapshot
from reconciler.spec.project import Project, ProviderConfig
from reconciler.spec.values import Secret

ASKING = GENERATES | {Action.RESUME}
"""The actions that need a provider."""
ELSEWHERE = "key-elsewhere"
"""The code of a word about an address that no key of this alias went to before."""


def endpoint(config: ProviderConfig, dialect: Dialect) -> str:
    """The base URL of an alias as it is declared now; empty for a kind that is reached over no network."""
    return (config.spec.base_url or dialect.base_url).rstrip("/")


def here(attempt: Attempt, config: ProviderConfig | None, dialect: Dialect | None) -> bool:
    """Whether an alias still is what it was when the attempt was made. An attempt of an older clipform does not say
    where it was sent: to wherever its alias points."""
    if config is None or dialect is None or config.kind != attempt.kind:
        return False
    return attempt.endpoint in ("", endpoint(config, dialect))


def places(project: Project, dialects: Mapping[str, Dialect]) -> tuple[tuple[str, str], ...]:
    """What tells one place for keys from another, by alias, and of the project's store as "". Digests: an address may
    have something of the environment in it, and these go into files."""
    found = {"": _digest([str(project.publish.get(name)) for name in ("store", "endpoint")], project.publish)}
    for alias, dialect in dialects.items():
        config = project.providers[alias]
        found[alias] = _digest([config.kind, endpoint(config, dialect)], config.credentials)
    return tuple(sorted(found.items()))


def _digest(place: list[str], credentials: Mapping[str, object]) -> str:
    names = {name: value.env for name, value in credentials.items() if isinstance(value, Secret)}
    return hashlib.sha256(canonical([place, names]).encode()).hexdigest()


def warnings(
    project: Project, dialects: Mapping[str, Dialect], snapshot: Snapshot, plan: Plan
) -> tuple[Diagnostic, ...]:
    """What a plan says aloud before it is confirmed: new addresses for keys, and tasks that are elsewhere."""
    used = _used(snapshot)
    asked = {step.provider for step in plan.steps if step.action in GENERATES}
    for step in plan.steps:
        task = snapshot.attempts.get(step.key) if step.action is Action.RESUME else None
        if task is not None and here(task, project.providers.get(step.provider), dialects.get(step.provider)):
            asked.add(step.provider)
    found = [
        warning
        for alias in sorted(asked & dialects.keys())
        for warning in _strange(project.providers[alias], dialects[alias], used.get(alias, set()))
    ]
    return (*found, *_elsewhere(project, dialects, snapshot, plan))


def unseen(config: ProviderConfig, dialect: Dialect, snapshot: Snapshot) -> Diagnostic | None:
    """What a plan says of an alias's address that is neither the kind's own nor on record; None for one that is."""
    found = _strange(config, dialect, _used(snapshot).get(config.alias, set()), "would be sent")
    return next((warning for warning in found if warning.code == ELSEWHERE), None)


def _used(snapshot: Snapshot) -> dict[str, set[str]]:
    """The origins that are on record, by alias."""
    found: dict[str, set[str]] = {}
    for attempt in snapshot.attempts.values():
        if attempt.endpoint:
            found.setdefault(attempt.provider, set()).add(_origin(attempt.endpoint))
    return found


def _strange(
    config: ProviderConfig, dialect: Dialect, used: set[str], says: str = "will be sent"
) -> Iterator[Diagnostic]:
    names = [value.env for value in config.credentials.values() if isinstance(value, Secret)]
    if config.spec.base_url is None or not names or _local(config.spec.base_url):
        return
    origin, own = _origin(config.spec.base_url), _origin(dialect.base_url)
    where, key = config.fields.get("base_url", config.where), " and ".join(names)
    if origin not in {own, *used}:
        before = f", nor where {config.alias} was used before" if used else ""
        text = f"{key} {says} to {origin}, which is not {own} ({config.kind}'s own){before}"
        help = "go on only if you know who that is: whoever answers there can read the key and spend with it"
        yield Diagnostic(ELSEWHERE, text, where, help, Severity.WARNING)
    if origin.startswith("http://"):
        text = f"{key} {says} to {origin} in clear text: everybody on the way can read it"
        yield Diagnostic("key-in-clear", text, where, "use https", Severity.WARNING)


def _elsewhere(
    project: Project, dialects: Mapping[str, Dialect], snapshot: Snapshot, plan: Plan
) -> Iterator[Diagnostic]:
    """Tasks whose alias no longer points to where they run."""
    for step in plan.steps:
        attempt = snapshot.attempts.get(step.key)
        if step.action is not Action.RESUME or attempt is None:
            continue
        config = project.providers.get(attempt.provider)
        if here(attempt, config, dialects.get(attempt.provider)):
            continue
        place = f"{attempt.endpoint or 'an address that is not on record'} ({attempt.kind})"
        change = "is no longer declared" if config is None else "points elsewhere now"
        text = f"{step.name}: task {attempt.task} is at {place}, and provider {attempt.provider} {change}"
        help = "it is asked for there if a declared provider has the key that it was bought with"
        yield Diagnostic("task-elsewhere", text, config.where if config else None, help, Severity.WARNING)


def declaration(attempt: Attempt, credentials: tuple[str, ...]) -> str:
    """The lines of a project file that make an attempt's provider known again."""
    prefix = "".join(c if c.isalnum() else "_" for c in attempt.provider).upper()
    keys = ", ".join(f"{name}: ${{env.{prefix}_{name.upper()}}}" for name in credentials)
    address = f", base_url: {attempt.endpoint}" if attempt.endpoint else ""
    return f"providers:\n  {attempt.provider}: {{kind: {attempt.kind}{address}, {keys}}}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
