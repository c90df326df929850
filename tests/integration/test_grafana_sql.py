"""Every query of boards and rules, on the real database, as Grafana's own role, with Grafana's macros expanded."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors
from testbed.assessed import put_assessed
from testbed.server import cloned_database

from grafana.bundle import Bundle, load_bundle
from grafana.checking.check import TABLES, all_panels, board_queries, rule_queries
from grafana.checking.run import QueryResult, choose_variables, last_days, run_board, run_queries
from grafana.days import data_range
from grafana.query.macros import Situation, expand
from grafana.standin.alerts import Alerting
from grafana.standin.store import Store
from grafana.text import LANGUAGES
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.settings import Settings

PROVINCE, DISTRICTS = 771, (7471, 7481)
FIRST, LAST = date(2024, 10, 1), date(2024, 10, 31)
OCTOBER = Situation(datetime(2024, 10, 1, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC), timedelta(days=1))
ABOUT_NOW = ("pipeline", "incident")

# Each indicator's figure is its slot plus the day of the bucket.
SEED = """
INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)
SELECT i.sector, b.period, area_id, b.bucket, array_agg(i.slot + extract(day FROM b.bucket) ORDER BY i.slot)
FROM indicator i, unnest(%(areas)s::int[]) AS area_id, (
    SELECT 'day' AS period, day::date AS bucket FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS day
    UNION ALL VALUES ('month', %(first)s::date), ('quarter', %(first)s::date),
    ('year', date_trunc('year', %(first)s::date)::date)
) b
GROUP BY 1, 2, 3, 4"""
BATCH = """
INSERT INTO stream_batch
SELECT %(at)s, feed_id, 't', 0, 0, 1, 100, 96, 3, 1, 20, 1, 0, %(at)s::timestamptz - interval '2 s', %(at)s FROM feed"""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(Settings(_env_file=None), LANGUAGES)


@pytest.fixture(scope="module")
def filled(template_database: str, stack_settings: Settings) -> Iterator[Settings]:
    """October 2024 in every indicator, and how everything stands; a pipeline that ran a minute ago. Nothing is
    changed in it."""
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    with cloned_database(own, template_database):
        with connect(own, "owner", autocommit=True) as db:
            fill(db)
        yield own


def fill(db: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    db.execute(SEED.encode(), {"areas": [PROVINCE, *DISTRICTS], "first": FIRST, "last": LAST})
    db.execute(BATCH.encode(), {"at": now - timedelta(minutes=1)})
    db.execute("INSERT INTO stream_position VALUES ('ioc.tax.einvoice.v1', 0, 10, %s)", [now])
    db.execute("INSERT INTO stream_gap VALUES ('ioc.tax.einvoice.v1', 0, 10, 15, %s)", [now])
    db.execute("INSERT INTO measure_delta (feed_id, area_id, bucket, sums) VALUES (1, 1, '2024-10-01', '{1}')")
    db.execute(
        "INSERT INTO rejected_event (feed_id, topic, partition, record_offset, position, rule, reasons)"
        """ SELECT feed_id, 't', 0, 0, 0, 'future_date', '[{"message_vi": "ở tương lai", "message_en": "in future"}]'"""
        " FROM feed WHERE key = 'tax.einvoice'"
    )
    put_assessed(db)


@pytest.fixture
def grafana(filled: Settings) -> Iterator[psycopg.Connection]:
    """The role of the data source."""
    with connect(filled, "grafana", autocommit=True) as connection:
        yield connection


def model_of(bundle: Bundle, uid: str) -> dict[str, Any]:
    return next(board.model for board in bundle.boards if board.uid == uid)


def situation_of(uid: str, **variables: str) -> Situation:
    """Boards of business days look at October 2024, the others at the last hours."""
    if uid.removesuffix("-en").endswith(ABOUT_NOW):
        return Situation(last_days(1).start, last_days(1).end, timedelta(minutes=1), variables)
    return Situation(OCTOBER.start, OCTOBER.end, OCTOBER.interval, variables)


def refused(answers: list[QueryResult]) -> list[tuple[str, str]]:
    return [(answer.place, answer.error) for answer in answers if answer.error]


class TestBoards:
    def test_every_query_of_every_board_runs(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        """In both languages; only what is marked on lines may have nothing to say."""
        empty: set[str] = set()
        for board in bundle.boards:
            answers = run_board(grafana, board.model, situation_of(board.uid))
            assert refused(answers) == []
            empty |= {answer.place for answer in answers if not answer.rows and "/ @" not in answer.place}
        # The indicator that is chosen first has not changed its status, and no figure of a past moment is kept here.
        assert {place.split(" / ")[1] for place in empty} <= {
            "Các lần đổi tình trạng [table]",
            "Changes of status [table]",
            "Như đã biết đến hết ngày ${as_of:text}, và hiện nay [table]",
            "As known at the end of ${as_of:text}, and now [table]",
        }

    @pytest.mark.parametrize("area", [PROVINCE, *DISTRICTS])
    @pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year", "total"])
    def test_every_choice_runs(self, bundle: Bundle, grafana: psycopg.Connection, area: int, period: str) -> None:
        chosen = {"area": str(area), "period": period}
        for uid in ("ioc-sector-lodging", "ioc-sector-dti-en", "ioc-indicator", "ioc-area-en"):
            assert refused(run_board(grafana, model_of(bundle, uid), situation_of(uid, **chosen))) == []

    def test_an_empty_database_is_no_error(self, bundle: Bundle, settings: Settings) -> None:
        with connect(settings, "grafana", autocommit=True) as connection:
            for board in bundle.boards[:12]:
                assert refused(run_board(connection, board.model, situation_of(board.uid))) == []

    def test_every_panel_gets_the_columns_it_names(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        for uid in (
            "ioc-overview",
            "ioc-sector-lodging",
            "ioc-indicator",
            "ioc-area",
            "ioc-quality",
            "ioc-pipeline",
            "ioc-incident",
        ):
            model = model_of(bundle, uid)
            columns = {a.place: a.columns for a in run_board(grafana, model, situation_of(uid))}
            for panel in all_panels(model):
                for target in (t for t in panel.get("targets") or [] if "rawSql" in t):
                    given = columns[f"{uid} / {panel.get('title', '')} [{panel['type']}] / {target['refId']}"]
                    overrides = panel.get("fieldConfig", {}).get("overrides") or []
                    named = {o["matcher"]["options"] for o in overrides if o["matcher"]["id"] == "byName"}
                    assert named <= set(given), panel.get("title")
                    # What people read has a name of theirs; what links carry is hidden.
                    if panel["type"] == "table":
                        assert set(given) == named, panel["title"]
                    if target["format"] == "time_series":
                        assert given[0] == "time"

    def test_people_read_text(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        """No number reaches a table or a tile, so that no browser writes it in its own way."""
        for uid in ("ioc-overview", "ioc-sector-lodging", "ioc-indicator-en", "ioc-pipeline"):
            model = model_of(bundle, uid)
            kinds = {f"{p.get('title', '')} [{p['type']}]": p["type"] for p in all_panels(model)}
            for answer in run_board(grafana, model, situation_of(uid)):
                kind = kinds.get(answer.place.split(" / ")[1])
                if kind in ("table", "stat"):
                    shown = {c for c in answer.columns if c not in ("rank", "latitude", "longitude")}
                    for row in answer.rows:
                        values = dict(zip(answer.columns, row, strict=True))
                        assert all(isinstance(values[c], str) for c in shown if values[c] is not None), answer.place

    def test_areas_are_those_of_the_day_and_the_province_leads(
        self, bundle: Bundle, grafana: psycopg.Connection
    ) -> None:
        query = next(q for q in board_queries(model_of(bundle, "ioc-overview")) if q.place == "ioc-overview / $area")
        (answer,) = run_queries(grafana, [query], OCTOBER)
        assert answer.rows[0] == ("Tỉnh Bà Rịa - Vũng Tàu", str(PROVINCE))
        assert ("Thành phố Vũng Tàu", "7471") in answer.rows
        assert "Thành phố Hồ Chí Minh" not in {row[0] for row in answer.rows}

    def test_what_is_shown_big_is_over_and_dated(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        """The last day with data is still running: it is shown as such and nowhere else."""
        answers = run_board(grafana, model_of(bundle, "ioc-sector-lodging"), situation_of("ioc-sector-lodging"))
        heads = next(a for a in answers if {"rank", "code"} <= set(a.columns))
        names = [row[heads.columns.index("name")] for row in heads.rows]
        assert all("ngày 30/10/2024" in str(name) for name in names if "ngày" in str(name))
        assert any("tuần trước" in str(name) for name in names)
        header = next(a for a in answers if "[stat] / A" in a.place and a.columns == ("shown",))
        assert header.rows[0][0] == "Lưu trú du lịch · Tỉnh Bà Rịa - Vũng Tàu · số liệu đến hết ngày 30/10/2024"

    def test_lists_that_are_cut_begin_with_the_worst(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        answers = run_board(grafana, model_of(bundle, "ioc-overview"), situation_of("ioc-overview"))
        worst = next(a for a in answers if "Mười chỉ tiêu" in a.place)
        status = [row[worst.columns.index("status")] for row in worst.rows]
        assert status == sorted(status, key=["Chậm tiến độ", "Có nguy cơ"].index)
        tiles = next(a for a in answers if "sector" in a.columns and "rank" in a.columns)
        assert len(tiles.rows) == 31
        assert "chậm" in str(tiles.rows[0][tiles.columns.index("shown")])

    def test_no_panel_has_to_read_a_whole_table(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        """With sequential scans made dear, one that remains is one that no index can replace."""
        grafana.execute("SET enable_seqscan = off")
        large = chunks(grafana, "indicator_cell") | chunks(grafana, "rejected_event")
        for uid in ("ioc-overview", "ioc-sector-lodging", "ioc-indicator", "ioc-area", "ioc-quality"):
            model = model_of(bundle, uid)
            situation = choose_variables(grafana, model, situation_of(uid))
            for query in board_queries(model):
                plan = grafana.execute(f"EXPLAIN {expand(query.sql, situation)}".encode()).fetchall()
                scans = {row[0].split("Seq Scan on ")[1].split()[0] for row in plan if "Seq Scan on " in row[0]}
                assert not scans & large, query.place

    def test_a_share_beyond_100_has_a_star_wherever_it_is_shown_and_says_why(
        self, bundle: Bundle, grafana: psycopg.Connection
    ) -> None:
        """The filled figures know nothing of shares: many are beyond."""
        starred: Counter[str] = Counter()
        chosen = {"sector": "vaccination", "indicator": "vaccination.recorded_24h_rate"}
        for uid in ("ioc-overview", "ioc-sector-vaccination", "ioc-area-en", "ioc-indicator"):
            answers = run_board(grafana, model_of(bundle, uid), situation_of(uid, **chosen))
            for answer in answers:
                for row in answer.rows:
                    shown = dict(zip(answer.columns, row, strict=True))
                    for column in {"value", "shown", "above"} & shown.keys():
                        text = re.fullmatch(r"(-?[\d.,]+)\s?%(.*)", str(shown[column]))
                        if text is None or shown.get("name") == "Dự báo đến hạn":
                            continue
                        number = text[1] if uid.endswith("-en") else text[1].translate(str.maketrans(".,", "_."))
                        beyond = not 0 <= float(number.replace(",", "")) <= 100
                        assert (text[2].strip() == "*") == beyond, (answer.place, shown)
                        starred[uid] += beyond
        # The other two list the worst first: what is beyond 100 % comes last there.
        assert min(starred["ioc-sector-vaccination"], starred["ioc-indicator"]) > 0, starred
        definition = next(answer for answer in answers if "Định nghĩa" in answer.place)
        assert "Vì sao ngoài 0–100 % (*)" in {row[0] for row in definition.rows}

    def test_boards_open_at_the_month_of_the_data(self, filled: Settings) -> None:
        assert data_range(filled, "Asia/Ho_Chi_Minh").start == "2024-09-30T17:00:00.000Z"


def chunks(connection: psycopg.Connection, table: str) -> set[str]:
    found = connection.execute("SELECT show_chunks(%s)::regclass::text", [table]).fetchall()
    return {row[0].rpartition(".")[2].strip('"') for row in found}


class TestRole:
    """Any viewer may send any SQL through the data source: the role decides what everybody may read."""

    def test_it_reads_no_record_and_no_payload(self, grafana: psycopg.Connection, feeds: dict[str, Feed]) -> None:
        closed = [
            *(f"SELECT * FROM {feed.table}" for feed in feeds.values()),
            "SELECT * FROM record_revision",
            "SELECT * FROM record_identity",
            "SELECT payload FROM rejected_event",
            "SELECT subject, reporter FROM rejected_event",
            "SELECT * FROM reporter",
            "SELECT * FROM notification_outbox",
            "SELECT * FROM distinct_member",
            "SELECT member FROM member_delta",
            "SELECT sums FROM measure_delta",
            "SELECT link FROM incident",  # opens a page in the name of the post that is told
        ]
        for statement in closed:
            with pytest.raises(errors.InsufficientPrivilege):
                grafana.execute(statement.encode())

    def test_it_reads_the_tables_of_boards_and_no_others(self, grafana: psycopg.Connection) -> None:
        rows = grafana.execute(
            "SELECT DISTINCT table_name FROM information_schema.column_privileges"
            " WHERE grantee = current_user AND table_schema = 'public'"
        )
        assert {name for (name,) in rows} == TABLES

    def test_it_writes_nothing(self, grafana: psycopg.Connection) -> None:
        for statement in ("DELETE FROM incident", "INSERT INTO feed DEFAULT VALUES", "CREATE TABLE t (n int)"):
            with pytest.raises(errors.InsufficientPrivilege):
                grafana.execute(statement.encode())


@pytest.mark.parametrize(
    ("call", "vi", "en"),
    [
        ("number_text(11080.04, 2, {})", "11.080,04", "11,080.04"),
        ("number_text(0, 2, {})", "0", "0"),
        ("number_text(-1234.5, 1, {})", "-1.234,5", "-1,234.5"),
        ("number_text(1e15, 0, {})", "1.000.000.000.000.000", "1,000,000,000,000,000"),
        ("number_text('NaN', 2, {})", None, None),
        ("number_text(NULL, 2, {})", None, None),
        ("amount_text(3190000000, 'đồng', {})", "3,19 tỷ đồng", "3.19 billion đồng"),
        ("amount_text(11080040000000, 'đồng', {})", "11.080,04 tỷ đồng", "11,080.04 billion đồng"),
        ("amount_text(12500000, 'đồng', {})", "12,5 triệu đồng", "12.5 million đồng"),
        ("amount_text(-3190000000, 'đồng', {})", "-3,19 tỷ đồng", "-3.19 billion đồng"),
        ("amount_text(999999999, 'đồng', {})", "1 tỷ đồng", "1 billion đồng"),
        ("amount_text(950000, 'đồng', {})", "950.000 đồng", "950,000 đồng"),
        ("amount_text(2500000, 'đồng/người', {})", "2,5 triệu đồng/người", "2.5 million đồng/người"),
        ("amount_text(39.5, '%', {})", "39,5 %", "39.5%"),
        ("amount_text(90, '%', {})", "90 %", "90%"),
        ("amount_text(99.97, '%', {})", "99,97 %", "99.97%"),
        ("amount_text(0.04, '%', {})", "0,04 %", "0.04%"),
        ("amount_text(0.0123, 'điểm', {})", "0,0123 điểm", "0.0123 điểm"),
        ("amount_text(117, 'lượt', {})", "117 lượt", "117 lượt"),
        ("change_text(1.54, '%', {})", "+1,5 điểm %", "+1.5 points"),
        ("change_text(-10, 'lượt', {})", "-10 lượt", "-10 lượt"),
        ("lag_text(12.34, 'point', {})", "12,3 điểm %", "12.3 points"),
        ("lag_text(12.34, '%', {})", "12,3 %", "12.3%"),
        ("day_text('2024-10-16', {})", "16/10/2024", "16 Oct 2024"),
        ("period_text('day', '2024-10-16', {})", "ngày 16/10/2024", "16 Oct 2024"),
        ("period_text('week', '2024-10-28', {})", "tuần 28/10–03/11/2024", "week of 28 Oct–3 Nov 2024"),
        ("period_text('month', '2024-10-01', {})", "tháng 10/2024", "October 2024"),
        ("period_text('quarter', '2024-10-01', {})", "quý IV/2024", "Q4 2024"),
        ("period_text('year', '2024-01-01', {})", "năm 2024", "2024"),
        ("moment_text('2024-10-16 20:05+00', 'Asia/Ho_Chi_Minh', {})", "03:05 17/10/2024", "03:05 17 Oct 2024"),
        ("duration_text('2 days 03:20', {})", "2 ngày 3 giờ", "2 d 3 h"),
        ("duration_text('01:00:59', {})", "1 giờ", "1 h"),
        ("duration_text('00:15', {})", "15 phút", "15 min"),
        ("duration_text('-00:00:05', {})", "0 giây", "0 s"),
        ("duration_text(NULL, {})", None, None),
        ("period_before('day', '2024-10-16')::text || left({}, 0)", "2024-10-09", "2024-10-09"),
        ("period_before('quarter', '2024-10-01')::text || left({}, 0)", "2024-07-01", "2024-07-01"),
    ],
)
def test_figures_are_written_as_each_language_writes_them(
    grafana: psycopg.Connection, call: str, vi: str | None, en: str | None
) -> None:
    texts = ", ".join(call.format(f"'{language}'") for language in LANGUAGES)
    assert grafana.execute(f"SELECT {texts}".encode()).fetchone() == (vi, en)


class TestRules:
    def test_every_question_gives_text_and_one_number(self, bundle: Bundle, grafana: psycopg.Connection) -> None:
        answers = run_queries(grafana, rule_queries(bundle.rules), last_days(1))
        assert refused(answers) == []
        assert all(answer.rows for answer in answers)
        for answer in answers:
            for row in answer.rows:
                assert [type(value) for value in row] == [*[str] * (len(row) - 1), float], answer.place

    def test_texts_are_as_the_province_writes_and_links_open_where_it_lags(
        self, bundle: Bundle, grafana: psycopg.Connection
    ) -> None:
        questions = {query.place: query for query in rule_queries(bundle.rules)}
        (answer,) = run_queries(grafana, [questions["ioc-incident-open / A"]], last_days(1))
        row = dict(zip(answer.columns, answer.rows[0], strict=True))
        assert row["places"] == "Thành phố Bà Rịa, Thành phố Vũng Tàu, Tỉnh Bà Rịa - Vũng Tàu"
        assert str(row["path"]).startswith("ioc-indicator?var-sector=")
        for part in ("&var-indicator=", f"&var-area={PROVINCE}", "&var-period=", "&from=", "&to="):
            assert part in str(row["path"])
        assert row["notice"] == "Dữ liệu mô phỏng, không phải số liệu thật của tỉnh"
        assert ("điểm %" in str(row["lag"])) == (str(row["figure"]).endswith("%"))

    def test_from_the_table_to_the_message(self, bundle: Bundle, settings: Settings, db: psycopg.Connection) -> None:
        """Fire, acknowledge, silence, end: each cause is told once, and its end once; nothing on the second look."""
        fill(db)
        with connect(settings, "grafana", autocommit=True) as connection:
            alerting = Alerting(loaded(bundle), lambda sql: ask(connection, sql))
            now = datetime.now(UTC)
            opened = [dict(m.group) for m in alerting.evaluate(now)]
            (wanted,) = db.execute("SELECT count(*) FROM incident WHERE closed_at IS NULL").fetchone() or (0,)
            assert len([g for g in opened if g["alertname"] == "Sự việc đang mở"]) == wanted == 5
            assert len([g for g in opened if g["alertname"] == "Sự việc đã kết thúc"]) == 1
            assert alerting.evaluate(now + timedelta(minutes=1)) == []
            db.execute("UPDATE incident SET acknowledged_at = now(), acknowledged_by = 'x' WHERE incident_id = 1")
            db.execute("UPDATE incident SET silenced_until = now() + interval '1 hour' WHERE incident_id = 2")
            db.execute("UPDATE incident SET value = 1, summary_vi = 'đã đổi' WHERE incident_id = 3")
            db.execute("UPDATE incident SET step = 1 WHERE incident_id = 4")
            told = alerting.evaluate(now + timedelta(minutes=2))
            assert [dict(m.group)["incident"] for m in told] == ["4"]
            db.execute("UPDATE incident SET closed_at = now() WHERE incident_id = 5")
            (over,) = alerting.evaluate(now + timedelta(minutes=3))
            texts = dict(over.alerts[0])
            assert (texts["event"], texts["incident"]) == ("closed", "5")
            assert texts["summary"].startswith("Đã kết thúc, mở trong ")
            assert set(alerting.health.values()) == {"ok"}


def loaded(bundle: Bundle) -> Store:
    store = Store()
    store.put_folder("ioc-folder-alerts", "x")
    for rule in bundle.rules.values():
        store.put_rule(rule, "api", new=True)
    for point in bundle.contact_points:
        # One way to the operators, so that one message counts once.
        if point["type"] == "webhook" or point["name"] not in ("IOC: operators", "IOC: watch"):
            store.put_contact_point(point, "api", new=True)
    store.put_policy(bundle.policy, "api")
    return store


def ask(connection: psycopg.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(expand(sql, last_days(1)).encode())
    return [column.name for column in cursor.description or ()], cursor.fetchall()
