"""Each command that talks to a provider sends nothing for a project that is not trusted, and goes on when it is."""

from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.cli.test_trust import home, run
from tests.emulator.process import Emulator, emulator

__all__ = ["home"]

FAULTS = """\
faults:
  - {when: {phase: submit, model: "doubao-seedance-1-5*"}, do: drop, accepted: true}
  - {when: {phase: list}, do: status, status: 500}
"""
SPEC = """\
version: 1
providers:
  studio:
    {kind: ark, base_url: 'URL', api_key: '${env.STUDIO_KEY}', poll_interval: 50ms, requests_per_second: 100,
     settings: {lists_per_second: 0}}
defaults: {provider: studio, duration: 5, resolution: 480p, ratio: 16:9}
clips:
  hero: {prompt: a lamp, model: MODEL}
"""
STORE = "publish: {store: 's3://media', endpoint: 'https://away.invalid'}\n"


class Relay(socketserver.ThreadingTCPServer):
    """Passes connections on to the emulator and counts them."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        self.target = httpx.URL(target)
        self.count = 0
        super().__init__(("127.0.0.1", 0), Connection)


class Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.server.count += 1
        with socket.create_connection((self.server.target.host, self.server.target.port or 80)) as vendor:
            back = threading.Thread(target=copy, args=(vendor, self.request))
            back.start()
            copy(self.request, vendor)
            back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    (folder / "faults.yaml").write_text(FAULTS, encoding="utf-8")
    with emulator("--latency", "0.1", "--no-render", "--faults", str(folder / "faults.yaml"), cwd=folder) as running:
        yield running


@pytest.fixture
def relay(vendor: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Relay]:
    monkeypatch.setenv("STUDIO_KEY", f"key-of-{tmp_path.name}")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Relay(vendor.api) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def project(relay: Relay, more: str, model: str) -> None:
    text = SPEC.replace("URL", f"http://127.0.0.1:{relay.server_address[1]}/ark")
    Path("clipform.yaml").write_text(text.replace("MODEL", model) + more, encoding="utf-8")


SURE, LOST = "doubao-seedance-1-0-pro-250528", "doubao-seedance-1-5-pro-251215"
CASES = {
    "apply": (["apply", "--yes"], SURE, []),
    "apply of a task": (["apply", "--yes"], SURE, ["apply", "--yes", "--detach"]),
    "apply of a doubt": (["apply", "--yes"], LOST, ["apply", "--yes"]),
    "cancel": (["cancel", "hero"], SURE, ["apply", "--yes", "--detach"]),
    "resolve": (["resolve", "hero", "--task", "cgt-1"], LOST, ["apply", "--yes"]),
    "import": (["import", "hero", "--task", "cgt-1"], SURE, []),
    "doctor": (["doctor", "--online"], SURE, []),
    "fetch": (["fetch"], SURE, ["apply", "--yes"]),
    "recover": (["recover"], SURE, ["apply", "--yes"]),
}


@pytest.mark.parametrize("case", CASES)
def test_it_sends_nothing_until_the_project_is_trusted(case: str, relay: Relay, vendor: Emulator) -> None:
    command, model, earlier = CASES[case]
    project(relay, "", model)
    if earlier:
        run(*earlier)
    if case in ("fetch", "recover"):
        shutil.rmtree("state")
        shutil.rmtree("renders")
    project(relay, STORE, model)
    ledger, count = httpx.get(f"{vendor.api}/ledger", trust_env=False, verify=False).json(), relay.count
    for options in ([], ["--json"]):
        code, output = run(*command, *options)
        assert (code, "s3://media at https://away.invalid" in output) == (4, True), output
    assert (httpx.get(f"{vendor.api}/ledger", trust_env=False, verify=False).json(), relay.count) == (ledger, count)
    code, output = run(*command, "--trust")
    assert code != 4, output
    assert relay.count > count, output


def test_a_committed_receipt_in_doubt_sends_no_key(relay: Relay, vendor: Emulator) -> None:
    """Where the receipts came with the project, the address in them is a stranger's: nobody looks the request up."""
    project(relay, "", LOST)
    run("apply", "--yes")
    for database in Path("state").glob("clipform.db*"):
        database.unlink()
    git("init", "-q")
    git("add", "-f", "state/receipts")
    count = relay.count
    commands = [["plan"], ["apply", "--yes"], ["apply", "--yes", "--trust"], ["recover", "--trust"], ["status"]]
    for command in commands:
        code, output = run(*command)
        assert (code, "git tracks state/" in output) == (1, True), (command, output)
    assert relay.count == count
    git("rm", "-q", "-r", "--cached", "state")
    code, output = run("apply", "--yes")
    assert (code, relay.count > count) == (3, True), output  # a state of one's own: the doubt is looked up


def git(*words: str) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)
