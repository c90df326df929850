"""Reported values: what a report may say, how rows of the catalogue count them, and how fast."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from testbed.feed_event import NOW, event, records
from testbed.pipeline import make_parser

from ioc.catalogue import DATA, Measure, StoredMeasure, compile_measures, contribution_expr, load_catalogue
from ioc.catalogue.indicator import REPORT_FEED, REPORT_PERIODS
from ioc.catalogue.plan import Reported, ReportedFlow, ReportedMean, ReportedStock
from ioc.feeds.declared.report_value import FEED, ReportValue
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from streams.rules.contribute import Contributor
from streams.rules.fold import fold_sums, matrix_of

BEDS: dict[str, Any] = {
    "agency": "so-y-te",
    "indicator": "health_system.beds",
    "area_code": "77",
    "period": "quarter",
    "period_start": "2024-07-01",
    "value": 2530,
}


def test_a_report_is_named_by_what_it_speaks_of() -> None:
    assert ReportValue.model_validate(BEDS).record_key() == "health_system.beds/77/quarter/2024-07-01"


@pytest.mark.parametrize(
    "wrong",
    [
        {"period_start": "2024-08-01"},
        {"period": "week", "period_start": "2024-10-01"},
        {"period": "decade"},
        {"value": float("nan")},
        {"value": 1e12},
        {"value": 100_000_000_000.001},
        {"value": -1e12},
        {"indicator": "beds"},
        {"area_code": "Vũng Tàu"},
    ],
)
def test_what_is_no_report(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReportValue.model_validate(BEDS | wrong)


def test_a_report_speaks_of_an_area_of_any_level(profile: Profile) -> None:
    events = [
        event(FEED.key, "so-y-te", ReportValue.model_validate(data).record_key(), 1, data)
        for data in (BEDS | {"area_code": area} for area in ("77", "747", "26506", "999"))
    ]
    parsed = make_parser(FEED, profile).parse(FEED.topic(), 0, records(events), now=NOW)
    assert [profile.areas[found].code for found in parsed.events["area_id"]] == ["77", "747", "26506"]
    assert parsed.events["next_start"].to_list() == [date(2024, 10, 1)] * 3
    assert [rejection.reasons[0].rule for rejection in parsed.rejections] == ["unknown_area"]


@pytest.mark.parametrize(
    ("code", "kind", "until", "local"),
    [
        ("economy.imports", ReportedFlow, "", False),
        ("health_system.beds", ReportedStock, "next_start", False),
        ("electricity.loss", ReportedMean, "next_start", True),
        ("index.pci.score", ReportedMean, "next_start", True),
    ],
)
def test_how_reports_add_up(
    feeds: Mapping[str, Feed], code: str, kind: type[Reported], until: str, local: bool
) -> None:
    catalogue = load_catalogue(DATA, feeds)
    plan = compile_measures(catalogue).plans[code]
    condition = f"indicator = '{code}' AND period = '{REPORT_PERIODS[catalogue.indicators[code].cadence]}'"
    assert type(plan) is kind
    assert (plan.amount, plan.reports, plan.opening) == (
        Measure(REPORT_FEED, "sum", "value", condition, until=until, decimals=3, local=local),
        Measure(REPORT_FEED, "sum", "1", condition, until=until, local=local),
        Measure(REPORT_FEED, "sum", "1"),
    )
    of_its_own = (plan.amount, plan.reports)
    assert plan.running == (() if kind is ReportedFlow else of_its_own)
    assert plan.periodic == (of_its_own if kind is ReportedFlow else ())


def test_a_monthly_flow_has_no_figure_of_a_day(feeds: Mapping[str, Feed]) -> None:
    plans = compile_measures(load_catalogue(DATA, feeds)).plans
    assert plans["economy.imports"].periods == ("month", "quarter", "year")
    assert plans["electricity.consumption.total"].periods == ("day", "week", "month", "quarter", "year")


def test_values_count_to_the_thousandth() -> None:
    measure = Measure(REPORT_FEED, "sum", "value", "period = 'month'", decimals=3)
    frame = pl.DataFrame(
        {"value": [621.5, -0.001, 10.0**12, 7.0], "period": ["month", "month", "month", "year"]}
    ).with_columns(effective_on=pl.lit(date(2024, 8, 1)))
    assert frame.select(contribution_expr(measure)).to_series().to_list() == [621500, -1, 10**15, 0]


def test_what_is_local_counts_in_no_area_above() -> None:
    chains = pl.DataFrame([(2, 2), (2, 1), (1, 1)], schema={"origin_id": pl.Int32, "area_id": pl.Int32}, orient="row")
    deltas = pl.DataFrame(
        {"area_id": [2, 1], "bucket": [date(2024, 10, 1)] * 2}, schema={"area_id": pl.Int32, "bucket": pl.Date}
    )
    cells = fold_sums(deltas, matrix_of([[10, 10], [3, 3]], 2), chains, local=[1])
    days = cells.keys.with_row_index("at").filter(pl.col("period") == "day")
    assert {area: cells.sums[at].tolist() for at, area in days.select("at", "area_id").iter_rows()} == {
        1: [13, 3],
        2: [10, 10],
    }


def test_five_thousand_reports_take_less_than_a_second(feeds: Mapping[str, Feed]) -> None:
    compiled = compile_measures(load_catalogue(DATA, feeds))
    measures = [StoredMeasure(n, n, measure) for n, measure in enumerate(compiled.of_feed(REPORT_FEED), 1)]
    contributor = Contributor(measures)
    codes = [m.measure.condition.split("'")[1] for m in measures if "indicator" in m.measure.condition]
    frame = pl.DataFrame(
        {
            "area_id": [n % 80 for n in range(5000)],
            "indicator": [codes[n % len(codes)] for n in range(5000)],
            "period": ["month"] * 5000,
            "value": [float(n) for n in range(5000)],
            "sign": [1] * 5000,
        }
    ).with_columns(effective_on=pl.lit(date(2024, 9, 1)), next_start=pl.lit(date(2024, 10, 1)))
    started = time.process_time()
    deltas = contributor.deltas(frame)
    assert time.process_time() - started < 1
    assert deltas.height == 160
