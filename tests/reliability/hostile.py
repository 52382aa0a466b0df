"""Hostile input by seed: specs and replies made to hurt, each with its time and its memory measured.

A spec ends in a project or in diagnostics; a reply in what it proves. Never in a traceback, never in more than that.
"""

from __future__ import annotations

import json
import random
import resource
import time
from collections.abc import Callable

from reconciler.diagnostics import SpecError
from reconciler.providers.base import Accepted, Rejected, Reply
from reconciler.providers.refusals import REFUSING
from reconciler.providers.registry import BUILT_IN, dialect
from reconciler.spec.files import MemoryFiles
from reconciler.spec.load import read_project
from reconciler.transport import replies
from reconciler.transport.redact import Redactor
from tests.reliability.figures import Tally

KINDS = tuple(kind for kind in BUILT_IN if kind not in ("draft", "fake"))
STATUSES = (200, 201, 204, 302, 307, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 499, 500, 502, 503, 504)

_SPEC = b"""version: 1
vars: {mood: calm}
providers:
  studio: {kind: ark, api_key: "${env.KEY}", prices: [{model: "*", per_second: 0.05}]}
defaults: {provider: studio, duration: 5, ratio: "16:9"}
budget: {currency: USD, total: 20, per_apply: 5}
clips:
  hero: {prompt: "a ${vars.mood} lamp", takes: 2, pick: 1, seed: 4}
  shot: {prompt: "${matrix.time}", matrix: {time: [dawn, noon]}, first_frame: "${clips.hero.last_frame}"}
"""
_BITS = (
    b"${", b"}", b"[" * 60, b"{a: " * 60, b"&x ", b"*x", b"<<: ", b"\x00", b"\xff", b"\xed\xa0\x80", "\u202e".encode(),
    b"\x1b[2J", b"\x1b]8;;http://x\x07", b"9" * 5000, b"1e999", b".nan", b"0x" + b"f" * 300,
    b"!!python/object:os.system",
    b"!!binary |", b"? ", b"- " * 70, b"%YAML 9.9", b"---\n", b"...\n", b"\t", b"\r", "\u2028".encode(), b"'", b'"',
    b"|\n",
    b"x" * 200_000, b"../../etc/passwd", b"16:9", b"2001-12-14", b"~", b"\xef\xbb\xbf", b": ", b"#",
)  # fmt: skip

_WORDS = (
    '"\\ud800"', '"\\u202e"', '"\\u001b[2J"', "9" * 6000, "-1", "1e999", "NaN", "null", "true", '""', '"t 1"',
    '"../.."',
    '"<script>alert(1)</script>"', '"a\\u0000b"', "[" * 300 + "]" * 300, '{"id": "t1"}', '["t1"]',
    '"' + "x" * 70_000 + '"',
    "0.1", "20000", "200", '"succeeded"', '"failed"', '"queued"', '"file:///etc/passwd"', '"https://m.example/v.mp4"',
    '"task-1"',
)  # fmt: skip
_NAMES = (
    "id", "task_id", "data", "code", "status", "error", "message", "task", "videos", "video_url", "content", "result",
    "output_url", "url", "progress_desc", "msg", "reason",
)  # fmt: skip


def specs(tally: Tally, seeds: range) -> None:
    """Specs: a good one with hostile bits put in, cut or garbled, and what is known to blow up parsers."""
    for seed in seeds:
        data = _spec(random.Random(seed))
        tally.inputs["specs"] += 1
        _measured(tally, f"spec {seed}", lambda data=data: _read(data))


def _spec(chance: random.Random) -> bytes:
    data = bytearray(_SPEC)
    match chance.randrange(6):
        case 0:
            return chance.randbytes(chance.randrange(400))
        case 1:
            levels = [b"x0: &x0 [a, a, a, a, a, a, a, a]"]
            levels += [b"x%d: &x%d [%s]" % (n, n, b", ".join([b"*x%d" % (n - 1)] * 8)) for n in range(1, 12)]
            return bytes(data) + b"\n".join(levels)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                del data[at : at + chance.randrange(30)]
            case 1:
                data[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(6))
            case _:
                data[at:at] = chance.choice(_BITS)
    return bytes(data)


def _read(data: bytes) -> bool:
    try:
        read_project(MemoryFiles({"clipform.yaml": data}), env={"KEY": "canary"})
    except SpecError as error:
        assert error.diagnostics and all(each.message.isprintable() for each in error.diagnostics)
    return True


def answers(tally: Tally, seeds: range) -> None:
    """Replies, as bytes, through the transport's reader and every dialect."""
    redactor = Redactor(["canary-secret"])
    for seed in seeds:
        chance = random.Random(seed)
        status, data = chance.choice(STATUSES), _answer(chance)
        tally.inputs["replies × dialects"] += len(KINDS)

        def read(status: int = status, data: bytes = data) -> bool:
            found = replies.reply(status, {"content-type": "application/json"}, data, redactor)
            return all(_proved(kind, found) for kind in KINDS)

        if not _measured(tally, f"reply {seed}", read):
            tally.wrong_class += 1


def _answer(chance: random.Random) -> bytes:
    match chance.randrange(8):
        case 0:
            return chance.randbytes(chance.randrange(300))
        case 1:
            return b"<html><body>" + chance.randbytes(40).hex().encode() + b"</body></html>"
        case 2:
            return b"[" * chance.choice((100, 100_000)) + b"]" * chance.choice((0, 100))
        case 3:
            return b'{"id": ' + b'{"id": ' * chance.choice((50, 50_000)) + b'"t"'
    fields = [f'"{chance.choice(_NAMES)}": {chance.choice(_WORDS)}' for _ in range(chance.randint(1, 6))]
    whole = "{" + ", ".join(fields) + "}"
    if chance.random() < 0.4:
        whole = f'{{"code": {chance.choice(_WORDS)}, "data": {whole}}}'
    data = whole.encode()
    return data[: chance.randrange(len(data))] if chance.random() < 0.2 else data


def _proved(kind: str, reply: Reply) -> bool:
    """Whether what a dialect makes of a reply is no more than it can know."""
    spoken = dialect(kind)
    spoken.read_poll("t1", reply)
    answer = spoken.read_submit(reply)
    if isinstance(answer, Accepted):
        usable = 0 < len(answer.task) <= 256 and answer.task.isprintable() and " " not in answer.task
        return usable and json.dumps(answer.task)[1:-1] in json.dumps(reply.body)
    if isinstance(answer, Rejected):
        return reply.body is not None and reply.status in REFUSING | {200} or reply.status in REFUSING
    return True


def _measured(tally: Tally, story: str, run: Callable[[], bool]) -> bool:
    """Run with a clock and a look at the memory; a traceback is a finding."""
    began, before = time.process_time(), _most()
    good = True
    try:
        good = run()
    except Exception as error:  # noqa: BLE001  # a traceback is what is looked for
        tally.tracebacks += 1
        tally.broken.append(f"traceback: {type(error).__name__}: {str(error)[:200]} [{story}]")
    if not good:
        tally.broken.append(f"class: more than it proves [{story}]")
    tally.slowest = max(tally.slowest, time.process_time() - began)
    tally.largest = max(tally.largest, _most() - before)
    return good


def _most() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
