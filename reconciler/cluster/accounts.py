"""The accounts that a worker has credentials of, and where its own file says that these are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.diagnostics import ClipformError, Severity, SpecError
from reconciler.engine.connections.providers import Connect
from reconciler.engine.ports import ConnectedProvider
from reconciler.project import endpoints
from reconciler.project.handed import HandedOrder, account_name
from reconciler.project.pace import paced
from reconciler.project.resolve_clips import dialects_of
from reconciler.providers.base import LOCAL
from reconciler.spec.files import Files
from reconciler.spec.load import read_partly
from reconciler.spec.project import Project, ProjectOverlay

_NOT_NEEDED = frozenset({"no-clips"})


def read_sections(files: Files, overlay: ProjectOverlay) -> Project:
    """Return a project file for its providers, state, cache and publish; its clips do not matter. Raises SpecError."""
    project, problems = read_partly(files, overlay)
    errors = [p for p in problems if p.severity is Severity.ERROR and p.code not in _NOT_NEEDED]
    if project is None or errors:
        raise SpecError(errors or problems)
    return project


def open_accounts(project: Project, connect: Connect, say: Callable[[str], None]) -> Mapping[str, ConnectedProvider]:
    """Connect to each account whose credentials the environment has, by the name that orders use. `say` gets a
    line about each of the others. Raises SpecError for wrong settings."""
    dialects, problems = dialects_of(project)
    if problems:
        raise SpecError(problems)
    accounts: dict[str, ConnectedProvider] = {}
    for alias, config in project.providers.items():
        if config.kind == LOCAL:
            continue
        dialect = dialects[alias]
        pace = paced(dialect.pace, config)
        try:
            transport = connect(config, dialect, pace)
        except ClipformError as error:
            say(f"{error.message}; orders of account {account_name(config)} wait for another worker")
            continue
        endpoint = endpoints.endpoint(config, dialect)
        accounts[account_name(config)] = ConnectedProvider(
            alias, config.kind, dialect, transport, pace, endpoint=endpoint
        )
    return accounts


def require_fit(account: ConnectedProvider, handed: HandedOrder) -> None:
    """Raise ClipformError for an order that was planned for another kind or address than this account has here: its
    requests go where the worker's own file says, or nowhere."""
    if (account.kind, account.endpoint) != (handed.config.kind, handed.endpoint):
        text = f"it was planned for {handed.config.kind} at {handed.endpoint}, and this worker has {account.kind} at"
        raise ClipformError(f"{text} {account.endpoint} under that name of account", code="handed-place")
