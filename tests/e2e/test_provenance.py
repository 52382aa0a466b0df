"""Marked copies of outputs, and what can be said of a file that somebody sends back."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image, ImageChops, ImageStat

from reconciler.diagnostics import ArtifactError
from reconciler.media.marks import sign, write
from reconciler.media.marks.read import marks, tag_of
from tests.cli.in_process import clipform
from tests.media.cut import numbered

PROJECT = """version: 1
provenance: {embed: yes, label: {hidden: aigc}, required: yes}
clips:
  hero: {prompt: a secret lamp}
  other: {prompt: another lamp}
cuts:
  film: {sequence: [{clip: hero}, {clip: other}], output: out/film.mp4}
"""


def checkered(path: Path) -> Path:
    """Write a video of squares, which no other one is like."""
    with av.open(str(path), "w", format="mp4") as out:
        encoder = out.add_stream("libx264", rate=24)
        encoder.width, encoder.height, encoder.pix_fmt = 192, 108, "yuv420p"
        for number in range(60):
            tiles = Image.frombytes(
                "L", (16, 9), bytes(255 * ((x * y + x // 3) % 2) for y in range(9) for x in range(16))
            )
            picture = tiles.resize((192, 108), Image.Resampling.NEAREST).point(
                lambda level, by=number: max(0, level - by)
            )
            out.mux(encoder.encode(av.VideoFrame.from_image(picture.convert("RGB"))))  # type: ignore[no-untyped-call]
        out.mux(encoder.encode())
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two clips and a film."""
    tmp_path = tmp_path_factory.mktemp("made")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    sources = (numbered.film(tmp_path / "hero.mp4", 20, 60, hertz=440), checkered(tmp_path / "other.mp4"))
    for name, source in zip(("hero", "other"), sources, strict=True):
        assert clipform(folder, "import", name, "--file", str(source)).returncode == 0
    run = clipform(folder, "apply", "--yes")
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "project", copy_function=shutil.copy2))


def test_a_copy_says_what_it_is_and_the_output_stays_as_the_vendor_made_it(project: Path) -> None:
    line = json.loads((project / "clipform.lock").read_text(encoding="utf-8"))["hero#1"]
    store = project / "state" / "objects" / line["sha256"][:2] / f"{line['sha256']}.mp4"
    assert (project / "renders" / "hero.mp4").read_bytes() == store.read_bytes()
    values = marks(str(project / "marked" / "renders" / "hero.mp4"))
    tag = tag_of(values)
    assert (tag["clip"], tag["key"], tag["sha256"]) == ("hero", line["key"], line["sha256"])
    assert json.loads(values["AIGC"])["ProduceID"] == line["key"]
    data = (project / "marked" / "renders" / "hero.mp4").read_bytes()
    assert b"secret lamp" not in data
    assert str(project).encode() not in data
    assert numbered.numbers(project / "marked" / "renders" / "hero.mp4") == list(range(20, 80))


def remade(source: Path, target: Path, *, encode: bool, skip: float = 0.0) -> Path:
    """Write a video again as other programs do: with its tags, as far as they know them."""
    with av.open(str(source)) as video, av.open(str(target), "w", format="mp4") as out:
        out.metadata.update(video.metadata)
        pictures = video.streams.video[0]
        if not encode:
            copy = out.add_stream_from_template(pictures)
            for packet in video.demux(pictures):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
            return target
        encoder = out.add_stream("libx264", rate=24, options={"crf": "28"})
        encoder.width, encoder.height, encoder.pix_fmt = pictures.width, pictures.height, "yuv420p"
        for frame in video.decode(pictures):
            if (frame.time or 0.0) >= skip:
                frame.pts = None
                out.mux(encoder.encode(frame))
        out.mux(encoder.encode())
    return target


COPY, OUTPUT = "marked/renders/hero.mp4", "renders/hero.mp4"


@pytest.mark.parametrize(
    ("file", "change", "how"),
    [
        (OUTPUT, "rename", "same bytes"),
        (COPY, "rename", "carries our tag"),
        (OUTPUT, "remux", "same pictures"),
        (COPY, "remux", "carries our tag"),
        (COPY, "crf 28", "carries our tag"),
        (OUTPUT, "crf 28", "same pictures"),
        (COPY, "trim 1 s", "carries our tag"),
        (OUTPUT, "trim 1 s", "same pictures"),
        ("marked/out/film.mp4", "crf 28", "carries our tag"),
    ],
)
def test_a_file_that_comes_back_is_known_as_surely_as_its_marks_allow(
    made: Path, file: str, change: str, how: str, tmp_path: Path
) -> None:
    target = tmp_path / "back.mp4"
    if change == "rename":
        shutil.copy(made / file, target)
    else:
        remade(made / file, target, encode=change != "remux", skip=1.0 if change.startswith("trim") else 0.0)
    (looked,) = json.loads(clipform(made, "inspect", str(target), "--json").stdout)["files"]
    assert looked["how"] == how
    assert ("film" if "film" in file else "hero") in [match["clip"] for match in looked["matches"]]


def test_a_tag_that_names_another_video_is_not_believed(project: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.mp4"
    tag = marks(str(project / COPY))["clipform"]
    with av.open(str(project / "renders" / "other.mp4")) as video, av.open(str(forged), "w", format="mp4") as out:
        out.metadata["comment"] = f"clipform {tag}"
        copy = out.add_stream_from_template(video.streams.video[0])
        for packet in video.demux(video.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    (looked,) = json.loads(clipform(project, "inspect", str(forged), "--json").stdout)["files"]
    assert (looked["how"], looked["matches"][0]["clip"]) == ("same pictures", "other")
    assert looked["problem"] == "its tag names hero, which shows other pictures"


def test_the_gate_fails_for_each_copy_that_is_missing_or_not_marked(project: Path) -> None:
    assert clipform(project, "verify", "--provenance").returncode == 0
    shutil.copy(project / OUTPUT, project / COPY)
    (project / "marked" / "out" / "film.mp4").unlink()
    run = clipform(project, "verify", "--provenance")
    assert run.returncode == 3
    assert "no tag, no field AIGC" in run.stdout
    assert "marked/out/film.mp4" in run.stdout


def test_a_film_lists_what_it_is_made_from(project: Path) -> None:
    lines = json.loads((project / "clipform.lock").read_text(encoding="utf-8"))
    tag = json.loads(marks(str(project / "marked" / "out" / "film.mp4"))["clipform"])
    assert tag["ingredients"] == [lines[f"{clip}#1"]["sha256"] for clip in ("hero", "other")]


def test_a_visible_label_is_in_the_first_seconds_and_large_enough(project: Path) -> None:
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    label = "label: {hidden: aigc, visible: {text: AI, at: top-left, seconds: 1}}"
    (project / "clipform.yaml").write_text(text.replace("label: {hidden: aigc}", label), encoding="utf-8")
    run = clipform(project, "apply", "--yes")
    assert run.returncode == 0, run.stderr
    with av.open(str(project / COPY)) as copy, av.open(str(project / OUTPUT)) as output:
        pairs = zip(copy.decode(video=0), output.decode(video=0), strict=True)
        differences = [ImageStat.Stat(ImageChops.difference(corner(one), corner(two))).mean[0] for one, two in pairs]
    assert [difference > 15 for difference in differences] == [True] * 24 + [False] * 36


def corner(frame: av.VideoFrame) -> Image.Image:
    """Return the grey corner of a frame."""
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it unannotated
    return picture.convert("L").crop((2, 2, 14, 12))


def certified(folder: Path, ended: timedelta = timedelta(), *, may_sign: bool = True) -> str:
    """Write a chain of certificates, and return the key. It has `ended` some time ago, or may not sign, if that is
    asked for."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Root", "Signer")]
    since = datetime.now(UTC) - (timedelta(days=9) if ended else timedelta())
    times = (x509.random_serial_number(), since, since + timedelta(days=9) - ended)

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, is_root: bool) -> x509.Certificate:
        signs = may_sign and not is_root
        usage = x509.KeyUsage(signs, not may_sign, False, False, False, is_root, is_root, False, False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        builder = x509.CertificateBuilder(names[0], subject, public, *times)
        builder = builder.add_extension(x509.BasicConstraints(is_root, None), critical=True)
        builder = builder.add_extension(usage, critical=True).add_extension(issuer, critical=False)
        if not is_root:
            purpose = ExtendedKeyUsageOID.EMAIL_PROTECTION if may_sign else ExtendedKeyUsageOID.SERVER_AUTH
            purposes = x509.ExtendedKeyUsage([purpose])
            builder = builder.add_extension(purposes, critical=True)
        return builder.sign(root_key, hashes.SHA256())

    chain = (build(names[1], key.public_key(), is_root=False), build(names[0], root_key.public_key(), is_root=True))
    folder.mkdir()
    (folder / "me.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_signed_copy_is_known_by_its_signature_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = certified(project / "certs")
    monkeypatch.setenv("C2PA_KEY", key)
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    signed = 'embed: no, c2pa: {certificate: certs/me.pem, key: "${env.C2PA_KEY}"}, '
    (project / "clipform.yaml").write_text(text.replace("embed: yes, ", signed), encoding="utf-8")
    assert clipform(project, "verify", "--provenance").returncode == 3
    monkeypatch.setenv("C2PA_KEY", "no key")
    refused = clipform(project, "apply", "--yes")
    assert f"{COPY} was not written: the certificate or its key does not sign" in refused.stdout + refused.stderr
    monkeypatch.setenv("C2PA_KEY", key)
    run = clipform(project, "apply", "--yes")
    assert "not written" not in run.stdout + run.stderr
    assert clipform(project, "verify", "--provenance").returncode == 0
    secret = key.splitlines()[1].encode()
    assert not any(secret in path.read_bytes() for path in project.rglob("*") if path.is_file())
    (looked,) = json.loads(clipform(project, "inspect", str(project / COPY), "--json").stdout)["files"]
    assert (looked["how"], looked["matches"][0]["clip"]) == ("C2PA", "hero")
    data = bytearray((project / COPY).read_bytes())
    data[-2000] ^= 1
    (tmp_path / "edited.mp4").write_bytes(data)
    (looked,) = json.loads(clipform(project, "inspect", str(tmp_path / "edited.mp4"), "--json").stdout)["files"]
    assert looked["how"] == "same pictures"


def test_a_certificate_that_has_ended_or_is_for_another_use_signs_nothing(tmp_path: Path) -> None:
    plain = numbered.film(tmp_path / "plain.mp4", 20, 6)
    keys = {"ended": certified(tmp_path / "ended", timedelta(days=1))}
    keys["another"] = certified(tmp_path / "another", may_sign=False)
    for name, key in keys.items():
        identity = ((tmp_path / name / "me.pem").read_text(encoding="utf-8"), key)
        with pytest.raises(ArtifactError, match="the certificate or its key does not sign: "):
            sign.sign(plain, tmp_path / "signed.mp4", "{}", [plain], identity)


def test_words_of_a_label_that_do_not_fit_at_their_least_size_are_not_cut_off() -> None:
    picture = Image.new("RGB", (480, 854))
    assert write.with_label(picture, "AI generated", "top-left").size == picture.size
    with pytest.raises(ValueError, match="the words of the label are wider than the picture"):
        write.with_label(picture, "generated by artificial intelligence " * 3, "top-left")


def test_marks_of_the_vendor_stay_or_their_loss_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(PROJECT.partition("cuts:")[0], encoding="utf-8")
    key = certified(folder / "certs")
    plain, labelled, signed = (tmp_path / name for name in ("plain.mp4", "labelled.mp4", "signed.mp4"))
    numbered.film(plain, 20, 24)
    write.write(json.dumps({"tags": {"AIGC": '{"Label":"vendor"}'}}), str(plain), str(labelled))
    sign.sign(plain, signed, "{}", [plain], ((folder / "certs" / "me.pem").read_text(encoding="utf-8"), key))
    for name, source in (("hero", labelled), ("other", signed)):
        assert clipform(folder, "import", name, "--file", str(source)).returncode == 0
    run = clipform(folder, "apply", "--yes")
    assert run.returncode == 0
    assert "marked/renders/other.mp4 was not written: mark lost" in run.stdout + run.stderr
    assert json.loads(marks(str(folder / COPY))["AIGC"]) == {"Label": "vendor"}
    shutil.copy(plain, folder / "marked" / "renders" / "other.mp4")
    verified = clipform(folder, "verify", "--provenance")
    assert verified.returncode == 3
    assert "mark lost: the vendor's c2pa" in verified.stdout


def test_a_lost_record_of_copies_loses_no_copy_and_a_file_of_the_user_stays(project: Path) -> None:
    (project / "state" / "marks").unlink()
    (project / COPY).write_bytes(b"mine")
    run = clipform(project, "apply", "--yes")
    assert f"{COPY} was not written" in run.stdout + run.stderr
    assert "film.mp4 was not" not in run.stdout + run.stderr
    assert (project / COPY).read_bytes() == b"mine"
