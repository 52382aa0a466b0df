"""The process that decodes, draws and encodes: `python -m reconciler.media.worker`, started by `worker_pool`.

A video from outside is decoded here and not in the caller's process, so a crash or a decompression bomb costs one
worker. The two exchange JSON lines over pipes, because the output of a process that decoded hostile bytes must not be
unpickled. One call at a time:

    in    {"call": "module:function", "args": [...], "progress": true|false}
    out   {"progress": [done, of]} any number of times, then {"result": ...} or {"error": ..., "help": ..., "code": ...}

The worker ends when its input ends, so it cannot outlive its parent, however that ended; and it ignores Ctrl-C, because
the parent decides what an interrupt means.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from importlib import import_module
from typing import Any, Final, TextIO, cast

from reconciler.diagnostics import MediaError

_MOST_MEMORY: Final = 4 << 30
_MOST_SECONDS: Final = 240  # of a core
_PACKAGE: Final = "reconciler.media."


def main() -> None:
    """Serve calls until the input ends. Arguments name functions to call before the first call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _bound_memory()
    replies = _claim_stdout()
    calls: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(calls,), daemon=True).start()
    for name in sys.argv[1:]:
        with contextlib.suppress(Exception):  # the call that needs it will fail and report it
            _function(name)()
    while True:
        _serve(json.loads(calls.get()), replies)


def _listen(calls: queue.SimpleQueue[str]) -> None:
    """Queue incoming lines. At the end of the input exit at once, even during a render."""
    for line in sys.stdin:
        calls.put(line)
    os._exit(0)


def _serve(call: Mapping[str, Any], replies: TextIO) -> None:
    def send(**message: object) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    _bound_time(None if call["progress"] else _MOST_SECONDS)
    extra = {"progress": lambda done, of: send(progress=[done, of])} if call["progress"] else {}
    try:
        result = _function(call["call"])(*call["args"], **extra)
    except MediaError as error:
        send(error=error.message, help=error.help, code=error.code)
    except MemoryError:
        send(error="there is not enough memory", help="Try a smaller resolution or fewer pictures.", code="memory")
    except Exception as error:  # noqa: BLE001 - the caller must get an answer
        send(error=f"{type(error).__name__}: {error}. This is a bug in clipform.", help="", code="internal")
    else:
        send(result=asdict(result) if is_dataclass(result) and not isinstance(result, type) else result)


def _function(name: str) -> Callable[..., object]:
    module, _, function = name.partition(":")
    if not module.startswith(_PACKAGE):
        raise MediaError(f"a worker does not run {name}. This is a bug in clipform.")
    return cast(Callable[..., object], getattr(import_module(module), function))


def _claim_stdout() -> TextIO:
    """Return the pipe to the parent, for replies only: output that a library prints is discarded."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return replies


def _bound_memory() -> None:
    """Limit this process's memory, so that an allocation fails here first; not every system has the limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _bound_time(seconds: int | None) -> None:
    """Limit the CPU time of a call: a decoder in an endless loop never answers. Not for renders, which report progress;
    and not wall-clock time, which passes on a busy machine too."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        so_far = resource.getrusage(resource.RUSAGE_SELF)
        used = math.ceil(so_far.ru_utime + so_far.ru_stime)
        resource.setrlimit(resource.RLIMIT_CPU, (hard if seconds is None else used + seconds, hard))


if __name__ == "__main__":
    main()
