"""Functions of time, worked out by hand, through a leap year and the reform of July 2025; both engines agree on all.

    rooms     HOTEL in ward 26508   10   from 2024-02-10
              INN   in ward 26509   20   from 2023-05-01 until 2024-02-20, when it closes
    stays     HOTEL g1 2024-01-15, g1 2024-02-10, g3 2024-02-29, g2 2024-03-31, g1 2025-07-10
              INN   g1 2024-02-29
    reports   HOTEL 2024-02-29 10 rooms sold, 2025-07-10 5 sold; INN 2024-02-10 20 sold
    budget    plan of 2024: 1,000, told in March; paid in the weeks of 5 February 60 and of 12 February 90
    beds      40 in the first quarter of 2024, 55 in the last; in between nobody reported

Both wards belong to Vũng Tàu; on 2025-07-01 they became part of ward 26506. The sector's last known day is 2025-07-10.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from testbed.feed_event import HOTEL, INN, Event, place, report, reported, stay
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

from ioc.catalogue import DATA, Compiled, compile_measures, load_catalogue
from ioc.catalogue.store import load_editions
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.province.store import load_into_database
from ioc.reading.cli import explain
from ioc.reading.past import PastMoment, past
from ioc.reading.series import SeriesReader
from ioc.settings import Settings

C1, C2, C3, VUNG_TAU, PROVINCE = "26508", "26509", "26560", "747", "77"
WARD, CITY = "26506", "79"
# Rows beside those of the catalogue, for functions that none of these shows by itself.
ROWS = {
    "lodging.t_room_days": "standing_days(lodging.rooms.total)",
    "lodging.t_guests_so_far": "ytd(lodging.guests.total)",
    "lodging.t_unique_so_far": "ytd(lodging.unique_guests.total)",
    "lodging.t_foreign_so_far": "ytd(lodging.international_share)",
    "lodging.t_guests_of_year": "year(lodging.guests.total)",
    "lodging.t_due": "expected(tourism.daily_report)",
    "lodging.t_most": "max(lodging.guests.total)",
    "lodging.t_least": "min(lodging.guests.total)",
}
DAYS, SO_FAR, UNIQUE, FOREIGN, YEAR, DUE, MOST, LEAST = ROWS
OCCUPANCY, ROOMS, GUESTS, RATE = (
    "lodging.occupancy.total",
    "lodging.rooms.total",
    "lodging.guests.total",
    "lodging.reporting_rate",
)
PAID, BEDS = "budget.disbursement_rate", "health_system.beds"
JAN, FEB, MARCH, AUGUST = (("month", f"2024-0{month}-01") for month in (1, 2, 3, 8))
Q1, Y2024, Y2025 = ("quarter", "2024-01-01"), ("year", "2024-01-01"), ("year", "2025-01-01")
WEEK, LEAP_WEEK = ("week", "2024-02-05"), ("week", "2024-02-26")

# code, area, period and its first day, figure, how it comes about
TABLE = [
    # ------------------------------------------------------------------ standing_days: rooms of each day
    (DAYS, C1, "day", "2024-02-10", 10, "opened on that day"),
    (DAYS, C1, *WEEK, 20, "10th and 11th"),
    (DAYS, C1, *FEB, 200, "10th to 29th: a leap year"),
    (DAYS, C1, *Q1, 510, "20 + 31 days"),
    (DAYS, C1, *Y2024, 3260, "10 February to 31 December: 326 days"),
    (DAYS, C2, *WEEK, 140, "7 x 20"),
    (DAYS, C2, *FEB, 380, "closed on the 20th: 19 days"),
    (DAYS, C2, *Q1, 1000, "31 + 19 days"),
    (DAYS, C2, *MARCH, 0, "closed"),
    (DAYS, VUNG_TAU, "day", "2024-02-10", 30, "10 + 20"),
    (DAYS, VUNG_TAU, *WEEK, 160, "20 + 140"),
    (DAYS, VUNG_TAU, *FEB, 580, "200 + 380"),
    (DAYS, VUNG_TAU, *Q1, 1510, "510 + 1000"),
    (DAYS, VUNG_TAU, *Y2024, 4260, "3260 + 1000"),
    (DAYS, PROVINCE, *FEB, 580, "the same"),
    (DAYS, PROVINCE, *Y2024, 4260, "the same"),
    (DAYS, C1, *Y2025, 1810, "it ended with June: 181 days"),
    (DAYS, WARD, "month", "2025-07-01", 100, "from 1 July to the last known day: 10 days"),
    # ------------------------------------------------------------------ occupancy: nights sold / room days
    (OCCUPANCY, C1, *FEB, 5, "10 / 200"),
    (OCCUPANCY, C2, *FEB, 100 * 20 / 380, "its only hotel closed within the month"),
    (OCCUPANCY, C2, *MARCH, None, "0 / 0: no room"),
    (OCCUPANCY, VUNG_TAU, *FEB, 100 * 30 / 580, "sums first, then the division"),
    (OCCUPANCY, PROVINCE, *Q1, 100 * 30 / 1510, "the same"),
    (OCCUPANCY, WARD, "month", "2025-07-01", 5, "5 / (10 x 10 days)"),
    # ------------------------------------------------------------------ ytd of a flow, a distinct, a share
    (SO_FAR, PROVINCE, "day", "2024-01-15", 1, "g1"),
    (SO_FAR, PROVINCE, "day", "2024-02-29", 4, "two of the day, two before"),
    (SO_FAR, PROVINCE, *JAN, 1, "g1"),
    (SO_FAR, PROVINCE, *LEAP_WEEK, 4, "up to Sunday 3 March"),
    (SO_FAR, PROVINCE, *FEB, 4, "1 + 3"),
    (SO_FAR, PROVINCE, *Q1, 5, "all of 2024"),
    (SO_FAR, PROVINCE, *Y2024, 5, "all of 2024"),
    (SO_FAR, PROVINCE, *Y2025, 0, "it ended with June, and had nobody; its successor had somebody in July"),
    (SO_FAR, C1, *FEB, 3, "g1 g1 g3"),
    (SO_FAR, VUNG_TAU, *FEB, 4, "with the inn's"),
    (UNIQUE, PROVINCE, *JAN, 1, "g1"),
    (UNIQUE, PROVINCE, *FEB, 2, "g1 three times, g3"),
    (UNIQUE, PROVINCE, *LEAP_WEEK, 2, "g1 g3"),
    (UNIQUE, PROVINCE, *Q1, 3, "g1 g3 g2"),
    (UNIQUE, PROVINCE, *Y2024, 3, "g1 g3 g2"),
    (UNIQUE, C1, *FEB, 2, "g1 g3"),
    (UNIQUE, C2, *FEB, 1, "g1"),
    (UNIQUE, C2, *Y2024, 1, "g1"),
    (FOREIGN, PROVINCE, *FEB, 25, "g3 of four; the mean of January's 0 and February's 33 would be 17"),
    (FOREIGN, PROVINCE, *Q1, 20, "g3 of five"),
    # ------------------------------------------------------------------ year
    (YEAR, PROVINCE, "day", "2024-01-15", 5, "known by now, shown in every period of the year"),
    (YEAR, PROVINCE, *JAN, 5, "the same"),
    (YEAR, C2, *FEB, 1, "the inn's"),
    (YEAR, PROVINCE, *Y2024, 5, "the same"),
    # ------------------------------------------------------------------ expected and received
    (DUE, C3, "day", "2024-02-10", 8, "8 establishments"),
    (DUE, C3, *WEEK, 56, "8 x 7 days"),
    (DUE, C3, *FEB, 232, "8 x 29 days"),
    (DUE, C3, *Q1, 728, "8 x 91 days"),
    (RATE, C3, *FEB, 0, "none of 232"),
    (RATE, C1, *FEB, 100 / 1740, "1 of 60 x 29: three of its 63 were registered later"),
    # ------------------------------------------------------------------ max and min over days
    (MOST, PROVINCE, *FEB, 2, "on the 29th"),
    (LEAST, PROVINCE, *FEB, 1, "on the 10th; days on which nobody reported do not count"),
    (MOST, C2, *FEB, 1, "on the 29th"),
    (LEAST, C2, *FEB, 0, "on the 10th others had a guest"),
    (MOST, PROVINCE, *Y2024, 2, "on 29 February"),
    (MOST, PROVINCE, "day", "2024-02-10", 1, "the day's own"),
    # ------------------------------------------------------------------ payments of the year over the year's plan
    (PAID, PROVINCE, *WEEK, 6, "60 of 1,000, though the plan was told in March"),
    (PAID, PROVINCE, "week", "2024-02-12", 15, "(60 + 90) / 1,000"),
    (PAID, PROVINCE, *FEB, 15, "the same"),
    (PAID, PROVINCE, *Q1, 15, "the same"),
    # ------------------------------------------------------------------ stocks are carried forward
    (ROOMS, C1, *AUGUST, 10, "nothing happened since March"),
    (ROOMS, C1, "day", "2024-04-07", 10, "7 days after the last event"),
    (ROOMS, C1, "day", "2024-04-08", None, "days are carried for 7 days, longer periods on"),
    (ROOMS, C1, "quarter", "2024-10-01", 10, "carried"),
    (BEDS, PROVINCE, *FEB, 40, "the first quarter's"),
    (BEDS, PROVINCE, *AUGUST, 40, "nobody has reported since: it stands until the next report"),
    (BEDS, PROVINCE, "quarter", "2024-10-01", 55, "the next report"),
    (BEDS, PROVINCE, *Y2024, 55, "what stands at the end"),
    (BEDS, C1, *FEB, None, "nobody has ever reported it of the ward"),
    (GUESTS, C1, *AUGUST, None, "a flow is not carried: nobody has reported"),
]


def told(code: str, period: str, start: str, value: float) -> Event:
    """What the treasury states of the province."""
    return reported("kho-bac", code, PROVINCE, period, start, value)


def sold(reporter: str, day: str, rooms: int) -> Event:
    """A daily report of rooms sold; a reporter cannot sell more than it has."""
    return report(reporter, day, rooms_total=30, rooms_available=30, rooms_sold=rooms)


HALFWAY = 6  # with this part, records of both years are there, and of before and after the reform
MOMENT: list[PastMoment] = []
SEEN: dict[tuple[str, str, date], tuple[float | None, str | None]] = {}
# area, and the day of whose units it is one: of after the reform, wholly of before it, and partly in one of after it
PLACES = [(WARD, date(2025, 7, 1)), (VUNG_TAU, date(2024, 10, 1)), (C1, date(2024, 10, 1))]
SERIES = (
    DAYS,
    SO_FAR,
    UNIQUE,
    FOREIGN,
    YEAR,
    DUE,
    MOST,
    OCCUPANCY,
    ROOMS,
    GUESTS,
    RATE,
    BEDS,
    "lodging.unique_guests.total",
)


def in_units(
    pipeline: Pipeline, compiled: Compiled, moment: PastMoment | None = None
) -> dict[tuple[str, str, date], tuple[float | None, str | None]]:
    """Figures of all quarters of 2024 and 2025 in the units of other days, and why there are none."""
    reader = SeriesReader(pipeline.connection, compiled, pipeline.feeds, pipeline.profile.areas, moment=moment)
    found: dict[tuple[str, str, date], tuple[float | None, str | None]] = {}
    for code in SERIES:
        for area, units_on in PLACES:
            series = reader.read(
                code,
                period="quarter",
                first=date(2024, 1, 1),
                last=date(2025, 12, 31),
                area_code=area,
                units_on=units_on,
            )
            found |= {(code, area, one.bucket): (one.value, one.note) for one in series.areas[0].points}
    return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue with the rows of this test."""
    path = tmp_path_factory.mktemp("catalogue") / "data"
    shutil.copytree(DATA, path)
    with (path / "lodging.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pattern = next(row for row in rows if row["code"] == OCCUPANCY)
    for code, formula in ROWS.items():
        name = code.rpartition(".")[2]
        rows.append(pattern | {"code": code, "formula": formula, "name_vi": name, "name_en": name, "kind": "ratio"})
    with (path / "lodging.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def years(
    template_database: str, stack_settings: Settings, feeds: dict[str, Feed], profile: Profile, directory: Path
) -> Iterator[Pipeline]:
    """What the head of this file tells; in parts, so that figures are brought up to date and not only written once."""
    own = stack_settings.model_copy(update={"db_name": "t_time", "topic_prefix": "t-time"})
    with cloned_database(own, template_database):
        load_into_database(own, profile, load_catalogue(directory, feeds))
        pipeline = Pipeline(own, feeds, profile)
        pipeline.now = datetime(2025, 9, 1, tzinfo=UTC)
        abroad = {"origin": "international", "nationality": "KOR", "home_region": None}
        parts: list[tuple[str, list[Event]]] = [
            ("tourism.stay", [stay(HOTEL, 2, "2024-03-31"), stay(HOTEL, 3, "2024-02-29", **abroad)]),
            ("registry.reporter", [place(INN, "2023-05-01", rooms=20, star=0, type="hotel", area_code=C2)]),
            ("report.value", [told("budget.investment_paid", "week", "2024-02-12", 90)]),
            (
                "tourism.daily_report",
                [sold(HOTEL, "2024-02-29", 10), sold(INN, "2024-02-10", 20)],
            ),
            ("registry.reporter", [place(HOTEL, "2024-02-10", rooms=10, star=0, type="hotel", area_code=C1)]),
            ("tourism.stay", [stay(HOTEL, 1, "2024-02-10"), stay(INN, 1, "2024-02-29"), stay(HOTEL, 1, "2025-07-10")]),
            ("tourism.daily_report", [sold(HOTEL, "2025-07-10", 5)]),
            (
                "registry.reporter",
                [place(INN, "2023-05-01", 2, closed_on="2024-02-20", rooms=20, star=0, type="hotel", area_code=C2)],
            ),
            ("report.value", [told("budget.investment_paid", "week", "2024-02-05", 60)]),
            ("report.value", [told("budget.investment_plan", "month", "2024-03-01", 1000)]),
            ("report.value", [told(BEDS, "quarter", "2024-10-01", 55)]),
            ("tourism.stay", [stay(HOTEL, 1, "2024-01-15")]),
            ("report.value", [told(BEDS, "quarter", "2024-01-01", 40)]),
        ]
        try:
            for number, (feed, events) in enumerate(parts):
                assert pipeline.send(feed, events).rejected == 0
                pipeline.roll_up()
                if number == HALFWAY:
                    SEEN.update(in_units(pipeline, load_editions(pipeline.connection).live.compiled))
                    MOMENT.append(PastMoment(datetime.now(UTC)))
            yield pipeline
        finally:
            pipeline.close()


def test_functions_of_time_at_every_level_and_period(years: Pipeline) -> None:
    found = {row[:4]: years.figure(*row[:4]) for row in TABLE}
    wrong = [
        f"{' '.join(row[:4])}: {found[row[:4]]} instead of {row[4]} ({row[5]})"
        for row in TABLE
        if found[row[:4]] != (row[4] if row[4] is None else pytest.approx(row[4]))
    ]
    assert wrong == []


def test_the_other_engine_agrees(years: Pipeline) -> None:
    result = years.reconcile()
    assert (result.differences, result.waiting) == ((), 0)


def test_a_carried_level_is_marked_with_its_day_and_stale_after_its_cadence(years: Pipeline) -> None:
    """Beds of the first quarter stand to 31 March; the second quarter has passed without a report on 30 June."""
    with connect(years.settings, "reader", autocommit=True) as connection:
        reader = SeriesReader(connection, load_editions(connection).live.compiled, years.feeds, years.profile.areas)
        series = reader.read(BEDS, period="month", first=date(2024, 2, 1), last=date(2024, 10, 1), area_code=PROVINCE)
        points = {point.bucket.month: point for point in series.areas[0].points}
    last = date(2024, 3, 31)
    assert [(points[month].value, points[month].until, points[month].stale) for month in (2, 3, 4, 5, 6, 9, 10)] == [
        (40, None, False),
        (40, None, False),
        (40, last, False),
        (40, last, False),
        (40, last, True),
        (40, last, True),
        (55, None, False),
    ]
    assert "31/03/2024" in (points[6].note or "")


def test_reports_that_were_due_are_counted_by_deadline(years: Pipeline) -> None:
    """Nothing is known after 1 October: of the three quarters that are over by then one was reported. Not "everybody
    has reported", because somebody did once.
    """
    found = explain(years.settings, BEDS, PROVINCE, date(2024, 1, 1), period="year", limit=0, offset=0)
    (one,) = found.completeness
    assert (one.indicator, one.reported, one.expected) == (BEDS, 1, 3)
    assert [who.reports for who in one.missing] == [2]
    assert (found.as_of, found.stale) == (date(2024, 10, 1), False)
    stale = explain(years.settings, BEDS, PROVINCE, date(2024, 8, 1), period="month", limit=0, offset=0)
    assert (stale.value, stale.as_of, stale.stale) == (40, date(2024, 1, 1), True)


@pytest.mark.parametrize(
    ("code", "figure"),
    [
        (DAYS, 1910),  # 181 days of the ward that it took over, 10 of its own
        (SO_FAR, 1),
        (UNIQUE, 1),
        (YEAR, 1),
        (MOST, 1),
        (OCCUPANCY, 100 * 5 / 1910),
    ],
)
def test_in_the_units_of_after_the_reform(years: Pipeline, directory: Path, code: str, figure: float) -> None:
    compiled = compile_measures(load_catalogue(directory, years.feeds))
    reader = SeriesReader(years.connection, compiled, years.feeds, years.profile.areas)
    series = reader.read(
        code,
        period="year",
        first=date(2025, 1, 1),
        last=date(2025, 12, 31),
        area_code=WARD,
        units_on=date(2025, 7, 1),
    )
    assert [point.value for point in series.areas[0].points] == [pytest.approx(figure)]


def test_the_past_in_the_units_of_another_day_is_what_was_seen_then(years: Pipeline) -> None:
    """Hotels closed since, guests came since: both are left out, in the territory of the ward and of the city."""
    (moment,) = MOMENT
    with past(years.connection, moment):
        then = in_units(years, load_editions(years.connection).live.compiled, moment)
    assert {key: (then[key], seen) for key, seen in SEEN.items() if then[key] != seen} == {}
    now = in_units(years, load_editions(years.connection).live.compiled)
    second = date(2024, 4, 1)
    assert (then[DAYS, WARD, second], now[DAYS, WARD, second]) == ((2730, None), (910, None))  # 30 rooms, then 10
    assert sum(value is not None for value, _ in then.values()) > 100
    assert sum(note is not None for _, note in then.values()) > 3
