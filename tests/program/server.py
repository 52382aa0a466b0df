"""The starter of processes: it has imported the program once, and forks a child for each order that comes in.

An order is one message on the socket of descriptor `sys.argv[1]`: JSON, with the descriptors of the child's streams and
of a socket on which its start and its end are reported. A child is what a fresh start would be: a session, streams, an
environment and a directory of its own, and what it calls are the program's own entry points. When the client is gone,
so are the children.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TextIO

import reconciler

MOST = 1 << 20
"""Bytes of an order."""

LATER = ("anyio._backends._asyncio", "av", "concurrent.futures.thread", "encodings.utf_8_sig", "httpcore", "PIL.Image")
"""What the program imports when it needs it, beside its own modules."""


class Server:
    """Forks, and reports each end."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._ours, self._children = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._running: dict[int, tuple[int, socket.socket]] = {}  # pidfd → pid, where its end is reported

    def serve(self) -> None:
        """Fork for each order until the client is gone."""
        while True:
            ready, _, _ = select.select([self._orders, self._ours, *self._running], [], [])
            for one in ready:
                if isinstance(one, int):
                    self._ended(one)
                    continue
                data, descriptors, _, _ = socket.recv_fds(one, MOST, 5)
                if not data:
                    self._kill()
                    os._exit(0)
                self._begin(json.loads(data), descriptors)

    def _begin(self, order: Mapping[str, Any], descriptors: list[int]) -> None:
        report = socket.socket(fileno=descriptors[0])
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                for other in (self._orders, self._ours, report, *(report for _, report in self._running.values())):
                    other.close()
                for handle in self._running:
                    os.close(handle)
                code = _child(order, descriptors[1:], self._children)
            except BaseException:  # noqa: BLE001  # whatever it is, this process ends here and is not a second server
                import traceback

                traceback.print_exc()
                code = 1
            finally:
                os._exit(code)
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        handle = os.pidfd_open(pid)
        self._running[handle] = pid, report
        with contextlib.suppress(OSError):
            socket.send_fds(report, [str(pid).encode()], [handle])

    def _ended(self, handle: int) -> None:
        pid, report = self._running.pop(handle)
        os.close(handle)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with report, contextlib.suppress(OSError):  # nobody waits any more
            report.send(str(status).encode())

    def _kill(self) -> None:
        for handle in self._running:
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def _child(order: Mapping[str, Any], descriptors: list[int], orders: socket.socket) -> int:
    """Become what was ordered, to its end."""
    from tests.program import start, workers

    if order["session"]:
        os.setsid()
    streams = dict(zip((number for number in range(3) if number not in order["closed"]), descriptors, strict=True))
    for number, descriptor in streams.items():
        os.dup2(descriptor, number)
    for number in order["closed"]:
        os.close(number)
    for descriptor in descriptors:
        os.close(descriptor)
    if order["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    _reopen()
    start.order_from(orders)
    sys.argv = order["argv"]
    module, _, function = order["call"].partition(":")
    try:
        with contextlib.nullcontext() if order["own_workers"] else workers.forked():
            return getattr(import_module(module), function)() or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # as at the end of an interpreter
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()


def _reopen() -> None:
    """Streams as the interpreter makes them."""
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdin = sys.__stdin__ = _stream(0, "r", encoding, errors)
    sys.stdout = sys.__stdout__ = _stream(1, "w", encoding, errors)
    sys.stderr = sys.__stderr__ = _stream(2, "w", encoding, "backslashreplace")


def _stream(number: int, mode: str, encoding: str, errors: str | None) -> TextIO | None:
    try:
        os.fstat(number)
    except OSError:
        return None
    return open(number, mode, 1 if number == 2 else -1, encoding, errors, closefd=False)  # type: ignore[return-value]


def main() -> None:
    """Import everything, then serve."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    for module in (*(module.name for module in pkgutil.walk_packages(reconciler.__path__, "reconciler.")), *LATER):
        import_module(module)
    import_module("reconciler.cli.command_line").build()
    import_module("reconciler.transport.exchange")._tls()  # a tenth of a second of reading certificates
    registry = import_module("reconciler.providers.registry")
    for kind in registry.BUILT_IN:
        registry.dialect(kind)  # the same for its catalogue, which belongs to the package
    import_module("reconciler.media.draft.job").prepare()
    import_module("tests.program.workers")
    gc.collect()
    gc.freeze()
    Server(orders).serve()


if __name__ == "__main__":
    main()
