"""Figures of the simulated month counted by plain SQL over the records, written by hand: no engine of the platform.

`scope` holds the ids of an area and all below it, `first` and `last` the days of a period up to the last that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg

LAST_KNOWN = date(2024, 10, 31)
AREAS = ("77", "747", "26508")
PERIODS = {
    "day": (date(2024, 10, 15), date(2024, 10, 15)),
    "week": (date(2024, 10, 14), date(2024, 10, 20)),
    "month": (date(2024, 10, 1), LAST_KNOWN),
    "quarter": (date(2024, 10, 1), LAST_KNOWN),
    "year": (date(2024, 1, 1), LAST_KNOWN),
}
_HERE = "area_id = ANY (%(scope)s)"
_WITHIN = "BETWEEN %(first)s AND %(last)s"
_SO_FAR = "BETWEEN date_trunc('year', %(last)s::date) AND %(last)s"
_STANDS = (
    f"FROM registry_reporter WHERE {_HERE} AND registry = 'lodging' AND opened_on <= d"
    " AND coalesce(closed_on > d, true)"
)
_ROOM_DAYS = (
    "(SELECT sum((SELECT coalesce(sum(rooms), 0) " + _STANDS + "))"
    " FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS d)"
)
_COHORT = (
    f"(SELECT sum(quantity) FROM vaccination_dose WHERE {_HERE} AND kind = 'target' AND cohort = 'under1'"
    " AND occurred_on <= %(last)s AND coalesce(ended_on > %(last)s, true))"
)
_DUE = (
    "(SELECT count(*) FROM reporter r JOIN feed f USING (feed_id) JOIN area a ON a.code = r.area_code,"
    " generate_series(%(first)s::date, %(last)s::date, '1 day') AS d"
    " WHERE f.key = 'tourism.daily_report' AND a.area_id = ANY (%(scope)s)"
    " AND d >= greatest(r.valid_from, a.valid_from) AND d < least(r.valid_to, a.valid_to))"
)


def _reported(code: str, period: str, days: str) -> str:
    return (
        f"SELECT sum(value) FROM report_value WHERE {_HERE} AND indicator = '{code}' AND period = '{period}'"
        f" AND period_start {days}"
    )


def _level(code: str) -> str:
    """The sum over areas of the last report of each."""
    return (
        "SELECT sum(value) FROM (SELECT DISTINCT ON (area_id) value FROM report_value"
        f" WHERE {_HERE} AND indicator = '{code}' AND period_start <= %(last)s ORDER BY area_id, period_start DESC) l"
    )


# Payments are reported by the week: a day has no figure of its own.
_NOT_BY_DAY = ("budget.disbursement_rate",)

# code -> SQL; every kind and every function of time.
COUNTS: dict[str, str] = {
    "lodging.guests.total": f"SELECT count(*) FROM tourism_stay WHERE {_HERE} AND check_in_on {_WITHIN}",
    "lodging.nights.total": (
        f"SELECT coalesce(sum(nights), 0) FROM tourism_stay WHERE {_HERE} AND check_out_on {_WITHIN}"
    ),
    "lodging.unique_guests.total": (
        f"SELECT count(DISTINCT guest_id) FROM tourism_stay WHERE {_HERE} AND check_in_on {_WITHIN}"
    ),
    "lodging.rooms.total": (
        f"SELECT sum(rooms) FROM (SELECT %(last)s::date AS d) day, LATERAL (SELECT rooms {_STANDS}) stands"
    ),
    "lodging.in_house.total": (
        f"SELECT count(*) FROM tourism_stay WHERE {_HERE} AND check_in_on <= %(last)s"
        " AND coalesce(check_out_on > %(last)s, true)"
    ),
    "lodging.international_share": (
        f"SELECT 100.0 * count(*) FILTER (WHERE origin = 'international') / nullif(count(*), 0) FROM tourism_stay"
        f" WHERE {_HERE} AND check_in_on {_WITHIN}"
    ),
    "lodging.avg_stay.total": (
        f"SELECT sum(nights) / nullif(count(nights), 0)::numeric FROM tourism_stay"
        f" WHERE {_HERE} AND overnight AND check_out_on {_WITHIN}"
    ),
    "lodging.occupancy.total": (
        f"SELECT 100.0 * sum(rooms_sold) / nullif({_ROOM_DAYS}, 0) FROM tourism_daily_report"
        f" WHERE {_HERE} AND report_on {_WITHIN}"
    ),
    "lodging.revpar": (
        f"SELECT sum(revenue_room) / nullif({_ROOM_DAYS}, 0)::numeric FROM tourism_daily_report"
        f" WHERE {_HERE} AND report_on {_WITHIN}"
    ),
    "lodging.reporting_rate": (
        f"SELECT 100.0 * count(*) / nullif({_DUE}, 0) FROM tourism_daily_report WHERE {_HERE} AND report_on {_WITHIN}"
    ),
    "vaccination.coverage.bcg": (
        f"SELECT 100.0 * count(*) / nullif({_COHORT}, 0) FROM vaccination_dose WHERE {_HERE} AND kind = 'dose'"
        f" AND vaccine = 'bcg' AND dose_no = 1 AND occurred_on {_SO_FAR}"
    ),
    "vaccination.fully_immunised_rate": (
        f"SELECT 100.0 * count(DISTINCT person_id) / nullif({_COHORT}, 0) FROM vaccination_dose WHERE {_HERE}"
        f" AND kind = 'dose' AND age_group = 'under1' AND completes_course AND occurred_on {_SO_FAR}"
    ),
    "budget.revenue.total": _reported("budget.revenue.total", "day", _WITHIN),
    "budget.revenue_rate": (
        f"SELECT 100 * ({_reported('budget.revenue.total', 'day', _SO_FAR)}) / ({_level('budget.revenue_plan')})"
    ),
    "budget.disbursement_rate": (
        f"SELECT 100 * ({_reported('budget.investment_paid', 'week', _SO_FAR)}) / ({_level('budget.investment_plan')})"
    ),
    "health_system.beds": _level("health_system.beds"),
    "electricity.peak_load": (
        "SELECT max(value) FROM report_value WHERE area_id = (%(scope)s::int[])[1]"
        f" AND indicator = 'electricity.peak_load_day' AND period_start {_WITHIN}"
    ),
    "environment.aqi.peak": (
        f"SELECT max(mean) FROM (SELECT avg(value) AS mean FROM environment_reading WHERE {_HERE} AND medium = 'air'"
        f" AND param = 'aqi_max' AND status = 'measuring' AND effective_on {_WITHIN} GROUP BY effective_on) days"
    ),
}


def counted(connection: psycopg.Connection) -> Iterator[tuple[str, str, str, date, float]]:
    """Yield code, area, period, its first day and the value, where plain counting gives one."""
    for code in AREAS:
        scope = connection.execute(
            "WITH RECURSIVE below AS ("
            " SELECT area_id FROM area WHERE code = %(code)s AND %(on)s BETWEEN valid_from AND valid_to - 1"
            " UNION ALL SELECT a.area_id FROM area a JOIN below b ON a.parent_id = b.area_id)"
            " SELECT array_agg(area_id) FROM below",
            {"code": code, "on": LAST_KNOWN},
        ).fetchone()
        assert scope is not None
        for period, (first, last) in PERIODS.items():
            for name, sql in COUNTS.items():
                if period == "day" and name in _NOT_BY_DAY:
                    continue
                row = connection.execute(sql.encode(), {"scope": scope[0], "first": first, "last": last}).fetchone()
                if row is not None and row[0] is not None:
                    yield name, code, period, first, float(row[0])
