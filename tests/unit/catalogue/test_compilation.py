"""Plans: which measures an indicator needs, in which order figures follow, and what rests on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ioc.catalogue import Catalogue, Compiled, IndicatorPlan, Measure, compile_measures, load_catalogue
from ioc.catalogue.plan import DistinctCount, Quotient, RunningTotal, Total
from ioc.feeds.feed import Feed

STAY = "tourism.stay"
Write = Callable[..., Path]


def plan_of(write: Write, feeds: Mapping[str, Feed], **row: str) -> IndicatorPlan:
    catalogue = load_catalogue(write({"code": "lodging.a", **row}), feeds)
    return compile_measures(catalogue).plans["lodging.a"]


def test_a_flow_is_a_total(write: Write, feeds: Mapping[str, Feed]) -> None:
    plan = plan_of(write, feeds, value="nights", where="overnight", at="check_out_on")
    assert plan == Total("lodging.a", Measure(STAY, "sum", "nights", "overnight", "check_out_on"))


def test_a_stock_runs(write: Write, feeds: Mapping[str, Feed]) -> None:
    plan = plan_of(write, feeds, kind="stock", until="check_out_on")
    assert plan == RunningTotal("lodging.a", Measure(STAY, "sum", "1", until="check_out_on"))


def test_a_distinct_counts_members(write: Write, feeds: Mapping[str, Feed]) -> None:
    plan = plan_of(write, feeds, kind="distinct", value="guest_id")
    assert plan == DistinctCount("lodging.a", Measure(STAY, "distinct", "guest_id"))


def test_an_average_divides_by_the_records_whose_value_is_known(write: Write, feeds: Mapping[str, Feed]) -> None:
    plan = plan_of(write, feeds, kind="average", value="nights", where="overnight")
    assert plan == Quotient(
        "lodging.a",
        part=Measure(STAY, "sum", "nights", "overnight"),
        whole=Measure(STAY, "sum", "1", "overnight AND nights IS NOT NULL"),
    )


def test_a_ratio_of_records_is_a_share_in_percent(write: Write, feeds: Mapping[str, Feed]) -> None:
    plan = plan_of(write, feeds, kind="ratio", value="declared_late", where="star = 5 OR star = 4")
    assert plan == Quotient(
        "lodging.a",
        part=Measure(STAY, "sum", "1", "(star = 5 OR star = 4) AND declared_late"),
        whole=Measure(STAY, "sum", "1", "(star = 5 OR star = 4) AND declared_late IS NOT NULL"),
        scale=100,
    )


def test_decimals_stay_with_the_sum(write: Write, feeds: Mapping[str, Feed]) -> None:
    plan = plan_of(write, feeds, feed="tax.einvoice", kind="average", value="litres", decimals="3")
    assert [measure.decimals for measure in plan.measures] == [3, 0]


def test_measures_are_shared(compiled: Compiled) -> None:
    assert len(set(compiled.measures)) == len(compiled.measures)
    assert {m for plan in compiled.plans.values() for m in plan.measures} == set(compiled.measures)


def test_inputs_come_before_what_needs_them(catalogue: Catalogue, compiled: Compiled) -> None:
    seen: set[str] = set()
    for code, plan in compiled.plans.items():
        assert seen.issuperset(plan.inputs)
        seen.add(code)
    assert seen == set(catalogue.indicators)


@pytest.mark.parametrize(
    ("code", "dependents"),
    [
        ("petrol.shops", {"petrol.einvoice_rate", "petrol.auto_rate", "petrol.silent_shops"}),
        ("petrol.volume.kerosene", {"petrol.avg_price.kerosene"}),
        ("petrol.cashless_rate", set()),
    ],
)
def test_dependents(compiled: Compiled, code: str, dependents: set[str]) -> None:
    assert compiled.dependents(code) == dependents


def test_dependents_at_any_distance(write: Write, feeds: Mapping[str, Feed]) -> None:
    compiled = compile_measures(
        load_catalogue(
            write(
                {"code": "lodging.c", "feed": "", "formula": "lodging.b * 2"},
                {"code": "lodging.b", "feed": "", "formula": "lodging.a * 2"},
                {"code": "lodging.a"},
            ),
            feeds,
        )
    )
    assert compiled.dependents("lodging.a") == {"lodging.b", "lodging.c"}
    assert compiled.closure("lodging.c") == {"lodging.a", "lodging.b", "lodging.c"}


def test_feeds_of_a_formula_are_those_of_its_inputs(compiled: Compiled) -> None:
    assert compiled.feeds("lodging.occupancy.total") == ("registry.reporter", "tourism.daily_report")
    assert compiled.feeds("petrol.silent_shops") == ("registry.reporter", "tax.einvoice")
