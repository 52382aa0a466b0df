"""`plan --markdown`: one comment for a pull request, under the size that forges accept.

Foreign text stands in code spans and fences alone. A forge reads what stands there as text: it mentions nobody, links
to nothing and loads no picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reconciler.diagnostics import Diagnostic
from reconciler.plan.model import SENTENCES, Action, Plan, Step
from reconciler.project.saved_plan import review_digest
from reconciler.views import format
from reconciler.views.terminal import word_diff
from reconciler.views.terminal.plan import value
from reconciler.views.terminal.sanitize import safe

LIMIT = 60_000
_ROOM = 600  # kept for the closing lines
_WARNINGS = 20
_LONGEST_NAME = 200

MARK = "<!-- clipform:plan -->"
"""The first line, by which a workflow finds its own comment again."""

_FIRST = (Action.BLOCKED, Action.REPLACE, Action.CREATE)
"""What a reviewer must see stands above what is free, and is the last to be cut."""


def render(plan: Plan) -> str:
    """A digest line, a table of what would happen, and each changed field folded away; cut at a whole row."""
    shown = sorted((step for step in plan.steps if step.action is not Action.NOOP), key=_rank)
    head = [MARK, "### clipform plan", "", format.summary_line(plan), ""]
    if plan.has_changes():
        head += [_digest_line(plan), ""]
    if shown:
        head += ["| | clip | why | cost | output |", "|---|---|---|---|---|"]
    rows = _fit(shown, lambda step: _row(step, plan), LIMIT // 2)
    if len(rows) < len(shown):
        rows.append(f"| | … and {len(shown) - len(rows)} more | | | |")
    warnings = _warnings(plan.diagnostics)
    used = sum(len(line) + 1 for line in (*head, *rows, *warnings))
    changed = [step for step in shown if step.changes]
    folds = _fit(changed, _fold, LIMIT - used - _ROOM)
    lines = [*head, *rows]
    lines += ["", *folds] if folds else []
    if len(folds) < len(changed):
        lines += ["", f"_What changed in {format.clips(len(changed) - len(folds))} is left out of this comment._"]
    return "\n".join([*lines, *warnings]) + "\n"


def _rank(step: Step) -> int:
    return _FIRST.index(step.action) if step.action in _FIRST else len(_FIRST)


def _digest_line(plan: Plan) -> str:
    """What the work costs more than leaving everything as it is, and what names this very work."""
    making = plan.generating()
    cost = format.total(plan.total(), plan.unpriced(), plan.currency)
    price = f"**{cost if cost == 'free' else f'+{cost}'}**" if making else "**free**"
    return f"{price} · plan `{review_digest(plan)}`"


def _row(step: Step, plan: Plan) -> str:
    paid = step.action in (Action.CREATE, Action.REPLACE)
    cost = format.money(step.cost.amount, step.cost.currency or plan.currency) if paid else ""
    why = "<br>".join([SENTENCES[step.reason], *_known(step), *(_cell(command) for command in step.way_out)])
    cells = (f"**{step.action.value}**", _cell(step.name), why, cost, _cell(step.output or ""))
    return f"| {' | '.join(cells)} |"


def _known(step: Step) -> tuple[str, ...]:
    """What is known of a clip that waits for a person."""
    return (_cell(step.detail),) if step.action is Action.BLOCKED and step.detail else ()


def _fold(step: Step) -> str:
    name = _numbers(step.name[:_LONGEST_NAME])
    lines = [f"<details><summary><code>{name}</code>: {len(step.changes)} changed</summary>", "", "```diff"]
    for change in step.changes:
        if change.field == "prompt" and isinstance(change.before, str) and isinstance(change.after, str):
            lines.append(f"! prompt: {_code(word_diff.plain(change.before, change.after))}")
            continue
        field = _code(change.field)
        lines += [f"- {field}: {_code(value(change.before))}"] if change.before is not None else []
        lines += [f"+ {field}: {_code(value(change.after))}"] if change.after is not None else []
    return "\n".join([*lines, "```", "</details>"])


def _warnings(found: Sequence[Diagnostic]) -> list[str]:
    """What the files' reader had to say, folded."""
    if not found:
        return []
    shown = [_code(f"{item.source}: {item.message}" if item.source else item.message)[:500] for item in found]
    more = [f"and {len(shown) - _WARNINGS} more"] if len(shown) > _WARNINGS else []
    title = f"{len(shown)} warning{'' if len(shown) == 1 else 's'}"
    head = [f"<details><summary>{title}</summary>", "", "```text"]
    return ["", *head, *(f"- {line}" for line in (*shown[:_WARNINGS], *more)), "```", "</details>"]


def _fit(steps: Iterable[Step], line: Callable[[Step], str], room: int) -> list[str]:
    """As many whole lines as fit in `room` characters. One that is too long by itself does not hide the others."""
    found: list[str] = []
    for step in steps:
        text = line(step)
        if len(text) < room:
            room -= len(text) + 1
            found.append(text)
    return found


def _numbers(text: str) -> str:
    """Text in `<code>`: whatever is no letter or digit as its number, which no forge takes for markup."""
    return "".join(char if char.isalnum() or char in " -_" else f"&#{ord(char)};" for char in safe(text))


def _cell(text: str) -> str:
    """A code span in a table. A backslash before a bar would not do: a text may bring its own backslash."""
    if not set(text) & set("|`\\") and text.isprintable():
        return f"`{text}`" if text else ""
    return f"<code>{_numbers(text)}</code>"


def _code(text: str) -> str:
    """One line that cannot close the fence it stands in."""
    return safe(text).replace("```", "'''")
