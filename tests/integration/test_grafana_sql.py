"""Every query of boards and rules, on the real database, as the read-only role, with Grafana's macros expanded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from deploy.cli import app
from grafana.bundle import Bundle, load_bundle
from grafana.check import Query, all_panels, board_queries, rule_queries
from grafana.macros import Situation, expand
from grafana.push import push_bundle
from grafana.query import OutputColumn, bind
from grafana.run import QueryResult, choose_variables, last_days, run_board, run_queries
from grafana.server import GrafanaServer
from grafana.text import LANGUAGES
from ioc.database.connection import connect
from ioc.settings import Settings

ZONE = "Asia/Ho_Chi_Minh"
PROVINCE, DISTRICTS = 771, {"747": 7471, "748": 7481}
FIRST, LAST = date(2024, 10, 1), date(2024, 10, 31)
OCTOBER = Situation(datetime(2024, 10, 1, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC), timedelta(days=1))
LIVE_FEEDS = ("tourism.stay", "tax.einvoice")
FEEDS = (*LIVE_FEEDS, "tourism.daily_report", "registry.reporter")

# Each indicator's figure is its slot plus the day of the bucket.
SEED = """
INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)
SELECT i.sector, b.period, area_id, b.bucket, array_agg(i.slot + extract(day FROM b.bucket) ORDER BY i.slot)
FROM indicator i, unnest(%(areas)s::int[]) AS area_id, (
    SELECT 'day' AS period, day::date AS bucket FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS day
    UNION ALL VALUES ('month', %(first)s::date), ('year', date_trunc('year', %(first)s::date)::date)
) b
GROUP BY 1, 2, 3, 4"""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(Settings(_env_file=None), LANGUAGES)


@pytest.fixture
def reader(db: psycopg.Connection, settings: Settings) -> Iterator[psycopg.Connection]:
    """The role of the dashboards."""
    with connect(settings, "reader", autocommit=True) as connection:
        yield connection


@pytest.fixture
def seeded(db: psycopg.Connection) -> psycopg.Connection:
    """October 2024 in every indicator, and a pipeline that ran until a minute ago."""
    db.execute(SEED.encode(), {"areas": [PROVINCE, *DISTRICTS.values()], "first": FIRST, "last": LAST})
    for feed in FEEDS:
        put_batch(db, feed, timedelta(minutes=1))
    now = datetime.now(UTC)
    db.execute("INSERT INTO stream_position VALUES ('ioc.tax.einvoice.v1', 0, 10, %s)", [now])
    db.execute("INSERT INTO stream_gap VALUES ('ioc.tax.einvoice.v1', 0, 10, 15, %s)", [now])
    db.execute("INSERT INTO measure_delta (feed_id, area_id, bucket, sums) VALUES (1, 1, '2024-10-01', '{1}')")
    db.execute(
        "INSERT INTO rejected_event (feed_id, topic, partition, record_offset, position, rule, reasons)"
        """ SELECT feed_id, 't', 0, 0, 0, 'future_date', '[{"message_vi": "ở tương lai", "message_en": "in future"}]'"""
        " FROM feed WHERE key = 'tax.einvoice'"
    )
    return db


def number(db: psycopg.Connection, sql: str, *values: object) -> int:
    row = db.execute(sql.encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def put_cell(
    db: psycopg.Connection, sector: str, period: str, area: int, bucket: date, figures: list[float | None]
) -> None:
    db.execute(
        "INSERT INTO indicator_cell VALUES (%s, %s, %s, %s, %s) ON CONFLICT (sector, period, area_id, bucket)"
        " DO UPDATE SET figures = excluded.figures",
        [sector, period, area, bucket, figures],
    )


def put_figure(db: psycopg.Connection, code: str, area: int, bucket: date, value: float, period: str = "day") -> None:
    """Set one indicator's figure and leave its neighbours."""
    db.execute(
        "UPDATE indicator_cell c SET figures[i.slot] = %s FROM indicator i"
        " WHERE i.code = %s AND i.live AND c.sector = i.sector AND (period, area_id, bucket) = (%s, %s, %s)",
        [value, code, period, area, bucket],
    )


def put_batch(db: psycopg.Connection, feed: str, age: timedelta, consumed: int = 100, rejected: int = 3) -> None:
    at = datetime.now(UTC) - age
    db.execute(
        "INSERT INTO stream_batch SELECT %s, feed_id, 't', 0, 0, 1, %s, %s, %s, 1, 2, 1, 0, %s, %s"
        " FROM feed WHERE key = %s",
        [at, consumed, consumed - rejected - 1, rejected, at - timedelta(seconds=2), at - timedelta(seconds=1), feed],
    )


def age_batches(db: psycopg.Connection, feed: str, age: timedelta) -> None:
    db.execute("DELETE FROM stream_batch USING feed f WHERE f.feed_id = stream_batch.feed_id AND f.key = %s", [feed])
    put_batch(db, feed, age)


def model_of(bundle: Bundle, uid: str) -> dict[str, Any]:
    return next(board.model for board in bundle.boards if board.uid == uid)


def situation_of(uid: str) -> Situation:
    """Sector boards look at business days of 2024, the pipeline's at the last hours."""
    return last_days(1) if "pipeline" in uid else OCTOBER


BOARDS = ("ioc-tourism", "ioc-tax", "ioc-pipeline", "ioc-tourism-en", "ioc-tax-en", "ioc-pipeline-en")


class TestBoards:
    @pytest.mark.parametrize("uid", BOARDS)
    def test_every_panel_returns_rows(
        self, bundle: Bundle, uid: str, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        model = model_of(bundle, uid)
        # The chosen indicator's panel shows a target line where there is one.
        seeded.execute("UPDATE indicator SET target_op = '>=', target = 1")
        answers = run_board(reader, model, situation_of(uid))
        assert [(a.place, a.error) for a in answers if a.error] == []
        assert [a.place for a in answers if not a.rows] == []
        assert len(answers) == sum(len(panel.get("targets") or []) for panel in all_panels(model))

    @pytest.mark.parametrize("uid", ("ioc-tourism", "ioc-tax", "ioc-pipeline"))
    def test_every_panel_gets_the_columns_it_names(
        self, bundle: Bundle, uid: str, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        model = model_of(bundle, uid)
        columns = {a.place: a.columns for a in run_board(reader, model, situation_of(uid))}
        for panel in all_panels(model):
            place = f"{uid} / {panel.get('title')} [{panel['type']}]"
            targets = panel.get("targets") or []
            given = {name for target in targets for name in columns[f"{place} / {target['refId']}"]}
            for target in targets:
                if target["format"] == "time_series":
                    assert columns[f"{place} / {target['refId']}"][0] == "time"
            if not panel.get("transformations"):
                overrides = panel.get("fieldConfig", {}).get("overrides") or []
                named = {o["matcher"]["options"] for o in overrides if o["matcher"]["id"] == "byName"}
                assert named <= given, panel["title"]

    def test_the_matrix_of_areas_names_codes_that_come(
        self, bundle: Bundle, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        model = model_of(bundle, "ioc-tax")
        panel = next(p for p in all_panels(model) if p.get("transformations"))
        answer = next(a for a in run_board(reader, model, OCTOBER) if a.place.endswith(f"{panel['title']} [table] / A"))
        named = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]}
        assert {row[1] for row in answer.rows} <= named
        assert answer.rows[0][0] == "Tỉnh Bà Rịa - Vũng Tàu"
        assert {row[0] for row in answer.rows} >= {"Thành phố Vũng Tàu", "Thành phố Bà Rịa"}

    @pytest.mark.parametrize("uid", ("ioc-tourism", "ioc-tax"))
    def test_today_shows_the_newest_of_simulated_days_too(
        self, bundle: Bundle, uid: str, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        empty = [a.place for a in run_board(reader, model_of(bundle, uid), last_days(30)) if not a.rows]
        series = [q.place for q in board_queries(model_of(bundle, uid)) if q.output == "time_series"]
        assert sorted(empty) == sorted(series)

    @pytest.mark.parametrize("uid", BOARDS)
    def test_an_empty_database_is_no_error(self, bundle: Bundle, uid: str, reader: psycopg.Connection) -> None:
        answers = run_board(reader, model_of(bundle, uid), situation_of(uid))
        assert [(a.place, a.error) for a in answers if a.error] == []

    def test_areas_are_those_of_the_day_not_of_today(
        self, bundle: Bundle, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        model = model_of(bundle, "ioc-tax")
        query = next(q for q in board_queries(model) if q.place == "ioc-tax / $area")
        districts = Situation(OCTOBER.start, OCTOBER.end, variables={"level": "district"})
        (answer,) = run_queries(reader, [query], districts)
        assert (answer.error, len(answer.rows)) == ("", 8)
        assert ("Thành phố Vũng Tàu", "7471") in answer.rows

    def test_a_stat_compares_with_the_period_before(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        put_figure(seeded, "lodging.guests.total", PROVINCE, LAST, 150.0)
        put_figure(seeded, "lodging.guests.total", PROVINCE, LAST - timedelta(1), 120.0)
        put_figure(seeded, "lodging.occupancy.total", PROVINCE, LAST, 61.5)
        put_figure(seeded, "lodging.occupancy.total", PROVINCE, LAST - timedelta(1), 60.0)
        assert self.latest(reader, "lodging.guests.total", "day") == (150.0, 120.0, pytest.approx(25.0))
        # A percentage moves by points, not by a percentage of itself.
        assert self.latest(reader, "lodging.occupancy.total", "day") == (61.5, 60.0, pytest.approx(1.5))
        assert self.latest(reader, "lodging.guests.total", "month")[1:] == (None, None)

    def test_a_quarter_is_compared_with_the_quarter_before(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        for bucket, value in ((date(2024, 7, 1), 80.0), (date(2024, 10, 1), 60.0)):
            put_cell(seeded, "lodging", "quarter", PROVINCE, bucket, [value] * 200)
        assert self.latest(reader, "lodging.guests.total", "quarter") == (60.0, 80.0, pytest.approx(-25.0))

    @staticmethod
    def latest(reader: psycopg.Connection, code: str, period: str) -> tuple[Any, ...]:
        sql = bind("board", "indicator_latest", code=code, timezone=ZONE)
        chosen = Situation(OCTOBER.start, OCTOBER.end, variables={"area": str(PROVINCE), "period": period})
        row = reader.execute(expand(sql, chosen).encode()).fetchone()
        assert row is not None
        return row

    @pytest.mark.parametrize("uid", ("ioc-tourism", "ioc-tax", "ioc-pipeline"))
    def test_no_panel_has_to_read_a_whole_table(
        self, bundle: Bundle, uid: str, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        """With sequential scans made dear, one that remains is one that no index can replace."""
        model = model_of(bundle, uid)
        situation = choose_variables(reader, model, situation_of(uid))
        reader.execute("SET enable_seqscan = off")
        large = chunks(reader, "indicator_cell") | chunks(reader, "stream_batch") | chunks(reader, "rejected_event")
        for query in board_queries(model):
            plan = reader.execute(f"EXPLAIN {expand(query.sql, situation)}".encode()).fetchall()
            scans = {row[0].split("Seq Scan on ")[1].split()[0] for row in plan if "Seq Scan on " in row[0]}
            assert not scans & large, query.place


def chunks(connection: psycopg.Connection, table: str) -> set[str]:
    found = connection.execute("SELECT show_chunks(%s)::regclass::text", [table]).fetchall()
    return {row[0].rpartition(".")[2].strip('"') for row in found}


class TestRules:
    def test_every_query_gives_text_columns_and_one_number(
        self, bundle: Bundle, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        answers = run_queries(reader, rule_queries(bundle.rules), last_days(1))
        assert [(a.place, a.error) for a in answers if a.error] == []
        for answer in answers:
            for row in answer.rows:
                assert [type(value) for value in row] == [*[str] * (len(row) - 1), float], answer.place

    def test_a_rules_numbers_come_under_the_same_labels(
        self, bundle: Bundle, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        rule = bundle.rules["ioc-lag-petrol-einvoice_rate"]
        answers = run_queries(reader, rule_queries({"r": rule}), last_days(1))
        labels = {a.place: [row[:-1] for row in a.rows] for a in answers if a.place != "r / REJECTED"}
        assert len(labels["r / A"]) == 3
        assert all(found == labels["r / A"] for found in labels.values())

    def test_a_gap_and_a_rejected_share_are_told(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        assert rows(reader, "gap_lost") == [("ioc.tax.einvoice.v1", 5.0)]
        assert ("tax.einvoice", "Hóa đơn điện tử", 3.0) in rows(reader, "rejection_share")
        assert rows(reader, "feed_rejected_share", feeds=["tax.einvoice"]) == [(3.0,)]

    def test_waiting_work_has_an_age(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        seeded.execute("UPDATE measure_delta SET appended_at = now() - interval '5 minutes'")
        seeded.execute("UPDATE rejected_event SET recorded_at = now() - interval '20 minutes'")
        assert rows(reader, "rollup_age")[0][0] == pytest.approx(300, abs=30)
        assert rows(reader, "relay_age")[0][0] == pytest.approx(1200, abs=30)
        seeded.execute("DELETE FROM measure_delta")
        assert rows(reader, "rollup_age") == [(0.0,)]

    def test_a_partition_left_behind(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        old = datetime.now(UTC) - timedelta(hours=2)
        seeded.execute("INSERT INTO stream_position VALUES ('ioc.tax.einvoice.v1', 1, 10, %s)", [old])
        seeded.execute("INSERT INTO stream_position VALUES ('quiet', 0, 10, %s), ('quiet', 1, 0, %s)", [old, old])
        found = {(topic, partition): value for topic, partition, value in rows(reader, "partition_standstill")}
        assert found[("ioc.tax.einvoice.v1", "1")] == pytest.approx(120, abs=2)
        # A topic that is quiet as a whole is its feed's business; a partition that never held anything is nobody's.
        assert found[("quiet", "0")] == 0
        assert found[("ioc.tax.einvoice.v1", "0")] < 1
        assert ("quiet", "1") not in found


class TestSilence:
    """One cause, one alert."""

    def test_a_silent_feed_among_others(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        age_batches(seeded, "tourism.stay", timedelta(minutes=30))
        assert overdue(reader, "tourism.stay") == pytest.approx(2.0, abs=0.05)
        assert overdue(reader, "tax.einvoice") == pytest.approx(1 / 15, abs=0.05)
        assert rows(reader, "pipeline_silence", figure=OutputColumn("overdue"))[0][0] < 1
        assert rows(reader, "feed_age", feed="tourism.stay", figure=OutputColumn("cadence")) == [(15.0,)]

    def test_when_all_are_silent_only_the_pipeline_speaks(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        for feed in LIVE_FEEDS:
            age_batches(seeded, feed, timedelta(minutes=45))
        assert overdue(reader, "tourism.stay") is None
        assert rows(reader, "pipeline_silence", figure=OutputColumn("overdue"))[0][0] == pytest.approx(3.0, abs=0.05)
        assert rows(reader, "pipeline_silence", figure=OutputColumn("age"))[0][0] == pytest.approx(45, abs=1)

    def test_what_never_sent_is_not_stale(self, reader: psycopg.Connection) -> None:
        assert overdue(reader, "tourism.stay") is None
        assert rows(reader, "pipeline_silence", figure=OutputColumn("overdue")) == []


class TestPace:
    """Expected values worked out by hand."""

    RATE, GUESTS, OCCUPANCY, LATE = (
        "petrol.einvoice_rate",
        "lodging.guests.total",
        "lodging.occupancy.total",
        "lodging.declared_late",
    )
    THROUGH = LAST - timedelta(1)  # the last day that is over: 31 October still grows

    def test_a_standing_target(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        for area, value in ((PROVINCE, 99.2), (DISTRICTS["747"], 100.0), (DISTRICTS["748"], 90.0)):
            put_figure(seeded, self.RATE, area, self.THROUGH, value)
            put_figure(seeded, self.RATE, area, LAST, 12.0)
        assert pace(reader, self.RATE, "lag") == approx({"77": 0.8, "747": 0.0, "748": 10.0})
        assert pace(reader, self.RATE, "value") == approx({"77": 99.2, "747": 100.0, "748": 90.0})
        assert set(pace(reader, self.RATE, "expected").values()) == {100.0}
        assert pace(reader, self.RATE, "children") == {"77": 2.0, "747": 0.0, "748": 0.0}
        assert pace(reader, self.RATE, "lagging") == {"77": 1.0, "747": 0.0, "748": 0.0}

    @pytest.mark.parametrize("feed", ("tax.einvoice", "registry.reporter"))
    def test_stale_comes_before_lagging(
        self, seeded: psycopg.Connection, reader: psycopg.Connection, feed: str
    ) -> None:
        assert pace(reader, self.RATE, "lag")["77"] > 0
        age_batches(seeded, feed, timedelta(days=40))
        assert pace(reader, self.RATE, "lag") == {}

    def test_a_feed_that_never_sent_is_no_lag(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        seeded.execute("DELETE FROM stream_batch")
        assert pace(reader, self.RATE, "lag") == {}

    def test_incomplete_comes_before_lagging(self, seeded: psycopg.Connection, reader: psycopg.Connection) -> None:
        seeded.execute("DELETE FROM indicator_cell WHERE period = 'day' AND bucket < %s", [LAST])
        assert pace(reader, self.RATE, "lag") == {}

    def test_a_day_in_the_future_does_not_end_today(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        today = number(seeded, "SELECT ((now() AT TIME ZONE %s)::date - '2000-01-01')", ZONE)
        for ahead in (-1, 0, 1):
            day = date(2000, 1, 1) + timedelta(today + ahead)
            put_cell(seeded, "petrol", "day", PROVINCE, day, [50.0] * 100)
            put_figure(seeded, self.RATE, PROVINCE, day, 100.0 if ahead < 0 else 1.0)
        assert pace(reader, self.RATE, "value") == {"77": 100.0}

    def test_a_flow_with_a_date_is_a_total_of_its_year(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        aim(seeded, self.GUESTS, ">=", 366.0, date(2024, 12, 31))
        put_figure(seeded, self.GUESTS, PROVINCE, date(2024, 1, 1), 152.0, "year")
        # 30 October is day 304 of 366: one a day is expected.
        assert pace(reader, self.GUESTS, "expected")["77"] == pytest.approx(304.0)
        assert pace(reader, self.GUESTS, "lag")["77"] == pytest.approx(50.0)

    def test_a_flow_is_judged_in_the_year_of_its_date_only(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        put_figure(seeded, self.GUESTS, PROVINCE, date(2024, 1, 1), 152.0, "year")
        aim(seeded, self.GUESTS, ">=", 400.0, date(2025, 12, 31))
        assert pace(reader, self.GUESTS, "lag") == {}
        aim(seeded, self.GUESTS, ">=", 200.0, date(2023, 12, 31))
        put_cell(seeded, "lodging", "year", PROVINCE, date(2023, 1, 1), [150.0] * 200)
        # The year is over: what it reached stays compared with the whole target, and 2024 does not count.
        assert pace(reader, self.GUESTS, "lag") == {"77": pytest.approx(25.0)}

    def test_a_share_with_a_date_moves_in_a_straight_line(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        aim(seeded, self.OCCUPANCY, ">=", 70.0, date(2024, 12, 30))
        put_figure(seeded, self.OCCUPANCY, PROVINCE, FIRST, 40.0)
        put_figure(seeded, self.OCCUPANCY, PROVINCE, self.THROUGH, 44.7)
        # 29 of 90 days: 40 + 30 × 29/90 = 49.67; 44.7 is 10 % below it.
        assert pace(reader, self.OCCUPANCY, "expected")["77"] == pytest.approx(49.6667, abs=1e-3)
        assert pace(reader, self.OCCUPANCY, "lag")["77"] == pytest.approx(10.0, abs=0.01)
        put_figure(seeded, self.OCCUPANCY, PROVINCE, self.THROUGH, 49.7)
        assert pace(reader, self.OCCUPANCY, "lag")["77"] == 0.0

    def test_after_its_date_the_target_holds_in_full(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        aim(seeded, self.OCCUPANCY, ">=", 70.0, date(2024, 10, 15))
        assert pace(reader, self.OCCUPANCY, "expected")["77"] == 70.0

    @pytest.mark.parametrize(("value", "lag"), [(10.0, 0.0), (12.5, 25.0), (3.0, 0.0)])
    def test_less_is_better(
        self, seeded: psycopg.Connection, reader: psycopg.Connection, value: float, lag: float
    ) -> None:
        aim(seeded, self.LATE, "<=", 10.0, None)
        put_figure(seeded, self.LATE, PROVINCE, self.THROUGH, value)
        assert pace(reader, self.LATE, "lag")["77"] == pytest.approx(lag)

    @pytest.mark.parametrize(("value", "lag"), [(0.0, 0.0), (1.0, 100.0)])
    def test_none_at_all_is_the_target(
        self, seeded: psycopg.Connection, reader: psycopg.Connection, value: float, lag: float
    ) -> None:
        aim(seeded, self.LATE, "<=", 0.0, None)
        put_figure(seeded, self.LATE, PROVINCE, self.THROUGH, value)
        assert pace(reader, self.LATE, "lag")["77"] == lag

    def test_a_monthly_indicator_waits_for_the_month_to_end(
        self, seeded: psycopg.Connection, reader: psycopg.Connection
    ) -> None:
        aim(seeded, self.RATE, ">=", 100.0, None)
        seeded.execute("UPDATE indicator SET cadence = 'monthly' WHERE code = %s", [self.RATE])
        assert pace(reader, self.RATE, "lag") == {}
        put_cell(seeded, "petrol", "month", PROVINCE, date(2024, 9, 1), [80.0] * 100)
        assert pace(reader, self.RATE, "lag") == {"77": pytest.approx(20.0)}


def aim(db: psycopg.Connection, code: str, op: str, target: float, on: date | None) -> None:
    db.execute(
        "UPDATE indicator SET target_op = %s, target = %s, target_on = %s WHERE code = %s", [op, target, on, code]
    )


def approx(expected: dict[str, float]) -> Any:
    return pytest.approx(expected, abs=1e-9)


def rows(reader: psycopg.Connection, query: str, **values: Any) -> list[tuple[Any, ...]]:
    return reader.execute(bind("alert", query, **values).encode()).fetchall()


def overdue(reader: psycopg.Connection, feed: str) -> float | None:
    found = rows(reader, "feed_age", feed=feed, figure=OutputColumn("overdue"))
    return found[0][0] if found else None


def pace(reader: psycopg.Connection, code: str, figure: str) -> dict[str, float]:
    """Return a figure by the code of the area."""
    feeds = ["tax.einvoice", "registry.reporter"]
    found = rows(reader, "indicator_pace", code=code, feeds=feeds, timezone=ZONE, figure=OutputColumn(figure))
    return {row[1]: row[-1] for row in found}


def test_check_run_reports_what_the_database_refuses(reader: psycopg.Connection) -> None:
    queries = [Query("bad", "SELECT payload FROM rejected_event", "table"), Query("good", "SELECT 1 AS n", "table")]
    bad, good = run_queries(reader, queries, OCTOBER)
    assert "permission denied" in bad.error
    assert good == QueryResult("good", ("n",), ((1,),))


def test_check_runs_a_tree_against_the_database(seeded: psycopg.Connection, settings: Settings, tmp_path: Path) -> None:
    environment = {"IOC_DB_PORT": str(settings.db_port), "IOC_DB_NAME": settings.db_name}
    CliRunner().invoke(app, ["grafana", "build", str(tmp_path), "--language", "vi"], env=environment)
    checked = CliRunner().invoke(app, ["grafana", "check", str(tmp_path), "--run", "--json"], env=environment)
    report = json.loads(checked.stdout)
    assert (checked.exit_code, report["problems"]) == (0, [])
    assert report["queries"] > 150
    assert len(report["empty"]) < report["queries"] / 2  # most sectors of the catalogue have no records in this test


def test_a_real_server_takes_everything_and_a_second_push_changes_nothing(bundle: Bundle, settings: Settings) -> None:
    url = os.environ.get("GRAFANA_URL", "")
    if not url:
        pytest.skip("GRAFANA_URL is not set: no Grafana server to push to")
    token = SecretStr(os.environ.get("GRAFANA_TOKEN", ""))
    server = GrafanaServer(settings.model_copy(update={"grafana_url": url, "grafana_token": token}))
    push_bundle(bundle, server, settings.db_reader_password, replace_policy=True)
    again = push_bundle(bundle, server, settings.db_reader_password)
    assert {change.action for change in again} == {"unchanged"}
