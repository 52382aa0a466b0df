"""`plan --markdown`: one comment for a pull request, under the size that forges accept."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.plan.model import SENTENCES, Action, Plan, Step
from reconciler.views import diff, words
from reconciler.views.plan_text import value
from reconciler.views.safe import safe

LIMIT = 60_000
_ROOM = 400  # kept for the closing lines


def render(plan: Plan) -> str:
    """A digest line, a table of what would happen, and each changed field folded away; cut at a whole row."""
    shown = [step for step in plan.steps if step.action is not Action.NOOP]
    head = ["### clipform plan", "", words.summary_line(plan), ""]
    if shown:
        head += ["| | clip | why | cost | output |", "|---|---|---|---|---|"]
    rows, cut = _fit(map(_row, _costs(shown, plan)), LIMIT // 2)
    if cut:
        rows.append(f"| | … and {len(shown) - len(rows)} more | | | |")
    used = sum(len(line) + 1 for line in head + rows)
    folds, folded = _fit((_fold(step) for step in shown if step.changes), LIMIT - used - _ROOM)
    tail = ["", *folds] + (["", "_More changes are left out of this comment._"] if folded else [])
    return "\n".join(head + rows + (tail if folds else [])) + "\n"


def _costs(steps: list[Step], plan: Plan) -> Iterator[tuple[Step, str]]:
    for step in steps:
        paid = step.action in (Action.CREATE, Action.REPLACE)
        yield step, words.money(step.cost.amount, step.cost.currency or plan.currency) if paid else ""


def _row(item: tuple[Step, str]) -> str:
    step, cost = item
    why = "<br>".join([SENTENCES[step.reason], *_known(step), *(_cell(command) for command in step.way_out)])
    cells = (f"**{step.action.value}**", _cell(step.name), why, cost, _cell(step.output or ""))
    return f"| {' | '.join(cells)} |"


def _known(step: Step) -> tuple[str, ...]:
    """What is known of a clip that waits for a person."""
    return (_cell(step.detail),) if step.action is Action.BLOCKED and step.detail else ()


def _fold(step: Step) -> str:
    lines = [f"<details><summary>{_html(step.name)}: {len(step.changes)} changed</summary>", "", "```diff"]
    for change in step.changes:
        if change.field == "prompt" and isinstance(change.before, str) and isinstance(change.after, str):
            lines.append(f"! prompt: {_code(diff.plain(change.before, change.after))}")
            continue
        name = _code(change.field)
        lines += [f"- {name}: {_code(value(change.before))}"] if change.before is not None else []
        lines += [f"+ {name}: {_code(value(change.after))}"] if change.after is not None else []
    return "\n".join([*lines, "```", "</details>"])


def _fit(lines: Iterator[str], room: int) -> tuple[list[str], bool]:
    """As many whole lines as fit in `room` characters, and whether any were left out."""
    found: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return found, True
        found.append(line)
    return found, False


def _html(text: str) -> str:
    return safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cell(text: str) -> str:
    return f"`{safe(text).replace('|', chr(92) + '|').replace('`', chr(39))}`" if text else ""


def _code(text: str) -> str:
    """One line that cannot close the fence it stands in."""
    return safe(text).replace("```", "'''")
