"""A click does what the page showed at the price that it showed, or nothing."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.diagnostics import ClipformError
from reconciler.gallery.server import editor
from tests.gallery.server.conftest import Site


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("error", {}).get("code", "")


def test_one_clip_at_the_price_on_its_button(site: Site) -> None:
    response = site.browser.apply("hero")
    assert (response.status_code, response.json()) == (200, {"message": "Applying hero."})
    assert site.clicked.asked == [(("hero",), frozenset({("hero", 1)}))]


def test_everything_at_the_price_of_the_plan(site: Site) -> None:
    site.look("prompt: waves", "prompt: surf")
    assert site.browser.apply().json() == {"message": "Applying everything."}
    assert site.clicked.asked == [(None, frozenset({("hero", 1), ("sea", 1)}))]


def test_a_clip_comes_with_what_it_needs(site: Site) -> None:
    site.look("mist at", "fog at")
    assert site.browser.apply("sea").status_code == 200
    assert site.clicked.asked == [(("sea",), frozenset({("sun", 1), ("sea", 1)}))]  # its second take is not needed


def test_a_plan_that_is_another_one_meanwhile_is_refused(site: Site) -> None:
    seen = site.browser.document()["revision"]
    site.look("a lamp", "a torch")
    assert code(site.browser.apply("hero", revision=seen)) == (409, "stale")
    assert code(site.browser.apply("hero", revision="guess")) == (409, "stale")
    assert site.clicked.asked == []
    assert site.browser.apply("hero").status_code == 200


def test_a_key_that_would_go_elsewhere_is_another_plan(site: Site) -> None:
    seen = site.browser.document()["revision"]
    site.look("{kind: ark,", '{kind: ark, base_url: "https://away.invalid",')
    assert code(site.browser.apply("hero", revision=seen)) == (409, "stale")
    assert site.clicked.asked == []


def test_an_edit_of_another_clip_does_not_matter(site: Site) -> None:
    seen = site.browser.document()["revision"]
    site.look("prompt: waves", "prompt: surf")
    assert site.browser.apply("hero", revision=seen).status_code == 200


@pytest.mark.parametrize(
    "cost",
    [
        None,
        {"amount": "0.49", "currency": "USD"},
        {"amount": "0.5", "currency": "USD"},
        {"amount": 0.5, "currency": "USD"},
        {"amount": "0.50", "currency": "EUR"},
        {"amount": "0.50"},
        "0.50 USD",
        [],
    ],
)
def test_another_price_than_was_confirmed_is_refused(site: Site, cost: object) -> None:
    assert code(site.browser.apply("hero", cost=cost)) == (409, "price")
    assert site.clicked.asked == []


def test_a_price_that_was_raised_meanwhile_is_refused(site: Site) -> None:
    before = site.browser.document()
    site.look("per_clip: 0.50", "per_clip: 0.60")
    cost = {"amount": "0.50", "currency": "USD"}
    assert code(site.browser.apply("hero", revision=before["revision"], cost=cost)) == (409, "stale")
    assert code(site.browser.apply("hero", cost=cost)) == (409, "price")
    assert site.clicked.asked == []


def test_what_is_under_way_is_not_asked_for_twice(site: Site) -> None:
    site.clicked.takes = False
    assert code(site.browser.apply("hero")) == (409, "busy")


def test_what_is_up_to_date_or_unknown_is_nothing_to_apply(site: Site) -> None:
    for clips in (["sun"], ["nobody"], ["*"], ["tag:x"]):
        revision = site.browser.document()["revision"]
        free = {"amount": "0", "currency": "USD"}
        assert code(site.browser.post("apply", clips=clips, revision=revision, cost=free)) == (409, "nothing")
    assert site.clicked.asked == []


def test_nothing_is_applied_while_the_project_is_broken(site: Site) -> None:
    site.gallery.broken(ClipformError("it is broken"))
    assert code(site.browser.apply("hero")) == (409, "broken")
    assert site.clicked.asked == []


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("apply", {}),
        ("apply", {"clips": "hero"}),
        ("apply", {"clips": []}),
        ("apply", {"clips": [1]}),
        ("apply", {"clips": ["hero"]}),
        ("pick", {"clip": "sun"}),
        ("pick", {"clip": "sun", "take": "1"}),
        ("pick", {"clip": "sun", "take": True}),
        ("pick", {"clip": "sun", "take": 0}),
        ("pick", {"clip": "sun", "take": 9}),
        ("pick", {"clip": "nobody", "take": 1}),
        ("pick", {"clip": ["sun"], "take": 1}),
        ("retake", {}),
        ("retake", {"clip": "nobody"}),
        ("open", {"clip": "nobody"}),
        ("open", {"clip": "../../etc/passwd"}),
    ],
)
def test_a_click_that_makes_no_sense_is_refused(site: Site, action: str, body: dict[str, object]) -> None:
    before = (site.folder / "clipform.yaml").read_bytes()
    assert site.browser.post(action, **body).status_code == 400
    assert (site.folder / "clipform.yaml").read_bytes() == before


def test_no_other_action_is_known(site: Site) -> None:
    assert site.browser.post("destroy", clip="sun").status_code == 404
    assert site.browser.post("actions").status_code == 404


def test_pick_and_retake_change_one_number(site: Site) -> None:
    before = (site.folder / "clipform.yaml").read_text(encoding="utf-8")
    assert "pick of sun is now 2" in site.browser.post("pick", clip="sun", take=2).json()["message"]
    picked = (site.folder / "clipform.yaml").read_text(encoding="utf-8")
    assert picked == before.replace("sun: {", "sun: {pick: 2, ")
    assert "retake of sea is now 1" in site.browser.post("retake", clip="sea").json()["message"]
    assert (site.folder / "clipform.yaml").read_text(encoding="utf-8") == picked.replace("sea: {", "sea: {retake: 1, ")


def test_what_is_protected_is_not_made_anew(site: Site) -> None:
    site.look("prompt: waves,", "prompt: waves, protect: yes,")
    assert code(site.browser.post("retake", clip="sea")) == (409, "protected")


def test_skip_and_stop_are_passed_on(site: Site) -> None:
    assert site.browser.post("skip").status_code == 200
    assert site.browser.post("stop").json() == {"message": "Stopping."}
    assert site.clicked.said == ["skip", "stop"]


def test_without_an_editor_the_page_is_told_where_to_look(site: Site) -> None:
    told: dict[str, Any] = site.browser.post("open", clip="sea").json()
    assert told["place"] == "clipform.yaml:8"
    assert told["url"] == f"vscode://file{site.folder}/clipform.yaml:8"


def test_the_editor_gets_its_arguments_as_they_are_and_no_shell_sees_them(site: Site, tmp_path: Path) -> None:
    """The program says what it was given through a pipe, which is what is waited for."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = "import json, os, sys; json.dump([os.getsid(0), *sys.argv[2:]], open(sys.argv[1], 'w'))"
    words = [sys.executable, "-c", script, str(pipe), "; touch oops", "$(touch oops)"]
    site.workspace.env = {"CLIPFORM_EDITOR": shlex.join(words)}
    assert site.browser.post("open", clip="sea").json()["message"] == "Opened clipform.yaml:8."
    session, *arguments = json.loads(pipe.read_text())
    assert arguments == ["; touch oops", "$(touch oops)", f"{site.folder}/clipform.yaml"]
    assert session != os.getsid(0)  # Ctrl-C at our terminal does not reach it
    assert not (site.folder / "oops").exists()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, None),
        ({"EDITOR": "vim"}, None),
        ({"VISUAL": "nano -w"}, None),
        ({"EDITOR": "code --wait"}, ["code", "--wait", "--goto", "/p/a b.yaml:7"]),
        ({"VISUAL": "/opt/bin/cursor"}, ["/opt/bin/cursor", "--goto", "/p/a b.yaml:7"]),
        ({"VISUAL": "vim", "EDITOR": "subl"}, ["subl", "/p/a b.yaml:7"]),
        ({"EDITOR": "emacsclient"}, ["emacsclient", "-n", "+7", "/p/a b.yaml"]),
        ({"EDITOR": "emacsclient -nw"}, None),
        ({"EDITOR": "pycharm"}, ["pycharm", "--line", "7", "/p/a b.yaml"]),
        ({"CLIPFORM_EDITOR": "xterm -e vim", "EDITOR": "code"}, ["xterm", "-e", "vim", "/p/a b.yaml"]),
        ({"CLIPFORM_EDITOR": "gvim", "EDITOR": "code"}, ["gvim", "+7", "/p/a b.yaml"]),
        ({"CLIPFORM_EDITOR": "sh -c 'oops", "EDITOR": "code"}, ["code", "--goto", "/p/a b.yaml:7"]),
    ],
)
def test_editors(env: dict[str, str], expected: list[str] | None) -> None:
    assert editor.command(Path("/p/a b.yaml"), 7, env) == expected


def test_an_editor_that_is_not_there_is_told() -> None:
    with pytest.raises(ClipformError, match="cannot be started"):
        editor.start(["/nowhere/editor"])
