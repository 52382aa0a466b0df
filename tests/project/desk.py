"""A project on disk with a workspace that lives as long as it does, and edits of any sort."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError, Foreign
from reconciler.engine.run.lockfile_sync import save_lock
from reconciler.engine.run.session import open_session
from reconciler.project.workspace import Workspace
from reconciler.records import Artifact, Binding, Generation

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
        ("provider", "other"),
        ("overrides", "[{when: {n: 1}, set: {duration: 4, tags: [o]}}]"),
        ("resolution", "480p"),
        ("draft", "vendor"),
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
DEFAULTS = st.sampled_from(
    [
        ("provider", "studio"),
        ("provider", "nobody"),
        ("model", "doubao-seedance-1-0-pro-250528"),
        ("duration", "5"),
        ("duration", "10"),
        ("duration", "11"),
        ("duration", "010"),
        ("duration", "${vars.thing}"),
        ("resolution", "480p"),
        ("resolution", "720p"),
        ("ratio", "1:1"),
        ("seed", "7"),
        ("watermark", "true"),
        ("watermark", "1"),
        ("tags", "[t, u]"),
        ("tags", "['${vars.thing}']"),
        ("description", "'{n}'"),
        ("protect", "yes"),
        ("takes", "2"),
        ("draft", "vendor"),
        ("prompt", "a ${vars.thing}"),
        ("first_frame", "in.png"),
        ("output", "renders/${clip.name}/${vars.thing}.mp4"),
        ("use", "[nothing]"),
        ("chain_warning", "3"),
    ]
)
"""Fields of `defaults`: those that clips share, as values and with names, right and wrong; and others."""
PROVIDERS = st.sampled_from(
    [
        "",
        "  other: {kind: ark}\n",
        "  other: {kind: ark, prices: [{model: '*', per_clip: 3}]}\n",
        "  studio: {kind: draft}\n",  # a second time
        "  other: {kind: nothing}\n",
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
        self.setting, self.price, self.providers = "list_lag: 60", "0.10", ""
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
            f"{self.providers}"
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
                        session.store.desk.record_placed(session.placer.place(w.output, artifact), w.clip)
                session.store.desk.bind(Binding(w.clip, w.take, w.key, w.output, w.document))
            save_lock(session, loaded)


def picture(path: Path, shade: int) -> None:
    from PIL import Image

    Image.new("RGB", (640, 360), (shade * 60, 0, 0)).save(path)


Edit = Callable[[Desk], object]

_NO_DEFAULTS = ("matrix", "overrides", "promt")


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """One edit of any sort."""
    file, clip = draw(st.sampled_from(FILES)), draw(st.sampled_from(NAMES))
    key, value = draw(FIELDS)
    text, number = draw(VALUES), draw(st.integers(1, 3))
    default, default_value = draw(DEFAULTS)

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
        on_spec(lambda spec: spec.defaults.update({key: value} if key not in _NO_DEFAULTS else {})),
        on_spec(lambda spec: spec.defaults.update({default: default_value})),
        on_spec(lambda spec: spec.defaults.update({default: default_value})),
        on_spec(lambda spec: spec.defaults.update({default: default_value})),
        on_spec(lambda spec: spec.defaults.pop(default, None)),
        on_spec(lambda spec: spec.defaults.clear()),
        on_spec(lambda spec: spec.vars.update(thing=text)),
        on_spec(lambda spec: setattr(spec, "head", "# moved\n" * number)),
        on_spec(lambda spec: setattr(spec, "broken", not spec.broken)),
        lambda desk: desk.specs.pop(file, None) if file != FILES[0] else None,
        lambda desk: setattr(desk, "setting", "" if number == 1 else draw_setting),
        lambda desk: setattr(desk, "price", draw_price),
        lambda desk: setattr(desk, "providers", draw_providers),
        on_disk(lambda path: picture(path, number), INPUTS[0]),
        on_disk(lambda path: path.write_bytes(b"no picture"), INPUTS[1]),
        on_disk(lambda path: path.unlink(missing_ok=True), INPUTS[1]),
        on_disk(lambda path: path.write_text("theirs") if path.parent.is_dir() else None, "renders/a.mp4"),
        on_disk(lambda path: shutil.rmtree(path, ignore_errors=True), "state"),
        Desk.record,
        Desk.record,
    ]
    draw_setting, draw_price, draw_providers = draw(SETTINGS), draw(PRICES), draw(PROVIDERS)
    return draw(st.sampled_from(choices))
