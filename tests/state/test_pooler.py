"""Behind a pooler whose clients get another connection for each transaction the laws are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import test_leases
from team_kit import Connect, Team

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
