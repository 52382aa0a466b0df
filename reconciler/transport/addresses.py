"""Checks where a media link may lead. Links come from providers and redirects, so they are not trusted.

A name is resolved once, every address of it must be public, and the connection goes to one of these addresses: checking
a name and then connecting by name would resolve twice and could get two answers.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from reconciler.spec.environment import is_local, is_loopback

if TYPE_CHECKING:  # loads asyncio, which a plan does not need
    from reconciler.transport.ports import Resolve

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_PUBLIC_V6 = IPv6Network("2000::/3")
_EXAMPLES_V6 = IPv6Network("3fff::/20")  # Python 3.11 does not know of them
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_SHARED = "carrier-grade NAT, where one large cloud keeps its metadata"


class Forbidden(Exception):
    """A link that is not followed; the text says why."""


def private_network(home: str) -> str | None:
    """Return the only private network whose links are followed for a provider at this private address; empty if there
    is none. None for a public address and for this machine. Names are judged by their text."""
    host = urlsplit(home).hostname or ""
    literal = _literal(host)
    if not host or is_local(home) or (literal is not None and private(literal) is None):
        return None
    if literal is not None:
        return str(_network(literal)) if _in_private_network(literal) else ""
    try:
        _require_public_name(host)
    except Forbidden:
        return f"the network of {host}"
    return None


async def check(url: str, resolve: Resolve, *, home: str, proxied: bool) -> tuple[str, ...]:
    """Return the addresses that a link may be fetched from. Raises Forbidden, or OSError if the name has none.

    `home` is the provider's base URL. Where that is this machine or in a private network, a link may lead there, over
    http too. `proxied`: the proxy resolves names, so only the link's text can be checked, and the result is empty.
    """
    parts = _split(url)
    host = parts.hostname or ""
    literal = _literal(host)
    if literal is None and proxied:
        _require_scheme(parts, local=False)
        _require_public_name(host)
        return ()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = (str(literal),) if literal else tuple(await resolve(host, port))
    if not addresses:
        raise OSError("the name has no address")
    local = await _is_near(home, [ip_address(text) for text in addresses], resolve)
    _require_scheme(parts, local=local)
    if not local:
        _require_public(host, addresses)
    return addresses


async def _is_near(home: str, addresses: Sequence[Address], resolve: Resolve) -> bool:
    """True if all addresses are this machine and `home` is, too; or all are in a private network of `home`."""
    if all(map(is_loopback, addresses)):
        return is_local(home)
    if not all(_in_private_network(address) for address in addresses):
        return False
    parts = urlsplit(home)
    literal = _literal(parts.hostname or "")
    with suppress(OSError):
        texts = [str(literal)] if literal else await resolve(parts.hostname or "", parts.port or 443)
        networks = [_network(ip_address(text)) for text in texts if _in_private_network(ip_address(text))]
        return all(any(address in network for network in networks) for address in addresses)
    return False


def _in_private_network(address: Address) -> bool:
    return any(address in network for network in _PRIVATE)


def _network(address: Address) -> IPv4Network | IPv6Network:
    """Return the network that an address shares with its neighbours, as most are laid out."""
    return ip_network(f"{address}/{24 if isinstance(address, IPv4Address) else 64}", strict=False)


def _split(url: str) -> SplitResult:
    if not url.isprintable() or not url.isascii() or any(c in url for c in ' \\"<>'):
        raise Forbidden("it has characters that are not allowed in a URL")  # parsers disagree about them
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises if the port is invalid
    except ValueError as error:
        raise Forbidden("it is not a URL") from error
    if parts.scheme not in ("http", "https"):
        raise Forbidden(f"its scheme is {parts.scheme or 'missing'}, not https")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("it has a user name in it")
    if not parts.hostname or "%" in parts.hostname:
        raise Forbidden("it has no host")
    return parts


def _require_scheme(parts: SplitResult, *, local: bool) -> None:
    if parts.scheme != "https" and not local:
        raise Forbidden("it is http, not https")


def _require_public(host: str, addresses: Sequence[str]) -> None:
    for text in addresses:
        if (reason := private(ip_address(text))) is not None:
            raise Forbidden(f"it leads to {text}{'' if host == text else f' ({host})'}: {reason}")


def _require_public_name(host: str) -> None:
    if "." not in host.strip(".") or host.rstrip(".").endswith((".localhost", ".local", ".internal")):
        raise Forbidden(f"{host} is the name of a local host")


def _literal(host: str) -> Address | None:
    """Return the address that a host's text is, including old forms (`127.1`, `0x7f000001`) that resolvers accept."""
    with suppress(ValueError):
        return ip_address(host)
    with suppress(OSError):
        return IPv4Address(socket.inet_aton(host))
    return None


def private(address: Address) -> str | None:
    """Return why an address is not public, None if it is. Embedded addresses are checked too."""
    for inner, form in _embedded(address):
        if (reason := private(inner)) is not None:
            return f"{form} of {inner}, {reason}"
    if isinstance(address, IPv6Address) and any(True for _ in _embedded(address)):
        return None
    return _reason(address)


def _embedded(address: Address) -> list[tuple[IPv4Address, str]]:
    """Return the IPv4 addresses that an IPv6 address embeds, and the form of embedding."""
    if isinstance(address, IPv4Address):
        return []
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped:
        return [(address.ipv4_mapped, "the IPv6 form")]
    if address.sixtofour:
        return [(address.sixtofour, "the 6to4 form")]
    if address.teredo:
        return [(inner, "the Teredo form") for inner in address.teredo]
    if address in _NAT64:
        return [(last, "the NAT64 form")]
    if address in _COMPATIBLE and int(address) > 1:
        return [(last, "the old IPv6 form")]
    return []


def _reason(address: Address) -> str | None:
    rules = (
        (address.is_unspecified, "it is the unspecified address"),
        (address.is_loopback, "it is this machine"),
        (address.is_link_local, "it is link-local, where clouds keep their metadata"),
        (address.is_multicast, "it is a multicast address"),
        (isinstance(address, IPv6Address) and address not in _PUBLIC_V6, "it is not a public address"),
        (address.is_reserved, "it is reserved"),
        (isinstance(address, IPv4Address) and not address.is_private and not address.is_global, _SHARED),
        (isinstance(address, IPv6Address) and address in _EXAMPLES_V6, "it is for examples"),
        (not address.is_global, "it is a private address"),
    )
    return next((reason for applies, reason in rules if applies), None)
