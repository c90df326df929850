"""The newest figures as they were at a past moment: of the province and of the units right below it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from ioc.catalogue.store import load_editions
from ioc.database.connection import connect, translated_errors
from ioc.errors import QuestionError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.reading.past.figures import PastFigures
from ioc.reading.past.moment import PastMoment, past
from ioc.settings import Settings

_LOOKED_AT = 60  # newest open periods in which a figure is looked for


@dataclass(frozen=True)
class LatestThen:
    """A unit's newest figure at the moment."""

    area_code: str
    area_name: str
    area_level: str
    bucket: date
    value: float


def moment_of(settings: Settings, text: str) -> PastMoment:
    """Read a moment in the province's time; raises QuestionError for what is none."""
    return PastMoment.parse(text, ZoneInfo(load_profile(settings.profile).timezone))


def latest_then(settings: Settings, code: str, period: str, moment: PastMoment) -> list[LatestThen]:
    """Return the newest figure of each of the units that there were, the province first.

    Raises QuestionError for an indicator that there was not.
    """
    areas = load_profile(settings.profile).areas
    with connect(settings, "reader", autocommit=True) as connection, translated_errors(), past(connection, moment):
        live = load_editions(connection).live
        indicator = live.indicators.get(code)
        if indicator is None:
            raise QuestionError(
                f"no indicator had the code {code!r} then; `ioc indicator list --search` finds those of now",
                f"khi đó không có chỉ tiêu nào mang mã {code!r}; tìm bằng `ioc indicator list --search`",
            )
        reader = PastFigures(connection, live.compiled, load_feeds())
        opened = reader.opened(indicator.sector)
        buckets = sorted(bucket for length, bucket in opened.buckets if length == period)[-_LOOKED_AT:]
        if not buckets:
            return []
        there = list(areas.at(opened.end(period, buckets[-1])))
        roots = [area for area in there if area.parent_id is None]
        units = roots + sorted(
            (area for area in there if area.parent_id in {root.area_id for root in roots}), key=lambda area: area.code
        )
        found = reader.read([code], indicator.sector, period, buckets, units)
        rows = []
        for unit in units:
            own = {bucket: value for (_, area_id, bucket), value in found.items() if area_id == unit.area_id}
            if own:
                newest = max(own)
                rows.append(LatestThen(unit.code, unit.name_vi, unit.level, newest, own[newest]))
        return rows
