"""The gallery for others: it shows, follows, and answers only who may ask; nothing can be changed through it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.cli.app import main
from reconciler.diagnostics import StateUnreachable
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.server.guard import ReadOnly
from reconciler.gallery.server.hooks import HookReceiver
from reconciler.gallery.server.metrics import exposition
from reconciler.gallery.server.server import Gallery, GalleryOptions
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.records import Handed
from reconciler.state.sql.postgres import PostgreSQL
from tests.gallery.server.conftest import Site
from tests.gallery.server.kit import Browser
from tests.watch.conftest import DRAFTS, edit, project
from tests.watch.terminal import on_pipes

TOKEN = "a-long-enough-canary"


@contextmanager
def served(workspace: Workspace, token: str = "", hooks: HookReceiver | None = None) -> Iterator[str]:
    """The address of a read-only gallery that has one plan."""
    options = GalleryOptions(workspace, Choice(), 0, ReadOnly(token=token, hooks=hooks))
    with Gallery(options, None) as gallery:
        gallery.refreshed(workspace.plan(Choice(), workspace.load()))
        yield gallery.url + (f"?token={token}" if token else "")


def figures(text: str) -> dict[tuple[str, ...], float]:
    """Each figure by its name and labels."""
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_the_figures_are_those_of_the_plan_and_the_records(shared: Site) -> None:
    with served(shared.workspace) as url, Browser(url) as browser:
        answer = browser.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        values = figures(answer.text)
        assert values["clipform_steps", "noop"] == 3 and values["clipform_steps", "create"] == 1
        assert values["clipform_plan_cost", "USD"] == 0.5
        assert {key[-1]: n for key, n in values.items() if key[0] == "clipform_results"} == {"draft": 3}
        assert values["clipform_project_broken",] == 0


def test_the_depth_of_the_queue_is_among_the_figures(shared: Site) -> None:
    """By account, and by what orders wait for: workers are scaled by it."""
    standing = {"needs": ("", "", True, False), "unserved": ("", "", False, True), "stuck": ("busy", "w", True, True)}
    standing |= {"carried": ("", "w", True, True), "queued": ("", "", True, True)}
    orders = {
        f"v1:{number}": Handed(f"v1:{number}", "main", "sun", "", note, holder, 0.0, 0.0, served, ready)
        for number, (note, holder, served, ready) in enumerate([*standing.values(), standing["queued"]])
    }
    planned = shared.workspace.plan(Choice(), shared.workspace.load())
    planned = replace(planned, snapshot=replace(planned.snapshot, handed=orders))
    text, _ = exposition(PlanIndex(planned), is_broken=False, now=0.0)
    values = figures(text.decode())
    assert {key[-1]: count for key, count in values.items() if key[0] == "clipform_orders"} == {
        **dict.fromkeys(standing, 1),
        "queued": 2,
    }


def test_on_this_machine_health_and_figures_need_no_token_and_the_page_does(shared: Site) -> None:
    with served(shared.workspace) as url, Browser(url) as browser:
        for path, status in (("/healthz", 200), ("/metrics", 200), ("/", 401), ("/api/gallery", 401)):
            assert browser.raw("GET", path, Cookie="")[0] == status
            assert browser.raw("GET", path, Cookie="", Host="evil.example")[0] == 403
        assert browser.document()["acts"] is False


def test_with_a_token_of_the_user_it_is_asked_for_under_any_name(shared: Site) -> None:
    with served(shared.workspace, TOKEN) as url, Browser(url) as browser:
        for path in ("/metrics", "/", "/api/gallery", "/api/clips/sun"):
            asked = {"Cookie": "", "Host": "films.example"}
            assert browser.raw("GET", path, **asked)[0] == 401
            for wrong in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", TOKEN):
                assert browser.raw("GET", path, Authorization=wrong, **asked)[0] == 401
            status, body = browser.raw("GET", path, Authorization=f"Bearer {TOKEN}", **asked)
            assert status == 200 and TOKEN.encode() not in body
        assert browser.raw("GET", "/healthz", Cookie="") == (200, b"ok\n")


def test_a_vendor_calls_under_any_name_and_without_the_token_and_comes_no_further(shared: Site) -> None:
    def closed() -> PostgreSQL:
        raise StateUnreachable("the database does not answer", code="state-unreachable")

    receiver = HookReceiver(closed, "https://films.example.com", b"secret", shared.workspace.clock)
    with served(shared.workspace, TOKEN, receiver) as url, Browser(url) as browser:
        outside = {"Cookie": "", "Host": "films.example.com"}
        assert browser.raw("POST", "/hook/account/token", **outside)[0] == 503  # nobody can say if it is a right one
        for path in ("/hook/", "/hook/account", "/hook/account/token/more"):
            assert browser.raw("POST", path, **outside)[0] == 404
        assert browser.raw("GET", "/hook/account/token", **outside)[0] == 401
        assert browser.raw("POST", "/api/apply", **outside)[0] == 405
    with served(shared.workspace, TOKEN) as url, Browser(url) as browser:
        assert browser.raw("POST", "/hook/account/token", **outside)[0] == 405


@pytest.mark.parametrize("action", ["apply", "stop", "pick", "retake", "rewrite", "open"])
def test_nothing_can_be_posted(shared: Site, action: str) -> None:
    with served(shared.workspace) as url, Browser(url) as browser:
        assert browser.post(action, clip="sun").status_code == 405


def test_a_project_with_errors_is_not_healthy_and_keeps_its_last_figures(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "aurora"
    shutil.copytree(made, folder)
    with (
        on_pipes(folder, "--port", "0", name="serve") as talk,
        Browser(talk.event(event="listening")["url"]) as browser,
        browser.events() as events,
    ):
        events.state("sun", "ready")
        assert browser.get("/healthz").status_code == 200
        edit(folder, "waves", "[waves")
        events.holds(lambda: bool(events.head["stale"]))
        assert browser.get("/healthz").status_code == 503
        values = figures(browser.get("/metrics").text)
        assert values["clipform_project_broken",] == 1 and values["clipform_steps", "noop"] == 3
        edit(folder, "[waves", "storm")
        events.state("sea", "changed")  # and it is not made: nobody may ask for that
        talk.child.send_signal(signal.SIGTERM)
        assert talk.end() == 130
    assert '"event": "started"' not in talk.said


@pytest.mark.parametrize(
    ("words", "token", "names"),
    [
        (["--host", "0.0.0.0"], "", "CLIPFORM_SERVE_TOKEN is not set"),
        (["--host", "::"], "", "CLIPFORM_SERVE_TOKEN is not set"),
        (["--host", "films.example"], TOKEN, "not an address of this machine"),
        ([], "short", "shorter than 16"),
    ],
)
def test_it_does_not_listen_beyond_this_machine_without_a_secret(
    words: list[str],
    token: str,
    names: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = project(tmp_path / "p", DRAFTS)
    monkeypatch.setenv("CLIPFORM_SERVE_TOKEN", token)
    assert main(["-C", str(folder), "serve", *words]) == 64
    assert names in capsys.readouterr().err
