"""The example plug-in keeps the contract, its planted bugs do not, and its wheel works beside ours."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.cli.completion import answer
from reconciler.conform import ContractBroken, suite
from reconciler.conform.rehearsal import emulated, rehearsal
from reconciler.providers import plugins
from reconciler.providers.base import Failed, Job, PollAnswer, Refusal, Rejected, Reply, SubmitAnswer, Unknown, Working
from reconciler.providers.replies import at

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "examples" / "plugin"


@pytest.fixture
def lumen(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Any]]:
    """The plug-in as if it were installed; gives its dialect, in which bugs are planted."""
    monkeypatch.syspath_prepend(PLUGIN)
    entries = {
        plugins.GROUP: {"lumen": (EntryPoint("lumen", "clipform_lumen:Lumen", plugins.GROUP),)},
        suite.GROUP: {"lumen": (EntryPoint("lumen", "clipform_lumen.contract:CONTRACT", suite.GROUP),)},
    }
    monkeypatch.setattr(plugins, "entries", lambda group=plugins.GROUP: entries[group])
    from clipform_lumen import Lumen  # type: ignore[import-not-found]  # it is no part of this package

    yield Lumen
    for name in [name for name in sys.modules if name.partition(".")[0] == "clipform_lumen"]:
        del sys.modules[name]


def test_the_example_keeps_the_contract(lumen: type[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-color", "conform", "lumen"]) == 0, capsys.readouterr().out
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(suite.RULES) and all(line.startswith("ok  ") for line in lines)


class Resends:
    """An answer without an id means "busy": it is sent, and paid for, again."""

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        answer: SubmitAnswer = super().read_submit(reply)  # type: ignore[misc]  # mixed in
        return Rejected(Refusal.BUSY, "none", "try again") if isinstance(answer, Unknown) else answer


class GivesUp:
    """A word that the page does not have is a failure."""

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        answer: PollAnswer = super().read_poll(task, reply)  # type: ignore[misc]  # mixed in
        unknown = isinstance(answer, Working) and answer.warning
        return Failed(Refusal.INTERNAL, "unknown", "unknown phase") if unknown else answer


class Counts:
    """Progress is taken as it comes."""

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        answer: PollAnswer = super().read_poll(task, reply)  # type: ignore[misc]  # mixed in
        done = at(reply.body, "render.done")
        return Working(progress=done) if isinstance(answer, Working) and isinstance(done, int) else answer


class Silent:
    """The length is not sent if the clip does not declare it: the vendor may change its own default."""

    def body(self, job: Job) -> Mapping[str, object]:
        return {**super().body(job), "seconds": job.duration}  # type: ignore[misc]  # mixed in


class Open:
    """The header is sent without a key, too."""

    def auth_headers(self, credentials: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return (("X-Lumen-Key", credentials.get("api_key", "")),)


class Sends:
    """A request that nobody recorded."""

    def submit(self, job: Job) -> object:
        with suppress(OSError), socket.socket() as own:
            own.connect(("127.0.0.1", 9))
        return super().submit(job)  # type: ignore[misc]  # mixed in


class Raises:
    """A reply of another shape is an exception."""

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        if reply.body["render"] is None:  # type: ignore[index]  # the bug
            raise ValueError("no render")
        return super().read_poll(task, reply)  # type: ignore[misc,no-any-return]  # mixed in


BUGS: Mapping[type, set[str]] = {
    Resends: {"html", "hidden-task", "any-submit-reply", "bad-id", "submit-reply", "lost-after"},
    GivesUp: {"poll-reply", "any-poll-reply", "unknown-word"},
    Counts: {"any-poll-reply"},
    Silent: {"request", "defaults"},
    Sends: {"only-translates"},
    Open: {"credentials"},
    Raises: {"html", "poll-reply", "any-poll-reply", "extremes"},
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_breaks_a_rule(bug: type, lumen: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    buggy = type("Lumen", (bug, lumen), {"__module__": lumen.__module__})
    monkeypatch.setattr(sys.modules["clipform_lumen"], "Lumen", buggy)
    monkeypatch.setattr(suite, "RULES", tuple(rule for rule in suite.RULES if rule.name in BUGS[bug]))
    findings = list(suite.findings(suite.find("lumen")))
    assert {item.name for item in findings if not item.ok} == BUGS[bug]
    assert all(item.help for item in findings)


class Believes:
    """A gateway's error is a busy vendor."""

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        if reply.status == 502:
            return Rejected(Refusal.BUSY, "502", "try again")
        return super().read_submit(reply)  # type: ignore[misc,no-any-return]  # mixed in


class Stumbles:
    """A reply without JSON is an exception."""

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        if reply.body is None:
            raise KeyError("render")
        return super().read_submit(reply)  # type: ignore[misc,no-any-return]  # mixed in


@pytest.mark.parametrize(("bug", "says"), [(Believes, "does not prove"), (Stumbles, "bug in clipform_lumen")])
def test_even_a_dialect_that_was_never_checked_pays_once(
    bug: type, says: str, lumen: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    buggy = type("Lumen", (bug, lumen), {"__module__": lumen.__module__})
    monkeypatch.setattr(sys.modules["clipform_lumen"], "Lumen", buggy)
    lost = {"when": {"phase": "submit"}, "do": "status", "status": 502, "accepted": True}
    with rehearsal(suite.find("lumen"), lost) as run:
        run.apply(2)
        assert run.bought == 1 and says in run.said()


def test_recordings_that_lack_a_part_are_named(lumen: type[Any], tmp_path: Path) -> None:
    folder = shutil.copytree(PLUGIN / "clipform_lumen/contract", tmp_path / "contract")
    replies = folder / "replies.yaml"
    lines = replies.read_text(encoding="utf-8").splitlines()
    replies.write_text("\n".join(line for line in lines if "broken" not in line), encoding="utf-8")
    with pytest.raises(ContractBroken, match="one that failed"):
        emulated(suite.find("lumen", folder))


def test_a_broken_rule_is_shown_with_what_to_do(
    lumen: type[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["clipform_lumen"], "Lumen", type("Lumen", (Open, lumen), {}))
    monkeypatch.setattr(suite, "RULES", tuple(rule for rule in suite.RULES if rule.name in ("poll", "credentials")))
    assert main(["--no-color", "conform", "lumen"]) == 3
    out = capsys.readouterr().out
    assert "FAIL credentials" in out and "help: return them from auth_headers()" in out and "ok   poll" in out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["conform", "lumem"], 1, "no package has a contract of kind 'lumem'"),
        (["conform", "lumen", "--data", "nowhere"], 3, "accepted.yaml cannot be read in nowhere"),
        (["conform", "lumen", "--live"], 64, "--live needs --max-cost"),
        (["conform", "lumen", "--live", "--max-cost", "much"], 64, "--max-cost must be an amount"),
        (["conform"], 64, "KIND"),
    ],
)
def test_what_cannot_be_checked_is_said(
    words: list[str], code: int, says: str, lumen: type[Any], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(suite, "RULES", suite.RULES[:2])
    assert main(["--no-color", *words]) == code
    captured = capsys.readouterr()
    assert says in captured.out + captured.err


def test_a_shell_completes_its_kind(lumen: type[Any]) -> None:
    for words in (["conform", "lu"], ["emulate", "--kind", "l"], ["models", "--kind", "lum"]):
        assert [name for name, _ in answer(words).candidates] == ["lumen"], words


def test_a_kind_that_cannot_be_used_is_an_error_before_any_rule(
    lumen: type[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lumen, "kind", "other")
    assert main(["--no-color", "conform", "lumen"]) == 1
    captured = capsys.readouterr()
    assert "its dialect calls itself 'other'" in captured.err and captured.out == ""


@pytest.fixture(scope="module")
def clipform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment with two wheels, ours and the example's, built without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    uv = subprocess.run(["sh", ROOT / ".ci/uv"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    source = shutil.copytree(PLUGIN, folder / "plugin", ignore=shutil.ignore_patterns("__pycache__", "state", "dist"))

    def run(*words: object) -> None:
        done = subprocess.run([uv, *map(str, words)], capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stderr

    for each in (ROOT, source):
        run("build", "-q", "--offline", "--wheel", "--out-dir", folder / "dist", each)
    run("venv", "-q", "--offline", "--python", sys.executable, folder / "venv")
    python = folder / "venv/bin/python"
    run("pip", "install", "-q", "--offline", "--no-deps", "--python", python, *(folder / "dist").glob("*.whl"))
    site = folder / "venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder / "venv/bin/clipform"


def test_its_wheel_makes_a_clip_beside_ours(clipform: Path, tmp_path: Path) -> None:
    from tests.emulator.process import first_line, stop

    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LUMEN_API_KEY": "k"}
    words = ["--json", "emulate", "--kind", "lumen", "--port", "0", "--no-render", "--latency", "0.05"]
    child = subprocess.Popen(
        [clipform, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    try:
        api = first_line(child)["api"]
        film = tmp_path / "film"
        film.mkdir()
        text = (PLUGIN / "clipform.yaml").read_text(encoding="utf-8")
        switched = text.replace("# base_url: http://127.0.0.1:8790", f"poll_interval: 50ms\n    base_url: {api}")
        (film / "clipform.yaml").write_text(switched, encoding="utf-8")
        done = subprocess.run(
            [clipform, "-C", film, "apply", "--yes"], capture_output=True, text=True, check=False, env=env
        )
        assert done.returncode == 0, done.stderr
        assert (film / "renders/lamp.mp4").is_file() and "0.16 USD" in done.stdout
    finally:
        stop(child)
    python = clipform.with_name("python")
    tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "credentials or busy", PLUGIN / "tests"]
    passed = subprocess.run(tests, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)
    assert passed.returncode == 0 and "2 passed" in passed.stdout, passed.stdout
    imported = subprocess.run(
        [python, "-c", "import reconciler, clipform_lumen; print(reconciler.__file__)"],
        capture_output=True, text=True, check=True, env=env, cwd=tmp_path,
    )  # fmt: skip
    assert imported.stdout.startswith(str(clipform.parents[1]))
