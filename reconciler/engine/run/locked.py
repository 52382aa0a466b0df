"""Says what `apply --locked` refuses: what would ask a provider or change `clipform.lock`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.plan.cost import WITHOUT_REQUEST
from reconciler.plan.model import Action, Plan, Step
from reconciler.records import LockEntry
from reconciler.state.paths import LOCK_FILE

_LISTED = 20
"""How many steps the text names."""


def objection(plan: Plan, entries: Iterable[LockEntry] | None) -> str:
    """Return why a plan is refused, with a line for each step; empty if it only places what the lock file names.

    `entries` is None for drafts, which have no lock file.
    """
    generated = [f"{step.name}: {step.headline}" for step in plan.generating()]
    collected = [f"{step.name}: {step.headline}" for step in plan.steps if step.action is Action.RESUME]
    different = [] if entries is None else list(_differences(plan, entries))
    if not generated and not collected and not different:
        return ""
    blocked = [f"{step.name}: {step.headline}" for step in plan.blocked()]
    kinds = {
        "would have to be generated": generated,
        "to be collected from a provider": collected,
        f"not as {LOCK_FILE} has it": different,
        "blocked": blocked,
    }
    count = ", ".join(f"{len(names)} {kind}" for kind, names in kinds.items() if names)
    names = [f"- {name}" for listed in kinds.values() for name in listed]
    more = [f"- and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return "\n".join([f"--locked: {count}", *names[:_LISTED], *more])


def _differences(plan: Plan, entries: Iterable[LockEntry]) -> Iterator[str]:
    """Yield each take whose line an apply would write, change or remove."""
    lines = {(entry.clip, entry.take): entry for entry in entries}
    names = {entry.key: entry.clip for entry in lines.values()}
    for step in plan.steps:
        line = lines.get((step.clip, step.take))
        if step.action not in WITHOUT_REQUEST | {Action.ASSEMBLE}:
            continue
        if line is None:
            text = f"has it as {names[step.key]}" if step.key in names else "has no line for it"
            yield f"{step.name}: {LOCK_FILE} {text}"
        elif text := _difference(step, line):
            yield f"{step.name}: {LOCK_FILE} {text}"
    for clip, take in plan.unbind:
        if (clip, take) in lines:
            yield f"{clip}#{take}: {LOCK_FILE} has a line for it, and the project does not declare it"


def _difference(step: Step, line: LockEntry) -> str:
    if line.key != step.key:
        return "has another version of it"
    if step.sha256 not in (None, line.sha256):
        return "names another file"
    if line.output not in (None, step.output):  # lines of older versions have none
        return f"has it at {line.output}" + (f", not at {step.output}" if step.output else "")
    return ""
