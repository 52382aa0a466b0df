"""From a file of the project to the job that a dialect translates: which scheme results, and what is really sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from pathlib import Path

import pytest

from reconciler.diagnostics import ArtifactError, ClipformError, MediaError, Severity
from reconciler.project.model import Loaded
from reconciler.providers.base import Job, Succeeded
from tests.engine.inputs.bucket import BucketServer
from tests.engine.inputs.kit import DAY, ENV, Bench, Shelf, picture, sound, video

KEYS = "access_key_id: '${env.S3_ID}', secret_access_key: '${env.S3_SECRET}'"


def publish_to(bench: Bench, bucket: BucketServer) -> None:
    bench.publish = f"publish: {{store: 's3://media/x', endpoint: '{bucket.url}', region: eu-central-1, {KEYS}}}"


def job(bench: Bench, loaded: Loaded | None = None) -> Job:
    loaded = loaded or bench.load()
    return asyncio.run(bench.job(bench.inputs(loaded), loaded))


def sha_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# A local picture as first frame, by dialect: the scheme that the job has, uploads to the vendor, puts into the store.
WAYS = [
    ("draft", "", "file", 0, 0),
    ("jiekou", "", "data", 0, 0),
    ("ark", "", "data", 0, 0),
    ("3hei", "", "data", 0, 0),
    ("uniall", "", "https", 0, 1),
    ("chanjing", "", "https", 1, 0),
    ("jimmyai", "seedance2.0-std", "https", 1, 0),
]


@pytest.mark.parametrize(("kind", "model", "scheme", "uploads", "puts"), WAYS, ids=[row[0] for row in WAYS])
def test_each_dialect_gets_a_local_picture_its_own_way(
    root: Path, bucket: BucketServer, kind: str, model: str, scheme: str, uploads: int, puts: int
) -> None:
    bench = Bench(root, kind)
    publish_to(bench, bucket)
    lamp = picture(root / "lamp.png")
    bench.write("first_frame: lamp.png", model=model)
    loaded = bench.load()
    made = job(bench, loaded)
    assert made.first_frame is not None
    assert (made.first_frame.scheme, made.first_frame.sha256) == (scheme, sha_of(lamp))
    assert (len(bench.shelf.taken), bucket.puts()) == (uploads, puts)
    if scheme == "data":
        head, _, coded = made.first_frame.value.partition(",")
        assert (head, base64.b64decode(coded)) == ("data:image/png;base64", lamp.read_bytes())
    sent = loaded.dialects["studio"].submit(made).body
    assert (made.first_frame.value in repr(sent)) or kind == "draft"


@pytest.mark.parametrize("by", ["path", "link"])
@pytest.mark.parametrize(("kind", "model", "scheme", "uploads", "puts"), WAYS, ids=[row[0] for row in WAYS])
def test_a_picture_from_a_folder_that_is_allowed_goes_the_same_way_under_the_same_key(
    root: Path,
    tmp_path: Path,
    bucket: BucketServer,
    kind: str,
    model: str,
    scheme: str,
    uploads: int,
    puts: int,
    by: str,
) -> None:
    bench = Bench(root, kind)
    publish_to(bench, bucket)
    inside, brand = picture(root / "lamp.png"), picture(tmp_path / "brand/lamp.png")
    (root / "link.png").symlink_to(brand)
    bench.write("first_frame: lamp.png", model=model)
    key = bench.hero(bench.load()).wanted.key
    inside.unlink()
    bench.write(f"first_frame: {brand if by == 'path' else 'link.png'}", model=model)
    refused = [problem for problem in bench.problems() if problem.severity is Severity.ERROR]
    assert [problem.code for problem in refused] == ["input"]
    assert refused[0].help.splitlines()[0].endswith("allow its folder in clipform.yaml:")
    bench.publish += f"\ninputs: {{allow: [{brand.parent}]}}"
    bench.write(f"first_frame: {brand if by == 'path' else 'link.png'}", model=model)
    loaded = bench.load()
    assert bench.hero(loaded).wanted.key == key
    made = job(bench, loaded)
    assert made.first_frame is not None
    assert (made.first_frame.scheme, made.first_frame.sha256) == (scheme, sha_of(brand))
    assert (len(bench.shelf.taken), bucket.puts()) == (uploads, puts)


def test_the_vendor_gets_the_bytes_that_were_planned_with_the_type_they_have(root: Path) -> None:
    bench = Bench(root, "chanjing")
    lamp = picture(root / "lamp.png", kind="JPEG")  # its name lies
    bench.write("first_frame: lamp.png")
    job(bench)
    assert bench.shelf.taken == [(sha_of(lamp), "image/jpeg", lamp.read_bytes())]


def test_a_picture_in_the_store_has_the_ending_of_its_content(root: Path, bucket: BucketServer) -> None:
    bench = Bench(root, "uniall")
    publish_to(bench, bucket)
    lamp = picture(root / "lamp.bin", kind="JPEG")
    bench.write("first_frame: lamp.bin")
    job(bench)
    assert bucket.objects == {f"/media/x/{sha_of(lamp)}.jpg": ("image/jpeg", lamp.read_bytes())}


def test_a_handle_is_reused_by_the_next_run_until_it_expires(root: Path) -> None:
    bench = Bench(root, "chanjing", Shelf(life=30 * DAY))
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png")
    links = {job(bench).first_frame for _ in range(3)}
    assert (len(links), len(bench.shelf.taken)) == (1, 1)
    bench.clock.time += 30 * DAY
    job(bench)
    assert len(bench.shelf.taken) == 2


def test_clips_that_share_a_picture_share_one_upload(root: Path) -> None:
    bench = Bench(root, "chanjing", Shelf(life=None))
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png", "takes: 5")
    loaded = bench.load()
    inputs = bench.inputs(loaded)

    async def every() -> None:
        await asyncio.gather(*(inputs.ready(order) for order in loaded.orders))

    asyncio.run(every())
    assert len(bench.shelf.taken) == 1


def test_a_presigned_link_is_signed_anew_and_kept_nowhere(root: Path, bucket: BucketServer) -> None:
    bench = Bench(root, "uniall")
    publish_to(bench, bucket)
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png")
    first = job(bench).first_frame
    assert first is not None and "X-Amz-Signature=" in first.value
    job(bench)
    assert bucket.puts() == 1
    everything = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert b"X-Amz" not in everything
    assert not any(canary.encode() in everything for canary in ENV.values())


@pytest.mark.parametrize(("kind", "model"), [("jiekou", ""), ("uniall", ""), ("chanjing", "")])
def test_a_picture_that_changed_since_the_plan_goes_nowhere(
    root: Path, bucket: BucketServer, kind: str, model: str
) -> None:
    bench = Bench(root, kind)
    publish_to(bench, bucket)
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png", model=model)
    loaded = bench.load()
    picture(root / "lamp.png", 400, 400)
    with pytest.raises(MediaError, match=r"lamp\.png changed while applying"):
        job(bench, loaded)
    assert (bench.shelf.taken, bucket.objects) == ([], {})


@pytest.mark.parametrize("kind", ["jiekou", "uniall"])
def test_a_picture_that_changes_after_the_last_look_is_noticed_in_the_very_bytes(
    root: Path, bucket: BucketServer, kind: str
) -> None:
    bench = Bench(root, kind)
    publish_to(bench, bucket)
    planned = sha_of(picture(root / "lamp.png"))
    bench.write("first_frame: lamp.png")
    loaded = bench.load()
    inputs = bench.inputs(loaded)
    picture(root / "lamp.png", 400, 400)
    inputs.rehash = lambda path: planned  # as if it changed right after this look
    with pytest.raises(ArtifactError, match="changed while applying"):
        asyncio.run(bench.job(inputs, loaded))
    assert bucket.objects == {}


def test_a_pipe_in_the_place_of_a_picture_is_refused_at_once(root: Path) -> None:
    bench = Bench(root, "jiekou")
    planned = sha_of(picture(root / "lamp.png"))
    bench.write("first_frame: lamp.png")
    loaded = bench.load()
    inputs = bench.inputs(loaded)
    (root / "lamp.png").unlink()
    os.mkfifo(root / "lamp.png")
    inputs.rehash = lambda path: planned
    with pytest.raises(ArtifactError, match="not a regular file"):
        asyncio.run(bench.job(inputs, loaded))


def test_pictures_share_the_room_of_one_request(root: Path, bucket: BucketServer) -> None:
    bench = Bench(root, "ark")
    publish_to(bench, bucket)
    names = [picture(root / f"{i}.png", 300 + i).name for i in range(3)]
    size = sum((root / name).stat().st_size for name in names[:2])
    bench.models = f"{{doubao-seedance-2-0-260128: {{max_request_bytes: {65536 + 6 + 2 * 64 + size * 4 // 3 + 8}}}}}"
    bench.write(f"references: {{images: [{', '.join(names)}]}}")
    assert [ref.scheme for ref in job(bench).images] == ["data", "data", "https"]


def test_a_store_without_a_way_in_is_told_before_anything_is_sent(root: Path, bucket: BucketServer) -> None:
    bench = Bench(root, "uniall")
    publish_to(bench, bucket)
    bench.env = {"KEY": "k" * 9}
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png")
    with pytest.raises(ClipformError, match="needs credentials"):
        bench.inputs(bench.load())


def test_a_store_that_no_order_needs_needs_no_way_in(root: Path, bucket: BucketServer) -> None:
    bench = Bench(root, "jiekou")
    publish_to(bench, bucket)
    bench.env = {"KEY": "k" * 9}
    picture(root / "lamp.png")
    bench.write("first_frame: lamp.png")
    assert job(bench).first_frame is not None


def test_reference_videos_and_sounds_go_by_the_store(root: Path, bucket: BucketServer) -> None:
    bench = Bench(root, "ark")
    publish_to(bench, bucket)
    video(root / "walk.mp4")
    sound(root / "rain.wav")
    bench.write("references: {videos: [walk.mp4], audios: [rain.wav]}")
    made = job(bench)
    assert [ref.scheme for ref in (*made.videos, *made.audios)] == ["https", "data"]
    assert made.audios[0].value.startswith("data:audio/wav;base64,")
    assert [kind for kind, _ in bucket.objects.values()] == ["video/mp4"]


# --- frames of other clips ------------------------------------------------------------------

INTRO = "  intro: {provider: studio, prompt: mist, return_last_frame: yes}"


def chained(root: Path, kind: str, part: str = "last_frame") -> Bench:
    """`hero` begins with what `intro` ended on; the video of `intro` is in the store."""
    bench = Bench(root, kind)
    bench.write(f"first_frame: ${{clips.intro.{part}}}", more=INTRO if kind == "ark" else "  intro: {prompt: mist}")
    bench.videos["intro"] = bench.objects.add(video(root / "made.mp4"), ".mp4").sha256
    return bench


@pytest.mark.parametrize(
    ("kind", "scheme"), [("draft", "file"), ("jiekou", "data"), ("ark", "data"), ("chanjing", "https")]
)
@pytest.mark.parametrize("part", ["last_frame", "first_frame"])
def test_a_frame_of_another_clip_goes_the_way_of_a_picture(root: Path, kind: str, scheme: str, part: str) -> None:
    bench = chained(root, kind, part)
    frame = job(bench).first_frame
    assert frame is not None and frame.scheme == scheme
    assert bench.objects.has(frame.sha256, ".png")


def test_the_providers_own_last_frame_is_used_while_its_link_lives(root: Path) -> None:
    bench = chained(root, "ark")
    link = "https://vendor.example/frame.png?sig=1"
    bench.returned.note("studio", bench.videos["intro"], Succeeded("https://v", link, life=DAY), None)
    frame = job(bench).first_frame
    assert frame is not None and (frame.scheme, frame.value) == ("https", link)
    bench.clock.time += DAY - 3600
    frame = job(bench).first_frame
    assert frame is not None and frame.scheme == "data"


@pytest.mark.parametrize(
    ("alias", "part", "result", "link_life"),
    [
        ("other", "last_frame", Succeeded("https://v", "https://f", life=DAY), None),  # another provider's
        ("studio", "first_frame", Succeeded("https://v", "https://f", life=DAY), None),  # another frame
        ("studio", "last_frame", Succeeded("https://v", None, life=DAY), None),  # none was returned
        ("studio", "last_frame", Succeeded("https://v", "https://f"), None),  # nobody says how long it lives
    ],
)
def test_otherwise_the_frame_is_extracted(
    root: Path, alias: str, part: str, result: Succeeded, link_life: float | None
) -> None:
    bench = chained(root, "ark", part)
    bench.returned.note(alias, bench.videos["intro"], result, link_life)
    frame = job(bench).first_frame
    assert frame is not None and frame.scheme == "data"


def test_the_life_that_a_dialect_knows_counts_where_the_reply_has_none(root: Path) -> None:
    bench = chained(root, "ark")
    bench.returned.note("studio", bench.videos["intro"], Succeeded("https://v", "https://f"), DAY)
    frame = job(bench).first_frame
    assert frame is not None and frame.value == "https://f"


def test_the_video_of_another_clip_is_published(root: Path, bucket: BucketServer) -> None:
    bench = chained(root, "ark")
    publish_to(bench, bucket)
    bench.write("references: {videos: ['${clips.intro.video}']}", more=INTRO)
    assert [ref.scheme for ref in job(bench).videos] == ["https"]
    assert list(bucket.objects) == [f"/media/x/{bench.videos['intro']}.mp4"]
