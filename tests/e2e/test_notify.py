"""`notify`: one signed message at the end of an apply, which nothing waits for."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.transport import notify
from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp with a private word"}}
SECRET = "s3cret-of-the-hook"


@dataclass
class Receiver:
    """Keeps what was posted; `status` is its answer."""

    url: str
    status: list[int] = field(default_factory=lambda: [200])
    messages: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)

    def document(self) -> dict[str, Any]:
        """The next message."""
        return dict(json.loads(self.messages.get(timeout=60)[1]))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.messages.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.status[0])
            self.send_header("Location", f"{kept.url}/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def make(
    rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path, vendor: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Rig]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    monkeypatch.setenv("NOTIFY_SECRET", SECRET)

    def made(section: dict[str, Any], **more: Any) -> Rig:
        return rig("ark", project("ark", tmp_path / "film", vendor, CLIPS, notify=section, **more), vendor)

    return made


def test_the_end_of_an_apply_is_sent_once_and_signed(make: Callable[..., Rig], receiver: Receiver) -> None:
    film = make({"url": f"{receiver.url}/hook", "secret": "${env.NOTIFY_SECRET}"})
    assert film.run("apply", "--yes").code == 0
    headers, body = receiver.messages.get(timeout=60)
    message = json.loads(body)
    assert (message["event"], message["project"], message["clips"]["done"]) == ("done", "film", ["lamp"])
    moment, signed = (part.partition("=")[2] for part in headers["x-clipform-signature"].split(","))
    assert hmac.compare_digest(
        signed, hmac.new(SECRET.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    )
    assert b"private word" not in body and SECRET.encode() not in body
    assert film.run("apply", "--yes").code == 0  # nothing to do, nothing to tell
    assert receiver.messages.empty()


def test_a_refusal_by_a_cap_is_sent(make: Callable[..., Rig], receiver: Receiver) -> None:
    prices = {"prices": [{"model": "*", "per_clip": 2}]}
    film = make({"url": receiver.url, "on": ["cap"]}, provider=prices, budget={"currency": "USD", "per_apply": 1})
    assert film.run("apply", "--yes").code == 4
    assert receiver.document()["event"] == "cap" and film.ledger() == []


def test_what_was_left_at_the_provider_is_sent(make: Callable[..., Rig], receiver: Receiver) -> None:
    film = make({"url": receiver.url, "on": ["expiring"]})
    assert film.run("apply", "--yes", "--detach").code == 0
    assert receiver.document()["clips"]["expiring"] == ["lamp"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_an_answer_is_nobodys_concern(make: Callable[..., Rig], receiver: Receiver, status: int) -> None:
    receiver.status[0] = status
    film = make({"url": receiver.url})
    assert film.run("apply", "--yes").code == 0
    receiver.document()
    assert receiver.messages.empty() and len(film.ledger()) == 1  # no redirect is followed


def test_an_address_where_nobody_answers_delays_nothing(make: Callable[..., Rig]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        film = make({"url": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        assert film.run("apply", "--yes").code == 0
        assert [thread.name for thread in threading.enumerate() if thread.name == "notify"]  # it still waits
        assert len(film.ledger()) == 1


def test_a_missing_key_is_a_note_and_an_unsigned_message_is_not_sent(
    make: Callable[..., Rig], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SECRET")
    film = make({"url": receiver.url, "secret": "${env.NOTIFY_SECRET}"})
    applied = film.run("apply", "--yes")
    assert applied.code == 0 and "NOTIFY_SECRET" in applied.text and receiver.messages.empty()


def test_an_address_elsewhere_is_asked_about_first(make: Callable[..., Rig]) -> None:
    film = make({"url": "https://hooks.example.com/x"})
    refused = film.run("apply", "--yes")
    assert refused.code == 4 and "hooks.example.com" in refused.text and film.ledger() == []


def test_drafts_tell_nobody(make: Callable[..., Rig], receiver: Receiver) -> None:
    film = make({"url": receiver.url}, defaults={"duration": 5, "resolution": "480p"})
    assert film.run("plan", "--draft").code == 0 and receiver.messages.empty()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the library
def test_services_get_it_by_apprise(make: Callable[..., Rig], receiver: Receiver, monkeypatch: Any) -> None:
    monkeypatch.setenv("SERVICES", receiver.url.replace("http://", "json://"))
    film = make({"apprise": "${env.SERVICES}", "on": ["done"]})
    assert film.run("apply", "--yes", "--trust").code == 0
    message = receiver.document()
    assert message["title"] == "clipform: film done" and message["message"] == "1 made"


@pytest.mark.parametrize("section", [{"url": "ftp://x"}, {"on": ["everything"]}, {"secret": "plain"}, {"urls": "x"}])
def test_nonsense_is_a_mistake_with_its_line(make: Callable[..., Rig], section: dict[str, Any]) -> None:
    validated = make(section).run("validate")
    assert validated.code == 1 and validated.document["diagnostics"][0]["line"] == 1


def test_a_signature_is_of_the_time_and_the_body() -> None:
    assert notify.signature("k", b"{}", 12.9) == f"t=12,v1={hmac.new(b'k', b'12.{}', hashlib.sha256).hexdigest()}"
