"""`undo`: write the fields of an earlier version of a take back into the YAML. Nothing is generated.

The edit is made in memory first, and the project is loaded with it: the take must have the key of that version (of a
matrix clip as a whole, the take of each combination), else the file stays as it is. A field that the clip does not
state itself, or states with `${…}`, is not edited: its place is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from reconciler.diagnostics import ClipformError, Refused, SpecError, UsageError
from reconciler.engine.operations.edit_spec import replace_file, retakes
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.changes import InputEntry, changes, flat_fields
from reconciler.plan.model import Step, plain_value
from reconciler.project.model import Choice, Loaded
from reconciler.project.orders import Order
from reconciler.project.selectors import no_clip
from reconciler.project.versions import Version, before, versions
from reconciler.project.workspace import Workspace
from reconciler.spec.edit import FieldValue, set_field, written_text

_DERIVED = ("mode", "take")
"""Members of the document that are not fields of the YAML."""

_INTERPOLATED = re.compile(r"(?<!\$)\$\{(?!clips\.)[^}]*\}")


@dataclass(frozen=True, slots=True)
class Undone:
    """The name and version that a file declares again, what was written, and the step that the next apply has for each
    take."""

    file: str
    name: str
    version: Version
    fields: tuple[str, ...]
    steps: tuple[Step, ...]

    def data(self) -> dict[str, object]:
        """Return it as a JSON document."""
        step = {"clip": self.name, "take": self.steps[0].take, "action": self.steps[0].action.value}
        return {"file": self.file, "key": self.version.key, "fields": list(self.fields), **step}


class _Unwritable(Exception):
    """A field cannot be written back; the text says why."""


@dataclass(frozen=True, slots=True)
class _WayBack:
    """A take as it is declared, and the version to go back to with its fields."""

    order: Order
    loaded: Loaded
    version: Version
    is_alone: bool  # other takes keep their numbers of retakes
    name: str  # of the clip, or of a whole matrix clip

    @property
    def written(self) -> str:
        """The name under which the YAML has the fields."""
        names = (self.order.clip.name, self.order.clip.written)
        return self.order.clip.written if self.name in names else self.name

    @property
    def document(self) -> str:
        return self.version.document or (self.version.result.document if self.version.result else "")

    @property
    def fields(self) -> Mapping[str, object]:
        return flat_fields(self.document)

    @property
    def provider(self) -> str:
        return self.version.result.provider if self.version.result else ""

    def changed(self) -> Iterator[str]:
        """Yield the fields that the version had otherwise. Raises ClipformError if they may not or cannot go back."""
        if self.order.clip.spec.protect:
            raise ClipformError(f"{self.order.clip.name} is protected", help="remove `protect` first", code="protected")
        if not self.document:
            text = f"the fields of that version of {self.order.clip.name} are not on record"
            raise ClipformError(text, code="no-version")
        for change in changes(self.order.wanted.document, self.document):
            if change.field not in _DERIVED:
                yield change.field


def undo(workspace: Workspace, name: str, take: int | None = None, *, draft: bool = False) -> Undone:
    """Go back to the version before, of one take, by default the picked one; of a whole matrix clip, in each of its
    combinations. Raises ClipformError with the reasons if a field cannot be written."""
    loaded = workspace.load(draft)
    ways = []
    for order in _orders(loaded, name, take):
        ident = (order.clip.name, order.take)
        key = before(workspace.events(draft, order.clip.name), ident, order.wanted.key)
        version = _version(workspace, ident, key, draft)
        if version is None:
            help = f"{command('history', order.clip.name)} shows what happened"
            raise ClipformError(f"{order.wanted.name} has no earlier version", help=help, code="no-version")
        ways.append(_WayBack(order, loaded, version, take is not None, name))
    return _go_back(workspace, ways, draft)


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
    return _go_back(workspace, [_WayBack(order, loaded, version, True, ident[0])], draft)


def _version(workspace: Workspace, ident: tuple[str, int], key: str | None, draft: bool) -> Version | None:
    listed = versions(workspace.events(draft, ident[0]), workspace.snapshot(draft))
    return next((version for version in listed.get(ident, ()) if version.key == key), None)


def _orders(loaded: Loaded, name: str, take: int | None) -> list[Order]:
    """Return the order of the take of the clip of that name, or of each combination of the matrix clip."""
    chosen = [o for o in loaded.orders if not o.clip.draft and o.take == (take or o.clip.spec.pick)]
    orders = [o for o in chosen if name in (o.clip.name, o.clip.written)] or [
        o for o in chosen if o.clip.declared == name
    ]
    if not orders and name in {film.name for film in loaded.project.cuts}:
        raise no_clip(name, loaded.project.cuts)
    if not orders:
        text = f"no clip or take is named '{name if take is None else f'{name}#{take}'}'"
        raise UsageError(text, help=f"{command('status')} lists all clips")
    return orders


def _go_back(workspace: Workspace, ways: Sequence[_WayBack], draft: bool) -> Undone:
    first = ways[0]
    name, where = first.name, first.order.clip.where
    assert where is not None
    fields = tuple(dict.fromkeys(field for way in ways for field in way.changed()))
    text = edited = workspace.files.read(where.file).decode("utf-8")
    reasons = []
    for field in fields:
        try:
            edited = set_field(edited, where.file, first.written, field, _value(field, edited, first))
        except _Unwritable as reason:
            reasons.append(f"{field} {reason}")
        except ClipformError as error:
            reasons.append(f"{field}: {error.message}")
    steps = () if reasons else _steps(workspace.edited(where.file, edited), ways, draft)
    if not steps:
        other = "the project's other files or inputs" if len(ways) == 1 else "its combinations, or other files,"
        why = "; ".join(reasons) or f"{other} have changed too"
        message = f"{name} cannot be taken back to that version in its YAML: {why}"
        raise ClipformError(message, help="nothing was changed; make the change by hand", code="undo")
    replace_file(workspace, where.file, text, edited)
    return Undone(where.file, steps[0].name if len(ways) == 1 else name, first.version, fields, steps)


def _steps(edited: Workspace, ways: Sequence[_WayBack], draft: bool) -> tuple[Step, ...]:
    """Return the step of each take in the edited project; none if one has another key there, or if there are errors."""
    try:
        plan = edited.plan(Choice((ways[0].name,), draft=draft), edited.load(draft)).plan
    except SpecError:
        return ()
    by_ident = {(step.clip, step.take): step for step in plan.steps}
    steps = [by_ident.get((way.order.clip.name, way.order.take)) for way in ways]
    same = [step for step, way in zip(steps, ways, strict=True) if step and step.key == way.version.key]
    return tuple(same) if len(same) == len(ways) else ()


def _value(field: str, text: str, back: _WayBack) -> FieldValue:
    """Return the value of a field to write. Raises _Unwritable for one that the clip does not state by itself."""
    clip, old = back.order.clip, back.fields.get(field)
    if "." in field:
        raise _Unwritable("is inside a map or a list")
    place = clip.fields.get(field)
    if field == "retake":
        return _retakes(old if isinstance(old, int) else 0, back)
    own = _own(text, field, back)
    if place is not None and (own is None or place.file == clip.rows):
        raise _Unwritable(f"comes from {place.file}:{place.line}, not from the clip")
    if field == "prompt" and (clip.looks or clip.avoided()):
        raise _Unwritable(f"has words of {'looks' if clip.looks else 'avoid'} in it ({place})")
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


def _own(text: str, field: str, back: _WayBack) -> str | None:
    """Return what the declaration says of a field: for a combination its own override, else the shared field."""
    clip = back.order.clip
    assert clip.where is not None
    texts = (written_text(text, clip.where.file, name, field) for name in dict.fromkeys((back.written, clip.declared)))
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
