"""The account at a provider: its credentials as text, and the proxy that the environment configures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from reconciler.diagnostics import ClipformError
from reconciler.frozen import dataclass
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.spec.environment import complete, is_local, resolved, values_in
from reconciler.spec.project import ProviderConfig

PUBLIC = frozenset({"app_id"})
"""Credentials that identify an account and grant no access."""


@dataclass(frozen=True, slots=True)
class Account:
    """A provider's base URL, and the credentials that are sent there and nowhere else."""

    base_url: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    masked: tuple[str, ...] = field(default=(), repr=False)  # values of the environment in the address
    stated: str = ""  # the name of an account with several keys, as the project has it

    @property
    def name(self) -> str:
        """The account's public id; empty if it has none."""
        return next((self.credentials[name] for name in sorted(PUBLIC & self.credentials.keys())), "")

    @property
    def fingerprint(self) -> str:
        """A short one-way digest that distinguishes accounts: of the stated name or the public id if there is one, else
        of the credentials. A task list counts as evidence only if it comes from the account that submitted."""
        public = {name: self.credentials[name] for name in PUBLIC & self.credentials.keys()}
        identifying = {"account": self.stated} if self.stated else public or self.credentials
        text = "\0".join((self.base_url, *(part for pair in sorted(identifying.items()) for part in pair)))
        return hashlib.sha256(f"clipform account\0{text}".encode()).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must never be shown."""
        return (*(text for name, text in self.credentials.items() if name not in PUBLIC), *self.masked)


def open_account(config: ProviderConfig, dialect: SpokenOverHttp, environ: Mapping[str, str]) -> Account:
    """Return a provider's account with the first complete set of credentials. Raises ClipformError naming the missing
    ones. Call it only where secrets may be read."""
    try:
        credentials = complete(config.credentials, dialect.credentials, environ)
    except ClipformError as error:
        message = f"provider {config.alias}: {error.message}"
        raise ClipformError(message, help=_help(config), code="no-credentials") from error
    _require_plain(config, credentials)
    address = config.spec.base_url or dialect.base_url
    base_url = resolved(address, f"providers.{config.alias}.base_url", environ).rstrip("/")
    return Account(base_url, credentials, values_in(address, environ), config.spec.account or "")


def environment_proxy(url: str) -> str | None:
    """Return the proxy of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; None for this machine. Nothing else
    of the environment is trusted: a netrc file could add credentials."""
    parts, proxies = urlsplit(url), getproxies_environment()
    if is_local(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None or proxy.startswith(("http://", "https://")):
        return proxy
    if "://" not in proxy:
        return f"http://{proxy}"
    raise ClipformError("the proxy in the environment is not an HTTP proxy", help="unset ALL_PROXY", code="proxy")


def _require_plain(config: ProviderConfig, credentials: Mapping[str, str]) -> None:
    """Refuse a key with a line break or the like: it was copied wrongly, and is not a valid header."""
    for name, text in credentials.items():
        if not (text.isascii() and text.isprintable()):
            message = f"provider {config.alias}: {name} has characters that no API key contains"
            raise ClipformError(message, help=_help(config), code="no-credentials")


def _help(config: ProviderConfig) -> str:
    return f"set it and try again, or correct providers.{config.alias} in the project file"
