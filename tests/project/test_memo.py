"""A workspace that remembers answers as one that never saw the project before, whatever was edited in between."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError, Foreign, SpecError
from reconciler.engine.run.lockfile_sync import save_lock
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from reconciler.project.saved_plan import fingerprint
from reconciler.project.workspace import Workspace
from reconciler.records import Artifact, Binding, Generation
from reconciler.spec.memo import Memo

NAMES = ("a", "b", "c", "d")
FILES = ("clipform.yaml", "shots/one.yaml", "shots/two.yaml")
INPUTS = ("in.png", "other.png")

FIELDS = st.sampled_from(
    [
        ("prompt", "a ${vars.thing} in ${clip.name}"),
        ("prompt", "fog"),
        ("duration", "10"),
        ("duration", "7s"),
        ("seed", "42"),
        ("first_frame", "in.png"),
        ("first_frame", "other.png"),
        ("first_frame", "gone.png"),
        ("first_frame", "${clips.a.last_frame}"),
        ("first_frame", "${clips.b[n=1].last_frame}"),
        ("references", "{images: [in.png, other.png]}"),
        ("matrix", "{n: [1, 2]}"),
        ("matrix", "{n: [1, 1]}"),
        ("takes", "2"),
        ("pick", "2"),
        ("output", "renders/same.mp4"),
        ("output", "renders/x-${vars.thing}.mp4"),
        ("provider", "draft"),
        ("provider", "nobody"),
        ("options", "{x: true}"),
        ("options", "{x: 1}"),
        ("options", "{x: '1'}"),
        ("options", "{x: 1.0}"),
        ("options", "{x: '1.0'}"),
        ("options", "\n      x: ${vars.thing}"),
        ("tags", "[t]"),
        ("promt", "misspelt"),
        ("description", '"soft\\u00adhyphen"'),
    ]
)
VALUES = st.sampled_from(["lamp", "true", "1", "1.0"])
SETTINGS = st.sampled_from(
    ["list_lag: 60", "list_complete: true", "list_complete: 1", "nothing: 1", "list_lag: ${vars.thing}"]
)
PRICES = st.sampled_from(["0.10", "0.1", "2"])


@dataclass
class Spec:
    """One file, as data that edits change."""

    clips: dict[str, dict[str, str]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    vars: dict[str, str] = field(default_factory=dict)
    head: str = ""
    broken: bool = False

    def text(self) -> str:
        def section(name: str, items: dict[str, str]) -> list[str]:
            return [f"{name}:", *(f"  {key}: {value}" for key, value in items.items())] if items else []

        lines = [self.head, *section("vars", self.vars), *section("defaults", self.defaults), "clips:"]
        for name, fields in self.clips.items():
            lines += [f"  {name}:", *(f"    {key}: {value}" for key, value in {"prompt": "mist", **fields}.items())]
        return "\n".join([*lines, "  ]" if self.broken else "", ""])


class Desk:
    """A project on disk, a workspace that lives as long as it does, and the edits that happen to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.specs = {name: Spec() for name in FILES[:2]}
        self.specs[FILES[0]].clips = {"a": {}, "b": {"first_frame": "in.png"}}
        self.specs[FILES[0]].vars = {"thing": "lamp"}
        self.specs[FILES[1]].clips = {"c": {"first_frame": "${clips.a.last_frame}"}}
        self.setting, self.price = "list_lag: 60", "0.10"
        (root / "shots").mkdir()
        for name in INPUTS:
            picture(root / name, 1)
        self.living = Workspace(root, SystemClock(), {"HOST": "https://ark.example.com"})
        self.living.remember()

    def save(self) -> None:
        main = (
            "version: 1\ninclude: [shots/*.yaml]\nproviders:\n  studio:\n    kind: ark\n    base_url: ${env.HOST}\n"
            "    env: [HOST]\n"
            f"    settings:\n      {self.setting}\n    prices: [{{model: '*', per_clip: {self.price}}}]\n"
            "publish: {store: 's3://media/x', public_url: 'https://media.example.com'}\n"
        )
        for name in FILES:
            path, spec = self.root / name, self.specs.get(name)
            if spec is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text((main if name == FILES[0] else "") + spec.text(), encoding="utf-8")

    def record(self) -> None:
        """As another process would: something was bought and placed."""
        workspace = Workspace(self.root, SystemClock(), self.living.env)
        try:
            loaded = workspace.load()
        except ClipformError:
            return
        with open_session(workspace, "another") as session:
            held = {binding.key for binding in session.store.snapshot().bindings.values()}
            for order in [order for order in loaded.orders if order.wanted.key not in held][:1]:
                w = order.wanted
                with session.objects.part("test") as part:
                    part.write(w.key.encode())
                    found = part.commit(".mp4")
                artifact = Artifact(found.sha256, found.size, ".mp4", 1000, 64, 36)
                made = Generation(
                    w.key, found.sha256, w.document, provider=w.provider, kind=w.kind, model=w.model, origin="imported"
                )
                session.store.adopt(made, artifact, w.clip)
                with suppress(Foreign):
                    if w.output is not None:
                        session.store.record_placed(session.placer.place(w.output, artifact), w.clip)
                session.store.bind(Binding(w.clip, w.take, w.key, w.output, w.document))
            save_lock(session, loaded)


def picture(path: Path, shade: int) -> None:
    from PIL import Image

    Image.new("RGB", (640, 360), (shade * 60, 0, 0)).save(path)


def answer(workspace: Workspace, draft: bool) -> list[object]:
    """Everything that a look shows, as text: what is equal in Python need not be the same."""
    try:
        loaded = workspace.load(draft)
    except SpecError as error:
        return [repr(item) for item in error.diagnostics]
    except ClipformError as error:
        return [repr(error), error.message]
    planned = workspace.plan(Choice(draft=draft), loaded)
    texts = [repr(value) for value in (planned.plan, loaded.warnings, loaded.project, planned.snapshot, planned.locked)]
    wanted = [(o.wanted.clip, o.wanted.document, repr(o.wanted), repr(o.hashes), repr(o.prices)) for o in loaded.orders]
    return [fingerprint(planned.plan), *texts, *wanted]


Edit = Callable[[Desk], object]


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """One edit of any sort."""
    file, clip = draw(st.sampled_from(FILES)), draw(st.sampled_from(NAMES))
    key, value = draw(FIELDS)
    text, number = draw(VALUES), draw(st.integers(1, 3))

    def on_spec(change: Callable[[Spec], object]) -> Edit:
        return lambda desk: change(desk.specs.setdefault(file, Spec()))

    def rename(spec: Spec) -> None:
        spec.clips = {(clip if at == 0 else name): body for at, (name, body) in enumerate(spec.clips.items())}

    def on_disk(change: Callable[[Path], object], name: str) -> Edit:
        return lambda desk: change(desk.root / name)

    choices: list[Edit] = [
        on_spec(lambda spec: spec.clips.setdefault(clip, {}).update({key: value})),
        on_spec(lambda spec: spec.clips.setdefault(clip, {}).update({key: value})),
        on_spec(lambda spec: spec.clips.setdefault(clip, {}).pop(key, None)),
        on_spec(lambda spec: spec.clips.pop(clip, None)),
        on_spec(rename),
        on_spec(lambda spec: spec.clips.update(dict(reversed(spec.clips.items())))),
        on_spec(lambda spec: spec.defaults.update({key: value} if key not in ("matrix", "promt") else {})),
        on_spec(lambda spec: spec.defaults.clear()),
        on_spec(lambda spec: spec.vars.update(thing=text)),
        on_spec(lambda spec: setattr(spec, "head", "# moved\n" * number)),
        on_spec(lambda spec: setattr(spec, "broken", not spec.broken)),
        lambda desk: desk.specs.pop(file, None) if file != FILES[0] else None,
        lambda desk: setattr(desk, "setting", "" if number == 1 else draw_setting),
        lambda desk: setattr(desk, "price", draw_price),
        on_disk(lambda path: picture(path, number), INPUTS[0]),
        on_disk(lambda path: path.write_bytes(b"no picture"), INPUTS[1]),
        on_disk(lambda path: path.unlink(missing_ok=True), INPUTS[1]),
        on_disk(lambda path: path.write_text("theirs") if path.parent.is_dir() else None, "renders/a.mp4"),
        on_disk(lambda path: shutil.rmtree(path, ignore_errors=True), "state"),
        Desk.record,
        Desk.record,
    ]
    draw_setting, draw_price = draw(SETTINGS), draw(PRICES)
    return draw(st.sampled_from(choices))


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(edits(), st.booleans()), min_size=4, max_size=16))
def test_memory_changes_no_answer(sequence: list[tuple[Edit, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.save()
        for edit, draft in [(lambda desk: None, False), *sequence]:
            edit(desk)
            desk.save()
            fresh = Workspace(desk.root, SystemClock(), desk.living.env)
            assert answer(desk.living, draft) == answer(fresh, draft)


def after(desk: Desk, edit: Edit) -> list[list[object]]:
    """What the living and a fresh workspace answer after an edit."""
    edit(desk)
    desk.save()
    return [
        answer(workspace, False) for workspace in (desk.living, Workspace(desk.root, SystemClock(), desk.living.env))
    ]


def main_vars(text: str) -> Edit:
    return lambda desk: desk.specs[FILES[0]].vars.update(thing=text)


def main_clip(name: str, **fields: str) -> Edit:
    return lambda desk: desk.specs[FILES[0]].clips.update({name: fields})


def setting(text: str) -> Edit:
    return lambda desk: setattr(desk, "setting", text)


def both(*edits: Edit) -> Edit:
    return lambda desk: [edit(desk) for edit in edits]


SEEN: dict[str, tuple[Edit, Edit]] = {
    "a variable, in a clip that did not move": (main_clip("a", prompt="a ${vars.thing}"), main_vars("1")),
    "yes for one in options": (main_clip("a", options="\n      x: ${vars.thing}"), main_vars("true")),
    "a number for its text in options": (main_clip("a", options="{x: 1.5}"), main_clip("a", options='{x: "1.5"}')),
    "a default": (main_clip("a"), lambda desk: desk.specs[FILES[0]].defaults.update(duration="10")),
    "a default of the file": (main_clip("a"), lambda desk: desk.specs[FILES[1]].defaults.update(duration="10")),
    "a picture under the same name": (main_clip("a"), lambda desk: picture(desk.root / "in.png", 2)),
    "the clip that a frame is of": (main_clip("a"), main_clip("a", prompt="other")),
    "the take that a frame is of": (main_clip("a", takes="2"), main_clip("a", takes="2", pick="2")),
    "yes for one in settings": (both(main_vars("1"), setting("list_lag: ${vars.thing}")), main_vars("true")),
    "a price": (main_clip("a"), lambda desk: setattr(desk, "price", "0.20")),
    "what was bought": (main_clip("a"), Desk.record),
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    for spec in desk.specs.values():
        spec.defaults |= {"provider": "studio", "model": "doubao-seedance-1-0-pro-250528", "duration": "5"}
    return desk


@pytest.mark.parametrize("what", SEEN)
def test_each_of_these_is_seen(desk: Desk, what: str) -> None:
    first, second = SEEN[what]
    living, fresh = after(desk, first)
    assert living == fresh
    assert len(living) > 5, living  # sound: a plan
    changed, fresh = after(desk, second)
    assert changed == fresh
    assert changed != living


def test_an_edit_does_again_what_it_touched_and_no_more(desk: Desk) -> None:
    desk.save()
    before = desk.living.load()
    desk.specs[FILES[0]].clips["b"] = {"prompt": "other"}
    desk.save()
    orders = desk.living.load().orders
    same = [order.clip.name for order, old in zip(orders, before.orders, strict=True) if order is old]
    assert same == ["a", "c"]


def test_a_broken_file_does_not_cost_what_was_known(desk: Desk) -> None:
    desk.save()
    before = desk.living.load()
    for broken in (True, True, False):
        desk.specs[FILES[0]].broken = broken
        desk.save()
        if broken:
            with pytest.raises(SpecError):
                desk.living.load()
    assert all(order is old for order, old in zip(desk.living.load().orders, before.orders, strict=True))


def test_only_the_last_rounds_are_kept() -> None:
    memory = Memo()
    for number in range(100):
        with memory.round():
            assert memory.compute(("clip", number), (), lambda: object()) is not None
    assert len(memory) == 1
    for number in range(100):
        with pytest.raises(ValueError), memory.round():
            memory.compute(("other", number), (), lambda: object())
            raise ValueError
    assert len(memory) == 2  # the last round, and the last that ended well
