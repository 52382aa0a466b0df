"""The page's edit of a prompt."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import Refused
from reconciler.engine.operations import edit_spec
from reconciler.spec.files import Files
from tests.reliability.simulator.sim import HEAD, Sim


class Counted:
    """Files of a project, with how often each was read."""

    def __init__(self, files: Files) -> None:
        self.files, self.reads = files, dict[str, int]()

    def read(self, path: str) -> bytes:
        self.reads[path] = self.reads.get(path, 0) + 1
        return self.files.read(path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        return self.files.glob(pattern)


def test_an_edit_reads_the_project_once_and_checks_the_result_once(sim: Sim) -> None:
    sim.write(HEAD + "include: [shots.yaml]\n")
    sim.write("clips:\n  hero: {prompt: a lamp}\n", "shots.yaml")
    workspace = sim.workspace
    workspace.files = counted = Counted(workspace.files)
    assert edit_spec.set_prompt(workspace, "hero", "a lamp", "a torch").text == "a torch"
    assert counted.reads["clipform.yaml"] == 2
    assert (sim.root / "shots.yaml").read_text() == "clips:\n  hero: {prompt: a torch}\n"


def test_a_prompt_with_looks_is_edited_as_written_and_a_wrong_name_is_refused(sim: Sim) -> None:
    text = HEAD + "looks: {mia: {prompt: Mia in red}}\nclips:\n  hero: {use: [mia], prompt: '{mia} waits'}\n"
    sim.write(text)
    assert edit_spec.prompt(sim.workspace, "hero").text == "{mia} waits"
    with pytest.raises(Refused, match="unknown look 'mai'; did you mean 'mia'"):
        edit_spec.set_prompt(sim.workspace, "hero", "{mia} waits", "{mai} runs")
    assert (sim.root / "clipform.yaml").read_text() == text
    edit_spec.set_prompt(sim.workspace, "hero", "{mia} waits", "{mia} runs")
    assert (sim.root / "clipform.yaml").read_text() == text.replace("waits", "runs")
    assert [clip.spec.prompt for clip in sim.workspace.load().project.clips] == ["Mia in red runs"]
