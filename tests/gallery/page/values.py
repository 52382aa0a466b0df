"""Documents for the page, in the shapes of `reconciler.views.gallery`; `test_shapes` holds them against real ones."""

from __future__ import annotations

from collections.abc import Iterable

from tests.gallery.page.reel import SHOTS

Value = dict[str, object]

NOW = "2026-11-25T14:30:00Z"
FREE: Value = {"amount": "0", "currency": "USD"}
ACTIONS = {
    "ready": ("noop", "up_to_date", "up to date"),
    "new": ("create", "new", "never generated before"),
    "changed": ("replace", "changed", "prompt changed"),
    "to assemble": ("assemble", "changed", "1 piece changed"),
    "running": ("resume", "in_flight", "a task is in flight"),
    "restorable": ("restore", "output_missing", "the output file is missing; the video is stored (free)"),
    "moved": ("move", "output_moved", "the same picture at another path"),
    "undeclared": ("remove", "undeclared", "no longer declared"),
    "blocked": ("blocked", "uncertain", "it may have been accepted"),
    "failed": ("replace", "changed", "prompt changed"),
}


def usd(amount: str) -> Value:
    return {"amount": amount, "currency": "USD"}


def estimate(amount: str, least: str | None = None, source: str = "") -> Value:
    """What a generation would cost; `least` is the lower end of a range."""
    return {**usd(amount), "least": least, "source": source}


def media(shot: str) -> Value:
    """One of the reel's videos."""
    found = SHOTS[shot]
    return {
        "sha256": shot,
        "video": f"media/{shot}.mp4",
        "poster": f"media/{shot}.jpg",
        "preview": None,
        "width": found.width,
        "height": found.height,
        "seconds": found.seconds,
        "audio": False,
        "bytes": 24_000,
    }


def card(name: str, state: str = "ready", shot: str | None = "red", **changes: object) -> Value:
    """A clip; ready and free unless said otherwise."""
    action, reason, sentence = ACTIONS[state]
    makes = action in ("create", "replace")
    found: Value = {
        "id": name,
        "declared": name.partition("[")[0],
        "tags": [],
        "description": "",
        "file": {"path": "clipform.yaml", "line": 14},
        "state": state,
        "action": action,
        "reason": reason,
        "sentence": sentence,
        "detail": "",
        "way_out": [],
        "running": None,
        "provider": "draft",
        "kind": "draft",
        "model": "animatic",
        "mode": "text",
        "duration": 1,
        "ratio": "16:9",
        "resolution": "480p",
        "estimate": estimate("0"),
        "cost": FREE if shot else None,
        "created": "2026-11-25T14:00:00Z" if shot else None,
        "prompt": f"{name} on a marble table, slow push-in",
        "output": f"renders/{name}.mp4",
        "pick": 1,
        "takes": 1,
        "needs": [],
        "used_by": [],
        "pieces": [],
        "mismatch": "",
        "shown": media(shot) if shot else None,
        "due": None,
        "apply": None,
        "also": [],
    }
    found |= changes
    if makes:
        price = found["estimate"]
        assert isinstance(price, dict) or price is None
        amount, least = (str(price["amount"]), price["least"]) if price else ("0", None)
        found["due"] = found["due"] or {**usd(amount), "unpriced": 0 if price else 1, "least": least}
        if "apply" not in changes:
            found["apply"] = {**found["due"], "steps": 1, "expected": None, "with": []}  # type: ignore[dict-item]  # a Value
    return found


def piece(clip: str, first: float = 0, last: float | None = None, shot: str | None = "red", text: str = "") -> Value:
    """A piece of a film; a title has words and no clip."""
    shown = media(shot) if shot and clip else None
    return {
        "clip": clip,
        "text": text,
        "still": None,
        "first": first,
        "last": last,
        "dissolve": 0,
        "shown": shown,
        "draft": None,
    }


def take(number: int, shot: str | None = "red", **changes: object) -> Value:
    return {
        "take": number,
        "picked": number == 1,
        "key": f"v1:{number:064x}",
        "state": "ready" if shot else "new",
        "seed": 100 + number,
        "task": f"cgt-{number}" if shot else None,
        "account": "draft",
        "cost": FREE if shot else None,
        "estimate": estimate("0"),
        "created": "2026-11-25T14:00:00Z" if shot else None,
        "took": 1.2 if shot else None,
        "mismatch": "",
        "origin": "generated" if shot else "",
        "media": media(shot) if shot else None,
        "attempt": "",
        "draft": None,
        "approval": None,
    } | changes


def version(number: int, shot: str | None = "red", **changes: object) -> Value:
    """A version of take 1."""
    return {
        "take": 1,
        "number": number,
        "key": f"v1:{number:064x}",
        "current": False,
        "time": "2026-11-25T14:00:00Z" if shot else None,
        "cost": FREE if shot else None,
        "media": media(shot) if shot else None,
        "changes": [],
    } | changes


def detail(about: Value, takes: Iterable[Value] | None = None, **changes: object) -> Value:
    """One clip whole; one take of what its card shows unless said otherwise."""
    shown = about["shown"]
    only = take(1, None) | {"media": shown, "state": about["state"]}
    return {
        "format_version": 1,
        "card": about,
        "takes": [only] if takes is None else list(takes),
        "previous": None,
        "changes": [],
        "inputs": [],
        "facts": [["dialect", "draft"], ["model", "animatic"], ["ratio", "16:9"]],
        "events": [{"sequence": 1, "time": NOW, "type": "submitted", "detail": "submitted as cgt-1"}],
        "versions": [],
        "before": None,
    } | changes


def document(cards: Iterable[Value], **head: object) -> Value:
    """A live document whose summary counts its cards."""
    found = list(cards)
    summary = dict.fromkeys(("create", "replace", "resume", "restore", "move", "remove", "noop", "blocked"), 0)
    for each in found:
        action = str(each["action"])
        summary[action] = summary.get(action, 0) + 1
    return {
        "format_version": 1,
        "project": "aurora",
        "live": True,
        "acts": True,
        "draft": False,
        "title": "aurora",
        "generated": NOW,
        "revision": "plan.rest",
        "summary": summary,
        "cost": {"amount": "0", "currency": "USD", "unpriced": 0, "least": None},
        "expected": None,
        "restart": "clipform ui",
        "cascades": [],
        "session": {"spent": "0", "unpriced": 0, "currency": "USD", "cap": None, "offer": False},
        "diagnostics": [],
        "stale": False,
        "run": None,
        "cards": found,
    } | head
