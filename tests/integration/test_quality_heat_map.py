"""The heat map of the data's quality: days of a month, weeks of a year, names that a phone has room for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from grafana.bundle import load_bundle
from grafana.checking.check import board_queries
from grafana.checking.run import choose_variables, run_queries
from grafana.query.macros import Situation
from ioc.database.connection import connect
from ioc.settings import Settings

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)


@pytest.fixture
def measured(db: psycopg.Connection) -> None:
    """A year in which a feed was complete on the first day of each seven, and three of four on the others."""
    db.execute(
        "INSERT INTO quality_measure (day, measure, feed, sector, area_id, numerator, denominator, measured_at)"
        " SELECT d::date, 'complete', feed.key, '', area_id, CASE (d::date - %(first)s) %% 7 WHEN 0 THEN 4 ELSE 3 END,"
        " 4, now()"
        " FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS d, feed, area"
        " WHERE level = 'province' AND valid_from <= %(first)s AND valid_to > %(last)s",
        {"first": FIRST, "last": LAST},
    )
    db.execute(
        "INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)"
        " VALUES ('lodging', 'day', 771, '2025-01-01', '{1}')"
    )


def cells(settings: Settings, first: date, days: int, language: str) -> dict[str, dict[date, float]]:
    """Return by name what the map shows by day."""
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(hours=7)
    asked = Situation(begin, begin + timedelta(days=days, seconds=-1), timedelta(days=1), {"measure": "complete"})
    uid = "ioc-quality" if language == "vi" else f"ioc-quality-{language}"
    (model,) = [one.model for one in load_bundle(settings, [language]).boards if one.uid == uid]  # type: ignore[list-item]
    with connect(settings, "grafana", autocommit=True) as connection:
        situation = choose_variables(connection, model, asked)
        (query,) = [one for one in board_queries(model) if "status-history" in one.place]
        (answer,) = run_queries(connection, [query], situation)
    assert not answer.error
    found: dict[str, dict[date, float]] = {}
    for at, name, share in answer.rows:
        assert isinstance(at, datetime)
        found.setdefault(str(name), {})[(at + timedelta(hours=7)).date()] = share  # type: ignore[assignment]
    return found


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_month_shows_days_and_a_year_shows_weeks(settings: Settings, db: psycopg.Connection, language: str) -> None:
    feeds = db.execute("SELECT count(*) FROM feed").fetchone()
    month = cells(settings, date(2024, 1, 1), 31, language)
    assert feeds == (len(month),)  # each feed keeps a name of its own
    assert all(len(name) <= 22 for name in month)
    for shown in month.values():
        assert sorted(shown) == [FIRST + timedelta(days=n) for n in range(31)]
        assert (shown[FIRST], shown[date(2024, 1, 2)], shown[date(2024, 1, 8)]) == (100, 75, 100)
    year = cells(settings, FIRST, 366, language)
    assert list(year) == list(month)
    for shown in year.values():
        assert sorted(shown) == [FIRST + timedelta(days=7 * n) for n in range(53)]
        assert shown[FIRST] == round(100 * 22 / 28)  # of seven days together, not the mean of one
        assert shown[date(2024, 12, 30)] == round(100 * 7 / 8)  # the two days that are left
