"""What a call has of a project: its files and records, the user's trust, its providers, and the session of a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reconciler.api.trust_memory import TrustMemory, untrusted
from reconciler.diagnostics import Diagnostic, Refused

if TYPE_CHECKING:
    from reconciler.engine.connections.one_off import ProviderAccess
    from reconciler.engine.ports import Sink, Transport
    from reconciler.engine.run.session import Session
    from reconciler.events import Event
    from reconciler.plan.model import Demand
    from reconciler.project.model import Loaded
    from reconciler.project.workspace import Workspace
    from reconciler.providers.base import Dialect, Pace
    from reconciler.spec.project import ProviderConfig

OnEvent = Callable[["Event"], object]
"""What is called with each event of a run, in the thread that runs it. What it raises is ignored."""

AskTrust = Callable[[Sequence["Demand"]], None]
"""Asks a person about what a project asks for. Raises Refused if the answer is no."""


class Access:
    """A project for one call of a program, or for one command with all of its calls.

    A command has a `view`, and a person who may be asked; it is stopped by signals. A program asks nobody.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        trusts: bool = False,
        ask: AskTrust = untrusted,
        view: Callable[[], Sink] | None = None,
    ) -> None:
        self.workspace, self.trusts, self._ask, self._view = workspace, trusts, ask, view
        workspace.permit = self.require_trust
        self.memory = TrustMemory(workspace.env)
        self._agreed: set[Demand] = set()
        self._distrust: Refused | None = None  # a "no" counts for the whole command

    def require_trust(self, *, ask: bool = True, aliases: Iterable[str] = ()) -> None:
        """Ask once for all that the project asks for and the user does not trust yet; `trusts` answers yes.

        `aliases` are providers that are needed though no clip uses them. Raises Refused if the answer is no, or nobody
        can be asked. The answer is remembered.
        """
        missing = self.memory.missing(self.workspace.root, self.workspace.demands(*aliases))
        demands = [demand for demand in missing if demand not in self._agreed]
        if not demands:
            return
        if self._distrust is not None:
            raise self._distrust
        if not self.trusts:
            try:
                (self._ask if ask else untrusted)(demands)
            except Refused as no:
                self._distrust = no if ask else None
                raise
        self._agreed.update(demands)
        self.memory.add(self.workspace.root, demands)

    def connect(self, config: ProviderConfig, dialect: Dialect, pace: Pace, *, ask: bool = False) -> Transport:
        """Return the transport of a paid provider. Its secrets are read only here, once the project is trusted."""
        from reconciler.transport.client import connect

        self.require_trust(ask=ask, aliases=(config.alias,))
        return connect(config, dialect, pace, self.workspace.clock, self.workspace.env)

    def providers(self, loaded: Loaded, aliases: Iterable[str] = ()) -> ProviderAccess:
        """Return what connects to single providers, once the project is trusted."""
        from reconciler.engine.connections.one_off import ProviderAccess

        self.require_trust(aliases=aliases)
        return ProviderAccess(loaded, self.connect)

    @contextmanager
    def session(self, command: str, draft: bool = False, *, offline: bool = False) -> Iterator[Session]:
        """Lock the state, and bring it up to date; see `open_session`."""
        from reconciler.engine.run.session import open_session

        with self._handling(), open_session(self.workspace, command, draft, offline=offline) as session:
            yield session

    def sink(self, on_event: OnEvent | None = None) -> Sink:
        """Return what gets the events of a run."""
        return _Events(on_event) if self._view is None else self._view()

    def offline(self) -> tuple[Diagnostic, ...]:
        """Return the warning that belongs to what was read while the shared state could not be reached."""
        from reconciler.project.shared_state import offline_warning

        return offline_warning(self.workspace.as_of)

    @contextmanager
    def _handling(self) -> Iterator[None]:
        """Leave Ctrl-C to a program that handles it itself."""
        if self._view is not None:
            yield
            return
        import signal

        from reconciler.engine.run.signals import handled

        token = handled.set(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        try:
            yield
        finally:
            handled.reset(token)


class _Events:
    """The sink of a run that nobody watches, or one function does."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self._on_event = on_event

    def emit(self, event: Event) -> None:
        if self._on_event is not None:
            with suppress(Exception):
                self._on_event(event)

    def close(self) -> None:
        pass
