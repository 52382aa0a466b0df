"""A line between a process and a PostgreSQL server: it can be long, and it can be cut.

It listens on 127.0.0.1 and leads to the server's socket. Bytes pass as they are, in order, after a delay. `cut` breaks
a connection at the next chunk of a client that has given words, before or after the server has it:

    reset    both ends see that the connection is gone
    silence  the client sees nothing: what it sent is taken, and no answer comes
    call     nothing is cut: `call` is called, which may restart the server
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 16


@dataclass
class Line:
    """A line to the server whose socket is in `folder`. `delay`: seconds in each direction."""

    folder: Path
    delay: float = 0.0
    port: int = 0
    words: bytes = b""
    when: str = ""  # before | after
    how: str = ""  # reset | silence | call
    call: Callable[[], None] = lambda: None
    skip: int = 0  # chunks with these words that pass
    cuts: int = 0
    chunks: int = 0  # that clients sent
    partings: int = 0  # among them: a client that says that it goes, and waits for nothing
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The server's address by way of this line."""
        return f"postgresql://clipform@127.0.0.1:{self.port}/postgres?sslmode=disable"

    @property
    def texts(self) -> int:
        """How many texts went out that a client waits for."""
        return self.chunks - self.partings

    def cut(self, words: bytes, when: str, how: str, skip: int = 0) -> None:
        """Cut a connection, once."""
        self.words, self.when, self.how, self.skip = words, when, how, skip

    def _is_cut(self, data: bytes) -> bool:
        with self._lock:
            self.chunks += 1
            self.partings += data == b"X\0\0\0\4"
            if not self.words or self.words not in data:
                return False
            self.skip -= 1
            if self.skip >= 0:
                return False
            self.words, self.cuts = b"", self.cuts + 1
            return True


class _Call:
    """One connection, with a thread for each end that speaks and one for each that is spoken to."""

    def __init__(self, line: Line, client: socket.socket) -> None:
        self.line, self.client = line, client
        self.server = socket.socket(socket.AF_UNIX)
        try:
            self.server.connect(str(line.folder / ".s.PGSQL.5432"))
        except OSError:
            self.server.close()
            raise
        self.is_deaf = False  # no answer reaches the client any more
        self.answered = threading.Event()
        up: queue.Queue[tuple[float, bytes]] = queue.Queue()
        down: queue.Queue[tuple[float, bytes]] = queue.Queue()
        for work in (lambda: self._up(up), lambda: self._down(down), lambda: self._write(self.server, up)):
            threading.Thread(target=work, daemon=True).start()
        threading.Thread(target=self._write, args=(self.client, down), daemon=True).start()

    def _up(self, into: queue.Queue[tuple[float, bytes]]) -> None:
        line = self.line
        with suppress(OSError):
            while data := self.client.recv(_CHUNK):
                is_cut = line._is_cut(data)
                if is_cut and line.how == "call":
                    line.call()
                    is_cut = False
                self.is_deaf = self.is_deaf or is_cut
                if not self.is_deaf or (is_cut and line.when == "after"):
                    into.put((time.monotonic() + line.delay, data))
                if is_cut and line.how == "reset":
                    if line.when == "after":
                        self.answered.wait(10)
                    self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        into.put((0.0, b""))
        self._close()

    def _down(self, into: queue.Queue[tuple[float, bytes]]) -> None:
        with suppress(OSError):
            while data := self.server.recv(_CHUNK):
                if self.is_deaf:
                    self.answered.set()
                else:
                    into.put((time.monotonic() + self.line.delay, data))
        into.put((0.0, b""))
        self.server.close()

    def _write(self, to: socket.socket, queued: queue.Queue[tuple[float, bytes]]) -> None:
        with suppress(OSError):
            while (entry := queued.get())[1]:
                time.sleep(max(0.0, entry[0] - time.monotonic()))
                to.sendall(entry[1])
        if to is self.client and not self.is_deaf:
            self._close()

    def _close(self) -> None:
        with suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        if not self.is_deaf:
            with suppress(OSError):
                self.client.shutdown(socket.SHUT_RDWR)
        self.client.close()


@contextmanager
def line_to(url: str, delay: float = 0.0) -> Iterator[Line]:
    """A line to a server of `postgres.server`, by its address."""
    line = Line(Path(url.partition("host=")[2]), delay)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line.port = listener.getsockname()[1]
        threading.Thread(target=_listen, args=(line, listener), daemon=True).start()
        yield line
        listener.shutdown(socket.SHUT_RDWR)


def _listen(line: Line, listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                _Call(line, client)
            except OSError:  # the server is down
                client.close()
