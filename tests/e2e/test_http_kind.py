"""Kind `http`: a vendor that only YAML describes makes clips, and keeps every promise that its facts allow."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.app import main
from reconciler.diagnostics import SpecError
from reconciler.providers.base import Accepted, Job, MediaRef, Mode, Rejected, Reply, Unknown
from reconciler.providers.capabilities import Cancels, Lists, SpokenOverHttp
from reconciler.providers.registry import dialect
from tests.e2e.kit import FAST, Rig
from tests.emulator.process import Emulator, emulator

EXAMPLES = Path(__file__).parents[2] / "examples/providers/http"
NAMES = ("gateway", "studio")


def settings(name: str) -> dict[str, Any]:
    provider = yaml.safe_load((EXAMPLES / name / "clipform.yaml").read_text(encoding="utf-8"))["providers"][name]
    return {**provider["settings"], "models": provider["models"]}


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Emulator], Rig]:
    monkeypatch.setenv("HTTP_KEY", f"key-{tmp_path.name}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def made(name: str, where: Emulator) -> Rig:
        folder = tmp_path / name
        shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("state", "renders", "clipform.lock"))
        file = folder / "clipform.yaml"
        text = file.read_text(encoding="utf-8").replace("http://127.0.0.1:8790", where.api)
        quick = "".join(f"    {line}\n" for line in FAST)
        file.write_text(text.replace("    kind: http\n", f"    kind: http\n{quick}"), encoding="utf-8")

        def read() -> tuple[str, str]:
            captured = capsys.readouterr()
            return captured.out, captured.err

        return Rig(folder, where, f"key-{tmp_path.name}", read)

    return made


@pytest.mark.parametrize("name", NAMES)
def test_an_example_makes_its_clip_once(name: str, vendor: Emulator, make: Callable[[str, Emulator], Rig]) -> None:
    film = make(name, vendor)
    applied = film.run("apply", "--yes")
    assert applied.code == 0, applied.text
    assert (film.folder / "renders/lamp.mp4").is_file() and len(film.ledger()) == 1
    [take] = film.run("show", "lamp").document["takes"]
    assert take["document"]["dialect"] == f"http:{name}"

    key = take["key"]
    film.edit("error_message:", "progress: progress\n      error_message:") if name == "gateway" else film.edit(
        "failures_free: yes", "failures_free: no"
    )
    [take] = film.run("show", "lamp").document["takes"]
    assert take["key"] == key  # how it is asked for is no part of what it is
    assert film.run("apply", "--yes").code == 0 and len(film.ledger()) == 1


@pytest.mark.parametrize(("name", "state"), [("gateway", "uncertain"), ("studio", "made")])
def test_a_lost_answer_is_asked_about_or_looked_up_and_never_sent_again(
    name: str, state: str, tmp_path: Path, make: Callable[[str, Emulator], Rig]
) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: [{when: {phase: submit}, do: drop, accepted: true}]\n", encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(faults), cwd=tmp_path) as losing:
        film = make(name, losing)
        film.run("apply", "--yes")
        again = film.run("apply", "--yes")
        assert len(film.ledger()) == 1
        assert again.code == (0 if state == "made" else 3), again.text
        if state == "uncertain":
            task = film.ledger()[0]["task"]
            assert film.run("resolve", "lamp", "--task", task).code == 0
            assert film.run("apply", "--yes").code == 0
        assert (film.folder / "renders/lamp.mp4").is_file() and len(film.ledger()) == 1


def test_a_key_has_the_vendors_name_and_nothing_of_the_map() -> None:
    first, second = dialect("http:gateway", settings("gateway")), dialect("http:studio", settings("studio"))
    assert isinstance(first, SpokenOverHttp) and not isinstance(first, Lists | Cancels)
    assert isinstance(second, Lists) and isinstance(second, Cancels)


def test_a_template_leaves_out_what_a_clip_does_not_have() -> None:
    spoken = dialect("http:gateway", settings("gateway"))
    bare = spoken.submit(Job(spoken.models[0], Mode.TEXT, "a lamp", duration=5))
    assert bare.body == {"model": "seedance2.0-720p", "prompt": "a lamp", "duration": 5}
    pictures = (MediaRef("https", "https://x/1.png"), MediaRef("https", "https://x/2.png"))
    full = Job(
        spoken.models[0],
        Mode.TEXT,
        "a",
        duration=5,
        ratio="1:1",
        images=pictures,
        seed=7,
        options={"extra_body": {"x": 1}},
    )
    assert spoken.submit(full).body == {
        "model": "seedance2.0-720p",
        "prompt": "a",
        "duration": 5,
        "aspect_ratio": "1:1",
        "images": ["https://x/1.png", "https://x/2.png"],
        "extra_body": {"seed": 7, "x": 1},
    }


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, {"id": "t1"}), Accepted),
        (Reply(400, {"code": "invalid_request", "message": "no"}), Rejected),
        (Reply(429, {"code": "rate_limit_exceeded"}), Rejected),
        (Reply(400, {"code": "something_else"}), Unknown),
        (Reply(500, {"code": "invalid_request"}), Unknown),  # a server that failed may have accepted
        (Reply(200, {"id": 7}), Unknown),
        (Reply(200, {"id": None}), Unknown),
        (Reply(200, [{"id": "t1"}]), Unknown),
        (Reply(200, {"id": "t1", "code": "invalid_request"}), Accepted),  # an id outweighs every code
    ],
)
def test_only_listed_codes_prove_a_refusal(reply: Reply, kind: type) -> None:
    assert isinstance(dialect("http:gateway", settings("gateway")).read_submit(reply), kind)


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name must be"),
    ({"name": "Acme Inc"}, "name must be"),
    ({"request": {}}, "request is missing"),
    ({"request": {"x": "{colour}"}}, "unknown placeholder {colour}"),
    ({"states": {"done": "finished"}}, "states"),
    ({"states": {"done": "running"}}, "succeeded"),
    ({"video": "a["}, "not a JMESPath expression"),
    ({"video": ""}, "video"),
    ({"headers": {"Authorization": "Bearer x"}}, "auth_header"),
    ({"refusals": {"x": "maybe"}}, "refusals"),
    ({"list": {"path": "/tasks", "tasks": "items"}}, "{page}"),
    ({"cancel": {"path": "/tasks"}}, "{task}"),
    ({"poll_path": "/tasks"}, "{task}"),
    ({"models": {}}, "table of models"),
    ({"colour": "red"}, "unknown setting"),
]


@pytest.mark.parametrize(("change", "says"), CHANGES)
def test_a_wrong_map_is_a_mistake(change: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError) as wrong:
        dialect("http:gateway", {**settings("gateway"), **change})
    assert any(says in problem.message for problem in wrong.value.diagnostics)


def test_an_address_is_needed_and_asked_about(make: Callable[[str, Emulator], Rig], vendor: Emulator) -> None:
    film = make("gateway", vendor)
    file = film.folder / "clipform.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"    base_url: .*\n", "", text), encoding="utf-8")
    assert "no address of its own" in film.run("validate").text
    file.write_text(re.sub(r"base_url: \S+", "base_url: https://api.acme.example", text), encoding="utf-8")
    refused = film.run("apply", "--yes")
    assert refused.code == 4 and "api.acme.example" in refused.text and "HTTP_KEY" in refused.text


def test_a_reply_of_any_shape_is_read(vendor: Emulator) -> None:
    spoken = dialect("http:studio", settings("studio"))
    for body in (None, [], "x", {"status": []}, {"status": {"a": 1}}, {"id": {}, "status": "succeeded"}, {"status": 1}):
        spoken.read_submit(Reply(200, body))
        spoken.read_poll("t", Reply(200, body))
        assert isinstance(spoken, Lists)
        spoken.read_list(Reply(200, body))
    assert main(["models", "--kind", "http"]) == 0
