"""The shipped price tables are those of the pages, and dated prices count on their days only."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import SpecError
from reconciler.plan import prices
from reconciler.plan.estimate import PricedRequest, settled
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.spec.model import PRICE_TABLES, Price
from reconciler.views import format
from tests.facts.kit import golden

MILLION = 1_000_000
DAY = 86_400.0
READ = 1_790_640_000.0  # 2026-09-29, a day's start in UTC, on which `ark-usd` was read


class Dated:
    """A clock that stands at one moment."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits")


def million(table: str, request: PricedRequest) -> Decimal | None:
    """Return what a million tokens cost."""
    return settled((Price.model_validate({"use": table}),), request, MILLION)


def requests(row: dict[str, Any]) -> list[PricedRequest]:
    return [PricedRequest(row["model"], name, audio=row.get("audio", True)) for name in row["resolutions"]]


@pytest.mark.parametrize("row", golden("prices"), ids=lambda row: f"{row['model']}-{row['resolutions'][-1]}")
def test_the_tables_are_those_of_the_pages(row: dict[str, Any]) -> None:
    for request in requests(row):
        for currency in ("usd", "cny"):
            table = f"ark-{currency}"
            plain, *with_video = row.get(currency, [None])
            assert million(table, request) == (None if plain is None else Decimal(str(plain)))
            if with_video:
                video = replace(request, video_input=True, input_seconds=(2, 15))
                assert million(table, video) == Decimal(str(with_video[0]))
        if "flex" in row:
            assert million("ark-usd", replace(request, tier="flex")) == Decimal(str(row["flex"]))


def test_a_mistake_in_a_table_alone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tuple(
        replace(price, row=price.row.model_copy(update={"per_1k_tokens": Decimal("0.0001")}))
        for price in prices.table("ark-usd")
    )
    monkeypatch.setattr(prices, "table", lambda name: wrong)
    with pytest.raises(AssertionError):
        test_the_tables_are_those_of_the_pages(golden("prices")[0])


def test_every_shipped_table_has_a_name_that_a_project_can_use() -> None:
    folder = Path(prices.__file__).with_name("price_tables")
    assert sorted(path.stem for path in folder.iterdir()) == sorted(PRICE_TABLES)
    assert all(price.row.source and price.read and price.currency for price in prices.tables())


def planned(folder: Path, table: str, now: float = READ + 61 * DAY, budget: str = "{total: 50}", more: str = "") -> Any:
    (folder / "clipform.yaml").write_text(
        f"""version: 1
providers: {{ark: {{kind: ark, api_key: "${{env.K}}", prices: {table}{more}}}}}
{f"budget: {budget}" if budget else ""}
defaults: {{provider: ark, duration: 5, resolution: 720p, ratio: 16:9}}
clips: {{harbour: {{prompt: a harbour}}}}
"""
    )
    workspace = Workspace(folder, Dated(now), {"K": "k"})
    return workspace.plan(Choice(), workspace.load()).plan


def price(plan: Any) -> str:
    return format.price(plan.steps[0].cost, plan.currency)


def codes(plan: Any) -> list[str]:
    return [problem.code for problem in plan.diagnostics]


def test_a_plan_says_where_its_price_is_from_and_how_old_it_is(tmp_path: Path) -> None:
    plan = planned(tmp_path, "[{use: ark-usd}]")
    assert price(plan) == "0.7623 USD (ark-usd, 61 days old)"
    assert codes(plan) == []


def test_a_row_before_the_table_wins_and_one_behind_it_does_not(tmp_path: Path) -> None:
    own = "{model: '*', per_clip: 0.5, source: our contract, from: 2026-11-01}"
    assert price(planned(tmp_path, f"[{own}, {{use: ark-usd}}]")) == "0.50 USD (our contract, 28 days old)"
    assert price(planned(tmp_path, f"[{{use: ark-usd}}, {own}]")).startswith("0.7623 USD")


def test_nothing_is_priced_unless_the_project_says_so(tmp_path: Path) -> None:
    assert price(planned(tmp_path, "[]", budget="")) == "unpriced"


@pytest.mark.parametrize(("days", "expected"), [(90, []), (91, ["old-prices"])])
def test_an_old_table_is_a_warning(tmp_path: Path, days: int, expected: list[str]) -> None:
    plan = planned(tmp_path, "[{use: ark-usd}]", READ + days * DAY)
    assert codes(plan) == expected
    assert price(plan) == f"0.7623 USD (ark-usd, {days} days old)"


@pytest.mark.parametrize(
    ("days", "expected", "warned"),
    [(-1, "unpriced", []), (0, "0.50 USD", []), (10, "0.50 USD", []), (11, "unpriced", ["ended-price"])],
)
def test_a_price_counts_on_its_days_only(tmp_path: Path, days: int, expected: str, warned: list[str]) -> None:
    row = "[{model: '*', per_clip: 0.5, from: 2026-09-29, until: 2026-10-09}]"
    plan = planned(tmp_path, row, READ + days * DAY, budget="")
    assert (price(plan).strip(), codes(plan)) == (expected.replace(" USD", ""), warned)


def test_an_ended_discount_gives_way_to_the_list_price(tmp_path: Path) -> None:
    row = "[{model: '*', per_clip: 0.01, until: 2026-10-09}, {use: ark-usd}]"
    assert price(planned(tmp_path, row)).startswith("0.7623 USD")
    assert price(planned(tmp_path, row, READ)) == "0.01 USD"


def test_the_least_seconds_are_billed(tmp_path: Path) -> None:
    assert price(planned(tmp_path, "[{per_second: 0.1, min_seconds: 8}]")) == "0.80 USD"


@pytest.mark.parametrize(
    ("table", "budget", "code"),
    [
        ("[{use: ark-cny}]", "{total: 50}", "price-currency"),
        ("[{use: ark-usd}, {use: ark-cny}]", "", "price-currency"),
        ("[{use: ark-eur}]", "", "bad-value"),
        ("[{use: ark-usd, model: '*'}]", "", "bad-value"),
        ("[{per_clip: 1, until: tomorrow}]", "", "bad-value"),
    ],
)
def test_a_table_that_cannot_count_is_refused(tmp_path: Path, table: str, budget: str, code: str) -> None:
    with pytest.raises(SpecError) as refused:
        planned(tmp_path, table, budget=budget)
    assert [problem.code for problem in refused.value.diagnostics] == [code]
    assert all(problem.source for problem in refused.value.diagnostics)


def test_the_currency_is_that_of_the_table_if_the_project_has_no_budget(tmp_path: Path) -> None:
    assert price(planned(tmp_path, "[{use: ark-cny}]", budget="")) == "5.01 CNY (ark-cny, 28 days old)"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://ark.ap-southeast.bytepluses.com/api/v3", []),
        ("https://ark.ap-southeast.bytepluses.com.invalid/api/v3", [True]),
    ],
)
def test_the_second_region_is_an_address_of_the_kind(tmp_path: Path, address: str, expected: list[bool]) -> None:
    plan = planned(tmp_path, "[{use: ark-usd}]", more=f", base_url: '{address}'")
    assert [demand.is_asked for demand in plan.demands] == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("{per_clip: 0.50}, {per_second: 0.08}", "0.40–0.50 USD"),
        ("{per_second: 0.12}, {per_clip: 0.50}", "0.50–0.60 USD"),
        ("{per_clip: 0.50}", "0.50 USD"),
    ],
)
def test_what_is_billed_in_one_of_two_units_is_reserved_at_the_larger(tmp_path: Path, rows: str, expected: str) -> None:
    """JimmyAI's Mini special: per task by its page, per second by the vendor's tool."""
    prices = rows.replace("{", "{model: 'seedance2.0-mini-sp', ")
    (tmp_path / "clipform.yaml").write_text(
        f"""version: 1
providers: {{reseller: {{kind: jimmyai, api_key: "${{env.K}}", prices: [{prices}]}}}}
budget: {{total: 50}}
defaults: {{provider: reseller, model: seedance2.0-mini-sp, duration: 5, resolution: 720p, ratio: 16:9}}
clips: {{harbour: {{prompt: a harbour}}}}
"""
    )
    workspace = Workspace(tmp_path, Dated(READ), {"K": "k"})
    assert price(workspace.plan(Choice(), workspace.load()).plan) == expected
