"""Whose account it is: the credentials of a provider, as text, and the proxy that the environment asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from reconciler.diagnostics import ClipformError
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.spec.project import ProviderConfig
from reconciler.spec.values import Secret
from reconciler.transport.addresses import is_loopback

PUBLIC = frozenset({"app_id"})
"""Credentials that identify an account and open nothing."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a provider is, and the credentials that go there and nowhere else."""

    base_url: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The account's public id, where it has one."""
        return next((self.credentials[name] for name in sorted(PUBLIC & self.credentials.keys())), "")

    @property
    def fingerprint(self) -> str:
        """Tells one account from another: its public id where it has one, else its credentials, as a short digest that
        nobody can read back. So that a list is believed only when it is the list of whoever submitted."""
        told = {name: self.credentials[name] for name in PUBLIC & self.credentials.keys()} or self.credentials
        text = "\0".join((self.base_url, *(part for pair in sorted(told.items()) for part in pair)))
        return hashlib.sha256(f"clipform account\0{text}".encode()).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(text for name, text in self.credentials.items() if name not in PUBLIC)


def open_account(config: ProviderConfig, dialect: SpokenOverHttp, environ: Mapping[str, str]) -> Account:
    """The account of a provider: the first set of credentials that is complete. Raises ClipformError naming what is
    missing; call it where secrets may be read."""
    given = {name: _text(value, environ) for name, value in config.credentials.items()}
    for names in dialect.credentials:
        if all(given.get(name) for name in names):
            found = {name: given[name] for name in names}
            _require_plain(config, found)
            return Account((config.spec.base_url or dialect.base_url).rstrip("/"), found)
    raise ClipformError(
        f"provider {config.alias}: {_missing(config, given)}", help=_help(config), code="no-credentials"
    )


def environment_proxy(url: str) -> str | None:
    """The proxy of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; never one for this machine. Nothing else
    of the environment is trusted: a netrc file could add credentials that nobody asked for."""
    parts, proxies = urlsplit(url), getproxies_environment()
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    found = proxies.get(parts.scheme) or proxies.get("all")
    if found is None or found.startswith(("http://", "https://")):
        return found
    if "://" not in found:
        return f"http://{found}"
    raise ClipformError("the proxy of the environment is not an HTTP proxy", help="unset ALL_PROXY", code="proxy")


def _text(value: Secret | str, environ: Mapping[str, str]) -> str:
    return environ.get(value.env, "").strip() if isinstance(value, Secret) else value


def _require_plain(config: ProviderConfig, credentials: Mapping[str, str]) -> None:
    """A key with a line break or the like in it was copied wrongly; it would also not be a header."""
    for name, text in credentials.items():
        if not (text.isascii() and text.isprintable()):
            words = f"provider {config.alias}: {name} has characters that no key has"
            raise ClipformError(words, help=_help(config), code="no-credentials")


def _missing(config: ProviderConfig, given: Mapping[str, str]) -> str:
    empty = [value.env for name, value in config.credentials.items() if isinstance(value, Secret) and not given[name]]
    if empty:
        return f"{' and '.join(empty)} {'is' if len(empty) == 1 else 'are'} not set in the environment"
    return "it has no credentials"


def _help(config: ProviderConfig) -> str:
    return f"set it and try again, or mend providers.{config.alias} in the project file"
