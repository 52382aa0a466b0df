"""The live side of the page on loopback, with documents that a test writes. What is posted is kept."""

from __future__ import annotations

import json
import queue
import re
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import parse_qs, unquote

from reconciler.gallery.document.cards import clip_index, containing
from reconciler.gallery.document.model import Card
from tests.gallery.page.values import Value

ASSETS = Path(str(files("reconciler.gallery"))) / "page"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
}


class Script:
    """What the page is told. Change it from the test's thread; streams are told by `push`, `change` and the like."""

    def __init__(self, media: Path) -> None:
        self.media = media
        self.document: Value = {}
        self.details: dict[str, Value] = {}
        self.posts: list[tuple[str, Value]] = []
        self.answers: dict[str, tuple[int, Value]] = {}
        self.asked: list[str] = []
        self.locked = False
        self.window: int | None = None  # with it, the first document has an index and this many cards
        self.ready = threading.Event()  # cleared: the document is held back until something of a clip is shown
        self.ready.set()
        self.answering = threading.Event()  # cleared: cards that a page asks for are as they are now, and come later
        self.answering.set()
        self._streams: set[queue.Queue[bytes | None]] = set()
        self._lock = threading.Lock()

    @property
    def cards(self) -> list[Value]:
        return cast("list[Value]", self.document["cards"])

    def show(self, document: Value, details: Iterable[Value] = ()) -> None:
        """Before the page is opened."""
        self.document = document
        self.details = {str(cast("Value", each["card"])["id"]): each for each in details}

    def change(
        self, *cards: Value, removed: Iterable[str] = (), order: list[str] | None = None, **head: object
    ) -> None:
        """Some clips are other ones now, and the head may be."""
        fresh, gone = {each["id"]: each for each in cards}, set(removed)
        kept = [fresh.pop(each["id"], each) for each in self.cards if each["id"] not in gone]
        known = {each["id"]: each for each in (*kept, *fresh.values())}
        before = [each["id"] for each in self.cards]
        self.document |= {**head, "cards": [known[name] for name in order] if order else list(known.values())}
        now = [each["id"] for each in self.cards]
        whole = {name: value for name, value in self.document.items() if name != "cards"}
        told = {"head": whole, "cards": list(cards), "removed": sorted(gone), "order": None if now == before else now}
        self.push("document", {"revision": self.document["revision"], **told})

    def push(self, event: str, value: object) -> None:
        with self._lock:
            for stream in self._streams:
                stream.put(encoded(event, value))

    def hang_up(self) -> None:
        """End every stream, as a process that ends does."""
        with self._lock:
            for stream in self._streams:
                stream.put(None)

    def listen(self) -> queue.Queue[bytes | None]:
        stream: queue.Queue[bytes | None] = queue.Queue()
        head = {name: value for name, value in self.document.items() if name != "cards"}
        update = {"revision": self.document["revision"], "head": head, "cards": self.cards, "removed": []}
        update |= {"order": [each["id"] for each in self.cards]} if self.window is None else self.indexed()
        stream.put(encoded("document", update))
        with self._lock:
            self._streams.add(stream)
        return stream

    def indexed(self) -> Value:
        """The members of a document with an index."""
        return {"order": None, "index": clip_index(self.real()), "cards": self.cards[: self.window]}

    def real(self) -> list[Card]:
        """The cards, as far as an index and a search look at them."""
        shots = (cast("Value | None", each["shown"]) for each in self.cards)
        shown = [{"shown": None if shot is None else SimpleNamespace(**shot)} for shot in shots]
        cards = zip(self.cards, shown, strict=True)
        return [
            cast(Card, SimpleNamespace(**each | {"tags": tuple(cast(list[str], each["tags"]))} | shot))
            for each, shot in cards
        ]

    def leave(self, stream: queue.Queue[bytes | None]) -> None:
        with self._lock:
            self._streams.discard(stream)


def encoded(event: str, value: object) -> bytes:
    return f"event: {event}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


class Server(ThreadingHTTPServer):
    """One port; a script of its own for each test."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, media: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script = Script(media)
        self._sockets: list[socket.socket] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser drops connections as it likes; what matters is what the page shows."""

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self._sockets.append(request)
        super().process_request(request, client_address)

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()  # first, or a page would come back to a process that is about to end
        self.server_close()
        self.script.hang_up()
        for each in self._sockets:  # a browser keeps connections, and would go on talking to this server
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    @property
    def script(self) -> Script:
        return cast(Server, self.server).script

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.script.asked.append(path)
        if path.startswith("/media/"):
            self.script.ready.set()
        if path in ("/api/gallery", "/api/events"):
            self.script.ready.wait(10)
        if self.script.locked and path.startswith("/api/"):
            return self._json(401, {"error": {"code": "token", "message": "open the address that clipform printed"}})
        if path == "/":
            return self._file(ASSETS / "page.html")
        if path == "/api/gallery":
            return self._json(200, self.script.document)
        if path == "/api/events":
            return self._events()
        if path == "/api/cards":
            names = set(parse_qs(self.path.partition("?")[2]).get("id", []))
            cards = [each for each in self.script.cards if each["id"] in names]
            self.script.answering.wait(10)
            return self._json(200, {"cards": cards})
        if path == "/api/search":
            [text] = parse_qs(self.path.partition("?")[2])["text"]
            return self._json(200, {"ids": containing(text, self.script.real())})
        if path.startswith("/api/clips/"):
            found = self.script.details.get(path.removeprefix("/api/clips/"))
            return self._json(200, found) if found else self._json(404, {"error": {"code": "missing", "message": ""}})
        if match := re.fullmatch(r"/assets/([\w.-]+)", path):
            return self._file(ASSETS / match[1])
        if match := re.fullmatch(r"/media/([\w-]+\.(?:mp4|jpg))", path):
            return self._file(self.script.media / match[1])
        return self._json(404, {"error": {"code": "missing", "message": "not found"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        action = self.path.removeprefix("/api/")
        self.script.posts.append((action, body))
        status, answer = self.script.answers.get(action, (200, {"message": f"{action} is done."}))
        self._json(status, answer)

    def _events(self) -> None:
        script = self.script  # another test's, when this stream ends
        stream = script.listen()
        self._start(200, {"Content-Type": "text/event-stream", "Connection": "close"})
        try:
            self.wfile.write(b"retry: 100\n\n")
            while (chunk := stream.get()) is not None:
                self.wfile.write(chunk)
        finally:
            script.leave(stream)
            self.close_connection = True

    def _json(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self._start(status, {"Content-Type": "application/json", "Content-Length": str(len(data))})
        self.wfile.write(data)

    def _file(self, path: Path) -> None:
        if not path.is_file():
            return self._json(404, {"error": {"code": "missing", "message": path.name}})
        data, headers, status = path.read_bytes(), {"Content-Type": KINDS[path.suffix], "Accept-Ranges": "bytes"}, 200
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2] or len(data) - 1), len(data) - 1)
            headers |= {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
            data, status = data[first : last + 1], 206
        if path.parent == ASSETS:
            headers["Cache-Control"] = "max-age=3600"
        self._start(status, headers | {"Content-Length": str(len(data))})
        self.wfile.write(data)

    def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Security-Policy": CSP, "Cache-Control": "no-cache", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
