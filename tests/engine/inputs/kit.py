"""Projects on disk with real media in them, a clock that stands still, and vendors that host files in memory."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import av
from PIL import Image

from reconciler.artifacts.publish import Publisher
from reconciler.artifacts.store import Objects
from reconciler.artifacts.upload_links import UploadLinks
from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.engine.attempt import job as jobs
from reconciler.engine.inputs.delivery import MediaDelivery, publisher_of
from reconciler.engine.inputs.resolve import InputResolver, ReturnedFrames
from reconciler.engine.ports import ConnectedProvider
from reconciler.project.model import Loaded
from reconciler.project.orders import Order
from reconciler.project.workspace import Workspace
from reconciler.providers.base import Job
from reconciler.providers.capabilities import Hosted

DAY = 24 * 3600.0
ENV = {"KEY": "CANARYKEY-1234567", "S3_ID": "CANARYID7654321", "S3_SECRET": "CANARYSECRET/+7654321"}


NEEDED = {"jiekou": "{duration: 5, resolution: 480p}"}
"""What clips of a kind have to say, because it costs money and has no default."""


class Clock:
    """Shows what it was set to."""

    def __init__(self, time: float = 1_700_000_000.0) -> None:
        self.time = time

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Here:
    """Runs work at once."""

    async def run(self, function: Any, *args: Any) -> Any:
        return function(*args)


@dataclass
class Shelf:
    """A vendor's upload: keeps what it was given, and gives a link to each."""

    life: float | None = 3 * DAY
    query: str = ""
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def upload(self, path: Path, sha256: str, content_type: str) -> Hosted:
        self.taken.append((sha256, content_type, await asyncio.to_thread(path.read_bytes)))
        return Hosted(f"https://cdn.vendor.example/{sha256}{self.query}", self.life)


def picture(path: Path, width: int = 320, height: int = 320, kind: str = "PNG") -> Path:
    """A real picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (width % 256, height % 256, 90)).save(path, format=kind)
    return path


def video(path: Path, width: int = 720, height: int = 720, fps: int = 24, seconds: float = 2) -> Path:
    """A real video of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_film(width, height, fps, seconds))
    return path


@cache
def _film(width: int, height: int, fps: int, seconds: float) -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), (20, 90, 160)))
        for _ in range(round(fps * seconds)):
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return content.getvalue()


def sound(path: Path, seconds: float = 3) -> Path:
    """A real sound: silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(round(16000 * seconds)))
    return path


class Bench:
    """A project with one provider, `studio`, and everything that makes its inputs ready."""

    def __init__(self, root: Path, kind: str = "draft", shelf: Shelf | None = None) -> None:
        self.root, self.kind, self.shelf, self.clock = root, kind, shelf or Shelf(), Clock()
        (root / "state").mkdir(parents=True, exist_ok=True)
        self.publish = ""
        self.models = "{}"
        self.env: Mapping[str, str] = ENV
        self.videos: dict[str, str] = {}
        self.returned = ReturnedFrames(self.clock)
        self.objects = Objects(root / "state")

    def write(self, *fields: str, model: str = "", more: str = "") -> None:
        """The project file: one clip, `hero`, with these fields."""
        keys = {"chanjing": "app_id: app, secret_key: '${env.KEY}'", "draft": ""}
        secrets = keys.get(self.kind, "api_key: '${env.KEY}'")
        models = "" if self.kind == "draft" else f", models: {self.models}"
        provider = f"{{kind: {self.kind}, {secrets}{models}}}"
        lines = [f"  studio: {provider}", "clips:", *([more] if more else []), "  hero:", "    provider: studio"]
        lines += ["    prompt: a lamp", *([f"    model: {model}"] if model else []), *(f"    {f}" for f in fields)]
        needed = NEEDED.get(self.kind, "{duration: 5}")
        top = ["version: 1", f"defaults: {needed}", *([self.publish] if self.publish else []), "providers:"]
        text = "\n".join([*top, *lines])
        (self.root / "clipform.yaml").write_text(text + "\n", encoding="utf-8")

    def workspace(self) -> Workspace:
        return Workspace(self.root, self.clock, self.env)

    def load(self) -> Loaded:
        return self.workspace().load()

    def problems(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the project, warnings included."""
        try:
            return self.load().warnings
        except SpecError as error:
            return error.diagnostics

    def inputs(self, loaded: Loaded) -> InputResolver:
        """As a run would wire them; each call is another run."""
        dialect = loaded.dialects["studio"]
        vendors = {"studio": ConnectedProvider("studio", self.kind, dialect, self.shelf, dialect.pace)}
        hasher = self.workspace().hasher(loaded.project)
        handles = UploadLinks(self.root / "state", self.clock.now)
        publisher = self.publisher(loaded)
        return InputResolver(
            self.root,
            self.objects,
            Here(),
            rehash=lambda path: hasher.hash(path).sha256,
            artifacts=self.videos.get,
            delivery=MediaDelivery(vendors, handles, publisher),
            returned=self.returned,
        )

    def publisher(self, loaded: Loaded) -> Publisher | None:
        return publisher_of(loaded.project.publish, self.env, loaded.orders, loaded.dialects)

    def hero(self, loaded: Loaded) -> Order:
        return loaded.by_ident["hero", 1]

    async def job(self, inputs: InputResolver, loaded: Loaded) -> Job:
        """What the dialect is given."""
        order = self.hero(loaded)
        return jobs.build(order, await inputs.ready(order), seed=None, marker="m")
