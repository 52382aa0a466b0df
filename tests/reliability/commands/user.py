"""Steps of the user: edits of the project file and of outputs, and answers to questions."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from reconciler.diagnostics import ClipformError, StateDamaged, UsageError
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, edit_spec, resolve
from reconciler.engine.operations import cancel as cancel_module
from reconciler.engine.run.session import open_session
from reconciler.records import Attempt
from tests.reliability.commands.base import Machine, names

prompts = st.sampled_from(("a lamp", "a candle", "a door"))


class User(Machine):
    """What a person does beside running commands."""

    # --- what a user edits ------------------------------------------------------------------

    @rule(name=names, prompt=prompts)
    def edit(self, name: str, prompt: str) -> None:
        """A new clip, or another prompt."""
        self.clips[name] = (prompt, self.clips.get(name, ("", 0))[1])
        self.save()

    @precondition(lambda self: self.clips)
    @rule(data=st.data(), to=names)
    def rename(self, data: st.DataObject, to: str) -> None:
        """The same clip by another name; one of that name is gone."""
        name = data.draw(st.sampled_from(sorted(self.clips)))
        self.clips[to] = self.clips.pop(name)
        self.save()

    @precondition(lambda self: len(self.clips) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A clip that nobody wants any more."""
        del self.clips[data.draw(st.sampled_from(sorted(self.clips)))]
        self.save()

    @precondition(lambda self: self.clips)
    @rule(data=st.data())
    def retake(self, data: st.DataObject) -> None:
        """Another variation, by the command."""
        name = data.draw(st.sampled_from(sorted(self.clips)))
        edit = edit_spec.retake(self.sim.workspace, name)
        self.clips[name] = (self.clips[name][0], edit.value)

    @precondition(lambda self: self.clips)
    @rule(data=st.data(), number=st.sampled_from((1, 2)))
    def two_takes(self, data: st.DataObject, number: int) -> None:
        """A clip has two takes from now on."""
        self.takes[data.draw(st.sampled_from(sorted(self.clips)))] = number
        self.save()

    @precondition(lambda self: self.takes.keys() & self.clips.keys())
    @rule(data=st.data(), number=st.sampled_from((1, 2)))
    def pick(self, data: st.DataObject, number: int) -> None:
        """The other take, by the command."""
        name = data.draw(st.sampled_from(sorted(self.takes.keys() & self.clips.keys())))
        edit_spec.pick(self.sim.workspace, name, number)
        self.takes[name] = number

    @rule(name=names)
    def delete_output(self, name: str) -> None:
        """The user deletes a video."""
        (self.sim.root / f"renders/{name}.mp4").unlink(missing_ok=True)
        self.sim.foreign.pop(f"renders/{name}.mp4", None)

    @rule(name=names, text=st.sampled_from((b"cut by hand", b"graded by hand")))
    def edit_output(self, name: str, text: bytes) -> None:
        """The user puts a file of theirs where a video is, or will be."""
        output = f"renders/{name}.mp4"
        path = self.sim.root / output
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)  # never through a link to the store
        path.write_bytes(text)
        self.sim.foreign[output] = hashlib.sha256(text).hexdigest()

    # --- answers to questions ---------------------------------------------------------------

    def _settle(self, name: str, how: object) -> None:
        try:
            with open_session(self.sim.workspace, "resolve") as opened:
                self.sim.unmerged = False
                attempt = resolve.unresolved_attempt(opened, name, None)
                how(opened, attempt)  # type: ignore[operator]
        except (UsageError, StateDamaged):
            pass  # nothing of that clip waits, or nobody can tell

    @rule(name=names)
    def resolve_again(self, name: str) -> None:
        """Pay once more."""

        def again(opened: object, attempt: Attempt) -> None:
            resolve.allow_again(opened, attempt)  # type: ignore[arg-type]
            assert self.sim.consents is not None
            self.sim.consents[attempt.key] += 1

        self._settle(name, again)

    @rule(name=names)
    def resolve_give_up(self, name: str) -> None:
        """Neither wait nor pay."""
        self._settle(name, resolve.abandon)

    @rule(name=names)
    def resolve_by_task(self, name: str) -> None:
        """The user found the task in the vendor's console."""

        def adopt(opened: object, attempt: Attempt) -> None:
            ids = [task.id for task in self.sim.server.ledger.values() if task.marker == attempt.marker]
            remote = one_off.ProviderAccess(self.sim.workspace.load(), self.sim.connect)  # type: ignore[arg-type]
            for task in ids:
                adopt_task.adopt_task(opened, attempt, task, remote)  # type: ignore[arg-type]

        with suppress(ClipformError):  # only an uncertain one takes an id, and only if the vendor says that it knows it
            self._settle(name, adopt)

    @rule(name=names)
    def cancel(self, name: str) -> None:
        """A task that may be queued still."""
        with suppress(ClipformError), open_session(self.sim.workspace, "cancel") as opened:
            self.sim.unmerged = False
            remote = one_off.ProviderAccess(self.sim.workspace.load(), self.sim.connect)  # type: ignore[arg-type]
            cancel_module.cancel(opened, name, None, remote)  # fails when nothing is in flight, or when it is too late
