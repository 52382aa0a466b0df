"""Environment variables that a project names.

The name is kept wherever it is read, shown, compared and stored. The value appears only where it is used, and only this
module looks it up. Pure: the environment is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from reconciler.diagnostics import ClipformError
from reconciler.spec.values import Secret

ADDRESSES = frozenset({"base_url", "store", "remote", "endpoint", "region", "public_url", "url"})
"""The fields that may name variables of their section's `env` list."""
VARIABLE = re.compile(r"\$\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}")


def names_in(text: object) -> tuple[str, ...]:
    """Return the variables that a text names, in order."""
    return tuple(VARIABLE.findall(text)) if isinstance(text, str) else ()


def value_of(value: Secret | str, environment: Mapping[str, str]) -> str:
    """Return a credential; empty if its variable is not set."""
    return environment.get(value.env, "").strip() if isinstance(value, Secret) else value


def complete(
    credentials: Mapping[str, Secret | str], sets: Iterable[Sequence[str]], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of the first set of names that are all set. Raises ClipformError, which names the missing
    variables."""
    values = {name: value_of(value, environment) for name, value in credentials.items()}
    for names in sets:
        if all(values.get(name) for name in names):
            return {name: values[name] for name in names}
    unset = [value.env for name, value in credentials.items() if isinstance(value, Secret) and not values[name]]
    missing = f"{' and '.join(unset)} {'is' if len(unset) == 1 else 'are'} not set in the environment"
    raise ClipformError(missing if unset else "no credentials are configured", code="no-credentials")


def values_in(text: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values that resolving a text inserts: what no output may show."""
    return tuple(value for name in names_in(text) if (value := environment.get(name)))


def resolved(text: str, where: str, environment: Mapping[str, str]) -> str:
    """Return an address with its variables replaced. Raises ClipformError, which names variables and no values."""
    names = names_in(text)
    if missing := [name for name in names if not environment.get(name)]:
        message = f"{where} needs {' and '.join(missing)}, which the environment does not set"
        raise ClipformError(message, help=f"set {missing[0]}, or write the value", code="env-missing")
    address = VARIABLE.sub(lambda match: environment[match[1]], text)
    if names and not _is_sound(address):
        message = f"{where}: with its value, {text} is not a plain address"
        raise ClipformError(message, help=f"correct {names[0]} in the environment", code="env-value")
    return address


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """True if a number is that of this machine, also in the IPv6 form of an IPv4 address."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (inner or address).is_loopback


@lru_cache(maxsize=64)  # asked for each take; a project has few addresses
def is_local(url: str) -> bool:
    """True if a URL names this machine, by number or as localhost."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or is_loopback(ip_address(host))
    except ValueError:  # a name, or no address at all
        return False


def _is_sound(address: str) -> bool:
    """True if the values brought no user, query, fragment or unprintable character into an address."""
    return address.isascii() and address.isprintable() and not set(address) & set(" @?#\\{}")
