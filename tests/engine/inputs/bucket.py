"""The part of S3 that the program uses, on loopback, without signatures: HEAD, PUT with If-None-Match, GET, DELETE."""

from __future__ import annotations

import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class BucketServer(ThreadingHTTPServer):
    """`objects` by path, each with its type. `requests` are methods and paths; `deny` answers "forbidden" to those.

    `resets` counts by method the exchanges that end in the middle: a GET after half of its content, a PUT once it is
    done but not answered. Each GET waits for `goes_on` after half of its content.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, tuple[str, bytes]] = {}
        self.requests: list[tuple[str, str]] = []
        self.deny: set[str] = set()
        self.resets: dict[str, int] = {}
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.waiting = threading.Event()
        self.hidden = False  # HEAD says "not there" whatever is there, as between two runs that race

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def puts(self) -> int:
        return sum(method == "PUT" for method, _ in self.requests)

    def __enter__(self) -> BucketServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BucketServer

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._give(None if self.server.hidden else self.server.objects.get(self._heard()))

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" in asked:
            return self._list(self._heard().rstrip("/"), asked["prefix"][0])
        self._give(self.server.objects.get(self._heard()))

    def _list(self, bucket: str, prefix: str) -> None:
        names = {path.removeprefix(f"{bucket}/"): len(content) for path, (_, content) in self.server.objects.items()}
        listed = "".join(
            f"<Contents><Key>{name}</Key><Size>{size}</Size><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
            "<ETag>e</ETag></Contents>"
            for name, size in sorted(names.items())
            if name.startswith(prefix)
        )
        self._answer(
            200, body=f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()
        )

    def do_PUT(self) -> None:
        path, content = self._heard(), self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.command in self.server.deny:
            signed = self.headers.get("authorization", "")
            body = f"<Error><Code>AccessDenied</Code><StringToSign>{signed}</StringToSign></Error>"
            self._answer(403, body=body.encode())
        elif self.headers.get("if-none-match") == "*" and path in self.server.objects:
            self._answer(412, body=b"<Error><Code>PreconditionFailed</Code></Error>")
        else:
            self.server.objects[path] = (self.headers.get("content-type", ""), content)
            if not self._reset():
                self._answer(200)

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._heard(), None)
        self._answer(204)

    def do_POST(self) -> None:
        """Delete several objects, as S3 has it."""
        path = self._heard()
        names = re.findall(r"<Key>(.*?)</Key>", self.rfile.read(int(self.headers["content-length"])).decode())
        for name in names:
            self.server.objects.pop(f"{path.rstrip('/')}/{name}", None)
        deleted = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
        self._answer(200, body=f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def _heard(self) -> str:
        path = urlsplit(self.path).path
        self.server.requests.append((self.command, path))
        return path

    def _give(self, found: tuple[str, bytes] | None) -> None:
        if self.command in self.server.deny:
            self._answer(403)
        else:
            self._answer(200 if found else 404, *(found or ("application/xml", b"")))

    def _answer(self, status: int, kind: str = "application/xml", body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
        self.end_headers()
        if self.command == "HEAD":
            return
        half = len(body) // 2
        self.wfile.write(body[:half])
        if self.command == "GET" and half:
            if self._reset():
                return
            self.server.waiting.set()
            self.server.goes_on.wait(60)
        self.wfile.write(body[half:])

    def _reset(self) -> bool:
        """End the exchange here, if it is one of those."""
        if self.server.resets.get(self.command, 0) < 1:
            return False
        self.server.resets[self.command] -= 1
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        return True
