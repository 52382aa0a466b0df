"""Authenticates requests, and sets the security headers of every response.

For the page of `ui`:

Any web page can make a browser send requests to this machine, and can point a host name of its own at it (DNS
rebinding). Therefore the Host must be the gallery's, each request needs a cookie that only the printed address sets
(browsers send it from the gallery's own pages only), and a POST must have the gallery's origin and a JSON body.

For `serve`, which only shows: GET and HEAD are the only methods, but for the calls of vendors (`--hooks`). With a token
that the user chose, other machines may ask under any host name, with `Authorization: Bearer TOKEN` or the same cookie.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.frozen import dataclass
from reconciler.gallery.document.model import encoded
from reconciler.serving import HOST

if TYPE_CHECKING:
    from reconciler.gallery.server.hooks import HookReceiver

_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HEALTH: Final = "/healthz"
METRICS: Final = "/metrics"
HOOK: Final = "/hook/"
"""Vendors call addresses that begin so; the token at the end is all that they show, see `hooks`."""


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A gallery that only shows, as `serve` has it. `token`: chosen by the user; empty for this machine alone. `hooks`:
    it also receives the calls of vendors."""

    host: str = HOST
    token: str = field(default="", repr=False)
    hooks: HookReceiver | None = None


class Guard:
    """Middleware that applies these rules. The token is a secret of this process and is never written to disk."""

    def __init__(self, app: ASGIApp, port: int, read_only: ReadOnly | None = None) -> None:
        self._app = app
        chosen = read_only.token if read_only else ""
        self._token = chosen or secrets.token_urlsafe(32)  # 256 bits
        self._cookie = f"clipform-{port}"
        self._hosts = () if chosen else (f"127.0.0.1:{port}", f"localhost:{port}")
        self._methods = ("GET", "HEAD") if read_only else ("GET", "HEAD", "POST")
        self._receives = read_only is not None and read_only.hooks is not None
        self._open = () if read_only is None else (HEALTH,) if chosen else (HEALTH, METRICS)

    def entrance(self, origin: str) -> str:
        """Return the address with the token, which logs a browser in."""
        return f"{origin}/" if self._hosts == () else f"{origin}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on, in both cases with the security headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        is_call = self._receives and scope["path"].startswith(HOOK) and scope["method"] == "POST"
        response = self._app if is_call else self._refusal(scope) or self._login(scope) or self._app
        await response(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts and host not in self._hosts:
            return refusal(403, "host", "wrong host: open the address that clipform printed")
        if scope["method"] not in self._methods:
            return refusal(405, "method", f"only {' and '.join(self._methods)} are supported")
        if scope["method"] == "POST":
            if headers.get("origin") != f"http://{host}":
                return refusal(403, "origin", "the request does not come from the gallery page")
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return refusal(415, "content-type", "the request body must be JSON")
        return None

    def _login(self, scope: Scope) -> Response | None:
        """Set the cookie for a request with the token; refuse one with neither. None: the cookie is valid."""
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", []) if scope["path"] == "/" else []
        if tokens and self._same(tokens[0]):
            response = RedirectResponse("/", 303)
            response.set_cookie(self._cookie, self._token, path="/", httponly=True, samesite="strict")
            return response
        headers = Headers(scope=scope)
        if self._same(_cookie(headers, self._cookie)):
            return RedirectResponse("/", 303) if tokens else None
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if scope["path"] in self._open or (not self._hosts and kind.lower() == "bearer" and self._same(bearer)):
            return None
        if scope["path"].startswith("/api/"):
            return refusal(401, "token", "open the address that clipform printed")
        login = "the address that clipform printed: it holds" if self._hosts else "/?token=TOKEN once, with"
        return PlainTextResponse(f"Open {login} the token for this page.\n", 401)

    def _same(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())


def _cookie(headers: Headers, name: str) -> str:
    value = ""
    for header in headers.getlist("cookie"):
        jar = SimpleCookie()
        try:
            jar.load(header)
        except CookieError:
            continue
        value = jar[name].value if name in jar else value
    return value


def answer(value: object, status: int = 200) -> Response:
    """Return a value as a JSON response on one line."""
    return Response(encoded(value), status, media_type="application/json")


def refusal(status: int, code: str, message: str, help: str = "") -> Response:
    """Return an error response, in the same form as every error."""
    return answer({"error": {"code": code, "message": message, "help": help}}, status)
