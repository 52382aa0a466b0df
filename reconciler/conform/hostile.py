"""The rules on replies that no page describes: whatever comes back, a dialect answers, and claims no more than it can
prove.

The replies are recorded ones, each part replaced by other values, and nonsense of the same keys and words; the same
ones every time.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, get_args
from urllib.parse import unquote

from reconciler.conform.contract import Contract, fill
from reconciler.conform.rule import Rule, once, require
from reconciler.providers import base
from reconciler.providers.base import Accepted, Failed, NotFound, NotSent, Rejected, Reply, Succeeded, Unknown
from reconciler.providers.capabilities import (
    Balances,
    Cancels,
    Hosted,
    Lists,
    NamesTasks,
    PutBytes,
    TaskPage,
    Tokens,
    Uploads,
    UploadStep,
)
from reconciler.providers.error_codes import REFUSING

_REPLIES = 250
_STATUSES = (200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 422, 425, 429, 499, 500, 502, 503, 504)
_KEYS = ("code", "id", "task_id", "data", "message", "error", "status", "progress", "url", "result", "seed", "usage")
_TEXTS = (
    "", "0", "t1", "https://m.example/v.mp4", "file:///etc/passwd", "a" * 10_000, "\ud800", "../..", "a b", "\x00",
    "..", "queued", "succeeded", "-1", "1e309", "999999999999999999999",
)  # fmt: skip
_OTHERS: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    200,
    10**30,
    -(10**30),
    0.5,
    -1.5,
    float("nan"),
    float("inf"),
    [],
    {},
)
_HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"retry-after": "-1"},
    {"retry-after": "1e309"},
    {"retry-after": "\u0664"},
    {"retry-after": "Thu, 99 Foo 2026"},
)
_BAD_IDS: tuple[object, ...] = (
    "",
    " ",
    "a b",
    "..",
    "\ud800",
    "é",
    "a\n",
    "a" * 257,
    5,
    5.0,
    True,
    None,
    [],
    ["t"],
    {},
)
_ENDLESS = 10**5000
_DEPTH = 20_000  # twenty times what Python recurses


@once(
    "no reply to a submit is read as more than it proves",
    "return Unknown unless the reply has a usable id (replies.task_id) or a code that a page lists",
)
def any_submit_reply(contract: Contract) -> None:
    dialect = contract.dialect
    for reply in _replies(contract):
        answer = _read(partial(dialect.read_submit, reply), reply)
        _require_in(answer, base.SubmitAnswer, reply)
        require(not isinstance(answer, NotSent), f"NotSent is the transport's to say: {reply!r:.500}")
        if isinstance(answer, Accepted):
            is_shown = _shown(dialect, answer.task) in texts(reply.body)
            require(is_shown, f"the id is not in the reply: {answer!r:.300}, {reply!r:.500}")
        if contract.is_local:
            continue
        if isinstance(answer, Accepted):
            printable = answer.task.isprintable() and answer.task.isascii()
            require(0 < len(answer.task) <= 256 and printable, f"the id cannot be used: {answer!r:.300}")
        if isinstance(answer, Rejected):
            require(reply.status in REFUSING | {200}, f"HTTP {reply.status} may hide a task: {answer!r:.300}")
            require(_is_listed(contract, reply.status, answer), f"no table lists it: {answer!r:.300}")
        if isinstance(answer, Unknown | Rejected):
            clean = len(answer.message) < 1000 and answer.message.isprintable()
            require(clean, f"the message is not cut and escaped (replies.words): {answer!r:.300}")


@once(
    "no reply to a poll is read as more than it proves",
    "an unknown status word is Working, a failure needs the vendor's word, a success a link (replies.link)",
)
def any_poll_reply(contract: Contract) -> None:
    dialect, failures = contract.dialect, _failures(contract)
    for reply in _replies(contract):
        answer = _read(partial(dialect.read_poll, "t1", reply), reply)
        _require_in(answer, base.PollAnswer, reply)
        if isinstance(answer, Failed):
            require(texts(reply.body) & failures, f"no word of a failure is in {reply!r:.500}")
        if contract.is_local:
            continue
        require(isinstance(reply.body, dict) or not isinstance(answer, NotFound), f"{answer!r:.300} of {reply!r:.300}")
        if isinstance(answer, Succeeded):
            require(answer.video.startswith(("https://", "http://")), f"no link: {answer!r:.300}")
            require(reply.status == 200, f"success under HTTP {reply.status}: {answer!r:.300}")
        _require_numbers(answer)


@once("lists, cancels, uploads, balances and tokens are read all the same", "return PollTrouble for what is unclear")
def any_other_reply(contract: Contract) -> None:
    dialect = contract.dialect
    for reply in _replies(contract)[::3]:
        if isinstance(dialect, Lists):
            page = _read(partial(dialect.read_list, reply), reply)
            require(
                not isinstance(page, TaskPage) or all(row.task for row in page.tasks), f"a task without id: {page!r}"
            )
        if isinstance(dialect, Cancels):
            _read(partial(dialect.read_cancel, reply), reply)
        if isinstance(dialect, Balances):
            _read(partial(dialect.read_balance, reply), reply)
        if isinstance(dialect, Tokens):
            _read(partial(dialect.read_token, reply, 1.7e9), reply)
        if isinstance(dialect, Uploads):
            _upload(dialect, reply)


@once("a number of any size and a body of any depth are read", "compare and print values with `replies` only")
def extremes(contract: Contract) -> None:
    deep: Any = "end"
    for _ in range(_DEPTH):
        deep = [deep]
    for value in (_ENDLESS, deep):
        _read_extreme(contract, value)
    value = None
    while isinstance(deep, list):  # taken apart by hand: freeing it whole would recurse as deep
        deep = deep.pop()


@once("an id that cannot be used is not an id", "read it with replies.task_id: a number or a path is Unknown")
def bad_id(contract: Contract) -> None:
    for raw in () if contract.is_local else _BAD_IDS:
        recorded, task = contract.load("replies")["accepted"], contract.load("replies")["task"]
        task = _shown(contract.dialect, task)
        for body in (fill(recorded, {task: raw}), {"id": raw, "task_id": raw, "code": 0, "data": raw}):
            answer = contract.dialect.read_submit(Reply(200, body))
            require(isinstance(answer, Unknown), f"{raw!r:.80}: {answer!r:.300}")


RULES: tuple[Rule, ...] = (any_submit_reply, any_poll_reply, any_other_reply, extremes, bad_id)


def texts(value: Any) -> set[str]:
    """Return all texts in a JSON value."""
    match value:
        case str():
            return {value}
        case dict():
            return set().union(*map(texts, value.values()))
        case list():
            return set().union(*map(texts, value))
    return set()


def _shown(dialect: base.Dialect, task: str) -> str:
    """Return the id as the vendor writes it; a dialect may keep more in a task."""
    return unquote(dialect.listed_name(task)) if isinstance(dialect, NamesTasks) else task


def _read(call: Callable[[], object], reply: Reply) -> object:
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # whatever it is, the dialect must not raise it
        require(False, f"{type(error).__name__}: {error} for {reply!r:.500}")
    return None


def _require_in(answer: object, union: Any, reply: Reply) -> None:
    if not isinstance(answer, get_args(union)):  # to write the text of a deep reply takes long
        require(False, f"not an answer: {answer!r:.300}, for {reply!r:.500}")


def _read_extreme(contract: Contract, value: Any) -> None:
    dialect = contract.dialect
    for body in (value, dict.fromkeys(("id", "task_id", "data", "status", "code", "error"), value)):
        reply = Reply(200, body)
        require(not isinstance(dialect.read_submit(reply), Accepted), "it was read as an id")
        if not (contract.is_local and value is _ENDLESS):
            dialect.read_poll("t1", reply)


def _require_numbers(answer: object) -> None:
    """A number that cannot be is reported as unknown: costs and deadlines are computed from it."""
    match answer:
        case base.Working(progress=int(percent)):
            require(0 <= percent <= 100, f"progress {percent} (replies.percent)")
        case Succeeded(life=life, usage=usage):
            require(life is None or 0 < life < 1e10, f"a link valid for {life} s (replies.life)")
            tokens = usage.tokens
            require(tokens is None or 0 < tokens < 10**9, f"{tokens} tokens (replies.tokens_used)")
        case base.PollTrouble(retry_after=float(wait)):
            require(0 <= wait < float("inf"), f"a wait of {wait} s (replies.retry_after)")


def _upload(dialect: Uploads, reply: Reply) -> None:
    step = dialect.upload("a.png", "image/png")
    for _ in range(3):
        answer: Any = _read(partial(dialect.read_upload, step, reply), reply)
        _require_in(answer, UploadStep, reply)
        require(not isinstance(answer, Hosted) or answer.url.startswith("http"), f"no link: {answer!r:.300}")
        step = answer if isinstance(answer, PutBytes) else step


def _is_listed(contract: Contract, status: int, answer: Rejected) -> bool:
    """True if the code or the status is in a table of the dialect's module, `REFUSALS` or `STATUSES`, where there is
    one."""
    module = sys.modules[type(contract.dialect).__module__]
    codes, statuses = getattr(module, "REFUSALS", None), getattr(module, "STATUSES", {})
    return codes is None or any(row.covers(answer.code) for row in codes) or status in statuses


def _failures(contract: Contract) -> set[str]:
    """Return the texts that only replies about failed tasks have."""
    failed, others = set[str](), set[str]()
    for row in contract.load("replies")["polls"]:
        (failed if row["is"] == "Failed" else others).update(texts(row.get("reply")))
    return failed - others


@cache
def _replies(contract: Contract) -> tuple[Reply, ...]:
    return tuple(_generated(contract, random.Random(7)))


def _generated(contract: Contract, dice: random.Random) -> Iterator[Reply]:
    recorded = contract.load("replies")
    rows = [*recorded["submit"], *recorded["polls"], {"reply": recorded["accepted"]}]
    bodies = [fill(row.get("reply"), {"<task>": "t1"}) for row in rows]
    keys = [*_KEYS, *{key for body in bodies for key in _keys(body)}]
    vocabulary = [*_TEXTS, *set().union(*map(texts, bodies))]
    for row, body in zip(rows, bodies, strict=True):
        for changed in _one_changed(body):
            yield Reply(row.get("status", 200), changed)
    for _ in range(_REPLIES):
        body = (
            _changed(dice.choice(bodies), dice, vocabulary)
            if dice.random() < 0.6
            else _nonsense(dice, keys, vocabulary, 4)
        )
        text = dice.choice(vocabulary) if dice.random() < 0.2 else ""
        yield Reply(200 if dice.random() < 0.4 else dice.choice(_STATUSES), body, dice.choice(_HEADERS), text)


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_keys, value))
    return {*value, *set().union(*map(_keys, value.values()))} if isinstance(value, dict) else set()


def _one_changed(value: Any) -> Iterator[Any]:
    """Yield the body with one of its parts replaced by another value, for each part and value."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: changed} for changed in _one_changed(part))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], changed, *value[place + 1 :]] for changed in _one_changed(part))
    yield from _OTHERS


def _changed(value: Any, dice: random.Random, vocabulary: list[str]) -> Any:
    """Return a body with some of its parts replaced."""
    if dice.random() < 0.15:
        return _leaf(dice, vocabulary)
    if isinstance(value, dict):
        return {key: _changed(part, dice, vocabulary) for key, part in value.items()}
    return [_changed(part, dice, vocabulary) for part in value] if isinstance(value, list) else value


def _nonsense(dice: random.Random, keys: list[str], vocabulary: list[str], depth: int) -> Any:
    if depth and (kind := dice.random()) < 0.7:
        parts = [_nonsense(dice, keys, vocabulary, depth - 1) for _ in range(dice.randrange(6))]
        return parts if kind < 0.15 else dict(zip(dice.sample(keys, len(parts)), parts, strict=True))
    return _leaf(dice, vocabulary)


def _leaf(dice: random.Random, vocabulary: list[str]) -> Any:
    return dice.choice(vocabulary) if dice.random() < 0.6 else dice.choice(_OTHERS)
