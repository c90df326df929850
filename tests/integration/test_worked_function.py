"""Each function of time of each kind, in three areas and five periods, worked out by hand: `worked_function.csv`.

    stay  guest  where            arrives     leaves      nights
    a     g1     C1 (Vũng Tàu)    2024-01-15  2024-01-17  2
    b     g2*    C1               2024-02-29  2024-03-01  1   of the leap day
    c     g1     C1               2024-02-29  2024-03-02  2
    d     g1     C2 (Vũng Tàu)    2024-02-29  2024-03-01  1
    e     g3*    C3 (Bà Rịa)      2024-04-10  2024-04-11  1
    f     g3*    C3               2024-02-28  2024-02-29  1
    h     g6     C2               2024-02-10  2024-02-13  3
    j     g7     C1               2024-12-30  2025-01-02  3   over the turn of the year
    k     g4     C1               2025-06-30  2025-07-02  2   from a ward that ended on 1 July, into the new one
    l     g4     the new ward     2025-07-03  2025-07-04  1
    m     g8*    the new ward     2025-07-03  2025-07-05  2
    n     g8*    another of them  2025-07-03  2025-07-04  1
    * international

    reported                    C1                                 C3              new ward   and
    beds, by the quarter        2024: 12 14 15 16, 2025: 20 20     7 7 7 7 (2024)  25 (July)
    reports due, by the month   Jan 4 Feb 5 Mar 6 Oct 1, June 3    Feb 7           4 (July)
    share of fees, by the month Jan 80 Feb 40 Dec 60, June 30                      90 (July)  Vũng Tàu Feb 50 Dec 55,
                                                                        province Feb 75 Dec 70, city (79) July 88

The first block is of Thursday 29 February 2024, its week, month, quarter and year; the second of Wednesday 2 July 2025
and its periods, which the reform of 1 July cuts. OLD is C1 in the second block: it ended with June. A record of a week
is reported of 26 February and of 30 June, so that these days are open in every sector that agencies report of. The last
day of all on which anything was counted is 5 July 2025.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from testbed.feed_event import HOTEL, INN, RIVAL, Event, reported, stay
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

from ioc.catalogue import DATA, load_catalogue
from ioc.catalogue.formula import FUNCTIONS
from ioc.feeds.feed import Feed
from ioc.period import PERIODS, start_of
from ioc.province.profile import Profile
from ioc.province.store import load_into_database
from ioc.settings import Settings

FIGURES = Path(__file__).with_name("worked_function.csv")
OF = {
    "flow": "lodging.guests.total",
    "stock": "lodging.in_house.total",
    "distinct": "lodging.unique_guests.total",
    "ratio": "lodging.international_share",
    "average": "lodging.avg_stay.total",
    "reported_flow": "data_quality.reports_due",
    "reported_stock": "health_system.beds",
    "reported_share": "education.cashless_fees",
}
FEED = {"expected": "tourism.daily_report", "received": "tourism.stay"}
KINDS = {
    "standing_days": ["stock", "reported_stock"],
    **{function: list(OF) for function in ("ytd", "year", "max", "min")},
    **{function: ["feed"] for function in FEED},
}
LEAP_DAY, AFTER = date(2024, 2, 29), date(2025, 7, 2)
# Codes are used again: the new ward bears that of one which became a part of it.
AREAS = {
    "C1": ("26508", LEAP_DAY, LEAP_DAY),
    "C3": ("26560", LEAP_DAY, LEAP_DAY),
    "VUNG_TAU": ("747", LEAP_DAY, LEAP_DAY),
    "PROVINCE": ("77", LEAP_DAY, LEAP_DAY),
    "OLD": ("26508", LEAP_DAY, AFTER),
    "WARD": ("26506", AFTER, AFTER),
    "CITY": ("79", AFTER, AFTER),
}
ABROAD = {"origin": "international", "nationality": "KOR", "home_region": None}
STAYS = [
    stay(HOTEL, 1, "2024-01-15", check_out="2024-01-17"),
    stay(HOTEL, 2, "2024-02-29", check_out="2024-03-01", **ABROAD),
    stay(HOTEL, 1, "2024-02-29", check_out="2024-03-02"),
    stay(INN, 1, "2024-02-29", check_out="2024-03-01"),
    stay(RIVAL, 3, "2024-04-10", check_out="2024-04-11", **ABROAD),
    stay(RIVAL, 3, "2024-02-28", check_out="2024-02-29", **ABROAD),
    stay(INN, 6, "2024-02-10", check_out="2024-02-13"),
    stay(HOTEL, 7, "2024-12-30", check_out="2025-01-02"),
    stay(HOTEL, 4, "2025-06-30", check_out="2025-07-02"),
    stay(HOTEL, 4, "2025-07-03", check_out="2025-07-04"),
    stay(HOTEL, 8, "2025-07-03", check_out="2025-07-05", **ABROAD),
    stay(RIVAL, 8, "2025-07-03", check_out="2025-07-04", **ABROAD),
]
# kind and area, and what was reported for the periods that begin on these days
BEDS = {
    "26508": {"2024-01": 12, "2024-04": 14, "2024-07": 15, "2024-10": 16, "2025-01": 20, "2025-04": 20},
    "26560": {"2024-01": 7, "2024-04": 7, "2024-07": 7, "2024-10": 7},
    "26506": {"2025-07": 25},
}
DUE = {
    "26508": {"2024-01": 4, "2024-02": 5, "2024-03": 6, "2024-10": 1, "2025-06": 3},
    "26560": {"2024-02": 7},
    "26506": {"2025-07": 4},
}
SHARES = {
    "26508": {"2024-01": 80, "2024-02": 40, "2024-12": 60, "2025-06": 30},
    "747": {"2024-02": 50, "2024-12": 55},
    "77": {"2024-02": 75, "2024-12": 70},
    "26506": {"2025-07": 90},
    "79": {"2025-07": 88},
}


def code_of(function: str, kind: str) -> str:
    """The code of the row that is a function of a kind, and nothing else."""
    sector = OF[kind].partition(".")[0] if kind in OF else "lodging"
    return f"{sector}.t_{function}_{kind}"


def told() -> Iterator[Event]:
    """What agencies report."""
    for indicator, period, by_area in (
        ("reported_stock", "quarter", BEDS),
        ("reported_flow", "month", DUE),
        ("reported_share", "month", SHARES),
    ):
        for area, values in by_area.items():
            for month, value in values.items():
                yield reported("vp-ubnd", OF[indicator], area, period, f"{month}-01", value)
    for week in ("2024-02-26", "2025-06-30"):
        yield reported("kho-bac", "budget.investment_paid", "77", "week", week, 1)


@pytest.fixture(scope="module")
def catalogue_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue with a row for each function of each kind."""
    path = tmp_path_factory.mktemp("catalogue") / "data"
    shutil.copytree(DATA, path)
    with (path / "lodging.csv").open(encoding="utf-8", newline="") as file:
        pattern = next(row for row in csv.DictReader(file) if row["code"] == "lodging.occupancy.total")
    for function, kinds in KINDS.items():
        for kind in kinds:
            code, of = code_of(function, kind), FEED.get(function) or OF[kind]
            sector, _, name = code.partition(".")
            row = pattern | {"code": code, "sector": sector, "name_vi": name, "name_en": name}
            row["formula"] = f"{function}({of})"
            with (path / f"{sector}.csv").open("r+", encoding="utf-8", newline="") as file:
                columns = csv.DictReader(file).fieldnames or []
                file.seek(0, 2)
                csv.DictWriter(file, columns, restval="", extrasaction="ignore").writerow(row)
    return path


@pytest.fixture(scope="module")
def worked(
    template_database: str,
    stack_settings: Settings,
    feeds: dict[str, Feed],
    profile: Profile,
    catalogue_directory: Path,
) -> Iterator[Pipeline]:
    """What the head of this file tells, the last first."""
    own = stack_settings.model_copy(update={"db_name": "t_function", "topic_prefix": "t-function"})
    with cloned_database(own, template_database):
        load_into_database(own, profile, load_catalogue(catalogue_directory, feeds))
        pipeline = Pipeline(own, feeds, profile)
        pipeline.now = datetime(2025, 9, 1, tzinfo=UTC)
        try:
            reports = list(told())
            for feed, events in (("tourism.stay", STAYS[6:]), ("report.value", reports), ("tourism.stay", STAYS[:6])):
                assert pipeline.send(feed, events).rejected == 0, feed
                pipeline.roll_up()
            yield pipeline
        finally:
            pipeline.close()


def test_every_function_of_every_kind_is_what_paper_says(worked: Pipeline) -> None:
    rows = worked.rows("SELECT code, area_id, period, bucket, value FROM indicator_value WHERE code LIKE '%%.t\\_%%'")
    shown = {tuple(row[:4]): row[4] for row in rows}
    wrong, compared = [], 0
    with FIGURES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            bearer, of, day = AREAS[row["area"]]
            area = worked.profile.areas.find(bearer, of)
            assert area is not None
            for period in PERIODS:
                found = shown.get((code_of(row["function"], row["of"]), area.area_id, period, start_of(period, day)))
                wanted = float(Fraction(row[period])) if row[period] else None
                compared += 1
                if found != (wanted if wanted is None else pytest.approx(wanted)):
                    name = f"{row['function']}({row['of']}) {row['area']} {period}"
                    wrong.append(f"{name}: {found} instead of {wanted} ({row['why']})")
    assert wrong == []
    assert compared > 1000


def test_the_other_engine_agrees_on_all_of_them(worked: Pipeline) -> None:
    assert worked.reconcile().differences == ()


def test_the_table_leaves_nothing_out() -> None:
    """Every function, of every kind that it takes, in three areas of each block."""
    with FIGURES.open(encoding="utf-8", newline="") as file:
        rows = [(row["function"], row["of"], row["area"]) for row in csv.DictReader(file)]
    assert len(set(rows)) == len(rows)
    for areas in (("C1", "VUNG_TAU", "PROVINCE"), ("OLD", "WARD", "CITY")):
        for function, kinds in KINDS.items():
            for kind in kinds:
                wanted = {(function, kind, area) for area in areas}
                assert wanted <= set(rows)
    assert set(KINDS) == set(FUNCTIONS)
