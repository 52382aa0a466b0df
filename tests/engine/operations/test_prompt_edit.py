"""The page's edit of a prompt."""

from __future__ import annotations

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
