"""Series by hand, over the reforms of 2025: as they were stored, and in the units of any date."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from testbed.feed_event import HOTEL, HOTEL_COMMUNE, ISLAND, RIVAL, Event, place, report, reported, stay
from testbed.pipeline import Pipeline
from testbed.server import cloned_database
from typer.testing import CliRunner

from deploy.cli import app
from ioc.catalogue import compile_measures
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.reading.series import Series, SeriesReader
from ioc.settings import Settings

# Its ward 26506 was Phường 1, and has been Phường Vũng Tàu since 2025-07-01, with HOTEL's 26508 and five others in it.
LODGE = "77-747-0004"
LOSS, SPENDING, BEDS = "electricity.loss", "budget.spending.total", "health_system.beds"
NEW, OLD, AFTER_JANUARY = "2025-07-01", "2024-10-01", "2025-02-01"

STAYS = [
    stay(LODGE, 1, "2024-10-05", check_out="2024-10-07"),  # 2 nights
    stay(HOTEL, 1, "2024-10-08", check_out="2024-10-09"),
    stay(HOTEL, 2, "2024-10-08", check_out="2024-10-09", origin="international", nationality="KOR", home_region=None),
    stay(RIVAL, 3, "2024-10-10", check_out="2024-10-11"),
    stay(ISLAND, 6, "2024-10-10", check_out="2024-10-12"),  # 2 nights
    stay(LODGE, 1, "2025-02-10", check_out="2025-02-13"),  # 3 nights
    stay(RIVAL, 3, "2025-02-11", check_out="2025-02-12"),
    stay(HOTEL, 4, "2025-06-28", check_out="2025-07-03"),  # 5 nights: a guest of a ward that ended meanwhile
    stay(LODGE, 1, "2025-08-05", check_out="2025-08-06"),
    stay(LODGE, 5, "2025-08-05", origin="international", nationality="KOR", home_region=None),  # is still there
    stay(RIVAL, 3, "2025-08-06", check_out="2025-08-07"),
]
PLACES = [
    place(HOTEL, "2024-01-01", rooms=10, star=0, type="hotel", area_code=HOTEL_COMMUNE),
    place(LODGE, "2025-07-15", rooms=20, star=1, type="hotel", area_code="26506"),
]
DAILY = [
    report(HOTEL, "2024-10-08", rooms_total=10, rooms_available=10, rooms_sold=5, revenue_room=5_000_000),
    report(LODGE, "2025-08-05", rooms_total=20, rooms_available=20, rooms_sold=6, revenue_room=9_000_000),
]


def told(code: str, area: str, period: str, start: str, value: float) -> Event:
    """What the statistics office states."""
    return reported("cuc-thong-ke", code, area, period, start, value)


REPORTS = [
    told(LOSS, "77", "month", "2024-10-01", 3.5),
    told(LOSS, "747", "month", "2024-10-01", 9),
    told(LOSS, "26707", "month", "2025-04-01", 2),
    told(LOSS, "79", "month", "2025-08-01", 4.5),
    told(SPENDING, "752", "month", "2024-10-01", 10),
    told(SPENDING, "753", "month", "2024-10-01", 5),
    told(SPENDING, "753", "month", "2025-02-01", 7),  # of Long Đất, which 752 and 753 had become
    told(BEDS, "747", "quarter", "2024-10-01", 900),
    told(BEDS, "748", "quarter", "2024-10-01", 100),
    told(BEDS, "79", "quarter", "2025-07-01", 1500),
]


@pytest.fixture(scope="module")
def years(
    template_database: str, stack_settings: Settings, feeds: dict[str, Feed], profile: Profile
) -> Iterator[Pipeline]:
    """Some days of 2024 and 2025, before and after both reforms; the tests of this file only read them."""
    own = stack_settings.model_copy(update={"db_name": "t_series", "topic_prefix": "t-series"})
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        pipeline.now = datetime(2025, 9, 1, tzinfo=UTC)
        counts = [
            pipeline.send("tourism.stay", STAYS),
            pipeline.send("registry.reporter", PLACES),
            pipeline.send("tourism.daily_report", DAILY),
            pipeline.send("report.value", REPORTS),
        ]
        assert sum(one.rejected for one in counts) == 0
        pipeline.roll_up()
        yield pipeline
        pipeline.close()


@pytest.fixture(scope="module")
def reader(years: Pipeline) -> SeriesReader:
    """Reads what these days left."""
    catalogue = load_profile_catalogue(years.settings.profile, years.feeds)
    return SeriesReader(years.connection, compile_measures(catalogue), years.feeds, years.profile.areas)


def read(
    reader: SeriesReader,
    code: str,
    period: str,
    units_on: str | None,
    *,
    area: str | None = None,
    level: str | None = None,
    first: str = "2024-10-01",
    last: str = "2025-08-31",
) -> Series:
    """A series with days as texts."""
    return reader.read(
        code,
        period=period,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        area_code=area,
        level=level,
        units_on=date.fromisoformat(units_on) if units_on else None,
    )


UNKNOWN = "unknown"
OCTOBER, FEBRUARY, JUNE, JULY, AUGUST = "2024-10-01", "2025-02-01", "2025-06-01", "2025-07-01", "2025-08-01"

# code, units of, area, period, bucket -> what paper says
EXAMPLES = [
    # A flow in the wards of 2025: 1 + 2 guests of the old wards; 2025 lies partly in old and partly in new units.
    ("lodging.guests.total", NEW, "26506", "month", OCTOBER, 3),
    ("lodging.guests.total", NEW, "26506", "month", FEBRUARY, 1),
    ("lodging.guests.total", NEW, "26506", "month", AUGUST, 2),
    ("lodging.guests.total", NEW, "26506", "quarter", "2025-07-01", 2),
    ("lodging.guests.total", NEW, "26506", "year", "2025-01-01", 4),
    ("lodging.guests.total", NEW, "26506", "year", "2024-01-01", 3),
    ("lodging.guests.total", NEW, "26560", "year", "2025-01-01", 2),  # through the merges of January and July
    ("lodging.guests.total", NEW, "26732", "month", OCTOBER, 1),  # Côn Đảo: a district, then a special zone
    ("lodging.guests.total", NEW, "26732", "month", FEBRUARY, 0),
    ("lodging.guests.total", NEW, "79", "month", OCTOBER, 5),
    ("lodging.guests.total", OLD, "77", "month", AUGUST, 3),
    ("lodging.guests.total", OLD, "77", "year", "2025-01-01", 6),
    ("lodging.guests.total", NEW, "79", "month", "2025-03-01", None),  # nobody has reported
    # In the units of 2024: districts are whole, wards that merged are not.
    ("lodging.guests.total", OLD, "747", "month", AUGUST, 2),
    ("lodging.guests.total", OLD, "748", "month", AUGUST, 1),
    ("lodging.guests.total", OLD, "755", "month", AUGUST, 0),
    ("lodging.guests.total", OLD, HOTEL_COMMUNE, "month", OCTOBER, 2),
    ("lodging.guests.total", OLD, HOTEL_COMMUNE, "month", JUNE, 1),
    ("lodging.guests.total", OLD, HOTEL_COMMUNE, "month", AUGUST, UNKNOWN),
    ("lodging.guests.total", OLD, HOTEL_COMMUNE, "year", "2025-01-01", UNKNOWN),
    ("lodging.guests.total", AFTER_JANUARY, "26560", "month", OCTOBER, 1),
    ("lodging.guests.total", AFTER_JANUARY, "26560", "month", AUGUST, UNKNOWN),
    # Nights that an old ward's guest ended in July count in the ward that holds the ground then.
    ("lodging.nights.total", NEW, "26506", "month", JULY, 5),
    ("lodging.nights.total", OLD, HOTEL_COMMUNE, "month", JULY, UNKNOWN),
    ("lodging.nights.total", OLD, "747", "month", JULY, 5),
    ("lodging.nights.total", NEW, "79", "month", JULY, 5),
    # A distinct: guest 1 was in two wards that have merged since, and is one guest.
    ("lodging.unique_guests.total", NEW, "26506", "month", OCTOBER, 2),
    ("lodging.unique_guests.total", NEW, "26506", "year", "2025-01-01", 3),
    ("lodging.unique_guests.total", NEW, "79", "year", "2025-01-01", 4),
    ("lodging.unique_guests.total", OLD, "747", "year", "2025-01-01", 3),
    ("lodging.unique_guests.total", OLD, "26506", "year", "2025-01-01", UNKNOWN),
    # An average weighs: (2 + 1 + 1) nights of three stays, not the mean of 2 and 1.
    ("lodging.avg_stay.total", NEW, "26506", "month", OCTOBER, 4 / 3),
    ("lodging.avg_stay.total", NEW, "26506", "year", "2025-01-01", (3 + 5 + 1) / 3),
    ("lodging.avg_stay.total", OLD, "26506", "month", AUGUST, UNKNOWN),
    # Ratios divide sums.
    ("lodging.international_share", NEW, "26506", "month", OCTOBER, 100 / 3),
    ("lodging.international_share", NEW, "26506", "year", "2025-01-01", 25.0),
    ("lodging.international_share", NEW, "26732", "month", FEBRUARY, None),  # nothing to divide by
    ("lodging.occupancy.total", NEW, "26506", "month", OCTOBER, 100 / 31 * 5 / 10),
    ("lodging.occupancy.total", NEW, "26506", "month", AUGUST, 100 / 7 * 6 / 30),  # the last day known is the 7th
    ("lodging.adr", NEW, "26506", "month", AUGUST, 1_500_000),
    # Stocks: what stands in the land at the end, whenever it was counted.
    ("lodging.in_house.total", NEW, "26506", "month", JUNE, 1),
    ("lodging.in_house.total", NEW, "26506", "month", JULY, 0),
    ("lodging.in_house.total", NEW, "26506", "day", "2025-07-03", 0),
    ("lodging.in_house.total", NEW, "26506", "year", "2025-01-01", 1),
    ("lodging.rooms.total", NEW, "26506", "month", OCTOBER, 10),
    ("lodging.rooms.total", NEW, "26506", "month", AUGUST, 30),
    ("lodging.rooms.total", NEW, "79", "month", AUGUST, 30),
    ("lodging.rooms.total", OLD, "747", "month", AUGUST, 30),
    ("lodging.rooms.total", OLD, HOTEL_COMMUNE, "month", JUNE, 10),
    ("lodging.rooms.total", OLD, HOTEL_COMMUNE, "month", AUGUST, UNKNOWN),
    # A reported ratio holds for the very territory: the province under its two names, a commune that became a ward.
    (LOSS, NEW, "79", "month", OCTOBER, 3.5),
    (LOSS, OLD, "77", "month", AUGUST, 4.5),
    (LOSS, OLD, "747", "month", OCTOBER, 9),
    (LOSS, OLD, "747", "month", AUGUST, UNKNOWN),
    (LOSS, NEW, "26506", "month", OCTOBER, UNKNOWN),
    (LOSS, OLD, "748", "month", OCTOBER, None),  # it could have been reported, and was not
    (LOSS, OLD, "26707", "month", "2025-04-01", 2),
    (LOSS, OLD, "26707", "month", AUGUST, UNKNOWN),
    # Reported counts add up, whatever level they were reported for.
    (SPENDING, AFTER_JANUARY, "753", "month", OCTOBER, 15),
    (SPENDING, AFTER_JANUARY, "753", "month", FEBRUARY, 7),
    (SPENDING, NEW, "79", "year", "2025-01-01", 7),
    (SPENDING, NEW, "79", "month", OCTOBER, 15),
    (SPENDING, OLD, "752", "month", OCTOBER, 10),
    (SPENDING, OLD, "752", "month", FEBRUARY, UNKNOWN),  # one number for both halves
    (SPENDING, OLD, "752", "year", "2025-01-01", UNKNOWN),
    (SPENDING, OLD, "26659", "month", OCTOBER, None),  # reported for the district, not for its communes
    (BEDS, NEW, "79", "quarter", "2024-10-01", 1000),
    (BEDS, NEW, "79", "quarter", "2025-07-01", 1500),
    (BEDS, OLD, "77", "month", AUGUST, 1500),
]


def test_figures_in_the_units_of_another_date(reader: SeriesReader) -> None:
    def found(code: str, units_on: str, area: str, period: str, bucket: str) -> float | str | None:
        (one,) = read(reader, code, period, units_on, area=area, first=bucket, last=bucket).areas
        (point,) = one.points
        assert point.bucket == date.fromisoformat(bucket)
        # A note beside a figure says how old it is; a note alone says why there is none.
        assert point.value is None or point.note is None or point.stale
        return UNKNOWN if point.note and point.value is None else point.value

    figures = [(*example[:5], found(*example[:5])) for example in EXAMPLES]
    assert figures == [
        (*example[:5], pytest.approx(example[5]) if isinstance(example[5], float) else example[5])
        for example in EXAMPLES
    ]


def test_the_reason_is_told(reader: SeriesReader) -> None:
    (ward,) = read(reader, "lodging.guests.total", "month", OLD, area=HOTEL_COMMUNE, first=AUGUST).areas
    assert ward.points[0].note is not None
    assert "Phường Vũng Tàu (từ 2025-07-01) chỉ nằm một phần" in ward.points[0].note
    assert "Vũng Tàu Ward (from 2025-07-01) lies only partly in this unit" in ward.points[0].note
    (district,) = read(reader, SPENDING, "month", OLD, area="752", first=FEBRUARY, last=FEBRUARY).areas
    assert district.points[0].note is not None
    assert "Long Đất District" in district.points[0].note


@pytest.mark.parametrize("code", ["lodging.guests.total", "lodging.nights.total", "lodging.rooms.total"])
def test_the_province_is_conserved(reader: SeriesReader, code: str) -> None:
    def totals(units_on: str, period: str, **units: str) -> list[float | None]:
        areas = read(reader, code, period, units_on, **units).areas
        columns = zip(*(one.points for one in areas), strict=True)
        return [None if column[0].value is None else sum(point.value or 0 for point in column) for column in columns]

    for period in ("month", "quarter", "year"):
        province = totals(NEW, period, area="79")
        assert len([value for value in province if value]) > 1
        assert totals(OLD, period, area="77") == province
        assert totals(NEW, period, level="commune") == province
        assert totals(OLD, period, level="district") == province
        assert totals(AFTER_JANUARY, period, level="district") == province


def test_a_unit_that_always_was_what_it_is_has_its_stored_figures(years: Pipeline, reader: SeriesReader) -> None:
    """Every indicator of three sectors, at every level and period, in the buckets of 2024."""
    codes = years.rows(
        "SELECT code FROM indicator WHERE live AND sector IN ('lodging', 'budget', 'electricity') ORDER BY code"
    )
    compared = 0
    for code, level, period in (
        (str(code), level, period)
        for (code,) in codes
        for level in ("province", "district", "commune")
        for period in ("day", "month", "year")
    ):
        stored, anew = (
            read(reader, code, period, units_on, level=level, first="2024-10-05", last="2024-10-12")
            for units_on in (None, "2024-10-05")
        )
        assert anew.areas == stored.areas
        compared += sum(point.value is not None for one in stored.areas for point in one.points)
    assert compared > 10_000
    # After a reform this is so for what began anew: flows and distincts.
    for code in ("lodging.guests.total", "lodging.unique_guests.total", "lodging.international_share"):
        stored, anew = (
            read(reader, code, "month", units_on, level="commune", first=AUGUST) for units_on in (None, NEW)
        )
        assert anew.areas == stored.areas


def test_a_stored_series_shows_each_area_as_it_was(reader: SeriesReader) -> None:
    series = read(reader, "lodging.guests.total", "month", None, area="26506")
    assert [(one.name_vi, one.points[0].bucket, one.points[-1].bucket) for one in series.areas] == [
        ("Phường 1", date(2024, 10, 1), date(2025, 6, 1)),
        ("Phường Vũng Tàu", date(2025, 7, 1), date(2025, 8, 1)),
    ]
    assert [[point.value for point in one.points] for one in series.areas] == [
        [1, None, None, None, 1, None, None, None, 0],
        [0, 2],
    ]
    assert (series.name_vi, series.unit, series.version) == ("Tổng lượt khách lưu trú", "lượt", 1)
    # What ended later counts in the ward that took over.
    (old,) = read(reader, "lodging.nights.total", "month", None, area=HOTEL_COMMUNE).areas
    assert (old.points[-1].bucket, old.points[-1].value) == (date(2025, 6, 1), 0)
    *_, new = read(reader, "lodging.nights.total", "month", None, area="26506").areas
    assert (new.points[0].bucket, new.points[0].value) == (date(2025, 7, 1), 5)


# code, area, period, bucket -> the stored figure: a stock does not begin anew with a reform
STOCKS = [
    ("lodging.rooms.total", "77", "month", JUNE, 10),
    ("lodging.rooms.total", "79", "month", JULY, 30),
    ("lodging.rooms.total", "79", "month", AUGUST, 30),
    ("lodging.rooms.total", "26506", "month", AUGUST, 30),
    ("lodging.rooms.total", "26560", "month", AUGUST, 0),
    ("lodging.rooms.total", "79", "year", "2025-01-01", 30),
    ("lodging.in_house.total", "77", "month", JUNE, 1),
    ("lodging.in_house.total", "79", "day", "2025-07-03", 0),  # who came before the reform has left after it
    ("lodging.in_house.total", "26506", "month", AUGUST, 1),
    ("lodging.occupancy.total", "79", "month", AUGUST, 100 / 7 * 6 / 30),
    (BEDS, "79", "quarter", "2025-07-01", 1500),
    ("lodging.nights.total", "79", "month", JULY, 5),
    ("lodging.nights.total", "77", "month", JULY, None),  # it was no more
]


def test_stocks_go_on_through_a_reform(years: Pipeline) -> None:
    found = [(*row[:4], years.figure(*row[:4])) for row in STOCKS]
    assert found == [(*row[:4], row[4] if row[4] is None else pytest.approx(row[4])) for row in STOCKS]


def test_what_is_stored_through_reforms_equals_its_recompute(years: Pipeline) -> None:
    assert years.reconcile().differences == ()


WRONG = [
    ({"code": "lodging.ghosts"}, "no indicator has the code 'lodging.ghosts'"),
    ({"period": "decade"}, "no period is named 'decade'"),
    ({"level": "commune"}, "name an area by its code or a level"),
    ({"area": None}, "name an area by its code or a level"),
    ({"area": None, "level": "region"}, "no level is named 'region'"),
    ({"area": "99"}, "no area bears the code '99' between 2024-10-01 and 2025-08-31"),
    ({"area": "747", "units_on": NEW}, r"no area bears the code '747' on 2025-07-01 \(there were some from .* to 2025"),
    (
        {"area": None, "level": "district", "units_on": NEW},
        r"no area of level district exists on 2025-07-01 \(there were some from 2000-01-01 to 2025-06-30\)",
    ),
    ({"first": "2025-01-01", "last": "2024-01-01"}, "ends on 2024-01-01, before it begins"),
    ({"last": "9999-12-31"}, "name a day before 9999"),
    ({"period": "day", "last": "9998-12-31"}, "over 20,000 points; ask for fewer days"),
    ({"area": None, "level": "commune", "period": "day", "first": "2023-01-01"}, "over 20,000 points"),
]


def test_what_cannot_be_read_is_said(reader: SeriesReader) -> None:
    usual: dict[str, str | None] = {"code": "lodging.guests.total", "period": "month", "units_on": None, "area": "77"}
    for wrong, complaint in WRONG:
        with pytest.raises(ConfigError, match=complaint):
            read(reader, **(usual | wrong))  # type: ignore[arg-type]


def test_a_catalogue_that_is_not_loaded_is_refused(years: Pipeline) -> None:
    catalogue = load_profile_catalogue(years.settings.profile, years.feeds)
    changed = replace(catalogue.indicators["lodging.guests.total"], where="age_years < 3")
    other = replace(catalogue, indicators={**catalogue.indicators, changed.code: changed})
    reader = SeriesReader(years.connection, compile_measures(other), years.feeds, years.profile.areas)
    assert read(reader, changed.code, "month", None, area="77", last="2024-10-31").areas[0].points[0].value == 5
    with pytest.raises(ConfigError, match=r"counts something of tourism\.stay that the database does not hold"):
        read(reader, changed.code, "month", OLD, area="77")


def test_sums_that_lack_old_records_are_refused(years: Pipeline) -> None:
    catalogue = load_profile_catalogue(years.settings.profile, years.feeds)
    lacking = "UPDATE measure SET complete = false WHERE value = 'nights' AND condition = 'TRUE'"
    with years.connection.transaction(force_rollback=True):
        assert years.connection.execute(lacking).rowcount > 0
        reader = SeriesReader(years.connection, compile_measures(catalogue), years.feeds, years.profile.areas)
        with pytest.raises(ConfigError, match="lacks the records from before it was loaded; `ioc rebuild` adds them"):
            read(reader, "lodging.nights.total", "month", OLD, area="77")


def test_the_command(years: Pipeline) -> None:
    command = ["indicator", "series", "lodging.guests.total", "--from", "2024-10-01", "--to", "2025-08-31"]
    wards = ["--area", HOTEL_COMMUNE, "--period", "year", "--units-on", OLD]

    def run(*options: str) -> str:
        result = CliRunner().invoke(app, [*command, *options], env=years.settings.to_environment())
        assert result.exit_code == 0, result.output
        return result.stdout

    series = Series.model_validate(json.loads(run(*wards, "--json")))
    assert [point.value for point in series.areas[0].points] == [2, None]
    observed = list(csv.DictReader(run(*wards, "--format", "sdmx-csv").splitlines()))
    assert [(row["INDICATOR"], row["TIME_PERIOD"], row["OBS_VALUE"], row["OBS_STATUS"]) for row in observed] == [
        ("lodging.guests.total", "2024", "2.0", "A"),
        ("lodging.guests.total", "2025", "", "M"),
    ]
    rows = list(csv.DictReader(run(*wards, "--csv").splitlines()))
    assert [(row["area_name"], row["bucket"], row["value"]) for row in rows] == [
        ("Phường Thắng Tam", "2024-01-01", "2.0"),
        ("Phường Thắng Tam", "2025-01-01", ""),
    ]
    shown = " ".join(run(*wards).split())
    assert "Tổng lượt khách lưu trú" in shown
    assert "(1) không biết được: Phường Vũng Tàu" in shown
    assert "Tỉnh Bà Rịa - Vũng Tàu" in run("--area", "77")
