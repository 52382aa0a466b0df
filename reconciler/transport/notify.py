"""Sends a message about a run to an address of the project: once, without a retry, and without holding anything up."""

from __future__ import annotations

import atexit
import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec

import httpx

from reconciler.diagnostics import no_extra
from reconciler.transport.account import environment_proxy

SIGNATURE = "X-Clipform-Signature"
"""The header with `t=SECONDS,v1=HEX`: HMAC-SHA-256 by the secret over the seconds, a dot, and the body."""

PATIENCE = 5.0
"""Seconds that a message may take in all; the end of the process waits for it no longer."""


def signature(secret: str, body: bytes, now: float) -> str:
    """Return the value of `SIGNATURE`."""
    signed = b"%d.%s" % (int(now), body)
    return f"t={int(now)},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Begin to send a message and return. What goes wrong is nobody's concern: the run is over."""

    def send() -> None:
        with (
            suppress(httpx.HTTPError, httpx.InvalidURL, ValueError),
            httpx.Client(timeout=PATIENCE, trust_env=False, proxy=environment_proxy(url)) as client,
            client.stream("POST", url, content=body, headers={"Content-Type": "application/json", **headers}),
        ):
            pass  # the answer is not read

    _begin(send)


def by_apprise(addresses: str, title: str, text: str) -> None:
    """Begin to send a message to services that Apprise knows; `addresses` are separated by blanks. Raises
    ClipformError without the extra."""
    if find_spec("apprise") is None:
        raise no_extra("notify.apprise", "notify")

    def send() -> None:
        from apprise import Apprise

        services = Apprise()
        services.add(addresses.split())
        services.notify(title=title, body=text)

    _begin(send)


def _begin(send: Callable[[], object]) -> None:
    def quietly() -> None:
        with suppress(Exception):
            send()

    thread = threading.Thread(target=quietly, name="notify", daemon=True)
    thread.start()
    atexit.register(thread.join, PATIENCE)
