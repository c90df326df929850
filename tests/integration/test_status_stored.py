"""What stands in the database is what was computed last, whatever a look has written of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl
import psycopg
import pytest
from psycopg.rows import dict_row
from testbed.province_day import DAY, NOW, RATE, ProvinceDay, put_rates

from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.status.columns import COMPARED

KEY = ["code", "area_id"]
# What goes with the compared columns, whether it moves or not.
BESIDE = ("sector", "unit", "owner", "target_op", "target", "target_on", "pace", "lag_in", "unusual_score", "usual")


@pytest.fixture
def province(settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> ProvinceDay:
    return ProvinceDay(settings, db, profile, feeds)


def test_looks_that_write_what_has_moved_store_what_was_computed(province: ProvinceDay) -> None:
    """A value alone, a value and its status, the same again, another day; and a row that someone has removed."""
    province.alive(NOW)
    tomorrow = NOW + timedelta(days=1)
    for whole, low, at, day in (
        (25.0, 12.0, NOW, DAY),
        (25.5, 12.5, NOW + timedelta(seconds=15), DAY),
        (31.0, 30.0, NOW + timedelta(seconds=30), DAY),
        (31.0, 30.0, NOW + timedelta(seconds=45), DAY),
        (18.0, 11.0, tomorrow, DAY + timedelta(days=1)),
    ):
        put_rates(province, whole=whole, low=low, day=day)
        province.alive(at)
        province.look(at)
        _assert_stored_as_computed(province)
    province.db.execute("DELETE FROM indicator_status WHERE code = %s AND area_id = %s", [RATE, province.area_id("77")])
    put_rates(province, whole=19.0, low=12.0, day=date(2024, 10, 23))
    province.alive(tomorrow + timedelta(seconds=15))
    province.look(tomorrow + timedelta(seconds=15))
    assert province.row(RATE)["value"] == 19.0
    _assert_stored_as_computed(province)


def _assert_stored_as_computed(province: ProvinceDay) -> None:
    computed = province.overseer.status.store.current()
    rows = province.db.cursor(row_factory=dict_row).execute("SELECT * FROM indicator_status").fetchall()
    stored = pl.DataFrame(rows, schema=computed.schema, orient="row")
    columns = [*KEY, *COMPARED, *BESIDE]
    assert stored.height == computed.height > 0
    assert stored.select(columns).sort(KEY).equals(computed.select(columns).sort(KEY))
