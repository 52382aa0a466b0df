"""Hostile input by seed: specs, replies, files and records. `limits` tries them within bounds.

A spec must give a project or diagnostics; a reply what it proves; a file is a video or is rejected. Never a traceback.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from reconciler.diagnostics import ClipformError, MediaError, SpecError
from reconciler.media.mp4 import read_mp4
from reconciler.providers.base import Accepted, Cancelled, Failed, NoOutput, Rejected, Reply, Succeeded
from reconciler.providers.error_codes import REFUSING
from reconciler.providers.registry import BUILT_IN, dialect
from reconciler.spec.load import read_project
from reconciler.state import lockfile, receipts
from reconciler.transport import replies
from reconciler.transport.redact import Redactor
from tests.memory_files import MemoryFiles
from tests.reliability.simulator.videos import tiny
from tests.reliability.strangers import projects

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


Case = tuple[str, Callable[[], bool]]
"""What is tried, and whether what is made of it is no more than it proves."""


def specs(seeds: range) -> Iterator[Case]:
    """Specs: a good one with hostile bits put in, cut or garbled, and what is known to blow up parsers."""
    for seed in seeds:
        data = _spec(random.Random(seed))
        yield f"spec {seed}", lambda data=data: _read(data)  # type: ignore[misc]  # mypy wants its type written out


def _spec(chance: random.Random) -> bytes:
    data = bytearray(_SPEC)
    match chance.randrange(6):
        case 0:
            return chance.randbytes(chance.randrange(400))
        case 1:
            levels = [b"x0: &x0 [a, a, a, a, a, a, a, a]"]
            levels += [b"x%d: &x%d [%s]" % (n, n, b", ".join([b"*x%d" % (n - 1)] * 8)) for n in range(1, 12)]
            return bytes(data) + b"\n".join(levels)
    if chance.random() < 0.02:
        return _vast(chance, bytes(data))
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


def _vast(chance: random.Random, data: bytes) -> bytes:
    """Large, deep or in another encoding (F75, F78)."""
    match chance.randrange(8):
        case 0:
            return data.replace(b"a ${vars.mood} lamp", b"lamp " * 2_000_000)
        case 1:
            return data + b"".join(b"  c%d: {prompt: a}\n" % n for n in range(20_000))
        case 2:
            return data + b"x: " + b"[" * 1_000_000
        case 3:
            return data + b"x: " + b"{a: " * 300_000
        case 4:
            return data.decode().encode(chance.choice(("utf-16", "utf-32", "utf-7")))
        case 5:
            merges = b"".join(b"m%d: &m%d {<<: [*m%d, *m%d]}\n" % (n, n, n - 1, n - 1) for n in range(1, 40))
            return data + b"m0: &m0 {a: b}\n" + merges
        case 6:
            return data.replace(b"[dawn, noon]", b"[" + b", ".join(b"t%d" % n for n in range(100_000)) + b"]")
    return data.replace(b"seed: 4", b"seed: " + b"9" * 1_000_000)


def _read(data: bytes) -> bool:
    try:
        read_project(MemoryFiles({"clipform.yaml": data}))
    except SpecError as error:
        assert error.diagnostics and all(each.message.isprintable() for each in error.diagnostics)
    return True


def answers(seeds: range) -> Iterator[Case]:
    """Replies, as bytes, through the transport's reader and every dialect."""
    redactor = Redactor(["canary-secret"])
    for seed in seeds:
        chance = random.Random(seed)
        status, data, headers = chance.choice(STATUSES), _answer(chance), {"content-type": "application/json"}
        if chance.random() < 0.1:
            headers["content-encoding"], data = _packed(chance, data)

        def read(status: int = status, data: bytes = data, headers: dict[str, str] = headers) -> bool:
            found = replies.reply(status, headers, data, redactor)
            return all(_proved(kind, found) for kind in KINDS)

        yield f"reply {seed}", read


@cache
def _bomb() -> bytes:
    return gzip.compress(b'{"id": "' + bytes(100_000_000))


@cache
def _deep_bomb() -> bytes:
    return zlib.compress(b"[" * 30_000_000)


def _packed(chance: random.Random, data: bytes) -> tuple[str, bytes]:
    """Compressed though nobody asked for it: sound, a bomb, cut, or not at all what it says."""
    match chance.randrange(5):
        case 0:
            return "gzip", gzip.compress(data)
        case 1:
            return chance.choice(("gzip", "x-gzip")), _bomb()
        case 2:
            return "deflate", _deep_bomb()
        case 3:
            return "gzip", gzip.compress(data)[: chance.randrange(20)]
    return chance.choice(("br", "gzip", "deflate, gzip", "\x00")), data


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
    whole = json.dumps(reply.body)
    match spoken.read_poll("t1", reply):
        case Succeeded(video) if not video.startswith(("https://", "http://")) or json.dumps(video)[1:-1] not in whole:
            return False
        case Failed() | Cancelled() | NoOutput() if reply.body is None or reply.status >= 500:
            return False
    match spoken.read_submit(reply):
        case Accepted(task):
            usable = 0 < len(task) <= 256 and task.isprintable() and " " not in task
            return usable and json.dumps(task)[1:-1] in whole
        case Rejected():
            return reply.status in REFUSING or (reply.body is not None and reply.status == 200)
    return True


def files(seeds: range) -> Iterator[Case]:
    """What was downloaded: videos cut, garbled and with odd boxes, and what only calls itself one."""
    whole = tiny(1)
    for seed in seeds:
        data = _file(random.Random(seed), whole)
        yield f"file {seed}", lambda data=data: _judged(data, whole)  # type: ignore[misc]  # as above


def _file(chance: random.Random, whole: bytes) -> bytes:
    data = bytearray(whole)
    match chance.randrange(7):
        case 0:
            return bytes(data[: chance.randrange(len(data))])
        case 1:
            return chance.choice(
                (b"#EXTM3U\nfile:///etc/passwd\n", b"<html>", b"", bytes(4096), b"ffconcat version 1.0\n")
            )
        case 2:
            nested = b""
            for _ in range(chance.choice((50, 2000))):
                nested = (len(nested) + 8).to_bytes(4, "big") + b"moov" + nested if len(nested) < 20_000 else nested
            return bytes(data) + nested
        case 3:
            many = 120_000 if chance.random() < 0.05 else chance.randrange(1, 100)  # seconds, and the same each time
            return bytes(data) + b"\0\0\0\x08free" * many
        case 4:
            at = chance.choice([n for n in range(4, len(data) - 4) if data[n : n + 4].isalpha()])
            data[at - 4 : at] = chance.choice((0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF, len(data))).to_bytes(4, "big")
            return bytes(data)
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(data)


def _judged(data: bytes, whole: bytes) -> bool:
    """A file that is shorter than the sound one, or no mp4, is never a video."""
    try:
        read_mp4(io.BytesIO(data))
    except MediaError as error:
        return str(error).isprintable()
    return len(data) >= len(whole) and data[4:8] == b"ftyp"


def records(seeds: range) -> Iterator[Case]:
    """Our own files, as a bad disk or a bad merge leaves them: receipts and the lock file."""
    line = b'{"seq": 1, "store": "s", "event": "intent", "time": 1.5, "marker": "m", "attempt": 1, "key": "v1:a"}\n'
    entry = b'{"hero#1": {"key": "v1:a", "sha256": "%s", "task": "t"}, "version": 1}' % (b"a" * 64)
    for seed in seeds:
        chance = random.Random(seed)
        data = bytearray(chance.choice((line * 3, entry)))
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(9)] = chance.choice((*_BITS, chance.randbytes(3)))
        yield f"record {seed}", lambda data=bytes(data): _told(data)  # type: ignore[misc]  # as above


def _told(data: bytes) -> bool:
    found = receipts.parse(data)
    try:
        lockfile.loads(data.decode("utf-8", "surrogateescape"))
    except ClipformError as error:
        assert error.message
    return all(line.marker for line in found)


SORTS: Mapping[str, Callable[[range], Iterator[Case]]] = {
    "specs": specs,
    "replies × dialects": answers,
    "files": files,
    "records": records,
    "projects": projects,
}
