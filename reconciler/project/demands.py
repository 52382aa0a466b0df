"""List what a project asks of this machine beyond the ordinary. Pure.

A project may come from a stranger (docs/design/threat-model.md). Ordinary is a kind's own address with the credentials
of its provider. A provider on this machine, such as the emulator, is listed and not asked about. The others are asked
about once, before anything is sent. A provider that nothing uses is listed once something connects to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.plan.model import Demand
from reconciler.project import endpoints
from reconciler.providers.base import LOCAL, Dialect
from reconciler.spec.environment import ADDRESSES, is_local, names_in
from reconciler.spec.project import Project, ProviderConfig
from reconciler.spec.values import JsonValue, LocalMedia, Secret


def demands(
    project: Project, dialects: Mapping[str, Dialect], outside: Collection[str], used: Collection[str]
) -> tuple[Demand, ...]:
    """Return the demands of a project, each once and in a fixed order. `outside`: its media outside the root; `used`:
    the aliases of the providers to list."""
    listed = [*_stores(project), *_database(project), *_notified(project), *_outside(project, outside)]
    for alias, config in project.providers.items():
        if config.kind != LOCAL and alias in dialects and alias in used:
            listed += _provider(config, dialects[alias])
    return tuple(sorted(set(listed)))


def _provider(config: ProviderConfig, dialect: Dialect) -> Iterator[Demand]:
    """Yield the address of a provider, unless it is the kind's own, and the variables that are part of it."""
    address = endpoints.endpoint(config, dialect)
    if endpoints.origin(address) in map(endpoints.origin, (dialect.base_url, *endpoints.regions(dialect))):
        return
    names = [value.env for value in config.credentials.values() if isinstance(value, Secret)]
    use = f"gets {' and '.join([*names, 'the inputs of clips'])} (provider {config.alias})"
    yield Demand(address, use, not is_local(address))
    yield from _variables(address, f"is part of the address of provider {config.alias}")


def _stores(project: Project) -> Iterator[Demand]:
    """Yield where local media and artifacts would go, with the variables that are sent along."""
    for section, store, content in (("publish", "store", "local media"), ("cache", "remote", "videos")):
        values = project.publish if section == "publish" else project.cache
        if not values:
            continue
        place = " at ".join(str(values[name]) for name in (store, "endpoint") if name in values)
        names = [value.env for value in values.values() if isinstance(value, Secret)]
        yield Demand(place, f"gets {' and '.join([*names, content])} ({section})")
        if "public_url" in values:
            yield Demand(str(values["public_url"]), "is the address that providers fetch local media from")
        yield from _in_section(section, values)


def _database(project: Project) -> Iterator[Demand]:
    """Yield the shared database."""
    if project.state:
        use = "gets your login there, the prompts of clips and the records of purchases (state)"
        yield Demand(str(project.state["url"]), use)


def _notified(project: Project) -> Iterator[Demand]:
    """Yield the addresses that get a message at the end of an apply."""
    use = "gets the names of clips and what they cost at the end of an apply (notify)"
    if url := project.notify.get("url"):
        yield Demand(str(url), use, not is_local(str(url)))
    if isinstance(services := project.notify.get("apprise"), Secret):
        yield Demand(f"the services in {services.env}", use.replace("gets", "get"))
    yield from _in_section("notify", project.notify)


def _in_section(section: str, values: Mapping[str, JsonValue]) -> Iterator[Demand]:
    for name in sorted(ADDRESSES & values.keys()):
        yield from _variables(values[name], f"is part of {section}.{name}")


def _variables(text: object, use: str) -> Iterator[Demand]:
    for name in names_in(text):
        yield Demand(f"${{env.{name}}}", use)


def _outside(project: Project, outside: Collection[str]) -> Iterator[Demand]:
    """Yield each file outside the project with the providers that it is sent to."""
    if not outside:
        return
    for clip in project.clips:
        for _, item in clip.media():
            if isinstance(item, LocalMedia) and item.path in outside:
                is_sent = project.providers[clip.spec.provider].kind != LOCAL
                use = f"is sent to provider {clip.spec.provider}" if is_sent else "is read"
                yield Demand(item.path, f"{use} (outside the project)", is_sent)
