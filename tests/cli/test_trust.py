"""Nothing leaves the machine before the user trusts what a project asks for beyond the ordinary."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from reconciler.cli.app import main
from reconciler.cli.context import Context
from reconciler.cli.options import Options
from reconciler.clock import SystemClock
from reconciler.diagnostics import Refused
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations.adopt_task import poll_task
from reconciler.records import State
from reconciler.state.budget import NewAttempt
from reconciler.state.ledger import Facts
from reconciler.state.store import Store

CLIPS = "clips:\n  hero: {prompt: a lamp, provider: studio, duration: 5}\n"
COMMANDS = [
    ["apply", "--yes"],
    ["apply", "--yes", "--json"],
    ["import", "hero", "--task", "t-1"],
    ["doctor", "--online"],
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("STUDIO_KEY", "sk-0123456789")
    (tmp_path / "film").mkdir()
    monkeypatch.chdir(tmp_path / "film")
    return tmp_path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def project(port: int = 9, more: str = "", provider: str = "") -> None:
    studio = f"kind: ark, base_url: 'http://127.0.0.1:{port}', api_key: '${{env.STUDIO_KEY}}'"
    text = f"version: 1\nproviders:\n  studio: {{{provider or studio}}}\n{more}{CLIPS}"
    Path("clipform.yaml").write_text(text, encoding="utf-8")


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(arguments)
    return code, out.getvalue()


def visits(server: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_is_sent_before_the_project_is_trusted(command: list[str], listener: socket.socket) -> None:
    project(listener.getsockname()[1], "publish: {store: 's3://media', endpoint: 'https://away.invalid'}\n")
    code, output = run(*command)
    assert code == 4, output
    assert "s3://media at https://away.invalid gets local media (publish)" in output
    assert "clipform trust" in output
    assert visits(listener) == 0


def test_a_no_is_an_answer_for_the_whole_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`recover` asks several providers, one after the other."""
    project(more="publish: {store: 's3://media', endpoint: 'https://away.invalid'}\n")
    keyboard = io.StringIO("no\nyes\n")
    monkeypatch.setattr(keyboard, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", keyboard)
    app = Context(Options())
    for _ in range(2):
        with pytest.raises(Refused):
            app.require_trust()
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("Trust it with that?") == 1


def test_a_provider_on_this_machine_is_listed_and_not_asked_about() -> None:
    project()
    code, output = run("plan")
    assert code == 0
    assert "This project asks for\n  - http://127.0.0.1:9 gets STUDIO_KEY and the inputs of clips" in output
    assert run("trust")[0] == 0


AWAY = "https://away.invalid gets STUDIO_KEY and the inputs of clips (provider spare)"


def spare(address: str) -> None:
    """A project with a second provider, at this address, that no clip uses."""
    own = f"  spare: {{kind: ark, base_url: '{address}', api_key: '${{env.STUDIO_KEY}}'}}\n"
    project(more=own, provider="kind: ark, api_key: '${env.STUDIO_KEY}'")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://away.invalid"])
def test_a_provider_that_no_clip_uses_is_neither_listed_nor_asked_about(address: str) -> None:
    spare(address)
    assert "asks for" not in run("plan")[1]
    assert "asks_for" not in run("plan", "--json")[1]
    Context(Options()).require_trust()


def test_a_connection_to_a_provider_that_no_clip_uses_is_gated_itself() -> None:
    """As for a closed request, whose task is looked at again."""
    spare("https://away.invalid")
    app = Context(Options())
    access = ProviderAccess(app.workspace.load(), app.access.connect)
    with pytest.raises(Refused, match="gets STUDIO_KEY"):
        access.ask("spare", partial(poll_task, "t-1"))


@pytest.mark.parametrize("command", [["doctor", "--online", "--all"], ["trust"]], ids=" ".join)
def test_what_connects_to_a_provider_that_no_clip_uses_asks_about_it(command: list[str]) -> None:
    spare("https://away.invalid")
    code, output = run(*command)
    assert code == 4 and AWAY in output


@pytest.mark.parametrize("task", [None, "t-1"], ids=["uncertain", "accepted"])
@pytest.mark.parametrize("alias", ["spare", "studio"])
def test_a_request_in_progress_may_need_a_provider_that_no_clip_uses(alias: str, task: str | None) -> None:
    """It was sent to the address of `spare`, perhaps under the name that the clip's provider has now."""
    spare("https://away.invalid")
    clock = SystemClock()
    state = Path("state")
    with Store.open(state, clock.now) as store:
        names = {"provider": alias, "kind": "ark", "model": "m", "key": "v1:1", "clip": "gone", "take": 1}
        attempt = store.begin(NewAttempt("marker", **names, endpoint="https://away.invalid"))  # type: ignore[arg-type]
        facts = Facts(task=task)
        store.move(attempt, State.UNCERTAIN if task is None else State.ACCEPTED, facts)
    assert AWAY in run("plan")[1]
    code, output = run("apply", "--yes")
    assert code == 4 and AWAY in output


def test_the_ordinary_project_has_no_list() -> None:
    project(provider="kind: ark, api_key: '${env.STUDIO_KEY}'")
    assert "asks for" not in run("plan")[1]
    assert "asks_for" not in run("plan", "--json")[1]


ODD = {
    "provider": (
        "",
        "kind: ark, base_url: 'https://away.invalid/v1', api_key: '${env.A}'",
        ["https://away.invalid/v1 gets A"],
    ),
    "variable": (
        "",
        "kind: ark, base_url: 'https://${env.HOST}/v1', env: [HOST], api_key: '${env.A}'",
        ["https://${env.HOST}/v1 gets A", "${env.HOST} is part of the address of provider studio"],
    ),
    "store": (
        "publish: {store: 's3://b/p', access_key_id: '${env.ID}', public_url: 'https://cdn.invalid'}\n",
        "",
        ["s3://b/p gets ID and local media (publish)", "https://cdn.invalid is the address that providers fetch"],
    ),
    "folder": (
        "publish: {store: 'file:///srv/x', public_url: 'https://x.invalid'}\n",
        "",
        ["file:///srv/x gets local"],
    ),
    "cache": ("cache: {remote: 's3://c/c'}\n", "", ["s3://c/c gets videos (cache)"]),
}


@pytest.mark.parametrize("case", ODD)
def test_plan_lists_what_is_not_ordinary_in_every_form(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    more, provider, lines = ODD[case]
    monkeypatch.setenv("HOST", "secret-host.invalid")
    project(more=more, provider=provider)
    for command in (["plan"], ["plan", "--json"], ["plan", "--markdown"]):
        output = run(*command)[1]
        assert "secret-host" not in output
    asked = [f"{item['subject']} {item['use']}" for item in json.loads(run("plan", "--json")[1])["asks_for"]]
    for line in lines:
        assert any(text.startswith(line) for text in asked), asked
        assert line in run("plan")[1]


@pytest.mark.parametrize("command", [*COMMANDS, ["plan"], ["status"], ["state", "list"]], ids=" ".join)
def test_nothing_is_sent_to_a_database_before_it_is_trusted(
    command: list[str], home: Path, listener: socket.socket
) -> None:
    port = listener.getsockname()[1]
    state = f"state: {{url: 'postgresql://127.0.0.1:{port}/s'}}\n"
    project(more=f"cache: {{remote: 'file://{home}'}}\n{state}", provider="kind: ark, api_key: '${env.STUDIO_KEY}'")
    code, output = run(*command)
    assert code == 4, output
    assert f"postgresql://127.0.0.1:{port}/s gets your login" in output
    assert visits(listener) == 0


def test_a_picture_from_outside_is_named_and_asked_about(home: Path) -> None:
    (home / "private").mkdir()
    Image.new("RGB", (320, 320)).save(home / "private" / "photo.png")
    project(more="inputs: {allow: [../private]}\ndefaults: {first_frame: ../private/photo.png}\n")
    assert "../private/photo.png is sent to provider studio (outside the project)" in run("plan")[1]
    assert run("apply", "--yes")[0] == 4


def test_trust_is_remembered_outside_the_project_until_the_list_grows(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDIO_KEY")  # so that a trusted project ends with 3, before a request
    store = "publish: {store: 's3://media', endpoint: 'https://away.invalid'}\n"
    project(more=store)
    assert run("doctor", "--online")[0] == 4
    assert run("doctor", "--online", "--trust")[0] == 3
    memory = home / "config" / "clipform" / "trust.json"
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    assert run("doctor", "--online")[0] == 3
    assert "https://away.invalid" in run("trust", "--list")[1]
    assert "trust" not in "".join(path.name for path in Path.cwd().rglob("*"))

    project(more=store.replace("away", "further"))
    assert run("doctor", "--online")[0] == 4

    project(more=store)
    assert run("doctor", "--online")[0] == 3
    assert run("trust", "--forget")[0] == 0
    assert run("doctor", "--online")[0] == 4


@pytest.mark.parametrize("content", ["", "[]", '{"projects": 1}', '{"projects": {"x": 1}}', "\ud800"])
def test_a_damaged_memory_trusts_nothing(content: str, home: Path) -> None:
    memory = home / "config" / "clipform" / "trust.json"
    memory.parent.mkdir(parents=True)
    memory.write_bytes(content.encode("utf-8", "surrogatepass"))
    project(more="publish: {store: 's3://media', endpoint: 'https://away.invalid'}\n")
    assert run("apply", "--yes")[0] == 4
