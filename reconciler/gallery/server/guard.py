"""Who may ask, and the headers of every answer.

A page on the internet can make a browser send requests to this machine, and a name of its own can be made to lead here
(DNS rebinding). So: the Host must be ours, a cookie that only the printed address gives must come along (a browser
sends it from our own pages alone), and what changes anything must come from our own origin, as JSON.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.gallery.server.sse import plain

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
_METHODS: Final = ("GET", "HEAD", "POST")


class Guard:
    """The application behind these rules. `token` is a secret of this process; nothing of it is ever written down."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._token = secrets.token_urlsafe(32)  # 256 bits
        self._cookie = f"clipform-{port}"
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    def entrance(self, origin: str) -> str:
        """The address that lets a browser in."""
        return f"{origin}/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on; either way with the headers that keep a page from doing anything else."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._refusal(scope) or self._entry(scope) or self._app
        await answer(scope, receive, headed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return refusal(403, "host", "this address is not the gallery's")
        if scope["method"] not in _METHODS:
            return refusal(405, "method", "the gallery answers GET and POST")
        if scope["method"] == "POST":
            if headers.get("origin") != f"http://{host}":
                return refusal(403, "origin", "this did not come from the gallery's own page")
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return refusal(415, "content-type", "the gallery takes JSON")
        return None

    def _entry(self, scope: Scope) -> Response | None:
        """A cookie for whoever has the token; nothing without one."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", []) if scope["path"] == "/" else []
        if given and self._same(given[0]):
            response = RedirectResponse("/", 303)
            response.set_cookie(self._cookie, self._token, path="/", httponly=True, samesite="strict")
            return response
        if self._same(_cookie(Headers(scope=scope), self._cookie)):
            return RedirectResponse("/", 303) if given else None
        if scope["path"].startswith("/api/"):
            return refusal(401, "token", "open the address that clipform printed")
        return PlainTextResponse("Open the address that clipform printed: it holds the token for this page.\n", 401)

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _cookie(headers: Headers, name: str) -> str:
    found = ""
    for header in headers.getlist("cookie"):
        jar = SimpleCookie()
        try:
            jar.load(header)
        except CookieError:
            continue
        found = jar[name].value if name in jar else found
    return found


class Json(Response):
    """A value as JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """On one line."""
        return plain(content)


def refusal(status: int, code: str, message: str, help: str = "") -> Response:
    """Why something is not done, in the form of every error."""
    return Json({"error": {"code": code, "message": message, "help": help}}, status)
