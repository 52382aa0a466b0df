"""Creates a project of any number of clips that is up to date, without rendering one video per clip.

One tiny mp4 is encoded; a `free` box with a number at its end makes it a different file for each key. These are
imported into the store, placed and recorded through the same calls that import and apply use, in one transaction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from PIL import Image

from benchmarks.kit import clipform, note, run
from reconciler.artifacts.hashing import RACY_NS
from reconciler.clock import SystemClock
from reconciler.engine.run.lockfile_sync import save_lock
from reconciler.engine.run.session import Session, open_session
from reconciler.project.orders import Order
from reconciler.project.workspace import Workspace
from reconciler.records import Artifact, Binding, Generation

PER_FILE = 100
PROMPT_TO_EDIT = "Shot 0 of sequence 0"

_WIDTH, _HEIGHT, _SECONDS, _FPS = 64, 36, 5, 4

_MAIN = """\
version: 1
include: [shots/*.yaml]

vars:
  hero: a courier in a red raincoat
  look: handheld, 35 mm, soft rain, neon reflections

providers:
  seedance:
    kind: ark
    api_key: ${env.ARK_API_KEY}
    prices:
      - {model: "*", resolution: 480p, per_second: 0.05}
      - {model: "*", per_second: 0.12}

budget:
  currency: CNY
  per_apply: 500

defaults:
  provider: seedance
  model: doubao-seedance-1-5-pro-251215
  resolution: 720p
  ratio: 16:9
  duration: 5
"""

_FILE_HEAD = """\
vars:
  place: district {file} of the old harbour

defaults:
  tags: [sequence-{file}]

clips:
"""

_PLAIN = """\
  s{file}-plain-{n}:
    prompt: Shot {n} of sequence {file}, ${{vars.hero}} crosses ${{vars.place}}, slow push-in, ${{vars.look}}
    seed: {n}
"""

_STILL = """\
  s{file}-still-{n}:
    prompt: ${{vars.hero}} looks up in ${{vars.place}} ({n}), the camera holds
    first_frame: stills/{still}.png
    duration: 4
"""

_CHAIN = """\
  s{file}-chain-{n}:
    prompt: The camera follows ${{vars.hero}} further into ${{vars.place}}, step {n}
"""

_LINK = """\
    first_frame: ${{clips.s{file}-chain-{before}.last_frame}}
"""

_MATRIX = """\
  s{file}-{name}:
    matrix:
      ratio: [16:9, 9:16]
      lang: [en, zh, es, ja]
    prompt: Shop window of ${{vars.place}} at night, signs in ${{matrix.lang}}, {name}
    ratio: ${{matrix.ratio}}
    output: renders/s{file}/{name}/${{matrix.lang}}-${{matrix.ratio}}.mp4
"""


def up_to_date(folder: Path, clips: int) -> Path:
    """Create a project that is up to date; return its folder."""
    note(f"set up {clips:,} clips")
    write(folder, clips)
    bring_up_to_date(folder)
    return folder


def write(folder: Path, clips: int) -> None:
    """Write the specs and their pictures: of each hundred clips 60 plain, 12 from a still, 2 chains of 6, 2 matrices of
    8. Fewer than a hundred are all plain."""
    (folder / "shots").mkdir(parents=True)
    (folder / "stills").mkdir()
    (folder / "clipform.yaml").write_text(_MAIN, encoding="utf-8")
    if clips < PER_FILE:
        plain = (_PLAIN.format(file=0, n=n) for n in range(clips))
        (folder / "shots" / "0000.yaml").write_text(_FILE_HEAD.format(file=0) + "".join(plain), encoding="utf-8")
    for file in range(clips // PER_FILE):
        (folder / "shots" / f"{file:04}.yaml").write_text(_shots(file), encoding="utf-8")
        for still in range(4):
            shade = (file % 256, file // 256, still * 60)
            Image.new("RGB", (640, 360), shade).save(folder / "stills" / f"{file:04}-{still}.png")


def _shots(file: int) -> str:
    parts = [_FILE_HEAD.format(file=file)]
    parts += [_PLAIN.format(file=file, n=n) for n in range(60)]
    parts += [_STILL.format(file=file, n=n, still=f"{file:04}-{n % 4}") for n in range(12)]
    for n in range(12):
        parts.append(_CHAIN.format(file=file, n=n))
        if n % 6:
            parts.append(_LINK.format(file=file, before=n - 1))
    parts.append(_MATRIX.format(file=file, name="windows"))
    parts.append(_MATRIX.format(file=file, name="posters") + "    takes: 2\n    pick: 2\n")
    return "".join(parts)


def bring_up_to_date(folder: Path) -> int:
    """Bring a project up to date; return its number of takes."""
    workspace = Workspace(folder, SystemClock(), os.environ)
    with _unsynced(), open_session(workspace, "benchmark") as session:
        loaded = session.workspace.load()
        video = _tiny(folder / "tiny.mp4")
        with session.store.transaction():
            for number, order in enumerate(loaded.orders):
                _import_take(session, order, video + _free_box(number))
        save_lock(session, loaded)
    time.sleep(RACY_NS / 1e9)  # so that the hashes of the stills can be remembered by the plan below
    run("the plan that should be empty", clipform("plan", "--detailed-exitcode"), folder)
    return len(loaded.orders)


def _import_take(session: Session, order: Order, video: bytes) -> None:
    """Record one take as import and apply do."""
    wanted, store = order.wanted, session.store
    with session.objects.part("benchmark") as part:
        part.write(video)
        stored = part.commit(".mp4")
    artifact = Artifact(stored.sha256, stored.size, ".mp4", 1000 * _SECONDS, _WIDTH, _HEIGHT)
    generation = Generation(
        key=wanted.key,
        sha256=stored.sha256,
        document=wanted.document,
        provider=wanted.provider,
        kind=wanted.kind,
        model=wanted.model,
        created=session.clock.now(),
        origin="imported",
    )
    store.adopt(generation, artifact, wanted.clip)
    if wanted.output is not None:
        store.desk.record_placed(session.placer.place(wanted.output, artifact), wanted.clip)
    store.desk.bind(Binding(wanted.clip, wanted.take, wanted.key, wanted.output, wanted.document))


@contextmanager
def _unsynced() -> Iterator[None]:
    """Disable fsync: this project need not survive a power cut, and tens of thousands of syncs take minutes."""
    real, os.fsync = os.fsync, lambda _: None
    try:
        yield
    finally:
        os.fsync = real


def _free_box(number: int) -> bytes:
    """Return a box that every player skips: its length, its type, 8 bytes."""
    return (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")


def _tiny(path: Path) -> bytes:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=_FPS)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        frame = av.VideoFrame.from_image(Image.new("RGB", (_WIDTH, _HEIGHT), "navy"))
        for index in range(_SECONDS * _FPS):
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    content = path.read_bytes()
    path.unlink()
    return content
