"""Behind a pooler whose clients get another connection for each transaction the laws are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import test_leases
from team_kit import Connect, Team

from reconciler.clock import SystemClock
from reconciler.engine.operations import doctor_shared
from reconciler.project.workspace import Workspace
from reconciler.state import shared
from reconciler.state.sql.postgres import PostgreSQL
from tests.program.pooler import pooler


@pytest.fixture(scope="module")
def address(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pooler(database, tmp_path_factory.mktemp("pooler")) as url:
        yield url


@pytest.fixture
def team(address: str, shared_sql: Connect) -> Iterator[Team]:
    """Its members are behind the pooler; what looks at the locks is not."""
    direct, opened = shared_sql(), list[PostgreSQL]()

    def connected(project: str = "film") -> PostgreSQL:
        opened.append(shared.connect(address, direct.schema, project))
        return opened[-1]

    together = Team(connected)
    together.sql = direct
    yield together
    for each in (*together.stores, *opened):
        each.sql.close() if isinstance(each, test_leases.SharedStore) else each.close()


@pytest.mark.parametrize("law", test_leases.LAWS, ids=lambda law: law.__name__)
def test_a_law_holds_behind_a_pooler(law: Callable[[Team], None], team: Team) -> None:
    law(team)


def test_the_doctor_says_that_workers_hear_nothing_through_it(
    address: str, database: str, shared_sql: Connect, tmp_path: Path
) -> None:
    schema = shared_sql().schema

    def checked(url: str, workers: str) -> list[tuple[str, bool]]:
        section = f"state: {{url: '{url}', schema: {schema}, project: film, workers: {workers}}}"
        (tmp_path / "clipform.yaml").write_text(
            f"version: 1\n{section}\ncache: {{remote: 'file://{tmp_path}/shared', push: auto, pull: auto}}\n"
            "clips: {a: {prompt: p, provider: draft}}\n"
        )
        return [(item.name, item.ok) for item in doctor_shared.checkup(Workspace(tmp_path, SystemClock(), {}))]

    reached = ("shared state", True)
    assert checked(address, "off") == [reached]
    assert checked(address, "prefer") == [reached, ("announcements", False)]
    assert checked(database, "prefer") == [reached, ("announcements", True)]
    assert checked("postgresql://clipform@127.0.0.1:9/none?sslmode=disable", "off") == [("shared state", False)]
