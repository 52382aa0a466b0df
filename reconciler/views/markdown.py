"""Render `plan --markdown`: one comment for a pull request, under the size that forges accept.

Foreign text is only in code spans and fences. A forge takes that for plain text: no mentions, links or pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from reconciler.diagnostics import Diagnostic
from reconciler.plan.model import GENERATES, Action, Change, Plan, Step, plain_value
from reconciler.project.saved_plan import review_digest
from reconciler.views import format
from reconciler.views.groups import StepGroup, grouped
from reconciler.views.terminal import word_diff
from reconciler.views.terminal.sanitize import safe

LIMIT = 60_000
_ROOM = 600  # characters reserved for the closing lines
_WARNINGS = 20
_LONGEST_NAME = 200

_SHOWN_FIRST = ("over-budget", "policy")
"""What a reviewer must see. That a key is missing is none here: a workflow plans without keys."""

MARK = "<!-- clipform:plan -->"
"""The first line, by which a workflow recognises its own comment."""

_FIRST = (Action.BLOCKED, Action.REPLACE, Action.CREATE)
"""The actions that a reviewer must see: they come first, and are cut last."""


_DETAILED = (Action.BLOCKED, Action.NOOP, Action.MOVE, Action.RESTORE)
"""The actions whose detail is part of why."""


def render(plan: Plan) -> str:
    """Return a digest line, a table of the steps, and the changed fields in folds; cut at a whole row."""
    steps = sorted((step for step in plan.steps if step.action is not Action.NOOP or step.changes), key=_rank)
    groups = grouped(steps)
    asks = [f"- {_cell(str(demand))}" for demand in plan.demands[:_WARNINGS]]
    asks = ["This project asks for", "", *asks, ""] if asks else []
    head = [MARK, "### clipform plan", "", *asks, format.summary_line(plan), ""]
    head += [f"{_cell(format.moved_line(plan.moved))}\n"] if plan.moved else []
    head += [f"{_cell(format.look_line(change, plan.currency))}\n" for change in plan.looks[:_WARNINGS]]
    head += [f"{_cell(line)}\n" for line in islice(format.cascade_lines(plan), _WARNINGS)]
    if plan.has_changes():
        head += [_digest_line(plan), ""]
    head += [f"**Refused** {_cell(item.message)}\n" for item in plan.diagnostics if item.code in _SHOWN_FIRST]
    if groups:
        head += ["| | clip | why | model | cost | output |", "|---|---|---|---|---|---|"]
    rows = _fit(groups, lambda group: _row(group, plan), LIMIT // 2)
    if len(rows) < len(groups):
        rows.append(f"| | … and {len(groups) - len(rows)} more | | | | |")
    warnings = _warnings([item for item in plan.diagnostics if item.code not in (*_SHOWN_FIRST, "no-credentials")])
    used = sum(len(line) + 1 for line in (*head, *rows, *warnings))
    changed = [group for group in groups if group.first.changes or group.first.brief]
    folds = _fit(changed, _fold, LIMIT - used - _ROOM)
    lines = [*head, *rows]
    lines += ["", *folds] if folds else []
    if len(folds) < len(changed):
        lines += ["", f"_The details of {format.clips(len(changed) - len(folds))} do not fit in this comment._"]
    return "\n".join([*lines, *warnings]) + "\n"


def _rank(step: Step) -> int:
    return _FIRST.index(step.action) if step.action in _FIRST else len(_FIRST)


def _digest_line(plan: Plan) -> str:
    """Return what applying the plan costs, and the digest that identifies it."""
    cost = format.plan_total(plan)
    price = f"**{cost if cost == 'free' else f'+{cost}'}**" if plan.generating() else "**free**"
    return f"{price} · plan `{review_digest(plan)}`"


def _row(group: StepGroup, plan: Plan) -> str:
    step = group.first
    cost = group.price(plan.currency) if step.action in GENERATES else ""
    detail = [_cell(step.detail)] if step.action in _DETAILED and step.detail else []
    headline = _cell(step.headline) if step.headline_changes else step.headline  # changes quote foreign text
    why = "<br>".join([headline, *detail, *map(_cell, step.way_out)])
    model = _cell(f"{step.provider}/{step.model}") if step.action in GENERATES else ""
    cells = (f"**{step.action.value}**", _cell(group.name), why, model, cost, _cell(step.output or ""))
    return f"| {' | '.join(cells)} |"


def _fold(group: StepGroup) -> str:
    step = group.first
    name = _numbers(group.name[:_LONGEST_NAME])
    title = f"{len(step.changes)} changed" if step.changes else "prompt and settings"
    lines = [f"<details><summary><code>{name}</code>: {title}</summary>", "", "```diff"]
    for change in step.changes:
        lines += _diff(change)
    if step.brief is not None:
        facts = (("prompt", step.brief.prompt), ("model", f"{step.provider}/{step.model}"), *step.brief.facts)
        facts = (*facts, ("tier", ", ".join(filter(None, (step.tier, step.tier_why)))))
        lines += [f"+ {field}: {_code(value)}" for field, value in facts if value]
    return "\n".join([*lines, "```", "</details>"])


def _diff(change: Change) -> list[str]:
    field, before, after = _code(change.field), change.before, change.after
    if change.note:
        return [f"! {field}: {_code(change.note)}"]
    if field == "prompt" and isinstance(before, str) and isinstance(after, str):
        return [f"! prompt: {_code(word_diff.plain(before, after))}"]
    lines = [f"- {field}: {_code(plain_value(before))}"] if before is not None else []
    return lines + ([f"+ {field}: {_code(plain_value(after))}"] if after is not None else [])


def _warnings(diagnostics: Sequence[Diagnostic]) -> list[str]:
    if not diagnostics:
        return []
    texts = [_code(f"{item.source}: {item.message}" if item.source else item.message)[:500] for item in diagnostics]
    more = [f"and {len(texts) - _WARNINGS} more"] if len(texts) > _WARNINGS else []
    title = f"{len(texts)} warning{'' if len(texts) == 1 else 's'}"
    head = [f"<details><summary>{title}</summary>", "", "```text"]
    return ["", *head, *(f"- {line}" for line in (*texts[:_WARNINGS], *more)), "```", "</details>"]


def _fit(groups: Iterable[StepGroup], line: Callable[[StepGroup], str], room: int) -> list[str]:
    """Return the lines that fit in `room` characters; one that is too long does not stop the others."""
    lines: list[str] = []
    for group in groups:
        text = line(group)
        if len(text) < room:
            room -= len(text) + 1
            lines.append(text)
    return lines


def _numbers(text: str) -> str:
    """Return text for `<code>`: characters but letters and digits become numbers, which no forge takes for markup."""
    return "".join(char if char.isalnum() or char in " -_" else f"&#{ord(char)};" for char in safe(text))


def _cell(text: str) -> str:
    """Return a code span for a table. Escaping a bar would not do: the text may end in a backslash."""
    if not set(text) & set("|`\\") and text.isprintable():
        return f"`{text}`" if text else ""
    return f"<code>{_numbers(text)}</code>"


def _code(text: str) -> str:
    """Return one line that cannot close the fence around it."""
    return safe(text).replace("```", "'''")
