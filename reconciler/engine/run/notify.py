"""Tells the address under `notify` how an apply ended. Nothing rests on it: it never delays or fails a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from reconciler.diagnostics import ClipformError, Refused
from reconciler.engine.ports import Sink
from reconciler.events import Event, EventKind, Summary
from reconciler.frozen import dataclass
from reconciler.money import plain
from reconciler.project.workspace import Workspace
from reconciler.spec.environment import resolved
from reconciler.spec.project import Project
from reconciler.spec.values import JsonValue, Secret

_BUDGET = frozenset({"budget", "unpriced", "cap"})
"""Codes of refusals to spend."""


def notifier_of(workspace: Workspace, project: Project, draft: bool) -> Notifier | None:
    """Return what notifies of a project's applies; None if it names no address, and for drafts."""
    if draft or not project.notify:
        return None
    return Notifier(project.notify, workspace.root.name, workspace.env, workspace.clock.now())


@dataclass(frozen=True, slots=True)
class Notifier:
    """The section `notify` of one project. `env` has its variables."""

    section: Mapping[str, JsonValue]
    project: str
    env: Mapping[str, str]
    now: float

    def tell(self, run: Callable[[], Summary], sink: Sink) -> Summary:
        """Carry out a run and send what came of it. What it raises is raised."""
        try:
            summary = run()
        except Refused as error:
            self.refused(error)
            raise
        if note := self.ended(summary):
            sink.emit(note)
        return summary

    def ended(self, summary: Summary) -> Event | None:
        """Send what came of a run. Returns a note if it cannot be sent."""
        kinds = {
            "done": (EventKind.SUCCEEDED,),
            "failed": (EventKind.FAILED, EventKind.BLOCKED),
            "expiring": (EventKind.LEFT,),
        }
        clips = {name: sorted({each.clip for each in summary.having(*kind)}) for name, kind in kinds.items()}
        happened = [name for name in ("failed", "expiring", "done") if clips[name]]
        spent = {"amount": plain(summary.spent), "currency": summary.currency, "unpriced": summary.unpriced}
        phrases = {"done": "made", "failed": "failed or blocked", "expiring": "still at the provider"}
        text = ", ".join(f"{len(names)} {phrases[name]}" for name, names in clips.items() if names)
        return self._send(happened, text, {"exit_code": summary.exit_code, "clips": clips, "spent": spent})

    def refused(self, error: Refused) -> Event | None:
        """Send that a cap refused a plan. Returns a note if it cannot be sent."""
        return self._send(["cap"] if error.code in _BUDGET else [], f"nothing was sent: {error.message}", {})

    def _send(self, happened: list[str], text: str, facts: Mapping[str, object]) -> Event | None:
        wanted = self.section.get("on")
        events = [name for name in happened if isinstance(wanted, tuple) and name in wanted]
        if not events:
            return None
        from reconciler.transport import notify

        document = {"format_version": 1, "project": self.project, "event": events[0], "text": text, **facts}
        body = json.dumps(document).encode()
        try:
            secret = self._value("secret")
            headers = {notify.SIGNATURE: notify.signature(secret, body, self.now)} if secret else {}
            if url := self.section.get("url"):
                notify.post(resolved(str(url), "notify.url", self.env), body, headers)
            if services := self._value("apprise"):
                notify.by_apprise(services, f"clipform: {self.project} {events[0]}", text)
        except ClipformError as error:
            return Event(EventKind.NOTE, message=f"nobody was notified: {error.message}")
        return None

    def _value(self, name: str) -> str:
        """Return the value of a variable that the section names, empty if it names none. Raises ClipformError."""
        secret = self.section.get(name)
        if not isinstance(secret, Secret):
            return ""
        if not self.env.get(secret.env):
            raise ClipformError(f"notify.{name} needs the environment variable {secret.env}", code="no-secret")
        return self.env[secret.env]
