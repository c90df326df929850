"""What the database refuses, or no sum can hold: it is set aside with its name, and everything else goes on."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from testbed.feed_event import HOTEL, HOTEL_COMMUNE, INN, RIVAL, batch, record, report, stay
from testbed.pipeline import Pipeline
from typer.testing import CliRunner

from deploy.cli import app
from ioc.database.connection import connect
from ioc.incident.reading import list_quality
from ioc.settings import Settings
from streams.dead_letter.letter import list_causes, show_events
from streams.rebuild.fill import Appended
from streams.rebuild.run import open_rebuild
from streams.rollup.service import Rollup
from streams.status.measures import DayMeter

FEED = "tourism.stay"
MOST = 2**63 - 1


@pytest.fixture
def forbidding(pipeline: Pipeline) -> Pipeline:
    """A pipeline whose record table refuses one age, as it would a value that no column holds."""
    with connect(pipeline.settings, "owner", autocommit=True) as owner:
        owner.execute("ALTER TABLE tourism_stay ADD CONSTRAINT no_age_66 CHECK (age_years <> 66)")
    return pipeline


def test_events_that_the_table_refuses_become_dead_letters(forbidding: Pipeline) -> None:
    pipeline = forbidding
    bad = stay(guest=66, age_years=66)
    fetched = [
        record(0, stay(guest=1)),
        batch(1, [stay(guest=2), bad, stay(guest=3)]),
        record(2, stay(guest=67, age_years=66)),
        record(3, b"{"),
        record(4, stay(guest=4)),
    ]
    counts = pipeline.apply(FEED, fetched)
    assert (counts.consumed, counts.accepted, counts.rejected) == (7, 4, 3)
    stored = pipeline.rows("SELECT guest_id FROM tourism_stay ORDER BY 1")
    assert [int(str(guest)[3:], 16) for (guest,) in stored] == [1, 2, 3, 4]
    letters = pipeline.rows(
        "SELECT record_offset, position, reporter, convert_from(payload, 'UTF8')::jsonb FROM rejected_event "
        "WHERE rule = 'unstorable' ORDER BY 1"
    )
    assert letters == [(1, 1, HOTEL, bad), (2, 0, HOTEL, stay(guest=67, age_years=66))]
    assert pipeline.rows("SELECT next_offset FROM stream_position") == [(5,)]
    assert pipeline.rows("SELECT sum(consumed), sum(accepted + rejected + duplicate) FROM stream_batch") == [(7, 7)]
    pipeline.roll_up()
    assert pipeline.reconcile().differences == ()


def test_a_conflict_is_kept_as_it_came(pipeline: Pipeline) -> None:
    pipeline.send(FEED, [stay(guest=1, age_years=30)])
    other = stay(guest=1, age_years=31)
    pipeline.send(FEED, [other])
    assert pipeline.rows("SELECT rule, convert_from(payload, 'UTF8')::jsonb FROM rejected_event") == [
        ("conflict", other)
    ]


def test_a_late_revision_is_told_with_its_sender(pipeline: Pipeline) -> None:
    pipeline.send(FEED, [stay(guest=1, revision=5), stay(guest=1, revision=3)])
    rows = pipeline.rows("SELECT revision, superseded, reporter FROM record_revision")
    assert rows == [(3, True, HOTEL)]
    pipeline.send(FEED, [stay(guest=1, revision=6)])
    assert pipeline.rows("SELECT revision FROM record_revision WHERE superseded") == [(3,)]


def test_late_revisions_are_in_the_quality_of_who_sent_them(pipeline: Pipeline) -> None:
    """One late revision: of four events that were accepted of the feed, and of two of its sender's."""
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    now = datetime(2024, 10, 6, 12, tzinfo=zone)
    day, later = now.date(), now + timedelta(minutes=1)
    sent = [stay(HOTEL, 1, revision=5), stay(HOTEL, 1, revision=3), stay(RIVAL, 2), stay(RIVAL, 3)]
    assert pipeline.send(FEED, sent).accepted == 4
    with connect(pipeline.settings, "owner", autocommit=True) as connection:
        connection.execute("UPDATE tourism_stay SET recorded_at = %s", [now])
        # History is only added to; the test moves it to the time that it plays in.
        connection.execute("ALTER TABLE record_revision DISABLE TRIGGER refuse_change")
        connection.execute("UPDATE record_revision SET recorded_at = %s", [now])
        connection.execute(
            "INSERT INTO stream_batch "
            "SELECT (jsonb_populate_record(b, jsonb_build_object('committed_at', %s::text))).* "
            "FROM stream_batch b",
            [now.isoformat()],
        )
        (root,) = connection.execute("SELECT min(area_id) FROM area WHERE parent_id IS NULL").fetchone() or (0,)
        meter = DayMeter(connection, pipeline.feeds, dict.fromkeys(pipeline.feeds, "lodging"), zone)
        meter.write(meter.superseded(day, later, root), later)

        def told(reporter: str | None) -> list[tuple[float, float, float]]:
            rows = list_quality(connection, feed=FEED, on=day, measure="superseded", reporter=reporter)
            return [(row["numerator"], row["denominator"], row["share"]) for row in rows]

        assert (told(None), told(HOTEL), told(RIVAL)) == ([(1, 4, 25)], [(1, 2, 50)], [])


def test_a_contribution_that_no_sum_can_hold_waits_until_it_fits(pipeline: Pipeline, db: psycopg.Connection) -> None:
    """One cell is full; the contribution that would run over waits, named, and all others are folded."""
    pipeline.send(FEED, [stay(HOTEL, guest=1)])
    pipeline.roll_up()
    area = _fill(db, by=MOST - 1)
    pipeline.send(FEED, [stay(HOTEL, guest=2)])
    pipeline.send(FEED, [stay(RIVAL, guest=3)])
    pipeline.send("tourism.daily_report", [report(INN, "2024-10-05", rooms_total=7)])
    pipeline.roll_up()
    aside = pipeline.rows(
        "SELECT a.code, s.bucket::text, s.records[1], s.fault LIKE '%%range%%' FROM contribution_set_aside s "
        "JOIN area a USING (area_id)"
    )
    guest = stay(HOTEL, guest=2)["subject"]
    assert aside == [(HOTEL_COMMUNE, "2024-10-05", guest, True)]
    assert pipeline.rows("SELECT count(*) FROM measure_delta") == [(0,)]
    assert pipeline.figure("lodging.guests.total", "748", "day", "2024-10-05") == 1
    result = pipeline.reconcile()
    assert result.set_aside == 1 and result.differences
    _fill(db, by=-(MOST - 1), area=area)
    with connect(pipeline.settings, "writer") as connection:
        assert Rollup(pipeline.settings, connection).retry_set_aside(connection) == 0
    assert pipeline.figure("lodging.guests.total", "747", "day", "2024-10-05") == 2
    result = pipeline.reconcile()
    assert (result.set_aside, result.differences) == (0, ())


def test_an_operator_sees_what_is_set_aside_and_folds_it_after_a_mend(
    pipeline: Pipeline, db: psycopg.Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.send(FEED, [stay(HOTEL, guest=1)])
    pipeline.roll_up()
    area = _fill(db, by=MOST - 1)
    pipeline.send(FEED, [stay(HOTEL, guest=2)])
    pipeline.roll_up()
    for name in ("db_port", "db_name"):
        monkeypatch.setenv(f"IOC_{name.upper()}", str(getattr(settings, name)))
    shown = CliRunner().invoke(app, ["contribution", "list", "--json", "--feed", FEED])
    (row,) = json.loads(shown.output)
    assert (row["feed"], row["area_code"], row["bucket"]) == (FEED, HOTEL_COMMUNE, "2024-10-05")
    assert row["records"] == [stay(HOTEL, guest=2)["subject"]] and "range" in row["fault"]
    assert (
        json.loads(CliRunner().invoke(app, ["contribution", "list", "--json", "--feed", "tax.einvoice"]).output) == []
    )
    assert CliRunner().invoke(app, ["contribution", "fold"]).exit_code == 1
    _fill(db, by=-(MOST - 1), area=area)
    folded = CliRunner().invoke(app, ["contribution", "fold", "--json"])
    assert (folded.exit_code, json.loads(folded.output)) == (0, {"set_aside_before": 1, "set_aside": 0})
    assert pipeline.reconcile().differences == ()


def test_a_rebuild_adds_nothing_twice_that_was_set_aside(pipeline: Pipeline, db: psycopg.Connection) -> None:
    """What still cannot be folded waits, is told, and its records are not added beside it; what fits is folded."""
    pipeline.send(FEED, [stay(HOTEL, guest=1)])
    pipeline.roll_up()
    db.execute(
        "ALTER TABLE measure_cell ADD CONSTRAINT shut CHECK (bucket <> '2024-10-05' OR period <> 'day') NOT VALID"
    )
    pipeline.send(FEED, [stay(HOTEL, guest=2)])
    pipeline.roll_up()
    aside = pipeline.rows("SELECT count(*), count(sums), count(member) FROM contribution_set_aside")
    with open_rebuild(pipeline.settings, recount=True) as job:
        job.run()
        assert (job.set_aside, job.appended) == (aside[0][0], Appended())
    assert pipeline.rows("SELECT count(*), count(sums), count(member) FROM contribution_set_aside") == aside
    db.execute("ALTER TABLE measure_cell DROP CONSTRAINT shut")
    with open_rebuild(pipeline.settings, recount=True) as job:
        job.run()
        assert (job.set_aside, job.appended) == (0, Appended())
    assert pipeline.figure("lodging.guests.total", HOTEL_COMMUNE, "day", "2024-10-05") == 2
    assert pipeline.figure("lodging.unique_guests.total", HOTEL_COMMUNE, "day", "2024-10-05") == 2
    result = pipeline.reconcile()
    assert (result.set_aside, result.differences) == (0, ())


def test_members_that_are_folded_in_parts_count_once(pipeline: Pipeline, db: psycopg.Connection) -> None:
    """What is at fault is found by halves, in one transaction: each half merges its own members and no other."""
    db.execute("ALTER TABLE measure_cell ADD CONSTRAINT shut CHECK (bucket <> '2024-10-09') NOT VALID")
    days = [f"2024-10-{day:02}" for day in range(5, 12)]
    pipeline.send(FEED, [stay(HOTEL, guest=number, check_in=day) for number, day in enumerate(days)])
    pipeline.roll_up()
    assert pipeline.rows("SELECT DISTINCT bucket::text FROM contribution_set_aside") == [("2024-10-09",)]
    assert pipeline.rows("SELECT max(n), min(n) FROM distinct_member") == [(1, 1)]
    db.execute("ALTER TABLE measure_cell DROP CONSTRAINT shut")
    with connect(pipeline.settings, "writer") as connection:
        assert Rollup(pipeline.settings, connection).retry_set_aside(connection) == 0
    assert pipeline.rows("SELECT max(n), min(n) FROM distinct_member") == [(1, 1)]
    assert pipeline.reconcile().differences == ()


def test_reports_whose_sum_runs_over_end_no_process(pipeline: Pipeline) -> None:
    """Reconcile computes wider than the cells; nothing ends in a traceback."""
    pipeline.send(FEED, [stay(HOTEL, guest=1)])
    pipeline.roll_up()
    with connect(pipeline.settings, "owner", autocommit=True) as owner:
        owner.execute(
            "INSERT INTO measure_delta (feed_id, area_id, bucket, sums) "
            "SELECT feed_id, area_id, '2024-10-05', array_fill(%s::bigint, ARRAY[3]) FROM feed, area "
            "WHERE key = 'tourism.stay' AND code = %s AND level = 'commune' "
            "AND valid_from <= '2024-10-05' AND valid_to > '2024-10-05'",
            [MOST, HOTEL_COMMUNE],
        )
    pipeline.roll_up()
    assert pipeline.rows("SELECT count(*) FROM contribution_set_aside") == [(1,)]
    assert pipeline.reconcile().differences == ()


def test_what_was_refused_is_grouped(pipeline: Pipeline, settings: Settings) -> None:
    strangers = [stay(f"99-999-{number:04}", guest=number) for number in range(300)]
    pipeline.send(FEED, strangers)
    causes = list_causes(settings, feed=None, within="1 day")
    assert [(cause["rule"], cause["events"], cause["replayable"]) for cause in causes] == [
        ("unknown_reporter", 300, 300)
    ]
    assert len(show_events(settings, feed=None, rule=None, within="1 day", limit=20)) == 20


def _fill(db: psycopg.Connection, *, by: int, area: int | None = None) -> int:
    """Add to the day's cell of the hotel's commune, in the slot that counts guests; return the area."""
    slot = db.execute(
        "SELECT slot FROM measure JOIN feed USING (feed_id) WHERE key = 'tourism.stay' AND kind = 'sum' "
        "AND value = '1' AND condition = 'TRUE' AND at = 'effective_on' AND until = ''"
    ).fetchone()
    assert slot is not None
    row = db.execute(
        "UPDATE measure_cell c SET sums[%s] = sums[%s] + %s FROM area a, feed f "
        "WHERE a.area_id = c.area_id AND a.code = %s AND c.feed_id = f.feed_id AND f.key = 'tourism.stay' "
        "AND period = 'day' AND bucket = '2024-10-05' RETURNING c.area_id",
        [slot[0], slot[0], by, HOTEL_COMMUNE],
    ).fetchone()
    assert row is not None
    return area or int(row[0])
