"""The calls that look after tasks, videos and records. None of them sends a request that is paid for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.api.access import OnEvent
from reconciler.api.calls import Calls, one_order
from reconciler.diagnostics import UsageError
from reconciler.next_command import command

if TYPE_CHECKING:
    from reconciler.artifacts.shelf import Claim, SharedFile
    from reconciler.diagnostics import Finding
    from reconciler.engine.operations.share import Pushed
    from reconciler.events import Summary
    from reconciler.plan.model import Wanted
    from reconciler.project.model import Choice, Confirm
    from reconciler.records import Attempt, Generation, Snapshot
    from reconciler.views.garbage import Item


class Tasks(Calls):
    """Tasks at providers, videos on disk and in the shared cache, and the records of both."""

    __slots__ = ()

    def cancel(self, clip: str, take: int | None = None, *, trust: bool = False) -> str:
        """Cancel a clip's task at its provider, where that is possible, and say what became of it."""
        from reconciler.engine.operations.cancel import cancel

        access = self._access(trust)
        with access.session("cancel") as session:
            return cancel(session, clip, take, access.providers(access.workspace.load()))

    def resolve(
        self,
        clips: Sequence[str],
        confirm: Callable[[Sequence[Attempt]], None],
        *,
        resubmit: bool,
        take: int | None = None,
        attempt: int | None = None,
    ) -> tuple[list[Attempt], list[str]]:
        """Settle requests of which nobody knows if they arrived: they count as paid, and with `resubmit` the next plan
        may buy them again. `confirm` gets them first, and raises Refused to leave them. Returns them, and what can be
        done now."""
        from reconciler.engine.operations import resolve

        with self._access().session("resolve") as session:
            if len(clips) > 1 and not (take or attempt):
                attempts = resolve.unresolved_attempts(session, clips, resubmit=resubmit)
            else:
                attempts = [resolve.unresolved_attempt(session, clips[0], take, attempt)]
            confirm(attempts)
            settle = resolve.allow_again if resubmit else resolve.abandon
            return attempts, [line for each in attempts for line in settle(session, each) or ()]

    def adopt(self, clip: str, task: str, take: int | None, attempt: int | None, *, trust: bool = False) -> None:
        """Record that the uncertain request of a clip was accepted as this task, once its provider knows it."""
        from reconciler.engine.operations import adopt_task, resolve

        access = self._access(trust)
        with access.session("resolve") as session:
            unresolved = resolve.unresolved_attempt(session, clip, take, attempt, reopen=True)
            adopt_task.adopt_task(session, unresolved, task, access.providers(access.workspace.load()))

    def release(self, clip: str, take: int | None, confirm: Callable[[Claim], None], *, trust: bool = False) -> bool:
        """Delete the claim by which another working copy keeps this one from buying a clip, once `confirm` has agreed.
        Returns False without one."""
        from reconciler.engine.operations import share

        access = self._access(trust)
        with access.session("resolve") as session:
            if not access.workspace.load().project.cache:
                return False
            access.require_trust()
            claim = share.foreign_claim(session, clip, take)
            if claim is not None:
                confirm(claim)
                share.release(session, claim)
            return claim is not None

    def wanted(self) -> tuple[Wanted, ...]:
        """Return the takes that the project declares."""
        return self._access().workspace.load().wanted

    def import_task(
        self, clip: str, task: str, take: int | None = None, *, force: bool = False, trust: bool = False
    ) -> None:
        """Adopt a task that was bought elsewhere; `force` one of another model, length or size, too."""
        from reconciler.engine.operations.import_task import TaskImport, import_task

        access = self._access(trust)
        with access.session("import") as session:
            loaded = access.workspace.load()
            order = one_order(loaded, clip, take)
            import_task(session, order, TaskImport(task, _marker(), force), access.providers(loaded))

    def import_file(self, clip: str, file: Path, take: int | None = None) -> Generation:
        """Adopt a video of your own as the result of a clip."""
        from reconciler.engine.operations.import_file import import_file

        access = self._access()
        with access.session("import") as session:
            return import_file(session, one_order(access.workspace.load(), clip, take), file)

    def fetch(
        self, choice: Choice, *, on_event: OnEvent | None = None, trust: bool = False
    ) -> tuple[Summary, list[Finding]]:
        """Bring back the videos that were paid for and are missing here, with a finding for each."""
        from reconciler.engine.operations.fetch import fetch

        access = self._access(trust)
        if access.workspace.load().project.cache:
            access.require_trust()
        with access.session("fetch") as session:
            return fetch(session, choice, _marker, access.sink(on_event), partial(access.connect, ask=True))

    def push(self, choice: Choice, *, again: bool = False, trust: bool = False) -> Pushed:
        """Share videos through the shared cache; `again` looks at each of them there."""
        from reconciler.engine.operations.share import push

        access = self._access(trust)
        access.require_trust()
        with access.session("push") as session:
            return push(session, choice, again=again)

    def pull(self, choice: Choice, *, on_event: OnEvent | None = None, trust: bool = False) -> Summary | None:
        """Bring videos from the shared cache; None if nothing is missing."""
        from reconciler.engine.operations.share import pull

        access = self._access(trust)
        access.require_trust()
        with access.session("pull") as session:
            return pull(session, choice, access.sink(on_event), access.connect)

    def destroy(self, choice: Choice, confirm: Confirm, *, on_event: OnEvent | None = None) -> Summary:
        """Remove outputs and what is recorded of them, once `confirm` has agreed; stored videos stay until `gc`."""
        from reconciler.engine.operations.destroy import destroy

        access = self._access()
        with access.session("destroy", choice.draft) as session:
            return destroy(session, choice, confirm, access.sink(on_event), access.connect)

    def gc(
        self,
        confirm: Callable[[Sequence[Item]], None],
        *,
        keep: int = 0,
        older_than: float | None = None,
        draft: bool = False,
    ) -> tuple[list[Item], list[int]]:
        """Delete stored videos that nothing needs, but the newest `keep` versions of a take, and what is younger than
        `older_than` seconds. `confirm` gets them first, and raises Refused to leave them. Also delete the pieces that
        no film has now, which are made again for free. Return the videos, and the sizes of the pieces in bytes."""
        from reconciler.engine.operations.gc import delete_objects, delete_pieces, garbage

        with self._access().session("gc", draft) as session:
            before = None if older_than is None else session.clock.now() - older_than
            items = [(each.item, each.version) for each in garbage(session, keep, before)]
            if items:
                confirm(items)
                delete_objects(session, [stored for stored, _ in items])
            return items, delete_pieces(session)

    def gc_remote(
        self, confirm: Callable[[Sequence[SharedFile]], None], *, older_than: float, refs: str, trust: bool = False
    ) -> list[SharedFile]:
        """As `gc`, in the shared cache: old videos that no lock file of the git references that match `refs` names, old
        drafts, and old inputs that no open order names."""
        from reconciler.engine.operations.gc_shared import delete_files, old_files

        access = self._access(trust)
        access.require_trust()
        with access.session("gc") as session:
            before = session.clock.now() - older_than
            if items := old_files(session, before, refs):
                confirm(items)
                delete_files(session, items, before)
            return items

    def records(self) -> Snapshot:
        """Return what the state has of every key, whether a file still wants it or not."""
        return self._access().workspace.snapshot(False)

    def attempts(self, key: str) -> tuple[Attempt, ...]:
        """Return every attempt of a key, oldest first."""
        return self._access().workspace.attempts(key)

    def forget(self, key: str, confirm: Callable[[str, Snapshot], None], *, trust: bool = False) -> str:
        """Forget the result of a key, given whole or by its beginning, so that the next plan may buy it again, and
        return it. `confirm` gets it and the records first, and raises to keep it. Raises UsageError for a key without
        a result, StateError for one that is under way."""
        from reconciler.engine.operations import forget
        from reconciler.plan.changes import short
        from reconciler.views.purchases import only_key

        with self._access(trust).session("state rm") as session:
            records = session.store.snapshot()
            chosen = only_key(records, key)
            forget.require_settled(session.store.attempts(chosen))
            if chosen not in records.generations:
                help = f"{command('state', 'show', short(chosen))} shows it"
                raise UsageError(f"{short(chosen)} has no result", help=help)
            confirm(chosen, records)
            forget.forget(session, chosen)
            return chosen

    def verify(self, *, draft: bool = False, provenance: bool = False) -> list[Finding]:
        """Hash every stored video again, and look for the marks that the project asks for; `provenance`: only that."""
        from reconciler.engine.operations.verify import verify
        from reconciler.engine.operations.verify_marks import is_required, verify_marks

        workspace = self._access().workspace
        findings = [] if provenance else list(verify(workspace, draft))
        is_marked = provenance or (not draft and is_required(workspace))
        return [*findings, *(verify_marks(workspace) if is_marked else ())]

    def doctor(self, *, online: bool = False, every: bool = False, trust: bool = False) -> list[Finding]:
        """Check this machine and the project; `online` asks providers and a shared state too, and `every` those
        providers that no clip uses."""
        from reconciler.engine.operations.doctor import checkup

        access = self._access(trust)
        findings = list(checkup(access.workspace, every=every))
        if online:
            from reconciler.engine.operations import doctor_online

            loaded = access.workspace.load()
            providers = access.providers(loaded, loaded.project.providers if every else ())
            findings += doctor_online.checkup(providers, every=every)
            if loaded.project.state:
                from reconciler.engine.operations import doctor_shared

                findings += doctor_shared.checkup(access.workspace)
        return findings

    def recover(self, *, on_event: OnEvent | None = None, trust: bool = False) -> list[Finding]:
        """Rebuild lost records from receipts, the lock file and the lists of providers."""
        from reconciler.engine.operations.recover import recover

        access = self._access(trust)
        return recover(access.workspace, _marker, access.sink(on_event), partial(access.connect, ask=True))


def _marker() -> str:
    """Return a new unique marker for an attempt."""
    return os.urandom(16).hex()
