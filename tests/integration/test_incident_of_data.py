"""What opens an incident of the data: silence, refusals, totals, missing reporters, outages; on simulated time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta

import psycopg
import pytest
from testbed.province_day import DAY, MINUTE, NOW, RATE, ProvinceDay, kinds, local, put_rates

from ioc.feeds.feed import Feed
from ioc.incident.reading import list_quality
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.rules.wording import Bilingual
from streams.status.outage import Outage
from streams.status.quality_job import QualityJob


@pytest.fixture
def province(settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> ProvinceDay:
    return ProvinceDay(settings, db, profile, feeds)


def test_a_feed_silent_for_two_days_is_one_incident_and_nothing_lags(province: ProvinceDay) -> None:
    put_rates(province, whole=15.0, low=12.0)
    province.alive(NOW)
    province.look(NOW)
    (lagging,) = [row for row in province.incidents() if row["kind"] == "lagging"]
    others = [feed for feed in province.feeds if feed != "dossier.event"]
    for hours in (12, 24, 36, 48):
        now = NOW + timedelta(hours=hours)
        province.alive(now, others)
        province.look(now)
        province.look(now + 3 * MINUTE)
    assert province.row(RATE)["status"] == "stale"
    assert province.row(RATE)["cause"] == "dossier.event"
    silent = [row for row in province.incidents(closed=True) if row["kind"] == "feed_silent"]
    assert [row["feed"] for row in silent] == ["dossier.event"]
    # The lag is not known any more: its incident neither closes nor changes.
    still = next(row for row in province.incidents() if row["kind"] == "lagging")
    assert still["changed_at"] >= lagging["opened_at"]
    assert still["closed_at"] is None
    # It speaks again: the silence ends, once.
    back = NOW + timedelta(hours=49)
    put_rates(province, whole=15.0, low=12.0, day=DAY + timedelta(days=1))
    province.alive(back)
    province.look(back)
    province.look(back + 12 * MINUTE)
    (ended,) = [row for row in province.incidents(closed=True) if row["kind"] == "feed_silent"]
    assert ended["closed_at"] is not None
    assert province.history(ended["incident_id"])[0] == "opened"
    assert province.history(ended["incident_id"])[-1] == "closed"


def test_a_feed_that_sends_only_refused_events_is_not_live(province: ProvinceDay) -> None:
    province.alive(NOW)
    province.look(NOW)
    now = NOW
    for _ in range(8):
        now += 5 * MINUTE
        province.alive(now, [feed for feed in province.feeds if feed != "tourism.stay"])
        province.batch("tourism.stay", now, accepted=0, rejected=5, rule="unknown_code")
    province.look(now)
    province.look(now + MINUTE)
    assert kinds(province) == ["rejections_up:tourism.stay"]
    (incident,) = province.incidents()
    assert incident["severity"] == "critical"
    assert incident["evidence"]["rules"][0]["rule"] == "unknown_code"
    assert "unknown_code" in incident["summary_vi"]


def test_rejections_that_jump_name_the_rule_and_since_when(province: ProvinceDay) -> None:
    province.alive(NOW)
    for minute in range(0, 60, 10):
        at = NOW - timedelta(hours=30) + minute * MINUTE
        province.batch("tax.einvoice", at, accepted=99, rejected=1, rule="bad_total")
    began = NOW - 30 * MINUTE
    # The code list was loaded anew a little before; what is refused since may come of that.
    province.db.execute("UPDATE profile SET loaded_at = %s", [began - 5 * MINUTE])
    province.batch("tax.einvoice", began, accepted=60, rejected=40, rule="unknown_code")
    province.alive(NOW)
    for minutes in (0, 1, 30):
        province.look(NOW + minutes * MINUTE)
    (incident,) = [row for row in province.incidents() if row["kind"] == "rejections_up"]
    assert incident["feed"] == "tax.einvoice"
    assert incident["since"] == began
    assert incident["evidence"]["share"] > 30
    assert incident["evidence"]["usual_share"] == 1.0
    assert incident["evidence"]["profile_loaded_at"] == (began - 5 * MINUTE).astimezone(UTC).isoformat()
    assert "Danh mục, sổ đăng ký được nạp lại lúc 11:25 23/10/2024" in incident["summary_vi"]
    # An hour after the last of them it is over.
    for minutes in (61, 125):
        province.alive(NOW + minutes * MINUTE)
        province.look(NOW + minutes * MINUTE)
    (ended,) = [row for row in province.incidents(closed=True) if row["kind"] == "rejections_up"]
    assert province.history(ended["incident_id"]) == ["opened", "closed"]


@pytest.mark.parametrize("part", ["kafka", "database", "worker"])
def test_an_outage_of_a_part_is_one_incident_whatever_falls_silent(province: ProvinceDay, part: str) -> None:
    province.alive(NOW)
    province.look(NOW)
    began = NOW + MINUTE
    outage = Outage(part, Bilingual("không trả lời", "does not answer"), began)
    for minutes in (2, 30, 170):
        now = began + minutes * MINUTE
        province.look(now, outages=[outage])
    assert kinds(province) == ["pipeline_stopped:"]
    # It is over; the feeds get time to catch up before anything is said of them, and then they have.
    province.look(now + MINUTE)
    province.alive(now + 2 * MINUTE)
    for minutes in (3, 8, 14):
        province.alive(now + minutes * MINUTE)
        province.look(now + minutes * MINUTE)
    assert province.incidents() == []
    assert [row["kind"] for row in province.incidents(closed=True)] == ["pipeline_stopped"]


def test_all_frequent_feeds_silent_at_once_are_one_cause(province: ProvinceDay) -> None:
    province.alive(NOW)
    province.look(NOW)
    now = NOW + timedelta(hours=3)
    slow = [key for key, feed in province.feeds.items() if feed.cadence > timedelta(hours=2)]
    province.alive(now, slow)
    for minutes in (0, 2, 4):
        province.look(now + minutes * MINUTE)
    assert kinds(province) == ["pipeline_stopped:"]


def test_a_reporter_whose_totals_differ(province: ProvinceDay, db: psycopg.Connection) -> None:
    province.alive(NOW)
    job = QualityJob(db, province.settings, province.overseer.status, province.feeds)
    db.execute(
        "INSERT INTO control_total (feed, reporter, first_on, last_on, records, told_at) "
        "VALUES ('tourism.daily_report', '77-747-0001', %s, %s, 5, %s)",
        [DAY, DAY, NOW],
    )
    province.look(NOW)
    job.run(NOW, {})
    province.look(NOW, measured=job.findings(NOW))
    assert [row["cause"] for row in province.incidents()] == ["control_total:tourism.daily_report:77-747-0001"]
    (incident,) = province.incidents()
    (period,) = incident["evidence"]["periods"]
    assert (period["records_said"], period["records_stored"]) == (5, 1)
    # What was measured of the day, each with its numbers.
    rows = {
        (row["feed"], row["measure"]): (row["numerator"], row["denominator"])
        for row in list_quality(db, on=NOW.date())
        if row["reporter"] == ""
    }
    assert rows["tourism.stay", "clean"] == (10, 10)
    assert rows["tourism.stay", "live"][0] <= rows["tourism.stay", "live"][1]
    called = {
        row["feed"]: (row["numerator"], row["denominator"]) for row in list_quality(db, on=DAY, measure="complete")
    }
    assert called["tourism.daily_report"][0] == called["tourism.daily_report"][1] > 400


FAULTS: dict[str, tuple[str, str, tuple[str, str, dict[str, object]]]] = {
    "halted": (
        "INSERT INTO stream_halt (topic, partition, kind, position, log_start, log_end, found_at) "
        "SELECT %(topic)s, n, 'remade', 30, 0, 5, %(at)s FROM generate_series(0, 2) n",
        "DELETE FROM stream_halt",
        ("pipeline_stopped", "critical", {"partitions": 3}),
    ),
    "unstorable": (
        "INSERT INTO rejected_event (recorded_at, feed_id, topic, partition, record_offset, position, rule, reasons) "
        """SELECT %(at)s, feed_id, %(topic)s, 0, n, 0, 'unstorable', '[{"value": "numeric overflow"}]' """
        "FROM feed, generate_series(1, 3) n WHERE key = %(feed)s",
        "UPDATE rejected_event SET replayed_at = now()",
        ("events_set_aside", "warning", {"events": 3, "reason": "numeric overflow"}),
    ),
    "contribution": (
        "INSERT INTO contribution_set_aside (feed_id, area_id, bucket, sums, placed, appended_at, records, fault, "
        "set_aside_at) SELECT feed_id, 1, '2024-10-21', '{1}', true, %(at)s, ARRAY['a'], 'bigint out of range', %(at)s "
        "FROM feed, generate_series(1, 3) n WHERE key = %(feed)s",
        "DELETE FROM contribution_set_aside",
        ("events_set_aside", "warning", {"contributions": 3, "records": ["a"] * 3}),
    ),
    "lost": (
        "INSERT INTO stream_gap (topic, partition, from_offset, to_offset, kind, found_at) VALUES "
        "(%(topic)s, 0, 10, 13, 'deleted', %(at)s), (%(topic)s, 0, 20, 25, 'skipped', %(at)s)",
        "DELETE FROM stream_gap",
        ("events_set_aside", "warning", {"events": 3}),
    ),
}


@pytest.mark.parametrize("cause", FAULTS)
def test_what_the_stream_cannot_store_is_one_incident_a_cause_and_feed(
    province: ProvinceDay, db: psycopg.Connection, cause: str
) -> None:
    """Two feeds have it, one for three partitions, events, contributions or offsets; it ends with its cause."""
    begin, end, (kind, severity, evidence) = FAULTS[cause]
    job = QualityJob(db, province.settings, province.overseer.status, province.feeds)
    two = ("tax.einvoice", "tourism.stay")

    def look(minutes: int) -> None:
        now = NOW + minutes * MINUTE
        # What is halted is not read: of the other feeds events come, and of this one it is not said that it is silent.
        province.alive(now, [feed for feed in province.feeds if cause != "halted" or feed not in two])
        province.look(now, measured=job.findings(now))

    province.alive(NOW)
    for feed in two:
        topic = province.feeds[feed].topic(province.settings.topic_prefix)
        db.execute(begin.encode(), {"topic": topic, "feed": feed, "at": NOW})
    for minutes in (0, 2, 400, 403):
        look(minutes)
    rows = [row for row in province.incidents() if row["feed"] in two]
    assert [(row["kind"], row["severity"], row["cause"]) for row in rows] == [
        (kind, severity, f"{kind}:{feed}:{cause}") for feed in two
    ]
    for row in rows:
        assert row["since"] == NOW
        assert row["sector"] == province.overseer.status.sectors[row["feed"]]
        assert evidence.items() <= row["evidence"].items()
        assert "3 " in row["title_vi"] + row["summary_vi"]
    db.execute(end.encode())
    for minutes in (404, 430):
        province.alive(NOW + minutes * MINUTE)
        province.look(NOW + minutes * MINUTE, measured=job.findings(NOW + minutes * MINUTE))
    assert province.incidents() == []
    assert len([row for row in province.incidents(closed=True) if row["feed"] in two]) == 2


def test_missing_reporters_are_one_incident_that_names_them(province: ProvinceDay) -> None:
    province.everyone_reports(DAY - timedelta(days=1))
    province.absent = [f"77-747-{n:04d}" for n in range(1, 41)]
    code = "lodging.room_nights.total"
    province.figure(code, "77", "day", DAY, 900)
    province.figure(code, "747", "day", DAY, 500)
    province.alive(NOW)
    early = local(DAY + timedelta(days=1), 8)
    province.alive(early)
    province.look(early)
    assert province.incidents() == []  # the deadline is at ten
    province.look(NOW)
    assert kinds(province) == ["reporter_missing:tourism.daily_report"]
    (incident,) = province.incidents()
    assert incident["evidence"]["missing_total"] == len(province.absent)
    assert incident["value"] == incident["expected"] - len(province.absent)
    row = province.row(code)
    assert (row["status"], row["cause"]) == ("incomplete", "tourism.daily_report")
    assert row["due"] - row["reported"] == len(province.absent)
    province.absent = ()
    province.alive(NOW + MINUTE)
    province.look(NOW + MINUTE)
    assert province.row(code)["status"] == "no_target"


def test_tet_is_neither_silence_nor_unusual(province: ProvinceDay) -> None:
    """In 2024 offices were closed from 8 to 14 February; the last day worked was Wednesday the 7th."""
    last = date(2024, 2, 7)
    for weeks in range(1, 9):
        province.figure(RATE, "77", "day", last - timedelta(weeks=weeks), 25.0)
        province.figure("lodging.guests.total", "77", "day", date(2024, 2, 11) - timedelta(weeks=weeks), 1000)
    province.figure(RATE, "77", "day", last, 25.0)
    others = [feed for feed in province.feeds if feed not in ("dossier.event", "document.flow")]
    province.alive(local(last, 17))
    for day in (11, 13, 14):
        now = local(date(2024, 2, day))
        province.alive(now, others)
        province.figure("lodging.guests.total", "77", "day", date(2024, 2, day - 1), 9000)
        province.look(now)
        province.look(now + 3 * MINUTE)
        assert province.row(RATE)["status"] == "on_track", day
        assert province.row("lodging.guests.total")["unusual"] is False
    assert [row for row in province.incidents(closed=True) if row["kind"] == "feed_silent"] == []
    # On the second day after it the offices' silence counts again.
    now = local(date(2024, 2, 16), 15)
    province.alive(now, others)
    province.look(now)
    province.look(now + 3 * MINUTE)
    assert "dossier.event" in {row["feed"] for row in province.incidents() if row["kind"] == "feed_silent"}
