"""How a process under test begins: the program itself, with numbered points around its effects and a witness beside.

`python -m tests.reliability.processes.start` imports the program once and then forks a child for every order it reads,
one JSON line each. The child is a process and a session of its own that runs `reconciler.cli.app.main`. Its points are
those of the simulator (`points.install`), and the same for real requests. At point `at` it sends itself SIGKILL, which
nothing can catch. What passes is written to a log outside the project, a line each:

    p NAME     a point
    v TEXT     a promise broken, as Python's audit hook saw it (see `Witness`)

To the simulator's points come those that only a real process has: between a request and its answer (`vendor.request
sent`), and the draft renderer's.

Order: {"id", "args", "cwd", "env", "out", "err", "log"}, and if wanted "at" or "name" (of the point), "signal" (another
one), "full" (the point from which on the disk has no space), "barrier" (a FIFO to wait for), "grace" (seconds after a
signal), "hurry" (how many times faster its time goes), "lazy" (it syncs nothing), "roots" (what is the
project's beside its folder).
Answer: {"id", "pid"} when it has begun, {"id", "status"} when it has ended.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.engine.run import signals
from reconciler.providers.registry import BUILT_IN, dialect
from reconciler.state import disk
from tests.reliability.simulator import points

LATER = (
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "concurrent.futures.thread",
    "encodings.utf_8_sig",
    "httpcore",
    "pydantic.dataclasses",
    "pydantic.type_adapter",
    "reconciler.cli.parsing",
    "reconciler.api.trust_memory",
    "reconciler.engine.operations.edit_spec",
    "reconciler.engine.operations.recover",
    "reconciler.engine.operations.resolve",
    "reconciler.engine.operations.verify",
    "reconciler.engine.run.apply",
    "reconciler.engine.run.session",
    "reconciler.media.draft_renderer",
    "reconciler.plan.remedies",
    "reconciler.project.saved_plan",
    "reconciler.providers.ark.dialect",
    "reconciler.providers.chanjing.dialect",
    "reconciler.providers.draft.dialect",
    "reconciler.providers.jiekou.dialect",
    "reconciler.providers.uniall.dialect",
    "reconciler.spec.edit",
    "reconciler.state.migrations",
    "reconciler.transport",
    "reconciler.transport.client",
    "reconciler.transport.fetch",
    "reconciler.views.ndjson",
    "typer._adapters",
    "typer._click.decorators",
)
"""What the program imports when it needs it: a child has it already, and so begins in milliseconds."""

HALF = "vendor.fetch half"


class Fuse:
    """Counts the points of this process, as `points.Tripwire` does; what is to happen at one really happens."""

    def __init__(self, log: int, order: Mapping[str, Any]) -> None:
        self._log, self._at, self._name = log, order.get("at"), order.get("name")
        self._signal = order.get("signal", signal.SIGKILL)
        self._full = order.get("full", sys.maxsize)
        self._count = 0

    def point(self, name: str) -> None:
        """Note it, and die or fail if that is its fate."""
        self._count += 1
        os.write(self._log, f"p {name}\n".encode())
        if self._count == self._at or name == self._name:
            self._name = None  # the first time only
            os.kill(os.getpid(), self._signal)
            if self._signal == signal.SIGKILL:
                signal.pause()  # it is on its way: nothing more may happen here
        refusal = points.refused(name, errno.ENOSPC if self._count >= self._full else None)
        if refusal is not None:
            raise refusal

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """A point before and one after."""
        self.point(f"{name} before")
        yield
        self.point(f"{name} after")


def install(patch: pytest.MonkeyPatch, fuse: Fuse) -> None:
    """Points around the effects on disk, and around the requests of the real transport."""
    from reconciler.media.draft_renderer import DraftRenderer
    from reconciler.transport import channel, client, exchange

    points.install(patch, lambda: fuse)  # type: ignore[arg-type, return-value]  # it is asked for nothing else
    real_slot, real_trace = client.HttpTransport.slot, exchange._Trace.__call__

    @asynccontextmanager
    async def slot(self: client.HttpTransport) -> AsyncIterator[Any]:
        async with real_slot(self) as send:
            fuse.point("vendor.slot")
            yield send

    async def trace(self: Any, event: str, info: Mapping[str, object]) -> None:
        await real_trace(self, event, info)
        if event == "http11.send_request_body.complete":
            fuse.point("vendor.request sent")

    async def fetch(self: client.HttpTransport, url: str, part: Any) -> Any:
        with fuse.around("vendor.fetch"):
            return await real_fetch(self, url, _Half(part, fuse))

    real_fetch = client.HttpTransport.fetch
    patch.setattr(client.HttpTransport, "slot", slot)
    patch.setattr(client.HttpTransport, "fetch", fetch)
    patch.setattr(exchange._Trace, "__call__", trace)
    for owner, method, name in (
        (channel.Channel, "submit", "vendor.submit"),
        (client.HttpTransport, "_poll", "vendor.poll"),
        (client.HttpTransport, "tasks", "vendor.list"),
        (client.HttpTransport, "cancel", "vendor.cancel"),
        (DraftRenderer, "submit", "draft.submit"),
        (DraftRenderer, "ask", "draft.poll"),
        (DraftRenderer, "fetch", "draft.fetch"),
    ):
        patch.setattr(owner, method, _pointed(getattr(owner, method), fuse, name))


def _pointed(function: Callable[..., Any], fuse: Fuse, name: str) -> Callable[..., Any]:
    async def run(*args: Any, **more: Any) -> Any:
        with fuse.around(name):
            return await function(*args, **more)

    return run


class _Half:
    """What a download is written to: a point lies behind its first bytes."""

    def __init__(self, part: Any, fuse: Fuse) -> None:
        self._part, self._fuse, self._begun = part, fuse, False

    def expect(self, size: int) -> None:
        self._part.expect(size)

    def write(self, data: bytes) -> None:
        middle = 0 if self._begun else len(data) // 2
        if not self._begun:
            self._begun = True
            self._part.write(data[:middle])
            self._fuse.point(HALF)
        self._part.write(data[middle:])


class Witness:
    """An audit hook: the interpreter tells it of each open, rename, connection. It forbids nothing and notes all.

    F23: the database is opened by SQLite, which the interpreter is not told of, and by nobody else. I8: nothing is
    changed outside `roots`. I9: nothing is connected to but loopback. I7: no secret in a child's arguments.
    """

    CHANGES = {
        "os.rename": (0, 1), "os.link": (1,), "os.symlink": (1,), "os.remove": (0,), "os.rmdir": (0,), "os.mkdir": (0,),
        "os.chmod": (0,), "os.truncate": (0,), "os.utime": (0,), "shutil.rmtree": (0,),
    }  # fmt: skip
    """Which arguments name what is changed."""
    HANDLES = {"os.rename": (2, 3), "os.link": (3,), "os.remove": (1,), "os.rmdir": (1,), "os.mkdir": (2,)}
    WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def __init__(self, log: int, roots: tuple[str, ...], secret: str) -> None:
        self._log, self._roots, self._secret = log, tuple(map(os.path.realpath, roots)), secret
        self._busy = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Receive an audit event from the interpreter."""
        if self._busy:
            return
        self._busy = True  # what is asked of the system here is no news
        try:
            for text in self._found(event, args):
                os.write(self._log, f"v {text}\n".encode())
        finally:
            self._busy = False

    def _found(self, event: str, args: tuple[Any, ...]) -> Iterator[str]:
        if event == "open":
            path, _, flags = args
            if isinstance(path, int) or path is None:
                return
            if os.path.basename(os.fsdecode(path)).startswith("clipform.db"):
                yield f"F23: {os.fsdecode(path)} was opened beside SQLite"
            if isinstance(flags, int) and flags & self.WRITING and not self._inside(path, None):
                yield f"I8: {os.fsdecode(path)} was opened for writing"
        elif event in self.CHANGES:
            handles = self.HANDLES.get(event, ())
            for number, index in enumerate(self.CHANGES[event]):
                handle = args[handles[number]] if number < len(handles) else None
                if not self._inside(args[index], handle):
                    yield f"I8: {event} of {args[index]!r}"
        elif event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "::1"):
            yield f"I9: connected to {args[1]}"
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn") and self._secret in repr(args[1]):
            yield f"I7: a secret among the arguments of {args[0]}"

    def _inside(self, path: Any, handle: Any) -> bool:
        """Whether it is below a root. What is opened within a handle of a folder was judged when that was opened, and
        is looked at again where the event tells the handle."""
        if isinstance(path, int):
            return True
        name = os.fsdecode(path)
        if not os.path.isabs(name):
            if isinstance(handle, int) and handle >= 0:
                name = os.path.join(os.readlink(f"/proc/self/fd/{handle}"), name)
            elif "/" not in name:
                return True
        folder = os.path.realpath(os.path.dirname(os.path.abspath(name)))
        return folder.startswith(("/dev", "/proc")) or any(
            folder == root or folder.startswith(f"{root}/") for root in self._roots
        )


def child(order: Mapping[str, Any]) -> int:
    """Become the process under test, to its end."""
    os.setsid()
    for number, path in ((1, order["out"]), (2, order["err"])):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    fuse, patch = Fuse(log, order), pytest.MonkeyPatch()
    install(patch, fuse)
    if "grace" in order:
        for number in signals.GRACE:
            patch.setitem(signals.GRACE, number, order["grace"])
    if "hurry" in order:
        _hurry(patch, order["hurry"])
    if order.get("lazy"):
        patch.setattr(disk, "_sync", lambda descriptor: None)
    own = (order["env"][name] for name in ("HOME", "XDG_CACHE_HOME") if name in order["env"])
    roots = (order["cwd"], *own, *order.get("roots", ()))
    sys.addaudithook(Witness(log, roots, order.get("secret", "\0")))

    if "barrier" in order:
        os.close(os.open(order["barrier"], os.O_RDONLY))  # until somebody opens its other end
    if order.get("misdeeds"):
        _misbehave()

    from reconciler.cli.app import main

    sys.argv = ["clipform", *order["args"]]
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code


def _hurry(patch: pytest.MonkeyPatch, times: float) -> None:
    """Let this process live faster than the world: its clock goes, and its sleeps end, so many times sooner."""
    import asyncio
    import time

    began, wall, monotonic = time.monotonic(), time.time(), time.monotonic()

    async def sleep(self: SystemClock, seconds: float) -> None:
        await asyncio.sleep(seconds / times)

    patch.setattr(SystemClock, "now", lambda self: wall + (time.monotonic() - began) * times)
    patch.setattr(SystemClock, "monotonic", lambda self: monotonic + (time.monotonic() - began) * times)
    patch.setattr(SystemClock, "sleep", sleep)


def _misbehave() -> None:
    """Do what is forbidden, so that it can be seen that the witness sees it."""
    import socket

    for path, mode in (("clipform.db", "rb"), ("../elsewhere", "wb")):
        with contextlib.suppress(OSError), open(path, mode):
            pass
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("192.0.2.1", 9))  # a datagram socket sends nothing by this; the address is for documentation


def serve() -> None:
    """Fork for each order until the input ends. Children that still run are their starter's affair."""
    from reconciler.cli.command_line import build

    build()
    for name in LATER:
        import_module(name)
    import_module("reconciler.transport.exchange")._tls()  # a tenth of a second of reading certificates
    for kind in BUILT_IN:
        dialect(kind)  # the same for its catalogue, which belongs to the package
    gc.collect()
    gc.freeze()
    orders, answers = os.dup(0), os.dup(1)
    running: dict[int, tuple[str, int]] = {}  # pidfd → id, pid
    pending = b""
    while True:
        ready, _, _ = select.select([orders, *running], [], [])
        for descriptor in ready:
            if descriptor == orders:
                data = os.read(orders, 1 << 20)
                if not data:
                    return
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    _begin(json.loads(line), running, (orders, answers))
            else:
                name, pid = running.pop(descriptor)
                os.close(descriptor)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                _answer(answers, {"id": name, "status": status})


def _begin(order: Mapping[str, Any], running: dict[int, tuple[str, int]], ours: tuple[int, int]) -> None:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            for descriptor in (*ours, *running):
                os.close(descriptor)
            code = child(order)
        except BaseException:  # noqa: BLE001  # whatever it is, this process ends here and is not a second server
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stderr.flush()
            os._exit(code)
    running[os.pidfd_open(pid)] = order["id"], pid
    _answer(ours[1], {"id": order["id"], "pid": pid})


def _answer(descriptor: int, message: Mapping[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits any more
        os.write(descriptor, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    serve()
