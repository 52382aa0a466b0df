"""What the page edits in the YAML: a prompt in place, and the fields of an earlier version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from reconciler.cli.app import main
from tests.gallery.server.conftest import Site


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("error", {}).get("code", "")


def spec(site: Site) -> str:
    return (site.folder / "clipform.yaml").read_text(encoding="utf-8")


def detail(site: Site, clip: str) -> Any:
    return site.browser.json(f"/api/clips/{clip}")


def test_a_prompt_is_edited_in_its_file_and_nothing_else_is(site: Site) -> None:
    before = spec(site)
    written = site.browser.post("prompt", clip="sea").json()
    assert (written["file"], written["text"], written["clips"]) == ("clipform.yaml", "waves", 1)
    response = site.browser.post("rewrite", clip="sea", before="waves", text="waves: calm")
    assert response.json() == {"message": "clipform.yaml: the prompt of sea is changed."}
    assert spec(site) == before.replace("prompt: waves", 'prompt: "waves: calm"')


def test_a_prompt_that_was_changed_meanwhile_is_not_overwritten(site: Site) -> None:
    text = site.browser.post("prompt", clip="sea").json()["text"]
    site.look("prompt: waves", "prompt: surf")
    theirs = spec(site)
    assert code(site.browser.post("rewrite", clip="sea", before=text, text="calm")) == (409, "conflict")
    assert spec(site) == theirs
    site.look("a lamp", "a torch")  # another clip of the same file
    assert site.browser.post("rewrite", clip="sea", before="surf", text="calm").status_code == 200
    assert "prompt: a torch" in spec(site) and "prompt: calm" in spec(site)


def test_a_prompt_that_would_break_the_project_is_not_written(site: Site) -> None:
    before = spec(site)
    response = site.browser.post("rewrite", clip="sea", before="waves", text="${vars.nope} waves")
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "not written: unknown variable 'nope'"
    assert spec(site) == before


def test_a_prompt_of_a_matrix_is_edited_for_all_its_clips_as_it_is_written(site: Site) -> None:
    matrix = '  social: {matrix: {lang: [en, zh]}, prompt: "a ${matrix.lang} lamp", output: "s-${matrix.lang}.mp4"}\n'
    site.look("clips:\n", f"clips:\n{matrix}")
    written = site.browser.post("prompt", clip="social[lang=en]").json()
    assert (written["text"], written["clips"]) == ("a ${matrix.lang} lamp", 2)
    new = "a bright ${matrix.lang} lamp"
    assert site.browser.post("rewrite", clip="social[lang=en]", before=written["text"], text=new).status_code == 200
    assert new in spec(site)


def test_a_prompt_from_the_defaults_is_named_with_its_place(site: Site) -> None:
    site.look("ratio: 1:1}", "ratio: 1:1, prompt: fog}")
    site.look("sea: {prompt: waves, ", "sea: {")
    response = site.browser.post("prompt", clip="sea")
    assert code(response) == (409, "edit") and response.json()["error"]["help"] == "edit it at clipform.yaml:5:63"


def drafts(folder: Path) -> None:
    assert main(["-C", str(folder), "--json", "apply", "--yes", "sea"]) == 0


def test_every_version_of_a_take_is_listed_and_an_older_one_comes_back(site: Site) -> None:
    assert detail(site, "sea")["versions"] == []
    first = spec(site)
    site.look("prompt: waves", "prompt: surf")
    drafts(site.folder)
    site.look("prompt: surf", "prompt: calm")
    old, placed, new = detail(site, "sea")["versions"]
    assert [(v["current"], v["media"] is not None) for v in (old, placed, new)] == [
        (False, True),
        (False, True),
        (True, False),
    ]
    assert old["media"] != placed["media"] and (new["cost"], new["time"]) == (None, None)
    assert [change["after"] for change in (*placed["changes"], *new["changes"])] == ["surf", "calm"]
    body = {"clip": "sea", "take": 1, "key": old["key"]}
    assert code(site.browser.post("use", **body, current=placed["key"])) == (409, "stale")
    response = site.browser.post("use", **body, current=new["key"])
    assert "restores it (free)" in response.json()["message"]
    assert spec(site) == first
    planned = site.look()
    assert {step.clip: step.action.value for step in planned.plan.steps}["sea"] == "restore"


def test_a_version_that_a_take_never_had_is_refused(site: Site) -> None:
    known = detail(site, "hero")["takes"][0]["key"]
    assert code(site.browser.post("use", clip="sea", take=1, key=known, current=known)) == (400, "error")
