"""`undo`: write the fields of an earlier version of a take back into the YAML. Nothing is generated.

The edit is made in memory first, and the project is loaded with it: the take must have the key of that version, else
the file stays as it is. A field that the clip does not state itself, or states with `${…}`, is not edited: its place is
named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.diagnostics import ClipformError, Refused, SpecError, UsageError
from reconciler.engine.operations.edit_spec import replace_file, retakes
from reconciler.next_command import command
from reconciler.plan.changes import InputEntry, changes, flat_fields
from reconciler.plan.model import Step, plain_value
from reconciler.project.model import Choice, Loaded
from reconciler.project.orders import Order
from reconciler.project.versions import Version, before, versions
from reconciler.project.workspace import Workspace
from reconciler.spec.edit import FieldValue, set_field, written_text
from reconciler.spec.project import Clip

_DERIVED = ("mode", "take")
"""Members of the document that are not fields of the YAML."""

_INTERPOLATED = re.compile(r"(?<!\$)\$\{(?!clips\.)[^}]*\}")


@dataclass(frozen=True, slots=True)
class Undone:
    """The version that a file declares again, what was written, and the step that the next apply has for the take."""

    file: str
    version: Version
    fields: tuple[str, ...]
    step: Step

    def data(self) -> dict[str, object]:
        """Return it as a JSON document."""
        step = {"clip": self.step.clip, "take": self.step.take, "action": self.step.action.value}
        return {"file": self.file, "key": self.version.key, "fields": list(self.fields), **step}


class _Unwritable(Exception):
    """A field cannot be written back; the text says why."""


@dataclass(frozen=True, slots=True)
class _WayBack:
    """A take as it is declared, and the fields and the provider of the version to go back to."""

    order: Order
    loaded: Loaded
    fields: Mapping[str, object]
    provider: str
    is_alone: bool  # other takes keep their numbers of retakes


def undo(workspace: Workspace, clip: str, take: int | None = None, *, draft: bool = False) -> Undone:
    """Go back to the version before, of one take, by default the picked one. Raises ClipformError with the reasons if a
    field of it cannot be written."""
    loaded = workspace.load(draft)
    order = _order(loaded, clip, take)
    ident = (order.clip.name, order.take)
    key = before(workspace.events(draft, order.clip.name), ident, order.wanted.key)
    version = _version(workspace, ident, key, draft)
    if version is None:
        help = f"{command('history', order.clip.name)} shows what happened"
        raise ClipformError(f"{_named(clip, take)} has no earlier version", help=help, code="no-version")
    return _go_back(workspace, (loaded, order, take is not None), version, draft)


def use_version(workspace: Workspace, ident: tuple[str, int], keys: tuple[str, str], *, draft: bool = False) -> Undone:
    """Go back to any version of a take; `keys` are that version's and the current one's. Raises Refused if the take has
    another current one, UsageError for a key that it never held."""
    loaded = workspace.load(draft)
    order = loaded.by_ident.get(ident)
    version = _version(workspace, ident, keys[0], draft)
    if order is None or version is None:
        raise UsageError(f"{ident[0]} has no such version")
    if order.wanted.key != keys[1]:
        raise Refused(f"{ident[0]} was changed meanwhile", help="review it and choose again", code="stale")
    return _go_back(workspace, (loaded, order, True), version, draft)


def _version(workspace: Workspace, ident: tuple[str, int], key: str | None, draft: bool) -> Version | None:
    listed = versions(workspace.events(draft, ident[0]), workspace.snapshot(draft))
    return next((version for version in listed.get(ident, ()) if version.key == key), None)


def _named(clip: str, take: int | None) -> str:
    return clip if take is None else f"{clip}#{take}"


def _order(loaded: Loaded, clip: str, take: int | None) -> Order:
    named = (order for order in loaded.orders if order.clip.name == clip)
    order = next((order for order in named if order.take == (take or order.clip.spec.pick)), None)
    if order is None:
        raise UsageError(
            f"no clip or take is named '{_named(clip, take)}'", help=f"{command('status')} lists all clips"
        )
    return order


def _go_back(workspace: Workspace, subject: tuple[Loaded, Order, bool], version: Version, draft: bool) -> Undone:
    loaded, order, is_alone = subject
    clip = order.clip
    if clip.spec.protect:
        raise ClipformError(f"{clip.name} is protected", help="remove `protect` first", code="protected")
    assert clip.where is not None
    file = clip.where.file
    result = version.result
    document = version.document or (result.document if result else "")
    if not document:
        raise ClipformError(f"the fields of that version of {clip.name} are not on record", code="no-version")
    names = [change.field for change in changes(order.wanted.document, document) if change.field not in _DERIVED]
    text = edited = workspace.files.read(file).decode("utf-8")
    back, reasons = _WayBack(order, loaded, flat_fields(document), result.provider if result else "", is_alone), []
    for field in names:
        try:
            edited = set_field(edited, file, clip.name, field, _value(field, edited, back))
        except _Unwritable as reason:
            reasons.append(f"{field} {reason}")
        except ClipformError as error:
            reasons.append(f"{field}: {error.message}")
    step = None if reasons else _step(workspace.edited(file, edited), order, version.key, draft)
    if step is None:
        text = "; ".join(reasons) or "the project's other files or inputs have changed too"
        message = f"{clip.name} cannot be taken back to that version in its YAML: {text}"
        raise ClipformError(message, help="nothing was changed; make the change by hand", code="undo")
    replace_file(workspace, file, text, edited)
    return Undone(file, version, tuple(names), step)


def _step(edited: Workspace, order: Order, key: str, draft: bool) -> Step | None:
    """Return the step of the take in the edited project; None if it has another key there, or if there are errors."""
    try:
        loaded = edited.load(draft)
    except SpecError:
        return None
    plan = edited.plan(Choice((order.clip.name,), draft=draft), loaded).plan
    steps = (step for step in plan.steps if (step.clip, step.take) == (order.clip.name, order.take))
    return next((step for step in steps if step.key == key), None)


def _value(field: str, text: str, back: _WayBack) -> FieldValue:
    """Return the value of a field to write. Raises _Unwritable for one that the clip does not state by itself."""
    clip, old = back.order.clip, back.fields.get(field)
    if "." in field:
        raise _Unwritable("is inside a map or a list")
    place = clip.fields.get(field)
    if field == "retake":
        return _retakes(old if isinstance(old, int) else 0, back)
    own = _own(text, field, clip)
    if own is None and place is not None:
        raise _Unwritable(f"comes from {place.file}:{place.line}, not from the clip")
    if own is not None and (name := _INTERPOLATED.search(own)):
        raise _Unwritable(f"uses {name[0]} ({place})")
    match old:
        case InputEntry():
            return _input(old, back.loaded)
        case bool():
            return plain_value(old)
        case int() if field == "seed":
            return old - (back.order.take - 1)
        case str() if field == "provider":
            return _alias(old, back)
        case str():
            return old.replace("${", "$${") + ("\n" if own is not None and own.endswith("\n") else "")
        case int():
            return old
    return None


def _retakes(number: int, back: _WayBack) -> FieldValue:
    """Return the value of `retake`: of this take alone if the takes differ in it or only this one was named."""
    clip = back.order.clip
    numbers = {clip.spec.retake_of(take) for take in range(1, clip.spec.takes + 1)}
    if back.is_alone or len(numbers) > 1:
        return retakes(clip, back.order.take, number)
    return number or None


def _own(text: str, field: str, clip: Clip) -> str | None:
    """Return what the declaration says of a field: for a combination its own override, else the shared field."""
    assert clip.where is not None
    texts = (written_text(text, clip.where.file, name, field) for name in dict.fromkeys((clip.name, clip.declared)))
    return next((text for text in texts if text is not None), None)


def _alias(kind: str, back: _WayBack) -> str:
    """Return the provider's name in the project."""
    config = back.loaded.project.providers.get(back.provider)
    if config is None or config.kind != kind:
        raise _Unwritable(f"was {back.provider or kind}, which the project no longer has")
    return back.provider


def _input(entry: InputEntry, loaded: Loaded) -> str:
    """Return an input as the YAML names it. Raises _Unwritable for content that no clip uses now."""
    values = entry.entry
    if entry.key:
        names = {order.wanted.key: order.clip.name for order in loaded.orders}
        if entry.key not in names:
            raise _Unwritable("is of another clip, which has changed too: go back with that clip first")
        return f"${{clips.{names[entry.key]}.{values['part']}}}"
    paths = {sha: path for order in loaded.orders for path, sha in order.hashes.items()}
    value = values.get("url") or values.get("asset") or paths.get(values.get("sha256", ""))
    if value is None:
        raise _Unwritable(f"was a file with other content ({values.get('sha256', '')[:12]}): restore it from git")
    return value
