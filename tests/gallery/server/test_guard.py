"""Nobody but this user's browser is answered, and a page can do nothing but show what it is sent."""

from __future__ import annotations

import httpx
import pytest

from reconciler.diagnostics import ClipformError
from reconciler.gallery.server.server import Gallery, GalleryOptions
from reconciler.project.model import Choice
from tests.gallery.server.conftest import Clicked, Site
from tests.gallery.server.kit import Browser

PATHS = ["/", "/api/gallery", "/api/events", "/api/clips/sun", "/assets/gallery.css", "/media/x.mp4", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", ["", "{name}=", "{name}=guess", "clipform-1={token}", "{name}={token}x"])
def test_without_the_token_nothing_is_answered(shared: Site, path: str, cookie: str) -> None:
    given = cookie.format(name=f"clipform-{shared.browser.port}", token=shared.browser.token)
    status, body = shared.browser.raw("GET", path, Cookie=given)
    assert status == 401
    assert b"aurora" not in body and b"sun" not in body


@pytest.mark.parametrize("query", ["?token=", "?token=guess", "?token", "?token=a&token=b"])
def test_a_guess_is_no_token(shared: Site, query: str) -> None:
    assert shared.browser.raw("GET", f"/{query}", Cookie="")[0] == 401


def test_the_printed_address_gives_a_cookie_that_no_script_and_no_other_site_can_use(shared: Site) -> None:
    response = httpx.get(shared.browser.url, trust_env=False)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"clipform-{shared.browser.port}={shared.browser.token};")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert len(shared.browser.token) >= 43  # 256 bits


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "[::1]:{port}", "", "0:{port}"]
)
def test_another_host_name_is_refused_even_with_the_cookie(shared: Site, host: str) -> None:
    assert shared.browser.raw("GET", "/api/gallery", Host=host.format(port=shared.browser.port))[0] in (400, 403)


def test_localhost_is_ours_too(shared: Site) -> None:
    assert shared.browser.raw("GET", "/api/gallery", Host=f"localhost:{shared.browser.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://localhost:{port}"]
)
@pytest.mark.parametrize("action", ["apply", "skip", "stop", "pick", "retake", "open"])
def test_a_post_from_elsewhere_does_nothing(shared: Site, origin: str | None, action: str) -> None:
    headers = {"Content-Type": "application/json"}
    if origin is not None:
        headers["Origin"] = origin.format(port=shared.browser.port)
    response = shared.browser.client.post(f"/api/{action}", content=b"{}", headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "origin")
    assert shared.clicked == Clicked()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_cannot_click(shared: Site, kind: str) -> None:
    headers = {"Origin": shared.browser.origin, "Content-Type": kind}
    assert shared.browser.client.post("/api/stop", content=b"{}", headers=headers).status_code == 415
    assert shared.clicked == Clicked()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 60000, b'{"x": "' + b"y" * 70000 + b'"}'])
def test_what_is_no_json_object_is_no_click(shared: Site, body: bytes) -> None:
    headers = {"Origin": shared.browser.origin, "Content-Type": "application/json"}
    assert shared.browser.client.post("/api/stop", content=body, headers=headers).status_code == 400
    assert shared.clicked == Clicked()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_but_get_and_post_is_answered(shared: Site, method: str) -> None:
    assert shared.browser.raw(method, "/api/gallery")[0] == 405


def test_a_get_never_acts(shared: Site) -> None:
    assert shared.browser.get("/api/stop").status_code in (404, 405)
    assert shared.clicked == Clicked()


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_what_a_page_does_not_need(shared: Site, path: str) -> None:
    with shared.browser.client.stream("GET", path) as response:
        headers = response.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["style-src"] == "'self'"
    assert (
        policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'" and policy["form-action"] == "'none'"
    )
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers and "server" not in headers
    assert headers["cache-control"] in ("no-store", "no-cache")


def test_two_galleries_have_tokens_and_cookies_of_their_own(shared: Site) -> None:
    with Gallery(GalleryOptions(shared.workspace, Choice(), 0), Clicked()) as other:
        with Browser(other.url) as browser:
            assert browser.token != shared.browser.token
        assert browser.raw("GET", "/api/gallery", Cookie=f"clipform-{browser.port}={shared.browser.token}")[0] == 401


def test_a_port_that_is_taken_is_told_when_it_was_asked_for(shared: Site) -> None:
    with (
        pytest.raises(ClipformError, match="cannot be used"),
        Gallery(GalleryOptions(shared.workspace, Choice(), shared.browser.port), Clicked()),
    ):
        pass
