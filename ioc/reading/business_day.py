"""Which day is today for figures."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import scalar_row

from ioc.province.profile import Profile
from ioc.settings import Settings
from sql import load_queries


def business_now(connection: psycopg.Connection, settings: Settings, profile: Profile, now: datetime) -> datetime:
    """Return the clock as the province's business sees it.

    A simulated province lives in the past: noon of the day after the newest one that is counted, unless that is ahead
    of the clock. `IOC_BUSINESS_DAY` = `clock` or `data` says which, `auto` asks the profile.
    """
    if settings.business_day == "clock" or (settings.business_day == "auto" and not profile.simulated):
        return now
    zone = ZoneInfo(profile.timezone)
    today = now.astimezone(zone).date()
    cursor = connection.cursor(row_factory=scalar_row)
    newest = cursor.execute(load_queries("status")["select_data_day"], {"today": today}).fetchone()
    if newest is None or newest >= today:
        return now
    return datetime.combine(newest, time(12), zone)
