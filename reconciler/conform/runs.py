"""The rules on whole runs: the program applies a clip while its vendor on loopback misbehaves.

What is paid is what the vendor's ledger has, not what a dialect believes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.conform.contract import Contract
from reconciler.conform.rehearsal import SECRET, Rehearsal, files_with, rehearsal
from reconciler.conform.rule import Rule, once, require
from reconciler.events import EventKind

Fault = Mapping[str, object]

_NEVER_AGAIN = "return Unknown for every reply without an id or a listed code: Rejected is sent and paid for again"
_NOT_AN_END = "return Working or PollTrouble: what is not documented as an end is polled on"
_SILENT = "cut and escape the vendor's words with replies.words, and put credentials into auth_headers() alone"


def _at(phase: str, nth: object = 1, **action: object) -> Fault:
    return {"when": {"phase": phase, "nth": nth}, **action}


def _run(promise: str, remedy: str) -> Callable[[Callable[[Contract], None]], Rule]:
    """Make a function the check of a rule, for each kind that has a vendor."""
    make = once(promise, remedy)

    def decorate(check: Callable[[Contract], None]) -> Rule:
        def unless_local(contract: Contract) -> None:
            if not contract.is_local:
                check(contract)

        unless_local.__name__ = check.__name__
        return make(unless_local)

    return decorate


@_run("a clip is made, once, and planned no more", "follow the message: one of the readers misread a good reply")
def makes_a_clip(contract: Contract) -> None:
    with rehearsal(contract) as run:
        run.require_made_once(run.apply())
        require(not run.program.plan().plan.has_changes(), "the plan after it is not empty")
        _require_silent(run)


@_run("an answer lost before the request arrived is not believed either way", _NEVER_AGAIN)
def lost_before(contract: Contract) -> None:
    with rehearsal(contract, _at("submit", do="drop")) as run:
        run.apply(2)
        require(run.bought <= 1, f"bought {run.bought} times")


@_run("an answer lost after the task was accepted is never sent again", _NEVER_AGAIN)
def lost_after(contract: Contract) -> None:
    lost: dict[str, Fault] = {
        "a closed connection": _at("submit", do="drop", accepted=True),
        "HTTP 502": _at("submit", do="status", status=502, accepted=True),
        "HTTP 429 without a word": _at("submit", do="status", status=429, accepted=True, text="slow down"),
        "half of an answer": _at("submit", do="garble", how="truncated"),
        "an answer without an id": _at("submit", do="id", how="missing"),
    }
    for name, fault in lost.items():
        with rehearsal(contract, fault) as run:
            run.apply(2)
            require(run.bought == 1, f"after {name} it was bought {run.bought} times")


@_run("a busy vendor is asked again later, and buys once", "list the vendor's code for 429 as Refusal.BUSY")
def busy(contract: Contract) -> None:
    with rehearsal(contract, _at("submit", [1, 2], do="busy", retry_after="2")) as run:
        run.require_made_once(run.apply())


@_run("an expired link is renewed by a poll, and nothing is bought", "return the link of the present reply")
def expired_link(contract: Contract) -> None:
    with rehearsal(contract, _at("download", do="expired")) as run:
        run.require_made_once(run.apply(2))


@_run(
    "a task that moderation stopped has failed, and is not tried again",
    "return Failed, with Refusal.MODERATION if the vendor says so",
)
def moderation(contract: Contract) -> None:
    with rehearsal(contract, _at("submit", do="fail")) as run:
        summary = run.apply(2)
        require(run.bought == 1, f"bought {run.bought} times")
        results = [outcome.result for outcome in summary.outcomes]
        require(EventKind.SUCCEEDED not in results and not run.is_made, "the clip counts as made")


@_run("an unknown status word is polled on", _NOT_AN_END)
def unknown_word(contract: Contract) -> None:
    faults = [_at("poll", number, do="word", word=word) for number, word in enumerate(("brewing", None, 7), 1)]
    with rehearsal(contract, *faults) as run:
        run.require_made_once(run.apply())


@_run("a broken poll does not end a task", _NOT_AN_END)
def broken_poll(contract: Contract) -> None:
    actions: tuple[dict[str, object], ...] = (
        {"do": "status", "status": 503},
        {"do": "drop"},
        {"do": "garble", "how": "nan"},
        {"do": "garble", "how": "html"},
        {"do": "other_task"},
    )
    faults = [_at("poll", number, **action) for number, action in enumerate(actions, 1)]
    with rehearsal(contract, *faults) as run:
        run.require_made_once(run.apply(2))


@_run("a video of another length or size is not taken for the clip without a word", "report what the task says of it")
def wrong_numbers(contract: Contract) -> None:
    with rehearsal(contract, _at("submit", do="wrong_clip", duration=2, ratio="9:16")) as run:
        summary = run.apply(2)
        require(run.bought == 1, f"bought {run.bought} times")
        failed = summary.having(EventKind.FAILED, EventKind.BLOCKED)
        require(failed or "asked for" in run.said() or not run.is_made, "nothing was reported")


@_run("no secret is in files, messages or requests to storage", _SILENT)
def secrets(contract: Contract) -> None:
    quoting = f"the key {SECRET} is blocked"
    errors: tuple[Fault, ...] = (
        _at("submit", do="status", status=400, text=quoting),
        _at("submit", do="refuse", code=quoting, status=400),
    )
    for fault in errors:
        with rehearsal(contract, fault, _at("poll", do="status", status=500, text=quoting)) as run:
            run.apply(2)
            _require_silent(run)
    with rehearsal(contract, key=f"wrong-{SECRET}") as run:
        run.apply()
        require(run.bought == 0, "the vendor does not know the key, and sold something")
        _require_silent(run)


def _require_silent(run: Rehearsal) -> None:
    leaks = [*files_with(SECRET, run.root), *(["the output"] if SECRET in run.said() else [])]
    require(not leaks, f"the key is in {', '.join(leaks)}")
    require(not run.world.leaks, "the key was sent to the host of the video")


RULES: tuple[Rule, ...] = (
    makes_a_clip,
    lost_before,
    lost_after,
    busy,
    expired_link,
    moderation,
    unknown_word,
    broken_poll,
    wrong_numbers,
    secrets,
)
