"""A province with figures, statuses and incidents, for the pages: written here as the scheduler would."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from testbed.feed_event import BA_RIA, HOTEL, INN, PROVINCE, RIVAL, VUNG_TAU, report, stay
from testbed.pipeline import Pipeline

# The pages' clock: the morning after the last day with figures.
NOW = datetime(2024, 10, 24, 0, 10, tzinfo=UTC)
GUESTS, OCCUPANCY = "lodging.guests.total", "lodging.occupancy.total"
SILENT_FEED = "vaccination.dose"


def fill_figures(pipeline: Pipeline) -> None:
    """Three weeks of stays and daily reports of three establishments, folded."""
    days = [date(2024, 10, 1) + timedelta(days=n) for n in range(23)]
    stays = [
        stay(
            place, guest=100 * n + k, check_in=day.isoformat(), check_out=(day + timedelta(days=1 + k % 3)).isoformat()
        )
        for n, day in enumerate(days)
        for place, many in ((HOTEL, 7 + n % 5), (INN, 3), (RIVAL, 2 + n % 3))
        for k in range(many)
    ]
    reports = [
        report(place, day.isoformat(), rooms_total=rooms, rooms_available=rooms, rooms_sold=min(rooms, 2 + n % 6))
        for n, day in enumerate(days)
        for place, rooms in ((HOTEL, 9), (INN, 20))
    ]
    pipeline.send("tourism.stay", stays)
    pipeline.send("tourism.daily_report", reports)
    pipeline.roll_up()


def fill_statuses(connection: psycopg.Connection) -> int:
    """Statuses of every indicator of the province and of one by district, and incidents; return the open lag's id.

    connection: of the owner.
    """
    areas = dict(connection.execute("SELECT code, area_id FROM area WHERE valid_to > '2024-10-24'").fetchall())
    root = areas[PROVINCE]
    rows = connection.execute(
        "SELECT code, sector, unit, owner, target_op, target, target_on FROM indicator WHERE live ORDER BY indicator_id"
    ).fetchall()
    statuses = [
        _status(code, root, sector, unit, owner, op, target, on) for code, sector, unit, owner, op, target, on in rows
    ]
    named = {row[0]: row for row in rows}
    guests = named[GUESTS]
    lags = ((PROVINCE, 14.2), (VUNG_TAU, 22.5), (BA_RIA, 3.1))
    statuses = [status for status in statuses if status["code"] != GUESTS]
    for area, lag in lags:
        statuses.append(
            _status(GUESTS, areas[area], guests[1], guests[2], guests[3], ">=", 500.0, date(2024, 12, 31))
            | {
                "status": "lagging",
                "period": "year",
                "bucket": date(2024, 1, 1),
                "value": 310.0,
                "expected": 310.0 / (1 - lag / 100),
                "lag": lag,
                "lag_in": "%",
                "lag_days": 41.0,
                "forecast": 402.5,
                "forecast_low": 380.0,
                "forecast_high": 430.0,
                "needed_per_week": 19.4,
                "settlement": "provisional",
                "reported": 474,
                "due": 476,
            }
        )
    names = list(statuses[0])
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO indicator_status ({', '.join(names)}) VALUES ({', '.join(f'%({name})s' for name in names)})",
            statuses,
        )
    connection.execute(
        "INSERT INTO indicator_status_change (changed_at, code, area_id, before, status, period, value, lag, unusual)"
        " VALUES (%s, %s, %s, 'on_track', 'lagging', 'year', 310, 14.2, false)",
        [NOW - timedelta(hours=6), GUESTS, root],
    )
    connection.execute("INSERT INTO scheduler_job (job, started_at, finished_at) VALUES ('status', %s, %s)", [NOW, NOW])
    return _incidents(connection, areas)


def _status(
    code: str, area_id: int, sector: str, unit: str, owner: str, op: str | None, target: float | None, on: date | None
) -> dict[str, Any]:
    stale = sector == "vaccination"
    status = "stale" if stale else "no_target" if target is None else "on_track"
    return {
        "code": code,
        "area_id": area_id,
        "sector": sector,
        "unit": unit,
        "owner": owner,
        "status": status,
        "since": NOW - timedelta(days=2),
        "period": "month",
        "bucket": date(2024, 9, 1),
        "through": date(2024, 10, 23),
        "value": None if stale else 91.25 if unit == "%" else 11_080.04,
        "target_op": op,
        "target": target,
        "target_on": on,
        "pace": None if target is None else "linear" if on else "at_once",
        "expected": target,
        "lag": None if stale or target is None else 0.0,
        "lag_in": None if target is None else "point" if unit == "%" else "%",
        "lag_days": None,
        "forecast": None,
        "forecast_low": None,
        "forecast_high": None,
        "needed_per_week": None,
        "unusual": code == OCCUPANCY,
        "unusual_score": 6.1 if code == OCCUPANCY else None,
        "usual": 54.5 if code == OCCUPANCY else None,
        "settlement": None,
        "reported": None,
        "due": None,
        "cause": SILENT_FEED if stale else None,
        "computed_at": NOW - timedelta(seconds=8),
    }


def _incidents(connection: psycopg.Connection, areas: dict[str, int]) -> int:
    silent = {
        "cause": f"feed_silent:{SILENT_FEED}",
        "kind": "feed_silent",
        "severity": "critical",
        "sector": "vaccination",
        "feed": SILENT_FEED,
        "code": None,
        "owner": "Sở Y tế",
        "title_vi": "Mũi tiêm: mất dữ liệu 2 ngày",
        "title_en": "Vaccine doses: silent for 2 days",
        "summary_vi": "Bản ghi hợp lệ gần nhất nhận lúc 07:05 22/10/2024. 121 số liệu dựa vào nguồn này được ghi "
        "là chưa cập nhật, không xét chậm tiến độ.",
        "summary_en": "The newest accepted record came at 2024-10-22 07:05.",
        "evidence": Jsonb({"newest_at": "2024-10-22T00:05:00+00:00", "consumed": 40, "rejected": 40, "rules": [
            {"rule": "missing", "events": 38, "message_vi": "thiếu trường bắt buộc", "since": "2024-10-22"},
            {"rule": "literal_error", "events": 2, "message_vi": "giá trị phải là một trong: M1, M2", "since": None}]}),
        "area_id": None, "period": None, "bucket": None, "value": None, "expected": None, "lag": None, "unit": None,
        "indicators": 121,
        "areas": 1,
        "since": NOW - timedelta(days=2),
        "acknowledged_by": None,
        "acknowledged_at": None,
    }  # fmt: skip
    lagging = silent | {
        "cause": f"lagging:{GUESTS}",
        "kind": "lagging",
        "severity": "warning",
        "sector": "lodging",
        "feed": "tourism.stay",
        "code": GUESTS,
        "owner": "Sở Du lịch",
        "title_vi": "Lượt khách lưu trú chậm 14,2 % so với tiến độ",
        "title_en": "Guests in lodging: 14.2% behind",
        "summary_vi": "Đạt 310 lượt, phải đạt 361 lượt đến nay. Chậm nhất: thành phố Vũng Tàu (22,5 %).",
        "summary_en": "310 of 361 expected by now.",
        "evidence": Jsonb({"areas": [{"name": "Vũng Tàu", "lag": 22.5}, {"name": "Bà Rịa", "lag": 3.1}]}),
        "area_id": areas[VUNG_TAU],
        "period": "year",
        "bucket": date(2024, 1, 1),
        "value": 310.0,
        "expected": 361.3,
        "lag": 14.2,
        "unit": "lượt",
        "indicators": 1,
        "areas": 3,
    }  # fmt: skip
    ids = []
    for one in (silent, lagging):
        row = one | {"opened_at": one["since"], "changed_at": NOW, "seen_at": NOW, "step_at": one["since"]}
        (incident_id,) = connection.execute(
            f"INSERT INTO incident ({', '.join(row)}) VALUES ({', '.join(f'%({name})s' for name in row)}) "
            "RETURNING incident_id",
            row,
        ).fetchone() or (0,)
        connection.execute(
            "INSERT INTO incident_change (incident_id, changed_at, what, severity, step, evidence) "
            "VALUES (%s, %s, 'opened', %s, 0, '{}')",
            [incident_id, row["since"], row["severity"]],
        )
        ids.append(incident_id)
    for area in (PROVINCE, VUNG_TAU, BA_RIA):
        connection.execute("INSERT INTO incident_touch VALUES (%s, %s, %s, %s)", [ids[1], GUESTS, areas[area], NOW])
    connection.execute(
        "INSERT INTO notification_receipt (key, incident_id, step, sender, channel, recipient, sent_at, subject) "
        "VALUES ('k', %s, 0, 'grafana', 'email', 'so-du-lich.lodging.truong', %s, 'x')",
        [ids[1], NOW],
    )
    return int(ids[1])
