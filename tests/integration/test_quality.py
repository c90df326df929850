"""The platform measures its own data and reports it on the way of every event; figures by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import psycopg
import pytest
from testbed.feed_event import HOTEL, place, stay
from testbed.pipeline import Pipeline
from testbed.quality_bed import (
    DAY,
    INDICATORS,
    LOSS,
    NOON,
    PROVINCE,
    REGISTER,
    REPORTS,
    STAYS,
    commit_at,
    local,
    meter_of,
    received,
    ten_stays,
    told,
    values,
    without,
)

from ioc.catalogue import Catalogue
from ioc.errors import ConfigError
from streams.quality.report import QualityMeter
from streams.rules.quality import codes


def test_the_account_of_a_day_by_hand(pipeline: Pipeline, meter: QualityMeter, db: psycopg.Connection) -> None:
    # The evening before: one good event, committed in the day's last millisecond.
    pipeline.apply(STAYS, received(100, [stay(guest=50)], local("10-19 23:59:58")), partition=1, known_gap=True)
    commit_at(db, local("10-19 23:59:59.999"))
    ten_stays(pipeline, db)
    # The midnight after: committed on the next day, whatever the rejection's own time says.
    pipeline.apply(STAYS, received(10, [without(stay(guest=60), "sex")], local("10-20 23:59:59")))
    commit_at(db, local("10-21 00:00"), refused_at=local("10-20 23:59:59.9"))

    at_noon = meter.report([DAY], NOON)
    expected = {
        "valid_rate.lodging_stay": 50.0,
        "missing_rate.lodging_stay": 20.0,
        "duplicate_rate.lodging_stay": 10.0,
        "freshness_lag.lodging_stay": 3 * 3600 + 30,
        "indicators_total": INDICATORS,
        "indicators_live": 0,
    }
    assert values(at_noon) == expected
    assert values(at_noon, "month", date(2024, 10, 1)) == {"agencies": 0, "indicators_added": 0}
    (valid,) = (one for one in at_noon if "valid_rate" in one.figure.indicator)
    assert (valid.figure.part, valid.figure.whole, valid.area_code) == (5, 10, PROVINCE)

    # The day is over: what can be read again is, up to its end; what was live then cannot.
    del expected["indicators_live"]
    over = meter.report([DAY], local("10-25 12:00"))
    assert values(over) == expected | {"freshness_lag.lodging_stay": 15 * 3600 + 30}
    before, after = date(2024, 10, 19), date(2024, 10, 21)
    two = meter.report([before, after], local("10-21 00:00:10"))
    assert values(two, start=before) == {
        "valid_rate.lodging_stay": 100.0,
        "missing_rate.lodging_stay": 0.0,
        "duplicate_rate.lodging_stay": 0.0,
        "freshness_lag.lodging_stay": 2.0,
        "indicators_total": INDICATORS,
    }
    # A rejected event makes no feed fresher: the newest record is that of 08:59:30.
    assert values(two, start=after) == {
        "valid_rate.lodging_stay": 0.0,
        "missing_rate.lodging_stay": 100.0,
        "duplicate_rate.lodging_stay": 0.0,
        "freshness_lag.lodging_stay": 15 * 3600 + 30 + 10,
        "indicators_total": INDICATORS,
        "indicators_live": 0,
    }
    with pytest.raises(ConfigError, match="has not begun"):
        meter.report([date(2024, 10, 22)], local("10-21 12:00"))


def test_indicators_are_counted_as_they_were(meter: QualityMeter, db: psycopg.Connection) -> None:
    def counted(day: str, now: datetime) -> tuple[float | None, float | None]:
        on = date.fromisoformat(f"2024-{day}")
        reports = meter.report([on], now)
        added = values(reports, "month", on.replace(day=1)).get("indicators_added")
        return values(reports, start=on).get("indicators_total"), added

    late = ["lodging.guests.total", "lodging.nights.total", LOSS]
    db.execute("UPDATE indicator SET created_at = %s WHERE code = ANY(%s)", [local("10-02 08:00"), late])
    db.execute(
        "UPDATE indicator SET live = false, retired_at = %s WHERE code = 'economy.imports'", [local("10-20 11:00")]
    )
    # Another version of a row is no new indicator.
    db.execute("UPDATE indicator SET live = false, retired_at = %s WHERE code = %s", [local("10-03 08:00"), LOSS])
    db.execute(
        "INSERT INTO indicator (code, version, live, sector, slot, kind, definition, name_vi, name_en, unit, owner, "
        "cadence, direction, created_at) SELECT code, 2, true, sector, 9999, kind, definition, name_vi, name_en, unit, "
        "owner, cadence, direction, retired_at FROM indicator WHERE code = %s",
        [LOSS],
    )
    assert counted("10-20", NOON) == (INDICATORS - 1, 3)
    assert counted("10-19", NOON) == (INDICATORS, 3)
    assert counted("09-30", NOON) == (INDICATORS - 3, INDICATORS - 3)
    assert counted("08-31", NOON) == (None, None), "the platform was not there"


def test_an_indicator_is_live_within_its_limit(pipeline: Pipeline, meter: QualityMeter, db: psycopg.Connection) -> None:
    sent = [
        told("cuc-thong-ke", LOSS, "2024-09-01", 3.5),
        # For a commune alone: the province has no figure.
        {**told("cuc-thong-ke", "index.pci.score", "2024-01-01", 66.0, period="year")},
    ]
    sent[1]["data"]["area_code"] = "747"
    sent[1]["subject"] = sent[1]["subject"].replace("/77/", "/747/")
    assert pipeline.apply(REPORTS, received(0, sent, NOON)).accepted == 2
    commit_at(db, local("10-05 12:00"))
    pipeline.roll_up()

    def live(moment: datetime) -> float:
        return values(meter.report([moment.date()], moment), start=moment.date())["indicators_live"]

    # September's figure is live for 46 days after September; its feed delivered on 5 October, for 46 days as well.
    assert (live(NOON), live(local("11-15 23:00")), live(local("11-16 00:00"))) == (1, 1, 0)
    db.execute("DELETE FROM stream_batch")
    assert live(NOON) == 0, "the feed has never delivered"


def test_agencies_are_those_whose_records_came_in_the_month(
    pipeline: Pipeline, meter: QualityMeter, db: psycopg.Connection
) -> None:
    pipeline.apply(STAYS, received(0, [stay()], NOON))
    pipeline.apply(REGISTER, received(0, [place(HOTEL, "2020-01-01")], local("10-01 00:00")))
    pipeline.apply(
        REPORTS,
        [
            *received(0, [told("cuc-thong-ke", LOSS, "2024-08-01", 3)], local("10-20 11:59:59")),
            *received(
                1, [told("so-y-te", "health_system.beds", "2024-07-01", 9, period="quarter")], local("09-30 23:59")
            ),
            *received(2, [told("ioc-tinh", "data_quality.alerts_open", "2024-10-19", 2, period="day")], NOON),
        ],
    )
    commit_at(db, NOON)

    def agencies(day: date, now: datetime) -> float | None:
        return values(meter.report([day], now), "month", day.replace(day=1)).get("agencies")

    assert agencies(DAY, NOON) == 2
    assert agencies(DAY, local("10-31 23:59")) == 2
    assert agencies(DAY, local("11-01 00:00")) is None, "October is over"
    assert agencies(date(2024, 11, 1), local("11-01 00:00")) == 0


def test_reports_are_counted_against_their_deadlines(
    pipeline: Pipeline, catalogue: Catalogue, meter: QualityMeter, db: psycopg.Connection
) -> None:
    """September's reports were due on 6 October at 17:00; what was corrected later was in time all the same."""
    monthly = [
        code for code, row in catalogue.indicators.items() if row.kind == "reported" and row.cadence == "monthly"
    ]
    owed = [code for code in monthly if code not in codes(pipeline.feeds)]
    in_time, late, corrected, _missing = owed[:4]
    real = meter_of(pipeline, catalogue, simulated=False)
    at = {"in time": local("10-06 17:00"), "late": local("10-06 17:00:01"), "again": local("10-12 09:00")}
    pipeline.apply(
        REPORTS,
        [
            *received(0, [told("so-y-te", in_time, "2024-09-01", 1), told("so-y-te", corrected, "2024-09-01", 1)],
                      at["in time"]),
            *received(2, [told("so-y-te", late, "2024-09-01", 1)], at["late"]),
            *received(3, [told("so-y-te", corrected, "2024-09-01", 2, 2)], at["again"]),
        ],
    )  # fmt: skip
    # The replaced revision was stored as it came.
    db.execute("ALTER TABLE record_revision DISABLE TRIGGER refuse_change")
    db.execute("UPDATE record_revision SET recorded_at = %s", [at["in time"]])

    def reports(now: datetime) -> dict[str, float]:
        found = values(real.report([now.date()], now), "month", now.date().replace(day=1))
        return {name: found[name] for name in ("reports_due", "reports_on_time", "reports_late") if name in found}

    def of_day(before: datetime, after: datetime) -> tuple[float, ...]:
        first, last = reports(before), reports(after)
        return tuple(last[name] - first.get(name, 0) for name in ("reports_due", "reports_on_time", "reports_late"))

    quarterly = sum(
        row.kind == "reported" and row.cadence == "quarterly" and code not in codes(pipeline.feeds)
        for code, row in catalogue.indicators.items()
    )
    # The month's and the quarter's reports are due at the same moment.
    five, due, soon = local("10-06 16:59:59"), local("10-06 17:00"), local("10-06 17:00:02")
    assert of_day(five, due) == (len(owed) + quarterly, 2, 0)
    assert of_day(due, soon) == (0, 0, 1)
    # Nothing was owed before the catalogue was loaded, and a simulated province's reports keep no deadline.
    db.execute("UPDATE indicator SET created_at = %s", [soon])
    assert reports(soon)["reports_due"] == 0
    assert "reports_due" not in values(meter.report([soon.date()], soon), "month", date(2024, 10, 1))


def test_alerts_are_incidents_about_the_data_that_are_open(meter: QualityMeter, db: psycopg.Connection) -> None:
    def alerts(now: datetime) -> float | None:
        return values(meter.report([now.date()], now), start=now.date()).get("alerts_open")

    assert alerts(NOON) is None, "nobody watches"
    for kind, opened, closed in (
        ("feed_silent", "10-19 08:00", None),
        ("reporter_missing", "10-19 08:00", "10-20 11:00"),
        ("lagging", "10-19 08:00", None),
        ("rejections_up", "10-20 12:30", None),
    ):
        db.execute(
            "INSERT INTO incident (cause, kind, severity, sector, owner, title_vi, title_en, summary_vi, summary_en, "
            "evidence, since, opened_at, changed_at, seen_at, step_at, closed_at) VALUES (%(kind)s, %(kind)s, "
            "'warning', 'lodging', '', '', '', '', '', '{}', %(at)s, %(at)s, %(at)s, %(at)s, %(at)s, %(closed)s)",
            {"kind": kind, "at": local(opened), "closed": None if closed is None else local(closed)},
        )
    db.execute("INSERT INTO scheduler_job (job, finished_at) VALUES ('status', %s)", [local("10-20 13:00")])
    assert alerts(local("10-20 10:59")) == 2
    assert alerts(NOON) == 1
    assert alerts(local("10-20 12:31")) == 2
    assert alerts(local("10-20 13:05")) == 2
    assert alerts(local("10-20 13:06") + timedelta(minutes=1)) is None, "nobody watches any more"
