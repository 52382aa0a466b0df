"""The emulator in this process, on a clock that the test turns: no socket, no sleep, plain clips.

Requests are written here by hand from the vendors' pages; nothing of the project's own dialects is used.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from reconciler.emulator.api import create_api
from reconciler.emulator.ledger import Ledger
from reconciler.emulator.media import create_media
from reconciler.emulator.rulebook import Faults, parse_faults
from reconciler.emulator.studio import Blanks
from reconciler.emulator.world import Schedule, World
from reconciler.media.mp4 import Mp4, read_mp4

API = "http://api.test"
MEDIA = "http://media.test"
LATENCY = 100.0

PICTURE = "https://example.com/first.jpg"

JIEKOU = {"image": PICTURE, "prompt": "a lamp", "resolution": "720p", "duration": 5}
JIMMYAI = {"model": "seedance2.0-sp", "prompt": "a lamp", "duration": 5, "resolution": "720p", "ratio": "16:9"}
CHANJING = {
    "start_frame": "https://res.chanjing.cc/chanjing/res/aigc_creation/photo/start.jpg",
    "end_frame": "https://res.chanjing.cc/chanjing/res/aigc_creation/photo/end.jpg",
    "ref_prompt": "女孩在花海中转身微笑,镜头缓慢推进,柔和日光",
    "creation_type": 4,
    "aspect_ratio": "9:16",
    "clarity": 720,
    "video_duration": 5,
    "model_code": "Doubao-Seedance-1.0-lite-i2v",
}
UNIALL = {
    "model": "seedance2.0-720p",
    "prompt": "A clean commercial product video with slow camera movement.",
    "duration": 8,
    "aspect_ratio": "16:9",
    "extra_body": {"generate_audio": False, "seed": 42, "watermark": False},
}
HEI = {
    "model": "doubao-seedance-2-0-fast",
    "content": [{"type": "text", "text": "一只橘猫在阳光下的窗台上伸懒腰"}],
    "resolution": "720p",
    "ratio": "16:9",
    "duration": 5,
}
ARK = {**HEI, "model": "doubao-seedance-2-0-260128"}

SUBMITS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "jiekou": ("/jiekou/v3/async/seedance-v1-lite-i2v", JIEKOU),
    "jimmyai": ("/jimmyai/api/open-api/v1/seedance/videos", JIMMYAI),
    "chanjing": ("/chanjing/open/v1/ai_creation/task/submit", CHANJING),
    "uniall": ("/uniall/v1/video/generations", UNIALL),
    "3hei": ("/3hei/v1/videos", HEI),
    "ark": ("/ark/contents/generations/tasks", ARK),
}

POLLS: Mapping[str, str] = {
    "jiekou": "/jiekou/v3/async/task-result?task_id=",
    "jimmyai": "/jimmyai/api/open-api/v1/videos/",
    "chanjing": "/chanjing/open/v1/ai_creation/task?unique_id=",
    "uniall": "/uniall/v1/videos/",
    "3hei": "/3hei/v1/videos/",
    "ark": "/ark/contents/generations/tasks/",
}

ID_AT: Mapping[str, tuple[str, ...]] = {
    "jiekou": ("task_id",),
    "jimmyai": ("data", "task_id"),
    "chanjing": ("data",),
    "uniall": ("id",),
    "3hei": ("id",),
    "ark": ("id",),
}

STATUS_AT: Mapping[str, tuple[str, ...]] = {
    "jiekou": ("task", "status"),
    "jimmyai": ("data", "status"),
    "chanjing": ("data", "progress_desc"),
    "uniall": ("status",),
    "3hei": ("status",),
    "ark": ("status",),
}

LINK_AT: Mapping[str, tuple[str | int, ...]] = {
    "jiekou": ("videos", 0, "video_url"),
    "jimmyai": ("data", "result", "video_url"),
    "chanjing": ("data", "output_url", 0),
    "uniall": ("video_url",),
    "3hei": ("content", "video_url"),
    "ark": ("content", "video_url"),
}


def at(body: Any, path: tuple[str | int, ...]) -> Any:
    """A value inside JSON."""
    for step in path:
        body = body[step]
    return body


class Rig:
    """Both origins under two host names, and a clock."""

    def __init__(self, folder: Path, *faults: Mapping[str, object], latency: float = LATENCY) -> None:
        self.now = 1_800_000_000.0
        rules = parse_faults({"faults": list(faults)}, "faults") if faults else Faults()
        self.world = World(
            lambda: self.now, Blanks(), Ledger(folder / "ledger.jsonl"), rules, folder, Schedule(latency), MEDIA
        )
        origins = {b"api.test": create_api(self.world), b"media.test": create_media(self.world)}

        async def both(scope: Scope, receive: Receive, send: Send) -> None:
            host = dict(scope["headers"])[b"host"]
            await origins[host](scope, receive, send)

        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(both), base_url=API, trust_env=False)
        self.token = ""

    def close(self) -> None:
        """Let go of everything."""
        self._runner.run(self._client.aclose())
        self.world.ledger.close()
        self._runner.close()

    def send(self, method: str, url: str, **more: Any) -> httpx.Response:
        """A request as it is."""
        return self._runner.run(self._client.request(method, url, **more))

    def ask(self, method: str, path: str, body: object = None, key: str = "key") -> httpx.Response:
        """A request with the credential that the vendor in the path wants."""
        more = {} if body is None else {"json": body}
        return self.send(method, path, headers=self.credential(path.split("/")[1], key), **more)

    def credential(self, kind: str, key: str = "key") -> dict[str, str]:
        """The header with a credential."""
        if kind != "chanjing":
            return {"authorization": f"Bearer {key}"}
        return {"access_token": self.token or self.log_in(key)}

    def log_in(self, secret: str = "key") -> str:
        """A new ChanJing token."""
        answer = self.send("POST", "/chanjing/open/v1/access_token", json={"app_id": "app", "secret_key": secret})
        self.token = answer.json()["data"]["access_token"]
        return self.token

    def submit(self, kind: str, **changes: object) -> str:
        """A good request, with some fields changed; its task's id."""
        path, body = SUBMITS[kind]
        answer = self.ask("POST", path, {**body, **changes})
        assert answer.status_code == 200, answer.text
        return str(at(answer.json(), ID_AT[kind]))

    def poll(self, kind: str, task: str) -> httpx.Response:
        """How a task stands."""
        return self.ask("GET", POLLS[kind] + task)

    def status(self, kind: str, task: str) -> object:
        """Its word."""
        return at(self.poll(kind, task).json(), STATUS_AT[kind])

    def finish(self, kind: str, **changes: object) -> str:
        """A task that is done; the link to its clip."""
        task = self.submit(kind, **changes)
        self.now += LATENCY
        return str(at(self.poll(kind, task).json(), LINK_AT[kind]))

    def fetch(self, url: str, **headers: str) -> httpx.Response:
        """A download without any credential."""
        return self.send("GET", url, headers=headers)


def clip(content: bytes) -> Mp4:
    """What a clip's own headers say."""
    return read_mp4(io.BytesIO(content))
