"""The rows themselves: every one counts something, and breakdowns that are exhaustive sum to their totals."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any, get_args

import polars as pl
import pytest
from testbed import health, public_service
from testbed.breakdown import LODGING_AND_INVOICES, Breakdown

from ioc.catalogue import Catalogue, Compiled, Indicator, Measure, contribution_expr, member_expr
from ioc.catalogue.indicator import REPORT_FEED, REPORT_PERIODS
from ioc.feeds.declared.tax_einvoice import FUELS, TaxEinvoice
from ioc.feeds.declared.tourism_stay import TourismStay
from ioc.feeds.feed import Feed
from ioc.period import end_of, start_of

DAY = date(2024, 10, 5)
RECORDS = 3000
NATIONALITIES = (
    "KOR",
    "CHN",
    "TWN",
    "JPN",
    "USA",
    "RUS",
    "AUS",
    "GBR",
    "FRA",
    "DEU",
    "IND",
    "SGP",
    "MYS",
    "THA",
    "KHM",
    "ITA",
)
TYPES = ("hotel", "resort", "apartment", "villa", "guesthouse", "homestay", "camping")
RATES = ("0", "5", "8", "10", "exempt", "not_declared", "other")
Record = dict[str, Any]


def choices(model: Any, field: str) -> list[Any]:
    """Return the values of a literal field, the optional's null left out."""
    hint = model.model_fields[field].annotation
    return [value for arg in get_args(hint) for value in (get_args(arg) or [arg]) if value is not type(None)]


def a_stay(rng: random.Random) -> Record:
    domestic = rng.random() < 0.7
    arrival = DAY - timedelta(days=rng.randrange(20))
    return {
        "establishment_id": f"77-747-{rng.randrange(40):04d}",
        "guest_id": f"k1:{rng.randrange(2000):032x}",
        "origin": "domestic" if domestic else "international",
        "nationality": "VNM" if domestic else rng.choice(NATIONALITIES),
        "sex": rng.choice(choices(TourismStay, "sex")),
        "age_years": rng.randrange(90),
        "purpose": rng.choice(choices(TourismStay, "purpose")),
        "doc_type": rng.choice(choices(TourismStay, "doc_type")),
        "home_region": rng.choice(choices(TourismStay, "home_region")) if domestic else None,
        "check_in_on": arrival,
        "planned_check_out_on": arrival + timedelta(days=rng.randrange(12)),
        "check_out_on": arrival + timedelta(days=rng.randrange(12)) if rng.random() < 0.8 else None,
        "overnight": rng.random() < 0.9,
        "declared_at": datetime(2024, 10, 5, tzinfo=UTC),
        "declared_late": rng.random() < 0.1,
        "lodging_type": rng.choice(TYPES),
        "star": rng.randrange(6),
        "effective_on": arrival,
    }


def a_report(rng: random.Random) -> Record:
    counts = {name: rng.randrange(100) for name in ("rooms_sold", "revenue_room", "revenue_fnb", "revenue_other")}
    place = {"establishment_id": f"77-747-{rng.randrange(40):04d}", "star": rng.randrange(6)}
    return place | counts | {"effective_on": DAY, "lodging_type": rng.choice(TYPES)}


def an_invoice(rng: random.Random) -> Record:
    relation = rng.choice(choices(TaxEinvoice, "relation"))
    counted = relation in ("original", "adjustment", "replacement")
    nets = {f"net_{rate}": rng.randrange(10**7) for rate in rng.sample(RATES, rng.randrange(3)) if counted}
    vats = {f"vat_{rate}": nets[f"net_{rate}"] * int(rate) // 100 for rate in ("5", "8", "10") if f"net_{rate}" in nets}
    signed = datetime(2024, 10, 5, tzinfo=UTC) + timedelta(minutes=rng.randrange(1440))
    fuel = rng.choice(FUELS)
    sale = rng.random() < 0.4 and counted
    shop = {f"litres_{fuel}": rng.randrange(10**5) / 1000, f"fuel_{fuel}": rng.randrange(10**6)} if sale else {}
    return {
        "seller_id": f"3590{rng.randrange(100):06d}",
        "template": rng.choice("123456"),
        "series": f"{rng.choice('CK')}24{rng.choice('TM')}AA",
        "relation": relation,
        "signed_at": signed,
        "sent_at": signed + timedelta(minutes=rng.randrange(3000)),
        "pay_method": rng.choice(choices(TaxEinvoice, "pay_method")),
        "buyer_type": rng.choice(choices(TaxEinvoice, "buyer_type")),
        "amount_net": sum(nets.values()) + (rng.randrange(1000) if counted else 0),
        "amount_vat": sum(vats.values()),
        "shop_id": f"3590000051.{rng.randrange(30)}",
        "pump_auto": rng.random() < 0.5,
        "place_type": "petrol" if sale else "seller",
        "seller_type": rng.choice(("soe", "private", "fdi", "household")),
        "vsic": rng.choice("abcdefghijklmnpqrs"),
        "effective_on": DAY,
        **nets,
        **vats,
        **shop,
    }


def an_entry(rng: random.Random) -> Record:
    registry = rng.choice(("lodging", "petrol", "einvoice", "einvoice_pos", "vaccination_site", "env_station"))
    sizes = {"rooms": rng.randrange(1, 300), "star": rng.randrange(6), "type": rng.choice(TYPES)}
    return {"registry": registry, "effective_on": DAY, **(sizes if registry == "lodging" else {})}


def a_reported_value(rng: random.Random, indicator: Indicator) -> Record:
    period = REPORT_PERIODS[indicator.cadence]
    return {
        "indicator": indicator.code,
        "period": period,
        "effective_on": start_of(period, DAY),
        "next_start": end_of(period, start_of(period, DAY)) + timedelta(days=1),
        "value": rng.randrange(1, 10**6) / 100,
    }


@pytest.fixture(scope="module")
def frames(feeds: Mapping[str, Feed], catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    makers: dict[str, Callable[[random.Random], Record]] = {
        "tourism.stay": a_stay,
        "tourism.daily_report": a_report,
        "tax.einvoice": an_invoice,
        "registry.reporter": an_entry,
        **{key: partial(bed.stored, key) for bed in (health, public_service) for key in bed.MAKERS},
    }
    reported = cycle([found for found in catalogue.indicators.values() if found.kind == "reported"])
    makers["report.value"] = lambda rng: a_reported_value(rng, next(reported))
    rng = random.Random(7)
    return {key: frame_of(feeds[key], [make(rng) for _ in range(RECORDS)]) for key, make in makers.items()}


def frame_of(feed: Feed, records: list[Record]) -> pl.DataFrame:
    given = {column.name: column.dtype for column in feed.columns if column.name not in feed.derive}
    frame = pl.DataFrame(records, schema={**given, "effective_on": pl.Date(), "reporter": pl.String()})
    return frame.with_columns(expr.cast(dtype).alias(name) for name, (dtype, expr) in feed.derive.items())


def total(frames: Mapping[str, pl.DataFrame], measure: Measure) -> int:
    """Return a measure over all records of its feed."""
    frame = frames[measure.feed]
    if measure.kind == "distinct":
        return int(frame.select(member_expr(measure).drop_nulls().n_unique())[0, 0])
    return int(frame.select(contribution_expr(measure).sum())[0, 0])


def test_every_measure_counts_something(frames: Mapping[str, pl.DataFrame], compiled: Compiled) -> None:
    """Those of a feed without a maker here are counted in tests/unit/simulator/test_coverage.py."""
    tried = [measure for measure in compiled.measures if measure.feed in frames]
    assert len(tried) > 1500
    assert [measure for measure in tried if total(frames, measure) == 0] == []


@pytest.mark.parametrize("breakdown", LODGING_AND_INVOICES, ids=str)
def test_exhaustive_breakdowns_sum_to_their_totals(
    frames: Mapping[str, pl.DataFrame], catalogue: Catalogue, compiled: Compiled, breakdown: Breakdown
) -> None:
    codes = breakdown.codes(catalogue)
    assert len(codes) == breakdown.parts
    figures = [total(frames, compiled.plans[code].measures[0]) for code in codes]
    assert sum(figures) == total(frames, compiled.plans[breakdown.whole].measures[0])


def test_an_invoice_without_times_is_neither_on_time_nor_late(feeds: Mapping[str, Feed], compiled: Compiled) -> None:
    signed = datetime(2024, 10, 5, 8, tzinfo=UTC)
    lags = (timedelta(minutes=5), timedelta(hours=24), timedelta(hours=25), None)
    invoice = {"template": "1", "series": "C24TAA", "relation": "original", "signed_at": signed, "effective_on": DAY}
    records = [invoice | {"sent_at": None if lag is None else signed + lag} for lag in lags]
    records.append(invoice | {"relation": "error_notice", "sent_at": signed})
    plan = compiled.plans["einvoice.on_time_rate"]
    part, whole = (total({"tax.einvoice": frame_of(feeds["tax.einvoice"], records)}, m) for m in plan.measures)
    assert (part, whole, plan.scale) == (2, 3, 100)


def test_a_facility_without_insured_patients_is_none_of_the_contracted(
    feeds: Mapping[str, Feed], compiled: Compiled
) -> None:
    visits = [
        {"reporter": "77001", "id_method": "cccd_chip", "payer": "bhyt"},
        {"reporter": "77001", "id_method": "cccd_chip", "payer": "bhyt"},
        {"reporter": "77002", "id_method": "cccd_chip", "payer": "self_pay"},
        {"reporter": "77003", "id_method": "bhyt_card", "payer": "bhyt"},
    ]
    frame = frame_of(feeds["health.checkout"], [visit | {"effective_on": DAY} for visit in visits])
    measure = compiled.plans["health_visit.cccd_facilities"].measures[0]
    assert total({"health.checkout": frame}, measure) == 1


ROWS = {
    "health_record": 49,
    "health_visit": 203,
    "vaccination": 121,
    "lodging": 132,
    "einvoice": 112,
    "petrol": 41,
    "dossier": 74,
    "feedback": 28,
    "document": 27,
    "data_quality": 56,
    "dti": 44,
    "citizen_app": 14,
    "telecom": 31,
    "infosec": 27,
    "environment": 56,
    "education": 25,
    "social": 18,
    "electricity": 17,
    "transport": 19,
    "public_order": 22,
    "population": 23,
    "agriculture": 21,
    "economy": 31,
    "budget": 19,
    "labour": 11,
    "land": 15,
    "community": 14,
    "banking": 12,
    "tourism_culture": 9,
    "health_system": 17,
    "index": 10,
}


def test_there_are_1298_rows(catalogue: Catalogue) -> None:
    assert {sector: len(catalogue.of_sector(sector)) for sector in catalogue.sectors} == ROWS
    assert len(catalogue.indicators) == sum(ROWS.values()) == 1298


def test_no_target_is_made_of_what_is_none(catalogue: Catalogue) -> None:
    """Highest scores and figures once reached are told, and are no targets; a target names who set it."""
    for code, found in catalogue.indicators.items():
        told = found.definition["target_source"].partition(":")[0]
        assert told in (("target", "limit") if found.target else ("", "max", "benchmark", "limit")), code


def test_every_target_of_the_feeds_names_its_source(catalogue: Catalogue, compiled: Compiled) -> None:
    targets = {
        code: i.target
        for code, i in catalogue.indicators.items()
        if i.target is not None and REPORT_FEED not in compiled.feeds(code)
    }
    sources = {code: target.source.partition(":")[0] for code, target in targets.items()}
    assert sources == {
        "petrol.einvoice_rate": "target",
        **{f"vaccination.coverage.{dose}": "target" for dose in ("dpt_vgb_hib_3", "measles", "mr")},
        "vaccination.fully_immunised_rate": "target",
        **{code: "limit" for code in catalogue.indicators if code.startswith("vaccination.dropout.")},
        "dossier.reuse_rate": "target",
        "dossier.satisfaction_rate": "target",
        "dossier.online_payment_rate": "target",
        **{f"document.case_online_rate.level_{level}": "target" for level in ("province", "district", "commune")},
    }
    assert "1123/CĐ-TTg" in targets["petrol.einvoice_rate"].source


def test_who_guests_are_is_neither_better_nor_worse(catalogue: Catalogue) -> None:
    """More guests are better; that they are men, or came on business, is not."""
    personal = ("sex", "age_group", "purpose", "doc_type")
    found = [row for row in catalogue.of_sector("lodging") if row.breakdown in personal]
    assert len(found) == 16
    assert {row.direction for row in found} == {"none"}


def test_no_row_moves_more_often_than_its_feed(catalogue: Catalogue, feeds: Mapping[str, Feed]) -> None:
    finest = {"realtime": timedelta(hours=1), "hourly": timedelta(hours=2), "daily": timedelta(days=2)}
    wrong = [
        row.code
        for row in catalogue.indicators.values()
        if row.feed
        and row.kind != "reported"
        and row.cadence in finest
        and feeds[row.feed].cadence > finest[row.cadence]
    ]
    assert wrong == []


def test_a_unit_says_what_is_counted(catalogue: Catalogue) -> None:
    rows = [row for row in catalogue.indicators.values() if row.unit.endswith("/10.000 dân")]
    assert [(row.code, row.unit.partition("/")[0]) for row in rows] == [
        ("health_system.beds_10k", "giường"),
        ("health_system.doctors_10k", "bác sĩ"),
        ("health_system.nurses_10k", "người"),
    ]
