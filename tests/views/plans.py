"""A plan that has a step of every sort, and text that would do harm if it were shown as it is."""

from __future__ import annotations

from decimal import Decimal

from reconciler.plan.model import Action, Change, Cost, Plan, Reason, Step

HOSTILE = "\x1b[2J\x1b]0;pwned\x07 ``` | <script>alert(1)</script> \r\n```\n</details>\n# heading \u202e `x` --> & |"
"""What a prompt, a task id or a vendor's message may hold: escapes, fences, cells, tags, line ends, bidi controls."""

PROMPT = Change("prompt", "a lamp on a marble table", "a lantern on a marble table")

PLAN = Plan(
    (
        Step(
            "intro",
            1,
            Action.CREATE,
            Reason.NEW,
            "v1:aa",
            "studio",
            "ark",
            "doubao-seedance-2-0",
            "out/intro.mp4",
            cost=Cost(Decimal("0.5"), "USD"),
            expected=90.0,
            server_defaults=("ratio 16:9", "watermark"),
        ),
        Step(
            "hero",
            2,
            Action.REPLACE,
            Reason.CHANGED,
            "v1:bb",
            "studio",
            "ark",
            "doubao-seedance-2-0",
            "out/hero.mp4",
            previous_key="v1:ab",
            changes=(PROMPT, Change("audio", None, True), Change("duration", 5, 8), Change("seed", 7, None)),
            cost=Cost(None),
        ),
        Step("social[lang=zh]", 1, Action.RESUME, Reason.IN_FLIGHT, "v1:cc", detail="accepted at studio, task t1"),
        Step("back", 1, Action.RESTORE, Reason.KNOWN, "v1:dd", output="out/back.mp4"),
        Step("opening", 1, Action.MOVE, Reason.RENAMED, "v1:ee", output="out/b.mp4", previous_output="out/a.mp4"),
        Step("old", 1, Action.REMOVE, Reason.UNDECLARED, "v1:ff", output="out/old.mp4"),
        Step("mine", 1, Action.BLOCKED, Reason.FOREIGN, "v1:gg", output="out/mine.mp4", detail="out/mine.mp4",
             way_out=("clipform apply --force mine",)),
        Step("done", 1, Action.NOOP, Reason.UP_TO_DATE, "v1:hh", output="out/done.mp4"),
    ),
    currency="USD",
    expected=90.0,
)  # fmt: skip


def hostile_plan(text: str = HOSTILE) -> Plan:
    """Every text of a step and its changes is foreign."""
    step = Step(
        clip=text,
        take=1,
        action=Action.REPLACE,
        reason=Reason.CHANGED,
        key=f"v1:{text}",
        provider=text,
        kind=text,
        model=text,
        output=text,
        previous_output=text,
        previous_key=text,
        changes=(
            Change("prompt", text, f"{text} and more"),
            Change(f"options.{text}", text, None),
            Change("options.map", {"a": text}, [text]),
        ),
        detail=f"task {text}",
        way_out=(f"clipform show {text}",),
        server_defaults=(text,),
        cost=Cost(Decimal(1), "USD"),
    )
    return Plan((step,), currency="USD")
