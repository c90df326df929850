"""A changed catalogue: computed beside the live figures while events keep flowing, compared, swapped in at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from psycopg.sql import Composable
from testbed.feed_event import (
    HOTEL,
    HOTEL_COMMUNE,
    INN,
    INN_COMMUNE,
    NEIGHBOUR,
    PROVINCE,
    RIVAL,
    VUNG_TAU,
    place,
    report,
    stay,
    void_stay,
)
from testbed.pipeline import Pipeline
from testbed.profile import write_profile

from ioc.catalogue import Catalogue
from ioc.catalogue.loading import read_definitions
from ioc.catalogue.store import load_editions, sync_catalogue
from ioc.database.connection import connect
from ioc.errors import CatalogueChangedError, ConfigError, FatalError
from ioc.feeds.feed import Feed
from ioc.province.store import load_into_database
from ioc.territory.area import AreaTree
from streams.rebuild.fill import MeasureFill
from streams.rebuild.run import Rebuild, open_rebuild

MONTH, NOVEMBER = ("month", "2024-10-01"), ("month", "2024-11-01")
GUESTS, UNIQUE, SHARE = "lodging.guests.total", "lodging.unique_guests.total", "lodging.international_share"


def edited(catalogue: Catalogue, *rows: Mapping[str, str], feeds: dict[str, Feed]) -> Catalogue:
    """The catalogue with rows changed, or added: what a row does not say is as in `lodging.guests.total`, or in it."""
    texts = [
        {**catalogue.indicators[row["code"] if row["code"] in catalogue.indicators else GUESTS].definition, **row}
        for row in rows
    ]
    indicators, problems = read_definitions(texts, feeds)
    assert problems.found == []
    return replace(catalogue, indicators={**catalogue.indicators, **indicators})


@pytest.fixture
def october(pipeline: Pipeline) -> Pipeline:
    """Guest 1 in two houses and in November again, guests 2 and 3; ages 30, 70, 80."""
    pipeline.send("registry.reporter", [place(HOTEL, "2024-01-01", rooms=10, star=0, type="hotel")])
    pipeline.send(
        "tourism.stay",
        [
            stay(HOTEL, 1, "2024-10-05", age_years=30, check_out="2024-10-07"),
            stay(RIVAL, 1, "2024-10-08", age_years=30),
            stay(NEIGHBOUR, 2, "2024-10-09", age_years=70),
            stay(INN, 3, "2024-10-09", age_years=80, origin="international", nationality="KOR", home_region=None),
            stay(INN, 1, "2024-11-02", age_years=30),
        ],
    )
    pipeline.roll_up()
    return pipeline


OLD_GUESTS = {"code": GUESTS, "where": "age_years >= 60"}
OLD_UNIQUE = {"code": UNIQUE, "where": "age_years >= 60"}


@contextmanager
def rebuilding(
    pipeline: Pipeline, db: psycopg.Connection, catalogue: Catalogue, cells: int = 4000
) -> Iterator[Rebuild]:
    """Load a catalogue, let worker and roll-up start again, and open the rebuild."""
    sync_catalogue(db, catalogue)
    pipeline.start_again()
    with open_rebuild(pipeline.settings, cells=cells) as job:
        yield job


def versions(pipeline: Pipeline, code: str, *cell: str) -> dict[int, float]:
    """Figures of all versions of one cell of the province."""
    rows = pipeline.rows(
        "SELECT version, value FROM indicator_version_value "
        "WHERE code = %s AND area_code = '77' AND period = %s AND bucket = %s",
        [code, *cell],
    )
    return {int(str(version)): float(str(value)) for version, value in rows}


def test_figures_move_at_once_and_both_versions_stay(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    """Guests of 60 and more instead of all; the share of foreigners follows, since it divides by them."""
    with rebuilding(october, db, edited(catalogue, OLD_GUESTS, feeds=feeds)) as job:
        found = {one.code: one for one in job.run()}
        assert october.figure(GUESTS, PROVINCE, *MONTH) == 4
        assert october.figure(SHARE, PROVINCE, *MONTH) == 25
        guests = found[GUESTS]
        assert (guests.old_version, guests.new_version) == (1, 2)
        assert guests.cells == guests.same + guests.moved + guests.appeared + guests.vanished
        assert guests.appeared == guests.vanished == 0
        # The year of the province: 5 arrivals, of which 2 by guests of 60 or more.
        largest = guests.largest[0]
        assert (largest.area_code, largest.period, largest.bucket) == (PROVINCE, "year", date(2024, 1, 1))
        assert (largest.old, largest.new) == (5, 2)
        assert SHARE in found
        job.swap()
    assert october.figure(GUESTS, PROVINCE, *MONTH) == 2
    assert october.figure(GUESTS, VUNG_TAU, *MONTH) == 2
    assert october.figure(GUESTS, PROVINCE, *NOVEMBER) == 0
    assert october.figure(SHARE, PROVINCE, *MONTH) == 50
    assert versions(october, GUESTS, *MONTH) == {1: 4, 2: 2}
    assert versions(october, SHARE, *MONTH) == {1: 25, 2: 50}
    assert october.reconcile().differences == ()


def test_what_was_replaced_stays_as_it_was(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    with rebuilding(october, db, edited(catalogue, OLD_GUESTS, feeds=feeds)) as job:
        job.run()
        job.swap()
    october.start_again()
    october.send("tourism.stay", [stay(HOTEL, 4, "2024-10-10", age_years=65), void_stay(INN, 1, "2024-11-02")])
    october.roll_up()
    assert versions(october, GUESTS, *MONTH) == {1: 4, 2: 3}
    # Nobody has a record in November any more: the old figure is kept, the live one is none.
    assert versions(october, GUESTS, *NOVEMBER) == {1: 1}
    assert october.figure(GUESTS, PROVINCE, *NOVEMBER) is None
    assert october.reconcile().differences == ()


def test_events_keep_flowing(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    """Between any two steps events are stored, corrected and voided, and some are folded: none is lost or doubled."""
    guest = iter(range(101, 1000))  # odd first: what it sends waits when the first month is filled
    sent: list[int] = []

    def flow(step: str, done: int, total: int) -> None:
        number = next(guest)
        sent.append(number)
        day = f"2024-{9 + number % 2:02}-{1 + number % 28:02}"
        october.send(
            "tourism.stay",
            [stay(HOTEL, number, day, age_years=61), stay(NEIGHBOUR, number, day, age_years=20 + number % 60)],
        )
        if number % 3 == 0:
            october.send("tourism.stay", [stay(HOTEL, number, day, 2, age_years=25)])
        if number % 4 == 0:
            october.send("tourism.stay", [void_stay(NEIGHBOUR, number, day)])
        if number % 2 == 0:
            october.roll_up()

    new = edited(catalogue, OLD_GUESTS, OLD_UNIQUE, feeds=feeds)
    with rebuilding(october, db, new, cells=30) as job:
        job.run(flow)
        job.swap(flow)
    october.start_again()
    october.roll_up()
    assert len(sent) > 15
    expected = 2  # those of `october`
    for number in sent:
        expected += number % 3 != 0
        expected += number % 4 != 0 and 20 + number % 60 >= 60
    assert october.figure(GUESTS, PROVINCE, "year", "2024-01-01") == expected
    assert october.reconcile().differences == ()


def test_a_month_is_read_in_one_snapshot(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    """An event that is stored and folded while a month's records have been read, but not yet its cells."""
    new = edited(catalogue, OLD_GUESTS, feeds=feeds)
    with rebuilding(october, db, new) as job:
        ((feed, measures),) = job.plan.measures.items()
        row = db.execute("SELECT feed_id FROM feed WHERE key = %s", [feed]).fetchone()
        assert row is not None
        fill = MeasureFill(feeds[feed], row[0], measures, october.profile.areas)

        def interfere() -> None:
            october.send("tourism.stay", [stay(HOTEL, 50, "2024-10-15", age_years=99)])
            october.roll_up()

        with connect(october.settings, "owner", autocommit=True) as connection:
            connection.cursor_factory = interfering('FROM "tourism_stay"', interfere)
            fill.fill(connection, date(2024, 10, 1))
        job.run()
        job.swap()
    assert october.figure(GUESTS, PROVINCE, *MONTH) == 3
    assert october.reconcile().differences == ()


def interfering(text: str, happens: Callable[[], None]) -> type[psycopg.Cursor]:
    """Return cursors beside which something happens once, right after a statement that has a text in it."""
    waiting = [happens]

    class Interfered(psycopg.Cursor):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
            super().execute(query, *args, **kwargs)
            told = query.as_string(self) if isinstance(query, Composable) else query
            if text in told and waiting:
                waiting.pop()()
            return self

    return Interfered


def test_a_distinct_is_counted_from_the_records(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    new = edited(catalogue, {**OLD_UNIQUE, "where": "age_years < 75"}, feeds=feeds)
    with rebuilding(october, db, new) as job:
        job.run()
        job.swap()
    assert october.figure(UNIQUE, PROVINCE, *MONTH) == 2  # guest 1, who came twice, and guest 2
    assert october.figure(UNIQUE, VUNG_TAU, *MONTH) == 2
    assert october.figure(UNIQUE, PROVINCE, "year", "2024-01-01") == 2
    assert october.reconcile().differences == ()


def test_a_stock_of_a_feed_that_had_none(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    """Rooms ever sold: a running total over the daily reports, of a measure that was counted all the while."""
    october.send(
        "tourism.daily_report",
        [
            report(HOTEL, "2024-10-05", rooms_total=10, rooms_available=10, rooms_sold=5),
            report(HOTEL, "2024-10-07", rooms_total=10, rooms_available=10, rooms_sold=3),
            report(HOTEL, "2024-11-01", rooms_total=10, rooms_available=10, rooms_sold=1),
        ],
    )
    october.roll_up()
    row = {
        "code": "lodging.ever_sold",
        "name_vi": "Số phòng đã bán tích lũy",
        "name_en": "Rooms ever sold",
        "kind": "stock",
        "feed": "tourism.daily_report",
        "value": "rooms_sold",
        "breakdown": "",
        "breakdown_value": "",
    }
    with rebuilding(october, db, edited(catalogue, row, feeds=feeds)) as job:
        assert job.plan.running_totals == ("tourism.daily_report",)
        found = job.run()
        assert [(one.code, one.old_version, one.moved) for one in found] == [("lodging.ever_sold", None, 0)]
        assert found[0].appeared == found[0].cells > 0
        assert october.figure("lodging.ever_sold", PROVINCE, *MONTH) is None
        job.swap()
    assert october.figure("lodging.ever_sold", PROVINCE, "day", "2024-10-05") == 5
    assert october.figure("lodging.ever_sold", PROVINCE, *MONTH) == 8
    assert october.figure("lodging.ever_sold", PROVINCE, "year", "2024-01-01") == 9
    october.start_again()
    october.send(
        "tourism.daily_report", [report(HOTEL, "2024-10-05", 2, rooms_total=10, rooms_available=10, rooms_sold=7)]
    )
    october.roll_up()
    assert october.figure("lodging.ever_sold", PROVINCE, "year", "2024-01-01") == 11
    assert october.reconcile().differences == ()


def test_interrupted_it_goes_on_where_it_was(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    told: list[tuple[str, int, int]] = []

    def stop(step: str, done: int, total: int) -> None:
        told.append((step, done, total))
        if done == 1:
            raise KeyboardInterrupt

    new = edited(catalogue, OLD_GUESTS, feeds=feeds)
    with pytest.raises(KeyboardInterrupt), rebuilding(october, db, new) as job:
        job.run(stop)
    assert told[0][1:] == (0, 2)  # October and November
    assert october.figure(GUESTS, PROVINCE, *MONTH) == 4
    october.send("tourism.stay", [stay(HOTEL, 7, "2024-10-20", age_years=90), void_stay(NEIGHBOUR, 2, "2024-10-09")])
    october.roll_up()
    told.clear()
    with open_rebuild(october.settings) as job:
        job.run(lambda *step: told.append(step))
        assert told[0][1:] == (0, 1)  # November alone
        job.swap()
    assert october.figure(GUESTS, PROVINCE, *MONTH) == 2  # guests 3 and 7
    assert october.reconcile().differences == ()


def test_only_what_was_asked_for_and_what_belongs_to_it(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    sync_catalogue(db, edited(catalogue, OLD_GUESTS, OLD_UNIQUE, feeds=feeds))
    october.start_again()
    with open_rebuild(october.settings, [UNIQUE]) as job:
        job.run()
        job.swap()
    assert october.figure(UNIQUE, PROVINCE, *MONTH) == 2
    assert october.figure(GUESTS, PROVINCE, *MONTH) == 4
    assert GUESTS in load_editions(db).candidates
    assert october.reconcile().differences == ()
    with open_rebuild(october.settings, [SHARE]) as job:
        assert {GUESTS, SHARE} <= job.plan.codes
        job.run()
        job.swap()
    assert load_editions(db).next is None
    assert october.figure(SHARE, PROVINCE, *MONTH) == 50
    assert october.reconcile().differences == ()


def test_another_catalogue_loaded_meanwhile_ends_it(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    with rebuilding(october, db, edited(catalogue, OLD_GUESTS, feeds=feeds)) as job:
        job.run()
        sync_catalogue(db, edited(catalogue, {"code": GUESTS, "where": "age_years >= 75"}, feeds=feeds))
        with pytest.raises(CatalogueChangedError):
            job.swap()
    assert october.figure(GUESTS, PROVINCE, *MONTH) == 4


def test_one_at_a_time_and_only_what_waits(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    with pytest.raises(ConfigError, match="nothing waits"), open_rebuild(october.settings):
        pass
    new = edited(catalogue, OLD_GUESTS, feeds=feeds)
    refused = pytest.raises(FatalError, match="another rebuild")
    with rebuilding(october, db, new), refused, open_rebuild(october.settings):
        pass
    unknown = pytest.raises(ConfigError, match=r"petrol\.volume\.total: no change")
    with unknown, open_rebuild(october.settings, ["petrol.volume.total"]):
        pass


def test_units_that_changed_are_counted_again(
    october: Pipeline, db: psycopg.Connection, catalogue: Catalogue, feeds: dict[str, Feed], tmp_path: Path
) -> None:
    """It becomes known that HOTEL's commune had joined its neighbour on 7 October: two of its guests came before."""
    profile = october.profile
    old, neighbour = (profile.areas.find(code, date(2024, 10, 1)) for code in (HOTEL_COMMUNE, INN_COMMUNE))
    assert old is not None and neighbour is not None
    reform = date(2024, 10, 7)
    joined = replace(neighbour, area_id=265093, valid_from=reform)
    merged = [
        replace(old, valid_to=reform, successor_id=joined.area_id),
        replace(neighbour, valid_to=reform, successor_id=joined.area_id),
        joined,
    ]
    changed = {area.area_id: area for area in (*profile.areas.areas, *merged)}
    after = replace(profile, areas=AreaTree(changed.values()))
    october.send("tourism.stay", [stay(HOTEL, 8, "2024-10-06", age_years=33, check_out="2024-10-08")])
    october.roll_up()
    assert not load_into_database(october.settings, profile, catalogue).units_changed
    assert load_into_database(october.settings, after, catalogue).units_changed
    directory = tmp_path / "profile"
    write_profile(october.settings.profile, directory, after.areas)
    settings = october.settings.model_copy(update={"profile": directory})
    again = Pipeline(settings, feeds, after)
    with open_rebuild(settings, recount=True) as job:
        job.run()
        assert job.appended.sums > 0 and job.appended.members > 0
    # HOTEL: guests of the 5th and 6th; NEIGHBOUR lies there too: guest 2 came on the 9th, to the joined commune.
    assert again.figure(GUESTS, HOTEL_COMMUNE, *MONTH) == 2
    assert again.figure(GUESTS, INN_COMMUNE, "day", "2024-10-09") == 2
    assert again.figure(GUESTS, PROVINCE, *MONTH) == 5
    assert again.figure("lodging.rooms.total", INN_COMMUNE, "day", "2024-10-09") == 10
    assert again.figure("lodging.rooms.total", PROVINCE, *MONTH) == 10
    assert again.reconcile().differences == ()
    with open_rebuild(settings, recount=True) as job:
        job.run()
        assert (job.appended.sums, job.appended.members) == (0, 0)
    again.close()
